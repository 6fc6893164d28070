//! The primary key of an OpenPGP secret key packet (RFC 9580, sections 4.2, 5.5.3 and 9.1): kind, size,
//! and whether it is encrypted.
//!
//! Not here: its private numbers. A block holds several keys, so that it is known by its whole text.

use crate::syntax::key::Key;
use crate::syntax::keypair::bits;

/// Secret-Key Packet.
const SECRET_KEY: u8 = 5;

/// Of the first packet.
pub(super) fn read(bytes: &[u8]) -> Option<Key> {
    let mut body = Bytes(packet(bytes)?);
    let version = body.byte()?;
    body.take(4)?;
    if version < 4 {
        // Days of validity.
        body.take(2)?;
    }
    let algorithm = body.byte()?;
    if version > 4 {
        body.take(4)?;
    }
    let (kind, size) = public(algorithm, &mut body)?;
    // Anything but zero: a passphrase, or a key that lies elsewhere.
    let is_encrypted = body.byte()? != 0;
    Some(Key {
        kind: Some(kind),
        bits: size,
        encrypted: is_encrypted.then(|| "yes".to_owned()),
        ..Key::default()
    })
}

/// The contents of the first packet, if that is a secret key.
fn packet(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = Bytes(bytes);
    let header = rest.byte()?;
    let wide = |it: &mut Bytes<'_>, count: usize| {
        let digits = it.take(count)?;
        Some(digits.iter().fold(0, |all, it| all << 8 | usize::from(*it)))
    };
    let (tag, length) = match header {
        0xC0.. => {
            let length = match rest.byte()? {
                short @ ..192 => usize::from(short),
                first @ 192..224 => {
                    (usize::from(first) - 192) * 256 + usize::from(rest.byte()?) + 192
                }
                255 => wide(&mut rest, 4)?,
                _ => return None,
            };
            (header & 0x3F, length)
        }
        0x80.. => {
            let length = match header & 3 {
                3 => return None,
                size => wide(&mut rest, 1 << size)?,
            };
            ((header >> 2) & 0x0F, length)
        }
        _ => return None,
    };
    (tag == SECRET_KEY).then(|| rest.take(length))?
}

/// Kind and size, read past the public fields.
fn public(algorithm: u8, body: &mut Bytes<'_>) -> Option<(&'static str, Option<usize>)> {
    let mut numbers = |count: usize| {
        let first = bits(body.number()?);
        for _ in 1..count {
            body.number()?;
        }
        Some(Some(first))
    };
    Some(match algorithm {
        1..=3 => ("rsa", numbers(2)?),
        16 => ("elgamal", numbers(3)?),
        17 => ("dsa", numbers(4)?),
        18 | 19 | 22 => {
            let length = usize::from(body.byte()?);
            body.take(length)?;
            body.number()?;
            if algorithm == 18 {
                let length = usize::from(body.byte()?);
                body.take(length)?;
            }
            (if algorithm == 22 { "ed25519" } else { "ec" }, None)
        }
        25 => ("x25519", body.take(32).map(|_| Some(256))?),
        26 => ("x448", body.take(56).map(|_| Some(448))?),
        27 => ("ed25519", body.take(32).map(|_| Some(256))?),
        28 => ("ed448", body.take(57).map(|_| Some(456))?),
        _ => return None,
    })
}

/// Bytes taken from the front.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|it| it[0])
    }

    /// A multiprecision integer: its length is told in bits.
    fn number(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes([self.byte()?, self.byte()?]));
        self.take(length.div_ceil(8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A packet of version 4 with two numbers of 16 bits.
    fn rsa(usage: u8) -> Vec<u8> {
        let body = [4, 0, 0, 0, 0, 1, 0, 16, 0x80, 1, 0, 2, 3, usage, 9, 9, 9];
        [&[0x94, body.len() as u8][..], &body].concat()
    }

    #[test]
    fn a_primary_key_tells_kind_size_and_protection() {
        let clear = read(&rsa(0)).unwrap();
        assert_eq!((clear.kind, clear.bits), (Some("rsa"), Some(16)));
        assert_eq!(clear.encrypted, None);
        assert_eq!(read(&rsa(254)).unwrap().encrypted.as_deref(), Some("yes"));
        let mut new = rsa(254);
        new[0] = 0xC5;
        assert!(read(&new).unwrap().encrypted.is_some());
        let mut public = rsa(0);
        public[0] = 0x98;
        assert!(read(&public).is_none());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            head in 0x80_u8..,
            rest in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            read(&[&[head][..], &rest].concat());
        }
    }
}
