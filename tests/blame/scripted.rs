//! What a history drawn by lot does not have: links, submodules, merges that are under way, clones that lack
//! something, line ends made by checking out, and bare repositories.

use crate::world::World;
use crate::{by_git, compare};
use keyatlas::model::coverage::Reason;
use keyatlas::source::blame::{Blamed, Files, Lines, blame};
use keyatlas::source::history::{History, HistoryOptions};
use std::path::Path;

fn paths(of: &[&str]) -> Vec<String> {
    of.iter().map(|it| (*it).to_owned()).collect()
}

fn numbered(from: usize, to: usize) -> String {
    (from..to).map(|it| format!("line {it}\n")).collect()
}

/// A file with lines of three commits, beside others.
fn grown() -> World {
    let world = World::repository();
    world.commit(&[("d/a", &numbered(0, 10)), ("b", "one\n")], "first");
    world.commit(&[("d/a", &numbered(0, 20))], "second");
    world.commit(&[("b", "one\ntwo\n")], "third");
    world
}

fn asked(folder: &Path, files: Files, path: &str, count: u32) -> Blamed {
    let lines = Lines::from([(path.to_owned(), (1..=count).collect())]);
    let history = History::open(folder).unwrap();
    blame(&history, files, &lines, &HistoryOptions::default())
}

#[test]
fn renames_are_followed_as_far_as_git_follows_them() {
    let world = grown();
    // The same bytes twice: that of the same name is meant.
    world.commit(
        &[("x/a", &numbered(0, 20)), ("x/z", &numbered(50, 60))],
        "copies",
    );
    world.git(&["rm", "-q", "d/a", "x/a"]);
    world.commit(&[("new/a", &numbered(0, 20))], "moved");
    // Alike by more than half, in two; by less in a third.
    world.git(&["rm", "-q", "new/a", "x/z"]);
    let rows = [
        ("c", &*(numbered(0, 12) + &numbered(70, 78))),
        ("e", &*(numbered(50, 53) + &numbered(90, 110))),
    ];
    world.commit(&rows, "changed on the way");
    compare(&world, &paths(&["b", "c", "e"]), "renames");
}

#[cfg(unix)]
#[test]
fn a_link_is_no_earlier_version_of_a_file() {
    let world = grown();
    std::os::unix::fs::symlink("one", world.path("f")).unwrap();
    world.commit(&[], "a link");
    std::fs::remove_file(world.path("f")).unwrap();
    world.commit(&[("f", "one")], "a file");
    world.git(&["update-index", "--chmod=+x", "f"]);
    world.git(&["commit", "-q", "-m", "mode"]);
    compare(&world, &paths(&["f", "b"]), "a link");
    std::fs::remove_file(world.path("b")).unwrap();
    std::os::unix::fs::symlink("f", world.path("b")).unwrap();
    let blamed = asked(&world.path("."), Files::WorkTree, "b", 1);
    assert!(blamed.written.is_empty(), "{blamed:?}");
}

#[test]
fn lines_of_what_is_being_merged_have_their_authors() {
    let world = grown();
    world.git(&["switch", "-q", "-c", "side", "HEAD~1"]);
    world.commit(&[("d/a", &(numbered(90, 95) + &numbered(0, 20)))], "side");
    world.git(&["switch", "-q", "main"]);
    world.commit(&[("d/a", &(numbered(0, 20) + &numbered(70, 75)))], "main");
    world.git(&["merge", "-q", "--no-commit", "side"]);
    compare(&world, &paths(&["d/a", "b"]), "a merge");
    let told = by_git(&world, "d/a");
    assert!(told.iter().all(Option::is_some), "all lines are committed");
}

#[test]
fn line_ends_that_checking_out_made_change_nothing() {
    let world = grown();
    let before = by_git(&world, "d/a");
    world.write("d/a", numbered(0, 20).replace('\n', "\r\n") + "new\r\n");
    let blamed = asked(&world.path("."), Files::WorkTree, "d/a", 21);
    for (line, told) in (1..).zip(&before) {
        assert_eq!(blamed.written.get(&("d/a".to_owned(), line)), told.as_ref());
    }
    assert_eq!(blamed.written.len(), 20);
}

#[test]
fn a_bare_repository_and_head_itself_are_as_they_were_committed() {
    let world = grown();
    let committed = by_git(&world, "b");
    world.write("b", "not committed\n");
    world.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = world.path(".").join("../bare.git");
    for (folder, files) in [(bare, Files::WorkTree), (world.path("."), Files::Head)] {
        let blamed = asked(&folder, files, "b", 2);
        for (line, told) in (1..).zip(&committed) {
            let found = blamed.written.get(&("b".to_owned(), line));
            assert_eq!(found, told.as_ref());
        }
    }
    let blamed = asked(&world.path("."), Files::WorkTree, "b", 2);
    assert!(blamed.written.is_empty());
    assert!(
        asked(&world.path("."), Files::Head, "none", 1)
            .written
            .is_empty()
    );
}

#[test]
fn where_history_ends_nobody_is_named() {
    let world = grown();
    let url = format!("file://{}", world.path(".").display());
    world.git(&["clone", "-q", "--depth=2", &url, "../shallow"]);
    let shallow = world.path(".").join("../shallow");
    let blamed = asked(&shallow, Files::WorkTree, "b", 2);
    let lines: Vec<u32> = blamed.written.keys().map(|it| it.1).collect();
    assert_eq!(lines, [2], "the newest commit has a parent here");
    let [gap] = &blamed.gaps[..] else {
        panic!("{:?}", blamed.gaps)
    };
    assert_eq!(gap.reason, Reason::ShallowClone);
    assert!(gap.detail.contains("1 line(s)"), "{gap:?}");
}

#[test]
fn a_version_that_is_missing_is_told() {
    let world = grown();
    let old = world.git(&["rev-parse", "HEAD~2:d/a"]);
    let object = format!(".git/objects/{}/{}", &old[..2], &old[2..]);
    std::fs::remove_file(world.path(&object)).unwrap();
    let blamed = asked(&world.path("."), Files::WorkTree, "d/a", 20);
    assert!(blamed.written.is_empty(), "{blamed:?}");
    assert_eq!(blamed.gaps[0].reason, Reason::MissingObject);
    assert!(blamed.gaps[0].detail.contains("20 line(s)"));
}

#[test]
fn what_git_would_put_in_place_of_other_things_is_told_and_not_followed() {
    let world = grown();
    let before = by_git(&world, "d/a");
    let [newest, oldest] = ["HEAD~1", "HEAD~2"].map(|it| world.git(&["rev-parse", it]));
    world.git(&["replace", &newest, &oldest]);
    let blamed = asked(&world.path("."), Files::WorkTree, "d/a", 20);
    assert_eq!(blamed.gaps[0].reason, Reason::NotFollowed);
    let found = blamed.written.get(&("d/a".to_owned(), 20));
    assert_eq!(found, before[19].as_ref());
}

#[test]
fn without_a_commit_or_a_line_there_is_nothing_to_tell() {
    let world = World::repository();
    world.write("a", "one\n");
    let blamed = asked(&world.path("."), Files::WorkTree, "a", 1);
    assert!(blamed.written.is_empty() && blamed.gaps.is_empty());
    let world = grown();
    let blamed = asked(&world.path("."), Files::WorkTree, "b", 9);
    assert_eq!(blamed.written.len(), 2, "lines that are not there");
    std::fs::remove_file(world.path("b")).unwrap();
    assert!(
        asked(&world.path("."), Files::WorkTree, "b", 2)
            .written
            .is_empty()
    );
}
