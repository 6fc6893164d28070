//! An origin: one way by which bytes came to be where they are.

/// The kind of place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OriginKind {
    /// A file of a folder or work tree.
    File,
    /// Standard input.
    Stdin,
    /// The index of a repository: what a commit would take.
    Index,
    /// An object of a repository's object database.
    History,
}

impl OriginKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Stdin => "stdin",
            Self::Index => "index",
            Self::History => "history",
        }
    }
}

/// The commit that introduced something at a path.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Introduction {
    /// The author date in seconds since the epoch. First, so that sorting is by time.
    pub seconds: i64,
    /// Hexadecimal commit id.
    pub commit: String,
    /// Author name (no e-mail address).
    pub author: String,
}

/// One origin of a finding or reference.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Origin {
    /// The kind of place.
    pub kind: OriginKind,
    /// Path relative to the repository root (else to the scanned root), forward slashes.
    pub path: String,
    /// The repository, as a path relative to the scanned root (`.` for itself); `None` outside one.
    pub repository: Option<String>,
    /// The introducing commit; `None` for files, the index, and objects no commit reaches.
    pub introduced: Option<Introduction>,
    /// Whether a ref (or, for files, the work tree) reaches it.
    pub reachable: bool,
    /// Whether HEAD still has it at this path.
    pub in_head: bool,
}

impl Origin {
    /// An origin outside history: reachable, without a commit.
    pub fn plain(kind: OriginKind, path: &str, repository: Option<String>) -> Self {
        Self {
            kind,
            path: path.to_owned(),
            repository,
            introduced: None,
            reachable: true,
            in_head: false,
        }
    }
}

/// A path as people can find it from the scanned root: below its repository, where several were scanned
/// side by side.
pub fn shown(repository: Option<&str>, path: &str) -> String {
    match repository {
        Some(name) if name != "." => format!("{name}/{path}"),
        _ => path.to_owned(),
    }
}
