//! The verdict on readers whom the map does not know: `unexplained-access`.
//!
//! Only over a declared estate: elsewhere most uses are out of sight. A reader is explained by anything on a
//! use that bears its name, or by being an owner; logs spell names in many ways, so the comparison is kind.

use crate::assess::case::{
    Case, DAY, Scope, about_record, day, holds, is_setting, owned_by, words,
};
use crate::model::level::Severity;
use crate::model::map::Use;
use crate::model::record::Record;
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::BTreeSet;

/// Readers named in one message.
const NAMED: usize = 3;
/// Shorter words say too little to explain anybody.
const WORD: usize = 3;
/// Words of paths and names that many things share.
const COMMON: &[&str] = &[
    "app",
    "apps",
    "aws",
    "base",
    "bin",
    "chart",
    "charts",
    "cmd",
    "config",
    "data",
    "deploy",
    "dev",
    "env",
    "helm",
    "infra",
    "internal",
    "lib",
    "main",
    "manifests",
    "overlays",
    "pkg",
    "prod",
    "production",
    "role",
    "secret",
    "secrets",
    "service",
    "services",
    "src",
    "staging",
    "system",
    "templates",
    "test",
    "tests",
    "token",
    "user",
    "values",
    "vault",
    "workflows",
];

/// Judges every record that is there.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    if case.options.scope != Scope::Estate {
        return;
    }
    for record in case.records.iter().filter(|it| !it.gone && !is_setting(it)) {
        verdicts.extend(unexplained(case, record));
    }
}

/// One reader as a log or an inventory names it, and when it last read.
type Reader<'a> = (&'a str, i64);

/// Readers in the time that counts, and whether a log tells of them or only the store's last one is known.
fn readers<'a>(case: &Case, record: &'a Record) -> (Vec<Reader<'a>>, bool) {
    let window = i64::from(case.options.stale_days) * DAY;
    let recent = |it: &Reader<'_>| case.options.now.saturating_sub(it.1) <= window;
    if record.accesses.is_empty() {
        let last = record.accessed_by.as_deref().zip(record.accessed);
        return (last.into_iter().filter(recent).collect(), false);
    }
    let logged = record.accesses.iter().map(|it| (it.by.as_str(), it.last));
    (logged.filter(recent).collect(), true)
}

fn unexplained(case: &Case, record: &Record) -> Option<Verdict> {
    let (readers, is_logged) = readers(case, record);
    if readers.is_empty() {
        return None;
    }
    let uses = case.uses.get(record.name.as_str());
    let names = bearers(uses.map_or(&[], Vec::as_slice));
    let heads = heads(uses.map_or(&[], Vec::as_slice));
    let is_explained = |who: &str| bears(who, &names) || begins(who, &heads);
    let is_strange = |it: &Reader<'_>| !answers(case, record, it.0) && !is_explained(it.0);
    let strange: Vec<Reader<'_>> = readers.into_iter().filter(is_strange).collect();
    let last = strange.iter().map(|it| it.1).max()?;
    let named: Vec<String> = strange
        .iter()
        .take(NAMED)
        .map(|it| format!("`{}`", it.0))
        .collect();
    let more = match strange.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!(
        "`{}`{} is read by {}{more}, last on {}, and no use on the map explains it.",
        record.name,
        owned_by(record),
        named.join(", "),
        day(last)
    );
    let next = format!(
        "Find out what reads it: scan the repositories of {0} too, or, if nobody knows {0}, treat `{1}` as leaked and rotate it.",
        named.first()?,
        record.name
    );
    let verdict = about_record(VerdictId::UnexplainedAccess, record, message, next);
    Some(Verdict {
        // A name in a field of an inventory is less than a line of a log.
        severity: if is_logged {
            verdict.severity
        } else {
            Severity::Low
        },
        ..verdict
    })
}

