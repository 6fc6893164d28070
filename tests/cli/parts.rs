//! Paired credentials: one finding with its parts in each report, and what is left on its own.

use crate::world::{World, drawn, each, list};
use serde_json::{Value, json};

/// An access key id and its secret, as AWS writes them.
fn pair(name: &str) -> (String, String) {
    let letters = drawn(name).to_uppercase();
    let id = format!("AKIA{}", &letters[..16]);
    let secret = [drawn(name), drawn(&format!("{name} secret"))].concat();
    (id, secret[..40].to_owned())
}

fn credentials((id, secret): &(String, String)) -> String {
    format!("aws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}

/// What is found: rule, line, and parts as `name value line`.
fn told(document: &Value) -> Vec<(String, u64, Vec<String>)> {
    let findings = list(&document["findings"]).iter();
    let parts = |it: &Value| -> Vec<String> {
        let parts = list(&it["parts"]).iter();
        let told = parts.map(|it| format!("{} {} {}", it["name"], it["value"], it["line"]));
        told.map(|it| it.replace('"', "")).collect()
    };
    findings
        .map(|it| {
            let rule = it["rule"].as_str().unwrap().to_owned();
            (rule, it["line"].as_u64().unwrap(), parts(it))
        })
        .collect()
}

#[test]
fn a_pair_is_one_finding_in_each_report() {
    let world = World::new();
    let both = pair("shop");
    world.write("credentials", credentials(&both));
    let document = world.scan(&["."]);
    assert_eq!(
        each(&document["findings"], "rule"),
        ["aws-secret-access-key"]
    );
    let part = json!([{
        "name": "access_key_id", "value": both.0, "secret": false,
        "line": 1, "end_line": 1, "column": 21, "end_column": 41,
    }]);
    assert_eq!(document["findings"][0]["parts"], part);

    let sarif = world
        .run(&["scan", ".", "--format", "sarif"])
        .code(1)
        .keeps(&both.1);
    let results = &sarif.json()["runs"][0]["results"];
    assert_eq!(list(results).len(), 1);
    assert_eq!(results[0]["properties"]["parts"], part);
    let related = &results[0]["relatedLocations"][0];
    assert_eq!(
        related["message"]["text"],
        format!("access key id: {}.", both.0)
    );
    assert_eq!(related["physicalLocation"]["region"]["startLine"], 1);

    world
        .run(&["scan", "."])
        .code(1)
        .prints(&format!("  with access key id {} (line 1)\n", both.0))
        .prints("1 secret at 1 place")
        .keeps(&both.1);
}

#[test]
fn each_secret_has_its_own_id_and_a_lone_id_stays() {
    let world = World::new();
    let (one, two, lone) = (pair("one"), pair("two"), pair("lone"));
    world.write("all", [credentials(&one), credentials(&two)].concat());
    world.write("id", format!("aws_access_key_id = {}\n", lone.0));
    world.write("secret", format!("aws_secret_access_key = {}\n", lone.1));
    let mut expected = Vec::new();
    for (id, line) in [(&one.0, 2), (&two.0, 4)] {
        let part = format!("access_key_id {id} {}", line - 1);
        expected.push(("aws-secret-access-key".to_owned(), line, vec![part]));
    }
    expected.push(("aws-access-key-id".to_owned(), 1, Vec::new()));
    expected.push(("aws-secret-access-key".to_owned(), 1, Vec::new()));
    assert_eq!(told(&world.scan(&["."])), expected);
}

#[test]
fn nothing_is_joined_across_members_of_a_container() {
    let world = World::new();
    let (whole, torn) = (pair("whole"), pair("torn"));
    let id = format!("aws_access_key_id = {}\n", torn.0);
    let secret = format!("aws_secret_access_key = {}\n", torn.1);
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in [("a", &credentials(&whole)), ("b", &id), ("c", &secret)] {
        let mut header = tar::Header::new_ustar();
        header.set_size(text.len() as u64);
        archive
            .append_data(&mut header, name, text.as_bytes())
            .unwrap();
    }
    world.write("x.tar", archive.into_inner().unwrap());
    let part = format!("access_key_id {} 1", whole.0);
    let mut found = told(&world.scan(&["."]));
    found.sort();
    let expected = [
        ("aws-access-key-id".to_owned(), 1, Vec::new()),
        ("aws-secret-access-key".to_owned(), 1, Vec::new()),
        ("aws-secret-access-key".to_owned(), 1, vec![part]),
    ];
    assert_eq!(found, expected);
}

#[test]
fn what_is_shown_of_a_version_are_the_parts_of_that_version() {
    let world = World::repository();
    let (old, new) = (pair("old"), pair("new"));
    // The id was there before its secret, and both moved.
    world.commit(&[("a", &format!("aws_access_key_id = {}\n", new.0))], "id");
    world.commit(&[("a", &format!("\n\n{}", credentials(&new)))], "pair");
    world.commit(&[("b", &credentials(&old))], "old pair");
    world.git(&["rm", "--quiet", "b"]);
    world.commit(&[], "gone");
    let expected = |id: &str, line: u64| {
        let part = format!("access_key_id {id} {}", line - 1);
        ("aws-secret-access-key".to_owned(), line, vec![part])
    };
    let document = world.scan(&["--history", "."]);
    assert_eq!(told(&document), [expected(&new.0, 4), expected(&old.0, 2)]);
}

#[test]
fn an_id_that_a_change_brings_is_told_though_its_secret_was_there() {
    let world = World::repository();
    let both = pair("shop");
    let secret = format!("aws_secret_access_key = {}\n", both.1);
    world.commit(&[("a", &secret)], "secret");
    world.write("a", credentials(&both));
    world.git(&["add", "a"]);
    let expected = [("aws-access-key-id".to_owned(), 1, Vec::new())];
    assert_eq!(told(&world.scan(&["--staged"])), expected);
    world.commit(&[], "id");
    let range = world.scan(&["--range", "HEAD~1..HEAD"]);
    assert_eq!(told(&range), expected);
}

const RULES: &str = r#"
[[rule]]
id = "acme-id"
title = "Acme id"
provider = "acme"
kind = "api-token"
keywords = ["acmeid"]
pattern = '''\b(?P<secret>acmeid[0-9]{8})\b'''
confidence = "high"
severity = "high"
rotation = "Issue another."
[[rule]]
id = "acme-secret"
title = "Acme secret"
provider = "acme"
kind = "api-token"
keywords = ["acmesec"]
pattern = '''\b(?P<secret>acmesec[a-z0-9]{12})\b'''
confidence = "CONFIDENCE"
severity = "high"
rotation = "Issue another."
[[rule.parts]]
name = "id"
rules = ["acme-id"]
lines = 2
secret = true
REQUIRED
examples = ["EXAMPLE"]
counter_examples = ["acmeid{{0-9:8}}\n\n\n\nacmesec{{a-z0-9:12}}"]
"#;

fn rules(world: &World, confidence: &str, required: &str, example: &str) {
    let text = RULES
        .replace("CONFIDENCE", confidence)
        .replace("REQUIRED", required)
        .replace("EXAMPLE", example);
    world.write("own.toml", text);
}

#[test]
fn an_id_is_told_alone_where_its_secret_is_not() {
    let world = World::new();
    rules(&world, "low", "", "acmeid{{0-9:8}} acmesec{{a-z0-9:12}}");
    world.write("in/a", "acmeid48151623 acmesecq8z27xw0l4t6\n");
    let found = |more: &[&str]| {
        let all = [&["in", "--rules", "own.toml"], more].concat();
        told(&world.scan(&all))
    };
    assert_eq!(found(&[]), [("acme-id".to_owned(), 1, Vec::new())]);
    let part = vec!["id **** 1".to_owned()];
    let pair = [("acme-secret".to_owned(), 1, part)];
    assert_eq!(found(&["--min-confidence", "low"]), pair);
    let shown = found(&["--min-confidence", "low", "--show-secrets"]);
    assert_eq!(shown[0].2, ["id acmeid48151623 1"]);
}

#[test]
fn a_part_that_is_required_lowers_or_drops() {
    let world = World::new();
    world.write("in/near", "acmeid48151623\nacmesecq8z27xw0l4t6\n");
    world.write("in/far", "acmeid48151623\n\n\n\nacmesecq8z27xw0l4t6\n");
    for (required, expected) in [
        (
            "",
            "far acme-id high, far acme-secret high, near acme-secret high",
        ),
        (
            "required = true",
            "far acme-id high, far acme-secret low, near acme-secret high",
        ),
        (
            "required = true\nmissing = 'drop'",
            "far acme-id high, near acme-secret high",
        ),
    ] {
        rules(
            &world,
            "high",
            required,
            "acmeid{{0-9:8}} acmesec{{a-z0-9:12}}",
        );
        let document = world.scan(&["in", "--rules", "own.toml", "--min-confidence", "low"]);
        let findings = list(&document["findings"]).iter();
        let found =
            findings.map(|it| format!("{} {} {}", it["path"], it["rule"], it["confidence"]));
        let found = found.collect::<Vec<_>>().join(", ").replace('"', "");
        assert_eq!(found, expected, "{required}");
    }
}

#[test]
fn rules_show_their_parts_and_prove_them() {
    let world = World::new();
    let test = ["rules", "test", "own.toml"];
    rules(
        &world,
        "high",
        "required = true",
        "acmeid{{0-9:8}} acmesec{{a-z0-9:12}}",
    );
    world.run(&test).code(0).prints("2 rules, 0 faults");
    world
        .run(&["rules", "show", "acme-secret", "--rules", "own.toml"])
        .code(0)
        .prints("  part        id: within 2 lines and 1000 bytes, required: else of low confidence, masked\n")
        .prints("    rules     acme-id\n");
    rules(&world, "high", "", "acmesec{{a-z0-9:12}}");
    world
        .run(&test)
        .code(1)
        .prints("rule `acme-secret`, part `id`: it is missing in `acmesec{{a-z0-9:12}}`");
    // A part may be found by a rule that comes with the program.
    rules(&world, "high", "", "AKIA{{A-Z2-7:16}} acmesec{{a-z0-9:12}}");
    let text = world.read("own.toml");
    let text = text.replace("rules = [\"acme-id\"]", "rules = [\"aws-access-key-id\"]");
    world.write("own.toml", text);
    world.run(&test).code(0).prints("2 rules, 0 faults");
    rules(&world, "high", "rules_of = ['x']", "");
    world.run(&test).refused("rules_of", "own.toml");
}
