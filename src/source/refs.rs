//! The refs of a repository: what they are called, what they point at, and their logs.
//!
//! Not here: what a commit or a tag says. Formats: gitrepository-layout(5) of git's documentation.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::OriginKind;
use crate::source::{Sink, spelling};
use git2::{ObjectType, Oid, Reference, Repository};
use std::fs;
use std::path::{Path, PathBuf};

/// Where notes are kept, as `git notes` does by default.
const NOTES: &str = "refs/notes/";
/// Folders within a folder of logs.
const DEEPEST: usize = 64;

/// What refs, `HEAD` and the `HEAD`s of linked work trees point at.
#[derive(Default, Debug)]
pub(crate) struct Refs {
    /// Commits, but for those of notes.
    pub(crate) tips: Vec<ObjectId>,
    /// A ref of notes, and its commit.
    pub(crate) notes: Vec<(String, ObjectId)>,
    /// Full names.
    pub(crate) names: Vec<String>,
    /// What is pointed at and is no commit: annotated tags, mostly.
    pub(crate) others: Vec<ObjectId>,
    /// A ref, and the object it names that is not there.
    pub(crate) broken: Vec<(String, ObjectId)>,
}

impl Refs {
    /// Reads every ref.
    pub(crate) fn of(repository: &Repository) -> Self {
        let mut refs = Self::default();
        for reference in repository.references().into_iter().flatten().flatten() {
            refs.add(repository, &reference);
        }
        refs.add_heads(repository);
        refs.names.sort();
        refs.names.dedup();
        refs
    }

    fn add(&mut self, repository: &Repository, reference: &Reference<'_>) {
        let name = spelling::text(reference.name_bytes()).into_owned();
        let target = reference.resolve().ok().and_then(|it| it.target());
        let commit = reference.peel(ObjectType::Commit).ok().map(|it| it.id());
        match (commit.and_then(our_id), target.and_then(our_id)) {
            (Some(commit), _) if name.starts_with(NOTES) => {
                self.notes.push((name.clone(), commit));
            }
            (Some(commit), _) => self.tips.push(commit),
            (None, Some(object)) if !exists(repository, target) => {
                self.broken.push((name.clone(), object));
            }
            (None, _) => {}
        }
        if target != commit {
            self.others.extend(target.and_then(our_id));
        }
        self.names.push(name);
    }

    fn add_heads(&mut self, repository: &Repository) {
        let head = repository.head().and_then(|it| it.peel_to_commit()).ok();
        self.tips.extend(head.and_then(|it| our_id(it.id())));
        let common = repository.commondir();
        for folder in linked(common).into_iter().chain([common.to_owned()]) {
            let head = fs::read_to_string(folder.join("HEAD")).unwrap_or_default();
            match head.trim().strip_prefix("ref: ") {
                // A branch without a commit is no ref yet, and has a name.
                Some(name) => self.names.push(name.to_owned()),
                None => self
                    .tips
                    .extend(Oid::from_str(head.trim()).ok().and_then(our_id)),
            }
        }
    }

    /// Hands out the names.
    pub(crate) fn each_name(&self, sink: &dyn Sink) {
        for name in &self.names {
            let blob = Blob {
                bytes: name.as_bytes(),
                path: name,
                id: None,
            };
            sink.beside(OriginKind::RefName, blob);
        }
    }
}

fn our_id(id: Oid) -> Option<ObjectId> {
    ObjectId::from_bytes(id.as_bytes())
}

fn exists(repository: &Repository, id: Option<Oid>) -> bool {
    let odb = repository.odb();
    id.is_some_and(|id| odb.is_ok_and(|it| it.exists(id)))
}

/// The git folders of linked work trees.
fn linked(common: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(common.join("worktrees"));
    let mut folders: Vec<PathBuf> = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|it| it.path())
        .collect();
    folders.sort();
    folders
}

/// Hands out the logs of all refs, each with its path below the git folder.
pub(crate) fn each_log(common: &Path, max_size: u64, sink: &dyn Sink) {
    for folder in [common.to_owned()].into_iter().chain(linked(common)) {
        let logs = Logs {
            common,
            max_size,
            sink,
        };
        logs.folder(&folder.join("logs"), 0);
    }
}

struct Logs<'a> {
    common: &'a Path,
    max_size: u64,
    sink: &'a dyn Sink,
}

impl Logs<'_> {
    fn folder(&self, folder: &Path, depth: usize) {
        let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
            Ok(entries) => entries.flatten().map(|it| it.path()).collect(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return,
            Err(error) => return self.gap(folder, Reason::Io, error.to_string()),
        };
        paths.sort();
        for path in paths {
            match fs::symlink_metadata(&path) {
                Ok(it) if it.is_dir() && depth < DEEPEST => self.folder(&path, depth + 1),
                Ok(it) if it.is_file() && it.len() > self.max_size => {
                    self.gap(&path, Reason::TooLarge, format!("{} bytes", it.len()));
                }
                Ok(it) if it.is_file() => self.log(&path),
                Ok(_) => {}
                Err(error) => self.gap(&path, Reason::Io, error.to_string()),
            }
        }
    }

    fn log(&self, path: &Path) {
        match fs::read(path) {
            Ok(bytes) => {
                let blob = Blob {
                    bytes: &bytes,
                    path: &self.name(path),
                    id: None,
                };
                self.sink.beside(OriginKind::Reflog, blob);
            }
            Err(error) => self.gap(path, Reason::Io, error.to_string()),
        }
    }

    fn name(&self, path: &Path) -> String {
        spelling::shown(path.strip_prefix(self.common).unwrap_or(path))
    }

    fn gap(&self, path: &Path, reason: Reason, detail: String) {
        self.sink.gap(Gap {
            path: self.name(path),
            reason,
            detail,
        });
    }
}
