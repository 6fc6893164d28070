//! `keyatlas explain`: what a rule, a verdict or an occurrence means.
//!
//! An occurrence is told from the JSON report, whether one is named or made here: what it says is a
//! contract, and holds no value.

use super::args::{ExplainArgs, Speech};
use super::environment::Environment;
use super::exit::Exit;
use super::message::{Fault, safe};
use super::output;
use super::plan;
use super::road::{self, Values};
use super::rules::{near, show};
use super::waive;
use crate::model::coverage::Reason;
use crate::model::verdict::VerdictId;
use crate::report::{self, Format};
use crate::scan::Mode;
use crate::source::tree::{self, TreeOptions};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// What every occurrence begins with.
const OCCURRENCE: &str = "ko1:";

/// Explains a rule, a verdict or an occurrence.
pub(super) fn explain(
    args: &ExplainArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let id = match (&args.path, args.id.as_deref()) {
        (Some(it), _) => return path(it, args, speech, environment),
        (None, Some(id)) if id.starts_with(OCCURRENCE) => {
            return occurrence(id, args, speech, environment);
        }
        (None, id) => id.unwrap_or_default(),
    };
    if let Some(verdict) = VerdictId::ALL.iter().find(|it| it.code() == id) {
        output::stdout(|out| write_verdict(out, *verdict))?;
        return Ok(Exit::Clean);
    }
    let rules = plan::rules_in_force(&args.rules, environment)?;
    if rules.get(id).is_some() {
        return show(id, &rules);
    }
    let known = rules
        .rules
        .iter()
        .map(|it| it.id.as_str())
        .chain(VerdictId::ALL.iter().map(|it| it.code()));
    Err(
        Fault::new(format!("`{id}` is no rule, no verdict and no occurrence"))
            .hint(near(id, known)),
    )
}

fn write_verdict(out: &mut dyn Write, it: VerdictId) -> io::Result<()> {
    writeln!(out, "{}\n{}", it.code(), it.help())?;
    writeln!(
        out,
        "  {:<12}{} (level {})",
        "severity",
        it.severity().name(),
        it.severity().level().name()
    )?;
    if let Some(cwe) = it.cwe() {
        writeln!(out, "  {:<12}CWE-{cwe}", "weakness")?;
    }
    if let Some(nhi) = it.nhi() {
        writeln!(
            out,
            "  {:<12}OWASP Non-Human Identities Top 10, {nhi}",
            "risk"
        )?;
    }
    Ok(())
}

/// Whether a scan of this repository or folder reads a path, and what it finds there.
fn path(
    path: &Path,
    args: &ExplainArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    plan::refuse_missing(&[path.to_path_buf()])?;
    let whole = environment.folder.join(path);
    let folder = whole.parent().unwrap_or(&whole);
    let home = plan::repository_root(folder).unwrap_or_else(|| environment.folder.clone());
    let plan = waive::looking(vec![home], Mode::Tree, &args.rules, environment)?;
    let options = TreeOptions {
        roots: plan.scan.roots.clone(),
        jobs: 1,
        max_size: plan.scan.max_size,
        no_ignore: false,
        exclude: plan.scan.exclude.clone(),
    };
    let (name, gap) = tree::left_out(&options, &whole)?;
    if let Some(gap) = gap {
        let next = match gap.reason {
            Reason::Excluded if gap.path.ends_with(".git") => "keyatlas scan --history",
            Reason::Excluded | Reason::IgnoredFolder => "--no-ignore reads it",
            Reason::TooLarge => "--max-size raises the limit",
            _ => "name what it leads to, or give it as standard input",
        };
        output::stdout(|out| {
            writeln!(out, "{}: not read", safe(&name))?;
            writeln!(
                out,
                "  {} ({}): {}",
                safe(&gap.path),
                gap.reason,
                safe(&gap.detail)
            )?;
            writeln!(out, "  next: {next}")
        })?;
        return Ok(Exit::Clean);
    }
    let waivers = waive::of(&plan)?;
    let plan = waive::looking(vec![whole], Mode::Tree, &args.rules, environment)?;
    let report = road::judged(&plan, &waivers, speech, Values::Masked)?.report;
    output::stdout(|out| {
        writeln!(
            out,
            "{}: read, {} found there",
            safe(&name),
            report.findings.len()
        )?;
        report.findings.iter().try_for_each(|it| {
            let waived = if it.waived.is_some() { ", waived" } else { "" };
            writeln!(
                out,
                "  {}:{}:{}  {}  {}{waived}",
                safe(&it.path),
                it.place.line,
                it.place.column,
                it.rule,
                it.occurrence
            )
        })
    })?;
    Ok(Exit::Clean)
}

