//! The judgement as a whole: for each verdict, where it fires and where it must not.

use super::*;
use crate::model::details::Details;
use crate::model::finding::Waived;
use crate::model::fingerprint::{Fingerprint, Occurrence};
use crate::model::level::{Confidence, Level, Severity};
use crate::model::map::{Evidence, Use};
use crate::model::origin::{Milestone, Origin, OriginKind};
use crate::model::policy::Policies;
use crate::model::record::{CompleteScope, Record, Version};
use crate::model::reference::{Mention, Role, SecretName};
use crate::model::rule::Kind;
use crate::model::secret::Secret;
use crate::model::span::Place;

pub(super) const DAY: i64 = 86_400;
pub(super) const NOW: i64 = 20_000 * DAY;

pub(super) fn options(scope: Scope) -> Options {
    Options {
        scope,
        now: NOW,
        stale_days: 365,
        stale_cloud_days: 90,
        expiring_days: 30,
        policies: Policies::default(),
    }
}

fn place(line: u32) -> Place {
    Place {
        line,
        end_line: line,
        column: 1,
        end_column: 9,
    }
}

pub(super) fn print(value: u8) -> Option<Fingerprint> {
    Some(Fingerprint::from_bytes([value; 32]))
}

pub(super) fn finding(path: &str, value: u8) -> Finding {
    Finding {
        rule: "acme-token".to_owned(),
        path: path.to_owned(),
        place: place(3),
        key: Some("token".to_owned()),
        secret: Secret::new(format!("q8Zk27xPw0{value:02x}").as_bytes()),
        masked: "****".to_owned(),
        fingerprint: print(value),
        occurrence: Occurrence {
            base: format!("ko1:{value:02x}"),
            ordinal: 1,
        },
        via: Vec::new(),
        container: None,
        within: None,
        confidence: Confidence::High,
        facts: Vec::new(),
        level: Level::Error,
        origins: vec![Origin::plain(OriginKind::File, path, None)],
        managed: None,
        waived: None,
        inline: None,
        expires: None,
        details: Details::default(),
        parts: Vec::new(),
        in_baseline: None,
    }
}

pub(super) fn record(name: &str, values: &[u8]) -> Record {
    let (path, key) = name.split_once('#').unwrap_or((name, ""));
    Record {
        name: name.to_owned(),
        secret: SecretName {
            key: (!key.is_empty()).then(|| key.to_owned()),
            ..SecretName::new("vault", path)
        },
        source: "vault.json".to_owned(),
        source_line: Some(4),
        versions: values
            .iter()
            .zip(1..)
            .map(|(value, number)| Version {
                veil: None,
                number,
                created: Some(NOW - DAY),
                fingerprint: print(*value),
            })
            .collect(),
        ..Record::default()
    }
}

pub(super) fn inventory(records: &[Record]) -> Inventory {
    Inventory {
        records: records.to_vec(),
        ..Inventory::default()
    }
}

/// A name as the tests write it: `kubernetes:shop/db#password` has scope `shop` except for Vault.
pub(super) fn name(text: &str) -> SecretName {
    let (provider, rest) = text.split_once(':').unwrap();
    let (path, key) = rest
        .split_once('#')
        .map_or((rest, None), |(path, key)| (path, Some(key)));
    let (scope, path) = match provider {
        "kubernetes" => path.split_once('/').unwrap_or(("", path)),
        "env" => path.rsplit_once('/').unwrap_or(("", path)),
        _ => ("", path),
    };
    SecretName {
        key: key.map(str::to_owned),
        ..SecretName::new(provider, path).within(scope)
    }
}

pub(super) fn reference(repository: &str, path: &str, named: &str, yields: &str) -> Reference {
    let yields = (!yields.is_empty()).then(|| name(yields));
    let consumer = yields
        .as_ref()
        .filter(|it| it.provider == "env" && !it.scope.is_empty())
        .map(|it| it.scope.clone());
    Reference {
        path: path.to_owned(),
        mention: Mention {
            name: name(named),
            yields,
            syntax: "test",
            consumer,
            place: place(7),
            dynamic: false,
            role: Role::Use,
            example: false,
        },
        origin: Origin {
            introduced: Some(Milestone {
                seconds: NOW - 9 * DAY,
                commit: "c0ffee".to_owned(),
                author: "Ada".to_owned(),
            }),
            ..Origin::plain(OriginKind::File, path, Some(repository.to_owned()))
        },
    }
}

