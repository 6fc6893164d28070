//! State of Terraform and OpenTofu: version 4 as it lies on disk, or `terraform show -json`. One record a value.
//!
//! State keeps values in the clear; that is said. Which attributes are secret is told by the state itself
//! (<https://developer.hashicorp.com/terraform/internals/json-format>), and by lists for providers that do not
//! mark theirs.

use crate::import::intake::{Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(super) const HELP: &str = "Terraform or OpenTofu state (version 4), or `terraform show -json`";

pub(super) const EXAMPLE: &str = r#"{
 "version": 4, "terraform_version": "1.9.8", "serial": 7, "lineage": "0c9e4f1a-shop",
 "outputs": {
  "db_password": {"value": "correct horse 71 battery", "type": "string", "sensitive": true},
  "region": {"value": "eu-west-1", "type": "string"}
 },
 "resources": [
  {"mode": "managed", "type": "random_password", "name": "db", "provider": "provider[\"hashicorp/random\"]",
   "instances": [{"schema_version": 3, "attributes": {"length": 24, "result": "correct horse 71 battery", "id": "none"},
    "sensitive_attributes": []}]},
  {"module": "module.shop", "mode": "managed", "type": "aws_secretsmanager_secret_version", "name": "mail",
   "instances": [{"index_key": "prod", "attributes": {"secret_string": "{\"api_key\": \"tok_example_5f0e3a9b\", \"port\": 587}",
    "secret_id": "shop/mail"}, "sensitive_attributes": [[{"type": "get_attr", "value": "secret_string"}]]}]}
 ]
}
"#;

const HINT: &str = "give terraform.tfstate (version 4; `terraform state pull`), or what `terraform show -json` prints";

/// Attributes that hold values, whichever resource they belong to.
const ATTRIBUTES: &[&str] = &[
    "access_token",
    "admin_password",
    "administrator_login_password",
    "api_key",
    "api_token",
    "auth_token",
    "client_key",
    "client_secret",
    "client_token",
    "data_json",
    "master_password",
    "master_user_password",
    "password",
    "plaintext_value",
    "primary_access_key",
    "primary_connection_string",
    "private_key",
    "private_key_openssh",
    "private_key_pem",
    "private_key_pem_pkcs8",
    "secondary_access_key",
    "secondary_connection_string",
    "secret",
    "secret_access_key",
    "secret_data",
    "secret_key",
    "secret_string",
    "ses_smtp_password_v4",
    "token",
];

/// Attributes that hold values in resources of one kind only; `*` is the rest of its name.
const OF_TYPES: &[(&str, &str)] = &[
    ("azuread_*", "value"),
    ("azurerm_key_vault_secret", "value"),
    ("cloudflare_api_token", "value"),
    ("datadog_*", "key"),
    ("doppler_secret", "value"),
    ("gitlab_*_variable", "value"),
    ("infisical_secret", "value"),
    ("kubernetes_secret*", "data"),
    ("kubernetes_secret*", "binary_data"),
    ("random_password", "result"),
    ("vault_*", "data"),
    ("vault_*", "secret_id"),
];

/// Objects that say nothing of values: what reads a secret's name calls it so.
const NO_VALUES: &[(&str, &str)] = &[
    ("kubernetes_*", "secret"),
    ("google_secret_manager_*", "secret"),
];