/// Whether the reader answers for the secret: an owner, a known reader, somebody of a team that owns it.
fn answers(case: &Case, record: &Record, who: &str) -> bool {
    let mut names = record.owners.iter().chain(&record.readers);
    let Some(person) = case.people.find(who) else {
        return names.any(|it| it.eq_ignore_ascii_case(who));
    };
    let now = case.options.now;
    names.any(|it| {
        let mut teams = person.teams_at(now);
        case.people.find(it) == Some(person) || teams.any(|team| team.eq_ignore_ascii_case(it))
    })
}

/// Everything on the uses that may bear a reader's name, in words.
fn bearers(uses: &[&Use]) -> BTreeSet<Vec<String>> {
    let mut names: BTreeSet<Vec<String>> = BTreeSet::new();
    let mut add = |text: &str| {
        names.insert(plain(text));
    };
    for it in uses {
        let consumer = it.consumer.iter().flat_map(|it| it.split('/'));
        consumer.for_each(&mut add);
        for hop in &it.chain {
            let repository = hop.repository.iter().flat_map(|it| it.split('/'));
            repository.chain(hop.path.split('/')).for_each(&mut add);
            if let Some((stem, _)) = hop
                .path
                .rsplit('/')
                .next()
                .and_then(|it| it.split_once('.'))
            {
                add(stem);
            }
            add(&hop.syntax);
            // `terraform-vault`: the program is the first word.
            hop.syntax.split('-').take(1).for_each(&mut add);
            if hop.path.contains(".github/") {
                add("github-actions");
            }
            if hop.path.contains(".gitlab-ci") {
                add("gitlab-ci");
            }
        }
    }
    names.retain(|it| !it.is_empty());
    names
}

/// What things on the uses are called as a whole: repositories and consumers.
fn heads(uses: &[&Use]) -> BTreeSet<Vec<String>> {
    let hops = uses.iter().flat_map(|it| &it.chain);
    let repositories = hops.filter_map(|it| it.repository.as_deref());
    let consumers = uses.iter().filter_map(|it| it.consumer.as_deref());
    let last = |it: &str| plain(it.rsplit('/').next().unwrap_or(it));
    let names = repositories.chain(consumers).map(last);
    names.filter(|it| is_telling(it)).collect()
}

/// Whether the name of a reader begins with what something is called: `orders-api` is of `orders`.
fn begins(who: &str, heads: &BTreeSet<Vec<String>>) -> bool {
    let mut segments = who.split(['/', ':', '@', '|', ' ', ',']).map(plain);
    segments.any(|segment| heads.iter().any(|it| segment.starts_with(it)))
}

/// Words without the ends that plurals add.
fn plain(text: &str) -> Vec<String> {
    let words = words(text).into_iter();
    words
        .map(|it| it.strip_suffix('s').unwrap_or(&it).to_owned())
        .collect()
}

fn is_telling(words: &[String]) -> bool {
    let tells = |it: &String| {
        let is_common = COMMON.iter().any(|word| word.trim_end_matches('s') == it);
        it.len() >= WORD && !is_common
    };
    words.iter().any(tells)
}

/// Whether anything bears the name of a reader, or a part of it: `shop-api` explains
/// `arn:aws:sts::1:assumed-role/shop-api-role/i-0`.
fn bears(who: &str, names: &BTreeSet<Vec<String>>) -> bool {
    let segments = who.split(['/', ':', '@', '|', ' ', ',']).map(plain);
    let mut segments = segments.filter(|it| is_telling(it));
    segments.any(|segment| names.iter().any(|name| is_near(&segment, name)))
}

