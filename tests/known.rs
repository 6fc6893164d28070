//! Values of an inventory are found anywhere in any text by their fingerprints alone: random values, planted
//! at random places of real sources and of a history, as they are and encoded, with their export gone. And
//! the store tells nothing of them.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use keyatlas::import::{self, Importer};
use keyatlas::inventory::Store;
use keyatlas::model::finding::Finding;
use keyatlas::model::input::Input;
use keyatlas::model::level::Confidence;
use keyatlas::model::tag::Strength;
use keyatlas::ruleset;
use keyatlas::scan::{self, Ground, KnownValues, Mode, Within};
use keyatlas::syntax::telling;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// SplitMix64 (Steele, Lea and Flood 2014).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % most.max(1) as u64) as usize
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.below(256) as u8).collect()
    }
}

/// Alphabets, and the length from which their values have forty bits with some to spare.
const ALPHABETS: &[(&str, usize)] = &[
    ("0123456789", 15),
    ("0123456789abcdef", 12),
    ("0123456789ABCDEF", 12),
    ("abcdefghijklmnopqrstuvwxyz", 12),
    ("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 12),
    (
        "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789",
        12,
    ),
    (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        12,
    ),
    (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        12,
    ),
    (
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
        12,
    ),
    (
        "abcdefghijklmnopqrstuvwxyz0123456789!#$%&*+,-./:;=?@^_~ (){}[]|<>'\"\\",
        12,
    ),
    ("абвгдежзийклмнопрстуфхцчшщ0123456789", 12),
    ("äöüéèabcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789", 12),
];

fn value(random: &mut Random) -> String {
    let (alphabet, shortest) = ALPHABETS[random.below(ALPHABETS.len())];
    let alphabet: Vec<char> = alphabet.chars().collect();
    let length = shortest + random.below(201 - shortest);
    // Many short ones: they are the hard ones.
    let length = if random.below(3) == 0 {
        shortest + random.below(8)
    } else {
        length
    };
    loop {
        let drawn: String = (0..length)
            .map(|_| alphabet[random.below(alphabet.len())])
            .collect();
        if drawn.trim() == drawn {
            return drawn;
        }
    }
}

/// Distinct values that are strong enough to be searched for, and how many were not.
fn values(count: usize, random: &mut Random) -> (Vec<String>, usize) {
    let seal = keyatlas::model::fingerprint::Fingerprinter::new([1; 32]);
    let (mut values, mut weak) = (BTreeSet::new(), 0);
    while values.len() < count {
        let value = value(random);
        match telling::tag(value.as_bytes(), &seal).strength {
            Strength::Searchable => drop(values.insert(value)),
            _ => weak += 1,
        }
    }
    (values.into_iter().collect(), weak)
}

/// How a value is written. What a URL cannot hold is all escaped; JSON as its grammar asks.
fn spelled(value: &str, random: &mut Random) -> String {
    let lead = random.below(7);
    let around = [
        random.bytes(lead),
        value.as_bytes().to_vec(),
        random.bytes(4),
    ]
    .concat();
    match random.below(12) {
        0 => BASE64.encode(value.as_bytes()),
        1 => BASE64.encode(&around),
        2 => BASE64URL_NOPAD.encode(&around),
        3 => HEXLOWER.encode(&around),
        4 => HEXUPPER.encode(value.as_bytes()),
        5 if value.is_ascii() => value.bytes().map(percent).collect(),
        6 | 7 => serde_json::to_string(value).unwrap(),
        _ => value.to_owned(),
    }
}

fn percent(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        char::from(byte).to_string()
    } else {
        format!("%{byte:02X}")
    }
}

/// The sources of this program: real, and with no value in them.
fn sources() -> Vec<String> {
    let mut files: Vec<PathBuf> = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let texts = files.iter().map(|it| fs::read_to_string(it).unwrap());
    texts.filter(|it| it.len() > 2_000).collect()
}

/// The text with a value at a random place.
fn planted(text: &str, value: &str, random: &mut Random) -> String {
    let mut at = random.below(text.len());
    while !text.is_char_boundary(at) {
        at += 1;
    }
    // Any other letter beside it would make base64 of another alignment.
    let beside = ["\"", " ", "'", "\n", "=", ">", "(", ","];
    let [before, behind] = [0, 0].map(|_| beside[random.below(beside.len())]);
    [&text[..at], before, value, behind, &text[at..]].concat()
}

/// Puts a line with a text into another, somewhere; no other's line is cut.
fn insert(text: &mut String, planted: &str, random: &mut Random) {
    let line = random.below(text.lines().count());
    let before = text.lines().take(line).map(|it| it.len() + 1);
    let at = before.sum::<usize>().min(text.len());
    let line = self::planted("// words before, words behind", planted, random);
    text.insert_str(at, &format!("{line}\n"));
}

