//! Whole histories held against what git says of them: objects, origins, authors, clones that are not whole.

use super::*;
use crate::model::origin::Origin;
use crate::source::testing::{Keep, Repo, id};
use std::fs;

const SECRET: &str = "token = invented-value-1234567890\n";

fn read_with(path: &Path, options: &HistoryOptions) -> (Keep, HistoryTotals) {
    let keep = Keep::default();
    let totals = History::open(path)
        .unwrap()
        .each_blob(options, &keep)
        .unwrap();
    (keep, totals)
}

fn read(path: &Path) -> Keep {
    read_with(
        path,
        &HistoryOptions {
            jobs: 2,
            ..HistoryOptions::default()
        },
    )
    .0
}

fn assert_complete(path: &Path) {
    let (keep, totals) = read_with(
        path,
        &HistoryOptions {
            jobs: 2,
            ..HistoryOptions::default()
        },
    );
    let expected = Repo::oracle(path, "blob");
    let found = keep.by_id();
    assert_eq!(
        found.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    assert!(found == expected, "bytes differ");
    assert_eq!(totals.blobs, expected.len() as u64);
    assert_eq!(
        totals.bytes,
        expected.values().map(|it| it.len() as u64).sum::<u64>()
    );
    assert_eq!(keep.reasons(), []);
}

/// Thirty versions of a few files, so that packs hold long delta chains.
fn busy() -> Repo {
    let repo = Repo::new();
    let mut lines: Vec<String> = (0..300)
        .map(|it| format!("line {it} of a file that changes {}", it * 7919))
        .collect();
    for round in 0..30 {
        lines[round * 9] = format!("changed in round {round}");
        lines.insert(round * 3, format!("inserted in round {round}"));
        let text = lines.join("\n");
        let half = lines[..lines.len() / 2].join("\n");
        repo.commit(
            &[
                ("a.txt", &text),
                ("deep/down/b.txt", &half),
                (&format!("new/{round}"), ""),
            ],
            "round",
        );
    }
    repo
}

#[test]
fn loose_packed_and_mixed_objects_are_all_read_once() {
    let repo = busy();
    assert_complete(repo.path());
    repo.git(&["repack", "-q", "-adf", "--depth=50", "--window=50"]);
    assert_complete(repo.path());
    repo.commit(&[("later", SECRET)], "loose again");
    assert_complete(repo.path());
    repo.git(&["-c", "pack.indexVersion=1", "repack", "-q", "-d"]);
    assert_complete(repo.path());
    repo.git(&["gc", "-q", "--aggressive"]);
    assert_complete(repo.path());
}

#[test]
fn packs_with_deltas_by_id_are_read() {
    let repo = busy();
    // Without `--delta-base-offset` every delta names its base by id.
    let all = repo.git(&["rev-list", "--objects", "--all"]);
    repo.write(
        "../list",
        all.lines()
            .map(|it| format!("{}\n", &it[..40]))
            .collect::<String>(),
    );
    let script =
        "git pack-objects -q --depth=50 .git/objects/pack/pack < ../list && git prune-packed";
    assert!(
        std::process::Command::new("sh")
            .args(["-c", script])
            .current_dir(repo.path())
            .output()
            .unwrap()
            .status
            .success()
    );
    assert_complete(repo.path());
}

#[test]
fn a_small_memory_budget_only_costs_time() {
    let repo = Repo::new();
    let mut text: Vec<u8> = (0..60_000_u32)
        .flat_map(|it| it.wrapping_mul(2_654_435_761).to_be_bytes())
        .collect();
    for round in 0..12_u8 {
        text[usize::from(round) * 1000] ^= 0x55;
        text.extend([round; 999]);
        repo.write("big", &text);
        repo.commit(&[], "grow");
    }
    repo.git(&["repack", "-q", "-adf", "--depth=50"]);
    let (keep, _) = read_with(
        repo.path(),
        &HistoryOptions {
            memory: 1 << 20,
            ..HistoryOptions::default()
        },
    );
    assert_eq!(keep.reasons(), []);
    assert!(keep.by_id() == Repo::oracle(repo.path(), "blob"));
}

#[test]
fn objects_above_the_limit_are_named_and_their_deltas_still_read() {
    let repo = busy();
    repo.git(&["repack", "-q", "-adf", "--depth=50"]);
    let all = Repo::oracle(repo.path(), "blob");
    let limit = all.values().map(Vec::len).sum::<usize>() / all.len();
    let (keep, totals) = read_with(
        repo.path(),
        &HistoryOptions {
            max_size: limit as u64,
            ..Default::default()
        },
    );
    let (small, large): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.1.len() <= limit);
    assert!(!small.is_empty() && !large.is_empty());
    assert_eq!(totals.blobs as usize, small.len());
    let expected: Vec<_> = large
        .iter()
        .map(|it| (it.0.to_string(), Reason::TooLarge))
        .collect();
    assert_eq!(keep.reasons(), expected);
}

