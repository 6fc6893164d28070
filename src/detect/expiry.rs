//! The end that a value itself tells: `exp` of a JWT (RFC 7519), `notAfter` of a certificate (RFC 5280).

use super::checksum::{jwt_claims, pem_body};
use crate::model::rule::Kind;
use x509_cert::der::Decode;

/// Seconds since the epoch, where the value tells.
pub(crate) fn of(kind: Kind, value: &[u8]) -> Option<i64> {
    match kind {
        Kind::Jwt => jwt_claims(value)?.get("exp")?.as_i64(),
        Kind::Certificate => {
            let certificate = x509_cert::Certificate::from_der(&pem_body(value)?).ok()?;
            let end = certificate
                .tbs_certificate()
                .validity()
                .not_after
                .to_unix_duration();
            i64::try_from(end.as_secs()).ok()
        }
        _ => None,
    }
}
