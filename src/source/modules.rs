//! Submodules: where a repository keeps the git folders of those it has, and which it has not.
//!
//! Not here: repositories that merely lie in a work tree; the walk over files meets those. Layout:
//! gitsubmodules(7) and gitrepository-layout(5) of git's documentation.

use crate::source::base;
use crate::source::history::History;
use crate::source::spelling;
use git2::Repository;
use std::fs;
use std::path::{Path, PathBuf};

/// The mode of an entry that names a commit of another repository.
const LINK: u32 = 0o160000;
/// Folders within the folder of modules: names of submodules may hold slashes.
const DEEPEST: usize = 64;

/// A submodule whose git folder is here.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Module {
    /// Its git folder.
    pub git_dir: PathBuf,
    /// Its path in the work tree; of one that is not checked out, that of its git folder.
    pub path: String,
    /// Its name as git keeps it; the path, unless somebody chose another.
    name: String,
}

/// The submodules whose git folders a repository keeps, also those that no commit in use names any more;
/// sorted. What these keep themselves is not among them.
pub fn modules(history: &History) -> Vec<Module> {
    let library = history.library();
    let common = library.commondir();
    let mut modules = Vec::new();
    let linked = folders(&common.join("worktrees"));
    for folder in [common.to_owned()].into_iter().chain(linked) {
        let top = folder.join("modules");
        each(&top, 0, &mut |git_dir| {
            let name = spelling::shown(git_dir.strip_prefix(&top).unwrap_or(git_dir));
            let path = checked_out(library, git_dir);
            modules.push(Module {
                path: path.unwrap_or_else(|| kept(common, git_dir)),
                git_dir: git_dir.to_owned(),
                name,
            });
        });
    }
    modules.sort();
    modules
}

/// The paths of submodules whose git folders are nowhere here.
pub fn absent(history: &History, modules: &[Module]) -> Vec<String> {
    let library = history.library();
    let is_here = |path: &String| {
        let is_kept = modules
            .iter()
            .any(|it| it.path == *path || it.name == *path);
        is_kept
            || library
                .workdir()
                .is_some_and(|it| it.join(path).join(".git").exists())
    };
    let mut paths = links(library);
    paths.retain(|it| !is_here(it));
    paths.sort();
    paths.dedup();
    paths
}

/// Where submodules belong: as the index says, and in a bare repository as `.gitmodules` of `HEAD` does.
fn links(library: &Repository) -> Vec<String> {
    if library.is_bare() {
        let text = base::file(library, ".gitmodules").ok().flatten();
        let text = text.unwrap_or_default();
        let paths = spelling::text(&text).lines().filter_map(path).collect();
        return paths;
    }
    let Ok(index) = library.index() else {
        return Vec::new();
    };
    let links = index.iter().filter(|it| it.mode == LINK);
    links
        .map(|it| spelling::text(&it.path).into_owned())
        .collect()
}

/// The value of `path = value`.
fn path(line: &str) -> Option<String> {
    let (key, value) = line.split_once('=')?;
    let is_path = key.trim().eq_ignore_ascii_case("path");
    is_path.then(|| value.trim().trim_matches('"').to_owned())
}

/// The path of a submodule's work tree, if it has one below that of the repository.
fn checked_out(library: &Repository, git_dir: &Path) -> Option<String> {
    let module = Repository::open(git_dir).ok()?;
    let top = library.workdir()?.canonicalize().ok()?;
    let folder = module.workdir()?.canonicalize().ok()?;
    let path = folder.strip_prefix(&top).ok()?;
    folder.join(".git").exists().then(|| spelling::shown(path))
}

/// Where a git folder is kept, for one that has no other place.
fn kept(common: &Path, git_dir: &Path) -> String {
    let inside = git_dir.strip_prefix(common).unwrap_or(git_dir);
    let inside = spelling::shown(inside);
    let own = common.file_name().map(|it| it.to_string_lossy());
    match own {
        Some(name) if name == ".git" => format!(".git/{inside}"),
        _ => inside,
    }
}

/// The git folders below a folder, but for those within one another.
fn each(folder: &Path, depth: usize, emit: &mut dyn FnMut(&Path)) {
    for inside in folders(folder) {
        if inside.join("HEAD").is_file() && inside.join("objects").is_dir() {
            emit(&inside);
        } else if depth < DEEPEST {
            each(&inside, depth + 1, emit);
        }
    }
}

/// The folders directly in a folder, sorted; links lead elsewhere and are none.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let is_folder = |it: &fs::DirEntry| it.file_type().is_ok_and(|it| it.is_dir());
    let mut folders: Vec<PathBuf> = entries.filter(is_folder).map(|it| it.path()).collect();
    folders.sort();
    folders
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::Repo;

    #[test]
    fn submodules_are_found_by_what_git_keeps_of_them() {
        let inner = Repo::new();
        inner.commit(&[("a", "1")], "one");
        let url = inner.path().to_str().unwrap();
        let repo = Repo::new();
        for (name, path) in [("deep/er", "sub"), ("gone", "gone"), ("off", "x/off")] {
            repo.git(&["submodule", "--quiet", "add", "--name", name, url, path]);
        }
        repo.commit(&[], "three");
        repo.git(&["submodule", "--quiet", "deinit", "x/off"]);
        repo.git(&["rm", "-q", "gone"]);
        let link = format!("160000,{},never", inner.git(&["rev-parse", "HEAD"]));
        repo.git(&["update-index", "--add", "--cacheinfo", &link]);
        let history = History::open(repo.path()).unwrap();
        let found = modules(&history);
        let paths: Vec<_> = found.iter().map(|it| it.path.as_str()).collect();
        assert_eq!(paths, ["sub", ".git/modules/gone", ".git/modules/off"]);
        // What is kept under another name than its path cannot be told from what is not there.
        assert_eq!(absent(&history, &found), ["never", "x/off"]);
        let bare = repo.beside("bare");
        repo.commit(&[], "four");
        repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
        let history = History::open(&bare).unwrap();
        assert_eq!(modules(&history), []);
        assert_eq!(absent(&history, &[]), ["sub", "x/off"]);
    }
}
