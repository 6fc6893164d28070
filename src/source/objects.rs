//! The object database: every pack and loose folder of a repository, alternates included, read once each.
//!
//! Not here: what objects mean, refs, commits. A damaged copy is forgiven where another copy is sound.

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::model::delta::Edit;
use crate::source::forest::Forest;
use crate::source::loose::{self, Loose};
use crate::source::pack::{Kind, Pack};
use crate::source::spelling;
use crate::source::walk::{Failure, Limits, Take, Walk};
use crate::source::{Future, Kept};
use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Takes objects from several threads.
pub(crate) trait Visit: Sync {
    /// Whether `wants` ever says no, so that asking pays.
    fn chooses(&self) -> bool {
        false
    }
    /// Whether this object is to be read.
    fn wants(&self, _id: &ObjectId) -> bool {
        true
    }
    /// One object of a type asked for.
    fn object(&self, id: ObjectId, bytes: &[u8]);
    /// The same with what is known of its base, and of its future as one.
    fn chained(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        let _unused = (base, future);
        self.object(id, bytes);
        None
    }
    /// A copy of an object that could not be read; another may be.
    fn stumbled(&self, _id: &ObjectId) {}
    /// One object, or a whole pack, that could not be read.
    fn failed(&self, gap: Gap);
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    pub(crate) kinds: &'static [Kind],
    pub(crate) jobs: usize,
    pub(crate) max_size: u64,
    /// Bytes of buffers, all threads together.
    pub(crate) memory: usize,
}

/// Reads an object that lies in another pack, where a pack asks for it.
pub(crate) type Elsewhere<'a> = dyn Fn(&ObjectId) -> Option<(Kind, Vec<u8>)> + 'a;

struct Packed {
    pack: Pack,
    forest: OnceLock<Forest>,
}

/// Every place where the repository's objects lie.
pub(crate) struct Objects {
    packs: Vec<Packed>,
    folders: Vec<PathBuf>,
    gaps: Vec<Gap>,
}

/// Loose objects handed to a thread at a time.
const CHUNK: usize = 16;
/// How far alternates may point to further alternates; git's own limit.
const ALTERNATE_DEPTH: usize = 5;

impl Objects {
    /// Opens the objects folder and its alternates.
    pub(crate) fn open(folder: &Path) -> Self {
        let mut objects = Self {
            packs: Vec::new(),
            folders: Vec::new(),
            gaps: Vec::new(),
        };
        objects.add(folder);
        objects
    }

    /// Adds a further folder and its alternates, unless they are there already.
    pub(crate) fn add(&mut self, folder: &Path) {
        let mut seen = self.folders.iter().cloned().collect();
        self.add_folder(folder, ALTERNATE_DEPTH, &mut seen);
    }

    fn add_folder(&mut self, folder: &Path, depth: usize, seen: &mut HashSet<PathBuf>) {
        let Ok(folder) = folder.canonicalize() else {
            let detail = "the folder of borrowed objects does not exist".to_owned();
            self.gaps.push(Gap {
                path: spelling::shown(folder),
                reason: Reason::MissingObject,
                detail,
            });
            return;
        };
        if !seen.insert(folder.clone()) {
            return;
        }
        self.add_packs(&folder.join("pack"));
        let alternates = fs::read(folder.join("info/alternates")).unwrap_or_default();
        self.folders.push(folder.clone());
        for line in alternates.split(|it| *it == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if !line.is_empty() && !line.starts_with(b"#") && depth > 0 {
                self.add_folder(&folder.join(path_of(line)), depth - 1, seen);
            }
        }
    }

