//! What tells a value from the text around it: how hard it is to guess, and which of its bytes are the
//! rarest in texts. Makes the tags by which values are searched.
//!
//! Not here: what a tag holds (`model/tag`), and the search.

use crate::model::fingerprint::Fingerprinter;
use crate::model::secret::Worth;
use crate::model::tag::{Hasher, Mark, Spelling, Strength, Tag, WINDOW, alphabet};
use crate::syntax::{key, pairs, public};
use data_encoding::{BASE64_NOPAD, HEXLOWER, HEXUPPER};
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Shorter values are not searched for.
const SHORTEST: usize = 12;
/// Nor are those that take fewer guesses than two to the power of this.
const LEAST_BITS: u32 = 40;
/// No window is taken farther from the beginning of a value.
const HEAD: usize = 12 << 10;
/// Fixed-point bits: one bit is this many.
const BIT: u32 = 16;

/// The commonest four-byte pieces of source text, case folded: see `literals`.
static COMMON: LazyLock<HashMap<u32, u32>> = LazyLock::new(|| {
    let pieces = include_str!("grams.txt").lines();
    let pieces = pieces.flat_map(|it| it.as_bytes().chunks_exact(4));
    pieces.map(gram).zip(0..).collect()
});
/// Bytes by how often they occur in source text, commonest first.
const COMMON_BYTES: &[u8] = b" etaoinsrlcdupmfhg_.,\"()-=:/by0'v;1wk2>3x<\n{}45#*j9876q[z]@$";

fn gram(bytes: &[u8]) -> u32 {
    let all = bytes.iter().take(4).rev();
    all.fold(0, |gram, byte| gram << 8 | u32::from(*byte)) | 0x2020_2020
}

/// What is kept of a value.
pub fn tag(value: &[u8], seal: &Fingerprinter) -> Tag {
    let bits = bits(value);
    let is_key = value.starts_with(b"-----BEGIN ") || key::content(value).is_some();
    let strength = if is_key {
        Strength::Key
    } else if value.len() < SHORTEST || bits < LEAST_BITS {
        Strength::Weak
    } else {
        Strength::Searchable
    };
    let marks = match strength {
        Strength::Searchable => marks(value, Hasher::of(seal)),
        Strength::Weak | Strength::Key => Vec::new(),
    };
    Tag {
        strength,
        bits: bits.min(248) as u8 & !7,
        alphabet: alphabet(value),
        length: u32::try_from(value.len()).unwrap_or(u32::MAX),
        marks,
    }
}

/// About how many bits a value has that nobody can guess who knows how people name things. Characters count
/// by the kinds there are; less for words, for what goes on (`1234`, `aaaa`) and for what came before. Of
/// numbers with stops (addresses, dates) and of what is public by its shape nothing counts.
pub fn bits(value: &[u8]) -> u32 {
    let digits = value.iter().filter(|it| it.is_ascii_digit()).count();
    let is_split = digits > 0 && digits < value.len();
    let is_number = is_split && value.iter().all(|it| b"0123456789.:-+ ".contains(it));
    if is_number && Worth::of(value) == Worth::Plain || public::is_public(value) {
        return 0;
    }
    let rate = rate(value);
    let words = words(value);
    let mut seen: HashSet<&[u8]> = HashSet::new();
    let mut sum = 0;
    for at in 0..value.len() {
        let is_again = at >= 3 && !seen.insert(&value[at - 3..=at]);
        sum += match words[at] {
            Some(share) => share,
            None if is_again || goes_on(value, at) => BIT,
            None => rate,
        };
    }
    sum / BIT
}

/// Bits of one character where any of its kinds may stand.
fn rate(value: &[u8]) -> u32 {
    const SIZES: [(u8, f32); 6] = [
        (1, 10.0),
        (2, 26.0),
        (4, 26.0),
        (8, 1.0),
        (16, 32.0),
        (32, 64.0),
    ];
    let is_hex = value.iter().all(u8::is_ascii_hexdigit);
    let kinds = alphabet(value);
    let sizes = SIZES.iter().filter(|it| kinds & it.0 != 0);
    let size = match is_hex && kinds.count_ones() == 2 {
        true => 16.0,
        false => sizes.map(|it| it.1).sum(),
    };
    (f32::log2(size) * BIT as f32) as u32
}

