//! What reports say of it: words for people, names of refs cut short and hidden like all text.

use crate::script::Script;
use crate::secret;
use crate::world::{World, list};
use serde_json::Value;

/// A repository with the secret in its second commit, and taken away in its third; `main` is at the last.
fn removed(script: impl FnOnce(&mut Script)) -> (World, Vec<String>) {
    let world = World::repository();
    let mut it = Script::default();
    it.commit(&[], &[("a.env", "one\n")]);
    it.commit(&[0], &[("a.env", &secret(0))]);
    it.commit(&[1], &[("a.env", "two\n")]);
    script(&mut it);
    let ids = it.build(&world);
    (world, ids)
}

fn origin(document: &Value) -> &Value {
    let findings = list(&document["findings"]);
    assert_eq!(findings.len(), 1, "{document}");
    &findings[0]["origins"][0]
}

/// The words of a message of SARIF, and its properties.
fn sarif(world: &World) -> (String, Value) {
    let document = world
        .run(&["scan", "--history", "--format", "sarif"])
        .json();
    let result = &document["runs"][0]["results"][0];
    let message = result["message"]["text"].as_str().unwrap().to_owned();
    (message, result["properties"].clone())
}

#[test]
fn it_is_said_who_still_has_it() {
    type Case = (fn(&mut Script), &'static str, &'static str);
    let cases: [Case; 5] = [
        (
            |it| {
                it.point("refs/heads/main", 2);
                it.tags.push(("v1".to_owned(), 2));
            },
            "only in history of main, v1",
            "It is only in history of main, v1.",
        ),
        (
            |it| {
                it.point("refs/heads/main", 2);
                it.point("refs/heads/old", 1);
            },
            "not in HEAD",
            "It is not in HEAD.",
        ),
        (
            |it| {
                it.point("refs/heads/main", 0);
                it.point("refs/pull/7/head", 2);
            },
            "only in history: only refs/pull has it",
            "It is only in history: only refs/pull has it.",
        ),
        (
            |it| it.point("refs/heads/main", 0),
            "only in history: no ref reaches it",
            "It is only in history: no ref reaches it.",
        ),
        (|it| it.point("refs/heads/main", 1), "; in main", "next"),
    ];
    for (script, human, message) in cases {
        let (world, ids) = removed(script);
        let gone = format!(", gone in {}", &ids[2][..8]);
        let ran = world.run(&["scan", "--history"]).prints(human);
        assert_eq!(ran.out.contains(&gone), human != "; in main", "{}", ran.out);
        let (said, properties) = sarif(&world);
        assert!(
            said.to_lowercase().contains(&message.to_lowercase()),
            "{said}"
        );
        assert_eq!(properties["introducedBy"], ids[1].as_str());
        assert_eq!(properties["reachable"], !human.contains("no ref"));
        assert_eq!(properties["life"]["last"]["commit"], ids[1].as_str());
    }
}

#[test]
fn long_lists_are_cut_the_newest_first_and_the_branch_at_hand_before_all() {
    let (world, _) = removed(|it| {
        let mut last = 1;
        for number in 0..15 {
            let text = format!("{number}\n{}", secret(0));
            last = it.commit(&[last], &[("a.env", &text)]);
            it.tags.push((format!("v{number}"), last));
            it.point(&format!("refs/heads/b{number}"), last);
        }
        it.point("refs/heads/main", 3);
    });
    let document = world.scan(&["--history"]);
    let origin = list(&document["findings"])
        .iter()
        .flat_map(|it| list(&it["origins"]))
        .find(|it| it["kind"] == "history")
        .unwrap();
    let names = |of: &str| -> Vec<&str> {
        let names = list(&origin[of]["names"]).iter();
        names.map(|it| it.as_str().unwrap()).collect()
    };
    assert_eq!(
        (&origin["branches"]["count"], &origin["tags"]["count"]),
        (&16.into(), &15.into())
    );
    assert_eq!(names("branches")[..4], ["main", "b14", "b13", "b12"]);
    assert_eq!(names("tags")[..3], ["v14", "v13", "v12"]);
    assert_eq!((names("branches").len(), names("tags").len()), (10, 10));
    world
        .run(&["scan", "--history"])
        .prints("; in main, b14, b13 and 13 more branches, 15 tags");
}

#[test]
fn messages_tell_which_refs_lead_to_them() {
    let world = World::committed();
    let message = format!("use {}", secret(0));
    let commit = world.commit(&[("a", "one\n")], &message);
    world.git(&["branch", "side"]);
    world.git(&[
        "tag",
        "--annotate",
        "--message",
        &format!("as {}", secret(1)),
        "v1",
        "main~1",
    ]);
    let document = world.scan(&["--history", "--show-secrets"]);
    let said = |number: usize| {
        let found = list(&document["findings"]).iter();
        let mut found = found.filter(|it| it["secret"] == secret(number).as_str());
        found.next().unwrap()["origins"][0].clone()
    };
    let said_by_commit = said(0);
    assert_eq!(said_by_commit["commit"], commit.as_str());
    assert_eq!(
        said_by_commit["contained_in"]["branches"]["names"],
        serde_json::json!(["main", "side"])
    );
    assert_eq!(said_by_commit["contained_in"]["tags"]["count"], 0);
    assert_eq!(
        said(1)["contained_in"]["tags"]["names"],
        serde_json::json!(["v1"])
    );
}

#[test]
fn names_of_refs_are_hidden_like_all_text() {
    let (world, _) = removed(|it| {
        it.point("refs/heads/main", 1);
        it.point(&format!("refs/heads/for-{}", secret(0)), 1);
        it.point(&format!("refs/tags/for-{}", secret(0)), 2);
        it.point(&format!("refs/{}/x", secret(0)), 2);
    });
    for format in ["human", "json", "jsonl", "sarif"] {
        world
            .run(&["scan", "--history", "--format", format])
            .keeps(&secret(0));
    }
    let document = world.scan(&["--history"]);
    let contained = list(&document["findings"])
        .iter()
        .flat_map(|it| list(&it["origins"]))
        .find(|it| it["kind"] == "history")
        .map(|it| &it["contained_in"])
        .unwrap();
    assert_eq!(contained["branches"]["count"], 2);
    assert_eq!(contained["tags"]["count"], 1);
}

#[test]
fn only_what_was_read_from_history_has_a_life() {
    let world = World::committed();
    world.write("a.env", secret(0));
    let origin = origin(&world.scan(&[])).clone();
    assert_eq!(origin["kind"], "file");
    for field in ["last", "removed", "branches", "tags", "contained_in"] {
        assert!(origin.get(field).is_none(), "{origin}");
    }
}