#[test]
fn bare_shared_and_linked_repositories_lead_to_the_same_objects() {
    let repo = busy();
    repo.git(&["gc", "-q"]);
    let bare = repo.beside("bare.git");
    repo.git(&[
        "clone",
        "-q",
        "--bare",
        "--no-local",
        ".",
        bare.to_str().unwrap(),
    ]);
    assert_complete(&bare);
    let shared = repo.beside("shared");
    repo.git(&["clone", "-q", "--shared", ".", shared.to_str().unwrap()]);
    assert_complete(&shared);
    let linked = repo.beside("linked");
    repo.git(&[
        "worktree",
        "add",
        "-q",
        linked.to_str().unwrap(),
        "-b",
        "side",
    ]);
    assert_complete(&linked);
    assert_complete(&repo.path().join("deep"));
}

#[test]
fn a_missing_alternate_is_a_gap() {
    let repo = busy();
    let shared = repo.beside("shared");
    repo.git(&["clone", "-q", "--shared", ".", shared.to_str().unwrap()]);
    fs::write(
        shared.join(".git/objects/info/alternates"),
        "/nowhere/objects\n",
    )
    .unwrap();
    let reasons = read(&shared).reasons();
    assert_eq!(reasons.len(), 1);
    assert_eq!(reasons[0].1, Reason::MissingObject);
}

#[test]
fn duplicates_in_two_packs_and_loose_are_read_once() {
    let repo = busy();
    repo.git(&["repack", "-q", "-a"]);
    repo.write(
        "../list",
        repo.git(&["rev-parse", "HEAD:a.txt", "HEAD~3:a.txt", "HEAD"]) + "\n",
    );
    let script = "git pack-objects -q .git/objects/pack/pack < ../list";
    assert!(
        std::process::Command::new("sh")
            .args(["-c", script])
            .current_dir(repo.path())
            .output()
            .unwrap()
            .status
            .success()
    );
    let packs = fs::read_dir(repo.path().join(".git/objects/pack"))
        .unwrap()
        .flatten();
    assert_eq!(
        packs
            .filter(|it| it.path().extension().is_some_and(|it| it == "pack"))
            .count(),
        2
    );
    assert_complete(repo.path());
}

fn only_pack(repo: &Repo) -> PathBuf {
    let packs = fs::read_dir(repo.path().join(".git/objects/pack"))
        .unwrap()
        .flatten()
        .map(|it| it.path());
    packs
        .filter(|it| it.extension().is_some_and(|it| it == "pack"))
        .max_by_key(|it| fs::metadata(it).unwrap().len())
        .unwrap()
}

fn rewrite(path: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::remove_file(path).unwrap();
    fs::write(path, bytes).unwrap();
}

#[test]
fn damaged_packs_lose_only_what_is_damaged() {
    let repo = busy();
    repo.git(&["repack", "-q", "-adf", "--depth=50"]);
    let sound = Repo::oracle(repo.path(), "blob");
    let pack = only_pack(&repo);
    let original = fs::read(&pack).unwrap();
    let mut lost_some = 0;
    for step in 1..60 {
        let at = original.len() * step / 60;
        rewrite(&pack, |it| {
            it.clone_from(&original);
            it[at] ^= 0x5a;
        });
        let keep = read(repo.path());
        let found = keep.by_id();
        assert!(
            found
                .iter()
                .all(|(id, bytes)| sound.get(id).is_none_or(|it| it == bytes)),
            "wrong bytes at {at}"
        );
        let gaps = keep.reasons();
        assert!(gaps.iter().all(|it| matches!(
            it.1,
            Reason::CorruptObject | Reason::TooLarge | Reason::MissingObject
        )));
        lost_some += usize::from(sound.keys().any(|it| !found.contains_key(it)));
        for missing in sound.keys().filter(|it| !found.contains_key(it)) {
            let named = gaps.iter().any(|it| it.0 == missing.to_string());
            assert!(named, "{missing} vanished in silence, byte {at}");
        }
    }
    assert!(lost_some > 5, "{lost_some}");
    rewrite(&pack, |it| it.truncate(original.len() / 2));
    let keep = read(repo.path());
    assert!(!keep.reasons().is_empty());
    rewrite(&pack, |it| it.truncate(10));
    assert_eq!(read(repo.path()).reasons().len(), 1);
}

