//! Spans of bytes, and the lines and columns people see.

use std::sync::OnceLock;

/// A half-open range of byte offsets.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// A span from its ends.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start)
    }

    /// Whether no byte lies within.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Whether the two share a byte.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether `other` lies wholly within.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }
}

/// Lines and columns of a span; both start at 1, columns count UTF-8 characters, the end column is
/// one past the last character.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// First line.
    pub line: u32,
    /// Last line.
    pub end_line: u32,
    /// First column.
    pub column: u32,
    /// One past the last column.
    pub end_column: u32,
}

/// The line starts of one text, built once and asked many times.
#[derive(Debug)]
pub struct LineIndex<'a> {
    text: &'a [u8],
    starts: Vec<usize>,
    /// Characters before each `STRIDE`th byte; made only when a column lies far into a line, so that
    /// many places on one endless line (minified code) stay linear.
    characters: OnceLock<Vec<usize>>,
}

const STRIDE: usize = 512;

impl<'a> LineIndex<'a> {
    /// Reads the text once. A line ends with `\n`; a `\r` before it belongs to the line.
    pub fn new(text: &'a [u8]) -> Self {
        let mut starts = vec![0];
        starts.extend(memchr::memchr_iter(b'\n', text).map(|at| at + 1));
        Self {
            text,
            starts,
            characters: OnceLock::new(),
        }
    }

    /// Where the span lies.
    pub fn place(&self, span: Span) -> Place {
        let (line, column) = self.line_column(span.start);
        let (end_line, end_column) = self.line_column(span.end.max(span.start));
        Place {
            line,
            end_line,
            column,
            end_column,
        }
    }

    fn line_column(&self, offset: usize) -> (u32, u32) {
        let offset = offset.min(self.text.len());
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts[line - 1];
        let characters = if offset - start <= 2 * STRIDE {
            characters(&self.text[start..offset])
        } else {
            self.characters_before(offset) - self.characters_before(start)
        };
        (saturate(line), saturate(characters + 1))
    }

    fn characters_before(&self, offset: usize) -> usize {
        let sums = self.characters.get_or_init(|| {
            let sum = |total: &mut usize, chunk: &[u8]| {
                let before = *total;
                *total += characters(chunk);
                Some(before)
            };
            self.text.chunks(STRIDE).scan(0, sum).collect()
        });
        // At the very end of the text the last chunk may be whole.
        let chunk = (offset / STRIDE).min(sums.len().saturating_sub(1));
        sums.get(chunk).copied().unwrap_or(0) + characters(&self.text[chunk * STRIDE..offset])
    }
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| (**byte & 0xc0) != 0x80).count()
}

fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_far_into_a_line_agree_with_counting() {
        let text = format!("first\n{}", "aüb€".repeat(1024));
        let index = LineIndex::new(text.as_bytes());
        for (at, _) in text.char_indices().chain([(text.len(), ' ')]).skip(6) {
            let column = text[6..at].chars().count() as u32 + 1;
            assert_eq!(index.line_column(at), (2, column), "byte {at}");
        }
    }

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = "a\nüé=secret\r\nz".as_bytes();
        let start = text.windows(6).position(|w| w == b"secret").unwrap_or(0);
        let place = LineIndex::new(text).place(Span::new(start, start + 6));
        assert_eq!(
            place,
            Place {
                line: 2,
                end_line: 2,
                column: 4,
                end_column: 10
            }
        );
    }
}
