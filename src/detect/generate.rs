//! Fills the `{{...}}` parts of rule examples with seeded random text, so that rule files hold no text
//! that looks like a live token.

use super::checksum::crc32_suffix;
use data_encoding::{BASE64, BASE64URL_NOPAD};

/// A small seeded generator (SplitMix64, Steele, Lea and Flood 2014).
#[derive(Debug)]
pub struct Seed(pub u64);

impl Seed {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn pick(&mut self, set: &[u8]) -> u8 {
        set[(self.next() % set.len().max(1) as u64) as usize]
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// The example with every part filled; an unknown part is an error that names it.
pub fn fill(example: &str, seed: &mut Seed) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = example;
    while let Some(start) = rest.find("{{") {
        let Some(length) = rest[start..].find("}}") else {
            break;
        };
        out.push_str(&rest[..start]);
        let part = part(&rest[start + 2..start + length], &out, seed)?;
        out.push_str(&part);
        rest = &rest[start + length + 2..];
    }
    out.push_str(rest);
    Ok(out)
}

fn part(part: &str, before: &str, seed: &mut Seed) -> Result<String, String> {
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    match part {
        "crc32-base62" => {
            let start = before.rfind('_').map_or(0, |at| at + 1);
            return Ok(text(crc32_suffix(&before.as_bytes()[start..]).to_vec()));
        }
        "jwt" => {
            let head = BASE64URL_NOPAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
            let body = BASE64URL_NOPAD
                .encode(format!(r#"{{"sub":"{}","iat":1516239022}}"#, seed.next()).as_bytes());
            return Ok(format!(
                "{head}.{body}.{}",
                BASE64URL_NOPAD.encode(&seed.bytes(32))
            ));
        }
        "jwt-none" => {
            let head = BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
            let body = format!(r#"{{"sub":"{}","iat":1516239022}}"#, seed.next());
            return Ok(format!(
                "{head}.{}.",
                BASE64URL_NOPAD.encode(body.as_bytes())
            ));
        }
        "pem-body" => {
            let body = BASE64.encode(&seed.bytes(336));
            return Ok(body
                .as_bytes()
                .chunks(64)
                .map(|it| text(it.to_vec()))
                .collect::<Vec<_>>()
                .join("\n"));
        }
        _ => {}
    }
    let (class, count) = part
        .rsplit_once(':')
        .ok_or_else(|| format!("`{{{{{part}}}}}` is no class:length"))?;
    let count: usize = count
        .parse()
        .map_err(|_| format!("`{{{{{part}}}}}` has no length"))?;
    match class {
        "basic" => {
            const LETTERS: &[u8] = b"bcdfghjkmnpqrstvwxz23456789";
            let password = (0..count).map(|_| seed.pick(LETTERS)).collect();
            Ok(BASE64.encode(format!("shop:{}", text(password)).as_bytes()))
        }
        // As many lines that say nothing.
        "lines" => Ok("#\n".repeat(count)),
        "base64" => Ok(BASE64.encode(&seed.bytes(count))),
        "hex" => Ok((0..count)
            .map(|_| char::from(seed.pick(b"0123456789abcdef")))
            .collect()),
        _ => {
            let set = class_bytes(class);
            Ok((0..count).map(|_| char::from(seed.pick(&set))).collect())
        }
    }
}

/// The bytes of a class such as `A-Za-z0-9_+/=-`.
pub(crate) fn class_bytes(class: &str) -> Vec<u8> {
    let bytes = class.as_bytes();
    let mut set = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes.get(at + 1) == Some(&b'-') && at + 2 < bytes.len() {
            set.extend(bytes[at]..=bytes[at + 2]);
            at += 3;
        } else {
            set.push(bytes[at]);
            at += 1;
        }
    }
    set
}
