//! A running AWS, or what answers like it: Secrets Manager, Parameter Store, and the IAM credential report.
//!
//! Reads page by page what the command line would print, and hands each page to the same harvest. How to ask
//! is the work of `aws_client.rs`; what an answer means, of `aws.rs`.

use crate::import::aws::Harvest;
use crate::import::aws_client::{Client, Service};
use crate::import::aws_report;
use crate::import::intake::{Error, Intake, Options, Totals};
use crate::import::tree::Tree;
use crate::model::fingerprint::Fingerprinter;
use crate::model::record::Record;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

pub use crate::import::aws_client::Server;
pub use crate::import::transport::PlainHttp;

/// Most pages of one list: a server that goes on for ever must end somewhere.
const MOST: usize = 100_000;
/// <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html>
const SECRETS_AT_ONCE: usize = 20;
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html>
const PARAMETERS_AT_ONCE: usize = 10;
/// How often to ask whether the credential report is made, and how long to wait in between.
const ASKED: u32 = 60;
const WAIT: Duration = Duration::from_secs(1);

/// Reads the records of a server. What [`read`](crate::import::read) says of seals and errors holds here.
pub fn fetch(
    server: &Server<'_>,
    seal: Option<&Fingerprinter>,
    options: &Options,
    emit: &mut dyn FnMut(Record),
) -> Result<Totals, Error> {
    let client = Client::of(server)?;
    let source = server.source();
    let intake = Intake::new(&source, seal, options, emit);
    let mut walk = Walk {
        client,
        harvest: Harvest::default(),
        intake,
    };
    let mount = server.mount.unwrap_or_default().trim_matches('/');
    let (service, below) = mount.split_once('/').unwrap_or((mount, ""));
    match service {
        "" => {
            walk.secrets("")?;
            walk.parameters("")?;
        }
        "secretsmanager" => walk.secrets(below)?,
        "ssm" => walk.parameters(below)?,
        "iam" => walk.report()?,
        _ => {
            return Err(walk.intake.shape(
                format!("there is no service `{service}` to read"),
                "name secretsmanager, secretsmanager/PREFIX, ssm, ssm/PATH or iam",
            ));
        }
    }
    let Walk {
        harvest,
        mut intake,
        ..
    } = walk;
    harvest.emit(&mut intake);
    Ok(intake.totals())
}

struct Walk<'a> {
    client: Client<'a>,
    harvest: Harvest,
    intake: Intake<'a>,
}

