//! What a look at a text leaves behind, so that a text made from it by an edit need not be looked at
//! whole: where keywords stand, and what was found around them.
//!
//! Everything found belongs to a place whose surroundings it is a function of: a shape to its window
//! (the keywords of one rule that follow closely), a named value to the keyword in its name. Where an
//! edit leaves those surroundings alone the finding is inherited; everything else is looked at again.
//!
//! Not here: what the surroundings are searched for.

use super::lead::Lead;
use super::marks::Marks;
use crate::model::delta::{Edit, Reach};
use crate::model::finding::Candidate;
use crate::model::part::Bond;
use crate::model::span::Span;
use std::sync::{Arc, OnceLock};

/// How far around its window, or around the keyword in its name, anything is looked at that makes up a
/// candidate: comments on its line, words near it.
pub(crate) const SIDE: usize = 704;
/// How far behind the keyword in a name its value is looked for.
pub(crate) const AHEAD: usize = 1536;
/// The same where the value is a list, or is written far off.
pub(crate) const FAR_AHEAD: usize = 12 << 10;
/// How far before a match its keyword may stand.
const LEAD: usize = 64;
/// A keyword in a name that was read is not asked again; its last may stand this far before.
const NAME: usize = 80;

/// A keyword in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hit {
    pub(crate) start: u32,
    /// Its number, and in the highest bit whether its value was looked for far off.
    keyword: u32,
}

const FAR: u32 = 1 << 31;

impl Hit {
    pub(crate) fn new(keyword: usize, start: usize) -> Self {
        Self {
            start: start as u32,
            keyword: keyword as u32,
        }
    }

    pub(crate) fn keyword(self) -> usize {
        (self.keyword & !FAR) as usize
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    /// What hits are sorted by.
    pub(crate) fn order(&self) -> (u32, u32) {
        (self.start, self.keyword & !FAR)
    }

    fn is_far(self) -> bool {
        self.keyword & FAR != 0
    }

    /// Remembers whether the value was looked for far off.
    pub(crate) fn set_far(&mut self, is_far: bool) {
        self.keyword = self.keyword & !FAR | if is_far { FAR } else { 0 };
    }
}

/// A candidate and where it is in the text at hand.
#[derive(Clone, Debug)]
pub struct Found {
    /// The secret's bytes. The candidate's own span tells where it was seen first, perhaps in another
    /// text.
    pub span: Span,
    /// Shared by all texts that inherited it.
    pub candidate: Arc<Candidate>,
    /// What of the text at hand belongs to it; told when all is settled, and never inherited.
    pub bond: Bond,
}

impl Found {
    fn moved(&self, shift: isize) -> Self {
        let moved = |at: usize| at.saturating_add_signed(shift);
        Self {
            span: Span::new(moved(self.span.start), moved(self.span.end)),
            candidate: Arc::clone(&self.candidate),
            bond: Bond::Alone,
        }
    }
}

/// What a pattern matched, and the window in which it was run.
#[derive(Clone, Debug)]
pub(crate) struct Shaped {
    pub(crate) window: Span,
    pub(crate) found: Found,
}

/// A value that a name gave away.
#[derive(Clone, Debug)]
pub(crate) struct Called {
    /// The keyword in its name.
    pub(crate) hit: usize,
    pub(crate) is_far: bool,
    pub(crate) found: Found,
}

/// What a look at a text left behind.
#[derive(Clone, Default, Debug)]
pub struct Trail {
    /// Sorted.
    pub(crate) hits: Vec<Hit>,
    /// Sorted by window and rule.
    pub(crate) shaped: Vec<Shaped>,
    /// Sorted by hit.
    pub(crate) called: Vec<Called>,
    /// Values of an inventory.
    pub(crate) marks: Marks,
}

impl Trail {
    /// About how many bytes it takes.
    pub fn size(&self) -> usize {
        size_of_val(self.hits.as_slice())
            + size_of_val(self.shaped.as_slice())
            + size_of_val(self.called.as_slice())
            + self.marks.size()
            + self.found() * (size_of::<Candidate>() + 64)
    }

    pub(crate) fn clear(&mut self) {
        self.hits.clear();
        self.shaped.clear();
        self.called.clear();
        self.marks.clear();
    }

    /// How many candidates there are.
    pub(crate) fn found(&self) -> usize {
        self.shaped.len() + self.called.len() + self.marks.found()
    }

