//! Texts written as hexadecimal digits (RFC 4648, section 8), told from hashes by what they decode to.

use super::readable::{is_opened, is_readable};
use super::run::Run;
use crate::model::span::Span;
use data_encoding::HEXLOWER_PERMISSIVE;

/// Shorter stretches hide nothing that a rule would find.
const SHORTEST: usize = 32;

/// Whether the digits may be text, by the first of each pair, or begin something that is opened.
fn is_likely(digits: &[u8]) -> bool {
    let is_high = |it: &u8| matches!(it, b'0' | b'2'..=b'7');
    let count = digits
        .iter()
        .step_by(2)
        .take(8)
        .filter(|it| is_high(it))
        .count();
    count == 8
        || matches!(digits[0], b'1' | b'2' | b'3' | b'4' | b'5' | b'f' | b'F') && count >= 1 && {
            let head = HEXLOWER_PERMISSIVE.decode(&digits[..SHORTEST]);
            head.is_ok_and(|it| is_opened(&it))
        }
}

/// The first stretch of digits in the run that decodes to something readable.
pub(super) fn decoded(text: &[u8], run: Span) -> Run {
    Run {
        found: stretch(text, run),
        seen: run.end,
    }
}

fn stretch(text: &[u8], run: Span) -> Option<(Span, Vec<u8>)> {
    let bytes = &text[run.start..run.end];
    // A stretch covers two marks of sixteen and what lies between: most runs end here.
    const MARK: usize = SHORTEST / 2;
    let mut at = MARK - 1;
    while at + MARK < bytes.len() {
        let is_digit = |it: usize| bytes[it].is_ascii_hexdigit();
        if !(is_digit(at) && is_digit(at + MARK) && is_digit(at + MARK / 2)) {
            at += MARK;
            continue;
        }
        let before = bytes[..at].iter().rposition(|it| !it.is_ascii_hexdigit());
        let mut start = before.map_or(0, |it| it + 1);
        let after = bytes[at..].iter().position(|it| !it.is_ascii_hexdigit());
        let end = after.map_or(bytes.len(), |it| at + it);
        at = end + MARK;
        // The `0` of `0x` stands before a byte that is no digit; an odd digit belongs to something else.
        if (end - start) % 2 == 1 {
            start += 1;
        }
        if end - start < SHORTEST {
            continue;
        }
        let digits = &bytes[start..end];
        if !is_likely(digits) {
            continue;
        }
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
