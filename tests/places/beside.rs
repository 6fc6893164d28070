//! Places beside blobs: what people and programs write about commits, and what they call things.

use crate::world::{World, list};
use crate::{PLAIN, Place, commit, hold, secret};

/// A commit that changes nothing.
fn empty(world: &World, message: &str) {
    world.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
}

/// Hands an object to git as it stands.
fn object(world: &World, kind: &str, text: &str) -> String {
    world.write("../object", text);
    world.git(&["hash-object", "-w", "-t", kind, "--literally", "../object"])
}

#[test]
fn messages() {
    hold(&[
        Place {
            name: "commit message",
            build: |world, secret| {
                empty(world, &format!("Add\n\nlogin with {secret}"));
            },
            found: &["commit-message commits/*"],
            ..PLAIN
        },
        Place {
            name: "message of a commit that was amended",
            build: |world, secret| {
                empty(world, &format!("Add\n\nlogin with {secret}"));
                world.git(&[
                    "commit",
                    "--quiet",
                    "--amend",
                    "--allow-empty",
                    "--message",
                    "x",
                ]);
            },
            found: &["commit-message commits/* lost"],
            ..PLAIN
        },
        Place {
            name: "message of a stash",
            build: |world, secret| {
                world.write("README", "other\n");
                world.git(&["stash", "push", "--quiet", "--message", secret]);
            },
            found: &["commit-message commits/*", "reflog logs/refs/stash"],
            ..PLAIN
        },
        Place {
            name: "tag message",
            build: |world, secret| {
                world.git(&["tag", "--annotate", "v1", "--message", secret]);
            },
            found: &["tag-message tags/*"],
            ..PLAIN
        },
        Place {
            name: "tag of a tag",
            build: |world, secret| {
                world.git(&["tag", "--annotate", "v1", "--message", secret]);
                world.git(&["tag", "--annotate", "v2", "v1", "--message", "two"]);
                world.git(&["tag", "--delete", "v1"]);
            },
            found: &["tag-message tags/*"],
            ..PLAIN
        },
        Place {
            name: "tag that no ref reaches",
            build: |world, secret| {
                world.git(&["tag", "--annotate", "v1", "--message", secret]);
                world.git(&["tag", "--delete", "v1"]);
            },
            found: &["tag-message tags/* lost"],
            ..PLAIN
        },
        Place {
            name: "note",
            build: |world, secret| {
                world.git(&["notes", "add", "--message", secret]);
            },
            found: &["note refs/notes/commits/*"],
            ..PLAIN
        },
        Place {
            name: "note in a ref of its own",
            build: |world, secret| {
                world.git(&["notes", "--ref=review", "add", "--message", secret]);
            },
            found: &["note refs/notes/review/*"],
            ..PLAIN
        },
        Place {
            name: "message in base64",
            build: |world, secret| {
                let text =
                    data_encoding::BASE64.encode(format!("the key {secret} it is").as_bytes());
                empty(world, &format!("Add\n\n{text}\n"));
            },
            found: &["commit-message commits/*"],
            ..PLAIN
        },
        Place {
            name: "malformed commit",
            build: |world, secret| {
                object(world, "commit", &format!("no header\n{secret}\n"));
            },
            found: &["commit-message objects/* lost"],
            ..PLAIN
        },
    ]);
}

#[test]
fn headers() {
    hold(&[
        Place {
            name: "author",
            build: |world, secret| {
                let author = format!("--author=Ada <{secret}@example.com>");
                world.git(&[
                    "commit",
                    "--quiet",
                    "--allow-empty",
                    "--message",
                    "x",
                    &author,
                ]);
            },
            found: &["header commits/*"],
            ..PLAIN
        },
        Place {
            name: "another header",
            build: |world, secret| {
                let head = world.git(&["cat-file", "commit", "HEAD"]);
                let (above, message) = head.split_once("\n\n").unwrap();
                let id = object(
                    world,
                    "commit",
                    &format!("{above}\nbuild one\n {secret}\n\n{message}"),
                );
                world.git(&["update-ref", "refs/heads/odd", &id]);
            },
            found: &["header commits/*"],
            ..PLAIN
        },
        Place {
            name: "tagger",
            build: |world, secret| {
                let name = format!("user.name={secret}");
                let mut command = world.program("git");
                command.env_remove("GIT_COMMITTER_NAME");
                let line = ["-c", &name, "tag", "--annotate", "v1", "--message", "x"];
                crate::world::ran(command.args(line), &line, b"").code(0);
            },
            found: &["header tags/*"],
            ..PLAIN
        },
    ]);
}

