//! The whole object database of a repository: every blob once, and where flagged blobs came from.
//!
//! Not here: the delta walk itself, and the change a commit makes against a base (see `change`).

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Gap, Reason};
use crate::model::delta::Edit;
use crate::model::origin::Aside;
use crate::model::report;
use crate::source::error::Error;
use crate::source::objects::{Objects, Reading, Visit};
use crate::source::pack::Kind;
use crate::source::{Future, Kept, Sink};
use crate::source::{repository, spelling};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::source::lives::{Contents, Lives};
pub use crate::source::past::{Fresh, Past};
pub use crate::source::survey::{Legacy, Origins, Survey};

/// How to read history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryOptions {
    /// Threads.
    pub jobs: usize,
    /// Objects above this many bytes become gaps.
    pub max_size: u64,
    /// Bytes of buffers, all threads together. Objects larger than half of it become gaps too.
    pub memory: usize,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            jobs: 1,
            max_size: 32 << 20,
            memory: 128 << 20,
        }
    }
}

/// What was read.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct HistoryTotals {
    /// Distinct blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A repository whose object database is read.
pub struct History {
    repository: git2::Repository,
    objects: Objects,
}

impl History {
    /// Opens the repository that `path` lies in: work tree, bare, linked work tree.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, &[])
    }

    /// The same, with further folders of objects: the quarantine of a push that is not accepted yet.
    pub fn open_with(path: &Path, more: &[PathBuf]) -> Result<Self, Error> {
        let repository = repository::open(path)?;
        let mut objects = Objects::open(&repository.commondir().join("objects"));
        if !more.is_empty() {
            let fault = |it: git2::Error| repository::translated(path, &it);
            let odb = repository.odb().map_err(fault)?;
            for folder in more {
                odb.add_disk_alternate(&spelling::shown(folder))
                    .map_err(fault)?;
                objects.add(folder);
            }
        }
        Ok(Self {
            repository,
            objects,
        })
    }

    /// The folder of what linked work trees share.
    pub fn folder(&self) -> PathBuf {
        let folder = self.repository.commondir();
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    }

    /// Where the repository stands.
    pub fn repository(&self) -> report::Repository {
        repository::standing(&self.repository)
    }

    /// The folder of objects and refs, which all work trees of the repository share.
    pub fn place(&self) -> PathBuf {
        let common = self.repository.commondir();
        common.canonicalize().unwrap_or_else(|_| common.to_owned())
    }

    /// Every blob of all packs and loose objects, reachable or not, exactly once; its path is empty.
    pub fn each_blob(
        &self,
        options: &HistoryOptions,
        sink: &dyn Sink,
    ) -> Result<HistoryTotals, Error> {
        self.gaps().into_iter().for_each(|gap| sink.gap(gap));
        let reader = BlobReader::new(sink, None);
        self.each(options, &[Kind::Blob], &reader);
        Ok(reader.finish().0)
    }

    /// The same but for the resting and what else the past knows: what was read, and what was not.
    pub fn each_new_blob(
        &self,
        options: &HistoryOptions,
        past: &Past,
        resting: &HashMap<ObjectId, u32>,
        sink: &dyn Sink,
    ) -> (HistoryTotals, HistoryTotals, Fresh) {
        self.gaps().into_iter().for_each(|gap| sink.gap(gap));
        let again = past.flagged(self).map(|it| it.0);
        let again = again.filter(|it| !resting.contains_key(it)).collect();
        let only = past.only(&again);
        let reader = BlobReader::new(
            sink,
            Some(Choice {
                past,
                resting,
                only: only.as_ref(),
                fresh: Mutex::default(),
            }),
        );
        self.objects.each_of(
            only.as_ref(),
            &self.reading(&[Kind::Blob], options),
            &|id| self.object(id),
            &reader,
        );
        let (read, fresh) = reader.finish();
        let mut unread = past.unread();
        unread.blobs += resting.len() as u64;
        unread.bytes += resting.values().map(|it| u64::from(*it)).sum::<u64>();
        (read, unread, fresh)
    }

    /// Everything that is no blob, in one pass over commits and tags and one over trees: messages, headers
    /// and names go to the sink. `flagged` are the blobs whose origins will be asked for.
    pub fn survey<'a>(
        &self,
        options: &HistoryOptions,
        past: Option<&'a Past>,
        flagged: &HashSet<ObjectId>,
        sink: &dyn Sink,
    ) -> Survey<'a> {
        Survey::of(self, &self.unbound(options), past, flagged, sink)
    }

    /// The same from what an earlier survey left, if that can be read and nothing of it is gone.
    pub fn survey_again<'a>(
        &self,
        options: &HistoryOptions,
        past: &'a Past,
        record: &[u8],
        sink: &dyn Sink,
    ) -> Option<Survey<'a>> {
        Survey::again(self, &self.unbound(options), past, record, sink)
    }

    /// Where each flagged blob lay and who brought it there: one origin for each blob and path.
    pub fn origins(&self, flagged: &HashSet<ObjectId>) -> Origins {
        let options = HistoryOptions::default();
        let survey = self.survey(&options, None, flagged, &Unheard);
        self.origins_with(&options, survey, flagged, &HashSet::new())
    }

    /// The same from a survey for these blobs, and with the origins of texts that are no blobs.
    pub fn origins_with(
        &self,
        options: &HistoryOptions,
        survey: Survey<'_>,
        flagged: &HashSet<ObjectId>,
        asides: &HashSet<Aside>,
    ) -> Origins {
        survey.origins(self, &self.unbound(options), flagged, asides)
    }

    /// What is no blob has no limit of its own.
    fn unbound(&self, options: &HistoryOptions) -> HistoryOptions {
        HistoryOptions {
            max_size: u64::MAX,
            ..*options
        }
    }

    /// Reads every object of some types.
    pub(crate) fn each(&self, options: &HistoryOptions, kinds: &'static [Kind], visit: &dyn Visit) {
        self.objects
            .each(&self.reading(kinds, options), &|id| self.object(id), visit);
    }

    /// The same of some objects alone.
    pub(crate) fn each_of(
        &self,
        only: &HashSet<ObjectId>,
        options: &HistoryOptions,
        kinds: &'static [Kind],
        visit: &dyn Visit,
    ) {
        let reading = self.reading(kinds, options);
        let chosen = Chosen { only, visit };
        self.objects
            .each_of(Some(only), &reading, &|id| self.object(id), &chosen);
    }

    /// An object by its id through git's library: the slow way, for deltas whose base lies in another pack.
    pub(crate) fn object(&self, id: &ObjectId) -> Option<(Kind, Vec<u8>)> {
        elsewhere(&self.repository, id)
    }

    /// As git's library has it.
    pub(crate) fn library(&self) -> &git2::Repository {
        &self.repository
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    fn reading(&self, kinds: &'static [Kind], options: &HistoryOptions) -> Reading {
        Reading {
            kinds,
            jobs: options.jobs.max(1),
            max_size: options.max_size,
            memory: options.memory.max(1 << 20),
        }
    }

    /// What is known to be missing before anything is read.
    fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.objects.gaps().to_vec();
        let ends = repository::shallow_boundary(&self.repository).len();
        if ends > 0 {
            let detail = format!(
                "the clone is shallow: history ends at {ends} commit(s); `git fetch --unshallow`"
            );
            gaps.push(Gap {
                path: ".".to_owned(),
                reason: Reason::ShallowClone,
                detail,
            });
        }
        gaps
    }
}

