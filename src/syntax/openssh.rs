//! Keys of SSH: the wire format (RFC 4251, RFC 4253, RFC 5656, RFC 8709), OpenSSH's file
//! (`PROTOCOL.key`) and that of ssh.com.
//!
//! Not here: their armour, which is `pem`'s.

use crate::syntax::asn1::magnitude;
use crate::syntax::key::{Key, plain};
use crate::syntax::keypair::{CURVES, ED25519, Public};

/// Fields one after another, each behind its length.
#[derive(Clone, Copy)]
pub(super) struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn number(&mut self) -> Option<usize> {
        let (first, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        usize::try_from(u32::from_be_bytes(*first)).ok()
    }

    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let mut ahead = *self;
        let length = ahead.number()?;
        let (field, rest) = ahead.0.split_at_checked(length)?;
        self.0 = rest;
        Some(field)
    }

    /// An `mpint` that is not negative, without leading zeros.
    pub(super) fn integer(&mut self) -> Option<&'a [u8]> {
        self.string().map(magnitude)
    }

    /// A public key behind the name of its kind; `None` also for kinds that are not known.
    pub(super) fn public(&mut self, kind: &[u8]) -> Option<Public<'a>> {
        Some(match kind {
            b"ssh-rsa" => {
                let exponent = self.integer()?;
                Public::Rsa {
                    modulus: self.integer()?,
                    exponent,
                }
            }
            b"ssh-dss" => Public::Dsa {
                domain: [self.integer()?, self.integer()?, self.integer()?],
                key: self.integer()?,
            },
            b"ssh-ed25519" => Public::Plain {
                curve: ED25519,
                key: self.string()?,
            },
            _ => {
                let name = kind.strip_prefix(b"ecdsa-sha2-")?;
                let curve = CURVES
                    .iter()
                    .find(|it| !it.ssh.is_empty() && it.ssh.as_bytes() == name)?;
                let _the_same_name = self.string()?;
                Public::Ec {
                    curve,
                    point: self.string()?,
                }
            }
        })
    }
}

/// The file of OpenSSH. Its public half lies in the clear even if the private one does not.
pub(super) fn read(bytes: &[u8]) -> Option<Key> {
    let mut file = Wire(bytes.strip_prefix(b"openssh-key-v1\0")?);
    let cipher = file.string()?;
    let _derivation = (file.string()?, file.string()?);
    if file.number()? != 1 {
        return None;
    }
    let mut public = Wire(file.string()?);
    let kind = public.string()?;
    if cipher == b"none" {
        return private(Wire(file.string()?)).or_else(|| told(kind, public));
    }
    let cipher = String::from_utf8_lossy(cipher).into_owned();
    Some(Key {
        encrypted: Some(cipher),
        ..told(kind, public)?
    })
}

/// What the public half tells; a key in a token of hardware (`sk-`) has only a handle in the file.
fn told(kind: &[u8], mut public: Wire<'_>) -> Option<Key> {
    let token = match kind {
        b"sk-ssh-ed25519@openssh.com" => "ed25519-sk",
        b"sk-ecdsa-sha2-nistp256@openssh.com" => "ecdsa-sk",
        _ => {
            let key = public.public(kind).map(Key::half);
            return Some(key.unwrap_or_default());
        }
    };
    Some(Key {
        kind: Some(token),
        ..Key::default()
    })
}

/// The private half: two equal numbers, then the fields of the kind, which are not those of the wire.
fn private(mut rest: Wire<'_>) -> Option<Key> {
    if rest.number()? != rest.number()? {
        return None;
    }
    let kind = rest.string()?;
    match kind {
        b"ssh-rsa" => {
            let (modulus, exponent) = (rest.integer()?, rest.integer()?);
            let _private_and_inverse = (rest.integer()?, rest.integer()?);
            let primes = [rest.integer()?, rest.integer()?];
            Some(Key::clear(Public::Rsa { modulus, exponent }, &primes))
        }
        b"ssh-ed25519" => {
            let public = rest.string()?;
            // The seed, then the public half once more.
            plain(ED25519, rest.string()?.get(..32)?, public)
        }
        _ => {
            let public = rest.public(kind)?;
            Some(Key::clear(public, &[rest.integer()?]))
        }
    }
}

/// The file of ssh.com: its name says encrypted, its cipher may be `none`.
pub(super) fn read_ssh2(bytes: &[u8]) -> Option<Key> {
    const MAGIC: [u8; 4] = [0x3F, 0x6F, 0xF9, 0xEB];
    let mut file = Wire(bytes.strip_prefix(&MAGIC)?);
    let _length = file.number()?;
    let kind = file.string()?;
    let cipher = file.string()?;
    let is = |word: &[u8]| kind.windows(word.len()).any(|it| it == word);
    let kind = match () {
        () if is(b"rsa") => Some("rsa"),
        () if is(b"dsa") || is(b"dl-modp") => Some("dsa"),
        () => None,
    };
    Some(Key {
        kind,
        encrypted: (cipher != b"none").then(|| String::from_utf8_lossy(cipher).into_owned()),
        ..Key::default()
    })
}
