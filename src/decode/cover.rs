//! Where encodings may hide something in a plain text, told from the edit where the text is made out of
//! another: what a stretch hides is a function of the bytes around it, so where these were copied, that it
//! shows nothing is known.
//!
//! Not here: documents, whose parts depend on the whole text, and what a stretch shows. A text in which
//! any shows something is looked at whole.

use super::escape::{self, LONGEST};
use super::view::{Hidden, View};
use super::walk::{self, Told};
use super::{ESCAPES, Options, RUNS, documents, run};
use crate::model::delta::Edit;
use crate::model::span::Span;

/// A text with more is looked at whole, and so is what is made out of it.
const MOST: usize = 1 << 14;

/// A stretch that may hide something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cover {
    span: Span,
    /// What it is a function of: from where to where. Beyond an end of the text: of the end, too.
    needs: (isize, isize),
    /// Bytes that were decoded.
    spent: usize,
    /// Whether it shows something, or may.
    is_loud: bool,
}

impl Cover {
    fn moved(self, shift: isize) -> Self {
        let moved = |at: usize| at.saturating_add_signed(shift);
        Self {
            span: Span::new(moved(self.span.start), moved(self.span.end)),
            needs: (self.needs.0 + shift, self.needs.1 + shift),
            ..self
        }
    }
}

/// Every such stretch of a text: runs, then each kind of escapes; each sorted.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Covers {
    kinds: [Vec<Cover>; 4],
}

impl Covers {
    /// Finds them in a plain text that is no container, and asks `shows` of each hidden text that is not
    /// known from the base. `None` if the text is better looked at whole.
    pub fn of(
        text: &[u8],
        base: Option<(&Edit, &Self)>,
        options: &Options,
        shows: &mut dyn FnMut(&View<'_>) -> bool,
    ) -> Option<Self> {
        let mut is_document = false;
        documents(text, &mut |_| is_document = true);
        if is_document {
            return None;
        }
        let mut judge = Judge {
            text,
            options,
            shows,
        };
        let mut covers = Self::default();
        match base {
            None => {
                let all = [Span::new(0, text.len())];
                covers.kinds[0] = runs(&all, Vec::new(), &mut judge);
                let stretches = escape::find_all(text, &ESCAPES);
                for (kind, stretches) in stretches.into_iter().enumerate() {
                    covers.kinds[kind + 1] = judge.escapes(kind, stretches);
                }
            }
            Some((edit, base)) => {
                let (known, parts) = inherited(edit, &base.kinds[0], 0);
                covers.kinds[0] = runs(&parts, known, &mut judge);
                // Nearly always there is none, and none comes with the edit.
                let had_none = base.kinds[1..].iter().all(Vec::is_empty);
                if !had_none || escape::may_begin(text, &ESCAPES, edit.gaps(), LONGEST) {
                    for (kind, escape) in ESCAPES.iter().enumerate() {
                        let (known, parts) = inherited(edit, &base.kinds[kind + 1], LONGEST);
                        let fresh = judge.escapes(kind, escape::find_in(text, escape, &parts));
                        covers.kinds[kind + 1] = merged(known, fresh);
                    }
                }
            }
        }
        let spent: usize = covers.all().map(|it| it.spent).sum();
        let is_cut = spent > walk::budget(text.len(), options);
        (!is_cut && covers.all().count() <= MOST).then_some(covers)
    }

    /// Whether nothing is hidden that shows anything.
    pub fn are_quiet(&self) -> bool {
        !self.all().any(|it| it.is_loud)
    }

    /// About how many bytes they take.
    pub fn size(&self) -> usize {
        self.all().count() * size_of::<Cover>()
    }

    fn all(&self) -> impl Iterator<Item = &Cover> {
        self.kinds.iter().flatten()
    }
}

/// Asks what stretches show.
struct Judge<'j> {
    text: &'j [u8],
    options: &'j Options,
    shows: &'j mut dyn FnMut(&View<'_>) -> bool,
}

