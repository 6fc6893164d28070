//! Long runs of letters and digits, in which base64 and hexadecimal hide. Where there is
//! none, sixty-four bytes are passed at a time. Not here: what a run decodes to.

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

/// Bytes of a word; a run of the shortest length holds two neighbours whole, wherever words begin.
const WORD: usize = 8;
/// Words that are looked at together.
const WORDS: usize = 8;

/// Whether a word has no byte before `+`, the first character of the alphabets: no blank, quote or
/// parenthesis, as one.
#[inline(always)]
fn is_high(word: &[u8; WORD]) -> u32 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = 0x8080_8080_8080_8080;
    let word = u64::from_le_bytes(*word);
    u32::from(word.wrapping_sub(ONES * b'+' as u64) & !word & HIGHS == 0)
}

/// Where the next two words without such bytes are, at `from` or in steps of a word behind it.
fn next_pair(text: &[u8], from: usize) -> Option<usize> {
    let (words, _) = text.get(from..)?.as_chunks::<WORD>();
    let mut at = 0;
    // The last word of a block is the first of the next, so that no pair lies across.
    while let Some(block) = words[at..].first_chunk::<WORDS>() {
        let high = (0..WORDS).fold(0, |high, it| high | is_high(&block[it]) << it);
        let pairs = high & high >> 1;
        if pairs != 0 {
            return Some(from + (at + pairs.trailing_zeros() as usize) * WORD);
        }
        at += WORDS - 1;
    }
    let mut rest = words[at..].windows(2);
    let found = rest.position(|it| is_high(&it[0]) & is_high(&it[1]) == 1)?;
    Some(from + (at + found) * WORD)
}

/// The first run of the shortest length or longer at `from` or behind it.
fn next_run(text: &[u8], mut from: usize) -> Option<Span> {
    loop {
        let pair = next_pair(text, from)?;
        let is_other = |it: &u8| !is_base64(*it);
        let inner = &text[pair..pair + 2 * WORD];
        if let Some(other) = inner.iter().rposition(is_other) {
            from = pair + other + 1;
            continue;
        }
        let before = text[from..pair].iter().rposition(is_other);
        let start = before.map_or(from, |it| from + it + 1);
        let behind = text[pair..].iter().position(is_other);
        let end = behind.map_or(text.len(), |it| pair + it);
        if end - start >= SHORTEST {
            return Some(Span::new(start, end));
        }
        from = end;
    }
}

/// Calls `emit(encoding, span, decoded)` for each run that one of the encodings makes something of.
pub(super) fn each(
    text: &[u8],
    encodings: &[(&'static str, Decode)],
    emit: &mut dyn FnMut(&'static str, Span, Vec<u8>),
) {
    let mut from = 0;
    while let Some(run) = next_run(text, from) {
        from = run.end;
        let found = encodings
            .iter()
            .find_map(|(name, decode)| Some((*name, decode(text, run)?)));
        if let Some((name, (span, decoded))) = found {
            // Lines that go on from the run belong to it.
            from = from.max(span.end);
            emit(name, span, decoded);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
            let run = next_run(text, from)?;
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
