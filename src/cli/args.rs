//! What may be typed, word for word.
//!
//! Parsing does no I/O and fills in no default that the settings file may also give; both are the work
//! of `plan`. Names of formats and importers are asked from their own tables.

use super::hook_args::HookCommand;
use super::map_args::{MapArgs, RotateArgs};
use crate::import::Importer;
use crate::import::evidence::Evidence;
use crate::model::level::{Confidence, Level};
use crate::report::{Format, MapFormat};
use crate::settings;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const AFTER: &str = "\
Exit codes: 0 nothing to report, 1 something to report, 2 the request is wrong and nothing was scanned,
3 done, but not everything could be read.";

/// Know every secret: what exists, where it is used, where it is exposed, and what breaks when you rotate it.
#[derive(Parser, Debug)]
#[command(
    name = "keyatlas",
    version,
    max_term_width = 100,
    arg_required_else_help = true,
    after_help = AFTER,
    infer_long_args = false,
    disable_help_subcommand = true
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) speech: Speech,
}

/// A choice for colours and progress.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(super) enum When {
    /// On a terminal
    #[default]
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// How much is said beside the report.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Speech")]
pub(super) struct Speech {
    /// Only reports and errors: no totals, no progress, no remarks
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
    /// Also say which settings, rules and inventory are in force, and what was left out
    #[arg(long, short, global = true)]
    pub(super) verbose: bool,
    /// Colours in reports and messages
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(super) color: When,
    /// Progress on standard error
    #[arg(long, global = true, value_enum, value_name = "WHEN", default_value_t)]
    pub(super) progress: When,
}

#[derive(Subcommand, Debug)]
pub(super) enum Command {
    /// Scan files, folders, the index, a range of commits, or the whole of git history
    Scan(Box<ScanArgs>),
    /// Run as a git hook, or set one up
    #[command(subcommand)]
    Hook(HookCommand),
    /// Keep the inventory of secrets: names, owners, dates, fingerprints; never values
    #[command(subcommand)]
    Inventory(InventoryCommand),
    /// Show where secrets are used, by value and by reference, through chains
    Map(Box<MapArgs>),
    /// Plan the change of a secret: what breaks, who is told, in which order; and prove that the old value is gone
    Rotate(Box<RotateArgs>),
    /// Accept an occurrence until a date; list and clean up what was accepted
    #[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
    Waive(WaiveArgs),
    /// Accept what is there today, as waivers
    Baseline(Box<BaselineArgs>),
    /// List, show and test rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Explain a rule, a verdict or an occurrence, or whether a path is read
    Explain(Box<ExplainArgs>),
    /// Print a completion script
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man {
        /// Write a page for each command into this folder instead
        #[arg(long, value_name = "FOLDER")]
        dir: Option<PathBuf>,
    },
}

/// A report: a format, and a file where not standard output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Output<F = Format> {
    pub(super) format: F,
    pub(super) file: Option<PathBuf>,
}

/// Formats that have names.
pub(super) trait Named: Copy + PartialEq + 'static {
    const NAMES: &'static [(&'static str, Self)];
}

impl Named for Format {
    const NAMES: &'static [(&'static str, Self)] = Self::NAMES;
}

impl Named for MapFormat {
    const NAMES: &'static [(&'static str, Self)] = Self::NAMES;
}

pub(super) fn output<F: Named>(text: &str) -> Result<Output<F>, String> {
    let (name, file) = match text.split_once('=') {
        Some((_, "")) => return Err("there is no file name after `=`".to_owned()),
        Some((name, file)) => (name, Some(PathBuf::from(file))),
        None => (text, None),
    };
    let names = || F::NAMES.iter().map(|(it, _)| *it);
    match F::NAMES.iter().find(|(it, _)| *it == name) {
        Some((_, format)) => Ok(Output {
            format: *format,
            file,
        }),
        None => Err(match settings::nearest(name, names()) {
            Some(near) => format!("there is no such format; did you mean `{near}`?"),
            None => format!(
                "there is no such format; there are {}",
                names().collect::<Vec<_>>().join(", ")
            ),
        }),
    }
}

