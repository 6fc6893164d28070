//! Records out of an owner's list: exports on disk, and live servers behind the `live` feature.
