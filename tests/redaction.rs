//! No format shows a value, wherever input carried it; `show_secrets` opens the formats for people and JSON,
//! never SARIF and the map.

#![expect(
    clippy::unwrap_used,
    reason = "a format that cannot be written must fail the test"
)]

use keyatlas::assess::rotation;
use keyatlas::model::codeowners::CodeOwners;
use keyatlas::model::coverage::{Coverage, Gap, Reason};
use keyatlas::model::details::{Detail, Details};
use keyatlas::model::finding::{Finding, Managed};
use keyatlas::model::fingerprint::Occurrence;
use keyatlas::model::level::{Confidence, Level};
use keyatlas::model::map::{Evidence, Hop, Map, Subject, Use};
use keyatlas::model::origin::{Life, Milestone, Origin, OriginKind};
use keyatlas::model::part::Part;
use keyatlas::model::record::Record;
use keyatlas::model::refs::{Ref, RefKind, RefSet};
use keyatlas::model::report::{Report, Repository};
use keyatlas::model::secret::Secret;
use keyatlas::model::span::Place;
use keyatlas::model::verdict::{Verdict, VerdictId};
use keyatlas::report::{
    Format, MapFormat, Rotations, write, write_map, write_remnants, write_rotations,
};
use std::sync::Arc;

const VALUE: &str = "Planted+Value/77?x";
/// Of something that belongs to the value, and is as secret.
const PART: &str = "Planted+Part/31?y";

fn encoded() -> Vec<String> {
    let behind = |it: &str| format!("{it}{VALUE}");
    let base64 = |it: &str| data_encoding::BASE64_NOPAD.encode(behind(it).as_bytes());
    vec![
        base64(""),
        base64("a"),
        base64("ab"),
        data_encoding::BASE64URL_NOPAD.encode(VALUE.as_bytes()),
        data_encoding::HEXLOWER.encode(VALUE.as_bytes()),
        data_encoding::HEXUPPER.encode(VALUE.as_bytes()),
        VALUE.bytes().map(|it| format!("\\u{it:04x}")).collect(),
        VALUE.bytes().map(|it| format!("%{it:02x}")).collect(),
    ]
}

fn planted() -> String {
    format!("{VALUE} {PART} \u{1b}[31m {}", encoded().join(" "))
}

/// With the value in every name.
fn life(dirt: &str) -> Life {
    let kinds = [
        RefKind::Branch,
        RefKind::RemoteBranch,
        RefKind::Tag,
        RefKind::Other,
    ];
    let refs: Arc<[Ref]> = kinds
        .map(|kind| Ref {
            kind,
            name: dirt.to_owned(),
        })
        .into();
    let milestone = Milestone {
        seconds: 1_700_000_000,
        commit: "cd".repeat(20),
        author: dirt.to_owned(),
    };
    Life {
        last: Some(milestone.clone()),
        removed: Some(milestone),
        held: RefSet::new(Arc::clone(&refs), [0b1111]),
        reached: RefSet::new(refs, [0b1111]),
    }
}

fn report(show_secrets: bool) -> Report {
    let dirt = planted();
    let path = format!("dir/{dirt}/a.env");
    let mut details = Details::default();
    for detail in [Detail::Subject, Detail::Certificate, Detail::Cipher] {
        details.add(detail, Some(dirt.clone()));
    }
    let finding = Finding {
        rule: "planted-rule".into(),
        path: path.clone(),
        place: Place {
            line: 1,
            end_line: 1,
            column: 5,
            end_column: 23,
        },
        key: Some(dirt.clone()),
        secret: Secret::new(VALUE.as_bytes()),
        masked: "****".into(),
        fingerprint: None,
        occurrence: Occurrence {
            base: "ko1:0123456789abcdef01234567".into(),
            ordinal: 1,
        },
        via: vec!["base64"],
        container: Some(path.clone()),
        within: None,
        confidence: Confidence::High,
        facts: Vec::new(),
        level: Level::Error,
        origins: vec![Origin {
            introduced: Some(Milestone {
                seconds: 1_700_000_000,
                commit: "ab".repeat(20),
                author: dirt.clone(),
            }),
            life: Some(Arc::new(life(&dirt))),
            ..Origin::plain(
                OriginKind::History,
                &format!("other/{dirt}"),
                Some(dirt.clone()),
            )
        }],
        managed: Some(Managed {
            record: "kv/shop/db".into(),
            version: 1,
            current: true,
        }),
        waived: None,
        inline: None,
        expires: Some(1_700_000_000),
        details,
        parts: [true, false]
            .map(|is_secret| Part {
                name: "access_key".into(),
                secret: Secret::new(if is_secret { PART } else { &dirt }.as_bytes()),
                is_secret,
                fingerprint: None,
                managed: None,
                place: Place {
                    line: 2,
                    end_line: 2,
                    column: 1,
                    end_column: 9,
                },
                within: None,
            })
            .to_vec(),
        in_baseline: None,
    };
    let verdict = |id: VerdictId, evidence: &str| Verdict {
        id,
        severity: id.severity(),
        record: Some("kv/shop/db".into()),
        message: dirt.clone(),
        next: dirt.clone(),
        evidence: vec![evidence.to_owned()],
        repository: Some(dirt.clone()),
        path: Some(path.clone()),
        line: Some(1),
        waived: false,
    };
    let hop = |path: &str| Hop {
        repository: Some(dirt.clone()),
        path: path.to_owned(),
        line: 3,
        syntax: "external-secret".into(),
        name: dirt.clone(),
        author: Some(dirt.clone()),
        date: Some(1_700_000_000),
    };
    Report {
        findings: vec![finding],
        verdicts: vec![
            verdict(VerdictId::Exposed, "ko1:0123456789abcdef01234567"),
            verdict(VerdictId::Stale, &dirt),
        ],
        map: Map {
            uses: vec![Use {
                record: "kv/shop/db".into(),
                evidence: Evidence::Reference,
                chain: vec![hop(&path), hop("app.py")],
                consumer: Some(dirt.clone()),
                author: Some(dirt.clone()),
                date: Some(1_700_000_000),
                occurrence: None,
            }],
        },
        records: vec![Record {
            name: "kv/shop/db".into(),
            environment: Some(dirt.clone()),
            owners: vec![dirt.clone()],
            ..Record::default()
        }],
        coverage: Coverage {
            files: 1,
            gaps: vec![Gap {
                path: path.clone(),
                reason: Reason::Io,
                detail: dirt.clone(),
            }],
            ..Coverage::default()
        },
        repositories: vec![Repository {
            name: ".".into(),
            url: Some(format!("https://example.test/{dirt}")),
            head: None,
            branch: Some(dirt.clone()),
        }],
        claims: vec![CodeOwners::read("CODEOWNERS", &format!("* @{dirt}\n"))],
        show_secrets,
        ..Report::default()
    }
}

