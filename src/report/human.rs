//! One screen for people: what, where, whose, since when, what to do next; then the totals.
//! Values are hidden unless the caller asked; styles are reset on the line that sets them.

use crate::model::coverage::{Gap, Reason};
use crate::model::finding::Finding;
use crate::model::level::Level;
use crate::model::origin::{Origin, shown};
use crate::model::report::Report;
use crate::model::rule::Kind;
use crate::model::verdict::Verdict;
use crate::report::details;
use crate::report::parts::{self, Values};
use crate::report::text::Redactor;
use crate::report::verdicts::{ByOccurrence, stands_alone};
use crate::report::whereabouts;
use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

/// Places shown of one secret.
const PLACES: usize = 5;

const BOLD: Style = Style::new().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

fn style(level: Level) -> Style {
    match level {
        Level::Error => AnsiColor::Red.on_default().bold(),
        Level::Warning => AnsiColor::Yellow.on_default().bold(),
        Level::Note => AnsiColor::Cyan.on_default().bold(),
    }
}

/// Writes the screen.
pub(crate) fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let text = Redactor::new(report);
    let verdicts = ByOccurrence::new(report);
    let groups = groups(report, &verdicts);
    for group in &groups {
        write_group(out, &text, report, &verdicts, group)?;
    }
    let mut alone: Vec<&Verdict> = report
        .verdicts
        .iter()
        .filter(|it| !it.waived && stands_alone(it))
        .collect();
    alone.sort_by_key(|it| std::cmp::Reverse(it.level()));
    for it in &alone {
        write_verdict(out, &text, it)?;
    }
    if !groups.is_empty() || !alone.is_empty() {
        writeln!(out)?;
    }
    writeln!(out, "{}", totals(report, &groups))
}

/// Findings of one secret, loudest secrets first. Waived findings are left out, and certificates of which
/// there is nothing to say: they are public.
fn groups<'a>(report: &'a Report, verdicts: &ByOccurrence<'_>) -> Vec<Vec<&'a Finding>> {
    let mut index: HashMap<String, usize> = HashMap::new();
    let mut groups: Vec<Vec<&'a Finding>> = Vec::new();
    let is_certificate = |it: &Finding| {
        let rule = report.rules.get(&it.rule);
        rule.is_some_and(|it| it.kind == Kind::Certificate)
    };
    let is_told =
        |it: &&Finding| it.waived.is_none() && !(is_certificate(it) && verdicts.of(it).is_empty());
    for finding in report.findings.iter().filter(is_told) {
        let print = finding.fingerprint.map(|it| it.to_string());
        let key = print.unwrap_or_else(|| finding.occurrence.base.clone());
        let at = *index.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(finding);
    }
    groups.sort_by_key(|group| std::cmp::Reverse(loudest(group)));
    groups
}

fn loudest(group: &[&Finding]) -> Level {
    group.iter().map(|it| it.level).max().unwrap_or(Level::Note)
}

fn write_group(
    out: &mut dyn Write,
    text: &Redactor,
    report: &Report,
    verdicts: &ByOccurrence<'_>,
    group: &[&Finding],
) -> io::Result<()> {
    let level = loudest(group);
    let Some(first) = group.iter().find(|it| it.level == level) else {
        return Ok(());
    };
    let rule = report.rules.get(&first.rule);
    let color = style(level);
    writeln!(
        out,
        "{color}{}[{}]{color:#} {BOLD}{}{BOLD:#}  {}",
        level.name(),
        first.rule,
        text.clean(rule.map_or(&first.rule, |it| &it.title)),
        text.clean(&value(report, first)),
    )?;
    for it in group.iter().take(PLACES) {
        let key = it
            .key
            .as_deref()
            .map(|key| format!("  {}", text.clean(key)));
        let within = it.container.as_deref().map(|container| {
            let place = it.within.map(|it| format!(":{}:{}", it.line, it.column));
            let container = text.clean(container);
            format!("  in {container}{}", place.unwrap_or_default())
        });
        let words = it.origins.first().and_then(|it| it.kind.words());
        writeln!(
            out,
            "  {CYAN}{}:{}:{}{CYAN:#}{}{}{}",
            text.clean(&it.shown_path()),
            it.place.line,
            it.place.column,
            key.unwrap_or_default(),
            within.unwrap_or_default(),
            words.map(|it| format!("  in {it}")).unwrap_or_default(),
        )?;
    }
    if group.len() > PLACES {
        writeln!(out, "  and {} more", group.len() - PLACES)?;
    }
    let origins: Vec<&Origin> = group.iter().flat_map(|it| &it.origins).collect();
    for line in whereabouts::lines(text, &origins) {
        writeln!(out, "  {line}")?;
    }
    if !first.details.is_empty() {
        writeln!(out, "  {}", details::line(text, &first.details))?;
    }
    if let Some(it) = group.iter().find(|it| !it.parts.is_empty()) {
        writeln!(out, "  with {}", parts::line(text, Values::of(report), it))?;
    }
    if let Some(managed) = group.iter().find_map(|it| it.managed.as_ref()) {
        let age = if managed.current {
            "current"
        } else {
            "earlier"
        };
        let owners = report
            .records
            .iter()
            .find(|it| it.name == managed.record)
            .filter(|it| !it.owners.is_empty())
            .map(|it| format!(", owned by {}", text.clean(&it.owners.join(", "))));
        writeln!(
            out,
            "  record {} ({age} version {}){}",
            text.clean(&managed.record),
            managed.version,
            owners.unwrap_or_default()
        )?;
    }
    let mut judged: Vec<&Verdict> = group
        .iter()
        .flat_map(|it| verdicts.of(it))
        .filter(|it| !it.waived)
        .collect();
    judged.sort_by_key(|it| std::cmp::Reverse(it.severity));
    let next = judged
        .iter()
        .map(|it| it.next.as_str())
        .chain(rule.map(|it| it.rotation.as_str()))
        .find(|it| !it.is_empty());
    if let Some(worst) = judged.first() {
        writeln!(out, "  {}: {}", worst.id.code(), text.clean(&worst.message))?;
    }
    if let Some(next) = next {
        writeln!(out, "  {BOLD}next:{BOLD:#} {}", text.clean(next))?;
    }
    if report.explain
        && let Some(first) = group.first()
    {
        let facts = if first.facts.is_empty() {
            "its shape".to_owned()
        } else {
            first.facts.join("; ")
        };
        writeln!(out, "  confidence {}: {facts}", first.confidence.name())?;
    }
    let names: BTreeSet<&str> = group.iter().map(|it| it.occurrence.base.as_str()).collect();
    let names: Vec<_> = names.into_iter().collect();
    writeln!(out, "  occurrence {}", names.join(", "))
}

