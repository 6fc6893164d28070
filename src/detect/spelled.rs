//! A value around a place that may be in its middle, read in one way of writing it: as it is, with escapes
//! (RFC 8259, section 7, and what shells and programs make of a backslash; RFC 3986, section 2.1), in base64
//! and in hexadecimal (RFC 4648).
//!
//! Not here: whether the bytes are a value: whoever asks says so.

use crate::model::span::Span;
use crate::syntax::escapes::{Escapes, KINDS, SLASHES, WIDEST};
use data_encoding::HEXLOWER_PERMISSIVE;
use zeroize::Zeroizing;

/// Where it stands, what it spells, and what to tell of that.
pub(crate) type Spelled = (Span, Zeroizing<Vec<u8>>, &'static str);

const KNOWN: &str = "+ a value of the inventory";
const ESCAPED: &str = "+ a value of the inventory, escaped";
const BASE64: &str = "+ a value of the inventory, in base64";
const HEX: &str = "+ a value of the inventory, in hexadecimal";

/// How far before and behind the place anything is looked at.
pub(crate) fn reach(offset: usize, length: usize) -> (usize, usize) {
    let most = |it: usize| it.saturating_mul(WIDEST).saturating_add(SLASHES + WIDEST);
    (most(offset), most(length))
}

/// The value as it is, or with escapes.
pub(crate) fn plain(
    text: &[u8],
    at: usize,
    offset: usize,
    length: usize,
    is_it: &impl Fn(&[u8]) -> bool,
) -> Option<Spelled> {
    let as_it_is = || {
        let start = at.checked_sub(offset)?;
        let span = Span::new(start, start.checked_add(length)?);
        let value = text.get(span.start..span.end)?;
        is_it(value).then(|| (span, Zeroizing::new(value.to_vec()), KNOWN))
    };
    let escaped = |kind: &Escapes| {
        let (start, mut value) = before(text, at, offset, kind)?;
        let end = behind(text, at, length, kind, &mut value)?;
        let is_escaped = end - start != length;
        // A form's space is as long as any.
        let is_changed = is_escaped || kind.space && value[..] != text[start..end];
        (is_changed && is_it(&value)).then(|| (Span::new(start, end), value, ESCAPED))
    };
    as_it_is().or_else(|| KINDS.iter().find_map(escaped))
}

/// So many bytes of the value that end at a place: where they begin, and they.
fn before(
    text: &[u8],
    mut at: usize,
    count: usize,
    kind: &Escapes,
) -> Option<(usize, Zeroizing<Vec<u8>>)> {
    let mut value = Zeroizing::new(Vec::with_capacity(count + WIDEST));
    while value.len() < count {
        let head = text.get(..at)?;
        let own = *head.last()?;
        let literal = (1, kind.literal(own));
        let (length, character) = (kind.last)(head).unwrap_or(literal);
        value.extend(character.bytes().iter().rev());
        at -= length;
    }
    value.reverse();
    (value.len() == count).then_some((at, value))
}

/// Puts the rest to a value, until it has so many bytes; where that ends.
fn behind(
    text: &[u8],
    mut at: usize,
    length: usize,
    kind: &Escapes,
    value: &mut Zeroizing<Vec<u8>>,
) -> Option<usize> {
    let more = length.saturating_sub(value.len()).min(text.len());
    value.reserve(more + WIDEST);
    while value.len() < length {
        let rest = text.get(at..)?;
        let own = *rest.first()?;
        let literal = (1, kind.literal(own));
        let (length, character) = (kind.first)(rest).unwrap_or(literal);
        value.extend(character.bytes());
        at += length;
    }
    (value.len() == length).then_some(at)
}

fn digit(byte: u8) -> Option<u32> {
    Some(u32::from(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    }))
}

