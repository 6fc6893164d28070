//! Pages in a SQLite file: kept whole or not at all, found damaged before they are used, dropped when they
//! are old or many.
//!
//! Any fault ends in a missing page and a sentence for whoever wants to know: a cache never makes a scan
//! fail. What cannot be read as a database is replaced.

use crate::ledger::error::Error;
use crate::model::shelf::{PageKey, Shelf};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use sha2::{Digest, Sha256};
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name of the file, beside the inventory.
pub const FILE: &str = "cache.db";
/// Bytes of pages that are kept, unless the caller says otherwise.
pub const LIMIT: u64 = 512 << 20;

/// Tells our caches from other databases: "KATC".
const APPLICATION_ID: i64 = 0x4b41_5443;
/// A file of another layout is replaced, not brought up to date.
const LAYOUT: i64 = 1;
const SCHEMA: &str = "
CREATE TABLE page (
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL UNIQUE,
    used INTEGER NOT NULL,
    size INTEGER NOT NULL
) STRICT;
CREATE TABLE part (
    page INTEGER NOT NULL REFERENCES page ON DELETE CASCADE,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (page, number)
) STRICT;
CREATE INDEX page_by_use ON page (used);
";
/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(5);
/// A page that was not asked for this long is dropped: its rules or its program are of the past.
const OLD: i64 = 60 * DAY;
/// That a page is in use is noted once in so long, so that most runs write nothing.
const DAY: i64 = 86_400;

/// Pages on disk.
pub struct Cache {
    path: PathBuf,
    limit: u64,
    now: i64,
    open: Mutex<Open>,
}

struct Open {
    /// `None` once it has failed.
    connection: Option<Connection>,
    faults: Vec<String>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({})", self.path.display())
    }
}

impl Cache {
    /// Opens a cache, or makes one; `now` is in seconds since the epoch.
    pub fn open(path: &Path, limit: u64, now: i64) -> Result<Self, Error> {
        let mut faults = Vec::new();
        let connection = match connect(path, limit) {
            Err(error) if is_damage(&error) => {
                faults.push(format!("{error}; it was replaced"));
                replace(path, limit)?
            }
            other => other?,
        };
        Ok(Self {
            path: path.to_owned(),
            limit,
            now,
            open: Mutex::new(Open {
                connection: Some(connection),
                faults,
            }),
        })
    }

    /// What went wrong since the last question, in sentences.
    pub fn faults(&self) -> Vec<String> {
        std::mem::take(&mut self.opened().faults)
    }

    fn opened(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something with the database. A damaged one is replaced, so that the next run has a whole one.
    fn with<T>(&self, act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>) -> Option<T> {
        let mut open = self.opened();
        let connection = open.connection.as_mut()?;
        let error = match act(connection) {
            Ok(done) => return Some(done),
            Err(error) => database(&self.path, error),
        };
        let is_damaged = is_damage(&error);
        open.faults.push(error.to_string());
        if is_damaged {
            open.connection = None;
            match replace(&self.path, self.limit) {
                Ok(fresh) => open.connection = Some(fresh),
                Err(error) => open.faults.push(error.to_string()),
            }
        }
        None
    }
}

impl Shelf for Cache {
    fn part(&self, page: &PageKey, part: u8) -> Option<Vec<u8>> {
        let found = self.with(|connection| {
            let row = connection.query_row(
                "SELECT page.used, part.digest, part.bytes FROM page JOIN part ON part.page = page.id
                 WHERE page.key = ?1 AND part.number = ?2",
                (page.as_slice(), part),
                |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?)),
            );
            row.optional()
        });
        let (used, digest, bytes) = found??;
        if digest != seal(page, part, &bytes) {
            let sentence = format!("{}: a page of it is damaged", self.path.display());
            self.opened().faults.push(sentence);
            return None;
        }
        if (self.now - used).abs() >= DAY {
            let _noted_or_told = self.with(|connection| {
                let change = "UPDATE page SET used = ?2 WHERE key = ?1";
                connection.execute(change, (page.as_slice(), self.now))
            });
        }
        Some(bytes)
    }

    fn keep(&self, page: &PageKey, parts: &[Vec<u8>]) {
        let size: u64 = parts.iter().map(|it| it.len() as u64).sum();
        if size > self.limit {
            let sentence = format!(
                "{}: {size} bytes are more than it may hold, nothing was kept",
                self.path.display()
            );
            self.opened().faults.push(sentence);
            return;
        }
        let _kept_or_told = self.with(|connection| {
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            write(&transaction, page, parts, self.now)?;
            make_room(&transaction, self.limit, self.now)?;
            transaction.commit()?;
            connection.execute_batch("PRAGMA incremental_vacuum")
        });
    }
}

