//! The roots of a scan by the repository they lie in, and what each repository is called.
//!
//! Not here: reading any of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Roots that belong together: those of one repository, one folder of repositories, or those of none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// What the repository or the folder of repositories is called; `None` where there is no other part.
    pub(super) name: Option<String>,
    /// As given.
    pub(super) roots: Vec<PathBuf>,
}

/// What makes roots belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Bond {
    /// A repository, by its top.
    Repository(PathBuf),
    /// A folder with repositories side by side.
    Estate(PathBuf),
    /// Files of no repository.
    Plain,
}

impl Bond {
    fn of(root: &Path) -> Self {
        let whole = |it: &Path| it.canonicalize().unwrap_or_else(|_| it.to_path_buf());
        match enclosing(root) {
            Some(repository) => {
                Self::Repository(whole(repository.workdir().unwrap_or(repository.path())))
            }
            None if root.is_dir() && !repositories(root).is_empty() => Self::Estate(whole(root)),
            None => Self::Plain,
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Repository(path) | Self::Estate(path) => Some(path),
            Self::Plain => None,
        }
    }
}

impl Part {
    /// The name of a repository of this part: itself, or one below its root.
    pub(super) fn called(&self, below: Option<&str>) -> String {
        match (&self.name, below) {
            (None, None) => ".".to_owned(),
            (None, Some(name)) => name.to_owned(),
            (Some(part), None) => part.clone(),
            (Some(part), Some(name)) => format!("{part}/{name}"),
        }
    }

    /// A path of no repository, or of what was left out, as it is told beside other parts.
    pub(super) fn beside(&self, path: &str) -> String {
        match (&self.name, path) {
            (None, path) => path.to_owned(),
            (Some(name), ".") => name.clone(),
            (Some(name), path) => format!("{name}/{path}"),
        }
    }
}

/// The roots in parts, in the order given. One that lies within another is dropped.
pub(super) fn parts(roots: &[PathBuf]) -> Vec<Part> {
    let mut parts: Vec<(Bond, Vec<PathBuf>)> = Vec::new();
    let resolved: Vec<Option<PathBuf>> = roots.iter().map(|it| it.canonicalize().ok()).collect();
    let within = |at: usize| {
        let this = resolved[at].as_ref();
        this.is_some_and(|this| {
            resolved.iter().enumerate().any(|(other, it)| {
                let lies = it.as_ref().is_some_and(|it| this.starts_with(it));
                other != at && lies && (resolved[other] != resolved[at] || other < at)
            })
        })
    };
    for (_, root) in roots.iter().enumerate().filter(|(at, _)| !within(*at)) {
        let bond = Bond::of(root);
        match parts.iter_mut().find(|(it, _)| *it == bond) {
            Some((_, same)) => same.push(root.clone()),
            None => parts.push((bond, vec![root.clone()])),
        }
    }
    if let [(_, roots)] = &mut parts[..] {
        let roots = std::mem::take(roots);
        return vec![Part { name: None, roots }];
    }
    let names = names(parts.iter().filter_map(|(bond, _)| bond.folder()));
    let named = parts.into_iter().map(|(bond, roots)| Part {
        name: bond.folder().and_then(|it| names.get(it).cloned()),
        roots,
    });
    named.collect()
}

/// The shortest ends of paths that tell them apart.
fn names<'a>(tops: impl Iterator<Item = &'a Path>) -> BTreeMap<PathBuf, String> {
    let words = |path: &Path| -> Vec<String> {
        let components = path.components().rev();
        let normal = components.filter_map(|it| match it {
            std::path::Component::Normal(name) => Some(name.to_string_lossy().into_owned()),
            _ => None,
        });
        normal.collect()
    };
    let tops: Vec<(&Path, Vec<String>)> = tops.map(|it| (it, words(it))).collect();
    let end = |words: &[String], length: usize| -> String {
        let mut end: Vec<&str> = words.iter().take(length).map(String::as_str).collect();
        end.reverse();
        end.join("/")
    };
    let unique = |(top, own): &(&Path, Vec<String>)| {
        let lengths = 1..=own.len().max(1);
        let is_unique = |length: &usize| {
            let this = end(own, *length);
            let same = tops.iter().filter(|(_, it)| end(it, *length) == this);
            same.count() == 1
        };
        let length = lengths.into_iter().find(is_unique).unwrap_or(own.len());
        (top.to_path_buf(), end(own, length))
    };
    tops.iter().map(unique).collect()
}

/// The repository a path lies in.
pub(super) fn enclosing(path: &Path) -> Option<git2::Repository> {
    let start = if path.is_file() {
        path.parent().unwrap_or(path)
    } else {
        path
    };
    git2::Repository::discover(if start.as_os_str().is_empty() {
        Path::new(".")
    } else {
        start
    })
    .ok()
}

/// Whether the path is a repository without files: a bare one, or a `.git` folder itself.
pub(super) fn is_git_folder(root: &Path) -> bool {
    let same = |other: &Path| root.canonicalize().ok() == other.canonicalize().ok();
    enclosing(root).is_some_and(|it| it.workdir().is_none() || same(it.path()))
}

/// Folders directly below the root that are repositories of their own: an estate laid out side by side.
pub(super) fn repositories(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    let mut names: Vec<_> = entries
        .filter(|it| {
            it.path().join(".git").exists()
                || (it.path().join("objects").is_dir() && it.path().join("HEAD").is_file())
        })
        .map(|it| it.file_name().to_string_lossy().into_owned())
        .filter(|it| !it.starts_with(".git"))
        .collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_they_must_be() {
        for (paths, expected) in [
            (&["/x/api", "/x/web"][..], &["api", "web"][..]),
            (&["/x/api", "/y/api"], &["x/api", "y/api"]),
            (&["/x/api", "/y/api", "/z"], &["x/api", "y/api", "z"]),
            (&["/api", "/y/api"], &["api", "y/api"]),
        ] {
            let found = names(paths.iter().map(Path::new));
            let found: Vec<&str> = paths
                .iter()
                .map(|it| found[Path::new(it)].as_str())
                .collect();
            assert_eq!(found, expected, "{paths:?}");
        }
    }

    #[test]
    fn a_repository_of_a_named_part_lies_below_it() {
        let part = |name: Option<&str>| Part {
            name: name.map(str::to_owned),
            roots: Vec::new(),
        };
        for (name, below, expected) in [
            (None, None, "."),
            (None, Some("api"), "api"),
            (Some("one"), None, "one"),
            (Some("one"), Some("api"), "one/api"),
        ] {
            assert_eq!(part(name).called(below), expected);
        }
        assert_eq!(part(None).beside("a.txt"), "a.txt");
        assert_eq!(part(Some("one")).beside("a.txt"), "one/a.txt");
        assert_eq!(part(Some("one")).beside("."), "one");
    }
}
