//! What a scan leaves out: ignored folders of build output, `.keyatlasignore`, `--exclude`.
//!
//! Not here: the walk itself. git's ignore rules are asked only for folders with a telling name, so
//! they cost nothing per file.

use crate::model::coverage::{Gap, Reason};
use crate::source::error::Error;
use crate::source::spelling;
use git2::Repository;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Folders of dependencies, build output and caches. One is skipped only if git ignores it too and
/// tracks nothing in it. Folders that tend to hold live configuration are not here: of `.terraform`,
/// only the downloads are.
pub const FOLDERS: &[&str] = &[
    ".angular",
    ".cache",
    ".dart_tool",
    ".eggs",
    ".gradle",
    ".hypothesis",
    ".mypy_cache",
    ".next",
    ".nox",
    ".nuxt",
    ".nyc_output",
    ".parcel-cache",
    ".pytest_cache",
    ".ruff_cache",
    ".stack-work",
    ".svelte-kit",
    ".terraform/modules",
    ".terraform/providers",
    ".terragrunt-cache",
    ".tox",
    ".turbo",
    ".venv",
    ".yarn/cache",
    "Pods",
    "__pycache__",
    "_build",
    "bower_components",
    "build",
    "coverage",
    "dist",
    "dist-newstyle",
    "elm-stuff",
    "htmlcov",
    "jspm_packages",
    "node_modules",
    "obj",
    "out",
    "target",
    "vendor",
    "venv",
];

/// Name of our own ignore files.
pub(crate) const IGNORE_FILE: &str = ".keyatlasignore";

/// Whether the last names of a path are in the list.
fn is_listed(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|it| it.to_str()) else {
        return false;
    };
    let parent = || {
        path.parent()
            .and_then(Path::file_name)
            .and_then(|it| it.to_str())
    };
    FOLDERS.iter().any(|listed| match listed.split_once('/') {
        None => *listed == name,
        Some((above, below)) => below == name && parent() == Some(above),
    })
}

/// The exclusions of one scan.
pub(crate) struct Exclusions {
    /// From the command line or the settings; `None` where there are none.
    patterns: Option<Gitignore>,
    /// Ignore files met so far, by folder.
    files: RwLock<HashMap<PathBuf, Arc<Gitignore>>>,
    any_files: AtomicBool,
    /// Repositories met so far, by work tree.
    repositories: Mutex<HashMap<PathBuf, Option<Repository>>>,
    /// Where the search upwards for repositories and ignore files ends.
    base: PathBuf,
    /// Whether everything is scanned.
    off: bool,
}

impl Exclusions {
    /// Exclusions below `base`, which is the repository root or the scanned root.
    pub(crate) fn new(base: &Path, patterns: &[String], off: bool) -> Result<Self, Error> {
        Ok(Self {
            patterns: if off { None } else { parsed(base, patterns)? },
            files: RwLock::default(),
            any_files: AtomicBool::new(false),
            repositories: Mutex::default(),
            base: base.to_owned(),
            off,
        })
    }

    /// Reads the ignore file of a folder, if it has one. Called before anything in the folder is judged.
    pub(crate) fn enter(&self, folder: &Path) -> Option<Gap> {
        let path = folder.join(IGNORE_FILE);
        if self.off || !path.is_file() {
            return None;
        }
        let mut builder = GitignoreBuilder::new(folder);
        let fault = builder.add(&path);
        self.take(folder, builder, fault)
    }

    /// The same with the text of an ignore file that lies elsewhere.
    pub(crate) fn enter_with(&self, folder: &Path, text: &str) -> Option<Gap> {
        if self.off {
            return None;
        }
        let mut builder = GitignoreBuilder::new(folder);
        let mut lines = text.lines();
        let fault = lines.find_map(|it| builder.add_line(None, it).err());
        lines.for_each(|it| drop(builder.add_line(None, it)));
        self.take(folder, builder, fault)
    }

    fn take(
        &self,
        folder: &Path,
        builder: GitignoreBuilder,
        fault: Option<ignore::Error>,
    ) -> Option<Gap> {
        let (built, fault) = match builder.build() {
            Ok(built) => (built, fault),
            Err(error) => (Gitignore::empty(), Some(error)),
        };
        self.files
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(folder.to_owned(), Arc::new(built));
        self.any_files.store(true, Ordering::Release);
        let detail = fault?.to_string();
        let path = folder.join(IGNORE_FILE);
        Some(Gap {
            path: spelling::shown(path.strip_prefix(&self.base).unwrap_or(&path)),
            reason: Reason::Malformed,
            detail,
        })
    }

