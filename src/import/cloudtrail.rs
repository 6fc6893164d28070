//! CloudTrail: files of records as they are delivered, one event a line, or what `lookup-events` prints, where
//! each event is a text in JSON.
//!
//! Fields: <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>.
//! Secrets Manager logs a `GetSecretValue` for each secret that `BatchGetSecretValue` gives; a
//! `GetParametersByPath` names no parameter, and `Decrypt` no secret.

use crate::import::evidence::Diary;
use crate::import::intake::{self, Error};
use crate::import::tree::{Tree, Walk};
use crate::model::reference::SecretName;
use serde::de::DeserializeSeed;
use std::io::{self, BufRead, Read};

pub(super) const EXAMPLE: &str = r#"{"Records": [
 {"eventVersion": "1.08", "eventTime": "2026-02-01T10:00:00Z", "eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue",
  "awsRegion": "eu-west-1", "recipientAccountId": "123456789012",
  "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::123456789012:assumed-role/shop-api/i-0abc", "accountId": "123456789012",
   "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::123456789012:role/shop-api", "userName": "shop-api"}}},
  "requestParameters": {"secretId": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123"}, "responseElements": null},
 {"eventTime": "2026-02-01T10:00:01Z", "eventSource": "kms.amazonaws.com", "eventName": "Decrypt", "awsRegion": "eu-west-1",
  "userIdentity": {"type": "AWSService", "invokedBy": "secretsmanager.amazonaws.com"}, "requestParameters": {"encryptionContext": {"SecretARN": "x"}}}]}
{"Events": [{"EventId": "1", "EventName": "GetParameter", "EventTime": 1770026400.0, "Username": "ann", "CloudTrailEvent":
 "{\"eventTime\": \"2026-02-02T10:00:00Z\", \"eventSource\": \"ssm.amazonaws.com\", \"eventName\": \"GetParameter\", \"awsRegion\": \"eu-west-1\", \"recipientAccountId\": \"123456789012\", \"userIdentity\": {\"type\": \"IAMUser\", \"arn\": \"arn:aws:iam::123456789012:user/ann\"}, \"requestParameters\": {\"name\": \"/shop/mail\", \"withDecryption\": true}}"}]}
"#;

const WANTED: &[&str] = &[
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "recipientAccountId",
    "userIdentity",
    "requestParameters",
    "errorCode",
    "CloudTrailEvent",
];
const NESTED: &[&str] = &["Records", "Events"];

pub(super) fn read(log: &mut dyn BufRead, diary: &mut Diary<'_>) -> Result<(), Error> {
    let mut log = Counted { log, lines: 0 };
    while log.is_more().map_err(|it| diary.broken(&it.to_string()))? {
        let before = log.lines;
        let mut deserializer = serde_json::Deserializer::from_reader(&mut log);
        let mut inner = Ok(());
        let walk = Walk {
            wanted: WANTED,
            nested: NESTED,
            take: &mut |event| {
                if inner.is_ok() {
                    inner = entry(&event, diary);
                }
            },
        };
        let outer = walk.deserialize(&mut deserializer);
        if let Err(error) = outer.and(inner) {
            let (line, column) = (before + error.line() as u64, error.column() as u64);
            return Err(diary.fault(line, column, "these are no events of CloudTrail"));
        }
    }
    Ok(())
}

/// An event, or what `lookup-events` wraps one in.
fn entry(event: &Tree, diary: &mut Diary<'_>) -> Result<(), serde_json::Error> {
    let Some(text) = event.text_at(&["CloudTrailEvent"]) else {
        diary.entry();
        take(event, diary);
        return Ok(());
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let walk = Walk {
        wanted: WANTED,
        nested: &[],
        take: &mut |event| {
            diary.entry();
            take(&event, diary);
        },
    };
    walk.deserialize(&mut deserializer)
}

fn take(event: &Tree, diary: &mut Diary<'_>) {
    let text = |path: &[&str]| event.text_at(path);
    let time = text(&["eventTime"]).and_then(intake::moment);
    let (None, Some(time)) = (text(&["errorCode"]), time) else {
        return;
    };
    let asked = |name: &str| event.at(&["requestParameters", name]);
    let source = text(&["eventSource"]).unwrap_or_default();
    let ids: Vec<&str> = match (source, text(&["eventName"]).unwrap_or_default()) {
        ("secretsmanager.amazonaws.com", "GetSecretValue") => {
            asked("secretId").and_then(Tree::text).into_iter().collect()
        }
        ("ssm.amazonaws.com", "GetParameter" | "GetParameterHistory") => {
            asked("name").and_then(Tree::text).into_iter().collect()
        }
        ("ssm.amazonaws.com", "GetParameters") => {
            let names = asked("names").map_or(&[][..], Tree::items);
            names.iter().filter_map(Tree::text).collect()
        }
        _ => return,
    };
    let by = accessor(event);
    for id in ids {
        let names = match source {
            "ssm.amazonaws.com" => parameter(id, event),
            _ => secret(id, event),
        };
        if !names.is_empty() {
            diary.read(names, &by, time);
        }
    }
}

/// `ACCOUNT/REGION` and the rest of an ARN; else of where the event was, and the whole id.
fn placed<'t>(id: &'t str, event: &Tree) -> (String, &'t str) {
    let parts: Vec<&str> = id.splitn(6, ':').collect();
    if let ["arn", _, _, region, account, rest] = parts.as_slice() {
        return (format!("{account}/{region}"), rest);
    }
    let account = event.text_at(&["recipientAccountId"]);
    let account = account.or_else(|| event.text_at(&["userIdentity", "accountId"]));
    match (account, event.text_at(&["awsRegion"])) {
        (Some(account), Some(region)) => (format!("{account}/{region}"), id),
        _ => (String::new(), id),
    }
}

