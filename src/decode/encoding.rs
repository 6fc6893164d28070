//! Texts hidden in base64 (standard and URL-safe alphabets, RFC 4648), told from random text by what
//! they decode to. Looks at a few bytes in each stretch of twenty-four where there is no long run.

use crate::model::span::Span;
use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD};

/// Shorter runs hide nothing that a rule would find.
const SHORTEST: usize = 24;
/// This much of a run must decode to text before the whole is decoded.
const PROBE: usize = 32;

/// The alphabets of base64 together, as a table: this is asked of a good part of all bytes.
const ALPHABET: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        let it = byte as u8;
        table[byte] = it.is_ascii_alphanumeric() || matches!(it, b'+' | b'/' | b'-' | b'_');
        byte += 1;
    }
    table
};

fn is_base64(byte: u8) -> bool {
    ALPHABET[usize::from(byte)]
}

/// Whether a run of the shortest length may lie around `at`: half of it then lies on one side, and has
/// no blank, quote or bracket. Looks at eight bytes at a time.
fn may_run(text: &[u8], at: usize) -> bool {
    const HALF: usize = SHORTEST / 2;
    let before = at.checked_sub(HALF).and_then(|it| text.get(it..at));
    let after = text.get(at + 1..at + 1 + HALF);
    before.is_some_and(|it| !has_low(it)) || after.is_some_and(|it| !has_low(it))
}

/// Whether one of these bytes stands before `+`, the first character of the alphabets.
#[inline(always)]
fn has_low(half: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let low = |it: Option<&[u8; 8]>| {
        let word = it.map_or(0, |it| u64::from_le_bytes(*it));
        word.wrapping_sub(ONES * b'+' as u64) & !word & HIGHS
    };
    low(half.first_chunk()) | low(half.last_chunk()) != 0
}

/// Calls `emit(encoding, span, decoded)` for each run that decodes to text.
pub(super) fn each(text: &[u8], emit: &mut dyn FnMut(&'static str, Span, Vec<u8>)) {
    let mut at = SHORTEST - 1;
    let mut floor = 0;
    while at < text.len() {
        if !may_run(text, at) || !is_base64(text[at]) {
            at += SHORTEST;
            continue;
        }
        let start = text[floor..at]
            .iter()
            .rposition(|it| !is_base64(*it))
            .map_or(floor, |it| floor + it + 1);
        let end = text[at..]
            .iter()
            .position(|it| !is_base64(*it))
            .map_or(text.len(), |it| at + it);
        if end - start >= SHORTEST
            && let Some(decoded) = decoded(&text[start..end])
        {
            emit("base64", Span::new(start, end), decoded);
        }
        floor = end;
        at = end + SHORTEST;
    }
}

/// The same for the runs that lie in, or touch, one of these ranges; they are sorted.
pub(super) fn touching(
    text: &[u8],
    ranges: &[(usize, usize)],
    emit: &mut dyn FnMut(&'static str, Span, Vec<u8>),
) {
    let mut floor = 0;
    for (start, end) in ranges {
        if *end < floor {
            continue;
        }
        let start = (*start).max(floor);
        let start = start - run(text[floor..start].iter().rev());
        let end = end + run(text[*end..].iter());
        each(&text[start..end], &mut |name, span, decoded| {
            emit(
                name,
                Span::new(span.start + start, span.end + start),
                decoded,
            );
        });
        floor = end;
    }
}

fn run<'a>(bytes: impl Iterator<Item = &'a u8>) -> usize {
    bytes.take_while(|it| is_base64(**it)).count()
}

fn decoded(run: &[u8]) -> Option<Vec<u8>> {
    let is_url = run.iter().any(|it| matches!(it, b'-' | b'_'));
    let spec = if is_url {
        BASE64URL_NOPAD
    } else {
        BASE64_NOPAD
    };
    let probe = spec.decode(&run[..run.len().min(PROBE) / 4 * 4]).ok()?;
    if !is_text(&probe) {
        return None;
    }
    // A last odd character cannot be base64; trailing bits that are not zero are forgiven.
    let whole = &run[..run.len() - usize::from(run.len() % 4 == 1)];
    let full = spec
        .decode(whole)
        .or_else(|_| spec.decode(&whole[..whole.len() / 4 * 4]))
        .ok()?;
    is_text(&full).then_some(full)
}

/// Mostly printable, with no control byte but white space.
fn is_text(bytes: &[u8]) -> bool {
    let printable = bytes
        .iter()
        .filter(|it| matches!(it, b'\t' | b'\n' | b'\r' | b' '..=b'~'))
        .count();
    printable * 20 >= bytes.len() * 19
}
