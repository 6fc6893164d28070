//! What values are searched by, out of the store: all in one sealed piece, as long as that says the same as the
//! rows of versions.
//!
//! The piece is made at the end of a change, in its transaction, and a trigger of the layout removes it with
//! the first row that changes: whoever writes rows and knows nothing of it leaves a store that is slower to
//! open, and never a wrong one.

use crate::inventory::table;
use crate::model::fingerprint::{Fingerprint, Fingerprinter};
use crate::model::tag::{Tag, Tagged};
use rusqlite::{Connection, Result};
use std::collections::BTreeMap;

/// Its name in the `meta` table; that of the triggers, too.
pub(super) const KEPT: &str = "tags";

/// Of all values of all versions, and of gone records too.
pub(super) fn all(connection: &Connection, seal: &Fingerprinter) -> Result<Tagged> {
    let kept = table::meta(connection, KEPT)?;
    match kept.and_then(|it| seal.open_all(&it)) {
        Some(tagged) => Ok(tagged),
        None => one_by_one(connection, seal),
    }
}

/// Makes the piece anew if what it says is no longer so.
pub(super) fn keep(connection: &Connection, seal: &Fingerprinter) -> Result<()> {
    if table::meta(connection, KEPT)?.is_some() {
        return Ok(());
    }
    match seal.seal_all(&one_by_one(connection, seal)?) {
        Some(sealed) => table::set_meta(connection, KEPT, &sealed),
        None => Ok(()),
    }
}

fn one_by_one(connection: &Connection, seal: &Fingerprinter) -> Result<Tagged> {
    let opener = seal.opener();
    let mut opened: BTreeMap<Fingerprint, Option<Tag>> = BTreeMap::new();
    for (print, sealed) in table::tags(connection)? {
        let tag = opened.entry(print).or_default();
        if tag.is_none() {
            *tag = sealed.and_then(|it| opener.open(&print, &it));
        }
    }
    let mut tagged = Tagged::default();
    for (print, tag) in opened {
        match tag {
            Some(tag) => tagged.values.push((print, tag)),
            None => tagged.untagged += 1,
        }
    }
    Ok(tagged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::schema::MIGRATIONS;
    use crate::syntax::telling;

    fn filled(seal: &Fingerprinter, values: &[&str]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .pragma_update(None, "foreign_keys", true)
            .unwrap();
        for step in MIGRATIONS {
            connection.execute_batch(step).unwrap();
        }
        for value in values {
            add(&connection, seal, value);
        }
        connection
    }

    fn add(connection: &Connection, seal: &Fingerprinter, value: &str) {
        let row = "INSERT INTO record (name, provider, scope, path, dynamic, source, gone)
            VALUES (?1, 'vault', '', ?1, 0, 's', 0)";
        connection.execute(row, [value]).unwrap();
        let print = seal.fingerprint(value.as_bytes());
        let tag = seal.seal(&print, &telling::tag(value.as_bytes(), seal));
        let row = "INSERT INTO version (record, position, number, fingerprint, tag)
            VALUES (?1, 0, 1, ?2, ?3)";
        let tag = tag.unwrap();
        let columns = (
            connection.last_insert_rowid(),
            print.as_bytes(),
            tag.as_bytes(),
        );
        connection.execute(row, columns).unwrap();
    }

    fn is_kept(connection: &Connection) -> bool {
        table::meta(connection, KEPT).unwrap().is_some()
    }

    #[test]
    fn the_piece_says_what_the_rows_say_and_goes_with_the_first_that_changes() {
        let seal = Fingerprinter::new([5; 32]);
        let one = filled(&seal, &["q8Zk27xPw0LmN4tY", "weak"]);
        assert!(!is_kept(&one));
        let changes = [
            "UPDATE version SET tag = NULL WHERE record = 1",
            "DELETE FROM version WHERE record = 1",
            "DELETE FROM record",
        ];
        for change in changes {
            keep(&one, &seal).unwrap();
            assert!(is_kept(&one));
            let (kept, rows) = (all(&one, &seal), one_by_one(&one, &seal));
            let (kept, rows) = (kept.unwrap(), rows.unwrap());
            assert_eq!(kept.values, rows.values);
            assert_eq!(kept.untagged, rows.untagged);
            one.execute(change, []).unwrap();
            assert!(!is_kept(&one), "{change}");
        }
        assert!(all(&one, &seal).unwrap().values.is_empty());
        keep(&one, &seal).unwrap();
        add(&one, &seal, "another");
        assert!(!is_kept(&one));
    }

    #[test]
    fn a_piece_that_does_not_open_is_passed_by() {
        let seal = Fingerprinter::new([5; 32]);
        let one = filled(&seal, &["q8Zk27xPw0LmN4tY"]);
        table::set_meta(&one, KEPT, b"something else").unwrap();
        assert_eq!(all(&one, &seal).unwrap().values.len(), 1);
    }
}
