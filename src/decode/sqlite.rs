//! SQLite databases: each table's rows as lines of text. The database is opened from memory, read-only,
//! and nothing that its schema names is run: only ordinary tables are read, by their own columns.
//!
//! Format: sqlite.org/fileformat2.html, sections 1.3 (header) and 2.6 (schema).

use super::member::{Fault, Members, Outcome, name};
use crate::model::coverage::Reason;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};
use std::io::{self, Read};

const MAGIC: &[u8] = b"SQLite format 3\0";
/// Where the header names the versions that may write and read; 2 asks for a log beside the file.
const VERSIONS: std::ops::Range<usize> = 18..20;
/// A query that takes more steps than this many millions is given up.
const STEPS: usize = 200;
/// A value longer than this is read by its beginning.
const LONGEST: usize = 1 << 20;

/// The magic, and one page at least.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC) && bytes.len() >= 512
}

/// Reads every table.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    let database = open(bytes).map_err(fault)?;
    let mut schema = database
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'")
        .map_err(fault)?;
    let tables: Vec<String> = schema
        .query_map([], |row| row.get(0))
        .and_then(Iterator::collect)
        .map_err(fault)?;
    for table in tables {
        let quoted = table.replace('"', "\"\"");
        let query = format!("SELECT * FROM \"{quoted}\"");
        let shown = name(table.as_bytes());
        let mut statement = match database.prepare(&query) {
            Ok(statement) => statement,
            Err(error) => {
                members.gap(Some(&shown), Reason::Damaged, error.to_string());
                continue;
            }
        };
        let columns: Vec<String> = statement
            .column_names()
            .map(|it| name(it.as_bytes()))
            .collect();
        let rows = match statement.query([]) {
            Ok(rows) => rows,
            Err(error) => {
                members.gap(Some(&shown), Reason::Damaged, error.to_string());
                continue;
            }
        };
        let mut lines = Lines {
            rows,
            columns,
            line: Vec::new(),
            at: 0,
        };
        if !members.member(&shown, &mut lines) {
            break;
        }
    }
    Ok(())
}

fn fault(error: rusqlite::Error) -> Fault {
    Fault::damaged(error.to_string())
}

fn open(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut database = Connection::open_in_memory()?;
    let mut copy = bytes.to_vec();
    copy[VERSIONS].fill(1);
    database.deserialize_read_exact("main", &copy[..], copy.len(), true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    database.set_limit(Limit::SQLITE_LIMIT_LENGTH, 64 << 20)?;
    database.pragma_update(None, "cell_size_check", true)?;
    database.pragma_update(None, "query_only", true)?;
    let mut steps = 0;
    let count = move || {
        steps += 1;
        steps > STEPS
    };
    database.progress_handler(1_000_000, Some(count))?;
    Ok(database)
}

/// The rows of a table as `column = "value"`, row by row; and where a row holds a name and a value of it,
/// as settings do, that pair too.
struct Lines<'l> {
    rows: rusqlite::Rows<'l>,
    columns: Vec<String>,
    line: Vec<u8>,
    at: usize,
}

impl Read for Lines<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.line.len() {
            self.line.clear();
            self.at = 0;
            match self.rows.next().map_err(io::Error::other)? {
                Some(row) => spell(row, &self.columns, &mut self.line),
                None => return Ok(0),
            }
        }
        let read = (&self.line[self.at..]).read(buffer)?;
        self.at += read;
        Ok(read)
    }
}

fn spell(row: &Row<'_>, columns: &[String], out: &mut Vec<u8>) {
    let mut key: Option<Vec<u8>> = None;
    for (number, column) in columns.iter().enumerate() {
        let value: &[u8] = match row.get_ref(number) {
            Ok(ValueRef::Text(it) | ValueRef::Blob(it)) => &it[..it.len().min(LONGEST)],
            _ => continue,
        };
        // Only what is text; pictures say nothing.
        if value.is_empty() || std::str::from_utf8(value).is_err() {
            continue;
        }
        let lower = column.to_ascii_lowercase();
        if [
            "name",
            "key",
            "setting",
            "option",
            "variable",
            "option_name",
        ]
        .contains(&lower.as_str())
        {
            key = Some(value.to_vec());
        } else if let Some(key) = key
            .as_ref()
            .filter(|_| lower.contains("value") || lower == "data")
        {
            line(key, value, out);
            continue;
        }
        line(column.as_bytes(), value, out);
    }
}

fn line(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    let is_plain = !value.iter().any(|it| matches!(it, b'"' | b'\n'));
    out.extend(name);
    out.extend(if is_plain { &b" = \""[..] } else { b" = " });
    out.extend(value);
    out.extend(if is_plain { &b"\"\n"[..] } else { b"\n" });
}