fn formats() -> String {
    let names: Vec<_> = Format::NAMES.iter().map(|(it, _)| *it).collect();
    format!(
        "Report format: {}; to a file with NAME=FILE; may be repeated [default: human]",
        names.join(", ")
    )
}

fn confidence() -> impl TypedValueParser<Value = Confidence> {
    PossibleValuesParser::new(Confidence::ALL.iter().map(|it| it.name()))
        .try_map(|it| Confidence::from_name(&it).ok_or("there is no such confidence"))
}

fn level() -> impl TypedValueParser<Value = Level> {
    PossibleValuesParser::new(Level::ALL.iter().rev().map(|it| it.name()))
        .try_map(|it| Level::from_name(&it).ok_or("there is no such level"))
}

/// What an import brings.
#[derive(Clone, Copy, Debug)]
pub(super) enum ImportKind {
    /// Records, from a list of them.
    Records(Importer),
    /// Who read known records, from a log.
    Evidence(Evidence),
}

fn import_kind() -> impl TypedValueParser<Value = ImportKind> {
    let records = Importer::all().map(|it| (it.name(), it.help()));
    let evidence = Evidence::NAMES.iter().map(|(name, help, _)| (*name, *help));
    let kinds = records
        .chain(evidence)
        .map(|(name, help)| PossibleValue::new(name).help(help));
    PossibleValuesParser::new(kinds.collect::<Vec<_>>()).try_map(|it| {
        let records = Importer::named(&it).map(ImportKind::Records);
        records
            .or_else(|| Evidence::named(&it).map(ImportKind::Evidence))
            .ok_or("there is no such kind")
    })
}

/// A day as `YYYY-MM-DD`, checked.
fn day(text: &str) -> Result<String, String> {
    let is_day = text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok();
    if is_day {
        Ok(text.to_owned())
    } else {
        Err("a day is written YYYY-MM-DD".to_owned())
    }
}

/// Which inventory.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Inventory")]
pub(super) struct StoreArgs {
    /// The inventory [env: KEYATLAS_INVENTORY] [default: in the user's data folder]
    #[arg(long, value_name = "PATH")]
    pub(super) inventory: Option<PathBuf>,
    /// The file with the installation key [env: KEYATLAS_KEY_FILE] [default: in the user's settings folder]
    #[arg(long, value_name = "FILE")]
    pub(super) key_file: Option<PathBuf>,
}

/// Which settings and rules.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Settings and rules")]
pub(super) struct RuleArgs {
    /// Settings file [env: KEYATLAS_CONFIG] [default: keyatlas.toml of this repository or folder]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Further rules, from a file or a folder; may be repeated
    #[arg(long, value_name = "FILE|DIR")]
    pub(super) rules: Vec<PathBuf>,
}

/// How to read.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Reading")]
pub(super) struct ReadArgs {
    /// Drop weaker findings [default: medium]
    #[arg(long, value_name = "CONFIDENCE", value_parser = confidence())]
    pub(super) min_confidence: Option<Confidence>,
    /// Threads [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Larger files and objects are named in the report, not read: 4096, 10M, 1G [default: 256M]
    #[arg(long, value_name = "BYTES", value_parser = settings::bytes)]
    pub(super) max_size: Option<u64>,
    /// Undo archives and encodings nested this deep [default: 4]
    #[arg(long, value_name = "N")]
    pub(super) max_depth: Option<u16>,
    /// Scan everything: also ignored folders of build output and dependencies
    ///
    /// Without it, folders such as node_modules, target and .venv are left out where git ignores them, and
    /// counted in the report. Ignored files are always scanned, since that is where `.env` lies.
    #[arg(long)]
    pub(super) no_ignore: bool,
    /// Read everything anew, and keep nothing for the next scan
    ///
    /// A scan of history keeps what it read in a file beside the inventory, and the next reads only what is
    /// new. The report is the same with it and without.
    #[arg(long)]
    pub(super) no_cache: bool,
    /// Look at each blob of history whole, also where it is made out of another: slower, and the same
    #[arg(long, hide = true)]
    pub(super) whole_blobs: bool,
}

