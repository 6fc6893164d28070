//! `--fetch-missing`: what a partial clone lacks is fetched from its promisor before anything is scanned.
//!
//! The `git` program does it, and reads no configuration of the scanned repository: its address and its folder
//! of objects are all that is taken over. Refs stay as they are. Not here: knowing what is missing.

use super::environment;
use super::message::{Fault, note};
use super::plan::Plan;
use crate::model::blob::ObjectId;
use crate::scan::Mode;
use crate::source::change;
use crate::source::error::Error as SourceError;
use crate::source::history::{History, HistoryOptions};
use crate::source::modules;
use crate::source::promised::{self, Promisor};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Objects asked for at a time.
const BATCH: usize = 50_000;
/// Folders may name further objects that are missing: so often it is looked anew.
const ROUNDS: usize = 8;
/// Objects that the other side has not, taken out of a request one by one.
const STRANGERS: usize = 50;
/// As git writes an object id.
const ID: usize = 40;

/// What git is told whatever anybody's configuration says: no hooks, no helpers of the work tree, no upkeep.
const SETTINGS: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("fetch.negotiationAlgorithm", "noop"),
    ("transfer.bundleURI", "false"),
    ("remote.origin.promisor", "true"),
];

/// Fetches what the repositories of a plan lack. What cannot be had stays missing, and the report says so.
pub(super) fn missing(plan: &Plan) -> Result<(), Fault> {
    if !matches!(plan.scan.mode, Mode::History | Mode::Range(_)) {
        return Err(Fault::new("--fetch-missing fetches objects of history")
            .hint("give it with --history, --range or --since"));
    }
    let mut waiting: Vec<PathBuf> = plan
        .scan
        .roots
        .iter()
        .flat_map(|it| repositories(it))
        .collect();
    while let Some(path) = waiting.pop() {
        let Ok(history) = History::open(&path) else {
            continue;
        };
        one(&path, &history, plan)?;
        if matches!(plan.scan.mode, Mode::History) {
            let modules = modules::modules(&history).into_iter();
            waiting.extend(modules.map(|it| it.git_dir));
        }
    }
    Ok(())
}

/// The repository around a path, or those directly in a folder.
fn repositories(root: &Path) -> Vec<PathBuf> {
    match History::open(root) {
        Err(SourceError::NotARepository(_)) => {
            let entries = fs::read_dir(root).into_iter().flatten().flatten();
            let mut inside: Vec<PathBuf> = entries.map(|it| it.path()).collect();
            inside.sort();
            inside
        }
        _ => vec![root.to_owned()],
    }
}

fn one(path: &Path, history: &History, plan: &Plan) -> Result<(), Fault> {
    let Some(promisor) = promised::promisor(history) else {
        return Ok(());
    };
    let git = Git::new(path, &promisor)?;
    let mut given_up = BTreeSet::new();
    let mut before = usize::MAX;
    for _round in 0..ROUNDS {
        let mut lacking = lacking(path, plan)?;
        lacking.retain(|it| !given_up.contains(it));
        if lacking.is_empty() || lacking.len() >= before && !given_up.is_empty() {
            break;
        }
        before = lacking.len();
        note(&format!(
            "fetching {} object(s) that {} promised",
            lacking.len(),
            promised::shown(&promisor.url)
        ));
        let all: Vec<ObjectId> = lacking.into_iter().collect();
        for batch in all.chunks(BATCH) {
            if let Err(why) = git.fetch(batch, &mut given_up) {
                note(&format!("they could not be fetched: {why}"));
                return Ok(());
            }
        }
    }
    if !given_up.is_empty() {
        note(&format!(
            "{} object(s) are not to be had from there",
            given_up.len()
        ));
    }
    Ok(())
}

/// What is missing now: packs may have come since the repository was opened.
fn lacking(path: &Path, plan: &Plan) -> Result<BTreeSet<ObjectId>, Fault> {
    let options = HistoryOptions {
        jobs: plan.scan.jobs,
        ..HistoryOptions::default()
    };
    if let Mode::Range(difference) = &plan.scan.mode {
        let changes = change::difference(path, difference, &plan.scan.objects)?;
        return Ok(promised::lacking_of(&changes));
    }
    Ok(promised::lacking(&History::open(path)?, &options))
}

