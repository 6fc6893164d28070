//! Who wrote which line of the work tree: a second pass over history, for the lines asked about alone.
//!
//! Not here: how a line is followed (see `descent`), and what is on it. All files of all lines go through history
//! together, so that their folders are compared once. What is not committed has no author yet.

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::Milestone;
use crate::source::compare;
use crate::source::descent::{Answer, Descent, File};
use crate::source::history::{History, HistoryOptions};
use crate::source::hunks;
use crate::source::lineage::{self, Lineage};
use crate::source::mailmap::Mailmap;
use crate::source::nest::{Line, Name, Nest};
use crate::source::objects::Objects;
use crate::source::pack::Kind;
use crate::source::reader::Reader;
use crate::source::refs::Refs;
use crate::source::renamed;
use crate::source::said::{kept, said};
use crate::source::{repository, spelling};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::Path;

/// Lines, from 1, by the paths of their files, relative to the top of the work tree.
pub type Lines = BTreeMap<String, BTreeSet<u32>>;

/// Who wrote them.
#[derive(Debug, Default)]
pub struct Blamed {
    /// By path and line. A line that is not committed is not there.
    pub written: HashMap<(String, u32), Milestone>,
    /// Why others are not there.
    pub gaps: Vec<Gap>,
}

/// Bytes of versions that are compared at most: some minutes' worth.
const MOST_COMPARED: u64 = 48 << 30;
/// Bytes of commits kept while these are listed.
const LISTING: usize = 4 << 20;

/// Which files are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Files {
    /// Those of the work tree.
    WorkTree,
    /// Those of `HEAD`.
    Head,
}

/// Finds the authors of lines; of `HEAD` where there is no work tree.
pub fn blame(history: &History, files: Files, lines: &Lines, options: &HistoryOptions) -> Blamed {
    let mut blamed = Blamed::default();
    let library = history.library();
    let heads = heads(library);
    if heads.is_empty() || lines.is_empty() {
        return blamed;
    }
    let boundary = repository::shallow_boundary(library);
    let boundary = boundary.iter().filter_map(our_id).collect();
    let lineage = {
        let mut reader = Reader::new(history.objects(), u64::MAX, LISTING);
        Lineage::of(&mut reader, &heads, &boundary, lineage::MOST)
    };
    let starts: Vec<usize> = heads.iter().filter_map(|it| lineage.find(it)).collect();
    let way = Way {
        objects: history.objects(),
        lineage: &lineage,
        starts: &starts,
        top: library.workdir().filter(|_| files == Files::WorkTree),
        options,
        jobs: options.jobs.clamp(1, lines.len()),
    };
    let answers = way.answers(lines);
    let mut lost: BTreeMap<Reason, usize> = BTreeMap::new();
    let mut milestones = Milestones::of(history, &lineage);
    for (path, line, answer) in answers {
        match answer {
            Answer::Written(place) => {
                let milestone = milestones.at(place);
                let known = milestone.map(|it| blamed.written.insert((path, line), it));
                drop(known);
            }
            Answer::Lost(reason) => *lost.entry(reason).or_default() += 1,
        }
    }
    blamed.gaps = gaps(library, &lost);
    blamed
}

fn our_id(id: &git2::Oid) -> Option<ObjectId> {
    ObjectId::from_bytes(id.as_bytes())
}

/// What the work tree stands on: `HEAD`, and what is being merged into it.
fn heads(library: &git2::Repository) -> Vec<ObjectId> {
    let head = library.head().ok();
    let head = head.and_then(|it| it.peel_to_commit().ok());
    let Some(head) = head.and_then(|it| our_id(&it.id())) else {
        return Vec::new();
    };
    let merged = fs::read_to_string(library.path().join("MERGE_HEAD")).unwrap_or_default();
    let merged = merged.lines().filter_map(|it| git2::Oid::from_str(it).ok());
    let merged = merged.filter_map(|it| our_id(&it)).filter(|it| *it != head);
    [head].into_iter().chain(merged).collect()
}

