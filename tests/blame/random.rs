//! Histories drawn from a seed, of files whose lines are edited, moved, repeated, dropped and brought back; with
//! renames, merges that take lines of all sides or of none, line ends of both kinds and none.

use crate::compare;
use crate::script::{Files, Planned, START, Script};
use crate::world::World;
use std::collections::BTreeSet;

const PATHS: [&str; 8] = [
    "a.yml",
    "b.yml",
    "conf/app.yml",
    "conf/db/app.yml",
    "conf/db/main.ini",
    "src/x.py",
    "src/deep/er/x.py",
    "src/deep/y.py",
];
/// Lines that are everywhere, so that it is not clear which of them a change brought.
const COMMON: [&str; 6] = ["", "}", "{", "    return", "  - name: x", "    pass"];
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

    fn luck(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn block(dice: &mut Dice, number: usize) -> Vec<String> {
    let line = |at: usize, dice: &mut Dice| match dice.luck(45) {
        true => format!("{}\n", dice.one(&COMMON)),
        false => format!("{}line {at} of {number}\n", " ".repeat(2 * dice.below(4))),
    };
    (0..1 + dice.below(6)).map(|at| line(at, dice)).collect()
}

/// A text as somebody may leave it.
fn edited(text: &str, dice: &mut Dice, number: usize) -> String {
    let mut all = lines(text);
    let from = dice.below(all.len() + 1);
    let to = all.len().min(from + dice.below(5));
    match dice.below(12) {
        0..3 => drop(all.splice(from..from, block(dice, number))),
        3 | 4 => drop(all.splice(from..to, block(dice, number))),
        5 => drop(all.drain(from..to)),
        6 => {
            let taken: Vec<String> = all.drain(from..to).collect();
            let at = dice.below(all.len() + 1);
            drop(all.splice(at..at, taken));
        }
        7 => {
            let copied = all[from..to].to_vec();
            drop(all.splice(from..from, copied));
        }
        8 => return text.trim_end().to_owned(),
        9 if dice.luck(40) => return text.replace("\r\n", "\n"),
        9 if dice.luck(40) => return text.replace("\r\n", "\n").replace('\n', "\r\n"),
        10 => all.reverse(),
        _ => all.extend(block(dice, number)),
    }
    all.concat()
}

/// Puts a file where it may lie: what is in its way goes.
fn put(files: &mut Files, path: &str, text: String) {
    files.insert(path.to_owned(), text);
}

fn change(script: &Script, files: &mut Files, dice: &mut Dice, number: usize) {
    let path = dice.one(&PATHS);
    let text = files.get(path).cloned().unwrap_or_default();
    match dice.below(20) {
        0 => drop(files.remove(path)),
        1..4 => {
            files.remove(path);
            let text = match dice.below(3) {
                0 => text,
                1 => edited(&text, dice, number),
                _ => edited(&edited(&text, dice, number), dice, number + 1000),
            };
            put(files, dice.one(&PATHS), text);
        }
        4 => put(files, dice.one(&PATHS), text),
        5 if number > 0 => {
            let earlier = &script.commits[dice.below(number)].files;
            if let Some(text) = earlier.get(path) {
                put(files, path, text.clone());
            }
        }
        _ => {
            let mut text = text;
            if text.is_empty() {
                text = (0..6)
                    .flat_map(|it| block(dice, number * 10 + it))
                    .collect();
            }
            put(files, path, edited(&text, dice, number));
        }
    }
}

/// What a merge makes of its parents: each path from any of them, or lines of all, and now and then of none.
fn merged(script: &Script, parents: &[usize], dice: &mut Dice, number: usize) -> Files {
    let mut files = script.commits[parents[0]].files.clone();
    let paths = parents
        .iter()
        .flat_map(|it| script.commits[*it].files.keys());
    let paths: BTreeSet<String> = paths.cloned().collect();
    for path in paths {
        let texts = parents
            .iter()
            .filter_map(|it| script.commits[*it].files.get(&path));
        let texts: Vec<&String> = texts.collect();
        let text = match dice.below(10) {
            0..4 => texts[dice.below(texts.len())].clone(),
            4 => edited(texts[0], dice, number),
            5 => {
                files.remove(&path);
                continue;
            }
            _ => mixed(&texts, dice),
        };
        put(&mut files, &path, text);
    }
    files
}

/// Parts of each, in turn.
fn mixed(texts: &[&String], dice: &mut Dice) -> String {
    let all: Vec<Vec<String>> = texts.iter().map(|it| lines(it)).collect();
    let longest = all.iter().map(Vec::len).max().unwrap_or(0);
    let (mut mixed, mut at) = (String::new(), 0);
    while at < longest {
        let end = at + 1 + dice.below(8);
        let side = &all[dice.below(all.len())];
        mixed.extend(side.iter().take(end).skip(at).map(String::as_str));
        at = end;
    }
    mixed
}

fn drawn(seed: u64, commits: usize) -> Script {
    let mut dice = Dice(seed);
    let mut script = Script::default();
    for number in 0..commits {
        let recent = |dice: &mut Dice| number - 1 - dice.below(number.min(6));
        let mut parents = BTreeSet::new();
        if number > 0 && !dice.luck(2) {
            parents.insert(recent(&mut dice));
            while dice.luck(25) && parents.len() < 4 {
                parents.insert(recent(&mut dice));
            }
        }
        let mut parents: Vec<usize> = parents.into_iter().collect();
        let turned = dice.below(parents.len().max(1));
        parents.rotate_left(turned);
        let mut files = match parents.is_empty() {
            true => Files::new(),
            false => merged(&script, &parents, &mut dice, number),
        };
        let changes = if parents.len() > 1 { 0 } else { 1 };
        for _ in 0..changes + usize::from(dice.luck(40)) {
            change(&script, &mut files, &mut dice, number);
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
            dates: (date - 50 * dice.below(100) as i64, date - date % 1800),
        });
    }
    script.point("refs/heads/main", commits - 1);
    script
}

/// Leaves some files of the work tree otherwise than they were committed.
fn touch(world: &World, files: &mut Files, dice: &mut Dice) {
    for (path, text) in files.iter_mut() {
        let new = edited(text, dice, 9999);
        // Line ends that checking out may have made are no change to us, and one to git without that setting.
        let is_told = text.contains("\r\n") || !new.contains("\r\n");
        if dice.luck(40) && is_told {
            *text = new;
            world.write(path, &text);
        }
    }
}

#[test]
fn every_line_is_whose_git_says() {
    let seeds = std::env::var("KEYATLAS_SEEDS").ok();
    let seeds = seeds.map_or(12, |it| it.parse().unwrap());
    let mut count = 0;
    for seed in 0..seeds {
        let world = World::repository();
        let script = drawn(seed, 60);
        script.build(&world);
        let mut files = script.commits[59].files.clone();
        files.retain(|_, text| !text.is_empty());
        let mut dice = Dice(seed);
        if seed % 2 == 1 {
            touch(&world, &mut files, &mut dice);
            files.retain(|_, text| !text.is_empty());
        }
        if seed % 3 == 1 {
            world.git(&["gc", "--quiet"]);
        }
        let paths: Vec<String> = files.into_keys().collect();
        count += compare(&world, &paths, &format!("seed {seed}"));
    }
    assert!(count > seeds as usize * 40, "{count} lines were compared");
}
