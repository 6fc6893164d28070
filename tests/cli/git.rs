//! Changes and histories: the index, ranges of commits, shallow clones, and what is left out of them.

use crate::world::{World, drawn, each, gaps, leak, list};

#[test]
fn the_index_is_scanned_and_not_the_work_tree() {
    let world = World::committed();
    world.write("a.py", leak("a"));
    world.run(&["scan", "--staged"]).code(0);
    world.git(&["add", "a.py"]);
    world.write("a.py", "clean\n");
    let ran = world.run(&["scan", "--staged", "--format", "json"]).code(1);
    let document = ran.json();
    assert_eq!(each(&document["findings"], "path"), ["a.py"]);
    assert_eq!(document["findings"][0]["origins"][0]["kind"], "index");
    assert_eq!(document["coverage"]["files"], 1);
    world.git(&["commit", "--quiet", "--message", "in"]);
    // It is no news any more.
    world.write("b.txt", "new\n");
    world.git(&["add", "b.txt"]);
    world.run(&["scan", "--staged"]).code(0);
}

#[test]
fn a_range_tells_what_its_commits_bring_in_even_if_taken_out_again() {
    let world = World::committed();
    let old = world.commit(&[("old.py", &leak("old"))], "old");
    let first = world.commit(&[("a.py", &leak("a"))], "in");
    let last = world.commit(&[("a.py", "clean\n")], "out");
    let range = |text: &str| world.run(&["scan", "--range", text, "--format", "json"]);
    let ran = range(&format!("{old}..{last}")).code(1);
    let document = ran.json();
    assert_eq!(each(&document["findings"], "path"), ["a.py"]);
    let origin = &document["findings"][0]["origins"][0];
    assert_eq!(
        (&origin["commit"], &origin["author"]),
        (&first.as_str().into(), &"Ada Example".into())
    );
    range(&format!("{first}..{last}")).code(0);
    range("HEAD..HEAD").code(0);
    let since = world
        .run(&["scan", "--since", &old, "--format", "json"])
        .code(1);
    assert_eq!(since.json()["findings"], document["findings"]);
}

#[test]
fn three_dots_start_where_the_two_parted() {
    let world = World::committed();
    world.git(&["checkout", "--quiet", "-b", "side"]);
    world.commit(&[("side.py", &leak("side"))], "side");
    world.git(&["checkout", "--quiet", "main"]);
    world.commit(&[("main.py", &leak("main"))], "main");
    let paths = |range: &str| {
        let document = world
            .run(&["scan", "--range", range, "--format", "json"])
            .code(1)
            .json();
        each(&document["findings"], "path").join(" ")
    };
    assert_eq!(paths("main...side"), "side.py");
    assert_eq!(paths("side...main"), "main.py");
    assert_eq!(paths("side...HEAD"), "main.py");
}

#[test]
fn ranges_that_are_none_are_refused() {
    let world = World::committed();
    for (range, what, next) in [
        ("HEAD", "`HEAD` is no range of commits", "--since A"),
        ("a..b..c", "is no range of commits", "write A..B"),
        ("nope..HEAD", "no commit is called `nope`", "fetch it first"),
        ("HEAD...nope", "no commit is named `nope`", "fetch it first"),
    ] {
        world.run(&["scan", "--range", range]).refused(what, next);
    }
    let day = world.run(&["scan", "--since", "2026-01-01"]);
    day.refused(
        "`2026-01-01` is a day",
        "git rev-list -1 --before=2026-01-01 HEAD",
    );
    world.git(&["branch", "2026-01-01"]);
    world.run(&["scan", "--since", "2026-01-01"]).code(0);
    let plain = World::new();
    for flag in [&["--staged"][..], &["--since", "HEAD"], &["--history"]] {
        let ran = plain.run(&[&["scan"], flag].concat());
        ran.refused("not a git repository", "hint: ");
    }
    world.write("../outside.txt", "x");
    let outside = world.run(&["scan", "--staged", ".", "../outside.txt"]);
    outside.refused(
        "outside of the repository",
        "one run scans the change of one repository",
    );
}

