//! Matches in a text, kept or dropped: a pure function of bytes and rules.