pub(super) fn applies(below: &str) -> bool {
    below.ends_with(".tfstate") || below.ends_with(".tfstate.json")
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    !bytes.is_empty()
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let mut documents = tree::json(&input.bytes, intake)?.into_iter();
    let Some((_, state)) = documents.next() else {
        return Err(intake.shape("the state is empty", HINT));
    };
    if state.member("encrypted_data").is_some() {
        return Err(intake.shape(
            "this state is encrypted",
            "give what `tofu show -json` prints",
        ));
    }
    let mut found = Found::default();
    if let Some(values) = state.member("values") {
        found.outputs(values);
        found.module(values.member("root_module"), 0);
    } else if state.member("resources").is_some() && state.text_at(&["version"]) == Some("4") {
        found.outputs(&state);
        state
            .member("resources")
            .map_or(&[][..], Tree::items)
            .iter()
            .for_each(|it| found.resource(it));
    } else if state.member("format_version").is_some() {
        intake.note("the state holds no resource");
        return Ok(());
    } else {
        return Err(intake.shape("this is no state of version 4", HINT));
    }
    let scope = state.text_at(&["lineage"]).unwrap_or("").to_owned();
    let (folder, _) = intake.place().rsplit_once('/').unwrap_or(("", ""));
    let mut clear = 0;
    for ((address, attribute), value) in found.0 {
        let print = intake.fingerprint(&value);
        clear += usize::from(!value.is_empty());
        let mut record = record(&address, &attribute, &scope);
        if !folder.is_empty() {
            record.name = format!("{folder}/{}", record.name);
        }
        record.versions = vec![Version {
            number: 1,
            created: None,
            fingerprint: print,
            veil: None,
        }];
        intake.emit(record);
    }
    if clear > 0 {
        intake.note(&format!(
            "{clear} values lie in the clear in this state; whoever may read it has them"
        ));
    }
    Ok(())
}

fn record(address: &str, attribute: &str, scope: &str) -> Record {
    let mut secret = SecretName::new("terraform", address).within(scope);
    let name = if attribute.is_empty() {
        address.to_owned()
    } else {
        secret.key = Some(attribute.to_owned());
        format!("{address}#{attribute}")
    };
    let kind = match attribute {
        _ if attribute.starts_with("private_key") => Some(Kind::PrivateKey),
        _ if attribute.ends_with("password") => Some(Kind::Password),
        _ if attribute.ends_with("connection_string") => Some(Kind::ConnectionString),
        _ => None,
    };
    Record {
        name,
        secret,
        kind,
        ..Record::default()
    }
}

/// Values by address and attribute.
#[derive(Default)]
struct Found(BTreeMap<(String, String), Zeroizing<Vec<u8>>>);

impl Found {
    fn outputs(&mut self, tree: &Tree) {
        for (name, output) in tree.member("outputs").map_or(&[][..], Tree::members) {
            if output.text_at(&["sensitive"]) == Some("true")
                && let Some(value) = output.member("value")
            {
                self.add(&format!("output.{name}"), "", value);
            }
        }
    }

    /// Modules as `show -json` nests them.
    fn module(&mut self, module: Option<&Tree>, depth: usize) {
        const DEEPEST: usize = 32;
        let Some(module) = module.filter(|_| depth < DEEPEST) else {
            return;
        };
        for resource in module.member("resources").map_or(&[][..], Tree::items) {
            let (Some(address), Some(values)) =
                (resource.text_at(&["address"]), resource.member("values"))
            else {
                continue;
            };
            let kind = resource.text_at(&["type"]).unwrap_or("");
            self.marked(address, "", values, resource.member("sensitive_values"));
            self.known(address, kind, values);
        }
        for child in module.member("child_modules").map_or(&[][..], Tree::items) {
            self.module(Some(child), depth + 1);
        }
    }

    /// What `sensitive_values` says `true` of, in the shape of the values themselves.
    fn marked(&mut self, address: &str, path: &str, values: &Tree, marks: Option<&Tree>) {
        match marks {
            Some(Tree::Text(text)) if text.as_str() == "true" => self.add(address, path, values),
            Some(Tree::Map(members)) => {
                for (name, mark) in members {
                    if let Some(value) = values.member(name) {
                        self.marked(address, &joined(path, name), value, Some(mark));
                    }
                }
            }
            Some(Tree::List(items)) => {
                for (index, (mark, value)) in items.iter().zip(values.items()).enumerate() {
                    self.marked(
                        address,
                        &joined(path, &index.to_string()),
                        value,
                        Some(mark),
                    );
                }
            }
            _ => {}
        }
    }

