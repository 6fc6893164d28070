//! Signature Version 4: what proves to AWS that a request is made with a secret access key, without sending it.
//!
//! Steps and the values that the test holds this to:
//! <https://docs.aws.amazon.com/general/latest/gr/sigv4-calculate-signature.html>. Sends nothing.

use crate::model::secret::Secret;
use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Who asks.
pub(super) struct Credentials<'a> {
    pub(super) access_key_id: &'a str,
    pub(super) secret_access_key: &'a Secret,
}

/// What is asked, and of whom.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    /// As it stands in the address, sorted.
    pub(super) query: &'a str,
    /// Names in lower case, sorted; `host` and `x-amz-date` among them.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// As [`date`] writes it.
    pub(super) date: &'a str,
}

/// `20150830T123600Z`; empty for a moment outside the calendar.
pub(super) fn date(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| String::new(),
        |it| it.strftime("%Y%m%dT%H%M%SZ").to_string(),
    )
}

/// The value of the header `authorization`.
pub(super) fn authorization(request: &Request<'_>, credentials: &Credentials<'_>) -> String {
    let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let day = request.date.get(..8).unwrap_or_default();
    let scope = format!("{day}/{}/{}/aws4_request", request.region, request.service);
    let digest = hex(&Sha256::digest(canonical(request, &names).as_bytes()));
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", request.date);
    let key = signing_key(credentials.secret_access_key, day, request);
    let signature = hex(tag(key.as_slice(), text.as_bytes()).as_slice());
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        credentials.access_key_id
    )
}

fn canonical(request: &Request<'_>, names: &str) -> String {
    let headers: String = request
        .headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", value.trim()))
        .collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        request.method,
        request.path,
        request.query,
        hex(&Sha256::digest(request.body))
    )
}

fn signing_key(secret: &Secret, day: &str, request: &Request<'_>) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(secret.expose().len() + 4));
    key.extend_from_slice(b"AWS4");
    key.extend_from_slice(secret.expose());
    for part in [day, request.region, request.service, "aws4_request"] {
        key = tag(&key, part.as_bytes());
    }
    key
}

fn tag(key: &[u8], text: &[u8]) -> Zeroizing<Vec<u8>> {
    // HMAC takes keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return Zeroizing::default();
    };
    mac.update(text);
    Zeroizing::new(mac.finalize().into_bytes().to_vec())
}

fn hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the page named above.
    fn example() -> Request<'static> {
        Request {
            method: "GET",
            path: "/",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &[
                (
                    "content-type",
                    "application/x-www-form-urlencoded; charset=utf-8",
                ),
                ("host", "iam.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
            region: "us-east-1",
            service: "iam",
            date: "20150830T123600Z",
        }
    }

    fn secret() -> Secret {
        Secret::new(
            ["wJalrXUtnFEMI/K7", "MDENG+bPxRfiCYEX", "AMPLEKEY"]
                .concat()
                .as_bytes(),
        )
    }

    #[test]
    fn the_documented_values_come_out() {
        let request = example();
        let names = "content-type;host;x-amz-date";
        assert_eq!(
            hex(&Sha256::digest(canonical(&request, names).as_bytes())),
            "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
        );
        assert_eq!(
            hex(signing_key(&secret(), "20150830", &request).as_slice()),
            "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
        );
        let credentials = Credentials {
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: &secret(),
        };
        assert_eq!(
            authorization(&request, &credentials),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }

    #[test]
    fn moments_are_written_as_the_header_wants() {
        assert_eq!(date(1_440_938_160), "20150830T123600Z");
        assert_eq!(date(i64::MAX), "");
    }
}