/// Whether a character is the third or a later one of a row.
fn goes_on(value: &[u8], at: usize) -> bool {
    let step = |at: usize| i16::from(value[at]) - i16::from(value[at - 1]);
    at >= 2 && step(at) == step(at - 1) && step(at).abs() <= 1
}

/// By byte: what it adds where it belongs to a word. Words that people join by a space or a hyphen are
/// drawn from a list (eleven bits, as of Diceware); those of addresses and paths are hardly chosen at all, nor
/// are those that regions, machines and services are named by, nor what stands between.
fn words(value: &[u8]) -> Vec<Option<u32>> {
    let mut shares = vec![None; value.len()];
    let is_path = value.iter().any(|it| b"./:@\\".contains(it));
    let of_word = if is_path { 5 } else { 11 } * BIT;
    for (start, end) in address(value) {
        shares[start..end].fill(Some(0));
    }
    let mut many = 0;
    let mut short = Vec::new();
    for (start, end) in runs(value) {
        let length = (end - start) as u32;
        if shares[start].is_some() {
            continue;
        }
        let letters = &value[start..end];
        if public::is_named(letters) {
            many += 1;
            shares[start..end].fill(Some(2 * BIT / length));
        } else if is_word(letters) {
            many += 1;
            shares[start..end].fill(Some(of_word / length));
        } else if length <= 3 {
            short.push((start, end));
        }
    }
    if many > 0 {
        for (share, byte) in shares.iter_mut().zip(value) {
            *share = share.or(b"-_ ".contains(byte).then_some(BIT));
        }
    }
    if many >= 2 && is_path {
        for (start, end) in short {
            shares[start..end].fill(Some(2 * BIT));
        }
        for (at, byte) in value.iter().enumerate() {
            if byte.is_ascii_digit() {
                shares[at] = Some(2 * BIT);
            } else if !byte.is_ascii_alphabetic() {
                shares[at] = Some(BIT / 4);
            }
        }
    }
    shares
}

/// The scheme and the host of a URL (RFC 3986): who it names, and not what only few know.
fn address(value: &[u8]) -> [(usize, usize); 2] {
    let Some(scheme) = memchr::memmem::find(value, b"://").filter(|it| *it < 20) else {
        return [(0, 0); 2];
    };
    let rest = &value[scheme + 3..];
    let end = rest.iter().position(|it| b"/?#".contains(it));
    let end = end.unwrap_or(rest.len());
    let host = rest[..end].iter().rposition(|it| *it == b'@');
    [
        (0, scheme + 3),
        (scheme + 3 + host.map_or(0, |it| it + 1), scheme + 3 + end),
    ]
}

/// Letters that follow one another.
fn runs(value: &[u8]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for at in 0..=value.len() {
        let is_letter = value.get(at).is_some_and(u8::is_ascii_alphabetic);
        match (start, is_letter) {
            (None, true) => start = Some(at),
            (Some(first), false) => {
                runs.push((first, at));
                start = None;
            }
            _ => {}
        }
    }
    runs
}

/// Letters in one case, of which source text is full.
fn is_word(letters: &[u8]) -> bool {
    let rest = letters.get(1..).unwrap_or_default();
    let one_case =
        rest.iter().all(u8::is_ascii_lowercase) || letters.iter().all(u8::is_ascii_uppercase);
    let pieces = letters.windows(4);
    let count = pieces.len();
    let common = pieces.filter(|it| COMMON.contains_key(&gram(it))).count();
    one_case && count > 0 && common * 2 >= count
}

