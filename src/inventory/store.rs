//! The store's file: created, opened, refused, imported into, and sealed anew.
//!
//! Every change is one transaction. What to change is decided in `merge.rs`, without the store.

use crate::inventory::days;
use crate::inventory::error::Error;
use crate::inventory::evidence::{self, Noted};
use crate::inventory::health::Day;
use crate::inventory::key::{self, Key};
use crate::inventory::merge::{self, Estate, Merge};
use crate::inventory::people;
use crate::inventory::schema::{APPLICATION_ID, LAYOUT, MIGRATIONS};
use crate::inventory::table;
use crate::inventory::tags;
use crate::model::access::Reading;
use crate::model::fingerprint::{Fingerprint, Fingerprinter};
use crate::model::people::{Entry, People};
use crate::model::record::{CompleteScope, Inventory, Record};
use crate::model::secret::Worth;
use crate::model::tag::{Counts, Tagged};
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// The data key, wrapped by the installation key.
const WRAPPED: &str = "wrapped-data-key";
/// What [`Fingerprinter::key_id`] says of the data key.
const KEY_ID: &str = "data-key-id";
/// How long to wait for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);
const MAGIC: &[u8] = b"SQLite format 3\0";

/// An inventory on disk.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    unlocked: Option<Unlocked>,
}

struct Unlocked {
    key: Key,
    fingerprinter: Fingerprinter,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Store({}, unlocked: {})",
            self.path.display(),
            self.unlocked.is_some()
        )
    }
}

/// Where records were imported from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Source {
    /// File name or URL.
    pub name: String,
    /// When it was last imported, seconds since the epoch.
    pub imported: i64,
    /// Records it has at present.
    pub records: usize,
}

/// The state of a store in numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Status {
    /// Records that some source has at present.
    pub records: usize,
    /// Those whose current value is known by its fingerprint.
    pub with_value: usize,
    /// Those whose current value is not known: they are matched by name only.
    pub without_value: usize,
    /// Records that no source has any more.
    pub gone: usize,
    /// Fingerprints held, of all versions and of gone records too.
    pub fingerprints: usize,
    /// Records at present, by provider.
    pub providers: BTreeMap<String, usize>,
    /// Sources, sorted by name.
    pub sources: Vec<Source>,
    /// The record whose value is oldest, and since when.
    pub oldest_rotation: Option<(String, i64)>,
    /// Records at present without any date to judge their age by.
    pub undated: usize,
    /// People that lists name.
    pub people: usize,
    /// Those of them of whom a list says when they leave or have left.
    pub leavers: usize,
    /// Teams.
    pub teams: usize,
    /// How many distinct values, of all versions and of gone records too, can be found where; `None`
    /// without the key.
    pub known: Option<Counts>,
    /// Whether the store was opened with its key.
    pub unlocked: bool,
    /// The layout of the file.
    pub layout: i64,
}

