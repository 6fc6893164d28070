//! Verdicts as text: one function per format from a report to a writer. Never a store, a flag, a clock.

mod bases;
mod details;
mod human;
mod json;
mod map;
mod parts;
mod rotation;
mod sarif;
mod taxonomy;
pub mod text;
mod verdicts;
mod whereabouts;

pub use map::{MapFormat, write_map};
pub use rotation::{Rotations, Stray, quoted, write_remnants, write_rotations};

use crate::model::report::Report;
use std::io::{self, BufWriter, Write};

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
pub fn write(format: Format, out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    match format {
        Format::Human => human::write(&mut out, report)?,
        Format::Json => json::write_document(&mut out, report)?,
        Format::Jsonl => json::write_lines(&mut out, report)?,
        Format::Sarif => sarif::write(&mut out, report)?,
    }
    out.flush()
}
