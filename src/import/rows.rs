//! Rows of a comma-separated table (RFC 4180), with the line each began on.
//!
//! Knows nothing of columns or records. Cells are overwritten when dropped.

use crate::import::intake::{Error, Intake};
use zeroize::Zeroizing;

/// One row.
pub(super) struct Row {
    /// Line of its first cell, from 1.
    pub(super) line: u32,
    pub(super) cells: Vec<Zeroizing<String>>,
}

/// All rows that are not empty. Comma, semicolon or tab: whichever the first line has most of.
pub(super) fn rows(bytes: &[u8], intake: &Intake<'_>) -> Result<Vec<Row>, Error> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = Reader {
        bytes,
        at: 0,
        line: 1,
        separator: separator(bytes),
    };
    let mut rows = Vec::new();
    while reader.at < bytes.len() {
        let row = reader.row(intake)?;
        if row.cells.iter().any(|it| !it.is_empty()) {
            rows.push(row);
        }
    }
    Ok(rows)
}

fn separator(bytes: &[u8]) -> u8 {
    let first = bytes.split(|it| *it == b'\n').next().unwrap_or_default();
    let count = |wanted: u8| first.iter().filter(|it| **it == wanted).count();
    // The last of equals wins, and without any a comma is right.
    [b'\t', b';', b',']
        .into_iter()
        .max_by_key(|it| count(*it))
        .unwrap_or(b',')
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    separator: u8,
}

impl Reader<'_> {
    fn row(&mut self, intake: &Intake<'_>) -> Result<Row, Error> {
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            cells.push(self.cell(intake)?);
            match self.bytes.get(self.at) {
                Some(byte) if *byte == self.separator => self.at += 1,
                Some(b'\r') => {
                    self.at += 1;
                    if self.bytes.get(self.at) == Some(&b'\n') {
                        self.at += 1;
                    }
                    self.line += 1;
                    break;
                }
                Some(_) => {
                    self.at += 1;
                    self.line += 1;
                    break;
                }
                None => break,
            }
        }
        Ok(Row { line, cells })
    }

    fn cell(&mut self, intake: &Intake<'_>) -> Result<Zeroizing<String>, Error> {
        if self.bytes.get(self.at) == Some(&b'"') {
            return self.quoted(intake);
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest
            .iter()
            .position(|it| *it == self.separator || matches!(it, b'\n' | b'\r'))
            .unwrap_or(rest.len());
        self.at += length;
        let text =
            str::from_utf8(&rest[..length]).map_err(|_| self.fault(intake, "this is not UTF-8"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn quoted(&mut self, intake: &Intake<'_>) -> Result<Zeroizing<String>, Error> {
        let unclosed = self.fault(intake, "this quoted cell is never closed");
        let start = self.at + 1;
        let end = closing_quote(self.bytes, start).ok_or(unclosed)?;
        let inner = self.bytes.get(start..end).unwrap_or_default();
        let text = str::from_utf8(inner).map_err(|_| self.fault(intake, "this is not UTF-8"))?;
        let cell = Zeroizing::new(text.replace("\"\"", "\""));
        let breaks = inner.iter().filter(|it| **it == b'\n').count();
        self.line += u32::try_from(breaks).unwrap_or(0);
        self.at = end + 1;
        match self.bytes.get(self.at) {
            None | Some(b'\n' | b'\r') => Ok(cell),
            Some(byte) if *byte == self.separator => Ok(cell),
            Some(_) => Err(self.fault(intake, "text after the closing quote of a cell")),
        }
    }

    fn fault(&self, intake: &Intake<'_>, what: &str) -> Error {
        let before = self.bytes.get(..self.at).unwrap_or_default();
        let start = before
            .iter()
            .rposition(|it| *it == b'\n')
            .map_or(0, |it| it + 1);
        intake.syntax(u64::from(self.line), (self.at - start + 1) as u64, what)
    }
}

/// The first quote that is not doubled.
fn closing_quote(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr(b'"', bytes.get(at..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::Options;

    fn parse(text: &str) -> Result<Vec<(u32, Vec<String>)>, Error> {
        let options = Options::default();
        let rows = rows(
            text.as_bytes(),
            &Intake::new("t.csv", None, &options, &mut |_| {}),
        )?;
        Ok(rows
            .into_iter()
            .map(|row| {
                (
                    row.line,
                    row.cells.iter().map(|it| it.to_string()).collect(),
                )
            })
            .collect())
    }

    #[test]
    fn cells_are_read_as_the_standard_says() {
        type Told = &'static [(u32, &'static [&'static str])];
        let cases: &[(&str, Told)] = &[
            ("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]),
            (
                "a,b\r\n1,\"2\r\n3\"\r\n4,5",
                &[(1, &["a", "b"]), (2, &["1", "2\r\n3"]), (4, &["4", "5"])],
            ),
            (
                "\u{feff}a;b\n\"x\"\"y;\";\n",
                &[(1, &["a", "b"]), (2, &["x\"y;", ""])],
            ),
            ("a\tb\n\n1\t2", &[(1, &["a", "b"]), (3, &["1", "2"])]),
            ("a\n1", &[(1, &["a"]), (2, &["1"])]),
            ("", &[]),
        ];
        for (text, expected) in cases {
            let expected: Vec<(u32, Vec<String>)> = expected
                .iter()
                .map(|(line, cells)| (*line, cells.iter().map(|it| (*it).to_owned()).collect()))
                .collect();
            assert_eq!(parse(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn faults_name_the_place() {
        for (text, line, column) in [("a,b\n1,\"2\n", 2, 3), ("a,b\n1,\"2\"3", 2, 6)] {
            match parse(text) {
                Err(Error::Syntax {
                    line: at,
                    column: col,
                    ..
                }) => assert_eq!((at, col), (line, column), "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }
}
