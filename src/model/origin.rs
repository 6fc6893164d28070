//! An origin: one way by which bytes came to be where they are.

use super::blob::ObjectId;
use super::refs::RefSet;
use std::sync::Arc;

/// The kind of place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OriginKind {
    /// A file of a folder or work tree.
    File,
    /// Standard input.
    Stdin,
    /// The index of a repository: what a commit would take.
    Index,
    /// A blob of a repository's object database.
    History,
    /// A blob under `refs/notes`: words added to a commit afterwards.
    Note,
    /// The message of a commit; of a stash, too.
    CommitMessage,
    /// The message of an annotated tag.
    TagMessage,
    /// What stands above a message: author, committer or tagger, and whatever else a program put there.
    Header,
    /// The name of a branch, a tag or another ref.
    RefName,
    /// The name of a file or folder.
    FileName,
    /// A line of a ref's log.
    Reflog,
}

impl OriginKind {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Stdin => "stdin",
            Self::Index => "index",
            Self::History => "history",
            Self::Note => "note",
            Self::CommitMessage => "commit-message",
            Self::TagMessage => "tag-message",
            Self::Header => "header",
            Self::RefName => "ref-name",
            Self::FileName => "file-name",
            Self::Reflog => "reflog",
        }
    }

    /// Where it lies in words, for what lies in no file; what `path` then names stands in for one.
    pub fn words(self) -> Option<&'static str> {
        match self {
            Self::File | Self::Stdin | Self::Index | Self::History => None,
            Self::Note => Some("a note on a commit"),
            Self::CommitMessage => Some("the message of a commit"),
            Self::TagMessage => Some("the message of a tag"),
            Self::Header => Some("the author or another header of a commit or tag"),
            Self::RefName => Some("the name of a branch or tag"),
            Self::FileName => Some("the name of a file or folder"),
            Self::Reflog => Some("the log of a ref"),
        }
    }

    /// Whether only the history of a repository has such places.
    pub fn is_past(self) -> bool {
        !matches!(self, Self::File | Self::Stdin | Self::Index)
    }
}

/// What a text that is no blob goes by until its origin is asked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Aside {
    /// What it is.
    pub kind: OriginKind,
    /// The commit or tag it belongs to, where it is part of one.
    pub id: Option<ObjectId>,
    /// Else what it is called: a ref, a name, a log.
    pub path: String,
}

/// A commit at which something about a place changed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Milestone {
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
    pub introduced: Option<Milestone>,
    /// Whether a ref (or, for files, the work tree) reaches it.
    pub reachable: bool,
    /// Whether HEAD still has it at this path.
    pub in_head: bool,
    /// What the whole history tells of it; `None` where it was not read.
    pub life: Option<Arc<Life>>,
}

/// How long something lay at a path, and who can still come by it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Life {
    /// The newest commit that has it. Messages and the like belong to one commit and have no last one.
    pub last: Option<Milestone>,
    /// The commit that took it away; `None` while HEAD has it, or where nobody did.
    pub removed: Option<Milestone>,
    /// Branches and tags whose tip has it.
    pub held: RefSet,
    /// Refs in whose history it lies.
    pub reached: RefSet,
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
            life: None,
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
