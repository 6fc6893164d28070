//! The verdict on what serves production and another environment: `crosses-environments`.
//!
//! Not here: one value in several roles of one environment; that is `reuse`. An environment is what the
//! owner says, else what a path or a name says in so many words; what says nothing is not judged.

use crate::assess::case::{
    Case, about_findings, about_record, is_certificate, is_live, is_setting, is_weak, owned_by,
    words,
};
use crate::model::finding::Finding;
use crate::model::fingerprint::Fingerprint;
use crate::model::map::{Evidence, Hop, Use};
use crate::model::origin::shown;
use crate::model::record::Record;
use crate::model::secret::Worth;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::{BTreeMap, HashMap};

/// Words that mean production.
const PRODUCTION: &[&str] = &["production", "prod", "prd"];
/// Words that mean another environment, wherever they stand.
const OTHERS: &[&str] = &[
    "dev",
    "development",
    "nonprod",
    "preprod",
    "preproduction",
    "qa",
    "sandbox",
    "stage",
    "staging",
    "stg",
    "uat",
];
/// Words that mean an environment where an owner calls it so, and many other things in paths.
const SPOKEN_PRODUCTION: &[&str] = &["live"];
const SPOKEN_OTHERS: &[&str] = &[
    "ci",
    "demo",
    "develop",
    "int",
    "integration",
    "local",
    "preview",
    "test",
    "testing",
    "tst",
];
/// Words that turn production into another environment.
const TURNING: &[&str] = &["non", "not", "pre"];

/// Judges values of records, records by their uses, and values that no inventory knows.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if case.judges_records() {
        values(case, verdicts);
        records(case, verdicts);
        findings(case, verdicts);
    }
}

/// An environment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Environment {
    Production,
    /// Another, by the word that says so.
    Other(String),
}

impl Environment {
    fn word(&self) -> &str {
        match self {
            Self::Production => "production",
            Self::Other(word) => word,
        }
    }
}

/// The environment that words name; `None` if they name none, or both kinds.
fn named(words: &[String], production: &[&[&str]], others: &[&[&str]]) -> Option<Environment> {
    let is = |lists: &[&[&str]], word: &str| lists.iter().any(|it| it.contains(&word));
    let other = words.iter().find(|it| is(others, it));
    let at = words.iter().position(|it| is(production, it));
    let turned = at.and_then(|it| words.get(it.checked_sub(1)?));
    let turned = turned.filter(|it| TURNING.contains(&it.as_str()));
    match (at, turned, other) {
        (Some(_), Some(turned), None) => Some(Environment::Other(format!("{turned}-production"))),
        (Some(_), None, None) => Some(Environment::Production),
        (None, _, Some(word)) => Some(Environment::Other(word.clone())),
        _ => None,
    }
}

/// As an owner says it.
fn spoken(text: &str) -> Option<Environment> {
    named(
        &words(text),
        &[PRODUCTION, SPOKEN_PRODUCTION],
        &[OTHERS, SPOKEN_OTHERS],
    )
}

/// As a path says it: the end of the name of a folder or file.
fn of_path(path: &str) -> Option<Environment> {
    let mut parts: Vec<&str> = path.split('/').collect();
    let file = parts.pop().unwrap_or_default();
    let stem = match file.rsplit_once('.') {
        Some((stem, end)) if spoken(end).is_none() => stem,
        _ => file,
    };
    let said: Vec<String> = parts.iter().chain([&stem]).flat_map(|it| end(it)).collect();
    named(&said, &[PRODUCTION], &[OTHERS])
}

/// The last word of a name, with one before that turns it: `prod` of `shop-prod`, and nothing else.
fn end(name: &str) -> Vec<String> {
    let mut words = words(name);
    let last = words.pop();
    let turning = words.pop().filter(|it| TURNING.contains(&it.as_str()));
    turning.into_iter().chain(last).collect()
}

/// As a name says it, segment by segment.
fn of_name(name: &str) -> Option<Environment> {
    named(&words(name), &[PRODUCTION], &[OTHERS])
}

/// A record's own: what its owner says, else what its name says.
fn of_record(record: &Record) -> Option<Environment> {
    match &record.environment {
        Some(text) => spoken(text),
        None => of_name(&format!("{}/{}", record.secret.scope, record.secret.path)),
    }
}

/// Where something is used: what the steps on the way say. Code that reads a variable runs everywhere, so
/// the place of its file says nothing.
fn of_use(it: &Use) -> Option<(Environment, String)> {
    let place = |hop: &Hop| {
        format!(
            "{}:{}",
            shown(hop.repository.as_deref(), &hop.path),
            hop.line
        )
    };
    let of_hop = |hop: &Hop| {
        let by_name = of_name(&hop.name).filter(|_| it.evidence == Evidence::Reference);
        of_path(&hop.path).or(by_name)
    };
    let telling = it.chain.iter().filter(|hop| !hop.name.starts_with("env:"));
    let by_hop = telling
        .clone()
        .find_map(|hop| of_hop(hop).map(|found| (found, place(hop))));
    let by_consumer = || {
        let found = it.consumer.as_deref().and_then(of_name)?;
        telling.clone().next_back().map(|hop| (found, place(hop)))
    };
    by_hop.or_else(by_consumer)
}

