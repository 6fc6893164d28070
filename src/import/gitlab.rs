//! CI/CD variables of GitLab, as the API lists them for projects, groups and the instance: with values, unless
//! they are hidden.
//!
//! An answer does not say whose it is: wrap it with `project` or `group`, or name the file after it. Shape:
//! <https://docs.gitlab.com/api/project_level_variables/>.

use crate::import::intake::{Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;

pub(super) const HELP: &str =
    "GitLab: what the API lists at /projects/ID/variables, /groups/ID/variables";

pub(super) const EXAMPLE: &str = r#"{"project": "example/shop", "variables": [
 {"variable_type": "env_var", "key": "DB_PASSWORD", "value": "correct horse 71 battery", "protected": true, "masked": true,
  "hidden": false, "raw": false, "environment_scope": "production", "description": null},
 {"variable_type": "file", "key": "DEPLOY_KEY", "value": "line one\nline two", "protected": false, "masked": false,
  "environment_scope": "*"},
 {"variable_type": "env_var", "key": "HIDDEN_TOKEN", "value": null, "protected": true, "masked": true, "hidden": true,
  "environment_scope": "*"}]}
"#;

const HINT: &str =
    "make it with `glab api projects/ID/variables | jq '{project: \"GROUP/NAME\", variables: .}'`";

pub(super) fn applies(below: &str) -> bool {
    below.ends_with(".json")
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\"variable_type\"").is_some()
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    for (line, document) in &documents {
        let listed = document.member("variables").unwrap_or(document);
        let Tree::List(items) = listed else {
            return Err(intake.shape(format!("line {line}: no list of variables"), HINT));
        };
        for item in items {
            let Some(mut record) = variable(item, document, intake) else {
                let what = format!("an entry behind line {line} has no `key`");
                return Err(intake.shape(what, HINT));
            };
            record.source_line = Some(*line);
            intake.emit(record);
        }
    }
    Ok(())
}

fn variable(item: &Tree, around: &Tree, intake: &Intake<'_>) -> Option<Record> {
    let key = item.text_at(&["key"])?;
    let said = around
        .text_at(&["project"])
        .or_else(|| around.text_at(&["group"]));
    let is_placed = intake.stem().contains('/');
    let scope = said.unwrap_or(intake.stem());
    // `*` is every environment, and so is what an instance does not say.
    let environment = item.text_at(&["environment_scope"]).filter(|it| *it != "*");
    let prefix = if said.is_some() || is_placed {
        format!("{scope}/")
    } else {
        String::new()
    };
    let within = environment.map(|it| format!("{it}/")).unwrap_or_default();
    let value = item.member("value").and_then(Tree::value);
    let mut record = Record {
        name: format!("{prefix}{within}{key}"),
        secret: SecretName::new("gitlab-ci", key)
            .within(format!("{scope}/{within}").trim_matches('/')),
        environment: environment.map(str::to_owned),
        versions: vec![Version {
            number: 1,
            created: None,
            fingerprint: value.and_then(|it| intake.fingerprint(&it)),
            veil: None,
        }],
        ..Record::default()
    };
    for name in ["protected", "masked", "hidden", "variable_type"] {
        if let Some(text) = item.text_at(&[name]) {
            record.tags.insert(name.to_owned(), text.to_owned());
        }
    }
    Some(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;

    #[test]
    fn variables_are_read_with_their_environments() {
        let (records, totals) = tried(read, "x.json", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "example/shop/production/DB_PASSWORD",
                "example/shop/DEPLOY_KEY",
                "example/shop/HIDDEN_TOKEN"
            ]
        );
        let password = &records[0];
        assert_eq!(
            password.secret,
            SecretName::new("gitlab-ci", "DB_PASSWORD").within("example/shop/production")
        );
        assert_eq!(password.environment.as_deref(), Some("production"));
        assert_eq!(password.tags["masked"], "true");
        let seal = Fingerprinter::new([3; 32]);
        assert_eq!(
            password.versions[0].fingerprint,
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!((totals.records, totals.values), (3, 2));
    }

    #[test]
    fn a_bare_answer_is_told_by_its_file() {
        let text = r#"[{"key": "A", "value": "x", "environment_scope": "*"}, {"key": "A", "value": "y", "environment_scope": "prod"}]"#;
        let (records, _) = tried(read, "exports/shop.json", text.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["A", "prod/A"]);
        assert_eq!(records[0].secret.scope, "shop");
        for text in ["", "{}", "[{}]"] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
    }
}
