//! The verdict on keys whose loss loses data: `sole-copy`.
//!
//! Only over a declared estate. Not here: keys that prove something (signing, sessions, webhooks); a new one
//! takes their place and nothing is lost.

use crate::assess::case::{Case, Scope, about_record, holds, owned_by, words_of};
use crate::model::fingerprint::Fingerprint;
use crate::model::record::Record;
use crate::model::rule::Kind;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What the name of such a key says.
const OPENS: &[&[&str]] = &[
    &["age", "key"],
    &["backup", "key"],
    &["backup", "passphrase"],
    &["backup", "password"],
    &["encryption"],
    &["escrow"],
    &["kek"],
    &["luks"],
    &["master", "key"],
    &["recovery"],
    &["unseal"],
];
/// What it is, at its end.
const KEYS: &[&str] = &[
    "code",
    "codes",
    "identity",
    "kek",
    "key",
    "keys",
    "passphrase",
    "password",
    "phrase",
    "secret",
    "seed",
    "share",
    "shares",
];
/// Words that say it opens no data at rest.
const OTHERS: &[&str] = &[
    "api", "cookie", "hmac", "jwt", "public", "session", "sign", "signing", "ssl", "tls", "webhook",
];

/// Judges every record that is there.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if case.options.scope != Scope::Estate {
        return;
    }
    let mut copies: HashMap<Fingerprint, usize> = HashMap::new();
    for record in case.records.iter().filter(|it| !it.gone) {
        if let Some(print) = value(record) {
            *copies.entry(print).or_default() += 1;
        }
    }
    let pairs = case.joined.copies.iter();
    let copied: HashSet<&str> = pairs
        .flat_map(|(one, other)| [one.as_str(), other])
        .collect();
    for record in case.records.iter().filter(|it| opens_data(it)) {
        let is_copied = copied.contains(record.name.as_str());
        let is_alone = value(record).is_some_and(|it| copies.get(&it) == Some(&1)) && !is_copied;
        verdicts.extend(sole(record, is_alone, only_holder(case, record)));
    }
}

fn value(record: &Record) -> Option<Fingerprint> {
    record.versions.last().and_then(|it| it.fingerprint)
}

/// Whether the name and kind say that data cannot be read without it.
fn opens_data(record: &Record) -> bool {
    let words = words_of(record);
    let says = OPENS.iter().any(|it| holds(&words, it));
    let is_key = match record.kind {
        Some(Kind::SymmetricKey | Kind::PrivateKey) => true,
        None | Some(Kind::Password | Kind::Generic) => {
            words.last().is_some_and(|it| KEYS.contains(&it.as_str()))
        }
        Some(_) => false,
    };
    let is_other = words.iter().any(|it| OTHERS.contains(&it.as_str()));
    says && is_key && !is_other && !record.gone && !record.dynamic
}

/// The one person or recipient that can open it, where that is known.
fn only_holder(case: &Case, record: &Record) -> Option<String> {
    let person = |it: &String| case.people.find(it).map(|it| it.name.clone());
    let owners: Option<BTreeSet<String>> = record.owners.iter().map(person).collect();
    let readers = record.readers.iter();
    let readers = readers.map(|it| person(it).unwrap_or_else(|| it.clone()));
    // A team or a name that no list has may stand for many.
    let mut holders: BTreeSet<String> = owners?.into_iter().chain(readers).collect();
    let first = holders.pop_first()?;
    holders.is_empty().then_some(first)
}

