//! Keys and certificates in files: PEM, DER, PuTTY, and the keystores PKCS#12, JKS and JCEKS. One record a key
//! or certificate.
//!
//! What a password seals is recorded by its name, with its state told; no password is tried but those that are given.
//! Fingerprints are
//! those of a scan: a private key is the same one in every format.

use crate::import::intake::{Error, Intake};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use crate::syntax::certificate::{self, Certificate};
use crate::syntax::key::{self, Key};
use crate::syntax::keystore::{self, Entry, Keystore, Thing};
use crate::syntax::pem;
use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(super) const HELP: &str =
    "keys and certificates: PEM, DER, PKCS#12, JKS, JCEKS; a folder: every one below it";

pub(super) const EXAMPLE: &str = concat!(
    "-----BEGIN EC ",
    "PRIVATE KEY-----\n",
    "MHcCAQEEIPNAKJnTzWamFjk7jRIm91y6aYefRS08D8aqpwAW1t5UoAoGCCqGSM49\n",
    "AwEHoUQDQgAEdRYqIe3k9cUs4Tpa7zsqGS/r0G6ogzGxND82A2IkCspc5381B6lk\n",
    "gCOKNW84vCFtlx5WQCTePhy+YxVKD90Y5Q==\n",
    "-----END EC ",
    "PRIVATE KEY-----\n",
    "-----BEGIN CERTIFICATE-----\n",
    "MIIBgjCCASmgAwIBAgIUTfe3LuHUMpDrzLwAC5Ynujo9+FQwCgYIKoZIzj0EAwIw\n",
    "FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMB4XDTI2MTEyNTE4NDEzN1oXDTI4MDcx\n",
    "NzE4NDEzN1owFzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYI\n",
    "KoZIzj0DAQcDQgAEdRYqIe3k9cUs4Tpa7zsqGS/r0G6ogzGxND82A2IkCspc5381\n",
    "B6lkgCOKNW84vCFtlx5WQCTePhy+YxVKD90Y5aNTMFEwHQYDVR0OBBYEFJGbs1dk\n",
    "BAszK4voFQdiRHMxO89yMB8GA1UdIwQYMBaAFJGbs1dkBAszK4voFQdiRHMxO89y\n",
    "MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgH+1vOawCJydDTtdb\n",
    "ovlYaPwiKeXWu7emRPXOHfVs7TICIGcwxPXV5NrmPjrjZsvlcNJG1ZPvD3xIc7/h\n",
    "d+kU/fIG\n",
    "-----END CERTIFICATE-----\n",
);

const HINT: &str = "name a file in PEM or DER, or a keystore of PKCS#12, JKS or JCEKS";

/// What keys and certificates are called.
const ENDS: &[&str] = &[
    ".pem",
    ".crt",
    ".cer",
    ".cert",
    ".der",
    ".key",
    ".p8",
    ".pk8",
    ".p12",
    ".pfx",
    ".jks",
    ".jceks",
    ".ks",
    ".keystore",
    ".truststore",
    ".ppk",
    ".ca",
    ".chain",
    ".ca-bundle",
];

/// What OpenSSH calls keys of users and hosts.
const NAMES: &[&str] = &[
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    "cacerts",
    "keystore",
    "truststore",
];

pub(super) fn applies(below: &str) -> bool {
    let lowered = below.to_ascii_lowercase();
    let file = lowered.rsplit('/').next().unwrap_or(&lowered);
    let is_host_key = file.starts_with("ssh_host_") && file.ends_with("_key");
    is_host_key || NAMES.contains(&file) || ENDS.iter().any(|it| file.ends_with(it))
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    !found(bytes).is_empty() || keystore::read(bytes, &[]).is_some()
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let file = intake.place();
    let mut names = Names::default();
    let passwords = &intake.options().passwords;
    if let Some(store) = keystore::read(&input.bytes, passwords) {
        of_store(&store, file, &mut names, intake);
        return Ok(());
    }
    let found = found(&input.bytes);
    if found.is_empty() {
        return Err(intake.shape("there is no key and no certificate in it", HINT));
    }
    for piece in found {
        let line = piece.line;
        let (record, print) = match &piece.thing {
            Found::Certificate(it) => {
                let record = of_certificate(it, file, &names.next("certificate"));
                (record, intake.fingerprint(&piece.text))
            }
            Found::Key(it) if it.encrypted.is_some() => {
                let name = names.next("private-key");
                let info = sealed(&piece.text);
                match keystore::opened(&info, passwords) {
                    Some(der) => (
                        of_key(&opened(&der, it), file, &name),
                        intake.fingerprint(&der),
                    ),
                    None => (of_key(it, file, &name), None),
                }
            }
            Found::Key(it) => {
                let record = of_key(it, file, &names.next("private-key"));
                (record, intake.fingerprint(&piece.text))
            }
        };
        intake.emit(finished(record, Some(line), print));
    }
    Ok(())
}

