//! Checksums and structure that real tokens carry: offline proof instead of a call to the provider.

use super::plain::{is_stand_in, is_trivial};
use crate::model::rule::Checksum;
use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL_NOPAD};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Whether the value passes the checksum of its format.
pub(crate) fn holds(checksum: Checksum, value: &[u8]) -> bool {
    match checksum {
        Checksum::Crc32Base62 => crc32_base62(value),
        Checksum::Jwt => jwt_claims(value).is_some(),
        Checksum::Base64 => decoded(value).is_some_and(|it| it.len() >= 16),
        Checksum::BasicAuth => decoded(value).is_some_and(|it| is_user_and_password(&it)),
        Checksum::Pem => pem_body(value).is_some_and(|it| it.len() >= 24),
        Checksum::Structure => true,
    }
}

/// `user:password` in printable characters, where the password is none that anybody would write.
fn is_user_and_password(decoded: &[u8]) -> bool {
    let Some(text) = std::str::from_utf8(decoded).ok() else {
        return false;
    };
    text.split_once(':').is_some_and(|(user, password)| {
        !text.contains(char::is_control)
            && password.len() >= 3
            && user != password
            && !is_stand_in(password)
            && !is_trivial(&password.to_ascii_lowercase())
    })
}

/// The last six characters are the base62 of the CRC-32 of the body after the prefix's last `_`.
fn crc32_base62(value: &[u8]) -> bool {
    let start = value
        .iter()
        .rposition(|it| *it == b'_')
        .map_or(0, |at| at + 1);
    let body = &value[start..];
    body.len() > 6 && crc32_suffix(&body[..body.len() - 6]) == body[body.len() - 6..]
}

/// The six base62 characters of the CRC-32 (IEEE) of a token body.
pub(crate) fn crc32_suffix(body: &[u8]) -> [u8; 6] {
    let mut rest = libdeflater::crc32(body);
    let mut out = [b'0'; 6];
    for place in out.iter_mut().rev() {
        *place = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    out
}

/// Header and payload of a JWT (RFC 7519), if both are JSON objects; returns the payload.
pub(crate) fn jwt_claims(value: &[u8]) -> Option<serde_json::Value> {
    let mut parts = value.split(|it| *it == b'.');
    let header: serde_json::Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts.next()?).ok()?).ok()?;
    let payload: serde_json::Value =
        serde_json::from_slice(&BASE64URL_NOPAD.decode(parts.next()?).ok()?).ok()?;
    (header.is_object() && payload.is_object()).then_some(payload)
}

fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    let trimmed: &[u8] = value;
    BASE64
        .decode(trimmed)
        .or_else(|_| BASE64_NOPAD.decode(trimmed))
        .or_else(|_| BASE64URL_NOPAD.decode(trimmed))
        .ok()
}

/// The decoded body of a PEM block, also with `\n` written as two characters.
pub(crate) fn pem_body(value: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(value)
        .ok()?
        .replace("\\r", "")
        .replace("\\n", "\n");
    let text = text.replace("\\t", "");
    let start = text.find("-----BEGIN")?;
    let start = start + text[start + 10..].find("-----")? + 15;
    let end = start + text[start..].find("-----END").unwrap_or(text.len() - start);
    let body: Vec<u8> = text[start..end]
        .lines()
        .map(|line| {
            line.trim_matches(|c: char| !(c.is_ascii_alphanumeric() || "+/=:-,".contains(c)))
        })
        .filter(|line| !line.contains(':') && !line.starts_with('='))
        .flat_map(str::bytes)
        .filter(|it| it.is_ascii_alphanumeric() || b"+/".contains(it))
        .collect();
    BASE64_NOPAD
        .decode(&body)
        .or_else(|_| BASE64_NOPAD.decode(&body[..body.len() / 4 * 4]))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_tell_real_from_invented() {
        let body = b"abcdefghijklmnopqrstuvwxyz0123";
        let mut token = b"ghp_".to_vec();
        token.extend_from_slice(body);
        token.extend_from_slice(&crc32_suffix(body));
        assert!(holds(Checksum::Crc32Base62, &token));
        let last = token.len() - 1;
        token[last] ^= 1;
        assert!(!holds(Checksum::Crc32Base62, &token));
        assert!(!holds(Checksum::Jwt, b"eyJhbGciOiJub25lIn0.notjson.x"));
    }
}
