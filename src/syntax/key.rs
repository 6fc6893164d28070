//! What a private key tells without its passphrase: kind, size, whether it is encrypted, its public half;
//! and, of one that is not, what it is known by in every format.
//!
//! Here are the formats in DER: PKCS #1 (RFC 8017), SEC 1 (RFC 5915), PKCS #8 (RFC 5958) and the keys of
//! RFC 8410 within it. Others have files of their own.

use crate::model::fingerprint::Content;
use crate::syntax::asn1::{BIT_STRING, INTEGER, OCTET_STRING, OID, Reader, SEQUENCE, magnitude};
use crate::syntax::keypair::{self, Plain, Public};
use crate::syntax::pem::{self, Block};
use crate::syntax::{openssh, pgp, putty};

/// What is known of a private key. Nothing in it is secret but `content`.
#[derive(Clone, Default, Debug)]
pub struct Key {
    /// `rsa`, `ec`, `ed25519`; `None` where encryption hides it.
    pub kind: Option<&'static str>,
    /// The curve of an `ec` key.
    pub curve: Option<&'static str>,
    /// Size of the modulus, or of the field.
    pub bits: Option<usize>,
    /// The cipher, or `yes` where it is not told; `None` if the key lies in the clear.
    pub encrypted: Option<String>,
    /// The public half as SubjectPublicKeyInfo in DER.
    pub public: Option<Vec<u8>>,
    /// By what the same key is known in every format; only of keys in the clear.
    pub content: Option<Content>,
}

impl Key {
    /// Of a public half and the private numbers that belong to it.
    pub(super) fn clear(public: Public<'_>, private: &[&[u8]]) -> Self {
        Self {
            content: public.content(private),
            ..Self::half(public)
        }
    }

    /// Of a public half alone.
    pub(super) fn half(public: Public<'_>) -> Self {
        Self {
            kind: Some(public.name()),
            curve: public.curve(),
            bits: Some(public.bits()),
            public: public.info(),
            ..Self::default()
        }
    }

    /// A key of which only the encryption can be seen.
    pub(super) fn sealed(cipher: &str) -> Self {
        Self {
            encrypted: Some(cipher.to_owned()),
            ..Self::default()
        }
    }
}

/// The private key that a value begins with: a block of text, or DER.
pub fn read(value: &[u8]) -> Option<Key> {
    keys(value).into_iter().next()
}

/// What a value is known by, if it holds one private key and that lies in the clear. Certificates and
/// parameters may stand beside it.
pub fn content(value: &[u8]) -> Option<Content> {
    match &keys(value)[..] {
        [key] => key.content,
        _ => None,
    }
}

/// What every private key begins with, in one format or another.
fn keys(value: &[u8]) -> Vec<Key> {
    let value = value.trim_ascii_start();
    if value.starts_with(putty::MAGIC) {
        return putty::read(value).into_iter().collect();
    }
    if value.first() == Some(&SEQUENCE) {
        return der(value).into_iter().collect();
    }
    if !value.starts_with(b"----") {
        return Vec::new();
    }
    pem::blocks(value).iter().filter_map(of_block).collect()
}

/// The label says what to read; what does not hold to its label is no key that could be understood.
fn of_block(block: &Block) -> Option<Key> {
    let body = &block.body;
    if block
        .header("Proc-Type")
        .is_some_and(|it| it.contains("ENCRYPTED"))
    {
        let cipher = block.header("DEK-Info").and_then(|it| it.split(',').next());
        let mut key = Key::sealed(&cipher.unwrap_or("yes").to_ascii_lowercase());
        key.kind = match block.label.as_str() {
            "RSA PRIVATE KEY" => Some("rsa"),
            "DSA PRIVATE KEY" => Some("dsa"),
            "EC PRIVATE KEY" => Some("ec"),
            _ => None,
        };
        return Some(key);
    }
    match block.label.as_str() {
        "OPENSSH PRIVATE KEY" => openssh::read(body),
        "PGP PRIVATE KEY BLOCK" => pgp::read(body),
        "SSH2 ENCRYPTED PRIVATE KEY" => openssh::read_ssh2(body),
        "ENCRYPTED PRIVATE KEY" => Some(der(body).unwrap_or_else(|| Key::sealed("yes"))),
        label if label.ends_with("PRIVATE KEY") => der(body),
        _ => None,
    }
}

