//! Kubernetes Secrets, from `kubectl get secret -A -o json` or from manifests: one record a key. Objects that make
//! Secrets declare those (`cluster.rs`); where both are given, they are one record.
//!
//! Reads what the owner declares (labels, annotations, managed fields) and nothing else of the metadata:
//! `last-applied-configuration` and its kind hold the values once more.

use crate::import::cluster;
use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use data_encoding::BASE64;
use std::collections::{BTreeMap, HashMap};
use x509_cert::Certificate;
use x509_cert::der::DecodePem;
use zeroize::Zeroizing;

pub(super) const HELP: &str = "`kubectl get secret -A -o json`, other kinds that make Secrets, or manifests; a folder of them";

pub(super) const EXAMPLE: &str = r#"{
 "apiVersion": "v1",
 "kind": "List",
 "items": [
  {
   "apiVersion": "v1",
   "kind": "Secret",
   "type": "Opaque",
   "metadata": {
    "namespace": "shop",
    "name": "shop-db",
    "creationTimestamp": "2025-04-01T09:00:00Z",
    "labels": {
     "team": "team-shop",
     "environment": "production"
    },
    "annotations": {
     "example.com/owner": "ann"
    },
    "managedFields": [
     {
      "time": "2025-11-30T08:00:00Z",
      "fieldsV1": {
       "f:data": {}
      }
     },
     {
      "time": "2026-01-10T08:00:00Z",
      "fieldsV1": {
       "f:metadata": {}
      }
     }
    ]
   },
   "data": {
    "username": "c2hvcAo=",
    "password": "Y29ycmVjdCBob3JzZSA3MSBiYXR0ZXJ5Cg=="
   }
  },
  {
   "apiVersion": "v1",
   "kind": "Secret",
   "type": "kubernetes.io/tls",
   "metadata": {
    "namespace": "shop",
    "name": "shop-tls",
    "creationTimestamp": "2026-01-01T00:00:00Z"
   },
   "data": {
    "tls.crt": "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJnekNDQVNtZ0F3SUJBZ0lVUEZTUVFWTitSQzRERjRWNkkwUUJYdXZ0WS9jd0NnWUlLb1pJemowRUF3SXcKRnpFVk1CTUdBMVVFQXd3TWMyaHZjQzVsZUdGdGNHeGxNQjRYRFRJMk1URXlOREEyTXpRek9Wb1hEVEkzTVRJeQpPVEEyTXpRek9Wb3dGekVWTUJNR0ExVUVBd3dNYzJodmNDNWxlR0Z0Y0d4bE1Ga3dFd1lIS29aSXpqMENBUVlJCktvWkl6ajBEQVFjRFFnQUVPaDBsWlM5bzdxN09CY0wzVW8ycXE0SlZmOTdPVlNYRmVjcFhONjBqZUp3dzd1OEsKUzI4Z3dyemw0YUFpMlp6dGVXSWZKTW50aVgyRk1YdzllKzlrSjZOVE1GRXdIUVlEVlIwT0JCWUVGS3RmSnY3bgpLTTI4TnBkKzI3Um1lZ3FHMDdXdk1COEdBMVVkSXdRWU1CYUFGS3RmSnY3bktNMjhOcGQrMjdSbWVncUcwN1d2Ck1BOEdBMVVkRXdFQi93UUZNQU1CQWY4d0NnWUlLb1pJemowRUF3SURTQUF3UlFJaEFJTzlQa3NWa3FiUmt3QWQKMU1Mem5paklxQlVhNDNIQVlOOU1NZUZSUUdTOEFpQk04clQvNk9LYjViaTRQa016Y2RLT1h3b28yN1pSUDZ5aQo2UFNZMGtvMnNnPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=",
    "tls.key": "ZXhhbXBsZSBrZXksIG5vdCBhIHJlYWwgb25lIDVmMGUzYTli"
   }
  },
  {
   "apiVersion": "v1",
   "kind": "Secret",
   "type": "helm.sh/release.v1",
   "metadata": {
    "namespace": "shop",
    "name": "sh.helm.release.v1.shop.v3"
   },
   "data": {
    "release": "WVNCamFHRnlkQ0IzYVhSb0lHbDBjeUIyWVd4MVpYTT0="
   }
  }
 ]
}
"#;