pub(super) fn verdicts(
    findings: &mut [Finding],
    references: &[Reference],
    inventory: &Inventory,
    scope: Scope,
) -> Vec<Verdict> {
    assess(findings, references, Some(inventory), &options(scope)).verdicts
}

pub(super) fn codes(verdicts: &[Verdict]) -> Vec<&'static str> {
    verdicts.iter().map(|it| it.id.code()).collect()
}

fn chains(uses: &[Use]) -> Vec<String> {
    uses.iter()
        .map(|it| {
            let hops: Vec<&str> = it.chain.iter().map(|hop| hop.path.as_str()).collect();
            format!("{}: {}", it.record, hops.join(" > "))
        })
        .collect()
}

#[test]
fn values_are_exposed_rotated_or_unmanaged() {
    let known = inventory(&[record("kv/shop/db", &[1, 2])]);
    for (value, expected, version) in [
        (2, "exposed", Some((2, true))),
        (1, "rotated-but-exposed", Some((1, false))),
        (3, "unmanaged", None),
    ] {
        let mut findings = [finding("a.env", value)];
        let found = verdicts(&mut findings, &[], &known, Scope::Change);
        assert_eq!(codes(&found), [expected]);
        let managed = findings[0]
            .managed
            .as_ref()
            .map(|it| (it.version, it.current));
        assert_eq!(managed, version);
        assert_eq!(found[0].evidence, [format!("ko1:{value:02x}")]);
        assert!(!found[0].next.is_empty() && found[0].message.contains("a.env:3"));
    }
}

#[test]
fn a_value_that_came_back_is_current() {
    let known = inventory(&[record("kv/shop/db", &[1, 2, 1])]);
    let found = verdicts(&mut [finding("a", 1)], &[], &known, Scope::Change);
    assert_eq!(codes(&found), ["exposed"]);
}

#[test]
fn without_an_inventory_everything_is_unmanaged() {
    let mut findings = [finding("a", 1)];
    findings[0].fingerprint = None;
    let found = assess(&mut findings, &[], None, &options(Scope::Folder)).verdicts;
    assert_eq!(codes(&found), ["unmanaged"]);
    assert_eq!(found[0].severity, Severity::High);
}

#[test]
fn weak_signs_give_low_severity() {
    let known = inventory(&[record("kv/shop/db", &[1])]);
    let change: [fn(&mut Finding); 3] = [
        |it| it.level = Level::Note,
        |it| it.confidence = Confidence::Low,
        |it| it.expires = Some(NOW - 1),
    ];
    for (index, change) in change.iter().enumerate() {
        let mut findings = [finding("a", 5)];
        change(&mut findings[0]);
        let found = verdicts(&mut findings, &[], &known, Scope::Change);
        let unmanaged = found
            .iter()
            .find(|it| it.id == VerdictId::Unmanaged)
            .unwrap();
        assert_eq!(unmanaged.severity, Severity::Low, "case {index}");
    }
}

#[test]
fn places_of_one_base_share_a_verdict_that_is_waived_only_as_a_whole() {
    let waived = Some(Waived {
        reason: "sample".to_owned(),
        owner: "shop".to_owned(),
        until: "2099-01-01".to_owned(),
    });
    for (second, whole) in [(None, false), (waived.clone(), true)] {
        let mut findings = [finding("a", 1), finding("b", 1)];
        findings[0].waived.clone_from(&waived);
        findings[1].waived.clone_from(&second);
        findings[1].occurrence.ordinal = 2;
        let found = verdicts(&mut findings, &[], &Inventory::default(), Scope::Folder);
        assert_eq!(codes(&found), ["unmanaged"]);
        assert_eq!(found[0].evidence, ["ko1:01", "ko1:01.2"]);
        assert_eq!(found[0].waived, whole);
        assert_eq!(
            found[0].path.as_deref(),
            Some(if whole { "a" } else { "b" })
        );
    }
}

