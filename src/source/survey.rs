//! What a repository holds beside its blobs, read once: commits, tags, trees and refs; and from it, where
//! blobs and other texts came from, and what is missing.
//!
//! Not here: any of the four in particular. Each has a file of its own; this one has them meet. What an
//! earlier survey left is carried on: with nothing where all lies as it lay, else with what came later.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::origin::{Aside, Origin, OriginKind};
use crate::source::asides::Asides;
use crate::source::commits::{Gathered, Gatherer, RawId};
use crate::source::digest::Digest;
use crate::source::graph::Graph;
use crate::source::history::{History, HistoryOptions, Past};
use crate::source::holders::{self, Holders};
use crate::source::lives::Lives;
use crate::source::mailmap::Mailmap;
use crate::source::missing::Missing;
use crate::source::news::News;
use crate::source::objects::Visit;
use crate::source::origins::{self, ByBlob, Place, Witness};
use crate::source::pack::Kind;
use crate::source::people::People;
use crate::source::record::{self, Known, Record};
use crate::source::refs::{self, Refs};
use crate::source::roster::{Met, Roster};
use crate::source::sketch::Sketch;
use crate::source::trees::Each;
use crate::source::way::{Search, Way};
use crate::source::{Sink, repository};
use std::collections::{BTreeSet, HashMap, HashSet};
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
    /// What the next survey may start from; `None` if it must not, or if this one found nothing new.
    pub legacy: Option<Legacy>,
}

/// What a survey leaves for the next.
#[derive(Default, Debug)]
pub struct Legacy {
    /// Commits, what is missing, and the way to what is flagged.
    pub record: Vec<u8>,
    /// Who was met.
    pub roster: Vec<u8>,
}

/// What was read beside blobs.
pub struct Survey<'a> {
    refs: Refs,
    gathered: Gathered,
    /// For the blobs that were flagged when the survey was made; `None` if it read no trees for it.
    sketch: Option<Sketch>,
    missing: Missing,
    absent: HashMap<RawId, Kind>,
    gaps: Vec<Gap>,
    /// Bytes of messages, headers and names, whether handed out now or before.
    heard: u64,
    /// Commits, tags and trees that were read, where an earlier or a later survey counts.
    met: u64,
    /// Who was met; `None` if nothing of this is to be kept.
    roster: Option<Roster>,
    /// What an earlier survey left.
    known: Option<Known>,
    past: Option<&'a Past>,
}

/// What one reading of commits, tags and trees brought.
struct Yield {
    gathered: Gathered,
    sketch: Sketch,
    absent: HashMap<RawId, Kind>,
    gaps: Vec<Gap>,
    heard: u64,
    trees: Met,
}

impl Yield {
    /// Reads them; `met` are messages and headers, and names, that were handed out before.
    fn of(
        history: &History,
        each: &Each<'_>,
        digest: &Digest,
        met: [Met; 2],
        flagged: &HashSet<ObjectId>,
        sink: &dyn Sink,
    ) -> Self {
        let [texts, names] = met;
        let sink = &Heard {
            sink,
            bytes: AtomicU64::new(0),
        };
        let gatherer = Gatherer::new(sink, digest, texts);
        each(&[Kind::Commit, Kind::Tag], &gatherer);
        let mut gathered = gatherer.finish();
        let news = News::new(history.objects(), sink, digest, names);
        let sketch = Sketch::of(each, flagged, Some(&news));
        let (trees, absent, lost) = news.finish();
        let mut gaps = std::mem::take(&mut gathered.gaps);
        gaps.extend(lost);
        Self {
            gathered,
            sketch,
            absent,
            gaps,
            heard: sink.bytes.load(Ordering::Relaxed),
            trees,
        }
    }

    /// How many objects were met, where they are noted.
    fn met(&self) -> u64 {
        let met = [&self.gathered.met.ids, &self.trees.ids];
        met.into_iter().flatten().map(|it| it.len() as u64).sum()
    }

    /// Who was met, if that is to be kept and nothing failed.
    fn roster(&mut self) -> Option<Roster> {
        let [said, trees] = [&mut self.gathered.met, &mut self.trees].map(std::mem::take);
        let is_whole = self.gaps.is_empty() && !trees.is_cut;
        let mut ids = said.ids.filter(|_| is_whole)?;
        ids.extend(trees.ids?);
        Some(Roster::of(ids, said.texts, trees.texts))
    }
}

impl<'a> Survey<'a> {
    /// Bytes of texts that an earlier survey handed out and this one did not.
    pub fn unheard(&self) -> u64 {
        self.known.as_ref().map_or(0, |it| it.unheard)
    }

    /// Commits, tags and trees that were read for it, where an earlier or a later survey counts.
    pub fn met(&self) -> u64 {
        self.met
    }