/// Nobody listens.
struct Unheard;

impl Sink for Unheard {
    fn blob(&self, _blob: Blob<'_>) {}
    fn gap(&self, _gap: Gap) {}
}

fn elsewhere(repository: &git2::Repository, id: &ObjectId) -> Option<(Kind, Vec<u8>)> {
    let odb = repository.odb().ok()?;
    let object = odb.read(git2::Oid::from_bytes(id.as_bytes()).ok()?).ok()?;
    let kind = match object.kind() {
        git2::ObjectType::Blob => Kind::Blob,
        git2::ObjectType::Tree => Kind::Tree,
        git2::ObjectType::Commit => Kind::Commit,
        git2::ObjectType::Tag => Kind::Tag,
        git2::ObjectType::Any => return None,
    };
    Some((kind, object.data().to_vec()))
}

/// Lets some objects through.
struct Chosen<'a> {
    only: &'a HashSet<ObjectId>,
    visit: &'a dyn Visit,
}

impl Visit for Chosen<'_> {
    fn chooses(&self) -> bool {
        true
    }

    fn wants(&self, id: &ObjectId) -> bool {
        self.only.contains(id) && self.visit.wants(id)
    }

    fn object(&self, id: ObjectId, bytes: &[u8]) {
        self.visit.object(id, bytes);
    }

    fn chained(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        self.visit.chained(id, bytes, base, future)
    }

    fn stumbled(&self, id: &ObjectId) {
        self.visit.stumbled(id);
    }

    fn failed(&self, gap: Gap) {
        self.visit.failed(gap);
    }
}

