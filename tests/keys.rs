//! Keys, certificates, tokens and containers of ciphertext, from files to findings: what is one secret, what
//! is said of it, and what is no leak. All keys are numbers drawn from a seed; none was ever in use.
#![allow(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use keyatlas::import::{self, Importer};
use keyatlas::model::details::Detail;
use keyatlas::model::finding::Finding;
use keyatlas::model::fingerprint::{Fingerprint, Fingerprinter};
use keyatlas::model::input::Input;
use keyatlas::model::level::{Confidence, Level};
use keyatlas::ruleset;
use keyatlas::scan::{self, Mode, Within};
use keyatlas::syntax::asn1::{BIT_STRING, OCTET_STRING, OID, SEQUENCE, write, write_integer};
use sha2::{Digest, Sha256};
use std::fs;
use std::sync::Arc;
use tempfile::TempDir;
use zeroize::Zeroizing;

const P256: &[u8] = b"\x2A\x86\x48\xCE\x3D\x03\x01\x07";
const EC: &[u8] = b"\x2A\x86\x48\xCE\x3D\x02\x01";
const ED25519: &[u8] = b"\x2B\x65\x70";

/// Bytes drawn by name.
fn drawn(name: &str, count: usize) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..count.div_ceil(32))
        .flat_map(|at| Sha256::digest(format!("keys/{name}/{at}")))
        .take(count)
        .collect();
    bytes[0] = bytes[0] & 0x3F | 0x40;
    bytes
}

/// Lines of base64 in armour.
fn block(label: &str, headers: &str, body: &[u8]) -> String {
    let line = "-----";
    let mut lines = String::new();
    for (at, letter) in BASE64.encode(body).chars().enumerate() {
        if at % 64 == 0 && at > 0 {
            lines.push('\n');
        }
        lines.push(letter);
    }
    format!("{line}BEGIN {label}{line}\n{headers}{lines}\n{line}END {label}{line}\n")
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    write(SEQUENCE, parts)
}

fn bits(bytes: &[u8]) -> Vec<u8> {
    write(BIT_STRING, &[&[0], bytes])
}

/// Fields of the SSH wire.
fn wire(fields: &[&[u8]]) -> Vec<u8> {
    let field = |it: &&[u8]| [&(it.len() as u32).to_be_bytes()[..], it].concat();
    fields.iter().flat_map(field).collect()
}

fn openssh(cipher: &str, public: &[&[u8]], private: &[u8]) -> String {
    let head = wire(&[cipher.as_bytes(), cipher.as_bytes(), b""]);
    let body = wire(&[&wire(public), private]);
    let whole = [&b"openssh-key-v1\0"[..], &head, &[0, 0, 0, 1], &body].concat();
    block("OPENSSH PRIVATE KEY", "", &whole)
}

/// One EC key in SEC 1, PKCS #8 and OpenSSH.
fn ec_texts() -> [String; 3] {
    let (scalar, point) = (
        drawn("scalar", 32),
        [&[4][..], &drawn("point", 64)].concat(),
    );
    let curve = write(OID, &[P256]);
    let inner = sequence(&[
        &write_integer(&[1]),
        &write(OCTET_STRING, &[&scalar]),
        &write(0xA0, &[&curve]),
        &write(0xA1, &[&bits(&point)]),
    ]);
    let outer = sequence(&[
        &write_integer(&[]),
        &sequence(&[&write(OID, &[EC]), &curve]),
        &write(OCTET_STRING, &[&inner]),
    ]);
    let name = b"ecdsa-sha2-nistp256";
    let fields = wire(&[name, b"nistp256", &point, &scalar, b"ops@shop"]);
    let private = [&[7; 8][..], &fields, &[1, 2, 3]].concat();
    [
        block("EC PRIVATE KEY", "", &inner),
        block("PRIVATE KEY", "", &outer),
        openssh("none", &[name, b"nistp256", &point], &private),
    ]
}

/// A certificate for the EC key.
fn certificate() -> String {
    let name = |text: &str| {
        let part = sequence(&[
            &write(OID, &[b"\x55\x04\x03"]),
            &write(0x0C, &[text.as_bytes()]),
        ]);
        sequence(&[&write(0x31, &[&part])])
    };
    let point = [&[4][..], &drawn("point", 64)].concat();
    let key = sequence(&[&write(OID, &[EC]), &write(OID, &[P256])]);
    let signed = sequence(&[&write(OID, &[ED25519])]);
    let time = |it: &[u8]| write(0x17, &[it]);
    let body = sequence(&[
        &write(0xA0, &[&write_integer(&[2])]),
        &write_integer(&[7]),
        &signed,
        &name("Shop CA"),
        &sequence(&[&time(b"240601000000Z"), &time(b"270601000000Z")]),
        &name("shop.example"),
        &sequence(&[&key, &bits(&point)]),
    ]);
    let whole = sequence(&[&body, &signed, &bits(&drawn("signature", 64))]);
    block("CERTIFICATE", "", &whole)
}

