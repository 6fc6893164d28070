//! The way from commits down to all that is asked for: found anew, or by what an earlier survey left.
//!
//! Not here: what happened on the way (see `origins`), and how it is written down (see `record`).

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::source::growth::{self, Growth};
use crate::source::history::{History, HistoryOptions, Past};
use crate::source::missing::Missing;
use crate::source::objects::Visit;
use crate::source::origins::{self, Question, Table};
use crate::source::pack::Kind;
use crate::source::record::Known;
use crate::source::roster::Roster;
use crate::source::sketch::Sketch;
use crate::source::trees::{self, Bearers, Each};
use std::collections::HashSet;

/// What is asked for, and what is known already.
pub(crate) struct Search<'a> {
    pub(crate) history: &'a History,
    pub(crate) options: &'a HistoryOptions,
    pub(crate) flagged: &'a HashSet<ObjectId>,
    /// Names of files and folders that showed something.
    pub(crate) names: &'a HashSet<&'a str>,
    pub(crate) missing: &'a Missing,
    /// What an earlier survey left.
    pub(crate) known: Option<Known>,
    /// Who knows what came later, if anything did.
    pub(crate) later: Option<&'a Past>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Way {
    pub(crate) table: Table,
    /// Trees that could not be read.
    pub(crate) lost: Vec<Gap>,
    /// What bears names that showed something.
    pub(crate) bearers: HashSet<ObjectId>,
    /// All that is asked for.
    pub(crate) all: HashSet<ObjectId>,
    /// Whether it carries on an earlier one, so that the numbers of trees are still what they were.
    pub(crate) is_carried_on: bool,
}

impl Way {
    /// Who was met, with what stands for each tree in a record of these numbers.
    pub(crate) fn roster(&self, mut roster: Roster, used: &[u32], past: &Past) -> Roster {
        let place = |number: u32| used.binary_search(&number).ok().map(|it| it as u32);
        roster.restand(|it| place(it).filter(|_| self.is_carried_on));
        for (id, number) in &self.table.numbers {
            roster.set(past.hash(id), place(*number));
        }
        roster
    }
}

impl<'a> Search<'a> {
    /// Reads some objects: those that came later where an earlier survey is carried on, else all.
    pub(crate) fn each(&self) -> Box<Each<'a>> {
        let (history, options) = (self.history, self.options);
        match self.later.and_then(Past::newcomers) {
            Some((newcomers, _)) => Box::new(move |kinds: &'static [Kind], visit: &dyn Visit| {
                history.each_of(newcomers, options, kinds, visit);
            }),
            None => Box::new(move |kinds: &'static [Kind], visit: &dyn Visit| {
                history.each(options, kinds, visit);
            }),
        }
    }

    /// Finds the way. `sketch` is that of the flagged, if it is at hand.
    pub(crate) fn way(&mut self, sketch: Option<Sketch>) -> Way {
        let examples = self.missing.examples();
        let bearers = self.bearers();
        let more: HashSet<ObjectId> = bearers.iter().chain(&examples).copied().collect();
        let all: HashSet<ObjectId> = self.flagged.union(&more).copied().collect();
        let known = self.known_table(&all, &examples);
        let is_carried_on = known.is_some();
        let (table, lost) = known.unwrap_or_else(|| {
            // What came to light by the survey was not asked for by it.
            let is_whole = bearers.is_empty() && !self.missing.is_more();
            self.new_table(&all, &examples, sketch.filter(|_| is_whole))
        });
        Way {
            table,
            lost,
            bearers,
            all,
            is_carried_on,
        }
    }

    /// Blobs whose places tell where the names are: those with such a name, and of folders one below.
    fn bearers(&self) -> HashSet<ObjectId> {
        let known = self.known.as_ref();
        let mut bearers = known.map_or_else(HashSet::new, |it| it.bearers.clone());
        let is_all_known = known.is_some() && self.later.is_none();
        if !is_all_known && !self.names.is_empty() {
            let history = self.history;
            let found = Bearers::of(&*self.each(), self.names);
            bearers.extend(found.iter().filter_map(|(id, is_tree)| match is_tree {
                true => trees::first_blob(&|id| history.object(id), *id),
                false => Some(*id),
            }));
        }
        bearers
    }

    /// The table that an earlier survey left, with what came later.
    fn known_table(
        &mut self,
        all: &HashSet<ObjectId>,
        examples: &HashSet<ObjectId>,
    ) -> Option<(Table, Vec<Gap>)> {
        let known = self.known.as_mut()?;
        let Some(past) = self.later else {
            let is_same = known.all == *all;
            return is_same.then(|| (std::mem::take(&mut known.table), Vec::new()));
        };
        let (newcomers, roster) = past.newcomers()?;
        let objects = self.history.objects();
        let loose = objects.loose();
        let has = |it: &ObjectId| objects.is_packed(it) || loose.contains(it);
        // What was there and was not asked for may lie where nobody looked.
        let is_new = |it: &&ObjectId| newcomers.contains(it) || !has(it) && !known.lacks(it);
        if !known.all.is_subset(all) || !all.difference(&known.all).all(|it| is_new(&it)) {
            return None;
        }
        let table = std::mem::take(&mut known.table);
        let growth = Growth {
            flagged: all,
            absent: examples,
            newcomers,
            stand: &|id| roster.stand(past.hash(id)),
        };
        Some(growth::grown(table, &*self.each(), &growth))
    }

    fn new_table(
        &self,
        all: &HashSet<ObjectId>,
        examples: &HashSet<ObjectId>,
        sketch: Option<Sketch>,
    ) -> (Table, Vec<Gap>) {
        if all.is_empty() {
            return Default::default();
        }
        let each = |kinds: &'static [Kind], visit: &dyn Visit| {
            self.history.each(self.options, kinds, visit);
        };
        let mut sketch = sketch.unwrap_or_else(|| Sketch::of(&each, all, None));
        let lost = std::mem::take(&mut sketch.lost);
        if let Some(table) = sketch.table(all, examples) {
            return (table, lost);
        }
        drop(sketch);
        let question = Question {
            flagged: all,
            marks: &trees::marks(&each, all.iter()),
            absent: examples,
        };
        origins::table(&each, &question)
    }
}
