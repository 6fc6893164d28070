//! What a repository holds beside its blobs, read once: commits, tags, trees and refs; and from it, where
//! blobs and other texts came from, and what is missing.
//!
//! Not here: any of the four in particular. Each has a file of its own; this one has them meet.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::origin::{Aside, Origin, OriginKind};
use crate::source::asides::Asides;
use crate::source::commits::{Gathered, Gatherer};
use crate::source::graph::Graph;
use crate::source::history::{History, HistoryOptions};
use crate::source::holders::{self, Holders};
use crate::source::lives::Lives;
use crate::source::mailmap::Mailmap;
use crate::source::missing::Missing;
use crate::source::objects::Visit;
use crate::source::origins::{self, ByBlob, Place, Question, Witness};
use crate::source::pack::Kind;
use crate::source::refs::{self, Refs};
use crate::source::trees::{self, Bearers, Marks, News};
use crate::source::{Sink, repository};
use std::collections::{HashMap, HashSet};

/// The origins of flagged blobs and of texts that are no blobs.
pub struct Origins {
    /// Where each flagged blob lies: at least one way for each, sorted, and the number of the place if a
    /// commit has it. What happened there is asked of the lives.
    pub by_blob: HashMap<ObjectId, Vec<(Origin, Option<u32>)>>,
    /// Sorted; at least one for each text asked for.
    pub by_aside: HashMap<Aside, Vec<Origin>>,
    /// What happened at places, by their numbers.
    pub lives: Lives,
    /// What could not be read: origins may be missing, or objects are.
    pub gaps: Vec<Gap>,
}

/// What was read beside blobs.
pub struct Survey {
    refs: Refs,
    gathered: Gathered,
    /// For the blobs that were flagged when the survey was made.
    marks: Marks,
    missing: Missing,
    gaps: Vec<Gap>,
}

impl Survey {
    pub(crate) fn of(
        history: &History,
        options: &HistoryOptions,
        flagged: &HashSet<ObjectId>,
        sink: &dyn Sink,
    ) -> Self {
        let library = history.library();
        let refs = Refs::of(library);
        refs.each_name(sink);
        refs::each_log(library.commondir(), options.max_size, sink);
        let each = |kinds: &'static [Kind], visit: &dyn Visit| history.each(options, kinds, visit);
        let gatherer = Gatherer::new(sink);
        each(&[Kind::Commit, Kind::Tag], &gatherer);
        let mut gathered = gatherer.finish(&refs);
        let news = News::new(history.objects(), sink);
        let marks = trees::marks(&each, flagged.iter(), Some(&news));
        let mut gaps = std::mem::take(&mut gathered.gaps);
        gaps.extend(repository::not_followed(library, &refs));
        let ends = repository::shallow_boundary(library);
        let mut missing = Missing::of(&gathered, &refs, &ends, &|id| news.has(id));
        let (absent, lost) = news.finish();
        missing.add(absent);
        gaps.extend(lost);
        Self {
            refs,
            gathered,
            marks,
            missing,
            gaps,
        }
    }

    pub(crate) fn origins(
        self,
        history: &History,
        options: &HistoryOptions,
        flagged: &HashSet<ObjectId>,
        asides: &HashSet<Aside>,
    ) -> Origins {
        let library = history.library();
        let each = |kinds: &'static [Kind], visit: &dyn Visit| history.each(options, kinds, visit);
        let names = asides.iter().filter(|it| it.kind == OriginKind::FileName);
        let names: HashSet<&str> = names.map(|it| it.path.as_str()).collect();
        let bearers = self.bearers(history, &each, &names);
        let examples = self.missing.examples();
        let more: HashSet<ObjectId> = bearers.iter().chain(&examples).copied().collect();
        let all: HashSet<ObjectId> = flagged.union(&more).copied().collect();
        // What came to light by the survey was not marked by it.
        let marks = match bearers.is_empty() && !self.missing.is_more() {
            true => self.marks,
            false => trees::marks(&each, all.iter(), None),
        };
        let mut gaps = self.gaps;
        let gathered = &self.gathered;
        let cloned = self.refs.cloned().map(|it| holders::peeled(gathered, it));
        let graph = Graph::of(&gathered.commits, cloned);
        let holders = Holders::of(&self.refs, gathered, &graph);
        let mailmap = Mailmap::of(library);
        let witness = Witness {
            graph: &graph,
            holders: &holders,
            mailmap: &mailmap,
            head: head(library),
        };
        let (table, lost) = match all.is_empty() {
            true => Default::default(),
            false => origins::table(
                &each,
                &Question {
                    flagged: &all,
                    marks: &marks,
                    absent: &examples,
                },
            ),
        };
        gaps.extend(lost);
        let (places, lives) = origins::places(table, &witness, &mut gaps);
        gaps.extend(self.missing.gaps(library, &places));
        let mut by_blob = ByBlob::new();
        let of_blobs = |it: &&Place| flagged.contains(&it.blob);
        for place in places.iter().filter(of_blobs) {
            let origin = origins::origin(place, &gathered.commits, &self.refs);
            let origins = by_blob.entry(place.blob).or_default();
            origins.push((origin, Some(place.number)));
        }
        origins::add_homeless(library, flagged, &mut by_blob);
        by_blob.values_mut().for_each(|it| it.sort());
        let by_aside = Asides {
            history,
            each: &each,
            gathered,
            places: &places,
            lives: &lives,
            witness: &witness,
        };
        let by_aside = by_aside.origins(asides);
        gaps.sort();
        gaps.dedup();
        Origins {
            by_blob,
            by_aside,
            lives,
            gaps,
        }
    }

    /// Blobs whose places tell where the names are: those with such a name, and of folders one below.
    fn bearers(
        &self,
        history: &History,
        each: &trees::Each<'_>,
        names: &HashSet<&str>,
    ) -> HashSet<ObjectId> {
        if names.is_empty() {
            return HashSet::new();
        }
        let found = Bearers::of(each, names);
        let blob = |(id, is_tree): &(ObjectId, bool)| match is_tree {
            true => trees::first_blob(&|id| history.object(id), *id),
            false => Some(*id),
        };
        found.iter().filter_map(blob).collect()
    }
}

/// The tree and the commit of `HEAD`.
fn head(library: &git2::Repository) -> [Option<ObjectId>; 2] {
    let Ok(head) = library.head() else {
        return [None; 2];
    };
    let tree = head.peel_to_tree().map(|it| it.id()).ok();
    let commit = head.peel_to_commit().map(|it| it.id()).ok();
    [tree, commit].map(|it| ObjectId::from_bytes(it?.as_bytes()))
}
