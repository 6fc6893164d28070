//! Files and folders: every regular file once, with a path that means the same on every machine.
//!
//! Not here: what is left out (see `exclude`), and git objects. With many small files, opening and
//! reading *is* the work: one open, one fstat and one read a file, into one buffer a thread.

use crate::model::blob::Blob;
use crate::model::coverage::{Gap, Reason};
use crate::source::Sink;
use crate::source::error::Error;
use crate::source::exclude::Exclusions;
use crate::source::{repository, spelling};
use ignore::{DirEntry, WalkBuilder, WalkState};
use std::borrow::Cow;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use crate::source::exclude::FOLDERS;

/// What to read.
#[derive(Clone, Debug)]
pub struct TreeOptions {
    /// Files and folders; the first decides what paths are relative to.
    pub roots: Vec<PathBuf>,
    /// Threads.
    pub jobs: usize,
    /// Larger files become gaps.
    pub max_size: u64,
    /// Scan what would be left out, too.
    pub no_ignore: bool,
    /// Patterns as in .gitignore.
    pub exclude: Vec<String>,
}

/// What was read.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct TreeTotals {
    /// Files handed out.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Symbolic links met and not followed.
    pub symbolic_links: u64,
}

/// Hands every file below the roots to the sink.
pub fn each(options: &TreeOptions, sink: &dyn Sink) -> Result<TreeTotals, Error> {
    let roots = roots(&options.roots)?;
    let totals = Totals::default();
    for root in &roots {
        let exclusions = Exclusions::new(&root.base, &options.exclude, options.no_ignore)?;
        let scan = Scan {
            options,
            sink,
            root,
            exclusions: &exclusions,
            totals: &totals,
        };
        scan.run();
    }
    let symbolic_links = totals.symbolic_links.into_inner();
    if symbolic_links > 0 {
        let detail = format!("{symbolic_links} symbolic link(s) not followed");
        sink.gap(Gap {
            path: ".".to_owned(),
            reason: Reason::SymbolicLink,
            detail,
        });
    }
    Ok(TreeTotals {
        files: totals.files.into_inner(),
        bytes: totals.bytes.into_inner(),
        symbolic_links,
    })
}

/// The path as it is reported, and why a scan of the first root leaves it out; `None` if it is read.
pub fn left_out(options: &TreeOptions, path: &Path) -> Result<(String, Option<Gap>), Error> {
    let roots = roots(&options.roots)?;
    let Some(root) = roots.first() else {
        return Ok((spelling::shown(path), None));
    };
    let fault = |source| Error::Io {
        path: spelling::shown(path),
        source,
    };
    // A link is meant itself, not what it points at.
    let whole = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => parent.canonicalize().map_err(fault)?.join(name),
        _ => path.canonicalize().map_err(fault)?,
    };
    let exclusions = Exclusions::new(&root.base, &options.exclude, options.no_ignore)?;
    let mut parts: Vec<&Path> = whole
        .ancestors()
        .take_while(|it| it.starts_with(&root.base))
        .collect();
    parts.reverse();
    for part in parts {
        let is_inside = part.starts_with(&root.path) && part != root.path;
        let found = if is_inside {
            omission(options, &exclusions, part).map_err(fault)?
        } else {
            None
        };
        if let Some((reason, detail)) = found {
            let gap = Gap {
                path: root.name(part).into_owned(),
                reason,
                detail,
            };
            return Ok((root.name(&whole).into_owned(), Some(gap)));
        }
        // A malformed ignore file is told by the scan.
        let _malformed = exclusions.enter(part);
    }
    Ok((root.name(&whole).into_owned(), None))
}