fn formats(report: &Report) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (name, format) in Format::NAMES {
        let mut out = Vec::new();
        write(*format, &mut out, report).unwrap();
        all.push(((*name).to_owned(), String::from_utf8(out).unwrap()));
    }
    let subject = Subject::Name("shop/db".to_owned());
    for (name, format) in MapFormat::NAMES {
        let mut out = Vec::new();
        write_map(*format, &mut out, report, &subject).unwrap();
        all.push((format!("map {name}"), String::from_utf8(out).unwrap()));
    }
    let plans = report
        .records
        .iter()
        .map(|it| (rotation::plan(report, it, None, false), Vec::new()));
    let rotations = Rotations {
        plans: plans.collect(),
        ..Rotations::default()
    };
    for json in [false, true] {
        let mut out = Vec::new();
        write_rotations(json, &mut out, report, &rotations).unwrap();
        for record in &report.records {
            let remnants = rotation::remnants(report, record, u32::MAX);
            write_remnants(json, &mut out, report, record, &remnants).unwrap();
        }
        all.push((
            format!("rotate, json {json}"),
            String::from_utf8(out).unwrap(),
        ));
    }
    all
}

fn shows(text: &str) -> Vec<String> {
    // Behind the digits that tell of what stands before the value, too.
    let encoded = encoded();
    let mut forms: Vec<String> = encoded.iter().map(|it| it[3..].to_owned()).collect();
    forms.push(VALUE.to_owned());
    forms.push(PART.to_owned());
    forms.push("Planted%2BValue".to_owned());
    forms.retain(|it| text.contains(it.as_str()));
    forms
}

#[test]
fn no_format_shows_a_value() {
    for (name, text) in formats(&report(false)) {
        assert!(
            shows(&text).is_empty(),
            "{name} shows {:?}:\n{text}",
            shows(&text)
        );
        assert!(text.contains("****"), "{name} says nothing of it:\n{text}");
        let dirty = text.contains("\u{1b}[31m ");
        assert!(!dirty, "{name} passes control characters on");
    }
}

#[test]
fn show_secrets_opens_human_and_json_only() {
    for (name, text) in formats(&report(true)) {
        let open = matches!(name.as_str(), "human" | "json" | "jsonl");
        assert_eq!(text.contains(VALUE), open, "{name}:\n{text}");
        assert_eq!(text.contains(PART), open, "{name}:\n{text}");
        assert_eq!(shows(&text).is_empty(), !open, "{name}:\n{text}");
        let dirty = text.contains("\u{1b}[31m ");
        assert!(!dirty, "{name} passes control characters on");
    }
}

#[test]
fn json_keeps_the_order_of_the_contract() {
    let all = formats(&report(false));
    let document = &all[1].1;
    let order = [
        "\"version\"",
        "\"tool\"",
        "\"ruleset\"",
        "\"complete\"",
        "\"findings\"",
        "\"references\"",
        "\"coverage\"",
    ];
    let places: Vec<_> = order.iter().map(|it| document.find(it).unwrap()).collect();
    assert!(places.is_sorted(), "{document}");
    serde_json::from_str::<serde_json::Value>(document).unwrap();
}

#[test]
fn a_filter_without_a_match_says_so() {
    let mut out = Vec::new();
    let subject = Subject::Name("nothing-like-it".to_owned());
    write_map(MapFormat::Human, &mut out, &report(false), &subject).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "no record matches `nothing-like-it`\n"
    );
}

#[test]
fn overlapping_values_go_as_one() {
    let mut report = report(false);
    let mut other = report.findings[0].clone();
    other.secret = Secret::new(b"Value/77?x-and-tail");
    report.findings.push(other);
    let text = keyatlas::report::text::Redactor::new(&report);
    assert_eq!(text.clean("a Planted+Value/77?x-and-tail b"), "a **** b");
    assert_eq!(
        text.clean("Planted+Value/77?x Planted+Value/77?x"),
        "**** ****"
    );
}
