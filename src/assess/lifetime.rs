//! The verdict on static secrets that need not be: `long-lived`.
//!
//! Which providers offer better is data, with the vendor's page beside each fact: `rules/providers.toml`.

use crate::assess::case::{Case, about_record, holds, owned_by, words, words_of};
use crate::model::record::Record;
use crate::model::rule::Kind;
use crate::model::verdict::{Verdict, VerdictId};
use serde::Deserialize;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

/// The facts.
const TEXT: &str = include_str!("../../rules/providers.toml");
/// A secret that changes at least this often, in days, is short-lived enough.
const SHORT: u32 = 7;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    provider: Vec<Provider>,
}

/// What one provider offers in place of one kind of static secret.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Provider {
    title: String,
    offers: String,
    rules: Vec<String>,
    names: Vec<String>,
    kinds: Vec<String>,
    /// Stores all of whose records of these kinds are such credentials.
    #[serde(default)]
    stores: Vec<String>,
    source: String,
    /// The names in words, as records are compared with them.
    #[serde(skip)]
    words: Vec<Vec<String>>,
}

/// Read once; a test holds the text to its shape.
static PROVIDERS: LazyLock<Vec<Provider>> =
    LazyLock::new(|| facts().map(|it| it.provider).unwrap_or_default());

fn facts() -> Result<Facts, toml::de::Error> {
    let mut facts: Facts = toml::from_str(TEXT)?;
    for it in &mut facts.provider {
        it.words = it.names.iter().map(|it| words(it)).collect();
    }
    Ok(facts)
}

/// Judges every record that is there.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if !case.judges_records() || case.records.is_empty() {
        return;
    }
    let mut seen: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    for finding in case.findings {
        if let Some(managed) = &finding.managed {
            seen.entry(&managed.record)
                .or_default()
                .insert(&finding.rule);
        }
    }
    let is_judged = |it: &&Record| !it.gone && !it.dynamic && !is_short(it);
    for record in case.records.iter().filter(is_judged) {
        let rules = seen.get(record.name.as_str());
        let words = words_of(record);
        let mut fitting = PROVIDERS.iter();
        if let Some(provider) = fitting.find(|it| fits(it, record, &words, rules)) {
            verdicts.push(long_lived(record, provider));
        }
    }
}

fn is_short(record: &Record) -> bool {
    record.rotation_days.is_some_and(|it| it <= SHORT)
}

/// By what was found to be its value, else by what its owner calls it.
fn fits(
    provider: &Provider,
    record: &Record,
    own: &[String],
    rules: Option<&BTreeSet<&str>>,
) -> bool {
    let is_seen = |it: &String| rules.is_some_and(|rules| rules.contains(it.as_str()));
    let is_kind = |kind: Kind| provider.kinds.iter().any(|it| it == kind.name());
    let is_called = |name: &Vec<String>| holds(own, name);
    let is_stored = |kind: Kind| is_kind(kind) && provider.stores.contains(&record.secret.provider);
    provider.rules.iter().any(is_seen)
        || record.kind.is_some_and(is_stored)
        || record.kind.is_none_or(is_kind) && provider.words.iter().any(is_called)
}

fn long_lived(record: &Record, provider: &Provider) -> Verdict {
    let message = format!(
        "`{}`{} is {}, which stays valid until somebody changes it; its provider offers {}.",
        record.name,
        owned_by(record),
        provider.title,
        provider.offers
    );
    let next = format!(
        "Move its consumers (`keyatlas map {}`) to what {} says, then revoke it.",
        record.name, provider.source
    );
    about_record(VerdictId::LongLived, record, message, next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::case::Scope;
    use crate::assess::tests::{codes, finding, inventory, record, verdicts};

    #[test]
    fn each_fact_is_whole_and_has_its_page() {
        let facts = facts().unwrap().provider;
        let titles: BTreeSet<&str> = facts.iter().map(|it| it.title.as_str()).collect();
        assert!(facts.len() >= 10 && titles.len() == facts.len());
        for it in &facts {
            assert!(it.source.starts_with("https://"), "{}", it.title);
            assert!(
                !it.names.is_empty() && !it.offers.is_empty(),
                "{}",
                it.title
            );
            let is_kind = |kind: &String| Kind::NAMES.iter().any(|(name, _)| name == kind);
            assert!(it.kinds.iter().all(is_kind), "{}", it.title);
            for name in &it.names {
                let mut named = record(&format!("kv/{}", name.replace(' ', "/")), &[]);
                named.kind = None;
                let found = verdicts(&mut [], &[], &inventory(&[named]), Scope::Folder);
                assert_eq!(codes(&found), ["long-lived"], "{name}");
                assert!(found[0].next.contains("https://"));
            }
        }
    }

    #[test]
    fn only_static_secrets_of_the_right_name_and_kind_are_told() {
        type Change = fn(&mut Record);
        let in_iam = |it: &mut Record| {
            "aws-iam".clone_into(&mut it.secret.provider);
            it.kind = Some(Kind::CloudKey);
        };
        let in_iam_password = |it: &mut Record| {
            "aws-iam".clone_into(&mut it.secret.provider);
            it.kind = Some(Kind::Password);
        };
        let cases: [(&str, Change, bool); 11] = [
            ("kv/shop#MYSQL_PASSWORD", |_| {}, true),
            (
                "kv/mysql#password",
                |it| it.kind = Some(Kind::Password),
                true,
            ),
            (
                "kv/mysql#password",
                |it| it.kind = Some(Kind::Webhook),
                false,
            ),
            ("kv/mysql#password", |it| it.dynamic = true, false),
            ("kv/mysql#password", |it| it.gone = true, false),
            ("kv/mysql#password", |it| it.rotation_days = Some(1), false),
            ("kv/mysql#password", |it| it.rotation_days = Some(90), true),
            ("kv/mysql/legacy#password", |_| {}, false),
            ("kv/shop/db#password", |_| {}, false),
            ("deployer/access-key-1", in_iam, true),
            ("deployer/password", in_iam_password, false),
        ];
        for (name, change, fires) in cases {
            let mut it = record(name, &[1]);
            change(&mut it);
            let known = inventory(&[it]);
            let found = verdicts(&mut [], &[], &known, Scope::Folder);
            assert_eq!(codes(&found).contains(&"long-lived"), fires, "{name}");
            assert!(verdicts(&mut [], &[], &known, Scope::Change).is_empty());
        }
    }

    #[test]
    fn a_value_that_a_rule_knows_needs_no_telling_name() {
        for (rule, fires) in [("npm-access-token", true), ("generic-secret", false)] {
            let mut findings = [finding("a.env", 1)];
            findings[0].rule = rule.to_owned();
            let known = inventory(&[record("kv/release", &[1])]);
            let found = verdicts(&mut findings, &[], &known, Scope::Folder);
            assert_eq!(codes(&found).contains(&"long-lived"), fires, "{rule}");
        }
    }
}
