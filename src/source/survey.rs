//! What a repository holds beside its blobs, read once: commits, tags, trees and refs; and from it, where
//! blobs and other texts came from, and what is missing.
//!
//! Not here: any of the four in particular. Each has a file of its own; this one has them meet.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::origin::{Aside, Origin, OriginKind};
use crate::source::asides::Asides;
use crate::source::commits::{Gathered, Gatherer, RawId};
use crate::source::graph::Graph;
use crate::source::history::{History, HistoryOptions};
use crate::source::holders::{self, Holders};
use crate::source::lives::Lives;
use crate::source::mailmap::Mailmap;
use crate::source::missing::Missing;
use crate::source::objects::Visit;
use crate::source::origins::{self, ByBlob, Place, Question, Witness};
use crate::source::pack::Kind;
use crate::source::people::People;
use crate::source::record::{self, Known, Record};
use crate::source::refs::{self, Refs};
use crate::source::trees::{self, Bearers, Marks, News};
use crate::source::{Sink, repository};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};

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
    /// What the next survey may start from, where all objects lie as they do now; `None` if it must not, or
    /// if this one did.
    pub record: Option<Vec<u8>>,
}

/// What was read beside blobs.
pub struct Survey {
    refs: Refs,
    gathered: Gathered,
    /// For the blobs that were flagged when the survey was made.
    marks: Marks,
    missing: Missing,
    absent: HashMap<RawId, Kind>,
    gaps: Vec<Gap>,
    /// Bytes of messages, headers and names.
    heard: u64,
    /// Whether all of it could be read.
    is_whole: bool,
    /// Whether trees were read for it, and `marks` made.
    is_new: bool,
    /// What an earlier survey left.
    known: Option<Known>,
}

impl Survey {
    /// Bytes of texts that an earlier survey handed out and this one did not.
    pub fn unheard(&self) -> u64 {
        self.known.as_ref().map_or(0, |it| it.unheard)
    }

    /// From what an earlier one left, if that can be read. All objects must lie as they lay.
    pub(crate) fn again(
        history: &History,
        options: &HistoryOptions,
        record: &[u8],
        sink: &dyn Sink,
    ) -> Option<Self> {
        let library = history.library();
        let mut known = Known::read(history, record)?;
        let refs = Refs::of(library);
        refs.each_name(sink);
        refs::each_log(library.commondir(), options.max_size, sink);
        known.each_text(sink);
        let mut gathered = std::mem::take(&mut known.gathered);
        gathered.mark(&refs);
        let loose = history.objects().loose();
        let has = |id: &ObjectId| history.objects().is_packed(id) || loose.contains(id);
        let ends = repository::shallow_boundary(library);
        let mut missing = Missing::of(&gathered, &refs, &ends, &has);
        missing.add(std::mem::take(&mut known.absent));
        Some(Self {
            gaps: repository::not_followed(library, &refs),
            refs,
            gathered,
            marks: Marks::default(),
            missing,
            absent: HashMap::new(),
            heard: 0,
            is_whole: false,
            is_new: false,
            known: Some(known),
        })
    }

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
        let sink = &Heard {
            sink,
            bytes: AtomicU64::new(0),
        };
        let gatherer = Gatherer::new(sink);
        each(&[Kind::Commit, Kind::Tag], &gatherer);
        let mut gathered = gatherer.finish(&refs);
        let news = News::new(history.objects(), sink);
        let marks = trees::marks(&each, flagged.iter(), Some(&news));
        let mut gaps = std::mem::take(&mut gathered.gaps);
        let is_read = gaps.is_empty();
        gaps.extend(repository::not_followed(library, &refs));
        let ends = repository::shallow_boundary(library);
        let mut missing = Missing::of(&gathered, &refs, &ends, &|id| news.has(id));
        let (absent, lost) = news.finish();
        missing.add(absent.clone());
        let is_whole = is_read && lost.is_empty();
        gaps.extend(lost);
        Self {
            refs,
            gathered,
            marks,
            missing,
            absent,
            gaps,
            heard: sink.bytes.load(Ordering::Relaxed),
            is_whole,
            is_new: true,
            known: None,
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
        let known = self.known.as_ref();
        let bearers = match known {
            Some(known) => known.bearers.clone(),
            None => self.bearers(history, &each, &names),
        };
        let examples = self.missing.examples();
        let more: HashSet<ObjectId> = bearers.iter().chain(&examples).copied().collect();
        let all: HashSet<ObjectId> = flagged.union(&more).copied().collect();
        let known = self.known.filter(|it| it.all == all);
        // What came to light by the survey was not marked by it.
        let is_marked = bearers.is_empty() && !self.missing.is_more();
        let marks = match known.is_some() || is_marked && self.is_new {
            true => self.marks,
            false => trees::marks(&each, all.iter(), None),
        };
        let mut gaps = self.gaps;
        let gathered = &self.gathered;
        let cloned = self.refs.cloned().map(|it| holders::peeled(gathered, it));
        let graph = Graph::of(&gathered.commits, cloned);
        let holders = Holders::of(&self.refs, gathered, &graph);
        let people = People {
            mailmap: Mailmap::of(library),
            read: &|id| history.object(id).map(|it| it.1),
        };
        let witness = Witness {
            graph: &graph,
            holders: &holders,
            people: &people,
            head: head(library),
        };
        let question = Question {
            flagged: &all,
            marks: &marks,
            absent: &examples,
        };
        let (table, lost) = match known {
            Some(known) => (known.table, Vec::new()),
            None if all.is_empty() => Default::default(),
            None => origins::table(&each, &question),
        };
        let is_whole = self.is_whole && lost.is_empty();
        let spots = match is_whole {
            true => record::find(&each, &names),
            false => BTreeMap::new(),
        };
        let record = is_whole.then_some(Record {
            gathered,
            absent: &self.absent,
            heard: self.heard,
            asides,
            spots: &spots,
            bearers: &bearers,
            all: &all,
            table: &table,
        });
        let record = record.and_then(|it| it.write());
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
            record,
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

/// Counts what it hands on.
struct Heard<'a> {
    sink: &'a dyn Sink,
    bytes: AtomicU64,
}

impl Sink for Heard<'_> {
    fn blob(&self, blob: Blob<'_>) {
        self.sink.blob(blob);
    }

    fn beside(&self, kind: OriginKind, blob: Blob<'_>) {
        let length = blob.bytes.len() as u64;
        self.bytes.fetch_add(length, Ordering::Relaxed);
        self.sink.beside(kind, blob);
    }

    fn gap(&self, gap: Gap) {
        self.sink.gap(gap);
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
