//! The file that is kept: where, what is in it, and what if it cannot be used.

use super::{SCAN, begun, file, scan, token};
use crate::world::World;
use std::fs;
use std::path::PathBuf;

pub(crate) fn cache(world: &World) -> PathBuf {
    world.home("data/keyatlas/cache.db")
}

#[test]
fn it_lies_beside_the_inventory_and_only_history_makes_one() {
    let world = begun();
    world.run(&["scan"]);
    world.run(&["scan", "--staged"]);
    world.feed(&["scan", "-"], b"text");
    world.run(&["scan", "--history", "--no-cache"]);
    assert!(!cache(&world).exists());
    scan(&world, &[]);
    assert!(cache(&world).exists());
    let elsewhere = World::new().with_inventory();
    fs::rename(elsewhere.home("data/keyatlas"), world.path("../else")).unwrap();
    fs::rename(
        elsewhere.home("settings/keyatlas/key"),
        world.path("../key"),
    )
    .unwrap();
    let named = [
        "--inventory",
        "../else/inventory.db",
        "--key-file",
        "../key",
    ];
    scan(&world, &named).reads_all();
    assert!(world.path("../else/cache.db").exists());
}

#[test]
fn no_value_and_no_text_stands_in_it() {
    let world = begun();
    scan(&world, &[]);
    let kept = fs::read(cache(&world)).unwrap();
    let has = |text: &str| kept.windows(text.len()).any(|it| it == text.as_bytes());
    for text in [&token("a")[..], &token("c"), "three", "line 3 of", "Ada"] {
        assert!(!has(text), "{text}");
    }
    // What is looked for would be seen: names of files lie in the clear.
    assert!(has("a.txt"));
}

#[test]
fn a_damaged_one_is_told_and_made_anew() {
    let world = begun();
    scan(&world, &[]);
    let whole = fs::read(cache(&world)).unwrap();
    let garbage = b"garbage".repeat(1000);
    for bytes in [
        &garbage[..],
        &whole[..whole.len() / 2],
        &whole[..5000],
        &whole[..40],
    ] {
        fs::write(cache(&world), bytes).unwrap();
        scan(&world, &[]).reads_all();
        scan(&world, &[]).reads(2);
    }
    // A bit anywhere: in what holds it together, in a page, in what is free.
    for at in (0..whole.len()).step_by(997) {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        fs::write(cache(&world), &bytes).unwrap();
        let with = world.run(SCAN);
        assert_eq!(
            with.out,
            world.run(&[SCAN, &["--no-cache"]].concat()).out,
            "bit in {at}"
        );
    }
}

#[test]
fn where_there_can_be_none_the_scan_is_the_same() {
    let world = begun();
    fs::create_dir_all(cache(&world)).unwrap();
    let expected = world.run(&[SCAN, &["--no-cache"]].concat()).out;
    let told = world.run(SCAN).says("cache: ");
    assert_eq!(told.out, expected);
    let silent = world.run(&["scan", "--history", "--format", "json"]);
    assert_eq!(silent.out, expected);
    assert!(!silent.err.contains("cache"), "{}", silent.err);
}

#[test]
fn several_at_once_do_not_disturb_each_other() {
    let world = begun();
    let expected = world.run(&[SCAN, &["--no-cache"]].concat()).out;
    for round in 0..3 {
        if round == 1 {
            fs::remove_file(cache(&world)).unwrap();
        }
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| world.run(SCAN))).collect();
            for run in runs {
                assert_eq!(run.join().unwrap().out, expected);
            }
        });
    }
    scan(&world, &[]).reads(2);
}

#[test]
fn one_file_serves_many_repositories() {
    let world = World::new();
    for name in ["one", "two"] {
        fs::create_dir(world.path(name)).unwrap();
        world.git(&["-C", name, "init", "--quiet", "--initial-branch=main"]);
        world.write(&format!("{name}/a.txt"), file(name));
        world.git(&["-C", name, "add", "--all"]);
        world.git(&["-C", name, "commit", "--quiet", "--message", "first"]);
    }
    scan(&world, &[]).reads(2).finds("a.txt", true);
    scan(&world, &["one"]).reads(1);
    scan(&world, &[]).reads(2);
    world.git(&[
        "-C",
        "two",
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "second",
    ]);
    scan(&world, &[]).reads(2);
}
