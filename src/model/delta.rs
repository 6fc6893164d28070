//! The edit that makes a text out of its base: which ranges are copied from where, and what is new
//! between them. Holds no bytes.

/// A range of the result that is a range of the base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Where it starts in the result.
    pub start: usize,
    /// Where it ends in the result.
    pub end: usize,
    /// Where it starts in the base.
    pub from: usize,
}

impl Copied {
    /// How far a place of the base moved to become a place of the result.
    pub fn shift(self) -> isize {
        self.start as isize - self.from as isize
    }
}

/// Copied ranges in the order of the result; whatever lies between them is inserted.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Edit {
    copied: Vec<Copied>,
    gaps: Vec<(usize, usize)>,
    base: usize,
    length: usize,
}

impl Edit {
    /// Forgets everything, for a base of this many bytes.
    pub fn reset(&mut self, base: usize) {
        self.copied.clear();
        self.gaps.clear();
        self.base = base;
        self.length = 0;
    }

    /// The result goes on with a range of the base; one that follows the last in both is joined with it.
    pub fn copy(&mut self, from: usize, length: usize) {
        if length == 0 {
            return;
        }
        let start = self.length;
        self.length += length;
        match self.copied.last_mut() {
            Some(last) if last.end == start && last.from + (last.end - last.start) == from => {
                last.end += length;
            }
            _ => {
                if start > 0 || from > 0 {
                    self.gap(start, start);
                }
                self.copied.push(Copied {
                    start,
                    end: start + length,
                    from,
                });
            }
        }
    }

    /// The result goes on with bytes that are not taken from the base.
    pub fn insert(&mut self, length: usize) {
        if length == 0 {
            return;
        }
        let start = self.length;
        self.length += length;
        self.gap(start, self.length);
    }

    /// The result ends here.
    pub fn finish(&mut self) {
        if !self.copied.last().is_some_and(|it| self.is_end(*it)) {
            self.gap(self.length, self.length);
        }
    }

    fn gap(&mut self, start: usize, end: usize) {
        match self.gaps.last_mut() {
            Some(last) if last.1 == start => last.1 = end,
            _ => self.gaps.push((start, end)),
        }
    }

    /// The copied ranges.
    pub fn copied(&self) -> &[Copied] {
        &self.copied
    }

    /// Bytes of the base.
    pub fn base(&self) -> usize {
        self.base
    }

    /// Bytes of the result.
    pub fn length(&self) -> usize {
        self.length
    }

    /// What is no copy: inserted bytes, and empty ranges where two copies meet that were apart. The
    /// beginning and the end count as such unless they are those of the base.
    pub fn gaps(&self) -> &[(usize, usize)] {
        &self.gaps
    }

    /// How far the text around a copied range is known from the base: the range itself, and without end
    /// where both texts begin or end with it, since nothing lies beyond.
    pub fn reach(&self, copied: Copied) -> Reach {
        Reach {
            start: if self.is_start(copied) {
                isize::MIN / 2
            } else {
                copied.start as isize
            },
            end: if self.is_end(copied) {
                isize::MAX / 2
            } else {
                copied.end as isize
            },
        }
    }

    /// The copied range whose reach holds all from `start` to `end`; both may lie outside of the text.
    pub fn holding(&self, start: isize, end: isize) -> Option<Copied> {
        let at = self
            .copied
            .partition_point(|it| it.start as isize <= start)
            .saturating_sub(1);
        let copied = *self.copied.get(at)?;
        self.reach(copied).holds(start, end).then_some(copied)
    }

    fn is_start(&self, copied: Copied) -> bool {
        copied.start == 0 && copied.from == 0
    }

    fn is_end(&self, copied: Copied) -> bool {
        copied.end == self.length && copied.from + (copied.end - copied.start) == self.base
    }
}

/// Places of the result around which it is known to be as the base.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reach {
    /// The first.
    pub start: isize,
    /// One past the last.
    pub end: isize,
}

impl Reach {
    /// Whether all from `start` to `end` is within.
    pub fn holds(self, start: isize, end: isize) -> bool {
        self.start <= start && end <= self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_that_go_on_are_one_and_gaps_lie_between() {
        let mut edit = Edit::default();
        edit.reset(100);
        edit.copy(0, 10);
        edit.copy(10, 10);
        edit.insert(0);
        edit.copy(20, 0);
        edit.insert(5);
        edit.copy(30, 10);
        edit.copy(50, 50);
        edit.finish();
        let copied = |start, end, from| Copied { start, end, from };
        assert_eq!(
            edit.copied(),
            [copied(0, 20, 0), copied(25, 35, 30), copied(35, 85, 50)]
        );
        assert_eq!(edit.gaps(), [(20, 25), (35, 35)]);
        edit.insert(1);
        edit.finish();
        assert_eq!(edit.gaps(), [(20, 25), (35, 35), (85, 86)]);
        edit.reset(3);
        edit.finish();
        assert_eq!(edit.gaps(), [(0, 0)]);
        edit.reset(3);
        edit.copy(1, 1);
        edit.finish();
        assert_eq!(edit.gaps(), [(0, 0), (1, 1)]);
    }
}
