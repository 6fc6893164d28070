//! Coverage: what was and was not read, so that a report never calls unread bytes clean.

use std::fmt;

/// Why something was not read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Reason {
    /// Left out on purpose: git ignores the folder and it is a known folder of build output.
    IgnoredFolder,
    /// Left out on purpose: an exclusion of the settings or of `.keyatlasignore`.
    Excluded,
    /// Larger than `--max-size`.
    TooLarge,
    /// Nested deeper than `--max-depth`, or expanding beyond the allowed ratio.
    LimitHit,
    /// The operating system refused: permissions, a vanished file, an I/O error.
    Io,
    /// Not a regular file (FIFO, socket, device).
    SpecialFile,
    /// A symbolic link, whose target is scanned only under its own path.
    SymbolicLink,
    /// A git object that the repository names but does not have.
    MissingObject,
    /// A git object or pack that cannot be decoded.
    CorruptObject,
    /// The clone is shallow, so history ends early.
    ShallowClone,
    /// The clone is partial: objects that its history names were never fetched.
    PartialClone,
    /// Another object or parent that git would show instead of the one that is there.
    NotFollowed,
    /// A format this version does not read.
    Unsupported,
    /// A file that names a structure it does not have (broken YAML or JSON): read as plain text only.
    Malformed,
    /// A submodule that is not here, or a repository that another source reads.
    NestedRepository,
    /// A member of a container that only a password opens.
    Encrypted,
    /// A container or member whose bytes are not what its format asks for.
    Damaged,
    /// A keystore: what it holds is sealed by a password, as it should be.
    Sealed,
}

impl Reason {
    /// The stable code used in JSON and SARIF.
    pub fn code(self) -> &'static str {
        match self {
            Self::IgnoredFolder => "ignored-folder",
            Self::Excluded => "excluded",
            Self::TooLarge => "too-large",
            Self::LimitHit => "limit-hit",
            Self::Io => "io-error",
            Self::SpecialFile => "special-file",
            Self::SymbolicLink => "symbolic-link",
            Self::MissingObject => "missing-object",
            Self::CorruptObject => "corrupt-object",
            Self::ShallowClone => "shallow-clone",
            Self::PartialClone => "partial-clone",
            Self::NotFollowed => "not-followed",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::NestedRepository => "nested-repository",
            Self::Encrypted => "encrypted",
            Self::Damaged => "damaged",
            Self::Sealed => "sealed-keystore",
        }
    }

    /// Whether the owner asked for this, so that the scan is complete without it.
    pub fn is_by_choice(self) -> bool {
        matches!(
            self,
            Self::IgnoredFolder
                | Self::Excluded
                | Self::SymbolicLink
                | Self::SpecialFile
                | Self::Malformed
                | Self::NestedRepository
                | Self::Sealed
                | Self::NotFollowed
        )
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// One place that was not read, or not in full.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Gap {
    /// A path, an object id, or a name of what is missing.
    pub path: String,
    /// Why.
    pub reason: Reason,
    /// A sentence with the particulars; never holds input bytes other than paths.
    pub detail: String,
}

/// Totals of what was read, and the gaps.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Coverage {
    /// Files read from folders, the index or standard input.
    pub files: u64,
    /// Distinct git blobs read.
    pub blobs: u64,
    /// Bytes handed to detection before decoding.
    pub bytes: u64,
    /// What was not read, sorted.
    pub gaps: Vec<Gap>,
    /// How many known values of the inventory were too weak to search for.
    pub weak_values: u64,
}

impl Coverage {
    /// Whether everything asked for was read.
    pub fn is_complete(&self) -> bool {
        self.gaps.iter().all(|gap| gap.reason.is_by_choice())
    }

    /// Adds another part's totals and gaps.
    pub fn add(&mut self, other: Self) {
        self.files += other.files;
        self.blobs += other.blobs;
        self.bytes += other.bytes;
        self.weak_values += other.weak_values;
        self.gaps.extend(other.gaps);
    }
}
