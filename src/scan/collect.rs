//! What one scan gathers: candidates with their places by blob or path, mentions, gaps. Turning them into
//! findings is the work of `gather`; blobs made out of others are the work of `chain`.

use super::chain::{self, State};
use crate::decode;
use crate::detect::{Detector, Scratch, Texture};
use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Coverage, Gap, Reason};
use crate::model::delta::Edit;
use crate::model::finding::Candidate;
use crate::model::reference::Mention;
use crate::model::span::{LineIndex, Place};
use crate::refer;
use crate::source::{Future, Kept, Sink};
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// A candidate where people can see it.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) path: String,
    pub(super) id: Option<ObjectId>,
    pub(super) candidate: Arc<Candidate>,
    pub(super) place: Place,
    pub(super) via: Vec<&'static str>,
}

/// A mention and its path.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) path: String,
    pub(super) mention: Mention,
}

/// The sink of a scan.
pub(super) struct Collector<'a> {
    pub(super) detector: &'a Detector,
    pub(super) options: decode::Options,
    pub(super) references: bool,
    /// Whether each blob of a chain is looked at whole.
    pub(super) whole_blobs: bool,
    pub(super) progress: Option<fn(u64, u64)>,
    pub(super) sightings: Mutex<Vec<Sighting>>,
    pub(super) named: Mutex<Vec<Named>>,
    pub(super) gaps: Mutex<Vec<Gap>>,
    pub(super) seen: AtomicU64,
    pub(super) bytes: AtomicU64,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl<'a> Collector<'a> {
    pub(super) fn new(
        detector: &'a Detector,
        max_depth: usize,
        references: bool,
        progress: Option<fn(u64, u64)>,
    ) -> Self {
        Self {
            detector,
            options: decode::Options {
                max_depth,
                ..decode::Options::default()
            },
            references,
            whole_blobs: false,
            progress,
            sightings: Mutex::default(),
            named: Mutex::default(),
            gaps: Mutex::default(),
            seen: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    /// Everything gathered, and the coverage so far (`files` counts what had a path, `blobs` the rest).
    pub(super) fn finish(self, coverage: &mut Coverage) -> (Vec<Sighting>, Vec<Named>) {
        coverage.bytes += self.bytes.into_inner();
        coverage.gaps.extend(
            self.gaps
                .into_inner()
                .unwrap_or_else(std::sync::PoisonError::into_inner),
        );
        let take = std::sync::PoisonError::into_inner;
        (
            self.sightings.into_inner().unwrap_or_else(take),
            self.named.into_inner().unwrap_or_else(|it| it.into_inner()),
        )
    }

    fn view(
        &self,
        view: &decode::View<'_>,
        blob: Blob<'_>,
        root: &mut Option<Vec<u8>>,
        scratch: &mut Scratch,
    ) {
        let texture = if view.is_binary {
            Texture::Binary
        } else {
            Texture::Text
        };
        let found = self.detector.detect(&view.text, texture, scratch);
        if found.is_empty() {
            return;
        }
        // Positions are told in the root text; a hidden text points at its encoding there.
        let whole;
        let text: &[u8] = match (&view.outer, &root) {
            (Some(_), Some(root)) => root,
            (Some(_), None) => {
                whole = decode::charset::root(blob.bytes).text.into_owned();
                root.insert(whole)
            }
            (None, _) => &view.text,
        };
        let lines = LineIndex::new(text);
        let mut sightings = Vec::with_capacity(found.len());
        for found in found {
            let place = lines.place(view.outer.unwrap_or(found.span));
            sightings.push(Sighting {
                path: blob.path.to_owned(),
                id: blob.id,
                candidate: found.candidate,
                place,
                via: view.via.clone(),
            });
        }
        locked(&self.sightings).append(&mut sightings);
    }

    fn mentions(&self, view: &decode::View<'_>, blob: Blob<'_>) {
        let Ok(text) = std::str::from_utf8(&view.text) else {
            return;
        };
        let mut malformed = |detail: String| {
            let gap = Gap {
                path: blob.path.to_owned(),
                reason: Reason::Malformed,
                detail,
            };
            locked(&self.gaps).push(gap);
        };
        let found = refer::read(blob.path, text, &mut malformed);
        if !found.is_empty() {
            let named = found.into_iter().map(|mention| Named {
                path: blob.path.to_owned(),
                mention,
            });
            locked(&self.named).extend(named);
        }
    }
}

impl Collector<'_> {
    fn count(&self, blob: Blob<'_>) {
        let seen = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        let bytes = self
            .bytes
            .fetch_add(blob.bytes.len() as u64, Ordering::Relaxed)
            + blob.bytes.len() as u64;
        if let (Some(progress), 0) = (self.progress, seen % 256) {
            progress(seen, bytes);
        }
    }

    fn lose(&self, blob: Blob<'_>, reason: Reason, detail: String) {
        let path = if blob.path.is_empty() {
            blob.id.map_or_else(String::new, |it| it.to_string())
        } else {
            blob.path.to_owned()
        };
        locked(&self.gaps).push(Gap {
            path,
            reason,
            detail,
        });
    }

    fn whole(&self, blob: Blob<'_>, scratch: &mut Scratch) {
        let mut root = None;
        let emit = &mut |view: &decode::View<'_>| {
            self.view(view, blob, &mut root, scratch);
            if self.references && !view.is_binary && view.outer.is_none() && !blob.path.is_empty() {
                self.mentions(view, blob);
            }
        };
        let gap = &mut |reason, detail| self.lose(blob, reason, detail);
        decode::each(blob.bytes, &self.options, emit, gap);
    }

    /// What a blob made out of another shows, found the short way.
    fn show(&self, blob: Blob<'_>, state: &State) {
        for (reason, detail) in state.gaps() {
            self.lose(blob, reason, detail);
        }
        let mut sightings = Vec::new();
        state.each(blob.bytes, self.detector, |candidate, place, via| {
            sightings.push(Sighting {
                path: blob.path.to_owned(),
                id: blob.id,
                candidate,
                place,
                via: via.to_vec(),
            });
        });
        if !sightings.is_empty() {
            locked(&self.sightings).append(&mut sightings);
        }
    }
}

impl Sink for Collector<'_> {
    fn blob(&self, blob: Blob<'_>) {
        self.count(blob);
        SCRATCH.with_borrow_mut(|scratch| self.whole(blob, scratch));
    }

    fn chained(
        &self,
        blob: Blob<'_>,
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        // Mentions are read from whole texts.
        if self.whole_blobs || (self.references && !blob.path.is_empty()) {
            self.blob(blob);
            return None;
        }
        self.count(blob);
        SCRATCH.with_borrow_mut(|scratch| {
            let base = base.and_then(|(edit, kept)| Some((edit, kept.state.downcast_ref()?)));
            let state = chain::state(blob.bytes, base, self.detector, &self.options, scratch);
            let Some(state) = state else {
                self.whole(blob, scratch);
                return None;
            };
            self.show(blob, &state);
            // A copy has no spare room.
            let kept = (future == Future::Base).then(|| Kept {
                size: state.size(),
                state: Box::new(state.clone()),
            });
            state.recycle(scratch);
            kept
        })
    }

    fn gap(&self, gap: Gap) {
        locked(&self.gaps).push(gap);
    }
}
