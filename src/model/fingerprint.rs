//! Keyed hashes that stand for values: `kf1` (the estate key) and `ko1` (the occurrence).
//!
//! Holding keys on disk is the work of `inventory/key`.

use super::secret::Worth;
use super::tag::{Sealed, TAG_BYTES, Tag, Tagged};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes of a nonce of XChaCha20.
const NONCE: usize = 24;
/// What tags sealed in one piece are bound to: they are no tag of a value.
const ALL: &[u8] = b"keyatlas tags v1";

/// `kf1`: HMAC-SHA-256 of a value under the estate key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// A fingerprint from its stored bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kf1:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// What a value is known by that has many texts: SHA-256 over the private numbers of a key, whichever format
/// they are written in. Nobody can guess those, but who has the numbers can tell that they are meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Content([u8; 32]);

impl Content {
    /// Of parts that stay apart, whatever their lengths.
    pub fn of(parts: &[&[u8]]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// The bytes to make an identity of.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Content(****)")
    }
}

/// Makes fingerprints under one estate key.
#[derive(Clone)]
pub struct Fingerprinter {
    /// HMAC that has taken the key in, so that this is done once.
    keyed: Hmac<Sha256>,
}

impl Fingerprinter {
    /// Takes the estate's 32-byte data key.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let keyed = Hmac::new_from_slice(&key[..]);
        Self {
            keyed: keyed.expect("HMAC takes keys of any length"),
        }
    }

    /// Keys of different purposes have nothing in common.
    fn tag(&self, purpose: &[u8], message: &[u8]) -> [u8; 32] {
        let mut mac = self.keyed.clone();
        mac.update(purpose);
        mac.update(message);
        mac.finalize().into_bytes().into()
    }

    /// The fingerprint of a value, however it is laid out where it stands (see [`canonical`]).
    pub fn fingerprint(&self, value: &[u8]) -> Fingerprint {
        Fingerprint(self.tag(b"keyatlas value v1\0", &canonical(value)))
    }

    /// The fingerprint of a value with many texts.
    pub fn of_content(&self, content: &Content) -> Fingerprint {
        Fingerprint(self.tag(b"keyatlas content v1\0", content.as_bytes()))
    }

    /// What a value is worth, in a byte that only this key can read: a list of weak values is a help to
    /// whoever finds it.
    pub fn veil(&self, fingerprint: &Fingerprint, worth: Worth) -> u8 {
        self.mask(fingerprint) ^ u8::from(worth == Worth::Plain)
    }

    /// What the byte hides.
    pub fn unveil(&self, fingerprint: &Fingerprint, veil: u8) -> Worth {
        if veil == self.mask(fingerprint) {
            Worth::Telling
        } else {
            Worth::Plain
        }
    }

    fn mask(&self, fingerprint: &Fingerprint) -> u8 {
        self.tag(b"keyatlas worth v1\0", &fingerprint.0)[0]
    }

    /// Seals what a value is searched by, bound to its fingerprint.
    ///
    /// Why a cipher with a proof, and not the mask that hides a veil? A tag may be made anew by a later
    /// program that chooses other bytes of the same value: two texts under one mask tell their difference.
    /// Here the nonce is a keyed hash of the fingerprint and the text (a synthetic one, as in RFC 5297): the
    /// same tag is sealed to the same bytes, so that an import made twice changes nothing, and another tag
    /// has another nonce. A tag that somebody moved to another value, or changed, does not open.
    pub fn seal(&self, fingerprint: &Fingerprint, tag: &Tag) -> Option<Sealed> {
        let text = Zeroizing::new(tag.to_bytes());
        let about = Zeroizing::new([&fingerprint.0[..], &text[..]].concat());
        let nonce = self.tag(b"keyatlas tag nonce v1\0", &about);
        let nonce = nonce.first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: &text[..],
            aad: &fingerprint.0,
        };
        let sealed = self.cipher().encrypt(&XNonce::from(*nonce), payload).ok()?;
        Some(Sealed::from_bytes([&nonce[..], &sealed].concat()))
    }

    /// What [`seal`](Self::seal) hid; `None` if it was sealed under another key, for another value, or
    /// was changed.
    pub fn open(&self, fingerprint: &Fingerprint, sealed: &Sealed) -> Option<Tag> {
        self.opener().open(fingerprint, sealed)
    }

    /// Seals all that values are searched by, in one piece: to open it takes a hundredth of the time that one
    /// tag after the other takes.
    pub fn seal_all(&self, tagged: &Tagged) -> Option<Vec<u8>> {
        let count = tagged.values.len();
        let mut text = Zeroizing::new(Vec::with_capacity(8 + count * (32 + TAG_BYTES)));
        text.extend((tagged.untagged as u64).to_le_bytes());
        for (print, tag) in &tagged.values {
            text.extend(print.0);
            text.extend(&*Zeroizing::new(tag.to_bytes()));
        }
        let nonce = self.tag(b"keyatlas tags nonce v1\0", &text);
        let nonce = nonce.first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: &text,
            aad: ALL,
        };
        let sealed = self.cipher().encrypt(&XNonce::from(*nonce), payload).ok()?;
        Some([&nonce[..], &sealed].concat())
    }

    /// What [`seal_all`](Self::seal_all) hid; `None` if it was sealed under another key or was changed.
    pub fn open_all(&self, sealed: &[u8]) -> Option<Tagged> {
        let (nonce, text) = sealed.split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: text,
            aad: ALL,
        };
        let text = self.cipher().decrypt(&XNonce::from(*nonce), payload).ok()?;
        let text = Zeroizing::new(text);
        let (untagged, rows) = text.split_first_chunk()?;
        let value = |row: &[u8]| {
            let (print, tag) = row.split_first_chunk()?;
            Some((Fingerprint(*print), Tag::from_bytes(tag)?))
        };
        let rows = rows.chunks(32 + TAG_BYTES);
        Some(Tagged {
            values: rows.map(value).collect::<Option<_>>()?,
            untagged: usize::try_from(u64::from_le_bytes(*untagged)).ok()?,
        })
    }

    /// The same as [`open`](Self::open) for many: the key is drawn once.
    pub fn opener(&self) -> Opener {
        Opener(self.cipher())
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        let key = Zeroizing::new(self.tag(b"keyatlas tag key v1\0", b""));
        chacha20poly1305::KeyInit::new((&*key).into())
    }

    /// The secret factor of [`Hasher`](super::tag::Hasher): odd, as it must be.
    pub(super) fn multiplier(&self) -> u64 {
        let drawn = self.tag(b"keyatlas window v1\0", b"");
        drawn.first_chunk().map_or(1, |it| u64::from_le_bytes(*it)) | 1
    }

    /// A number that stands for some bytes and tells nothing of them.
    pub fn digest(&self, of: &[u8]) -> [u8; 32] {
        self.tag(b"keyatlas digest v1\0", of)
    }

    /// A tag that tells two estate keys apart without telling either.
    pub fn key_id(&self) -> [u8; 32] {
        self.tag(b"keyatlas key id v1\0", b"")
    }
}