    pub(crate) fn sort(&mut self) {
        self.shaped
            .sort_by_key(|it| (it.window, it.found.candidate.rule));
        self.called.sort_by_key(|it| it.hit);
    }
}

/// What stands behind each keyword.
#[derive(Debug)]
pub(crate) struct Keywords {
    lengths: Vec<usize>,
    /// By keyword: rules with a pattern.
    shapes: Vec<Vec<usize>>,
    /// By keyword: which of its hits can be part of a pattern; worked out when the first is met.
    leads: Vec<OnceLock<Lead>>,
    /// By keyword: how far around a hit an edit must keep off, that nothing about it be looked at again;
    /// worked out when the first is met.
    margins_of: Vec<OnceLock<isize>>,
    /// By keyword: the rule under which a name is asked for its value.
    names: Vec<Option<usize>>,
    /// By rule: its keywords, where it has a pattern.
    of_rule: Vec<Vec<u32>>,
    longest: usize,
    /// How far before and behind a place anchors of keywords that touch it can stand.
    margins: (usize, usize),
}

/// How far from a keyword what a pattern matches can lie, besides the lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Around {
    /// Nothing, where every match begins with a keyword.
    pub(crate) before: usize,
    pub(crate) behind: usize,
}

/// A window of a rule.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Window {
    pub(crate) span: Span,
    pub(crate) rule: usize,
}

/// Lists used from text to text.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    open: Vec<Option<Span>>,
    touched: Vec<usize>,
    /// To be searched.
    pub(crate) windows: Vec<Window>,
    /// Numbers of hits whose names are to be asked, and whether their answer counts: else it is known,
    /// and only tells whether a hit close behind is asked.
    pub(crate) names: Vec<(usize, bool)>,
    fresh: Vec<Hit>,
    merged: Vec<Hit>,
    done: Vec<usize>,
}

impl Keywords {
    /// The words: their lengths, rules with a pattern, and the rule for names. `margins` are those of the
    /// search for them.
    pub(crate) fn new<'a>(
        words: impl Iterator<Item = (usize, &'a [usize], Option<usize>)>,
        rules: usize,
        margins: (usize, usize),
    ) -> Self {
        let mut this = Self {
            longest: 0,
            margins,
            lengths: Vec::new(),
            shapes: Vec::new(),
            leads: Vec::new(),
            margins_of: Vec::new(),
            names: Vec::new(),
            of_rule: vec![Vec::new(); rules],
        };
        for (number, (length, shapes, name)) in words.enumerate() {
            for rule in shapes {
                this.of_rule[*rule].push(number as u32);
            }
            this.longest = this.longest.max(length);
            this.lengths.push(length);
            this.shapes.push(shapes.to_vec());
            this.leads.push(OnceLock::new());
            this.margins_of.push(OnceLock::new());
            this.names.push(name);
        }
        this
    }

    /// Where a hit ends.
    pub(crate) fn end(&self, hit: Hit) -> usize {
        hit.start() + self.lengths[hit.keyword()]
    }

    /// The rules of which the hit may be part of a pattern.
    pub(crate) fn shapes(&self, hit: Hit) -> &[usize] {
        &self.shapes[hit.keyword()]
    }

    /// The rule under which the name around the hit is asked for its value.
    pub(crate) fn name(&self, hit: Hit) -> Option<usize> {
        self.names[hit.keyword()]
    }

    /// What a hit must look like to be part of a pattern.
    pub(crate) fn lead(&self, hit: Hit, work_out: impl FnOnce(&[usize]) -> Lead) -> &Lead {
        self.leads[hit.keyword()].get_or_init(|| work_out(self.shapes(hit)))
    }

    fn window(&self, hit: Hit, around: Around) -> Span {
        let end = self.end(hit) + LEAD + around.behind;
        Span::new(hit.start().saturating_sub(around.before), end)
    }

    /// The windows of all rules: each keeps one open and lets it grow while keywords follow closely, so
    /// that no byte is run through a pattern twice.
    pub(crate) fn windows(
        &self,
        hits: &[Hit],
        length: usize,
        around: impl Fn(usize) -> Around,
        lists: &mut Lists,
    ) {
        lists.windows.clear();
        lists.open.resize(self.of_rule.len(), None);
        for hit in hits {
            for rule in &self.shapes[hit.keyword()] {
                let span = self.window(*hit, around(*rule));
                match &mut lists.open[*rule] {
                    Some(open) if span.start <= open.end => open.end = open.end.max(span.end),
                    Some(open) => {
                        let window = Window {
                            span: *open,
                            rule: *rule,
                        };
                        lists.windows.push(window);
                        *open = span;
                    }
                    closed => {
                        *closed = Some(span);
                        lists.touched.push(*rule);
                    }
                }
            }
        }
        for rule in lists.touched.drain(..) {
            let span = lists.open[rule].take();
            lists.windows.extend(span.map(|span| Window { span, rule }));
        }
        for window in &mut lists.windows {
            window.span.end = window.span.end.min(length);
        }
        lists.windows.sort_unstable();
    }

