//! The last gate before a text is written: known values become the mask, control characters become
//! visible. Every text that comes from input passes here, whatever field it stands in.

use crate::model::report::Report;
use crate::model::secret::MASK;
use crate::model::span::Span;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use std::collections::{BTreeSet, HashMap};
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
    Search(Search),
}

/// Finds spellings of values by a piece of each, so that a key of many lines costs no more memory than a
/// token. Of a value that is cut short, what is there of it is found too.
#[derive(Debug)]
struct Search {
    /// A bit for the hash of each anchor answers for most places of a text.
    front: Vec<u64>,
    /// The bytes at which a spelling is looked for, and the spellings that have them there.
    anchors: HashMap<u64, Vec<u32>>,
    /// The whole, and where its piece starts.
    spellings: Vec<(Vec<u8>, usize)>,
}

/// Bytes of a spelling that must stand in a text, if it has as many.
const PIECE: usize = 24;
/// Log2 of the bits in front: 64 KiB.
const FRONT: u32 = 19;

/// The first bytes of a piece, as many as the shortest value has.
fn anchor(bytes: &[u8]) -> Option<u64> {
    let first = bytes.first_chunk::<SHORTEST>()?;
    Some(
        first
            .iter()
            .fold(0, |all, byte| all << 8 | u64::from(*byte)),
    )
}

fn bit(anchor: u64) -> usize {
    (anchor.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - FRONT)) as usize
}

impl Search {
    fn new(values: &[&[u8]]) -> Self {
        let spellings: BTreeSet<(Vec<u8>, usize)> =
            values.iter().flat_map(|it| spellings(it)).collect();
        let mut this = Self {
            front: vec![0; 1 << (FRONT - 6)],
            anchors: HashMap::new(),
            spellings: spellings.into_iter().collect(),
        };
        for (number, (whole, at)) in this.spellings.iter().enumerate() {
            if let Some(anchor) = anchor(&whole[*at..]) {
                this.front[bit(anchor) / 64] |= 1 << (bit(anchor) % 64);
                this.anchors.entry(anchor).or_default().push(number as u32);
            }
        }
        this
    }

    /// Where values stand, in order; overlapping ones go as one stretch: the tail of one would still tell.
    fn stretches(&self, text: &[u8]) -> Vec<Span> {
        let mut stretches: Vec<Span> = Vec::new();
        for start in 0..text.len().saturating_sub(SHORTEST - 1) {
            let Some(anchor) = anchor(&text[start..]) else {
                break;
            };
            if self.front[bit(anchor) / 64] >> (bit(anchor) % 64) & 1 == 0 {
                continue;
            }
            for number in self.anchors.get(&anchor).into_iter().flatten() {
                let Some(mut stretch) = self.spelled(text, start, *number as usize) else {
                    continue;
                };
                while let Some(last) = stretches.pop_if(|it| it.end > stretch.start) {
                    stretch.start = stretch.start.min(last.start);
                    stretch.end = stretch.end.max(last.end);
                }
                stretches.push(stretch);
            }
        }
        stretches
    }

    /// What of a spelling stands around the place of its piece, if the piece stands there.
    fn spelled(&self, text: &[u8], start: usize, number: usize) -> Option<Span> {
        let (whole, at) = &self.spellings[number];
        let same = |it: &(&u8, &u8)| it.0 == it.1;
        let right = text[start..].iter().zip(&whole[*at..]);
        let right = right.take_while(same).count();
        if right < PIECE.min(whole.len() - at) {
            return None;
        }
        let left = text[..start].iter().rev().zip(whole[..*at].iter().rev());
        let left = left.take_while(same).count();
        Some(Span::new(start - left, start + right))
    }
}

/// Writes bytes in another way.
type Spelling<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// The ways in which a value may stand in a text, each with the place of a piece that tells it from
/// others: behind the first line of a key, which is the same for all keys of a kind.
fn spellings(value: &[u8]) -> Vec<(Vec<u8>, usize)> {
    let head = match memchr::memchr(b'\n', value) {
        Some(end) if value.starts_with(b"-----BEGIN ") && value.len() > end + PIECE => end,
        _ => 0,
    };
    let visible = |it: &[u8]| {
        let mut visible = String::new();
        escape(&String::from_utf8_lossy(it), &mut visible);
        visible.into_bytes()
    };
    let percent = |it: &[u8]| percent(&String::from_utf8_lossy(it)).into_bytes();
    let lossy = |it: &[u8]| String::from_utf8_lossy(it).into_owned().into_bytes();
    let spell: [Spelling<'_>; 8] = [
        &<[u8]>::to_vec,
        &percent,
        &visible,
        &lossy,
        &|it| BASE64_NOPAD.encode(it).into_bytes(),
        &|it| BASE64URL_NOPAD.encode(it).into_bytes(),
        &|it| HEXLOWER.encode(it).into_bytes(),
        &|it| HEXUPPER.encode(it).into_bytes(),
    ];
    // Three bytes are four characters of base64: cut there, the head is spelled as in the whole.
    let head = &value[..head - head % 3];
    spell.iter().map(|it| (it(value), it(head).len())).collect()
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
        let parts = report.findings.iter().flat_map(|it| &it.parts);
        let masked = parts.filter(|it| it.is_secret).map(|it| &it.secret);
        let secrets = report.findings.iter().map(|it| &it.secret);
        let values: Vec<&[u8]> = secrets
            .chain(masked)
            .map(|it| it.expose())
            .filter(|it| it.len() >= SHORTEST)
            .collect();
        let gate = if values.is_empty() {
            Gate::Open
        } else {
            Gate::Search(Search::new(&values))
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
            Gate::Search(search) => {
                let bytes = text.as_bytes();
                let mut out = Vec::with_capacity(bytes.len());
                let mut at = 0;
                for stretch in search.stretches(bytes) {
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
    fn values_are_found_in_every_spelling_and_when_cut_short() {
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            "q8Zk27xPw0LmN4tYb6Rc".repeat(9)
        );
        let search = Search::new(&[key.as_bytes(), b"hunter2"]);
        let gate = Redactor {
            gate: Gate::Search(search),
        };
        for (spelled, _) in spellings(key.as_bytes()) {
            let spelled = String::from_utf8(spelled).unwrap();
            assert_eq!(gate.redact(&format!("a{spelled}b")), format!("a{MASK}b"));
            let cut = &spelled[..spelled.len() / 2];
            assert_eq!(gate.redact(&format!("a{cut} b")), format!("a{MASK} b"));
        }
        assert_eq!(gate.redact("hunter2hunter2"), format!("{MASK}{MASK}"));
        assert_eq!(gate.redact("hunter"), "hunter");
        let other = "-----BEGIN PRIVATE KEY-----\nanother";
        assert_eq!(gate.redact(other), other);
    }

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
