//! Secrets of GitHub: `gh secret list --json ...`, and the answers of the API for Actions, Dependabot and
//! Codespaces, of repositories, environments and organisations. Values are never told.
//!
//! An answer does not say whose it is: wrap it with `repository`, `organization` or `environment`, or name the
//! file after it. Shape: <https://docs.github.com/en/rest/actions/secrets>.

use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;

pub(super) const HELP: &str =
    "GitHub: `gh secret list --json name,updatedAt,visibility`, or answers of the API";

pub(super) const EXAMPLE: &str = r#"{"repository": "example/shop", "environment": "production", "total_count": 1,
 "secrets": [{"name": "DEPLOY_TOKEN", "created_at": "2024-01-05T10:00:00Z", "updated_at": "2025-11-30T08:00:00Z"}]}
{"organization": "example", "secrets": [{"name": "NPM_TOKEN", "created_at": "2023-01-05T10:00:00Z",
  "updated_at": "2023-01-05T10:00:00Z", "visibility": "selected", "selected_repositories_url":
  "https://api.github.com/orgs/example/dependabot/secrets/NPM_TOKEN/repositories"}]}
[{"name": "SENTRY_DSN", "updatedAt": "2025-11-30T08:00:00Z", "visibility": "all", "numSelectedRepos": 0, "selectedReposURL": ""}]
"#;

const HINT: &str = "make it with `gh secret list --json name,updatedAt,visibility`, or `gh api repos/OWNER/NAME/actions/secrets | jq '. + {repository: \"OWNER/NAME\"}'`";

pub(super) fn applies(below: &str) -> bool {
    below.ends_with(".json")
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    let has = |part: &[u8]| memchr::memmem::find(bytes, part).is_some();
    has(b"\"name\"") && (has(b"updated_at") || has(b"updatedAt"))
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    for (line, document) in &documents {
        let listed = document.member("secrets").unwrap_or(document);
        let Tree::List(items) = listed else {
            return Err(intake.shape(format!("line {line}: no list of secrets"), HINT));
        };
        for item in items {
            let Some(mut record) = secret(item, document, intake) else {
                let what = format!("an entry behind line {line} has no `name`");
                return Err(intake.shape(what, HINT));
            };
            record.source_line = Some(*line);
            intake.emit(record);
        }
    }
    Ok(())
}

fn secret(item: &Tree, around: &Tree, intake: &Intake<'_>) -> Option<Record> {
    let name = item.text_at(&["name"])?;
    let either = |one: &str, other: &str| item.text_at(&[one]).or_else(|| item.text_at(&[other]));
    let url = either("selected_repositories_url", "selectedReposURL").unwrap_or("");
    let owner = url
        .split_once("/orgs/")
        .and_then(|it| it.1.split('/').next());
    let said = around
        .text_at(&["repository"])
        .or_else(|| around.text_at(&["organization"]))
        .or(owner);
    let stem = intake.stem();
    let scope = said.unwrap_or(stem).to_owned();
    let environment = around
        .text_at(&["environment"])
        .or_else(|| item.text_at(&["environment"]));
    let app = around.text_at(&["app"]).unwrap_or(url);
    let provider = match app {
        _ if app.contains("dependabot") => "github-dependabot",
        _ if app.contains("codespaces") => "github-codespaces",
        _ => "github-actions",
    };
    let time = |one: &str, other: &str| either(one, other).and_then(intake::moment);
    let prefix = if said.is_some() || stem.contains('/') {
        format!("{scope}/")
    } else {
        String::new()
    };
    let within = environment.map(|it| format!("{it}/")).unwrap_or_default();
    let scope = format!("{scope}/{within}");
    let mut record = Record {
        name: format!("{prefix}{within}{name}"),
        secret: SecretName::new(provider, name).within(scope.trim_matches('/')),
        environment: environment.map(str::to_owned),
        created: time("created_at", "createdAt"),
        rotated: time("updated_at", "updatedAt"),
        readers: readers(item),
        versions: vec![Version {
            number: 1,
            created: None,
            fingerprint: None,
            veil: None,
        }],
        ..Record::default()
    };
    if provider != "github-actions" {
        record.name = format!("{provider}:{}", record.name);
    }
    Some(record)
}

/// Which repositories an organisation lets have it.
fn readers(item: &Tree) -> Vec<String> {
    let text = match item
        .text_at(&["visibility"])
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("all") => "all repositories".to_owned(),
        Some("private") => "private repositories".to_owned(),
        Some("selected") => match item.text_at(&["numSelectedRepos"]) {
            Some(count) => format!("{count} selected repositories"),
            None => "selected repositories".to_owned(),
        },
        _ => return Vec::new(),
    };
    vec![text]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;

    #[test]
    fn answers_of_repositories_environments_and_organisations_are_read() {
        let (records, totals) = tried(read, "shop.json", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "example/shop/production/DEPLOY_TOKEN",
                "github-dependabot:example/NPM_TOKEN",
                "SENTRY_DSN"
            ]
        );
        let [deploy, npm, sentry] = &records[..] else {
            panic!("{records:?}");
        };
        assert_eq!(
            deploy.secret,
            SecretName::new("github-actions", "DEPLOY_TOKEN").within("example/shop/production")
        );
        assert_eq!(deploy.environment.as_deref(), Some("production"));
        assert_eq!(
            (deploy.created, deploy.rotated),
            (Some(1_704_448_800), Some(1_764_489_600))
        );
        assert_eq!(
            npm.secret,
            SecretName::new("github-dependabot", "NPM_TOKEN").within("example")
        );
        assert_eq!(npm.readers, ["selected repositories"]);
        assert_eq!(sentry.secret.scope, "shop");
        assert_eq!(sentry.readers, ["all repositories"]);
        assert_eq!(totals.values, 0);
        for text in ["", "{}", "[{}]", r#"{"secrets": {}}"#] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
    }
}