/// Tells every place of one occurrence, of which the first digits will do.
fn occurrence(
    id: &str,
    args: &ExplainArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Exit, Fault> {
    let found = match &args.report {
        Some(path) => named(&read(path)?, id)?,
        None => scanned(id, args, speech, environment)?,
    };
    let Some((document, base)) = found else {
        let hint = if args.report.is_some() {
            "occurrences are made anew when the waiver file gets its salt; take the name from a newer report"
        } else {
            "it may lie elsewhere: name the report that it stands in with --report FILE"
        };
        return Err(Fault::new(format!("{id}: nothing goes by this name")).hint(hint));
    };
    output::stdout(|out| write_occurrence(out, &document, &base))?;
    Ok(Exit::Clean)
}

/// A JSON report, or the lines of one.
fn read(path: &Path) -> Result<Value, Fault> {
    let text = fs::read_to_string(path)
        .map_err(|it| Fault::at(path, &it).hint("name a report made with --format json=FILE"))?;
    let lines = || -> Option<Value> {
        let findings: Result<Vec<Value>, _> = text.lines().map(serde_json::from_str).collect();
        Some(json!({"findings": findings.ok()?}))
    };
    let whole = serde_json::from_str(&text).ok();
    let is_report = |it: &Value| {
        let findings = list(it, "findings");
        let has_name = |it: &Value| it["occurrence"].is_string();
        it["findings"].is_array() && findings.iter().all(has_name)
    };
    whole
        .filter(is_report)
        .or_else(|| lines().filter(is_report))
        .ok_or_else(|| {
            Fault::new(format!(
                "{}: neither a JSON report nor JSON lines of keyatlas",
                path.display()
            ))
            .hint("make one with --format json=FILE")
        })
}

/// What lies here now: files first, then what is staged, then history.
fn scanned(
    id: &str,
    args: &ExplainArgs,
    speech: &Speech,
    environment: &Environment,
) -> Result<Option<(Value, String)>, Fault> {
    let home =
        plan::repository_root(&environment.folder).unwrap_or_else(|| environment.folder.clone());
    let waivers = waive::read(&home)?;
    for mode in [Mode::Tree, Mode::Staged, Mode::History] {
        if !matches!(mode, Mode::Tree) && !home.join(".git").exists() {
            continue;
        }
        let plan = waive::looking(vec![home.clone()], mode, &args.rules, environment)?;
        let report = road::judged(&plan, &waivers, speech, Values::Masked)?.report;
        let mut bytes = Vec::new();
        let fault = |it: String| Fault::new(format!("the report cannot be made: {it}"));
        report::write(Format::Json, &mut bytes, &report).map_err(|it| fault(it.to_string()))?;
        let document = serde_json::from_slice(&bytes).map_err(|it| fault(it.to_string()))?;
        let found = named(&document, id)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The document, if one occurrence of it begins with these digits.
fn named(document: &Value, prefix: &str) -> Result<Option<(Value, String)>, Fault> {
    let (prefix, _) = prefix.split_once('.').unwrap_or((prefix, ""));
    let bases: BTreeSet<&str> = list(document, "findings")
        .iter()
        .map(base)
        .filter(|it| it.starts_with(prefix))
        .collect();
    let mut bases = bases.into_iter();
    match (bases.next(), bases.next()) {
        (Some(one), Some(other)) => Err(Fault::new(format!(
            "{prefix}: several occurrences begin so: {one}, {other}{}",
            if bases.next().is_some() { ", ..." } else { "" }
        ))
        .hint("write more of its digits")),
        (Some(one), None) => Ok(Some((document.clone(), one.to_owned()))),
        (None, _) => Ok(None),
    }
}

/// The name without the ordinal.
fn base(finding: &Value) -> &str {
    let whole = finding["occurrence"].as_str().unwrap_or_default();
    whole.split_once('.').map_or(whole, |(base, _)| base)
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

fn write_occurrence(out: &mut dyn Write, document: &Value, name: &str) -> io::Result<()> {
    let findings: Vec<&Value> = list(document, "findings")
        .iter()
        .filter(|it| base(it) == name)
        .collect();
    let text = |value: &Value| safe(value.as_str().unwrap_or("-"));
    for (at, it) in findings.iter().enumerate() {
        if at == 0 {
            writeln!(out, "{name}")?;
            writeln!(
                out,
                "{}[{}] {}  {}",
                text(&it["level"]),
                text(&it["rule"]),
                text(&it["title"]),
                text(&it["secret"])
            )?;
        }
        write_place(out, it)?;
    }
    for it in list(document, "verdicts") {
        let rests = |evidence: &Value| base(&json!({"occurrence": evidence})) == name;
        if list(it, "evidence").iter().any(rests) {
            writeln!(out, "  {}: {}", text(&it["id"]), text(&it["message"]))?;
            writeln!(out, "  next: {}", text(&it["next"]))?;
        }
    }
    if let Some(first) = findings.first() {
        writeln!(out, "more: keyatlas explain {}", text(&first["rule"]))?;
    }
    Ok(())
}

/// Who took it away, if it is nowhere now.
fn gone(origins: &[Value]) -> String {
    let mut removed = origins
        .iter()
        .filter_map(|it| it["removed"]["commit"].as_str());
    match removed.next() {
        Some(commit) if origins.iter().all(|it| it["removed"].is_object()) => {
            format!(", gone in {}", safe(commit.get(..8).unwrap_or(commit)))
        }
        _ => String::new(),
    }
}

/// One place: where it is, since when, whose it is, and whether somebody accepted it.
fn write_place(out: &mut dyn Write, finding: &Value) -> io::Result<()> {
    let text = |value: &Value| safe(value.as_str().unwrap_or("-"));
    let origins = list(finding, "origins");
    let repository = origins.first().and_then(|it| it["repository"].as_str());
    let path = crate::model::origin::shown(repository, &text(&finding["path"]));
    let key = finding["key"].as_str().map(|it| format!("  {}", safe(it)));
    writeln!(
        out,
        "  {}:{}:{}{}",
        safe(&path),
        finding["line"],
        finding["column"],
        key.unwrap_or_default()
    )?;
    if let Some(it) = origins.iter().find(|it| it["commit"].is_string()) {
        let (date, commit) = (text(&it["date"]), text(&it["commit"]));
        writeln!(
            out,
            "    since {} by {} (commit {}){}",
            date.get(..10).unwrap_or(&date),
            text(&it["author"]),
            commit.get(..8).unwrap_or(&commit),
            gone(origins)
        )?;
    }
    if !origins.is_empty() && origins.iter().all(|it| it["reachable"] == false) {
        writeln!(out, "    no ref reaches it")?;
    }
    let managed = &finding["managed"];
    if managed["record"].is_string() {
        let age = if managed["current"] == true {
            "current"
        } else {
            "earlier"
        };
        writeln!(
            out,
            "    record {} ({age} version {})",
            text(&managed["record"]),
            managed["version"]
        )?;
    }
    let waived = &finding["waived"];
    if waived["until"].is_string() {
        writeln!(
            out,
            "    waived until {} by {}: {}",
            text(&waived["until"]),
            text(&waived["owner"]),
            text(&waived["reason"])
        )?;
    }
    Ok(())
}
