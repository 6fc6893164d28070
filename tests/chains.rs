//! What is found in a text made out of another by an edit is exactly what is found in it alone: texts full
//! of every rule's examples, cut, moved, repeated and joined again at random, and repositories of such
//! texts, scanned both ways.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use data_encoding::{BASE64, BASE64URL_NOPAD};
use keyatlas::decode::charset;
use keyatlas::detect::{Detector, Found, KnownValues, Scratch, Seed, Texture, Trail, fill};
use keyatlas::model::delta::Edit;
use keyatlas::model::fingerprint::Fingerprinter;
use keyatlas::model::part::Bond;
use keyatlas::model::tag::Tagged;
use keyatlas::ruleset;
use keyatlas::syntax::telling;
use std::fs;
use std::path::Path;
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

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Pieces that texts are made of.
struct Pieces {
    examples: Vec<String>,
    values: Vec<String>,
}

/// Values of an inventory that no rule would find: short ones, and one longer than what rules look at.
fn values() -> Vec<String> {
    let mut random = Random(3);
    let alphabet = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+\" \\\n%";
    let lengths = [12, 14, 17, 20, 33, 64, 200, 900, 5000];
    let drawn = |length: usize, random: &mut Random| -> String {
        let letters = (0..length).map(|_| char::from(*random.of(alphabet)));
        format!("x{}x", letters.collect::<String>())
    };
    let values = (0..27).map(|at| drawn(lengths[at % lengths.len()], &mut random));
    values.collect()
}

fn known(values: &[String]) -> Arc<KnownValues> {
    let seal = Fingerprinter::new([9; 32]);
    let tagged = values.iter().map(|it| {
        (
            seal.fingerprint(it.as_bytes()),
            telling::tag(it.as_bytes(), &seal),
        )
    });
    let tagged = Tagged {
        values: tagged.collect(),
        untagged: 0,
    };
    Arc::new(KnownValues::new(&seal, &tagged))
}

const PLAIN: &[&str] = &[
    "the quick brown fox jumps over the lazy dog",
    "int main(void) { return token_count(key, secret); }",
    "if (strcmp(password, other) == 0) goto fail;",
    "ключ и пароль: наизусть",
    "// keyatlas:allow generic-password until=2027-01-31 data of a test",
    "x = 1  # gitleaks:allow",
    "passwords: [\"q8Zk27xPw0LmN4\", \"Zx81kQw02Lm7Yt\", \"Tr0ub4dor&3xyz\", \"M4tYb6Rcq8Zk27\"]",
    "key =                                                                                          ",
    "http://user",
    ":q8Zk27xPw0@host.internal/path",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----END RSA PRIVATE KEY-----",
    "redis://redis redis redis valkey redis password password token",
    "password=",
    "api_key_token_secret_password",
    "\"",
    "é",
    "-",
    "",
];

/// Base64 in lines.
fn wrapped(text: &[u8], width: usize) -> Vec<u8> {
    let text = [b"some words before it: ", text, b"\n"].concat().repeat(2);
    let whole = BASE64.encode(&text).into_bytes();
    whole.chunks(width).collect::<Vec<_>>().join(&b'\n')
}

/// Some characters written as escapes of one kind.
fn escaped(text: &[u8], random: &mut Random) -> Vec<u8> {
    let kind = random.below(3);
    let often = 1 + random.below(12);
    let each = text.iter().map(|it| match (random.below(often), kind) {
        (0, 0) => format!("%{it:02X}").into_bytes(),
        (0, 1) => format!("\\u{:04x}", u32::from(*it)).into_bytes(),
        (0, _) => format!("&#{it};").into_bytes(),
        _ => vec![*it],
    });
    each.flatten().collect()
}

impl Pieces {
    fn new(detector: &Detector) -> Self {
        let rules = ruleset::load(&ruleset::Options::default()).unwrap();
        let mut seed = Seed(7);
        let examples = rules.rules.iter().flat_map(|it| &it.examples);
        let parts = rules.rules.iter().flat_map(|it| &it.parts);
        let pairs = parts.flat_map(|it| it.examples.iter().chain(&it.counter_examples));
        let examples: Vec<String> = examples
            .chain(pairs)
            .map(|it| fill(it, &mut seed).unwrap())
            .filter(|it| it.len() < 6000)
            .collect();
        let found = examples
            .iter()
            .filter(|it| !detect(detector, it.as_bytes()).is_empty());
        assert!(found.count() > 500, "the examples are no examples");
        Self {
            examples,
            values: values(),
        }
    }

