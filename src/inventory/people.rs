//! Lines about people to rows and back. A list is replaced whole when it is imported again.
//!
//! The table's layout is in `schema.rs`; what the lines mean together, in `model/people.rs`.

use crate::model::people::Entry;
use rusqlite::{Connection, Result, params};

/// Between aliases within a row; no name holds a line end.
const BETWEEN: char = '\n';

/// All lines of all lists, sorted by list and line.
pub(super) fn load(connection: &Connection) -> Result<Vec<Entry>> {
    connection
        .prepare(
            "SELECT person.name, aliases, team, until, left_at, line, source.name FROM person
            JOIN source ON source.id = person.source ORDER BY source.name, position",
        )?
        .query_map([], |row| {
            let aliases: String = row.get(1)?;
            let aliases = aliases.split(BETWEEN).filter(|it| !it.is_empty());
            Ok(Entry {
                name: row.get(0)?,
                aliases: aliases.map(str::to_owned).collect(),
                team: row.get(2)?,
                until: row.get(3)?,
                left: row.get(4)?,
                line: row.get(5)?,
                source: row.get(6)?,
            })
        })?
        .collect()
}

/// Makes a list say this and nothing else; returns how many lines it had before.
pub(super) fn save(connection: &Connection, source: i64, entries: &[Entry]) -> Result<usize> {
    let before = connection.execute("DELETE FROM person WHERE source = ?1", [source])?;
    let mut insert =
        connection.prepare_cached("INSERT INTO person VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?;
    for (position, entry) in (0_i64..).zip(entries) {
        let aliases: Vec<String> = entry
            .aliases
            .iter()
            .map(|it| it.replace(BETWEEN, " "))
            .collect();
        insert.execute(params![
            source,
            position,
            entry.name,
            aliases.join("\n"),
            entry.team,
            entry.until,
            entry.left,
            entry.line
        ])?;
    }
    Ok(before)
}
