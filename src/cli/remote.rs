//! Import from a running server: the only road by which this program opens a socket, taken only when an
//! address was typed.

use super::args::ImportArgs;
use super::message::Fault;
use crate::import::{Importer, Options, Totals};
use crate::model::fingerprint::Fingerprinter;
use crate::model::record::Record;
#[cfg(feature = "live")]
use {
    super::{clock, environment},
    crate::import::aws_live,
    crate::import::vault_live::{self, PlainHttp},
    crate::model::secret::Secret,
    std::path::PathBuf,
};

/// Reads a server's records; the name of the source comes beside the totals.
#[cfg(feature = "live")]
pub(super) fn read(
    address: &str,
    importer: Importer,
    args: &ImportArgs,
    seal: Option<&Fingerprinter>,
    options: &Options,
    take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    match importer.name() {
        "vault" => vault(address, args, seal, options, take),
        "aws" => aws(address, args, seal, options, take),
        other => Err(Fault::new(format!(
            "a running server can be read as vault or aws, not as {other}"
        ))
        .hint("save an export, and import the file")),
    }
}

#[cfg(feature = "live")]
fn vault(
    address: &str,
    args: &ImportArgs,
    seal: Option<&Fingerprinter>,
    options: &Options,
    take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    let token = environment::vault_token().ok_or_else(|| {
        Fault::new("there is no token for the server")
            .hint("set VAULT_TOKEN or BAO_TOKEN; it is never taken from a flag")
    })?;
    let token = Secret::new(token.as_bytes());
    let namespace = args.namespace.clone().or_else(environment::vault_namespace);
    let authorities = authorities(args, environment::vault_authorities)?;
    let server = vault_live::Server {
        address,
        token: &token,
        mount: args.mount.as_deref(),
        namespace: namespace.as_deref(),
        authorities: authorities.as_deref(),
        plain_http: plain_http(args),
    };
    let totals = vault_live::fetch(&server, seal, options, take)?;
    Ok((server.source(), totals))
}

#[cfg(feature = "live")]
fn aws(
    address: &str,
    args: &ImportArgs,
    seal: Option<&Fingerprinter>,
    options: &Options,
    take: &mut dyn FnMut(Record),
) -> Result<(String, Totals), Fault> {
    let credentials = environment::AwsCredentials::read().ok_or_else(|| {
        Fault::new("there are no credentials for AWS").hint(
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and AWS_SESSION_TOKEN where there is one: \
             `aws configure export-credentials --format env` prints them",
        )
    })?;
    let region = args.region.clone().or_else(environment::aws_region);
    let region = region.ok_or_else(|| {
        Fault::new("there is no region").hint("name it with --region, or set AWS_REGION")
    })?;
    let secret = Secret::new(credentials.secret_access_key.as_bytes());
    let token = credentials.session_token.as_ref();
    let token = token.map(|it| Secret::new(it.as_bytes()));
    let authorities = authorities(args, environment::aws_authorities)?;
    let server = aws_live::Server {
        address,
        region: &region,
        access_key_id: &credentials.access_key_id,
        secret_access_key: &secret,
        session_token: token.as_ref(),
        mount: args.mount.as_deref(),
        authorities: authorities.as_deref(),
        plain_http: plain_http(args),
        now: clock::now,
    };
    let totals = aws_live::fetch(&server, seal, options, take)?;
    Ok((server.source(), totals))
}

/// The file of a flag, else of a variable.
#[cfg(feature = "live")]
fn authorities(
    args: &ImportArgs,
    variable: fn() -> Option<PathBuf>,
) -> Result<Option<Vec<u8>>, Fault> {
    let file = args.ca_cert.clone().or_else(variable);
    file.map(|it| std::fs::read(&it).map_err(|error| Fault::at(&it, &error)))
        .transpose()
}

#[cfg(feature = "live")]
fn plain_http(args: &ImportArgs) -> PlainHttp {
    if args.plain_http {
        PlainHttp::Anywhere
    } else {
        PlainHttp::Loopback
    }
}

/// A build without the feature has no network client at all.
#[cfg(not(feature = "live"))]
pub(super) fn read(
    address: &str,
    _importer: Importer,
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