const HINT: &str = "export with `kubectl get secret -A -o json --show-managed-fields`, or give manifests of kind Secret";

/// A release is the whole chart, compressed: no value that anything else could contain.
const HELM_RELEASE: &str = "helm.sh/release.v1";

pub(super) fn applies(below: &str) -> bool {
    [".yaml", ".yml", ".json"]
        .iter()
        .any(|it| below.ends_with(it))
}

/// A template is no manifest before it is rendered.
pub(super) fn holds(bytes: &[u8]) -> bool {
    let has = |part: &str| memchr::memmem::find(bytes, part.as_bytes()).is_some();
    let has_kind = has("Secret") || cluster::KINDS.iter().any(|it| has(it));
    has("kind") && has("metadata") && has_kind && !has("{{")
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let bytes = &input.bytes;
    let mut found = Found::default();
    if matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')) {
        for (line, document) in tree::json(bytes, intake)? {
            walk(&document, Some(line), &mut found, intake)?;
        }
    } else {
        for document in tree::yaml(bytes, intake)? {
            walk(&document, None, &mut found, intake)?;
        }
    }
    if found.seen == 0 {
        return Err(intake.shape("no object of kind Secret or List in it", HINT));
    }
    found.records.into_iter().for_each(|it| intake.emit(it));
    Ok(())
}

/// Records in the order of the export, one for each name.
#[derive(Default)]
struct Found {
    seen: usize,
    records: Vec<Record>,
    places: HashMap<String, usize>,
}

impl Found {
    /// The Secret has the value, and what makes it knows where from and until when.
    fn add(&mut self, mut record: Record) {
        let Some(known) = self
            .places
            .get(&record.name)
            .map(|it| &mut self.records[*it])
        else {
            self.places.insert(record.name.clone(), self.records.len());
            self.records.push(record);
            return;
        };
        let has_value = |it: &Record| it.versions.iter().any(|it| it.fingerprint.is_some());
        if has_value(&record) && !has_value(known) {
            std::mem::swap(known, &mut record);
        }
        for (name, text) in record.tags {
            known.tags.entry(name).or_insert(text);
        }
        known.expires = known.expires.or(record.expires);
        known.rotation_days = known.rotation_days.or(record.rotation_days);
        known.rotated = known.rotated.or(record.rotated);
        known.created = known.created.or(record.created);
        known.kind = known.kind.or(record.kind);
    }
}

/// Secrets at the top, in a `List` and in a bare array. Other kinds are passed over.
fn walk(
    tree: &Tree,
    line: Option<u32>,
    found: &mut Found,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let kind = tree.text_at(&["kind"]).unwrap_or("");
    let items = match tree.member("items") {
        Some(items) if kind.is_empty() || kind.ends_with("List") => {
            found.seen += 1;
            items.items()
        }
        _ => tree.items(),
    };
    for item in items {
        walk(item, line, found, intake)?;
    }
    if kind == "Secret" {
        found.seen += 1;
        secret(tree, line, found, intake)?;
    } else if cluster::KINDS.contains(&kind) {
        found.seen += 1;
        for mut record in cluster::declared(tree) {
            record.source_line = line;
            declare_all(tree, &mut record);
            found.add(record);
        }
    }
    Ok(())
}

