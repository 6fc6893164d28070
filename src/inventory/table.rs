//! Records to rows and back.
//!
//! The wire shape of the store lives here; its layout in `schema.rs`, its file in `store.rs`.

use crate::inventory::merge::{Estate, Known};
use crate::model::access::Access;
use crate::model::fingerprint::Fingerprint;
use crate::model::record::{CompleteScope, Record, Veil, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use crate::model::tag::Sealed;
use rusqlite::{Connection, OptionalExtension, Result, Row, params};
use std::collections::HashMap;

/// Everything, by name.
pub(super) fn load(connection: &Connection) -> Result<Estate> {
    let mut all = rows(connection)?;
    let names = sources_by_id(connection)?;
    each(
        connection,
        "SELECT record, source FROM record_source",
        &mut all,
        |known, row| {
            known.sources.extend(names.get(&row.get(1)?).cloned());
            Ok(())
        },
    )?;
    let all = all.known.into_iter();
    Ok(all.map(|it| (it.record.name.clone(), it)).collect())
}

/// All records, sorted by name.
pub(super) fn records(connection: &Connection) -> Result<Vec<Record>> {
    let all = rows(connection)?.known.into_iter();
    Ok(all.map(|it| it.record).collect())
}

/// Records, sorted by name; by their ids, where they stand.
#[derive(Default)]
struct Rows {
    known: Vec<Known>,
    by_id: HashMap<i64, usize>,
}

/// All but who has a record from where. Columns are asked for by number: looking names up takes longer than all
/// the rest.
fn rows(connection: &Connection) -> Result<Rows> {
    let mut all = Rows::default();
    let mut statement = connection.prepare(
        "SELECT id, name, provider, scope, path, key, pinned, environment, created, rotated, accessed,
            accessed_by, expires, rotation_days, kind, dynamic, source, source_line, gone
        FROM record ORDER BY name",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        all.by_id.insert(row.get(0)?, all.known.len());
        all.known.push(Known {
            record: record(row)?,
            ..Known::default()
        });
    }
    each(
        connection,
        "SELECT record, name FROM owner ORDER BY record, position",
        &mut all,
        |known, row| {
            known.record.owners.push(row.get(1)?);
            Ok(())
        },
    )?;
    each(
        connection,
        "SELECT record, name FROM reader ORDER BY record, position",
        &mut all,
        |known, row| {
            known.record.readers.push(row.get(1)?);
            Ok(())
        },
    )?;
    each(
        connection,
        "SELECT record, name, text FROM tag",
        &mut all,
        |known, row| {
            known.record.tags.insert(row.get(1)?, row.get(2)?);
            Ok(())
        },
    )?;
    each(
        connection,
        "SELECT record, number, created, fingerprint, veil, tag FROM version ORDER BY record, position",
        &mut all,
        |known, row| {
            known.record.versions.push(Version {
                number: row.get(1)?,
                created: row.get(2)?,
                fingerprint: row
                    .get::<_, Option<[u8; 32]>>(3)?
                    .map(Fingerprint::from_bytes),
                veil: veil(row)?,
            });
            Ok(())
        },
    )?;
    each(
        connection,
        "SELECT record, accessor, first, last, count FROM access ORDER BY record, position",
        &mut all,
        |known, row| {
            known.record.accesses.push(Access {
                by: row.get(1)?,
                first: row.get(2)?,
                last: row.get(3)?,
                count: row.get(4)?,
            });
            Ok(())
        },
    )?;
    Ok(all)
}

fn sources_by_id(connection: &Connection) -> Result<HashMap<i64, String>> {
    connection
        .prepare("SELECT id, name FROM source")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// Hands each row to the record that its first column names.
fn each(
    connection: &Connection,
    query: &str,
    all: &mut Rows,
    mut take: impl FnMut(&mut Known, &Row<'_>) -> Result<()>,
) -> Result<()> {
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let at = all.by_id.get(&row.get(0)?);
        if let Some(known) = at.and_then(|it| all.known.get_mut(*it)) {
            take(known, row)?;
        }
    }
    Ok(())
}

/// What else is known of a version's value.
fn veil(row: &Row<'_>) -> Result<Option<Veil>> {
    let tag: Option<Vec<u8>> = row.get(5)?;
    let veil = |worth| Veil {
        worth,
        tag: tag.map(Sealed::from_bytes),
    };
    Ok(row.get::<_, Option<u8>>(4)?.map(veil))
}

fn record(row: &Row<'_>) -> Result<Record> {
    let kind: Option<String> = row.get(14)?;
    Ok(Record {
        name: row.get(1)?,
        secret: SecretName {
            provider: row.get(2)?,
            scope: row.get(3)?,
            path: row.get(4)?,
            key: row.get(5)?,
            version: row.get(6)?,
        },
        environment: row.get(7)?,
        created: row.get(8)?,
        rotated: row.get(9)?,
        accessed: row.get(10)?,
        accessed_by: row.get(11)?,
        expires: row.get(12)?,
        rotation_days: row.get(13)?,
        kind: kind.and_then(|it| kind_named(&it)),
        dynamic: row.get(15)?,
        source: row.get(16)?,
        source_line: row.get(17)?,
        gone: row.get(18)?,
        ..Record::default()
    })
}

/// The fingerprint of each version's value, with what is kept besides.
pub(super) fn tags(connection: &Connection) -> Result<Vec<(Fingerprint, Option<Sealed>)>> {
    connection
        .prepare("SELECT fingerprint, tag FROM version WHERE fingerprint IS NOT NULL")?
        .query_map([], |row| {
            let print = Fingerprint::from_bytes(row.get(0)?);
            let tag: Option<Vec<u8>> = row.get(1)?;
            Ok((print, tag.map(Sealed::from_bytes)))
        })?
        .collect()
}

fn kind_named(name: &str) -> Option<Kind> {
    Kind::NAMES
        .iter()
        .find(|(it, _)| *it == name)
        .map(|(_, kind)| *kind)
}

/// Makes the tables say `after` where they said `before`; touches only what differs.
pub(super) fn save(connection: &Connection, before: &Estate, after: &Estate) -> Result<()> {
    for name in before.keys().filter(|it| !after.contains_key(*it)) {
        remove(connection, name)?;
    }
    for (name, known) in after {
        if before.get(name) != Some(known) {
            remove(connection, name)?;
            insert(connection, known)?;
        }
    }
    Ok(())
}

/// Removes a record; says whether there was one.
pub(super) fn remove(connection: &Connection, name: &str) -> Result<bool> {
    let count = connection
        .prepare_cached("DELETE FROM record WHERE name = ?1")?
        .execute([name])?;
    Ok(count > 0)
}

fn insert(connection: &Connection, known: &Known) -> Result<()> {
    let id = insert_record(connection, &known.record)?;
    for (position, name) in (0_i64..).zip(&known.record.owners) {
        connection
            .prepare_cached("INSERT INTO owner VALUES (?1, ?2, ?3)")?
            .execute(params![id, position, name])?;
    }
    for (position, name) in (0_i64..).zip(&known.record.readers) {
        connection
            .prepare_cached("INSERT INTO reader VALUES (?1, ?2, ?3)")?
            .execute(params![id, position, name])?;
    }
    for (name, text) in &known.record.tags {
        connection
            .prepare_cached("INSERT INTO tag VALUES (?1, ?2, ?3)")?
            .execute(params![id, name, text])?;
    }
    for (position, version) in (0_i64..).zip(&known.record.versions) {
        let fingerprint = version.fingerprint.as_ref().map(Fingerprint::as_bytes);
        let tag = version.veil.as_ref().and_then(|it| it.tag.as_ref());
        connection
            .prepare_cached(
                "INSERT INTO version (record, position, number, created, fingerprint, veil, tag)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            )?
            .execute(params![
                id,
                position,
                version.number,
                version.created,
                fingerprint,
                version.veil.as_ref().map(|it| it.worth),
                tag.map(Sealed::as_bytes),
            ])?;
    }
    for (position, access) in (0_i64..).zip(&known.record.accesses) {
        connection
            .prepare_cached("INSERT INTO access VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                id,
                position,
                access.by,
                access.first,
                access.last,
                access.count
            ])?;
    }
    for source in &known.sources {
        connection
            .prepare_cached("INSERT INTO record_source SELECT ?1, id FROM source WHERE name = ?2")?
            .execute(params![id, source])?;
    }
    Ok(())
}

fn insert_record(connection: &Connection, record: &Record) -> Result<i64> {
    let secret = &record.secret;
    connection
        .prepare_cached(
            "INSERT INTO record (name, provider, scope, path, key, pinned, environment, created, rotated, accessed,
                accessed_by, expires, rotation_days, kind, dynamic, source, source_line, gone)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
        )?
        .execute(params![
            record.name,
            secret.provider,
            secret.scope,
            secret.path,
            secret.key,
            secret.version,
            record.environment,
            record.created,
            record.rotated,
            record.accessed,
            record.accessed_by,
            record.expires,
            record.rotation_days,
            record.kind.map(Kind::name),
            record.dynamic,
            record.source,
            record.source_line,
            record.gone,
        ])?;
    Ok(connection.last_insert_rowid())
}

/// Notes that a source was imported; returns its id.
pub(super) fn touch_source(connection: &Connection, name: &str, now: i64) -> Result<i64> {
    connection.execute(
        "INSERT INTO source (name, imported) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET imported = ?2",
        params![name, now],
    )?;
    connection.query_row("SELECT id FROM source WHERE name = ?1", [name], |row| {
        row.get(0)
    })
}

/// Notes an import of a source, and what that source now declares complete.
pub(super) fn note_source(
    connection: &Connection,
    name: &str,
    complete: &[CompleteScope],
    now: i64,
) -> Result<()> {
    let id = touch_source(connection, name, now)?;
    connection.execute("DELETE FROM complete WHERE source = ?1", [id])?;
    for scope in complete {
        connection.execute(
            "INSERT OR IGNORE INTO complete VALUES (?1, ?2, ?3)",
            params![id, scope.provider, scope.prefix],
        )?;
    }
    Ok(())
}

/// Scopes that any source declares complete, sorted.
pub(super) fn complete(connection: &Connection) -> Result<Vec<CompleteScope>> {
    connection
        .prepare("SELECT DISTINCT provider, prefix FROM complete ORDER BY provider, prefix")?
        .query_map([], |row| {
            Ok(CompleteScope {
                provider: row.get(0)?,
                prefix: row.get(1)?,
            })
        })?
        .collect()
}

/// Sources with the time of their last import, sorted by name.
pub(super) fn sources(connection: &Connection) -> Result<Vec<(String, i64)>> {
    connection
        .prepare("SELECT name, imported FROM source ORDER BY name")?
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect()
}

/// A value of the `meta` table.
pub(super) fn meta(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>> {
    connection
        .query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
            row.get(0)
        })
        .optional()
}

/// Sets a value of the `meta` table.
pub(super) fn set_meta(connection: &Connection, name: &str, value: &[u8]) -> Result<()> {
    connection.execute(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
        params![name, value],
    )?;
    Ok(())
}
