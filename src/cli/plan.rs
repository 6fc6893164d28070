//! What was typed and what the settings file says, merged into a plan. Default < file < environment <
//! flag. One function a stage.

use super::args::{self, Common};
use super::message::Fault;
use crate::assess::Scope;
use crate::inventory::Store;
use crate::model::level::{Confidence, Level};
use crate::model::rule::RuleSet;
use crate::ruleset::{self, RuleFile};
use crate::scan::{self, Mode};
use crate::settings::{self, Settings};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files and objects above this many bytes are told, not read.
const MAX_SIZE: u64 = 256 << 20;

/// A complete plan.
pub(super) struct Plan {
    pub(super) scan: scan::Options,
    pub(super) rules: Arc<RuleSet>,
    pub(super) settings: Settings,
    pub(super) fail_on: Level,
    pub(super) scope: Scope,
    /// Where the waiver file lies.
    pub(super) home: PathBuf,
    pub(super) store: Option<Store>,
}

/// The root of the repository around a path, or the path itself.
pub(super) fn home(path: &Path) -> PathBuf {
    let start = if path.is_file() {
        path.parent().unwrap_or(path)
    } else {
        path
    };
    let start = if start.as_os_str().is_empty() {
        Path::new(".")
    } else {
        start
    };
    let absolute = std::path::absolute(start).unwrap_or_else(|_| start.to_path_buf());
    absolute
        .ancestors()
        .find(|it| it.join(".git").exists())
        .map_or(start.to_path_buf(), Path::to_path_buf)
}

/// The inventory's default place: the user's data folder.
pub(super) fn default_store() -> PathBuf {
    folder("XDG_DATA_HOME", ".local/share")
        .join("keyatlas")
        .join("inventory.db")
}

/// The installation key's default place: the user's settings folder, apart from the store.
pub(super) fn default_key() -> PathBuf {
    folder("XDG_CONFIG_HOME", ".config")
        .join("keyatlas")
        .join("key")
}

fn folder(variable: &str, below_home: &str) -> PathBuf {
    let home = || {
        std::env::var_os("HOME")
            .or_else(|| std::env::var_os("USERPROFILE"))
            .map_or_else(|| PathBuf::from("."), PathBuf::from)
    };
    std::env::var_os(variable)
        .filter(|it| !it.is_empty())
        .map_or_else(|| home().join(below_home), PathBuf::from)
}

/// Opens the inventory that was named, or the default one if it exists.
pub(super) fn store(named: Option<&Path>, key_file: Option<&Path>) -> Result<Option<Store>, Fault> {
    let path = named.map_or_else(default_store, Path::to_path_buf);
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    if !path.exists() {
        return Err(Fault::new(format!("{}: no such inventory", path.display()))
            .hint("`keyatlas inventory init` makes one"));
    }
    let key = key_file.map_or_else(default_key, Path::to_path_buf);
    Ok(Some(Store::open(
        &path,
        Some(&key).filter(|it| it.exists()).map(PathBuf::as_path),
    )?))
}

fn settings(common: &Common, home: &Path) -> Result<Settings, Fault> {
    let found = home.join("keyatlas.toml");
    let path = match &common.config {
        Some(path) => path,
        None if found.is_file() => &found,
        None => return Ok(Settings::default()),
    };
    let text = std::fs::read_to_string(path)
        .map_err(|it| Fault::new(format!("{}: {it}", path.display())))?;
    Ok(settings::parse(&path.display().to_string(), &text)?)
}

/// Rule files, and the files of rule folders.
pub(super) fn rule_files(paths: &[PathBuf]) -> Result<Vec<RuleFile>, Fault> {
    let mut files = Vec::new();
    for path in paths {
        let fault = |it: std::io::Error| Fault::new(format!("{}: {it}", path.display()));
        let mut found = vec![path.clone()];
        if path.is_dir() {
            let entries = std::fs::read_dir(path).map_err(fault)?;
            found = entries
                .filter_map(Result::ok)
                .map(|it| it.path())
                .filter(|it| it.extension().is_some_and(|it| it == "toml"))
                .collect();
            found.sort();
        }
        for path in found {
            let text = std::fs::read_to_string(&path).map_err(fault)?;
            files.push(RuleFile {
                name: path.display().to_string(),
                text,
            });
        }
    }
    Ok(files)
}

