//! `keyatlas rules`: the rules in force, one of them, and the proof of their examples.

use super::args::{Listing, RulesCommand};
use super::environment::Environment;
use super::exit::Exit;
use super::message::{self, Fault, safe};
use super::output;
use super::plan;
use crate::detect::selftest;
use crate::model::part::{Missing, PartRule};
use crate::model::rule::{Rule, RuleSet};
use crate::ruleset;
use crate::settings;
use serde_json::json;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Any seed serves; a fixed one makes a failure repeatable.
const SEED: u64 = 20_260_101;

/// Version of the JSON.
const VERSION: u32 = 1;

/// Runs one of the commands.
pub(super) fn run(command: &RulesCommand, environment: &Environment) -> Result<Exit, Fault> {
    match command {
        RulesCommand::List { listing, rules } => {
            list(&plan::rules_in_force(rules, environment)?, listing.format)
        }
        RulesCommand::Show { id, rules } => show(id, &plan::rules_in_force(rules, environment)?),
        RulesCommand::Test { files } => test(files),
        RulesCommand::Import { file, output } => import(file, output.as_deref()),
    }
}

fn list(rules: &RuleSet, format: Listing) -> Result<Exit, Fault> {
    match format {
        Listing::Human => output::stdout(|out| {
            let width = rules
                .rules
                .iter()
                .map(|it| it.id.chars().count())
                .max()
                .unwrap_or(0);
            rules.rules.iter().try_for_each(|it| {
                writeln!(
                    out,
                    "{:width$}  {:8}  {}",
                    it.id,
                    it.severity.name(),
                    safe(&it.title)
                )
            })
        })?,
        Listing::Json => output::document(|out| {
            let rows = rules.rules.iter().map(|it| {
                json!({"id": it.id, "title": it.title, "provider": it.provider, "kind": it.kind.name(),
                    "severity": it.severity.name(), "confidence": it.confidence.name(), "more": it.why})
            });
            let rows = rows.collect::<Vec<_>>();
            serde_json::to_writer_pretty(
                &mut *out,
                &json!({"version": VERSION, "ruleset": rules.digest, "rules": rows}),
            )?;
            writeln!(out)
        })?,
    }
    Ok(Exit::Clean)
}

pub(super) fn show(id: &str, rules: &RuleSet) -> Result<Exit, Fault> {
    match rules.get(id) {
        Some(rule) => {
            output::stdout(|out| write_rule(out, rule))?;
            Ok(Exit::Clean)
        }
        None => Err(Fault::new(format!("there is no rule `{id}`"))
            .hint(near(id, rules.rules.iter().map(|it| it.id.as_str())))),
    }
}

pub(super) fn near<'a>(id: &str, known: impl Iterator<Item = &'a str>) -> String {
    match settings::nearest(id, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`keyatlas rules list` names the rules".to_owned(),
    }
}

/// Runs rules on their examples: those of the files named, else those that come with the program.
fn test(files: &[PathBuf]) -> Result<Exit, Fault> {
    let own = ruleset::load(&ruleset::Options::default())?;
    let mut rules = own.clone();
    if !files.is_empty() {
        let options = ruleset::Options {
            extra: plan::rule_files(files)?,
            ..ruleset::Options::default()
        };
        rules = ruleset::load(&options)?;
        rules.rules = with_their_parts(rules.rules, &own);
    }
    let is_asked = |it: &Rule| files.is_empty() || own.get(&it.id) != Some(it);
    let count = rules.rules.iter().filter(|it| is_asked(it)).count();
    let faults = selftest::faults_of(&Arc::new(rules), is_asked, SEED);
    output::stdout(|out| {
        faults
            .iter()
            .try_for_each(|it| writeln!(out, "{}", safe(it)))?;
        writeln!(out, "{count} rules, {} faults", faults.len())
    })?;
    Ok(if faults.is_empty() {
        Exit::Clean
    } else {
        Exit::Findings
    })
}

/// Rules that are not our own, and those that find parts of theirs.
fn with_their_parts(rules: Vec<Rule>, own: &RuleSet) -> Vec<Rule> {
    let is_theirs = |it: &&Rule| own.get(&it.id) != Some(it);
    let parts = rules.iter().filter(is_theirs).flat_map(|it| &it.parts);
    let needed: BTreeSet<String> = parts.flat_map(|it| it.rules.clone()).collect();
    let mut rules = rules;
    rules.retain(|it| is_theirs(&it) || needed.contains(&it.id));
    rules
}

/// Writes their rules as ours; what was left behind goes to standard error.
fn import(file: &Path, to: Option<&Path>) -> Result<Exit, Fault> {
    let text = fs::read_to_string(file).map_err(|it| Fault::at(file, &it))?;
    let imported = ruleset::import(&text).map_err(|fault| {
        Fault::new(format!("{}: {fault}", file.display()))
            .hint("`rules import` reads the TOML of gitleaks and betterleaks")
    })?;
    for note in &imported.notes {
        message::note(note);
    }
    message::note(&format!("{} rules carried", imported.count));
    if imported.count == 0 {
        return Err(Fault::new(format!(
            "{}: no rule could be carried",
            file.display()
        )));
    }
    match to {
        Some(path) => fs::write(path, imported.text).map_err(|it| Fault::at(path, &it))?,
        None => output::stdout(|out| out.write_all(imported.text.as_bytes()))?,
    }
    Ok(Exit::Clean)
}

fn write_rule(out: &mut dyn Write, it: &Rule) -> io::Result<()> {
    writeln!(out, "{}\n{}", it.id, safe(&it.title))?;
    for (name, value) in [
        ("provider", it.provider.clone()),
        ("kind", it.kind.name().to_owned()),
        (
            "severity",
            format!(
                "{} (level {})",
                it.severity.name(),
                it.severity.level().name()
            ),
        ),
        ("confidence", it.confidence.name().to_owned()),
        ("keywords", it.keywords.join(", ")),
        ("owners", it.owners.join(", ")),
        ("names", it.names.join(", ")),
        ("values", it.values.join(", ")),
        ("near", it.near.join(", ")),
        ("pattern", it.pattern.clone()),
        ("paths", it.paths.join(", ")),
        ("rotation", it.rotation.clone()),
        ("more", it.why.clone()),
    ] {
        if !value.is_empty() {
            writeln!(out, "  {name:<12}{}", safe(&value))?;
        }
    }
    it.parts.iter().try_for_each(|part| write_part(out, part))
}

/// One part of a rule: what it is, how it is found, and how far off.
fn write_part(out: &mut dyn Write, it: &PartRule) -> io::Result<()> {
    let missing = match it.missing {
        Missing::Nothing => "",
        Missing::Lowers => ", required: else of low confidence",
        Missing::Drops => ", required: else no finding",
    };
    let shown = if it.is_secret { ", masked" } else { "" };
    let shared = if it.is_shared { ", shared" } else { "" };
    let (lines, bytes) = (it.lines, it.bytes);
    writeln!(
        out,
        "  part        {}: within {lines} lines and {bytes} bytes{missing}{shown}{shared}",
        it.name
    )?;
    for (name, value) in [
        ("rules", it.rules.join(", ")),
        ("names", it.names.join(", ")),
        ("values", it.values.join(", ")),
        ("pattern", it.pattern.clone()),
    ] {
        if !value.is_empty() {
            writeln!(out, "    {name:<10}{}", safe(&value))?;
        }
    }
    Ok(())
}