/// Opens tags under one estate key.
pub struct Opener(XChaCha20Poly1305);

impl Opener {
    /// What [`Fingerprinter::seal`] hid.
    pub fn open(&self, fingerprint: &Fingerprint, sealed: &Sealed) -> Option<Tag> {
        let (nonce, text) = sealed.as_bytes().split_first_chunk::<NONCE>()?;
        let payload = Payload {
            msg: text,
            aad: &fingerprint.0,
        };
        let text = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        Tag::from_bytes(&Zeroizing::new(text))
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener(****)")
    }
}

/// The bytes by which a value is known: without white space around it; and of PEM blocks (RFC 7468),
/// whose lines are indented, joined or written with `\n` from place to place, without any.
pub fn canonical(value: &[u8]) -> Zeroizing<Vec<u8>> {
    let value = value.trim_ascii();
    if !value.starts_with(b"-----BEGIN ") {
        return Zeroizing::new(value.to_vec());
    }
    let mut kept = Zeroizing::new(Vec::with_capacity(value.len()));
    let mut bytes = value.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'\\' {
            // An escaped line end; within a text within a text, the backslash is escaped as well.
            while bytes.next_if(|it| **it == b'\\').is_some() {}
            let _end = bytes.next_if(|it| matches!(**it, b'n' | b'r' | b't'));
        } else if !byte.is_ascii_whitespace() {
            kept.push(*byte);
        }
    }
    kept
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter(****)")
    }
}

