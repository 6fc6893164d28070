//! The where-used view: per record its uses as chains and the verdicts on it, for people or as JSON.
//! Values are hidden here always.

mod claims;
mod drawn;
mod graph;
mod html;
mod subject;
mod table;

use crate::model::finding::Finding;
use crate::model::map::{Hop, Subject, Use};
use crate::model::report::Report;
use crate::report::json::{UseOut, VerdictOut, one_use, verdict};
use crate::report::text::{Redactor, day, rfc3339};
use claims::{ClaimOut, Claims};
use graph::Graph;
use serde::Serialize;
use std::io::{self, BufWriter, Write};
use subject::{Entry, Selected};

/// The formats of a map.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MapFormat {
    /// For a terminal.
    Human,
    /// One document: each record with its uses and verdicts, and the graph.
    Json,
    /// For Graphviz.
    Dot,
    /// For Mermaid, as Markdown on many forges draws it.
    Mermaid,
    /// A row for each hop of each use.
    Csv,
    /// A page to search and to walk through, with all it needs in it.
    Html,
}

impl MapFormat {
    /// Every format with its name.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("human", Self::Human),
        ("json", Self::Json),
        ("dot", Self::Dot),
        ("mermaid", Self::Mermaid),
        ("csv", Self::Csv),
        ("html", Self::Html),
    ];
}

#[derive(Serialize)]
struct Document {
    version: u32,
    records: Vec<RecordOut>,
    /// Places of a value that was asked for and that no record has.
    strays: Vec<StrayOut>,
    graph: Graph,
}

#[derive(Serialize)]
struct StrayOut {
    rule: String,
    secret: String,
    occurrence: String,
    repository: Option<String>,
    path: String,
    line: u32,
    author: Option<String>,
    date: Option<String>,
}

#[derive(Serialize)]
struct RecordOut {
    record: String,
    provider: Option<String>,
    environment: Option<String>,
    owners: Vec<String>,
    rotated: Option<String>,
    expires: Option<String>,
    /// The version whose value was asked for, and whether it is the current one.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<AskedOut>,
    uses: Vec<UseOut>,
    /// Whom CODEOWNERS files name for the places of its uses: claims, and a hint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    claimed: Vec<ClaimOut>,
    verdicts: Vec<VerdictOut>,
}

#[derive(Serialize)]
struct AskedOut {
    version: u32,
    current: bool,
}

/// Writes where records are used: those that the subject names.
pub fn write_map(
    format: MapFormat,
    out: &mut dyn Write,
    report: &Report,
    subject: &Subject,
) -> io::Result<()> {
    let text = Redactor::strict(report);
    let selected = Selected::of(report, subject);
    let mut out = BufWriter::new(out);
    match format {
        MapFormat::Human => human(&mut out, &Claims::of(report), &text, &selected, subject)?,
        MapFormat::Json => json(&mut out, &Claims::of(report), &text, &selected)?,
        MapFormat::Dot => drawn::dot(&mut out, &Graph::of(&selected, &text))?,
        MapFormat::Mermaid => drawn::mermaid(&mut out, &Graph::of(&selected, &text))?,
        MapFormat::Csv => table::write(&mut out, &selected, &text)?,
        MapFormat::Html => html::write(&mut out, report, subject, &selected, &text)?,
    }
    out.flush()
}

fn json<'r>(
    out: &mut dyn Write,
    claims: &Claims<'r>,
    text: &Redactor,
    selected: &Selected<'r>,
) -> io::Result<()> {
    let records = selected.entries.iter();
    let document = Document {
        version: 1,
        records: records
            .map(|(name, it)| record_out(claims, text, name, it))
            .collect(),
        strays: selected
            .strays
            .iter()
            .map(|it| stray_out(text, it))
            .collect(),
        graph: Graph::of(selected, text),
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

fn human<'r>(
    out: &mut dyn Write,
    claims: &Claims<'r>,
    text: &Redactor,
    selected: &Selected<'r>,
    subject: &Subject,
) -> io::Result<()> {
    if selected.is_empty() {
        return match subject {
            Subject::Everything => writeln!(out, "no records and no uses"),
            Subject::Name(name) => writeln!(out, "no record matches `{}`", text.clean(name)),
            Subject::Value(_) => {
                writeln!(out, "no record has this value, and it was not found here")
            }
            Subject::Occurrence(id) => {
                writeln!(out, "no occurrence here begins with `{}`", text.clean(id))
            }
        };
    }
    for (at, (name, entry)) in selected.entries.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        write_entry(out, claims, text, name, entry)?;
    }
    write_strays(out, text, &selected.strays)
}

fn write_strays(out: &mut dyn Write, text: &Redactor, strays: &[&Finding]) -> io::Result<()> {
    let Some(first) = strays.first() else {
        return Ok(());
    };
    writeln!(
        out,
        "{} {}\n  not in the inventory",
        text.clean(&first.rule),
        text.clean(&first.masked)
    )?;
    for it in strays {
        let stray = stray_out(text, it);
        let path = match stray.repository.as_deref() {
            Some(repository) if repository != "." => format!("{repository}/{}", stray.path),
            _ => stray.path,
        };
        let who = who(
            stray.author.as_deref(),
            stray.date.as_deref().map(|it| &it[..10]),
        );
        writeln!(
            out,
            "  value: {path}:{}  {}{who}",
            stray.line, stray.occurrence
        )?;
    }
    Ok(())
}