#[test]
fn certificates_are_judged_by_their_end_alone() {
    for (left, expected) in [(-1, vec!["expired"]), (29, vec!["expiring"]), (31, vec![])] {
        let mut findings = [finding("ca.pem", 1)];
        findings[0].rule = "certificate".to_owned();
        findings[0].expires = Some(NOW + left * DAY);
        let found = verdicts(&mut findings, &[], &Inventory::default(), Scope::Change);
        assert_eq!(codes(&found), expected, "{left} days left");
    }
}

#[test]
fn records_grow_stale_by_policy_kind_and_default() {
    for (age, policy, kind, dynamic, fires) in [
        (366, None, None, false, true),
        (365, None, None, false, false),
        (366, None, None, true, false),
        (91, None, Some(Kind::CloudKey), false, true),
        (91, None, Some(Kind::ApiToken), false, false),
        (31, Some(30), None, false, true),
        (366, Some(700), None, false, false),
        (900, None, Some(Kind::Certificate), false, false),
    ] {
        let mut old = record("kv/shop/db", &[1]);
        old.rotated = Some(NOW - age * DAY);
        old.rotation_days = policy;
        old.kind = kind;
        old.dynamic = dynamic;
        let known = inventory(&[old]);
        let found = verdicts(&mut [], &[], &known, Scope::Folder);
        assert_eq!(
            codes(&found) == ["stale"],
            fires,
            "{age} {policy:?} {kind:?}"
        );
        assert!(verdicts(&mut [], &[], &known, Scope::Change).is_empty());
        for verdict in found {
            assert_eq!(
                (verdict.path.as_deref(), verdict.line),
                (Some("vault.json"), Some(4))
            );
        }
    }
}

#[test]
fn records_end() {
    for (left, gone, expected) in [
        (-5, false, vec!["expired"]),
        (30, false, vec!["expiring"]),
        (31, false, vec![]),
        (-5, true, vec![]),
    ] {
        let mut ending = record("kv/shop/tls", &[1]);
        ending.expires = Some(NOW + left * DAY);
        ending.gone = gone;
        let found = verdicts(&mut [], &[], &inventory(&[ending]), Scope::Folder);
        assert_eq!(codes(&found), expected, "{left} {gone}");
    }
}

#[test]
fn one_value_under_several_records_is_reused_unless_a_reference_copies_it() {
    let mut copy = record("shop/db#password", &[1]);
    copy.secret = name("kubernetes:shop/db#password");
    let records = [record("kv/shop/db#password", &[1]), copy];
    let external = reference(
        "shop",
        "es.yaml",
        "vault:kv/shop/db#password",
        "kubernetes:shop/db#password",
    );
    for (references, expected) in [(vec![], vec!["reused"]), (vec![external], vec![])] {
        let found = verdicts(&mut [], &references, &inventory(&records), Scope::Folder);
        assert_eq!(codes(&found), expected);
    }
    let former = [record("kv/a", &[1, 2]), record("kv/b", &[1, 3])];
    assert!(verdicts(&mut [], &[], &inventory(&former), Scope::Folder).is_empty());
}

#[test]
fn an_unmanaged_value_is_reused_under_different_keys_in_unrelated_folders() {
    for (keys, paths, fires) in [
        (["a", "b", "a"], ["x/1", "y/1", "z/1"], true),
        (["a", "A", "a"], ["x/1", "y/1", "z/1"], false),
        (["a", "b", "c"], ["x/1", "x/2", "z/1"], false),
    ] {
        let mut findings = paths.map(|path| finding(path, 1));
        for (finding, key) in findings.iter_mut().zip(keys) {
            finding.key = Some(key.to_owned());
        }
        let found = verdicts(&mut findings, &[], &Inventory::default(), Scope::Folder);
        assert_eq!(
            codes(&found).contains(&"reused"),
            fires,
            "{keys:?} {paths:?}"
        );
    }
}