/// Of a page, a part and what stands there, so that none is taken for another.
fn seal(page: &PageKey, part: u8, bytes: &[u8]) -> Vec<u8> {
    let hash = Sha256::new().chain_update(page).chain_update([part]);
    hash.chain_update(bytes).finalize()[..16].to_vec()
}

fn write(
    connection: &Connection,
    page: &PageKey,
    parts: &[Vec<u8>],
    now: i64,
) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM page WHERE key = ?1", [page.as_slice()])?;
    let size: i64 = parts.iter().map(|it| it.len() as i64).sum();
    connection.execute(
        "INSERT INTO page (key, used, size) VALUES (?1, ?2, ?3)",
        (page.as_slice(), now, size),
    )?;
    let id = connection.last_insert_rowid();
    let mut insert = connection
        .prepare("INSERT INTO part (page, number, digest, bytes) VALUES (?1, ?2, ?3, ?4)")?;
    for (number, bytes) in (0_u8..).zip(parts) {
        insert.execute((id, number, seal(page, number, bytes), bytes))?;
    }
    Ok(())
}

/// Drops what is old, then what was used longest ago, until the rest fits.
fn make_room(connection: &Connection, limit: u64, now: i64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM page WHERE used < ?1", [now - OLD])?;
    let sum = "SELECT coalesce(sum(size), 0) FROM page";
    while connection.query_row(sum, [], |row| row.get::<_, i64>(0))? > limit as i64 {
        let oldest = "DELETE FROM page WHERE id = (SELECT id FROM page ORDER BY used, id LIMIT 1)";
        connection.execute(oldest, [])?;
    }
    Ok(())
}

fn connect(path: &Path, limit: u64) -> Result<Connection, Error> {
    make_file(path).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })?;
    let fault = |it| database(path, it);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(PATIENCE).map_err(fault)?;
    let settings =
        "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA synchronous = NORMAL;
                    PRAGMA temp_store = MEMORY;";
    connection.execute_batch(settings).map_err(fault)?;
    set_up(&mut connection, path)?;
    // However it comes about, the file ends there: pages, and a quarter for what holds them together.
    let most = (limit + limit / 4) / 4096 + 256;
    let bound = connection.query_row(&format!("PRAGMA max_page_count = {most}"), [], |_| Ok(()));
    bound.map_err(fault)?;
    Ok(connection)
}

fn number(connection: &Connection, name: &str) -> rusqlite::Result<i64> {
    connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
}

/// Makes the tables of a new file; drops those of another layout.
fn set_up(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let fault = |it| database(path, it);
    let id = number(connection, "application_id").map_err(fault)?;
    if id == APPLICATION_ID && number(connection, "user_version").map_err(fault)? == LAYOUT {
        return Ok(());
    }
    let is_empty = number(connection, "page_count").map_err(fault)? == 0;
    if id != APPLICATION_ID && !is_empty {
        return Err(Error::Foreign {
            path: path.to_owned(),
        });
    }
    // Both are kept in the file, and must be said before the first table.
    let modes = "PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;";
    connection.execute_batch(modes).map_err(fault)?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Exclusive)
        .map_err(fault)?;
    // Another process may have been first.
    if number(&transaction, "user_version").map_err(fault)? != LAYOUT {
        let drop = "DROP TABLE IF EXISTS part; DROP TABLE IF EXISTS page;";
        transaction.execute_batch(drop).map_err(fault)?;
        transaction.execute_batch(SCHEMA).map_err(fault)?;
        transaction
            .pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(fault)?;
        transaction
            .pragma_update(None, "user_version", LAYOUT)
            .map_err(fault)?;
    }
    transaction.commit().map_err(fault)
}

/// Makes folder and file for their owner alone; what is there stays as it is.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // SQLite gives the log and the shared memory the mode of the database.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Begins anew where the file is no database any more.
fn replace(path: &Path, limit: u64) -> Result<Connection, Error> {
    for end in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(end);
        match fs::remove_file(&name) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                return Err(Error::Io {
                    path: name.into(),
                    source,
                });
            }
            _ => {}
        }
    }
    connect(path, limit)
}

fn is_damage(error: &Error) -> bool {
    let Error::Database { source, .. } = error else {
        return false;
    };
    let code = source.sqlite_error_code();
    matches!(
        code,
        // The last: tables or columns that are not there.
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
    )
}

