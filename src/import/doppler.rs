//! Doppler: `doppler secrets --json` with values, `--only-names` without, `doppler configs --json` for dates.
//!
//! Several of them in one stream are one export: what a config says holds for its secrets. Shapes:
//! <https://docs.doppler.com/reference/secrets-list> and <https://docs.doppler.com/reference/configs-list>.

use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use std::collections::BTreeMap;

pub(super) const HELP: &str =
    "Doppler: `doppler secrets --json` and `doppler configs --json`, one or several";

pub(super) const EXAMPLE: &str = r#"[{"name": "prd", "project": "shop", "environment": "prd", "root": true, "locked": false,
  "initial_fetch_at": "2024-02-01T00:00:00Z", "last_fetch_at": "2026-02-01T00:00:00Z", "created_at": "2024-01-05T10:00:00Z"},
 {"name": "dev", "project": "shop", "environment": "dev", "created_at": "2024-01-05T10:00:00Z", "last_fetch_at": null}]
{"DB_PASSWORD": {"computed": "correct horse 71 battery", "computedVisibility": "masked", "note": "", "raw": "correct horse 71 battery",
  "rawVisibility": "masked"},
 "STRIPE_KEY": {"computed": "tok_example_5f0e3a9b", "note": "pay", "raw": "${shared.prd.STRIPE_KEY}"},
 "DOPPLER_CONFIG": {"computed": "prd", "raw": "prd"}, "DOPPLER_ENVIRONMENT": {"computed": "prd", "raw": "prd"},
 "DOPPLER_PROJECT": {"computed": "shop", "raw": "shop"}}
"#;

const HINT: &str = "make it with `doppler secrets --json` (values), `doppler secrets --only-names --json`, or `doppler configs --json`";

pub(super) fn applies(below: &str) -> bool {
    below.ends_with(".json")
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'['))
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    let mut configs: BTreeMap<String, Config> = BTreeMap::new();
    let mut secrets = Vec::new();
    for (line, document) in &documents {
        let listed = document.member("configs").unwrap_or(document);
        if let Tree::List(items) = listed {
            for item in items {
                let Some(config) = Config::of(item) else {
                    let what = format!("an entry behind line {line} is no config of a project");
                    return Err(intake.shape(what, HINT));
                };
                configs.insert(config.scope.clone(), config);
            }
        } else {
            let members = document.member("secrets").unwrap_or(document);
            if !members.members().iter().all(|(_, it)| is_secret(it))
                || members.members().is_empty()
            {
                let what = format!("the document at line {line} holds no secrets");
                return Err(intake.shape(what, HINT));
            }
            secrets.push((*line, members));
        }
    }
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    for (line, members) in secrets {
        let scope = scope(members, intake);
        let config = configs.get_mut(&scope);
        let config = config.map(|it| {
            it.has_secrets = true;
            &*it
        });
        for (name, tree) in members.members() {
            if !name.starts_with("DOPPLER_") {
                let record = secret(name, tree, &scope, line, config, intake);
                intake.emit(record);
            }
        }
    }
    for config in configs.values().filter(|it| !it.has_secrets) {
        intake.emit(config.record());
    }
    Ok(())
}

/// An object with the texts of a secret, empty where only names were asked for; or, of a download, the value.
fn is_secret(tree: &Tree) -> bool {
    match tree {
        Tree::Map(members) => {
            members.is_empty() || tree.member("raw").is_some() || tree.member("computed").is_some()
        }
        Tree::Text(_) | Tree::Null => true,
        Tree::List(_) => false,
    }
}

/// Doppler adds project and config to each list of secrets.
fn scope(members: &Tree, intake: &Intake<'_>) -> String {
    let said = |name: &str| {
        let tree = members.member(name)?;
        tree.text()
            .or_else(|| tree.text_at(&["computed"]))
            .map(str::to_owned)
    };
    match (said("DOPPLER_PROJECT"), said("DOPPLER_CONFIG")) {
        (Some(project), Some(config)) => format!("{project}/{config}"),
        // A folder of exports tells by its files: shop/prd.json.
        _ => intake.stem().to_owned(),
    }
}

