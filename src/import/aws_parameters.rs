//! AWS Systems Manager Parameter Store: what its documents say of one parameter, put together.
//!
//! Fields: <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ParameterMetadata.html>,
//! `API_Parameter`, `API_ParameterHistory` there; policies:
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-policies.html>. Only what is
//! of type `SecureString` is a secret; other parameters are named, and their values left alone unless asked for.

use crate::import::cloud::{Held, Object, Revision, time};
use crate::import::intake::{self, Intake};
use crate::import::tree::{self, Tree};
use crate::model::record::Record;
use crate::model::reference::SecretName;
use data_encoding::BASE64;
use std::collections::BTreeMap;

const SECURE: &str = "SecureString";

#[derive(Default)]
pub(super) struct Parameter {
    draft: Record,
    versions: BTreeMap<u32, Version>,
}

#[derive(Default)]
struct Version {
    created: Option<i64>,
    held: Held,
}

impl Parameter {
    /// What one document says of it.
    pub(super) fn take(
        &mut self,
        line: Option<u32>,
        name: &str,
        tree: &Tree,
        intake: &mut Intake<'_>,
    ) {
        self.draft.source_line = self.draft.source_line.or(line);
        name.clone_into(&mut self.draft.name);
        let kind = tree.text_at(&["Type"]).unwrap_or(SECURE);
        if kind != SECURE {
            self.tag("type", kind);
        }
        if let Some(who) = tree.text_at(&["LastModifiedUser"]) {
            self.tag("modified-by", who);
        }
        for policy in tree.member("Policies").map_or(&[][..], Tree::items) {
            self.policy(policy, intake);
        }
        let number = tree.text_at(&["Version"]).and_then(|it| it.parse().ok());
        let version = self.versions.entry(number.unwrap_or(1)).or_default();
        version.created = time(tree, &["LastModifiedDate"]).or(version.created);
        let Some(value) = tree.text_at(&["Value"]) else {
            return;
        };
        if kind == SECURE && is_ciphertext(value) {
            intake.skip(&format!(
                "{name}: its value is encrypted; ask with --with-decryption"
            ));
        } else if kind == SECURE || intake.options().all_values {
            version.held = Held::Whole(intake.fingerprint(value.as_bytes()));
        }
    }

    fn tag(&mut self, name: &str, text: &str) {
        self.draft.tags.insert(name.to_owned(), text.to_owned());
    }

    /// Its text is JSON in JSON.
    fn policy(&mut self, policy: &Tree, intake: &Intake<'_>) {
        let text = policy.text_at(&["PolicyText"]).unwrap_or_default();
        let documents = tree::json(text.as_bytes(), intake).unwrap_or_default();
        let Some((_, policy)) = documents.first() else {
            return;
        };
        let attribute = |name: &str| policy.text_at(&["Attributes", name]);
        match policy.text_at(&["Type"]) {
            Some("Expiration") => {
                self.draft.expires = attribute("Timestamp").and_then(intake::moment);
            }
            Some("NoChangeNotification") => {
                let number = attribute("After").and_then(|it| it.parse::<u32>().ok());
                let days = match attribute("Unit") {
                    Some("Hours") => number.map(|it| it / 24),
                    _ => number,
                };
                self.draft.rotation_days = days.filter(|it| *it > 0);
            }
            _ => {}
        }
    }

    /// Takes in what another document said of the same parameter.
    pub(super) fn join(&mut self, other: Self) {
        let draft = &mut self.draft;
        draft.expires = draft.expires.or(other.draft.expires);
        draft.rotation_days = draft.rotation_days.or(other.draft.rotation_days);
        draft.tags.extend(other.draft.tags);
        for (number, theirs) in other.versions {
            let ours = self.versions.entry(number).or_default();
            ours.created = ours.created.or(theirs.created);
            if matches!(ours.held, Held::Unknown) {
                ours.held = theirs.held;
            }
        }
    }