fn sole(record: &Record, is_alone: bool, holder: Option<String>) -> Option<Verdict> {
    let why = match (is_alone, holder) {
        (true, Some(holder)) => {
            format!("the inventory has one copy of it, and {holder} alone holds it")
        }
        (true, None) => "the inventory has one copy of it".to_owned(),
        (false, Some(holder)) => format!("{holder} alone holds it"),
        (false, None) => return None,
    };
    let message = format!(
        "`{}`{} opens what is encrypted, and {why}: losing it loses the data.",
        record.name,
        owned_by(record)
    );
    let next = format!(
        "Keep a second copy of `{}`, sealed and apart, with a second holder. To rotate it, re-encrypt what it opens before you revoke it.",
        record.name
    );
    Some(about_record(VerdictId::SoleCopy, record, message, next))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{codes, inventory, record, reference, verdicts};
    use crate::model::people::{Entry, People};

    fn judged(records: &[Record], scope: Scope) -> usize {
        let mut known = inventory(records);
        known.people = People::of(&[Entry {
            name: "Ada".to_owned(),
            ..Entry::default()
        }]);
        let found = verdicts(&mut [], &[], &known, scope);
        let sole = found.iter().filter(|it| it.id == VerdictId::SoleCopy);
        sole.count()
    }

    fn key(name: &str, kind: Option<Kind>) -> Record {
        let mut it = record(name, &[1]);
        it.kind = kind;
        it
    }

    #[test]
    fn keys_that_open_data_are_told_by_name_and_kind() {
        for (name, kind, fires) in [
            ("kv/backup#encryption_key", Some(Kind::SymmetricKey), true),
            ("kv/backup#encryption_key", None, true),
            ("kv/vault#unseal_keys", None, true),
            ("kv/db/recovery-code", Some(Kind::Generic), true),
            ("kv/db#masterKey", None, true),
            ("kv/db#kek", Some(Kind::PrivateKey), true),
            ("kv/session#signing_key", Some(Kind::SymmetricKey), false),
            ("kv/session#encryption_key", Some(Kind::SymmetricKey), false),
            ("kv/backup#api_key", Some(Kind::ApiToken), false),
            ("kv/encryption#endpoint", None, false),
            ("kv/backup#host", None, false),
            ("kv/search#key", Some(Kind::SymmetricKey), false),
        ] {
            let found = judged(&[key(name, kind)], Scope::Estate);
            assert_eq!(found == 1, fires, "{name} {kind:?}");
            assert_eq!(judged(&[key(name, kind)], Scope::Folder), 0, "{name}");
        }
    }

    #[test]
    fn a_second_copy_and_a_second_holder_make_it_safe() {
        let name = "kv/backup#encryption_key";
        let held = |owners: &[&str], readers: &[&str], value: Option<u8>| {
            let mut it = key(name, None);
            let list = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
            (it.owners, it.readers) = (list(owners), list(readers));
            it.versions = record(name, &value.map_or(vec![], |it| vec![it])).versions;
            it
        };
        let other = |value| record("kv/safe#thing", &[value]);
        for (record, copy, expected) in [
            (held(&["team"], &[], Some(1)), 2, 1),
            (held(&["team"], &[], Some(1)), 1, 0),
            (held(&["team"], &[], None), 2, 0),
            (held(&["Ada"], &[], None), 2, 1),
            (held(&["Ada"], &["age1x"], None), 2, 0),
            (held(&[], &["age1x"], Some(1)), 1, 1),
            (held(&["Ada"], &["ada"], Some(1)), 1, 1),
            (held(&["Ada", "team"], &[], Some(1)), 1, 0),
        ] {
            let told = format!("{record:?} {copy}");
            assert_eq!(
                judged(&[record, other(copy)], Scope::Estate),
                expected,
                "{told}"
            );
        }
    }

    #[test]
    fn a_copy_that_a_reference_makes_is_one() {
        let original = key("kv/backup#encryption_key", None);
        let mut copy = record("ns/backup#p", &[]);
        copy.secret.provider = "kubernetes".to_owned();
        copy.secret.scope = "ns".to_owned();
        copy.secret.path = "backup".to_owned();
        let external = reference(
            "shop",
            "es.yaml",
            "vault:kv/backup#encryption_key",
            "kubernetes:ns/backup#p",
        );
        let known = inventory(&[original, copy]);
        for (references, fires) in [(vec![], true), (vec![external], false)] {
            let found = verdicts(&mut [], &references, &known, Scope::Estate);
            assert_eq!(codes(&found).contains(&"sole-copy"), fires);
        }
    }
}
