//! Infisical: `infisical export --format=json`, and the answers of its API, which also tell dates and versions.
//!
//! Shapes: <https://infisical.com/docs/cli/commands/export> and
//! <https://infisical.com/docs/api-reference/endpoints/secrets/list>.

use crate::import::declared;
use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;

pub(super) const HELP: &str =
    "Infisical: `infisical export --format=json`, or answers of its secrets API";

pub(super) const EXAMPLE: &str = r#"[{"key": "MAIL_TOKEN", "workspace": "w-example", "value": "tok_example_5f0e3a9b", "type": "shared", "_id": "1",
  "secretPath": "/", "tags": [], "comment": ""}]
{"secrets": [{"id": "2", "workspace": "w-example", "environment": "prod", "secretPath": "/db", "secretKey": "DB_PASSWORD",
  "secretValue": "correct horse 71 battery", "secretComment": "", "type": "shared", "version": 3,
  "createdAt": "2024-01-05T10:00:00.000Z", "updatedAt": "2025-11-30T08:00:00.000Z", "isRotatedSecret": true, "rotationId": "r1",
  "secretReminderRepeatDays": 90, "tags": [{"id": "t", "slug": "billing", "name": "billing"}],
  "secretMetadata": [{"key": "owner", "value": "ann"}, {"key": "cost-centre", "value": "4711"}]}],
 "imports": [{"secretPath": "/", "environment": "shared", "secrets": [{"id": "3", "secretKey": "SENTRY_DSN",
  "secretValue": "wrong donkey 17 capacitor", "version": 1}]}]}
"#;

const HINT: &str = "make it with `infisical export --format=json`, or save what the API lists of a project's secrets";

/// What the API says in place of a value that the caller may not read.
const HIDDEN: &str = "<hidden-by-infisical>";

pub(super) fn applies(below: &str) -> bool {
    below.ends_with(".json")
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(bytes, part).is_some();
    has(b"\"secretKey\"") || has(b"\"workspace\"")
}

/// Where a list of secrets lies, as far as what is around it says.
#[derive(Clone, Copy, Default)]
struct Around<'a> {
    environment: Option<&'a str>,
    path: Option<&'a str>,
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    for (line, document) in &documents {
        let around = Around::default();
        match document {
            Tree::List(items) => list(items, around, *line, intake)?,
            _ if document.member("secrets").is_some() || document.member("imports").is_some() => {
                list(items(document, "secrets"), around, *line, intake)?;
                for import in items(document, "imports") {
                    let around = Around {
                        environment: import.text_at(&["environment"]),
                        path: import.text_at(&["secretPath"]),
                    };
                    list(items(import, "secrets"), around, *line, intake)?;
                }
            }
            _ => match document.member("secret") {
                Some(one) => list(std::slice::from_ref(one), around, *line, intake)?,
                None => return Err(intake.shape(format!("line {line}: no secrets in it"), HINT)),
            },
        }
    }
    Ok(())
}

fn items<'a>(tree: &'a Tree, name: &str) -> &'a [Tree] {
    tree.member(name).map_or(&[][..], Tree::items)
}

fn list(
    items: &[Tree],
    around: Around<'_>,
    line: u32,
    intake: &mut Intake<'_>,
) -> Result<(), Error> {
    for item in items {
        let Some(name) = item
            .text_at(&["secretKey"])
            .or_else(|| item.text_at(&["key"]))
        else {
            let what = format!("an entry behind line {line} has no `key`");
            return Err(intake.shape(what, HINT));
        };
        let mut record = secret(item, name, around, intake);
        record.source_line = Some(line);
        intake.emit(record);
    }
    Ok(())
}

fn secret(item: &Tree, name: &str, around: Around<'_>, intake: &Intake<'_>) -> Record {
    let text = |name: &str| item.text_at(&[name]);
    let time = |name: &str| text(name).and_then(intake::moment);
    let environment = text("environment").or(around.environment);
    let folder = text("secretPath").or(around.path).unwrap_or("/");
    let folder = folder.trim_matches('/');
    let path = match folder {
        "" => name.to_owned(),
        _ => format!("{folder}/{name}"),
    };
    let value = item.member("secretValue").or_else(|| item.member("value"));
    let value = value.filter(|it| it.text() != Some(HIDDEN));
    let fingerprint = value
        .and_then(Tree::value)
        .and_then(|it| intake.fingerprint(&it));
    let number = text("version").and_then(|it| it.parse().ok());
    let mut record = Record {
        name: environment.map_or_else(|| path.clone(), |it| format!("{it}/{path}")),
        secret: SecretName::new("infisical", &path).within(environment.unwrap_or("")),
        environment: environment.map(str::to_owned),
        created: time("createdAt"),
        rotated: time("updatedAt"),
        rotation_days: text("secretReminderRepeatDays").and_then(intake::days),
        versions: vec![Version {
            number: number.unwrap_or(1),
            created: number.and_then(|_: u32| time("updatedAt")),
            fingerprint,
            veil: None,
        }],
        ..Record::default()
    };
    // An override that only its author sees.
    if text("type") == Some("personal") {
        record.name.push_str("#personal");
        record.secret.key = Some("personal".to_owned());
    }
    tags(item, &mut record);
    record
}

fn tags(item: &Tree, record: &mut Record) {
    let mut tag = |name: &str, text: &str| record.tags.insert(name.to_owned(), text.to_owned());
    if let Some(project) = item.text_at(&["workspace"]) {
        tag("project", project);
    }
    if item.text_at(&["isRotatedSecret"]) == Some("true") {
        tag("rotated_by", "infisical");
    }
    let names = items(item, "tags").iter();
    let names: Vec<_> = names
        .filter_map(|it| it.text_at(&["slug"]).or_else(|| it.text_at(&["name"])))
        .collect();
    if !names.is_empty() {
        tag("tags", &names.join(","));
    }
    for pair in items(item, "secretMetadata") {
        let (Some(name), Some(text)) = (pair.text_at(&["key"]), pair.text_at(&["value"])) else {
            continue;
        };
        if !declared::take(record, name, text) {
            record.tags.insert(name.to_owned(), text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;

    #[test]
    fn exports_and_answers_are_read() {
        let (records, totals) = tried(read, "x.json", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            ["MAIL_TOKEN", "prod/db/DB_PASSWORD", "shared/SENTRY_DSN"]
        );
        let password = &records[1];
        assert_eq!(
            password.secret,
            SecretName::new("infisical", "db/DB_PASSWORD").within("prod")
        );
        assert_eq!(password.owners, ["ann"]);
        assert_eq!(password.rotation_days, Some(90));
        assert_eq!(password.rotated, Some(1_764_489_600));
        assert_eq!(password.tags["cost-centre"], "4711");
        assert_eq!(password.tags["tags"], "billing");
        assert_eq!(password.tags["rotated_by"], "infisical");
        let version = &password.versions[0];
        let seal = Fingerprinter::new([3; 32]);
        assert_eq!(
            version.fingerprint,
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!((version.number, version.created), (3, Some(1_764_489_600)));
        assert_eq!(totals.values, 3);
    }

    #[test]
    fn hidden_values_and_overrides_are_told_apart() {
        let text = r#"{"secrets": [{"secretKey": "A", "secretValue": "<hidden-by-infisical>", "type": "shared"},
            {"secretKey": "A", "secretValue": "mine", "type": "personal"}]}"#;
        let (records, totals) = tried(read, "x", text.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!((names, totals.values), (vec!["A", "A#personal"], 1));
        for text in ["", "{}", "[{}]"] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
    }
}
