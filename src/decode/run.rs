//! Long runs of letters and digits, in which base64 and hexadecimal hide, told sixty-four bytes at a time.
//! Not here: what a run decodes to.

use super::view::{Hidden, Map};
use crate::model::span::Span;
use wide::u8x16;

/// Shorter runs hide nothing that a rule would find.
const SHORTEST: usize = 24;

/// What a run may be: where, and the bytes it stands for.
pub(super) type Decode = fn(&[u8], Span) -> Run;

/// What an encoding makes of a run.
pub(super) struct Run {
    /// The run, with lines that go on from it, and what it stands for.
    pub(super) found: Option<(Span, Vec<u8>)>,
    /// The answer depends on nothing before the run, and nothing from here on.
    pub(super) seen: usize,
}

/// Bytes that are told at once.
const BLOCK: usize = 64;

/// A bit for each byte that is of one of the alphabets of base64: letters, digits, `+`, `/`, `-`, `_`.
#[inline]
fn alphabet(block: &[u8; BLOCK]) -> u64 {
    let (parts, _) = block.as_chunks::<16>();
    let bits = parts.iter().map(|it| u64::from(lane(u8x16::new(*it))));
    bits.enumerate()
        .fold(0, |all, (at, it)| all | it << (16 * at))
}

#[inline]
fn lane(bytes: u8x16) -> u32 {
    let within = |it: u8x16, first: u8, last: u8| {
        let above = it - u8x16::splat(first);
        above.simd_eq(above.min(u8x16::splat(last - first)))
    };
    let is_letter = within(bytes | u8x16::splat(0x20), b'a', b'z');
    // Comma and full stop differ by one bit.
    let is_stop = (bytes | u8x16::splat(2)).simd_eq(u8x16::splat(b'.'));
    let is_digit = within(bytes, b'+', b'9') & !is_stop;
    let is_line = bytes.simd_eq(u8x16::splat(b'_'));
    (is_letter | is_digit | is_line).to_bitmask()
}