fn secret(
    tree: &Tree,
    line: Option<u32>,
    found: &mut Found,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    let nth = found.seen;
    let Some(name) = tree.text_at(&["metadata", "name"]) else {
        return Err(intake.shape(
            format!("object {nth}: this Secret has no metadata.name"),
            HINT,
        ));
    };
    let namespace = tree.text_at(&["metadata", "namespace"]).unwrap_or("");
    let path = match namespace {
        "" => name.to_owned(),
        _ => format!("{namespace}/{name}"),
    };
    let mut draft = declared(tree);
    draft.source_line = line;
    draft.name.clone_from(&path);
    draft.secret = SecretName::new("kubernetes", name).within(namespace);
    let kind = tree.text_at(&["type"]).unwrap_or("");
    let values = values(tree, &path, kind, intake);
    if values.is_empty() {
        found.add(draft);
        return Ok(());
    }
    for (key, value) in values {
        let value = value.as_deref().map(Vec::as_slice);
        found.add(of_key(&draft, &key, value, kind, intake));
        let logins = match key.as_str() {
            DOCKER_CONFIG | DOCKER_CFG => value.map(logins).unwrap_or_default(),
            _ => Vec::new(),
        };
        for (registry, password) in logins {
            let key = format!("{key}/{registry}");
            let mut record = of_key(&draft, &key, Some(&password), kind, intake);
            record.kind = Some(Kind::Password);
            found.add(record);
        }
    }
    Ok(())
}

/// Keys of Secrets that hold logins to registries.
const DOCKER_CONFIG: &str = ".dockerconfigjson";
const DOCKER_CFG: &str = ".dockercfg";

/// Registries with their passwords, which are written twice: as such, and behind the user's name in base64.
fn logins(config: &[u8]) -> Vec<(String, Zeroizing<Vec<u8>>)> {
    let Ok(tree) = serde_json::from_slice::<Tree>(config) else {
        return Vec::new();
    };
    let registries = tree.member("auths").unwrap_or(&tree).members().iter();
    let password = |it: &Tree| {
        let written = it
            .text_at(&["password"])
            .map(|it| Zeroizing::new(it.as_bytes().to_vec()));
        written.or_else(|| {
            let pair = unwrapped(it.text_at(&["auth"])?)?;
            let colon = pair.iter().position(|it| *it == b':')?;
            Some(Zeroizing::new(pair[colon + 1..].to_vec()))
        })
    };
    registries
        .filter_map(|(name, it)| Some((name.clone(), password(it)?)))
        .collect()
}

/// Key by key, what the Secret holds; `None` where the value is not to be had.
fn values(
    tree: &Tree,
    path: &str,
    kind: &str,
    intake: &mut Intake<'_>,
) -> BTreeMap<String, Option<Zeroizing<Vec<u8>>>> {
    let mut values = BTreeMap::new();
    let wanted = kind != HELM_RELEASE;
    for (key, node) in tree.member("data").map_or(&[][..], Tree::members) {
        let value = node.text().filter(|_| wanted).and_then(|it| {
            let decoded = unwrapped(it);
            if decoded.is_none() && intake.wants_values() {
                intake.skip(&format!(
                    "{path}#{key}: its `data` is not base64; plain text belongs in `stringData`"
                ));
            }
            decoded
        });
        values.insert(key.clone(), value);
    }
    // The API server lets `stringData` win.
    for (key, node) in tree.member("stringData").map_or(&[][..], Tree::members) {
        values.insert(key.clone(), node.value().filter(|_| wanted));
    }
    values
}

