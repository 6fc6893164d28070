//! One question to a Vault or OpenBao server, one answer as a tree.
//!
//! Only reads, and asks no other host. What to ask is the work of `vault_live.rs`; the wire, of `transport.rs`.

use crate::import::intake::{Error, Intake};
use crate::import::transport;
use crate::import::tree::{self, Tree};
use crate::model::secret::Secret;
use ureq::Agent;
use ureq::http::HeaderValue;

pub use crate::import::transport::PlainHttp;

/// Where to read, and as whom.
#[derive(Clone, Debug)]
pub struct Server<'a> {
    /// `https://HOST:PORT`, with a path prefix where a gateway adds one.
    pub address: &'a str,
    /// The token; it needs `list` and `read` on metadata, and `read` on data for values.
    pub token: &'a Secret,
    /// A mount, or a folder in one (`kv/shop`); all KV mounts if not given.
    pub mount: Option<&'a str>,
    /// Namespace, where the server has them.
    pub namespace: Option<&'a str>,
    /// Certificates (PEM) of the authorities to trust in place of the public ones.
    pub authorities: Option<&'a [u8]>,
    /// What to do about addresses without encryption.
    pub plain_http: PlainHttp,
}

impl Server<'_> {
    /// The name of this source between runs: the address with the mount, if one is named. Two mounts of
    /// one server are two sources, so that importing one does not declare the other gone.
    pub fn source(&self) -> String {
        let address = self.address.trim_end_matches('/');
        match self.mount.map(|it| it.trim_matches('/')) {
            Some(mount) if !mount.is_empty() => format!("{address}/{mount}"),
            _ => address.to_owned(),
        }
    }
}

/// A server and a token.
pub(super) struct Client {
    agent: Agent,
    /// Address with `/v1/` at its end.
    base: String,
    token: HeaderValue,
    namespace: Option<HeaderValue>,
}

impl Client {
    pub(super) fn of(server: &Server<'_>) -> Result<Self, Error> {
        let base = format!(
            "{}/v1/",
            transport::checked(server.address, server.plain_http)?
        );
        let fault = |what| Error::Address {
            input: server.source(),
            what,
        };
        let header = |bytes: &[u8]| HeaderValue::from_bytes(bytes.trim_ascii());
        let mut token = header(server.token.expose())
            .map_err(|_| fault("the token holds characters that no token has"))?;
        token.set_sensitive(true);
        let namespace = server.namespace.map(|it| header(it.as_bytes())).transpose();
        Ok(Self {
            agent: transport::agent(server.authorities, &server.source())?,
            base,
            token,
            namespace: namespace
                .map_err(|_| fault("the namespace holds characters that no header may hold"))?,
        })
    }

    /// The answer to a path below `/v1/`, or its status if that is not 200.
    pub(super) fn ask(&self, path: &str, intake: &Intake<'_>) -> Result<Result<Tree, u16>, Error> {
        let url = self.url(path);
        let fault = |what: String| Error::Unreachable {
            url: url.clone(),
            what,
        };
        let mut request = self
            .agent
            .get(&url)
            .header("X-Vault-Token", &self.token)
            .header("X-Vault-Request", "true");
        if let Some(namespace) = &self.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        let mut response = request.call().map_err(|it| fault(it.to_string()))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Ok(Err(status));
        }
        let body = transport::body(response.body_mut()).map_err(fault)?;
        let mut documents =
            tree::json(&body, intake).map_err(|_| fault("the answer is not JSON".to_owned()))?;
        match documents.pop() {
            Some((_, tree)) if documents.is_empty() => Ok(Ok(tree)),
            _ => Err(fault("the answer is not one JSON document".to_owned())),
        }
    }

    pub(super) fn refused(&self, path: &str, status: u16) -> Error {
        Error::Refused {
            url: self.url(path),
            status,
        }
    }

    /// The address of a path below `/v1/`.
    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }
}

/// A path in a URL: everything but unreserved characters and slashes is percent-encoded.
pub(super) fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_encoded_and_folders_kept() {
        assert_eq!(encoded("a b/ü?x#y%/"), "a%20b/%C3%BC%3Fx%23y%25/");
    }
}
