//! Opening what a password seals: PBES2 (RFC 8018) with AES in CBC, as PKCS#12 files and encrypted PKCS #8 keys have
//! it, and what Java's first keystore does to keys.
//!
//! Not here: where passwords come from. Older schemes (DES, RC2) are left shut.

use crate::model::secret::Secret;
use crate::syntax::asn1::{INTEGER, OCTET_STRING, OID, Reader};
use aes::cipher::{BlockCipherDecrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256, Block};
use hmac::Hmac;
use sha1::{Digest, Sha1};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

const PBES2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d";
const PBKDF2: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c";
/// `hmacWithSHA1` and its successors, one byte short.
const HMACS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x02";
/// AES, one byte short.
const AES: &[u8] = b"\x60\x86\x48\x01\x65\x03\x04\x01";
/// `JavaSoft proprietary key-protection algorithm`.
const JAVA: &[u8] = b"\x2b\x06\x01\x04\x01\x2a\x02\x11\x01\x01";
/// More rounds than this nobody has, unless to keep us busy.
const ROUNDS: u32 = 10_000_000;

/// The contents of an EncryptedPrivateKeyInfo, if one of the passwords opens it.
pub(super) fn key(info: &[u8], passwords: &[Secret]) -> Option<Zeroizing<Vec<u8>>> {
    let mut info = Reader::of_sequence(info)?;
    let mut algorithm = info.sequence()?;
    let sealed = info.take(OCTET_STRING)?;
    let oid = algorithm.take(OID)?;
    if oid == JAVA {
        return passwords.iter().find_map(|it| java(sealed, it.expose()));
    }
    let scheme = Scheme::of(oid, algorithm)?;
    let is_key = |it: &Zeroizing<Vec<u8>>| Reader::of_sequence(it).is_some();
    passwords
        .iter()
        .find_map(|it| scheme.open(sealed, it.expose()).filter(is_key))
}

/// The contents of an EncryptedContentInfo behind its type.
pub(super) fn content(mut info: Reader<'_>, passwords: &[Secret]) -> Option<Zeroizing<Vec<u8>>> {
    /// `[0] IMPLICIT OCTET STRING`.
    const SEALED: u8 = 0x80;
    let mut algorithm = info.sequence()?;
    let sealed = info.take(SEALED)?;
    let scheme = Scheme::of(algorithm.take(OID)?, algorithm)?;
    let is_list = |it: &Zeroizing<Vec<u8>>| Reader::of_sequence(it).is_some();
    passwords
        .iter()
        .find_map(|it| scheme.open(sealed, it.expose()).filter(is_list))
}

/// How a key is made of a password, and what it is for.
struct Scheme<'a> {
    salt: &'a [u8],
    rounds: u32,
    /// The last byte of the hash's identifier.
    hash: u8,
    /// Bytes of the key.
    length: usize,
    start: &'a [u8; 16],
}

impl<'a> Scheme<'a> {
    fn of(oid: &[u8], mut algorithm: Reader<'a>) -> Option<Self> {
        const SHA1: u8 = 7;
        if oid != PBES2 {
            return None;
        }
        let mut parameters = algorithm.sequence()?;
        let mut derivation = parameters.sequence()?;
        if derivation.take(OID)? != PBKDF2 {
            return None;
        }
        let mut derivation = derivation.sequence()?;
        let salt = derivation.take(OCTET_STRING)?;
        let rounds = derivation.integer().filter(|it| it.len() <= 4)?;
        let rounds = rounds
            .iter()
            .fold(0_u32, |all, it| all << 8 | u32::from(*it));
        // The length of the key follows from the cipher.
        derivation.take(INTEGER);
        let hash = match derivation.sequence() {
            Some(mut it) => *it.take(OID)?.strip_prefix(HMACS)?.first()?,
            None => SHA1,
        };
        let mut cipher = parameters.sequence()?;
        let length = match *cipher.take(OID)?.strip_prefix(AES)?.first()? {
            2 => 16,
            22 => 24,
            42 => 32,
            _ => return None,
        };
        let start = cipher.take(OCTET_STRING)?.try_into().ok()?;
        (1..=ROUNDS).contains(&rounds).then_some(Self {
            salt,
            rounds,
            hash,
            length,
            start,
        })
    }

    fn open(&self, sealed: &[u8], password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut key = Zeroizing::new([0; 32]);
        let key = key.get_mut(..self.length)?;
        let (salt, rounds) = (self.salt, self.rounds);
        match self.hash {
            7 => pbkdf2::pbkdf2::<Hmac<Sha1>>(password, salt, rounds, key).ok()?,
            9 => pbkdf2::pbkdf2::<Hmac<Sha256>>(password, salt, rounds, key).ok()?,
            10 => pbkdf2::pbkdf2::<Hmac<Sha384>>(password, salt, rounds, key).ok()?,
            11 => pbkdf2::pbkdf2::<Hmac<Sha512>>(password, salt, rounds, key).ok()?,
            _ => return None,
        }
        match self.length {
            16 => unchained(&Aes128::new_from_slice(key).ok()?, sealed, self.start),
            24 => unchained(&Aes192::new_from_slice(key).ok()?, sealed, self.start),
            _ => unchained(&Aes256::new_from_slice(key).ok()?, sealed, self.start),
        }
    }
}

/// CBC undone, and the padding of PKCS #7 taken off.
fn unchained(
    cipher: &impl BlockCipherDecrypt<BlockSize = aes::cipher::consts::U16>,
    sealed: &[u8],
    start: &[u8; 16],
) -> Option<Zeroizing<Vec<u8>>> {
    if sealed.is_empty() || !sealed.len().is_multiple_of(16) {
        return None;
    }
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    let mut before: &[u8] = start;
    for chunk in sealed.chunks_exact(16) {
        let mut block = Block::try_from(chunk).ok()?;
        cipher.decrypt_block(&mut block);
        plain.extend(block.iter().zip(before).map(|(one, other)| one ^ other));
        before = chunk;
    }
    let padding = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(padding)?;
    let is_padded = (1..=16).contains(&padding)
        && plain
            .get(length..)?
            .iter()
            .all(|it| usize::from(*it) == padding);
    plain.truncate(length);
    is_padded.then_some(plain)
}

/// A stream of SHA-1 digests over the password, and one of password and plain text that proves it.
fn java(sealed: &[u8], password: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    const LENGTH: usize = 20;
    let (salt, rest) = sealed.split_first_chunk::<LENGTH>()?;
    let (body, proof) = rest.split_last_chunk::<LENGTH>()?;
    let password = Zeroizing::new(
        str::from_utf8(password)
            .ok()?
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect::<Vec<u8>>(),
    );
    let digest = |with: &[u8]| {
        Sha1::new()
            .chain_update(&password[..])
            .chain_update(with)
            .finalize()
    };
    let mut pad = digest(salt);
    let mut plain = Zeroizing::new(Vec::with_capacity(body.len()));
    for chunk in body.chunks(LENGTH) {
        plain.extend(chunk.iter().zip(&pad).map(|(one, other)| one ^ other));
        pad = digest(&pad);
    }
    (digest(&plain)[..] == proof[..]).then_some(plain)
}
