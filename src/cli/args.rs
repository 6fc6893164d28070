//! What may be typed. Parsing does no I/O; making sense of it is the work of `plan`.

use crate::import::Importer;
use crate::report::Format;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Know every secret: what exists, where it is used, where it is exposed, and what breaks when you rotate it.
#[derive(Parser, Debug)]
#[command(
    name = "keyatlas",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Colours in reports
    #[arg(long, global = true, value_enum, default_value_t = When::Auto)]
    pub(super) color: When,
}

/// A choice for colours and progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Scan files, folders, the index, or the whole of git history
    Scan(ScanArgs),
    /// Run as a git hook, or set one up
    #[command(subcommand)]
    Hook(HookCommand),
    /// Keep the inventory of secrets: names, owners, ages, fingerprints; never values
    #[command(subcommand)]
    Inventory(InventoryCommand),
    /// Show where secrets are used, through chains
    Map(MapArgs),
    /// Accept an occurrence until a date
    #[command(args_conflicts_with_subcommands = true)]
    Waive(WaiveArgs),
    /// Accept what is there today, as waivers
    Baseline(BaselineArgs),
    /// List, show and test rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Explain a rule or a verdict
    Explain {
        /// Id of a rule or verdict
        id: String,
    },
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// A report: a format, and a file where not standard output.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) format: Format,
    pub(super) file: Option<PathBuf>,
}

fn output(text: &str) -> Result<Output, String> {
    let (name, file) = text.split_once('=').map_or((text, None), |(name, file)| {
        (name, Some(PathBuf::from(file)))
    });
    let found = Format::NAMES.iter().find(|(it, _)| *it == name);
    let known = Format::NAMES
        .iter()
        .map(|(it, _)| *it)
        .collect::<Vec<_>>()
        .join(", ");
    found
        .map(|(_, format)| Output {
            format: *format,
            file,
        })
        .ok_or_else(|| format!("no such format; there are {known}"))
}

/// Bytes, with an optional K, M or G.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text[digits.len()..]
        .to_ascii_uppercase()
        .trim_end_matches(['B', 'I'])
    {
        "" => 1,
        "K" => 1 << 10,
        "M" => 1 << 20,
        "G" => 1 << 30,
        other => return Err(format!("`{other}` is no unit; use K, M or G")),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "a size is a whole number with an optional K, M or G".to_owned())?;
    number
        .checked_mul(unit)
        .ok_or_else(|| "the size is too large".to_owned())
}

#[derive(Args, Debug, Clone)]
pub(super) struct Common {
    /// Report format, to a file with NAME=FILE; may be repeated
    #[arg(long = "format", value_name = "NAME[=FILE]", value_parser = output)]
    pub(super) formats: Vec<Output>,
    /// The inventory to hold findings against
    #[arg(long, value_name = "PATH", env = "KEYATLAS_INVENTORY")]
    pub(super) inventory: Option<PathBuf>,
    /// The file with the installation key
    #[arg(long, value_name = "FILE", env = "KEYATLAS_KEY_FILE")]
    pub(super) key_file: Option<PathBuf>,
    /// Settings file
    #[arg(long, value_name = "FILE", env = "KEYATLAS_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// Further rules: a file, or a folder of them
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) rules: Vec<PathBuf>,
    /// An earlier JSON or SARIF report: marks what is new since
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Drop weaker findings
    #[arg(long, value_parser = ["low", "medium", "high"])]
    pub(super) min_confidence: Option<String>,
    /// Exit with 1 from this level on
    #[arg(long, value_parser = ["note", "warning", "error"])]
    pub(super) fail_on: Option<String>,
    /// Show whole values (terminal, json and jsonl only)
    #[arg(long)]
    pub(super) show_secrets: bool,
    /// Threads
    #[arg(long, short)]
    pub(super) jobs: Option<usize>,
    /// Leave out files and objects above this size
    #[arg(long, value_name = "BYTES", value_parser = size)]
    pub(super) max_size: Option<u64>,
    /// Undo encodings nested this deep
    #[arg(long, value_name = "N")]
    pub(super) max_depth: Option<usize>,
    /// Scan folders of build output and dependencies too, and what is excluded
    #[arg(long)]
    pub(super) no_ignore: bool,
    /// Exit with 3 when not everything could be read, also with findings
    #[arg(long)]
    pub(super) require_complete: bool,
    /// Print the merged plan and stop
    #[arg(long)]
    pub(super) show_plan: bool,
    /// No totals on standard error
    #[arg(long, short)]
    pub(super) quiet: bool,
    /// Say on standard error what was not read, and why
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Progress on standard error
    #[arg(long, value_enum, default_value_t = When::Auto)]
    pub(super) progress: When,
}

#[derive(Args, Debug, Clone)]
pub(super) struct ScanArgs {
    /// Files and folders; `-` is standard input
    pub(super) paths: Vec<PathBuf>,
    /// Everything in the object database of the repository, and the work tree
    #[arg(long, group = "what")]
    pub(super) history: bool,
    /// Exactly what a commit would take
    #[arg(long, group = "what")]
    pub(super) staged: bool,
    /// Only what these commits bring in
    #[arg(long, group = "what", value_name = "A..B")]
    pub(super) range: Option<String>,
    /// Only what came since this revision
    #[arg(long, group = "what", value_name = "REV")]
    pub(super) since: Option<String>,
    /// The paths are the whole estate: judge unused records too
    #[arg(long)]
    pub(super) estate: bool,
    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Subcommand, Debug)]
