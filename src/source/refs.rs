//! The refs of a repository: what they are called, what they point at, and their logs.
//!
//! Not here: what a commit or a tag says. Formats: gitrepository-layout(5) of git's documentation.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::OriginKind;
use crate::source::{Sink, spelling};
use git2::{Oid, Repository};
use std::fs;
use std::path::{Path, PathBuf};

/// Where notes are kept, as `git notes` does by default.
const NOTES: &str = "refs/notes/";
/// What people have in their clones.
const CLONED: [&str; 3] = ["refs/heads/", "refs/remotes/", "refs/tags/"];
/// Folders within a folder of logs.
const DEEPEST: usize = 64;

/// What refs, `HEAD` and the `HEAD`s of linked work trees point at.
#[derive(Default, Debug)]
pub(crate) struct Refs {
    /// Full names.
    pub(crate) names: Vec<String>,
    /// Each ref with the object that it names: a commit, a tag, or something else.
    pub(crate) targets: Vec<(String, ObjectId)>,
    /// Commits that are checked out.
    pub(crate) heads: Vec<ObjectId>,
    /// The full name of the branch that `HEAD` stands for.
    pub(crate) head: Option<String>,
}

impl Refs {
    /// Reads every ref.
    pub(crate) fn of(repository: &Repository) -> Self {
        let mut refs = Self::default();
        for reference in repository.references().into_iter().flatten().flatten() {
            let name = spelling::text(reference.name_bytes()).into_owned();
            // What a symbolic ref leads to is a ref itself.
            if let Some(target) = reference.target().and_then(our_id) {
                refs.targets.push((name.clone(), target));
            }
            refs.names.push(name);
        }
        refs.add_heads(repository);
        refs.names.sort();
        refs.names.dedup();
        refs
    }

    /// What history goes out from, but for notes.
    pub(crate) fn tips(&self) -> impl Iterator<Item = ObjectId> {
        let targets = self.targets.iter().filter(|it| !it.0.starts_with(NOTES));
        targets.map(|it| it.1).chain(self.heads.iter().copied())
    }

    /// The refs of notes.
    pub(crate) fn notes(&self) -> impl Iterator<Item = &(String, ObjectId)> {
        self.targets.iter().filter(|it| it.0.starts_with(NOTES))
    }

    /// What a clone brings: commits and tags that branches, tags and `HEAD` point at.
    pub(crate) fn cloned(&self) -> impl Iterator<Item = ObjectId> {
        let is_cloned =
            |it: &&(String, ObjectId)| CLONED.iter().any(|start| it.0.starts_with(start));
        let targets = self.targets.iter().filter(is_cloned);
        targets.map(|it| it.1).chain(self.heads.iter().copied())
    }

    fn add_heads(&mut self, repository: &Repository) {
        let head = repository.head().ok();
        self.head = head
            .as_ref()
            .filter(|it| it.is_branch())
            .map(|it| spelling::text(it.name_bytes()).into_owned());
        let head = head.and_then(|it| it.peel_to_commit().ok());
        self.heads.extend(head.and_then(|it| our_id(it.id())));
        let common = repository.commondir();
        for folder in linked(common).into_iter().chain([common.to_owned()]) {
            let head = fs::read_to_string(folder.join("HEAD")).unwrap_or_default();
            match head.trim().strip_prefix("ref: ") {
                // A branch without a commit is no ref yet, and has a name.
                Some(name) => self.names.push(name.to_owned()),
                None => self
                    .heads
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