/// How rare eight bytes are in texts: more is rarer. Bytes that some encoding escapes count against them,
/// since the window is what must stand there as it is.
fn rarity(window: &[u8]) -> i32 {
    let of_piece = |it: &[u8]| match COMMON.get(&gram(it)) {
        Some(rank) => (rank + 50).ilog2() as i32,
        None => 16,
    };
    let of_byte = |it: &u8| {
        let rank = COMMON_BYTES
            .iter()
            .position(|byte| *byte == it.to_ascii_lowercase());
        (rank.unwrap_or(COMMON_BYTES.len()) / 8) as i32
    };
    let distinct: HashSet<&u8> = window.iter().collect();
    let is_unreserved = |it: &u8| it.is_ascii_alphanumeric() || b"-._~".contains(it);
    let is_escaped = |it: &u8| !(b' '..=b'~').contains(it) || b"\"\\/'".contains(it);
    let mut rarity: i32 = window.windows(4).map(of_piece).sum();
    rarity += window.iter().map(of_byte).sum::<i32>();
    rarity -= if distinct.len() < 4 { 60 } else { 0 };
    rarity -= if window.iter().all(is_unreserved) {
        0
    } else {
        20
    };
    rarity - if window.iter().any(is_escaped) { 40 } else { 0 }
}

/// Where the rarest window begins. What stands first is often the same for many values: the prefix of a
/// vendor, the scheme of a URL, the header of a token; the header and the claims of a JSON Web Token
/// (RFC 7519) never serve where it has a signature.
fn rarest(value: &[u8]) -> usize {
    let first = signature(value);
    let is_long = value.len() >= 3 * WINDOW;
    let last = value.len().min(first + HEAD) - WINDOW;
    let cost = |at: usize| if at < WINDOW && is_long { 30 } else { 0 };
    let best = (first..=last).max_by_key(|at| {
        let window = &value[*at..at + WINDOW];
        rarity(window) - cost(*at) - toll(window)
    });
    best.unwrap_or(first)
}

/// Where the signature of a JSON Web Token begins; the beginning of anything else.
fn signature(value: &[u8]) -> usize {
    let signature = value
        .starts_with(b"eyJ")
        .then(|| value.iter().rposition(|it| *it == b'.'))
        .flatten()
        .map(|it| it + 1)
        .filter(|it| it + WINDOW <= value.len() && *it < HEAD);
    signature.unwrap_or(0)
}

/// What it costs a search if the pair in the middle of a window is common: every place that has it is asked.
fn toll(window: &[u8]) -> i32 {
    match pairs::class(window) {
        0 => 0,
        it => 24 + 3 * i32::from(it),
    }
}

fn marks(value: &[u8], hasher: Hasher) -> Vec<Mark> {
    let at = rarest(value);
    let mut marks = vec![mark(Spelling::Plain, &value[at..], at, hasher)];
    if value[at..at + WINDOW].iter().any(is_quoted) {
        marks.extend(in_json(value, hasher));
    }
    // Encoded, the value is known by what lies within its rarest window, or else beside it.
    let from = at.saturating_sub(WINDOW).max(signature(value));
    let to = value.len().min(at + 2 * WINDOW);
    for shift in 0..3_u8 {
        let padded = Zeroizing::new([&b"\0\0"[..usize::from(shift)], &value[..to]].concat());
        let text = Zeroizing::new(BASE64_NOPAD.encode(&padded).into_bytes());
        marks.extend(in_base64(&text, shift, at, from..to, hasher));
    }
    marks.extend(in_hex(value, at, from..to, hasher));
    marks.retain(|it| it.offset < u16::MAX);
    marks
}

