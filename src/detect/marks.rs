//! Where a text may hold values of an inventory, and which it holds: what a look at it leaves behind, for
//! texts that an edit makes of it.
//!
//! A mark belongs to its eight bytes alone: where these were copied it is inherited, and beyond it is searched
//! for in what was inserted and the seven bytes before. So the longest known value costs a search nothing.
//! Whether a mark stands for a value depends on as many bytes around it as that has, in its widest spelling,
//! and on the sides of these: where an edit left all that alone, so is the answer.

use super::inline;
use super::known::{KnownValues, Recognised};
use super::stands::assigned_name;
use crate::model::delta::Edit;
use crate::model::details::Details;
use crate::model::finding::{Candidate, Written};
use crate::model::level::Confidence;
use crate::model::secret::Secret;
use crate::model::span::Span;
use crate::model::tag::WINDOW;
use std::sync::Arc;

/// What is told of a value is told from so much around it.
const SIDE: usize = 704;

/// A place that may be in the middle of a value, and the number of the mark that says so.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Mark {
    start: u32,
    number: u32,
}

/// A value that is there.
#[derive(Clone, Debug)]
struct Known {
    mark: Mark,
    span: Span,
    candidate: Arc<Candidate>,
}

/// The marks of a text, and the values around them.
#[derive(Clone, Default, Debug)]
pub(crate) struct Marks {
    /// Sorted. Nearly all are chance.
    all: Vec<Mark>,
    /// Sorted by mark.
    known: Vec<Known>,
}

impl Marks {
    /// About how many bytes they take, without the candidates.
    pub(crate) fn size(&self) -> usize {
        size_of_val(self.all.as_slice()) + size_of_val(self.known.as_slice())
    }

    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.known.clear();
    }

    /// How many values there are.
    pub(crate) fn found(&self) -> usize {
        self.known.len()
    }

    /// The values, sorted by place. Two marks of one value are one.
    pub(crate) fn values(&self) -> Vec<(Span, &Arc<Candidate>)> {
        let known = self.known.iter().map(|it| (it.span, &it.candidate));
        let mut known: Vec<_> = known.collect();
        known.sort_by_key(|it| it.0);
        known.dedup_by(|a, b| a.0 == b.0 && a.1.secret.expose() == b.1.secret.expose());
        known
    }

    /// Looks at a text, or at what an edit made anew in it; candidates are of this rule.
    pub(crate) fn look(
        &mut self,
        text: &[u8],
        base: Option<(&Edit, &Self)>,
        known: &KnownValues,
        rule: usize,
        most: usize,
    ) {
        self.clear();
        match base {
            None => self.search(text, Span::new(0, text.len()), known),
            Some((edit, base)) => self.inherit(text, edit, base, known),
        }
        for mark in &self.all {
            if self.known.len() >= most {
                return;
            }
            let (at, number) = (mark.start as usize, mark.number as usize);
            let answer = base.and_then(|(edit, base)| {
                let (before, behind) = known.needs(number);
                base.answer(edit, *mark, before + SIDE, behind + SIDE)
            });
            let found = answer.unwrap_or_else(|| {
                let it = known.confirm(text, at, number)?;
                Some(candidate(text, rule, it))
            });
            self.known.extend(found.map(|(span, candidate)| Known {
                mark: *mark,
                span,
                candidate,
            }));
        }
    }

    fn search(&mut self, text: &[u8], span: Span, known: &KnownValues) {
        known.within(text, span.start, span.end, &mut |start, number| {
            self.all.push(Mark {
                start: start as u32,
                number: number as u32,
            });
        });
    }

    /// The marks that were copied, and those that begin in what was inserted, or so close before that their
    /// bytes are of it, or of two copies.
    fn inherit(&mut self, text: &[u8], edit: &Edit, base: &Self, known: &KnownValues) {
        let mut from = 0;
        for (start, end) in edit.gaps() {
            let start = start.saturating_sub(WINDOW - 1).max(from);
            if start < *end {
                self.search(text, Span::new(start, *end), known);
                from = *end;
            }
        }
        for copied in edit.copied() {
            let to = copied.from + (copied.end - copied.start);
            let first = base
                .all
                .partition_point(|it| (it.start as usize) < copied.from);
            let marks = base.all[first..].iter();
            let within = marks.take_while(|it| it.start as usize + WINDOW <= to);
            self.all.extend(within.map(|it| Mark {
                start: (it.start as usize + copied.start - copied.from) as u32,
                ..*it
            }));
        }
        self.all.sort_unstable();
    }

    /// What the base's text showed at a mark; `None` if that is not known to be the same.
    fn answer(
        &self,
        edit: &Edit,
        mark: Mark,
        before: usize,
        behind: usize,
    ) -> Option<Option<(Span, Arc<Candidate>)>> {
        let start = mark.start as isize;
        let (before, behind) = (isize::try_from(before).ok()?, isize::try_from(behind).ok()?);
        let end = start.checked_add(behind)?;
        let shift = edit.holding(start - before, end)?.shift();
        let mark = Mark {
            start: (start - shift) as u32,
            ..mark
        };
        let at = self.known.binary_search_by_key(&mark, |it| it.mark).ok();
        let moved = |at: usize| at.saturating_add_signed(shift);
        Some(at.map(|at| {
            let Known {
                span, candidate, ..
            } = &self.known[at];
            let span = Span::new(moved(span.start), moved(span.end));
            (span, Arc::clone(candidate))
        }))
    }
}

/// A value of the inventory, where it stands. Nothing beyond its sides is looked at.
fn candidate(text: &[u8], rule: usize, it: Recognised) -> (Span, Arc<Candidate>) {
    let Recognised { span, value, fact } = it;
    let start = span.start.saturating_sub(SIDE);
    let around = &text[start..text.len().min(span.end + SIDE)];
    let candidate = Candidate {
        rule,
        span,
        secret: Secret::new(&value),
        written: Written::Shape,
        key: assigned_name(around, span.start - start),
        confidence: Confidence::High,
        facts: vec![fact],
        purpose: None,
        inline: inline::comment(around, span.start - start),
        expires: None,
        details: Details::default(),
        content: None,
    };
    (span, Arc::new(candidate))
}