fn omission(
    options: &TreeOptions,
    exclusions: &Exclusions,
    path: &Path,
) -> io::Result<Option<(Reason, String)>> {
    let status = fs::symlink_metadata(path)?;
    let told = |reason, detail: &str| Ok(Some((reason, detail.to_owned())));
    if status.is_symlink() {
        return told(Reason::SymbolicLink, "links are not followed");
    }
    if path.file_name().is_some_and(|it| it == ".git") {
        return told(Reason::Excluded, "git's own folder, read as history");
    }
    if let Some(found) = exclusions.reason(path, status.is_dir()) {
        return Ok(Some(found));
    }
    match (status.is_dir(), status.is_file()) {
        (false, false) => told(Reason::SpecialFile, "not a regular file; not opened"),
        (false, true) if status.len() > options.max_size => {
            told(Reason::TooLarge, &format!("{} bytes", status.len()))
        }
        _ => Ok(None),
    }
}

#[derive(Default)]
struct Totals {
    files: AtomicU64,
    bytes: AtomicU64,
    symbolic_links: AtomicU64,
}

/// One root, and how its files are called.
struct Root {
    /// Absolute.
    path: PathBuf,
    /// Where exclusions are anchored: the repository root, else the scanned folder.
    base: PathBuf,
    /// What stands before the part of a file's path below `path`.
    prefix: String,
    is_file: bool,
}

/// Resolves the roots; one that lies within another is dropped, so that no file is read twice.
fn roots(given: &[PathBuf]) -> Result<Vec<Root>, Error> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for path in given {
        let found = path.canonicalize().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::NoSuchPath(spelling::shown(path)),
            _ => Error::Io {
                path: spelling::shown(path),
                source,
            },
        })?;
        if is_bare(&found) {
            return Err(Error::BareRepository(spelling::shown(path)));
        }
        paths.push(found);
    }
    let first = paths.first().cloned();
    let within = |at: usize| {
        paths.iter().enumerate().any(|(other, it)| {
            other != at && paths[at].starts_with(it) && (paths[at] != *it || other < at)
        })
    };
    let kept: Vec<PathBuf> = (0..paths.len())
        .filter(|at| !within(*at))
        .map(|at| paths[at].clone())
        .collect();
    let Some(first) = first else {
        return Ok(Vec::new());
    };
    let home = repository_root(&first).unwrap_or_else(|| folder_of(&first).to_owned());
    Ok(kept
        .into_iter()
        .map(|path| Root::new(path, &home))
        .collect())
}

impl Root {
    /// `home` is what paths are relative to; a root outside it is called by its own repository or folder.
    fn new(path: PathBuf, home: &Path) -> Self {
        let is_file = !path.is_dir();
        let (base, lead) = if path.starts_with(home) {
            (home.to_owned(), String::new())
        } else {
            let own = repository_root(&path).unwrap_or_else(|| folder_of(&path).to_owned());
            let name = own
                .file_name()
                .map(|it| spelling::text(it.as_encoded_bytes()).into_owned());
            (own, name.unwrap_or_default())
        };
        let below = spelling::shown(path.strip_prefix(&base).unwrap_or(Path::new("")));
        let prefix = if below.is_empty() {
            lead
        } else {
            spelling::joined(&lead, &below)
        };
        Self {
            path,
            base,
            prefix,
            is_file,
        }
    }

    /// The path of a file as it is reported.
    fn name<'a>(&self, path: &'a Path) -> Cow<'a, str> {
        let whole = path.as_os_str().as_encoded_bytes();
        let skip = self.path.as_os_str().as_encoded_bytes().len();
        let below = whole.get(skip..).unwrap_or_default();
        let below = below
            .strip_prefix(b"/")
            .or_else(|| below.strip_prefix(b"\\"))
            .unwrap_or(below);
        let below = spelling::slashed(below);
        match (self.prefix.is_empty(), below.is_empty()) {
            (true, _) => below,
            (false, true) => Cow::Owned(self.prefix.clone()),
            (false, false) => Cow::Owned(format!("{}/{below}", self.prefix)),
        }
    }
}

fn folder_of(path: &Path) -> &Path {
    if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    }
}

/// The root of the work tree that a path lies in.
fn repository_root(path: &Path) -> Option<PathBuf> {
    let root = path.ancestors().find(|it| it.join(".git").exists())?;
    // A stray `.git` that git does not take for a repository does not make one.
    let opened = repository::open(root);
    matches!(
        opened,
        Ok(_) | Err(Error::Ownership(_) | Error::Unsupported { .. })
    )
    .then(|| root.to_owned())
}