#[test]
fn a_pack_without_index_and_an_index_without_pack_are_gaps() {
    for (kept, reason) in [
        ("pack", Reason::CorruptObject),
        ("idx", Reason::MissingObject),
    ] {
        let repo = busy();
        repo.git(&["repack", "-q", "-adf"]);
        let pack = only_pack(&repo);
        for other in ["pack", "idx"].iter().filter(|it| **it != kept) {
            fs::remove_file(pack.with_extension(other)).unwrap();
        }
        let name = pack.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(read(repo.path()).reasons(), [(name, reason)]);
    }
}

#[test]
fn a_sound_copy_makes_good_for_a_damaged_one() {
    let repo = busy();
    repo.git(&["repack", "-q", "-adf", "--depth=50"]);
    let sound = Repo::oracle(repo.path(), "blob");
    let clone = repo.beside("clone");
    repo.git(&["clone", "-q", "--no-local", ".", clone.to_str().unwrap()]);
    fs::write(
        repo.path().join(".git/objects/info/alternates"),
        format!("{}/.git/objects\n", clone.display()),
    )
    .unwrap();
    rewrite(&only_pack(&repo), |it| {
        let at = it.len() / 3;
        it[at..at + 40].fill(0x5a);
    });
    let keep = read(repo.path());
    assert_eq!(keep.reasons(), []);
    assert!(keep.by_id() == sound);
}

#[test]
fn shallow_and_partial_clones_say_that_history_ends() {
    let repo = busy();
    let url = format!("file://{}", repo.path().display());
    let shallow = repo.beside("shallow");
    repo.git(&["clone", "-q", "--depth=1", &url, shallow.to_str().unwrap()]);
    assert_eq!(
        read(&shallow)
            .reasons()
            .iter()
            .map(|it| it.1)
            .collect::<Vec<_>>(),
        [Reason::ShallowClone]
    );
    repo.git(&["config", "uploadpack.allowFilter", "true"]);
    let partial = repo.beside("partial");
    repo.git(&[
        "clone",
        "-q",
        "--filter=blob:none",
        "--no-checkout",
        &url,
        partial.to_str().unwrap(),
    ]);
    let gaps = History::open(&partial)
        .unwrap()
        .origins(&HashSet::new())
        .gaps;
    assert_eq!(gaps.len(), 1);
    assert_eq!(gaps[0].reason, Reason::PartialClone);
    let missing = Repo::oracle(repo.path(), "blob").len();
    let told = format!("partial: {missing} file(s) and 0 folder(s)");
    assert!(gaps[0].detail.contains(&told), "{}", gaps[0].detail);
    assert!(
        gaps[0].detail.contains("such as a.txt, "),
        "{}",
        gaps[0].detail
    );
}

/// `path commit-or-minus reachable in-head` of each origin.
fn origins(path: &Path, text: &str) -> Vec<(String, Option<String>, bool, bool)> {
    let history = History::open(path).unwrap();
    let blob = id(&Repo::git_in(path, &["rev-parse", "HEAD"]))
        .as_bytes()
        .len();
    assert_eq!(blob, 20);
    let hash = git2::Oid::hash_object(git2::ObjectType::Blob, text.as_bytes()).unwrap();
    let flagged = id(&hash.to_string());
    let origins = history.origins(&HashSet::from([flagged]));
    assert_eq!(origins.gaps, []);
    let row = |(found, place): &(Origin, Option<u32>)| {
        let it = match place {
            Some(place) => &origins.lives.origin(found, &[*place], Contents::Whole),
            None => found,
        };
        (
            it.path.clone(),
            it.introduced.as_ref().map(|it| it.commit.clone()),
            it.reachable,
            it.in_head,
        )
    };
    origins.by_blob[&flagged].iter().map(row).collect()
}