impl Store {
    /// Makes a new store, sealed by the key in `key_file`, which is made too if there is none. Never
    /// replaces a file.
    pub fn create(path: &Path, key_file: &Path) -> Result<Self, Error> {
        if is_filled(path) {
            return Err(Error::Exists {
                path: path.to_owned(),
            });
        }
        let key = Key::open_or_create(key_file)?;
        let data_key = key::random()?;
        let wrapped = key.wrap(&data_key)?;
        let fingerprinter = Fingerprinter::new(*data_key);
        make_file(path)?;
        let mut connection = connect(path)?;
        let fault = |it| database(path, it);
        // Before the first table: the journal mode is kept in the file.
        let mode = connection.query_row("PRAGMA journal_mode = WAL", [], |row| {
            row.get::<_, String>(0)
        });
        mode.map_err(fault)?;
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Exclusive)
            .map_err(fault)?;
        migrate(&transaction, 0).map_err(fault)?;
        table::set_meta(&transaction, WRAPPED, &wrapped).map_err(fault)?;
        table::set_meta(&transaction, KEY_ID, &fingerprinter.key_id()).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        Ok(Self {
            connection,
            path: path.to_owned(),
            unlocked: Some(Unlocked { key, fingerprinter }),
        })
    }

    /// Opens a store. Without the key file names and dates can be read, and nothing can be recognised by
    /// its value.
    pub fn open(path: &Path, key_file: Option<&Path>) -> Result<Self, Error> {
        refuse_other_files(path)?;
        let mut connection = connect(path)?;
        examine(&mut connection, path)?;
        let unlocked = match key_file {
            Some(key_file) => Some(unlock(&connection, path, key_file)?),
            None => None,
        };
        Ok(Self {
            connection,
            path: path.to_owned(),
            unlocked,
        })
    }

    /// Makes fingerprints that this store's can be compared with; `None` without its key.
    pub fn fingerprinter(&self) -> Option<Fingerprinter> {
        self.unlocked.as_ref().map(|it| it.fingerprinter.clone())
    }

    /// Everything the store knows, gone records included.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        let fault = |it| database(&self.path, it);
        let records = table::records(&self.connection).map_err(fault)?;
        let plain = self
            .unlocked
            .as_ref()
            .map(|it| plain(&records, &it.fingerprinter));
        Ok(Inventory {
            complete: table::complete(&self.connection).map_err(fault)?,
            people: People::of(&people::load(&self.connection).map_err(fault)?),
            plain: plain.unwrap_or_default(),
            records,
        })
    }

    /// What every value is searched by, of all versions and of gone records too; `None` without the key.
    pub fn tagged(&self) -> Result<Option<Tagged>, Error> {
        let Some(unlocked) = &self.unlocked else {
            return Ok(None);
        };
        let tagged = tags::all(&self.connection, &unlocked.fingerprinter);
        Ok(Some(tagged.map_err(|it| database(&self.path, it))?))
    }

    /// Takes in one whole import of a source, made at `now`, or nothing of it.
    ///
    /// `complete` is what this source declares complete from now on.
    pub fn import(
        &mut self,
        source: &str,
        records: Vec<Record>,
        complete: &[CompleteScope],
        now: i64,
    ) -> Result<Merge, Error> {
        let Self {
            connection,
            path,
            unlocked,
        } = self;
        let fault = |it| database(path, it);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let before = table::load(&transaction).map_err(fault)?;
        let mut after: Estate = before.clone();
        let merge = merge::import(&mut after, records, source, now);
        table::note_source(&transaction, source, complete, now).map_err(fault)?;
        table::save(&transaction, &before, &after).map_err(fault)?;
        keep_tags(&transaction, unlocked.as_ref()).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        Ok(merge)
    }

    /// Notes who read what with the records there are, or nothing of it.
    pub fn note(&mut self, readings: &[Reading]) -> Result<Noted, Error> {
        let Self {
            connection,
            path,
            unlocked,
        } = self;
        let fault = |it| database(path, it);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let before = table::load(&transaction).map_err(fault)?;
        let mut after: Estate = before.clone();
        let noted = evidence::note(&mut after, readings);
        table::save(&transaction, &before, &after).map_err(fault)?;
        keep_tags(&transaction, unlocked.as_ref()).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        Ok(noted)
    }

    /// Takes in a whole list of people, made at `now`, in place of what the source said before; returns how many
    /// lines that were.
    pub fn import_people(
        &mut self,
        source: &str,
        entries: &[Entry],
        now: i64,
    ) -> Result<usize, Error> {
        let Self {
            connection, path, ..
        } = self;
        let fault = |it| database(path, it);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let id = table::touch_source(&transaction, source, now).map_err(fault)?;
        let before = people::save(&transaction, id, entries).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        Ok(before)
    }

    /// Removes a record and its history; says whether there was one.
    pub fn forget(&mut self, name: &str) -> Result<bool, Error> {
        let Self {
            connection,
            path,
            unlocked,
        } = self;
        let fault = |it| database(path, it);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(fault)?;
        let is_removed = table::remove(&transaction, name).map_err(fault)?;
        keep_tags(&transaction, unlocked.as_ref()).map_err(fault)?;
        transaction.commit().map_err(fault)?;
        Ok(is_removed)
    }

    /// The store in numbers.
    pub fn status(&self) -> Result<Status, Error> {
        let fault = |it| database(&self.path, it);
        let estate = table::load(&self.connection).map_err(fault)?;
        let sources = table::sources(&self.connection).map_err(fault)?;
        let people = People::of(&people::load(&self.connection).map_err(fault)?);
        let teams: BTreeSet<&str> = people
            .iter()
            .flat_map(|it| &it.teams)
            .map(|it| it.team.as_str())
            .collect();
        Ok(Status {
            people: people.iter().count(),
            leavers: people.iter().filter(|it| it.left.is_some()).count(),
            teams: teams.len(),
            known: self.tagged()?.map(|it| it.counts()),
            unlocked: self.unlocked.is_some(),
            ..summary(&estate, &sources)
        })
    }

    /// Notes the numbers of a day; a later note on the same day replaces it.
    pub fn note_day(&mut self, day: &Day) -> Result<(), Error> {
        days::note(&self.connection, day).map_err(|it| database(&self.path, it))
    }

    /// The days noted, the first first.
    pub fn days(&self) -> Result<Vec<Day>, Error> {
        days::all(&self.connection).map_err(|it| database(&self.path, it))
    }

    /// Seals the data key under another installation key, made if its file does not exist. Fingerprints
    /// stay as they are; the old key file no longer opens this store.
    pub fn rekey(&mut self, new_key_file: &Path) -> Result<(), Error> {
        let no_key = || Error::NoKey {
            path: self.path.clone(),
        };
        let unlocked = self.unlocked.as_mut().ok_or_else(no_key)?;
        let fault = |it| database(&self.path, it);
        let wrapped = table::meta(&self.connection, WRAPPED).map_err(fault)?;
        let data_key = wrapped
            .and_then(|it| unlocked.key.unwrap(&it))
            .ok_or_else(|| {
                corrupt(
                    &self.path,
                    "its data key was sealed anew by another process",
                )
            })?;
        let new_key = Key::open_or_create(new_key_file)?;
        let wrapped = new_key.wrap(&data_key)?;
        table::set_meta(&self.connection, WRAPPED, &wrapped).map_err(fault)?;
        // The old wrapping would stay readable in the log until it happens to be overwritten.
        self.connection
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
            .map_err(fault)?;
        unlocked.key = new_key;
        Ok(())
    }
}

