//! The root text of a blob: UTF-8, UTF-16 and UTF-32 with and without BOM, Latin-1, or the text runs of
//! a binary.

use crate::model::delta::Edit;
use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};
use std::borrow::Cow;

/// This much of a blob decides what it is.
const PROBE: usize = 8192;

/// The text of a blob.
#[derive(Debug)]
pub struct Root<'r> {
    /// UTF-8 text, or text runs of a binary.
    pub text: Cow<'r, [u8]>,
    /// The encoding, where it is not UTF-8 or Latin-1.
    pub via: Option<&'static str>,
    /// Whether only text runs remain.
    pub is_binary: bool,
}

/// The blob as UTF-8 text; positions in a decoded text are lines and columns of that text.
pub fn root(bytes: &[u8]) -> Root<'_> {
    let probe = &bytes[..bytes.len().min(PROBE)];
    let (text, via, is_binary) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (latin_if_broken(rest), None, false),
        [0xFF, 0xFE, 0, 0, rest @ ..] => (
            Cow::Owned(utf32(rest, u32::from_le_bytes)),
            Some("utf-32le"),
            false,
        ),
        [0, 0, 0xFE, 0xFF, rest @ ..] => (
            Cow::Owned(utf32(rest, u32::from_be_bytes)),
            Some("utf-32be"),
            false,
        ),
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, UTF_16LE), Some("utf-16le"), false),
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, UTF_16BE), Some("utf-16be"), false),
        _ if memchr::memchr(0, probe).is_none() => (latin_if_broken(bytes), None, false),
        _ => match shape(probe) {
            Some("utf-32le") => (
                Cow::Owned(utf32(bytes, u32::from_le_bytes)),
                Some("utf-32le"),
                false,
            ),
            Some("utf-32be") => (
                Cow::Owned(utf32(bytes, u32::from_be_bytes)),
                Some("utf-32be"),
                false,
            ),
            Some("utf-16le") => (utf16(bytes, UTF_16LE), Some("utf-16le"), false),
            Some(_) => (utf16(bytes, UTF_16BE), Some("utf-16be"), false),
            None => (Cow::Owned(runs(bytes)), None, true),
        },
    };
    Root {
        text,
        via,
        is_binary,
    }
}

/// Whether the text of a blob is its bytes.
pub fn is_plain(bytes: &[u8]) -> bool {
    begins_plain(bytes) && (bytes.is_ascii() || std::str::from_utf8(bytes).is_ok())
}

/// The same for a blob that an edit makes out of a plain one: looks at the beginning and at what changed.
pub fn stays_plain(bytes: &[u8], edit: &Edit) -> bool {
    // A byte belongs to a character that starts at most three before it.
    let is_inside = |at: usize| bytes.get(at).is_some_and(|it| it & 0xC0 == 0x80);
    // What stands before the first change stood there in the base.
    let known = edit.gaps().first().map_or(bytes.len(), |it| it.0);
    !has_mark(bytes)
        && !has_zero(bytes, known)
        && edit.gaps().iter().all(|(start, end)| {
            let mut start = start.saturating_sub(3);
            let mut end = (end + 3).min(bytes.len());
            if bytes[start..end].is_ascii() {
                return true;
            }
            for _ in 0..3 {
                start -= usize::from(start > 0 && is_inside(start));
                end += usize::from(is_inside(end));
            }
            std::str::from_utf8(&bytes[start..end]).is_ok()
        })
}

/// The bytes of a text in single bytes that take more of them in UTF-8.
#[derive(Clone, Debug)]
pub struct Wide {
    /// Where each is, and how many bytes it and those before it take beyond one each.
    all: Vec<(usize, usize)>,
}

impl Wide {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        size_of_val(self.all.as_slice())
    }

    /// Where a place of the blob is in its text.
    fn place(&self, at: usize) -> usize {
        let before = self.all.partition_point(|it| it.0 < at);
        at + before.checked_sub(1).map_or(0, |it| self.all[it].1)
    }
}

/// One byte in so many may take more, else it pays no more to remember them.
const RARE: usize = 16;

/// The text of a blob that is read as Latin-1; `None` for any other, and for one with many such bytes.
pub fn latin(bytes: &[u8]) -> Option<(Vec<u8>, Wide)> {
    if !begins_plain(bytes) || std::str::from_utf8(bytes).is_ok() {
        return None;
    }
    let mut all = Vec::new();
    let mut more = 0;
    for (part, start) in bytes.chunks(64).zip((0..).step_by(64)) {
        if part.is_ascii() {
            continue;
        }
        for (byte, at) in part.iter().zip(start..).filter(|it| !it.0.is_ascii()) {
            more += width(*byte) - 1;
            all.push((at, more));
        }
        if all.len() > bytes.len() / RARE {
            return None;
        }
    }
    Some((latin_if_broken(bytes).into_owned(), Wide { all }))
}

/// Bytes of a character of Windows-1252 in UTF-8: those it has in the place of control characters come from
/// farther off (WHATWG Encoding Standard, index windows-1252).
fn width(byte: u8) -> usize {
    match byte {
        0..=0x7F => 1,
        0x81 | 0x83 | 0x88 | 0x8A | 0x8C..=0x90 | 0x98 | 0x9A | 0x9C..=0xFF => 2,
        _ => 3,
    }
}

