//! The public half of a key pair as SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7), and the digest of
//! the private half, for every format alike.
//!
//! Not here: any format that keys are written in.

use crate::model::fingerprint::Content;
use crate::syntax::asn1::{BIT_STRING, NULL, OID, Reader, SEQUENCE, magnitude};
use crate::syntax::asn1::{write, write_integer};
use curve25519_dalek::{EdwardsPoint, MontgomeryPoint};
use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// `rsaEncryption` (RFC 8017).
pub(super) const RSA: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x01";
/// `id-RSASSA-PSS` (RFC 8017).
pub(super) const RSA_PSS: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x01\x0A";
/// `id-dsa` (RFC 3279).
pub(super) const DSA: &[u8] = b"\x2A\x86\x48\xCE\x38\x04\x01";
/// `id-ecPublicKey` (RFC 5480).
pub(super) const EC: &[u8] = b"\x2A\x86\x48\xCE\x3D\x02\x01";

/// A named curve (RFC 5480, RFC 5639, SEC 2).
#[derive(Debug)]
pub(super) struct Curve {
    pub(super) name: &'static str,
    /// In SSH (RFC 5656), if it has one there.
    pub(super) ssh: &'static str,
    pub(super) oid: &'static [u8],
    bits: usize,
}

const fn curve(name: &'static str, ssh: &'static str, oid: &'static [u8], bits: usize) -> Curve {
    Curve {
        name,
        ssh,
        oid,
        bits,
    }
}

pub(super) const CURVES: &[Curve] = &[
    curve(
        "P-256",
        "nistp256",
        b"\x2A\x86\x48\xCE\x3D\x03\x01\x07",
        256,
    ),
    curve("P-384", "nistp384", b"\x2B\x81\x04\x00\x22", 384),
    curve("P-521", "nistp521", b"\x2B\x81\x04\x00\x23", 521),
    curve("P-192", "", b"\x2A\x86\x48\xCE\x3D\x03\x01\x01", 192),
    curve("P-224", "", b"\x2B\x81\x04\x00\x21", 224),
    curve("secp256k1", "", b"\x2B\x81\x04\x00\x0A", 256),
    curve(
        "brainpoolP256r1",
        "",
        b"\x2B\x24\x03\x03\x02\x08\x01\x01\x07",
        256,
    ),
    curve(
        "brainpoolP384r1",
        "",
        b"\x2B\x24\x03\x03\x02\x08\x01\x01\x0B",
        384,
    ),
    curve(
        "brainpoolP512r1",
        "",
        b"\x2B\x24\x03\x03\x02\x08\x01\x01\x0D",
        512,
    ),
    curve("SM2", "", b"\x2A\x81\x1C\xCF\x55\x01\x82\x2D", 256),
];

/// A curve whose keys are plain strings of bytes (RFC 8410).
#[derive(Debug)]
pub(super) struct Plain {
    pub(super) name: &'static str,
    pub(super) oid: &'static [u8],
    /// Bytes of a private key, and of a public one.
    pub(super) length: usize,
    bits: usize,
}

pub(super) const ED25519: &Plain = &PLAIN[0];

pub(super) const PLAIN: &[Plain] = &[
    Plain {
        name: "ed25519",
        oid: b"\x2B\x65\x70",
        length: 32,
        bits: 256,
    },
    Plain {
        name: "x25519",
        oid: b"\x2B\x65\x6E",
        length: 32,
        bits: 256,
    },
    Plain {
        name: "ed448",
        oid: b"\x2B\x65\x71",
        length: 57,
        bits: 456,
    },
    Plain {
        name: "x448",
        oid: b"\x2B\x65\x6F",
        length: 56,
        bits: 448,
    },
];

/// A public key, borrowed from where it is written. Numbers are without leading zeros.
#[derive(Clone, Copy, Debug)]
pub(super) enum Public<'a> {
    Rsa {
        modulus: &'a [u8],
        exponent: &'a [u8],
    },
    /// `domain` is p, q and g.
    Dsa {
        domain: [&'a [u8]; 3],
        key: &'a [u8],
    },
    Ec {
        curve: &'static Curve,
        point: &'a [u8],
    },
    Plain {
        curve: &'static Plain,
        key: &'a [u8],
    },
}