/// An ARN ends in six characters that are no part of the name, unless somebody left them out.
fn secret(id: &str, event: &Tree) -> Vec<SecretName> {
    let (scope, rest) = placed(id, event);
    let name = |it: &str| SecretName::new("aws-secretsmanager", it).within(&scope);
    let Some(whole) = rest.strip_prefix("secret:") else {
        return vec![name(rest)];
    };
    let stem = whole.rsplit_once('-').filter(|(_, tail)| tail.len() == 6);
    let stem = stem.map(|(stem, _)| name(stem));
    stem.into_iter().chain([name(whole)]).collect()
}

/// A parameter may be asked for with a version or label behind it; one of Secrets Manager is logged there.
fn parameter(id: &str, event: &Tree) -> Vec<SecretName> {
    let (scope, rest) = placed(id, event);
    let rest = rest.strip_prefix("parameter").unwrap_or(rest);
    let name = rest.split(':').next().unwrap_or_default().trim_matches('/');
    if name.is_empty() || name.starts_with("aws/reference/secretsmanager/") {
        return Vec::new();
    }
    vec![SecretName::new("aws-ssm", name).within(&scope)]
}

/// The role of a session, since sessions come and go; but of people who sign in through IAM Identity Center
/// the session, which bears their name.
fn accessor(event: &Tree) -> String {
    let who = |path: &[&str]| event.member("userIdentity").and_then(|it| it.text_at(path));
    let arn = who(&["arn"]);
    let role = who(&["sessionContext", "sessionIssuer", "arn"]);
    let is_person = role.is_some_and(|it| it.contains("/AWSReservedSSO_"));
    let named = if is_person { arn } else { role.or(arn) };
    let other = || {
        let paths: [&[&str]; 4] = [&["invokedBy"], &["userName"], &["principalId"], &["type"]];
        paths.iter().find_map(|it| who(it))
    };
    named.or_else(other).unwrap_or("unknown").to_owned()
}

/// Counts lines, so that a fault in the hundredth document has a place.
struct Counted<'a> {
    log: &'a mut dyn BufRead,
    lines: u64,
}