struct Config {
    scope: String,
    environment: Option<String>,
    created: Option<i64>,
    accessed: Option<i64>,
    has_secrets: bool,
}

impl Config {
    fn of(tree: &Tree) -> Option<Self> {
        let (project, name) = (tree.text_at(&["project"])?, tree.text_at(&["name"])?);
        let time = |name: &str| tree.text_at(&[name]).and_then(intake::moment);
        Some(Self {
            scope: format!("{project}/{name}"),
            environment: tree.text_at(&["environment"]).map(str::to_owned),
            created: time("created_at"),
            accessed: time("last_fetch_at"),
            has_secrets: false,
        })
    }

    /// A config of which no secrets are known.
    fn record(&self) -> Record {
        let (project, name) = self.scope.split_once('/').unwrap_or(("", &self.scope));
        Record {
            name: self.scope.clone(),
            secret: SecretName::new("doppler", name).within(project),
            environment: self.environment.clone(),
            created: self.created,
            accessed: self.accessed,
            ..Record::default()
        }
    }
}

fn secret(
    name: &str,
    tree: &Tree,
    scope: &str,
    line: u32,
    config: Option<&Config>,
    intake: &Intake<'_>,
) -> Record {
    let value = match tree {
        Tree::Map(_) => tree.member("computed").or_else(|| tree.member("raw")),
        _ => Some(tree),
    };
    let fingerprint = value
        .and_then(Tree::value)
        .and_then(|it| intake.fingerprint(&it));
    let raw = tree.text_at(&["raw"]).unwrap_or("");
    let mut record = Record {
        name: format!("{scope}/{name}").trim_start_matches('/').to_owned(),
        secret: SecretName::new("doppler", name).within(scope),
        environment: config.and_then(|it| it.environment.clone()),
        accessed: config.and_then(|it| it.accessed),
        source_line: Some(line),
        versions: vec![Version {
            number: 1,
            created: None,
            fingerprint,
            veil: None,
        }],
        ..Record::default()
    };
    // What is nothing but a reference to another secret.
    let inner = raw.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    let is_name = |it: &&str| {
        it.bytes()
            .all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it))
    };
    if let Some(other) = inner.filter(is_name) {
        record.tags.insert("refers_to".to_owned(), other.to_owned());
    }
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;

    #[test]
    fn secrets_take_over_what_their_config_says() {
        let (records, _) = tried(read, "doppler.json", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["shop/prd/DB_PASSWORD", "shop/prd/STRIPE_KEY", "shop/dev"]
        );
        let password = &records[0];
        assert_eq!(
            password.secret,
            SecretName::new("doppler", "DB_PASSWORD").within("shop/prd")
        );
        assert_eq!(password.environment.as_deref(), Some("prd"));
        assert_eq!(password.accessed, Some(1_769_904_000));
        let seal = Fingerprinter::new([3; 32]);
        assert_eq!(
            password.versions[0].fingerprint,
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!(records[1].tags["refers_to"], "shared.prd.STRIPE_KEY");
        assert_eq!(
            records[2].secret,
            SecretName::new("doppler", "dev").within("shop")
        );
        assert_eq!(records[2].created, Some(1_704_448_800));
    }

    #[test]
    fn names_alone_downloads_and_answers_of_the_api_are_read() {
        for (text, has_value) in [
            (r#"{"A": {}, "B": {}}"#, false),
            (r#"{"A": "hidden one", "B": "hidden two"}"#, true),
            (
                r#"{"secrets": {"A": {"raw": "hidden one"}, "B": {"raw": "hidden two"}}}"#,
                true,
            ),
        ] {
            let (records, _) = tried(read, "x/prd.json", text.as_bytes()).unwrap();
            let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
            assert_eq!(names, ["prd/A", "prd/B"], "{text}");
            assert_eq!(
                records[0].versions[0].fingerprint.is_some(),
                has_value,
                "{text}"
            );
        }
        for text in ["", "{}", r#"{"a": {"b": 1}}"#, "[1]", r#"{"a": [1]}"#] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
        let (records, _) = tried(read, "x", br#"{"page": 1, "configs": []}"#).unwrap();
        assert!(records.is_empty());
    }
}
