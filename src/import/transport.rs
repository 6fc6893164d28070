//! The wire to a server that records are read from: whom to trust, how long to wait, and answers in memory
//! that is overwritten.
//!
//! Follows no redirect, takes no proxy from the environment. What is asked, and as whom, is the clients' work.

use crate::import::intake::Error;
use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;
use ureq::Agent;
use ureq::http::Uri;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig};
use zeroize::Zeroizing;

const CONNECT: Duration = Duration::from_secs(10);
const ANSWER: Duration = Duration::from_secs(60);
/// Longest answer read.
const LONGEST: u64 = 64 << 20;

/// Whether credentials may be sent without encryption.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum PlainHttp {
    /// Only to this machine.
    #[default]
    Loopback,
    /// To any host: the owner said so.
    Anywhere,
}

/// Questions on their way at once: enough to hide the way there and back, few enough to be no burden.
pub(super) const WORKERS: usize = 8;

/// What asks a server; `authorities` are certificates (PEM) to trust in place of the public ones.
pub(super) fn agent(authorities: Option<&[u8]>, source: &str) -> Result<Agent, Error> {
    let config = Agent::config_builder()
        .tls_config(tls(authorities, source)?)
        .timeout_connect(Some(CONNECT))
        .timeout_global(Some(ANSWER))
        .max_redirects(0)
        .max_idle_connections(WORKERS)
        .max_idle_connections_per_host(WORKERS)
        .proxy(None)
        .http_status_as_error(false)
        .user_agent("keyatlas")
        .build();
    Ok(config.into())
}

fn tls(authorities: Option<&[u8]>, source: &str) -> Result<TlsConfig, Error> {
    let Some(pem) = authorities else {
        return Ok(TlsConfig::default());
    };
    let mut certificates: Vec<Certificate<'static>> = Vec::new();
    for item in ureq::tls::parse_pem(pem) {
        if let Ok(PemItem::Certificate(certificate)) = item {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(Error::Address {
            input: source.to_owned(),
            what: "the file of authorities holds no PEM certificate",
        });
    }
    let roots = RootCerts::new_with_certs(&certificates);
    Ok(TlsConfig::builder().root_certs(roots).build())
}

/// The address as it was typed, without a slash at its end, if credentials may be sent there.
pub(super) fn checked(address: &str, plain_http: PlainHttp) -> Result<&str, Error> {
    let address = address.trim_end_matches('/');
    let fault = |input: &str, what| Error::Address {
        input: input.to_owned(),
        what,
    };
    if address.contains('@') {
        return Err(fault(
            "the address",
            "it holds a user name or password; these are never part of it",
        ));
    }
    let uri: Uri = address
        .parse()
        .map_err(|_| fault(address, "this is no address"))?;
    let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
        return Err(fault(address, "this is no address"));
    };
    if uri.query().is_some() || address.contains('#') {
        return Err(fault(address, "an address has no query"));
    }
    let may_be_plain = plain_http == PlainHttp::Anywhere || is_loopback(host);
    match scheme {
        "https" => Ok(address),
        "http" if may_be_plain => Ok(address),
        "http" => Err(fault(address, "the credentials would travel in the clear")),
        _ => Err(fault(address, "this is no https address")),
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// The whole answer, in pieces that never move: a buffer that grows leaves parts of values behind.
pub(super) fn body(body: &mut ureq::Body) -> Result<Zeroizing<Vec<u8>>, String> {
    const PIECE: usize = 64 << 10;
    let mut reader = body.with_config().limit(LONGEST).reader();
    let mut pieces: Vec<(Zeroizing<Vec<u8>>, usize)> = Vec::new();
    loop {
        let mut piece = Zeroizing::new(vec![0; PIECE]);
        match reader.read(&mut piece).map_err(|it| it.to_string())? {
            0 => break,
            length => pieces.push((piece, length)),
        }
    }
    let total = pieces.iter().map(|(_, length)| length).sum();
    let mut bytes = Zeroizing::new(Vec::with_capacity(total));
    for (piece, length) in &pieces {
        bytes.extend_from_slice(piece.get(..*length).unwrap_or_default());
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_travel_encrypted_or_stay_here() {
        let good = [
            "https://vault.example:8200",
            "https://vault.example/gateway/",
            "http://127.0.0.1:8200",
            "http://localhost:8200/",
            "http://[::1]:8200",
        ];
        for address in good {
            let base = checked(address, PlainHttp::Loopback).unwrap();
            assert_eq!(base, address.trim_end_matches('/'));
        }
        let bad = [
            "http://vault.example:8200",
            "http://127.0.0.1.example:8200",
            "ftp://127.0.0.1",
            "vault.example",
            "https://vault.example/?a=b",
            "",
        ];
        for address in bad {
            assert!(
                matches!(
                    checked(address, PlainHttp::Loopback),
                    Err(Error::Address { .. })
                ),
                "{address}"
            );
        }
        assert!(checked("http://vault.example:8200", PlainHttp::Anywhere).is_ok());
    }

    #[test]
    fn a_password_in_the_address_is_refused_and_not_repeated() {
        let error = checked("https://ann:hidden@vault.example", PlainHttp::Loopback).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hidden"));
    }

    #[test]
    fn authorities_are_certificates() {
        let error = agent(Some(b"no certificate"), "https://vault.example").unwrap_err();
        assert!(error.to_string().contains("no PEM certificate"), "{error}");
    }
}
