//! What Vault and OpenBao hold beside KV: roles of databases, certificates, and secret ids of AppRole.
//!
//! An [`Engine`] is told by what is mounted; a record is made of one answer, from an export or a server. Fields:
//! <https://openbao.org/api-docs/secret/databases/>, <https://openbao.org/api-docs/secret/pki/>,
//! <https://openbao.org/api-docs/auth/approle/>.

use crate::import::declared;
use crate::import::intake::{self, Intake};
use crate::import::tree::Tree;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use crate::syntax::certificate;
use std::collections::BTreeMap;

/// What a path holds, told by the path and the shape of the answer together: KV may have any path.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Thing {
    /// A database user whose password is changed on a schedule.
    Static,
    /// A role that makes a user for each that asks.
    Dynamic,
    /// An issued certificate.
    Certificate,
    /// What an application logs in with.
    SecretId,
}

/// Which of them an answer is.
pub(super) fn thing(path: &str, data: &Tree) -> Option<Thing> {
    let has = |name: &str| data.member(name).is_some();
    let within = |part: &str| path.contains(part);
    if within("/static-roles/") && has("username") && has("db_name") {
        Some(Thing::Static)
    } else if within("/roles/") && has("db_name") && has("default_ttl") {
        Some(Thing::Dynamic)
    } else if within("/cert/") && has("certificate") && has("revocation_time") {
        Some(Thing::Certificate)
    } else if within("/secret-id-accessor/")
        && has("secret_id_accessor")
        && has("secret_id_num_uses")
    {
        Some(Thing::SecretId)
    } else {
        None
    }
}

/// The shortest rotation that an import can judge, in days.
const SHORTEST: u32 = 7;

/// A user whose password the server changes; `password` is an answer of `static-creds`, if one was asked for.
pub(super) fn static_role(
    path: &str,
    data: &Tree,
    creds: Option<&Tree>,
    intake: &Intake<'_>,
) -> Record {
    let path = path.replacen("/static-roles/", "/static-creds/", 1);
    let mut record = blank(&path, "password");
    let number = |name: &str| data.text_at(&[name]).and_then(|it| it.parse::<u32>().ok());
    let value = creds
        .and_then(|it| it.member("password"))
        .and_then(Tree::value);
    record.kind = Some(Kind::Password);
    record.rotated = data
        .text_at(&["last_vault_rotation"])
        .and_then(intake::moment)
        .filter(|it| *it > 0);
    // Nobody imports every hour: against a shorter policy only the import would be late.
    let period = number("rotation_period").map(|it| it / 86_400);
    record.rotation_days = period.filter(|it| *it >= SHORTEST);
    record.versions[0].fingerprint = value.and_then(|it| intake.fingerprint(&it));
    tags(
        &mut record,
        data,
        &[
            "username",
            "db_name",
            "rotation_schedule",
            "rotation_period",
            "credential_type",
        ],
    );
    record
        .tags
        .insert("rotated_by".to_owned(), "vault".to_owned());
    if let Some(ttl) = creds.and_then(|it| it.text_at(&["ttl"])) {
        record.tags.insert("ttl".to_owned(), ttl.to_owned());
    }
    record
}

/// A role whose values live as long as their lease.
pub(super) fn dynamic_role(path: &str, data: &Tree) -> Record {
    let path = path.replacen("/roles/", "/creds/", 1);
    let mut record = blank(&path, "");
    record.dynamic = true;
    tags(
        &mut record,
        data,
        &["db_name", "default_ttl", "max_ttl", "credential_type"],
    );
    record
}

/// What an application logs in with, by its accessor; the id itself is not told again.
pub(super) fn secret_id(path: &str, data: &Tree) -> Record {
    let role = path.split("/secret-id-accessor").next().unwrap_or(path);
    let accessor = data.text_at(&["secret_id_accessor"]).unwrap_or("unknown");
    let mut record = blank(&format!("{role}/secret-id"), accessor);
    // A time before the epoch is how the server writes "never".
    let time = |name: &str| {
        data.text_at(&[name])
            .and_then(intake::moment)
            .filter(|it| *it > 0)
    };
    record.created = time("creation_time");
    record.expires = time("expiration_time");
    tags(&mut record, data, &["secret_id_num_uses", "secret_id_ttl"]);
    for (name, text) in data.member("metadata").map_or(&[][..], Tree::members) {
        if let Some(text) = text.text() {
            declared::take(&mut record, name, text);
        }
    }
    record
}

fn blank(path: &str, key: &str) -> Record {
    let mut record = Record {
        name: path.to_owned(),
        secret: SecretName::new("vault", path),
        ..Record::default()
    };
    if !key.is_empty() {
        record.name = format!("{path}#{key}");
        record.secret.key = Some(key.to_owned());
        record.versions = vec![Version {
            number: 1,
            created: None,
            fingerprint: None,
            veil: None,
        }];
    }
    record
}

fn tags(record: &mut Record, data: &Tree, names: &[&str]) {
    for name in names {
        if let Some(text) = data.text_at(&[name]).filter(|it| *it != "0") {
            record.tags.insert((*name).to_owned(), text.to_owned());
        }
    }
}

