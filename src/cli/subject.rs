//! What a command is asked about: a record, a fingerprint, an occurrence, or a value that somebody types in.
//!
//! A value is turned into its fingerprint at once. It is not shown, not kept, and overwritten.

use super::inventory;
use super::known;
use super::message::Fault;
use super::plan::Plan;
use crate::inventory::Store;
use crate::model::fingerprint::{Fingerprint, Fingerprinter};
use crate::model::map::Subject;
use crate::model::record::Record;
use crate::syntax::key;
use data_encoding::HEXLOWER_PERMISSIVE;
use std::io::{self, IsTerminal, Read};
use zeroize::Zeroizing;

/// What an argument of the command line means; `-` reads a value, which is then to be looked for.
pub(super) fn named(plan: &mut Plan, name: Option<&str>) -> Result<Subject, Fault> {
    let Some(store) = &plan.store else {
        return Err(
            Fault::new("a map needs an inventory: it shows where its records are used")
                .hint("keyatlas inventory init, then keyatlas inventory import KIND FILE"),
        );
    };
    match name {
        None => Ok(Subject::Everything),
        Some("-") => {
            let (value, print) = typed(store)?;
            plan.scan.known = known::values_and(store, &value)?;
            Ok(Subject::Value(print))
        }
        Some(name) if name.starts_with("ko1:") => Ok(Subject::Occurrence(name.to_owned())),
        Some(name) => match name.strip_prefix("kf1:") {
            Some(digits) => fingerprint(digits).map(Subject::Value),
            None => record(name, &store.inventory()?.records),
        },
    }
}

fn fingerprint(digits: &str) -> Result<Fingerprint, Fault> {
    let bytes = HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).ok();
    let bytes = bytes.and_then(|it| <[u8; 32]>::try_from(it).ok());
    bytes.map(Fingerprint::from_bytes).ok_or_else(|| {
        Fault::new(format!("kf1:{digits}: this is no fingerprint"))
            .hint("kf1: and 64 hexadecimal digits, as reports with the inventory's key have them")
    })
}

/// Looks before the run: one that the name fits.
fn record(name: &str, records: &[Record]) -> Result<Subject, Fault> {
    let fits = |it: &Record| it.name.contains(name) || it.secret.to_string().contains(name);
    match records.iter().any(fits) {
        true => Ok(Subject::Name(name.to_owned())),
        false => Err(inventory::no_such_record(name, records)),
    }
}

/// A value from standard input, and its fingerprint.
pub(super) fn typed(store: &Store) -> Result<(Zeroizing<Vec<u8>>, Fingerprint), Fault> {
    let Some(seal) = store.fingerprinter() else {
        return Err(Fault::new(
            "the inventory's key is not there, so a value cannot be recognised",
        )
        .hint("name it with --key-file"));
    };
    let value = read().map_err(|it| Fault::new(format!("standard input: {it}")))?;
    let value = value.trim_ascii();
    if value.is_empty() {
        return Err(Fault::new("there is no value on standard input")
            .hint("type it where it is asked for, or send it through a pipe"));
    }
    Ok((Zeroizing::new(value.to_vec()), print(&seal, value)))
}

/// As values are fingerprinted when they are imported.
fn print(seal: &Fingerprinter, value: &[u8]) -> Fingerprint {
    match key::content(value) {
        Some(content) => seal.of_content(&content),
        None => seal.fingerprint(value),
    }
}

/// A terminal is asked without showing what is typed.
fn read() -> io::Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST));
    if io::stdin().is_terminal() {
        let value = Zeroizing::new(rpassword::prompt_password("value (not shown): ")?);
        bytes.extend_from_slice(value.as_bytes());
    } else {
        let most = MOST as u64;
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// Bytes of a value at most: a key in PEM has a few thousand. Room for all of it at once, since a buffer that
/// grows leaves copies behind.
const MOST: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_they_are_written() {
        let print = Fingerprint::from_bytes([0xab; 32]);
        let digits = print.to_string();
        let digits = digits.strip_prefix("kf1:").unwrap();
        assert_eq!(fingerprint(digits).ok(), Some(print));
        assert_eq!(fingerprint(&digits.to_uppercase()).ok(), Some(print));
        for wrong in ["", "ab", &digits[1..], "zz"] {
            assert!(fingerprint(wrong).is_err(), "{wrong}");
        }
    }
}