/// Values that are no more than settings.
/// Without the key nothing is kept: the next change with it does so.
fn keep_tags(connection: &Connection, unlocked: Option<&Unlocked>) -> rusqlite::Result<()> {
    unlocked.map_or(Ok(()), |it| tags::keep(connection, &it.fingerprinter))
}

fn plain(records: &[Record], seal: &Fingerprinter) -> HashSet<Fingerprint> {
    let versions = records.iter().flat_map(|it| &it.versions);
    versions
        .filter_map(|it| it.fingerprint.zip(it.veil.as_ref()))
        .filter(|(print, veil)| seal.unveil(print, veil.worth) == Worth::Plain)
        .map(|(print, _)| print)
        .collect()
}

fn summary(estate: &Estate, sources: &[(String, i64)]) -> Status {
    let present = || estate.values().map(|it| &it.record).filter(|it| !it.gone);
    let has_value = |it: &&Record| {
        it.versions
            .last()
            .is_some_and(|it| it.fingerprint.is_some())
    };
    let (records, with_value) = (present().count(), present().filter(has_value).count());
    let mut providers = BTreeMap::new();
    for record in present() {
        *providers.entry(record.secret.provider.clone()).or_insert(0) += 1;
    }
    let age = |it: &Record| it.rotated.or(it.created);
    Status {
        records,
        with_value,
        without_value: records - with_value,
        gone: estate.len() - records,
        fingerprints: estate
            .values()
            .flat_map(|it| &it.record.versions)
            .filter(|it| it.fingerprint.is_some())
            .count(),
        providers,
        sources: sources
            .iter()
            .map(|(name, imported)| Source {
                name: name.clone(),
                imported: *imported,
                records: estate
                    .values()
                    .filter(|it| it.sources.contains(name))
                    .count(),
            })
            .collect(),
        oldest_rotation: present()
            .filter_map(|it| age(it).map(|age| (it.name.clone(), age)))
            .min_by_key(|(_, age)| *age),
        undated: present().filter(|it| age(it).is_none()).count(),
        people: 0,
        leavers: 0,
        teams: 0,
        known: None,
        unlocked: false,
        layout: LAYOUT,
    }
}

