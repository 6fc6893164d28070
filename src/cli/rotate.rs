//! `keyatlas rotate`: the plan for changing secrets, and the proof that an old value is gone. It changes
//! nothing.

use super::args::{Listing, Speech};
use super::environment::Environment;
use super::exit::Exit;
use super::inventory;
use super::known;
use super::map_args::RotateArgs;
use super::message::{Fault, safe};
use super::output;
use super::plan::{self, Plan, Request};
use super::road::{self, Values};
use super::subject;
use super::waive;
use crate::assess::Scope;
use crate::assess::rotation;
use crate::detect::{Detector, Scratch, Texture};
use crate::inventory::Store;
use crate::model::map::Subject;
use crate::model::people::People;
use crate::model::record::Record;
use crate::model::report::Report;
use crate::model::rotation::Rotation;
use crate::report::{self, Rotations, Stray};
use crate::scan::{Ground, Mode, Within};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// What the plans are for.
enum Asked {
    Names(Vec<String>),
    /// A value, and its fingerprint.
    Value(Zeroizing<Vec<u8>>, Subject),
    /// Somebody, and who is who.
    Leaver(String, People),
}

/// Tells what changing secrets takes.
pub(super) fn rotate(
    args: &RotateArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let mut plan = plan::plan(request(args), environment)?;
    let Some(store) = &plan.store else {
        return Err(
            Fault::new("a plan needs an inventory: it is made from its records")
                .hint("keyatlas inventory init, then keyatlas inventory import KIND FILE"),
        );
    };
    if args.check && store.fingerprinter().is_none() {
        return Err(
            Fault::new("the inventory's key is not there, so nothing can be proven gone")
                .hint("name it with --key-file"),
        );
    }
    let asked = asked(args, store)?;
    if let Asked::Value(value, _) = &asked {
        plan.scan.known = known::values_and(store, value)?;
    }
    let waivers = waive::of(&plan)?;
    let report = road::judged(&plan, &waivers, speech, Values::Masked)?.report;
    let is_json = args.listing.format == Listing::Json;
    if args.check {
        return check(args, &asked, &report, is_json);
    }
    let again = again(args);
    let rotations = Rotations {
        plans: plans(&asked, &report, args),
        stray: stray(&asked, &report, &plan),
        is_ranked: matches!(asked, Asked::Leaver(..)),
        again: &again,
    };
    if is_json {
        output::document(|out| report::write_rotations(true, out, &report, &rotations))?;
    } else if let (Asked::Leaver(who, _), true) = (&asked, rotations.plans.is_empty()) {
        output::stdout(|out| writeln!(out, "nothing here ties `{}` to a record", safe(who)))?;
    } else {
        output::stdout(|out| report::write_rotations(false, out, &report, &rotations))?;
    }
    Ok(if report.coverage.is_complete() {
        Exit::Clean
    } else {
        Exit::Incomplete
    })
}

fn request(args: &RotateArgs) -> Request<'_> {
    let roots = match args.paths.is_empty() {
        true => vec![PathBuf::from(".")],
        false => args.paths.clone(),
    };
    // What was removed is still in history, and that is where an old value is looked for first.
    let has_repositories = roots.iter().all(|it| is_repository(it));
    let mode = match has_repositories && !args.no_history {
        true => Mode::History,
        false => Mode::Tree,
    };
    Request {
        read: &args.read,
        rules: &args.rules,
        store: &args.store,
        fail_on: None,
        roots,
        mode,
        within: Within::everything(),
        scope: Scope::Estate,
        ground: Ground::WorkTree,
    }
}

/// Whether a path lies in a repository, or is a folder that holds some.
fn is_repository(path: &Path) -> bool {
    let has = |folder: &Path| folder.join(".git").exists() || folder.join("HEAD").is_file();
    let below = || fs::read_dir(path).into_iter().flatten().flatten();
    plan::repository_root(path).is_some() || has(path) || below().any(|it| has(&it.path()))
}

fn asked(args: &RotateArgs, store: &Store) -> Result<Asked, Fault> {
    if let Some(who) = &args.leaver {
        return Ok(Asked::Leaver(who.clone(), store.inventory()?.people));
    }
    if args.leaked {
        let (value, print) = subject::typed(store)?;
        return Ok(Asked::Value(value, Subject::Value(print)));
    }
    let records = store.inventory()?.records;
    let names = match (&args.from_list, &args.name) {
        (Some(file), _) => listed(file)?,
        (None, name) => name.iter().cloned().collect(),
    };
    let mut found: Vec<String> = Vec::new();
    for name in names {
        for name in matching(&name, &records)? {
            if !found.contains(&name) {
                found.push(name);
            }
        }
    }
    Ok(Asked::Names(found))
}

/// The record of this name; else all keys of this object.
fn matching(name: &str, records: &[Record]) -> Result<Vec<String>, Fault> {
    let is_exact = |it: &&Record| it.name == name || it.secret.to_string() == name;
    let is_key = |it: &&Record| {
        it.name
            .strip_prefix(name)
            .is_some_and(|it| it.starts_with('#'))
    };
    let names = |found: Vec<&Record>| found.into_iter().map(|it| it.name.clone()).collect();
    let exact: Vec<&Record> = records.iter().filter(is_exact).collect();
    if !exact.is_empty() {
        return Ok(names(exact));
    }
    let keys: Vec<&Record> = records.iter().filter(is_key).collect();
    match keys.is_empty() {
        true => Err(inventory::no_such_record(name, records)),
        false => Ok(names(keys)),
    }
}