/// The bytes of an encrypted key, from text or as they are.
fn sealed(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let block = pem::blocks(text).into_iter().next();
    block.map_or_else(|| Zeroizing::new(text.to_vec()), |it| it.body)
}

/// What a key tells once it is open; that it lies encrypted stays true.
fn opened(der: &[u8], shut: &Key) -> Key {
    Key {
        encrypted: shut.encrypted.clone(),
        ..key::read(der).unwrap_or_default()
    }
}

enum Found {
    Certificate(Certificate),
    Key(Key),
}

/// A key or certificate, and the text by which a scan would know it.
struct Piece {
    thing: Found,
    text: Zeroizing<Vec<u8>>,
    line: u32,
}

/// Keys and certificates of a text, in order; or the one that the bytes are.
fn found(bytes: &[u8]) -> Vec<Piece> {
    let whole = || Zeroizing::new(bytes.to_vec());
    if bytes.first() == Some(&0x30) {
        let thing = match certificate::read(bytes) {
            Some(it) => Some((Found::Certificate(it), armoured(bytes))),
            None => key::read(bytes).map(|it| (Found::Key(it), whole())),
        };
        let piece = thing.map(|(thing, text)| Piece {
            thing,
            text,
            line: 1,
        });
        return piece.into_iter().collect();
    }
    if bytes.starts_with(b"PuTTY-User-Key-File-") {
        let piece = key::read(bytes).map(|it| Piece {
            thing: Found::Key(it),
            text: whole(),
            line: 1,
        });
        return piece.into_iter().collect();
    }
    blocks(bytes)
}

fn blocks(bytes: &[u8]) -> Vec<Piece> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let mut pieces = Vec::new();
    let mut at = 0;
    let find = |from: usize, what: &[u8]| {
        let rest = bytes.get(from..)?;
        memchr::memmem::find(rest, what).map(|it| from + it)
    };
    while let Some(start) = find(at, BEGIN) {
        at = start + BEGIN.len();
        let Some(label) = find(at, b"-----").and_then(|end| bytes.get(at..end)) else {
            break;
        };
        let last = [b"-----END ", label, b"-----"].concat();
        let Some(end) = find(at, &last) else {
            continue;
        };
        at = end + last.len();
        let text = bytes.get(start..at).unwrap_or_default();
        let thing = if label.ends_with(b"CERTIFICATE") {
            certificate::read(text).map(Found::Certificate)
        } else {
            key::read(text).map(Found::Key)
        };
        let breaks = bytes[..start].iter().filter(|it| **it == b'\n').count();
        pieces.extend(thing.map(|thing| Piece {
            thing,
            text: Zeroizing::new(text.to_vec()),
            line: u32::try_from(breaks + 1).unwrap_or(u32::MAX),
        }));
    }
    pieces
}

/// A certificate as the text that most files hold.
fn armoured(der: &[u8]) -> Zeroizing<Vec<u8>> {
    let text = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
        BASE64.encode(der)
    );
    Zeroizing::new(text.into_bytes())
}

fn of_store(store: &Keystore, file: &str, names: &mut Names, intake: &mut Intake<'_>) {
    for entry in &store.entries {
        let (record, print) = of_entry(entry, file, names, intake);
        let mut record = finished(record, None, print);
        record.created = entry.created.or(record.created);
        record
            .tags
            .insert("keystore".to_owned(), store.format.name().to_owned());
        intake.emit(record);
    }
    if store.has_more {
        if store.entries.is_empty() {
            let mut record = finished(blank(file, None), None, None);
            record
                .tags
                .insert("keystore".to_owned(), store.format.name().to_owned());
            record
                .tags
                .insert("state".to_owned(), "sealed by a password".to_owned());
            intake.emit(record);
        }
        intake.skip("a password seals further entries, and none that was given opens them");
    }
}