/// The bits of the block that begins there; behind the end of the text none is set.
#[inline]
fn block_at(text: &[u8], at: usize) -> u64 {
    let rest = &text[at..];
    match rest.first_chunk() {
        Some(block) => alphabet(block),
        None => {
            let mut block = [0; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            alphabet(&block)
        }
    }
}

/// Where bits begin that are set in a row, as many as the shortest run has.
#[inline]
fn long(bits: u64) -> u64 {
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    let sixteen = eight & eight >> 8;
    sixteen & eight >> 16
}

/// The first run of the shortest length or longer at `from` or behind it, if it begins at `last` at the
/// latest.
pub(super) fn next(text: &[u8], from: usize, last: usize) -> Option<Span> {
    let run = next_of(text, from, last)?;
    (run.start <= last).then_some(run)
}

fn next_of(text: &[u8], from: usize, last: usize) -> Option<Span> {
    // How many bytes before the block belong to a run that may go on.
    let mut open = 0;
    for at in (from..text.len()).step_by(BLOCK) {
        if at > last && open == 0 {
            return None;
        }
        let bits = block_at(text, at);
        let goes_on = bits.trailing_ones() as usize;
        if open + goes_on >= SHORTEST {
            return Some(Span::new(at - open, end_of_run(text, at)));
        }
        let long = long(bits);
        if long != 0 {
            let start = at + long.trailing_zeros() as usize;
            return Some(Span::new(start, end_of_run(text, start + SHORTEST)));
        }
        open = match bits {
            u64::MAX => open + BLOCK,
            _ => bits.leading_ones() as usize,
        };
    }
    None
}

/// Where the run that `at` lies in or behind ends.
fn end_of_run(text: &[u8], at: usize) -> usize {
    for at in (at..text.len()).step_by(BLOCK) {
        let bits = block_at(text, at);
        if bits != u64::MAX {
            return at + bits.trailing_ones() as usize;
        }
    }
    text.len()
}

/// Where the run that touches `at` from before begins.
pub(super) fn start_before(text: &[u8], at: usize) -> usize {
    let mut start = at;
    while let Some(from) = start.checked_sub(BLOCK) {
        let missing = block_at(text, from).leading_ones() as usize;
        start -= missing;
        if missing < BLOCK {
            return start;
        }
    }
    let mut head = [0; BLOCK];
    head[BLOCK - start..].copy_from_slice(&text[..start]);
    start - alphabet(&head).leading_ones() as usize
}

/// What a run is: the encoding that made something of it, and how far behind it bytes were looked at.
pub(super) fn read(
    text: &[u8],
    run: Span,
    encodings: &[(&'static str, Decode)],
) -> (Option<Hidden>, usize) {
    let mut seen = run.end;
    for (name, decode) in encodings {
        let read = decode(text, run);
        seen = seen.max(read.seen);
        if let Some((span, bytes)) = read.found {
            let hidden = Hidden {
                name,
                part: None,
                bytes,
                map: Map::Whole(span),
            };
            return (Some(hidden), seen);
        }
    }
    (None, seen)
}

/// Calls `emit` for each run that one of the encodings makes something of.
pub(super) fn each(
    text: &[u8],
    encodings: &[(&'static str, Decode)],
    emit: &mut dyn FnMut(Hidden),
) {
    let mut from = 0;
    while let Some(run) = next(text, from, usize::MAX) {
        from = run.end;
        if let (Some(hidden), _) = read(text, run, encodings) {
            // Lines that go on from the run belong to it.
            from = hidden.whole().map_or(from, |it| from.max(it.end));
            emit(hidden);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_base64(byte: u8) -> bool {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
    }

    #[test]
    fn every_byte_is_told() {
        for byte in 0..=u8::MAX {
            let expected = if is_base64(byte) { u64::MAX } else { 0 };
            assert_eq!(alphabet(&[byte; BLOCK]), expected, "{byte:#x}");
        }
    }

    #[test]
    fn runs_of_every_length_are_met_at_every_place() {
        for length in SHORTEST - 2..200 {
            for before in 0..70 {
                let text = [vec![b' '; before], vec![b'A'; length], b" a".to_vec()].concat();
                let expected = (length >= SHORTEST).then(|| Span::new(before, before + length));
                assert_eq!(next(&text, 0, usize::MAX), expected, "{before} {length}");
                assert_eq!(next(&text[..before + length], 0, usize::MAX), expected);
                assert_eq!(next(&text, 0, before), expected);
                assert_eq!(
                    next(&text, before, before + length).is_some(),
                    expected.is_some()
                );
                assert_eq!(
                    before.checked_sub(1).and_then(|it| next(&text, 0, it)),
                    None
                );
                for at in before..=before + length {
                    assert_eq!(start_before(&text, at), before, "{at}");
                }
                assert_eq!(
                    start_before(&text, before + length + 1),
                    before + length + 1
                );
            }
        }
    }

    /// Byte by byte.
    fn naive(text: &[u8]) -> Vec<Span> {
        let mut runs = Vec::new();
        let mut start = 0;
        for end in 0..=text.len() {
            if end == text.len() || !is_base64(text[end]) {
                if end - start >= SHORTEST {
                    runs.push(Span::new(start, end));
                }
                start = end + 1;
            }
        }
        runs
    }

    fn runs(text: &[u8]) -> Vec<Span> {
        let mut from = 0;
        let next = || {
            let run = next(text, from, usize::MAX)?;
            from = run.end;
            Some(run)
        };
        std::iter::from_fn(next).collect()
    }

    proptest! {
        #[test]
        fn every_run_is_met_and_no_other(
            pieces in prop::collection::vec(("[A-Za-z0-9+/_-]{0,60}", "[ :\"(=~\\x7f]{1,3}"), 0..12),
            cut in 0..60usize,
        ) {
            let text: String = pieces.iter().flat_map(|(run, gap)| [run.as_str(), gap]).collect();
            let text = &text.as_bytes()[..text.len().saturating_sub(cut)];
            prop_assert_eq!(runs(text), naive(text));
        }

        #[test]
        fn any_bytes_have_their_runs(text in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert_eq!(runs(&text), naive(&text));
        }
    }
}