/// What could not be told, and what was not followed.
fn gaps(library: &git2::Repository, lost: &BTreeMap<Reason, usize>) -> Vec<Gap> {
    let mut gaps: Vec<Gap> = lost
        .iter()
        .map(|(reason, count)| {
            let reason = match reason {
                Reason::MissingObject if repository::is_partial(library) => Reason::PartialClone,
                other => *other,
            };
            let why = match reason {
                Reason::ShallowClone => "the clone is shallow; `git fetch --unshallow`",
                Reason::PartialClone => "the clone is partial and lacks earlier versions",
                Reason::MissingObject => "an earlier version is missing",
                Reason::TooLarge => "a version is too large",
                Reason::LimitHit => "history is too long",
                _ => "an earlier version cannot be read",
            };
            Gap {
                path: ".".to_owned(),
                reason,
                detail: format!("who wrote {count} line(s) that name secrets is not told: {why}"),
            }
        })
        .collect();
    let replaced = library.references_glob("refs/replace/*");
    let replaced = replaced.into_iter().flatten().flatten();
    let refs = Refs {
        names: replaced
            .map(|it| spelling::text(it.name_bytes()).into_owned())
            .collect(),
        ..Refs::default()
    };
    gaps.extend(repository::not_followed(library, &refs));
    gaps
}

/// Commits in words.
struct Milestones<'a> {
    reader: Reader<'a>,
    lineage: &'a Lineage,
    mailmap: Mailmap,
    known: HashMap<u32, Option<Milestone>>,
}

impl<'a> Milestones<'a> {
    fn of(history: &'a History, lineage: &'a Lineage) -> Self {
        Self {
            reader: Reader::new(history.objects(), u64::MAX, LISTING),
            lineage,
            mailmap: Mailmap::of(history.library()),
            known: HashMap::new(),
        }
    }

    fn at(&mut self, place: u32) -> Option<Milestone> {
        if let Some(known) = self.known.get(&place) {
            return known.clone();
        }
        let id = self.lineage.all.get(place as usize)?.id()?;
        // It was read before; a repository that changes under us loses it.
        let commit = self.reader.read(&id, Kind::Commit).ok();
        let milestone = commit.map(|it| {
            let said = said(&it.bytes);
            Milestone {
                seconds: said.seconds,
                commit: id.to_string(),
                author: self.mailmap.name(&kept(said.author)),
            }
        });
        self.known.insert(place, milestone.clone());
        milestone
    }
}

/// All that a thread needs to follow lines.
struct Way<'a> {
    objects: &'a Objects,
    lineage: &'a Lineage,
    /// Places of what the work tree stands on.
    starts: &'a [usize],
    top: Option<&'a Path>,
    options: &'a HistoryOptions,
    jobs: usize,
}

type Told = (String, u32, Answer);

/// A file of what the work tree stands on, with the place of that commit.
struct Base {
    start: usize,
    path: Vec<Name>,
    file: File,
}

