//! What was typed, what the environment says and what the settings file says, merged into a plan:
//! default < file < environment < flag. One function a stage.
//!
//! Not here: running it. A plan is complete and checked; whoever has one only has to follow it.

use super::args::{ReadArgs, RuleArgs, StoreArgs};
use super::base::{self, Settled, Standing, settled};
use super::environment::Environment;
use super::known;
use super::message::{Fault, note};
use super::policies;
use crate::assess::Scope;
use crate::assess::waive::Comments;
use crate::detect::Detector;
use crate::inventory::Store;
use crate::ledger;
use crate::model::level::{Confidence, Level};
use crate::model::policy::Policies;
use crate::model::rule::RuleSet;
use crate::ruleset::{self, RuleFile};
use crate::scan::{self, Ground, Mode, Within};
use crate::settings::{self, Settings};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files and objects above this many bytes are told, not read.
const MAX_SIZE: u64 = 256 << 20;
const MAX_DEPTH: usize = 4;
const STALE_DAYS: u32 = 365;
const STALE_CLOUD_DAYS: u32 = 90;
const EXPIRING_DAYS: u32 = 30;

/// What a front end asks for.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) read: &'a ReadArgs,
    pub(super) rules: &'a RuleArgs,
    pub(super) store: &'a StoreArgs,
    pub(super) fail_on: Option<Level>,
    /// Files and folders; empty for standard input.
    pub(super) roots: Vec<PathBuf>,
    pub(super) mode: Mode,
    pub(super) within: Within,
    pub(super) scope: Scope,
    /// Where settings, waivers and ignore files come from, where nobody names them.
    pub(super) ground: Ground,
}

/// A complete plan.
pub(super) struct Plan {
    pub(super) scan: scan::Options,
    pub(super) rules: Arc<RuleSet>,
    pub(super) ages: Ages,
    pub(super) policies: Policies,
    pub(super) fail_on: Level,
    pub(super) scope: Scope,
    /// The folder of the waiver file: the root of the scanned repository.
    pub(super) home: PathBuf,
    /// What stands for that folder: `HEAD`, where the change must not speak for itself, or nothing else can.
    pub(super) base: Option<Standing>,
    /// Whose the comments beside secrets are.
    pub(super) comments: Comments,
    /// What hooks say last when they stop something.
    pub(super) message: Option<String>,
    pub(super) store: Option<Store>,
    /// Where scans of history keep what they learn for the next; `None` if they are to keep nothing.
    pub(super) cache: Option<PathBuf>,
    pub(super) sources: Sources,
}

/// Days that the judgement needs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ages {
    pub(super) stale: u32,
    pub(super) stale_cloud: u32,
    pub(super) expiring: u32,
}

/// Where the plan came from, for people who wonder.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub(super) settings: Option<PathBuf>,
    pub(super) inventory: Option<PathBuf>,
    pub(super) exclude: Vec<String>,
    pub(super) disable_rules: Vec<String>,
    pub(super) rules: Vec<PathBuf>,
}

/// The root of the repository around a path; `None` outside of one.
pub(super) fn repository_root(path: &Path) -> Option<PathBuf> {
    let path = fs::canonicalize(path)
        .or_else(|_| std::path::absolute(path))
        .ok()?;
    path.ancestors()
        .find(|it| it.join(".git").exists())
        .map(Path::to_path_buf)
}

