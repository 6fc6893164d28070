//! Who wrote the lines that references stand on, in each repository that files were read from.
//!
//! Not here: how that is found (see `source::blame`), and references of a change, which have the commit of it.

use super::Options;
use super::collect::Named;
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::{Milestone, shown};
use crate::source::blame::{Files, Lines, blame};
use crate::source::error::Error as SourceError;
use crate::source::history::{History, HistoryOptions};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Bytes of versions that may be held.
const MEMORY: usize = 64 << 20;

/// The files that were read: below one folder, maybe in several repositories.
pub(super) struct Ground<'a> {
    /// What paths are relative to.
    pub(super) base: &'a Path,
    /// Whether it is the top of a repository.
    pub(super) is_repository: bool,
    /// Repositories within, by their paths.
    pub(super) within: &'a [String],
}

/// By path and line.
pub(super) type Written = HashMap<(String, u32), Milestone>;

impl Ground<'_> {
    /// Who wrote each line with a mention, as far as it is committed; and what could not be told, by paths
    /// relative to the same folder.
    pub(super) fn authors(&self, named: &[Named], options: &Options) -> (Written, Vec<Gap>) {
        let (mut written, mut gaps) = (Written::new(), Vec::new());
        for (home, lines) in self.by_home(named) {
            let folder = match home {
                "" => self.base.to_owned(),
                home => self.base.join(home),
            };
            let history = match History::open(&folder) {
                Ok(history) => history,
                Err(error) => {
                    gaps.push(untold(home, &error));
                    continue;
                }
            };
            let (placed, untold) = asked(&history, Files::WorkTree, &lines, options);
            let placed = placed.into_iter();
            written.extend(placed.map(|((path, line), it)| ((joined(home, &path), line), it)));
            gaps.extend(untold.into_iter().map(|gap| {
                let path = match (home, gap.path.as_str()) {
                    ("", path) => path.to_owned(),
                    (home, ".") => home.to_owned(),
                    (home, path) => shown(Some(home), path),
                };
                Gap { path, ..gap }
            }));
        }
        (written, gaps)
    }

    /// The lines by the repository they lie in: the innermost.
    fn by_home<'a>(&'a self, named: &[Named]) -> BTreeMap<&'a str, Lines> {
        let mut homes: BTreeMap<&str, Lines> = BTreeMap::new();
        for it in named {
            let below = |home: &str| {
                let rest = it.path.strip_prefix(home)?.strip_prefix('/')?;
                Some(rest.to_owned())
            };
            let inner = self.within.iter();
            let inner = inner.filter_map(|home| Some((home.as_str(), below(home)?)));
            let inner = inner.max_by_key(|it| it.0.len());
            let outer = || self.is_repository.then(|| ("", it.path.clone()));
            if let Some((home, path)) = inner.or_else(outer) {
                let lines = homes.entry(home).or_default();
                let line = it.mention.place.line;
                lines.entry(path).or_default().insert(line);
            }
        }
        homes
    }
}

/// The same of one repository, and of the files that are meant.
pub(super) fn written(
    history: &History,
    files: Files,
    named: &[Named],
    options: &Options,
) -> (Written, Vec<Gap>) {
    let mut lines = Lines::new();
    for it in named {
        let line = it.mention.place.line;
        lines.entry(it.path.clone()).or_default().insert(line);
    }
    asked(history, files, &lines, options)
}

fn asked(history: &History, files: Files, lines: &Lines, options: &Options) -> (Written, Vec<Gap>) {
    let limits = HistoryOptions {
        jobs: options.jobs,
        max_size: options.max_size,
        memory: MEMORY,
    };
    let blamed = blame(history, files, lines, &limits);
    (blamed.written, blamed.gaps)
}

fn joined(home: &str, path: &str) -> String {
    match home {
        "" => path.to_owned(),
        home => format!("{home}/{path}"),
    }
}

fn untold(home: &str, error: &SourceError) -> Gap {
    let (reason, why) = match error {
        SourceError::Unsupported { what, .. } => (
            Reason::Unsupported,
            format!("{what} is not supported by this version"),
        ),
        SourceError::Git { message, .. } => (Reason::CorruptObject, message.clone()),
        _ => (Reason::Io, "the repository cannot be opened".to_owned()),
    };
    Gap {
        path: if home.is_empty() { "." } else { home }.to_owned(),
        reason,
        detail: format!("who wrote the lines that name secrets is not told: {why}"),
    }
}
