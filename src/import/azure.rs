//! Azure Key Vault, as `az keyvault` prints it: secrets, keys and certificates, their versions and values.
//!
//! Fields: <https://learn.microsoft.com/en-us/rest/api/keyvault/secrets/get-secrets/get-secrets>; times are ISO
//! 8601 from the command line and seconds (`exp`, `nbf`) from the API. Names there have no case.

use crate::import::cloud::{self, Held, Object};
use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::Record;
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use std::collections::BTreeMap;

pub(super) const HELP: &str =
    "what `az keyvault secret`, `key` and `certificate` print as JSON, one after another";

pub(super) const EXAMPLE: &str = r#"[
 {"attributes": {"created": "2025-11-30T08:00:00+00:00", "enabled": true, "expires": "2027-01-01T00:00:00+00:00", "notBefore": null,
   "recoveryLevel": "Recoverable", "updated": "2026-01-10T08:00:00+00:00"}, "contentType": "text/plain",
  "id": "https://shopkv.vault.azure.net/secrets/Shop-Db", "managed": null, "name": "Shop-Db",
  "tags": {"owner": "ann", "environment": "production", "cost-centre": "4711"}}
]
[
 {"attributes": {"created": "2025-11-30T08:00:00+00:00", "enabled": true}, "id": "https://shopkv.vault.azure.net/secrets/Shop-Db/00000000000000000000000000000002"},
 {"attributes": {"created": "2025-06-30T08:00:00+00:00", "enabled": false}, "id": "https://shopkv.vault.azure.net/secrets/Shop-Db/00000000000000000000000000000001"}
]
{"attributes": {"created": 1764489600, "enabled": true, "exp": 1798761600}, "id": "https://shopkv.vault.azure.net/secrets/Shop-Db/00000000000000000000000000000002",
 "name": "Shop-Db", "value": "correct horse 71 battery"}
{"attributes": {"created": 1764489600}, "id": "https://shopkv.vault.azure.net/secrets/mail/00000000000000000000000000000003", "value": "tok_example_5f0e3a9b"}
[{"attributes": {"created": "2024-01-05T10:00:00+00:00", "enabled": true}, "kid": "https://shopkv.vault.azure.net/keys/sign", "managed": null, "name": "sign", "tags": null}]
[{"attributes": {"created": "2024-01-05T10:00:00+00:00", "expires": "2026-06-01T00:00:00+00:00"}, "id": "https://shopkv.vault.azure.net/certificates/www",
  "name": "www", "subject": "CN=www.shop.example", "tags": {"team": "web"}, "x509Thumbprint": "AAAA"}]
"#;

const HINT: &str = "give what `az keyvault secret|key|certificate list`, `show` and `list-versions` print as JSON, one after another";

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    let mut harvest = BTreeMap::new();
    for (line, document) in &documents {
        take(*line, document, &mut harvest, intake)?;
    }
    for (id, thing) in harvest {
        thing.object(&id).emit(intake);
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Family {
    Secret,
    Key,
    Certificate,
}

/// An object of a vault; all in lower case.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Id {
    vault: String,
    family: Family,
    name: String,
}

impl Id {
    /// `https://VAULT.vault.azure.net/secrets/NAME[/VERSION]`; other clouds have other hosts.
    /// <https://learn.microsoft.com/en-us/azure/key-vault/general/about-keys-secrets-certificates>
    fn of(url: &str) -> Option<Self> {
        let lowered = url.to_ascii_lowercase();
        let mut parts = lowered.strip_prefix("https://")?.split('/');
        let vault = parts.next()?.split('.').next()?.to_owned();
        let family = match parts.next()? {
            "secrets" => Family::Secret,
            "keys" => Family::Key,
            "certificates" => Family::Certificate,
            _ => return None,
        };
        let name = parts.next()?.to_owned();
        let is_named = !vault.is_empty() && !name.is_empty();
        is_named.then_some(Self {
            vault,
            family,
            name,
        })
    }