    /// A value of the inventory in some spelling.
    fn value(&self, random: &mut Random) -> Vec<u8> {
        let value = random.of(&self.values).as_bytes();
        match random.below(8) {
            0 => BASE64.encode(value).into_bytes(),
            1 => BASE64URL_NOPAD
                .encode(&[b"ab", value].concat())
                .into_bytes(),
            2 => data_encoding::HEXLOWER.encode(value).into_bytes(),
            3 => escaped(value, random),
            4 => value.escape_ascii().to_string().into_bytes(),
            _ => value.to_vec(),
        }
    }

    fn line(&self, random: &mut Random) -> Vec<u8> {
        let end = random.of(&["\n", "\n", "\r\n", " ", "", "\n\n", "; "]);
        let example = random.of(&self.examples).as_bytes();
        let mut line = match random.below(19) {
            0..4 => random.of(PLAIN).as_bytes().to_vec(),
            4..8 => example.to_vec(),
            8 => BASE64.encode(example).into_bytes(),
            9 => {
                let inner = BASE64URL_NOPAD.encode(example);
                BASE64
                    .encode(format!("data: {inner}").as_bytes())
                    .into_bytes()
            }
            10 => vec![b'='; random.below(900)],
            16.. => self.value(random),
            11 => wrapped(example, 48 + 4 * random.below(8)),
            12 => data_encoding::HEXLOWER.encode(example).into_bytes(),
            13 => escaped(example, random),
            // A text with one of these is in Latin-1.
            _ if random.below(300) == 0 => b"caf\xe9 \x80 na\xefve password = ".to_vec(),
            14 => [b"%41 \\u0041 &quot; ", random.of(PLAIN).as_bytes()].concat(),
            _ => random.of(PLAIN).as_bytes().repeat(random.below(40)),
        };
        line.extend(end.as_bytes());
        line
    }

    fn text(&self, random: &mut Random) -> Vec<u8> {
        let mut text = Vec::new();
        for _ in 0..20 + random.below(120) {
            let line = self.line(random);
            text.extend(line);
        }
        text
    }

    /// A few cuts anywhere, with pieces left out, put in, moved or repeated at them.
    fn edited(&self, base: &[u8], random: &mut Random, edit: &mut Edit) -> Vec<u8> {
        let mut cuts: Vec<usize> = (0..random.below(7))
            .map(|_| random.below(base.len()))
            .collect();
        cuts.sort_unstable();
        let starts = std::iter::once(0).chain(cuts.iter().copied());
        let ends = cuts.iter().copied().chain([base.len()]);
        let mut out = Vec::new();
        edit.reset(base.len());
        let copy = |edit: &mut Edit, out: &mut Vec<u8>, start: usize, end: usize| {
            // Git cuts long copies, too.
            let mut at = start;
            while at < end {
                let part = (end - at).min(5000);
                edit.copy(at, part);
                out.extend(&base[at..at + part]);
                at += part;
            }
        };
        for (start, end) in starts.zip(ends) {
            copy(
                edit,
                &mut out,
                start,
                end - random.below((end - start).min(30)),
            );
            match random.below(8) {
                0 | 1 => {
                    let line = self.line(random);
                    let line = &line[random.below(line.len())..];
                    edit.insert(line.len());
                    out.extend(line);
                }
                2 => {
                    let from = random.below(base.len());
                    let to = from + random.below((base.len() - from).min(3000));
                    copy(edit, &mut out, from, to);
                }
                3 => {
                    let byte = *random.of(b"a= \"\n\xC3K");
                    edit.insert(1);
                    out.push(byte);
                }
                _ => {}
            }
        }
        edit.finish();
        assert_eq!(edit.length(), out.len());
        out
    }
}

fn detect(detector: &Detector, text: &[u8]) -> Vec<Found> {
    detector.detect(text, Texture::Text, &mut Scratch::default())
}

/// What belongs to it, or to what it belongs.
fn bond(found: &Found) -> String {
    let (Bond::Whole(whole) | Bond::Part(whole)) = &found.bond else {
        return String::new();
    };
    let parts: Vec<_> = whole.parts.iter().map(|it| (it.which, it.span)).collect();
    format!("{:?} {parts:?}", whole.candidate.secret.expose())
}

fn told(found: &[Found]) -> Vec<String> {
    let all = found.iter().map(|it| {
        let candidate = &it.candidate;
        format!(
            "{:?} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            it.span,
            candidate.rule,
            candidate.secret.expose(),
            candidate.key,
            candidate.written,
            candidate.confidence,
            candidate.facts,
            candidate.inline,
            candidate.expires,
            bond(it)
        )
    });
    all.collect()
}

