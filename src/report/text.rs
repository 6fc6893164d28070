//! The last gate before a text is written: known values become the mask, control characters become
//! visible. Every text that comes from input passes here, whatever field it stands in.

use crate::model::report::Report;
use crate::model::secret::MASK;
use crate::model::span::Span;
use crate::syntax::escapes::{KINDS, Undone};
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, Encoding, HEXLOWER, HEXUPPER};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write;
use zeroize::Zeroizing;

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
    spellings: Vec<Spelling>,
}

/// A value, written in some way.
#[derive(PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Spelling {
    /// All bytes that tell of nothing else.
    whole: Vec<u8>,
    /// Where its piece starts.
    piece: usize,
    /// In base64: whether the digit before, and the one behind, tell of the value and of its neighbour.
    shares: (bool, bool),
}

impl Spelling {
    fn plain(whole: Vec<u8>, piece: usize) -> Self {
        Self {
            whole,
            piece,
            shares: (false, false),
        }
    }
}

/// Escapes within escapes are undone as often as this.
const LEVELS: usize = 2;

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
        let spellings: BTreeSet<Spelling> = values.iter().flat_map(|it| spellings(it)).collect();
        let mut this = Self {
            front: vec![0; 1 << (FRONT - 6)],
            anchors: HashMap::new(),
            spellings: spellings.into_iter().collect(),
        };
        for (number, it) in this.spellings.iter().enumerate() {
            if let Some(anchor) = anchor(&it.whole[it.piece..]) {
                this.front[bit(anchor) / 64] |= 1 << (bit(anchor) % 64);
                this.anchors.entry(anchor).or_default().push(number as u32);
            }
        }
        this
    }

    /// Where values stand, in order, escaped or not; overlapping ones go as one stretch: the tail of one would
    /// still tell.
    fn stretches(&self, text: &[u8]) -> Vec<Span> {
        let mut found = self.as_they_are(text);
        for kind in &KINDS {
            let mut outer: Option<Undone> = None;
            for _ in 0..LEVELS {
                let escaped = outer.as_ref().map_or(text, |it| &it.text[..]);
                let Some(mut undone) = kind.undo(escaped) else {
                    break;
                };
                if let Some(outer) = &outer {
                    let of_text =
                        |it: &(usize, usize)| (outer.places[it.0].0, outer.places[it.1 - 1].1);
                    undone.places = undone.places.iter().map(of_text).collect();
                }
                let spans = self.as_they_are(&undone.text).into_iter();
                found.extend(
                    spans.map(|it| {
                        Span::new(undone.places[it.start].0, undone.places[it.end - 1].1)
                    }),
                );
                outer = Some(undone);
            }
        }
        found.sort();
        let mut stretches: Vec<Span> = Vec::new();
        for it in found {
            match stretches.last_mut() {
                Some(last) if last.end > it.start => last.end = last.end.max(it.end),
                _ => stretches.push(it),
            }
        }
        stretches
    }

    fn as_they_are(&self, text: &[u8]) -> Vec<Span> {
        let mut stretches: Vec<Span> = Vec::new();
        for start in 0..text.len().saturating_sub(SHORTEST - 1) {
            let Some(anchor) = anchor(&text[start..]) else {
                break;
            };
            if self.front[bit(anchor) / 64] >> (bit(anchor) % 64) & 1 == 0 {
                continue;
            }
            for number in self.anchors.get(&anchor).into_iter().flatten() {
                stretches.extend(self.spelled(text, start, *number as usize));
            }
        }
        stretches
    }

    /// What of a spelling stands around the place of its piece, if the piece stands there.
    fn spelled(&self, text: &[u8], start: usize, number: usize) -> Option<Span> {
        let Spelling {
            whole,
            piece,
            shares,
        } = &self.spellings[number];
        let (head, tail) = whole.split_at(*piece);
        let same = |it: &(&u8, &u8)| it.0 == it.1;
        let right = text[start..].iter().zip(tail).take_while(same).count();
        if right < PIECE.min(tail.len()) {
            return None;
        }
        let left = text[..start].iter().rev().zip(head.iter().rev());
        let left = left.take_while(same).count();
        let (mut first, mut end) = (start - left, start + right);
        let is_digit = |it: &&u8| it.is_ascii_alphanumeric() || b"+/-_".contains(it);
        if shares.0 && left == head.len() && text[..first].last().as_ref().is_some_and(is_digit) {
            first -= 1;
        }
        if shares.1 && right == tail.len() && text[end..].first().as_ref().is_some_and(is_digit) {
            end += 1;
        }
        Some(Span::new(first, end))
    }
}

/// Writes bytes in another way.
type Writing<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

