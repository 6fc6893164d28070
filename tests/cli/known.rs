//! A value of the inventory, which no rule would propose, from outside: wherever the program reads a text it
//! is told, and it is no more than any finding to waivers, reports and the cache.

use crate::world::{World, drawn, each, list};
use serde_json::Value;

/// A repository with one clean commit, and an inventory that knows these values.
fn knowing(names: &[&str]) -> World {
    let world = World::committed().with_inventory();
    import(&world, names);
    world
}

fn import(world: &World, names: &[&str]) {
    let rows = names
        .iter()
        .map(|it| format!("kv/{it},password,vault,{}\n", drawn(it)));
    let table = format!("name,key,provider,value\n{}", rows.collect::<String>());
    world.write("records.csv", table);
    let import = ["inventory", "import", "csv", "records.csv"];
    world.run(&import).code(0);
    std::fs::remove_file(world.path("records.csv")).unwrap();
}

/// A text that says of the value neither what it is nor that it is one.
fn mentions(name: &str) -> String {
    format!("Some words before {} and some behind.\n", drawn(name))
}

/// Path, record and rule of each finding.
fn told(document: &Value) -> Vec<(String, String, String)> {
    let told = list(&document["findings"]).iter().map(|it| {
        let text = |it: &Value| it.as_str().unwrap_or("-").to_owned();
        (
            text(&it["path"]),
            text(&it["managed"]["record"]),
            text(&it["rule"]),
        )
    });
    told.collect()
}

fn known(path: &str, name: &str) -> (String, String, String) {
    (
        path.to_owned(),
        format!("kv/{name}#password"),
        "known-value".to_owned(),
    )
}

#[test]
fn a_change_that_brings_one_is_refused() {
    let world = knowing(&["a"]);
    world.write("note.txt", mentions("a")).git(&["add", "."]);
    world.write("note.txt", "nothing any more\n");
    world.write("aside.txt", mentions("a"));
    let staged = world.scan(&["--staged"]);
    assert_eq!(told(&staged), [known("note.txt", "a")]);
    world
        .run(&["hook", "pre-commit"])
        .code(1)
        .prints("kv/a")
        .keeps(&drawn("a"));
    // Without its key nothing can be recognised, and with another inventory nothing is known.
    let aside = world.home("other.db");
    let other = [("KEYATLAS_INVENTORY", aside.to_str().unwrap())];
    world.run_with(&other, &["scan", "--staged"]).code(0);
}

#[test]
fn one_is_told_in_containers_and_in_wide_characters() {
    let world = knowing(&["a", "b", "c", "d"]);
    world.commit(&[("inner/note.txt", &mentions("a"))], "one");
    world.git(&["archive", "--format=zip", "--output=../a.zip", "HEAD"]);
    world.commit(&[("inner/note.txt", &mentions("b"))], "two");
    world.git(&["archive", "--format=tar.gz", "--output=../b.tar.gz", "HEAD"]);
    let units = |name: &str| mentions(name).encode_utf16().collect::<Vec<u16>>();
    let little = units("c").into_iter().flat_map(u16::to_le_bytes);
    let big = units("d").into_iter().flat_map(u16::to_be_bytes);
    let outer = world.path("../read");
    std::fs::create_dir(&outer).unwrap();
    for name in ["a.zip", "b.tar.gz"] {
        let from = world.path("..").join(name);
        std::fs::rename(from, outer.join(name)).unwrap();
    }
    let little: Vec<u8> = [0xFF, 0xFE].into_iter().chain(little).collect();
    let big: Vec<u8> = [0xFE, 0xFF].into_iter().chain(big).collect();
    std::fs::write(outer.join("c.txt"), little).unwrap();
    std::fs::write(outer.join("d.txt"), big).unwrap();
    let document = world.scan(&[outer.to_str().unwrap()]);
    let expected = [
        ("a.zip", "a"),
        ("b.tar.gz", "b"),
        ("c.txt", "c"),
        ("d.txt", "d"),
    ];
    let expected = expected.map(|(path, name)| known(path, name));
    assert_eq!(told(&document), expected, "{document:#}");
    let containers = each(&document["findings"], "container");
    assert_eq!(
        containers,
        ["a.zip!inner/note.txt", "b.tar.gz!inner/note.txt", "-", "-"]
    );
}

#[test]
fn a_waiver_holds_for_one_as_for_any_finding() {
    let world = knowing(&["a"]);
    world.write("note.txt", mentions("a"));
    let document = world.scan(&[]);
    let [id] = each(&document["findings"], "occurrence")[..] else {
        panic!("{document:#}")
    };
    let accept = [
        "waive",
        id,
        "--until",
        "2199-01-01",
        "--owner",
        "ada",
        "--reason",
        "a sample",
    ];
    world.run(&accept).code(0);
    world.run(&["scan"]).code(0).prints("waived: 1");
    world.git(&["add", "."]);
    world.run(&["scan", "--staged"]).code(0);
    world.run(&["hook", "pre-commit"]).code(0);
    // In more places than were accepted it is news.
    world.write("other.txt", mentions("a"));
    world.run(&["scan"]).code(1);
}

#[test]
fn sarif_tells_whose_it_is_and_not_what() {
    let world = knowing(&["a"]);
    world.write("note.txt", mentions("a"));
    let ran = world.run(&["scan", "--format", "sarif"]).keeps(&drawn("a"));
    let document = ran.json();
    let results = list(&document["runs"][0]["results"]);
    let ours: Vec<&Value> = results
        .iter()
        .filter(|it| it["ruleId"] == "known-value")
        .collect();
    let [result] = ours[..] else {
        panic!("{document:#}")
    };
    assert_eq!(result["properties"]["record"], "kv/a#password");
    let prints = &result["partialFingerprints"];
    let begins = |name: &str, with: &str| {
        let print = prints[name].as_str().unwrap_or_default();
        assert!(print.starts_with(with), "{prints}");
    };
    begins("keyatlas/occurrence/v1", "ko1:");
    begins("keyatlas/secret/v1", "kf1:");
    let region = &result["locations"][0]["physicalLocation"]["region"];
    assert_eq!(
        (&region["startLine"], &region["startColumn"]),
        (&1.into(), &19.into())
    );
}

#[test]
fn what_was_scanned_before_a_value_was_known_is_scanned_for_it_once() {
    let world = knowing(&["a"]);
    world.commit(&[("old.txt", &mentions("b"))], "brought");
    world.commit(&[("old.txt", "nothing any more\n")], "taken away");
    let scan = ["scan", "--history", "--verbose", "--format", "json"];
    let nothing: [(String, String, String); 0] = [];
    assert_eq!(told(&world.run(&scan).json()), nothing);
    assert_eq!(
        told(&world.run(&scan).says("cache: 0 of 3 blobs").json()),
        nothing
    );
    import(&world, &["a", "b"]);
    let expected = [known("old.txt", "b")];
    assert_eq!(
        told(&world.run(&scan).says("cache: 3 of 3 blobs").json()),
        expected
    );
    // The next reads but the one that has it, to tell of it.
    assert_eq!(
        told(&world.run(&scan).says("cache: 1 of 3 blobs").json()),
        expected
    );
    // What changes nothing of what is searched for is no reason to look again.
    import(&world, &["a", "b"]);
    assert_eq!(
        told(&world.run(&scan).says("cache: 1 of 3 blobs").json()),
        expected
    );
}
