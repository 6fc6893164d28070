//! One signed question to AWS, one answer.
//!
//! Only reads: the one action that starts something is the making of the credential report. Which questions
//! to ask is the work of `aws_live.rs`; the wire, of `transport.rs`.

use crate::import::aws_sign::{self, Credentials, Request};
use crate::import::intake::{Error, Intake};
use crate::import::transport::{self, PlainHttp};
use crate::import::tree::{self, Tree};
use crate::model::secret::Secret;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderValue, Uri};
use zeroize::Zeroizing;

/// Where to read, and as whom.
#[derive(Clone, Debug)]
pub struct Server<'a> {
    /// `https://amazonaws.com` for AWS itself, whose services have hosts of their own; else the one host
    /// that answers for all.
    pub address: &'a str,
    /// `eu-west-1`.
    pub region: &'a str,
    /// The public half of the credentials.
    pub access_key_id: &'a str,
    /// The secret half.
    pub secret_access_key: &'a Secret,
    /// Of temporary credentials.
    pub session_token: Option<&'a Secret>,
    /// `secretsmanager`, `ssm` or `iam`, the first two with the beginning of names (`ssm/shop`); the first two
    /// if not given.
    pub mount: Option<&'a str>,
    /// Certificates (PEM) of the authorities to trust in place of the public ones.
    pub authorities: Option<&'a [u8]>,
    /// What to do about addresses without encryption.
    pub plain_http: PlainHttp,
    /// Seconds since the epoch: a signature is good for minutes.
    pub now: fn() -> i64,
}

impl Server<'_> {
    /// The name of this source between runs. Regions, and services that are named, are sources of their own,
    /// so that importing one does not declare the other gone.
    pub fn source(&self) -> String {
        let base = format!("{}/{}", self.address.trim_end_matches('/'), self.region);
        match self.mount.map(|it| it.trim_matches('/')) {
            Some(mount) if !mount.is_empty() => format!("{base}/{mount}"),
            _ => base,
        }
    }
}

/// A service of AWS.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Service {
    SecretsManager,
    Ssm,
    Iam,
}

impl Service {
    /// As signatures and hosts name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "ssm",
            Self::Iam => "iam",
        }
    }

    /// What stands before the action in `x-amz-target`; IAM takes actions as a form.
    fn target(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "AmazonSSM",
            Self::Iam => "",
        }
    }
}

const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(200);

/// A server and credentials.
pub(super) struct Client<'a> {
    agent: Agent,
    server: &'a Server<'a>,
    address: &'a str,
}

impl<'a> Client<'a> {
    pub(super) fn of(server: &'a Server<'a>) -> Result<Self, Error> {
        let is_name = |it: &str| {
            let mut bytes = it.bytes();
            !it.is_empty() && bytes.all(|it| it.is_ascii_alphanumeric() || it == b'-')
        };
        if !is_name(server.region) {
            return Err(Error::Shape {
                input: server.source(),
                what: "this is no region".to_owned(),
                hint: "write it as in eu-west-1",
            });
        }
        if !is_name(server.access_key_id) {
            return Err(Error::Shape {
                input: server.source(),
                what: "the access key id holds characters that no id has".to_owned(),
                hint: "check AWS_ACCESS_KEY_ID",
            });
        }
        Ok(Self {
            agent: transport::agent(server.authorities, &server.source())?,
            address: transport::checked(server.address, server.plain_http)?,
            server,
        })
    }

    /// The JSON that an action answers.
    pub(super) fn ask(
        &self,
        service: Service,
        action: &'static str,
        body: &serde_json::Value,
        intake: &Intake<'_>,
    ) -> Result<Tree, Error> {
        let url = self.url(service);
        let bytes = self.post(service, action, body.to_string().as_bytes())?;
        let fault = |what: &str| Error::Unreachable {
            url: url.clone(),
            what: format!("{action}: {what}"),
        };
        let documents = tree::json(&bytes, intake);
        let mut documents = documents.map_err(|_| fault("the answer is not JSON"))?;
        match documents.pop() {
            Some((_, tree)) if documents.is_empty() => Ok(tree),
            _ => Err(fault("the answer is not one JSON document")),
        }
    }

    /// What stands in an element of the XML that an action of IAM answers.
    pub(super) fn element(
        &self,
        action: &'static str,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        // <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetCredentialReport.html>
        let body = format!("Action={action}&Version=2010-05-08");
        let bytes = self.post(Service::Iam, action, body.as_bytes())?;
        let text = str::from_utf8(&bytes).unwrap_or_default();
        Ok(element(text, name).map(|it| Zeroizing::new(it.to_owned())))
    }