    /// A resource as it lies on disk.
    fn resource(&mut self, resource: &Tree) {
        let text = |name: &str| resource.text_at(&[name]).unwrap_or("");
        let mut base = String::new();
        if !text("module").is_empty() {
            base = format!("{}.", text("module"));
        }
        if text("mode") == "data" {
            base.push_str("data.");
        }
        base.push_str(&format!("{}.{}", text("type"), text("name")));
        for instance in resource.member("instances").map_or(&[][..], Tree::items) {
            let address = match instance.text_at(&["index_key"]) {
                None => base.clone(),
                Some(it) if it.bytes().all(|it| it.is_ascii_digit()) => format!("{base}[{it}]"),
                Some(it) => format!("{base}[\"{it}\"]"),
            };
            let Some(attributes) = instance.member("attributes") else {
                continue;
            };
            for path in instance
                .member("sensitive_attributes")
                .map_or(&[][..], Tree::items)
            {
                if let Some((path, value)) = followed(path, attributes) {
                    self.add(&address, &path, value);
                }
            }
            self.known(&address, text("type"), attributes);
        }
    }

    /// Attributes that hold values although nobody marked them.
    fn known(&mut self, address: &str, kind: &str, attributes: &Tree) {
        let is_in = |list: &[(&str, &str)], name: &str| {
            list.iter()
                .any(|(of, attribute)| *attribute == name && fits(of, kind))
        };
        for (name, value) in attributes.members() {
            let is_known = ATTRIBUTES.contains(&name.as_str()) || is_in(OF_TYPES, name);
            if is_known && !is_in(NO_VALUES, name) {
                self.add(address, name, value);
            }
        }
    }

    /// Adds the texts of a value; JSON within a text is opened, since its parts are what is used.
    fn add(&mut self, address: &str, path: &str, value: &Tree) {
        match value {
            Tree::Null => {}
            Tree::Text(text) => match inner(text) {
                Some(tree) => self.add(address, path, &tree),
                None if text.is_empty() => {}
                None => {
                    let key = (address.to_owned(), path.to_owned());
                    self.0.insert(key, Zeroizing::new(text.as_bytes().to_vec()));
                }
            },
            Tree::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.add(address, &joined(path, &index.to_string()), item);
                }
            }
            Tree::Map(members) => {
                for (name, item) in members {
                    self.add(address, &joined(path, name), item);
                }
            }
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    match path {
        "" => name.to_owned(),
        _ => format!("{path}.{name}"),
    }
}

/// `aws_*` fits `aws_x`; one star, anywhere.
fn fits(pattern: &str, kind: &str) -> bool {
    match pattern.split_once('*') {
        Some((before, after)) => {
            kind.len() >= before.len() + after.len()
                && kind.starts_with(before)
                && kind.ends_with(after)
        }
        None => pattern == kind,
    }
}

/// An object written as JSON within a text.
fn inner(text: &str) -> Option<Tree> {
    let is_object = text.trim_start().starts_with('{');
    let tree = is_object
        .then(|| serde_json::from_str::<Tree>(text).ok())
        .flatten();
    tree.filter(|it| !it.members().is_empty())
}

