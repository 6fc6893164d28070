//! What may happen to a repository between two scans.

use super::{begun, file, scan, token};
use crate::world::World;
use std::fs;
use std::path::PathBuf;

#[test]
fn where_nothing_changed_only_what_shows_values_is_read() {
    let world = begun();
    scan(&world, &[]).reads_all();
    // One blob for each of the two tokens; the other version of the first is known by its places.
    scan(&world, &[]).reads(2).finds("a.txt", true);
    world.git(&["gc", "--quiet"]);
    // Elsewhere, and nothing new.
    scan(&world, &[]).reads(2).meets(0);
    scan(&world, &[]).reads(2).finds("deep/down/c.txt", true);
    world.git(&["repack", "--quiet", "-a", "-d", "-f"]);
    scan(&world, &[]).reads(2).meets(0);
    scan(&world, &["--jobs", "1"]).reads(2).meets(0);
}

#[test]
fn a_new_commit_is_read_and_no_more() {
    let world = begun();
    world.git(&["gc", "--quiet"]);
    scan(&world, &[]).reads_all();
    world.commit(&[("e.txt", &file("e")), ("f.txt", "f\n")], "four");
    scan(&world, &[]).reads(4).meets(2).finds("e.txt", true);
    scan(&world, &[]).reads(3).meets(0).finds("e.txt", true);
    // The same token at another place shows no new value.
    world.commit(&[("g.txt", &format!("moved\n{}", file("e")))], "five");
    scan(&world, &[]).reads(4).meets(2).finds("g.txt", true);
    scan(&world, &[]).reads(3).finds("g.txt", true);
    // A folder that was there under another name, and all of it gone again.
    world.git(&["mv", "deep", "steep"]);
    world.commit(&[], "six");
    scan(&world, &[]).meets(2).finds("steep/down/c.txt", true);
    world.git(&["rm", "--quiet", "-r", "steep"]);
    world.commit(&[], "seven");
    scan(&world, &[]).meets(2).finds("steep/down/c.txt", true);
    // Nothing new but where things lie, then a commit in a pack of its own.
    world.git(&["gc", "--quiet"]);
    scan(&world, &[]).meets(0);
    world.commit(&[("deep/down/c.txt", &file("c"))], "eight");
    world.git(&["repack", "--quiet", "-d"]);
    // All of its folders were there before.
    scan(&world, &[]).meets(1).finds("deep/down/c.txt", true);
}

/// What came later may change what is told of what was there.
#[test]
fn what_comes_later_may_speak_of_what_was_there() {
    let world = begun();
    let named = format!("{}.txt", token("name"));
    world.commit(&[("x.txt", "harmless\n")], &token("message"));
    scan(&world, &[]);
    // An old blob under a name that shows something: where it lay before is asked for now.
    world.git(&["mv", "x.txt", &named]);
    world.commit(&[], "moved");
    scan(&world, &[]).ran.prints("file-name");
    // A message that was there, by an earlier date: the commit to tell of is another.
    world.git(&["checkout", "--quiet", "-b", "early", "HEAD~4"]);
    let date = "2001-01-01T00:00:00Z";
    world.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        "--date",
        date,
        "--message",
        &token("message"),
    ]);
    let early = world.git(&["rev-parse", "HEAD"]);
    scan(&world, &[]).meets(1).ran.prints("commit-message");
    scan(&world, &[]).meets(0).ran.prints(&early);
    // The same name elsewhere, and a tag of an old blob.
    world.commit(&[(&format!("below/{named}"), "z\n")], "named");
    scan(&world, &[]).meets(3).ran.prints("below/****.txt");
    world.git(&["tag", "--annotate", "--message", "old", "v3", "HEAD:a.txt"]);
    scan(&world, &[]).meets(1);
}

#[test]
fn what_is_gone_is_not_reported() {
    let world = begun();
    scan(&world, &[]).finds("deep/down/c.txt", true);
    world.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    world.git(&["tag", "--delete", "v1"]);
    // Still there, though no ref leads to it.
    scan(&world, &[]).reads(2).finds("deep/down/c.txt", true);
    prune(&world);
    scan(&world, &[]).finds("deep/down/c.txt", false);
    scan(&world, &[]).reads(1).finds("a.txt", true);
}

fn prune(world: &World) {
    world.git(&["reflog", "expire", "--expire=now", "--all"]);
    world.git(&["gc", "--quiet", "--prune=now"]);
}

