//! What a repository holds beside its blobs, read once: commits, tags, trees and refs; and from it, where
//! blobs and other texts came from, and what is missing.
//!
//! Not here: any of the four in particular. Each has a file of its own; this one has them meet.

use crate::model::blob::ObjectId;
use crate::model::coverage::Gap;
use crate::model::origin::{Aside, Origin, OriginKind};
use crate::source::asides::Asides;
use crate::source::commits::{Gathered, Gatherer};
use crate::source::history::{History, HistoryOptions};
use crate::source::missing::Missing;
use crate::source::objects::Visit;
use crate::source::origins::{self, Authors, Place, Question};
use crate::source::pack::Kind;
use crate::source::refs::{self, Refs};
use crate::source::trees::{self, Bearers, Marks, News};
use crate::source::{Sink, repository};
use std::collections::{BTreeSet, HashMap, HashSet};

/// The origins of flagged blobs and of texts that are no blobs.
#[derive(Debug, Default)]
pub struct Origins {
    /// Sorted; at least one for each flagged blob.
    pub by_blob: HashMap<ObjectId, Vec<Origin>>,
    /// Sorted; at least one for each text asked for.
    pub by_aside: HashMap<Aside, Vec<Origin>>,
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

    /// The blobs and trees that are missing.
    pub(crate) fn lacking(&self) -> BTreeSet<ObjectId> {
        self.missing.ids().collect()
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
        let head = library.head().and_then(|it| it.peel_to_tree()).ok();
        let question = Question {
            flagged: &all,
            marks: &marks,
            commits: &self.gathered.commits,
            absent: &examples,
            head: head.and_then(|it| ObjectId::from_bytes(it.id().as_bytes())),
        };
        let (places, lost) = match all.is_empty() {
            true => Default::default(),
            false => origins::places(&each, &question),
        };
        let mut gaps = self.gaps;
        gaps.extend(lost);
        gaps.extend(self.missing.gaps(library, &places));
        let mut authors = Authors::new(library);
        let mut by_blob: HashMap<ObjectId, Vec<Origin>> = HashMap::new();
        let of_blobs = |it: &&Place| flagged.contains(&it.blob);
        for place in places.iter().filter(of_blobs) {
            let origin = origins::origin(place, &self.gathered.commits, &self.refs, &mut authors);
            by_blob.entry(place.blob).or_default().push(origin);
        }
        origins::add_homeless(library, flagged, &mut by_blob);
        by_blob.values_mut().for_each(|it| it.sort());
        let by_aside = Asides {
            history,
            each: &each,
            gathered: &self.gathered,
            places: &places,
            authors,
        };
        let by_aside = by_aside.origins(asides);
        gaps.sort();
        gaps.dedup();
        Origins {
            by_blob,
            by_aside,
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
