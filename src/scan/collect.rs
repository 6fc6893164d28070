//! What one scan gathers: candidates with their places by blob or path, mentions, gaps. Turning them into
//! findings is the work of `gather`; blobs made out of others are the work of `chain`.

use super::batch::{self, Batch};
use super::bundle;
use super::known::Known;
use crate::decode;
use crate::detect::{Detector, Found, Scratch, Texture, Trail};
use crate::model::blob::{Blob, ObjectId};
use crate::model::codeowners::{self, CodeOwners};
use crate::model::coverage::{Coverage, Gap, Reason};
use crate::model::delta::Edit;
use crate::model::finding::Candidate;
use crate::model::origin::{Aside, OriginKind};
use crate::model::part::Bond;
use crate::model::reference::Mention;
use crate::model::span::Place;
use crate::refer;
use crate::source::{Future, Kept, Sink};
use crate::syntax::literals::Seen;
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// A candidate where people can see it.
#[derive(Debug, Clone)]
pub(super) struct Sighting {
    pub(super) path: String,
    pub(super) id: Option<ObjectId>,
    pub(super) candidate: Arc<Candidate>,
    pub(super) place: Place,
    pub(super) via: Vec<&'static str>,
    /// The name of the member it lies in, from the blob inwards.
    pub(super) member: Option<String>,
    /// The place within that member.
    pub(super) within: Option<Place>,
    /// What belongs to it, or what it belongs to.
    pub(super) bond: Bond,
    /// The places of its parts, each with that within the member.
    pub(super) parts: Box<[Shown]>,
    /// What the text is, if it is no blob.
    pub(super) beside: Option<OriginKind>,
}

impl Sighting {
    /// What the text goes by, if it is no blob.
    pub(super) fn aside(&self) -> Option<Aside> {
        Some(Aside {
            kind: self.beside?,
            id: self.id,
            path: self.path.clone(),
        })
    }
}

/// A place, and the one within the member of a container.
pub(super) type Shown = (Place, Option<Place>);

