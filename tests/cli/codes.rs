//! Exit codes and what comes with them: 0 clean, 1 findings, 2 a wrong request, 3 not all could be read.

use crate::world::{World, drawn, each, gaps, leak, list};
use serde_json::json;

#[test]
fn nothing_to_report_is_0() {
    let world = World::new();
    world.write("a.py", "print(1)\n").write("b/c.txt", "two\n");
    let ran = world
        .run(&["scan"])
        .code(0)
        .prints("no secrets found in 2 files");
    assert!(ran.err.starts_with("read 2 files"), "{}", ran.err);
}

#[test]
fn something_to_report_is_1_with_a_place_to_click() {
    let world = World::new();
    world.write("src/a.py", format!("x = 1\n{}", leak("a")));
    let ran = world
        .run(&["scan"])
        .code(1)
        .prints("  src/a.py:2:13  password");
    ran.prints("next: ").keeps(&drawn("a"));
    let document = world.scan(&["src"]);
    assert_eq!(document["complete"], true);
    assert_eq!(each(&document["findings"], "path"), ["a.py"]);
}

#[test]
fn paths_that_do_not_exist_are_refused_all_at_once() {
    let world = World::new();
    world.write("a", "x");
    let ran = world.run(&["scan", "a", "nope", "neither"]).refused(
        "nope: there is no such file or folder",
        "hint: nothing was scanned; paths are relative to the current folder",
    );
    ran.says("neither: there is no such file or folder");
    let quoted = world.run(&["scan", "src/*.py"]);
    quoted.refused("src/*.py", "leave the pattern unquoted");
}