#[test]
fn a_shallow_clone_refuses_ranges_it_cannot_answer() {
    let world = World::committed();
    let first = world.git(&["rev-parse", "HEAD"]);
    for at in 0..4 {
        world.commit(&[("a.txt", &format!("{at}\n"))], "more");
    }
    let url = format!("file://{}", world.path(".").display());
    world.git(&["clone", "--quiet", "--depth=2", &url, "shallow"]);
    let scan = |range: &str| {
        let mut command = world.keyatlas();
        command.current_dir(world.path("shallow"));
        crate::world::ran(command.args(["scan", "--range", range]), &[range], b"")
    };
    scan(&format!("{first}..HEAD")).refused("shallow", "fetch-depth: 0");
    scan("HEAD~1..HEAD").code(0);
    let ran = world
        .run(&["scan", "--history", "shallow", "--format", "json"])
        .code(3);
    assert!(
        gaps(&ran.json())[0].ends_with("shallow-clone"),
        "{:?}",
        gaps(&ran.json())
    );
}

/// A change of three files in two folders, staged.
fn staged() -> World {
    let world = World::committed();
    world
        .write("one/a.py", leak("a"))
        .write("two/b.py", leak("b"));
    world.write("two/c.txt", "clean\n");
    world.git(&["add", "--all"]);
    world
}

#[test]
fn a_path_narrows_what_is_read_of_a_change_and_what_is_counted() {
    let world = staged();
    let check = |mode: &[&str]| {
        let all = world.scan(mode);
        assert_eq!(all["coverage"]["files"], 3, "{mode:?}");
        let one = world.scan(&[mode, &["one"]].concat());
        assert_eq!(each(&one["findings"], "path"), ["one/a.py"], "{mode:?}");
        assert_eq!(one["coverage"]["files"], 1, "{mode:?}");
        assert_eq!(one["coverage"]["bytes"], leak("a").len(), "{mode:?}");
        let two = world.scan(&[mode, &["two/c.txt"]].concat());
        assert_eq!(
            (&two["coverage"]["files"], list(&two["findings"]).len()),
            (&1.into(), 0)
        );
    };
    check(&["--staged"]);
    world.git(&["commit", "--quiet", "--message", "all"]);
    check(&["--since", "HEAD~1"]);
}

#[test]
fn what_is_excluded_is_excluded_from_changes_too() {
    let world = staged();
    let check = |mode: &[&str], left: &[&str], gone: &[&str]| {
        let document = world.scan(mode);
        assert_eq!(each(&document["findings"], "path"), left, "{mode:?}");
        assert_eq!(gaps(&document), gone, "{mode:?}");
        assert_eq!(document["coverage"]["files"], 3 - gone.len(), "{mode:?}");
        let all = world.scan(&[mode, &["--no-ignore"]].concat());
        assert_eq!(list(&all["findings"]).len(), 2, "{mode:?}");
        assert_eq!(gaps(&all), [""; 0], "{mode:?}");
    };
    let both = |mode: &[&str]| {
        world.write("keyatlas.toml", "exclude = [\"/one/\"]\n");
        check(mode, &["two/b.py"], &["one/a.py excluded"]);
        std::fs::remove_file(world.path("keyatlas.toml")).unwrap();
        world.write("two/.keyatlasignore", "b.*\n");
        check(mode, &["one/a.py"], &["two/b.py excluded"]);
        std::fs::remove_file(world.path("two/.keyatlasignore")).unwrap();
    };
    both(&["--staged"]);
    world.git(&["commit", "--quiet", "--message", "all"]);
    both(&["--range", "HEAD~1..HEAD"]);
}

#[test]
fn what_is_too_large_is_told_of_changes_too() {
    let world = staged();
    let large = format!("{}\n{}", "clean ".repeat(500), leak("large"));
    world.write("large.py", &large);
    world.git(&["add", "--all"]);
    let check = |mode: &[&str]| {
        let mut line = [&["scan", "--format", "json", "--max-size", "1K"], mode].concat();
        let document = world.run(&line).code(1).json();
        assert_eq!(gaps(&document), ["large.py too-large"], "{mode:?}");
        assert_eq!(document["coverage"]["files"], 3, "{mode:?}");
        assert_eq!(list(&document["findings"]).len(), 2, "{mode:?}");
        line.push("large.py");
        world.run(&line).code(3).keeps(&drawn("large"));
    };
    check(&["--staged"]);
    world.git(&["commit", "--quiet", "--message", "all"]);
    check(&["--since", "HEAD~1"]);
}

