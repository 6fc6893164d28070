//! Texts written as hexadecimal digits (RFC 4648, section 8), told from hashes by what they decode to.

use super::readable::is_readable;
use crate::model::span::Span;
use data_encoding::HEXLOWER_PERMISSIVE;

/// Shorter stretches hide nothing that a rule would find.
const SHORTEST: usize = 32;

/// The first stretch of digits in the run that decodes to something readable.
pub(super) fn decoded(text: &[u8], run: Span) -> Option<(Span, Vec<u8>)> {
    let bytes = &text[run.start..run.end];
    // Where no stretch can be, no byte in each sixteen need be a digit: most runs end here.
    let mut at = SHORTEST / 2 - 1;
    while at < bytes.len() {
        if !bytes[at].is_ascii_hexdigit() {
            at += SHORTEST / 2;
            continue;
        }
        let before = bytes[..at].iter().rposition(|it| !it.is_ascii_hexdigit());
        let mut start = before.map_or(0, |it| it + 1);
        let after = bytes[at..].iter().position(|it| !it.is_ascii_hexdigit());
        let end = after.map_or(bytes.len(), |it| at + it);
        at = end + SHORTEST / 2;
        // The `0` of `0x` stands before a byte that is no digit; an odd digit belongs to something else.
        if (end - start) % 2 == 1 {
            start += 1;
        }
        if end - start < SHORTEST {
            continue;
        }
        let digits = &bytes[start..end];
        let probe = HEXLOWER_PERMISSIVE.decode(&digits[..SHORTEST]).ok()?;
        if !is_readable(&probe) {
            continue;
        }
        let decoded = HEXLOWER_PERMISSIVE.decode(digits).ok()?;
        if is_readable(&decoded) {
            let span = Span::new(run.start + start, run.start + end);
            return Some((span, decoded));
        }
    }
    None
}
