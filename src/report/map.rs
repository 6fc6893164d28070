//! The where-used view: per record its uses as chains and the verdicts on it, for people or as JSON.
//! Values are hidden here always.

use crate::model::map::{Hop, Use};
use crate::model::record::Record;
use crate::model::report::Report;
use crate::model::verdict::Verdict;
use crate::report::json::{UseOut, VerdictOut, one_use, verdict};
use crate::report::text::{Redactor, day, rfc3339};
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};

#[derive(Default)]
struct Entry<'a> {
    record: Option<&'a Record>,
    uses: Vec<&'a Use>,
    verdicts: Vec<&'a Verdict>,
}

#[derive(Serialize)]
struct Document {
    version: u32,
    records: Vec<RecordOut>,
}

#[derive(Serialize)]
struct RecordOut {
    record: String,
    provider: Option<String>,
    environment: Option<String>,
    owners: Vec<String>,
    rotated: Option<String>,
    expires: Option<String>,
    uses: Vec<UseOut>,
    verdicts: Vec<VerdictOut>,
}

/// Writes where each record is used. A filter keeps records whose name contains it; a leading mount
/// (`kv/`) may be left out.
pub fn write_map(
    json: bool,
    out: &mut dyn Write,
    report: &Report,
    filter: Option<&str>,
) -> io::Result<()> {
    let text = Redactor::strict(report);
    let mut entries = entries(report);
    if let Some(filter) = filter {
        entries.retain(|name, entry| {
            name.contains(filter)
                || entry
                    .record
                    .is_some_and(|it| it.secret.to_string().contains(filter))
        });
    }
    let mut out = BufWriter::new(out);
    if json {
        let records = entries
            .iter()
            .map(|(name, entry)| record_out(&text, name, entry));
        let document = Document {
            version: 1,
            records: records.collect(),
        };
        serde_json::to_writer(&mut out, &document)?;
        writeln!(out)?;
    } else if entries.is_empty() {
        match filter {
            Some(filter) => writeln!(out, "no record matches `{}`", text.clean(filter))?,
            None => writeln!(out, "no records and no uses")?,
        }
    } else {
        for (at, (name, entry)) in entries.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            write_entry(&mut out, &text, name, entry)?;
        }
    }
    out.flush()
}

fn entries(report: &Report) -> BTreeMap<&str, Entry<'_>> {
    let mut entries: BTreeMap<&str, Entry<'_>> = BTreeMap::new();
    for it in &report.records {
        entries.entry(&it.name).or_default().record = Some(it);
    }
    for it in &report.map.uses {
        entries.entry(&it.record).or_default().uses.push(it);
    }
    for it in &report.verdicts {
        if let Some(name) = &it.record {
            entries.entry(name).or_default().verdicts.push(it);
        }
    }
    entries
}

fn record_out(text: &Redactor, name: &str, entry: &Entry<'_>) -> RecordOut {
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
        uses: entry.uses.iter().map(|it| one_use(text, it)).collect(),
        verdicts: entry.verdicts.iter().map(|it| verdict(text, it)).collect(),
    }
}

fn write_entry(
    out: &mut dyn Write,
    text: &Redactor,
    name: &str,
    entry: &Entry<'_>,
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
    let author = it
        .author
        .as_deref()
        .map(|it| format!("by {}", text.clean(it)));
    let date = it.date.map(|it| format!("on {}", day(it)));
    let who: Vec<_> = author.into_iter().chain(date).collect();
    if !who.is_empty() {
        line.push_str(&format!("  ({})", who.join(" ")));
    }
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
