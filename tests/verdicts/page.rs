//! `docs/verdicts.md` has a section for each verdict, in the order of the program, and its facts are true.

use keyatlas::model::verdict::VerdictId;
use std::path::Path;

/// What each section says.
const PARTS: &[&str] = &[
    "Means",
    "Rests on",
    "Where",
    "Silent when",
    "Next",
    "Policy",
];

fn sections() -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verdicts.md");
    let text = std::fs::read_to_string(path).unwrap();
    let verdicts = text.split("\n# ").next().unwrap();
    let section = |it: &str| {
        let (title, body) = it.split_once('\n').unwrap();
        (title.trim_matches('`').to_owned(), body.to_owned())
    };
    verdicts.split("\n## ").skip(1).map(section).collect()
}

#[test]
fn each_verdict_has_its_section() {
    let titles: Vec<String> = sections().into_iter().map(|it| it.0).collect();
    let codes: Vec<&str> = VerdictId::ALL.iter().map(|it| it.code()).collect();
    assert_eq!(titles, codes);
}

#[test]
fn each_section_is_whole_and_its_facts_are_those_of_the_program() {
    for (id, (title, body)) in VerdictId::ALL.iter().zip(sections()) {
        let severity = id.severity();
        let cwe = id.cwe().map_or("-".to_owned(), |it| it.to_string());
        let facts = format!(
            "Severity {} (level {}), OWASP NHI {}, CWE {cwe}.\n",
            severity.name(),
            severity.level().name(),
            id.nhi().unwrap_or("-"),
        );
        assert!(body.contains(&facts), "{title}: no {facts}");
        for part in PARTS {
            let start = format!("\n- **{part}:** ");
            let text = body.split(start.as_str()).nth(1);
            let is_said = text.is_some_and(|it| it.trim().len() > 10);
            assert!(is_said, "{title}: {part}");
        }
    }
}