    fn post(
        &self,
        service: Service,
        action: &'static str,
        body: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            match self.once(service, action, body)? {
                Answer::Given(bytes) => return Ok(bytes),
                Answer::Refused {
                    is_busy: false,
                    code,
                } => {
                    return Err(self.denied(service, action, code));
                }
                // AWS asks its clients to wait twice as long each time.
                Answer::Refused { .. } => std::thread::sleep(pause),
            }
            pause *= 2;
        }
        match self.once(service, action, body)? {
            Answer::Given(bytes) => Ok(bytes),
            Answer::Refused { code, .. } => Err(self.denied(service, action, code)),
        }
    }

    fn denied(&self, service: Service, action: &'static str, code: String) -> Error {
        Error::Denied {
            url: self.url(service),
            action,
            code,
        }
    }

    fn once(&self, service: Service, action: &str, body: &[u8]) -> Result<Answer, Error> {
        let url = self.url(service);
        let fault = |what: String| Error::Unreachable {
            url: url.clone(),
            what,
        };
        let mut request = self.agent.post(&url);
        for (name, value) in self.headers(service, action, body, &url)? {
            request = request.header(name, value);
        }
        let mut response = request.send(body).map_err(|it| fault(it.to_string()))?;
        let status = response.status().as_u16();
        let bytes = transport::body(response.body_mut()).map_err(fault)?;
        if status == 200 {
            return Ok(Answer::Given(bytes));
        }
        let code = code(&bytes).unwrap_or_else(|| format!("status {status}"));
        let is_busy = ["Throttl", "TooManyRequests", "RequestLimit"]
            .iter()
            .any(|it| code.contains(it));
        Ok(Answer::Refused {
            is_busy: is_busy || status == 429 || status >= 500,
            code,
        })
    }

    /// Headers of a request, its signature among them.
    fn headers(
        &self,
        service: Service,
        action: &str,
        body: &[u8],
        url: &str,
    ) -> Result<Vec<(&'static str, HeaderValue)>, Error> {
        let fault = |what| Error::Address {
            input: self.server.source(),
            what,
        };
        let uri: Uri = url.parse().map_err(|_| fault("this is no address"))?;
        let date = aws_sign::date((self.server.now)());
        let token = self.server.session_token.map(Secret::expose);
        let token = token.map(|it| str::from_utf8(it.trim_ascii())).transpose();
        let token = token.map_err(|_| fault("the session token is no text"))?;
        let target = format!("{}.{action}", service.target());
        let host = host(&uri);
        let kind = match service {
            Service::Iam => "application/x-www-form-urlencoded; charset=utf-8",
            _ => "application/x-amz-json-1.1",
        };
        let mut headers = vec![
            ("content-type", kind),
            ("host", &*host),
            ("x-amz-date", &*date),
        ];
        headers.extend(token.map(|it| ("x-amz-security-token", it)));
        if service != Service::Iam {
            headers.push(("x-amz-target", &*target));
        }
        let signed = aws_sign::authorization(
            &Request {
                method: "POST",
                path: uri.path(),
                query: "",
                headers: &headers,
                body,
                region: self.region(service),
                service: service.name(),
                date: &date,
            },
            &Credentials {
                access_key_id: self.server.access_key_id,
                secret_access_key: self.server.secret_access_key,
            },
        );
        headers.push(("authorization", &*signed));
        let header = |(name, value): (&'static str, &str)| {
            let mut value = HeaderValue::from_str(value)
                .map_err(|_| fault("the credentials hold characters that no header may hold"))?;
            value.set_sensitive(matches!(name, "x-amz-security-token" | "authorization"));
            Ok((name, value))
        };
        headers.into_iter().map(header).collect()
    }

    /// IAM is one for all regions of a partition, and signed for one of them.
    /// <https://docs.aws.amazon.com/general/latest/gr/iam-service.html>
    fn region(&self, service: Service) -> &str {
        match (service, self.server.region) {
            (Service::Iam, it) if it.starts_with("cn-") => "cn-north-1",
            (Service::Iam, it) if it.starts_with("us-gov-") => "us-gov-west-1",
            (Service::Iam, _) => "us-east-1",
            (_, region) => region,
        }
    }

    fn url(&self, service: Service) -> String {
        let (name, region) = (service.name(), self.region(service));
        match (self.address, service) {
            ("https://amazonaws.com", Service::Iam) if region == "us-gov-west-1" => {
                "https://iam.us-gov.amazonaws.com/".to_owned()
            }
            ("https://amazonaws.com", Service::Iam) => "https://iam.amazonaws.com/".to_owned(),
            ("https://amazonaws.com", _) => format!("https://{name}.{region}.amazonaws.com/"),
            ("https://amazonaws.com.cn", _) => format!("https://{name}.{region}.amazonaws.com.cn/"),
            (address, _) => format!("{address}/"),
        }
    }
}

