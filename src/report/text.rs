//! The last gate before a text is written: known values become the mask, control characters become
//! visible. Every text that comes from input passes here, whatever field it stands in.

use crate::model::report::Report;
use crate::model::secret::MASK;
use crate::model::span::Span;
use aho_corasick::{AhoCorasick, MatchKind};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use std::collections::BTreeSet;
use std::fmt::Write;

/// Values shorter than this are not searched for: they would blank out ordinary words.
const SHORTEST: usize = 6;

/// Takes the values of a report's findings out of texts.
#[derive(Debug)]
pub struct Redactor {
    gate: Gate,
}

#[derive(Debug)]
enum Gate {
    /// Nothing to hide.
    Open,
    /// Hide what matches.
    Search(AhoCorasick),
    /// The search could not be built: hide every text.
    Shut,
}

impl Redactor {
    /// Hides values unless the report may show them.
    pub fn new(report: &Report) -> Self {
        if report.show_secrets {
            Self { gate: Gate::Open }
        } else {
            Self::strict(report)
        }
    }

    /// Hides values always.
    pub fn strict(report: &Report) -> Self {
        let mut patterns = BTreeSet::new();
        for finding in &report.findings {
            let value = finding.secret.expose();
            if value.len() < SHORTEST {
                continue;
            }
            let lossy = String::from_utf8_lossy(value);
            let mut visible = String::new();
            escape(&lossy, &mut visible);
            patterns.extend([
                value.to_vec(),
                percent(&lossy).into_bytes(),
                visible.into_bytes(),
                lossy.into_owned().into_bytes(),
                BASE64_NOPAD.encode(value).into_bytes(),
                BASE64URL_NOPAD.encode(value).into_bytes(),
                HEXLOWER.encode(value).into_bytes(),
                HEXUPPER.encode(value).into_bytes(),
            ]);
        }
        let gate = if patterns.is_empty() {
            Gate::Open
        } else {
            AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .build(patterns)
                .map_or(Gate::Shut, Gate::Search)
        };
        Self { gate }
    }

    /// The text without values and with control characters made visible.
    pub fn clean(&self, text: &str) -> String {
        let hidden = self.redact(text);
        let mut out = String::with_capacity(hidden.len());
        escape(&hidden, &mut out);
        out
    }

    /// The text without values; control characters stay, for callers that encode them themselves.
    pub fn redact(&self, text: &str) -> String {
        match &self.gate {
            Gate::Open => text.to_owned(),
            Gate::Shut => MASK.to_owned(),
            Gate::Search(search) => {
                // Overlapping values go as one stretch: the tail of one would still tell.
                let mut stretches: Vec<Span> = Vec::new();
                for found in search.find_overlapping_iter(text) {
                    let mut stretch = Span::new(found.start(), found.end());
                    while let Some(last) = stretches.pop_if(|it| it.end > stretch.start) {
                        stretch.start = stretch.start.min(last.start);
                    }
                    stretches.push(stretch);
                }
                let bytes = text.as_bytes();
                let mut out = Vec::with_capacity(bytes.len());
                let mut at = 0;
                for stretch in stretches {
                    out.extend_from_slice(&bytes[at..stretch.start]);
                    out.extend_from_slice(MASK.as_bytes());
                    at = stretch.end;
                }
                out.extend_from_slice(&bytes[at..]);
                String::from_utf8_lossy(&out).into_owned()
            }
        }
    }

    /// A relative URI reference for a path: values hidden, everything outside the unreserved set encoded.
    pub fn uri(&self, path: &str) -> String {
        percent(&self.redact(path))
    }
}

/// Makes control and direction-changing characters visible.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        let hidden = c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}');
        if hidden {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
}

/// Percent-encodes a path; `/` and `*` stay.
pub(crate) fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// A point in time as RFC 3339 in UTC; `None` for seconds outside the calendar.
pub(crate) fn rfc3339(seconds: i64) -> Option<String> {
    jiff::Timestamp::from_second(seconds)
        .ok()
        .map(|it| it.to_string())
}

/// The day of a point in time.
pub(crate) fn day(seconds: i64) -> String {
    rfc3339(seconds)
        .and_then(|it| it.split_once('T').map(|(day, _)| day.to_owned()))
        .unwrap_or_else(|| "an unknown day".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_encodes() {
        let open = Redactor::new(&Report::default());
        assert_eq!(
            open.clean("a\u{1b}[31m\nb\u{202e}"),
            "a\\u{1b}[31m\\nb\\u{202e}"
        );
        assert_eq!(open.uri("a b/ü#1.txt"), "a%20b/%C3%BC%231.txt");
        assert_eq!(rfc3339(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert_eq!(day(86_400), "1970-01-02");
    }
}
