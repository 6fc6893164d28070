//! Import from a running server: the only road by which this program opens a socket, taken only when an
//! address was typed.

use super::args::ImportArgs;
use super::message::Fault;
use crate::import::{Options, Totals};
use crate::model::fingerprint::Fingerprinter;
use crate::model::record::Record;

/// Reads a server's records; the name of the source comes beside the totals.
#[cfg(feature = "live")]
pub(super) fn read(
    address: &str,
    args: &ImportArgs,
    seal: Option<&Fingerprinter>,
    options: &Options,
    take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    use super::environment;
    use crate::import::vault_live::{self, PlainHttp, Server};
    use crate::model::secret::Secret;

    if args.kind.name() != "vault" {
        return Err(Fault::new(format!(
            "a running server can be read as vault only, not as {}",
            args.kind.name()
        ))
        .hint("save an export, and import the file"));
    }
    let token = environment::vault_token().ok_or_else(|| {
        Fault::new("there is no token for the server")
            .hint("set VAULT_TOKEN or BAO_TOKEN; it is never taken from a flag")
    })?;
    let token = Secret::new(token.as_bytes());
    let namespace = args.namespace.clone().or_else(environment::vault_namespace);
    let file = args.ca_cert.clone().or_else(environment::vault_authorities);
    let authorities = file
        .map(|it| std::fs::read(&it).map_err(|error| Fault::at(&it, &error)))
        .transpose()?;
    let server = Server {
        address,
        token: &token,
        mount: args.mount.as_deref(),
        namespace: namespace.as_deref(),
        authorities: authorities.as_deref(),
        plain_http: if args.plain_http {
            PlainHttp::Anywhere
        } else {
            PlainHttp::Loopback
        },
    };
    let totals = vault_live::fetch(&server, seal, options, take)?;
    Ok((server.source(), totals))
}

/// A build without the feature has no network client at all.
#[cfg(not(feature = "live"))]
pub(super) fn read(
    address: &str,
    _args: &ImportArgs,
    _seal: Option<&Fingerprinter>,
    _options: &Options,
    _take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    Err(
        Fault::new(format!("{address}: this build has no network client"))
            .hint("build it with the feature `live`, or import an export"),
    )
}
