//! Histories drawn from a seed: branches, merges of two and more, new beginnings, clocks that are wrong,
//! files that are edited, moved, copied, dropped and brought back, refs of all kinds and commits of none.

use crate::oracle::Oracle;
use crate::script::{Files, Planned, START, Script};
use crate::secret;
use crate::world::World;
use std::collections::BTreeSet;

/// Secrets of a history.
const SECRETS: usize = 12;
const PATHS: [&str; 9] = [
    "a.env",
    "b.env",
    "conf/app.ini",
    "conf/db/main.ini",
    "conf/db/old.ini",
    "conf",
    "src/x.py",
    "src/deep/er/y.py",
    "z",
];
const PEOPLE: [&str; 3] = [
    "Ada Example <ada@example.com>",
    "ada <ADA@old.example>",
    "Bo <bo@example.com>",
];
const MAP: &str = "Ada Lovelace <ada@example.com> <ada@old.example>\nBo Berg <bo@example.com> Bo <bo@example.com>\n";

/// Numbers that only the seed decides (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % end as u64) as usize
    }

    fn one<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    /// Whether it comes so often in a hundred.
    fn luck(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

/// Puts a file where it may lie: what is in its way goes.
fn put(files: &mut Files, path: &str, text: String) {
    let below = format!("{path}/");
    files.retain(|it, _| !it.starts_with(&below) && !path.starts_with(&format!("{it}/")));
    files.insert(path.to_owned(), text);
}

fn change(files: &mut Files, dice: &mut Dice, number: usize) {
    let path = dice.one(&PATHS);
    let text = files.get(path).cloned().unwrap_or_default();
    match dice.below(10) {
        0..4 => {
            let new = secret(dice.below(SECRETS));
            if !text.contains(&new) {
                put(files, path, format!("{text}{new}\n"));
            }
        }
        4 | 5 => {
            let kept: Vec<&str> = text.lines().skip(1).collect();
            put(files, path, kept.join("\n") + "\n");
        }
        6 => put(files, path, format!("line of {number}\n{text}")),
        7 => {
            files.remove(path);
        }
        8 => {
            files.remove(path);
            put(files, dice.one(&PATHS), text);
        }
        _ => put(files, dice.one(&PATHS), text),
    }
}

/// What a merge makes of its parents: each path from any of them, and now and then something else.
fn merged(script: &Script, parents: &[usize], dice: &mut Dice) -> Files {
    let mut files = script.commits[parents[0]].files.clone();
    let paths = parents
        .iter()
        .flat_map(|it| script.commits[*it].files.keys());
    let paths: BTreeSet<String> = paths.cloned().collect();
    for path in paths {
        let from = parents[dice.below(parents.len())];
        match script.commits[from].files.get(&path) {
            Some(text) => put(&mut files, &path, text.clone()),
            None => {
                files.remove(&path);
            }
        }
    }
    files
}

fn drawn(seed: u64, commits: usize) -> Script {
    let mut dice = Dice(seed);
    let mut script = Script::default();
    for number in 0..commits {
        let recent = |dice: &mut Dice| number - 1 - dice.below(number.min(8));
        let mut parents = BTreeSet::new();
        if number > 0 && !dice.luck(2) {
            parents.insert(recent(&mut dice));
            while dice.luck(22) && parents.len() < 5 {
                parents.insert(recent(&mut dice));
            }
        }
        let mut parents: Vec<usize> = parents.into_iter().collect();
        let turned = dice.below(parents.len().max(1));
        parents.rotate_left(turned);
        let mut files = match parents.is_empty() {
            true => Files::new(),
            false => merged(&script, &parents, &mut dice),
        };
        let changes = if parents.len() > 1 { 0 } else { 1 };
        for _ in 0..changes + usize::from(dice.luck(30)) {
            change(&mut files, &mut dice, number);
        }
        put(&mut files, ".mailmap", MAP.to_owned());
        let mut date = START + 600 * number as i64;
        if dice.luck(10) {
            date -= 600 * dice.below(40) as i64;
        }
        script.add(Planned {
            parents,
            files,
            author: dice.one(&PEOPLE),
            // Several commits of one second, too.
            dates: (date - 50 * dice.below(100) as i64, date - date % 1800),
        });
    }
    add_refs(&mut script, &mut dice);
    script
}

fn add_refs(script: &mut Script, dice: &mut Dice) {
    let commits = script.commits.len();
    let late = |dice: &mut Dice| commits - 1 - dice.below(commits / 2);
    let main = late(dice);
    script.point("refs/heads/main", main);
    for number in 0..3 {
        let at = late(dice);
        script.point(&format!("refs/heads/topic/{number}"), at);
        let at = late(dice);
        script.point(&format!("refs/remotes/origin/{number}"), at);
        let at = late(dice);
        script.point(&format!("refs/pull/{number}/head"), at);
    }
    script.point("refs/stash", late(dice));
    for number in 0..70 {
        let at = dice.below(commits);
        match number % 2 {
            0 if number < 20 => script.tags.push((format!("v{number}"), at)),
            // Few things are in few of many: then their names are told in full.
            _ if number < 60 => script.point(&format!("refs/tags/t{number}"), at / 3),
            _ => script.point(&format!("refs/tags/t{number}"), at),
        }
    }
}

fn hold(seed: u64, commits: usize, and: fn(&World)) {
    let world = World::repository();
    drawn(seed, commits).build(&world);
    and(&world);
    let folder = world.path(".");
    let oracle = Oracle::new(&world, &folder, SECRETS);
    let said = oracle.hold(SECRETS);
    assert!(said.len() > 30, "seed {seed}: only {} things", said.len());
    let lost = said.values().filter(|it| !it.reachable).count();
    let removed = said.values().filter(|it| it.removed.is_some()).count();
    assert!(
        lost > 0 && removed > 5,
        "seed {seed}: {lost} lost, {removed} removed"
    );
}

#[test]
fn two_hundred_commits_agree_with_brute_force() {
    hold(1, 200, |_| ());
}

#[test]
fn packed_and_with_a_detached_head_they_agree_too() {
    hold(2, 160, |world| {
        world.git(&["pack-refs", "--all"]);
        world.git(&["checkout", "--quiet", "--detach", "main~3"]);
        // A commit that only HEAD has.
        world.commit(&[("only.env", &secret(0))], "detached");
    });
}

#[test]
fn many_small_histories_agree() {
    for seed in 10..16 {
        let world = World::repository();
        drawn(seed, 40).build(&world);
        let folder = world.path(".");
        Oracle::new(&world, &folder, SECRETS).hold(SECRETS);
    }
}

#[test]
fn bare_and_shallow_clones_agree() {
    let world = World::repository();
    drawn(3, 120).build(&world);
    let url = format!("file://{}", world.path(".").display());
    for (name, line) in [
        ("bare", &["--bare"][..]),
        ("mirror", &["--mirror"]),
        ("shallow", &["--depth=12", "--no-single-branch"]),
    ] {
        let folder = world.home(name);
        let target = folder.to_str().unwrap();
        let line = [&["clone", "--quiet"], line, &[&url, target]].concat();
        world.git(&line);
        let said = Oracle::new(&world, &folder, SECRETS).hold(SECRETS);
        assert!(said.len() > 5, "{name}: only {} things", said.len());
    }
}