/// Where the parts of a candidate stand.
fn places(view: &decode::View<'_>, bond: &Bond) -> Box<[Shown]> {
    let parts = match bond {
        Bond::Whole(whole) => whole.parts.as_slice(),
        Bond::Alone | Bond::Part(_) => &[],
    };
    let places = parts
        .iter()
        .map(|it| (view.place(it.span), view.within(it.span)));
    places.collect()
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
    /// Of which objects a part was not read.
    troubled: Mutex<HashSet<ObjectId>>,
    /// Whether a part of any other text of history was not read.
    beside_troubled: AtomicBool,
    batch: Mutex<Batch>,
    pub(super) seen: AtomicU64,
    pub(super) bytes: AtomicU64,
    /// Files of code owners, by their paths.
    pub(super) claims: Mutex<Vec<(String, CodeOwners)>>,
    /// Repositories side by side: what a file says of names holds within its own.
    pub(super) beside: Vec<String>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
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
                more: bundle::CONTAINERS,
                ..decode::Options::default()
            },
            references,
            whole_blobs: false,
            progress,
            sightings: Mutex::default(),
            named: Mutex::default(),
            gaps: Mutex::default(),
            troubled: Mutex::default(),
            beside_troubled: AtomicBool::new(false),
            batch: Mutex::default(),
            seen: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            claims: Mutex::default(),
            beside: Vec::new(),
        }
    }

    /// The path within the repository it lies in.
    fn within<'p>(&self, path: &'p str) -> &'p str {
        let below = |it: &String| path.strip_prefix(it.as_str())?.strip_prefix('/');
        self.beside.iter().find_map(below).unwrap_or(path)
    }

    /// Everything gathered, and the coverage so far (`files` counts what had a path, `blobs` the rest).
    pub(super) fn finish(self, coverage: &mut Coverage) -> (Vec<Sighting>, Vec<Named>) {
        let last = std::mem::take(&mut *locked(&self.batch));
        self.batch(last);
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

    /// The blobs in which something was seen.
    pub(super) fn flagged(&self) -> HashSet<ObjectId> {
        let sightings = locked(&self.sightings);
        let blobs = sightings.iter().filter(|it| it.beside.is_none());
        blobs.filter_map(|it| it.id).collect()
    }

    /// What was seen until now; more may be put to it.
    pub(super) fn seen_so_far(&self) -> MutexGuard<'_, Vec<Sighting>> {
        locked(&self.sightings)
    }

    /// The objects of which a part was not read, and whether other texts were read whole.
    pub(super) fn troubles(&self) -> (HashSet<ObjectId>, bool) {
        let is_troubled = self.beside_troubled.load(Ordering::Relaxed);
        (locked(&self.troubled).clone(), !is_troubled)
    }

    pub(super) fn view(
        &self,
        view: &decode::View<'_>,
        blob: Blob<'_>,
        found: Vec<Found>,
        seen: &mut Vec<Sighting>,
        known: &mut Known,
    ) {
        let before = seen.len();
        for Found {
            span,
            candidate,
            bond,
        } in found
        {
            let place = view.place(span);
            let within = view.within(span);
            let shown = within.unwrap_or(place);
            if before > 0 && known.has(&seen[..before], view, &candidate, shown) {
                continue;
            }
            seen.push(Sighting {
                path: blob.path.to_owned(),
                id: blob.id,
                candidate,
                place,
                via: view.via.clone(),
                member: view.member.map(|it| it.name.clone()),
                within,
                parts: places(view, &bond),
                bond,
                beside: None,
            });
        }
    }

    fn mentions(&self, view: &decode::View<'_>, blob: Blob<'_>, seen: Seen) {
        let mut malformed = |detail: String| {
            let gap = Gap {
                path: blob.path.to_owned(),
                reason: Reason::Malformed,
                detail,
            };
            locked(&self.gaps).push(gap);
        };
        let path = self.within(blob.path);
        if codeowners::rank(path).is_some() {
            let claims = CodeOwners::read(path, &String::from_utf8_lossy(&view.text));
            locked(&self.claims).push((blob.path.to_owned(), claims));
        }
        let found = refer::read(path, &view.text, seen, &mut malformed);
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

    /// Looks at every view of a blob. What its own text holds is known where a trail of it is.
    pub(super) fn whole(&self, blob: Blob<'_>, trail: Option<&Trail>, scratch: &mut Scratch) {
        let mut seen = self.sightings(blob, None, trail, scratch);
        if !seen.is_empty() {
            locked(&self.sightings).append(&mut seen);
        }
    }

    fn sightings(
        &self,
        blob: Blob<'_>,
        beside: Option<OriginKind>,
        trail: Option<&Trail>,
        scratch: &mut Scratch,
    ) -> Vec<Sighting> {
        let mut seen = Vec::new();
        let mut known = Known::default();
        let emit = &mut |view: &decode::View<'_>| {
            let is_own = view.is_root() && view.member.is_none();
            let found = match trail {
                Some(trail) if is_own => self.detector.settled(&view.text, trail),
                _ => self.detected(view, scratch),
            };
            self.view(view, blob, found, &mut seen, &mut known);
            if self.references && !view.is_binary && is_own && !blob.path.is_empty() {
                self.mentions(view, blob, scratch.seen());
            }
        };
        let gap = &mut |member: Option<&str>, reason, detail| {
            match (beside, blob.id) {
                (None, Some(id)) => drop(locked(&self.troubled).insert(id)),
                (None, None) => {}
                (Some(_), _) => self.beside_troubled.store(true, Ordering::Relaxed),
            }
            let outer = match blob.id {
                Some(id) if blob.path.is_empty() || beside.is_some() => id.to_string(),
                _ => blob.path.to_owned(),
            };
            let path = match member {
                Some(member) => decode::joined(&outer, member),
                None => outer,
            };
            locked(&self.gaps).push(Gap {
                path,
                reason,
                detail,
            });
        };
        decode::each(blob.bytes, &self.options, emit, gap);
        seen.iter_mut().for_each(|it| it.beside = beside);
        seen
    }

    pub(super) fn detected(&self, view: &decode::View<'_>, scratch: &mut Scratch) -> Vec<Found> {
        let texture = if view.is_binary {
            Texture::Binary
        } else {
            Texture::Text
        };
        self.detector.detect(&view.text, texture, scratch)
    }

    /// Looks at many small texts at once, then alone at each that shows something.
    fn batch(&self, mut batch: Batch) {
        SCRATCH.with_borrow_mut(|scratch| {
            let (mut offsets, mut places) = (Vec::new(), Vec::new());
            let mut is_cut = false;
            let emit = &mut |view: &decode::View<'_>| {
                let found = self.detected(view, scratch);
                let spans = found.iter().map(|it| it.span);
                if view.is_root() && view.member.is_none() {
                    offsets.extend(spans.map(|it| it.start));
                } else {
                    places.extend(spans.map(|it| view.place(it)));
                }
            };
            decode::each(batch.text(), &self.options, emit, &mut |_, _, _| {
                is_cut = true
            });
            offsets.into_iter().for_each(|it| batch.hit(it));
            places.into_iter().for_each(|it| batch.hit_place(it));
            if is_cut {
                batch.hit_all();
            }
            for (key, text) in batch.hits() {
                self.alone(key, text, scratch);
            }
        });
    }

    /// Looks at a text that is no blob.
    fn alone(&self, key: &Aside, bytes: &[u8], scratch: &mut Scratch) {
        let blob = Blob {
            bytes,
            path: &key.path,
            id: key.id,
        };
        let mut seen = self.sightings(blob, Some(key.kind), None, scratch);
        if !seen.is_empty() {
            locked(&self.sightings).append(&mut seen);
        }
    }
}

impl Sink for Collector<'_> {
    fn blob(&self, blob: Blob<'_>) {
        self.count(blob);
        SCRATCH.with_borrow_mut(|scratch| self.whole(blob, None, scratch));
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
            self.chain(blob, base, future, scratch)
        })
    }

    fn beside(&self, kind: OriginKind, blob: Blob<'_>) {
        self.count(blob);
        let key = Aside {
            kind,
            id: blob.id,
            path: blob.path.to_owned(),
        };
        if batch::is_alone(blob.bytes) {
            return SCRATCH.with_borrow_mut(|it| self.alone(&key, blob.bytes, it));
        }
        let full = locked(&self.batch).push(key, blob.bytes);
        if let Some(full) = full {
            self.batch(full);
        }
    }

    fn gap(&self, gap: Gap) {
        locked(&self.gaps).push(gap);
    }
}