/// The value within base64, behind `shift` bytes of a group; `offset` counts from the beginning of the
/// group.
pub(crate) fn in_base64(
    text: &[u8],
    at: usize,
    offset: usize,
    shift: usize,
    length: usize,
    is_it: &impl Fn(&[u8]) -> bool,
) -> Option<Spelled> {
    let first = 8 * shift / 6;
    let end = length.checked_add(shift)?.checked_mul(8)?.div_ceil(6);
    let start = (at + first).checked_sub(offset)?;
    let span = Span::new(start, start.checked_add(end - first)?);
    let digits = text.get(span.start..span.end)?;
    let mut value = Zeroizing::new(Vec::with_capacity(length));
    // Bits of the byte before the value are read and left out.
    let (mut bits, mut count) = (0_u32, 0_usize);
    let mut skip = 8 * shift - 6 * first;
    for it in digits {
        bits = bits << 6 | digit(*it)?;
        count += 6;
        if skip > 0 {
            count -= skip;
            skip = 0;
        }
        if count >= 8 && value.len() < length {
            count -= 8;
            value.push((bits >> count) as u8);
        }
    }
    is_it(&value).then_some((span, value, BASE64))
}

/// The value in hexadecimal digits; `offset` counts those.
pub(crate) fn in_hex(
    text: &[u8],
    at: usize,
    offset: usize,
    length: usize,
    is_it: &impl Fn(&[u8]) -> bool,
) -> Option<Spelled> {
    let start = at.checked_sub(offset)?;
    let span = Span::new(start, start.checked_add(length.checked_mul(2)?)?);
    let digits = text.get(span.start..span.end)?;
    let value = Zeroizing::new(HEXLOWER_PERMISSIVE.decode(digits).ok()?);
    is_it(&value).then_some((span, value, HEX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(value: &str) -> String {
        let quoted = serde_json::to_string(value).unwrap();
        quoted[1..quoted.len() - 1].to_owned()
    }

    fn units(value: &str) -> String {
        value
            .encode_utf16()
            .map(|it| format!("\\u{it:04x}"))
            .collect()
    }

    fn form(value: &str) -> String {
        let each = value.bytes().map(|it| match it {
            b' ' => "+".to_owned(),
            it if it.is_ascii_alphanumeric() => char::from(it).to_string(),
            it => format!("%{it:02X}"),
        });
        each.collect()
    }

    proptest! {
        #[test]
        fn what_is_escaped_around_a_window_is_read(
            left in "[ -~\u{e9}\u{1f600}\\\\\"\n]{0,12}",
            right in "[ -~\u{e9}\u{1f600}\\\\\"\n]{0,12}",
            outside in "[\"',;\\\\]{0,3}",
        ) {
            let middle = "q8Zk27xP";
            let value = format!("{left}{middle}{right}");
            let is_it = |it: &[u8]| it == value.as_bytes();
            for spell in [json, units, form, |it: &str| it.to_owned()] {
                let begin = spell(&left);
                // An odd number of backslashes would be part of what follows.
                let before = format!("x = \"{}", outside.trim_end_matches('\\'));
                let text = format!("{before}{begin}{middle}{}\"{outside}", spell(&right));
                let at = before.len() + begin.len();
                let found = plain(text.as_bytes(), at, left.len(), value.len(), &is_it);
                let (span, found, _) = found.unwrap();
                prop_assert_eq!(&found[..], value.as_bytes());
                let end = at + middle.len() + spell(&right).len();
                // The last digit of an escape, or a `%` that begins one, may be taken for itself.
                let is_as_it_is = &text.as_bytes()[span.start..span.end] == value.as_bytes();
                prop_assert!(is_as_it_is || span == Span::new(before.len(), end));
            }
        }

        #[test]
        fn any_bytes_are_read(text in prop::collection::vec(any::<u8>(), 0..60), at in 0..60usize) {
            let at = at.min(text.len());
            let never = |_: &[u8]| false;
            prop_assert!(plain(&text, at, 5, 20, &never).is_none());
            for shift in 0..3 {
                prop_assert!(in_base64(&text, at, 4, shift, 20, &never).is_none());
            }
            prop_assert!(in_hex(&text, at, 4, 20, &never).is_none());
        }
    }
}