    /// Whether a file or folder is left out, and why.
    pub(crate) fn reason(&self, path: &Path, is_folder: bool) -> Option<(Reason, String)> {
        if self.off {
            return None;
        }
        if let Some(by) = self.excluded(path, is_folder) {
            return Some((Reason::Excluded, by));
        }
        if is_folder && is_listed(path) && self.is_ignored_and_untracked(path) {
            return Some((
                Reason::IgnoredFolder,
                "git ignores it and tracks nothing in it".to_owned(),
            ));
        }
        None
    }

    /// Whether a file, or a folder above it below `top`, is excluded by a pattern or an ignore file.
    pub(crate) fn excluded_below(&self, top: &Path, path: &Path) -> Option<String> {
        if self.off {
            return None;
        }
        let folders = path.ancestors().skip(1);
        let mut folders: Vec<_> = folders
            .take_while(|it| it.starts_with(top) && *it != top)
            .collect();
        folders.reverse();
        let by_folder = folders.into_iter().find_map(|it| self.excluded(it, true));
        by_folder.or_else(|| self.excluded(path, false))
    }

    fn excluded(&self, path: &Path, is_folder: bool) -> Option<String> {
        if let Some(patterns) = &self.patterns {
            let matched = patterns.matched(path, is_folder);
            if let Some(glob) = matched.inner().filter(|_| matched.is_ignore()) {
                return Some(format!("excluded by `{}`", glob.original()));
            }
        }
        if !self.any_files.load(Ordering::Acquire) {
            return None;
        }
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner);
        for folder in path.ancestors().skip(1) {
            // The nearest file that has something to say decides, as git does it.
            let matched = files.get(folder).map(|it| it.matched(path, is_folder));
            match matched {
                Some(it) if it.is_ignore() => return Some(format!("excluded by {IGNORE_FILE}")),
                Some(it) if it.is_whitelist() => return None,
                _ if folder == self.base => return None,
                _ => {}
            }
        }
        None
    }

    fn is_ignored_and_untracked(&self, folder: &Path) -> bool {
        let above = folder
            .ancestors()
            .skip(1)
            .take_while(|it| it.starts_with(&self.base));
        let Some(root) = above.into_iter().find(|it| it.join(".git").exists()) else {
            return false;
        };
        let Ok(relative) = folder.strip_prefix(root) else {
            return false;
        };
        let mut repositories = self
            .repositories
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let opened = repositories
            .entry(root.to_owned())
            .or_insert_with(|| crate::source::repository::open(root).ok());
        let Some(repository) = opened else {
            return false;
        };
        let Ok(index) = repository.index() else {
            return false;
        };
        let prefix = format!("{}/", spelling::shown(relative));
        // With the slash, patterns that only fit folders fit.
        repository.is_path_ignored(&prefix).unwrap_or(false) && index.find_prefix(prefix).is_err()
    }
}

fn parsed(base: &Path, patterns: &[String]) -> Result<Option<Gitignore>, Error> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let mut builder = GitignoreBuilder::new(base);
    for pattern in patterns {
        let fault = |it: ignore::Error| Error::Pattern {
            pattern: pattern.clone(),
            message: it.to_string(),
        };
        builder.add_line(None, pattern).map_err(fault)?;
    }
    let fault = |it: ignore::Error| Error::Pattern {
        pattern: patterns.join(" "),
        message: it.to_string(),
    };
    builder.build().map(Some).map_err(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_matches_whole_names() {
        assert!(FOLDERS.is_sorted());
        for (path, listed) in [
            ("/r/node_modules", true),
            ("/r/a/target", true),
            ("/r/targets", false),
            ("/r/.terraform", false),
            ("/r/.terraform/providers", true),
            ("/r/providers", false),
        ] {
            assert_eq!(is_listed(Path::new(path)), listed, "{path}");
        }
    }

    #[test]
    fn a_pattern_that_does_not_parse_is_an_error_with_its_text() {
        let error = Exclusions::new(Path::new("/r"), &["a{b".to_owned()], false)
            .err()
            .unwrap();
        assert!(error.to_string().contains("a{b"), "{error}");
    }
}
