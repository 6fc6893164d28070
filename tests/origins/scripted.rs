//! Histories in which one line has one answer, written out.

use crate::oracle::Oracle;
use crate::script::Script;
use crate::secret;
use crate::world::World;

/// What is expected of the first secret at a path.
struct Expected {
    path: &'static str,
    introduced: usize,
    last: usize,
    removed: Option<usize>,
    /// Branches whose tip has it, then those whose history does.
    branches: [&'static [&'static str]; 2],
}

struct Case {
    name: &'static str,
    script: fn(&mut Script, &str),
    expected: &'static [Expected],
}

const fn at(
    path: &'static str,
    introduced: usize,
    last: usize,
    removed: Option<usize>,
    branches: [&'static [&'static str]; 2],
) -> Expected {
    Expected {
        path,
        introduced,
        last,
        removed,
        branches,
    }
}

const MAIN: &[&str] = &["main"];
const NONE: &[&str] = &[];
const BOTH: &[&str] = &["main", "side"];

const CASES: &[Case] = &[
    Case {
        name: "a line that stays while its file changes",
        script: |it, key| {
            it.commit(&[], &[("a", "one\n")]);
            it.commit(&[0], &[("a", &format!("one\n{key}\n"))]);
            it.commit(&[1], &[("a", &format!("one\n{key}\ntwo\n"))]);
            it.commit(&[2], &[("a", &format!("zero\none\n{key}\ntwo\n"))]);
            it.commit(&[3], &[("a", "zero\none\ntwo\n")]);
            it.commit(&[4], &[("a", "zero\n")]);
            it.point("refs/heads/main", 5);
        },
        expected: &[at("a", 1, 3, Some(4), [NONE, MAIN])],
    },
    Case {
        name: "a line born where two sides of a file were put together",
        script: |it, key| {
            it.commit(&[], &[("a", "one\ntwo\n")]);
            it.commit(&[0], &[("a", "left\ntwo\n")]);
            it.commit(&[0], &[("a", "one\nright\n")]);
            it.commit(&[1, 2], &[("a", &format!("left\n{key}\nright\n"))]);
            it.point("refs/heads/main", 3);
        },
        expected: &[at("a", 3, 3, None, [MAIN, MAIN])],
    },
    Case {
        name: "a line of one side that the merge of both keeps",
        script: |it, key| {
            it.commit(&[], &[("a", "one\ntwo\n")]);
            it.commit(&[0], &[("a", &format!("one\n{key}\ntwo\n"))]);
            it.commit(&[0], &[("a", "one\ntwo\nright\n")]);
            it.commit(&[1, 2], &[("a", &format!("one\n{key}\ntwo\nright\n"))]);
            it.point("refs/heads/main", 3);
            it.point("refs/heads/side", 2);
        },
        expected: &[at("a", 1, 3, None, [MAIN, MAIN])],
    },
    Case {
        name: "a merge that takes what both sides have away",
        script: |it, key| {
            let with = |more: &str| format!("{key}\n{more}\n");
            it.commit(&[], &[("a", &with("one"))]);
            it.commit(&[0], &[("a", &with("left"))]);
            it.commit(&[0], &[("a", &with("right"))]);
            it.commit(&[1, 2], &[("a", "left\nright\n")]);
            it.point("refs/heads/main", 3);
            it.point("refs/heads/side", 2);
        },
        expected: &[at("a", 0, 2, Some(3), [&["side"], BOTH])],
    },
    Case {
        name: "a merge of a side that had it replaced by another secret, which goes too",
        script: |it, key| {
            let other = secret(1);
            it.commit(&[], &[("a", key)]);
            it.commit(&[0], &[("a", &format!("{key}\nleft\n"))]);
            it.commit(&[0], &[("a", &format!("{other}\nright\n"))]);
            it.commit(&[1, 2], &[("a", "left\nright\n")]);
            it.point("refs/heads/main", 3);
        },
        expected: &[at("a", 0, 1, Some(2), [NONE, MAIN])],
    },
    Case {
        name: "a merge that leaves out what one side brought",
        script: |it, key| {
            it.commit(&[], &[("a", "one\n")]);
            it.commit(&[0], &[("a", "one\n"), ("b", key)]);
            it.commit(&[0], &[("a", "two\n")]);
            it.commit(&[2, 1], &[("a", "two\n")]);
            it.point("refs/heads/main", 3);
        },
        expected: &[at("b", 1, 1, Some(3), [NONE, MAIN])],
    },
    Case {
        name: "a merge that brings back what was taken away on both sides",
        script: |it, key| {
            it.commit(&[], &[("a", &format!("one\n{key}\n"))]);
            it.commit(&[0], &[("a", "one\n")]);
            it.commit(&[1], &[("a", "left\n")]);
            it.commit(&[1], &[("a", "right\n")]);
            it.commit(&[2, 3], &[("a", &format!("left\nright\n{key}\n"))]);
            it.commit(&[4], &[("a", "left\n")]);
            it.point("refs/heads/main", 5);
            it.point("refs/heads/side", 3);
        },
        expected: &[at("a", 0, 4, Some(5), [NONE, BOTH])],
    },
    Case {
        name: "a merge of four, and one that only it has",
        script: |it, key| {
            it.commit(&[], &[("a", "one\n")]);
            it.commit(&[0], &[("a", "one\n"), ("b", "b\n")]);
            it.commit(&[0], &[("a", "one\n"), ("c", key)]);
            it.commit(&[0], &[("a", "one\n"), ("d", "d\n")]);
            let all = [("a", "one\n"), ("b", "b\n"), ("c", key), ("d", key)];
            it.commit(&[0, 1, 2, 3], &all);
            it.commit(&[4], &all[..2]);
            it.point("refs/heads/main", 5);
        },
        expected: &[
            at("c", 2, 4, Some(5), [NONE, MAIN]),
            at("d", 4, 4, Some(5), [NONE, MAIN]),
        ],
    },
    Case {
        name: "two branches that merge each other, one of which had it removed before",
        script: |it, key| {
            it.commit(&[], &[("a", key), ("b", "1\n")]);
            it.commit(&[0], &[("a", "clean\n"), ("b", "1\n")]);
            it.commit(&[0], &[("a", key), ("b", "2\n")]);
            it.commit(&[1, 2], &[("a", "clean\n"), ("b", "2\n")]);
            it.commit(&[2, 1], &[("a", "clean\n"), ("b", "2\n"), ("c", "3\n")]);
            it.commit(&[3, 4], &[("a", "clean\n"), ("c", "3\n")]);
            it.point("refs/heads/main", 5);
            it.point("refs/heads/side", 4);
        },
        expected: &[at("a", 0, 2, Some(1), [NONE, BOTH])],
    },
    Case {
        name: "a file that is renamed and copied",
        script: |it, key| {
            let text = format!("one\n{key}\n");
            it.commit(&[], &[("old/a", &text)]);
            it.commit(&[0], &[("new/a", &text)]);
            it.commit(&[1], &[("new/a", &text), ("copy", &text)]);
            it.commit(&[2], &[("copy", &text)]);
            it.point("refs/heads/main", 3);
            it.point("refs/heads/side", 1);
        },
        expected: &[
            at("old/a", 0, 0, Some(1), [NONE, BOTH]),
            at("new/a", 1, 2, Some(3), [&["side"], BOTH]),
            at("copy", 2, 3, None, [MAIN, MAIN]),
        ],
    },
    Case {
        name: "a file that comes back as it was",
        script: |it, key| {
            it.commit(&[], &[("a", key)]);
            it.commit(&[0], &[("a", "clean\n")]);
            it.commit(&[1], &[("a", key)]);
            it.commit(&[2], &[("b", "no a\n")]);
            it.commit(&[3], &[("a", "again without\n")]);
            it.point("refs/heads/main", 4);
        },
        expected: &[at("a", 0, 2, Some(3), [NONE, MAIN])],
    },
    Case {
        name: "a folder where the file was",
        script: |it, key| {
            it.commit(&[], &[("a", key)]);
            it.commit(&[0], &[("a/a", key)]);
            it.commit(&[1], &[("a", "clean\n")]);
            it.point("refs/heads/main", 2);
        },
        expected: &[
            at("a", 0, 0, Some(1), [NONE, MAIN]),
            at("a/a", 1, 1, Some(2), [NONE, MAIN]),
        ],
    },
    Case {
        name: "clocks that run backwards",
        script: |it, key| {
            it.commit(&[], &[("a", key)]);
            it.commit(&[0], &[("a", &format!("{key}\nmore\n"))]);
            it.commit(&[1], &[("a", "clean\n")]);
            for (number, planned) in it.commits.iter_mut().enumerate() {
                let back = 1_000_000_000 - number as i64;
                planned.dates = (back, back);
            }
            it.point("refs/heads/main", 2);
        },
        expected: &[at("a", 0, 1, Some(2), [NONE, MAIN])],
    },
    Case {
        name: "what a clone brings goes before what only a pull request has",
        script: |it, key| {
            it.commit(&[], &[("a", "one\n")]);
            it.commit(&[0], &[("a", key)]);
            it.commit(&[0], &[("b", "b\n")]);
            it.commit(&[2], &[("a", key)]);
            it.commit(&[3], &[("a", "clean\n")]);
            it.commit(&[1], &[("a", key), ("c", "c\n")]);
            it.point("refs/heads/main", 4);
            it.point("refs/pull/1/head", 5);
        },
        expected: &[at("a", 3, 3, Some(4), [NONE, MAIN])],
    },
];