fn token(header: &str, claims: &str, signature: &str) -> String {
    let [header, claims] = [header, claims].map(|it| BASE64URL_NOPAD.encode(it.as_bytes()));
    format!("token = \"{header}.{claims}.{signature}\"\n")
}

fn seal() -> Fingerprinter {
    Fingerprinter::new([7; 32])
}

/// The findings of files, in the order of their names.
fn found(files: &[(&str, impl AsRef<[u8]>)]) -> Vec<Finding> {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let rules = Arc::new(ruleset::load(&ruleset::Options::default()).unwrap());
    let options = scan::Options {
        roots: vec![folder.path().to_owned()],
        mode: Mode::Tree,
        within: Within::everything(),
        jobs: 1,
        max_size: 1 << 20,
        max_depth: 4,
        no_ignore: false,
        whole_blobs: false,
        exclude: Vec::new(),
        min_confidence: Confidence::Low,
        references: false,
        estate: false,
        salt: None,
        fingerprinter: Some(seal()),
        known: None,
        ground: scan::Ground::default(),
        index_file: None,
        objects: Vec::new(),
        shelf: None,
        progress: None,
    };
    scan::run(&options, &rules).unwrap().findings
}

/// Paths, levels and rules, to say what was found where nothing should be.
fn told(findings: &[Finding]) -> Vec<String> {
    let tell = |it: &Finding| format!("{} {} {} {:?}", it.path, it.level.name(), it.rule, it.key);
    findings.iter().map(tell).collect()
}

/// Values of a dotenv file as an owner would import it.
fn imported(value: &str) -> Vec<Fingerprint> {
    let value = value.trim_end().replace('\n', "\\n");
    let input = Input {
        name: ".env".to_owned(),
        bytes: Zeroizing::new(format!("TLS_KEY=\"{value}\"\n").into_bytes()),
    };
    let mut prints = Vec::new();
    let options = import::Options::default();
    import::read(
        Importer::named("dotenv").unwrap(),
        &input,
        Some(&seal()),
        &options,
        &mut |it| {
            prints.extend(it.versions.iter().filter_map(|it| it.fingerprint));
        },
    )
    .unwrap();
    prints
}

#[test]
fn one_key_in_many_formats_is_one_secret_here_and_in_the_inventory() {
    let [sec1, pkcs8, ssh] = ec_texts();
    let indented = format!("tls:\n  key: |\n    {}\n", pkcs8.replace('\n', "\n    "));
    let quoted = format!("{{\"key\": \"{}\"}}\n", pkcs8.replace('\n', "\\n"));
    let findings = found(&[
        ("a.pem", sec1.clone()),
        ("b.pem", pkcs8.clone()),
        ("c", ssh.clone()),
        ("d.yaml", indented),
        ("e.json", quoted),
    ]);
    assert_eq!(findings.len(), 5, "{:?}", told(&findings));
    let print = findings[0].fingerprint;
    assert!(print.is_some());
    for it in &findings {
        assert_eq!(it.fingerprint, print, "{}", it.path);
        assert_eq!(it.level, Level::Error, "{}", it.path);
        let details: Vec<_> = it.details.iter().map(|it| it.1.to_owned()).collect();
        assert_eq!(details[..4], ["ec", "P-256", "256", "no"]);
        assert!(details[4].starts_with("sha256:") && details[4].len() == 71);
    }
    // The name it is assigned to on its line is part of an occurrence.
    let base = |at: usize| findings[at].occurrence.base.as_str();
    assert!((1..4).all(|at| base(at) == base(0)) && base(4) != base(0));
    for text in [&sec1, &pkcs8, &ssh] {
        assert_eq!(imported(text), [print.unwrap()], "{text}");
    }
    let bundle = format!("{pkcs8}{}", certificate());
    assert_eq!(imported(&bundle), [print.unwrap()]);
}

#[test]
fn certificates_and_keys_name_one_another() {
    let findings = found(&[
        ("tls.crt", certificate()),
        ("tls.key", ec_texts()[0].clone()),
    ]);
    let [certificate, key] = &findings[..] else {
        panic!("{:?}", told(&findings));
    };
    let base = &key.occurrence.base;
    assert_eq!(
        certificate.details.get(Detail::Key),
        Some(&*format!("{base} at tls.key:1"))
    );
    assert_eq!(
        key.details.get(Detail::Certificate),
        Some("for CN=shop.example until 2027-06-01T00:00:00Z at tls.crt:1")
    );
    assert_eq!(certificate.details.get(Detail::Issuer), Some("CN=Shop CA"));
    assert_eq!(certificate.expires, Some(1_811_808_000));
    let alone = found(&[("tls.crt", self::certificate())]);
    assert_eq!(alone[0].details.get(Detail::Key), None);
}