/// A repository of our own, whose objects are those of the clone: nothing else of the clone reaches git.
struct Git {
    folder: PathBuf,
    /// Where relative addresses start.
    top: PathBuf,
    objects: PathBuf,
    url: String,
}

impl Drop for Git {
    fn drop(&mut self) {
        let _left_to_the_system = fs::remove_dir_all(&self.folder);
    }
}

impl Git {
    fn new(top: &Path, promisor: &Promisor) -> Result<Self, Fault> {
        let mut salt = [0; 8];
        getrandom::fill(&mut salt)
            .map_err(|it| Fault::new(format!("the system gave no random bytes: {it}")))?;
        let name = format!("keyatlas-{:x}.git", u64::from_le_bytes(salt));
        let folder = std::env::temp_dir().join(name);
        let fault = |it: std::io::Error| Fault::at(&folder, &it).hint("nothing was fetched");
        let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
        own_folder(&folder).map_err(fault)?;
        let git = Self {
            top: match top.is_file() {
                true => whole(top.parent().unwrap_or(top)),
                false => whole(top),
            },
            objects: whole(&promisor.objects),
            url: promisor.url.clone(),
            folder: folder.clone(),
        };
        let refused =
            |it: git2::Error| Fault::new(format!("nothing was fetched: {}", it.message()));
        git2::Repository::init_bare(&folder).map_err(refused)?;
        let mut config = git2::Config::open(&folder.join("config")).map_err(refused)?;
        for (name, value) in [
            ("core.repositoryformatversion", "1"),
            ("extensions.partialClone", "origin"),
        ] {
            config.set_str(name, value).map_err(refused)?;
        }
        Ok(git)
    }

    /// Fetches objects; those that the other side has not are added to the ones given up.
    fn fetch(&self, ids: &[ObjectId], given_up: &mut BTreeSet<ObjectId>) -> Result<(), String> {
        let mut ids: BTreeSet<ObjectId> = ids.iter().copied().collect();
        for _stranger in 0..STRANGERS {
            let Err(why) = self.ask(&ids) else {
                return Ok(());
            };
            let strangers: Vec<ObjectId> = named(&why).filter(|it| ids.contains(it)).collect();
            if strangers.is_empty() {
                return Err(why);
            }
            ids.retain(|it| !strangers.contains(it));
            given_up.extend(strangers);
            if ids.is_empty() {
                return Ok(());
            }
        }
        given_up.extend(ids);
        Ok(())
    }

    /// One run of git; what it says when it fails.
    fn ask(&self, ids: &BTreeSet<ObjectId>) -> Result<(), String> {
        let mut child = self.command().spawn().map_err(|it| format!("git: {it}"))?;
        let lines: String = ids.iter().map(|it| format!("{it}\n")).collect();
        let mut input = child.stdin.take();
        if let Some(input) = &mut input {
            // Why it stopped reading, it says itself.
            let _closed = input.write_all(lines.as_bytes());
        }
        drop(input);
        let output = child
            .wait_with_output()
            .map_err(|it| format!("git: {it}"))?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.replace(&self.url, &promised::shown(&self.url));
        Err(said.trim().to_owned())
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        for name in environment::kept_from_git() {
            command.env_remove(name);
        }
        command
            .current_dir(&self.top)
            .env("GIT_DIR", &self.folder)
            .env("GIT_OBJECT_DIRECTORY", &self.objects)
            .env("GIT_ALLOW_PROTOCOL", "https:ssh:file")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // An address may hold a password: it stands on no command line and in no file of ours.
        let address = ("remote.origin.url", self.url.as_str());
        let settings = || SETTINGS.iter().copied().chain([address]);
        command.env("GIT_CONFIG_COUNT", settings().count().to_string());
        for (at, (name, value)) in settings().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{at}"), name)
                .env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        command.args([
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-recurse-submodules",
            "--no-filter",
            "--refmap=",
            "--stdin",
            "origin",
        ]);
        command
    }
}

/// Makes a folder that nobody else looks into.
#[cfg(unix)]
fn own_folder(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn own_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir(path)
}

/// The object ids in a text.
fn named(text: &str) -> impl Iterator<Item = ObjectId> {
    let words = text.split(|it: char| !it.is_ascii_hexdigit());
    words.filter(|it| it.len() == ID).filter_map(|it| {
        let id = git2::Oid::from_str(it).ok()?;
        ObjectId::from_bytes(id.as_bytes())
    })
}