#[test]
fn flags_that_do_not_exist_are_refused_with_the_nearest() {
    let world = World::new();
    for (line, what, next) in [
        (&["scan", "--fromat", "json"][..], "--fromat", "'--format'"),
        (&["scna"], "scna", "'scan'"),
        (
            &["scan", "--format", "sarf"],
            "sarf",
            "did you mean `sarif`?",
        ),
        (
            &["scan", "--fail-on", "loud"],
            "loud",
            "error, warning, note",
        ),
        (
            &["scan", "--min-confidence", "sure"],
            "sure",
            "low, medium, high",
        ),
        (&["scan", "--jobs", "0"], "--jobs", "For more information"),
        (&["scan", "--max-size", "big"], "`big` is no size", "10M"),
        (
            &["scan", "--staged", "--history"],
            "--history",
            "cannot be used with",
        ),
        (
            &["scan", "--quiet", "--verbose"],
            "--verbose",
            "cannot be used with",
        ),
        (&["inventory", "import", "cvs", "x"], "cvs", "csv"),
    ] {
        world.run(line).refused(what, next);
    }
    // Without any word it tells what there is, and that is not what was asked for.
    world.run(&[]).code(2).says("Usage: keyatlas");
    world.run(&["--help"]).code(0).prints("Exit codes: 0 ");
    let version = format!("keyatlas {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(world.run(&["--version"]).code(0).out, version);
}

#[test]
fn what_is_too_large_makes_3_and_findings_still_make_1() {
    let world = World::new();
    world.write("big.txt", "a clean line\n".repeat(100));
    let ran = world.run(&["scan", "--max-size", "1K"]).code(3);
    ran.prints("not read: 1 (too-large: 1)")
        .says("not everything could be read");
    assert_eq!(
        world.run(&["scan", "--max-size", "2K"]).code(0).code,
        Some(0)
    );
    world.write("a.py", leak("a"));
    let ran = world
        .run(&["scan", "--max-size", "1K", "--format", "json"])
        .code(1);
    assert_eq!(ran.json()["complete"], false);
    assert_eq!(gaps(&ran.json()), ["big.txt too-large"]);
    world
        .run(&["scan", "--max-size", "1K", "--require-complete"])
        .code(3);
    world.run(&["scan", "--require-complete"]).code(1);
}

/// A rule of one's own for each severity.
fn rule(severity: &str) -> String {
    format!(
        "[[rule]]\nid = \"own-{severity}\"\ntitle = \"Own\"\nprovider = \"own\"\nkind = \"api-token\"\n\
         keywords = [\"own_\"]\npattern = '''\\b(?P<secret>own_[a-z0-9]{{12}})\\b'''\nconfidence = \"high\"\n\
         severity = \"{severity}\"\nexamples = [\"x own_{{{{a-z0-9:12}}}}\"]\ncounter_examples = [\"own_short\"]\n\
         prefix = \"own_\"\nrotation = \"Make a new one.\"\n"
    )
}

#[test]
fn the_level_to_fail_on_moves_the_bar() {
    for (severity, failing) in [
        ("critical", &["error", "warning", "note"][..]),
        ("high", &["error", "warning", "note"]),
        ("medium", &["warning", "note"]),
        ("low", &["note"]),
    ] {
        let world = World::new();
        world.write("own.toml", rule(severity));
        let token = drawn("token").to_lowercase();
        world.write("in/a.txt", format!("x own_{}\n", &token[..12]));
        let scan = ["scan", "in", "--rules", "own.toml"];
        for level in ["error", "warning", "note"] {
            let code = i32::from(failing.contains(&level));
            let ran = world.run(&[&scan[..], &["--fail-on", level]].concat());
            ran.code(code).prints(&format!("[own-{severity}]"));
        }
        let code = i32::from(failing.contains(&"warning"));
        world.run(&scan).code(code);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_named_and_not_opened() {
    use std::os::unix::fs::symlink;
    let world = World::new();
    world.write("a.txt", "clean\n");
    symlink("round", world.path("round")).unwrap();
    symlink("nowhere", world.path("dangling")).unwrap();
    world.write("elsewhere/b.txt", leak("b"));
    symlink("../elsewhere/b.txt", world.path("link")).unwrap();
    assert!(
        world
            .program("mkfifo")
            .arg("pipe")
            .status()
            .unwrap()
            .success()
    );
    let document = world.scan(&["--jobs", "2"]);
    assert_eq!(gaps(&document), [". symbolic-link", "pipe special-file"]);
    assert_eq!(document["complete"], true);
    // Named outright, they are a request that cannot be answered.
    for (name, what) in [
        ("round", "round: a symbolic link that leads to no file"),
        (
            "dangling",
            "dangling: a symbolic link that leads to no file",
        ),
        ("pipe", "pipe: neither a file nor a folder"),
    ] {
        world.run(&["scan", name]).refused(what, "hint: ");
    }
}

#[test]
fn a_manifest_that_does_not_parse_is_read_as_text_and_named() {
    let world = World::new();
    let manifest = format!(
        "apiVersion: external-secrets.io/v1\nkind: ExternalSecret\nspec:\n  secretStoreRef: [\n  {}",
        leak("a")
    );
    world.write("k8s/broken.yaml", manifest);
    let ran = world.run(&["scan", "--format", "json"]).code(1);
    assert_eq!(gaps(&ran.json()), ["k8s/broken.yaml malformed"]);
    let detail = ran.json()["coverage"]["skipped"][0]["detail"].to_string();
    assert!(detail.contains("line"), "{detail}");
    assert_eq!(ran.json()["complete"], true);
    assert_eq!(ran.json()["findings"][0]["path"], "k8s/broken.yaml");
}

#[test]
fn a_pack_cut_short_is_coverage_and_3() {
    let world = World::committed();
    let noise: String = (0..200)
        .map(|it| drawn(&format!("line {it}")) + "\n")
        .collect();
    world.commit(&[("a.txt", &noise), ("b.txt", "two\n")], "second");
    world.git(&["repack", "-a", "-d", "--quiet"]);
    world.run(&["scan", "--history"]).code(0);
    let folder = world.path(".git/objects/pack");
    let is_pack = |it: &std::path::PathBuf| it.extension().is_some_and(|it| it == "pack");
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|it| it.unwrap().path());
    let pack = entries.into_iter().find(is_pack).unwrap();
    let sound = std::fs::read(&pack).unwrap();
    std::fs::remove_file(&pack).unwrap();
    let mut flipped = sound.clone();
    for byte in flipped.iter_mut().skip(sound.len() / 3).take(40) {
        *byte ^= 0x5a;
    }
    for (how, damaged) in [("cut", &sound[..sound.len() / 2]), ("flipped", &flipped)] {
        std::fs::write(&pack, damaged).unwrap();
        let ran = world
            .run(&["scan", "--history", "--format", "json"])
            .code(3);
        let document = ran.json();
        assert_eq!(document["complete"], false, "{how}");
        let reasons = each(&document["coverage"]["unreadable"], "reason");
        let is_told = reasons
            .iter()
            .all(|it| ["corrupt-object", "missing-object"].contains(it));
        assert!(is_told && !reasons.is_empty(), "{how}: {document}");
    }
}

#[test]
fn an_object_that_is_damaged_or_gone_is_coverage_and_3() {
    let world = World::committed();
    world.commit(&[("a.txt", "there\n"), ("b.txt", "clean\n")], "one");
    let id = world.git(&["rev-parse", "HEAD:a.txt"]);
    let object = world.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    std::fs::remove_file(&object).unwrap();
    // A change names its objects, so one that is gone is missed.
    let ran = world.run(&["scan", "--since", "HEAD~1", "--format", "json"]);
    let document = ran.code(3).json();
    assert_eq!(gaps(&document), ["a.txt missing-object"]);
    assert_eq!(document["coverage"]["files"], 1);
    std::fs::write(&object, "no object").unwrap();
    for mode in [&["--since", "HEAD~1"][..], &["--history"]] {
        let line = [&["scan", "--format", "json"], mode].concat();
        let document = world.run(&line).code(3).json();
        let reasons = each(&document["coverage"]["unreadable"], "reason");
        assert_eq!(reasons, ["corrupt-object"], "{mode:?}");
    }
}

#[test]
fn a_repository_of_an_unknown_format_is_2_alone_and_coverage_beside_others() {
    let world = World::new();
    let odd = [
        "init",
        "--quiet",
        "--template=",
        "--object-format=sha256",
        "odd",
    ];
    world.git(&odd);
    let alone = world.run(&["scan", "--history", "odd"]);
    alone.refused("the sha256 object format is not supported", "hint: ");
    world.git(&[
        "init",
        "--quiet",
        "--template=",
        "--initial-branch=main",
        "sound",
    ]);
    world.write("sound/a.py", leak("a"));
    world.write("odd/b.py", leak("b"));
    world.git(&["-C", "sound", "add", "--all"]);
    let ran = world
        .run(&["scan", "--history", "--format", "json"])
        .code(1);
    let document = ran.json();
    assert_eq!(document["complete"], false);
    assert_eq!(gaps(&document), ["odd unsupported"]);
    let expected = json!(
        "the sha256 object format is not supported by this version; only its files were read"
    );
    assert_eq!(document["coverage"]["unreadable"][0]["detail"], expected);
    assert_eq!(list(&document["findings"]).len(), 2, "{document}");
    world
        .run(&["scan", "--history", "--require-complete"])
        .code(3);
}

#[test]
fn a_bare_repository_has_history_and_no_files() {
    let world = World::committed();
    world.commit(&[("a.py", &leak("a"))], "second");
    world.git(&["clone", "--quiet", "--bare", ".", "bare.git"]);
    let refused = world.run(&["scan", "bare.git"]);
    refused.refused(
        "bare.git: a bare repository has no files to scan",
        "--history",
    );
    let ran = world
        .run(&["scan", "--history", "bare.git", "--format", "json"])
        .code(1);
    assert_eq!(each(&ran.json()["findings"], "path"), ["a.py"]);
}
