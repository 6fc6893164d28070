//! The rule files of `rules/`, embedded at build time. Reading them is the work of `parse`.

include!(concat!(env!("OUT_DIR"), "/rules.rs"));
