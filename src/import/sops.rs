//! Files that SOPS encrypts (YAML, JSON, dotenv, INI, and others wrapped in JSON): one record a value.
//!
//! Keys stay readable in them, and so does who can decrypt: the recipients are the readers. Values are not
//! decrypted. Format: <https://getsops.io/docs/>, "Encryption protocol".

use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(super) const HELP: &str =
    "a file that SOPS encrypted, or every one below a folder: keys, recipients, last change";

pub(super) const EXAMPLE: &str = r#"db:
    host: ENC[AES256_GCM,data:b3BhcXVl,iv:MDAwMDAwMDAwMDAwMDAwMA==,tag:MDAwMDAwMDAwMDAwMDAwMA==,type:str]
    passwords:
        - ENC[AES256_GCM,data:b3BhcXVlMQ==,iv:MDAwMDAwMDAwMDAwMDAwMA==,tag:MDAwMDAwMDAwMDAwMDAwMA==,type:str]
        - ENC[AES256_GCM,data:b3BhcXVlMg==,iv:MDAwMDAwMDAwMDAwMDAwMA==,tag:MDAwMDAwMDAwMDAwMDAwMA==,type:str]
region_unencrypted: eu-west-1
sops:
    kms:
        - arn: arn:aws:kms:eu-west-1:123456789012:key/shop
          created_at: "2025-04-01T09:00:00Z"
          enc: b3BhcXVl
          aws_profile: ""
    age:
        - recipient: age1examplerecipientofann
          enc: |
            opaque
    pgp:
        - created_at: "2025-05-01T09:00:00Z"
          enc: opaque
          fp: FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4
    hc_vault:
        - vault_address: https://vault.example
          engine_path: sops
          key_name: shop
          created_at: "2025-05-01T09:00:00Z"
          enc: vault:v1:opaque
    lastmodified: "2026-01-10T08:00:00Z"
    mac: ENC[AES256_GCM,data:b3BhcXVl,iv:MDAwMDAwMDAwMDAwMDAwMA==,tag:MDAwMDAwMDAwMDAwMDAwMA==,type:str]
    unencrypted_suffix: _unencrypted
    version: 3.9.4
"#;

const HINT: &str =
    "name a file that `sops encrypt` wrote: it holds a part `sops` with `lastmodified`";

/// What encrypted values begin with.
const SEALED: &str = "ENC[AES256_GCM,";

/// Files of these names may be encrypted; SOPS wraps others in JSON under their own name.
const ENDS: &[&str] = &[
    ".yaml",
    ".yml",
    ".json",
    ".env",
    ".ini",
    ".enc",
    ".sops",
    ".txt",
    ".hcl",
    ".tfvars",
    ".toml",
    ".properties",
    ".conf",
    ".pem",
    ".key",
    ".sh",
];

/// Kinds of recipients, and the fields that tell which one.
const KINDS: &[(&str, &[&str])] = &[
    ("age", &["recipient"]),
    ("azure_kv", &["vault_url", "name"]),
    ("gcp_kms", &["resource_id"]),
    ("hc_vault", &["vault_address", "engine_path", "key_name"]),
    ("hckms", &["key_id"]),
    ("kms", &["arn"]),
    ("pgp", &["fp"]),
];

pub(super) fn applies(below: &str) -> bool {
    let file = below.rsplit('/').next().unwrap_or(below);
    let is_named = file.contains("sops") || file.contains(".enc") || file.starts_with(".env");
    is_named || !file.contains('.') || ENDS.iter().any(|it| file.ends_with(it))
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    let has = |part: &str| memchr::memmem::find(bytes, part.as_bytes()).is_some();
    has(SEALED) && has("lastmodified")
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let mut is_sealed = false;
    for (number, document) in (1..).zip(&documents(&input.bytes, intake)?) {
        let Some(seal) = Seal::of(document) else {
            continue;
        };
        is_sealed = true;
        // Manifests of one kind have the same keys in each document.
        let mut path: Vec<String> = (number > 1)
            .then(|| format!("[{number}]"))
            .into_iter()
            .collect();
        for (name, tree) in document.members() {
            if !is_metadata(name) {
                path.push(name.clone());
                leaves(tree, &mut path, &mut |path| {
                    intake.emit(seal.record(path, intake.place()))
                });
                path.pop();
            }
        }
    }
    if !is_sealed {
        return Err(intake.shape("SOPS has not encrypted this", HINT));
    }
    Ok(())
}

fn is_metadata(name: &str) -> bool {
    name == "sops" || name.starts_with("sops_")
}

