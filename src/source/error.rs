//! Why a source could not be read at all. What could not be read *within* a source is a gap, not an error.

use crate::model::coverage::Reason;

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A root does not exist.
    #[error("{0}: no such file or folder")]
    NoSuchPath(String),
    /// A repository was needed and none lies there.
    #[error("{0}: not a git repository")]
    NotARepository(String),
    /// A folder scan was asked for a repository that has no work tree.
    #[error("{0}: a bare repository has no files to scan")]
    BareRepository(String),
    /// git refuses repositories that belong to somebody else.
    #[error(
        "{0}: the repository belongs to another user, and git's `safe.directory` does not name it"
    )]
    Ownership(String),
    /// The repository uses a format that this version does not read.
    #[error("{path}: {what} is not supported by this version")]
    Unsupported {
        /// The repository.
        path: String,
        /// What it uses.
        what: String,
    },
    /// A revision does not resolve to a commit.
    #[error("{path}: no commit is called `{revision}`")]
    NoSuchRevision {
        /// The repository.
        path: String,
        /// As given.
        revision: String,
    },
    /// The clone is shallow and lacks commits that the question needs.
    #[error("{path}: the clone is shallow, and `{revision}` cannot be followed to its end")]
    Shallow {
        /// The repository.
        path: String,
        /// The revision or boundary commit where history ends.
        revision: String,
    },
    /// An object that should be there is not, or cannot be decoded.
    #[error("object {id} cannot be read: {message}")]
    Object {
        /// Hexadecimal id.
        id: String,
        /// Whether it is absent or damaged.
        reason: Reason,
        /// What git's library says.
        message: String,
    },
    /// An exclusion pattern does not parse.
    #[error("exclusion pattern `{pattern}`: {message}")]
    Pattern {
        /// As given.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// git's library refused.
    #[error("{path}: {message}")]
    Git {
        /// The repository.
        path: String,
        /// What the library says.
        message: String,
    },
}

impl Error {
    /// What to do next, where we know it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoSuchPath(_) | Self::Object { .. } | Self::Io { .. } => return None,
            Self::NotARepository(_) => "name a folder inside a repository, or scan it as plain files".to_owned(),
            Self::BareRepository(_) => "read its history instead: `--history`".to_owned(),
            Self::Ownership(path) => format!("if you trust it: git config --global --add safe.directory {path}"),
            Self::Unsupported { .. } => {
                "clone it again with the sha1 object format, the files ref format and a plain index".to_owned()
            }
            Self::NoSuchRevision { .. } => "fetch it first, or check the spelling".to_owned(),
            Self::Shallow { .. } => {
                "fetch with full depth: `git fetch --unshallow`, or `fetch-depth: 0` in the CI checkout".to_owned()
            }
            Self::Pattern { .. } => "patterns are written as in .gitignore".to_owned(),
            Self::Git { .. } => "`git fsck` tells whether the repository is sound".to_owned(),
        };
        Some(hint)
    }
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn a_shallow_clone_is_told_how_to_deepen() {
        let error = Error::Shallow {
            path: ".".into(),
            revision: "main".into(),
        };
        assert!(error.hint().unwrap().contains("fetch-depth: 0"));
        assert!(error.to_string().contains("shallow"));
    }
}
