//! Earlier states: `--baseline FILE` marks what an earlier report had; `keyatlas baseline` accepts what is
//! there as waivers; `keyatlas waive` accepts one occurrence.

use super::args::{BaselineArgs, Common, WaiveArgs, WaiveCommand};
use super::exit::Exit;
use super::message::Fault;
use super::run::{self, WAIVERS};
use super::{default_common, plan};
use crate::assess::Scope;
use crate::assess::waive::{Entry, UNAUDITED, Waivers, is_date};
use crate::model::finding::Finding;
use crate::scan::Mode;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Marks each finding as known or new against an earlier JSON or SARIF report.
pub(super) fn mark(findings: &mut [Finding], path: &Path) -> Result<(), Fault> {
    let text = fs::read(path).map_err(|it| Fault::new(format!("{}: {it}", path.display())))?;
    let document: Value = serde_json::from_slice(&text)
        .map_err(|it| Fault::new(format!("{}: not JSON: {it}", path.display())))?;
    let of = |list: &Value, pointer: &str| -> Option<BTreeSet<String>> {
        Some(
            list.as_array()?
                .iter()
                .filter_map(|it| it.pointer(pointer)?.as_str().map(str::to_owned))
                .collect(),
        )
    };
    let known = document
        .get("findings")
        .and_then(|it| of(it, "/occurrence"))
        .or_else(|| {
            document
                .pointer("/runs/0/results")
                .and_then(|it| of(it, "/partialFingerprints/keyatlas~1occurrence~1v1"))
        })
        .ok_or_else(|| {
            Fault::new(format!(
                "{}: neither a JSON nor a SARIF report of keyatlas",
                path.display()
            ))
        })?;
    for finding in findings {
        finding.in_baseline = Some(known.contains(&finding.occurrence.to_string()));
    }
    Ok(())
}

fn save(home: &Path, waivers: &Waivers) -> Result<(), Fault> {
    let path = home.join(WAIVERS);
    let fresh = home.join(format!("{WAIVERS}.new"));
    let fault = |it: std::io::Error| Fault::new(format!("{}: {it}", path.display()));
    fs::write(&fresh, waivers.render())
        .and_then(|()| fs::rename(&fresh, &path))
        .map_err(fault)
}

/// The waiver file, with a salt if it is to be made.
fn salted(home: &Path) -> Result<Waivers, Fault> {
    if home.join(WAIVERS).exists() {
        return run::waivers(home);
    }
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|it| Fault::new(format!("no random bytes: {it}")))?;
    let waivers = Waivers::with_salt(salt);
    save(home, &waivers)?;
    Ok(waivers)
}

fn date(text: &str) -> Result<(), Fault> {
    if is_date(text) {
        Ok(())
    } else {
        Err(Fault::new(format!("`{text}` is no date")).hint("write YYYY-MM-DD"))
    }
}

fn in_ninety_days() -> String {
    let day = jiff::Timestamp::from_second(run::now() + 90 * 86_400).unwrap_or_default();
    day.strftime("%Y-%m-%d").to_string()
}

/// Accepts everything that is there.
pub(super) fn baseline(args: BaselineArgs) -> Result<Exit, Fault> {
    let until = args.until.unwrap_or_else(in_ninety_days);
    date(&until)?;
    let mode = if args.history {
        Mode::History
    } else {
        Mode::Tree
    };
    let mut plan = plan::merge(&default_common(), args.paths, mode, Scope::Folder)?;
    let mut waivers = salted(&plan.home)?;
    let (report, _) = run::report(
        &mut plan,
        &Common {
            quiet: true,
            ..default_common()
        },
    )?;
    let added = waivers.baseline(
        &report.findings,
        args.owner.as_deref(),
        &args.reason,
        &until,
    );
    save(&plan.home, &waivers)?;
    let audited = if args.owner.is_none() {
        format!("; they are marked {UNAUDITED}")
    } else {
        String::new()
    };
    run::to_stdout(|out| {
        writeln!(
            out,
            "{added} occurrences accepted until {until} in {WAIVERS}{audited}"
        )
    })?;
    Ok(Exit::Clean)
}