fn unwrapped(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut packed = Zeroizing::new(Vec::with_capacity(text.len()));
    packed.extend(text.bytes().filter(|it| !it.is_ascii_whitespace()));
    let mut bytes = Zeroizing::new(vec![0; BASE64.decode_len(packed.len()).ok()?]);
    let length = BASE64.decode_mut(&packed, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(bytes)
}

fn of_key(
    draft: &Record,
    key: &str,
    value: Option<&[u8]>,
    kind: &str,
    intake: &Intake<'_>,
) -> Record {
    let mut record = draft.clone();
    record.name = format!("{}#{key}", draft.name);
    record.secret.key = Some(key.to_owned());
    record.kind = kind_of(key, kind);
    if record.kind == Some(Kind::Certificate) {
        record.expires = value.and_then(not_after).or(record.expires);
    }
    record.versions = vec![Version {
        veil: None,
        number: 1,
        created: None,
        fingerprint: value.and_then(|it| intake.fingerprint(it)),
    }];
    record
}

fn kind_of(key: &str, kind: &str) -> Option<Kind> {
    match (kind, key) {
        (_, "tls.crt" | "ca.crt") => Some(Kind::Certificate),
        (_, "tls.key" | "ssh-privatekey") => Some(Kind::PrivateKey),
        ("kubernetes.io/service-account-token", "token") => Some(Kind::Jwt),
        ("kubernetes.io/basic-auth", "password") => Some(Kind::Password),
        _ => None,
    }
}

/// The end of the first certificate: in a chain, the server's own.
fn not_after(pem: &[u8]) -> Option<i64> {
    const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let start = memchr::memmem::find(pem, BEGIN)?;
    let length = memchr::memmem::find(pem.get(start..)?, END)? + END.len();
    let certificate = Certificate::from_pem(pem.get(start..start + length)?).ok()?;
    let end = certificate
        .tbs_certificate()
        .validity()
        .not_after
        .to_unix_duration();
    i64::try_from(end.as_secs()).ok()
}

/// Owners and dates that the metadata declares.
fn declared(tree: &Tree) -> Record {
    let mut record = Record {
        created: tree
            .text_at(&["metadata", "creationTimestamp"])
            .and_then(intake::moment),
        rotated: data_changed(tree),
        ..Record::default()
    };
    declare_all(tree, &mut record);
    if let Some(kind) = tree.text_at(&["type"]).filter(|it| *it != "Opaque") {
        record.tags.insert("type".to_owned(), kind.to_owned());
    }
    record
}

fn declare_all(tree: &Tree, record: &mut Record) {
    for place in ["labels", "annotations"] {
        for (name, value) in tree.at(&["metadata", place]).map_or(&[][..], Tree::members) {
            if let Some(text) = value.text() {
                declare(record, name.rsplit('/').next().unwrap_or(name), text);
            }
        }
    }
}

fn declare(record: &mut Record, name: &str, text: &str) {
    match name {
        "owner" | "owners" | "team" => {
            for who in intake::people(text) {
                if !record.owners.contains(&who) {
                    record.owners.push(who);
                }
            }
        }
        "environment" | "env" => record.environment = Some(text.to_owned()),
        "expires" | "expires-at" => record.expires = intake::moment(text),
        "rotation-days" | "rotate-days" => record.rotation_days = intake::days(text),
        _ => {}
    }
}

/// When a manager last wrote the data; entries about metadata alone do not count.
fn data_changed(tree: &Tree) -> Option<i64> {
    tree.at(&["metadata", "managedFields"])?
        .items()
        .iter()
        .filter(|it| it.at(&["fieldsV1", "f:data"]).is_some())
        .filter_map(|it| it.text_at(&["time"]).and_then(intake::moment))
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::{Options, Totals};
    use crate::model::fingerprint::Fingerprinter;

    fn import(text: &str) -> Result<(Vec<Record>, Totals), Error> {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("secrets", Some(&seal), &options, &mut keep);
        let input = Input {
            name: "secrets".to_owned(),
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        };
        read(&input, &mut intake)?;
        let totals = intake.totals();
        Ok((records, totals))
    }

    #[test]
    fn a_cluster_export_gives_a_record_a_key() {
        let seal = Fingerprinter::new([3; 32]);
        let (records, totals) = import(EXAMPLE).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "shop/shop-db#password",
                "shop/shop-db#username",
                "shop/shop-tls#tls.crt",
                "shop/shop-tls#tls.key",
                "shop/sh.helm.release.v1.shop.v3#release",
            ]
        );
        let password = &records[0];
        assert_eq!(
            password.secret,
            SecretName::new("kubernetes", "shop-db")
                .within("shop")
                .with_key("password")
        );
        assert_eq!(
            password.versions[0].fingerprint,
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!(password.owners, ["team-shop", "ann"]);
        assert_eq!(password.environment.as_deref(), Some("production"));
        assert_eq!(password.created, Some(1_743_498_000));
        assert_eq!(password.rotated, Some(1_764_489_600));
        assert_eq!(records[2].kind, Some(Kind::Certificate));
        assert_eq!(records[2].expires, Some(1_830_062_079));
        assert_eq!(records[4].versions[0].fingerprint, None);
        assert_eq!((totals.records, totals.with_value), (5, 4));
    }

    #[test]
    fn manifests_are_read_document_by_document() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n---\n\
            kind: Secret\nmetadata:\n  name: api\ndata:\n  a: b25lIG9m\n  b: null\nstringData:\n  a: plain\n  c: |\n    two\n---\n\
            kind: List\nitems:\n- kind: Secret\n  metadata: {name: bare, namespace: n}\n";
        let seal = Fingerprinter::new([3; 32]);
        let (records, _) = import(text).unwrap();
        let seen: Vec<_> = records
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.versions.last().and_then(|it| it.fingerprint),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("api#a", Some(seal.fingerprint(b"plain"))),
                ("api#b", None),
                ("api#c", Some(seal.fingerprint(b"two"))),
                ("n/bare", None),
            ]
        );
    }

    #[test]
    fn logins_to_registries_are_values_of_their_own() {
        let config = r#"{"auths": {"r.example": {"username": "ann", "password": "first value 11"}, "s.example": {"auth": "YW5uOnNlY29uZCB2YWx1ZSAyMg=="}, "t.example": {}}}"#;
        let text = format!(
            "kind: Secret\ntype: kubernetes.io/dockerconfigjson\nmetadata: {{name: pull}}\nstringData:\n  .dockerconfigjson: '{config}'\n"
        );
        let (records, _) = import(&text).unwrap();
        let seal = Fingerprinter::new([3; 32]);
        let seen: Vec<_> = records[1..]
            .iter()
            .map(|it| (it.name.as_str(), it.versions[0].fingerprint))
            .collect();
        assert_eq!(
            seen,
            [
                (
                    "pull#.dockerconfigjson/r.example",
                    Some(seal.fingerprint(b"first value 11"))
                ),
                (
                    "pull#.dockerconfigjson/s.example",
                    Some(seal.fingerprint(b"second value 22"))
                ),
            ]
        );
    }

    #[test]
    fn what_makes_a_secret_and_the_secret_are_one_record() {
        let made = "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: web, namespace: shop, labels: {team: pay}}\n\
            spec: {secretName: web-tls}\nstatus: {notAfter: 2026-04-01T00:00:00Z}\n";
        let secret = "kind: Secret\nmetadata: {name: web-tls, namespace: shop}\nstringData: {tls.key: hidden, tls.crt: also}\n";
        for text in [
            format!("{made}---\n{secret}"),
            format!("{secret}---\n{made}"),
        ] {
            let (records, totals) = import(&text).unwrap();
            assert_eq!((records.len(), totals.with_value), (2, 2), "{text}");
            let certificate = records.iter().find(|it| it.name == "shop/web-tls#tls.crt");
            let certificate = certificate.unwrap();
            assert_eq!(certificate.expires, Some(1_775_001_600));
            assert_eq!(certificate.tags["made_by"], "Certificate/web");
        }
        let (records, _) = import(made).unwrap();
        assert_eq!(records[0].owners, ["pay"]);
        assert!(holds(made.as_bytes()) && !holds(b"kind: Secret\nmetadata: {name: '{{ .x }}'}"));
    }

    #[test]
    fn templates_in_place_of_base64_are_noted_and_not_fatal() {
        let text = "kind: Secret\nmetadata: {name: x}\ndata:\n  a: '{{ .Values.hidden }}'\n";
        let (records, totals) = import(text).unwrap();
        assert_eq!(records[0].versions[0].fingerprint, None);
        assert!(totals.skipped[0].contains("x#a"), "{totals:?}");
        assert!(!totals.skipped[0].contains("hidden"));
    }

    #[test]
    fn what_is_no_secret_is_refused_and_an_empty_cluster_is_not() {
        assert!(import("kind: ConfigMap\n").is_err());
        assert!(import("{\"kind\": \"Secret\"}").is_err());
        assert!(import("{}").is_err());
        assert_eq!(
            import("{\"kind\": \"List\", \"items\": []}")
                .unwrap()
                .0
                .len(),
            0
        );
    }
}