/// Whether something lies there; an empty file, as an interrupted creation leaves it, does not count.
fn is_filled(path: &Path) -> bool {
    match fs::symlink_metadata(path) {
        Ok(metadata) => !metadata.is_file() || metadata.len() > 0,
        Err(_) => false,
    }
}

fn make_file(path: &Path) -> Result<(), Error> {
    let io_fault = |source| Error::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent().filter(|it| !it.as_os_str().is_empty()) {
        key::private_folder(folder).map_err(io_fault)?;
    }
    // SQLite gives the log and the shared memory the mode of the database, so it is set before.
    match key::private_file(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !is_filled(path) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Error::Exists {
            path: path.to_owned(),
        }),
        other => other.map(|_| ()).map_err(io_fault),
    }
}

fn connect(path: &Path) -> Result<Connection, Error> {
    let fault = |it| database(path, it);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(fault)?;
    connection.busy_timeout(PATIENCE).map_err(fault)?;
    // A replaced wrapping of the data key must not stay behind in free pages.
    connection
        .execute_batch(
            "PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON; PRAGMA trusted_schema = OFF;",
        )
        .map_err(fault)?;
    Ok(connection)
}

/// Looks before the database does: it would set up a log beside whatever it is given.
fn refuse_other_files(path: &Path) -> Result<(), Error> {
    let io_fault = |source: io::Error| match source.kind() {
        io::ErrorKind::NotFound => Error::Missing {
            path: path.to_owned(),
        },
        _ => Error::Io {
            path: path.to_owned(),
            source,
        },
    };
    let mut start = [0; 16];
    let mut file = File::open(path).map_err(io_fault)?;
    match file.read_exact(&mut start) {
        Ok(()) if start == MAGIC => Ok(()),
        Ok(()) => Err(corrupt(path, "it does not begin like a database")),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            Err(corrupt(path, "it is cut off"))
        }
        Err(error) => Err(io_fault(error)),
    }
}

/// Is it ours, whole, and of a layout known here? An older one is brought up to date.
fn examine(connection: &mut Connection, path: &Path) -> Result<(), Error> {
    let fault = |it| database(path, it);
    let number = |connection: &Connection, name: &str| {
        connection
            .query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
            .map_err(fault)
    };
    if number(connection, "application_id")? != APPLICATION_ID {
        return Err(Error::NotAStore {
            path: path.to_owned(),
        });
    }
    let found = number(connection, "user_version")?;
    if found > LAYOUT {
        return Err(Error::Newer {
            path: path.to_owned(),
            found,
            known: LAYOUT,
        });
    }
    let whole: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(fault)?;
    if whole != "ok" {
        return Err(corrupt(path, &whole));
    }
    if found < LAYOUT {
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Exclusive)
            .map_err(fault)?;
        // Another process may have been first.
        let found = number(&transaction, "user_version")?;
        migrate(&transaction, found).map_err(fault)?;
        transaction.commit().map_err(fault)?;
    }
    Ok(())
}

fn migrate(connection: &Connection, from: i64) -> rusqlite::Result<()> {
    for step in MIGRATIONS.iter().skip(usize::try_from(from).unwrap_or(0)) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", LAYOUT)
}

