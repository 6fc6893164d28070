//! What the AWS command line prints of secrets, versions 1 (times in seconds) and 2 (times in ISO 8601): one
//! document or many, one after another or in an array.
//!
//! Tells the documents apart and gathers them; what they mean is the work of `aws_secrets.rs`,
//! `aws_parameters.rs` and `aws_report.rs`. A live server's answers are the same documents.

use crate::import::aws_parameters::Parameter;
use crate::import::aws_report;
use crate::import::aws_secrets::Secret;
use crate::import::intake::{Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use std::collections::BTreeMap;

pub(super) const HELP: &str = "what `aws secretsmanager`, `aws ssm` and `aws iam get-credential-report` print as JSON, one after another";

pub(super) const EXAMPLE: &str = r#"{"SecretList": [
 {"ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123", "Name": "shop/db",
  "RotationEnabled": true, "RotationRules": {"AutomaticallyAfterDays": 90}, "LastRotatedDate": "2025-11-30T08:00:00.412000+00:00",
  "LastChangedDate": "2026-01-10T08:00:00+00:00", "LastAccessedDate": "2026-02-01T00:00:00+00:00", "CreatedDate": "2024-01-05T10:00:00+00:00",
  "Tags": [{"Key": "owner", "Value": "ann"}, {"Key": "Environment", "Value": "production"}, {"Key": "cost-centre", "Value": "4711"}],
  "SecretVersionsToStages": {"11111111-aaaa-4bbb-8ccc-000000000002": ["AWSCURRENT"], "11111111-aaaa-4bbb-8ccc-000000000001": ["AWSPREVIOUS"]}},
 {"ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/unread-XyZ789", "Name": "shop/unread", "CreatedDate": 1704448800.25}]}
{"SecretValues": [
 {"ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123", "Name": "shop/db", "VersionId": "11111111-aaaa-4bbb-8ccc-000000000002",
  "SecretString": "{\"username\": \"shop_service_login\", \"password\": \"correct horse 71 battery\"}", "VersionStages": ["AWSCURRENT"],
  "CreatedDate": 1764489600.5}], "Errors": []}
{"ARN": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123", "Name": "shop/db", "VersionId": "11111111-aaaa-4bbb-8ccc-000000000001",
 "SecretString": "{\"password\": \"wrong donkey 17 capacitor\"}", "VersionStages": ["AWSPREVIOUS"], "CreatedDate": "2025-06-30T08:00:00+00:00"}
{"Parameters": [
 {"Name": "/shop/mail", "Type": "SecureString", "Value": "tok_example_5f0e3a9b", "Version": 3, "LastModifiedDate": "2025-10-01T08:00:00+00:00",
  "ARN": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/mail", "DataType": "text"},
 {"Name": "/shop/region", "Type": "String", "Value": "eu-west-1", "Version": 1, "LastModifiedDate": 1759305600.0,
  "ARN": "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/region"}], "InvalidParameters": []}
{"Content": "dXNlcixhcm4sYWNjZXNzX2tleV8xX2FjdGl2ZSxhY2Nlc3Nfa2V5XzFfbGFzdF9yb3RhdGVkLGFjY2Vzc19rZXlfMV9sYXN0X3VzZWRfZGF0ZSxhY2Nlc3Nfa2V5XzFfbGFzdF91c2VkX3NlcnZpY2UKYW5uLGFybjphd3M6aWFtOjoxMjM0NTY3ODkwMTI6dXNlci9hbm4sdHJ1ZSwyMDI0LTAxLTA1VDEwOjAwOjAwKzAwOjAwLDIwMjYtMDItMDFUMTA6MDA6MDArMDA6MDAsczMK", "ReportFormat": "text/csv", "GeneratedTime": "2026-02-02T08:00:00+00:00"}
"#;

const HINT: &str = "give what `aws secretsmanager list-secrets`, `describe-secret`, `list-secret-version-ids`, `get-secret-value`, `batch-get-secret-value`, `aws ssm describe-parameters`, `get-parameters`, `get-parameters-by-path`, `get-parameter-history` or `aws iam get-credential-report` print, with --output json";

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let mut harvest = Harvest::default();
    if aws_report::is_report(&input.bytes) {
        harvest.report(&input.bytes, intake)?;
    } else {
        let documents = tree::json(&input.bytes, intake)?;
        if documents.is_empty() {
            return Err(intake.shape("the export is empty", HINT));
        }
        for (line, document) in &documents {
            harvest.take(Some(*line), document, intake)?;
        }
    }
    harvest.emit(intake);
    Ok(())
}