#[test]
fn encrypted_keys_are_notes_that_say_so() {
    let hidden = drawn("ciphertext", 160);
    let dek = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n";
    let point = drawn("point", 32);
    let name = b"ssh-ed25519";
    let putty = format!(
        "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: aes256-cbc\nComment: ops\nPublic-Lines: 1\n{}\nKey-Derivation: Argon2id\nPrivate-Lines: 1\n{}\nPrivate-MAC: {}\n",
        BASE64.encode(&wire(&[name, &point])),
        BASE64.encode(&hidden[..48]),
        HEXLOWER.encode(&hidden[..32]),
    );
    // Version 4, RSA of 16 bits, a passphrase.
    let pgp = [
        &[0xC5, 180, 4, 0, 0, 0, 0, 1, 0, 16, 0x80, 1, 0, 2, 3, 254][..],
        &hidden,
        &[0; 6],
    ]
    .concat();
    let files = [
        ("a.pem", block("ENCRYPTED PRIVATE KEY", "", &hidden)),
        ("b.pem", block("RSA PRIVATE KEY", dek, &hidden)),
        ("c", openssh("aes256-ctr", &[name, &point], &hidden)),
        ("d.ppk", putty),
        ("e.asc", block("PGP PRIVATE KEY BLOCK", "\n", &pgp)),
    ];
    let findings = found(&files);
    assert_eq!(findings.len(), files.len(), "{:?}", told(&findings));
    for it in &findings {
        assert_eq!(it.level, Level::Note, "{}", it.path);
        let encrypted = it.details.get(Detail::Encrypted);
        assert_eq!(encrypted, Some("yes"), "{}", it.path);
    }
    let public = |at: usize| findings[at].details.get(Detail::PublicKey);
    assert!(public(2).is_some() && public(2) == public(3));
}