fn is_near(segment: &[String], name: &[String]) -> bool {
    let is_part = name.len() > 1 && is_telling(name) && holds(segment, name);
    let is_whole = segment.len() > 1 && holds(name, segment);
    segment == name || is_part || is_whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assess::tests::{NOW, inventory, record, reference, verdicts};
    use crate::model::access::Access;
    use crate::model::people::{Entry, People};
    use crate::model::record::Inventory;

    fn read(by: &str, days: i64) -> Access {
        Access {
            by: by.to_owned(),
            first: 0,
            last: NOW - days * DAY,
            count: 2,
        }
    }

    fn judged(change: impl Fn(&mut Record), scope: Scope) -> Option<Severity> {
        let mut db = record("kv/shop/db#password", &[1]);
        change(&mut db);
        let person = |name: &str, team: &str| Entry {
            name: name.to_owned(),
            team: Some(team.to_owned()),
            ..Entry::default()
        };
        let known = Inventory {
            people: People::of(&[person("Ada", "api"), person("Cy", "web")]),
            ..inventory(&[db])
        };
        let references = [
            reference(
                "git/shop-deploy",
                "k8s/external.yaml",
                "vault:kv/shop/db#password",
                "kubernetes:shop/shop-db#password",
            ),
            reference(
                "git/shop-deploy",
                "k8s/pod.yaml",
                "kubernetes:shop/shop-db#password",
                "env:Deployment/shop-api/DB_PASSWORD",
            ),
            reference(
                "git/shop-deploy",
                "bin/seed.sh",
                "vault:kv/shop/db#password",
                "",
            ),
        ];
        let found = verdicts(&mut [], &references, &known, scope);
        let told = found
            .iter()
            .find(|it| it.id == VerdictId::UnexplainedAccess);
        told.map(|it| it.severity)
    }

    #[test]
    fn whoever_no_use_names_is_unexplained() {
        for (who, fires) in [
            ("shop-api", false),
            ("system:serviceaccount:shop:shop-api", false),
            (
                "arn:aws:sts::123456789012:assumed-role/shop-api-role/i-0abc",
                false,
            ),
            ("system:serviceaccount:shop:mallory", true),
            ("seed.sh", false),
            ("shop-deploy", false),
            ("external-secrets-operator", true),
            ("team-api", false),
            ("Ada", false),
            ("Cy", true),
            ("mallory", true),
            ("shop-reports", true),
            ("arn:aws:iam::123456789012:user/cron", true),
            ("k8s", true),
        ] {
            let change = |it: &mut Record| {
                it.owners = vec!["api".to_owned(), "team-api".to_owned()];
                it.accesses = vec![read(who, 3), read("shop-api", 1)];
            };
            let expected = fires.then_some(Severity::Medium);
            assert_eq!(judged(change, Scope::Estate), expected, "{who}");
            assert_eq!(judged(change, Scope::Folder), None, "{who}");
        }
    }

    #[test]
    fn a_name_that_begins_with_the_repository_is_of_it() {
        let mut orders = record("kv/orders/db#password", &[1]);
        for (repository, who, fires) in [
            ("git/orders", "approle/orders-api", false),
            ("git/orders", "orders", false),
            ("git/orders", "backup-orders", true),
            ("git/orders", "ordersystem", true),
            ("git/deploy", "deploy-bot", true),
        ] {
            orders.accesses = vec![read(who, 3)];
            let named = reference(repository, "src/main.go", "vault:kv/orders/db#password", "");
            let known = inventory(std::slice::from_ref(&orders));
            let found = verdicts(&mut [], &[named], &known, Scope::Estate);
            let is_told = found.iter().any(|it| it.id == VerdictId::UnexplainedAccess);
            assert_eq!(is_told, fires, "{repository} {who}");
        }
    }

    #[test]
    fn old_reads_do_not_count_and_an_inventory_says_less_than_a_log() {
        let log = |days| move |it: &mut Record| it.accesses = vec![read("mallory", days)];
        assert_eq!(judged(log(366), Scope::Estate), None);
        assert_eq!(judged(log(365), Scope::Estate), Some(Severity::Medium));
        let field = |by: Option<&str>, days: i64| {
            let by = by.map(str::to_owned);
            move |it: &mut Record| {
                it.accessed_by.clone_from(&by);
                it.accessed = Some(NOW - days * DAY);
            }
        };
        assert_eq!(
            judged(field(Some("mallory"), 3), Scope::Estate),
            Some(Severity::Low)
        );
        assert_eq!(judged(field(Some("shop-api"), 3), Scope::Estate), None);
        assert_eq!(judged(field(Some("mallory"), 400), Scope::Estate), None);
        assert_eq!(judged(field(None, 3), Scope::Estate), None);
    }
}