struct BlobReader<'a> {
    sink: &'a dyn Sink,
    choice: Option<Choice<'a>>,
    blobs: AtomicU64,
    bytes: AtomicU64,
}

/// Which blobs are to be read, and which were.
struct Choice<'a> {
    past: &'a Past,
    resting: &'a HashMap<ObjectId, u32>,
    only: Option<&'a HashSet<ObjectId>>,
    fresh: Mutex<Fresh>,
}

impl Choice<'_> {
    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> BlobReader<'a> {
    fn new(sink: &'a dyn Sink, choice: Option<Choice<'a>>) -> Self {
        Self {
            sink,
            choice,
            blobs: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn finish(self) -> (HistoryTotals, Fresh) {
        let totals = HistoryTotals {
            blobs: self.blobs.into_inner(),
            bytes: self.bytes.into_inner(),
        };
        let fresh = self.choice.map(|it| it.fresh.into_inner());
        let fresh = fresh.map(|it| it.unwrap_or_else(PoisonError::into_inner));
        (totals, fresh.unwrap_or_default())
    }

    fn counted<'b>(&self, id: ObjectId, bytes: &'b [u8]) -> Blob<'b> {
        self.blobs.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if let Some(choice) = &self.choice {
            let (hash, size) = (choice.past.hash(&id), u32::try_from(bytes.len()));
            match size {
                Ok(size) => choice.fresh().read.push((hash, size)),
                // Too large to note is read each time.
                Err(_) => drop(choice.fresh().failed.insert(id)),
            }
        }
        Blob {
            bytes,
            path: "",
            id: Some(id),
        }
    }
}

impl Visit for BlobReader<'_> {
    fn chooses(&self) -> bool {
        let choice = self.choice.as_ref();
        choice.is_some_and(|it| !it.past.is_blank())
    }

    fn wants(&self, id: &ObjectId) -> bool {
        match &self.choice {
            None => true,
            Some(Choice {
                only: Some(only), ..
            }) => only.contains(id),
            Some(choice) => choice.past.wants(id, choice.resting),
        }
    }

    fn object(&self, id: ObjectId, bytes: &[u8]) {
        self.sink.blob(self.counted(id, bytes));
    }

    fn chained(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        self.sink.chained(self.counted(id, bytes), base, future)
    }

    fn stumbled(&self, id: &ObjectId) {
        if let Some(choice) = &self.choice {
            choice.fresh().failed.insert(*id);
        }
    }

    fn failed(&self, gap: Gap) {
        self.sink.gap(gap);
    }
}

#[cfg(test)]
mod tests;
