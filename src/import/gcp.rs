//! Google Secret Manager, as `gcloud` prints it with `--format=json`: secrets, versions, and values.
//!
//! Fields: <https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets>. Google names a
//! project by its number, code by its id: `gcloud projects list` beside the secrets tells which is which.

use crate::import::cloud::{self, Held, Object, Revision, time};
use crate::import::intake::{Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::Record;
use crate::model::reference::SecretName;
use data_encoding::{BASE64, BASE64URL};
use std::collections::{BTreeMap, HashMap};
use zeroize::Zeroizing;

pub(super) const HELP: &str = "what `gcloud secrets` prints with --format=json, one after another";

pub(super) const EXAMPLE: &str = r#"[
 {"name": "projects/123456789012/secrets/shop-db", "createTime": "2024-01-05T10:00:00.123456Z", "etag": "\"1\"", "replication": {"automatic": {}},
  "labels": {"owner": "ann", "team": "team-shop", "environment": "production", "cost-centre": "4711"},
  "rotation": {"nextRotationTime": "2026-02-28T08:00:00Z", "rotationPeriod": "7776000s"}},
 {"name": "projects/123456789012/secrets/shop-mail", "createTime": "2025-01-05T10:00:00Z", "expireTime": "2027-01-01T00:00:00Z"}
]
[
 {"name": "projects/123456789012/secrets/shop-db/versions/2", "createTime": "2025-11-30T08:00:00Z", "state": "ENABLED"},
 {"name": "projects/123456789012/secrets/shop-db/versions/1", "createTime": "2024-01-05T10:00:01Z", "destroyTime": "2025-12-30T08:00:00Z", "state": "DESTROYED"}
]
{"name": "projects/123456789012/secrets/shop-db/versions/2", "payload": {"data": "Y29ycmVjdCBob3JzZSA3MSBiYXR0ZXJ5", "dataCrc32c": "1"}}
{"name": "projects/123456789012/secrets/shop-mail/versions/1", "value": "tok_example_5f0e3a9b"}
[{"projectId": "shop-prod", "projectNumber": "123456789012", "lifecycleState": "ACTIVE"}]
"#;

const HINT: &str = "give what `gcloud secrets list`, `describe`, `versions list` and `versions access` print with --format=json, one after another";

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    let mut harvest = Harvest::default();
    for (line, document) in &documents {
        harvest.take(*line, document, intake)?;
    }
    harvest.emit(intake);
    Ok(())
}

#[derive(Default)]
struct Harvest {
    /// By project, as the export names it, and id.
    secrets: BTreeMap<(String, String), Secret>,
    /// Ids of projects by number.
    projects: HashMap<String, String>,
}

#[derive(Default)]
struct Secret {
    draft: Record,
    versions: BTreeMap<u32, Version>,
}

#[derive(Default)]
struct Version {
    created: Option<i64>,
    held: Held,
}

/// The parts of `projects/P/secrets/S/versions/V`; regional secrets have `locations/L` in between.
/// <https://cloud.google.com/secret-manager/regional-secrets/create-regional-secret>
struct Name<'a> {
    project: &'a str,
    location: Option<&'a str>,
    secret: &'a str,
    version: Option<&'a str>,
}

impl<'a> Name<'a> {
    fn of(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.trim_matches('/').split('/').collect();
        let (project, location, rest) = match parts.as_slice() {
            ["projects", project, "locations", location, rest @ ..] => {
                (*project, Some(*location), rest)
            }
            ["projects", project, rest @ ..] => (*project, None, rest),
            _ => return None,
        };
        let (secret, version) = match rest {
            ["secrets", secret] => (*secret, None),
            ["secrets", secret, "versions", version] => (*secret, Some(*version)),
            _ => return None,
        };
        Some(Self {
            project,
            location,
            secret,
            version,
        })
    }
}

impl Harvest {
    fn take(&mut self, line: u32, tree: &Tree, intake: &mut Intake<'_>) -> Result<(), Error> {
        if let Tree::List(items) = tree {
            return items.iter().try_for_each(|it| self.take(line, it, intake));
        }
        let project = tree
            .text_at(&["projectNumber"])
            .zip(tree.text_at(&["projectId"]));
        if let Some((number, id)) = project {
            self.projects.insert(number.to_owned(), id.to_owned());
            return Ok(());
        }
        let Some(name) = tree.text_at(&["name"]).and_then(Name::of) else {
            let what = format!("the document of line {line} has no name of a secret");
            return Err(intake.shape(what, HINT));
        };
        let id = (name.project.to_owned(), name.secret.to_owned());
        let secret = self.secrets.entry(id).or_default();
        secret.draft.source_line.get_or_insert(line);
        name.secret.clone_into(&mut secret.draft.name);
        if let Some(location) = name.location {
            secret
                .draft
                .tags
                .insert("location".to_owned(), location.to_owned());
        }
        match name.version {
            None => secret.describe(tree, intake),
            Some(version) => secret.version(version, tree, intake),
        }
        Ok(())
    }

    fn emit(self, intake: &mut Intake<'_>) {
        for ((project, name), secret) in self.secrets {
            let id = self.projects.get(&project).unwrap_or(&project);
            secret.object(id, &name).emit(intake);
        }
    }
}