/// `ACCOUNT/REGION` and the name of an object.
type Id = (String, String);

/// What the documents tell so far, object by object. Holds fingerprints, no values.
#[derive(Default)]
pub(super) struct Harvest {
    secrets: BTreeMap<Id, Secret>,
    parameters: BTreeMap<Id, Parameter>,
    keys: Vec<crate::model::record::Record>,
}

impl Harvest {
    /// One document that begins in this line.
    pub(super) fn take(
        &mut self,
        line: Option<u32>,
        document: &Tree,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        if let Tree::List(items) = document {
            return items.iter().try_for_each(|it| self.take(line, it, intake));
        }
        let has = |name: &str| document.member(name).is_some();
        let list = |name: &str| document.member(name).map_or(&[][..], Tree::items).iter();
        let is_listing = |name: &str| matches!(document.member(name), Some(Tree::List(_)));
        if is_listing("SecretList") {
            return list("SecretList").try_for_each(|it| self.secret(line, it, intake));
        }
        if is_listing("SecretValues") {
            list("Errors").for_each(|it| error(it, intake));
            return list("SecretValues").try_for_each(|it| self.secret(line, it, intake));
        }
        if is_listing("Parameters") {
            list("InvalidParameters")
                .filter_map(Tree::text)
                .for_each(|it| intake.skip(&format!("parameter {it}: not found")));
            return list("Parameters").try_for_each(|it| self.parameter(line, it, intake));
        }
        if let Some(parameter) = document.member("Parameter") {
            return self.parameter(line, parameter, intake);
        }
        if has("Content") && has("ReportFormat") {
            let text = document.text_at(&["Content"]).unwrap_or_default();
            let bytes = aws_report::unwrapped(text, intake)?;
            return self.report(&bytes, intake);
        }
        if has("ARN") && has("Name") && !has("Type") {
            return self.secret(line, document, intake);
        }
        if has("Name") && has("Type") {
            return self.parameter(line, document, intake);
        }
        Err(intake.shape(format!("{} is none of a secret", place(line)), HINT))
    }

    /// A whole credential report.
    pub(super) fn report(&mut self, bytes: &[u8], intake: &mut Intake<'_>) -> Result<(), Error> {
        self.keys.extend(aws_report::records(bytes, intake)?);
        Ok(())
    }

    fn secret(
        &mut self,
        line: Option<u32>,
        tree: &Tree,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        let arn = tree.text_at(&["ARN"]);
        let Some((name, arn)) = tree.text_at(&["Name"]).zip(arn) else {
            return Err(nameless(line, "secret", intake));
        };
        let id = (scope(arn), name.to_owned());
        self.secrets.entry(id).or_default().take(line, tree, intake);
        Ok(())
    }

    fn parameter(
        &mut self,
        line: Option<u32>,
        tree: &Tree,
        intake: &mut Intake<'_>,
    ) -> Result<(), Error> {
        let Some(name) = tree.text_at(&["Name"]) else {
            return Err(nameless(line, "parameter", intake));
        };
        // A history tells no ARN.
        let scope = tree.text_at(&["ARN"]).map(scope).unwrap_or_default();
        let id = (scope, name.trim_matches('/').to_owned());
        self.parameters
            .entry(id)
            .or_default()
            .take(line, name, tree, intake);
        Ok(())
    }

    /// Hands all objects on.
    pub(super) fn emit(mut self, intake: &mut Intake<'_>) {
        for ((scope, name), secret) in self.secrets {
            secret.object(&scope, &name).emit(intake);
        }
        adopt(&mut self.parameters);
        for ((scope, name), parameter) in self.parameters {
            parameter.object(&scope, &name).emit(intake);
        }
        for record in self.keys {
            intake.emit(record);
        }
    }
}

/// Gives what names no account to the one parameter of that name that does.
fn adopt(parameters: &mut BTreeMap<Id, Parameter>) {
    let homeless: Vec<Id> = parameters
        .keys()
        .filter(|(scope, _)| scope.is_empty())
        .cloned()
        .collect();
    for id in homeless {
        let mut homes = parameters
            .keys()
            .filter(|(scope, name)| !scope.is_empty() && *name == id.1);
        if let (Some(home), None) = (homes.next().cloned(), homes.next())
            && let Some(parameter) = parameters.remove(&id)
            && let Some(home) = parameters.get_mut(&home)
        {
            home.join(parameter);
        }
    }
}