fn stray_out(text: &Redactor, it: &Finding) -> StrayOut {
    let origin = it.origins.first();
    let introduced = origin.and_then(|it| it.introduced.as_ref());
    StrayOut {
        rule: text.clean(&it.rule),
        secret: text.clean(&it.masked),
        occurrence: it.occurrence.to_string(),
        repository: origin.and_then(|it| Some(text.clean(it.repository.as_deref()?))),
        path: text.clean(&it.path),
        line: it.place.line.max(1),
        author: introduced.map(|it| text.clean(&it.author)),
        date: introduced.and_then(|it| rfc3339(it.seconds)),
    }
}

/// `  (by AUTHOR on DAY)`, as far as it is known.
fn who(author: Option<&str>, day: Option<&str>) -> String {
    let author = author.map(|it| format!("by {it}"));
    let who: Vec<_> = author
        .into_iter()
        .chain(day.map(|it| format!("on {it}")))
        .collect();
    match who.is_empty() {
        true => String::new(),
        false => format!("  ({})", who.join(" ")),
    }
}

fn record_out<'r>(
    claims: &Claims<'r>,
    text: &Redactor,
    name: &str,
    entry: &Entry<'r>,
) -> RecordOut {
    let record = entry.record;
    RecordOut {
        record: text.clean(name),
        provider: record.map(|it| text.clean(&it.secret.provider)),
        environment: record
            .and_then(|it| it.environment.as_deref())
            .map(|it| text.clean(it)),
        owners: record.map_or_else(Vec::new, |it| {
            it.owners.iter().map(|it| text.clean(it)).collect()
        }),
        rotated: record.and_then(|it| it.rotated).and_then(rfc3339),
        expires: record.and_then(|it| it.expires).and_then(rfc3339),
        asked: asked(entry).map(|(version, current)| AskedOut { version, current }),
        uses: entry.uses.iter().map(|it| one_use(text, it)).collect(),
        claimed: claims.on(text, entry),
        verdicts: entry.verdicts.iter().map(|it| verdict(text, it)).collect(),
    }
}

/// The version whose value was asked for, and whether it is the current one.
fn asked(entry: &Entry<'_>) -> Option<(u32, bool)> {
    let (asked, record) = (entry.asked?, entry.record?);
    Some((
        asked,
        record.versions.last().map(|it| it.number) == Some(asked),
    ))
}

fn write_entry<'r>(
    out: &mut dyn Write,
    claims: &Claims<'r>,
    text: &Redactor,
    name: &str,
    entry: &Entry<'r>,
) -> io::Result<()> {
    writeln!(out, "{}", text.clean(name))?;
    let mut facts = Vec::new();
    if let Some(record) = entry.record {
        if let Some(it) = &record.environment {
            facts.push(format!("environment {}", text.clean(it)));
        }
        if !record.owners.is_empty() {
            facts.push(format!("owners {}", text.clean(&record.owners.join(", "))));
        }
        if let Some(it) = record.rotated {
            facts.push(format!("rotated {}", day(it)));
        }
        if let Some(it) = record.expires {
            facts.push(format!("expires {}", day(it)));
        }
    } else {
        facts.push("not in the inventory".to_owned());
    }
    if !facts.is_empty() {
        writeln!(out, "  {}", facts.join("; "))?;
    }
    // Who owns it is the inventory's to say; without that, a claim is a hint.
    if entry.record.is_some_and(|it| it.owners.is_empty()) {
        let named: Vec<String> = claims
            .on(text, entry)
            .into_iter()
            .map(|it| it.who)
            .collect();
        if !named.is_empty() {
            writeln!(
                out,
                "  code owners, as repositories claim: {}",
                named.join(", ")
            )?;
        }
    }
    match asked(entry) {
        Some((version, true)) => writeln!(out, "  asked for: version {version}, the current one")?,
        Some((version, false)) => {
            writeln!(out, "  asked for: version {version}, not the current one")?
        }
        None => {}
    }
    for it in &entry.verdicts {
        let waived = if it.waived { " (waived)" } else { "" };
        writeln!(
            out,
            "  {}[{}] {}{waived}",
            it.level().name(),
            it.id.code(),
            text.clean(&it.message)
        )?;
        if !it.next.is_empty() {
            writeln!(out, "    next: {}", text.clean(&it.next))?;
        }
    }
    if entry.uses.is_empty() {
        writeln!(out, "  no uses seen")?;
    }
    for it in &entry.uses {
        write_use(out, text, name, it)?;
    }
    Ok(())
}

fn write_use(out: &mut dyn Write, text: &Redactor, name: &str, it: &Use) -> io::Result<()> {
    let mut line = format!("  {}: {}", it.evidence.name(), text.clean(name));
    for (at, hop) in it.chain.iter().enumerate() {
        let last = at + 1 == it.chain.len();
        let label = match &it.consumer {
            Some(consumer) if last => consumer,
            _ => &hop.syntax,
        };
        line.push_str(" -> ");
        line.push_str(&place(text, label, hop));
    }
    let author = it.author.as_deref().map(|it| text.clean(it));
    line.push_str(&who(author.as_deref(), it.date.map(day).as_deref()));
    writeln!(out, "{line}")
}

fn place(text: &Redactor, label: &str, hop: &Hop) -> String {
    let path = match hop.repository.as_deref() {
        Some(repository) if repository != "." => format!("{repository}/{}", hop.path),
        _ => hop.path.clone(),
    };
    let label = if label.is_empty() || label == hop.path {
        String::new()
    } else {
        format!("{} ", text.clean(label))
    };
    format!("{label}{}:{}", text.clean(&path), hop.line.max(1))
}