    /// As references name it; a certificate lies beside the secret and the key of its name.
    fn secret(&self) -> SecretName {
        let path = match self.family {
            Family::Secret => self.name.clone(),
            Family::Key => format!("keys/{}", self.name),
            Family::Certificate => format!("certificates/{}", self.name),
        };
        SecretName::new("azure-keyvault", &path).within(&self.vault)
    }
}

/// What the documents tell of an object so far.
#[derive(Default)]
struct Thing {
    draft: Record,
    /// By the moment each was made: a list names no versions, and tells of the newest when it was made.
    versions: BTreeMap<Option<i64>, Version>,
}

#[derive(Default)]
struct Version {
    expires: Option<i64>,
    is_disabled: bool,
    held: Held,
}

fn take(
    line: u32,
    tree: &Tree,
    harvest: &mut BTreeMap<Id, Thing>,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    if let Tree::List(items) = tree {
        return items
            .iter()
            .try_for_each(|it| take(line, it, harvest, intake));
    }
    // A certificate has the ids of its key and its secret too, so its own comes first.
    let paths: [&[&str]; 3] = [&["id"], &["kid"], &["key", "kid"]];
    let id = paths.iter().find_map(|it| tree.text_at(it));
    let Some(id) = id.and_then(Id::of) else {
        let what =
            format!("the document of line {line} has no address of a secret, key or certificate");
        return Err(intake.shape(what, HINT));
    };
    let name = id.secret().path;
    // What `list-deleted` prints: kept for a while, and in use no more.
    if tree.text_at(&["deletedDate"]).is_some() {
        intake.skip(&format!("{name}: deleted"));
        return Ok(());
    }
    let thing = harvest.entry(id).or_default();
    thing.draft.name = name;
    thing.take(line, tree, intake);
    Ok(())
}

impl Thing {
    fn take(&mut self, line: u32, tree: &Tree, intake: &mut Intake<'_>) {
        let draft = &mut self.draft;
        draft.source_line.get_or_insert(line);
        for (name, text) in tree.member("tags").map_or(&[][..], Tree::members) {
            if let Some(text) = text.text() {
                cloud::label(draft, name, text, intake);
            }
        }
        for (name, tag) in [("contentType", "content-type"), ("subject", "subject")] {
            if let Some(text) = tree.text_at(&[name]) {
                draft.tags.insert(tag.to_owned(), text.to_owned());
            }
        }
        if tree.text_at(&["managed"]) == Some("true") {
            draft.tags.insert("managed".to_owned(), "true".to_owned());
        }
        let attribute = |names: &[&str]| {
            let mut texts = names
                .iter()
                .filter_map(|it| tree.text_at(&["attributes", it]));
            texts.find_map(intake::moment)
        };
        if let Some(from) = attribute(&["notBefore", "not_before", "nbf"]) {
            draft.tags.insert("not-before".to_owned(), day(from));
        }
        let version = self.versions.entry(attribute(&["created"])).or_default();
        version.expires = attribute(&["expires", "exp"]).or(version.expires);
        version.is_disabled |= tree.text_at(&["attributes", "enabled"]) == Some("false");
        if let Some(value) = tree.text_at(&["value"]) {
            version.held = Held::of(value.as_bytes(), intake);
        }
    }

    fn object(self, id: &Id) -> Object {
        let mut draft = self.draft;
        draft.secret = id.secret();
        draft.kind = match id.family {
            Family::Secret => None,
            Family::Key => Some(Kind::PrivateKey),
            Family::Certificate => Some(Kind::Certificate),
        };
        draft.created = self.versions.keys().flatten().min().copied();
        draft.rotated = self.versions.keys().flatten().max().copied();
        if let Some((_, newest)) = self.versions.last_key_value() {
            draft.expires = newest.expires;
            if newest.is_disabled {
                draft.tags.insert("enabled".to_owned(), "false".to_owned());
            }
        }
        let versions = self.versions.into_iter();
        let told =
            versions.filter(|(created, it)| created.is_some() || !matches!(it.held, Held::Unknown));
        let revisions = cloud::dated(
            told.map(|(created, it)| (created, false, it.held))
                .collect(),
        );
        Object { draft, revisions }
    }
}