/// Certificates by mount and subject. Renewed certificates pile up until they are tidied away; the one that ends
/// last and is not revoked speaks for its subject.
#[derive(Default)]
pub(super) struct Certificates(BTreeMap<(String, String), Issued>);

#[derive(Default)]
struct Issued {
    count: usize,
    n_revoked: usize,
    current: Option<Current>,
}

struct Current {
    is_revoked: bool,
    ends: i64,
    record: Record,
}

impl Certificates {
    /// Takes in an answer of `PATH/cert/SERIAL`; `false` if it holds no certificate that can be read.
    pub(super) fn add(&mut self, path: &str, data: &Tree, intake: &Intake<'_>) -> bool {
        let mount = path.split("/cert/").next().unwrap_or(path);
        let Some(text) = data.text_at(&["certificate"]) else {
            return false;
        };
        let Some(it) = certificate::read(text.as_bytes()) else {
            return false;
        };
        let revoked = data
            .text_at(&["revocation_time"])
            .and_then(|it| it.parse::<i64>().ok());
        let is_revoked = revoked.is_some_and(|it| it > 0);
        let issued = self
            .0
            .entry((mount.to_owned(), it.subject.clone()))
            .or_default();
        issued.count += 1;
        issued.n_revoked += usize::from(is_revoked);
        let better =
            |known: &Current| (!is_revoked, it.not_after) > (!known.is_revoked, known.ends);
        if issued.current.as_ref().is_none_or(better) {
            let mut record = blank(&format!("{mount}/cert"), &it.subject);
            record.kind = Some(Kind::Certificate);
            record.rotated = Some(it.not_before);
            record.expires = Some(it.not_after);
            record.versions[0].fingerprint = intake.fingerprint(text.as_bytes());
            let mut tag = |name: &str, text: String| record.tags.insert(name.to_owned(), text);
            tag("issuer", it.issuer.clone());
            tag("serial", it.serial.clone());
            if let Some(at) = revoked.filter(|it| *it > 0) {
                tag("revoked", at.to_string());
            }
            issued.current = Some(Current {
                is_revoked,
                ends: it.not_after,
                record,
            });
        }
        true
    }

    /// One record for each subject.
    pub(super) fn into_records(self) -> impl Iterator<Item = Record> {
        self.0.into_values().filter_map(|it| {
            let mut record = it.current?.record;
            let mut tag =
                |name: &str, count: usize| record.tags.insert(name.to_owned(), count.to_string());
            tag("issued", it.count);
            if it.n_revoked > 0 {
                tag("issued_and_revoked", it.n_revoked);
            }
            Some(record)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tree;

    fn tree(text: &str) -> Tree {
        tree::documents(text.as_bytes()).unwrap().pop().unwrap().1
    }

    #[test]
    fn answers_are_told_by_path_and_shape() {
        let cases = [
            (
                "db/static-roles/a",
                r#"{"username": "u", "db_name": "d"}"#,
                Some(Thing::Static),
            ),
            (
                "db/roles/a",
                r#"{"db_name": "d", "default_ttl": 60}"#,
                Some(Thing::Dynamic),
            ),
            (
                "pki/cert/1",
                r#"{"certificate": "x", "revocation_time": 0}"#,
                Some(Thing::Certificate),
            ),
            (
                "auth/approle/role/a/secret-id-accessor/lookup",
                r#"{"secret_id_accessor": "x", "secret_id_num_uses": 0}"#,
                Some(Thing::SecretId),
            ),
            ("kv/roles/a", r#"{"password": "x"}"#, None),
            ("kv/cert/a", r#"{"certificate": "x"}"#, None),
        ];
        for (path, data, expected) in cases {
            assert_eq!(thing(path, &tree(data)), expected, "{path}");
        }
    }

    #[test]
    fn the_certificate_that_lasts_speaks_for_its_subject() {
        let options = intake::Options::default();
        let mut ignore = |_| {};
        let intake = Intake::new("x", None, &options, &mut ignore);
        let mut certificates = Certificates::default();
        let text = crate::import::keystore::EXAMPLE;
        let answer = |revoked: i64| {
            let answer = serde_json::json!({"certificate": text, "revocation_time": revoked});
            tree(&answer.to_string())
        };
        assert!(certificates.add("pki/cert/1", &answer(1_700_000_000), &intake));
        assert!(certificates.add("pki/cert/2", &answer(0), &intake));
        assert!(certificates.add("other/pki/cert/2", &answer(5), &intake));
        assert!(!certificates.add("pki/cert/3", &tree(r#"{"certificate": "x"}"#), &intake));
        let records: Vec<_> = certificates.into_records().collect();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["other/pki/cert#CN=shop.example", "pki/cert#CN=shop.example"]
        );
        assert_eq!(records[0].tags["revoked"], "5");
        assert!(!records[1].tags.contains_key("revoked"));
        assert_eq!(records[1].tags["issued"], "2");
        assert_eq!(records[1].tags["issued_and_revoked"], "1");
        assert!(records[1].expires > records[1].rotated);
    }
}
