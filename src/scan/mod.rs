//! The composer: `source` to `finding` and `reference`, once, for every front end.

mod authors;
mod bare;
mod batch;
mod bundle;
mod chain;
mod change;
mod collect;
mod gather;
mod identity;
mod known;
mod nested;
mod pair;
mod parts;
mod recall;
mod road;
mod roots;
mod seen;
mod within;

pub use crate::detect::KnownValues;
pub use crate::source::change::{Difference, Ground, Without};
pub use within::Within;

use crate::detect::Detector;
use crate::model::codeowners::{self, CodeOwners};
use crate::model::coverage::Coverage;
use crate::model::finding::Finding;
use crate::model::fingerprint::Fingerprinter;
use crate::model::level::Confidence;
use crate::model::reference::Reference;
use crate::model::report::Repository;
use crate::model::rule::RuleSet;
use crate::model::shelf::Shelf;
use crate::refer;

use std::path::PathBuf;
use std::sync::Arc;

/// What to read.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Files and folders.
    Tree,
    /// The object database of each repository among the roots, and the work tree.
    History,
    /// The index of the repository.
    Staged,
    /// What a set difference of commits brings in.
    Range(Difference),
    /// Bytes already in hand.
    Stdin(Vec<u8>),
}

/// A plan for one scan.
#[derive(Clone, Debug)]
pub struct Options {
    /// Files and folders; the first is the one paths are relative to.
    pub roots: Vec<PathBuf>,
    /// What to read.
    pub mode: Mode,
    /// Of a change, only these paths.
    pub within: Within,
    /// Threads.
    pub jobs: usize,
    /// Files and objects above this many bytes become coverage entries.
    pub max_size: u64,
    /// Nested encodings.
    pub max_depth: usize,
    /// Scan ignored folders too.
    pub no_ignore: bool,
    /// Gitignore-style patterns to leave out.
    pub exclude: Vec<String>,
    /// Whose ignore files count for a change.
    pub ground: Ground,
    /// Weaker findings are dropped.
    pub min_confidence: Confidence,
    /// Whether to read references.
    pub references: bool,
    /// Whether it is asked what is used, and not only what is wrong: then bare repositories are read as their
    /// `HEAD` has them, and a second pass over history finds who wrote the lines that references stand on.
    pub estate: bool,
    /// Salt for occurrence ids (from the waiver file), else the fixed public context.
    pub salt: Option<Vec<u8>>,
    /// Makes `kf1` fingerprints; `None` without an estate key.
    pub fingerprinter: Option<Fingerprinter>,
    /// Values to find anywhere in any text. `None` searches for none, at no cost.
    pub known: Option<Arc<KnownValues>>,
    /// The index file to read instead of the repository's own (`GIT_INDEX_FILE` in a hook).
    pub index_file: Option<PathBuf>,
    /// Further folders of objects: the quarantine of a push (`GIT_OBJECT_DIRECTORY` in a hook).
    pub objects: Vec<PathBuf>,
    /// Look at each blob of history whole, also where it is made out of another: slower, and the same.
    pub whole_blobs: bool,
    /// Where what a scan of history learns is kept for the next; `None` reads everything anew. The outcome is
    /// the same.
    pub shelf: Option<Arc<dyn Shelf>>,
    /// Called now and then with (files or blobs done, bytes done); must be cheap.
    pub progress: Option<fn(u64, u64)>,
}

/// Everything found.
#[derive(Debug, Default)]
pub struct Scanned {
    /// Sorted findings.
    pub findings: Vec<Finding>,
    /// Sorted references.
    pub references: Vec<Reference>,
    /// What was read.
    pub coverage: Coverage,
    /// The repositories met.
    pub repositories: Vec<Repository>,
    /// What CODEOWNERS files of the work trees claim.
    pub claims: Vec<CodeOwners>,
    /// Of the blobs in the coverage, those of repositories with a memory, and how many of these were read.
    pub recalled: Option<Recalled>,
}

impl Scanned {
    /// Takes a file of code owners, unless the forge would rather take another of that repository.
    fn claim(&mut self, claim: CodeOwners) {
        let Some(rank) = codeowners::rank(&claim.path) else {
            return;
        };
        let own = |it: &&mut CodeOwners| it.repository == claim.repository;
        match self.claims.iter_mut().find(own) {
            Some(known) if codeowners::rank(&known.path) <= Some(rank) => {}
            Some(known) => *known = claim,
            None => self.claims.push(claim),
        }
    }
}

/// What memory was worth.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Recalled {
    /// Blobs of the repositories it was asked about.
    pub blobs: u64,
    /// Those that were read all the same.
    pub read: u64,
    /// Commits, tags and trees that were read.
    pub others: u64,
}

/// Why nothing could be scanned.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A root does not exist.
    #[error("{0}: no such file or folder")]
    NoSuchPath(String),
    /// A repository was needed and none was found, or its format is not read.
    #[error("{message}")]
    Source {
        /// What happened, and where.
        message: String,
        /// What to do.
        hint: Option<String>,
    },
    /// A pattern of a rule does not compile.
    #[error("{0}")]
    Rules(String),
    /// Threads could not be started.
    #[error("could not start {0} threads")]
    Threads(usize),
}

impl Error {
    /// What to do next, where the error knows.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Source { hint, .. } => hint.clone(),
            Self::NoSuchPath(_) => {
                Some("check the spelling; paths are relative to the current folder".to_owned())
            }
            Self::Rules(_) => Some("`keyatlas rules test FILE` checks a rule file".to_owned()),
            Self::Threads(_) => Some("try a smaller --jobs".to_owned()),
        }
    }
}

/// Runs one scan.
pub fn run(options: &Options, rules: &Arc<RuleSet>) -> Result<Scanned, Error> {
    if let Some(missing) = options.roots.iter().find(|it| !it.exists()) {
        return Err(Error::NoSuchPath(missing.display().to_string()));
    }
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.jobs)
        .build()
        .map_err(|_| Error::Threads(options.jobs))?;
    let watched = if options.references {
        refer::anchors()
    } else {
        &[]
    };
    let detector = Detector::watching(Arc::clone(rules), watched).knowing(options.known.clone());
    let mut scanned = pool.install(|| road::walk(options, rules, &detector))?;
    let counts = options.known.as_ref().map(|it| it.counts());
    scanned.coverage.weak_values = counts.map_or(0, |it| (it.weak + it.untagged) as u64);
    let gaps = &mut scanned.coverage.gaps;
    gaps.sort();
    gaps.dedup();
    scanned.references.sort();
    scanned.references.dedup();
    scanned.repositories.sort();
    scanned.repositories.dedup();
    Ok(scanned)
}
