//! Jupyter notebooks: the source and the outputs of each cell as plain text, place for place.
//!
//! Format: nbformat 4 and 3 (nbformat.readthedocs.io, "The Notebook file format"); JSON as of RFC 8259.

use super::view::{Hidden, Patch};
use crate::model::span::Span;

/// This much at either end tells what a text is.
const PROBE: usize = 4096;
/// Nesting beyond this is no notebook.
const DEEPEST: usize = 64;

/// Calls `emit` for the source and the outputs of each cell.
pub(super) fn each(text: &[u8], emit: &mut dyn FnMut(Hidden)) {
    let head = &text[..text.len().min(PROBE)];
    let tail = &text[text.len().saturating_sub(PROBE)..];
    let has = |word: &[u8]| {
        [head, tail]
            .iter()
            .any(|it| memchr::memmem::find(it, word).is_some())
    };
    if !head.trim_ascii_start().starts_with(b"{") || !has(b"\"nbformat\"") {
        return;
    }
    let mut reader = Reader {
        text,
        at: 0,
        cell: 0,
        source: Patch::default(),
        output: Patch::default(),
        emit,
    };
    // What is broken beyond some place was read up to there.
    let _broken = reader.value(Within::Document, 0);
    reader.cell_ends();
}

/// Where in the document a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Document,
    Cells,
    Cell,
    Source,
    Output,
}

struct Reader<'r> {
    text: &'r [u8],
    at: usize,
    cell: usize,
    source: Patch,
    output: Patch,
    emit: &'r mut dyn FnMut(Hidden),
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.text.get(self.at)?.is_ascii_whitespace() {
            self.at += 1;
        }
        self.text.get(self.at).copied()
    }

    /// Reads a value; `None` where the text is no JSON.
    fn value(&mut self, within: Within, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'{' => {
                self.at += 1;
                while self.peek()? != b'}' {
                    let key = self.string()?;
                    let key = &self.text[key.start..key.end];
                    let inner = inner(within, key);
                    if self.peek()? == b':' {
                        self.at += 1;
                    }
                    self.value(inner, depth + 1)?;
                    self.line_ends(inner);
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
            }
            b'[' => {
                self.at += 1;
                while self.peek()? != b']' {
                    let inner = if within == Within::Cells {
                        Within::Cell
                    } else {
                        within
                    };
                    self.value(inner, depth + 1)?;
                    if inner == Within::Cell {
                        self.cell_ends();
                    }
                    if self.peek()? == b',' {
                        self.at += 1;
                    }
                }
                self.at += 1;
            }
            b'"' => {
                let span = self.string()?;
                match within {
                    Within::Source => unquoted(self.text, span, &mut self.source),
                    Within::Output => unquoted(self.text, span, &mut self.output),
                    _ => {}
                }
            }
            _ => {
                let rest = &self.text[self.at..];
                let end = rest.iter().position(|it| matches!(it, b',' | b']' | b'}'));
                self.at += end.filter(|it| *it > 0)?;
            }
        }
        Some(())
    }

    /// The inside of a string.
    fn string(&mut self) -> Option<Span> {
        if self.peek()? != b'"' {
            return None;
        }
        let start = self.at + 1;
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.text.get(at..)?)?;
            if self.text[at] == b'"' {
                self.at = at + 1;
                return Some(Span::new(start, at));
            }
            at += 2;
        }
    }

    /// The strings of one list are one text; the next begins a line.
    fn line_ends(&mut self, within: Within) {
        let patch = match within {
            Within::Source => &mut self.source,
            Within::Output => &mut self.output,
            _ => return,
        };
        if !patch.text.is_empty() && !patch.text.ends_with(b"\n") {
            patch.replace(Span::new(self.at, self.at), b"\n");
        }
    }

    fn cell_ends(&mut self) {
        self.cell += 1;
        for (patch, what) in [(&mut self.source, ""), (&mut self.output, " output")] {
            let patch = std::mem::take(patch);
            if !patch.text.is_empty() {
                let part = format!("cell {}{what}", self.cell);
                (self.emit)(patch.hidden("notebook", Some(part)));
            }
        }
    }
}

fn inner(within: Within, key: &[u8]) -> Within {
    match (within, key) {
        (Within::Document, b"cells") => Within::Cells,
        (Within::Cell, b"source" | b"input") => Within::Source,
        (Within::Cell, b"outputs") => Within::Output,
        (Within::Cell, _) => Within::Cell,
        (within, _) => within,
    }
}

/// A string's text.
fn unquoted(text: &[u8], span: Span, patch: &mut Patch) {
    let mut kept = span.start;
    let mut at = span.start;
    while let Some(found) = memchr::memchr(b'\\', &text[at..span.end]) {
        at += found;
        let rest = &text[at..span.end];
        let mut utf8 = [0; 4];
        let (length, undone): (usize, &[u8]) = match rest.get(1) {
            Some(b'n') => (2, b"\n"),
            Some(b't') => (2, b"\t"),
            Some(b'r') => (2, b"\r"),
            Some(it @ (b'"' | b'\\' | b'/')) => (2, std::slice::from_ref(it)),
            Some(b'u') => {
                let digits = rest.get(2..6).and_then(|it| std::str::from_utf8(it).ok());
                let number = digits.and_then(|it| u32::from_str_radix(it, 16).ok());
                let character = number
                    .and_then(char::from_u32)
                    .unwrap_or(char::REPLACEMENT_CHARACTER);
                (
                    rest.len().min(6),
                    character.encode_utf8(&mut utf8).as_bytes(),
                )
            }
            _ => (rest.len().min(2), b" "),
        };
        patch.keep(text, Span::new(kept, at));
        patch.replace(Span::new(at, at + length), undone);
        at += length;
        kept = at;
    }
    patch.keep(text, Span::new(kept, span.end));
}