/// Whether JSON escapes a byte (RFC 8259, section 7).
fn is_quoted(byte: &u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// Eight bytes as they are written in a string of JSON, for values that have no eight without escapes.
fn in_json(value: &[u8], hasher: Hasher) -> Option<Mark> {
    let written = |start: usize| {
        let mut text = Zeroizing::new(Vec::with_capacity(6 * WINDOW));
        for byte in &value[start..start + WINDOW] {
            match byte {
                b'\n' => text.extend(b"\\n"),
                b'\r' => text.extend(b"\\r"),
                b'\t' => text.extend(b"\\t"),
                0..0x20 => text.extend(format!("\\u{byte:04x}").into_bytes()),
                it if is_quoted(it) => text.extend([b'\\', *it]),
                it => text.push(*it),
            }
        }
        text
    };
    let starts = 0..=value.len().min(HEAD) - WINDOW;
    let start = starts.min_by_key(|it| pairs::class(&written(*it)))?;
    Some(mark(Spelling::Plain, &written(start), start, hasher))
}

fn mark(spelling: Spelling, text: &[u8], offset: usize, hasher: Hasher) -> Mark {
    let window = text.first_chunk().map_or(0, |it| u64::from_le_bytes(*it));
    Mark {
        spelling,
        hash: hasher.hash(window),
        offset: u16::try_from(offset).unwrap_or(u16::MAX),
        pair: Some(pairs::class(text)),
    }
}

/// Eight digits that all stand for bits of the bytes within, and best of those at a place. The two alphabets differ in two digits: where there
/// is no way around them there are two marks.
fn in_base64(text: &[u8], shift: u8, at: usize, within: Range<usize>, hasher: Hasher) -> Vec<Mark> {
    let place = |byte: usize| 8 * (usize::from(shift) + byte);
    let nearest = place(at).div_ceil(6);
    let (first, end) = (place(within.start).div_ceil(6), place(within.end) / 6);
    let differs = |it: usize| text[it..it + WINDOW].iter().any(|it| b"+/".contains(it));
    let cost = |it: &usize| {
        let class = pairs::class(&text[*it..]);
        (class, differs(*it), it.abs_diff(nearest))
    };
    let start = (first..=end - WINDOW).min_by_key(cost).unwrap_or(first);
    let spelling = Spelling::Base64(shift);
    let mut marks = vec![mark(spelling, &text[start..], start, hasher)];
    if differs(start) {
        let other = text[start..start + WINDOW].iter().map(|it| match it {
            b'+' => b'-',
            b'/' => b'_',
            it => *it,
        });
        let other = Zeroizing::new(other.collect::<Vec<u8>>());
        marks.push(mark(spelling, &other, start, hasher));
    }
    marks
}

/// Four bytes as digits; with letters among them, there are two ways to write them.
fn in_hex(value: &[u8], at: usize, within: Range<usize>, hasher: Hasher) -> Vec<Mark> {
    const BYTES: usize = WINDOW / 2;
    let written = |start: usize| {
        let bytes = &value[start..start + BYTES];
        [HEXLOWER.encode(bytes), HEXUPPER.encode(bytes)].map(Zeroizing::new)
    };
    let cost = |start: &usize| {
        let [lower, upper] = written(*start);
        let letters = lower.bytes().filter(u8::is_ascii_alphabetic).count();
        let class = |it: &str| pairs::class(it.as_bytes());
        let is_beside = !(at..=at + BYTES).contains(start);
        // More letters are rarer; without any, one mark is enough.
        (
            class(&lower).max(class(&upper)),
            is_beside,
            letters > 0,
            Reverse(letters),
        )
    };
    let starts = within.start..=within.end - BYTES;
    let start = starts.min_by_key(cost).unwrap_or(at);
    let [lower, upper] = written(start);
    let mark = |it: &str| mark(Spelling::Hex, it.as_bytes(), 2 * start, hasher);
    let mut marks = vec![mark(&lower)];
    if *lower != *upper {
        marks.push(mark(&upper));
    }
    marks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Random text, made of an alphabet.
    fn drawn(alphabet: &[u8], length: usize, seed: &mut u64) -> Vec<u8> {
        let mut next = || {
            *seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            alphabet[(*seed >> 33) as usize % alphabet.len()]
        };
        (0..length).map(|_| next()).collect()
    }

    #[test]
    fn settings_are_weak_and_secrets_are_not() {
        for weak in [
            "postgres",
            "admin1234567",
            "production-db",
            "https://api.github.com",
            "https://vault.internal:8200",
            "db.prod.internal.example.com",
            "postgresql://localhost:5432/app",
            "10.0.0.12:5432",
            "2026-11-24 10:00",
            "aaaaaaaaaaaaaaaaaaaaaaaa",
            "123456789012345678",
            "application/json",
            "/usr/local/share/config",
            "abcdefghijklmnop",
            "application-config",
            "ap-northeast-1",
            "eu-central-1",
            "us-central1-a",
            "northamerica-northeast1-b",
            "australiasoutheast",
            "germanywestcentral",
            "prod-eu-central-1-db-02",
            "shop_production_admin",
            "postgres-primary-replica-3",
            "https://login.example.com:8443",
            "shop.deploy@example.com",
        ] {
            let bits = bits(weak.as_bytes());
            assert!(bits < LEAST_BITS, "{weak}: {bits}");
        }
        let url = format!("postgres://shop:{}@db.internal/shop", "q8Zk27xPw0Lm");
        for strong in [
            url.as_str(),
            "q8Zk27xPw0Lm",
            "correct horse battery staple",
            "hunter-kayak-moon-71-river",
            "prod-q8Zk27xPw0Lm",
            "prod_db_7f3a9c1e5b",
            "0b1f6471-1bf0-4dda-aec3-cb9272f09590",
            "deadbeefcafe1234",
            "Tr0ub4dor&3xyz",
            "8391750264815",
        ] {
            let bits = bits(strong.as_bytes());
            assert!(bits >= LEAST_BITS, "{strong}: {bits}");
        }
    }

    #[test]
    fn random_values_of_every_alphabet_are_strong_enough() {
        let mut seed = 7;
        let lower: Vec<u8> = (b'a'..=b'z').collect();
        let letters = [&lower[..], &lower.to_ascii_uppercase()].concat();
        let word = [&letters[..], b"0123456789"].concat();
        let graphic: Vec<u8> = (b'!'..=b'~').collect();
        for (alphabet, shortest) in [
            (&b"0123456789"[..], 15),
            (b"0123456789abcdef", 12),
            (&lower, 12),
            (&letters, 12),
            (&word, 12),
            (&graphic, 12),
        ] {
            let weak = (0..2_000).filter(|_| {
                let value = drawn(alphabet, shortest, &mut seed);
                bits(&value) < LEAST_BITS
            });
            let weak = weak.count();
            // By chance a value may look like words.
            assert!(weak <= 20, "{weak} of {}", alphabet.len());
        }
    }

    #[test]
    fn what_many_values_have_in_common_never_serves() {
        let shared = [
            (
                "eyJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJzaG9wIn0.",
                "q8Zk27xPw0LmN4tYb6Rc",
            ),
            ("postgres://postgres:", "q8Zk27xPw0Lm"),
            ("https://hooks.example.com/services/", "T4tYb6RcQ8Zk27x"),
            ("github_pat_11A", "q8Zk27xPw0LmN4tYb6Rc"),
            ("international", "q8Zk27xPw0Lm"),
        ];
        for (prefix, rest) in shared {
            let value = format!("{prefix}{rest}");
            assert!(rarest(value.as_bytes()) + 4 >= prefix.len(), "{value}");
        }
        // The claims of a token without a signature are better than nothing.
        assert!(rarest(b"eyJhbGciOiJub25lIn0.eyJpc3MiOiJzaG9wIn0.") < 40);
    }

    #[test]
    fn keys_are_known_by_content_and_have_no_marks() {
        let seal = Fingerprinter::new([1; 32]);
        let key = format!("-----BEGIN {} KEY-----\nq8Zk27xPw0Lm\n-----END", "PRIVATE");
        let tag = tag(key.as_bytes(), &seal);
        assert_eq!((tag.strength, tag.marks.len()), (Strength::Key, 0));
    }

    #[test]
    fn windows_hash_to_other_numbers_under_another_key() {
        let value = b"q8Zk27xPw0LmN4tYb6Rc";
        let [one, other] = [1, 2].map(|it| tag(value, &Fingerprinter::new([it; 32])));
        assert_eq!(one.length, 20);
        assert!(one.marks.len() >= 5);
        for (a, b) in one.marks.iter().zip(&other.marks) {
            assert_eq!((a.spelling, a.offset), (b.spelling, b.offset));
            assert_ne!(a.hash, b.hash);
        }
    }
}
