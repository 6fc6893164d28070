//! Quoted-printable: bytes as `=3D`, and lines that end in `=` and go on.
//!
//! Format: RFC 2045, section 6.7.

use super::view::{Hidden, Patch};
use crate::model::span::Span;

/// The name in `via`.
pub(super) const NAME: &str = "quoted-printable";

/// So many signs tell whether a text is in it: there, each begins an escape or ends a line.
const SIGNS: usize = 16;

/// The whole text, if most of its first signs are escapes and its own sign is escaped somewhere.
pub(super) fn each(text: &[u8], emit: &mut dyn FnMut(Hidden)) {
    let (mut signs, mut escapes) = (0, 0);
    for at in memchr::memchr_iter(b'=', text).take(SIGNS) {
        signs += 1;
        escapes += match text[at + 1..] {
            [b'\r' | b'\n', ..] => 1,
            [high, low, ..] => usize::from(pair(high, low).is_some() && !low.is_ascii_lowercase()),
            _ => 0,
        };
    }
    if escapes * 2 > signs && memchr::memmem::find(text, b"=3D").is_some() {
        emit(undone(text, Span::new(0, text.len())).hidden(NAME, None));
    }
}

/// A stretch with everything undone.
pub(super) fn undone(text: &[u8], stretch: Span) -> Patch {
    let mut patch = Patch::default();
    let mut kept = stretch.start;
    let mut at = stretch.start;
    while let Some(found) = memchr::memchr(b'=', &text[at..stretch.end]) {
        at += found;
        let (length, byte) = match &text[at + 1..stretch.end] {
            [b'\r', b'\n', ..] => (3, None),
            [b'\n', ..] => (2, None),
            [high, low, ..] => match pair(*high, *low) {
                Some(byte) => (3, Some(byte)),
                None => {
                    at += 1;
                    continue;
                }
            },
            _ => break,
        };
        patch.keep(text, Span::new(kept, at));
        let span = Span::new(at, at + length);
        patch.replace(span, byte.as_slice());
        at = span.end;
        kept = at;
    }
    patch.keep(text, Span::new(kept, stretch.end));
    patch
}

fn pair(high: u8, low: u8) -> Option<u8> {
    let digit = |it: u8| char::from(it).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}
