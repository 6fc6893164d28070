//! Waivers: the text file `.keyatlas-waivers`, and what it accepts.