impl Walk<'_> {
    /// Asks until there are no more pages, and hands each to the harvest and to `see`.
    fn pages(
        &mut self,
        service: Service,
        action: &'static str,
        mut body: Value,
        see: &mut dyn FnMut(&Tree),
    ) -> Result<(), Error> {
        for _ in 0..MOST {
            let page = self.client.ask(service, action, &body, &self.intake)?;
            self.harvest.take(None, &page, &mut self.intake)?;
            see(&page);
            match page.text_at(&["NextToken"]) {
                None => return Ok(()),
                // The same page again: what lies behind it would be declared gone.
                Some(next) if body["NextToken"] == next => break,
                Some(next) => body["NextToken"] = json!(next),
            }
        }
        Err(self.intake.shape(
            format!("{action} has more pages than can be true"),
            "nothing was imported; check the address",
        ))
    }

    fn secrets(&mut self, prefix: &str) -> Result<(), Error> {
        let mut body = json!({"MaxResults": 100});
        if !prefix.is_empty() {
            // Values of this filter are beginnings of names.
            body["Filters"] = json!([{"Key": "name", "Values": [prefix]}]);
        }
        let (mut all, mut former) = (Vec::new(), Vec::new());
        self.pages(Service::SecretsManager, "ListSecrets", body, &mut |page| {
            for secret in page.member("SecretList").map_or(&[][..], Tree::items) {
                if let Some(arn) = secret.text_at(&["ARN"]) {
                    all.push(arn.to_owned());
                    if has_former(secret) {
                        former.push(arn.to_owned());
                    }
                }
            }
        })?;
        if !self.intake.wants_values() {
            return Ok(());
        }
        for arns in all.chunks(SECRETS_AT_ONCE) {
            self.current(arns)?;
        }
        for arn in &former {
            self.value(json!({"SecretId": arn, "VersionStage": "AWSPREVIOUS"}), arn)?;
        }
        Ok(())
    }

    /// The current values of a few secrets, one by one where the credentials allow no more.
    fn current(&mut self, arns: &[String]) -> Result<(), Error> {
        let body = json!({"SecretIdList": arns});
        let service = Service::SecretsManager;
        match self.pages(service, "BatchGetSecretValue", body, &mut |_| {}) {
            Err(Error::Denied { code, .. }) if is_forbidden(&code) => arns
                .iter()
                .try_for_each(|arn| self.value(json!({"SecretId": arn}), arn)),
            other => other,
        }
    }

    /// One value. What may not be read or has none is noted and left out, the name stays.
    fn value(&mut self, body: Value, arn: &str) -> Result<(), Error> {
        let service = Service::SecretsManager;
        match self.pages(service, "GetSecretValue", body, &mut |_| {}) {
            Err(Error::Denied { code, .. }) if is_forbidden(&code) || is_missing(&code) => {
                self.intake.skip(&format!("{arn}: no value ({code})"));
                Ok(())
            }
            other => other,
        }
    }

    fn parameters(&mut self, path: &str) -> Result<(), Error> {
        let path = format!("/{path}");
        let mut body = json!({"MaxResults": 50});
        if path != "/" {
            let below = json!([{"Key": "Path", "Option": "Recursive", "Values": [path]}]);
            body["ParameterFilters"] = below;
        }
        let wants_all = self.intake.options().all_values;
        let (mut wanted, mut changed) = (BTreeSet::new(), Vec::new());
        self.pages(Service::Ssm, "DescribeParameters", body, &mut |page| {
            for (name, it) in parameters_of(page) {
                if wants_all || it.text_at(&["Type"]) == Some("SecureString") {
                    wanted.insert(name.to_owned());
                    if it.text_at(&["Version"]) != Some("1") {
                        changed.push(name.to_owned());
                    }
                }
            }
        })?;
        if !self.intake.wants_values() || wanted.is_empty() {
            return Ok(());
        }
        self.values(&path, &mut wanted)?;
        changed.iter().try_for_each(|it| self.history(it))
    }

    /// Values by path, and of those names that lie on no path, by name.
    fn values(&mut self, path: &str, wanted: &mut BTreeSet<String>) -> Result<(), Error> {
        let mut body = json!({"Path": path, "Recursive": true, "WithDecryption": true, "MaxResults": PARAMETERS_AT_ONCE});
        if !self.intake.options().all_values {
            body["ParameterFilters"] = json!([{"Key": "Type", "Values": ["SecureString"]}]);
        }
        let by_path = self.pages(Service::Ssm, "GetParametersByPath", body, &mut |page| {
            for (name, _) in parameters_of(page) {
                wanted.remove(name);
            }
        });
        match by_path {
            Err(Error::Denied { code, .. }) if is_forbidden(&code) => {}
            other => other?,
        }
        let rest: Vec<&String> = wanted.iter().collect();
        for names in rest.chunks(PARAMETERS_AT_ONCE) {
            let body = json!({"Names": names, "WithDecryption": true});
            self.pages(Service::Ssm, "GetParameters", body, &mut |_| {})?;
        }
        Ok(())
    }

    /// Earlier values of one parameter, where the credentials allow.
    fn history(&mut self, name: &str) -> Result<(), Error> {
        let body = json!({"Name": name, "WithDecryption": true, "MaxResults": 50});
        match self.pages(Service::Ssm, "GetParameterHistory", body, &mut |_| {}) {
            Err(Error::Denied { code, .. }) if is_forbidden(&code) || is_missing(&code) => {
                self.intake
                    .skip(&format!("{name}: no earlier values ({code})"));
                Ok(())
            }
            other => other,
        }
    }

    /// AWS makes the report when it is asked, and the last one of four hours serves again.
    fn report(&mut self) -> Result<(), Error> {
        for _ in 0..ASKED {
            let state = self.client.element("GenerateCredentialReport", "State")?;
            if state.as_ref().is_some_and(|it| it.as_str() == "COMPLETE") {
                break;
            }
            std::thread::sleep(WAIT);
        }
        let content = self.client.element("GetCredentialReport", "Content")?;
        let content = content.unwrap_or_default();
        let bytes = aws_report::unwrapped(&content, &self.intake)?;
        self.harvest.report(&bytes, &mut self.intake)
    }
}

fn parameters_of(page: &Tree) -> impl Iterator<Item = (&str, &Tree)> {
    let parameters = page.member("Parameters").map_or(&[][..], Tree::items);
    parameters
        .iter()
        .filter_map(|it| it.text_at(&["Name"]).map(|name| (name, it)))
}

/// Whether the value before the current one is still kept.
fn has_former(secret: &Tree) -> bool {
    let versions = secret.member("SecretVersionsToStages");
    versions
        .map_or(&[][..], Tree::members)
        .iter()
        .any(|(_, it)| {
            let mut stages = it.items().iter();
            stages.any(|it| it.text() == Some("AWSPREVIOUS"))
        })
}

fn is_forbidden(code: &str) -> bool {
    code.contains("AccessDenied") || code.contains("NotAuthorized")
}

/// Deleted since it was listed, or never given a value.
fn is_missing(code: &str) -> bool {
    ["ResourceNotFound", "ParameterNotFound", "InvalidRequest"]
        .iter()
        .any(|it| code.contains(it))
}
