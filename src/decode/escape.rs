//! Characters written as escapes within a text: the lines around them are read again with the escapes
//! undone, so that a token they split is whole. Not here: what an escape looks like.

use super::view::{Hidden, Patch};
use crate::model::span::Span;

/// This much around an escape is read again.
const REACH: usize = 512;

/// What stands for a character.
pub(super) struct Undone {
    /// Its length in the text.
    pub(super) length: usize,
    /// The character.
    pub(super) character: char,
    /// Whether it may be part of a secret or stand at its side; others are undone only beside such a one.
    pub(super) is_telling: bool,
    /// Whether it is a byte that no text holds: too many of them, and it is no text that is escaped.
    pub(super) is_binary: bool,
}

/// A way to write characters.
pub(super) struct Escape {
    /// Its name in `via`.
    pub(super) name: &'static str,
    /// Every escape begins with this byte.
    pub(super) lead: u8,
    /// Reads the escape at the beginning of a text.
    pub(super) undo: fn(&[u8]) -> Option<Undone>,
}

/// Whether a character may be part of a token or delimit one; `<` and `>` are escaped wherever markup is
/// told, and mean nothing here.
pub(super) fn is_telling(character: char) -> bool {
    character.is_ascii_graphic() && !matches!(character, '<' | '>')
}

/// Calls `emit` for each stretch of the text in which escapes of one kind are undone. One pass looks for
/// all three first bytes.
pub(super) fn each(text: &[u8], escapes: &[Escape; 3], emit: &mut dyn FnMut(Hidden)) {
    let [a, b, c] = escapes.each_ref().map(|it| it.lead);
    let mut stretches: [Vec<Span>; 3] = Default::default();
    for at in memchr::memchr3_iter(a, b, c, text) {
        let kind = escapes
            .iter()
            .position(|it| it.lead == text[at])
            .unwrap_or(0);
        if (escapes[kind].undo)(&text[at..]).is_some_and(|it| it.is_telling) {
            around(text, at, &mut stretches[kind]);
        }
    }
    for (escape, stretches) in escapes.iter().zip(stretches) {
        for stretch in stretches {
            if let Some(patch) = patched(text, stretch, escape) {
                emit(patch.hidden(escape.name, None));
            }
        }
    }
}

/// Adds the lines around an escape, as far as they are near, to the last stretch or as a new one.
fn around(text: &[u8], at: usize, stretches: &mut Vec<Span>) {
    let last = stretches.last_mut();
    if last.as_ref().is_some_and(|it| at + REACH / 2 < it.end) {
        return;
    }
    let far = text.len().min(at + REACH);
    // A whole line more or less: a window that ends in the middle of a word would cut a token.
    let end = match memchr::memrchr(b'\n', &text[at..far]) {
        Some(line) if far < text.len() => at + line,
        _ => far,
    };
    match last {
        Some(last) if at <= last.end + REACH => last.end = end.max(last.end),
        _ => {
            let from = at.saturating_sub(REACH);
            let start = match memchr::memchr(b'\n', &text[from..at]) {
                Some(line) if from > 0 => from + line + 1,
                _ => from,
            };
            stretches.push(Span::new(start, end));
        }
    }
}

/// The stretch with its escapes undone; `None` if what they stand for is no text.
fn patched(text: &[u8], stretch: Span, escape: &Escape) -> Option<Patch> {
    let mut patch = Patch::default();
    let mut kept = stretch.start;
    let mut at = stretch.start;
    let (mut plain, mut binary) = (0, 0);
    while let Some(found) = memchr::memchr(escape.lead, &text[at..stretch.end]) {
        at += found;
        let Some(undone) = (escape.undo)(&text[at..stretch.end]) else {
            at += 1;
            continue;
        };
        let span = Span::new(at, at + undone.length);
        at = span.end;
        if undone.is_binary {
            binary += 1;
            continue;
        }
        plain += 1;
        patch.keep(text, Span::new(kept, span.start));
        let mut utf8 = [0; 4];
        patch.replace(span, undone.character.encode_utf8(&mut utf8).as_bytes());
        kept = at;
    }
    patch.keep(text, Span::new(kept, stretch.end));
    (binary * 8 <= plain).then_some(patch)
}