    /// The window of a rule that a hit belongs to, and the first hit behind it.
    fn window_around(&self, hits: &[Hit], at: usize, rule: usize, around: Around) -> (Span, usize) {
        let words = &self.of_rule[rule];
        let is_of_rule = |hit: Hit| words.contains(&(hit.keyword() as u32));
        let mut span = self.window(hits[at], around);
        for hit in hits[..at].iter().rev() {
            if hit.start() + self.longest + LEAD + around.behind < span.start {
                break;
            }
            if is_of_rule(*hit) {
                let window = self.window(*hit, around);
                if window.end >= span.start {
                    span.start = window.start;
                    span.end = span.end.max(window.end);
                }
            }
        }
        let mut after = at + 1;
        while let Some(hit) = hits.get(after)
            && self.window(*hit, around).start <= span.end
        {
            if is_of_rule(*hit) {
                span.end = span.end.max(self.window(*hit, around).end);
            }
            after += 1;
        }
        (span, after)
    }

    /// How far around a window an edit must leave the text alone, that the window be the same: no other
    /// keyword may join it.
    fn guard(&self, reach: usize) -> usize {
        SIDE.max(self.longest + LEAD + reach)
    }

    /// Beyond this no window of a hit can have an edit in its guard.
    fn margin(&self, reach: usize) -> isize {
        (2 * self.longest + LEAD + reach + self.guard(reach)) as isize
    }

    /// The same for all that a hit may be part of, names whose value is near included.
    fn margin_of(&self, hit: Hit, around: &impl Fn(usize) -> Around) -> isize {
        let shapes = self.shapes(hit).iter();
        let shapes = shapes.map(|it| self.margin(around(*it).behind)).max();
        let name = self.name(hit).map(|_| AHEAD.max(SIDE + NAME) as isize);
        shapes.max(name).unwrap_or_default()
    }

    /// Takes what is left alone by an edit, and lists what is to be looked at again: `lists.windows` and
    /// `lists.names`. `search` finds the keywords that have their anchor in a part of the text. `false` if
    /// too much was changed.
    pub(crate) fn inherit(
        &self,
        edit: &Edit,
        base: &Trail,
        around: impl Fn(usize) -> Around,
        search: &mut dyn FnMut(Span, &mut Vec<Hit>),
        lists: &mut Lists,
        trail: &mut Trail,
    ) -> bool {
        if !self.find_fresh(edit, search, lists) {
            return false;
        }
        self.take_hits(edit, base, lists, trail);
        self.mark(edit, &around, lists, &trail.hits);
        self.take_found(edit, base, &around, trail);
        true
    }

    /// Finds keywords in what was inserted and where copies meet.
    fn find_fresh(
        &self,
        edit: &Edit,
        search: &mut dyn FnMut(Span, &mut Vec<Hit>),
        lists: &mut Lists,
    ) -> bool {
        lists.fresh.clear();
        let (before, behind) = self.margins;
        let mut searched = 0;
        let mut open: Option<Span> = None;
        let mut look = |span: Span| {
            searched += span.len();
            let enough = searched <= edit.length() / 8 * 7;
            if enough {
                search(span, &mut lists.fresh);
            }
            enough
        };
        for (start, end) in edit.gaps() {
            let span = Span::new(
                start.saturating_sub(before),
                (end + behind).min(edit.length()),
            );
            match &mut open {
                Some(before) if span.start <= before.end => before.end = span.end,
                before => {
                    if !before.replace(span).is_none_or(&mut look) {
                        return false;
                    }
                }
            }
        }
        if !open.is_none_or(&mut look) {
            return false;
        }
        lists.fresh.retain(|hit| {
            let end = self.end(*hit) as isize;
            edit.holding(hit.start() as isize - 1, end + 1).is_none()
        });
        lists.fresh.sort_unstable_by_key(Hit::order);
        true
    }

    /// The hits of the base that were copied, one byte around them included, and the fresh ones.
    fn take_hits(&self, edit: &Edit, base: &Trail, lists: &mut Lists, trail: &mut Trail) {
        let taken = &mut lists.merged;
        taken.clear();
        for copied in edit.copied() {
            let (reach, shift) = (edit.reach(*copied), copied.shift());
            let moved = |hit: &Hit| hit.start as isize + shift;
            let first = base.hits.partition_point(|hit| moved(hit) <= reach.start);
            for hit in &base.hits[first..] {
                let start = moved(hit);
                if start >= reach.end {
                    break;
                }
                let end = start + self.lengths[hit.keyword()] as isize;
                if end < reach.end {
                    taken.push(Hit {
                        start: start as u32,
                        keyword: hit.keyword,
                    });
                }
            }
        }
        trail.hits.clear();
        let mut fresh = lists.fresh.iter().peekable();
        for hit in taken {
            while let Some(new) = fresh.next_if(|it| it.order() < hit.order()) {
                trail.hits.push(*new);
            }
            trail.hits.push(*hit);
        }
        trail.hits.extend(fresh);
    }

