//! What may be typed after `keyatlas hook`, word for word.
//!
//! Not here: what hooks share with a scan, which stands in `args`.

use super::args::{ReadArgs, ReportArgs, RuleArgs, StoreArgs};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Subcommand, Debug)]
pub(super) enum HookCommand {
    /// Scan what this commit would take; stop the commit if it brings in a secret
    PreCommit(Box<PreCommitArgs>),
    /// Scan what this push brings that the other side does not have; stop the push if that has a secret
    ///
    /// Git writes the refs that are pushed to standard input. Left out is what the refs of the other side
    /// reach, as far as they are known here: by what git says they are, and by refs/remotes/REMOTE. Commits
    /// that only another remote has are read.
    PrePush(Box<PrePushArgs>),
    /// Scan what is pushed to this repository before it is taken in; refuse it if it has a secret
    ///
    /// Git writes the refs that move to standard input. Left out is what the refs of this repository reach.
    /// Settings, rules, ignore files and waivers are those of HEAD, never of what is pushed; --config and
    /// KEYATLAS_CONFIG weigh more.
    PreReceive(Box<PreReceiveArgs>),
    /// Set hooks up in this repository, beside what is there
    Install {
        /// Which hooks [default: pre-commit; in a bare repository pre-receive]
        #[arg(value_enum, value_name = "KIND")]
        kinds: Vec<HookKind>,
        /// Replace a hook that keyatlas did not write; a copy of it is kept beside
        #[arg(long)]
        force: bool,
    },
}

/// A hook that can be set up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
#[allow(
    clippy::enum_variant_names,
    reason = "they are called as git calls them"
)]
pub(super) enum HookKind {
    /// Before each commit: the index
    PreCommit,
    /// Before each push, on the side that pushes: what the other side does not have
    PrePush,
    /// Before a push is taken in, on the side that receives it
    PreReceive,
}

#[derive(Args, Debug, Clone, Default)]
pub(super) struct PreCommitArgs {
    /// Judge only these, as the pre-commit framework passes them [default: all that is staged]
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) hook: HookArgs,
}

#[derive(Args, Debug, Clone, Default)]
pub(super) struct PrePushArgs {
    /// The remote that is pushed to, as git names it
    #[arg(value_name = "REMOTE")]
    pub(super) remote: Option<String>,
    /// Its address; git passes it
    #[arg(value_name = "URL")]
    pub(super) url: Option<String>,
    #[command(flatten)]
    pub(super) hook: HookArgs,
}

#[derive(Args, Debug, Clone, Default)]
pub(super) struct PreReceiveArgs {
    #[command(flatten)]
    pub(super) hook: HookArgs,
}

/// What all hooks have.
#[derive(Args, Debug, Clone, Default)]
pub(super) struct HookArgs {
    /// Said last when the hook stops something: whom to ask, where to read on
    #[arg(long, value_name = "TEXT")]
    pub(super) message: Option<String>,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}