/// The value at the end of a path such as `[{"type": "get_attr", "value": "password"}]`.
fn followed<'a>(path: &Tree, attributes: &'a Tree) -> Option<(String, &'a Tree)> {
    let mut at = attributes;
    let mut name = String::new();
    for step in path.items() {
        let key = step
            .text_at(&["value"])
            .or_else(|| step.text_at(&["value", "value"]))?;
        at = match at {
            Tree::List(items) => items.get(key.parse::<usize>().ok()?)?,
            _ => at.member(key)?,
        };
        name = joined(&name, key);
    }
    (!name.is_empty()).then_some((name, at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;

    fn names(text: &str) -> Vec<String> {
        let (records, _) = tried(read, "terraform.tfstate", text.as_bytes()).unwrap();
        records.into_iter().map(|it| it.name).collect()
    }

    #[test]
    fn marked_and_known_values_are_told_by_their_address() {
        let (records, totals) = tried(read, "terraform.tfstate", EXAMPLE.as_bytes()).unwrap();
        let seen: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            seen,
            [
                "module.shop.aws_secretsmanager_secret_version.mail[\"prod\"]#secret_string.api_key",
                "module.shop.aws_secretsmanager_secret_version.mail[\"prod\"]#secret_string.port",
                "output.db_password",
                "random_password.db#result",
            ]
        );
        let seal = Fingerprinter::new([3; 32]);
        let print = |it: &Record| it.versions[0].fingerprint;
        assert_eq!(
            print(&records[0]),
            Some(seal.fingerprint(b"tok_example_5f0e3a9b"))
        );
        assert_eq!(
            print(&records[3]),
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!(print(&records[2]), print(&records[3]));
        assert_eq!(records[3].secret.scope, "0c9e4f1a-shop");
        assert!(
            totals.notes[0].contains("4 values lie in the clear"),
            "{totals:?}"
        );
    }

    #[test]
    fn paths_lead_into_lists_and_maps() {
        let text = r#"{"version": 4, "resources": [{"mode": "data", "type": "x", "name": "y", "instances": [
            {"index_key": 2, "attributes": {"a": [{"b": "hidden"}], "c": "shown", "token": null, "kubeconfig": {"k": "hidden"}},
             "sensitive_attributes": [
                [{"type": "get_attr", "value": "a"}, {"type": "index", "value": {"value": 0, "type": "number"}}, {"type": "get_attr", "value": "b"}],
                [{"type": "get_attr", "value": "kubeconfig"}],
                [{"type": "get_attr", "value": "absent"}]]}]}]}"#;
        assert_eq!(
            names(text),
            ["data.x.y[2]#a.0.b", "data.x.y[2]#kubeconfig.k"]
        );
    }

    #[test]
    fn what_show_prints_says_the_same() {
        let text = r#"{"format_version": "1.0", "values": {
            "outputs": {"p": {"sensitive": true, "value": "one"}, "q": {"sensitive": false, "value": "two"}},
            "root_module": {"resources": [{"address": "a.b", "type": "a", "values": {"x": "one", "y": [{"z": "two"}], "w": "no"},
                "sensitive_values": {"x": true, "y": [{"z": true}], "v": true}}],
              "child_modules": [{"address": "module.m", "resources": [
                {"address": "module.m.aws_iam_access_key.k", "type": "aws_iam_access_key", "values": {"id": "x", "secret": "three"}},
                {"address": "module.m.kubernetes_secret_v1.k", "type": "kubernetes_secret_v1", "values": {"data": {"p": "four"}}},
                {"address": "module.m.google_secret_manager_secret_version.k", "type": "google_secret_manager_secret_version",
                 "values": {"secret": "projects/a/secrets/b", "secret_data": "five"}}]}]}}}"#;
        assert_eq!(
            names(text),
            [
                "a.b#x",
                "a.b#y.0.z",
                "module.m.aws_iam_access_key.k#secret",
                "module.m.google_secret_manager_secret_version.k#secret_data",
                "module.m.kubernetes_secret_v1.k#data.p",
                "output.p",
            ]
        );
    }

    #[test]
    fn what_is_no_state_is_refused_and_an_empty_one_is_not() {
        assert!(names(r#"{"version": 4, "resources": []}"#).is_empty());
        assert!(names(r#"{"format_version": "1.0"}"#).is_empty());
        for text in [
            "",
            "{}",
            r#"{"version": 3, "modules": []}"#,
            r#"{"encrypted_data": "x"}"#,
        ] {
            let error = tried(read, "a", text.as_bytes()).unwrap_err();
            assert!(error.hint().is_some(), "{text}");
        }
    }
}
