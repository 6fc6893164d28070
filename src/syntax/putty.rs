//! The private key file of PuTTY, versions 1 to 3 (PuTTY manual, appendix C).

use crate::syntax::key::{Key, plain};
use crate::syntax::keypair::{ED25519, Public};
use crate::syntax::openssh::Wire;
use crate::syntax::pem::{decoded, unescaped};
use zeroize::Zeroizing;

/// What the file begins with.
pub(super) const MAGIC: &[u8] = b"PuTTY-User-Key-File-";
/// More lines than the largest key has.
const LINES: usize = 400;

/// Headers in the file's order; two of them count the lines of base64 behind them.
pub(super) fn read(text: &[u8]) -> Option<Key> {
    let text = unescaped(text);
    let mut lines = text
        .split(|it| matches!(it, b'\n' | b'\r'))
        .map(<[u8]>::trim_ascii)
        .filter(|it| !it.is_empty());
    let kind = value(lines.next()?)?;
    let mut cipher: &[u8] = b"none";
    let (mut public, mut private) = (None, None);
    while let Some(line) = lines.next() {
        let mut block = || {
            let count: usize = std::str::from_utf8(value(line)?).ok()?.parse().ok()?;
            let mut letters = Zeroizing::new(Vec::with_capacity(text.len()));
            let block = lines.by_ref().take(count.min(LINES));
            block.for_each(|it| letters.extend(it.iter().filter(|it| **it != b'=')));
            decoded(&letters)
        };
        if line.starts_with(b"Encryption:") {
            cipher = value(line)?;
        } else if line.starts_with(b"Public-Lines:") {
            public = block();
        } else if line.starts_with(b"Private-Lines:") {
            private = block();
        }
    }
    let public = public?;
    let mut wire = Wire::new(&public);
    let half = match wire.string()? == kind {
        true => wire.public(kind)?,
        false => return None,
    };
    if cipher != b"none" {
        return Some(Key {
            encrypted: Some(String::from_utf8_lossy(cipher).into_owned()),
            ..Key::half(half)
        });
    }
    Some(clear(half, &private?).unwrap_or_else(|| Key::half(half)))
}

/// The private fields of a kind.
fn clear(half: Public<'_>, private: &[u8]) -> Option<Key> {
    let mut rest = Wire::new(private);
    match half {
        Public::Rsa { .. } => {
            let _exponent = rest.integer()?;
            Some(Key::clear(half, &[rest.integer()?, rest.integer()?]))
        }
        Public::Plain { key, .. } => {
            // Little-endian: what is cut off are zeros at the end.
            let mut seed = Zeroizing::new([0; 32]);
            let written = rest.string()?;
            seed.get_mut(..written.len())?.copy_from_slice(written);
            plain(ED25519, &*seed, key)
        }
        Public::Dsa { .. } | Public::Ec { .. } => Some(Key::clear(half, &[rest.integer()?])),
    }
}

/// What stands behind the colon.
fn value(line: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', line)?;
    Some(line[colon + 1..].trim_ascii())
}