fn is_bare(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

/// The scan of one root.
#[derive(Clone, Copy)]
struct Scan<'a> {
    options: &'a TreeOptions,
    sink: &'a dyn Sink,
    root: &'a Root,
    exclusions: &'a Exclusions,
    totals: &'a Totals,
}

impl<'a> Scan<'a> {
    fn run(self) {
        for folder in self
            .root
            .path
            .ancestors()
            .skip(1)
            .take_while(|it| it.starts_with(&self.root.base))
        {
            self.exclusions
                .enter(folder)
                .into_iter()
                .for_each(|gap| self.sink.gap(gap));
        }
        if self.root.is_file {
            return self.single();
        }
        let mut walk = WalkBuilder::new(&self.root.path);
        walk.standard_filters(false)
            .follow_links(false)
            .threads(self.options.jobs.max(1));
        walk.build_parallel().run(|| {
            let mut worker = Worker {
                scan: self,
                buffer: Vec::new(),
                files: 0,
                bytes: 0,
            };
            Box::new(move |entry| worker.visit(entry))
        });
    }

    /// A root that is no folder: asked for by name, so exclusions do not apply.
    fn single(self) {
        let mut worker = Worker {
            scan: self,
            buffer: Vec::new(),
            files: 0,
            bytes: 0,
        };
        match fs::metadata(&self.root.path) {
            Ok(it) if it.is_file() => worker.read(&self.root.path),
            Ok(_) => self.gap(&self.root.path, Reason::SpecialFile, String::new()),
            Err(error) => self.gap(&self.root.path, Reason::Io, error.to_string()),
        }
    }

    fn gap(&self, path: &Path, reason: Reason, detail: String) {
        let mut path = self.root.name(path).into_owned();
        if path.is_empty() {
            path.push('.');
        }
        self.sink.gap(Gap {
            path,
            reason,
            detail,
        });
    }
}

/// One thread's part.
struct Worker<'a> {
    scan: Scan<'a>,
    buffer: Vec<u8>,
    files: u64,
    bytes: u64,
}

impl Drop for Worker<'_> {
    fn drop(&mut self) {
        self.scan
            .totals
            .files
            .fetch_add(self.files, Ordering::Relaxed);
        self.scan
            .totals
            .bytes
            .fetch_add(self.bytes, Ordering::Relaxed);
    }
}

