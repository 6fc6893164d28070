//! What the verdict families look at: findings, references and records, already joined.
//!
//! Not here: any judgement; a family reads a case and gives verdicts.

use crate::assess::join::Joined;
use crate::model::finding::Finding;
use crate::model::fingerprint::Fingerprint;
use crate::model::level::{Confidence, Level, Severity};
use crate::model::map::Use;
use crate::model::origin::{Origin, OriginKind, shown};
use crate::model::people::People;
use crate::model::policy::{Policies, Question};
use crate::model::record::Record;
use crate::model::reference::Reference;
use crate::model::rule::Kind;
use crate::model::verdict::{Verdict, VerdictId};
use data_encoding::BASE64;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use x509_cert::Certificate;
use x509_cert::der::Decode;

/// Seconds of a day.
pub(super) const DAY: i64 = 86_400;

/// How far the judgement reaches.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// A change (`--staged`, `--range`, hooks, `ci`): only verdicts whose evidence lies in the change.
    Change,
    /// A folder or repository.
    Folder,
    /// A declared estate (`audit`, `map`): `unused` may be judged.
    Estate,
}

/// What the judgement needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// How far it reaches.
    pub scope: Scope,
    /// Now, seconds since the epoch.
    pub now: i64,
    /// Default maximum age in days (365).
    pub stale_days: u32,
    /// Maximum age of static cloud keys in days (90).
    pub stale_cloud_days: u32,
    /// Warn this many days before an end (30).
    pub expiring_days: u32,
    /// What is asked of some secrets; it weighs more than the days above.
    pub policies: Policies,
}

/// Everything there is to judge.
pub(super) struct Case<'a> {
    /// Findings, with `managed` and `waived` filled.
    pub(super) findings: &'a [Finding],
    /// References.
    pub(super) references: &'a [Reference],
    /// Records, sorted by name.
    pub(super) records: &'a [Record],
    /// Values that many have by chance.
    pub(super) plain: &'a HashSet<Fingerprint>,
    /// Who is who.
    pub(super) people: &'a People,
    /// What the join told.
    pub(super) joined: &'a Joined,
    /// The uses of each record, by its name.
    pub(super) uses: HashMap<&'a str, Vec<&'a Use>>,
    /// Times and reach.
    pub(super) options: &'a Options,
}

impl Case<'_> {
    /// Whether verdicts about records are in reach at all.
    pub(super) fn judges_records(&self) -> bool {
        self.options.scope != Scope::Change
    }

    /// Days before an end that are near it.
    pub(super) fn expiring_days(&self, record: Option<&Record>) -> i64 {
        let policy = self.options.policies.answer(Question::Expiring, record);
        let days = policy.and_then(|it| it.expiring_days);
        i64::from(days.unwrap_or(self.options.expiring_days))
    }

    /// Days that a rotation of it may take.
    pub(super) fn grace_days(&self, record: &Record) -> i64 {
        let policy = self.options.policies.answer(Question::Grace, Some(record));
        i64::from(policy.and_then(|it| it.grace_days).unwrap_or(0))
    }

    /// Whether it changed so lately that its rotation may still be under way.
    pub(super) fn is_rotating(&self, record: &Record) -> bool {
        let since = changed(record).map(|it| self.options.now.saturating_sub(it));
        since.is_some_and(|it| it < self.grace_days(record) * DAY)
    }

    /// The record with this name.
    pub(super) fn record(&self, name: &str) -> Option<&Record> {
        let found = self
            .records
            .binary_search_by(|it| it.name.as_str().cmp(name));
        match found {
            Ok(index) => self.records.get(index),
            Err(_) => self.records.iter().find(|it| it.name == name),
        }
    }
}

/// The uses of each record.
pub(super) fn by_record(joined: &Joined) -> HashMap<&str, Vec<&Use>> {
    let mut uses: HashMap<&str, Vec<&Use>> = HashMap::new();
    for it in &joined.map.uses {
        uses.entry(&it.record).or_default().push(it);
    }
    uses
}

/// A verdict about a record, pointing at where the record was imported from.
pub(super) fn about_record(
    id: VerdictId,
    record: &Record,
    message: String,
    next: String,
) -> Verdict {
    Verdict {
        id,
        severity: id.severity(),
        record: Some(record.name.clone()),
        message,
        next,
        evidence: vec![record.name.clone()],
        repository: None,
        path: (!record.source.is_empty()).then(|| record.source.clone()),
        line: record.source_line,
        waived: false,
    }
}