    fn add_packs(&mut self, folder: &Path) {
        let mut names: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.flatten().map(|it| it.path()).collect(),
            Err(_) => return,
        };
        names.sort();
        let is = |path: &Path, end: &str| path.extension().is_some_and(|it| it == end);
        for path in names.iter().filter(|it| is(it, "idx")) {
            if !path.with_extension("pack").exists() {
                let detail = "the pack of this index is not here".to_owned();
                self.lose_pack(path, Reason::MissingObject, detail);
                continue;
            }
            match Pack::open(path) {
                Ok(pack) => self.packs.push(Packed {
                    pack,
                    forest: OnceLock::new(),
                }),
                Err(detail) => self.lose_pack(path, Reason::CorruptObject, detail),
            }
        }
        let alone = |it: &&PathBuf| is(it, "pack") && !it.with_extension("idx").exists();
        for path in names.iter().filter(alone) {
            let detail = "the pack has no index; `git index-pack` makes one".to_owned();
            self.lose_pack(path, Reason::CorruptObject, detail);
        }
    }

    fn lose_pack(&mut self, path: &Path, reason: Reason, detail: String) {
        let path = path.with_extension("pack");
        let name = path.file_name().unwrap_or_default();
        let path = spelling::text(name.as_encoded_bytes()).into_owned();
        self.gaps.push(Gap {
            path,
            reason,
            detail,
        });
    }

    /// Places that could not be opened.
    pub(crate) fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Every pack.
    pub(crate) fn packs(&self) -> impl Iterator<Item = &Pack> {
        self.packs.iter().map(|it| &it.pack)
    }

    /// Whether a pack has this id.
    pub(crate) fn is_packed(&self, id: &ObjectId) -> bool {
        self.packs.iter().any(|it| it.pack.has(id))
    }

    /// The ids of all loose objects; a folder that cannot be read is told by whoever reads objects.
    pub(crate) fn loose(&self) -> HashSet<ObjectId> {
        let folders = self.folders.iter();
        folders
            .flat_map(|it| loose::ids(it).unwrap_or_default())
            .collect()
    }

    /// The indexes of packs, and the folders of loose objects.
    pub(crate) fn whereabouts(&self) -> (impl Iterator<Item = &Path>, &[PathBuf]) {
        let indexes = self.packs.iter().map(|it| it.pack.index.as_path());
        (indexes, &self.folders)
    }

    /// Hands out the ids of all objects; those in several places come several times.
    pub(crate) fn each_id(&self, emit: &mut dyn FnMut(ObjectId)) {
        for Packed { pack, .. } in &self.packs {
            (0..pack.len())
                .filter_map(|it| pack.id(it))
                .for_each(&mut *emit);
        }
        self.loose().into_iter().for_each(emit);
    }

    /// Hands out every object of some types exactly once: packs in pack order, then loose objects.
    pub(crate) fn each(&self, reading: &Reading, elsewhere: &Elsewhere<'_>, visit: &dyn Visit) {
        self.each_of(None, reading, elsewhere, visit);
    }

    /// The same where only a few objects are asked for: no more than leads to them is looked at.
    pub(crate) fn each_of(
        &self,
        only: Option<&HashSet<ObjectId>>,
        reading: &Reading,
        elsewhere: &Elsewhere<'_>,
        visit: &dyn Visit,
    ) {
        let pass = Pass {
            objects: self,
            only,
            reading,
            visit,
            failed: Mutex::default(),
        };
        for at in 0..self.packs.len() {
            pass.pack(at, elsewhere);
        }
        pass.loose();
        let mut failed: Vec<Gap> = pass.failures().drain().map(|it| it.1).collect();
        failed.sort();
        failed.into_iter().for_each(|gap| visit.failed(gap));
    }
}

#[cfg(unix)]
fn path_of(bytes: &[u8]) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}

#[cfg(not(unix))]
fn path_of(bytes: &[u8]) -> PathBuf {
    PathBuf::from(String::from_utf8_lossy(bytes).into_owned())
}

/// One pass over everything.
struct Pass<'a> {
    objects: &'a Objects,
    /// All that is wanted, if that is little.
    only: Option<&'a HashSet<ObjectId>>,
    reading: &'a Reading,
    visit: &'a dyn Visit,
    /// Copies that could not be read; a sound copy met later takes the entry away.
    failed: Mutex<HashMap<ObjectId, Gap>>,
}

