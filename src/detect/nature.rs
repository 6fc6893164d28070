//! What a value is, where its own bytes tell: a private key, a certificate (RFC 5280), a JSON Web Token
//! (RFC 7519).
//!
//! Not here: reading them, which is `syntax`'s.

use crate::model::details::{Detail, Details};
use crate::model::finding::Candidate;
use crate::model::rule::Kind;
use crate::syntax::{certificate, jwt, key};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The longest name that is told.
const LONGEST: usize = 120;

/// Fills in what the value tells.
pub(crate) fn tell(kind: Kind, candidate: &mut Candidate) {
    let value = candidate.secret.expose();
    if let Some(key) = key::read(value) {
        candidate.content = key::content(value);
        candidate.details = of_key(&key);
    } else if let Some(token) = value
        .starts_with(b"eyJ")
        .then(|| jwt::read(value))
        .flatten()
    {
        candidate.expires = token.expires;
        candidate.details = of_token(token);
    } else if kind == Kind::Certificate
        && let Some(certificate) = certificate::read(value)
    {
        candidate.expires = Some(certificate.not_after);
        candidate.details = of_certificate(certificate);
    }
}

fn of_key(key: &key::Key) -> Details {
    let mut details = Details::default();
    half(&mut details, key.kind, key.curve, key.bits);
    let is_encrypted = key.encrypted.is_some();
    details.add(
        Detail::Encrypted,
        Some(if is_encrypted { "yes" } else { "no" }.to_owned()),
    );
    let cipher = key.encrypted.as_deref().filter(|it| *it != "yes");
    details.add(Detail::Cipher, cipher.map(short));
    details.add(Detail::PublicKey, key.public.as_deref().map(digest));
    details
}

fn of_certificate(certificate: certificate::Certificate) -> Details {
    let mut details = Details::default();
    details.add(Detail::Subject, Some(short(&certificate.subject)));
    details.add(Detail::Issuer, Some(short(&certificate.issuer)));
    details.add(Detail::NotAfter, moment(certificate.not_after));
    let (kind, curve, bits) = match certificate.key {
        Some((kind, curve, bits)) => (Some(kind), curve, Some(bits)),
        None => (None, None, None),
    };
    half(&mut details, kind, curve, bits);
    details.add(Detail::PublicKey, Some(digest(&certificate.public)));
    details
}

fn of_token(token: jwt::Token) -> Details {
    let mut details = Details::default();
    details.add(Detail::Issuer, token.issuer.as_deref().map(short));
    details.add(Detail::Algorithm, token.algorithm.as_deref().map(short));
    details.add(Detail::Expires, token.expires.and_then(moment));
    details
}

fn half(
    details: &mut Details,
    kind: Option<&'static str>,
    curve: Option<&'static str>,
    bits: Option<usize>,
) {
    details.add(Detail::Kind, kind.map(str::to_owned));
    details.add(Detail::Curve, curve.map(str::to_owned));
    details.add(Detail::Bits, bits.map(|it| it.to_string()));
}

/// `sha256:` and the digest of a public key.
fn digest(public: &[u8]) -> String {
    format!("sha256:{}", HEXLOWER.encode(&Sha256::digest(public)))
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// RFC 3339; nothing for seconds outside of the calendar.
fn moment(seconds: i64) -> Option<String> {
    let moment = jiff::Timestamp::from_second(seconds).ok()?;
    Some(moment.to_string())
}