/// A verdict about findings of one value; `group` is not empty and sorted by place.
pub(super) fn about_findings(
    id: VerdictId,
    severity: Severity,
    group: &[&Finding],
    message: String,
    next: String,
) -> Verdict {
    let first = group
        .iter()
        .find(|it| it.waived.is_none())
        .or(group.first());
    Verdict {
        id,
        severity,
        record: first
            .and_then(|it| it.managed.as_ref())
            .map(|it| it.record.clone()),
        message,
        next,
        evidence: group.iter().map(|it| it.occurrence.to_string()).collect(),
        repository: first.and_then(|it| it.origins.first()?.repository.clone()),
        path: first.map(|it| it.path.clone()),
        line: first.map(|it| it.place.line),
        waived: group.iter().all(|it| it.waived.is_some()),
    }
}

/// Whether a finding is a weak sign only, so that nothing loud may rest on it.
pub(super) fn is_weak(finding: &Finding) -> bool {
    finding.level == Level::Note || finding.confidence == Confidence::Low
}

/// Certificates are public: they are reported for their end only, whatever rule saw them and whichever
/// record has them.
pub(super) fn is_certificate(finding: &Finding) -> bool {
    finding.rule == "certificate" || is_public(finding.secret.expose())
}

/// Whether a value is a certificate, or a chain of them, and holds no private key.
fn is_public(value: &[u8]) -> bool {
    let holds = |text: &[u8], part: &[u8]| text.windows(part.len()).any(|it| it == part);
    let is_pem = |it: &[u8]| {
        holds(it, b"CERTIFICATE-----")
            && !holds(it, b"PRIVATE KEY")
            && it.starts_with(b"-----BEGIN ")
    };
    let is_der = |it: &[u8]| Certificate::from_der(it).is_ok();
    if is_pem(value.trim_ascii()) {
        return true;
    }
    // As Kubernetes writes it. Both forms begin with these letters.
    let packed: Vec<u8> = value
        .iter()
        .copied()
        .filter(|it| !it.is_ascii_whitespace())
        .collect();
    if !(packed.starts_with(b"LS0t") || packed.starts_with(b"MII")) {
        return false;
    }
    let bytes = BASE64.decode(&packed).unwrap_or_default();
    is_pem(bytes.trim_ascii()) || is_der(&bytes)
}

/// Fields that stand beside a secret and are none: two services of one host share them on purpose.
const SETTINGS: &[&str] = &[
    "account",
    "certificate",
    "crt",
    "database",
    "dbname",
    "email",
    "env",
    "environment",
    "host",
    "hostname",
    "mode",
    "name",
    "port",
    "protocol",
    "region",
    "scheme",
    "user",
    "username",
    "zone",
];

/// Whether a record is such a field, or a certificate, which is public.
pub(super) fn is_setting(record: &Record) -> bool {
    let field = match (&record.secret.key, record.secret.provider.as_str()) {
        (Some(key), _) => key.as_str(),
        (None, "env") => record.secret.path.as_str(),
        (None, _) => "",
    };
    let field = field.to_lowercase();
    let last = field.rsplit(|it: char| !it.is_alphanumeric()).next();
    record.kind == Some(Kind::Certificate) || last.is_some_and(|it| SETTINGS.contains(&it))
}

/// When the value last changed, as far as the inventory knows.
pub(super) fn changed(record: &Record) -> Option<i64> {
    let version = record.versions.last().and_then(|it| it.created);
    record.rotated.or(version).or(record.created)
}

/// Whether something lies there today, and not in history alone.
pub(super) fn is_live(origin: &Origin) -> bool {
    !origin.kind.is_past() || (origin.kind == OriginKind::History && origin.in_head)
}

/// `shop/a.yaml:7`, as people find it from the scanned root.
pub(super) fn place_of(origin: &Origin, path: &str, line: u32) -> String {
    format!("{}:{line}", shown(origin.repository.as_deref(), path))
}

/// The words of a name in lower case: `DB_PASSWORD`, `db-password` and `dbPassword` have two.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for character in text.chars() {
        let starts = character.is_uppercase() && was_lower;
        if starts || !character.is_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        was_lower = character.is_lowercase() || character.is_numeric();
    }
    words.retain(|it| !it.is_empty());
    words
}

/// The words of a record's path and field, by which its owner calls it.
pub(super) fn words_of(record: &Record) -> Vec<String> {
    let mut all = words(&record.secret.path);
    all.extend(words(record.secret.key.as_deref().unwrap_or_default()));
    all
}

