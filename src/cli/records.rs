//! Records as people and scripts read them: `inventory list`, `show`, and the counts of `status`.
//!
//! The JSON here is a wire shape of its own and carries a version. No fingerprint leaves: it would let
//! a reader test guesses against whoever else has the key.

use super::args::Listing;
use super::clock::{day, moment};
use super::exit::Exit;
use super::message::{Fault, safe};
use super::output;
use crate::inventory::Status;
use crate::model::access::Access;
use crate::model::record::{Record, Version};
use serde_json::{Value, json};
use std::io::{self, Write};

/// Version of the JSON.
const VERSION: u32 = 1;

/// Prints a document.
pub(super) fn document(value: &Value) -> Result<Exit, Fault> {
    output::document(|out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        writeln!(out)
    })?;
    Ok(Exit::Clean)
}

/// All records.
pub(super) fn list(records: &[Record], format: Listing) -> Result<Exit, Fault> {
    match format {
        Listing::Json => document(
            &json!({"version": VERSION, "records": records.iter().map(record).collect::<Vec<_>>()}),
        ),
        Listing::Human => {
            output::stdout(|out| table(out, records))?;
            Ok(Exit::Clean)
        }
    }
}

/// One record.
pub(super) fn show(it: &Record, format: Listing) -> Result<Exit, Fault> {
    match format {
        Listing::Json => {
            let mut value = record(it);
            value["accesses"] = it.accesses.iter().map(access).collect();
            document(&json!({"version": VERSION, "record": value}))
        }
        Listing::Human => {
            output::stdout(|out| page(out, it))?;
            Ok(Exit::Clean)
        }
    }
}

fn record(it: &Record) -> Value {
    let at = |seconds: Option<i64>| seconds.and_then(moment);
    json!({
        "name": it.name,
        "object": it.secret.to_string(),
        "provider": it.secret.provider,
        "environment": it.environment,
        "owners": it.owners,
        "readers": it.readers,
        "kind": it.kind.map(|it| it.name()),
        "created": at(it.created),
        "rotated": at(it.rotated),
        "accessed": at(it.accessed),
        "accessed_by": it.accessed_by,
        "expires": at(it.expires),
        "rotation_days": it.rotation_days,
        "dynamic": it.dynamic,
        "gone": it.gone,
        "source": it.source,
        "source_line": it.source_line,
        "tags": it.tags,
        "versions": it.versions.iter().map(version).collect::<Vec<_>>(),
    })
}

fn access(it: &Access) -> Value {
    json!({"by": it.by, "first": moment(it.first), "last": moment(it.last), "count": it.count})
}

fn version(it: &Version) -> Value {
    json!({"number": it.number, "created": it.created.and_then(moment), "has_value": it.fingerprint.is_some()})
}

/// The state of the store as a document.
pub(super) fn state(it: &Status) -> Value {
    let source = |it: &crate::inventory::Source| json!({"name": it.name, "imported": moment(it.imported), "records": it.records});
    let oldest = it
        .oldest_rotation
        .as_ref()
        .map(|(name, since)| json!({"name": name, "since": moment(*since)}));
    json!({
        "version": VERSION,
        "records": it.records,
        "with_value": it.with_value,
        "without_value": it.without_value,
        "gone": it.gone,
        "fingerprints": it.fingerprints,
        "known_values": it.known.map(|it| json!({
            "searchable": it.searchable,
            "by_content": it.keys,
            "weak": it.weak,
            "untagged": it.untagged,
        })),
        "undated": it.undated,
        "providers": it.providers,
        "sources": it.sources.iter().map(source).collect::<Vec<_>>(),
        "oldest_rotation": oldest,
        "people": it.people,
        "leavers": it.leavers,
        "teams": it.teams,
        "has_key": it.unlocked,
        "layout": it.layout,
    })
}

fn or_dash(seconds: Option<i64>) -> String {
    seconds.map_or_else(|| "-".to_owned(), day)
}

fn names(list: &[String]) -> String {
    match list {
        [] => "-".to_owned(),
        _ => list.join(", "),
    }
}

/// What of a record fits on one line.
fn row(it: &Record) -> [String; 5] {
    let gone = if it.gone { " (gone)" } else { "" };
    let owners = names(&it.owners);
    let environment = it.environment.clone().unwrap_or_else(|| "-".to_owned());
    [
        format!("{}{gone}", it.name),
        it.secret.provider.clone(),
        environment,
        or_dash(it.rotated.or(it.created)),
        owners,
    ]
    .map(|it| safe(&it))
}