impl Worker<'_> {
    fn visit(&mut self, entry: Result<DirEntry, ignore::Error>) -> WalkState {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.lost(&error);
                return WalkState::Continue;
            }
        };
        let Some(kind) = entry.file_type() else {
            return WalkState::Continue;
        };
        if kind.is_symlink() {
            self.scan
                .totals
                .symbolic_links
                .fetch_add(1, Ordering::Relaxed);
        } else if kind.is_dir() {
            return self.folder(&entry);
        } else if entry.file_name() == ".git" {
            // The pointer of a linked work tree or submodule is no content.
            self.nested(&entry);
        } else if let Some((reason, detail)) = self.scan.exclusions.reason(entry.path(), false) {
            self.scan.gap(entry.path(), reason, detail);
        } else if kind.is_file() {
            self.read(entry.path());
        } else {
            self.scan.gap(
                entry.path(),
                Reason::SpecialFile,
                "not a regular file; not opened".to_owned(),
            );
        }
        WalkState::Continue
    }

    fn folder(&mut self, entry: &DirEntry) -> WalkState {
        if entry.depth() > 0 {
            if entry.file_name() == ".git" {
                self.nested(entry);
                return WalkState::Skip;
            }
            if let Some((reason, detail)) = self.scan.exclusions.reason(entry.path(), true) {
                self.scan.gap(entry.path(), reason, detail);
                return WalkState::Skip;
            }
            if is_bare(entry.path()) {
                let detail = "a bare repository: nothing of it was read; see --history".to_owned();
                self.scan
                    .gap(entry.path(), Reason::NestedRepository, detail);
                return WalkState::Skip;
            }
        }
        self.scan
            .exclusions
            .enter(entry.path())
            .into_iter()
            .for_each(|gap| self.scan.sink.gap(gap));
        WalkState::Continue
    }

    /// The git folder of a repository within, or the file that points at it.
    fn nested(&self, entry: &DirEntry) {
        let is_own = entry.depth() < 2;
        let is_repository = entry.path().is_file() || entry.path().join("HEAD").exists();
        if let Some(folder) = entry.path().parent().filter(|_| !is_own && is_repository) {
            let detail =
                "a repository of its own: its files were read, its history was not".to_owned();
            self.scan.gap(folder, Reason::NestedRepository, detail);
        }
    }

    /// A folder that could not be listed.
    fn lost(&self, error: &ignore::Error) {
        let mut cause = error;
        let mut path = self.scan.root.path.as_path();
        loop {
            match cause {
                ignore::Error::WithPath { path: at, err } => {
                    path = at;
                    cause = err;
                }
                ignore::Error::WithDepth { err, .. }
                | ignore::Error::WithLineNumber { err, .. } => cause = err,
                _ => break,
            }
        }
        self.scan.gap(path, Reason::Io, cause.to_string());
    }

    fn read(&mut self, path: &Path) {
        match fill(path, self.scan.options.max_size, &mut self.buffer) {
            Ok(Filled::Bytes(length)) => {
                self.files += 1;
                self.bytes += length as u64;
                let name = self.scan.root.name(path);
                self.scan.sink.blob(Blob {
                    bytes: &self.buffer[..length],
                    path: &name,
                    id: None,
                });
            }
            Ok(Filled::TooLarge(size)) => {
                self.scan
                    .gap(path, Reason::TooLarge, format!("{size} bytes"))
            }
            Ok(Filled::Special) => {
                self.scan
                    .gap(path, Reason::SpecialFile, "not a regular file".to_owned())
            }
            Err(error) => self.scan.gap(path, Reason::Io, error.to_string()),
        }
        if self.buffer.len() > KEPT {
            self.buffer = Vec::new();
        }
    }
}

/// A buffer larger than this is given back after use.
const KEPT: usize = 1 << 20;

enum Filled {
    Bytes(usize),
    TooLarge(u64),
    Special,
}

