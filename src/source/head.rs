//! The files of `HEAD`, as a work tree would have them: what a bare repository stands at.
//!
//! Not here: single files of it (see `base`), and what it was before. Ignore files are those of `HEAD`. Links and
//! submodules are not followed.

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Gap, Reason};
use crate::source::Sink;
use crate::source::compare;
use crate::source::error::Error;
use crate::source::exclude::{Exclusions, IGNORE_FILE};
use crate::source::history::History;
use crate::source::pack::Kind;
use crate::source::reader::Reader;
use crate::source::spelling;
use crate::source::tree::TreeOptions;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes that a thread keeps of what files were made of.
const KEPT: usize = 8 << 20;
/// Files given to a thread at a time.
const CHUNK: usize = 32;
/// Deeper folders are nobody's.
const DEEPEST: usize = 512;

/// Hands every file of `HEAD` to the sink; how many there were. Of the options, roots do not count.
pub fn each(history: &History, options: &TreeOptions, sink: &dyn Sink) -> Result<u64, Error> {
    let library = history.library();
    let top = library.path();
    let exclusions = Exclusions::new(top, &options.exclude, options.no_ignore)?;
    let mut lister = Lister {
        reader: Reader::new(history.objects(), u64::MAX, KEPT),
        exclusions: &exclusions,
        top,
        sink,
        files: Vec::new(),
    };
    // One that nothing was committed to has no files.
    let head = library.head().ok().and_then(|it| it.peel_to_tree().ok());
    if let Some(tree) = head.and_then(|it| ObjectId::from_bytes(it.id().as_bytes())) {
        lister.folder(&tree, "", 0);
    }
    let files = lister.files;
    let (next, objects) = (AtomicUsize::new(0), history.objects());
    let work = || {
        let mut reader = Reader::new(objects, options.max_size, KEPT);
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            let Some(rest) = files.get(start..).filter(|it| !it.is_empty()) else {
                return;
            };
            for (path, id) in rest.iter().take(CHUNK) {
                read(&mut reader, path, id, sink);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(work);
        }
    });
    Ok(files.len() as u64)
}

fn read(reader: &mut Reader<'_>, path: &str, id: &ObjectId, sink: &dyn Sink) {
    match reader.read(id, Kind::Blob) {
        Ok(object) => sink.blob(Blob {
            bytes: &object.bytes,
            path,
            id: Some(*id),
        }),
        Err(reason) => sink.gap(lost(path, reason)),
    }
}

fn lost(path: &str, reason: Reason) -> Gap {
    let detail = match reason {
        Reason::TooLarge => "above the largest size that is read",
        Reason::MissingObject => "named by HEAD and not here",
        _ => "it cannot be read",
    };
    Gap {
        path: if path.is_empty() { "." } else { path }.to_owned(),
        reason,
        detail: detail.to_owned(),
    }
}

/// Lists the files that are not left out.
struct Lister<'a> {
    reader: Reader<'a>,
    exclusions: &'a Exclusions,
    top: &'a Path,
    sink: &'a dyn Sink,
    files: Vec<(String, ObjectId)>,
}

impl Lister<'_> {
    fn folder(&mut self, tree: &ObjectId, folder: &str, depth: usize) {
        if depth > DEEPEST {
            return self.sink.gap(lost(folder, Reason::LimitHit));
        }
        let tree = match self.reader.read(tree, Kind::Tree) {
            Ok(tree) => tree,
            Err(reason) => return self.sink.gap(lost(folder, reason)),
        };
        self.enter(&tree.bytes, folder);
        for it in compare::entries(&tree.bytes) {
            let path = spelling::joined(folder, &spelling::text(it.name));
            let is_file = it.mode().is_some_and(|it| it & 0o170_000 == 0o100_000);
            let Some(id) = ObjectId::from_bytes(it.id).filter(|_| it.is_tree() || is_file) else {
                continue;
            };
            if let Some((reason, detail)) =
                self.exclusions.reason(&self.top.join(&path), it.is_tree())
            {
                self.sink.gap(Gap {
                    path,
                    reason,
                    detail,
                });
            } else if it.is_tree() {
                self.folder(&id, &path, depth + 1);
            } else {
                self.files.push((path, id));
            }
        }
    }

    /// Reads the ignore file of a folder.
    fn enter(&mut self, tree: &[u8], folder: &str) {
        let name = IGNORE_FILE.as_bytes();
        let entry = compare::entries(tree).find(|it| it.name == name && !it.is_tree());
        let id = entry.and_then(|it| ObjectId::from_bytes(it.id));
        let text = id.and_then(|it| self.reader.read(&it, Kind::Blob).ok());
        if let Some(text) = text {
            let folder = self.top.join(folder);
            let text = spelling::text(&text.bytes);
            let gap = self.exclusions.enter_with(&folder, &text);
            gap.into_iter().for_each(|it| self.sink.gap(it));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::testing::{Keep, Repo};

    fn read(path: &Path, exclude: &[&str], max_size: u64) -> Keep {
        let options = TreeOptions {
            roots: Vec::new(),
            jobs: 2,
            max_size,
            no_ignore: false,
            exclude: exclude.iter().map(|it| (*it).to_owned()).collect(),
        };
        let keep = Keep::default();
        each(&History::open(path).unwrap(), &options, &keep).unwrap();
        keep
    }

    #[test]
    fn files_are_those_of_head_but_for_what_is_left_out() {
        let repo = Repo::new();
        repo.commit(&[("a", "old"), ("gone", "1")], "one");
        repo.git(&["rm", "-q", "gone"]);
        let rows = [
            ("a", "new"),
            ("d/e/f.txt", "deep"),
            ("d/skip/g", "left out"),
            ("d/.keyatlasignore", "skip/\n"),
            ("h.log", "left out too"),
            ("large", "more than twenty bytes of text"),
        ];
        repo.commit(&rows, "two");
        let bare = repo.beside("bare");
        repo.git(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
        let keep = read(&bare, &["*.log"], 20);
        assert_eq!(keep.paths(), ["a", "d/.keyatlasignore", "d/e/f.txt"]);
        let reasons = [
            ("d/skip".to_owned(), Reason::Excluded),
            ("h.log".to_owned(), Reason::Excluded),
            ("large".to_owned(), Reason::TooLarge),
        ];
        assert_eq!(keep.reasons(), reasons);
        let texts = keep.blobs.lock().unwrap();
        assert!(texts.iter().any(|it| it.0 == "a" && it.2 == b"new"));
    }

    #[test]
    fn one_that_nothing_was_committed_to_has_none() {
        let repo = Repo::new();
        assert_eq!(read(repo.path(), &[], 100).paths(), [""; 0]);
    }
}
