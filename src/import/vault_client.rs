//! One question to a Vault or OpenBao server, one answer as a tree.
//!
//! Only reads, several at a time, and asks no other host. What to ask is the work of `vault_live.rs`; the wire, of
//! `transport.rs`.

use crate::import::intake::Error;
use crate::import::transport::{self, WORKERS};
use crate::import::tree::{self, Tree};
use crate::model::secret::Secret;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use ureq::http::{HeaderValue, Response};
use ureq::{Agent, RequestBuilder};

pub use crate::import::transport::PlainHttp;

/// Answers held at once, at most.
const BATCH: usize = 256;

/// Where to read, and as whom.
#[derive(Clone, Debug)]
pub struct Server<'a> {
    /// `https://HOST:PORT`, with a path prefix where a gateway adds one.
    pub address: &'a str,
    /// The token; it needs `list` and `read` on metadata, and `read` on data for values.
    pub token: &'a Secret,
    /// A mount, or a folder in one (`kv/shop`); all KV mounts if not given.
    pub mount: Option<&'a str>,
    /// Namespace, where the server has them; `*`, or a path with `/*` behind it, for it and all below.
    pub namespace: Option<&'a str>,
    /// Certificates (PEM) of the authorities to trust in place of the public ones.
    pub authorities: Option<&'a [u8]>,
    /// What to do about addresses without encryption.
    pub plain_http: PlainHttp,
}

impl Server<'_> {
    /// The name of this source between runs: the address with namespace and mount, if they are named. Two of
    /// one server are two sources, so that importing one does not declare the other gone.
    pub fn source(&self) -> String {
        let mut source = self.address.trim_end_matches('/').to_owned();
        for part in [self.namespace, self.mount] {
            if let Some(part) = part
                .map(|it| it.trim_matches('/'))
                .filter(|it| !it.is_empty())
            {
                source.push('/');
                source.push_str(part);
            }
        }
        source
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
        let namespace = server.namespace.map(|it| it.trim_end_matches(['*', '/']));
        let namespace = namespace.filter(|it| !it.is_empty());
        let namespace = namespace.map(|it| header(it.as_bytes())).transpose();
        Ok(Self {
            agent: transport::agent(server.authorities, &server.source())?,
            base,
            token,
            namespace: namespace
                .map_err(|_| fault("the namespace holds characters that no header may hold"))?,
        })
    }

    /// The answer to a path below `/v1/`, or its status if that is not 200.
    pub(super) fn ask(&self, path: &str) -> Result<Result<Tree, u16>, Error> {
        let request = self.agent.get(self.url(path));
        self.answer(path, self.with_headers(request).call())
    }

    /// The same where the server takes a question in the body: a field and what to look up.
    pub(super) fn look_up(
        &self,
        path: &str,
        field: &str,
        text: &str,
    ) -> Result<Result<Tree, u16>, Error> {
        let request = self.with_headers(self.agent.post(self.url(path)));
        let body = serde_json::json!({field: text}).to_string();
        self.answer(path, request.send(body))
    }

    /// The same server and token in another namespace.
    pub(super) fn within(&self, namespace: &str) -> Result<Self, Error> {
        let header = HeaderValue::from_str(namespace).map_err(|_| Error::Address {
            input: self.base.clone(),
            what: "the namespace holds characters that no header may hold",
        })?;
        Ok(Self {
            agent: self.agent.clone(),
            base: self.base.clone(),
            token: self.token.clone(),
            namespace: Some(header).filter(|it| !it.is_empty()),
        })
    }

    fn with_headers<B>(&self, request: RequestBuilder<B>) -> RequestBuilder<B> {
        let request = request
            .header("X-Vault-Token", &self.token)
            .header("X-Vault-Request", "true");
        match &self.namespace {
            Some(namespace) => request.header("X-Vault-Namespace", namespace),
            None => request,
        }
    }

    fn answer(
        &self,
        path: &str,
        response: Result<Response<ureq::Body>, ureq::Error>,
    ) -> Result<Result<Tree, u16>, Error> {
        let url = self.url(path);
        let fault = |what: String| Error::Unreachable {
            url: url.clone(),
            what,
        };
        let mut response = response.map_err(|it| fault(it.to_string()))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Ok(Err(status));
        }
        let body = transport::body(response.body_mut()).map_err(fault)?;
        let mut documents =
            tree::documents(&body).map_err(|_| fault("the answer is not JSON".to_owned()))?;
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

/// Asks about each, several at once, and hands the answers on in the order of the questions. The first fault in
/// that order ends it.
pub(super) fn in_order<I: Sync, T: Send + Sync>(
    items: &[I],
    ask: impl Fn(&I) -> Result<T, Error> + Sync,
    mut take: impl FnMut(&I, T),
) -> Result<(), Error> {
    for batch in items.chunks(BATCH) {
        let answers: Vec<OnceLock<Result<T, Error>>> =
            batch.iter().map(|_| OnceLock::new()).collect();
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((item, place)) = {
                let at = next.fetch_add(1, Ordering::Relaxed);
                batch.get(at).zip(answers.get(at))
            } {
                // Each place is filled once, by whoever took its number.
                let _ = place.set(ask(item));
            }
        };
        thread::scope(|scope| {
            for _ in 1..WORKERS.min(batch.len()) {
                scope.spawn(work);
            }
            work();
        });
        for (item, answer) in batch.iter().zip(answers) {
            if let Some(answer) = answer.into_inner() {
                take(item, answer?);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_come_in_the_order_of_the_questions() {
        let items: Vec<usize> = (0..1000).collect();
        let mut seen = Vec::new();
        let result = in_order(
            &items,
            |it| Ok(it * 2),
            |item, answer| seen.push((*item, answer)),
        );
        assert!(result.is_ok());
        assert!(seen.iter().enumerate().all(|(at, it)| *it == (at, at * 2)));
        assert_eq!(seen.len(), 1000);
        let mut n_taken = 0;
        let fail = |it: &usize| match it {
            300.. => Err(Error::Unreachable {
                url: it.to_string(),
                what: String::new(),
            }),
            _ => Ok(()),
        };
        let error = in_order(&items, fail, |_, ()| n_taken += 1).unwrap_err();
        assert!(matches!(error, Error::Unreachable { url, .. } if url == "300"));
        assert_eq!(n_taken, 300);
    }

    #[test]
    fn paths_are_encoded_and_folders_kept() {
        assert_eq!(encoded("a b/ü?x#y%/"), "a%20b/%C3%BC%3Fx%23y%25/");
    }
}
