//! Whatever is done to a repository, in whatever order: the report is the same with the cache and without.

use super::{begun, file, scan, token};
use crate::world::World;

/// Numbers that look like chance, and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// Does something, which may fail where there is nothing to do it to.
fn act(world: &World, dice: &mut Dice) -> String {
    let name = format!("n{}", dice.below(6));
    let path = format!("{}/{name}.txt", ["a", "b", "a/c"][dice.below(3) as usize]);
    let quiet = |arguments: &[&str]| world.try_git(arguments);
    let which = dice.below(18);
    match which {
        0..=2 => drop(world.commit(
            &[(
                &path,
                &format!("{}{}", "x\n".repeat(dice.below(9) as usize), file(&name)),
            )],
            "leak",
        )),
        3 => drop(world.commit(
            &[(&path, &format!("harmless {}\n", dice.below(50)))],
            "clean",
        )),
        4 => drop(world.git(&[
            "commit",
            "--quiet",
            "--allow-empty",
            "--message",
            &token(&name),
        ])),
        5 => {
            quiet(&[
                "commit",
                "--quiet",
                "--amend",
                "--allow-empty",
                "--message",
                "amended",
            ]);
        }
        6 => {
            quiet(&["reset", "--quiet", "--hard", "HEAD~2"]);
        }
        7 => {
            quiet(&["branch", "--force", &name, "HEAD~1"]);
        }
        8 => {
            quiet(&["switch", "--quiet", "--force-create", &name]);
        }
        9 => {
            quiet(&[
                "merge",
                "--quiet",
                "--no-edit",
                "--strategy-option=ours",
                &name,
            ]);
        }
        10 => {
            quiet(&["gc", "--quiet"]);
        }
        11 => {
            quiet(&["repack", "--quiet", "-d"]);
        }
        12 => {
            let folder = ["a", "b", "a/c", "d"][dice.below(4) as usize];
            quiet(&["mv", folder, &format!("{}{folder}", dice.below(9))]);
            quiet(&["commit", "--quiet", "--all", "--message", "moved"]);
        }
        13 => {
            quiet(&["mv", &path, &format!("{}.txt", token(&name))]);
            quiet(&["commit", "--quiet", "--all", "--message", "named"]);
        }
        14 => {
            let author = format!("--author=Ada <{}@example.com>", token(&name));
            quiet(&[
                "commit",
                "--quiet",
                "--allow-empty",
                &author,
                "--message",
                "by",
            ]);
        }
        15 => {
            let message = [token(&name), "words".to_owned()][dice.below(2) as usize].clone();
            quiet(&["tag", "--force", "--annotate", "--message", &message, &name]);
        }
        16 => {
            quiet(&["notes", "add", "--force", "--message", &file(&name)]);
        }
        _ => {
            quiet(&["reflog", "expire", "--expire=now", "--all"]);
            quiet(&["gc", "--quiet", "--prune=now"]);
        }
    }
    format!("{which} {path}")
}

#[test]
fn the_report_is_the_same_whatever_happened() {
    for seed in 1..=5 {
        let (world, mut dice) = (begun(), Dice(seed));
        let mut done = Vec::new();
        for _ in 0..14 {
            for _ in 0..=dice.below(2) {
                done.push(act(&world, &mut dice));
            }
            println!("seed {seed}: {done:?}");
            scan(&world, &["--min-confidence", "low"]);
        }
    }
}