/// Names of records, one a line; `#` begins a comment at the start of a line.
fn listed(file: &Path) -> Result<Vec<String>, Fault> {
    let text = fs::read_to_string(file).map_err(|it| Fault::at(file, &it))?;
    let lines = text.lines().map(str::trim);
    let names = lines.filter(|it| !it.is_empty() && !it.starts_with('#'));
    let names: Vec<String> = names.map(str::to_owned).collect();
    match names.is_empty() {
        true => Err(Fault::new(format!("{}: no names in it", file.display()))
            .hint("one name of a record a line")),
        false => Ok(names),
    }
}

fn plans(asked: &Asked, report: &Report, args: &RotateArgs) -> Vec<(Rotation, Vec<&'static str>)> {
    let has_history = matches!(request(args).mode, Mode::History);
    let of = |record: &Record, version| rotation::plan(report, record, version, has_history);
    match asked {
        Asked::Names(names) => names
            .iter()
            .filter_map(|name| report.records.iter().find(|it| it.name == *name))
            .map(|it| (of(it, None), Vec::new()))
            .collect(),
        Asked::Value(_, Subject::Value(print)) => {
            let holders = report.records.iter().filter_map(|record| {
                let mut versions = record.versions.iter().rev();
                let held = versions.find(|it| it.fingerprint == Some(*print))?;
                Some((of(record, Some(held.number)), Vec::new()))
            });
            holders.collect()
        }
        Asked::Value(..) => Vec::new(),
        Asked::Leaver(who, people) => {
            let person = people.find(who);
            let is_known = |name: &str| person.is_some() && people.find(name) == person;
            let teams = person.map_or(&[][..], |it| &it.teams);
            let is_team = |name: &str| teams.iter().any(|it| it.team.eq_ignore_ascii_case(name));
            let is_who = |name: &str| is_person(name, who) || is_known(name);
            let ties = rotation::ties(report, &is_who, &is_team);
            ties.into_iter()
                .map(|(record, ties)| {
                    let why = ties.iter().map(|it| it.name()).collect();
                    (of(record, None), why)
                })
                .collect()
        }
    }
}

/// Whether a name is spelled as somebody's: the whole of it, or its address.
fn is_person(name: &str, who: &str) -> bool {
    let plain = |it: &str| it.trim().trim_start_matches('@').to_lowercase();
    let parts = |it: &str| {
        let (name, address) = it.split_once('<').unwrap_or((it, ""));
        [plain(name), plain(address.trim_end_matches('>'))]
    };
    let own = parts(who);
    parts(name)
        .iter()
        .any(|it| !it.is_empty() && own.contains(it))
}

/// What is known of a value that no record has.
fn stray(asked: &Asked, report: &Report, plan: &Plan) -> Option<Stray> {
    let Asked::Value(value, Subject::Value(print)) = asked else {
        return None;
    };
    let holds = |it: &&Record| it.versions.iter().any(|it| it.fingerprint == Some(*print));
    if report.records.iter().any(|it| holds(&it)) {
        return None;
    }
    let here = report
        .findings
        .iter()
        .filter(|it| it.fingerprint == Some(*print));
    let places = here.map(|it| {
        (
            format!("{}:{}", it.shown_path(), it.place.line),
            it.occurrence.to_string(),
        )
    });
    let detector = Detector::new(Arc::clone(&plan.rules));
    let found = detector.detect(value, Texture::Text, &mut Scratch::default());
    let best = found
        .iter()
        .map(|it| &it.candidate)
        .max_by_key(|it| it.confidence);
    let looks = best.map(|it| {
        let rule = &plan.rules.rules[it.rule];
        (rule.title.clone(), rule.rotation.clone())
    });
    Some(Stray {
        looks,
        places: places.collect(),
    })
}

/// Whether anything is left of values up to a version.
fn check(args: &RotateArgs, asked: &Asked, report: &Report, is_json: bool) -> Result<Exit, Fault> {
    let Asked::Names(names) = asked else {
        return Err(Fault::new("--check is for a record").hint("name it as the plan did"));
    };
    let mut exit = Exit::Clean;
    for name in names {
        let Some(record) = report.records.iter().find(|it| it.name == *name) else {
            return Err(inventory::no_such_record(name, &report.records));
        };
        let after = args.after.unwrap_or_else(|| {
            let mut earlier = record.versions.iter().rev().skip(1);
            earlier.next().map_or(0, |it| it.number)
        });
        let remnants = rotation::remnants(report, record, after);
        if !remnants.is_empty() {
            exit = Exit::Findings;
        }
        output::stdout(|out| report::write_remnants(is_json, out, report, record, &remnants))?;
    }
    match exit {
        Exit::Clean if !report.coverage.is_complete() => Ok(Exit::Incomplete),
        exit => Ok(exit),
    }
}

/// What else stood on the command line and matters afterwards.
fn again(args: &RotateArgs) -> String {
    let paths = args
        .paths
        .iter()
        .map(|it| format!(" --in {}", report::quoted(&safe(&it.display().to_string()))));
    paths.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_known_by_name_and_by_address() {
        for (name, who, expected) in [
            ("Ada Example", "ada example", true),
            ("Ada Example <ada@shop.example>", "ada@shop.example", true),
            ("ada@shop.example", "Ada Example <ada@shop.example>", true),
            ("@ada", "ada", true),
            ("Adam Example", "Ada Example", false),
            ("", "", false),
        ] {
            assert_eq!(is_person(name, who), expected, "{name} {who}");
        }
    }
}