enum Answer {
    Given(Zeroizing<Vec<u8>>),
    Refused { is_busy: bool, code: String },
}

/// The host as the header has it: with a port only where it is not the scheme's own.
fn host(uri: &Uri) -> String {
    let host = uri.host().unwrap_or_default();
    match (uri.port_u16(), uri.scheme_str()) {
        (None, _) | (Some(443), Some("https")) | (Some(80), Some("http")) => host.to_owned(),
        (Some(port), _) => format!("{host}:{port}"),
    }
}

/// What an error is called, in JSON or XML; only what can be a name is repeated.
fn code(body: &[u8]) -> Option<String> {
    let text = str::from_utf8(body).ok()?;
    let json: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let told = match &json {
        Some(it) => it.get("__type").or_else(|| it.get("code"))?.as_str()?,
        None => element(text, "Code")?,
    };
    let name = told.rsplit('#').next()?.split(':').next()?;
    let is_name = name.len() <= 60 && name.bytes().all(|it| it.is_ascii_alphanumeric());
    (is_name && !name.is_empty()).then(|| name.to_owned())
}

fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (inner, _) = rest.split_once(&format!("</{name}>"))?;
    Some(inner.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_client<T>(address: &str, region: &str, act: impl FnOnce(&Client<'_>) -> T) -> T {
        let secret = Secret::new(b"hidden-secret");
        let server = Server {
            address,
            region,
            access_key_id: "AKIDEXAMPLE",
            secret_access_key: &secret,
            session_token: Some(&secret),
            mount: None,
            authorities: None,
            plain_http: PlainHttp::Loopback,
            now: || 1_440_938_160,
        };
        act(&Client::of(&server).unwrap())
    }

    #[test]
    fn services_have_hosts_of_their_own_at_aws_only() {
        let cases = [
            (
                "https://amazonaws.com/",
                "eu-west-1",
                Service::Ssm,
                "https://ssm.eu-west-1.amazonaws.com/",
            ),
            (
                "https://amazonaws.com",
                "eu-west-1",
                Service::Iam,
                "https://iam.amazonaws.com/",
            ),
            (
                "https://amazonaws.com",
                "us-gov-east-1",
                Service::Iam,
                "https://iam.us-gov.amazonaws.com/",
            ),
            (
                "https://amazonaws.com.cn",
                "cn-north-1",
                Service::Iam,
                "https://iam.cn-north-1.amazonaws.com.cn/",
            ),
            (
                "http://127.0.0.1:5000/x/",
                "eu-west-1",
                Service::SecretsManager,
                "http://127.0.0.1:5000/x/",
            ),
        ];
        for (address, region, service, expected) in cases {
            assert_eq!(with_client(address, region, |it| it.url(service)), expected);
        }
    }

    #[test]
    fn headers_are_signed_and_tell_no_secret() {
        let headers = with_client("http://127.0.0.1:5000", "eu-west-1", |it| {
            it.headers(
                Service::Ssm,
                "DescribeParameters",
                b"{}",
                "http://127.0.0.1:5000/",
            )
        });
        let headers = headers.unwrap();
        let told = format!("{headers:?}");
        assert!(
            told.contains("\"127.0.0.1:5000\"") && told.contains("\"20150830T123600Z\""),
            "{told}"
        );
        assert!(told.contains("\"AmazonSSM.DescribeParameters\""), "{told}");
        assert!(!told.contains("hidden"), "{told}");
        let (_, signature) = headers.last().unwrap();
        assert!(signature.to_str().unwrap().contains(
            "Credential=AKIDEXAMPLE/20150830/eu-west-1/ssm/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature="
        ));
    }

    #[test]
    fn errors_are_known_by_their_name_alone() {
        for (body, expected) in [
            (
                r#"{"__type": "com.amazon#AccessDeniedException", "message": "hidden"}"#,
                Some("AccessDeniedException"),
            ),
            (
                r#"{"__type": "InvalidSignatureException:http://x/"}"#,
                Some("InvalidSignatureException"),
            ),
            (
                "<E><Error><Code>SignatureDoesNotMatch</Code><Message>hidden</Message></Error></E>",
                Some("SignatureDoesNotMatch"),
            ),
            (r#"{"__type": "a b c"}"#, None),
            ("<html>", None),
            ("{}", None),
        ] {
            assert_eq!(code(body.as_bytes()).as_deref(), expected, "{body}");
        }
    }
}