#[test]
fn only_an_estate_tells_what_is_unused() {
    let known = |accessed: Option<i64>, gone: bool| {
        let mut idle = record("kv/shop/old", &[1]);
        idle.accessed = accessed;
        idle.gone = gone;
        inventory(&[idle])
    };
    let used = [reference("shop", "a.hcl", "vault:kv/data/shop/old", "")];
    for (scope, inventory, references, fires) in [
        (Scope::Estate, known(None, false), &[][..], true),
        (
            Scope::Estate,
            known(Some(NOW - 400 * DAY), false),
            &[],
            true,
        ),
        (Scope::Estate, known(Some(NOW - 3 * DAY), false), &[], false),
        (Scope::Estate, known(None, true), &[], false),
        (Scope::Estate, known(None, false), &used, false),
        (Scope::Folder, known(None, false), &[], false),
    ] {
        let found = verdicts(&mut [], references, &inventory, scope);
        assert_eq!(
            codes(&found) == ["unused"],
            fires,
            "{scope:?} {references:?}"
        );
    }
}

#[test]
fn a_missing_name_is_broken_only_where_the_inventory_is_complete() {
    let mut known = inventory(&[record("kv/shop/db#password", &[1])]);
    known.complete = vec![
        CompleteScope {
            provider: "vault".to_owned(),
            prefix: "kv/shop".to_owned(),
        },
        CompleteScope {
            provider: "kubernetes".to_owned(),
            prefix: String::new(),
        },
    ];
    let provides = reference(
        "shop",
        "es.yaml",
        "vault:kv/shop/db#password",
        "kubernetes:shop/made",
    );
    for (named, fires) in [
        ("vault:kv/shop/db#password", false),
        ("vault:kv/shop/db", false),
        ("vault:kv/shop/db#user", true),
        ("vault:kv/shop/gone", true),
        ("vault:kv/other/gone", false),
        ("aws-ssm:kv/shop/gone", false),
        ("kubernetes:shop/made#password", false),
        ("kubernetes:shop/missing", true),
    ] {
        let references = [reference("shop", "a.tf", named, ""), provides.clone()];
        let found = verdicts(&mut [], &references, &known, Scope::Change);
        assert_eq!(codes(&found) == ["broken-reference"], fires, "{named}");
        let mut template = references.clone();
        template[0].mention.dynamic = true;
        assert!(
            verdicts(&mut [], &template, &known, Scope::Change).is_empty(),
            "{named}"
        );
    }
}

#[test]
fn a_chain_runs_from_the_record_to_the_code() {
    let references = [
        reference(
            "deploy",
            "es.yaml",
            "vault:kv/data/shop/db#password",
            "kubernetes:shop/shop-db#pw",
        ),
        reference(
            "deploy",
            "pod.yaml",
            "kubernetes:shop/shop-db#pw",
            "env:Deployment/shop-api/DB_PASSWORD",
        ),
        reference(
            "deploy",
            "pod.yaml",
            "kubernetes:shop/shop-db#user",
            "env:Deployment/shop-api/DB_USER",
        ),
        reference("git/shop-api", "src/db.py", "env:DB_PASSWORD", ""),
        reference("git/shop-api", "src/db.py", "env:DB_USER", ""),
    ];
    let known = inventory(&[record("kv/shop/db#password", &[1])]);
    let assessed = assess(&mut [], &references, Some(&known), &options(Scope::Folder));
    assert_eq!(
        chains(&assessed.map.uses),
        ["kv/shop/db#password: es.yaml > pod.yaml > src/db.py"]
    );
    let used = &assessed.map.uses[0];
    assert_eq!(used.consumer.as_deref(), Some("Deployment/shop-api"));
    assert_eq!(
        (used.author.as_deref(), used.date),
        (Some("Ada"), Some(NOW - 9 * DAY))
    );
    let resolved: Vec<bool> = assessed.resolved.iter().map(Option::is_some).collect();
    assert_eq!(resolved, [true, true, false, true, false]);
}