#[test]
fn history_tells_what_no_branch_reaches_any_more() {
    let world = World::committed();
    let lost = world.commit(&[("a.py", &leak("a"))], "lost");
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    world.run(&["scan"]).code(0);
    let ran = world
        .run(&["scan", "--history", "--format", "json"])
        .code(1);
    let document = ran.json();
    assert_eq!(each(&document["findings"], "path"), ["a.py"]);
    assert_eq!(
        document["findings"][0]["origins"][0]["commit"],
        lost.as_str()
    );
    world.run(&["scan", "--history"]).prints("only in history");
}

/// Two repositories of one name in different folders, and one beside them.
fn several() -> World {
    let world = World::new();
    for (folder, name) in [("x/api", "xa"), ("y/api", "ya"), ("web", "w")] {
        world.git(&[
            "init",
            "--quiet",
            "--template=",
            "--initial-branch=main",
            folder,
        ]);
        world.write(&format!("{folder}/a.py"), leak(name));
        world.git(&["-C", folder, "add", "--all"]);
        world.git(&["-C", folder, "commit", "--quiet", "--message", "one"]);
    }
    world
}

#[test]
fn repositories_named_side_by_side_are_told_apart() {
    let world = several();
    for mode in [&[][..], &["--history"]] {
        let line = [&["x/api", "y/api", "web"], mode].concat();
        let document = world.scan(&line);
        let found: Vec<String> = list(&document["findings"])
            .iter()
            .map(|it| {
                let repository = &it["origins"][0]["repository"];
                format!(
                    "{} {}",
                    repository.as_str().unwrap(),
                    it["path"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(found, ["web a.py", "x/api a.py", "y/api a.py"], "{mode:?}");
        let human = world.run(&[&["scan"], &line[..]].concat()).code(1);
        human.prints("  x/api/a.py:1:13").prints("  web/a.py:1:13");
    }
    // What is excluded is told with its repository too.
    world.write("y/api/.keyatlasignore", "a.py\n");
    assert_eq!(
        gaps(&world.scan(&["x/api", "y/api"])),
        ["y/api/a.py excluded"]
    );
    // Folders of repositories are told apart by their names.
    let document = world.scan(&["--history", "x", "y"]);
    let origins: Vec<_> = list(&document["findings"])
        .iter()
        .map(|it| it["origins"][0]["repository"].clone())
        .collect();
    assert_eq!(origins, ["x/api", "y/api"]);
    assert_eq!(document["complete"], true);
    // One that cannot be opened does not stop the others.
    world.git(&[
        "init",
        "--quiet",
        "--template=",
        "--object-format=sha256",
        "odd",
    ]);
    let document = world
        .run(&["scan", "--history", "odd", "web", "--format", "json"])
        .code(1)
        .json();
    assert_eq!(gaps(&document), ["odd unsupported"]);
    world.write("plain/b.txt", "clean\n");
    world
        .run(&["scan", "--history", "web", "plain"])
        .refused("plain: not a git repository", "hint: ");
}

#[test]
fn each_repository_has_a_base_of_its_own_in_sarif() {
    let world = several();
    let log = world
        .run(&["scan", "--history", "--format", "sarif"])
        .code(1)
        .json();
    // However deep they lie.
    let run = &log["runs"][0];
    let bases = run["originalUriBaseIds"].as_object().unwrap();
    let expected = ["SRCROOT", "SRCROOT:web", "SRCROOT:x/api", "SRCROOT:y/api"];
    assert_eq!(bases.keys().collect::<Vec<_>>(), expected);
    let log = world
        .run(&["scan", "x/api", "y/api", "--format", "sarif"])
        .code(1)
        .json();
    let run = &log["runs"][0];
    let places: Vec<String> = list(&run["results"])
        .iter()
        .map(|it| &it["locations"][0]["physicalLocation"]["artifactLocation"])
        .map(|it| {
            format!(
                "{} {}",
                it["uriBaseId"].as_str().unwrap(),
                it["uri"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(places, ["SRCROOT:x/api a.py", "SRCROOT:y/api a.py"]);
    assert_eq!(run["originalUriBaseIds"]["SRCROOT:y/api"]["uri"], "y/api/");
    // One alone is the root itself.
    let log = world
        .run(&["scan", "web", "--format", "sarif"])
        .code(1)
        .json();
    let place = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uriBaseId"], "SRCROOT");
    assert_eq!(place["artifactLocation"]["uri"], "a.py");
}