#[test]
fn a_secret_is_traced_through_renames_copies_and_removal() {
    let repo = busy();
    let first = repo.commit(&[("deep/down/key.env", SECRET)], "born");
    repo.git(&["mv", "deep/down/key.env", "moved.env"]);
    let second = repo.commit(&[], "renamed");
    let third = repo.commit(
        &[("moved.env", "clean"), ("x/copy.env", SECRET)],
        "cleaned and copied",
    );
    let expected = vec![
        ("deep/down/key.env".to_owned(), Some(first), true, false),
        ("moved.env".to_owned(), Some(second), true, false),
        ("x/copy.env".to_owned(), Some(third), true, true),
    ];
    assert_eq!(origins(repo.path(), SECRET), expected);
    repo.git(&["gc", "-q", "--aggressive"]);
    assert_eq!(origins(repo.path(), SECRET), expected);
}

#[test]
fn a_secret_born_in_a_merge_is_found_in_the_merge() {
    let repo = Repo::new();
    repo.commit(&[("a", "1")], "base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    repo.commit(&[("b", "2")], "side");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("c", "3")], "main");
    repo.git(&["merge", "-q", "--no-commit", "side"]);
    let merge = repo.commit(&[("evil.env", SECRET)], "merge");
    assert_eq!(
        origins(repo.path(), SECRET),
        [("evil.env".to_owned(), Some(merge), true, true)]
    );
}

#[test]
fn a_merge_that_only_brings_a_secret_along_does_not_introduce_it() {
    let repo = Repo::new();
    repo.commit(&[("a", "1")], "base");
    repo.git(&["checkout", "-q", "-b", "side"]);
    let side = repo.commit(&[("b.env", SECRET)], "side");
    repo.git(&["checkout", "-q", "main"]);
    repo.commit(&[("c", "3")], "main");
    repo.git(&["merge", "-q", "--no-edit", "side"]);
    assert_eq!(
        origins(repo.path(), SECRET),
        [("b.env".to_owned(), Some(side), true, true)]
    );
}

#[test]
fn stashes_are_reachable_amended_commits_are_not_and_dangling_blobs_have_no_commit() {
    let repo = Repo::new();
    repo.commit(&[("a", "1")], "base");
    repo.write("a", SECRET);
    repo.git(&["stash", "-q"]);
    let stash = repo.git(&["rev-parse", "stash"]);
    let index = repo.git(&["rev-parse", "stash^2"]);
    let found = origins(repo.path(), SECRET);
    assert_eq!(found.len(), 1);
    assert!(
        found[0]
            .1
            .as_ref()
            .is_some_and(|it| *it == stash || *it == index)
    );
    assert_eq!(
        (found[0].0.as_str(), found[0].2, found[0].3),
        ("a", true, false)
    );

    let amended = repo.commit(&[("b", "amended away\n")], "oops");
    repo.git(&["rm", "-q", "b"]);
    repo.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "fine"]);
    assert_eq!(
        origins(repo.path(), "amended away\n"),
        [("b".to_owned(), Some(amended), false, false)]
    );

    repo.write("../dangling", "dangling\n");
    let blob = repo.git(&["hash-object", "-w", "../dangling"]);
    assert_eq!(
        origins(repo.path(), "dangling\n"),
        [(format!("objects/{blob}"), None, false, false)]
    );
    assert!(read(repo.path()).by_id().contains_key(&id(&blob)));
    assert_complete(repo.path());

    repo.write("staged", "only staged\n");
    repo.git(&["add", "staged"]);
    assert_eq!(
        origins(repo.path(), "only staged\n"),
        [("staged".to_owned(), None, false, false)]
    );
}

#[test]
fn authors_go_through_the_mail_map() {
    let repo = Repo::new();
    repo.commit(
        &[
            (".mailmap", "Countess <new@example.com> <ada@example.com>\n"),
            ("k", SECRET),
        ],
        "one",
    );
    let hash = repo.blob_id(SECRET);
    let origins = History::open(repo.path())
        .unwrap()
        .origins(&HashSet::from([hash]));
    let (found, place) = &origins.by_blob[&hash][0];
    let origin = origins
        .lives
        .origin(found, &[place.unwrap()], Contents::Whole);
    let introduced = origin.introduced.unwrap();
    assert_eq!(introduced.author, "Countess");
    assert!(introduced.seconds >= 1_700_000_000);
}