#[test]
fn a_forced_push_and_an_amended_commit_are_told_anew() {
    let world = begun();
    scan(&world, &[]);
    world.write("a.txt", "harmless\n");
    world.git(&[
        "commit",
        "--quiet",
        "--all",
        "--amend",
        "--message",
        "again",
    ]);
    scan(&world, &[]).reads(3);
    world.git(&["update-ref", "refs/heads/main", "HEAD~2"]);
    scan(&world, &[]).finds("a.txt", true);
    prune(&world);
    scan(&world, &[]).finds("a.txt", true);
    // Where the one blob that showed the value is gone, another is asked.
    let world = World::committed();
    world.commit(&[("one.txt", &file("x"))], "one");
    world.git(&["switch", "--quiet", "--create", "side"]);
    world.commit(
        &[(
            "one.txt",
            &format!("{}{}", "long line\n".repeat(50), file("x")),
        )],
        "two",
    );
    scan(&world, &[]);
    world.git(&["switch", "--quiet", "main"]);
    world.git(&["branch", "--quiet", "--delete", "--force", "side"]);
    prune(&world);
    scan(&world, &[]).finds("one.txt", true);
}

#[test]
fn other_rules_and_limits_read_anew_and_the_old_ones_are_still_known() {
    let world = begun();
    scan(&world, &[]).reads_all();
    let rule = "[[rule]]\nid = \"line-word\"\ntitle = \"A line\"\nprovider = \"generic\"\nkind = \"password\"\n\
                keywords = [\"line 7 of\"]\npattern = '''(?P<secret>line 7 of [a-z]+)'''\n\
                confidence = \"high\"\nseverity = \"low\"\nexamples = [\"line 7 of abc\"]\n\
                counter_examples = [\"line 8\"]\nrotation = \"Draw another line.\"\n\
                why = \"https://example.com/\"\n";
    fs::write(world.home("mine.toml"), rule).unwrap();
    let path = world.home("mine.toml");
    let mine = ["--rules", path.to_str().unwrap()];
    scan(&world, &mine).reads_all();
    assert!(scan(&world, &mine).read < 5);
    fs::write(&path, rule.replace("line 7", "line 9")).unwrap();
    scan(&world, &mine).reads_all();
    scan(&world, &["--max-depth", "2"]).reads_all();
    scan(&world, &[]).reads(2);
    // Which findings are shown is decided later.
    scan(&world, &["--min-confidence", "low"]).reads(2);
}

#[test]
fn what_could_not_be_read_is_told_each_time() {
    let world = begun();
    world.commit(&[("large.txt", &"large\n".repeat(2000))], "large");
    let limit = ["--max-size", "10000"];
    scan(&world, &limit).ran.prints("too-large");
    scan(&world, &limit).reads(2).ran.prints("too-large");
    world.git(&["gc", "--quiet"]);
    scan(&world, &limit).reads(2).ran.prints("too-large");
    scan(&world, &limit).reads(2).ran.prints("too-large");
    scan(&world, &[]).reads_all();
}

