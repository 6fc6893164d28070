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

/// Lines around escapes of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stretch {
    /// The lines.
    pub(super) span: Span,
    /// Its first escape.
    first: usize,
}

/// No escape is longer, with what stands before it and tells it.
pub(super) const LONGEST: usize = 64;

impl Stretch {
    /// What the lines depend on: where an escape would begin a stretch that they belong to, and where one
    /// would still be theirs. Both may lie outside of the text.
    pub(super) fn needs(&self) -> (isize, isize) {
        let before = self.first as isize - (2 * REACH + LONGEST) as isize;
        (before, (self.span.end + REACH + LONGEST) as isize)
    }
}

/// Calls `emit` for each stretch of the text in which escapes of one kind are undone.
pub(super) fn each(text: &[u8], escapes: &[Escape; 3], emit: &mut dyn FnMut(Hidden)) {
    let all = find_all(text, escapes);
    for (escape, stretches) in escapes.iter().zip(all) {
        for stretch in stretches {
            if let Some(patch) = patched(text, stretch.span, escape) {
                emit(patch.hidden(escape.name, None));
            }
        }
    }
}

/// The stretches of each kind. One pass looks for all three first bytes.
pub(super) fn find_all(text: &[u8], escapes: &[Escape; 3]) -> [Vec<Stretch>; 3] {
    let [a, b, c] = escapes.each_ref().map(|it| it.lead);
    let mut stretches: [Vec<Stretch>; 3] = Default::default();
    for at in memchr::memchr3_iter(a, b, c, text) {
        let kind = escapes.iter().position(|it| it.lead == text[at]);
        let kind = kind.unwrap_or(0);
        if (escapes[kind].undo)(&text[at..]).is_some_and(|it| it.is_telling) {
            around(text, at, &mut stretches[kind]);
        }
    }
    stretches
}

/// Whether an escape may begin in one of some parts of the text, or as many bytes before it.
pub(super) fn may_begin(
    text: &[u8],
    escapes: &[Escape; 3],
    parts: &[(usize, usize)],
    before: usize,
) -> bool {
    let [a, b, c] = escapes.each_ref().map(|it| it.lead);
    parts.iter().any(|(start, end)| {
        let part = &text[start.saturating_sub(before)..*end];
        let mut leads = memchr::memchr3_iter(a, b, c, part);
        leads.any(|at| {
            let rest = &text[start.saturating_sub(before) + at..];
            let undo = |it: &Escape| (it.undo)(rest).is_some_and(|it| it.is_telling);
            escapes.iter().any(|it| it.lead == rest[0] && undo(it))
        })
    })
}

/// The stretches of one kind around the escapes that begin in some parts of the text.
pub(super) fn find_in(text: &[u8], escape: &Escape, parts: &[Span]) -> Vec<Stretch> {
    let mut stretches = Vec::new();
    for part in parts {
        for at in memchr::memchr_iter(escape.lead, &text[part.start..part.end]) {
            let at = part.start + at;
            if (escape.undo)(&text[at..]).is_some_and(|it| it.is_telling) {
                around(text, at, &mut stretches);
            }
        }
    }
    stretches
}

/// Adds the lines around an escape, as far as they are near, to the last stretch or as a new one.
fn around(text: &[u8], at: usize, stretches: &mut Vec<Stretch>) {
    let last = stretches.last_mut().map(|it| &mut it.span);
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
            let span = Span::new(start, end);
            stretches.push(Stretch { span, first: at });
        }
    }
}

/// The stretch with its escapes undone; `None` if what they stand for is no text.
pub(super) fn patched(text: &[u8], stretch: Span, escape: &Escape) -> Option<Patch> {
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
