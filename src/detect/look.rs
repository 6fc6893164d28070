//! A look at a keyword that may be part of a name: the assignment around it, seen no farther than a fixed
//! number of bytes away. Not here: what the value is worth.

use super::assignment::{self, Assignment};
use super::trail;

/// The assignment around a keyword, and the part of the text that was looked at.
pub(super) struct Look<'a> {
    pub(super) around: &'a [u8],
    /// Where it starts.
    pub(super) start: usize,
    /// Where the name ends.
    pub(super) read: usize,
    /// Whether values may stand far off.
    pub(super) is_far: bool,
    pub(super) found: Option<Assignment>,
}

impl<'a> Look<'a> {
    /// Sees nothing farther than a fixed number of bytes away, so that nothing farther matters.
    pub(super) fn at(text: &'a [u8], hit: usize) -> Option<Self> {
        let start = hit.saturating_sub(trail::SIDE);
        let near = &text[start..text.len().min(hit + trail::AHEAD)];
        let found = assignment::around(near, hit - start)?;
        let goes_on = start + near.len() < text.len();
        let is_many = found.in_list || near.get(found.value.start) == Some(&b'{');
        let look = Self {
            around: near,
            start,
            read: start + found.name.end,
            is_far: goes_on && (is_many || found.value.end + trail::SIDE > near.len()),
            found: Some(found),
        };
        if !look.is_far {
            return Some(look);
        }
        let far = &text[start..text.len().min(hit + trail::FAR_AHEAD)];
        // A value that ends where the look ends may be part of a longer one.
        let is_whole =
            |it: &Assignment| it.value.end < far.len() || start + far.len() == text.len();
        Some(Self {
            around: far,
            found: assignment::around(far, hit - start).filter(is_whole),
            ..look
        })
    }
}