/// A key in DER, told by the tags it begins with.
fn der(bytes: &[u8]) -> Option<Key> {
    let mut outer = Reader::of_sequence(bytes)?;
    if outer.tag()? == SEQUENCE {
        return enveloped(outer);
    }
    let version = outer.take(INTEGER)?;
    match outer.tag()? {
        SEQUENCE => pkcs8(outer),
        OCTET_STRING if version == [1] => sec1(outer, None),
        INTEGER => integers(outer),
        _ => None,
    }
}

/// PKCS #1, or what OpenSSL writes of a DSA key.
fn integers(mut rest: Reader<'_>) -> Option<Key> {
    let mut numbers = Vec::new();
    while rest.tag() == Some(INTEGER) && numbers.len() < 9 {
        numbers.push(rest.integer()?);
    }
    match numbers[..] {
        [modulus, exponent, private, p, q, _, _, _] => {
            let public = Public::Rsa { modulus, exponent };
            let has_primes = !p.is_empty() && !q.is_empty();
            Some(if has_primes {
                Key::clear(public, &[p, q])
            } else {
                Key::clear(public, &[private])
            })
        }
        [p, q, g, key, private] => {
            let domain = [p, q, g];
            Some(Key::clear(Public::Dsa { domain, key }, &[private]))
        }
        _ => None,
    }
}

/// ECPrivateKey behind its version; `outside` is the curve that PKCS #8 names.
fn sec1(mut rest: Reader<'_>, outside: Option<&[u8]>) -> Option<Key> {
    const PARAMETERS: u8 = 0xA0;
    const POINT: u8 = 0xA1;
    let private = magnitude(rest.take(OCTET_STRING)?);
    let inside = match rest.take(PARAMETERS) {
        Some(it) => Reader::new(it).take(OID),
        None => None,
    };
    let point = rest
        .take(POINT)
        .and_then(|it| Reader::new(it).bits())
        .unwrap_or_default();
    match inside.or(outside).and_then(keypair::named) {
        Some(curve) => Some(Key::clear(Public::Ec { curve, point }, &[private])),
        None => Some(Key {
            kind: Some("ec"),
            ..Key::default()
        }),
    }
}

/// PrivateKeyInfo or OneAsymmetricKey behind its version.
fn pkcs8(mut rest: Reader<'_>) -> Option<Key> {
    /// `publicKey [1]`, a bit string.
    const PUBLIC: u8 = 0x81;
    let mut algorithm = rest.sequence()?;
    let oid = algorithm.take(OID)?;
    let inner = rest.take(OCTET_STRING)?;
    if oid == keypair::RSA || oid == keypair::RSA_PSS {
        return der(inner).filter(|it| it.kind == Some("rsa"));
    }
    if oid == keypair::EC {
        let mut key = Reader::of_sequence(inner)?;
        key.take(INTEGER)?;
        return sec1(key, algorithm.take(OID));
    }
    if oid == keypair::DSA {
        let mut numbers = algorithm.sequence()?;
        let domain = [numbers.integer()?, numbers.integer()?, numbers.integer()?];
        let private = Reader::new(inner).integer()?;
        return Some(Key::clear(Public::Dsa { domain, key: &[] }, &[private]));
    }
    let curve = keypair::PLAIN.iter().find(|it| it.oid == oid)?;
    let private = Reader::new(inner).take(OCTET_STRING)?;
    let mut written: &[u8] = &[];
    while let Some((tag, contents)) = rest.element() {
        if tag == PUBLIC || tag == BIT_STRING {
            written = contents.get(1..).unwrap_or_default();
        }
    }
    plain(curve, private, written)
}

/// A key that is a string of bytes. Its public half is derived where that is written nowhere.
pub(super) fn plain(curve: &'static Plain, private: &[u8], public: &[u8]) -> Option<Key> {
    if private.len() != curve.length {
        return None;
    }
    let derived = keypair::derived(curve, private);
    let key = derived.as_ref().map_or(public, |it| &it[..]);
    Some(Key::clear(Public::Plain { curve, key }, &[private]))
}