impl Pass<'_> {
    fn failures(&self) -> MutexGuard<'_, HashMap<ObjectId, Gap>> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a place read before already gave this object.
    fn is_done(&self, id: &ObjectId, earlier: &[Packed]) -> bool {
        earlier.iter().any(|it| it.pack.position(id).is_some()) && !self.failures().contains_key(id)
    }

    fn pack(&self, at: usize, elsewhere: &Elsewhere<'_>) {
        let Packed { pack, forest } = &self.objects.packs[at];
        let few;
        let forest = match (self.only, forest.get()) {
            // Finding the way to many takes longer than looking at all.
            (Some(only), None) if only.len() < pack.len() as usize / 8 => {
                few = Forest::towards(pack, only.iter().filter_map(|it| pack.position(it)));
                &few
            }
            _ => forest.get_or_init(|| Forest::of(pack)),
        };
        let earlier = &self.objects.packs[..at];
        let marks = (!earlier.is_empty() || self.visit.chooses()).then(|| {
            forest.marks(|position| {
                pack.id(position)
                    .is_some_and(|id| self.visit.wants(&id) && !self.is_done(&id, earlier))
            })
        });
        let limits = Limits::new(
            self.reading.max_size,
            self.reading.memory,
            self.reading.jobs,
        );
        let turn = Mutex::new(());
        let jobs = self.reading.jobs;
        let parts = forest.parts(pack, self.reading.kinds, marks.as_deref(), jobs);
        let walk = |cuts| Walk::new(pack, forest, marks.as_deref(), cuts, limits, &turn);
        in_chunks(jobs, parts.chunks.len(), 1, &|next| {
            let (mut walk, mut take) = (walk(&parts.cuts), Taker { pass: self, pack });
            let chunks = std::iter::from_fn(next).flatten();
            for start in chunks.flat_map(|it| &parts.starts[parts.chunks[it].clone()]) {
                walk.tree(*start, None, &mut take);
            }
        });
        let mut take = Taker { pass: self, pack };
        for (slot, base) in &forest.foreign {
            match elsewhere(base) {
                Some((kind, bytes)) if self.reading.kinds.contains(&kind) => {
                    walk(&[]).tree(*slot, Some(&bytes), &mut take)
                }
                Some(_) => {}
                None => self.lose(
                    forest,
                    pack,
                    *slot,
                    Reason::MissingObject,
                    "its delta base is not here",
                ),
            }
        }
        for (slot, detail) in &forest.broken {
            self.lose(forest, pack, *slot, Reason::CorruptObject, detail);
        }
    }

    /// Records a family whose type cannot be known.
    fn lose(&self, forest: &Forest, pack: &Pack, slot: u32, reason: Reason, detail: &str) {
        for member in forest.family(slot) {
            let Some(id) = pack.id(forest.slots[member as usize].position) else {
                continue;
            };
            if self.visit.wants(&id) {
                self.fail(id, reason, format!("{detail} ({})", pack.name));
            }
        }
    }

    fn fail(&self, id: ObjectId, reason: Reason, detail: String) {
        self.visit.stumbled(&id);
        self.failures().insert(
            id,
            Gap {
                path: id.to_string(),
                reason,
                detail,
            },
        );
    }

    /// Takes back what was said about a damaged copy of an object.
    fn forgive(&self, id: &ObjectId) {
        self.failures().remove(id);
    }

    fn loose(&self) {
        let mut seen = HashSet::new();
        for folder in &self.objects.folders {
            let ids = match loose::ids(folder) {
                Ok(ids) => ids,
                Err(error) => {
                    let path = spelling::shown(folder);
                    self.visit.failed(Gap {
                        path,
                        reason: Reason::Io,
                        detail: error.to_string(),
                    });
                    continue;
                }
            };
            let fresh = |id: &ObjectId| !seen.contains(id) || self.failures().contains_key(id);
            let wanted: Vec<ObjectId> = ids
                .into_iter()
                .filter(|id| {
                    self.visit.wants(id) && fresh(id) && !self.is_done(id, &self.objects.packs)
                })
                .collect();
            in_chunks(self.reading.jobs, wanted.len(), CHUNK, &|next| {
                let mut reader = loose::Reader::new();
                while let Some(chunk) = next() {
                    wanted[chunk]
                        .iter()
                        .for_each(|id| self.one_loose(&mut reader, folder, *id));
                }
            });
            seen.extend(wanted);
        }
    }

    fn one_loose(&self, reader: &mut loose::Reader, folder: &Path, id: ObjectId) {
        let Reading {
            kinds,
            max_size,
            memory,
            ..
        } = *self.reading;
        let most = max_size.min(memory as u64 / 2);
        match reader.read(folder, &id, kinds, most) {
            Loose::Object(bytes) => {
                self.forgive(&id);
                self.visit.object(id, bytes);
            }
            Loose::OtherKind => self.forgive(&id),
            Loose::TooLarge(size) => self.fail(id, Reason::TooLarge, format!("{size} bytes")),
            Loose::Corrupt => self.fail(
                id,
                Reason::CorruptObject,
                "the loose object is damaged".to_owned(),
            ),
            Loose::Io(error) => self.fail(id, Reason::Io, error.to_string()),
        }
    }
}

struct Taker<'a> {
    pass: &'a Pass<'a>,
    pack: &'a Pack,
}

impl Take for Taker<'_> {
    fn object(
        &mut self,
        position: u32,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        let id = self.pack.id(position)?;
        if self.pass.objects.packs.len() > 1 {
            self.pass.forgive(&id);
        }
        self.pass.visit.chained(id, bytes, base, future)
    }

    fn failed(&mut self, position: u32, failure: Failure) {
        let Some(id) = self.pack.id(position) else {
            return;
        };
        match failure {
            Failure::TooLarge(size) => {
                self.pass
                    .fail(id, Reason::TooLarge, format!("{size} bytes"))
            }
            Failure::Corrupt(detail) => {
                let detail = format!("{detail} ({})", self.pack.name);
                self.pass.fail(id, Reason::CorruptObject, detail);
            }
        }
    }
}

/// Yields the next range of work, until all is given out.
type Next<'a> = dyn Fn() -> Option<std::ops::Range<usize>> + 'a;

/// Runs `work` on each thread; each call of what it is given yields the next range of `0..length`.
fn in_chunks(jobs: usize, length: usize, chunk: usize, work: &(dyn Fn(&Next<'_>) + Sync)) {
    let counter = AtomicUsize::new(0);
    let next = || {
        let start = counter.fetch_add(chunk, Ordering::Relaxed);
        (start < length).then(|| start..length.min(start + chunk))
    };
    let jobs = jobs.min(length.div_ceil(chunk)).max(1);
    if jobs == 1 {
        return work(&next);
    }
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| work(&next));
        }
    });
}