#[test]
fn names() {
    hold(&[
        Place {
            name: "branch",
            build: |world, secret| {
                world.git(&["branch", &format!("fix/{secret}")]);
            },
            found: &["ref-name refs/heads/fix/****"],
            ..PLAIN
        },
        Place {
            name: "branch without a commit",
            build: |world, secret| {
                world.git(&["checkout", "--quiet", "--orphan", secret]);
            },
            found: &["ref-name refs/heads/****"],
            ..PLAIN
        },
        Place {
            name: "tag",
            build: |world, secret| {
                world.git(&["tag", secret]);
            },
            found: &["ref-name refs/tags/****"],
            ..PLAIN
        },
        Place {
            name: "file name",
            build: |world, secret| {
                commit(world, &format!("deep/{secret}.txt"), "clean");
                world.git(&["rm", "--quiet", "-r", "deep"]);
                world.git(&["commit", "--quiet", "--message", "out"]);
            },
            found: &["file-name deep/****.txt"],
            ..PLAIN
        },
        Place {
            name: "folder name",
            build: |world, secret| {
                commit(world, &format!("deep/{secret}/a/b.txt"), "clean");
                world.git(&["rm", "--quiet", "-r", "deep"]);
                world.git(&["commit", "--quiet", "--message", "out"]);
            },
            found: &["file-name deep/****"],
            ..PLAIN
        },
        Place {
            name: "log of a ref",
            build: |world, secret| {
                world.git(&["update-ref", "-m", secret, "HEAD", "HEAD~0"]);
                world.write(".git/logs/refs/heads/main", "");
            },
            found: &["reflog logs/HEAD"],
            ..PLAIN
        },
    ]);
}

#[test]
fn the_commits_of_a_range_speak_too() {
    const SINCE: &[&str] = &["--since", "HEAD~1"];
    hold(&[
        Place {
            name: "message in a range",
            build: |world, secret| {
                commit(world, "a.txt", "clean");
                empty(world, &format!("Add\n\nlogin with {secret}"));
            },
            scan: SINCE,
            found: &["commit-message commits/*"],
            ..PLAIN
        },
        Place {
            name: "message before a range",
            build: |world, secret| {
                empty(world, &format!("Add\n\nlogin with {secret}"));
                commit(world, "a.txt", "clean");
            },
            scan: SINCE,
            code: 0,
            ..PLAIN
        },
        Place {
            name: "author in a range",
            build: |world, secret| {
                let author = format!("--author=Ada <{secret}@example.com>");
                world.git(&[
                    "commit",
                    "--quiet",
                    "--allow-empty",
                    "--message",
                    "x",
                    &author,
                ]);
            },
            scan: SINCE,
            found: &["header commits/*"],
            ..PLAIN
        },
        Place {
            name: "file name in a range",
            build: |world, secret| {
                commit(world, &format!("deep/{secret}.txt"), "clean");
            },
            scan: SINCE,
            found: &["file-name deep/****.txt"],
            ..PLAIN
        },
    ]);
}

#[test]
fn a_message_is_told_with_its_place_and_its_best_commit() {
    let world = World::committed();
    let secret = secret("best");
    let message = format!("Add\n\nlogin with {secret}");
    // The same message in a commit that no ref reaches, and in an older and a newer one.
    world.commit(&[("b", "1")], &message);
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let first = world.commit(&[("b", "2")], &message);
    world.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "--date=2027-01-01T00:00:00Z",
        "--message",
        &message,
    ]);
    let document = world.scan(&["--history"]);
    let findings: Vec<_> = list(&document["findings"])
        .iter()
        .filter(|it| it["origins"][0]["kind"] == "commit-message")
        .collect();
    assert_eq!(findings.len(), 1, "{document}");
    let finding = findings[0];
    let path = format!("commits/{first}");
    assert_eq!(finding["path"], path);
    assert_eq!(
        (&finding["line"], &finding["column"]),
        (&3.into(), &12.into())
    );
    let origin = &finding["origins"][0];
    assert_eq!(origin["commit"], first);
    assert_eq!(origin["author"], "Ada Example");
    assert_eq!(origin["date"], "2026-03-04T09:12:00Z");
    let human = world.run(&["scan", "--history"]);
    let human = human.prints("in the message of a commit").code(1);
    assert!(human.out.contains("only in history"), "{}", human.out);
    let log = world
        .run(&["scan", "--history", "--format", "sarif"])
        .json();
    let result = list(&log["runs"][0]["results"])
        .iter()
        .find(|it| {
            it["message"]["text"]
                .as_str()
                .unwrap()
                .contains("message of a commit")
        })
        .unwrap();
    let location = &result["locations"][0];
    assert_eq!(
        location["physicalLocation"]["artifactLocation"]["uri"],
        path
    );
    assert_eq!(location["logicalLocations"][0]["fullyQualifiedName"], path);
}

#[test]
fn what_lies_beside_blobs_is_waived_as_they_are() {
    let world = World::committed();
    let secret = secret("waived");
    world.git(&["branch", &secret]);
    world.commit(&[(&format!("{secret}.txt"), "clean")], &secret);
    let line = ["baseline", "--history", "--reason", "invented"];
    world.run(&line).code(0).keeps(&secret);
    assert!(!world.read(".keyatlas-waivers").contains(&secret));
    let ran = world
        .run(&["scan", "--history", "--format", "json"])
        .code(0);
    let findings = ran.json()["findings"].clone();
    assert!(list(&findings).len() >= 3, "{findings}");
    for finding in list(&findings) {
        assert_eq!(finding["waived"]["reason"], "invented", "{finding}");
    }
}
