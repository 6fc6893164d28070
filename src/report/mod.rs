//! Verdicts as text: one function per format from a report to a writer. Never a store, a flag, a clock.

use crate::model::report::Report;
use std::io::{self, Write};

/// The formats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// For a terminal.
    Human,
    /// One document.
    Json,
    /// One finding a line.
    Jsonl,
    /// SARIF 2.1.0.
    Sarif,
}

impl Format {
    /// Every format with its name.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("human", Self::Human),
        ("json", Self::Json),
        ("jsonl", Self::Jsonl),
        ("sarif", Self::Sarif),
    ];
}

/// Writes the report in a format. `Format::Human` uses ANSI styles; the caller strips them where the
/// output is no terminal.
pub fn write(_format: Format, _out: &mut dyn Write, _report: &Report) -> io::Result<()> {
    Ok(())
}