impl Way<'_> {
    /// All answers that there are, in any order.
    fn answers(&self, lines: &Lines) -> Vec<Told> {
        let all: Vec<_> = lines.iter().collect();
        // Neighbours share folders.
        let parts = all.chunks(all.len().div_ceil(self.jobs));
        std::thread::scope(|scope| {
            let threads: Vec<_> = parts
                .map(|part| scope.spawn(move || self.part(part)))
                .collect();
            let told = threads.into_iter().map(|it| match it.join() {
                Ok(told) => told,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            told.flatten().collect()
        })
    }

    /// The answers about some files.
    fn part(&self, part: &[(&String, &BTreeSet<u32>)]) -> Vec<Told> {
        let memory = self.options.memory / self.jobs;
        let mut descent = Descent {
            lineage: self.lineage,
            reader: Reader::new(self.objects, self.options.max_size, memory),
            budget: MOST_COMPARED / self.jobs as u64,
            answers: Vec::new(),
        };
        let mut questions = Vec::new();
        let mut asked: HashMap<usize, Nest> = HashMap::new();
        for (path, lines) in part {
            let first = questions.len() as u32;
            questions.extend(lines.iter().map(|line| (*path, *line)));
            descent.answers.resize(questions.len(), None);
            let lines = lines.iter().filter_map(|it| it.checked_sub(1));
            self.ask(path, lines.zip(first..).collect(), &mut descent, &mut asked);
        }
        descent.follow(asked);
        let told = questions.into_iter().zip(descent.answers);
        told.filter_map(|((path, line), answer)| Some((path.clone(), line, answer?)))
            .collect()
    }

    /// Puts lines of a file of the work tree to the commits that it stands on; what none has is not committed.
    fn ask(
        &self,
        path: &str,
        mut lines: Vec<Line>,
        descent: &mut Descent<'_, '_>,
        asked: &mut HashMap<usize, Nest>,
    ) {
        let bases = self.bases(path, &mut descent.reader);
        let mut add = |base: &Base, lines: Vec<Line>| {
            if !lines.is_empty() {
                asked.entry(base.start).or_default().add(&base.path, lines);
            }
        };
        let Some(first) = bases.first() else {
            return;
        };
        let Some(top) = self.top else {
            return add(first, lines);
        };
        // A file that is gone since it was scanned has no lines.
        let Some(text) = work_file(&top.join(path), self.options.max_size) else {
            return;
        };
        let count = text.split_inclusive(|it| *it == b'\n').count();
        lines.retain(|it| (it.0 as usize) < count);
        let mut others = Vec::new();
        for base in &bases {
            match descent.reader.read(&base.file.blob, Kind::Blob) {
                Ok(blob) if blob.bytes == text => return add(base, lines),
                Ok(blob) => others.push((base, blob)),
                Err(reason) => return descent.lose(lines, reason),
            }
        }
        for (base, blob) in others {
            let text = checked_in(&text, &blob.bytes);
            match hunks::part(&blob.bytes, &text, &lines) {
                Some(parted) => {
                    add(base, parted.passed);
                    lines = parted.stayed;
                }
                None => return descent.lose(lines, Reason::TooLarge),
            }
        }
    }

    /// The file in each commit that the work tree stands on and that has it.
    fn bases(&self, path: &str, reader: &mut Reader<'_>) -> Vec<Base> {
        let base = |start: &usize| {
            let tree = self.lineage.all.get(*start)?.tree()?;
            let (path, file) = entry(reader, tree, path)?;
            Some(Base {
                start: *start,
                path,
                file,
            })
        };
        self.starts.iter().filter_map(base).collect()
    }
}

/// A file of a tree, and the names that lead to it.
fn entry(reader: &mut Reader<'_>, tree: ObjectId, path: &str) -> Option<(Vec<Name>, File)> {
    let mut names: Vec<Name> = Vec::new();
    let mut tree = tree;
    let mut parts = path.split('/').peekable();
    while let Some(part) = parts.next() {
        let object = reader.read(&tree, Kind::Tree).ok()?;
        let mut entries = compare::entries(&object.bytes);
        let found = entries.find(|it| spelling::text(it.name) == part)?;
        names.push(found.name.into());
        let id = ObjectId::from_bytes(found.id)?;
        let is_regular = renamed::is_regular(found.mode());
        match (parts.peek(), found.is_tree()) {
            (Some(_), true) => tree = id,
            (None, false) if is_regular => {
                let blob = id;
                return Some((names, File { blob, is_regular }));
            }
            _ => return None,
        }
    }
    None
}

/// A plain file; a link would lead anywhere.
fn work_file(path: &Path, largest: u64) -> Option<Vec<u8>> {
    let is_fit = fs::symlink_metadata(path).is_ok_and(|it| it.is_file() && it.len() <= largest);
    is_fit.then(|| fs::read(path).ok()).flatten()
}

/// A file as it would be committed over a version: with that one's line ends, where checking it out may have changed
/// them. No filter that a repository names is run.
fn checked_in<'a>(text: &'a [u8], before: &[u8]) -> Cow<'a, [u8]> {
    let has_returns = |it: &[u8]| memchr::memmem::find(it, b"\r\n").is_some();
    if !has_returns(text) || has_returns(before) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|it| *it == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(line) => plain.extend([line, b"\n"].concat()),
            None => plain.extend(line),
        }
    }
    Cow::Owned(plain)
}
