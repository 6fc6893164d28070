//! Whether a value is one that people make up when some value is needed: words, words in other spelling,
//! runs of the keyboard, the user's own name.
//!
//! Not here: whether it may be a secret at all (`judge`, `plain`). People choose real passwords in the
//! same way; only where a value is shown or tested does it matter (`context`).

use super::entropy::sequence_share;
use super::likeness::likeness;
use super::plain::{is_stand_in, is_trivial, squeezed};
use data_encoding::{BASE32_NOPAD, BASE64_NOPAD};

/// What made-up values speak of.
const WORDS: &[&str] = &[
    "test",
    "fake",
    "dummy",
    "sample",
    "example",
    "mock",
    "demo",
    "secret",
    "passw",
    "pswd",
    "passphrase",
    "token",
    "blah",
    "blahbla",
    "hunter",
    "hello",
    "admin",
    "user",
    "letmein",
    "invalid",
    "wrong",
    "valid",
    "correct",
    "changeme",
    "notreal",
    "random",
    "default",
    "foobar",
    "barbar",
    "foofoo",
    "string",
    "value",
    "welcome",
    "super",
    "credential",
    "marker",
    "something",
    "whatever",
    "private",
    "apikey",
    "login",
    "must",
    "atleast",
    "chars",
];
/// The same, as a part between signs or at an end of a short value.
const SHORT_WORDS: &[&str] = &[
    "pass", "pwd", "key", "foo", "bar", "baz", "abc", "my", "pw", "psk",
];
/// Runs of the keyboard, and of counting.
const RUNS: &[&str] = &[
    "qwer", "asd", "sdf", "jkl", "lkj", "wert", "asdf", "sdfg", "zxcv", "yxcv", "1q2w", "q1w2",
    "1qaz", "2wsx", "qaz", "123", "321", "abcd", "000", "111", "aaaa", "xxx", "!@#", "@#$",
];

/// Whether people make up such values, as they stand or encoded; `user` is the name that goes with it.
pub(crate) fn is_invented(value: &str, user: Option<&str>) -> bool {
    is_made_up(value, user)
        || decoded(value).is_some_and(|it| is_made_up(&it, user) || it.contains(' '))
}

/// The text that a value is the base64 or base32 (RFC 4648) of.
fn decoded(value: &str) -> Option<String> {
    let bare = value.trim_end_matches('=').as_bytes();
    if bare.len() < 7 {
        return None;
    }
    let bytes = BASE32_NOPAD
        .decode(bare)
        .or_else(|_| BASE64_NOPAD.decode(bare))
        .ok()?;
    let is_text = bytes.iter().all(|it| matches!(it, b' '..=b'~'));
    is_text.then(|| String::from_utf8(bytes).ok()).flatten()
}

fn is_made_up(value: &str, user: Option<&str>) -> bool {
    let lower = value.to_ascii_lowercase();
    let folded = folded(&lower);
    let plain = squeezed(value);
    let is_digest = value.len() >= 16
        && value.bytes().all(|it| it.is_ascii_hexdigit())
        && value.bytes().any(|it| it.is_ascii_alphabetic());
    if is_digest {
        return is_stand_in(value);
    }
    let is_short = value.len() < 24;
    // `p@ss;word`
    let spoken = squeezed(&folded);
    let is_users = user.is_some_and(|it| {
        let user = squeezed(it);
        user.len() > 2 && (plain.contains(&user) || user.contains(&plain))
    });
    is_users
        // Nobody has so short a value drawn.
        || value.len() < 6
        || is_trivial(&plain)
        || is_stand_in(value)
        || WORDS
            .iter()
            // Long random text contains every short word in the end.
            .filter(|it| is_short || it.len() > 5)
            .any(|it| lower.contains(it) || folded.contains(it) || (is_short && spoken.contains(it)))
        || (is_short && has_run(&lower))
        || (is_short && has_short_word(value))
        || sequence_share(value.as_bytes()) > 0.25
        || is_number(value)
        || (value.len() < 40 && reads(value, &folded))
}