/// `YYYY-MM-DD` in UTC.
fn day(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| String::new(), |it| it.strftime("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::{Options, Totals};
    use crate::model::fingerprint::Fingerprinter;
    use zeroize::Zeroizing;

    fn import(text: &str) -> Result<(Vec<Record>, Totals), Error> {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("az.json", Some(&seal), &options, &mut keep);
        let input = Input {
            name: "az.json".to_owned(),
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        };
        read(&input, &mut intake)?;
        let totals = intake.totals();
        Ok((records, totals))
    }

    #[test]
    fn lists_versions_and_values_are_put_together() {
        let seal = Fingerprinter::new([3; 32]);
        let (records, totals) = import(EXAMPLE).unwrap();
        assert!(totals.skipped.is_empty(), "{totals:?}");
        let names: Vec<_> = records.iter().map(|it| it.secret.to_string()).collect();
        assert_eq!(
            names,
            [
                "azure-keyvault:shopkv/mail",
                "azure-keyvault:shopkv/shop-db",
                "azure-keyvault:shopkv/keys/sign",
                "azure-keyvault:shopkv/certificates/www",
            ]
        );
        let db = &records[1];
        assert_eq!(db.owners, ["ann"]);
        assert_eq!(db.environment.as_deref(), Some("production"));
        assert_eq!(db.created, Some(1_751_270_400));
        assert_eq!(db.rotated, Some(1_764_489_600));
        assert_eq!(db.expires, Some(1_798_761_600));
        assert_eq!(db.tags["content-type"], "text/plain");
        assert_eq!(
            db.tags.get("enabled"),
            None,
            "only an old version is disabled"
        );
        let prints: Vec<_> = db
            .versions
            .iter()
            .map(|it| (it.number, it.fingerprint))
            .collect();
        let current = Some(seal.fingerprint(b"correct horse 71 battery"));
        assert_eq!(prints, [(1_751_270_400, None), (1_764_489_600, current)]);
        let (key, certificate) = (&records[2], &records[3]);
        assert_eq!(key.kind, Some(Kind::PrivateKey));
        assert_eq!(certificate.kind, Some(Kind::Certificate));
        assert_eq!(certificate.expires, Some(1_780_272_000));
        assert_eq!(certificate.owners, ["web"]);
        assert_eq!(certificate.tags["subject"], "CN=www.shop.example");
    }

    #[test]
    fn attributes_are_told() {
        let (records, totals) = import(
            r#"{"attributes": {"created": 1764489600, "enabled": false, "nbf": 1772323200, "exp": 1798761600},
            "managed": true, "id": "https://v.vault.azure.cn/secrets/A/0", "kid": "https://v.vault.azure.cn/keys/A/0",
            "tags": {"expires": "soon"}}
            {"id": "https://v.vault.azure.net/secrets/c", "deletedDate": "2026-01-10T08:00:00+00:00", "scheduledPurgeDate": "2026-04-10T08:00:00+00:00"}
            {"attributes": {"created": 1764489600}, "key": {"kid": "https://v.vault.usgovcloudapi.net/keys/B/0"}}"#,
        )
        .unwrap();
        let [a, b] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(
            totals.skipped,
            [
                "az.json: a: label `expires` is neither a date nor a number of days",
                "az.json: c: deleted"
            ]
        );
        assert_eq!(a.secret.to_string(), "azure-keyvault:v/a");
        assert_eq!(a.tags["enabled"], "false");
        assert_eq!(a.tags["managed"], "true");
        assert_eq!(a.tags["not-before"], "2026-03-01");
        assert_eq!(a.expires, Some(1_798_761_600));
        assert_eq!(b.secret.to_string(), "azure-keyvault:v/keys/b");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "{}",
            "{\"id\": \"/subscriptions/1/vaults/x\"}",
            "{\"id\": \"https://v.vault.azure.net/storage/x\"}",
        ] {
            assert!(matches!(import(text), Err(Error::Shape { .. })), "{text}");
        }
        assert!(import("[]").unwrap().0.is_empty());
    }
}
