//! Plans for changing secrets, and what is left of old values, for people or as JSON. Values are hidden here
//! always.

use crate::model::map::Hop;
use crate::model::record::Record;
use crate::model::report::Report;
use crate::model::rotation::{Consumer, Exposure, Pickup, Remnant, Rotation, Shared};
use crate::model::verdict::Verdict;
use crate::report::text::Redactor;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

/// Version of the JSON.
const VERSION: u32 = 1;

/// What was asked, beside the plans.
#[derive(Debug, Default)]
pub struct Rotations<'a> {
    /// One for each record, in the order in which they were asked for or are grave.
    pub plans: Vec<(Rotation, Vec<&'static str>)>,
    /// What a value is that no record has: the rule's title and what its issuer says of changing it.
    pub stray: Option<Stray>,
    /// Whether they are told in a line each, with the reasons.
    pub is_ranked: bool,
    /// The rest of the command line, to be repeated in what is to be run afterwards.
    pub again: &'a str,
}

/// A value that no record has.
#[derive(Debug, Default)]
pub struct Stray {
    /// What it looks like, and what to do about such a thing; `None` if nothing is known.
    pub looks: Option<(String, String)>,
    /// Places where it lies: path and line, and occurrence.
    pub places: Vec<(String, String)>,
}

/// Writes plans.
pub fn write_rotations(
    json: bool,
    out: &mut dyn Write,
    report: &Report,
    all: &Rotations<'_>,
) -> io::Result<()> {
    let text = Redactor::strict(report);
    let mut out = BufWriter::new(out);
    if json {
        let plans = all
            .plans
            .iter()
            .map(|(it, why)| plan(&text, it, why, all.again));
        let document = json!({
            "version": VERSION,
            "plans": plans.collect::<Vec<_>>(),
            "together": together(&text, all),
            "stray": all.stray.as_ref().map(|it| stray(&text, it)),
            "complete": report.coverage.is_complete(),
        });
        serde_json::to_writer(&mut out, &document)?;
        writeln!(out)?;
    } else if all.is_ranked {
        ranked(&mut out, &text, report, all)?;
    } else {
        if let Some(it) = &all.stray {
            tell_stray(&mut out, &text, it)?;
        }
        for (at, (it, why)) in all.plans.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            tell(&mut out, &text, report, it, why, all.again)?;
        }
        tell_together(&mut out, &together(&text, all))?;
    }
    out.flush()
}

/// A line for each record with the reasons, the gravest first, and what is wrong with it.
fn ranked(
    out: &mut dyn Write,
    text: &Redactor,
    report: &Report,
    all: &Rotations<'_>,
) -> io::Result<()> {
    for (at, (plan, why)) in all.plans.iter().enumerate() {
        let of_record = |it: &&Verdict| it.record.as_deref() == Some(plan.record.as_str());
        let verdicts = report.verdicts.iter().filter(|it| !it.waived);
        let mut codes: Vec<&str> = verdicts.filter(of_record).map(|it| it.id.code()).collect();
        codes.dedup();
        let codes = match codes.is_empty() {
            true => String::new(),
            false => format!("  [{}]", codes.join(", ")),
        };
        let (name, why) = (text.clean(&plan.record), why.join(", "));
        writeln!(out, "{:>3}. {name}: {why}{codes}", at + 1)?;
    }
    writeln!(
        out,
        "next: keyatlas rotate NAME{} tells what each takes",
        all.again
    )
}

/// Consumers of several of the records: to be attended to once.
fn together(text: &Redactor, all: &Rotations<'_>) -> BTreeMap<String, Vec<String>> {
    let mut together: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (plan, _) in &all.plans {
        let doing = |it: &&Consumer| !matches!(it.pickup, Pickup::Live | Pickup::Edit);
        for it in plan.consumers.iter().filter(doing) {
            let records = together.entry(named(text, it)).or_default();
            let record = text.clean(&plan.record);
            if !records.contains(&record) {
                records.push(record);
            }
        }
    }
    together.retain(|_, records| records.len() > 1);
    together
}

fn tell_together(out: &mut dyn Write, together: &BTreeMap<String, Vec<String>>) -> io::Result<()> {
    if together.is_empty() {
        return Ok(());
    }
    writeln!(out, "\ndo once, for several of these")?;
    for (name, records) in together {
        writeln!(out, "  {name}: {}", records.join(", "))?;
    }
    Ok(())
}

/// The name of a consumer, with its repository.
fn named(text: &Redactor, it: &Consumer) -> String {
    match it.repository.as_deref().filter(|it| *it != ".") {
        Some(repository) => format!("{} ({})", text.clean(&it.name), text.clean(repository)),
        None => text.clean(&it.name),
    }
}

fn place(text: &Redactor, hop: &Hop) -> String {
    let path = match hop.repository.as_deref().filter(|it| *it != ".") {
        Some(repository) => format!("{repository}/{}", hop.path),
        None => hop.path.clone(),
    };
    format!("{}:{}", text.clean(&path), hop.line.max(1))
}