/// The word of a value that is a word and nothing more, or a word and a count: `Acme#123`, `acme12345`.
/// In lower case, with letters for the digits that stand for them.
pub(crate) fn counted(value: &str) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    let signs = ['#', '@', '!', '_', '-', '.', '$', '*'];
    let bare = lower.trim_end_matches(signs);
    let stem = ["123456", "12345", "1234", "123", "12", "1"]
        .iter()
        .find_map(|it| bare.strip_suffix(it))
        .unwrap_or(bare)
        .trim_end_matches(signs);
    let word = folded(stem);
    (!word.is_empty() && word.bytes().all(|it| it.is_ascii_alphabetic())).then_some(word)
}

/// Letters for the digits and signs that stand for them: `s3cr3t`.
pub(crate) fn folded(lower: &str) -> String {
    lower
        .chars()
        .map(|it| match it {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            other => other,
        })
        .collect()
}

fn has_run(lower: &str) -> bool {
    RUNS.iter().any(|it| lower.contains(it))
}

fn has_short_word(value: &str) -> bool {
    let words = super::name::words(value);
    words.iter().any(|it| {
        let it = it.trim_matches(|it: char| it.is_ascii_digit());
        SHORT_WORDS.contains(&it)
    })
}

/// Digits, perhaps in groups: a number to be remembered.
fn is_number(value: &str) -> bool {
    value.len() < 20
        && value
            .bytes()
            .all(|it| it.is_ascii_digit() || matches!(it, b'-' | b'.' | b' '))
}

/// Whether it is made of words, perhaps with digits for letters, and a number or a sign at the end.
fn reads(value: &str, folded: &str) -> bool {
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    let stem = value.trim_matches(|it: char| !it.is_ascii_alphabetic());
    let is_wordy = |it: &str| {
        it.len() >= 4
            && it
                .chars()
                .all(|it| it.is_ascii_alphabetic() || "_-. ".contains(it))
            && likeness(it).is_none_or(|it| it > LIKE_WORDS)
    };
    let stem_is_most = stem.len() * 3 >= value.len() * 2;
    (stem_is_most && is_wordy(stem))
        || (letters * 2 >= value.len()
            && is_wordy(folded.trim_matches(|it: char| !it.is_ascii_alphabetic())))
}

/// Words stand near 1.7, random letters below zero (`likeness`).
const LIKE_WORDS: f32 = -0.2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_make_up_is_told_from_what_machines_draw() {
        for value in [
            "hunter42",
            "oxidize",
            "fiddlesnarf",
            "opensesame",
            "S3cr3tK3y",
            "p4ssw0rd",
            "1q2w3e",
            "qwer!@#$",
            "Cisco#123",
            "mustbeeightchars",
            "restfulpower12",
            "correct_master_key_123!",
            "1234-5678-1234",
            "my_videos_pwd",
            "910457",
            "Barbarbar1!",
            "T3stPass",
            "#S1ncerely",
        ] {
            assert!(is_invented(value, None), "{value}");
        }
        for value in [
            "q8Zk27xPw0LmN4tYb6Rc",
            "htumqyxppb",
            "8f3kQ0zP",
            "x/R#pQz",
            "zcbncsex906",
            "h]6EszR}vJ*m",
            "9f00f43183269484edde",
            "kyvwzzqdrx",
        ] {
            assert!(!is_invented(value, None), "{value}");
        }
        assert!(is_invented("kulgrejx", Some("kulgrejx")));
    }

    #[test]
    fn encoded_words_are_words() {
        for value in [
            "bm90IG15IHJlYWwgdmFsdWU=",
            "Zm9vYmFy",
            "KRSXG5CTMVRXEZLU",
            "YSBzZWNyZXQ=",
        ] {
            assert!(is_invented(value, None), "{value}");
        }
        assert!(!is_invented("9X2kQ7ZbLm4Rw8TzYp3N", None));
    }

    #[test]
    fn a_word_and_a_count_is_known() {
        for (value, word) in [
            ("acme", Some("acme")),
            ("Acme#123", Some("acme")),
            ("4cm3_12345", Some("acme")),
            ("Acme1!", Some("acme")),
            ("Acme2024!", None),
            ("acme-x9", None),
        ] {
            assert_eq!(counted(value).as_deref(), word, "{value}");
        }
    }
}
