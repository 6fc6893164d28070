//! What a JSON Web Token (RFC 7519) says of itself in its header (RFC 7515) and claims.
//!
//! Not here: whether its signature holds.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

/// Anybody who has the token can read this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Token {
    /// `alg`; `none` means that anybody can write such a token (RFC 7518, section 3.6).
    pub algorithm: Option<String>,
    /// `iss`.
    pub issuer: Option<String>,
    /// `exp`, in seconds since the epoch.
    pub expires: Option<i64>,
}

/// Header and claims, if both are JSON objects.
pub fn read(value: &[u8]) -> Option<Token> {
    let mut parts = value.split(|it| *it == b'.');
    let mut object = || -> Option<Value> {
        let json = BASE64URL_NOPAD.decode(parts.next()?).ok()?;
        let value: Value = serde_json::from_slice(&json).ok()?;
        value.is_object().then_some(value)
    };
    let (header, claims) = (object()?, object()?);
    let text = |it: &Value| it.as_str().map(str::to_owned);
    let expires = claims.get("exp");
    Some(Token {
        algorithm: header.get("alg").and_then(text),
        issuer: claims.get("iss").and_then(text),
        // A NumericDate may have a fraction.
        expires: expires.and_then(|it| it.as_i64().or_else(|| it.as_f64().map(|it| it as i64))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_algorithm_issuer_and_end() {
        let token = |header: &str, claims: &str| {
            let [header, claims] = [header, claims].map(|it| BASE64URL_NOPAD.encode(it.as_bytes()));
            read(format!("{header}.{claims}.c2ln").as_bytes())
        };
        let told = token(r#"{"alg":"none"}"#, r#"{"iss":"shop","exp":1516239022.5}"#);
        assert_eq!(
            told,
            Some(Token {
                algorithm: Some("none".to_owned()),
                issuer: Some("shop".to_owned()),
                expires: Some(1_516_239_022),
            })
        );
        assert!(token("{}", "{}").is_some());
        assert_eq!(token("[]", "{}"), None);
        assert_eq!(read(b"a.b"), None);
        assert_eq!(read(b""), None);
    }
}