#[test]
fn each_history_has_the_answer_that_is_written_beside_it() {
    for case in CASES {
        let world = World::repository();
        let mut script = Script::default();
        (case.script)(&mut script, &secret(0));
        let ids = script.build(&world);
        let folder = world.path(".");
        let said = Oracle::new(&world, &folder, 1).hold(1);
        let number = |id: &str| ids.iter().position(|it| it == id).unwrap();
        assert_eq!(said.len(), case.expected.len(), "{}", case.name);
        for it in case.expected {
            let answer = &said[&(it.path.to_owned(), 0)];
            let found = (
                number(&answer.introduced),
                number(&answer.last),
                answer.removed.as_deref().map(number),
            );
            assert_eq!(
                found,
                (it.introduced, it.last, it.removed),
                "{}: {}",
                case.name,
                it.path
            );
            let branches = [&answer.branches, &answer.in_branches];
            let expected = it
                .branches
                .map(|it| it.iter().map(|it| (*it).to_owned()).collect());
            assert_eq!(
                branches.map(Clone::clone),
                expected,
                "{}: {}",
                case.name,
                it.path
            );
        }
    }
}

#[test]
fn a_line_that_settles_a_conflict_is_the_merges() {
    let world = World::committed();
    world.commit(&[("a.env", "one\n")], "base");
    world.git(&["checkout", "--quiet", "-b", "side"]);
    world.commit(&[("a.env", "right\n")], "side");
    world.git(&["checkout", "--quiet", "main"]);
    world.commit(&[("a.env", "left\n")], "main");
    let merged = world.try_git(&["merge", "--quiet", "side"]);
    assert_eq!(merged.code, Some(1), "no conflict");
    let merge = world.commit(
        &[("a.env", &format!("left\n{}\nright\n", secret(0)))],
        "settled",
    );
    let folder = world.path(".");
    let said = Oracle::new(&world, &folder, 1).hold(1);
    let answer = &said[&("a.env".to_owned(), 0)];
    assert_eq!((&answer.introduced, &answer.last), (&merge, &merge));
}