/// The edit that makes the one text out of the other, from that of their blobs.
pub fn translated(edit: &Edit, base: &Wide, result: &Wide) -> Edit {
    let mut out = Edit::default();
    out.reset(base.place(edit.base()));
    let mut at = 0;
    for copied in edit.copied() {
        out.insert(result.place(copied.start) - at);
        at = result.place(copied.end);
        let from = base.place(copied.from);
        out.copy(from, at - result.place(copied.start));
    }
    out.insert(result.place(edit.length()) - at);
    out.finish();
    out
}

fn begins_plain(bytes: &[u8]) -> bool {
    !has_mark(bytes) && !has_zero(bytes, 0)
}

fn has_mark(bytes: &[u8]) -> bool {
    let marks: [&[u8]; 3] = [&[0xEF, 0xBB, 0xBF], &[0xFF, 0xFE], &[0xFE, 0xFF]];
    marks.iter().any(|it| bytes.starts_with(it))
}

/// Whether a zero stands where it decides what a blob is, at `from` or behind it.
fn has_zero(bytes: &[u8], from: usize) -> bool {
    let probe = &bytes[..bytes.len().min(PROBE)];
    let rest = probe.get(from..).unwrap_or_default();
    memchr::memchr(0, rest).is_some()
}

/// UTF-16 or UTF-32 without BOM: zero bytes stand at the same places of nearly every unit.
fn shape(probe: &[u8]) -> Option<&'static str> {
    let units = probe.len() / 4;
    if units < 2 {
        return None;
    }
    let mut zeros = [0usize; 4];
    for unit in probe.chunks_exact(4) {
        for (place, byte) in unit.iter().enumerate() {
            zeros[place] += usize::from(*byte == 0);
        }
    }
    let most = |count: usize| count * 10 >= units * 9;
    let few = |count: usize| count * 10 <= units;
    match zeros {
        [a, b, c, d] if few(a) && most(b) && most(c) && most(d) => Some("utf-32le"),
        [a, b, c, d] if most(a) && most(b) && most(c) && few(d) => Some("utf-32be"),
        [a, b, c, d] if few(a) && most(b) && few(c) && most(d) => Some("utf-16le"),
        [a, b, c, d] if most(a) && few(b) && most(c) && few(d) => Some("utf-16be"),
        _ => None,
    }
}

fn utf16<'a>(bytes: &'a [u8], encoding: &'static encoding_rs::Encoding) -> Cow<'a, [u8]> {
    Cow::Owned(
        encoding
            .decode_without_bom_handling(bytes)
            .0
            .into_owned()
            .into_bytes(),
    )
}

fn utf32(bytes: &[u8], number: fn([u8; 4]) -> u32) -> Vec<u8> {
    let unit = |it: &[u8]| {
        char::from_u32(number([it[0], it[1], it[2], it[3]])).unwrap_or(char::REPLACEMENT_CHARACTER)
    };
    bytes
        .chunks_exact(4)
        .map(unit)
        .collect::<String>()
        .into_bytes()
}

/// Valid UTF-8 as it is; else each byte read as Latin-1 (Windows-1252), which loses nothing.
fn latin_if_broken(bytes: &[u8]) -> Cow<'_, [u8]> {
    let high = !bytes.is_ascii() && std::str::from_utf8(bytes).is_err();
    if high {
        Cow::Owned(
            WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
                .into_owned()
                .into_bytes(),
        )
    } else {
        Cow::Borrowed(bytes)
    }
}

/// The bytes with everything unprintable blanked, so that offsets stay what they were.
fn runs(bytes: &[u8]) -> Vec<u8> {
    bytes
        .iter()
        .map(|it| {
            if matches!(it, b'\t' | b'\n' | b' '..=b'~') {
                *it
            } else {
                b'\n'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn widths_are_those_of_the_decoder() {
        for byte in 0..=u8::MAX {
            let text = WINDOWS_1252.decode_without_bom_handling(&[byte]).0.len();
            assert_eq!(width(byte), text, "{byte:#x}");
        }
    }

    proptest! {
        #[test]
        fn an_edit_of_blobs_is_one_of_their_texts(
            base in prop::collection::vec(prop_oneof![30 => 32..127_u8, 1 => 128..=255_u8], 40..200),
            cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..30_usize, "[a-z]{0,5}"), 0..4),
        ) {
            let mut edit = Edit::default();
            edit.reset(base.len());
            let (mut blob, mut at) = (Vec::new(), 0);
            for (place, skipped, put) in &cuts {
                let start = place.index(base.len() + 1).max(at);
                edit.copy(at, start - at);
                blob.extend(&base[at..start]);
                edit.insert(put.len());
                blob.extend(put.as_bytes());
                at = (start + skipped).min(base.len());
            }
            edit.copy(at, base.len() - at);
            blob.extend(&base[at..]);
            edit.finish();
            let (Some((before, of_base)), Some((text, wide))) = (latin(&base), latin(&blob)) else {
                return Ok(());
            };
            prop_assert_eq!(&text, &*root(&blob).text);
            let translated = translated(&edit, &of_base, &wide);
            prop_assert_eq!(translated.base(), before.len());
            prop_assert_eq!(translated.length(), text.len());
            for copied in translated.copied() {
                let length = copied.end - copied.start;
                prop_assert_eq!(&text[copied.start..copied.end], &before[copied.from..copied.from + length]);
            }
            let gaps = |it: &Edit| it.gaps().len();
            prop_assert_eq!(gaps(&translated), gaps(&edit));
        }
    }
}
