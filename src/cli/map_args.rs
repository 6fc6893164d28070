//! What `map` and `rotate` take.

use super::args::{ListingArgs, Output, ReadArgs, RuleArgs, StoreArgs, output};
use crate::report::MapFormat;
use clap::Args;
use std::path::PathBuf;

fn map_formats() -> String {
    let names: Vec<_> = MapFormat::NAMES.iter().map(|(it, _)| *it).collect();
    format!(
        "How to tell it: {}; to a file with NAME=FILE; may be repeated [default: human]",
        names.join(", ")
    )
}

#[derive(Args, Debug, Clone)]
pub(super) struct MapArgs {
    /// A record, or a part of its name; a fingerprint (`kf1:...`), an occurrence (`ko1:...`), or `-` for a value
    /// read from standard input, which a terminal does not show [default: all]
    pub(super) name: Option<String>,
    /// Where to look; may be repeated [default: the current folder]
    #[arg(long = "in", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Look through the whole of git history too
    #[arg(long)]
    pub(super) history: bool,
    #[arg(long = "format", value_name = "NAME[=FILE]", value_parser = output::<MapFormat>, help = map_formats())]
    pub(super) formats: Vec<Output<MapFormat>>,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

#[derive(Args, Debug, Clone)]
#[command(group = clap::ArgGroup::new("what").required(true).args(["name", "leaver", "leaked", "from_list"]))]
pub(super) struct RotateArgs {
    /// A record, or an object with all its keys
    pub(super) name: Option<String>,
    /// All that this person owned, wrote or could read
    #[arg(long, value_name = "WHO")]
    pub(super) leaver: Option<String>,
    /// A value that leaked, read from standard input, which a terminal does not show
    #[arg(long)]
    pub(super) leaked: bool,
    /// Several records at once: a file with a name a line
    #[arg(long, value_name = "FILE")]
    pub(super) from_list: Option<PathBuf>,
    /// Where to look; may be repeated [default: the current folder]
    #[arg(long = "in", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Look at the files of today only, not through git history
    #[arg(long)]
    pub(super) no_history: bool,
    /// Afterwards: whether anything is left of the old value (code 1 if so)
    #[arg(long, conflicts_with_all = ["leaver", "leaked"])]
    pub(super) check: bool,
    /// The last version that must be gone [default: the one before the current]
    #[arg(long, value_name = "VERSION", requires = "check")]
    pub(super) after: Option<u32>,
    #[command(flatten)]
    pub(super) listing: ListingArgs,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}