/// Merges everything; looks before the run.
pub(super) fn plan(request: Request<'_>, environment: &Environment) -> Result<Plan, Fault> {
    refuse_missing(&request.roots)?;
    refuse_special(&request.roots)?;
    let base = base::of_scanned(&request, environment)?;
    let own = base::of_here(&request, environment)?;
    let Settled {
        settings,
        file: settings_file,
        rules,
        extra,
    } = settled(request.rules, own.as_ref(), environment)?;
    let (store, inventory) = store(request.store, environment)?.unzip();
    policies::refuse_ties(&settings.policies, settings_file.as_deref(), store.as_ref())?;
    let home = home(&request.roots, environment);
    let cache = cache(&request, inventory.as_deref(), environment);
    let ages = Ages {
        stale: settings.rotation_default_days.unwrap_or(STALE_DAYS),
        stale_cloud: settings.rotation_cloud_key_days.unwrap_or(STALE_CLOUD_DAYS),
        expiring: settings.expiry_warn_days.unwrap_or(EXPIRING_DAYS),
    };
    Ok(Plan {
        ages,
        policies: settings.policies.clone(),
        fail_on: request
            .fail_on
            .or(settings.fail_on)
            .unwrap_or(Level::Warning),
        message: settings.hook_message.clone(),
        comments: match request.ground {
            Ground::Head => Comments::OfTheChange,
            Ground::WorkTree => Comments::Trusted,
        },
        scope: request.scope,
        scan: scan::Options {
            ground: base.as_ref().map_or(Ground::WorkTree, |_| Ground::Head),
            known: known::values(store.as_ref())?,
            ..reading(request, &settings, environment, store.as_ref())
        },
        rules: Arc::new(rules),
        home,
        base,
        store,
        cache,
        sources: Sources {
            settings: settings_file,
            inventory,
            exclude: settings.exclude,
            disable_rules: settings.disable_rules,
            rules: extra,
        },
    })
}

/// Refuses names that nothing bears, all at once.
pub(super) fn refuse_missing(roots: &[PathBuf]) -> Result<(), Fault> {
    let missing: Vec<String> = roots
        .iter()
        .filter(|it| fs::symlink_metadata(it).is_err())
        .map(|it| format!("{}: there is no such file or folder", it.display()))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let is_pattern = missing.iter().any(|it| it.contains(['*', '?', '[']));
    let hint = if is_pattern {
        "a PATH is a name, not a pattern; leave the pattern unquoted so that the shell fills it in"
    } else {
        "nothing was scanned; paths are relative to the current folder"
    };
    Err(Fault::new(missing.join("\n")).hint(hint))
}

/// Refuses what is there and is nothing to read: broken links, pipes, devices.
fn refuse_special(roots: &[PathBuf]) -> Result<(), Fault> {
    let what = |path: &PathBuf| match fs::metadata(path) {
        Ok(it) if it.is_file() || it.is_dir() => None,
        Ok(_) => Some("neither a file nor a folder"),
        Err(_) if path.is_symlink() => Some("a symbolic link that leads to no file"),
        // A file that cannot be looked at is told when it is read.
        Err(_) => None,
    };
    let faults: Vec<String> = roots
        .iter()
        .filter_map(|it| what(it).map(|what| format!("{}: {what}", it.display())))
        .collect();
    if faults.is_empty() {
        return Ok(());
    }
    Err(Fault::new(faults.join("\n"))
        .hint("nothing was scanned; to scan what a pipe brings, give it as standard input: -"))
}

/// The settings in force and their file. The file is looked for where the user stands, never in a tree
/// that is only scanned.
pub(super) fn settings(
    args: &RuleArgs,
    environment: &Environment,
) -> Result<(Settings, Option<PathBuf>), Fault> {
    let named = args.config.as_ref().or(environment.config.as_ref());
    let here = repository_root(&environment.folder)
        .into_iter()
        .chain([environment.folder.clone()]);
    let found = || {
        here.map(|it| it.join(settings::FILE))
            .find(|it| it.is_file())
    };
    let Some(path) = named.cloned().or_else(found) else {
        return Ok((Settings::default(), None));
    };
    let text = fs::read_to_string(&path).map_err(|it| {
        Fault::at(&path, &it).hint("nothing was scanned; name the settings file with --config")
    })?;
    Ok((
        settings::parse(&shown(&path, environment), &text)?,
        Some(path),
    ))
}

/// A path as a reader would type it.
fn shown(path: &Path, environment: &Environment) -> String {
    path.strip_prefix(&environment.folder)
        .unwrap_or(path)
        .display()
        .to_string()
}

