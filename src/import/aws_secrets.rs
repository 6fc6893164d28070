//! AWS Secrets Manager: what its documents say of one secret, put together.
//!
//! Fields: <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_SecretListEntry.html>,
//! `API_DescribeSecret`, `API_ListSecretVersionIds`, `API_GetSecretValue` there. Descriptions are not read:
//! people paste values there.

use crate::import::cloud::{self, Held, Object, time};
use crate::import::intake::Intake;
use crate::import::tree::Tree;
use crate::model::record::Record;
use crate::model::reference::SecretName;
use data_encoding::BASE64;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

const CURRENT: &str = "AWSCURRENT";

#[derive(Default)]
pub(super) struct Secret {
    draft: Record,
    /// By version id; the id alone tells no order.
    versions: BTreeMap<String, Version>,
}

#[derive(Default)]
struct Version {
    created: Option<i64>,
    is_current: bool,
    held: Held,
}

impl Secret {
    /// What one document says of it.
    pub(super) fn take(&mut self, line: Option<u32>, tree: &Tree, intake: &mut Intake<'_>) {
        self.draft.source_line = self.draft.source_line.or(line);
        if self.draft.name.is_empty() {
            tree.text_at(&["Name"])
                .unwrap_or_default()
                .clone_into(&mut self.draft.name);
        }
        let is_value =
            tree.member("SecretString").is_some() || tree.member("SecretBinary").is_some();
        if is_value {
            self.value(tree, intake);
        } else if let Some(versions) = tree.member("Versions") {
            versions.items().iter().for_each(|it| self.version(it));
        } else {
            self.describe(tree, intake);
        }
    }

    fn describe(&mut self, tree: &Tree, intake: &mut Intake<'_>) {
        let draft = &mut self.draft;
        draft.created = time(tree, &["CreatedDate"]).or(draft.created);
        draft.accessed = time(tree, &["LastAccessedDate"]).max(draft.accessed);
        // A change of tags moves the second date too, so the first is better where there is one.
        draft.rotated = time(tree, &["LastRotatedDate"])
            .or_else(|| time(tree, &["LastChangedDate"]))
            .or(draft.rotated);
        draft.expires = time(tree, &["DeletedDate"]).or(draft.expires);
        if draft.expires.is_some() {
            draft
                .tags
                .insert("deletion".to_owned(), "scheduled".to_owned());
        }
        if tree.text_at(&["RotationEnabled"]) != Some("false") {
            draft.rotation_days = tree.member("RotationRules").and_then(rotation_days);
        }
        for (name, tag) in [
            ("OwningService", "owning-service"),
            ("PrimaryRegion", "primary-region"),
        ] {
            if let Some(text) = tree.text_at(&[name]) {
                draft.tags.insert(tag.to_owned(), text.to_owned());
            }
        }
        for tag in tree.member("Tags").map_or(&[][..], Tree::items) {
            let pair = tag.text_at(&["Key"]).zip(tag.text_at(&["Value"]));
            if let Some((name, text)) = pair {
                cloud::label(draft, name, text, intake);
            }
        }
        // Ids without dates: enough to tell which of the dated ones is current.
        for name in ["VersionIdsToStages", "SecretVersionsToStages"] {
            for (id, stages) in tree.member(name).map_or(&[][..], Tree::members) {
                self.versions.entry(id.clone()).or_default().is_current |= is_current(stages);
            }
        }
    }

    fn version(&mut self, tree: &Tree) {
        let Some(id) = tree.text_at(&["VersionId"]) else {
            return;
        };
        let version = self.versions.entry(id.to_owned()).or_default();
        version.created = time(tree, &["CreatedDate"]).or(version.created);
        version.is_current |= tree.member("VersionStages").is_some_and(is_current);
        self.draft.accessed = time(tree, &["LastAccessedDate"]).max(self.draft.accessed);
    }

    fn value(&mut self, tree: &Tree, intake: &mut Intake<'_>) {
        let id = tree.text_at(&["VersionId"]).unwrap_or_default();
        let binary = tree.text_at(&["SecretBinary"]);
        let value = match (tree.text_at(&["SecretString"]), binary) {
            (Some(text), _) => Some(Zeroizing::new(text.as_bytes().to_vec())),
            (None, Some(text)) => BASE64
                .decode(text.trim().as_bytes())
                .ok()
                .map(Zeroizing::new),
            (None, None) => return,
        };
        let Some(value) = value else {
            intake.skip(&format!("{}: SecretBinary is not base64", self.draft.name));
            return;
        };
        let held = Held::of(&value, intake);
        let version = self.versions.entry(id.to_owned()).or_default();
        version.created = time(tree, &["CreatedDate"]).or(version.created);
        // Asked for without a stage, the current one is given.
        version.is_current |= tree.member("VersionStages").is_none_or(is_current);
        version.held = held;
    }

    /// All that is known, under the name that references are brought to.
    pub(super) fn object(self, scope: &str, name: &str) -> Object {
        let mut draft = self.draft;
        draft.secret = SecretName::new("aws-secretsmanager", name).within(scope);
        let versions = self.versions.into_values();
        let told = versions.filter(|it| it.created.is_some() || !matches!(it.held, Held::Unknown));
        let revisions = cloud::dated(
            told.map(|it| (it.created, it.is_current, it.held))
                .collect(),
        );
        draft.rotated = revisions.last().and_then(|it| it.created).or(draft.rotated);
        Object { draft, revisions }
    }
}

fn is_current(stages: &Tree) -> bool {
    stages.items().iter().any(|it| it.text() == Some(CURRENT))
}

