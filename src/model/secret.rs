//! A secret's value in memory: it cannot be printed by accident and is overwritten when dropped.

use std::fmt;
use zeroize::Zeroizing;

/// The mask that stands for the unknown rest of a value: constant width, so that it tells no length.
pub const MASK: &str = "****";

/// A value. No `Display`; its `Debug` is redacted; comparing values across streams is the work of a
/// [`Fingerprint`](super::fingerprint::Fingerprint).
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a copy of the bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The raw bytes. Each caller is a place to review.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// What a reader may see: a public prefix of the rule (never more than the value's first third),
    /// then the mask.
    pub fn masked(&self, public_prefix: &str) -> String {
        let keeps = !public_prefix.is_empty()
            && self.0.starts_with(public_prefix.as_bytes())
            && public_prefix.len() * 3 <= self.0.len();
        if keeps {
            format!("{public_prefix}{MASK}")
        } else {
            MASK.to_owned()
        }
    }
}

/// Whether a value could be a secret at all, or is a setting that many share by chance.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Worth {
    /// `true`, `8080`, `admin`, `eu-west-1`: equal values mean nothing.
    Plain,
    /// Long and mixed enough that nobody has the same by chance.
    Telling,
}

/// Values shorter than this are shared by chance.
const TELLING: usize = 8;
/// Digits alone, up to a time in nanoseconds.
const NUMBER: usize = 20;
/// A lower-case word, or a few joined with numbers: names of regions, hosts, users and databases.
const WORD: usize = 12;
const WORDS: usize = 3;

impl Worth {
    /// The worth of a value, by its shape.
    pub fn of(value: &[u8]) -> Self {
        let all = |is: fn(&u8) -> bool| value.iter().all(is);
        let is_short = value.len() < TELLING;
        let is_number =
            value.len() < NUMBER && all(|it| it.is_ascii_digit() || b".:-+ ".contains(it));
        let is_one_byte = value.windows(2).all(|it| it[0] == it[1]);
        if is_short || is_number || is_one_byte || is_name(value) {
            Self::Plain
        } else {
            Self::Telling
        }
    }
}

/// A few words in one case, each with a number of at most two digits behind it.
fn is_name(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> = value.split(|it| b"-_./: ".contains(it)).collect();
    let is_word = |part: &&[u8]| {
        let letters = part
            .iter()
            .take_while(|it| it.is_ascii_alphabetic())
            .count();
        let (word, rest) = part.split_at(letters);
        let one_case = word.iter().skip(1).all(u8::is_ascii_lowercase)
            || word.iter().all(u8::is_ascii_uppercase);
        let is_end = rest.len() <= 2 && rest.iter().all(u8::is_ascii_digit);
        letters <= WORD && one_case && is_end
    };
    parts.len() <= WORDS && parts.iter().all(is_word)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_plain_and_values_tell() {
        for plain in [
            "",
            "true",
            "8080",
            "admin",
            "postgres",
            "production",
            "localhost",
            "us-east-1",
            "europe-west4",
            "ap-southeast-2",
            "EU",
            "10.0.0.12:5432",
            "2026-11-24",
            "aaaaaaaaaaaa",
            "db.internal",
            "Frankfurt",
            "1764489600000",
            "shop-api",
        ] {
            assert_eq!(Worth::of(plain.as_bytes()), Worth::Plain, "{plain}");
        }
        for telling in [
            "q8Zk27xPw0",
            "correct horse battery staple",
            "Tr0ub4dor&3x",
            "kx7f-29ab-q1",
            "hunter-2-kayak-moon",
            "abcdefghijklmnop",
            "deadbeefcafe1234",
        ] {
            assert_eq!(Worth::of(telling.as_bytes()), Worth::Telling, "{telling}");
        }
    }

    #[test]
    fn debug_and_mask_hide_the_value() {
        let secret = Secret::new(b"ghp_0123456789abcdef");
        assert_eq!(format!("{secret:?}"), "Secret(****)");
        assert_eq!(secret.masked("ghp_"), "ghp_****");
        assert_eq!(secret.masked("other"), "****");
        assert_eq!(Secret::new(b"ghp_1").masked("ghp_"), "****");
    }
}