/// Rule files of the settings, relative to the settings file, then those of flags.
pub(super) fn extra_rules(
    args: &RuleArgs,
    settings: &Settings,
    file: Option<&Path>,
) -> Vec<PathBuf> {
    let folder = file.and_then(Path::parent).unwrap_or(Path::new(""));
    settings
        .rules
        .iter()
        .map(|it| folder.join(it))
        .chain(args.rules.iter().cloned())
        .collect()
}

pub(super) fn rules(
    extra: &[PathBuf],
    more: Vec<RuleFile>,
    disabled: &[String],
) -> Result<RuleSet, Fault> {
    let mut files = more;
    files.extend(rule_files(extra)?);
    let options = ruleset::Options {
        extra: files,
        disabled: disabled.to_vec(),
    };
    let rules = ruleset::load(&options)?;
    if !options.extra.is_empty() {
        check_patterns(&rules, &options.extra)?;
    }
    Ok(rules)
}

/// A pattern that does not compile would never match, and that would pass for clean. Those that come
/// with the program are compiled by its tests.
fn check_patterns(rules: &RuleSet, files: &[RuleFile]) -> Result<(), Fault> {
    let own = ruleset::load(&ruleset::Options::default())?;
    let theirs = rules.rules.iter().filter(|it| own.get(&it.id) != Some(*it));
    let mut faults = Vec::new();
    for rule in theirs {
        // The last file that has a rule is the one that counts.
        let file = files.iter().rev().find(|it| it.text.contains(&rule.id));
        let file = file.map_or("", |it| it.name.as_str());
        let alone = RuleSet {
            rules: vec![rule.clone()],
            ..RuleSet::default()
        };
        let found = Detector::new(Arc::new(alone)).check();
        faults.extend(found.into_iter().map(|it| format!("{file}: {it}")));
    }
    if faults.is_empty() {
        return Ok(());
    }
    Err(Fault::from(ruleset::Error { faults }))
}

/// The rules that the flags and settings of a command name.
pub(super) fn rules_in_force(args: &RuleArgs, environment: &Environment) -> Result<RuleSet, Fault> {
    Ok(settled(args, None, environment)?.rules)
}

/// Rule files, and the `.toml` files of rule folders.
pub(super) fn rule_files(paths: &[PathBuf]) -> Result<Vec<RuleFile>, Fault> {
    let mut files = Vec::new();
    for path in paths {
        let fault = |it: std::io::Error| {
            Fault::at(path, &it).hint("nothing was scanned; name a rule file or a folder of them")
        };
        let mut found = vec![path.clone()];
        if path.is_dir() {
            let entries = fs::read_dir(path)
                .map_err(fault)?
                .filter_map(Result::ok)
                .map(|it| it.path());
            found = entries
                .filter(|it| it.extension().is_some_and(|it| it == "toml"))
                .collect();
            found.sort();
            if found.is_empty() {
                return Err(Fault::new(format!(
                    "{}: no .toml file lies in this folder",
                    path.display()
                ))
                .hint("nothing was scanned; name a rule file or a folder of them"));
            }
        }
        for path in found {
            let text = fs::read_to_string(&path).map_err(fault)?;
            files.push(RuleFile {
                name: path.display().to_string(),
                text,
            });
        }
    }
    Ok(files)
}

/// Where the inventory and its key are, and whether somebody said so.
#[derive(Debug)]
pub(super) struct Whereabouts {
    pub(super) inventory: PathBuf,
    pub(super) key_file: PathBuf,
    is_key_named: bool,
}