/// What to tell, and when to fail.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Report")]
pub(super) struct ReportArgs {
    #[arg(long = "format", value_name = "NAME[=FILE]", value_parser = output::<Format>, help = formats())]
    pub(super) formats: Vec<Output>,
    /// Exit with 1 from this level on [default: warning]
    #[arg(long, value_name = "LEVEL", value_parser = level())]
    pub(super) fail_on: Option<Level>,
    /// An earlier JSON or SARIF report: tells what is new since
    #[arg(long, value_name = "FILE")]
    pub(super) baseline: Option<PathBuf>,
    /// Show whole values (on a terminal, in json and jsonl; refused elsewhere)
    #[arg(long)]
    pub(super) show_secrets: bool,
    /// Exit with 3 if anything could not be read, also when there is something to report
    #[arg(long)]
    pub(super) require_complete: bool,
    /// Print what default, file, environment and flags add up to, and stop
    #[arg(long)]
    pub(super) show_plan: bool,
}

#[derive(Args, Debug, Clone, Default)]
pub(super) struct ScanArgs {
    /// Files and folders; `-` is standard input [default: the current folder]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Everything in the object database of the repository, reachable or not, and the work tree
    #[arg(long, group = "what", help_heading = "What to scan")]
    pub(super) history: bool,
    /// The index: exactly what a commit would take, never the work tree
    #[arg(long, group = "what", help_heading = "What to scan")]
    pub(super) staged: bool,
    /// Only what these commits bring in; A...B starts where the two parted
    #[arg(
        long,
        group = "what",
        value_name = "A..B",
        help_heading = "What to scan"
    )]
    pub(super) range: Option<String>,
    /// Only what came since this revision: REV..HEAD
    #[arg(
        long,
        group = "what",
        value_name = "REV",
        help_heading = "What to scan"
    )]
    pub(super) since: Option<String>,
    /// First fetch what a partial clone lacks, from where it was cloned; nothing else opens a socket
    ///
    /// The `git` program fetches the missing objects into the clone, over https, ssh or from a folder. It reads
    /// your settings of git and none of the repository's. Refs stay as they are.
    #[arg(long, help_heading = "What to scan")]
    pub(super) fetch_missing: bool,
    /// The paths given are the whole estate: judge unused and orphaned records too
    #[arg(long, conflicts_with_all = ["staged", "range", "since"], help_heading = "What to scan")]
    pub(super) estate: bool,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
    #[command(flatten)]
    pub(super) report: ReportArgs,
}

/// How to tell about records.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, ValueEnum)]
pub(super) enum Listing {
    /// For people
    #[default]
    Human,
    /// One document
    Json,
}

#[derive(Args, Debug, Clone, Default)]
pub(super) struct ListingArgs {
    /// How to tell it
    #[arg(long, value_enum, value_name = "NAME", default_value_t)]
    pub(super) format: Listing,
}

