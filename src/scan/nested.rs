//! Repositories that lie within others, each read once: submodules, checked out or not, and nested ones.
//!
//! Not here: how one of them is read.

use crate::model::coverage::{Gap, Reason};
use crate::source::history::History;
use crate::source::modules;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Repositories that wait to be read.
#[derive(Default)]
pub(super) struct Nested {
    /// Folders of objects and refs, which linked work trees share.
    seen: HashSet<PathBuf>,
    waiting: Vec<(PathBuf, String)>,
}

impl Nested {
    /// Adds one that was met.
    pub(super) fn add(&mut self, path: PathBuf, name: String) {
        self.waiting.push((path, name));
    }

    /// The next that waits.
    pub(super) fn next(&mut self) -> Option<(PathBuf, String)> {
        self.waiting.pop()
    }

    /// Enters one: what lies within it waits from now on, and what belongs there and is not is told. False
    /// if it was entered before, maybe by another of its work trees.
    pub(super) fn enter(&mut self, history: &History, name: &str, gaps: &mut Vec<Gap>) -> bool {
        if !self.seen.insert(history.place()) {
            return false;
        }
        let modules = modules::modules(history);
        let called = |path: &str| match name {
            "." => path.to_owned(),
            name => format!("{name}/{path}"),
        };
        for path in modules::absent(history, &modules) {
            gaps.push(Gap {
                path: called(&path),
                reason: Reason::NestedRepository,
                detail: "the submodule is not here: neither its files nor its history were read"
                    .to_owned(),
            });
        }
        for module in modules {
            let name = called(&module.path);
            self.add(module.git_dir, name);
        }
        true
    }
}

/// Whether a folder in a work tree is a repository of its own, and no work tree of the same one.
pub(super) fn is_another(folder: &Path, own: Option<&git2::Repository>) -> bool {
    let place = |it: &git2::Repository| it.commondir().canonicalize().ok();
    let inner = git2::Repository::open(folder).ok();
    // One that cannot be opened is told when it is to be read.
    inner.is_none_or(|it| place(&it) != own.and_then(place))
}
