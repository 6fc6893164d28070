//! The nouns that travel between the folders: values only.
//!
//! Not here: I/O, a clock, regular expressions, threads, flags, wire formats. A wire shape belongs to
//! the file that writes it.

pub mod access;
pub mod blob;
pub mod codeowners;
pub mod coverage;
pub mod delta;
pub mod details;
pub mod finding;
pub mod fingerprint;
pub mod input;
pub mod level;
pub mod map;
pub mod origin;
pub mod part;
pub mod people;
pub mod policy;
pub mod purpose;
pub mod record;
pub mod reference;
pub mod refs;
pub mod report;
pub mod rotation;
pub mod rule;
pub mod secret;
pub mod shelf;
pub mod span;
pub mod tag;
pub mod tape;
pub mod verdict;