impl Counted<'_> {
    /// Whether anything but white space is left; stands before it then.
    fn is_more(&mut self) -> io::Result<bool> {
        loop {
            let bytes = self.log.fill_buf()?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let blank = bytes
                .iter()
                .take_while(|it| it.is_ascii_whitespace())
                .count();
            let is_more = blank < bytes.len();
            self.lines +=
                memchr::memchr_iter(b'\n', bytes.get(..blank).unwrap_or_default()).count() as u64;
            self.log.consume(blank);
            if is_more {
                return Ok(true);
            }
        }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.log.read(into)?;
        let taken = into.get(..length).unwrap_or_default();
        self.lines += memchr::memchr_iter(b'\n', taken).count() as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::evidence::Evidence;
    use crate::import::evidence::tests::{lines, told};

    fn event(fields: &str, asked: &str) -> String {
        format!(
            r#"{{"eventTime": "2026-02-01T10:00:00Z", "awsRegion": "eu-west-1", "recipientAccountId": "1", "requestParameters": {asked}, {fields}}}"#
        )
    }

    const GET: &str = r#""eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "userIdentity": {"arn": "a"}"#;

    #[test]
    fn files_lines_and_lookups_tell_the_same() {
        let log = told(Evidence::CloudTrail, EXAMPLE.as_bytes()).unwrap();
        assert_eq!((log.entries, log.reads), (3, 2));
        assert_eq!(
            lines(&log),
            [
                "aws-secretsmanager:123456789012/eu-west-1/shop/db or aws-secretsmanager:123456789012/eu-west-1/shop/db-AbC123 by arn:aws:iam::123456789012:role/shop-api at [1769940000]",
                "aws-ssm:123456789012/eu-west-1/shop/mail by arn:aws:iam::123456789012:user/ann at [1770026400]",
            ]
        );
        let one = event(GET, r#"{"secretId": "a"}"#);
        let two = event(GET, r#"{"secretId": "b"}"#);
        let expected = [
            "aws-secretsmanager:1/eu-west-1/a by a at [1769940000]",
            "aws-secretsmanager:1/eu-west-1/b by a at [1769940000]",
        ];
        for log in [
            format!("{one}\n{two}\n"),
            format!("[{one},\n{two}]"),
            format!("{{\"Records\": [{one}, {two}]}}"),
            format!(
                "{{\"Events\": [{{\"CloudTrailEvent\": {}}}, {two}]}}",
                serde_json::json!(one)
            ),
        ] {
            assert_eq!(
                lines(&told(Evidence::CloudTrail, log.as_bytes()).unwrap()),
                expected
            );
        }
    }

    #[test]
    fn each_way_to_ask_names_its_secret() {
        let ssm = |name: &str| {
            format!(
                r#""eventSource": "ssm.amazonaws.com", "eventName": "{name}", "userIdentity": {{"arn": "a"}}"#
            )
        };
        for (fields, asked, expected) in [
            (
                GET.to_owned(),
                r#"{"secretId": "shop/db-backup"}"#,
                &["aws-secretsmanager:1/eu-west-1/shop/db-backup"][..],
            ),
            (
                GET.to_owned(),
                r#"{"secretId": "arn:aws:secretsmanager:us-east-1:2:secret:shop/db-backup"}"#,
                &[
                    "aws-secretsmanager:2/us-east-1/shop/db or aws-secretsmanager:2/us-east-1/shop/db-backup",
                ],
            ),
            (
                ssm("GetParameter"),
                r#"{"name": "arn:aws:ssm:us-east-1:2:parameter/shop/key:3"}"#,
                &["aws-ssm:2/us-east-1/shop/key"],
            ),
            (
                ssm("GetParameters"),
                r#"{"names": ["/shop/key:3", "flat"]}"#,
                &["aws-ssm:1/eu-west-1/flat", "aws-ssm:1/eu-west-1/shop/key"],
            ),
            (
                ssm("GetParameter"),
                r#"{"name": "/aws/reference/secretsmanager/shop/db"}"#,
                &[],
            ),
            (ssm("PutParameter"), r#"{"name": "/shop/key"}"#, &[]),
            (
                format!("{GET}, \"errorCode\": \"AccessDenied\""),
                r#"{"secretId": "a"}"#,
                &[],
            ),
            (GET.to_owned(), "null", &[]),
            (GET.to_owned(), r#"{"secretId": {"a": 1}}"#, &[]),
        ] {
            let log = told(Evidence::CloudTrail, event(&fields, asked).as_bytes()).unwrap();
            let expected: Vec<String> = expected
                .iter()
                .map(|it| format!("{it} by a at [1769940000]"))
                .collect();
            assert_eq!(lines(&log), expected, "{fields} {asked}");
        }
    }

    #[test]
    fn sessions_are_roles_and_people_are_themselves() {
        let session = |role: &str| {
            format!(
                r#"{{"arn": "arn:aws:sts::1:assumed-role/{role}/ann", "sessionContext": {{"sessionIssuer": {{"arn": "arn:aws:iam::1:role/{role}"}}}}}}"#
            )
        };
        for (identity, expected) in [
            (session("web"), "arn:aws:iam::1:role/web"),
            (
                session("aws-reserved/AWSReservedSSO_Dev_0"),
                "arn:aws:sts::1:assumed-role/aws-reserved/AWSReservedSSO_Dev_0/ann",
            ),
            (
                r#"{"type": "AWSService", "invokedBy": "ecs.amazonaws.com"}"#.to_owned(),
                "ecs.amazonaws.com",
            ),
            (
                r#"{"type": "AWSAccount", "principalId": "AIDA"}"#.to_owned(),
                "AIDA",
            ),
            ("{}".to_owned(), "unknown"),
        ] {
            let fields = format!(
                r#""eventSource": "secretsmanager.amazonaws.com", "eventName": "GetSecretValue", "userIdentity": {identity}"#
            );
            let log = event(&fields, r#"{"secretId": "a"}"#);
            let log = told(Evidence::CloudTrail, log.as_bytes()).unwrap();
            assert_eq!(log.readings[0].by, expected);
        }
    }

    #[test]
    fn faults_have_their_place_in_the_file() {
        let one = event(GET, r#"{"secretId": "a"}"#);
        for (log, place) in [
            (format!("{one}\n\n{{\"Records\": [\n{one},\n"), "log:5:"),
            (format!("{one}\n\"text\"\n"), "log:2:"),
            ("{\"Records\": [{\"eventTime\": 1} x]}".to_owned(), "log:1:"),
            (
                "{\"Events\": [{\"CloudTrailEvent\": \"no json\"}]}".to_owned(),
                "log:1:",
            ),
        ] {
            let error = told(Evidence::CloudTrail, log.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with(place), "{error}");
        }
    }
}