#[test]
fn tokens_tell_issuer_algorithm_and_end() {
    let signature = BASE64URL_NOPAD.encode(&drawn("signature", 32));
    let claims = r#"{"iss":"https://id.shop.example","exp":1516239022}"#;
    let findings = found(&[
        ("a.toml", token(r#"{"alg":"HS256"}"#, claims, &signature)),
        ("b.toml", token(r#"{"alg":"none"}"#, claims, &signature)),
        ("c.toml", token(r#"{"alg":"none"}"#, claims, "")),
    ]);
    let levels: Vec<_> = findings.iter().map(|it| it.level).collect();
    assert_eq!(
        levels,
        [Level::Warning, Level::Note, Level::Note],
        "{:?}",
        told(&findings)
    );
    for (it, algorithm) in findings.iter().zip(["HS256", "none", "none"]) {
        let told: Vec<_> = it.details.iter().map(|it| it.1).collect();
        let expected = ["https://id.shop.example", algorithm, "2018-01-18T01:30:22Z"];
        assert_eq!(told, expected, "{}", it.path);
        assert_eq!(it.expires, Some(1_516_239_022));
    }
}

/// The shape of an access key.
fn by_chance() -> String {
    ["AK", "IA", "Q3EGN5XVMZ2RK7WD"].concat()
}

/// Each container: its name, and a file that holds it under a name that would be a secret's.
/// Where it is long enough, it spells by chance what would be an access key.
fn containers() -> Vec<(&'static str, String)> {
    let base64 = |name: &str, count: usize| {
        let text = BASE64.encode(&drawn(name, count));
        match text.split_at_checked(80) {
            Some((before, after)) => format!("{before}+{}/{after}", by_chance()),
            None => text,
        }
    };
    let sops = |name: &str| {
        format!(
            "ENC[AES256_GCM,data:{},iv:{},tag:{},type:str]",
            base64(name, 24),
            base64("iv", 32),
            base64("tag", 16)
        )
    };
    let age = block("AGE ENCRYPTED FILE", "", &drawn("age", 300));
    let pgp = block("PGP MESSAGE", "\n", &drawn("pgp", 400));
    let indented = |text: &str| text.trim_end().replace('\n', "\n          ");
    let hex = HEXLOWER.encode(&drawn("ansible", 200));
    let hex: Vec<&str> = (0..5).map(|at| &hex[at * 80..at * 80 + 80]).collect();
    let sealed = |name: &str| format!("Ag{}", base64(name, 600));
    let dotenvx = format!("encrypted:B{}", base64("dotenvx", 150));
    let transit = format!("vault:v1:{}", base64("transit", 60));
    vec![
        (
            "sops.yaml",
            format!(
                "db_password: {}\napi:\n  secret_key: {}\nsops:\n  age:\n    - recipient: age1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0jqxuzv4e\n      enc: |\n          {}\n  pgp:\n    - fp: {}\n      enc: |\n          {}\n  hc_vault:\n    - enc: vault:v1:{}\n  mac: {}\n  lastmodified: \"2026-01-01T00:00:00Z\"\n",
                sops("password"),
                sops("secret"),
                indented(&age),
                HEXLOWER.encode(&drawn("fp", 20)).to_uppercase(),
                indented(&pgp),
                base64("transit", 60),
                sops("mac"),
            ),
        ),
        (
            "sops.json",
            format!(
                "{{\"password\": \"{}\", \"sops\": {{\"age\": [{{\"enc\": \"{}\"}}], \"mac\": \"{}\"}}}}\n",
                sops("password"),
                age.replace('\n', "\\n"),
                sops("mac")
            ),
        ),
        (
            "sops.env",
            format!(
                "DB_PASSWORD={}\nAPI_TOKEN={}\nsops_age__list_0__map_enc={}\nsops_mac={}\n",
                sops("password"),
                sops("token"),
                age.replace('\n', "\\n"),
                sops("mac")
            ),
        ),
        (
            "vault.yml",
            format!("$ANSIBLE_VAULT;1.1;AES256\n{}\n", hex.join("\n")),
        ),
        (
            "inline.yml",
            format!(
                "db_password: !vault |\n          $ANSIBLE_VAULT;1.2;AES256;dev\n          {}\napi_token: !vault |\n          $ANSIBLE_VAULT;1.1;AES256\n          {}\n",
                hex.join("\n          "),
                hex.join("\n          ")
            ),
        ),
        (
            "joined.json",
            format!(
                "{{\"db_password\": \"$ANSIBLE_VAULT;1.1;AES256\\n{}\\n\"}}\n",
                hex.join("\\n")
            ),
        ),
        (
            "sealed.yaml",
            format!(
                "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nmetadata:\n  name: db\nspec:\n  encryptedData:\n    password: {}\n    api_token: {}\n",
                sealed("password"),
                sealed("token")
            ),
        ),
        (
            "sealed.json",
            format!(
                "{{\"kind\": \"SealedSecret\", \"spec\": {{\"encryptedData\": {{\"password\": \"{}\"}}}}}}\n",
                sealed("password")
            ),
        ),
        ("secret.age", age.clone()),
        (
            "age.yaml",
            format!(
                "backup_password: |\n  {}\n",
                age.trim_end().replace('\n', "\n  ")
            ),
        ),
        ("message.asc", pgp),
        (
            "eyaml.yaml",
            format!("db_password: ENC[PKCS7,{}]\n", base64("eyaml", 300)),
        ),
        ("transit.env", format!("DB_PASSWORD={transit}\n")),
        ("dotenvx.env", format!("DB_PASSWORD=\"{dotenvx}\"\n")),
    ]
}

#[test]
fn ciphertext_that_is_meant_to_lie_there_is_no_leak() {
    let files = containers();
    let findings = found(&files);
    assert_eq!(told(&findings), Vec::<String>::new());
    // The names alone would have been reason enough.
    let control = drawn("control", 24);
    let open = format!("db_password: {}\n", BASE64.encode(&control));
    let shape = format!("a+{}/b\n", by_chance());
    let open = [("open.yaml", open), ("shape.txt", shape)];
    assert_eq!(found(&open).len(), 2);
}

#[test]
fn what_lies_beside_ciphertext_is_found() {
    let files: Vec<(&str, String)> = containers()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".yaml"))
        .map(|(name, text)| {
            let open = BASE64.encode(&drawn(name, 24));
            (name, format!("{text}other_password: {open}\n"))
        })
        .collect();
    let findings = found(&files);
    assert_eq!(findings.len(), files.len(), "{:?}", told(&findings));
}

#[test]
fn encrypted_files_of_bytes_are_silent() {
    let body = drawn("body", 40_000);
    let age = b"age-encryption.org/v1\n-> X25519 q8Zk27xPw0LmN4tYb6Rcq8Zk27xPw0LmN4tYb6Rc\nq8Zk27xPw0LmN4tYb6Rc\n--- q8Zk27xPw0LmN4tYb6Rc\n";
    let files = [
        ("a.env", &b"\0GITCRYPT\0"[..]),
        ("b.age", age),
        ("c.gpg", b"\x85\x02"),
    ]
    .map(|(name, head)| (name, [head, &body].concat()));
    assert_eq!(told(&found(&files)), Vec::<String>::new());
}