    /// From what an earlier one left, if that can be read and nothing of it is gone.
    pub(crate) fn again(
        history: &History,
        options: &HistoryOptions,
        past: &'a Past,
        record: &[u8],
        sink: &dyn Sink,
    ) -> Option<Self> {
        let library = history.library();
        let newcomers = past.newcomers();
        if !past.is_same() && newcomers.is_none() {
            return None;
        }
        let mut known = Known::read(history, record)?;
        let loose = history.objects().loose();
        let has = |id: &ObjectId| history.objects().is_packed(id) || loose.contains(id);
        let absent = known.absent.clone();
        let is_back = |id: &RawId| ObjectId::from_bytes(id).is_none_or(|it| has(&it));
        if absent.keys().any(is_back) {
            return None;
        }
        let refs = Refs::of(library);
        refs.each_name(sink);
        refs::each_log(library.commondir(), options.max_size, sink);
        known.each_text(sink);
        let mut survey = Self {
            gathered: std::mem::take(&mut known.gathered),
            refs,
            sketch: None,
            missing: Missing::default(),
            absent,
            gaps: Vec::new(),
            heard: known.heard,
            met: 0,
            roster: None,
            known: Some(known),
            past: Some(past),
        };
        if let Some((newcomers, roster)) = newcomers {
            let each = |kinds: &'static [Kind], visit: &dyn Visit| {
                history.each_of(newcomers, options, kinds, visit);
            };
            survey.grow(history, &each, past.digest(), roster, sink);
        }
        survey.settle(history);
        Some(survey)
    }

    /// Reads what came later.
    fn grow(
        &mut self,
        history: &History,
        each: &Each<'_>,
        digest: &Digest,
        roster: &Roster,
        sink: &dyn Sink,
    ) {
        let said = self.known.iter().flat_map(|it| it.said(digest));
        let said: Vec<_> = said.collect();
        let mut texts = roster.texts.clone();
        texts.extend(said.iter().map(|it| it.2));
        let mut names = roster.names.clone();
        names.extend(self.known.iter().flat_map(|it| it.names(digest)));
        let commits = &self.gathered.commits;
        let messages = said.iter().filter(|it| it.0 == OriginKind::CommitMessage);
        let messages = messages.filter_map(|(_, id, hash)| {
            let number = commits.message(id.as_ref()?)?;
            Some((*hash as u32, number))
        });
        let messages: HashMap<u32, u32> = messages.collect();
        let met = [texts, names].map(|it| Met::after(it, true));
        let mut later = Yield::of(history, each, digest, met, &HashSet::new(), sink);
        self.met = later.met();
        let fresh = later.roster();
        self.roster = fresh.map(|it| it.after(roster));
        self.gathered.add(later.gathered, &messages);
        self.absent.extend(later.absent);
        self.gaps.extend(later.gaps);
        self.heard += later.heard;
    }

    pub(crate) fn of(
        history: &History,
        options: &HistoryOptions,
        past: Option<&'a Past>,
        flagged: &HashSet<ObjectId>,
        sink: &dyn Sink,
    ) -> Self {
        let library = history.library();
        let refs = Refs::of(library);
        refs.each_name(sink);
        refs::each_log(library.commondir(), options.max_size, sink);
        let each = |kinds: &'static [Kind], visit: &dyn Visit| history.each(options, kinds, visit);
        let met = || Met::after(HashSet::new(), past.is_some());
        let own = Digest::new();
        let digest = past.map_or(&own, Past::digest);
        let mut found = Yield::of(history, &each, digest, [met(), met()], flagged, sink);
        let mut survey = Self {
            refs,
            met: found.met(),
            roster: found.roster(),
            gathered: found.gathered,
            sketch: Some(found.sketch),
            missing: Missing::default(),
            absent: found.absent,
            gaps: found.gaps,
            heard: found.heard,
            known: None,
            past,
        };
        survey.settle(history);
        survey
    }

    /// Marks what refs reach, and looks what is missing.
    fn settle(&mut self, history: &History) {
        let library = history.library();
        self.gathered.mark(&self.refs);
        let loose = history.objects().loose();
        let has = |id: &ObjectId| history.objects().is_packed(id) || loose.contains(id);
        let ends = repository::shallow_boundary(library);
        self.missing = Missing::of(&self.gathered, &self.refs, &ends, &has);
        self.missing.add(self.absent.clone());
        self.gaps
            .extend(repository::not_followed(library, &self.refs));
    }

    /// The blobs and trees that are missing.
    pub(crate) fn lacking(&self) -> BTreeSet<ObjectId> {
        self.missing.ids().collect()
    }

    pub(crate) fn origins(
        mut self,
        history: &History,
        options: &HistoryOptions,
        flagged: &HashSet<ObjectId>,
        asides: &HashSet<Aside>,
    ) -> Origins {
        let library = history.library();
        let (way, legacy) = self.way(history, options, flagged, asides);
        let mut gaps = self.gaps;
        gaps.extend(way.lost);
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
        let (places, lives) = origins::places(way.table, &witness, &mut gaps);
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
            each: &|kinds, visit| history.each(options, kinds, visit),
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
            legacy,
        }
    }

    /// The way to all that is asked for, and what the next survey may start from.
    fn way(
        &mut self,
        history: &History,
        options: &HistoryOptions,
        flagged: &HashSet<ObjectId>,
        asides: &HashSet<Aside>,
    ) -> (Way, Option<Legacy>) {
        let names = asides.iter().filter(|it| it.kind == OriginKind::FileName);
        let names: HashSet<&str> = names.map(|it| it.path.as_str()).collect();
        let known = self.known.take();
        let later = self.past.filter(|it| it.newcomers().is_some());
        let mut search = Search {
            history,
            options,
            flagged,
            names: &names,
            missing: &self.missing,
            later: later.filter(|_| known.is_some()),
            known,
        };
        let way = search.way(self.sketch.take());
        let roster = self.roster.take().filter(|_| way.lost.is_empty());
        let legacy = roster.zip(self.past).and_then(|(roster, past)| {
            let mut spots = record::find(&*search.each(), &names);
            spots.extend(search.known.iter().flat_map(Known::spots));
            let record = Record {
                gathered: &self.gathered,
                absent: &self.absent,
                heard: self.heard,
                asides,
                spots: &spots,
                bearers: &way.bearers,
                all: &way.all,
                table: &way.table,
            };
            let (bytes, used) = record.write()?;
            let mut roster = way.roster(roster, &used, past);
            let [texts, names] = record.shown(history)?;
            let hash = |it: &Vec<u8>| past.digest().of(it);
            roster.forget(texts.iter().map(hash), names.iter().map(hash));
            Some(Legacy {
                record: bytes,
                roster: roster.write(),
            })
        });
        (way, legacy)
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