/// Chains of this many texts, from this seed on.
fn chains(first: u64, count: u64) {
    let rules = Arc::new(ruleset::load(&ruleset::Options::default()).unwrap());
    let detector = Detector::new(rules).knowing(Some(known(&values())));
    let pieces = Pieces::new(&detector);
    let mut scratch = Scratch::default();
    let (mut followed, mut recognised) = (0, 0);
    for seed in first..first + count {
        let mut random = Random(seed);
        let mut text = pieces.text(&mut random);
        let mut state: Option<Trail> = None;
        let mut edit = Edit::default();
        for round in 0..6 {
            let place = format!("seed {seed}, round {round}");
            if !charset::is_plain(&text) {
                break;
            }
            let trail = match &state {
                Some(base) => detector.trace(&text, Some((&edit, base)), &mut scratch),
                None => detector.trace(&text, None, &mut scratch),
            };
            let trail = trail.unwrap();
            let found = detector.settled(&text, &trail);
            assert_eq!(told(&found), told(&detect(&detector, &text)), "{place}");
            followed += usize::from(round > 0) * found.len();
            let is_known = |it: &&Found| {
                it.candidate.facts[..]
                    .iter()
                    .any(|it| it.contains("inventory"))
            };
            recognised += usize::from(round > 0) * found.iter().filter(is_known).count();
            state = Some(trail);
            let next = pieces.edited(&text, &mut random, &mut edit);
            assert_eq!(
                charset::stays_plain(&next, &edit),
                charset::is_plain(&next),
                "{place}"
            );
            text = next;
        }
    }
    assert!(followed > count as usize * 20, "{followed}");
    assert!(recognised > count as usize * 5, "{recognised}");
}

/// `KEYATLAS_TEST_CHAINS=100000` asks for an hour of them, from another seed.
#[test]
fn edits_change_nothing_but_the_work() {
    match std::env::var("KEYATLAS_TEST_CHAINS") {
        Ok(count) => chains(1_000_000, count.parse().unwrap()),
        Err(_) => chains(1, 120),
    }
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

fn scan(folder: &Path, extra: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_keyatlas"))
        .args(["scan", "--history", "--format", "json"])
        // Else the second scan would read nothing.
        .args(["--min-confidence", "low", "--quiet", "--no-cache", "."])
        .args(extra)
        .current_dir(folder)
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .env_remove("KEYATLAS_INVENTORY")
        .output()
        .unwrap();
    assert!(output.status.code() < Some(2), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_repository_tells_the_same_both_ways_and_with_any_threads() {
    let detector = Detector::new(Arc::new(
        ruleset::load(&ruleset::Options::default()).unwrap(),
    ));
    let pieces = Pieces::new(&detector);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    git(folder, &["init", "-q", "-b", "main", "--bare", "."]);
    let mut random = Random(5);
    let mut edit = Edit::default();
    let mut texts: Vec<Vec<u8>> = (0..6).map(|_| pieces.text(&mut random)).collect();
    // One in Latin-1, one in UTF-16, one that changes between UTF-8 and neither.
    texts[1].insert(40, 0xE9);
    let work = folder.join("work");
    fs::create_dir(&work).unwrap();
    let arguments = ["--git-dir=.", "--work-tree=work"];
    for round in 0..25 {
        for (number, text) in texts.iter_mut().enumerate() {
            *text = pieces.edited(text, &mut random, &mut edit);
            let wide: Vec<u8> = String::from_utf8_lossy(text)
                .encode_utf16()
                .flat_map(u16::to_le_bytes)
                .collect();
            let bytes = match number {
                2 => [&b"\xFF\xFE"[..], &wide].concat(),
                3 if round % 3 == 0 => [&text[..], b"\xE9"].concat(),
                _ => text.clone(),
            };
            fs::write(work.join(format!("{number}.txt")), bytes).unwrap();
        }
        git(folder, &[&arguments[..], &["add", "-A", "."]].concat());
        git(
            folder,
            &[&arguments[..], &["commit", "-q", "-m", "round"]].concat(),
        );
    }
    git(
        folder,
        &["repack", "-q", "-adf", "--depth=20", "--window=20"],
    );
    let whole = scan(folder, &["--whole-blobs", "--jobs", "1"]);
    assert!(whole.len() > 100_000, "{}", whole.len());
    for jobs in ["1", "2", "3"] {
        assert!(scan(folder, &["--jobs", jobs]) == whole, "--jobs {jobs}");
    }
}
