//! What changing a secret takes: who is told, what takes the new value and how, where the old one lies.

use super::map::Hop;

/// How a consumer comes to have the new value.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Pickup {
    /// It passes the value on by itself, after a while: an operator that syncs.
    Sync,
    /// It asks for the value each time.
    Live,
    /// It reads a file that is replaced under it, if it looks again.
    Reload,
    /// It has the value from its start to its end.
    Redeploy,
    /// It takes the value when its configuration is applied.
    Apply,
    /// It takes the value when it runs next.
    NextRun,
    /// It has the value built in.
    Rebuild,
    /// Somebody has to write the value there, or better, take it out.
    Edit,
    /// Nobody knows: best taken for something that must be deployed anew.
    Unknown,
}

impl Pickup {
    /// Every way with its name in JSON and what to do.
    pub const ALL: &'static [(Self, &'static str, &'static str)] = &[
        (Self::Sync, "sync", "wait until it has synced, or make it"),
        (Self::Live, "live", "nothing: it asks each time; watch it"),
        (
            Self::Reload,
            "reload",
            "see that it reads the file again, else restart it",
        ),
        (
            Self::Redeploy,
            "redeploy",
            "restart or deploy it: it keeps what it started with",
        ),
        (Self::Apply, "apply", "apply its configuration"),
        (
            Self::NextRun,
            "next-run",
            "run it once to see that it works",
        ),
        (Self::Rebuild, "rebuild", "build and deploy it anew"),
        (
            Self::Edit,
            "edit",
            "take the value out, and read it from the store",
        ),
        (
            Self::Unknown,
            "unknown",
            "find out how it takes the value; restart it to be sure",
        ),
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|it| it.0 == self)
            .map_or("", |it| it.1)
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|it| it.0 == self)
            .map_or("", |it| it.2)
    }
}

/// Something that uses the secret.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Consumer {
    /// How it comes to have the new value.
    pub pickup: Pickup,
    /// How many pass the value on before it gets there.
    pub depth: usize,
    /// The workload, job, object or file.
    pub name: String,
    /// The repository it lies in.
    pub repository: Option<String>,
    /// Where it names the secret.
    pub places: Vec<Hop>,
}

/// Somebody to tell.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Notice {
    /// Who, as the source spells it.
    pub who: String,
    /// Why: `owner`, `author of PATH:LINE`, ...
    pub why: Vec<String>,
}

/// Another record that changes with it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shared {
    /// Its name.
    pub record: String,
    /// Whose it is.
    pub owners: Vec<String>,
}

/// A place where a value lies in the clear.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Exposure {
    /// Where.
    pub hop: Hop,
    /// Which version's value.
    pub version: u32,
    /// Whether it is the current one.
    pub is_current: bool,
    /// Whether it stands in the files of today.
    pub in_files: bool,
    /// Whether git still has it.
    pub in_history: bool,
    /// Whether a branch or tag leads to it.
    pub is_reachable: bool,
    /// Who brought it there, where known.
    pub author: Option<String>,
    /// Its id.
    pub occurrence: String,
    /// Whether somebody accepted it.
    pub is_waived: bool,
}

/// The plan for one record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rotation {
    /// Its name.
    pub record: String,
    /// The object as references name it.
    pub object: String,
    /// The number of its current version.
    pub current: Option<u32>,
    /// The version that was asked for, if a value was.
    pub asked: Option<u32>,
    /// Whether what it protects is lost with it, so that it must be encrypted anew before.
    pub keeps_data: bool,
    /// Who is told, owners first.
    pub tell: Vec<Notice>,
    /// Records with the same value.
    pub shared: Vec<Shared>,
    /// What uses it, in the order in which to attend to it.
    pub consumers: Vec<Consumer>,
    /// Where values lie in the clear.
    pub exposures: Vec<Exposure>,
    /// What could not be found out.
    pub unknown: Vec<String>,
}

/// What of an old value is still there.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Remnant {
    /// `version`, `unknown`, `files`, `history` or `pinned`.
    pub kind: &'static str,
    /// In a sentence.
    pub text: String,
    /// The occurrence, where it is one.
    pub occurrence: Option<String>,
}