#[derive(Subcommand, Debug)]
pub(super) enum InventoryCommand {
    /// Make an empty inventory, and its key in a file apart from it
    Init {
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Take in what an owner's list says exists (an export, or a running server), or who read it (a log)
    Import(Box<ImportArgs>),
    /// Take in who is in which team, or who leaves: a table with a header
    ///
    /// Team files have the columns person, team, email, until; leavers lists person, left, aliases. One file may have
    /// all of them. What a file said before is replaced.
    People {
        /// The table; `-` is standard input
        file: PathBuf,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// List records
    List {
        #[command(flatten)]
        listing: ListingArgs,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Show one record with its versions
    Show {
        /// Name of the record
        name: String,
        #[command(flatten)]
        listing: ListingArgs,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Say what the inventory holds, how old it is, what ends soon, and what has changed since earlier days
    Status {
        #[command(flatten)]
        listing: ListingArgs,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Remove a record and its history
    Forget {
        /// Name of the record
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Seal the inventory under a new installation key; fingerprints stay as they are
    Rekey {
        /// Where the new key goes [default: in place of the old one]
        #[arg(long, value_name = "FILE")]
        new_key_file: Option<PathBuf>,
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Args, Debug, Clone)]
pub(super) struct ImportArgs {
    /// What kind of export it is
    #[arg(value_name = "KIND", value_parser = import_kind())]
    pub(super) kind: ImportKind,
    /// The export; a folder of such files; `-` is standard input; an http or https address is a running server
    #[arg(
        value_name = "FILE|FOLDER|URL",
        required_unless_present = "addr",
        conflicts_with = "addr"
    )]
    pub(super) file: Option<PathBuf>,
    /// Read a running server: Vault or OpenBao, or AWS (https://amazonaws.com)
    ///
    /// The token comes from VAULT_TOKEN or BAO_TOKEN, the credentials from AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; none of them from a flag or a file.
    #[arg(long, value_name = "URL", help_heading = "Running server")]
    pub(super) addr: Option<String>,
    /// Only this mount, or a folder in one (kv/shop); of AWS secretsmanager/PREFIX, ssm/PATH or iam
    /// [default: all of KV, databases, certificates and AppRole; secretsmanager and ssm]
    #[arg(long, value_name = "PATH", help_heading = "Running server")]
    pub(super) mount: Option<String>,
    /// Namespace; `*` or NAME/* for it and all below [env: VAULT_NAMESPACE, BAO_NAMESPACE]
    #[arg(long, value_name = "NAME", help_heading = "Running server")]
    pub(super) namespace: Option<String>,
    /// Region of AWS [env: AWS_REGION, AWS_DEFAULT_REGION]
    #[arg(long, value_name = "NAME", help_heading = "Running server")]
    pub(super) region: Option<String>,
    /// Certificates (PEM) of the authorities to trust instead of the public ones
    /// [env: VAULT_CACERT, BAO_CACERT, AWS_CA_BUNDLE]
    #[arg(long, value_name = "FILE", help_heading = "Running server")]
    pub(super) ca_cert: Option<PathBuf>,
    /// Send the token or the signed requests to another machine without encryption
    #[arg(long, help_heading = "Running server")]
    pub(super) plain_http: bool,
    /// Passwords to try on keystores and encrypted keys, one a line [env: KEYATLAS_KEYSTORE_PASSWORD, for one]
    #[arg(long, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// Keep names and dates only: no value is fingerprinted
    #[arg(long)]
    pub(super) names_only: bool,
    /// Fingerprint also what its store does not keep as a secret, such as plain SSM parameters
    #[arg(long, conflicts_with = "names_only")]
    pub(super) all_values: bool,
    /// The environment of records whose export names none
    #[arg(long, value_name = "NAME")]
    pub(super) environment: Option<String>,
    /// This import is all there is of PROVIDER (below PREFIX): names that it lacks are broken references
    #[arg(long, value_name = "PROVIDER[:PREFIX]")]
    pub(super) complete: Vec<String>,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

#[derive(Args, Debug, Clone)]
pub(super) struct ExplainArgs {
    /// A rule (`github-personal-access-token`), a verdict (`exposed`), or the beginning of an occurrence (`ko1:3f0c`)
    #[arg(required_unless_present = "path", conflicts_with = "path")]
    pub(super) id: Option<String>,
    /// Whether a file or folder is read, and if not, why
    #[arg(long, value_name = "PATH")]
    pub(super) path: Option<PathBuf>,
    /// The JSON report in which the occurrence stands [default: look for it here]
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
}

#[derive(Args, Debug, Clone)]
pub(super) struct WaiveArgs {
    #[command(subcommand)]
    pub(super) command: Option<WaiveCommand>,
    #[command(flatten)]
    pub(super) waiver: Option<WaiverArgs>,
}

#[derive(Args, Debug, Clone)]
pub(super) struct WaiverArgs {
    /// The occurrence (ko1:...), as a report names it
    pub(super) occurrence: String,
    /// The last day it is accepted
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day, required = true)]
    pub(super) until: String,
    /// Why it is no danger, or why it has to wait
    #[arg(long, value_name = "TEXT", required = true)]
    pub(super) reason: String,
    /// Who answers for it [default: user.name of git]
    #[arg(long, value_name = "WHO")]
    pub(super) owner: Option<String>,
    /// How many places are accepted [default: as many as there are now]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) count: Option<u32>,
}

#[derive(Subcommand, Debug, Clone)]
pub(super) enum WaiveCommand {
    /// List waivers and how they stand
    List,
    /// Remove waivers that have ended, or whose secret is nowhere any more
    Prune,
}

#[derive(Args, Debug, Clone)]
pub(super) struct BaselineArgs {
    /// Files and folders [default: the current folder]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Why all of it is accepted
    #[arg(long, value_name = "TEXT", default_value = "baseline")]
    pub(super) reason: String,
    /// The last day it is accepted [default: 90 days from now]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = day)]
    pub(super) until: Option<String>,
    /// Who has looked at all of it; without a name the waivers are marked unaudited
    #[arg(long, value_name = "WHO")]
    pub(super) owner: Option<String>,
    /// Accept what git history holds too
    #[arg(long)]
    pub(super) history: bool,
    #[command(flatten)]
    pub(super) read: ReadArgs,
    #[command(flatten)]
    pub(super) rules: RuleArgs,
    #[command(flatten)]
    pub(super) store: StoreArgs,
}

#[derive(Subcommand, Debug)]
pub(super) enum RulesCommand {
    /// List the rules in force
    List {
        #[command(flatten)]
        listing: ListingArgs,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Show one rule
    Show {
        /// Id of the rule
        id: String,
        #[command(flatten)]
        rules: RuleArgs,
    },
    /// Run rules on their own examples and counter-examples
    Test {
        /// Rule files [default: the rules that come with keyatlas]
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Turn a rule file of gitleaks or betterleaks into one of ours, and say what cannot be carried
    Import {
        /// Their TOML file
        file: PathBuf,
        /// Write here instead of to standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds() {
        Cli::command().debug_assert();
    }

    #[test]
    fn formats_take_a_file_and_name_the_nearest() {
        for (text, expected) in [
            ("json", Ok(None)),
            ("sarif=out.sarif", Ok(Some("out.sarif"))),
            ("json=a=b.json", Ok(Some("a=b.json"))),
            ("json=", Err("there is no file name after `=`")),
            (
                "sarf",
                Err("there is no such format; did you mean `sarif`?"),
            ),
        ] {
            let parsed = output::<Format>(text).map(|it| it.file);
            assert_eq!(
                parsed,
                expected
                    .map(|it| it.map(PathBuf::from))
                    .map_err(str::to_owned),
                "{text}"
            );
        }
        assert!(output::<Format>("xml").unwrap_err().contains("human, json"));
    }

    #[test]
    fn days_are_days() {
        for (text, is_day) in [
            ("2026-11-24", true),
            ("2026-02-30", false),
            ("2026-1-1", false),
            ("tomorrow", false),
        ] {
            assert_eq!(day(text).is_ok(), is_day, "{text}");
        }
    }

    #[test]
    fn waivers_need_a_date_and_a_reason_and_lists_do_not() {
        for (line, fits) in [
            (&["waive", "list"][..], true),
            (&["waive", "prune"], true),
            (
                &[
                    "waive",
                    "ko1:ab",
                    "--until",
                    "2099-01-01",
                    "--reason",
                    "test data",
                ],
                true,
            ),
            (&["waive", "ko1:ab", "--reason", "test data"], false),
            (&["waive", "ko1:ab", "--until", "2099-01-01"], false),
        ] {
            let words = std::iter::once("keyatlas").chain(line.iter().copied());
            assert_eq!(Cli::try_parse_from(words).is_ok(), fits, "{line:?}");
        }
    }
}
