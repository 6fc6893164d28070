//! Exit codes, a contract: see `docs` in the README.

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// Everything was read, nothing to report.
    Clean = 0,
    /// Something to report.
    Findings = 1,
    /// The request is wrong; nothing was scanned.
    WrongRequest = 2,
    /// Done, but not everything could be read.
    Incomplete = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