fn of_entry(
    entry: &Entry,
    file: &str,
    names: &mut Names,
    intake: &Intake<'_>,
) -> (Record, Option<crate::model::fingerprint::Fingerprint>) {
    let mut named = |kind: &str| match entry.alias.as_str() {
        "" => names.next(kind),
        alias => names.next(&format!("{alias}/{kind}")),
    };
    match &entry.thing {
        Thing::Certificate(der) => match certificate::read(der) {
            Some(it) => {
                let record = of_certificate(&it, file, &named("certificate"));
                (record, intake.fingerprint(&armoured(der)))
            }
            None => (blank(file, Some(&named("certificate"))), None),
        },
        Thing::Key(der) => {
            let key = key::read(der).unwrap_or_default();
            let mut record = of_key(&key, file, &named("private-key"));
            if !intake.options().passwords.is_empty() {
                let state = "opened with a password that was given";
                record.tags.insert("state".to_owned(), state.to_owned());
            }
            (record, intake.fingerprint(der))
        }
        Thing::SealedKey | Thing::SecretKey => {
            let is_private = entry.thing == Thing::SealedKey;
            let (kind, name) = match is_private {
                true => (Kind::PrivateKey, "private-key"),
                false => (Kind::SymmetricKey, "secret-key"),
            };
            let mut record = blank(file, Some(&named(name)));
            record.kind = Some(kind);
            record
                .tags
                .insert("state".to_owned(), "sealed by a password".to_owned());
            (record, None)
        }
    }
}

/// Names of what a file holds: those that come again are numbered.
#[derive(Default)]
struct Names(BTreeMap<String, usize>);

impl Names {
    fn next(&mut self, name: &str) -> String {
        let count = self.0.entry(name.to_owned()).or_insert(0);
        *count += 1;
        match *count {
            1 => name.to_owned(),
            number => format!("{name}-{number}"),
        }
    }
}

fn blank(file: &str, key: Option<&str>) -> Record {
    let mut secret = SecretName::new("file", file);
    secret.key = key.map(str::to_owned);
    Record {
        name: key.map_or_else(|| file.to_owned(), |key| format!("{file}#{key}")),
        secret,
        ..Record::default()
    }
}

fn finished(
    mut record: Record,
    line: Option<u32>,
    print: Option<crate::model::fingerprint::Fingerprint>,
) -> Record {
    record.source_line = line;
    record.versions = vec![Version {
        number: 1,
        created: None,
        fingerprint: print,
        veil: None,
    }];
    record
}

fn of_certificate(it: &Certificate, file: &str, name: &str) -> Record {
    let mut record = blank(file, Some(name));
    record.kind = Some(Kind::Certificate);
    record.created = Some(it.not_before);
    record.expires = Some(it.not_after);
    let mut tag = |name: &str, text: String| record.tags.insert(name.to_owned(), text);
    tag("subject", it.subject.clone());
    tag("issuer", it.issuer.clone());
    tag("public_key", digest(&it.public));
    if let Some((kind, curve, bits)) = it.key {
        tag("key", algorithm(kind, curve, bits));
    }
    record
}

fn of_key(it: &Key, file: &str, name: &str) -> Record {
    let mut record = blank(file, Some(name));
    record.kind = Some(Kind::PrivateKey);
    let mut tag = |name: &str, text: String| record.tags.insert(name.to_owned(), text);
    if let Some(public) = &it.public {
        tag("public_key", digest(public));
    }
    if let Some((kind, bits)) = it.kind.zip(it.bits) {
        tag("key", algorithm(kind, it.curve, bits));
    }
    let state = match &it.encrypted {
        Some(cipher) if cipher != "yes" => format!("encrypted with {cipher}"),
        Some(_) => "encrypted".to_owned(),
        None => "in the clear".to_owned(),
    };
    tag("state", state);
    record
}

/// `rsa 2048`, `ec p-256`.
fn algorithm(kind: &str, curve: Option<&str>, bits: usize) -> String {
    match curve {
        Some(curve) => format!("{kind} {curve}"),
        None => format!("{kind} {bits}"),
    }
}

