//! The store's layout and how an older one becomes the present one.
//!
//! Each entry of [`MIGRATIONS`] brings the layout from its index to the next and never changes once
//! released. Reading and writing rows is the work of `table.rs`.

/// Tells our databases from others: "KATL".
pub(super) const APPLICATION_ID: i64 = 0x4b41_544c;

/// The layout this program writes.
pub(super) const LAYOUT: i64 = MIGRATIONS.len() as i64;

/// Step by step from nothing to the present layout.
pub(super) const MIGRATIONS: &[&str] = &[
    "
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE source (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    imported INTEGER NOT NULL
) STRICT;

CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    provider TEXT NOT NULL,
    scope TEXT NOT NULL,
    path TEXT NOT NULL,
    key TEXT,
    pinned TEXT,
    environment TEXT,
    created INTEGER,
    rotated INTEGER,
    accessed INTEGER,
    accessed_by TEXT,
    expires INTEGER,
    rotation_days INTEGER,
    kind TEXT,
    dynamic INTEGER NOT NULL,
    source TEXT NOT NULL,
    source_line INTEGER,
    gone INTEGER NOT NULL
) STRICT;

CREATE TABLE owner (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE tag (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    PRIMARY KEY (record, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE version (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    created INTEGER,
    fingerprint BLOB,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE record_source (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
    PRIMARY KEY (record, source)
) STRICT, WITHOUT ROWID;

CREATE INDEX record_source_by_source ON record_source (source);

CREATE TABLE complete (
    source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
    provider TEXT NOT NULL,
    prefix TEXT NOT NULL,
    PRIMARY KEY (source, provider, prefix)
) STRICT, WITHOUT ROWID;
",
    "
ALTER TABLE version ADD COLUMN veil INTEGER;
",
    "
CREATE TABLE access (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    accessor TEXT NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE reader (
    record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;
",
    "
CREATE TABLE person (
    source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    aliases TEXT NOT NULL,
    team TEXT,
    until INTEGER,
    left_at INTEGER,
    line INTEGER NOT NULL,
    PRIMARY KEY (source, position)
) STRICT, WITHOUT ROWID;
",
    // One row for each day on which somebody looked: counts for trends (`health.rs` says what they count).
    "
CREATE TABLE day (
    day INTEGER PRIMARY KEY,
    records INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    valued INTEGER NOT NULL,
    unowned INTEGER NOT NULL,
    old INTEGER NOT NULL,
    ending INTEGER NOT NULL,
    expired INTEGER NOT NULL,
    sharing INTEGER NOT NULL,
    idle INTEGER NOT NULL
) STRICT;
",
    "
ALTER TABLE version ADD COLUMN tag BLOB;
",
    // What is kept in one piece of all versions (`tags.rs`) ends with the first that changes.
    "
CREATE TRIGGER version_added AFTER INSERT ON version
BEGIN DELETE FROM meta WHERE name = 'tags'; END;

CREATE TRIGGER version_changed AFTER UPDATE ON version
BEGIN DELETE FROM meta WHERE name = 'tags'; END;

CREATE TRIGGER version_removed AFTER DELETE ON version
BEGIN DELETE FROM meta WHERE name = 'tags'; END;
",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_applies() {
        let connection = rusqlite::Connection::open_in_memory().unwrap();
        for step in MIGRATIONS {
            connection.execute_batch(step).unwrap();
        }
    }
}
