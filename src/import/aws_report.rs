//! The IAM credential report: access keys, passwords and signing certificates of an account's users.
//!
//! A table of its own, printed by the command line as base64 in JSON. Columns:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>. It holds no values.

use crate::import::intake::{self, Error, Intake};
use crate::import::rows::{self, Row};
use crate::model::record::Record;
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use data_encoding::BASE64;
use std::collections::HashMap;
use zeroize::Zeroizing;

const HINT: &str = "give what `aws iam get-credential-report` prints, or the table in it";
const DAY: i64 = 86_400;

/// Whether these bytes begin as the table does.
pub(super) fn is_report(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    bytes.starts_with(b"user,arn,")
}

/// The table out of its base64.
pub(super) fn unwrapped(content: &str, intake: &Intake<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
    let packed: Vec<u8> = content
        .bytes()
        .filter(|it| !it.is_ascii_whitespace())
        .collect();
    let bytes = BASE64.decode(&packed);
    bytes
        .map(Zeroizing::new)
        .map_err(|_| intake.shape("the credential report is not base64", HINT))
}

/// Each credential that the report says exists.
pub(super) fn records(bytes: &[u8], intake: &Intake<'_>) -> Result<Vec<Record>, Error> {
    let mut rows = rows::rows(bytes, intake)?.into_iter();
    let header = rows.next();
    let columns: HashMap<String, usize> = header
        .iter()
        .flat_map(|it| it.cells.iter().enumerate())
        .map(|(index, title)| (title.trim().to_owned(), index))
        .collect();
    if !columns.contains_key("user") || !columns.contains_key("arn") {
        return Err(intake.shape(
            "the credential report has no columns `user` and `arn`",
            HINT,
        ));
    }
    let mut records = Vec::new();
    for row in rows {
        let user = User {
            columns: &columns,
            row: &row,
        };
        for slot in ["1", "2"] {
            records.extend(user.access_key(slot));
            records.extend(user.certificate(slot));
        }
        records.extend(user.password());
    }
    Ok(records)
}

/// A row of the report.
struct User<'a> {
    columns: &'a HashMap<String, usize>,
    row: &'a Row,
}