/// Flag, then environment, then the user's folders.
pub(super) fn whereabouts(
    args: &StoreArgs,
    environment: &Environment,
) -> Result<Whereabouts, Fault> {
    let homeless = |flag: &str| {
        Fault::new(
            "neither HOME nor XDG_DATA_HOME is set, so there is no default place for the inventory",
        )
        .hint(format!("name it with {flag}"))
    };
    let named = |flag: &Option<PathBuf>, variable: &Option<PathBuf>| {
        flag.clone().or_else(|| variable.clone())
    };
    let inventory =
        named(&args.inventory, &environment.inventory).or_else(|| environment.default_inventory());
    let key = named(&args.key_file, &environment.key_file);
    Ok(Whereabouts {
        inventory: inventory.ok_or_else(|| homeless("--inventory"))?,
        is_key_named: key.is_some(),
        key_file: key
            .or_else(|| environment.default_key_file())
            .ok_or_else(|| homeless("--key-file"))?,
    })
}

/// Opens an inventory, with its key if that is at hand.
pub(super) fn open(whereabouts: &Whereabouts) -> Result<Store, Fault> {
    let has_key = whereabouts.is_key_named || whereabouts.key_file.exists();
    Ok(Store::open(
        &whereabouts.inventory,
        has_key.then_some(whereabouts.key_file.as_path()),
    )?)
}

/// The inventory to hold findings against. One that a flag names must exist; a variable may name one
/// that is still to be made.
fn store(args: &StoreArgs, environment: &Environment) -> Result<Option<(Store, PathBuf)>, Fault> {
    let is_named = args.inventory.is_some() || environment.inventory.is_some();
    let has_default = environment
        .default_inventory()
        .is_some_and(|it| it.exists());
    if !is_named && !has_default {
        return Ok(None);
    }
    let whereabouts = whereabouts(args, environment)?;
    if args.inventory.is_none() && !whereabouts.inventory.exists() {
        note(&format!(
            "{}: KEYATLAS_INVENTORY names an inventory that does not exist; going on without",
            whereabouts.inventory.display()
        ));
        return Ok(None);
    }
    let store = open(&whereabouts)?;
    if store.fingerprinter().is_none() {
        note(&format!(
            "{}: the inventory's key is not there; its secrets are known by name only",
            whereabouts.key_file.display()
        ));
    }
    Ok(Some((store, whereabouts.inventory)))
}

/// Beside the inventory in use, else where that would be.
fn cache(
    request: &Request<'_>,
    inventory: Option<&Path>,
    environment: &Environment,
) -> Option<PathBuf> {
    let is_wanted = matches!(request.mode, Mode::History) && !request.read.no_cache;
    let default = environment.default_inventory();
    let inventory = inventory.or(default.as_deref()).filter(|_| is_wanted)?;
    Some(inventory.with_file_name(ledger::FILE))
}

fn home(roots: &[PathBuf], environment: &Environment) -> PathBuf {
    let first = roots.first().unwrap_or(&environment.folder);
    let folder = if first.is_file() {
        first.parent().filter(|it| !it.as_os_str().is_empty())
    } else {
        Some(first.as_path())
    };
    // A git folder (`GIT_DIR`) is no place for a waiver file: git runs hooks at the top of the work tree.
    let is_git_folder = environment.git_dir.as_ref() == Some(first);
    let folder = if is_git_folder {
        environment.folder.as_path()
    } else {
        folder.unwrap_or(Path::new("."))
    };
    repository_root(folder).unwrap_or_else(|| folder.to_path_buf())
}