/// Reads a file into the front of the buffer.
fn fill(path: &Path, max_size: u64, buffer: &mut Vec<u8>) -> io::Result<Filled> {
    let mut file = File::open(path)?;
    let status = file.metadata()?;
    if !status.is_file() {
        return Ok(Filled::Special);
    }
    let size = status.len();
    let Some(room) = usize::try_from(size).ok().filter(|_| size <= max_size) else {
        return Ok(Filled::TooLarge(size));
    };
    let mut length = 0;
    loop {
        // One byte more than the size, so that the first read also finds the end.
        let wanted = room.max(length) + 1;
        if buffer.len() < wanted {
            // A buffer that will not be kept is no larger than it must be.
            let room = if wanted > KEPT {
                wanted
            } else {
                wanted.next_power_of_two().max(4096)
            };
            buffer.resize(room, 0);
        }
        match file.read(&mut buffer[length..]) {
            Ok(0) => return Ok(Filled::Bytes(length)),
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        if length as u64 > max_size {
            return Ok(Filled::TooLarge(length as u64));
        }
        if length as u64 == size && size > 0 {
            return Ok(Filled::Bytes(length));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::{Keep, Repo};

    fn options(root: &Path) -> TreeOptions {
        TreeOptions {
            roots: vec![root.to_owned()],
            jobs: 2,
            max_size: 1 << 20,
            no_ignore: false,
            exclude: Vec::new(),
        }
    }

    fn read(options: &TreeOptions) -> (Keep, TreeTotals) {
        let keep = Keep::default();
        let totals = each(options, &keep).unwrap();
        (keep, totals)
    }

    #[test]
    fn ignored_folders_are_skipped_only_with_a_telling_name_and_nothing_tracked() {
        let repo = Repo::new();
        repo.write(
            ".gitignore",
            "node_modules/\nsecrets/\n.env\ntarget\n/build\nvendor\n",
        );
        repo.write("build/kept.txt", "tracked although ignored");
        repo.git(&["add", "-f", "build/kept.txt"]);
        repo.commit(
            &[("src/main.rs", "x"), ("dist/app.js", "not ignored")],
            "one",
        );
        for (name, text) in [
            ("node_modules/a/index.js", "a"),
            ("web/node_modules/b.js", "b"),
            ("secrets/key", "c"),
            (".env", "d"),
            ("src/target/debug", "e"),
            ("build/other", "f"),
            (".hidden/x", "g"),
        ] {
            repo.write(name, text);
        }
        let (keep, totals) = read(&options(repo.path()));
        let expected = [
            ".env",
            ".gitignore",
            ".hidden/x",
            "build/kept.txt",
            "build/other",
            "dist/app.js",
            "secrets/key",
            "src/main.rs",
        ];
        assert_eq!(keep.paths(), expected);
        assert_eq!(totals.files, expected.len() as u64);
        let folder = |it: &str| (it.to_owned(), Reason::IgnoredFolder);
        assert_eq!(
            keep.reasons(),
            [
                folder("node_modules"),
                folder("src/target"),
                folder("web/node_modules")
            ]
        );
        let (keep, _) = read(&TreeOptions {
            no_ignore: true,
            ..options(repo.path())
        });
        assert_eq!(keep.paths().len(), expected.len() + 3);
        assert_eq!(keep.reasons(), []);
    }

    #[test]
    fn paths_are_relative_to_the_repository_else_to_the_root() {
        let repo = Repo::new();
        repo.commit(
            &[("a/b/c.txt", "1"), ("a/d.txt", "2"), ("e.txt", "3")],
            "one",
        );
        assert_eq!(
            read(&options(&repo.path().join("a"))).0.paths(),
            ["a/b/c.txt", "a/d.txt"]
        );
        assert_eq!(
            read(&options(&repo.path().join("a/d.txt"))).0.paths(),
            ["a/d.txt"]
        );
        let both = TreeOptions {
            roots: vec![repo.path().join("a/b"), repo.path().to_owned()],
            ..options(repo.path())
        };
        assert_eq!(read(&both).0.paths(), ["a/b/c.txt", "a/d.txt", "e.txt"]);
        let plain = repo.beside("plain");
        fs::create_dir_all(plain.join("x/node_modules")).unwrap();
        fs::write(plain.join("x/node_modules/y"), "4").unwrap();
        assert_eq!(read(&options(&plain)).0.paths(), ["x/node_modules/y"]);
        assert_eq!(
            read(&options(&plain.join("x/node_modules/y"))).0.paths(),
            ["y"]
        );
        let two = TreeOptions {
            roots: vec![plain.join("x"), repo.path().join("a")],
            ..options(repo.path())
        };
        assert_eq!(
            read(&two).0.paths(),
            ["node_modules/y", "repo/a/b/c.txt", "repo/a/d.txt"]
        );
    }

    #[test]
    fn own_ignore_files_and_patterns_leave_out_and_say_so() {
        let repo = Repo::new();
        for (name, text) in [
            (".keyatlasignore", "*.log\nfixtures/\n"),
            ("sub/.keyatlasignore", "!keep.log\nonly-here\n"),
            ("a.log", ""),
            ("sub/keep.log", ""),
            ("sub/only-here", ""),
            ("only-here", ""),
            ("sub/fixtures/x", ""),
            ("docs/y.md", ""),
            ("docs/z.txt", ""),
        ] {
            repo.write(name, text);
        }
        let with = TreeOptions {
            exclude: vec!["/docs/*.md".to_owned()],
            ..options(repo.path())
        };
        let (keep, _) = read(&with);
        let left = [
            ".keyatlasignore",
            "docs/z.txt",
            "only-here",
            "sub/.keyatlasignore",
            "sub/keep.log",
        ];
        assert_eq!(keep.paths(), left);
        let gaps = ["a.log", "docs/y.md", "sub/fixtures", "sub/only-here"];
        assert_eq!(
            keep.reasons(),
            gaps.map(|it| (it.to_owned(), Reason::Excluded))
        );
        // The file at the root also speaks where only a folder below it is scanned.
        let below = TreeOptions {
            roots: vec![repo.path().join("sub")],
            ..with
        };
        assert_eq!(
            read(&below).0.paths(),
            ["sub/.keyatlasignore", "sub/keep.log"]
        );
    }

    #[test]
    fn nested_repositories_are_read_as_files_and_git_folders_never() {
        let repo = Repo::new();
        repo.write("inner/f", "1");
        repo.write("inner/.gitignore", "target");
        repo.write("inner/target/g", "2");
        Repo::git_in(&repo.path().join("inner"), &["init", "-q"]);
        let (keep, _) = read(&options(repo.path()));
        assert_eq!(keep.paths(), ["inner/.gitignore", "inner/f"]);
        assert_eq!(
            keep.reasons(),
            [
                ("inner".to_owned(), Reason::NestedRepository),
                ("inner/target".to_owned(), Reason::IgnoredFolder)
            ]
        );
    }

    #[test]
    fn sizes_are_exact_and_large_files_are_gaps() {
        let folder = tempfile::tempdir().unwrap();
        for size in [0, 1, 4095, 4096, 4097, 70_000] {
            fs::write(folder.path().join(format!("{size:05}")), vec![b'x'; size]).unwrap();
        }
        let (keep, totals) = read(&TreeOptions {
            max_size: 69_999,
            ..options(folder.path())
        });
        for (path, _, bytes) in keep.blobs.lock().unwrap().iter() {
            assert_eq!(path.parse::<usize>().unwrap(), bytes.len());
            assert!(bytes.iter().all(|it| *it == b'x'));
        }
        assert_eq!((totals.files, totals.bytes), (5, 1 + 4095 + 4096 + 4097));
        assert_eq!(keep.reasons(), [("70000".to_owned(), Reason::TooLarge)]);
    }

    #[test]
    fn wrong_roots_are_errors() {
        let repo = Repo::new();
        let none = each(&options(&repo.beside("none")), &Keep::default());
        assert!(matches!(none, Err(Error::NoSuchPath(_))));
        Repo::git_in(repo.path(), &["init", "-q", "--bare", "../bare.git"]);
        let bare = each(&options(&repo.beside("bare.git")), &Keep::default());
        assert!(bare.unwrap_err().hint().unwrap().contains("--history"));
    }

    #[cfg(unix)]
    #[test]
    fn links_pipes_and_odd_names_do_not_stop_a_scan() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("real"), "1").unwrap();
        fs::write(
            folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9")),
            "2",
        )
        .unwrap();
        std::os::unix::fs::symlink("real", at("link")).unwrap();
        std::os::unix::fs::symlink(".", at("loop")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(at("pipe"))
            .status()
            .unwrap();
        assert!(made.success());
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        let (keep, totals) = read(&options(folder.path()));
        assert_eq!(keep.paths(), ["caf\\xe9", "real"]);
        assert_eq!(totals.symbolic_links, 2);
        let special = |it: &str| (it.to_owned(), Reason::SpecialFile);
        assert_eq!(
            keep.reasons(),
            [
                (".".to_owned(), Reason::SymbolicLink),
                special("pipe"),
                special("socket")
            ]
        );
        assert_eq!(read(&options(&at("link"))).0.paths(), ["real"]);
        assert_eq!(read(&options(&at("pipe"))).0.reasons(), [special("pipe")]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn files_whose_size_lies_are_read_to_their_end() {
        let (keep, _) = read(&options(Path::new("/proc/self/status")));
        assert!(keep.blobs.lock().unwrap()[0].2.len() > 100);
    }
}