impl Judge<'_> {
    fn told(&mut self, hidden: Option<Hidden>) -> Told {
        let alone = |it| walk::hidden_alone(self.text, self.options, it, self.shows);
        hidden.map_or(Told::NOTHING, alone)
    }

    fn cover(&mut self, span: Span, needs: (isize, isize), hidden: Option<Hidden>) -> Cover {
        let Told { spent, is_loud } = self.told(hidden);
        Cover {
            span,
            needs,
            spent,
            is_loud,
        }
    }

    fn escapes(&mut self, kind: usize, stretches: Vec<escape::Stretch>) -> Vec<Cover> {
        let escape = &ESCAPES[kind];
        let covers = stretches.into_iter().map(|it| {
            let patch = escape::patched(self.text, it.span, escape);
            let hidden = patch.map(|it| it.hidden(escape.name, None));
            self.cover(it.span, it.needs(), hidden)
        });
        covers.collect()
    }
}

/// The runs that begin in some parts of the text or reach into them. A run takes the lines with it that go
/// on from it: those that are known already give way.
fn runs(parts: &[Span], known: Vec<Cover>, judge: &mut Judge<'_>) -> Vec<Cover> {
    let text = judge.text;
    let mut covers = Vec::new();
    let mut known = known.into_iter().peekable();
    let mut from = 0;
    for part in parts {
        let mut end = part.end;
        from = from.max(run::start_before(text, part.start));
        while let Some(before) = known.next_if(|it| it.span.start < from) {
            covers.push(before);
        }
        while let Some(found) = run::next(text, from, end) {
            let (hidden, seen) = run::read(text, found, RUNS);
            let taken = hidden.as_ref().and_then(Hidden::whole);
            from = taken.map_or(found.end, |it| it.end.max(found.end));
            while let Some(over) = known.next_if(|it| it.span.start < from) {
                if over.span.end <= found.start {
                    covers.push(over);
                } else {
                    end = end.max(over.span.end);
                }
            }
            if hidden.is_some() || seen > found.end {
                let needs = (found.start as isize - 1, (seen.max(found.end + 1)) as isize);
                let span = Span::new(found.start, from);
                covers.push(judge.cover(span, needs, hidden));
            }
        }
    }
    covers.extend(known);
    covers
}

/// What is known of the base, and the parts of the text that are to be looked at: what was not copied,
/// and as many bytes before it, and where the base had what can not be taken over.
fn inherited(edit: &Edit, base: &[Cover], before: usize) -> (Vec<Cover>, Vec<Span>) {
    let mut known = Vec::with_capacity(base.len());
    let gaps = edit.gaps().iter();
    let mut parts: Vec<Span> = gaps
        .map(|(start, end)| Span::new(start.saturating_sub(before), *end))
        .collect();
    for copied in edit.copied().iter().filter(|_| !base.is_empty()) {
        let (reach, shift) = (edit.reach(*copied), copied.shift());
        let to = copied.from + (copied.end - copied.start);
        let first = base.partition_point(|it| it.span.end <= copied.from);
        for cover in base[first..].iter().take_while(|it| it.span.start < to) {
            let moved = cover.moved(shift);
            if reach.holds(moved.needs.0, moved.needs.1) {
                known.push(moved);
            } else {
                let start = cover.span.start.max(copied.from);
                let end = cover.span.end.min(to);
                let moved = |at: usize| at.saturating_add_signed(shift);
                parts.push(Span::new(moved(start), moved(end)));
            }
        }
    }
    (known, joined(parts))
}

/// Sorted, and without overlaps.
fn joined(mut parts: Vec<Span>) -> Vec<Span> {
    if !parts.is_sorted() {
        parts.sort_unstable();
    }
    parts.dedup_by(|next, last| {
        let touch = next.start <= last.end;
        if touch {
            last.end = last.end.max(next.end);
        }
        touch
    });
    parts
}

