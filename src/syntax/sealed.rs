//! Where a text holds ciphertext that is meant to lie there: SOPS, Ansible Vault, sealed secrets, age,
//! OpenPGP and CMS messages, Vault's transit engine, hiera-eyaml and dotenvx.
//!
//! A container is believed only as far as its own grammar goes, so that nothing in the clear hides beside it.
//! Not here: encrypted private keys, which are findings (`key`).

use crate::model::span::Span;
use memchr::memmem;

/// The shortest ciphertext that is believed without a frame around it.
const SHORTEST: usize = 28;
/// A value of a sealed secret starts with a wrapped key of 512 bytes, and its length.
const WRAPPED: usize = 684;
/// Armour headers of RFC 9580.
const HEADERS: [&[u8]; 5] = [
    b"Version:",
    b"Comment:",
    b"Hash:",
    b"Charset:",
    b"MessageID:",
];

/// The container at a marker: where it ends, if it is one.
type Reader = fn(&[u8]) -> Option<usize>;

const CONTAINERS: &[(&[u8], Reader)] = &[
    (b"-----BEGIN PGP MESSAGE-----", armour),
    (b"-----BEGIN AGE ENCRYPTED FILE-----", armour),
    (b"-----BEGIN PKCS7-----", armour),
    (b"-----BEGIN CMS-----", armour),
    (b"age-encryption.org/v1\n-> ", age),
    (b"$ANSIBLE_VAULT;", ansible),
    (b"ENC[", enc),
    (b"vault:v", transit),
    (b"encrypted:", dotenvx),
];