fn reading(
    request: Request<'_>,
    settings: &Settings,
    environment: &Environment,
    store: Option<&Store>,
) -> scan::Options {
    let read = request.read;
    let is_staged = matches!(request.mode, Mode::Staged);
    scan::Options {
        roots: request.roots,
        mode: request.mode,
        within: request.within,
        jobs: read
            .jobs
            .map(usize::from)
            .or(settings.jobs)
            .unwrap_or(environment.processors),
        max_size: read.max_size.or(settings.max_size).unwrap_or(MAX_SIZE),
        max_depth: read
            .max_depth
            .map(usize::from)
            .or(settings.max_depth)
            .unwrap_or(MAX_DEPTH),
        no_ignore: read.no_ignore,
        exclude: settings.exclude.clone(),
        min_confidence: read
            .min_confidence
            .or(settings.min_confidence)
            .unwrap_or(Confidence::Medium),
        references: settings.references.unwrap_or(true),
        // Judgements over an estate go by them, and so do the map and plans.
        estate: request.scope == Scope::Estate,
        salt: None,
        fingerprinter: store.and_then(Store::fingerprinter),
        known: None,
        ground: Ground::WorkTree,
        index_file: environment.git_index_file.clone().filter(|_| is_staged),
        objects: environment.git_objects.clone(),
        whole_blobs: read.whole_blobs,
        shelf: None,
        progress: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(read: &ReadArgs, fail_on: Option<Level>, settings: &str) -> (scan::Options, Level) {
        let settings = settings::parse("keyatlas.toml", settings).unwrap();
        let environment = Environment {
            processors: 5,
            ..Environment::default()
        };
        let request = Request {
            read,
            rules: &RuleArgs::default(),
            store: &StoreArgs::default(),
            fail_on,
            roots: Vec::new(),
            mode: Mode::Tree,
            within: Within::everything(),
            scope: Scope::Folder,
            ground: Ground::WorkTree,
        };
        let level = request
            .fail_on
            .or(settings.fail_on)
            .unwrap_or(Level::Warning);
        (reading(request, &settings, &environment, None), level)
    }

    #[test]
    fn flags_weigh_more_than_the_file_and_the_file_more_than_defaults() {
        let flags = ReadArgs {
            jobs: Some(3),
            max_size: Some(10),
            max_depth: Some(0),
            min_confidence: Some(Confidence::Low),
            ..ReadArgs::default()
        };
        let file = "jobs = 2\nmax-size = '1K'\nmax-depth = 1\nmin-confidence = 'high'\nfail-on = 'error'\n";
        for (read, file, expected) in [
            (
                &ReadArgs::default(),
                "",
                (5, MAX_SIZE, 4, Confidence::Medium),
            ),
            (&ReadArgs::default(), file, (2, 1024, 1, Confidence::High)),
            (&flags, file, (3, 10, 0, Confidence::Low)),
            (&flags, "", (3, 10, 0, Confidence::Low)),
        ] {
            let (scan, _) = planned(read, None, file);
            assert_eq!(
                (
                    scan.jobs,
                    scan.max_size,
                    scan.max_depth,
                    scan.min_confidence
                ),
                expected,
                "{file}"
            );
        }
        assert_eq!(planned(&flags, Some(Level::Note), file).1, Level::Note);
        assert_eq!(planned(&flags, None, file).1, Level::Error);
    }

    #[test]
    fn the_inventory_of_a_flag_comes_first() {
        let environment = Environment {
            inventory: Some("from-variable".into()),
            data: Some("/data".into()),
            settings: Some("/settings".into()),
            ..Environment::default()
        };
        let flag = StoreArgs {
            inventory: Some("from-flag".into()),
            key_file: None,
        };
        let found = whereabouts(&flag, &environment).unwrap();
        assert_eq!(found.inventory, Path::new("from-flag"));
        assert_eq!(found.key_file, Path::new("/settings/keyatlas/key"));
        assert_eq!(
            whereabouts(&StoreArgs::default(), &environment)
                .unwrap()
                .inventory,
            Path::new("from-variable")
        );
        assert!(whereabouts(&StoreArgs::default(), &Environment::default()).is_err());
    }

    #[test]
    fn the_index_file_of_a_hook_concerns_the_index_only() {
        let environment = Environment {
            git_index_file: Some("index.lock".into()),
            ..Environment::default()
        };
        for (mode, expected) in [(Mode::Staged, true), (Mode::Tree, false)] {
            let request = Request {
                read: &ReadArgs::default(),
                rules: &RuleArgs::default(),
                store: &StoreArgs::default(),
                fail_on: None,
                roots: Vec::new(),
                mode,
                within: Within::everything(),
                scope: Scope::Change,
                ground: Ground::WorkTree,
            };
            let options = reading(request, &Settings::default(), &environment, None);
            assert_eq!(options.index_file.is_some(), expected);
        }
    }
}