/// EncryptedPrivateKeyInfo: the scheme, and of PBES2 (RFC 8018) the cipher.
fn enveloped(mut outer: Reader<'_>) -> Option<Key> {
    const PBES2: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D";
    const CIPHERS: &[(&[u8], &str)] = &[
        (b"\x60\x86\x48\x01\x65\x03\x04\x01\x02", "aes-128-cbc"),
        (b"\x60\x86\x48\x01\x65\x03\x04\x01\x16", "aes-192-cbc"),
        (b"\x60\x86\x48\x01\x65\x03\x04\x01\x2A", "aes-256-cbc"),
        (b"\x60\x86\x48\x01\x65\x03\x04\x01\x2E", "aes-256-gcm"),
        (b"\x2A\x86\x48\x86\xF7\x0D\x03\x07", "des-ede3-cbc"),
        (b"\x2A\x86\x48\x86\xF7\x0D\x03\x02", "rc2-cbc"),
    ];
    let mut algorithm = outer.sequence()?;
    let oid = algorithm.take(OID)?;
    outer.take(OCTET_STRING)?;
    let cipher = (oid == PBES2).then(|| {
        let mut parameters = algorithm.sequence()?;
        parameters.sequence()?;
        let oid = parameters.sequence()?.take(OID)?;
        CIPHERS.iter().find(|it| it.0 == oid).map(|it| it.1)
    });
    Some(Key::sealed(cipher.flatten().unwrap_or("yes")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::asn1::{NULL, write, write_integer};
    use data_encoding::{BASE64, HEXLOWER};
    use proptest::prelude::*;
    use sha2::{Digest, Sha256};

    /// Drawn bytes; the first is neither zero nor would it be a sign.
    fn drawn(name: &str, count: usize) -> Vec<u8> {
        let mut bytes: Vec<u8> = (0..count.div_ceil(32))
            .flat_map(|at| Sha256::digest(format!("{name}/{at}")))
            .take(count)
            .collect();
        bytes[0] = bytes[0] & 0x3F | 0x40;
        bytes
    }

    fn armoured(label: &str, headers: &str, body: &[u8]) -> String {
        let line = "-----";
        let body = BASE64.encode(body);
        let lines: Vec<&str> = body
            .as_bytes()
            .chunks(64)
            .map(|it| std::str::from_utf8(it).unwrap())
            .collect();
        let body = lines.join("\n");
        format!("{line}BEGIN {label}{line}\n{headers}{body}\n{line}END {label}{line}\n")
    }

    fn sequence(parts: &[Vec<u8>]) -> Vec<u8> {
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        write(SEQUENCE, &parts)
    }

    fn integers(numbers: &[&[u8]]) -> Vec<u8> {
        sequence(
            &numbers
                .iter()
                .map(|it| write_integer(it))
                .collect::<Vec<_>>(),
        )
    }

    fn oid(oid: &[u8]) -> Vec<u8> {
        write(OID, &[oid])
    }

    fn pkcs8(algorithm: &[Vec<u8>], key: &[u8]) -> String {
        let key = [
            write_integer(&[]),
            sequence(algorithm),
            write(OCTET_STRING, &[key]),
        ];
        armoured("PRIVATE KEY", "", &sequence(&key))
    }

    /// Fields of the SSH wire.
    fn wire(fields: &[&[u8]]) -> Vec<u8> {
        fields
            .iter()
            .flat_map(|it| [&(it.len() as u32).to_be_bytes()[..], it].concat())
            .collect()
    }

    fn openssh(cipher: &str, public: &[&[u8]], private: &[&[u8]]) -> String {
        let private = match cipher {
            "none" => [
                &[7; 8][..],
                &wire(private),
                &wire(&[b"ops@shop"]),
                &[1, 2, 3],
            ]
            .concat(),
            _ => drawn("ciphertext", 96),
        };
        let body = [
            &b"openssh-key-v1\0"[..],
            &wire(&[cipher.as_bytes(), b"none", b""]),
            &[0, 0, 0, 1],
            &wire(&[&wire(public), &private]),
        ];
        armoured("OPENSSH PRIVATE KEY", "", &body.concat())
    }

    fn putty(cipher: &str, public: &[&[u8]], private: &[&[u8]]) -> String {
        let kind = std::str::from_utf8(public[0]).unwrap();
        format!(
            "PuTTY-User-Key-File-3: {kind}\r\nEncryption: {cipher}\r\nComment: ops\r\nPublic-Lines: 1\r\n{}\r\nPrivate-Lines: 1\r\n{}\r\nPrivate-MAC: 00\r\n",
            BASE64.encode(&wire(public)),
            BASE64.encode(&wire(private)),
        )
    }

    /// The numbers of an invented RSA key; they need not fit one another.
    fn rsa() -> [Vec<u8>; 8] {
        let exponent = vec![1, 0, 1];
        let [n, d, p, q] = [("n", 256), ("d", 255), ("p", 128), ("q", 128)]
            .map(|(name, count)| drawn(name, count));
        let [dp, dq, inverse] = ["dp", "dq", "inverse"].map(|name| drawn(name, 127));
        [n, exponent, d, p, q, dp, dq, inverse]
    }

    /// The same key in several texts, its kind, curve and size.
    type Case = (Vec<String>, &'static str, Option<&'static str>, usize);

    fn rsa_texts() -> Case {
        let numbers = rsa();
        let [n, e, d, p, q, dp, dq, inverse] = numbers.each_ref().map(Vec::as_slice);
        let pkcs1 = integers(&[&[], n, e, d, p, q, dp, dq, inverse]);
        // Another exponent opens the same, and the primes have no order.
        let swapped = integers(&[&[], n, e, dp, q, p, dq, dp, inverse]);
        let algorithm = [oid(keypair::RSA), write(NULL, &[])];
        let public: &[&[u8]] = &[b"ssh-rsa", e, n];
        let texts = vec![
            armoured("RSA PRIVATE KEY", "", &pkcs1),
            armoured("RSA PRIVATE KEY", "", &swapped),
            pkcs8(&algorithm, &pkcs1),
            openssh("none", public, &[b"ssh-rsa", n, e, d, inverse, p, q]),
            putty("none", public, &[d, p, q, inverse]),
        ];
        (texts, "rsa", None, 2047)
    }

    fn ec_texts() -> Case {
        let curve = &keypair::CURVES[0];
        // A scalar with a zero in front is as long as others in SEC 1, and shorter in SSH.
        let short = drawn("scalar", 31);
        let scalar = [&[0][..], &short].concat();
        let point = [&[4][..], &drawn("point", 64)].concat();
        let inner = |parameters: bool| {
            let mut parts = vec![write_integer(&[1]), write(OCTET_STRING, &[&scalar])];
            if parameters {
                parts.push(write(0xA0, &[&oid(curve.oid)]));
            }
            parts.push(write(0xA1, &[&write(BIT_STRING, &[&[0], &point])]));
            sequence(&parts)
        };
        let algorithm = [oid(keypair::EC), oid(curve.oid)];
        let name = b"ecdsa-sha2-nistp256";
        let public: &[&[u8]] = &[name, b"nistp256", &point];
        let parameters = armoured("EC PARAMETERS", "", &oid(curve.oid));
        let texts = vec![
            armoured("EC PRIVATE KEY", "", &inner(true)),
            parameters + &armoured("EC PRIVATE KEY", "", &inner(true)),
            pkcs8(&algorithm, &inner(false)),
            pkcs8(&algorithm, &inner(true)),
            openssh("none", public, &[name, b"nistp256", &point, &short]),
            putty("none", public, &[&short]),
        ];
        (texts, "ec", Some("P-256"), 256)
    }

    fn ed25519_texts() -> Case {
        let seed = drawn("seed", 32);
        let key = keypair::derived(keypair::ED25519, &seed).unwrap();
        let algorithm = [oid(keypair::ED25519.oid)];
        let inner = write(OCTET_STRING, &[&seed]);
        let second = sequence(&[
            write_integer(&[1]),
            sequence(&algorithm),
            write(OCTET_STRING, &[&inner]),
            write(0x81, &[&[0], &key]),
        ]);
        let name = b"ssh-ed25519";
        let both = [&seed[..], &key].concat();
        let texts = vec![
            pkcs8(&algorithm, &inner),
            armoured("PRIVATE KEY", "", &second),
            openssh("none", &[name, &key], &[name, &key, &both]),
            putty("none", &[name, &key], &[&seed]),
        ];
        (texts, "ed25519", None, 256)
    }

    fn dsa_texts() -> Case {
        let [p, q, g, y, x] = [("p", 128), ("q", 20), ("g", 128), ("y", 128), ("x", 20)]
            .map(|(name, count)| drawn(name, count));
        let algorithm = [oid(keypair::DSA), integers(&[&p, &q, &g])];
        let public: &[&[u8]] = &[b"ssh-dss", &p, &q, &g, &y];
        let texts = vec![
            armoured("DSA PRIVATE KEY", "", &integers(&[&[], &p, &q, &g, &y, &x])),
            pkcs8(&algorithm, &write_integer(&x)),
            openssh("none", public, &[b"ssh-dss", &p, &q, &g, &y, &x]),
            putty("none", public, &[&x]),
        ];
        (texts, "dsa", None, 1023)
    }

    #[test]
    fn a_key_is_known_by_its_numbers_in_every_format_and_layout() {
        let mut seen = Vec::new();
        for (texts, kind, curve, bits) in [rsa_texts(), ec_texts(), ed25519_texts(), dsa_texts()] {
            let known = content(texts[0].as_bytes());
            assert!(known.is_some() && !seen.contains(&known));
            seen.push(known);
            let public = read(texts[0].as_bytes()).unwrap().public;
            for text in texts {
                for layout in [
                    text.clone(),
                    format!("\n{}", text.replace('\n', "\n    ")),
                    text.replace('\n', "\\n"),
                ] {
                    let key = read(layout.as_bytes()).expect(&layout);
                    let told = (key.kind, key.curve, key.bits);
                    assert_eq!(told, (Some(kind), curve, Some(bits)), "{layout}");
                    assert_eq!(key.encrypted, None);
                    assert!(key.public.is_none() && kind == "dsa" || key.public == public);
                    assert_eq!(content(layout.as_bytes()), known, "{layout}");
                }
            }
        }
    }

    #[test]
    fn an_encrypted_key_says_so_and_is_known_by_nothing() {
        let point = drawn("point", 32);
        let name = b"ssh-ed25519";
        let pbes2 = [
            oid(b"\x2A\x86\x48\x86\xF7\x0D\x01\x05\x0D"),
            sequence(&[
                sequence(&[]),
                sequence(&[oid(b"\x60\x86\x48\x01\x65\x03\x04\x01\x2A")]),
            ]),
        ];
        let envelope = sequence(&[
            sequence(&pbes2),
            write(OCTET_STRING, &[&drawn("ciphertext", 64)]),
        ]);
        let ssh2 = [
            &[0x3F, 0x6F, 0xF9, 0xEB, 0, 0, 0, 90][..],
            &wire(&[b"if-modn{sign{rsa-pkcs1-sha1}}", b"3des-cbc"]),
        ];
        let public: &[&[u8]] = &[name, &point];
        for (text, kind, cipher) in [
            (
                armoured("ENCRYPTED PRIVATE KEY", "", &envelope),
                None,
                "aes-256-cbc",
            ),
            (
                armoured("ENCRYPTED PRIVATE KEY", "", &drawn("junk", 60)),
                None,
                "yes",
            ),
            (
                armoured(
                    "RSA PRIVATE KEY",
                    "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n",
                    &drawn("ciphertext", 64),
                ),
                Some("rsa"),
                "aes-128-cbc",
            ),
            (
                openssh("aes256-ctr", public, &[]),
                Some("ed25519"),
                "aes256-ctr",
            ),
            (
                putty("aes256-cbc", public, &[]),
                Some("ed25519"),
                "aes256-cbc",
            ),
            (
                armoured("SSH2 ENCRYPTED PRIVATE KEY", "", &ssh2.concat()),
                Some("rsa"),
                "3des-cbc",
            ),
        ] {
            let key = read(text.as_bytes()).expect(&text);
            assert_eq!(key.encrypted.as_deref(), Some(cipher), "{text}");
            assert_eq!(key.kind, kind, "{text}");
            assert_eq!(key.public.is_some(), kind == Some("ed25519"), "{text}");
            assert_eq!(content(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_value_with_several_keys_is_none_of_them() {
        let (rsa, ec) = (rsa_texts().0, ec_texts().0);
        let other = armoured("CERTIFICATE", "", b"not a key");
        assert!(content(format!("{}{other}", rsa[0]).as_bytes()).is_some());
        assert!(content(format!("{}{}", rsa[0], ec[0]).as_bytes()).is_none());
        assert!(content(other.as_bytes()).is_none());
        assert!(content(b"password").is_none());
    }

    #[test]
    fn a_public_half_is_a_subject_public_key_info() {
        // RFC 8410, section 10.1 and 10.3: the same key.
        let private = "MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC";
        let der = BASE64.decode(private.as_bytes()).unwrap();
        let public = read(&der).unwrap().public.unwrap();
        assert_eq!(
            BASE64.encode(&public),
            "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
        );
        assert_eq!(HEXLOWER.encode(&public[..4]), "302a3005");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            label in "(RSA |EC |DSA |OPENSSH |ENCRYPTED |)PRIVATE KEY|PGP PRIVATE KEY BLOCK",
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            read(&body);
            read(armoured(&label, "", &body).as_bytes());
        }

        #[test]
        fn damaged_keys_are_read_or_refused(
            which in 0..6_usize,
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            for (texts, ..) in [rsa_texts(), ec_texts(), ed25519_texts()] {
                let text = &texts[which % texts.len()];
                let mut bytes = text.clone().into_bytes();
                let at = at.index(bytes.len());
                bytes[at] = byte;
                read(&bytes);
                let mut body = pem::blocks(text.as_bytes());
                if let Some(block) = body.first_mut() {
                    let at = at % block.body.len();
                    block.body[at] = byte;
                    of_block(block);
                }
            }
        }
    }
}
