//! Repositories built by script for tests: the `git` program with fixed dates, a fixed identity and no
//! configuration of the machine.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Gap, Reason};
use crate::source::Sink;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

/// A repository in a temporary folder.
pub(crate) struct Repo {
    folder: tempfile::TempDir,
    root: PathBuf,
    clock: AtomicU32,
}

impl Repo {
    pub(crate) fn new() -> Self {
        let repo = Self::around(tempfile::tempdir().unwrap());
        fs::create_dir(&repo.root).unwrap();
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    fn around(folder: tempfile::TempDir) -> Self {
        let root = folder.path().canonicalize().unwrap().join("repo");
        Self {
            folder,
            root,
            clock: AtomicU32::new(0),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.root
    }

    /// A place beside the repository, for clones and linked work trees.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join(name)
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        run(
            &self.root,
            arguments,
            1_700_000_000 + self.clock.fetch_add(60, Ordering::Relaxed),
        )
    }

    pub(crate) fn git_in(folder: &Path, arguments: &[&str]) -> String {
        run(folder, arguments, 1_700_000_000)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the files, commits everything, and returns the commit id.
    pub(crate) fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (name, text) in files {
            self.write(name, text);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The id a text has as a blob.
    pub(crate) fn blob_id(&self, text: &str) -> ObjectId {
        self.write("../for-hash", text);
        id(&self.git(&["hash-object", "--no-filters", "../for-hash"]))
    }

    /// Every object of a type with its bytes, as git itself tells.
    pub(crate) fn oracle(folder: &Path, kind: &str) -> BTreeMap<ObjectId, Vec<u8>> {
        let format = "--batch-check=%(objectname) %(objecttype)";
        let list = Self::git_in(
            folder,
            &["cat-file", "--batch-all-objects", "--unordered", format],
        );
        list.lines()
            .filter_map(|line| line.split_once(' ').filter(|it| it.1 == kind))
            .map(|(name, _)| {
                (
                    id(name),
                    output(folder, &["cat-file", kind, name], 1_700_000_000),
                )
            })
            .collect()
    }
}

pub(crate) fn id(hex: &str) -> ObjectId {
    ObjectId::from_bytes(git2::Oid::from_str(hex).unwrap().as_bytes()).unwrap()
}

fn run(folder: &Path, arguments: &[&str], seconds: u32) -> String {
    String::from_utf8_lossy(&output(folder, arguments, seconds))
        .trim_end()
        .to_owned()
}

fn output(folder: &Path, arguments: &[&str], seconds: u32) -> Vec<u8> {
    let date = format!("{seconds} +0000");
    let output = Command::new("git")
        .args([
            "-c",
            "core.autocrlf=false",
            "-c",
            "protocol.file.allow=always",
            "-c",
            "gc.auto=0",
        ])
        .args(arguments)
        .current_dir(folder)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env(
            "GIT_CONFIG_GLOBAL",
            if cfg!(windows) { "NUL" } else { "/dev/null" },
        )
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.com")
        .env("GIT_AUTHOR_DATE", &date)
        .env("GIT_COMMITTER_DATE", &date)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

/// Path, id and bytes of a blob.
type Kept = (String, Option<ObjectId>, Vec<u8>);

/// Keeps everything it is given.
#[derive(Default)]
pub(crate) struct Keep {
    pub(crate) blobs: Mutex<Vec<Kept>>,
    pub(crate) gaps: Mutex<Vec<Gap>>,
}

impl Sink for Keep {
    fn blob(&self, blob: Blob<'_>) {
        self.blobs
            .lock()
            .unwrap()
            .push((blob.path.to_owned(), blob.id, blob.bytes.to_vec()));
    }

    fn gap(&self, gap: Gap) {
        self.gaps.lock().unwrap().push(gap);
    }
}

impl Keep {
    /// Blobs by id; fails if one came twice.
    pub(crate) fn by_id(&self) -> BTreeMap<ObjectId, Vec<u8>> {
        let mut all = BTreeMap::new();
        for (_, id, bytes) in self.blobs.lock().unwrap().iter() {
            assert!(
                all.insert(id.unwrap(), bytes.clone()).is_none(),
                "twice: {id:?}"
            );
        }
        all
    }

    /// Sorted paths.
    pub(crate) fn paths(&self) -> Vec<String> {
        let mut paths: Vec<_> = self
            .blobs
            .lock()
            .unwrap()
            .iter()
            .map(|it| it.0.clone())
            .collect();
        paths.sort();
        paths
    }

    /// Sorted (path, reason) of the gaps.
    pub(crate) fn reasons(&self) -> Vec<(String, Reason)> {
        let mut all: Vec<_> = self
            .gaps
            .lock()
            .unwrap()
            .iter()
            .map(|it| (it.path.clone(), it.reason))
            .collect();
        all.sort();
        all
    }
}