/// As reports tell it: SHA-256 over SubjectPublicKeyInfo.
fn digest(public: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(public)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;

    fn body(label: &str) -> Vec<u8> {
        let blocks = crate::syntax::pem::blocks(EXAMPLE.as_bytes());
        let block = blocks.into_iter().find(|it| it.label.contains(label));
        block.unwrap().body.to_vec()
    }

    #[test]
    fn keys_and_certificates_are_told_and_belong_together() {
        let (records, totals) = tried(read, "tls/web.pem", EXAMPLE.as_bytes()).unwrap();
        let [key, certificate] = &records[..] else {
            panic!("{records:?}");
        };
        assert_eq!(key.name, "web.pem#private-key");
        assert_eq!(key.kind, Some(Kind::PrivateKey));
        assert_eq!(certificate.name, "web.pem#certificate");
        assert_eq!(certificate.kind, Some(Kind::Certificate));
        assert_eq!(certificate.expires, Some(1_847_472_097));
        assert_eq!(certificate.source_line, Some(6));
        let tag = |it: &Record, name: &str| it.tags.get(name).cloned().unwrap_or_default();
        assert_eq!(tag(key, "public_key"), tag(certificate, "public_key"));
        assert_eq!(tag(key, "state"), "in the clear");
        assert_eq!(tag(certificate, "subject"), "CN=shop.example");
        assert_eq!(totals.values, 2);
        let content = key::content(EXAMPLE.as_bytes()).unwrap();
        let print = Fingerprinter::new([3; 32]).of_content(&content);
        assert_eq!(key.versions[0].fingerprint, Some(print));
    }

    #[test]
    fn the_same_is_the_same_in_der() {
        let (records, _) = tried(read, "web.pem", EXAMPLE.as_bytes()).unwrap();
        for (label, record) in [("KEY", &records[0]), ("CERT", &records[1])] {
            let (der, _) = tried(read, "web.der", &body(label)).unwrap();
            assert_eq!(der.len(), 1);
            assert_eq!(
                der[0].versions[0].fingerprint, record.versions[0].fingerprint,
                "{label}"
            );
            assert_eq!(der[0].tags, record.tags);
        }
    }

    #[test]
    fn what_a_password_seals_is_recorded_by_name() {
        let alias = [&[0_u8, 3], &b"web"[..]].concat();
        let head = |kind: u8| [&[0, 0, 0, kind][..], &alias, &[0; 8]].concat();
        let der = body("CERT");
        let length = u32::try_from(der.len()).unwrap().to_be_bytes();
        let x509 = [&[0, 5], &b"X.509"[..], &length, &der].concat();
        let entry = [&head(1)[..], &[0, 0, 0, 1, 7, 0, 0, 0, 1], &x509].concat();
        let start = [0xce, 0xce, 0xce, 0xce, 0, 0, 0, 2, 0, 0, 0, 2];
        let store = [&start[..], &entry, &head(3)].concat();
        let (records, totals) = tried(read, "shop.jceks", &store).unwrap();
        let seen: Vec<_> = records
            .iter()
            .map(|it| (it.name.as_str(), it.kind))
            .collect();
        assert_eq!(
            seen,
            [
                ("shop.jceks#web/private-key", Some(Kind::PrivateKey)),
                ("shop.jceks#web/certificate", Some(Kind::Certificate)),
                ("shop.jceks#web/secret-key", Some(Kind::SymmetricKey)),
            ]
        );
        assert_eq!(records[0].tags["state"], "sealed by a password");
        assert_eq!(totals.values, 1, "the certificate");
        assert!(totals.skipped[0].contains("a password seals"), "{totals:?}");
    }

    #[test]
    fn encrypted_keys_have_no_fingerprint_and_other_files_are_refused() {
        let inner = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMHcC";
        let line = "-----";
        let text = format!(
            "{line}BEGIN RSA PRIVATE KEY{line}\n{inner}\n{line}END RSA PRIVATE KEY{line}\n"
        );
        let (records, _) = tried(read, "old.key", text.as_bytes()).unwrap();
        assert_eq!(records[0].tags["state"], "encrypted with aes-128-cbc");
        assert_eq!(records[0].versions[0].fingerprint, None);
        assert!(tried(read, "a.pem", b"nothing").is_err());
        for (path, expected) in [
            ("a/web.PEM", true),
            ("home/.ssh/id_ed25519", true),
            ("id_ed25519.pub", false),
            ("etc/ssh_host_rsa_key", true),
            ("a.txt", false),
        ] {
            assert_eq!(applies(path), expected, "{path}");
        }
    }
}
