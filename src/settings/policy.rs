//! The `[[policy]]` tables of the settings file.
//!
//! Not here: which policy answers; that is `model/policy`. Two that say one thing of the same secrets are
//! refused here, where their lines are known.

use crate::model::level::Severity;
use crate::model::policy::{Policies, Policy};
use crate::model::rule::Kind;
use crate::model::verdict::VerdictId;
use crate::settings::value::{Fault, fault, kind, nearest, number, strings, text_of};
use std::collections::BTreeMap;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Puts one value where it belongs, or says what it should have been.
type Take = fn(&mut Policy, &DeValue<'_>) -> Result<(), String>;

const KEYS: &[(&str, Take)] = &[
    ("kind", |it, value| {
        let found = several(value)?.iter().map(|it| kind_named(it)).collect();
        put(found, &mut it.kinds)
    }),
    ("provider", |it, value| {
        put(several(value), &mut it.providers)
    }),
    ("environment", |it, value| {
        put(several(value), &mut it.environments)
    }),
    ("record", |it, value| put(several(value), &mut it.records)),
    ("max-age-days", |it, value| {
        put(number(value, 1).map(Some), &mut it.max_age_days)
    }),
    ("expiring-days", |it, value| {
        put(number(value, 0).map(Some), &mut it.expiring_days)
    }),
    ("grace-days", |it, value| {
        put(number(value, 0).map(Some), &mut it.grace_days)
    }),
];
/// Tables with a key for each verdict.
const SEVERITY: &str = "severity";
const OFF: &str = "off";

/// Reads all policies; what is wrong is added to the faults.
pub(super) fn read(value: &Spanned<DeValue<'_>>, text: &str, faults: &mut Vec<Fault>) -> Policies {
    let DeValue::Array(tables) = value.get_ref() else {
        let what = format!(
            "`policy` is a list of tables, each under [[policy]], not {}",
            kind(value.get_ref())
        );
        faults.push(fault(text, value.span().start, what));
        return Policies::default();
    };
    let mut policies: Vec<Policy> = Vec::new();
    for table in tables {
        let at = table.span().start;
        let DeValue::Table(keys) = table.get_ref() else {
            let what = format!("`policy` is a table, not {}", kind(table.get_ref()));
            faults.push(fault(text, at, what));
            continue;
        };
        let known = faults.len();
        let mut policy = Policy {
            line: fault(text, at, String::new()).line,
            ..Policy::default()
        };
        fill(&mut policy, keys, text, faults);
        if faults.len() == known {
            let wrong = useless(&policy).or_else(|| again(&policy, &policies));
            faults.extend(wrong.map(|it| fault(text, at, it)));
        }
        policies.push(policy);
    }
    Policies(policies)
}

fn fill(policy: &mut Policy, keys: &DeTable<'_>, text: &str, faults: &mut Vec<Fault>) {
    for (key, value) in keys {
        let name: &str = key.get_ref();
        let at = value.span().start;
        if let Some((_, take)) = KEYS.iter().find(|(it, _)| *it == name) {
            if let Err(what) = take(policy, value.get_ref()) {
                faults.push(fault(text, at, format!("`policy.{name}` {what}")));
            }
        } else if name == SEVERITY {
            policy.severities = by_verdict(name, value, text, faults, severity);
        } else if name == OFF {
            policy.off = by_verdict(name, value, text, faults, reason);
        } else {
            faults.push(fault(text, key.span().start, unknown(name)));
        }
    }
}

/// A table from verdicts to something.
fn by_verdict<T>(
    section: &str,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    faults: &mut Vec<Fault>,
    read: impl Fn(&DeValue<'_>) -> Result<T, String>,
) -> BTreeMap<VerdictId, T> {
    let mut found = BTreeMap::new();
    let DeValue::Table(table) = value.get_ref() else {
        let what = format!(
            "`policy.{section}` has a key for each verdict, and is not {}",
            kind(value.get_ref())
        );
        faults.push(fault(text, value.span().start, what));
        return found;
    };
    for (key, value) in table {
        let name: &str = key.get_ref();
        let Some(id) = VerdictId::ALL.iter().find(|it| it.code() == name) else {
            let codes = || VerdictId::ALL.iter().map(|it| it.code());
            let what = format!("`policy.{section}.{name}`: there is no such verdict");
            let what = meant(what, name, codes().collect());
            faults.push(fault(text, key.span().start, what));
            continue;
        };
        match read(value.get_ref()) {
            Ok(it) => {
                found.insert(*id, it);
            }
            Err(what) => {
                let what = format!("`policy.{section}.{name}` {what}");
                faults.push(fault(text, value.span().start, what));
            }
        }
    }
    found
}

fn unknown(name: &str) -> String {
    let names = KEYS.iter().map(|(it, _)| *it).chain([SEVERITY, OFF]);
    meant(
        format!("unknown key `policy.{name}`"),
        name,
        names.collect(),
    )
}

fn meant(what: String, name: &str, names: Vec<&str>) -> String {
    match nearest(name, names.iter().copied()) {
        Some(near) => format!("{what}; did you mean `{near}`?"),
        None => format!("{what}; there are {}", names.join(", ")),
    }
}

/// A policy that asks for nothing was meant to.
fn useless(policy: &Policy) -> Option<String> {
    let twice = policy
        .off
        .keys()
        .find(|it| policy.severities.contains_key(it));
    if let Some(id) = twice {
        let code = id.code();
        return Some(format!(
            "this policy gives `{code}` a severity and switches it off; keep one of the two"
        ));
    }
    let is_empty = policy.questions().is_empty();
    is_empty.then(|| {
        "this policy asks for nothing; set max-age-days, expiring-days, grace-days, severity or off"
            .to_owned()
    })
}

/// An earlier policy that answers the same for the same secrets.
fn again(policy: &Policy, earlier: &[Policy]) -> Option<String> {
    let same = earlier.iter().filter(|it| it.is_same_selection(policy));
    let mut shared = same.filter_map(|it| {
        let asked = it.questions();
        let question = policy
            .questions()
            .into_iter()
            .find(|it| asked.contains(it))?;
        Some((it.line, question.name()))
    });
    let (line, name) = shared.next()?;
    Some(format!(
        "this policy and that of line {line} both say `{name}` of the same secrets; keep one"
    ))
}

fn put<T>(value: Result<T, String>, place: &mut T) -> Result<(), String> {
    *place = value?;
    Ok(())
}

/// One text, or a list of them.
fn several(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let texts = match value {
        DeValue::String(text) => vec![text.to_string()],
        _ => strings(value)?,
    };
    if texts.is_empty() || texts.iter().any(String::is_empty) {
        return Err("fits nothing; leave it out to mean all".to_owned());
    }
    Ok(texts)
}

fn kind_named(name: &str) -> Result<Kind, String> {
    let found = Kind::NAMES.iter().find(|(it, _)| *it == name);
    found.map(|(_, kind)| *kind).ok_or_else(|| {
        let names: Vec<&str> = Kind::NAMES.iter().map(|(it, _)| *it).collect();
        format!("is one of {}", names.join(", "))
    })
}

fn severity(value: &DeValue<'_>) -> Result<Severity, String> {
    let names = Severity::ALL.iter().map(|it| it.name());
    Severity::from_name(text_of(value)?)
        .ok_or_else(|| format!("is one of {}", names.collect::<Vec<_>>().join(", ")))
}

fn reason(value: &DeValue<'_>) -> Result<String, String> {
    let text = text_of(value).map_err(|_| "is the reason, a text in quotes".to_owned())?;
    if text.trim().is_empty() {
        return Err("needs a reason: why is it not to be told?".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::parse;

    #[test]
    fn every_key_is_taken() {
        let text = "jobs = 1\n[[policy]]\nkind = 'cloud-key'\nprovider = ['vault', 'aws-*']\n\
            environment = 'prod*'\nrecord = 'kv/shop/*'\nmax-age-days = 30\nexpiring-days = 14\n\
            grace-days = 7\n[policy.severity]\nstale = 'high'\n[policy.off]\nunused = 'kept for audits'\n\
            [[policy]]\nmax-age-days = 400\n";
        let list = |items: &[&str]| items.iter().map(|it| (*it).to_owned()).collect();
        let first = Policy {
            line: 2,
            kinds: vec![Kind::CloudKey],
            providers: list(&["vault", "aws-*"]),
            environments: list(&["prod*"]),
            records: list(&["kv/shop/*"]),
            max_age_days: Some(30),
            expiring_days: Some(14),
            grace_days: Some(7),
            severities: [(VerdictId::Stale, Severity::High)].into(),
            off: [(VerdictId::Unused, "kept for audits".to_owned())].into(),
        };
        let second = Policy {
            line: 14,
            max_age_days: Some(400),
            ..Policy::default()
        };
        let found = parse("f", text).map(|it| it.policies);
        assert_eq!(found, Ok(Policies(vec![first, second])));
    }

    #[test]
    fn faults_name_the_place_and_what_was_meant() {
        for (text, expected) in [
            (
                "kinds = 'jwt'",
                "f:2:1: unknown key `policy.kinds`; did you mean `kind`?",
            ),
            ("kind = 'key'", "f:2:8: `policy.kind` is one of cloud-key, "),
            (
                "record = []",
                "f:2:10: `policy.record` fits nothing; leave it out to mean all",
            ),
            (
                "max-age-days = 0",
                "f:2:16: `policy.max-age-days` is a whole number of at least 1",
            ),
            (
                "severity = 'high'",
                "f:2:12: `policy.severity` has a key for each verdict, and is not a text",
            ),
            (
                "severity.stal = 'high'",
                "f:2:10: `policy.severity.stal`: there is no such verdict; did you mean `stale`?",
            ),
            (
                "severity.stale = 'loud'",
                "f:2:18: `policy.severity.stale` is one of low, medium, high, critical",
            ),
            (
                "off.stale = ' '",
                "f:2:13: `policy.off.stale` needs a reason",
            ),
            (
                "off.stale = true",
                "f:2:13: `policy.off.stale` is the reason, a text in quotes",
            ),
            (
                "kind = 'jwt'",
                "f:1:1: this policy asks for nothing; set max-age-days",
            ),
            (
                "off.stale = 'x'\nseverity.stale = 'low'",
                "f:1:1: this policy gives `stale` a severity and switches it off",
            ),
            (
                "grace-days = 1\n[[policy]]\ngrace-days = 2",
                "f:3:1: this policy and that of line 1 both say `grace-days` of the same secrets",
            ),
        ] {
            let told = parse("f", &format!("[[policy]]\n{text}\n"))
                .unwrap_err()
                .to_string();
            assert!(told.starts_with(expected), "{text}: {told}");
        }
        for (text, expected) in [
            ("policy = 3\n", "f:1:10: `policy` is a list of tables"),
            (
                "[[polcy]]\njobs = 3\n",
                "f:1:3: unknown key `polcy`; did you mean `policy`?",
            ),
        ] {
            let told = parse("f", text).unwrap_err().to_string();
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