    /// All that is known, under the name that references are brought to.
    pub(super) fn object(self, scope: &str, name: &str) -> Object {
        let mut draft = self.draft;
        draft.secret = SecretName::new("aws-ssm", name).within(scope);
        draft.rotated = self
            .versions
            .last_key_value()
            .and_then(|(_, it)| it.created);
        draft.created = self.versions.get(&1).and_then(|it| it.created);
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

/// What KMS gives back: base64 of a header that begins with 1 and a version, and a key's id. Asked for
/// without decryption, the store prints this in place of the value.
fn is_ciphertext(value: &str) -> bool {
    let header = BASE64.decode(value.as_bytes());
    value.len() > 100 && header.is_ok_and(|it| matches!(it.as_slice(), [1, 1 | 2, 2, 0, ..]))
}

#[cfg(test)]
mod tests {
    use crate::import::aws::tests::{import, import_with, seal};
    use crate::import::intake::Options;
    use data_encoding::BASE64;

    fn parameters(list: &str) -> String {
        format!(r#"{{"Parameters": [{list}]}}"#)
    }

    const ARN: &str = r#""ARN": "arn:aws:ssm:eu-west-1:1:parameter/shop/key""#;

    #[test]
    fn metadata_values_and_history_are_one_parameter() {
        let described = parameters(&format!(
            r#"{{"Name": "/shop/key", {ARN}, "Type": "SecureString", "LastModifiedDate": "2025-11-30T08:00:00+00:00", "LastModifiedUser": "arn:aws:iam::1:user/ann", "Version": 2,
            "Policies": [{{"PolicyType": "Expiration", "PolicyText": "{{\"Type\":\"Expiration\",\"Version\":\"1.0\",\"Attributes\":{{\"Timestamp\":\"2027-01-01T00:00:00.000Z\"}}}}"}},
            {{"PolicyType": "NoChangeNotification", "PolicyText": "{{\"Type\":\"NoChangeNotification\",\"Version\":\"1.0\",\"Attributes\":{{\"After\":\"30\",\"Unit\":\"Days\"}}}}"}},
            {{"PolicyText": "no json"}}]}}"#
        ));
        let history = parameters(
            r#"{"Name": "/shop/key", "Type": "SecureString", "Value": "value one 11", "Version": 1, "LastModifiedDate": 1700000000.25},
            {"Name": "/shop/key", "Type": "SecureString", "Value": "value two 22", "Version": 2, "LastModifiedDate": 1764489600.25}"#,
        );
        for text in [
            format!("{described}{history}"),
            format!("{history}{described}"),
        ] {
            let (records, totals) = import(&text).unwrap();
            assert_eq!((records.len(), totals.skipped.len()), (1, 0));
            let record = &records[0];
            assert_eq!(record.name, "/shop/key");
            assert_eq!(record.secret.to_string(), "aws-ssm:1/eu-west-1/shop/key");
            assert_eq!(record.expires, Some(1_798_761_600));
            assert_eq!(record.rotation_days, Some(30));
            assert_eq!(record.created, Some(1_700_000_000));
            assert_eq!(record.rotated, Some(1_764_489_600));
            assert_eq!(record.tags["modified-by"], "arn:aws:iam::1:user/ann");
            let prints: Vec<_> = record.versions.iter().map(|it| it.fingerprint).collect();
            assert_eq!(
                prints,
                [
                    Some(seal().fingerprint(b"value one 11")),
                    Some(seal().fingerprint(b"value two 22"))
                ]
            );
        }
    }

    #[test]
    fn plain_parameters_are_named_only_unless_asked_for() {
        let text = parameters(&format!(
            r#"{{"Name": "/shop/key", {ARN}, "Type": "String", "Value": "value one 11", "Version": 1}}"#
        ));
        let (records, _) = import(&text).unwrap();
        assert_eq!(records[0].versions[0].fingerprint, None);
        assert_eq!(records[0].tags["type"], "String");
        let options = Options {
            all_values: true,
            ..Options::default()
        };
        let (records, _) = import_with(&text, &options).unwrap();
        assert!(records[0].versions[0].fingerprint.is_some());
    }

    #[test]
    fn ciphertext_is_no_value() {
        let bytes: Vec<u8> = [1, 2, 2, 0].into_iter().chain(7..180).collect();
        let text = parameters(&format!(
            r#"{{"Name": "/shop/key", {ARN}, "Type": "SecureString", "Value": "{}", "Version": 1}}"#,
            BASE64.encode(&bytes)
        ));
        let (records, totals) = import(&text).unwrap();
        assert_eq!(records[0].versions[0].fingerprint, None);
        assert!(
            totals.skipped[0].contains("--with-decryption"),
            "{totals:?}"
        );
    }
}