impl Public<'_> {
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Rsa { .. } => "rsa",
            Self::Dsa { .. } => "dsa",
            Self::Ec { .. } => "ec",
            Self::Plain { curve, .. } => curve.name,
        }
    }

    pub(super) fn curve(&self) -> Option<&'static str> {
        match self {
            Self::Ec { curve, .. } => Some(curve.name),
            _ => None,
        }
    }

    pub(super) fn bits(&self) -> usize {
        match self {
            Self::Rsa { modulus, .. } => bits(modulus),
            Self::Dsa { domain, .. } => bits(domain[0]),
            Self::Ec { curve, .. } => curve.bits,
            Self::Plain { curve, .. } => curve.bits,
        }
    }

    /// The SubjectPublicKeyInfo; `None` while the point or number itself is not known.
    pub(super) fn info(&self) -> Option<Vec<u8>> {
        let (algorithm, key) = match self {
            Self::Rsa { modulus, exponent } => (
                vec![write(OID, &[RSA]), write(NULL, &[])],
                write(
                    SEQUENCE,
                    &[&write_integer(modulus), &write_integer(exponent)],
                ),
            ),
            Self::Dsa { key: [], .. } => return None,
            Self::Dsa { domain, key } => {
                let [p, q, g] = domain.map(write_integer);
                (
                    vec![write(OID, &[DSA]), write(SEQUENCE, &[&p, &q, &g])],
                    write_integer(key),
                )
            }
            Self::Ec { point: key, .. } | Self::Plain { key, .. } if key.is_empty() => return None,
            Self::Ec { curve, point } => (
                vec![write(OID, &[EC]), write(OID, &[curve.oid])],
                point.to_vec(),
            ),
            Self::Plain { curve, key } => (vec![write(OID, &[curve.oid])], key.to_vec()),
        };
        let algorithm: Vec<&[u8]> = algorithm.iter().map(Vec::as_slice).collect();
        let algorithm = write(SEQUENCE, &algorithm);
        let key = write(BIT_STRING, &[&[0], &key]);
        Some(write(SEQUENCE, &[&algorithm, &key]))
    }

    /// What the private half is known by. `private` is, of RSA, the two primes or else the private
    /// exponent: of one modulus, there are several of those.
    pub(super) fn content(&self, private: &[&[u8]]) -> Option<Content> {
        let mut private: Vec<&[u8]> = private.to_vec();
        if private.iter().any(|it| it.is_empty()) {
            return None;
        }
        let name = self.name().as_bytes();
        let mut parts = vec![&b"private key"[..], name];
        match self {
            Self::Rsa { modulus, .. } => {
                private.sort_unstable();
                parts.push(modulus);
            }
            Self::Dsa { domain, .. } => parts.extend(domain),
            Self::Ec { curve, .. } => parts.push(curve.oid),
            Self::Plain { .. } => {}
        }
        parts.extend(private);
        Some(Content::of(&parts))
    }
}

/// The parts of a SubjectPublicKeyInfo that its kind and size are told from.
pub(super) fn told(info: &[u8]) -> Option<(&'static str, Option<&'static str>, usize)> {
    let mut info = Reader::of_sequence(info)?;
    let mut algorithm = info.sequence()?;
    let oid = algorithm.take(OID)?;
    let key = info.bits()?;
    let public = if oid == RSA || oid == RSA_PSS {
        let mut numbers = Reader::of_sequence(key)?;
        Public::Rsa {
            modulus: numbers.integer()?,
            exponent: numbers.integer()?,
        }
    } else if oid == DSA {
        let mut domain = algorithm.sequence()?;
        Public::Dsa {
            domain: [domain.integer()?, domain.integer()?, domain.integer()?],
            key: Reader::new(key).integer()?,
        }
    } else if oid == EC {
        Public::Ec {
            curve: named(algorithm.take(OID)?)?,
            point: key,
        }
    } else {
        Public::Plain {
            curve: PLAIN.iter().find(|it| it.oid == oid)?,
            key,
        }
    };
    Some((public.name(), public.curve(), public.bits()))
}

/// The curve of an object identifier.
pub(super) fn named(oid: &[u8]) -> Option<&'static Curve> {
    CURVES.iter().find(|it| it.oid == oid)
}

/// The public key that belongs to a private one, where that is no more than one multiplication (RFC 7748,
/// RFC 8032).
pub(super) fn derived(curve: &Plain, private: &[u8]) -> Option<[u8; 32]> {
    let private = Zeroizing::new(<[u8; 32]>::try_from(private).ok()?);
    match curve.name {
        "ed25519" => {
            let digest: Zeroizing<[u8; 64]> = Zeroizing::new(Sha512::digest(*private).into());
            let scalar = Zeroizing::new(<[u8; 32]>::try_from(&digest[..32]).ok()?);
            Some(EdwardsPoint::mul_base_clamped(*scalar).compress().0)
        }
        "x25519" => Some(MontgomeryPoint::mul_base_clamped(*private).0),
        _ => None,
    }
}

/// How many bits a number has.
pub(super) fn bits(number: &[u8]) -> usize {
    let number = magnitude(number);
    let first = number.first().map_or(0, |it| it.leading_zeros() as usize);
    number.len() * 8 - first
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn public_keys_are_derived_as_the_standards_say() {
        let nine = format!("09{}", "00".repeat(31));
        // RFC 8032, section 7.1, test 1; RFC 7748, section 5.2, the first iteration.
        for (curve, private, public) in [
            (
                &PLAIN[0],
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            ),
            (
                &PLAIN[1],
                nine.as_str(),
                "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
            ),
        ] {
            let private = HEXLOWER.decode(private.as_bytes()).unwrap();
            let derived = derived(curve, &private).unwrap();
            assert_eq!(HEXLOWER.encode(&derived), public);
        }
        assert_eq!(derived(&PLAIN[2], &[7; 57]), None);
        assert_eq!(derived(&PLAIN[0], &[7; 31]), None);
    }

    #[test]
    fn sizes_are_counted_in_bits() {
        assert_eq!(bits(&[0, 1]), 1);
        assert_eq!(bits(&[0x80, 0]), 16);
        assert_eq!(bits(&[]), 0);
    }
}