/// The file of a loose object.
fn loose(world: &World, name: &str) -> PathBuf {
    let id = world.git(&["rev-parse", name]);
    world.path(&format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

fn overwrite(path: &PathBuf, bytes: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_object_is_told_each_time() {
    let world = begun();
    overwrite(&loose(&world, "HEAD:d.txt"), b"no zlib");
    for _ in 0..3 {
        scan(&world, &[]).ran.prints("corrupt-object");
    }
    // One that was sound when it was read.
    let path = loose(&world, "HEAD:deep/down/c.txt");
    let sound = fs::read(&path).unwrap();
    overwrite(&path, &sound[..sound.len() / 2]);
    scan(&world, &[]).finds("deep/down/c.txt", false);
    scan(&world, &[]).finds("deep/down/c.txt", false);
    overwrite(&path, &sound);
    scan(&world, &[]).finds("deep/down/c.txt", true);
}

#[test]
fn a_pack_that_rots_is_told() {
    let world = begun();
    world.git(&["repack", "--quiet", "-a", "-d"]);
    scan(&world, &[]).reads_all();
    let packs = fs::read_dir(world.path(".git/objects/pack")).unwrap();
    let mut packs = packs.map(|it| it.unwrap().path());
    let pack = packs.find(|it| it.extension().unwrap() == "pack").unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    overwrite(&pack, &bytes);
    scan(&world, &[]).reads_all();
    scan(&world, &[]);
    bytes[middle] ^= 0xff;
    overwrite(&pack, &bytes);
    scan(&world, &[]).finds("a.txt", true);
    // Touched, and the same: as git does where it would write what is there.
    fs::OpenOptions::new().append(true).open(&pack).unwrap();
    overwrite(&pack, &bytes);
    scan(&world, &[]).reads(2);
    scan(&world, &[]).reads(2);
}

#[test]
fn missing_objects_and_borrowed_ones_are_told_as_they_are() {
    let world = begun();
    let clone = World::new();
    let from = world.path(".");
    clone.git(&["clone", "--quiet", "--shared", from.to_str().unwrap(), "."]);
    scan(&clone, &[]).finds("a.txt", true);
    scan(&clone, &[]).reads(2);
    let path = loose(&world, "HEAD:d.txt");
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for _ in 0..2 {
        scan(&clone, &[]).ran.prints("missing-object");
        scan(&world, &[]).ran.prints("missing-object");
    }
    fs::write(&path, bytes).unwrap();
    scan(&clone, &[]).finds("a.txt", true);
    scan(&world, &[]).finds("a.txt", true);
}

#[test]
fn texts_that_are_no_blobs_are_told_again() {
    let world = begun();
    world.commit(
        &[("x.txt", "x\n")],
        &format!("words\n\ntoken {}", token("message")),
    );
    let named = format!("{}.txt", token("name"));
    world.commit(&[(&format!("below/{named}"), "y\n")], "a name");
    world.git(&["tag", "--annotate", "--message", &token("tag"), "v2"]);
    let author = format!("--author=Ada <{}@example.com>", token("author"));
    world.git(&[
        "commit",
        "--quiet",
        "--allow-empty",
        &author,
        "--message",
        "by",
    ]);
    world.git(&["branch", &format!("b/{}", token("branch"))]);
    for text in ["message", "name", "tag", "author", "branch"] {
        let kept = fs::read(world.home("data/keyatlas/cache.db")).unwrap_or_default();
        let value = token(text);
        assert!(!kept.windows(value.len()).any(|it| it == value.as_bytes()));
        scan(&world, &[]).ran.keeps(&value);
    }
    let kinds = [
        "commit-message",
        "tag-message",
        "file-name",
        "header",
        "ref-name",
    ];
    let ran = kinds
        .iter()
        .fold(scan(&world, &[]).reads(2).ran, |ran, kind| ran.prints(kind));
    assert_eq!(ran.code, Some(1));
    // Refs are no objects: what they lead to may change while all objects stay.
    world.git(&["update-ref", "-d", "refs/tags/v2"]);
    world.git(&["update-ref", "refs/heads/other", "HEAD~3"]);
    world.git(&["update-ref", "refs/heads/main", "HEAD~4"]);
    scan(&world, &[]).reads(2);
    world.git(&["gc", "--quiet"]);
    scan(&world, &[]).reads(2);
    scan(&world, &[]).reads(2);
}

#[test]
fn containers_and_encodings_are_read_each_time() {
    let world = begun();
    world.commit(
        &[(
            "k.txt",
            &format!("data:text/plain;base64,{}", encoded("base")),
        )],
        "base",
    );
    scan(&world, &[]);
    scan(&world, &[]).finds("k.txt", true);
    world.git(&["gc", "--quiet"]);
    scan(&world, &[]).finds("k.txt", true);
}

/// A container with these members.
fn archive(members: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, text) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap()
}

#[test]
fn a_container_is_opened_again_only_for_what_is_shown_nowhere_else() {
    let world = begun();
    let known = [("in/a.txt", &*file("a")), ("in/x.txt", &*file("c"))];
    world.write("known.tar", archive(&known));
    world.commit(&[], "known");
    scan(&world, &[]).reads_all().finds("known.tar", true);
    scan(&world, &[])
        .reads(2)
        .finds("known.tar", true)
        .ran
        .prints("known.tar!in/x.txt");
    world.write(
        "more.tar",
        archive(&[("in/a.txt", &file("a")), ("in/m", &file("m"))]),
    );
    world.commit(&[], "more");
    scan(&world, &[]).reads(3);
    scan(&world, &[]).reads(3).finds("more.tar", true);
    // A name that shows something is not kept.
    let name = format!("in/{}", token("n"));
    world.write("names.tar", archive(&[(&name, &file("a"))]));
    world.commit(&[], "names");
    scan(&world, &[]).reads(4);
    scan(&world, &[]).reads(4).finds("names.tar", true);
    let kept = fs::read(super::file::cache(&world)).unwrap();
    let has = |text: &str| kept.windows(text.len()).any(|it| it == text.as_bytes());
    assert!(has("in/x.txt") && !has(&token("n")) && !has(&token("m")));
}

fn encoded(name: &str) -> String {
    data_encoding::BASE64.encode(format!("some text\n{}\n", file(name)).as_bytes())
}