/// Every container, in no order.
pub fn spans(text: &[u8]) -> Vec<Span> {
    let mut spans = Vec::new();
    for (marker, end) in CONTAINERS {
        let mut at = 0;
        while let Some(found) = memmem::find(&text[at..], marker) {
            let start = at + found;
            let length = end(&text[start..]);
            spans.extend(length.map(|it| Span::new(start, start + it)));
            at = start + length.unwrap_or(marker.len());
        }
    }
    if memmem::find(text, b"SealedSecret").is_some() {
        sealed_secrets(text, &mut spans);
    }
    spans
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

fn run(text: &[u8], is: impl Fn(u8) -> bool) -> usize {
    text.iter().take_while(|it| is(**it)).count()
}

/// Up to the line that ends it, of base64 and headers all the way (RFC 7468, RFC 9580).
fn armour(text: &[u8]) -> Option<usize> {
    let label = memmem::find(&text[11..], b"-----")? + 11;
    let end = [b"-----END ", &text[11..label], b"-----"].concat();
    let inner = &text[label + 5..memmem::find(text, &end)?];
    let is_part = |line: &[u8]| {
        let line = line.trim_ascii();
        let is_header = HEADERS.iter().any(|it| line.starts_with(it));
        is_header
            || line
                .iter()
                .all(|it| is_base64(*it) || b"\\\"',".contains(it))
    };
    let mut lines = inner.split(|it| *it == b'\n');
    lines
        .all(is_part)
        .then_some(label + 5 + inner.len() + end.len())
}

/// The rest of a file of age: recipients, the header's tag, then bytes without a frame.
fn age(text: &[u8]) -> Option<usize> {
    memmem::find(text, b"\n--- ").map(|_| text.len())
}

/// `$ANSIBLE_VAULT;1.1;AES256` and lines of hexadecimal digits, written out or with escapes.
fn ansible(text: &[u8]) -> Option<usize> {
    let header = run(text, |it| it.is_ascii_graphic() && !b"\\\"'".contains(&it));
    let mut fields = text[..header].split(|it| *it == b';').skip(1);
    let version = fields.next()?;
    let is_known = version.starts_with(b"1.") && fields.next()?.starts_with(b"AES");
    let mut end = header;
    let mut digits = 0;
    while let Some(byte) = text.get(end) {
        let is_break = byte.is_ascii_whitespace() || *byte == b'\\';
        if *byte == b'\\' && text.get(end + 1).is_some_and(|it| b"nr".contains(it)) {
            end += 1;
        } else if byte.is_ascii_hexdigit() {
            digits += 1;
        } else if !is_break {
            break;
        }
        end += 1;
    }
    (is_known && digits >= SHORTEST * 2).then_some(end)
}

/// `ENC[AES256_GCM,data:...,iv:...,tag:...,type:str]` of SOPS, `ENC[PKCS7,...]` of hiera-eyaml.
fn enc(text: &[u8]) -> Option<usize> {
    let is_inner = |it: u8| is_base64(it) || b",:_".contains(&it) || it.is_ascii_whitespace();
    let length = 4 + run(&text[4..], is_inner);
    let inner = &text[4..length];
    let has = |part: &[u8]| memmem::find(inner, part).is_some();
    let is_sops = inner.starts_with(b"AES256_GCM,data:") && has(b",iv:") && has(b",tag:");
    let is_eyaml = [&b"PKCS7,"[..], b"GPG,"]
        .iter()
        .any(|it| inner.starts_with(it) && run(&inner[it.len()..], is_base64) >= SHORTEST);
    ((is_sops || is_eyaml) && text.get(length) == Some(&b']')).then_some(length + 1)
}

/// `vault:v3:` and base64.
fn transit(text: &[u8]) -> Option<usize> {
    let digits = run(&text[7..], |it| it.is_ascii_digit());
    let start = 8 + digits;
    let length = run(text.get(start..)?, is_base64);
    let is_one = digits > 0 && text[start - 1] == b':' && length >= SHORTEST;
    is_one.then_some(start + length)
}

/// `encrypted:` and base64 of a point that begins with 4, and more.
fn dotenvx(text: &[u8]) -> Option<usize> {
    let length = run(&text[10..], is_base64);
    (text.get(10) == Some(&b'B') && length >= 110).then_some(10 + length)
}

/// The values below `encryptedData` of each document that is a SealedSecret; as text, since manifests are
/// templates more often than not.
fn sealed_secrets(text: &[u8], spans: &mut Vec<Span>) {
    let mut start = 0;
    let ends = memmem::find_iter(text, b"\n---").chain([text.len()]);
    for end in ends {
        let document = &text[start..end];
        let is_sealed = memmem::find(document, b"SealedSecret").is_some();
        if let Some(data) = memmem::find(document, b"encryptedData").filter(|_| is_sealed) {
            values(text, Span::new(start + data, end), spans);
        }
        start = end;
    }
}

/// Runs of base64 that can be nothing else.
fn values(text: &[u8], within: Span, spans: &mut Vec<Span>) {
    let mut at = within.start;
    while at < within.end {
        let length = run(&text[at..within.end], is_base64);
        let value = &text[at..at + length];
        if length >= WRAPPED && value.starts_with(b"Ag") {
            spans.push(Span::new(at, at + length));
        }
        at += length.max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_container_reaches_as_far_as_its_grammar() {
        let b64 = "q8Zk27xPw0LmN4tYb6Rc".repeat(40);
        let hex = "6a3f".repeat(20);
        let line = "-----";
        let armour = format!("{line}BEGIN PGP MESSAGE{line}\n\n{b64}\n{line}END PGP MESSAGE{line}");
        let sops = format!("ENC[AES256_GCM,data:{b64},iv:{b64},tag:{b64},type:str]");
        for (before, container, after) in [
            ("a: ", armour.as_str(), "\nb"),
            ("a: ", &sops, " # b"),
            ("a: ", &format!("ENC[PKCS7,{b64}]"), "\n"),
            (
                "a: |\n  ",
                &format!("$ANSIBLE_VAULT;1.1;AES256\n  {hex}\n  {hex}\n"),
                "password: x",
            ),
            (
                "\"",
                &format!("$ANSIBLE_VAULT;1.2;AES256;dev\\n{hex}\\n{hex}\\n"),
                "\"",
            ),
            ("a=", &format!("vault:v12:{b64}"), "\n"),
            ("A=\"", &format!("encrypted:B{b64}"), "\""),
            (
                "",
                &format!("age-encryption.org/v1\n-> X25519 {b64}\n{b64}\n--- {b64}\n\u{1}{b64}"),
                "",
            ),
            (
                "kind: SealedSecret\nencryptedData:\n  a: ",
                &format!("Ag{b64}"),
                "\n---\n",
            ),
            (
                "{\"kind\":\"SealedSecret\",\"encryptedData\":{\"a\":\"",
                &format!("Ag{b64}"),
                "\"}}",
            ),
        ] {
            let text = format!("{before}{container}{after}");
            let found = spans(text.as_bytes());
            let expected = Span::new(before.len(), before.len() + container.len());
            assert_eq!(found, [expected], "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_container_is_none() {
        let b64 = "q8Zk27xPw0LmN4tYb6Rc".repeat(20);
        for text in [
            "ENC[AES256_GCM,data:hunter2]".to_owned(),
            format!("ENC[plain,{b64}]"),
            format!("ENC[AES256_GCM,data:{b64},iv:a,tag:b,type:str"),
            "$ANSIBLE_VAULT;1.1;AES256\npassword: x".to_owned(),
            format!("$ANSIBLE_VAULT;{b64}"),
            "vault:v1:hunter2".to_owned(),
            format!("vault:v:{b64}"),
            "encrypted:hunter2".to_owned(),
            "-----BEGIN PGP MESSAGE-----".to_owned(),
            "-----BEGIN CMS-----\npassword = q8Zk27xPw0\n-----END CMS-----".to_owned(),
            format!("encryptedData:\n  a: Ag{b64}"),
            format!("kind: SealedSecret\nencryptedData:\n  a: Ag\n  b: {b64}"),
            format!("kind: SealedSecret\nencryptedData:\n---\nkind: Secret\ndata:\n  a: Ag{b64}"),
            "age-encryption.org/v1\n-> ".to_owned(),
        ] {
            assert_eq!(spans(text.as_bytes()), [], "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_searched(
            text in "(ENC\\[|vault:v|encrypted:|SealedSecret|encryptedData|\n---|[$]ANSIBLE_VAULT;1.1;AES|-----BEGIN PGP MESSAGE-----|age-encryption.org/v1\n-> |[ -~\n]{0,9}){0,12}",
        ) {
            for it in spans(text.as_bytes()) {
                prop_assert!(it.end <= text.len());
            }
        }
    }
}