fn documents(bytes: &[u8], intake: &Intake<'_>) -> Result<Vec<Tree>, Error> {
    let begins = |line: &&[u8], with: &str| line.starts_with(with.as_bytes());
    let mut lines = bytes.split(|it| *it == b'\n');
    if bytes.trim_ascii_start().starts_with(b"{") {
        let documents = tree::json(bytes, intake)?;
        return Ok(documents.into_iter().map(|it| it.1).collect());
    }
    let is_flat = |it: &[u8]| begins(&it, "sops_lastmodified") || begins(&it, "[sops]");
    if lines.any(is_flat) {
        return Ok(vec![flat(&String::from_utf8_lossy(bytes))]);
    }
    tree::yaml(bytes, intake)
}

/// Dotenv and INI: names and values, below the names of sections.
fn flat(text: &str) -> Tree {
    let mut sections: Vec<(String, Tree)> = Vec::new();
    let mut section = None;
    let mut within: Vec<(String, Tree)> = Vec::new();
    let close =
        |section: Option<String>, within: Vec<(String, Tree)>, all: &mut Vec<_>| match section {
            Some(name) => all.push((name, Tree::Map(within))),
            None => all.extend(within),
        };
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            close(
                section.replace(name.to_owned()),
                std::mem::take(&mut within),
                &mut sections,
            );
        } else if let Some((name, value)) = line
            .split_once('=')
            .filter(|_| !line.starts_with(['#', ';']))
        {
            let value = Zeroizing::new(value.trim().to_owned());
            within.push((name.trim().to_owned(), Tree::Text(value)));
        }
    }
    close(section, within, &mut sections);
    Tree::Map(sections)
}

/// Paths of encrypted values.
fn leaves(tree: &Tree, path: &mut Vec<String>, emit: &mut dyn FnMut(&[String])) {
    match tree {
        Tree::Text(text) if text.starts_with(SEALED) => emit(path),
        Tree::Text(_) | Tree::Null => {}
        Tree::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                leaves(item, path, emit);
                path.pop();
            }
        }
        Tree::Map(members) => {
            for (name, item) in members {
                path.push(name.clone());
                leaves(item, path, emit);
                path.pop();
            }
        }
    }
}

/// What a document says of its encryption.
#[derive(Default)]
struct Seal {
    readers: Vec<String>,
    created: Option<i64>,
    changed: Option<i64>,
    threshold: Option<String>,
}

impl Seal {
    fn of(document: &Tree) -> Option<Self> {
        let metadata = document.member("sops");
        let mut seal = Self::default();
        match metadata {
            Some(tree) => {
                seal.changed = tree.text_at(&["lastmodified"]).and_then(intake::moment);
                seal.threshold = tree.text_at(&["shamir_threshold"]).map(str::to_owned);
                seal.nested(tree);
                seal.flattened(tree, "");
            }
            None => {
                let changed = document.text_at(&["sops_lastmodified"]);
                seal.changed = changed.and_then(intake::moment);
                seal.flattened(document, "sops_");
            }
        }
        seal.changed.map(|_| seal)
    }

    /// Recipients as YAML and JSON have them, also in groups.
    fn nested(&mut self, tree: &Tree) {
        for (kind, _) in KINDS {
            for recipient in tree.member(kind).map_or(&[][..], Tree::items) {
                let fields = recipient.members().iter();
                let fields = fields.filter_map(|(name, it)| Some((name.as_str(), it.text()?)));
                self.add(kind, &fields.collect());
            }
        }
        for group in tree.member("key_groups").map_or(&[][..], Tree::items) {
            self.nested(group);
        }
    }

    /// Recipients as dotenv and INI have them: `age__list_0__map_recipient=...`.
    fn flattened(&mut self, tree: &Tree, prefix: &str) {
        let mut found: BTreeMap<(&str, &str), BTreeMap<&str, &str>> = BTreeMap::new();
        for (name, tree) in tree.members() {
            let Some((place, field)) = name
                .strip_prefix(prefix)
                .and_then(|it| it.rsplit_once("__map_"))
            else {
                continue;
            };
            let Some((kind, _)) = place.rsplit_once("__list_") else {
                continue;
            };
            let kind = kind.rsplit("__map_").next().unwrap_or(kind);
            if let Some(text) = tree.text() {
                found.entry((kind, place)).or_default().insert(field, text);
            }
        }
        for ((kind, _), fields) in &found {
            self.add(kind, fields);
        }
    }

    fn add(&mut self, kind: &str, fields: &BTreeMap<&str, &str>) {
        let Some((_, names)) = KINDS.iter().find(|(it, _)| *it == kind) else {
            return;
        };
        let parts: Vec<&str> = names
            .iter()
            .filter_map(|it| fields.get(it).copied())
            .collect();
        let reader = format!("{kind}:{}", parts.join("/"));
        if !parts.is_empty() && !self.readers.contains(&reader) {
            self.readers.push(reader);
        }
        let created = fields.get("created_at").and_then(|it| intake::moment(it));
        self.created = [self.created, created].into_iter().flatten().min();
    }