fn nameless(line: Option<u32>, what: &str, intake: &Intake<'_>) -> Error {
    intake.shape(format!("a {what} in {} has no name", place(line)), HINT)
}

/// The document a fault lies in; a server's answers have no lines.
fn place(line: Option<u32>) -> String {
    line.map_or_else(
        || "the answer".to_owned(),
        |it| format!("the document of line {it}"),
    )
}

/// Why one of many values is missing. The message may quote anything; the code does not.
fn error(tree: &Tree, intake: &mut Intake<'_>) {
    let of = |name: &str| tree.text_at(&[name]).unwrap_or("unknown");
    let what = format!("{}: no value ({})", of("SecretId"), of("ErrorCode"));
    intake.skip(&what);
}

/// `ACCOUNT/REGION` of an ARN, as references name it; empty if it is none.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>
fn scope(arn: &str) -> String {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        ["arn", _, _, region, account, _] => format!("{account}/{region}"),
        _ => String::new(),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::import::intake::{Options, Totals};
    use crate::model::fingerprint::Fingerprinter;
    use crate::model::record::Record;
    use zeroize::Zeroizing;

    pub(in crate::import) fn seal() -> Fingerprinter {
        Fingerprinter::new([3; 32])
    }

    pub(in crate::import) fn import(text: &str) -> Result<(Vec<Record>, Totals), Error> {
        import_with(text, &Options::default())
    }

    pub(in crate::import) fn import_with(
        text: &str,
        options: &Options,
    ) -> Result<(Vec<Record>, Totals), Error> {
        let seal = seal();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("aws.json", Some(&seal), options, &mut keep);
        let input = Input {
            name: "aws.json".to_owned(),
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        };
        read(&input, &mut intake)?;
        let totals = intake.totals();
        Ok((records, totals))
    }

    #[test]
    fn documents_of_all_kinds_become_records() {
        let (records, totals) = import(EXAMPLE).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.secret.to_string()).collect();
        assert_eq!(
            names,
            [
                "aws-secretsmanager:123456789012/eu-west-1/shop/db#password",
                "aws-secretsmanager:123456789012/eu-west-1/shop/db#username",
                "aws-secretsmanager:123456789012/eu-west-1/shop/unread",
                "aws-ssm:123456789012/eu-west-1/shop/mail",
                "aws-ssm:123456789012/eu-west-1/shop/region",
                "aws-iam:123456789012/ann/access-key-1",
            ]
        );
        assert_eq!((totals.values, totals.with_value), (4, 3));
        assert!(totals.skipped.is_empty(), "{totals:?}");
    }

    #[test]
    fn arrays_and_lines_say_the_same() {
        let told = |text: &str| {
            let records = import(text).unwrap().0;
            let bare = |it: Record| Record {
                source_line: None,
                ..it
            };
            records.into_iter().map(bare).collect::<Vec<_>>()
        };
        let one = r#"{"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:a-AbC123", "Name": "a", "SecretString": "x1x2x3x4", "CreatedDate": 1764489600.5}"#;
        let two = r#"{"ARN": "arn:aws:secretsmanager:eu-west-1:1:secret:b-AbC123", "Name": "b", "CreatedDate": 1764489600}"#;
        let lines = told(&format!("{one}\n{two}\n"));
        assert_eq!(lines.len(), 2);
        assert_eq!(told(&format!("[{one}, {two}]")), lines);
        assert_eq!(told(&format!("[{one}]\n[{two}]")), lines);
        assert_eq!(told(&format!("{{\"SecretList\": [{two}, {one}]}}")), lines);
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "{}", "[1]", "{\"Users\": []}", "{\"SecretList\": [{}]}"] {
            let error = import(text).unwrap_err();
            assert!(matches!(error, Error::Shape { .. }), "{text}: {error:?}");
        }
        assert!(import("{\"SecretList\": []}").unwrap().0.is_empty());
    }

    #[test]
    fn missing_values_are_told() {
        let text = r#"{"SecretValues": [], "Errors": [{"SecretId": "shop/db", "ErrorCode": "AccessDeniedException", "Message": "hidden"}]}
            {"Parameters": [], "InvalidParameters": ["/shop/none"]}"#;
        let (_, totals) = import(text).unwrap();
        assert_eq!(
            totals.skipped,
            [
                "aws.json: shop/db: no value (AccessDeniedException)",
                "aws.json: parameter /shop/none: not found"
            ]
        );
    }
}