impl Secret {
    fn describe(&mut self, tree: &Tree, intake: &mut Intake<'_>) {
        let draft = &mut self.draft;
        draft.created = time(tree, &["createTime"]).or(draft.created);
        draft.expires = time(tree, &["expireTime"]).or(draft.expires);
        let period = tree.text_at(&["rotation", "rotationPeriod"]);
        draft.rotation_days = period.and_then(days).or(draft.rotation_days);
        for part in ["labels", "annotations"] {
            for (name, text) in tree.member(part).map_or(&[][..], Tree::members) {
                if let Some(text) = text.text() {
                    cloud::label(draft, name, text, intake);
                }
            }
        }
    }

    fn version(&mut self, number: &str, tree: &Tree, intake: &mut Intake<'_>) {
        // Nobody but the server knows which number `latest` or an alias stands for.
        let Ok(number) = number.parse::<u32>() else {
            let what = format!("{}: version `{number}` is no number", self.draft.name);
            intake.skip(&what);
            return;
        };
        let version = self.versions.entry(number).or_default();
        version.created = time(tree, &["createTime"]).or(version.created);
        let value = match (tree.text_at(&["payload", "data"]), tree.text_at(&["value"])) {
            (Some(data), _) => decoded(data),
            (None, Some(text)) => Some(Zeroizing::new(text.as_bytes().to_vec())),
            (None, None) => return,
        };
        match value {
            Some(value) => version.held = Held::of(&value, intake),
            None => {
                let what = format!("{}: version {number} is not base64", self.draft.name);
                intake.skip(&what);
            }
        }
    }

    fn object(self, project: &str, name: &str) -> Object {
        let mut draft = self.draft;
        draft.secret = SecretName::new("gcp-secretmanager", name).within(project);
        let revision = |(number, it): (u32, Version)| Revision {
            number,
            created: it.created,
            held: it.held,
        };
        Object {
            draft,
            revisions: self.versions.into_iter().map(revision).collect(),
        }
    }
}

/// `gcloud` prints the web-safe alphabet, the API the other.
/// <https://cloud.google.com/secret-manager/docs/access-secret-version>
fn decoded(data: &str) -> Option<Zeroizing<Vec<u8>>> {
    let bytes = data.trim().as_bytes();
    let value = BASE64URL.decode(bytes).or_else(|_| BASE64.decode(bytes));
    value.ok().map(Zeroizing::new)
}

/// `7776000s`, as durations are written in JSON.
fn days(period: &str) -> Option<u32> {
    let seconds = period.strip_suffix('s')?.split('.').next()?;
    let days = seconds.parse::<u64>().ok()? / 86_400;
    u32::try_from(days).ok().filter(|it| *it > 0)
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
        let mut intake = Intake::new("gcp.json", Some(&seal), &options, &mut keep);
        let input = Input {
            name: "gcp.json".to_owned(),
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        };
        read(&input, &mut intake)?;
        let totals = intake.totals();
        Ok((records, totals))
    }

    #[test]
    fn secrets_versions_and_values_are_put_together() {
        let seal = Fingerprinter::new([3; 32]);
        let (records, totals) = import(EXAMPLE).unwrap();
        assert!(totals.skipped.is_empty(), "{totals:?}");
        let [db, mail] = records.as_slice() else {
            panic!("{records:?}");
        };
        assert_eq!(db.secret.to_string(), "gcp-secretmanager:shop-prod/shop-db");
        assert_eq!(db.owners, ["ann", "team-shop"]);
        assert_eq!(db.environment.as_deref(), Some("production"));
        assert_eq!(db.rotation_days, Some(90));
        assert_eq!(db.created, Some(1_704_448_800));
        assert_eq!(db.rotated, Some(1_764_489_600));
        assert_eq!(db.tags["cost-centre"], "4711");
        let prints: Vec<_> = db
            .versions
            .iter()
            .map(|it| (it.number, it.fingerprint))
            .collect();
        let current = Some(seal.fingerprint(b"correct horse 71 battery"));
        assert_eq!(prints, [(1, None), (2, current)]);
        assert_eq!(mail.expires, Some(1_798_761_600));
        assert_eq!(
            mail.versions[0].fingerprint,
            Some(seal.fingerprint(b"tok_example_5f0e3a9b"))
        );
    }

    #[test]
    fn without_projects_the_number_stays() {
        let (records, _) =
            import(r#"{"name": "projects/42/locations/europe-west3/secrets/a"}"#).unwrap();
        assert_eq!(records[0].secret.to_string(), "gcp-secretmanager:42/a");
        assert_eq!(records[0].tags["location"], "europe-west3");
    }

    #[test]
    fn both_alphabets_are_values_and_others_are_told() {
        let value = |data: &str, version: &str| {
            let text = format!(
                r#"{{"name": "projects/p/secrets/a/versions/{version}", "payload": {{"data": "{data}"}}}}"#
            );
            let (records, totals) = import(&text).unwrap();
            let print = records[0].versions.first().and_then(|it| it.fingerprint);
            (print, totals.skipped)
        };
        let (safe, other) = (value("_-_-dmFsdWU=", "1"), value("/+/+dmFsdWU=", "1"));
        assert!(safe.0.is_some());
        assert_eq!(safe, other);
        let (print, told) = value("Pl4nted!", "1");
        assert!(
            print.is_none() && told[0].ends_with("a: version 1 is not base64"),
            "{told:?}"
        );
        let (print, told) = value("dmFsdWU=", "latest");
        assert!(print.is_none() && told[0].contains("`latest`"), "{told:?}");
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "{}",
            "[{\"name\": \"db\"}]",
            "{\"name\": \"projects/p\"}",
        ] {
            assert!(matches!(import(text), Err(Error::Shape { .. })), "{text}");
        }
        assert!(import("[]").unwrap().0.is_empty());
    }
}
