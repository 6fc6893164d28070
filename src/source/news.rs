//! What trees tell beside the way to what is flagged: names of files and folders, and what they name that
//! is not there.
//!
//! Not here: how trees are read (see `sketch`).

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::Gap;
use crate::model::origin::OriginKind;
use crate::source::commits::RawId;
use crate::source::compare::RawEntry;
use crate::source::digest::Digest;
use crate::source::missing::TOLD;
use crate::source::objects::Objects;
use crate::source::pack::Kind;
use crate::source::roster::Met;
use crate::source::{Sink, spelling};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A shorter name holds no secret that a rule would tell from a word.
pub(crate) const SHORTEST: usize = 10;
/// Names remembered as handed out; beyond, some are handed out again.
const NAMES: usize = 4 << 20;

/// What trees tell beside what is flagged.
pub(crate) struct News<'a> {
    objects: &'a Objects,
    /// Loose objects.
    loose: HashSet<ObjectId>,
    sink: &'a dyn Sink,
    digest: &'a Digest,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    met: Met,
    absent: HashMap<RawId, Kind>,
    gaps: Vec<Gap>,
}

impl<'a> News<'a> {
    /// After what was met before.
    pub(crate) fn new(
        objects: &'a Objects,
        sink: &'a dyn Sink,
        digest: &'a Digest,
        met: Met,
    ) -> Self {
        Self {
            objects,
            loose: objects.loose(),
            sink,
            digest,
            state: Mutex::new(State {
                met,
                ..State::default()
            }),
        }
    }

    /// What trees name that is not there, and trees that could not be read.
    /// The trees that were met and the names that were handed out come first.
    pub(crate) fn finish(self) -> (Met, HashMap<RawId, Kind>, Vec<Gap>) {
        let state = self
            .state
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (state.met, state.absent, state.gaps)
    }

    /// Whether an object lies in a pack or loose.
    pub(crate) fn has(&self, id: &ObjectId) -> bool {
        self.objects.is_packed(id) || self.loose.contains(id)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a tree.
    pub(crate) fn meet(&self, tree: &ObjectId) {
        self.state().met.meet(self.digest, tree);
    }

    /// Notes that a tree could not be read.
    pub(crate) fn lose(&self, gap: Gap) {
        self.state().gaps.push(gap);
    }

    /// Whether what an entry names is absent, and one of the first that are: only the ways to these are
    /// told.
    pub(crate) fn is_absent(&self, entry: &RawEntry<'_>) -> bool {
        let id = ObjectId::from_bytes(entry.id).filter(|_| !entry.is_submodule());
        let (Some(id), Some(raw)) = (id, entry.id.first_chunk()) else {
            return false;
        };
        if self.has(&id) {
            return false;
        }
        let kind = if entry.is_tree() {
            Kind::Tree
        } else {
            Kind::Blob
        };
        let mut state = self.state();
        state.absent.insert(*raw, kind);
        state.absent.len() <= TOLD
    }

    /// Hands out a name that comes for the first time.
    pub(crate) fn name(&self, name: &[u8]) {
        if name.len() < SHORTEST {
            return;
        }
        let hash = self.digest.of(name);
        {
            let met = &mut self.state().met;
            if !met.texts.insert(hash) {
                return;
            }
            if met.texts.len() > NAMES {
                met.texts.clear();
                met.is_cut = true;
            }
        }
        let blob = Blob {
            bytes: &spelling::without_ending(name),
            path: &spelling::text(name),
            id: None,
        };
        self.sink.beside(OriginKind::FileName, blob);
    }
}