/// A store with these values, and nothing that they could be read from.
fn store(folder: &Path, values: &[String]) -> Store {
    let (path, key) = (folder.join("inventory.db"), folder.join("keys/key"));
    drop(Store::create(&path, &key).unwrap());
    let mut store = Store::open(&path, Some(&key)).unwrap();
    let rows = values.iter().enumerate().map(|(number, it)| {
        format!(
            "kv/app{number},password,vault,\"{}\"\n",
            it.replace('"', "\"\"")
        )
    });
    let table = format!("name,key,provider,value\n{}", rows.collect::<String>());
    let input = Input {
        name: "export.csv".to_owned(),
        bytes: table.into_bytes().into(),
    };
    let (seal, mut records) = (store.fingerprinter(), Vec::new());
    let options = import::Options::default();
    import::read(
        Importer::named("csv").unwrap(),
        &input,
        seal.as_ref(),
        &options,
        &mut |it| {
            records.push(it);
        },
    )
    .unwrap();
    store.import("export.csv", records, &[], 1).unwrap();
    drop(store);
    Store::open(&path, Some(&key)).unwrap()
}

fn known(store: &Store) -> KnownValues {
    KnownValues::new(
        &store.fingerprinter().unwrap(),
        &store.tagged().unwrap().unwrap(),
    )
}

fn findings(
    root: &Path,
    mode: Mode,
    known: Option<KnownValues>,
    whole_blobs: bool,
) -> Vec<Finding> {
    let rules = Arc::new(ruleset::load(&ruleset::Options::default()).unwrap());
    let options = scan::Options {
        roots: vec![root.to_owned()],
        mode,
        within: Within::everything(),
        jobs: 2,
        max_size: 1 << 24,
        max_depth: 4,
        no_ignore: true,
        whole_blobs,
        exclude: Vec::new(),
        min_confidence: Confidence::Medium,
        references: false,
        estate: false,
        salt: None,
        fingerprinter: None,
        known: known.map(Arc::new),
        ground: Ground::default(),
        index_file: None,
        objects: Vec::new(),
        shelf: None,
        progress: None,
    };
    scan::run(&options, &rules).unwrap().findings
}

/// What was shown where.
fn shown(findings: &[Finding]) -> BTreeSet<(String, String)> {
    let shown = findings.iter().map(|it| {
        let value = String::from_utf8_lossy(it.secret.expose()).into_owned();
        (it.path.clone(), value)
    });
    shown.collect()
}

#[test]
fn a_thousand_values_are_found_in_sources_and_none_is_invented() {
    let mut random = Random(11);
    let (values, weak) = values(1_000, &mut random);
    assert!(weak <= 20, "{weak} values look weak");
    let sources = sources();
    let mut texts: BTreeMap<String, String> = BTreeMap::new();
    let mut expected = BTreeSet::new();
    for value in &values {
        let number = random.below(sources.len());
        let path = format!("{number}.txt");
        let text = texts
            .entry(path.clone())
            .or_insert_with(|| sources[number].clone());
        insert(text, &spelled(value, &mut random), &mut random);
        expected.insert((path, value.clone()));
    }
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    for (path, text) in &texts {
        fs::write(tree.join(path), text).unwrap();
    }
    let store = store(folder.path(), &values);
    let found = findings(&tree, Mode::Tree, Some(known(&store)), false);
    let found_there = shown(&found);
    let lost: Vec<_> = expected.difference(&found_there).collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        expected.len()
    );
    let by_value = found.iter().filter(|it| it.rule == "known-value");
    let by_value: Vec<Finding> = by_value.cloned().collect();
    let invented: Vec<_> = shown(&by_value).difference(&expected).cloned().collect();
    assert!(invented.is_empty(), "{invented:?}");
    assert!(by_value.len() > 500, "{}", by_value.len());
    let places: BTreeSet<_> = found
        .iter()
        .map(|it| (&it.path, it.place, it.secret.expose()))
        .collect();
    assert_eq!(places.len(), found.len(), "something is told twice");
    // Without an inventory none of this is known.
    let without = findings(&tree, Mode::Tree, None, false);
    assert!(without.iter().all(|it| it.rule != "known-value"));
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .args(["-c", "core.autocrlf=false", "-c", "gc.auto=0"])
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", folder.join("none"))
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_AUTHOR_NAME", "Ada")
        .env("GIT_AUTHOR_EMAIL", "ada@example.com")
        .env("GIT_COMMITTER_NAME", "Ada")
        .env("GIT_COMMITTER_EMAIL", "ada@example.com")
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn values_that_came_and_went_in_a_history_are_found_by_way_of_deltas() {
    let mut random = Random(13);
    let (values, _) = values(1_000, &mut random);
    let sources = sources();
    let folder = tempfile::tempdir().unwrap();
    let repository = folder.path().join("repository");
    fs::create_dir(&repository).unwrap();
    git(&repository, &["init", "-q", "-b", "main", "."]);
    let mut expected = BTreeSet::new();
    let mut halves = String::new();
    for (round, some) in values.chunks(40).enumerate() {
        // Each file has the values of one round alone, and parts of them in the next.
        let mut texts: Vec<String> = sources[..8].to_vec();
        texts.iter_mut().for_each(|it| it.push_str(&halves));
        halves.clear();
        for value in some {
            let number = random.below(texts.len());
            let spelled = spelled(value, &mut random);
            insert(&mut texts[number], &spelled, &mut random);
            let half = (0..=spelled.len() / 2).rev();
            let half = half.into_iter().find(|it| spelled.is_char_boundary(*it));
            halves.push_str(&format!("// {}\n", &spelled[..half.unwrap()]));
            expected.insert((format!("{number}.txt"), value.clone()));
        }
        for (number, text) in texts.iter().enumerate() {
            fs::write(repository.join(format!("{number}.txt")), text).unwrap();
        }
        git(&repository, &["add", "."]);
        git(
            &repository,
            &["commit", "-q", "-m", &format!("round {round}")],
        );
    }
    git(
        &repository,
        &[
            "commit",
            "-q",
            "--allow-empty",
            "-m",
            &format!("take {} out", values[0]),
        ],
    );
    git(
        &repository,
        &["repack", "-q", "-adf", "--depth=40", "--window=40"],
    );
    let store = store(folder.path(), &values);
    let all: BTreeSet<&[u8]> = values.iter().map(String::as_bytes).collect();
    let told = |whole_blobs| {
        let found = findings(&repository, Mode::History, Some(known(&store)), whole_blobs);
        let by_value: Vec<&Finding> = found.iter().filter(|it| it.rule == "known-value").collect();
        let is_ours = |it: &&Finding| all.contains(it.secret.expose());
        assert!(by_value.iter().all(is_ours), "something is invented");
        assert!(by_value.len() > 500, "{}", by_value.len());
        let told = found.iter().map(|it| {
            format!(
                "{} {} {:?} {:?} {:?} {:?}",
                it.rule,
                it.path,
                it.place,
                it.secret.expose(),
                it.facts,
                it.origins
            )
        });
        (told.collect::<Vec<_>>(), shown(&found))
    };
    let (chained, found) = told(false);
    let lost: Vec<_> = expected.difference(&found).collect();
    assert!(
        lost.is_empty(),
        "{} of {}: {lost:?}",
        lost.len(),
        expected.len()
    );
    assert_eq!(chained, told(true).0);
    let is_in_message = |it: &(String, String)| it.1 == values[0] && !expected.contains(it);
    assert!(
        found.iter().any(is_in_message),
        "a message is text like any other"
    );
}