fn plan(text: &Redactor, it: &Rotation, why: &[&str], again: &str) -> Value {
    let consumer = |it: &Consumer| {
        json!({
            "name": text.clean(&it.name),
            "repository": it.repository.as_deref().map(|it| text.clean(it)),
            "pickup": it.pickup.name(),
            "depth": it.depth,
            "places": it.places.iter().map(|it| place(text, it)).collect::<Vec<_>>(),
        })
    };
    let shared = |it: &Shared| {
        let owners = it.owners.iter().map(|it| text.clean(it));
        json!({"record": text.clean(&it.record), "owners": owners.collect::<Vec<_>>()})
    };
    let tell = it.tell.iter().map(|it| {
        let why = it.why.iter().map(|it| text.clean(it));
        json!({"who": text.clean(&it.who), "why": why.collect::<Vec<_>>()})
    });
    json!({
        "record": text.clean(&it.record),
        "object": text.clean(&it.object),
        "current": it.current,
        "asked": it.asked,
        "why": why,
        "keeps_data": it.keeps_data,
        "tell": tell.collect::<Vec<_>>(),
        "shared": it.shared.iter().map(shared).collect::<Vec<_>>(),
        "consumers": it.consumers.iter().map(consumer).collect::<Vec<_>>(),
        "exposures": it.exposures.iter().map(|it| exposure(text, it)).collect::<Vec<_>>(),
        "unknown": it.unknown.iter().map(|it| text.clean(it)).collect::<Vec<_>>(),
        "check": check(text, it, again),
    })
}

fn exposure(text: &Redactor, it: &Exposure) -> Value {
    json!({
        "place": place(text, &it.hop),
        "rule": text.clean(&it.hop.syntax),
        "version": it.version,
        "current": it.is_current,
        "in_files": it.in_files,
        "in_history": it.in_history,
        "reachable": it.is_reachable,
        "author": it.author.as_deref().map(|it| text.clean(it)),
        "occurrence": it.occurrence,
        "waived": it.is_waived,
    })
}

fn stray(text: &Redactor, it: &Stray) -> Value {
    let places = it
        .places
        .iter()
        .map(|(place, id)| json!({"place": text.clean(place), "occurrence": id}));
    json!({
        "looks_like": it.looks.as_ref().map(|it| text.clean(&it.0)),
        "next": it.looks.as_ref().map(|it| text.clean(&it.1)),
        "places": places.collect::<Vec<_>>(),
    })
}