/// Whether `part` stands in `all` in one piece.
pub(super) fn holds<T: AsRef<str>>(all: &[String], part: &[T]) -> bool {
    let is_there = |it: &[String]| {
        it.iter()
            .zip(part)
            .all(|(one, other)| one == other.as_ref())
    };
    !part.is_empty() && all.windows(part.len()).any(is_there)
}

/// The day of a time, as `YYYY-MM-DD`.
pub(super) fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| "an unknown day".to_owned(),
        |it| it.strftime("%Y-%m-%d").to_string(),
    )
}

/// `1 day`, `2 days`.
pub(super) fn days(count: i64) -> String {
    format!("{count} day{}", if count == 1 { "" } else { "s" })
}

/// ` of OWNERS`, or nothing.
pub(super) fn owned_by(record: &Record) -> String {
    if record.owners.is_empty() {
        String::new()
    } else {
        format!(" (owner {})", record.owners.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{codes, finding, inventory, record, verdicts};
    use crate::model::rule::Kind;
    use crate::model::secret::Secret;

    /// A self-signed certificate of an invented host; its key is gone.
    const CERTIFICATE: &str = "\
MIIBIzCByqADAgECAgISZzAKBggqhkjOPQQDAjAbMRkwFwYDVQQDDBBvbGQuc2hv
cC5leGFtcGxlMB4XDTI0MDYwMTAwMDAwMFoXDTI1MDYwMTAwMDAwMFowGzEZMBcG
A1UEAwwQb2xkLnNob3AuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IA
BFAVXLkEANYA0wH4hpCN46Rk+QwFsHQKQfcOyAJA+aj8CQ1mRZXwSAkGs/Y7MORU
qlu/yYp8/JmM+vl/CbP2vgEwCgYIKoZIzj0EAwIDSAAwRQIhAPo6eKpkKq5ZG1LI
YGbJUelncf8OxpN5YpiQ+RhDgwQvAiA1+OcA4g5dWF40jsjmaxXvUv4DvhN9hrxY
HnZkZGiwmg==";

    #[test]
    fn names_fall_apart_into_words() {
        for (text, expected) in [
            ("DB_PASSWORD", vec!["db", "password"]),
            ("dbPassword", vec!["db", "password"]),
            ("kv/shop-api/v2", vec!["kv", "shop", "api", "v2"]),
            ("oauth2Token", vec!["oauth2", "token"]),
            ("--", vec![]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
        let all = words("personal-access-token");
        assert!(holds(&all, &["access", "token"]) && !holds(&all, &["personal", "token"]));
        assert!(!holds::<&str>(&all, &[]));
    }

    #[test]
    fn a_certificate_is_public_whatever_rule_sees_it_and_whichever_record_has_it() {
        let block = |what: &str, body: &str| {
            let line = "-----";
            format!("{line}BEGIN {what}{line}\n{body}\n{line}END {what}{line}\n")
        };
        let pem = block("CERTIFICATE", CERTIFICATE);
        let key = block("PRIVATE KEY", "MC4CAQAwBQYDK2VwBCIEIA");
        let packed = |text: &str| data_encoding::BASE64.encode(text.as_bytes());
        let mut held = record("shop/tls#tls.crt", &[1]);
        held.kind = Some(Kind::Certificate);
        for (value, expected) in [
            (pem.clone(), vec![]),
            (format!("{pem}{pem}"), vec![]),
            (packed(&pem), vec![]),
            (CERTIFICATE.to_owned(), vec![]),
            (format!("{pem}{key}"), vec!["exposed"]),
            (packed(&format!("{pem}{key}")), vec!["exposed"]),
            (key.clone(), vec!["exposed"]),
            ("MIIq8Zk27xPw0LmN4tYb6Rc".to_owned(), vec!["exposed"]),
        ] {
            let mut findings = [finding("tls.yaml", 1)];
            findings[0].rule = "generic-secret".to_owned();
            findings[0].secret = Secret::new(value.as_bytes());
            let found = verdicts(
                &mut findings,
                &[],
                &inventory(&[held.clone()]),
                Scope::Folder,
            );
            assert_eq!(codes(&found), expected, "{value}");
            assert!(
                findings[0].managed.is_some(),
                "the map still shows where it lies"
            );
            assert_eq!(
                findings[0].level == Level::Note,
                expected.is_empty(),
                "{value}"
            );
        }
    }
}