/// The ways in which a value may stand in a text, each with the place of a piece that tells it from
/// others: behind the first line of a key, which is the same for all keys of a kind.
fn spellings(value: &[u8]) -> Vec<Spelling> {
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
    let write: [Writing<'_>; 6] = [
        &<[u8]>::to_vec,
        &percent,
        &visible,
        &lossy,
        &|it| HEXLOWER.encode(it).into_bytes(),
        &|it| HEXUPPER.encode(it).into_bytes(),
    ];
    let written = write.iter();
    let mut all: Vec<Spelling> = written
        .map(|it| Spelling::plain(it(value), it(&value[..head]).len()))
        .collect();
    for encoding in [&BASE64_NOPAD, &BASE64URL_NOPAD] {
        all.extend((0..3).map(|it| in_base64(value, head, it, encoding)));
    }
    all
}

/// The digits of base64 (RFC 4648) that tell of a value alone, behind `shift` bytes of a group of three.
fn in_base64(value: &[u8], head: usize, shift: usize, encoding: &Encoding) -> Spelling {
    let padded = Zeroizing::new([&b"\0\0"[..shift], value].concat());
    let (begin, end) = (8 * shift, 8 * padded.len());
    let digits = encoding.encode(&padded).into_bytes();
    let first = begin.div_ceil(6);
    Spelling {
        whole: digits[first..end / 6].to_vec(),
        piece: (begin + 8 * head).div_ceil(6) - first,
        shares: (begin % 6 > 0, end % 6 > 0),
    }
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
    use proptest::prelude::*;

    fn gate(values: &[&[u8]]) -> Redactor {
        Redactor {
            gate: Gate::Search(Search::new(values)),
        }
    }

    fn json(value: &str) -> String {
        let quoted = serde_json::to_string(value).unwrap();
        quoted[1..quoted.len() - 1].to_owned()
    }

    fn units(value: &str) -> String {
        let units = value.encode_utf16();
        units.map(|it| format!("\\u{it:04x}")).collect()
    }

    fn of_url(value: &str) -> String {
        value.bytes().map(|it| format!("%{it:02x}")).collect()
    }

    fn form(value: &str) -> String {
        percent(value).replace("%20", "+")
    }

    proptest! {
        #[test]
        fn escaped_values_are_hidden_whole(
            value in "[ -~\u{e9}\u{1f600}\t\n]{6,60}",
            around in "[a-z ]{0,9}",
        ) {
            let gate = gate(&[value.as_bytes()]);
            let twice = |it: &str| json(&json(it));
            let write: [fn(&str) -> String; 6] = [json, units, of_url, form, percent, str::to_owned];
            for written in write.iter().map(|it| it(&value)).chain([twice(&value)]) {
                let text = format!("{around} = '{written}' {around}");
                let hidden = format!("{around} = '{MASK}' {around}");
                prop_assert_eq!(gate.redact(&text), hidden);
            }
        }

        #[test]
        fn encoded_values_are_hidden_at_each_place_of_a_group(
            value in prop::collection::vec(any::<u8>(), 6..60),
            before in prop::collection::vec(any::<u8>(), 0..5),
            behind in prop::collection::vec(any::<u8>(), 0..5),
        ) {
            let gate = gate(&[&value]);
            let whole = [&before[..], &value, &behind].concat();
            let (start, end) = (before.len(), before.len() + value.len());
            for encoding in [&BASE64_NOPAD, &BASE64URL_NOPAD] {
                let text = encoding.encode(&whole);
                // Every digit that has a bit of the value goes.
                let (head, tail) = (&text[..8 * start / 6], &text[(8 * end).div_ceil(6)..]);
                prop_assert_eq!(gate.redact(&text), format!("{head}{MASK}{tail}"));
            }
            for encoding in [&HEXLOWER, &HEXUPPER] {
                let text = encoding.encode(&whole);
                let (head, tail) = (&text[..2 * start], &text[2 * end..]);
                prop_assert_eq!(gate.redact(&text), format!("{head}{MASK}{tail}"));
            }
        }
    }

    #[test]
    fn values_are_found_in_every_spelling_and_when_cut_short() {
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----",
            "q8Zk27xPw0LmN4tYb6Rc".repeat(9)
        );
        let gate = gate(&[key.as_bytes(), b"hunter2"]);
        for it in spellings(key.as_bytes()) {
            let spelled = String::from_utf8(it.whole).unwrap();
            assert_eq!(
                gate.redact(&format!("a {spelled} b")),
                format!("a {MASK} b")
            );
            let cut = &spelled[..spelled.len() / 2];
            assert_eq!(gate.redact(&format!("a {cut} b")), format!("a {MASK} b"));
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