impl User<'_> {
    fn cell(&self, title: &str) -> Option<&str> {
        let cell = self.row.cells.get(*self.columns.get(title)?)?.trim();
        // What the report says where it has nothing to say.
        let is_told = !matches!(cell, "" | "N/A" | "no_information" | "not_supported");
        Some(cell).filter(|_| is_told)
    }

    fn is_true(&self, title: &str) -> bool {
        self.cell(title)
            .is_some_and(|it| it.eq_ignore_ascii_case("true"))
    }

    fn time(&self, title: &str) -> Option<i64> {
        self.cell(title).and_then(intake::moment)
    }

    fn draft(&self, what: &str, kind: Kind) -> Record {
        let user = match self.cell("user").unwrap_or("unknown") {
            "<root_account>" => "root",
            user => user,
        };
        let account = self.cell("arn").and_then(|it| it.split(':').nth(4));
        let path = format!("{user}/{what}");
        Record {
            name: format!("iam/{path}"),
            secret: SecretName::new("aws-iam", &path).within(account.unwrap_or_default()),
            owners: vec![user.to_owned()],
            kind: Some(kind),
            source_line: Some(self.row.line),
            ..Record::default()
        }
    }

    /// A key that was never made has neither date nor state.
    fn access_key(&self, slot: &str) -> Option<Record> {
        let column = |what: &str| format!("access_key_{slot}_{what}");
        let rotated = self.time(&column("last_rotated"));
        let is_active = self.is_true(&column("active"));
        if rotated.is_none() && !is_active {
            return None;
        }
        let mut record = self.draft(&format!("access-key-{slot}"), Kind::CloudKey);
        record.created = rotated;
        record.rotated = rotated;
        record.accessed = self.time(&column("last_used_date"));
        if record.accessed.is_some() {
            record.accessed_by = record.owners.first().cloned();
        }
        for (what, tag) in [
            ("last_used_service", "last-used-service"),
            ("last_used_region", "last-used-region"),
        ] {
            if let Some(text) = self.cell(&column(what)) {
                record.tags.insert(tag.to_owned(), text.to_owned());
            }
        }
        if !is_active {
            record
                .tags
                .insert("status".to_owned(), "inactive".to_owned());
        }
        Some(record)
    }

    fn certificate(&self, slot: &str) -> Option<Record> {
        if !self.is_true(&format!("cert_{slot}_active")) {
            return None;
        }
        let mut record = self.draft(&format!("signing-certificate-{slot}"), Kind::Certificate);
        record.rotated = self.time(&format!("cert_{slot}_last_rotated"));
        record.created = record.rotated;
        Some(record)
    }

    fn password(&self) -> Option<Record> {
        if !self.is_true("password_enabled") {
            return None;
        }
        let mut record = self.draft("password", Kind::Password);
        record.created = self.time("user_creation_time");
        record.rotated = self.time("password_last_changed");
        record.accessed = self.time("password_last_used");
        if record.accessed.is_some() {
            record.accessed_by = record.owners.first().cloned();
        }
        let next = self.time("password_next_rotation").zip(record.rotated);
        let days = next.map(|(next, last)| (next - last) / DAY);
        record.rotation_days = days
            .and_then(|it| u32::try_from(it).ok())
            .filter(|it| *it > 0);
        let mfa = if self.is_true("mfa_active") {
            "on"
        } else {
            "off"
        };
        record
            .tags
            .insert("second-factor".to_owned(), mfa.to_owned());
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use crate::import::aws::tests::import;
    use crate::model::rule::Kind;
    use data_encoding::BASE64;

    const REPORT: &str = "\
user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated
<root_account>,arn:aws:iam::123456789012:root,2020-01-05T10:00:00+00:00,not_supported,2024-03-01T10:00:00+00:00,not_supported,not_supported,true,true,2020-01-05T10:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
ann,arn:aws:iam::123456789012:user/ops/ann,2023-01-05T10:00:00+00:00,TRUE,no_information,2025-01-01T00:00:00+00:00,2025-04-01T00:00:00+00:00,false,true,2024-01-05T10:00:00+00:00,2026-02-01T10:00:00+00:00,eu-west-1,s3,false,2022-01-05T10:00:00+00:00,N/A,N/A,N/A,true,2021-01-05T10:00:00Z,false,N/A
build,arn:aws:iam::123456789012:user/build,2023-01-05T10:00:00+00:00,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
";

    #[test]
    fn credentials_that_exist_become_records() {
        let (records, totals) = import(REPORT).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "iam/root/access-key-1",
                "iam/ann/access-key-1",
                "iam/ann/signing-certificate-1",
                "iam/ann/access-key-2",
                "iam/ann/password",
            ]
        );
        assert_eq!((totals.values, totals.skipped.len()), (0, 0));
        let key = &records[1];
        assert_eq!(
            key.secret.to_string(),
            "aws-iam:123456789012/ann/access-key-1"
        );
        assert_eq!(key.kind, Some(Kind::CloudKey));
        assert_eq!(key.owners, ["ann"]);
        assert_eq!(key.rotated, Some(1_704_448_800));
        assert_eq!(key.accessed, Some(1_769_940_000));
        assert_eq!(key.accessed_by.as_deref(), Some("ann"));
        assert_eq!(key.tags["last-used-service"], "s3");
        assert_eq!(records[0].accessed, None);
        assert_eq!(records[3].tags["status"], "inactive");
        let password = &records[4];
        assert_eq!(password.kind, Some(Kind::Password));
        assert_eq!(password.rotation_days, Some(90));
        assert_eq!(password.accessed, None);
        assert_eq!(password.tags["second-factor"], "off");
    }

    #[test]
    fn the_wrapping_of_the_command_line_is_undone() {
        let wrapped = format!(
            r#"{{"Content": "{}", "ReportFormat": "text/csv", "GeneratedTime": "2026-02-02T08:00:00+00:00"}}"#,
            BASE64.encode(REPORT.as_bytes())
        );
        assert_eq!(import(&wrapped).unwrap().0, import(REPORT).unwrap().0);
        assert!(import(r#"{"Content": "?", "ReportFormat": "text/csv"}"#).is_err());
        assert!(import(r#"{"Content": "", "ReportFormat": "text/csv"}"#).is_err());
        assert!(import("user,arn,\n").unwrap().0.is_empty());
    }
}