fn table(out: &mut dyn Write, records: &[Record]) -> io::Result<()> {
    if records.is_empty() {
        return writeln!(out, "no records yet; keyatlas inventory import KIND FILE");
    }
    let head = ["NAME", "PROVIDER", "ENVIRONMENT", "ROTATED", "OWNERS"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(head)
        .chain(records.iter().map(row))
        .collect();
    let width = |column: usize| {
        rows.iter()
            .map(|it| it[column].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths = [width(0), width(1), width(2), width(3), 0];
    rows.iter().try_for_each(|row| {
        let cells = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect::<Vec<_>>();
        writeln!(out, "{}", cells.join("  ").trim_end())
    })
}

fn page(out: &mut dyn Write, it: &Record) -> io::Result<()> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let line = it
        .source_line
        .map(|it| format!(":{it}"))
        .unwrap_or_default();
    let policy = it
        .rotation_days
        .map_or_else(|| "-".to_owned(), |it| format!("every {it} days"));
    let accessed = match &it.accessed_by {
        Some(who) => format!("{} by {who}", or_dash(it.accessed)),
        None => or_dash(it.accessed),
    };
    writeln!(
        out,
        "{}{}",
        safe(&it.name),
        if it.gone {
            "  (gone: no source has it any more)"
        } else {
            ""
        }
    )?;
    for (name, value) in [
        ("object", it.secret.to_string()),
        ("environment", text(&it.environment)),
        ("owners", names(&it.owners)),
        ("readers", names(&it.readers)),
        ("kind", it.kind.map_or("-", |it| it.name()).to_owned()),
        ("created", or_dash(it.created)),
        ("rotated", or_dash(it.rotated)),
        ("rotation", policy),
        ("accessed", accessed),
        ("expires", or_dash(it.expires)),
        (
            "issued",
            if it.dynamic {
                "anew for each use"
            } else {
                "once"
            }
            .to_owned(),
        ),
        ("source", format!("{}{line}", it.source)),
    ] {
        writeln!(out, "  {name:<12}{}", safe(&value))?;
    }
    for (name, value) in &it.tags {
        writeln!(out, "  {:<12}{}={}", "tag", safe(name), safe(value))?;
    }
    for access in &it.accesses {
        let (first, last) = (day(access.first), day(access.last));
        let (by, count) = (safe(&access.by), access.count);
        writeln!(
            out,
            "  {:<12}{by}, {first} to {last}, {count} known",
            "read by"
        )?;
    }
    it.versions.iter().try_for_each(|it| {
        let value = if it.fingerprint.is_some() {
            "value known by its fingerprint"
        } else {
            "value not known"
        };
        writeln!(
            out,
            "  {:<12}{}, {}, {value}",
            "version",
            it.number,
            or_dash(it.created)
        )
    })
}

/// How many values are found where.
fn searchable(it: &Status) -> String {
    let Some(it) = it.known else {
        return "-".to_owned();
    };
    let mut text = format!("{} values anywhere in a text", it.searchable);
    for (count, what) in [
        (it.keys, "as keys, by content"),
        (it.weak, "too weak: only where an assignment shows them"),
        (it.untagged, "not yet: import them again"),
    ] {
        if count > 0 {
            text.push_str(&format!("; {count} {what}"));
        }
    }
    text
}

/// The state of the store for people.
pub(super) fn summary(out: &mut dyn Write, it: &Status) -> io::Result<()> {
    let oldest = it.oldest_rotation.as_ref().map_or_else(
        || "-".to_owned(),
        |(name, since)| format!("{} ({name})", day(*since)),
    );
    for (name, value) in [
        ("records", it.records.to_string()),
        ("with a value", it.with_value.to_string()),
        (
            "without",
            format!("{} (known by name only)", it.without_value),
        ),
        ("gone", it.gone.to_string()),
        ("fingerprints", it.fingerprints.to_string()),
        (
            "undated",
            format!("{} (their age cannot be judged)", it.undated),
        ),
        ("oldest value", oldest),
        ("searchable", searchable(it)),
        (
            "people",
            format!(
                "{} in {} teams, {} leavers",
                it.people, it.teams, it.leavers
            ),
        ),
        (
            "key",
            if it.unlocked {
                "at hand"
            } else {
                "not at hand: values are not recognised"
            }
            .to_owned(),
        ),
    ] {
        writeln!(out, "{name:<14}{}", safe(&value))?;
    }
    for (name, count) in &it.providers {
        writeln!(out, "{:<14}{}: {count}", "provider", safe(name))?;
    }
    it.sources.iter().try_for_each(|it| {
        writeln!(
            out,
            "{:<14}{}: {} records, imported {}",
            "source",
            safe(&it.name),
            it.records,
            day(it.imported)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fingerprint::Fingerprint;
    use crate::model::reference::SecretName;

    fn example() -> Record {
        Record {
            name: "kv/shop/db#password".to_owned(),
            secret: SecretName::new("vault", "kv/shop/db").with_key("password"),
            owners: vec!["shop-team".to_owned()],
            readers: vec!["ann".to_owned(), "vault Shop".to_owned()],
            rotated: Some(0),
            source: "vault.json".to_owned(),
            source_line: Some(3),
            versions: vec![Version {
                veil: None,
                number: 1,
                created: Some(0),
                fingerprint: Some(Fingerprint::from_bytes([0xab; 32])),
            }],
            ..Record::default()
        }
    }

    fn text(write: impl Fn(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lists_line_up() {
        let hostile = Record {
            name: "x\u{1b}[2J".to_owned(),
            gone: true,
            ..Record::default()
        };
        let told = text(|out| table(out, &[example(), hostile.clone()]));
        assert_eq!(
            told,
            "NAME                 PROVIDER  ENVIRONMENT  ROTATED     OWNERS\n\
             kv/shop/db#password  vault     -            1970-01-01  shop-team\n\
             x\\u{1b}[2J (gone)              -            -           -\n"
        );
        assert!(text(|out| table(out, &[])).contains("no records yet"));
    }

    #[test]
    fn fingerprints_stay_inside() {
        let print = "abab";
        assert!(!text(|out| page(out, &example())).contains(print));
        assert!(!record(&example()).to_string().contains(print));
        assert_eq!(record(&example())["versions"][0]["has_value"], true);
        let page = text(|out| page(out, &example()));
        assert!(page.contains("source      vault.json:3"));
        assert!(page.contains("readers     ann, vault Shop"));
        assert_eq!(record(&example())["readers"][0], "ann");
    }
}