#[test]
fn a_store_tells_nothing_of_values_and_without_its_key_finds_none() {
    let mut random = Random(17);
    let (values, _) = values(12, &mut random);
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    fs::create_dir(&tree).unwrap();
    fs::write(tree.join("a.txt"), values.join("\n")).unwrap();
    let store = store(folder.path(), &values);
    assert_eq!(store.status().unwrap().known.unwrap().searchable, 12);
    let found = findings(&tree, Mode::Tree, Some(known(&store)), false);
    assert!(shown(&found).len() >= 12);
    drop(store);

    let path = folder.path().join("inventory.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    let mut statement = connection
        .prepare("SELECT tag, fingerprint FROM version")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(Vec<u8>, Vec<u8>)> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 12);
    let sizes: BTreeSet<usize> = rows.iter().map(|it| it.0.len()).collect();
    assert_eq!(
        sizes.len(),
        1,
        "the length of a tag tells the length of its value"
    );
    let kept: Vec<u8> = rows
        .into_iter()
        .flat_map(|it| [it.0, it.1].concat())
        .collect();
    let file = fs::read(&path).unwrap();
    for value in &values {
        // Five bytes of a file of pages meet by chance once in millions of runs; four of the columns too.
        for (bytes, size) in [(&kept, 4), (&file, 6)] {
            let mut pieces = value.as_bytes().windows(size);
            assert!(
                pieces.all(|it| memchr::memmem::find(bytes, it).is_none()),
                "{size}"
            );
        }
    }
    let locked = Store::open(&path, None).unwrap();
    assert!(locked.tagged().unwrap().is_none());
    assert!(locked.status().unwrap().known.is_none());
    let names: Vec<_> = locked.inventory().unwrap().records;
    assert_eq!(names.len(), 12, "names can be read");
}

#[test]
fn equal_values_in_two_stores_have_nothing_in_common() {
    let (values, _) = values(5, &mut Random(19));
    let [one, other] = [0, 1].map(|_| {
        let folder = tempfile::tempdir().unwrap();
        let store = store(folder.path(), &values);
        let records = store.inventory().unwrap().records;
        let versions = records.into_iter().flat_map(|it| it.versions);
        let kept: Vec<_> = versions.map(|it| (it.fingerprint, it.veil)).collect();
        (kept, *known(&store).digest())
    });
    assert_ne!(one.1, other.1);
    for (a, b) in one.0.iter().zip(&other.0) {
        assert_ne!(a.0, b.0);
        let tag = |it: &Option<keyatlas::model::record::Veil>| it.clone().unwrap().tag.unwrap();
        assert_ne!(tag(&a.1), tag(&b.1));
    }
}