/// Accepts one occurrence, or looks after the list.
pub(super) fn waive(args: WaiveArgs) -> Result<Exit, Fault> {
    let home = plan::home(Path::new("."));
    match args.command {
        Some(WaiveCommand::List) => list(&home),
        Some(WaiveCommand::Prune) => prune(&home),
        None => {
            let (occurrence, until) = (
                args.occurrence.unwrap_or_default(),
                args.until.unwrap_or_default(),
            );
            date(&until)?;
            let base = occurrence.split('.').next().unwrap_or_default().to_owned();
            if !base.starts_with("ko1:") {
                return Err(Fault::new(format!("`{occurrence}` is no occurrence id"))
                    .hint("reports show it as ko1:..."));
            }
            let reason = args.reason.unwrap_or_default();
            if reason.trim().is_empty() {
                return Err(Fault::new("a waiver needs a reason"));
            }
            waive_one(&home, base, args.count, until, args.owner, reason)
        }
    }
}

/// The first waiver makes the file and its salt, and a salt changes every id: so the finding is looked
/// up under the id it has now and accepted under the id it will have.
fn waive_one(
    home: &Path,
    base: String,
    count: u32,
    until: String,
    owner: Option<String>,
    reason: String,
) -> Result<Exit, Fault> {
    let scan = || -> Result<Vec<Finding>, Fault> {
        let mut plan = plan::merge(
            &default_common(),
            vec![home.to_path_buf()],
            Mode::Tree,
            Scope::Folder,
        )?;
        let staged = plan::merge(
            &default_common(),
            vec![home.to_path_buf()],
            Mode::Staged,
            Scope::Change,
        );
        let mut findings = run::report(&mut plan, &default_common())?.0.findings;
        if let Some(more) = staged
            .ok()
            .and_then(|mut plan| run::report(&mut plan, &default_common()).ok())
        {
            findings.extend(more.0.findings);
        }
        Ok(findings)
    };
    let is_first = !home.join(WAIVERS).exists();
    let known = if is_first { scan()? } else { Vec::new() };
    let mut waivers = salted(home)?;
    let now = scan()?;
    let same = |it: &&Finding| match known.iter().find(|it| it.occurrence.base == base) {
        Some(old) => it.secret.expose() == old.secret.expose() && it.key == old.key,
        None => it.occurrence.base == base,
    };
    let found: Vec<&Finding> = now.iter().filter(same).collect();
    let occurrence = found
        .first()
        .map_or_else(|| base.clone(), |it| it.occurrence.base.clone());
    let paths: BTreeSet<String> = found.iter().map(|it| it.path.clone()).collect();
    waivers.add(Entry {
        occurrence: occurrence.clone(),
        count,
        until: until.clone(),
        owner: owner
            .unwrap_or_else(|| std::env::var("USER").unwrap_or_else(|_| UNAUDITED.to_owned())),
        reason,
        paths: paths.into_iter().collect(),
    });
    save(home, &waivers)?;
    run::to_stdout(|out| writeln!(out, "{occurrence} accepted until {until} in {WAIVERS}"))?;
    Ok(Exit::Clean)
}

fn list(home: &Path) -> Result<Exit, Fault> {
    let waivers = run::waivers(home)?;
    let today = run::today();
    run::to_stdout(|out| {
        waivers.entries().try_for_each(|it| {
            let state = if it.until < today {
                "ended"
            } else if it.owner == UNAUDITED {
                UNAUDITED
            } else {
                "in force"
            };
            writeln!(
                out,
                "{}  {state}  until {}  {}  {}  {}",
                it.occurrence,
                it.until,
                it.owner,
                it.reason,
                it.paths.join(",")
            )
        })
    })?;
    Ok(Exit::Clean)
}

fn prune(home: &Path) -> Result<Exit, Fault> {
    let mut waivers = run::waivers(home)?;
    let mode = if home.join(".git").exists() {
        Mode::History
    } else {
        Mode::Tree
    };
    let mut plan = plan::merge(
        &default_common(),
        vec![home.to_path_buf()],
        mode,
        Scope::Folder,
    )?;
    let (report, _) = run::report(&mut plan, &default_common())?;
    let live = report
        .findings
        .iter()
        .map(|it| it.occurrence.base.clone())
        .collect();
    let gone = waivers.prune(&run::today(), &live);
    save(home, &waivers)?;
    run::to_stdout(|out| writeln!(out, "{} waivers removed", gone.len()))?;
    Ok(Exit::Clean)
}