/// `ko1`: the identity of a finding that survives moved lines and renames.
///
/// Made from the value (through a memory-hard function), its structural context and the ordinal among
/// equals; the base id without the ordinal is what a waiver names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Occurrence {
    /// `ko1:` and 24 hexadecimal digits.
    pub base: String,
    /// 1 for the first place of this base id, by path and line.
    pub ordinal: u32,
}

impl fmt::Display for Occurrence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)?;
        if self.ordinal > 1 {
            write!(f, ".{}", self.ordinal)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_fingerprint_however_it_is_laid_out() {
        let print = Fingerprinter::new([7; 32]);
        let same =
            |a: &str, b: &str| print.fingerprint(a.as_bytes()) == print.fingerprint(b.as_bytes());
        let key = "-----BEGIN EC PRIVATE KEY-----\nMHcC\nAQEE\n-----END EC PRIVATE KEY-----";
        assert!(same(key, &format!("{key}\n")));
        assert!(same(key, &key.replace('\n', "\r\n")));
        assert!(same(key, &key.replace('\n', "\n    ")));
        assert!(same(key, &key.replace('\n', "\\n")));
        assert!(same(key, &key.replace('\n', "\\r\\n")));
        assert!(same(key, &key.replace('\n', "\\\\n")));
        assert!(same("a b", " a b\n"));
        assert!(!same("a b", "ab"));
        assert!(!same(key, &key.replace("MHcC", "MHcD")));
    }

    #[test]
    fn a_tag_opens_under_its_key_and_for_its_value_alone() {
        let tag = Tag {
            strength: crate::model::tag::Strength::Weak,
            bits: 8,
            alphabet: 3,
            length: 5,
            marks: Vec::new(),
        };
        let (one, other) = (Fingerprinter::new([7; 32]), Fingerprinter::new([8; 32]));
        let print = one.fingerprint(b"value");
        let sealed = one.seal(&print, &tag).unwrap();
        assert_eq!(
            one.seal(&print, &tag).as_ref(),
            Some(&sealed),
            "twice the same"
        );
        assert_eq!(one.open(&print, &sealed).as_ref(), Some(&tag));
        assert_eq!(other.open(&print, &sealed), None);
        assert_eq!(one.open(&one.fingerprint(b"else"), &sealed), None);
        assert_ne!(other.seal(&print, &tag).as_ref(), Some(&sealed));
        for at in 0..sealed.as_bytes().len() {
            let mut bytes = sealed.as_bytes().to_vec();
            bytes[at] ^= 1;
            assert_eq!(one.open(&print, &Sealed::from_bytes(bytes)), None, "{at}");
        }
    }

    #[test]
    fn all_tags_open_in_one_piece_under_their_key() {
        let [one, other] = [7, 8].map(|it| Fingerprinter::new([it; 32]));
        let values = (0..3_u8).map(|it| {
            let tag = Tag {
                strength: crate::model::tag::Strength::Weak,
                bits: 8 * it,
                alphabet: 3,
                length: 5,
                marks: Vec::new(),
            };
            (one.fingerprint(&[it]), tag)
        });
        let tagged = Tagged {
            values: values.collect(),
            untagged: 4,
        };
        let sealed = one.seal_all(&tagged).unwrap();
        let opened = one.open_all(&sealed).unwrap();
        assert_eq!((&opened.values, opened.untagged), (&tagged.values, 4));
        assert!(other.open_all(&sealed).is_none());
        for at in (0..sealed.len()).step_by(7) {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(one.open_all(&changed).is_none(), "{at}");
        }
        assert!(one.open_all(&sealed[..sealed.len() - 1]).is_none());
        assert!(one.open_all(b"").is_none());
    }

    #[test]
    fn worth_comes_back_under_the_key_and_not_in_the_clear() {
        let seal = Fingerprinter::new([7; 32]);
        let mut seen = [0_u32; 2];
        for at in 0..64_u8 {
            let print = seal.fingerprint(&[at]);
            for worth in [Worth::Plain, Worth::Telling] {
                assert_eq!(seal.unveil(&print, seal.veil(&print, worth)), worth);
            }
            seen[usize::from(seal.veil(&print, Worth::Plain) & 1)] += 1;
        }
        // The same worth shows as either bit.
        assert!(seen.iter().all(|it| *it > 16), "{seen:?}");
    }
}