/// One of production and one of another, if there are both.
fn crossing<T>(all: &[(Environment, T)]) -> Option<(&T, &(Environment, T))> {
    let production = all.iter().find(|it| it.0 == Environment::Production)?;
    let other = all.iter().find(|it| it.0 != Environment::Production)?;
    Some((&production.1, other))
}

fn values(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut holders: BTreeMap<Fingerprint, Vec<(Environment, &Record)>> = BTreeMap::new();
    for record in case.records.iter().filter(|it| !it.gone && !is_setting(it)) {
        let current = record.versions.last().and_then(|it| it.fingerprint);
        let telling = current.filter(|it| !case.plain.contains(it));
        if let Some((print, environment)) = telling.zip(of_record(record)) {
            holders
                .entry(print)
                .or_default()
                .push((environment, record));
        }
    }
    for records in holders.into_values() {
        if let Some((production, (environment, other))) = crossing(&records) {
            let mut verdict = shared(production, environment, other);
            verdict.evidence = records.iter().map(|it| it.1.name.clone()).collect();
            verdicts.push(verdict);
        }
    }
}

fn shared(production: &Record, environment: &Environment, other: &Record) -> Verdict {
    let word = environment.word();
    let message = format!(
        "One value serves `{}`{} in production and `{}`{} in {word}.",
        production.name,
        owned_by(production),
        other.name,
        owned_by(other)
    );
    let next = format!(
        "Give `{}` a value of its own: whoever reads {word} can open production until then.",
        other.name
    );
    about_record(VerdictId::CrossesEnvironments, production, message, next)
}

fn records(case: &Case, verdicts: &mut Vec<Verdict>) {
    let current: HashMap<String, bool> = case
        .findings
        .iter()
        .filter(|it| it.origins.iter().any(is_live) && !is_weak(it))
        .filter_map(|it| Some((it.occurrence.to_string(), it.managed.as_ref()?.current)))
        .collect();
    let counts = |it: &&&Use| match &it.occurrence {
        Some(id) => current.get(id) == Some(&true),
        None => true,
    };
    let is_judged = |it: &&Record| !it.gone && !it.dynamic && !is_setting(it);
    for record in case.records.iter().filter(is_judged) {
        let uses = case.uses.get(record.name.as_str());
        let uses = uses.into_iter().flatten().filter(counts);
        let mut places: Vec<(Environment, String)> = uses.filter_map(|it| of_use(it)).collect();
        places.sort();
        if let Some(own) = of_record(record) {
            places.insert(0, (own, record.name.clone()));
        }
        if let Some((production, (environment, other))) = crossing(&places) {
            verdicts.push(used(record, production, environment, other));
        }
    }
}

fn used(record: &Record, production: &str, environment: &Environment, other: &str) -> Verdict {
    let word = environment.word();
    let say = |place: &str| {
        if place == record.name {
            "its inventory says so".to_owned()
        } else {
            place.to_owned()
        }
    };
    let message = format!(
        "`{}`{} serves production ({}) and {word} ({}).",
        record.name,
        owned_by(record),
        say(production),
        say(other)
    );
    let next = format!(
        "Make a secret of its own for {word}, and let nothing but production read `{}`.",
        record.name
    );
    let evidence = [production, other].map(str::to_owned);
    Verdict {
        evidence: evidence.to_vec(),
        ..about_record(VerdictId::CrossesEnvironments, record, message, next)
    }
}

/// Values that no inventory knows, in files of production and of another environment.
fn findings(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut places: BTreeMap<&[u8], Vec<(Environment, &Finding)>> = BTreeMap::new();
    for finding in case.findings.iter().filter(|it| is_candidate(it)) {
        if let Some(environment) = of_path(&finding.path) {
            let row = places.entry(finding.secret.expose()).or_default();
            row.push((environment, finding));
        }
    }
    for mut group in places.into_values() {
        group.sort_by_key(|it| (&it.1.path, it.1.place));
        let Some((production, (environment, other))) = crossing(&group) else {
            continue;
        };
        let place = |it: &Finding| format!("{}:{}", it.shown_path(), it.place.line);
        let message = format!(
            "One value that no inventory knows serves production ({}) and {} ({}).",
            place(production),
            environment.word(),
            place(other)
        );
        let next =
            "Issue a value of its own for each environment, and keep each in a secrets manager.";
        let found: Vec<&Finding> = group.iter().map(|it| it.1).collect();
        let id = VerdictId::CrossesEnvironments;
        verdicts.push(about_findings(
            id,
            id.severity(),
            &found,
            message,
            next.to_owned(),
        ));
    }
}