#[test]
fn variables_reach_the_code_of_their_workload() {
    let pod = |workload: &str| {
        let yields = format!("env:Deployment/{workload}/DB_PASSWORD");
        reference("deploy", "pod.yaml", "kubernetes:shop/shop-db#pw", &yields)
    };
    let mut shop = record("shop/shop-db#pw", &[1]);
    shop.secret = name("kubernetes:shop/shop-db#pw");
    let known = inventory(&[shop]);
    for (repository, path, workloads, reached) in [
        ("deploy", "a.py", &["api", "web"][..], 2),
        ("deploy", "services/api/a.py", &["api", "web"], 1),
        ("git/api", "a.py", &["api", "web"], 1),
        ("git/shop-api", "a.py", &["api", "web"], 1),
        ("git/other", "a.py", &["api", "web"], 0),
        ("git/other", "a.py", &["api"], 1),
    ] {
        let mut references: Vec<_> = workloads.iter().map(|it| pod(it)).collect();
        references.push(reference(repository, path, "env:DB_PASSWORD", ""));
        let assessed = assess(&mut [], &references, Some(&known), &options(Scope::Folder));
        let through = assessed
            .map
            .uses
            .iter()
            .filter(|it| it.chain.len() == 2)
            .count();
        assert_eq!(through, reached, "{repository} {path} {workloads:?}");
    }
}

#[test]
fn env_from_passes_every_key_under_its_own_name() {
    let references = [
        reference(
            "shop",
            "es.yaml",
            "vault:kv/shop/db",
            "kubernetes:shop/shop-db",
        ),
        reference(
            "shop",
            "pod.yaml",
            "kubernetes:shop-db",
            "env:Deployment/api/*",
        ),
        reference("shop", "a.py", "env:DB_PASSWORD", ""),
        reference("shop", "a.py", "env:DB_USER", ""),
    ];
    let known = inventory(&[
        record("kv/shop/db#DB_PASSWORD", &[1]),
        record("kv/shop/db#SALT", &[2]),
    ]);
    let assessed = assess(&mut [], &references, Some(&known), &options(Scope::Folder));
    assert_eq!(
        chains(&assessed.map.uses),
        [
            "kv/shop/db#DB_PASSWORD: es.yaml > pod.yaml > a.py",
            "kv/shop/db#SALT: es.yaml > pod.yaml"
        ]
    );
    assert_eq!(assessed.resolved[3], None);
}

#[test]
fn circles_are_cut() {
    let references = [
        reference("shop", "a.yaml", "vault:kv/x", "kubernetes:a"),
        reference("shop", "b.yaml", "kubernetes:a", "kubernetes:b"),
        reference("shop", "c.yaml", "kubernetes:b", "kubernetes:a"),
    ];
    let known = inventory(&[record("kv/x", &[])]);
    let assessed = assess(&mut [], &references, Some(&known), &options(Scope::Folder));
    assert_eq!(
        chains(&assessed.map.uses),
        ["kv/x: a.yaml > b.yaml > c.yaml"]
    );
}

#[test]
fn a_value_seen_is_a_use_of_every_record_that_has_it() {
    let known = inventory(&[record("kv/a", &[1]), record("kv/b", &[1, 2])]);
    let mut findings = [finding("x.env", 1)];
    let assessed = assess(&mut findings, &[], Some(&known), &options(Scope::Folder));
    assert_eq!(chains(&assessed.map.uses), ["kv/a: x.env", "kv/b: x.env"]);
    assert!(
        assessed
            .map
            .uses
            .iter()
            .all(|it| it.evidence == Evidence::Value)
    );
    assert_eq!(assessed.map.uses[0].occurrence.as_deref(), Some("ko1:01"));
    assert_eq!(
        findings[0].managed.as_ref().map(|it| it.record.as_str()),
        Some("kv/a")
    );
}

#[test]
fn many_references_join_in_one_pass() {
    let mut references = Vec::new();
    for index in 0..20_000 {
        let workload = format!("env:Deployment/w{index}/TOKEN");
        let secret = format!("kubernetes:ns/s{}", index % 500);
        references.push(reference(
            &format!("r{index}"),
            "pod.yaml",
            &secret,
            &workload,
        ));
        references.push(reference(&format!("r{index}"), "a.py", "env:TOKEN", ""));
    }
    let records: Vec<Record> = (0..500)
        .map(|index| {
            let mut it = record(&format!("s{index:03}"), &[]);
            it.secret = name(&format!("kubernetes:ns/s{index}"));
            it
        })
        .collect();
    let assessed = assess(
        &mut [],
        &references,
        Some(&inventory(&records)),
        &options(Scope::Estate),
    );
    assert_eq!(assessed.map.uses.len(), 20_000);
    assert!(assessed.resolved.iter().all(Option::is_some));
}