    fn record(&self, path: &[String], file: &str) -> Record {
        let key = path.join(".");
        Record {
            name: format!("{file}#{key}"),
            secret: SecretName::new("sops", file).with_key(&key),
            readers: self.readers.clone(),
            created: self.created,
            rotated: self.changed,
            versions: vec![Version {
                number: 1,
                created: None,
                fingerprint: None,
                veil: None,
            }],
            tags: self
                .threshold
                .iter()
                .map(|it| ("shamir_threshold".to_owned(), it.clone()))
                .collect(),
            ..Record::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;

    const ENC: &str = "ENC[AES256_GCM,data:b3BhcXVl,iv:MA==,tag:MA==,type:str]";

    #[test]
    fn keys_recipients_and_the_last_change_are_read() {
        let (records, totals) = tried(read, "shop.enc.yaml", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "shop.enc.yaml#db.host",
                "shop.enc.yaml#db.passwords.0",
                "shop.enc.yaml#db.passwords.1"
            ]
        );
        let host = &records[0];
        assert_eq!(
            host.secret,
            SecretName::new("sops", "shop.enc.yaml").with_key("db.host")
        );
        assert_eq!(
            host.readers,
            [
                "age:age1examplerecipientofann",
                "hc_vault:https://vault.example/sops/shop",
                "kms:arn:aws:kms:eu-west-1:123456789012:key/shop",
                "pgp:FBC7B9E2A4F9289AC0C1D4843D16CEE4A27381B4"
            ]
        );
        assert_eq!(host.created, Some(1_743_498_000));
        assert_eq!(host.rotated, Some(1_768_032_000));
        assert_eq!((totals.records, totals.values), (3, 0));
    }

    #[test]
    fn every_form_says_the_same() {
        let json = format!(
            r#"{{"data": "{ENC}", "sops": {{"kms": null, "shamir_threshold": 2, "key_groups": [{{"age": [{{"recipient": "age1ann"}}]}},
            {{"pgp": [{{"fp": "AB12", "created_at": "2025-05-01T09:00:00Z"}}]}}], "lastmodified": "2026-01-10T08:00:00Z"}}}}"#
        );
        let dotenv = format!(
            "#{ENC}\nPLAIN=eu\ndata={ENC}\nsops_age__list_0__map_recipient=age1ann\nsops_age__list_0__map_enc=opaque\n\
            sops_pgp__list_0__map_fp=AB12\nsops_pgp__list_0__map_created_at=2025-05-01T09:00:00Z\n\
            sops_shamir_threshold=2\nsops_lastmodified=2026-01-10T08:00:00Z\n"
        );
        let ini = format!(
            "; note\ndata = {ENC}\n[sops]\nage__list_0__map_recipient = age1ann\npgp__list_0__map_fp = AB12\n\
            pgp__list_0__map_created_at = 2025-05-01T09:00:00Z\nlastmodified = 2026-01-10T08:00:00Z\n"
        );
        for text in [json, dotenv, ini] {
            assert!(holds(text.as_bytes()), "{text}");
            let (records, _) = tried(read, "a.env", text.as_bytes()).unwrap();
            assert_eq!(records.len(), 1, "{text}");
            assert_eq!(records[0].name, "a.env#data", "{text}");
            assert_eq!(records[0].readers, ["age:age1ann", "pgp:AB12"], "{text}");
            assert_eq!(records[0].created, Some(1_746_090_000), "{text}");
            assert_eq!(records[0].rotated, Some(1_768_032_000), "{text}");
        }
    }

    #[test]
    fn documents_of_one_file_are_told_apart() {
        let document = format!(
            "kind: Secret\nstringData: {{p: '{ENC}'}}\nsops: {{lastmodified: 2026-01-10T08:00:00Z}}\n"
        );
        let text = format!("{document}---\n{document}");
        let (records, _) = tried(read, "a.yaml", text.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["a.yaml#stringData.p", "a.yaml#[2].stringData.p"]);
    }

    #[test]
    fn what_is_not_encrypted_is_refused() {
        for text in ["a: b\n", "{\"sops\": {}}", "sops_x=1\n", "[sops]\n"] {
            let error = tried(read, "a", text.as_bytes()).unwrap_err();
            assert!(error.hint().unwrap().contains("sops encrypt"), "{text}");
        }
        for (path, expected) in [
            ("a/secrets.enc.yaml", true),
            ("a/b.png", false),
            ("tls.key", true),
        ] {
            assert_eq!(applies(path), expected, "{path}");
        }
    }
}