fn is_candidate(finding: &Finding) -> bool {
    let is_telling = Worth::of(finding.secret.expose()) == Worth::Telling;
    let is_live = finding.origins.iter().any(is_live);
    finding.managed.is_none()
        && is_live
        && is_telling
        && !is_weak(finding)
        && !is_certificate(finding)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::case::Scope;
    use crate::assess::tests::{codes, finding, inventory, record, reference, verdicts};
    use crate::model::record::Inventory;

    const ID: &str = "crosses-environments";

    #[test]
    fn paths_and_owners_say_environments_in_so_many_words() {
        for (path, expected) in [
            ("k8s/overlays/prod/api.yaml", Some("production")),
            ("values-staging.yaml", Some("staging")),
            ("deploy/.env.production", Some("production")),
            ("config/prod.yml", Some("production")),
            ("environments/pre-prod/main.tf", Some("pre-production")),
            ("env/nonprod/a.tf", Some("nonprod")),
            ("src/product/api.py", None),
            ("src/prod_utils/long_name/dev_tools.py", None),
            ("tests/live/a.py", None),
            ("prod/staging/a.yaml", None),
        ] {
            let found = of_path(path);
            assert_eq!(found.as_ref().map(Environment::word), expected, "{path}");
        }
        for (text, expected) in [
            ("Production", Some("production")),
            ("eu-live", Some("production")),
            ("pre-production", Some("pre-production")),
            ("test", Some("test")),
            ("shared", None),
        ] {
            let found = spoken(text);
            assert_eq!(found.as_ref().map(Environment::word), expected, "{text}");
        }
    }

    #[test]
    fn one_value_in_production_and_elsewhere_crosses() {
        let of = |name: &str, environment: &str| {
            let mut it = record(name, &[1]);
            it.environment = (!environment.is_empty()).then(|| environment.to_owned());
            it
        };
        for (one, other, fires) in [
            (
                of("kv/pay#key", "production"),
                of("kv/pay2#key", "staging"),
                true,
            ),
            (
                of("kv/prod/pay#key", ""),
                of("kv/staging/pay#key", ""),
                true,
            ),
            (
                of("kv/pay#key", "production"),
                of("kv/pay2#key", "prod"),
                false,
            ),
            (
                of("kv/pay#key", "test"),
                of("kv/pay2#key", "staging"),
                false,
            ),
            (of("kv/pay#key", "production"), of("kv/pay2#key", ""), false),
            (
                of("kv/pay#host", "production"),
                of("kv/pay2#host", "staging"),
                false,
            ),
        ] {
            let known = inventory(&[one, other]);
            let found = verdicts(&mut [], &[], &known, Scope::Folder);
            assert_eq!(codes(&found).contains(&ID), fires, "{known:?}");
            assert!(verdicts(&mut [], &[], &known, Scope::Change).is_empty());
        }
    }

    #[test]
    fn one_record_used_in_production_and_elsewhere_crosses() {
        let uses = |path: &str| reference("shop", path, "vault:kv/pay#key", "");
        for (environment, paths, fires) in [
            ("", ["k8s/prod/a.yaml", "k8s/staging/a.yaml"], true),
            ("production", ["k8s/a.yaml", "k8s/staging/a.yaml"], true),
            ("staging", ["k8s/a.yaml", "k8s/prod/a.yaml"], true),
            ("production", ["k8s/a.yaml", "k8s/prod/a.yaml"], false),
            ("", ["k8s/qa/a.yaml", "k8s/staging/a.yaml"], false),
        ] {
            let mut pay = record("kv/pay#key", &[1]);
            pay.environment = (!environment.is_empty()).then(|| environment.to_owned());
            let references = paths.map(uses);
            let found = verdicts(&mut [], &references, &inventory(&[pay]), Scope::Folder);
            assert_eq!(
                codes(&found).contains(&ID),
                fires,
                "{environment} {paths:?}"
            );
        }
    }

    #[test]
    fn code_that_reads_a_variable_runs_everywhere() {
        let pod = reference(
            "shop",
            "k8s/prod/pod.yaml",
            "vault:kv/pay#key",
            "env:Deployment/api/PAY",
        );
        let code = reference("shop", "config/development.py", "env:PAY", "");
        let known = inventory(&[record("kv/pay#key", &[1])]);
        let found = verdicts(&mut [], &[pod, code], &known, Scope::Folder);
        assert!(codes(&found).is_empty(), "{found:?}");
    }

    #[test]
    fn a_value_of_production_that_lies_elsewhere_crosses_while_it_is_current() {
        for (value, fires) in [(2, true), (1, false)] {
            let mut pay = record("kv/pay#key", &[1, 2]);
            pay.environment = Some("production".to_owned());
            let mut findings = [finding("env/dev/.env", value)];
            let found = verdicts(&mut findings, &[], &inventory(&[pay]), Scope::Folder);
            assert_eq!(codes(&found).contains(&ID), fires, "{value}");
        }
    }

    #[test]
    fn a_value_that_no_inventory_knows_crosses_too() {
        for (paths, fires) in [
            (["prod/.env", "staging/.env"], true),
            (["prod/.env", "production/.env"], false),
            (["prod/.env", "other/.env"], false),
        ] {
            let mut findings = paths.map(|it| finding(it, 1));
            let found = verdicts(&mut findings, &[], &Inventory::default(), Scope::Folder);
            assert_eq!(codes(&found).contains(&ID), fires, "{paths:?}");
        }
    }
}
