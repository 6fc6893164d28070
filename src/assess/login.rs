//! The verdict on people's credentials in machines: `human-credential`.
//!
//! Cautious: something must say in so many words that the credential is a person's, and a machine must use
//! it. Not here: passwords of people that only lie in the inventory.

use crate::assess::case::{Case, about_record, holds, owned_by, words, words_of};
use crate::model::map::{Evidence, Use};
use crate::model::origin::shown;
use crate::model::record::Record;
use crate::model::rule::Kind;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::HashMap;

/// What rules call tokens that act as the person who made them.
const RULES: &[&[&str]] = &[&["personal"], &["user", "token"]];
/// What owners call them.
const NAMES: &[&[&str]] = &[
    &["personal", "access", "token"],
    &["personal", "token"],
    &["personal", "password"],
    &["personal", "login"],
    &["personal", "api", "key"],
];
/// The same in short, at the end of a name.
const SHORT: &str = "pat";
/// Tags that say whose an account is, and what they say of people.
const TAGS: &[&str] = &["account", "identity", "kind", "login", "type"];
const HUMAN: &[&str] = &["human", "person", "personal"];

/// Judges every record that is there.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if !case.judges_records() {
        return;
    }
    let mut rules: HashMap<&str, &str> = HashMap::new();
    for finding in case.findings.iter().filter(|it| acts_as_person(&it.rule)) {
        if let Some(managed) = &finding.managed {
            rules.insert(&managed.record, &finding.rule);
        }
    }
    for record in case.records.iter().filter(|it| !it.gone) {
        let rule = rules.get(record.name.as_str()).copied();
        let sign = rule.map(|it| format!("a value of the rule `{it}`"));
        if let Some(sign) = sign.or_else(|| personal(case, record)) {
            verdicts.extend(machine(case, record).map(|it| used(record, &sign, &it)));
        }
    }
}

fn acts_as_person(rule: &str) -> bool {
    let words = words(rule);
    // An app that acts for a user has tokens that end.
    RULES.iter().any(|it| holds(&words, it)) && !holds(&words, &["app"])
}

/// What says that it is a person's.
fn personal(case: &Case, record: &Record) -> Option<String> {
    let words = words_of(record);
    let is_named = NAMES.iter().any(|it| holds(&words, it));
    if is_named || words.last().is_some_and(|it| it == SHORT) {
        return Some("its name says so".to_owned());
    }
    let is_human = |text: &str| {
        let words = self::words(text);
        words.iter().any(|it| HUMAN.contains(&it.as_str()))
    };
    let mut tags = record.tags.iter();
    let tag =
        tags.find(|(name, text)| TAGS.contains(&name.to_lowercase().as_str()) && is_human(text));
    if let Some((name, text)) = tag {
        return Some(format!("its tag {name}={text} says so"));
    }
    let may_be_login = matches!(record.kind, None | Some(Kind::Password | Kind::Generic));
    let mut parts = record.secret.path.split('/').filter(|_| may_be_login);
    let person = parts.find_map(|it| case.people.find(it))?;
    Some(format!("its path names {}", person.name))
}

/// Where a machine uses it: configuration or code that names it.
fn machine(case: &Case, record: &Record) -> Option<String> {
    let uses = case.uses.get(record.name.as_str())?;
    let by_reference = |it: &&&Use| it.evidence == Evidence::Reference;
    let named = uses.iter().find(by_reference)?.chain.last()?;
    let place = shown(named.repository.as_deref(), &named.path);
    Some(format!("{place}:{}", named.line))
}

fn used(record: &Record, sign: &str, place: &str) -> Verdict {
    let message = format!(
        "`{}`{} is a person's credential ({sign}), and {place} uses it.",
        record.name,
        owned_by(record)
    );
    let next = format!(
        "Make an account or token of its own for what uses `{}`, then take the person's away from it.",
        record.name
    );
    let verdict = about_record(VerdictId::HumanCredential, record, message, next);
    Verdict {
        evidence: vec![record.name.clone(), place.to_owned()],
        ..verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::case::Scope;
    use crate::assess::tests::{codes, finding, inventory, record, reference, verdicts};
    use crate::model::people::{Entry, People};

    const ID: &str = "human-credential";

    fn judged(record: Record, rule: Option<&str>, is_used: bool, scope: Scope) -> bool {
        let name = format!("vault:{}", record.name);
        let references = [reference("shop", "deploy.yaml", &name, "")];
        let mut known = inventory(&[record]);
        known.people = People::of(&[Entry {
            name: "Ada Example".to_owned(),
            aliases: vec!["ada@shop.example".to_owned(), "ada".to_owned()],
            ..Entry::default()
        }]);
        let mut findings = rule
            .map(|_| finding("a.env", 1))
            .into_iter()
            .collect::<Vec<_>>();
        for it in &mut findings {
            rule.unwrap_or_default().clone_into(&mut it.rule);
        }
        let references = if is_used { &references[..] } else { &[] };
        codes(&verdicts(&mut findings, references, &known, scope)).contains(&ID)
    }

    #[test]
    fn what_says_to_be_a_persons_and_is_used_is_told() {
        type Change = fn(&mut Record);
        let tagged: Change = |it| {
            it.tags.insert("account".to_owned(), "personal".to_owned());
        };
        let team: Change = |it| {
            it.tags.insert("account".to_owned(), "service".to_owned());
        };
        let cases: [(&str, Change, Option<&str>, bool); 12] = [
            ("kv/ci#GITHUB_PAT", |_| {}, None, true),
            ("kv/ci/personal-access-token", |_| {}, None, true),
            ("kv/ci#deploy_token", tagged, None, true),
            ("kv/ci#deploy_token", team, None, false),
            ("kv/people/ada#password", |_| {}, None, true),
            ("kv/people/ada@shop.example#password", |_| {}, None, true),
            (
                "kv/people/ada#key",
                |it| it.kind = Some(Kind::SymmetricKey),
                None,
                false,
            ),
            ("kv/people/eve#password", |_| {}, None, false),
            ("kv/shop#patch_token", |_| {}, None, false),
            (
                "kv/ci#token",
                |_| {},
                Some("gitlab-personal-access-token"),
                true,
            ),
            ("kv/ci#token", |_| {}, Some("github-app-user-token"), false),
            (
                "kv/ci#token",
                |it| it.gone = true,
                Some("gitlab-personal-access-token"),
                false,
            ),
        ];
        for (name, change, rule, fires) in cases {
            let mut it = record(name, &[1]);
            change(&mut it);
            assert_eq!(
                judged(it.clone(), rule, true, Scope::Folder),
                fires,
                "{name}"
            );
            assert!(
                !judged(it.clone(), rule, false, Scope::Folder),
                "{name}: unused"
            );
            assert!(!judged(it, rule, true, Scope::Change), "{name}: a change");
        }
    }
}