    /// Lists the windows and names that an edit may have touched.
    fn mark(
        &self,
        edit: &Edit,
        around: &impl Fn(usize) -> Around,
        lists: &mut Lists,
        hits: &[Hit],
    ) {
        lists.windows.clear();
        lists.names.clear();
        lists.done.resize(self.of_rule.len(), 0);
        let mut copied = edit.copied().iter().peekable();
        for (at, hit) in hits.iter().enumerate() {
            while copied.next_if(|it| it.end <= hit.start()).is_some() {}
            let known = copied
                .peek()
                .filter(|it| it.start <= hit.start())
                .map(|it| edit.reach(**it));
            let start = hit.start() as isize;
            let far = self.margins_of[hit.keyword()].get_or_init(|| self.margin_of(*hit, around));
            if !hit.is_far() && known.is_some_and(|it| it.holds(start - far, start + far)) {
                continue;
            }
            if self.names[hit.keyword()].is_some() && !is_known_name(known, start, hit.is_far()) {
                self.mark_name(hits, at, lists);
            }
            for rule in &self.shapes[hit.keyword()] {
                let around = around(*rule);
                let reach = around.behind;
                let margin = self.margin(reach);
                if known.is_some_and(|it| it.holds(start - margin, start + margin))
                    || at < lists.done[*rule]
                {
                    continue;
                }
                let (mut span, after) = self.window_around(hits, at, *rule, around);
                if lists.done[*rule] == 0 {
                    lists.touched.push(*rule);
                }
                lists.done[*rule] = after;
                span.end = span.end.min(edit.length());
                if !is_known_window(edit, span, self.guard(reach)) {
                    lists.windows.push(Window { span, rule: *rule });
                }
            }
        }
        for rule in lists.touched.drain(..) {
            lists.done[rule] = 0;
        }
    }

    /// Lists a name, and before it those whose answer may tell that it is not asked.
    fn mark_name(&self, hits: &[Hit], at: usize, lists: &mut Lists) {
        let listed = lists.names.last().map_or(0, |it| it.0 + 1);
        let mut first = at;
        while first > listed && hits[first - 1].start() + NAME > hits[at].start() {
            first -= 1;
        }
        let before = (first..at).filter(|it| self.names[hits[*it].keyword()].is_some());
        lists.names.extend(before.map(|it| (it, false)));
        lists.names.push((at, true));
    }

    /// Takes the candidates whose surroundings were copied.
    fn take_found(
        &self,
        edit: &Edit,
        base: &Trail,
        around: &impl Fn(usize) -> Around,
        trail: &mut Trail,
    ) {
        trail.shaped.clear();
        trail.called.clear();
        if base.found() == 0 {
            return;
        }
        for copied in edit.copied() {
            let (known, shift) = (edit.reach(*copied), copied.shift());
            let moved = |at: usize| at as isize + shift;
            let first = base
                .shaped
                .partition_point(|it| moved(it.window.start) < known.start);
            for it in &base.shaped[first..] {
                if moved(it.window.start) >= known.end {
                    break;
                }
                let guard = self.guard(around(it.found.candidate.rule).behind) as isize;
                let (start, end) = (moved(it.window.start), moved(it.window.end));
                if known.holds(start - guard, end + guard) {
                    trail.shaped.push(Shaped {
                        window: Span::new(start as usize, end as usize),
                        found: it.found.moved(shift),
                    });
                }
            }
            let first = base
                .called
                .partition_point(|it| moved(it.hit) < known.start);
            for it in &base.called[first..] {
                if moved(it.hit) >= known.end {
                    break;
                }
                if is_known_name(Some(known), moved(it.hit), it.is_far) {
                    trail.called.push(Called {
                        hit: moved(it.hit) as usize,
                        is_far: it.is_far,
                        found: it.found.moved(shift),
                    });
                }
            }
        }
    }
}

/// Whether all that is looked at for a name, and for those whose answer decides whether it is asked, is
/// as it was.
fn is_known_name(known: Option<Reach>, start: isize, is_far: bool) -> bool {
    let ahead = if is_far { FAR_AHEAD } else { AHEAD };
    known.is_some_and(|it| it.holds(start - (SIDE + NAME) as isize, start + ahead as isize))
}

fn is_known_window(edit: &Edit, window: Span, guard: usize) -> bool {
    let guard = guard as isize;
    let (start, end) = (window.start as isize, window.end as isize);
    edit.holding(start - guard, end + guard).is_some()
}
