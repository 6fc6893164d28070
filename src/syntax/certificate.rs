//! What an X.509 certificate (RFC 5280) says of itself.
//!
//! Not here: whether anybody should believe it.

use crate::syntax::asn1::{Reader, SEQUENCE, magnitude, write};
use crate::syntax::keypair;
use crate::syntax::pem;
use data_encoding::HEXLOWER;
use x509_cert::der::{Decode, Encode};

/// All of it is public.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Whom it is for, as in RFC 4514.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Its number with its issuer, in hexadecimal digits.
    pub serial: String,
    /// Its beginning, in seconds since the epoch.
    pub not_before: i64,
    /// Its end.
    pub not_after: i64,
    /// The key it is for, as SubjectPublicKeyInfo in DER.
    pub public: Vec<u8>,
    /// Kind, curve and size of that key, where they are known.
    pub key: Option<(&'static str, Option<&'static str>, usize)>,
}

/// The first certificate of a text, or the one that the bytes are.
pub fn read(value: &[u8]) -> Option<Certificate> {
    if value.first() == Some(&SEQUENCE) {
        return der(value);
    }
    pem::blocks(value)
        .iter()
        .filter(|it| it.label.ends_with("CERTIFICATE"))
        .find_map(|it| der(&it.body))
}

fn der(bytes: &[u8]) -> Option<Certificate> {
    // OpenSSL's TRUSTED CERTIFICATE has what it is trusted for behind it.
    let (tag, contents) = Reader::new(bytes).element()?;
    let parsed = x509_cert::Certificate::from_der(&write(tag, &[contents])).ok()?;
    let parsed = parsed.tbs_certificate();
    let start = parsed.validity().not_before.to_unix_duration();
    let end = parsed.validity().not_after.to_unix_duration();
    let public = parsed.subject_public_key_info().to_der().ok()?;
    Some(Certificate {
        subject: parsed.subject().to_string(),
        issuer: parsed.issuer().to_string(),
        serial: HEXLOWER.encode(magnitude(parsed.serial_number().as_bytes())),
        not_before: i64::try_from(start.as_secs()).ok()?,
        not_after: i64::try_from(end.as_secs()).ok()?,
        key: keypair::told(&public),
        public,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::asn1::{BIT_STRING, OCTET_STRING, OID, write_integer};
    use data_encoding::BASE64;
    use proptest::prelude::*;

    /// Of an invented host; nobody checks the signature.
    fn certificate() -> Vec<u8> {
        let name = |text: &str| {
            let part = [
                write(OID, &[b"\x55\x04\x03"]),
                write(0x0C, &[text.as_bytes()]),
            ];
            let part = write(SEQUENCE, &[&part[0], &part[1]]);
            write(SEQUENCE, &[&write(0x31, &[&part])])
        };
        let algorithm = write(SEQUENCE, &[&write(OID, &[b"\x2B\x65\x70"])]);
        let times = [b"240601000000Z", b"270601000000Z"].map(|it| write(0x17, &[it]));
        let bits = |it: &[u8]| write(BIT_STRING, &[&[0], it]);
        let body = write(
            SEQUENCE,
            &[
                &write(0xA0, &[&write_integer(&[2])]),
                &write_integer(&[7]),
                &algorithm,
                &name("Shop CA"),
                &write(SEQUENCE, &[&times[0], &times[1]]),
                &name("shop.example"),
                &write(SEQUENCE, &[&algorithm, &bits(&[9; 32])]),
            ],
        );
        write(SEQUENCE, &[&body, &algorithm, &bits(&[1; 64])])
    }

    #[test]
    fn a_certificate_tells_whom_it_is_for_until_when_and_its_key() {
        let der = certificate();
        let line = "-----";
        let armoured = |label: &str, body: &[u8]| {
            let body = BASE64.encode(body);
            format!("{line}BEGIN {label}{line}\n{body}\n{line}END {label}{line}\n").into_bytes()
        };
        let trusted = [&der[..], &write(OCTET_STRING, &[b"trust"])].concat();
        for value in [
            der.clone(),
            armoured("CERTIFICATE", &der),
            armoured("TRUSTED CERTIFICATE", &trusted),
        ] {
            let read = read(&value).unwrap();
            assert_eq!(read.subject, "CN=shop.example");
            assert_eq!(read.issuer, "CN=Shop CA");
            assert_eq!(read.not_before, 1_717_200_000);
            assert_eq!(read.not_after, 1_811_808_000);
            assert_eq!(read.serial, "07");
            assert_eq!(read.key, Some(("ed25519", None, 256)));
            assert_eq!(read.public.len(), 44);
        }
        assert!(read(b"shop").is_none());
    }

    proptest! {
        #[test]
        fn damaged_certificates_are_read_or_refused(
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut der = certificate();
            let at = at.index(der.len());
            der[at] = byte;
            read(&der);
        }
    }
}
