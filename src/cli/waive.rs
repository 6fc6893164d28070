//! `keyatlas waive` and `keyatlas baseline`, and the waiver file on disk.
//!
//! What a waiver accepts is decided in `assess`; here lies only where the file is, and what is typed.

use super::args::{
    BaselineArgs, ReadArgs, RuleArgs, Speech, StoreArgs, WaiveArgs, WaiveCommand, WaiverArgs,
};
use super::clock;
use super::environment::{self, Environment};
use super::exit::Exit;
use super::message::{Fault, note, safe};
use super::output;
use super::plan::{self, Plan, Request};
use super::road::{self, Values};
use crate::assess::Scope;
use crate::assess::waive::{FILE, Names, UNAUDITED, Waiver, Waivers, base_id};
use crate::model::finding::Finding;
use crate::scan::{Ground, Mode, Within};
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Days that a baseline holds.
const BASELINE_DAYS: i64 = 90;

/// Reads the waiver file of a folder; an absent file waives nothing.
pub(super) fn read(home: &Path) -> Result<Waivers, Fault> {
    let path = home.join(FILE);
    match fs::read_to_string(&path) {
        Ok(text) => Waivers::parse(&text).map_err(|it| Fault::from(it).within(&path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Waivers::default()),
        Err(error) => Err(Fault::at(&path, &error)),
    }
}

/// The waivers that a plan is held to.
pub(super) fn of(plan: &Plan) -> Result<Waivers, Fault> {
    match &plan.base {
        Some(base) => base.waivers(),
        None => read(&plan.home),
    }
}

/// Writes the whole file or nothing of it.
fn save(home: &Path, waivers: &Waivers) -> Result<(), Fault> {
    let path = home.join(FILE);
    let fresh = home.join(format!("{FILE}.{}", std::process::id()));
    let written = fs::write(&fresh, waivers.render()).and_then(|()| fs::rename(&fresh, &path));
    written.map_err(|error| {
        let _gone = fs::remove_file(&fresh);
        Fault::at(&path, &error)
    })
}

/// The waivers, with a salt: the first waiver makes one.
fn salted(home: &Path) -> Result<Waivers, Fault> {
    let waivers = read(home)?;
    if waivers.salt().is_some() || waivers.entries().next().is_some() {
        return Ok(waivers);
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt)
        .map_err(|it| Fault::new(format!("the system gave no random bytes: {it}")))?;
    Ok(Waivers::new(&salt))
}

/// Refuses an end that is past already.
fn in_future(until: &str) -> Result<(), Fault> {
    if until < clock::today().as_str() {
        return Err(
            Fault::new(format!("{until} is past, so this would accept nothing"))
                .hint("name a day to come"),
        );
    }
    Ok(())
}

fn stated(reason: &str) -> Result<(), Fault> {
    if reason.trim().is_empty() {
        return Err(Fault::new("a waiver needs a reason")
            .hint("say in a few words why it is no danger: --reason TEXT"));
    }
    Ok(())
}

/// A plan for looking at what is there, under the user's settings.
pub(super) fn looking(
    roots: Vec<PathBuf>,
    mode: Mode,
    rules: &RuleArgs,
    environment: &Environment,
) -> Result<Plan, Fault> {
    let scope = if matches!(mode, Mode::Staged) {
        Scope::Change
    } else {
        Scope::Folder
    };
    let request = Request {
        read: &ReadArgs {
            min_confidence: crate::model::level::Confidence::from_name("low"),
            ..ReadArgs::default()
        },
        rules,
        store: &StoreArgs::default(),
        fail_on: None,
        roots,
        mode,
        within: Within::everything(),
        scope,
        ground: Ground::WorkTree,
    };
    plan::plan(request, environment)
}

fn findings(plan: &Plan, waivers: &Waivers, speech: &Speech) -> Result<Vec<Finding>, Fault> {
    Ok(road::judged(plan, waivers, speech, Values::Masked)?
        .report
        .findings)
}

/// Accepts what is there.
pub(super) fn baseline(
    args: &BaselineArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let until = args
        .until
        .clone()
        .unwrap_or_else(|| clock::in_days(BASELINE_DAYS));
    in_future(&until)?;
    stated(&args.reason)?;
    let request = Request {
        read: &args.read,
        rules: &args.rules,
        store: &args.store,
        fail_on: None,
        roots: if args.paths.is_empty() {
            vec![PathBuf::from(".")]
        } else {
            args.paths.clone()
        },
        mode: if args.history {
            Mode::History
        } else {
            Mode::Tree
        },
        within: Within::everything(),
        scope: Scope::Folder,
        ground: Ground::WorkTree,
    };
    let plan = plan::plan(request, environment)?;
    if plan.base.is_some() {
        return Err(Fault::new(format!(
            "{}: a bare repository has no work tree to keep {FILE} in",
            plan.home.display()
        ))
        .hint("write it in a clone, and push it"));
    }
    let mut waivers = salted(&plan.home)?;
    let outcome = road::judged(&plan, &waivers, speech, Values::Masked)?;
    let count = waivers.baseline(
        &outcome.report.findings,
        &args.reason,
        args.owner.as_deref(),
        &until,
    )?;
    let path = plan.home.join(FILE);
    if count == 0 {
        output::stdout(|out| {
            writeln!(
                out,
                "nothing new to accept; {} is as it was",
                path.display()
            )
        })?;
    } else {
        save(&plan.home, &waivers)?;
        let audit = if args.owner.is_none() {
            format!(", marked {UNAUDITED}")
        } else {
            String::new()
        };
        output::stdout(|out| {
            writeln!(
                out,
                "{count} accepted until {until}{audit}: {}",
                path.display()
            )
        })?;
    }
    if outcome.report.coverage.is_complete() {
        Ok(Exit::Clean)
    } else {
        Ok(Exit::Incomplete)
    }
}

/// Accepts one occurrence, or looks after those accepted.
pub(super) fn waive(
    args: &WaiveArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let home =
        plan::repository_root(&environment.folder).unwrap_or_else(|| environment.folder.clone());
    match (&args.command, &args.waiver) {
        (Some(WaiveCommand::List), _) => list(&home),
        (Some(WaiveCommand::Prune), _) => prune(&home, speech, environment),
        (None, Some(waiver)) => one(&home, waiver, speech, environment),
        (None, None) => Err(Fault::new("there is no occurrence to accept")
            .hint("keyatlas waive OCCURRENCE --until DATE --reason TEXT")),
    }
}

fn one(
    home: &Path,
    args: &WaiverArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let base = base_id(&args.occurrence);
    if !base.starts_with("ko1:") {
        return Err(
            Fault::new(format!("`{}` is no occurrence", args.occurrence))
                .hint("reports name it: ko1: and hexadecimal digits"),
        );
    }
    in_future(&args.until)?;
    stated(&args.reason)?;
    let owner = match args
        .owner
        .clone()
        .or_else(|| git_user(home))
        .or_else(environment::user)
    {
        Some(owner) => owner,
        None => {
            return Err(Fault::new("a waiver needs someone who answers for it").hint("--owner WHO"));
        }
    };
    let places = Places::of(home, base, speech, environment)?;
    let mut waivers = places.waivers;
    let occurrence = places.occurrence;
    let before = waivers.add(Waiver {
        occurrence: occurrence.clone(),
        count: args
            .count
            .unwrap_or_else(|| u32::try_from(places.paths.len()).unwrap_or(u32::MAX).max(1)),
        until: args.until.clone(),
        owner,
        reason: args.reason.clone(),
        paths: places.paths,
    })?;
    save(home, &waivers)?;
    let verb = if before.is_some() {
        "accepted anew"
    } else {
        "accepted"
    };
    output::stdout(|out| {
        writeln!(
            out,
            "{occurrence} {verb} until {}: {}",
            args.until,
            home.join(FILE).display()
        )
    })?;
    Ok(Exit::Clean)
}

/// Where an occurrence lies now, and the name it goes by in the waiver file.
struct Places {
    waivers: Waivers,
    occurrence: String,
    paths: Vec<String>,
}

impl Places {
    /// The first waiver makes the salt, and the salt makes every occurrence anew: so it is looked up
    /// under the name it has and accepted under the name it will have.
    fn of(
        home: &Path,
        base: &str,
        speech: &Speech,
        environment: &Environment,
    ) -> Result<Self, Fault> {
        let waivers = salted(home)?;
        let known = read(home)?;
        let is_first = known.salt() != waivers.salt();
        for mode in [Mode::Staged, Mode::Tree, Mode::History] {
            let needs_repository = !matches!(mode, Mode::Tree);
            if needs_repository && !home.join(".git").exists() {
                continue;
            }
            let plan = looking(
                vec![home.to_path_buf()],
                mode,
                &RuleArgs::default(),
                environment,
            )?;
            let all = findings(&plan, &known, speech)?;
            let names = Names::of(&all);
            let here: Vec<Finding> = all
                .into_iter()
                .filter(|it| it.occurrence.base == base)
                .collect();
            let Some(first) = here.first() else { continue };
            let occurrence = match is_first {
                false => base.to_owned(),
                true => renamed(&findings(&plan, &waivers, speech)?, first)?,
            };
            let paths = here.iter().map(|it| names.hint(&it.path)).collect();
            return Ok(Self {
                waivers,
                occurrence,
                paths,
            });
        }
        if is_first {
            return Err(
                Fault::new(format!("{base}: nothing here goes by this name"))
                    .hint("run `keyatlas scan` here and take the name from its report"),
            );
        }
        note(&format!(
            "{base}: nothing here goes by this name now; it is accepted wherever it turns up"
        ));
        Ok(Self {
            waivers,
            occurrence: base.to_owned(),
            paths: Vec::new(),
        })
    }
}

/// The new name of a finding: the one with the same value at the same place.
fn renamed(findings: &[Finding], before: &Finding) -> Result<String, Fault> {
    let same = |it: &&Finding| {
        it.path == before.path
            && it.place == before.place
            && it.rule == before.rule
            && it.container == before.container
            && it.secret.expose() == before.secret.expose()
    };
    let found = findings
        .iter()
        .find(same)
        .map(|it| it.occurrence.base.clone());
    found.ok_or_else(|| {
        Fault::new(format!("{}: the file changed meanwhile", before.path)).hint("try again")
    })
}

fn git_user(home: &Path) -> Option<String> {
    let config = git2::Repository::discover(home)
        .and_then(|it| it.config())
        .or_else(|_| git2::Config::open_default())
        .ok()?;
    config
        .get_string("user.name")
        .ok()
        .filter(|it| !it.trim().is_empty())
}

fn list(home: &Path) -> Result<Exit, Fault> {
    let (waivers, today) = (read(home)?, clock::today());
    if waivers.entries().next().is_none() {
        output::stdout(|out| writeln!(out, "no waivers in {}", home.join(FILE).display()))?;
        return Ok(Exit::Clean);
    }
    output::stdout(|out| {
        waivers.entries().try_for_each(|it| {
            let state = match (it.is_in_force(&today), it.is_unaudited()) {
                (false, _) => "ended",
                (true, true) => UNAUDITED,
                (true, false) => "in force",
            };
            let (owner, reason) = (safe(&it.owner), safe(&it.reason));
            writeln!(
                out,
                "{}  {state}, until {}, {} place(s), {owner}: {reason}",
                it.occurrence, it.until, it.count
            )?;
            it.paths
                .iter()
                .try_for_each(|path| writeln!(out, "  {}", safe(path)))
        })
    })?;
    Ok(Exit::Clean)
}

fn prune(home: &Path, speech: &Speech, environment: &Environment) -> Result<Exit, Fault> {
    let mut waivers = read(home)?;
    let mode = if home.join(".git").exists() {
        Mode::History
    } else {
        Mode::Tree
    };
    let plan = looking(
        vec![home.to_path_buf()],
        mode,
        &RuleArgs::default(),
        environment,
    )?;
    let outcome = road::judged(&plan, &waivers, speech, Values::Masked)?;
    if !outcome.report.coverage.is_complete() {
        return Err(Fault::new(
            "not everything could be read, so nobody knows which waivers are needed no more",
        )
        .hint("`keyatlas scan --history` says what could not be read; nothing was removed"));
    }
    let live: BTreeSet<String> = outcome
        .report
        .findings
        .iter()
        .map(|it| it.occurrence.base.clone())
        .collect();
    let gone = waivers.prune(&clock::today(), &live);
    if !gone.is_empty() {
        save(home, &waivers)?;
    }
    output::stdout(|out| {
        gone.iter()
            .try_for_each(|it| writeln!(out, "{}  {}", it.occurrence, safe(&it.reason)))?;
        writeln!(out, "{} removed", gone.len())
    })?;
    Ok(Exit::Clean)
}