/// `AutomaticallyAfterDays`, or `rate(10 days)`; a calendar of its own has no number of days.
fn rotation_days(rules: &Tree) -> Option<u32> {
    let days = rules.text_at(&["AutomaticallyAfterDays"]);
    if let Some(days) = days.and_then(|it| it.parse().ok()) {
        return Some(days);
    }
    let rate = rules.text_at(&["ScheduleExpression"])?;
    let rate = rate.strip_prefix("rate(")?.strip_suffix(')')?;
    let (number, unit) = rate.trim().split_once(' ')?;
    let number: u32 = number.parse().ok()?;
    let days = match unit.trim().trim_end_matches('s') {
        "day" => number,
        "hour" => number / 24,
        _ => return None,
    };
    Some(days).filter(|it| *it > 0)
}

#[cfg(test)]
mod tests {
    use crate::import::aws::EXAMPLE;
    use crate::import::aws::tests::{import, seal};
    use crate::model::record::Record;

    fn prints(record: &Record) -> Vec<(u32, Option<crate::model::fingerprint::Fingerprint>)> {
        let versions = record.versions.iter();
        versions.map(|it| (it.number, it.fingerprint)).collect()
    }

    fn document(fields: &str) -> String {
        format!(
            r#"{{"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:a/b-AbC123", "Name": "a/b", {fields}}}"#
        )
    }

    #[test]
    fn what_each_command_says_is_put_together() {
        let (records, _) = import(EXAMPLE).unwrap();
        let password = &records[0];
        assert_eq!(password.name, "shop/db#password");
        assert_eq!(password.owners, ["ann"]);
        assert_eq!(password.environment.as_deref(), Some("production"));
        assert_eq!(password.rotation_days, Some(90));
        assert_eq!(password.created, Some(1_704_448_800));
        assert_eq!(password.rotated, Some(1_764_489_600));
        assert_eq!(password.accessed, Some(1_769_904_000));
        assert_eq!(password.tags["cost-centre"], "4711");
        assert_eq!(
            prints(password),
            [
                (
                    1_751_270_400,
                    Some(seal().fingerprint(b"wrong donkey 17 capacitor"))
                ),
                (
                    1_764_489_600,
                    Some(seal().fingerprint(b"correct horse 71 battery"))
                ),
            ]
        );
        assert_eq!(
            prints(&records[1]).len(),
            1,
            "the old version had no username"
        );
        assert_eq!(records[2].created, Some(1_704_448_800));
        assert!(records[2].versions.is_empty() && records[2].rotated.is_none());
    }

    #[test]
    fn the_current_stage_decides_not_the_date() {
        let value = |id: &str, stage: &str, date: u32, value: &str| {
            document(&format!(
                r#""VersionId": "{id}", "VersionStages": ["{stage}"], "CreatedDate": {date}.5, "SecretString": "{value}""#
            ))
        };
        let now = value("v1", "AWSCURRENT", 1_700_000_000, "value one 11");
        let next = value("v2", "AWSPENDING", 1_700_000_100, "value two 22");
        let (records, _) = import(&format!("{now}{next}")).unwrap();
        assert_eq!(
            prints(&records[0]),
            [
                (1_700_000_100, Some(seal().fingerprint(b"value two 22"))),
                (1_700_000_101, Some(seal().fingerprint(b"value one 11"))),
            ]
        );
    }

    #[test]
    fn binary_values_and_plans_to_delete() {
        let binary = document(r#""SecretBinary": "dmFsdWUgb25lIDEx", "CreatedDate": 1700000000"#);
        let doomed = document(
            r#""DeletedDate": "2026-06-01T00:00:00Z", "RotationEnabled": false, "RotationRules": {"AutomaticallyAfterDays": 5}"#,
        );
        let (records, _) = import(&format!("{binary}\n{doomed}")).unwrap();
        assert_eq!(
            prints(&records[0]),
            [(1_700_000_000, Some(seal().fingerprint(b"value one 11")))]
        );
        assert_eq!(records[0].expires, Some(1_780_272_000));
        assert_eq!(records[0].tags["deletion"], "scheduled");
        assert_eq!(records[0].rotation_days, None, "rotation is switched off");
        let broken = document(r#""SecretBinary": "Pl4nted!""#);
        let (records, totals) = import(&broken).unwrap();
        assert!(records[0].versions.is_empty());
        assert!(
            totals.skipped[0].contains("a/b: SecretBinary"),
            "{totals:?}"
        );
        assert!(!totals.skipped[0].contains("Pl4nted"));
    }

    #[test]
    fn versions_without_values_are_dated() {
        let text = document(
            r#""Versions": [{"VersionId": "2", "VersionStages": ["AWSCURRENT"], "LastAccessedDate": 1769904000.0, "CreatedDate": 1764489600.0},
            {"VersionId": "1", "CreatedDate": 1751270400.0}]"#,
        );
        let (records, _) = import(&text).unwrap();
        assert_eq!(
            prints(&records[0]),
            [(1_751_270_400, None), (1_764_489_600, None)]
        );
        assert_eq!(records[0].rotated, Some(1_764_489_600));
        assert_eq!(records[0].accessed, Some(1_769_904_000));
    }

    #[test]
    fn schedules_are_days_where_they_are_rates() {
        for (rules, expected) in [
            (r#"{"ScheduleExpression": "rate(10 days)"}"#, Some(10)),
            (r#"{"ScheduleExpression": "rate(48 hours)"}"#, Some(2)),
            (r#"{"ScheduleExpression": "cron(0 8 1 * ? *)"}"#, None),
            (r#"{"ScheduleExpression": "rate(1 day"}"#, None),
            ("{}", None),
        ] {
            let (records, _) = import(&document(&format!(r#""RotationRules": {rules}"#))).unwrap();
            assert_eq!(records[0].rotation_days, expected, "{rules}");
        }
    }
}
