//! Long runs of letters and digits, in which base64 and hexadecimal hide. Looks at a few bytes in each
//! stretch of twenty-four where there is none. Not here: what a run decodes to.

use crate::model::span::Span;

/// Shorter runs hide nothing that a rule would find.
const SHORTEST: usize = 24;

/// What a run may be: where, and the bytes it stands for.
pub(super) type Decode = fn(&[u8], Span) -> Option<(Span, Vec<u8>)>;

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

/// Calls `emit(encoding, span, decoded)` for each run that one of the encodings makes something of.
pub(super) fn each(
    text: &[u8],
    encodings: &[(&'static str, Decode)],
    emit: &mut dyn FnMut(&'static str, Span, Vec<u8>),
) {
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
        let mut end = text[at..]
            .iter()
            .position(|it| !is_base64(*it))
            .map_or(text.len(), |it| at + it);
        if end - start >= SHORTEST {
            let run = Span::new(start, end);
            let found = encodings
                .iter()
                .find_map(|(name, decode)| Some((*name, decode(text, run)?)));
            if let Some((name, (span, decoded))) = found {
                // Lines that go on from the run belong to it.
                end = end.max(span.end);
                emit(name, span, decoded);
            }
        }
        floor = end;
        at = end + SHORTEST;
    }
}