fn level(text: Option<&str>) -> Result<Level, Fault> {
    let name = text.unwrap_or("warning");
    Level::from_name(name)
        .ok_or_else(|| Fault::new(format!("fail-on: `{name}` is not note, warning or error")))
}

/// Merges everything.
pub(super) fn merge(
    common: &Common,
    paths: Vec<PathBuf>,
    mode: Mode,
    scope: Scope,
) -> Result<Plan, Fault> {
    let roots = if paths.is_empty() {
        vec![PathBuf::from(".")]
    } else {
        paths
    };
    let home = home(&roots[0]);
    let settings = settings(common, &home)?;
    let extra: Vec<PathBuf> = settings
        .rules
        .iter()
        .map(|it| home.join(it))
        .chain(common.rules.iter().cloned())
        .collect();
    let options = ruleset::Options {
        extra: rule_files(&extra)?,
        disabled: settings.disable_rules.clone(),
    };
    let rules = Arc::new(ruleset::load(&options)?);
    let confidence = common
        .min_confidence
        .as_deref()
        .or(settings.min_confidence.as_deref())
        .unwrap_or("medium");
    let min_confidence = Confidence::from_name(confidence).ok_or_else(|| {
        Fault::new(format!(
            "min-confidence: `{confidence}` is not low, medium or high"
        ))
    })?;
    let max_size = match (common.max_size, &settings.max_size) {
        (Some(bytes), _) => bytes,
        (None, Some(text)) => {
            args::size(text).map_err(|it| Fault::new(format!("max-size: {it}")))?
        }
        (None, None) => MAX_SIZE,
    };
    let store = store(common.inventory.as_deref(), common.key_file.as_deref())?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let scan = scan::Options {
        roots,
        mode,
        jobs: common.jobs.or(settings.jobs).unwrap_or(cores).max(1),
        max_size,
        max_depth: common.max_depth.or(settings.max_depth).unwrap_or(4),
        no_ignore: common.no_ignore,
        exclude: settings.exclude.clone(),
        min_confidence,
        references: true,
        salt: None,
        fingerprinter: store.as_ref().and_then(Store::fingerprinter),
        index_file: std::env::var_os("GIT_INDEX_FILE").map(PathBuf::from),
        progress: None,
    };
    let fail_on = level(common.fail_on.as_deref().or(settings.fail_on.as_deref()))?;
    Ok(Plan {
        scan,
        rules,
        settings,
        fail_on,
        scope,
        home,
        store,
    })
}

impl Plan {
    /// The merged truth, as TOML.
    pub(super) fn show(&self) -> String {
        let scan = &self.scan;
        let exclude = scan
            .exclude
            .iter()
            .map(|it| format!("{it:?}"))
            .collect::<Vec<_>>()
            .join(", ");
        let mode = match &scan.mode {
            Mode::Tree => "tree".to_owned(),
            Mode::History => "history".to_owned(),
            Mode::Staged => "staged".to_owned(),
            Mode::Range { base, tip } => format!("range {}..{tip}", base.as_deref().unwrap_or("")),
            Mode::Stdin(_) => "stdin".to_owned(),
        };
        format!(
            "mode = {mode:?}\nexclude = [{exclude}]\nmin-confidence = {:?}\nfail-on = {:?}\nmax-size = {}\nmax-depth = {}\njobs = {}\nno-ignore = {}\nrules = {}\nruleset = {:?}\ninventory = {}\n",
            scan.min_confidence.name(),
            self.fail_on.name(),
            scan.max_size,
            scan.max_depth,
            scan.jobs,
            scan.no_ignore,
            self.rules.rules.len(),
            self.rules.digest,
            self.store.is_some(),
        )
    }
}