/// A word of a command line as a shell reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_alphanumeric() || "/#-_.@:".contains(it);
    match word.chars().all(is_plain) && !word.starts_with('#') {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// The command that proves that the old value is gone.
fn check(text: &Redactor, it: &Rotation, again: &str) -> String {
    let name = quoted(&text.clean(&it.record));
    format!(
        "keyatlas rotate {name} --check --after {}{again}",
        it.current.unwrap_or(0)
    )
}

fn tell_stray(out: &mut dyn Write, text: &Redactor, it: &Stray) -> io::Result<()> {
    writeln!(out, "no record of the inventory has this value")?;
    if let Some((title, next)) = &it.looks {
        writeln!(out, "  it looks like: {}", text.clean(title))?;
        writeln!(out, "  next: {}", text.clean(next))?;
    }
    for (place, id) in &it.places {
        writeln!(out, "  lies at {}  {id}", text.clean(place))?;
    }
    if it.places.is_empty() {
        writeln!(out, "  it was not found in what was read")?;
    }
    Ok(())
}

fn tell(
    out: &mut dyn Write,
    text: &Redactor,
    report: &Report,
    it: &Rotation,
    why: &[&str],
    again: &str,
) -> io::Result<()> {
    writeln!(out, "rotate {}", text.clean(&it.record))?;
    head(out, text, report, it, why)?;
    if !it.tell.is_empty() {
        writeln!(out, "\n  tell")?;
    }
    for notice in &it.tell {
        writeln!(
            out,
            "    {}: {}",
            text.clean(&notice.who),
            text.clean(&notice.why.join("; "))
        )?;
    }
    writeln!(out)?;
    steps(out, text, it, again)?;
    if !it.unknown.is_empty() {
        writeln!(out, "\n  not known")?;
    }
    it.unknown
        .iter()
        .try_for_each(|it| writeln!(out, "    {}", text.clean(it)))
}

fn head(
    out: &mut dyn Write,
    text: &Redactor,
    report: &Report,
    it: &Rotation,
    why: &[&str],
) -> io::Result<()> {
    let version = match (it.current, it.asked) {
        (Some(current), Some(asked)) if asked != current => {
            format!("; this is version {asked}, and {current} is current")
        }
        (Some(current), _) => format!("; version {current} is current"),
        (None, _) => String::new(),
    };
    writeln!(out, "  {}{version}", text.clean(&it.object))?;
    if !why.is_empty() {
        writeln!(out, "  why: {}", why.join(", "))?;
    }
    let of_record = |verdict: &&Verdict| {
        verdict.record.as_deref() == Some(it.record.as_str()) && !verdict.waived
    };
    for verdict in report.verdicts.iter().filter(of_record) {
        let (level, code) = (verdict.level().name(), verdict.id.code());
        writeln!(out, "  {level}[{code}] {}", text.clean(&verdict.message))?;
    }
    Ok(())
}

/// The steps, numbered.
fn steps(out: &mut dyn Write, text: &Redactor, it: &Rotation, again: &str) -> io::Result<()> {
    let mut number = 0;
    let mut step = |out: &mut dyn Write, what: &str| {
        number += 1;
        writeln!(out, "  {number}. {what}")
    };
    step(
        out,
        "Issue a new value and store it; the old one stays valid until it is revoked below.",
    )?;
    for other in &it.shared {
        let owners = match other.owners.is_empty() {
            true => String::new(),
            false => format!(" (owner {})", text.clean(&other.owners.join(", "))),
        };
        writeln!(
            out,
            "       same value, changes with it: {}{owners}",
            text.clean(&other.record)
        )?;
    }
    for (pickup, name, advice) in Pickup::ALL {
        let consumers: Vec<_> = it
            .consumers
            .iter()
            .filter(|it| it.pickup == *pickup)
            .collect();
        if consumers.is_empty() {
            continue;
        }
        step(out, &format!("{name}: {advice}."))?;
        for consumer in consumers {
            let places: Vec<String> = consumer.places.iter().map(|it| place(text, it)).collect();
            writeln!(
                out,
                "       {}  {}",
                named(text, consumer),
                places.join(", ")
            )?;
        }
    }
    if it.keeps_data {
        step(
            out,
            "Encrypt anew what it protects, and prove that the copy opens: without the old key the rest is lost.",
        )?;
    }
    step(
        out,
        "Revoke the old value where it was issued. From here on nobody can use it.",
    )?;
    removal(out, text, it, &mut step)?;
    step(
        out,
        "Import the inventory again, then let this prove that the old value is gone:",
    )?;
    writeln!(out, "       {}", check(text, it, again))
}

/// What to take out of files and history.
fn removal(
    out: &mut dyn Write,
    text: &Redactor,
    it: &Rotation,
    step: &mut dyn FnMut(&mut dyn Write, &str) -> io::Result<()>,
) -> io::Result<()> {
    let of = |in_files: bool| {
        it.exposures
            .iter()
            .filter(move |it| it.in_files == in_files)
    };
    if of(true).next().is_some() {
        step(out, "Take the value out of these files.")?;
    }
    for it in of(true) {
        let waived = if it.is_waived { " (waived)" } else { "" };
        writeln!(
            out,
            "       {}  version {}{waived}  {}",
            place(text, &it.hop),
            it.version,
            it.occurrence
        )?;
    }
    if !it.exposures.iter().any(|it| it.in_history) {
        return Ok(());
    }
    step(
        out,
        "History keeps it. Revoked, it does no harm there; to rewrite it (git filter-repo --replace-text), everybody must clone anew, and forks keep it.",
    )?;
    for it in it.exposures.iter().filter(|it| it.in_history) {
        let lost = if it.is_reachable {
            ""
        } else {
            " (no branch or tag leads there: git gc --prune=now drops it)"
        };
        writeln!(
            out,
            "       {}  version {}{lost}",
            place(text, &it.hop),
            it.version
        )?;
    }
    Ok(())
}

/// Writes what is left of old values of a record.
pub fn write_remnants(
    json: bool,
    out: &mut dyn Write,
    report: &Report,
    record: &Record,
    remnants: &[Remnant],
) -> io::Result<()> {
    let text = Redactor::strict(report);
    let name = text.clean(&record.name);
    if json {
        let remnants = remnants.iter().map(
            |it| json!({"kind": it.kind, "text": text.clean(&it.text), "occurrence": it.occurrence}),
        );
        let document = json!({
            "version": VERSION,
            "record": name,
            "gone": remnants.len() == 0,
            "remnants": remnants.collect::<Vec<_>>(),
            "complete": report.coverage.is_complete(),
        });
        serde_json::to_writer(&mut *out, &document)?;
        return writeln!(out);
    }
    if remnants.is_empty() {
        return writeln!(
            out,
            "{name}: nothing is left of the old value in what was read"
        );
    }
    writeln!(out, "{name}: the old value is not gone")?;
    for it in remnants {
        let id = it
            .occurrence
            .as_deref()
            .map(|it| format!("  {it}"))
            .unwrap_or_default();
        writeln!(out, "  {}: {}{id}", it.kind, text.clean(&it.text))?;
    }
    Ok(())
}