fn database(path: &Path, source: rusqlite::Error) -> Error {
    Error::Database {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: PageKey = [1; 32];
    const TWO: PageKey = [2; 32];

    fn cache(folder: &tempfile::TempDir, limit: u64, now: i64) -> Cache {
        Cache::open(&folder.path().join("data").join(FILE), limit, now).unwrap()
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_page_comes_back_whole_and_is_replaced_whole() {
        let folder = folder();
        let first = cache(&folder, LIMIT, 5);
        first.keep(&ONE, &[b"a".to_vec(), b"bb".to_vec()]);
        let second = cache(&folder, LIMIT, 6);
        assert_eq!(second.part(&ONE, 1).as_deref(), Some(&b"bb"[..]));
        assert_eq!(second.part(&TWO, 0), None);
        second.keep(&ONE, &[b"c".to_vec()]);
        assert_eq!(first.part(&ONE, 0).as_deref(), Some(&b"c"[..]));
        assert_eq!(first.part(&ONE, 1), None);
        assert_eq!(first.faults(), Vec::<String>::new());
    }

    #[cfg(unix)]
    #[test]
    fn it_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let cache = cache(&folder, LIMIT, 5);
        cache.keep(&ONE, &[vec![7; 9000]]);
        for entry in fs::read_dir(folder.path().join("data")).unwrap() {
            let mode = entry.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }

    #[test]
    fn what_was_used_longest_ago_makes_room() {
        let folder = folder();
        let page = |fill: u8| vec![vec![fill; 40_000]];
        cache(&folder, 100_000, 0).keep(&ONE, &page(1));
        cache(&folder, 100_000, 10).keep(&TWO, &page(2));
        // Asked for a day later, the first is the younger one.
        assert!(cache(&folder, 100_000, DAY).part(&ONE, 0).is_some());
        let cache = cache(&folder, 100_000, DAY + 1);
        cache.keep(&[3; 32], &page(3));
        assert!(cache.part(&TWO, 0).is_none());
        assert!(cache.part(&ONE, 0).is_some() && cache.part(&[3; 32], 0).is_some());
        // More than all it may hold is not kept, and that is told.
        cache.keep(&TWO, &[vec![0; 100_001]]);
        assert!(cache.part(&TWO, 0).is_none());
        assert_eq!(cache.faults().len(), 1);
    }

    #[test]
    fn the_file_does_not_outgrow_its_bound() {
        let folder = folder();
        let cache = cache(&folder, 1 << 20, 0);
        for round in 0..40_u8 {
            cache.keep(&[round; 32], &[vec![round; 300_000]]);
        }
        assert_eq!(cache.faults(), Vec::<String>::new());
        drop(cache);
        let size = fs::metadata(folder.path().join("data").join(FILE))
            .unwrap()
            .len();
        assert!(size < 2 << 20, "{size}");
    }

    #[test]
    fn what_nobody_asked_for_is_dropped() {
        let folder = folder();
        cache(&folder, LIMIT, 0).keep(&ONE, &[vec![1]]);
        let later = cache(&folder, LIMIT, OLD + 1);
        later.keep(&TWO, &[vec![2]]);
        assert!(later.part(&ONE, 0).is_none());
        assert!(later.part(&TWO, 0).is_some());
    }

    #[test]
    fn damage_is_found_and_told_and_the_next_page_is_kept() {
        let whole = folder();
        cache(&whole, LIMIT, 0).keep(&ONE, &[vec![0x5a; 20_000]]);
        let bytes = fs::read(whole.path().join("data").join(FILE)).unwrap();
        let middle = bytes.windows(64).position(|it| it == [0x5a; 64]).unwrap();
        let mut flipped = bytes.clone();
        flipped[middle + 40] ^= 1;
        let mut cases = vec![b"no database at all".repeat(100), flipped];
        cases.extend([10, 100, 4096, bytes.len() / 2].map(|it| bytes[..it].to_vec()));
        for case in cases {
            let folder = folder();
            let path = folder.path().join(FILE);
            fs::write(&path, &case).unwrap();
            let cache = Cache::open(&path, LIMIT, 0).unwrap();
            assert_eq!(cache.part(&ONE, 0), None, "{} bytes", case.len());
            assert!(!cache.faults().is_empty(), "{} bytes", case.len());
            cache.keep(&ONE, &[vec![3]]);
            assert_eq!(cache.part(&ONE, 0), Some(vec![3]));
        }
    }

    #[test]
    fn another_programs_database_is_left_alone() {
        let folder = folder();
        let path = folder.path().join(FILE);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("CREATE TABLE theirs (x)").unwrap();
        drop(other);
        let refused = Cache::open(&path, LIMIT, 0);
        assert!(matches!(refused, Err(Error::Foreign { .. })));
        let nowhere = Cache::open(&path.join("below"), LIMIT, 0);
        assert!(matches!(nowhere, Err(Error::Io { .. })));
    }
}