pub(super) enum HookCommand {
    /// Scan the index before a commit
    PreCommit {
        /// Files, as the pre-commit framework passes them
        files: Vec<PathBuf>,
        #[command(flatten)]
        common: Box<Common>,
    },
    /// Write the pre-commit hook of this repository
    Install {
        /// Replace a hook that is not ours
        #[arg(long)]
        force: bool,
    },
}

#[derive(Args, Debug, Clone)]
pub(super) struct StoreArgs {
    /// The inventory
    #[arg(long, value_name = "PATH", env = "KEYATLAS_INVENTORY")]
    pub(super) inventory: Option<PathBuf>,
    /// The file with the installation key
    #[arg(long, value_name = "FILE", env = "KEYATLAS_KEY_FILE")]
    pub(super) key_file: Option<PathBuf>,
}

#[derive(Subcommand, Debug)]
pub(super) enum InventoryCommand {
    /// Make an empty inventory and its keys
    Init(StoreArgs),
    /// Read an export, or a live server
    Import(ImportArgs),
    /// List records
    List(StoreArgs),
    /// Show one record
    Show {
        /// Name of the record
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// What the inventory holds, and how old it is
    Status(StoreArgs),
    /// Remove a record
    Forget {
        /// Name of the record
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

fn importer(name: &str) -> Result<Importer, String> {
    let known = Importer::NAMES
        .iter()
        .map(|(it, _, _)| *it)
        .collect::<Vec<_>>()
        .join(", ");
    Importer::named(name).ok_or_else(|| format!("no such kind; there are {known}"))
}

#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// dotenv, csv, kubernetes or vault
    #[arg(value_parser = importer)]
    pub(super) kind: Importer,
    /// The export; `-` is standard input
    #[arg(required_unless_present = "addr")]
    pub(super) file: Option<PathBuf>,
    /// Read a live Vault or OpenBao server instead (token from VAULT_TOKEN or BAO_TOKEN)
    #[arg(long, value_name = "URL")]
    pub(super) addr: Option<String>,
    /// Only this mount of the server
    #[arg(long)]
    pub(super) mount: Option<String>,
    /// Keep no fingerprints, only names
    #[arg(long)]
    pub(super) names_only: bool,
    /// The environment the records belong to
    #[arg(long)]
    pub(super) environment: Option<String>,
    /// Names of PROVIDER[:PREFIX] that this inventory lacks are broken references
    #[arg(long, value_name = "PROVIDER[:PREFIX]")]
    pub(super) complete: Vec<String>,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

#[derive(Args, Debug)]
pub(super) struct MapArgs {
    /// Records whose name holds this text; all without it
    pub(super) name: Option<String>,
    /// Where to look; may be repeated
    #[arg(long = "in", value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Look through git history too
    #[arg(long)]
    pub(super) history: bool,
    /// human or json
    #[arg(long, default_value = "human", value_parser = ["human", "json"])]
    pub(super) format: String,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

#[derive(Args, Debug)]
pub(super) struct WaiveArgs {
    #[command(subcommand)]
    pub(super) command: Option<WaiveCommand>,
    /// The occurrence (`ko1:...`), as a report names it
    #[arg(required = true)]
    pub(super) occurrence: Option<String>,
    /// Last day, YYYY-MM-DD
    #[arg(long, required = true)]
    pub(super) until: Option<String>,
    /// Why this is no danger
    #[arg(long, required = true)]
    pub(super) reason: Option<String>,
    /// Who answers for it
    #[arg(long)]
    pub(super) owner: Option<String>,
    /// How many places are accepted
    #[arg(long, default_value_t = 1)]
    pub(super) count: u32,
}

#[derive(Subcommand, Debug)]
pub(super) enum WaiveCommand {
    /// List waivers
    List,
    /// Remove waivers that have ended or whose secret is gone
    Prune,
}

#[derive(Args, Debug)]
pub(super) struct BaselineArgs {
    /// Files and folders
    pub(super) paths: Vec<PathBuf>,
    /// Why all of it is accepted
    #[arg(long, default_value = "baseline")]
    pub(super) reason: String,
    /// Last day, YYYY-MM-DD; 90 days from now without it
    #[arg(long)]
    pub(super) until: Option<String>,
    /// Who answers for it; without one the entries count as unaudited
    #[arg(long)]
    pub(super) owner: Option<String>,
    /// Git history too
    #[arg(long)]
    pub(super) history: bool,
}

#[derive(Subcommand, Debug)]
pub(super) enum RulesCommand {
    /// List all rules
    List,
    /// Show one rule
    Show {
        /// Id of the rule
        id: String,
    },
    /// Run rules on their own examples
    Test {
        /// Rule files; the embedded rules without any
        files: Vec<PathBuf>,
    },
}