fn unlock(connection: &Connection, path: &Path, key_file: &Path) -> Result<Unlocked, Error> {
    let fault = |it| database(path, it);
    let meta = |name: &str| {
        table::meta(connection, name)
            .map_err(fault)?
            .ok_or_else(|| corrupt(path, "its data key is missing"))
    };
    let key = Key::open(key_file)?;
    let data_key: Zeroizing<[u8; 32]> =
        key.unwrap(&meta(WRAPPED)?).ok_or_else(|| Error::OtherKey {
            store: path.to_owned(),
            key_file: key_file.to_owned(),
        })?;
    let fingerprinter = Fingerprinter::new(*data_key);
    if fingerprinter.key_id().as_slice() != meta(KEY_ID)? {
        return Err(corrupt(
            path,
            "its data key is not the one its fingerprints were made with",
        ));
    }
    Ok(Unlocked { key, fingerprinter })
}

fn corrupt(path: &Path, what: &str) -> Error {
    Error::Corrupt {
        path: path.to_owned(),
        what: what.to_owned(),
    }
}

fn database(path: &Path, error: rusqlite::Error) -> Error {
    let is_of_wrong_type = matches!(
        error,
        rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::InvalidColumnType(..)
    );
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            corrupt(path, &error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Busy {
            path: path.to_owned(),
        },
        _ if is_of_wrong_type => corrupt(path, "a row holds what this program never writes"),
        _ => Error::Database {
            path: path.to_owned(),
            source: error,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::record::{Veil, Version};
    use crate::model::reference::SecretName;
    use crate::model::rule::Kind;
    use crate::syntax::telling;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn store(&self) -> PathBuf {
            self.0.path().join("data/inventory.db")
        }

        fn key(&self, name: &str) -> PathBuf {
            self.0.path().join("keys").join(name)
        }

        fn create(&self) -> Store {
            Store::create(&self.store(), &self.key("one")).unwrap()
        }

        fn open(&self) -> Result<Store, Error> {
            Store::open(&self.store(), Some(&self.key("one")))
        }
    }

    fn whole(seal: &Fingerprinter) -> Record {
        Record {
            name: "kv/shop/db#password".to_owned(),
            secret: SecretName {
                version: Some("3".to_owned()),
                ..SecretName::new("vault", "kv/shop/db")
                    .within("team")
                    .with_key("password")
            },
            environment: Some("production".to_owned()),
            owners: vec!["bob".to_owned(), "ann".to_owned()],
            readers: vec!["zoe".to_owned(), "vault Shop".to_owned()],
            created: Some(-5),
            rotated: Some(1_764_489_600),
            accessed: Some(3),
            accessed_by: Some("shop-api".to_owned()),
            accesses: vec![crate::model::access::Access {
                by: "shop-api".to_owned(),
                first: 1,
                last: 3,
                count: 2,
            }],
            expires: Some(4),
            rotation_days: Some(90),
            kind: Some(Kind::Password),
            dynamic: true,
            source: "s".to_owned(),
            source_line: Some(7),
            versions: (2..4)
                .map(|number| Version {
                    veil: (number == 3).then(|| {
                        let print = seal.fingerprint(b"value");
                        Veil {
                            worth: seal.veil(&print, Worth::Plain),
                            tag: seal.seal(&print, &telling::tag(b"value", seal)),
                        }
                    }),
                    number,
                    created: Some(i64::from(number)),
                    fingerprint: (number == 3).then(|| seal.fingerprint(b"value")),
                })
                .collect(),
            gone: false,
            tags: [("a".to_owned(), "b".to_owned())].into(),
        }
    }

    fn plain(name: &str) -> Record {
        Record {
            name: name.to_owned(),
            secret: SecretName::new("vault", name),
            ..Record::default()
        }
    }

    #[test]
    fn a_record_comes_back_as_it_was() {
        let folder = Folder::new();
        let mut store = folder.create();
        let record = whole(&store.fingerprinter().unwrap());
        let scope = CompleteScope {
            provider: "vault".to_owned(),
            prefix: "kv/".to_owned(),
        };
        store
            .import("s", vec![record.clone()], std::slice::from_ref(&scope), 1)
            .unwrap();
        drop(store);
        let store = folder.open().unwrap();
        let inventory = store.inventory().unwrap();
        assert_eq!(inventory.records, [record]);
        assert_eq!(inventory.complete, [scope]);
        assert!(store.fingerprinter().is_some());
    }

    #[test]
    fn imports_add_up_and_the_same_one_twice_changes_nothing() {
        let folder = Folder::new();
        let mut store = folder.create();
        let list = || vec![plain("a"), plain("b")];
        assert_eq!(store.import("s", list(), &[], 1).unwrap().added, ["a", "b"]);
        let before = store.inventory().unwrap().records;
        assert_eq!(store.import("s", list(), &[], 2).unwrap().unchanged, 2);
        assert_eq!(store.inventory().unwrap().records, before);
        assert_eq!(
            store.import("s", vec![plain("b")], &[], 3).unwrap().gone,
            ["a"]
        );
        assert!(store.inventory().unwrap().records[0].gone);
        assert!(store.forget("a").unwrap());
        assert!(!store.forget("a").unwrap());
        assert_eq!(store.inventory().unwrap().records.len(), 1);
    }

    #[test]
    fn a_failed_import_changes_nothing() {
        let folder = Folder::new();
        let mut store = folder.create();
        store.import("s", vec![plain("a")], &[], 1).unwrap();
        store
            .connection
            .execute_batch(
                "CREATE TRIGGER refuse BEFORE INSERT ON record WHEN NEW.name = 'c'
                 BEGIN SELECT RAISE(ABORT, 'full'); END;",
            )
            .unwrap();
        let scope = CompleteScope {
            provider: "vault".to_owned(),
            prefix: String::new(),
        };
        let result = store.import("s", vec![plain("b"), plain("c")], &[scope], 2);
        assert!(matches!(result, Err(Error::Database { .. })), "{result:?}");
        let inventory = store.inventory().unwrap();
        assert_eq!(
            inventory
                .records
                .iter()
                .map(|it| &it.name)
                .collect::<Vec<_>>(),
            ["a"]
        );
        assert!(!inventory.records[0].gone && inventory.complete.is_empty());
        assert_eq!(store.status().unwrap().sources[0].imported, 1);
    }

    #[test]
    fn a_list_of_people_is_replaced_whole() {
        let folder = Folder::new();
        let mut store = folder.create();
        let line = |name: &str, left: Option<i64>| Entry {
            name: name.to_owned(),
            aliases: vec![format!("{name}@shop.example"), format!("{name}-login")],
            team: Some("pay".to_owned()),
            until: Some(9),
            left,
            source: "teams.csv".to_owned(),
            line: 2,
        };
        let entries = [line("ann", None), line("bob", Some(7))];
        assert_eq!(store.import_people("teams.csv", &entries, 1).unwrap(), 0);
        assert_eq!(store.import_people("teams.csv", &entries, 2).unwrap(), 2);
        drop(store);
        let mut store = folder.open().unwrap();
        let people = store.inventory().unwrap().people;
        assert_eq!(people, People::of(&entries));
        assert_eq!(people.find("bob-login").unwrap().left, Some(7));
        let status = store.status().unwrap();
        assert_eq!((status.people, status.leavers, status.teams), (2, 1, 1));
        assert_eq!(
            store.import_people("teams.csv", &entries[..1], 3).unwrap(),
            2
        );
        assert!(store.inventory().unwrap().people.find("bob").is_none());
    }

    #[test]
    fn the_status_counts_what_is_there() {
        let folder = Folder::new();
        let mut store = folder.create();
        let record = whole(&store.fingerprinter().unwrap());
        store
            .import("s", vec![record, plain("a"), plain("b")], &[], 1)
            .unwrap();
        store.import("t", vec![plain("b")], &[], 2).unwrap();
        store
            .import("s", vec![whole(&store.fingerprinter().unwrap())], &[], 3)
            .unwrap();
        let status = store.status().unwrap();
        assert_eq!(
            (
                status.records,
                status.with_value,
                status.without_value,
                status.gone
            ),
            (2, 1, 1, 1)
        );
        assert_eq!(status.fingerprints, 1);
        assert_eq!(status.providers, [("vault".to_owned(), 2)].into());
        let sources: Vec<_> = status
            .sources
            .iter()
            .map(|it| (it.name.as_str(), it.imported, it.records))
            .collect();
        assert_eq!(sources, [("s", 3, 1), ("t", 2, 1)]);
        assert_eq!(
            status.oldest_rotation,
            Some(("kv/shop/db#password".to_owned(), 1_764_489_600))
        );
        assert_eq!(
            (status.undated, status.unlocked, status.layout),
            (1, true, LAYOUT)
        );
    }

    #[test]
    fn what_a_value_is_worth_is_told_under_the_key_alone() {
        let folder = Folder::new();
        let mut store = folder.create();
        let seal = store.fingerprinter().unwrap();
        store.import("s", vec![whole(&seal)], &[], 1).unwrap();
        let plain = store.inventory().unwrap().plain;
        assert_eq!(plain, [seal.fingerprint(b"value")].into());
        drop(store);
        let locked = Store::open(&folder.store(), None).unwrap();
        assert!(locked.inventory().unwrap().plain.is_empty());
    }

    /// A store as an earlier layout had it, with one record.
    fn of_layout(layout: usize, meta: &[(String, Vec<u8>)], path: &Path) {
        let connection = Connection::open(path).unwrap();
        for step in &MIGRATIONS[..layout] {
            connection.execute_batch(step).unwrap();
        }
        for (name, value) in meta {
            table::set_meta(&connection, name, value).unwrap();
        }
        connection
            .execute_batch(
                "INSERT INTO source VALUES (1, 's', 1);
                 INSERT INTO record (id, name, provider, scope, path, dynamic, source, gone)
                    VALUES (1, 'a', 'vault', '', 'a', 0, 's', 0);
                 INSERT INTO record_source VALUES (1, 1);
                 INSERT INTO version (record, position, number) VALUES (1, 0, 1);",
            )
            .unwrap();
        connection
            .pragma_update(None, "application_id", APPLICATION_ID)
            .unwrap();
        connection
            .pragma_update(None, "user_version", layout as i64)
            .unwrap();
    }

    #[test]
    fn a_store_of_any_earlier_layout_is_brought_up_to_this_one() {
        let folder = Folder::new();
        let meta = {
            let store = folder.create();
            [WRAPPED, KEY_ID].map(|name| {
                let value = table::meta(&store.connection, name).unwrap().unwrap();
                (name.to_owned(), value)
            })
        };
        for layout in 1..MIGRATIONS.len() {
            let path = folder.0.path().join(format!("{layout}.db"));
            of_layout(layout, &meta, &path);
            let mut store = Store::open(&path, Some(&folder.key("one"))).unwrap();
            let seal = store.fingerprinter().unwrap();
            store.import("t", vec![whole(&seal)], &[], 2).unwrap();
            let inventory = store.inventory().unwrap();
            assert_eq!((inventory.records.len(), inventory.plain.len()), (2, 1));
            assert_eq!(inventory.records[0].name, "a");
            assert_eq!(inventory.records[1].readers, whole(&seal).readers);
            assert_eq!(store.status().unwrap().layout, LAYOUT);
        }
    }

    #[test]
    fn without_its_key_a_store_gives_names_only() {
        let folder = Folder::new();
        folder
            .create()
            .import("s", vec![plain("a")], &[], 1)
            .unwrap();
        let mut store = Store::open(&folder.store(), None).unwrap();
        assert!(store.fingerprinter().is_none());
        assert!(!store.status().unwrap().unlocked);
        assert_eq!(store.inventory().unwrap().records.len(), 1);
        assert!(matches!(
            store.rekey(&folder.key("two")),
            Err(Error::NoKey { .. })
        ));
        assert!(!folder.key("two").exists());
    }

    #[test]
    fn a_new_key_takes_over_and_fingerprints_stay() {
        let folder = Folder::new();
        let mut store = folder.create();
        let print = store.fingerprinter().unwrap().fingerprint(b"x");
        let old = table::meta(&store.connection, WRAPPED).unwrap().unwrap();
        store.rekey(&folder.key("two")).unwrap();
        store.rekey(&folder.key("two")).unwrap();
        drop(store);
        assert!(matches!(folder.open(), Err(Error::OtherKey { .. })));
        let store = Store::open(&folder.store(), Some(&folder.key("two"))).unwrap();
        assert_eq!(store.fingerprinter().unwrap().fingerprint(b"x"), print);
        drop(store);
        let bytes = fs::read(folder.store()).unwrap();
        assert!(
            memchr::memmem::find(&bytes, &old).is_none(),
            "the old wrapping is wiped"
        );
    }

    #[test]
    fn what_is_no_store_of_ours_is_refused_and_left_alone() {
        let folder = Folder::new();
        drop(folder.create());
        let good = fs::read(folder.store()).unwrap();
        let place = folder.0.path().join("x.db");
        let mut bent = good.clone();
        bent[4096..8192].fill(0xff);
        let foreign = folder.0.path().join("foreign.db");
        Connection::open(&foreign)
            .unwrap()
            .execute_batch("CREATE TABLE a (b)")
            .unwrap();
        let mut newer = good.clone();
        newer[60..64].copy_from_slice(&99_u32.to_be_bytes());
        type Check = fn(&Error) -> bool;
        let corrupt: Check = |it| matches!(it, Error::Corrupt { .. });
        let cases: Vec<(&str, Vec<u8>, Check)> = vec![
            (
                "text",
                b"not a database at all, only text".to_vec(),
                corrupt,
            ),
            ("empty", Vec::new(), corrupt),
            ("cut", good[..good.len() / 2].to_vec(), corrupt),
            ("bent", bent, corrupt),
            ("foreign", fs::read(&foreign).unwrap(), |it| {
                matches!(it, Error::NotAStore { .. })
            }),
            ("newer", newer, |it| {
                matches!(it, Error::Newer { found: 99, .. })
            }),
        ];
        for (what, bytes, check) in cases {
            fs::write(&place, &bytes).unwrap();
            let error = Store::open(&place, Some(&folder.key("one"))).unwrap_err();
            assert!(check(&error), "{what}: {error:?}");
            assert!(error.to_string().contains("x.db"), "{error}");
            assert!(error.hint().is_some());
            assert_eq!(fs::read(&place).unwrap(), bytes, "{what}: left alone");
        }
        assert!(matches!(
            Store::open(&folder.0.path().join("none"), None),
            Err(Error::Missing { .. })
        ));
    }

    #[test]
    fn creation_replaces_nothing_and_takes_up_an_interrupted_one() {
        let folder = Folder::new();
        drop(folder.create());
        let again = Store::create(&folder.store(), &folder.key("one"));
        assert!(matches!(again, Err(Error::Exists { .. })));
        let interrupted = folder.0.path().join("empty.db");
        fs::write(&interrupted, b"").unwrap();
        Store::create(&interrupted, &folder.key("one")).unwrap();
        Key::create(&folder.key("two")).unwrap();
        let other = Store::open(&interrupted, Some(&folder.key("two"))).unwrap_err();
        assert!(matches!(other, Error::OtherKey { .. }));
    }

    #[test]
    fn two_processes_take_turns() {
        let folder = Folder::new();
        let mut one = folder.create();
        let mut two = folder.open().unwrap();
        one.import("s", vec![plain("a")], &[], 1).unwrap();
        two.import("t", vec![plain("b")], &[], 1).unwrap();
        assert_eq!(one.inventory().unwrap().records.len(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_any_of_its_files() {
        use std::os::unix::fs::PermissionsExt;
        let folder = Folder::new();
        let mut store = folder.create();
        store.import("s", vec![plain("a")], &[], 1).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let data = folder.store().parent().unwrap().to_owned();
        assert_eq!(mode(&data), 0o700);
        let files: Vec<_> = fs::read_dir(&data)
            .unwrap()
            .map(|it| it.unwrap().path())
            .collect();
        assert!(
            files.len() >= 2,
            "the log is there while the store is open: {files:?}"
        );
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
}