/// What is shown of a value.
fn value<'a>(report: &Report, it: &'a Finding) -> Cow<'a, str> {
    if report.show_secrets {
        String::from_utf8_lossy(it.secret.expose())
    } else {
        Cow::Borrowed(&it.masked)
    }
}

fn write_verdict(out: &mut dyn Write, text: &Redactor, it: &Verdict) -> io::Result<()> {
    let color = style(it.level());
    let subject = it
        .record
        .as_deref()
        .map(|it| format!("{}: ", text.clean(it)));
    writeln!(
        out,
        "{color}{}[{}]{color:#} {}{}",
        it.level().name(),
        it.id.code(),
        subject.unwrap_or_default(),
        text.clean(&it.message)
    )?;
    if let Some(path) = &it.path {
        writeln!(
            out,
            "  {CYAN}{}:{}{CYAN:#}",
            text.clean(&shown(it.repository.as_deref(), path)),
            it.line.unwrap_or(1)
        )?;
    }
    if !it.next.is_empty() {
        writeln!(out, "  {BOLD}next:{BOLD:#} {}", text.clean(&it.next))?;
    }
    Ok(())
}

fn totals(report: &Report, groups: &[Vec<&Finding>]) -> String {
    let coverage = &report.coverage;
    let tenths = coverage.bytes / 100_000;
    let read = format!(
        "{}, {}, {}.{} MB",
        count(coverage.files, "file"),
        count(coverage.blobs, "blob"),
        tenths / 10,
        tenths % 10
    );
    let places: usize = groups.iter().map(Vec::len).sum();
    let mut line = if places == 0 {
        format!("no secrets found in {read}")
    } else {
        let secrets = count(groups.len() as u64, "secret");
        format!("{secrets} at {} in {read}", count(places as u64, "place"))
    };
    let waived = report
        .findings
        .iter()
        .filter(|it| it.waived.is_some())
        .count();
    if waived > 0 {
        line.push_str(&format!("; waived: {waived}"));
    }
    if coverage.weak_values > 0 {
        let values = count(coverage.weak_values, "value");
        line.push_str(&format!("; too weak to be searched for: {values}"));
    }
    for (word, by_choice) in [("not read", false), ("skipped by choice", true)] {
        if let Some(part) = reasons(&coverage.gaps, by_choice) {
            line.push_str(&format!("; {word}: {part}"));
        }
    }
    line
}

fn count(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

fn reasons(gaps: &[Gap], by_choice: bool) -> Option<String> {
    let mut counts: BTreeMap<Reason, u64> = BTreeMap::new();
    for gap in gaps
        .iter()
        .filter(|it| it.reason.is_by_choice() == by_choice)
    {
        *counts.entry(gap.reason).or_default() += 1;
    }
    let total: u64 = counts.values().sum();
    let parts: Vec<_> = counts
        .iter()
        .map(|(reason, n)| format!("{reason}: {n}"))
        .collect();
    (total > 0).then(|| format!("{total} ({})", parts.join(", ")))
}