fn merged(known: Vec<Cover>, fresh: Vec<Cover>) -> Vec<Cover> {
    if fresh.is_empty() {
        return known;
    }
    let mut all = known;
    all.extend(fresh);
    all.sort_unstable_by_key(|it| it.span);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::{BASE64, HEXLOWER};
    use proptest::prelude::*;
    use proptest::sample::Index;

    fn shows(view: &View<'_>) -> bool {
        memchr::memmem::find(&view.text, b"shows").is_some()
    }

    fn alone(text: &[u8]) -> Option<Covers> {
        Covers::of(text, None, &Options::default(), &mut shows)
    }

    /// Base64 in lines of one length, behind some white space.
    fn wrapped(text: &str, width: usize, indent: &str) -> String {
        let whole = BASE64.encode(text.as_bytes());
        let lines = whole.as_bytes().chunks(width);
        let lines = lines.map(|it| format!("{indent}{}\n", String::from_utf8_lossy(it)));
        lines.collect()
    }

    fn piece() -> impl Strategy<Value = String> {
        let words = "[a-z =.;()\"]{0,90}\n?";
        let long = "[a-z ]{40,160}(shows)?[a-z ]{40,160}";
        prop_oneof![
            4 => words,
            1 => "[A-Za-z0-9+/]{20,130}[ \n]",
            1 => ("[a-z0-9 ]{18,60}(shows)?").prop_map(|it| BASE64.encode(it.as_bytes())),
            1 => ("[a-z0-9 ]{18,60}(shows)?").prop_map(|it| HEXLOWER.encode(it.as_bytes())),
            2 => (long, 12..20_usize, " {0,3}")
                .prop_map(|(text, width, indent)| wrapped(&text, width * 4, &indent)),
            1 => (long, 12..20_usize).prop_map(|(text, width)| {
                let lines = wrapped(&text, width * 4, "");
                wrapped(&lines, 76, "")
            }),
            2 => "(%[2-7][0-9A-F]|\\\\u00[4-6][0-9]|\\\\\\\\x4[1-9]|&quot;|&#6[5-9];)(sh%6Fws)?",
            1 => "[ -~]{300,900}\n",
        ]
    }

    /// The text with pieces left out, put in, moved and repeated.
    fn edited(base: &[u8], cuts: &[(Index, Index, String)], edit: &mut Edit) -> Vec<u8> {
        let mut out = Vec::new();
        edit.reset(base.len());
        let mut at = 0;
        for (place, length, put) in cuts {
            let start = place.index(base.len() + 1);
            // Mostly onwards, sometimes back: then a part comes once more.
            if start >= at {
                edit.copy(at, start - at);
                out.extend(&base[at..start]);
            }
            edit.insert(put.len());
            out.extend(put.as_bytes());
            at = (start + length.index(120)).min(base.len());
        }
        edit.copy(at, base.len() - at);
        out.extend(&base[at..]);
        edit.finish();
        out
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        #[test]
        fn what_an_edit_leaves_is_what_a_look_at_the_whole_finds(
            pieces in prop::collection::vec(piece(), 0..40),
            rounds in prop::collection::vec(
                prop::collection::vec((any::<Index>(), any::<Index>(), prop_oneof![Just(String::new()), piece()]), 0..5),
                1..4,
            ),
        ) {
            let mut text = pieces.concat().into_bytes();
            let mut covers = alone(&text);
            for cuts in rounds {
                let mut edit = Edit::default();
                let after = edited(&text, &cuts, &mut edit);
                let base = covers.as_ref().map(|it| (&edit, it));
                let found = Covers::of(&after, base, &Options::default(), &mut shows);
                prop_assert_eq!(&found, &alone(&after), "{:?}", String::from_utf8_lossy(&after));
                (text, covers) = (after, found);
            }
        }
    }

    #[test]
    fn what_is_hidden_is_loud_or_quiet() {
        for (text, covered, is_quiet) in [
            ("plain text of words\n".to_owned(), false, true),
            (
                BASE64.encode(b"this text is of no interest to anybody"),
                true,
                true,
            ),
            (
                BASE64.encode(b"this text shows more than it ought to"),
                true,
                false,
            ),
            ("a%41bc sh%6Fws\n".to_owned(), true, false),
            ("a%41bc\n".to_owned(), true, true),
        ] {
            let covers = alone(text.as_bytes()).unwrap_or_default();
            assert_eq!(covers.all().next().is_some(), covered, "{text}");
            assert_eq!(covers.are_quiet(), is_quiet, "{text}");
        }
    }
}
