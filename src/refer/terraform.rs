//! Terraform and OpenTofu, in HCL and JSON: data sources that read a secret, resources that make one,
//! sensitive variables, and the secrets of container definitions.
//!
//! A block that points at another of the same file takes its name. A variable is read from the environment as
//! `TF_VAR_name`: <https://developer.hashicorp.com/terraform/cli/config/environment-variables>.

use crate::model::reference::{Mention, Role, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, Pattern, extension, group, name};
use crate::syntax::hcl::{Attribute, Block, Value, blocks};
use crate::syntax::yaml::{NodeId, Tree};
use std::collections::BTreeMap;

pub(super) const ANCHORS: &[&str] = &[
    "vault_kv_secret",
    "vault_generic_secret",
    "aws_secretsmanager_secret",
    "aws_ssm_parameter",
    "google_secret_manager_secret",
    "azurerm_key_vault_",
    "onepassword_item",
    "doppler_secret",
    "infisical_secret",
    "sops_file",
    "random_password",
    "github_actions_secret",
    "github_actions_environment_secret",
    "gitlab_project_variable",
    "kubernetes_secret",
    "sensitive",
    "valueFrom",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "infra/shop.tf",
    "data \"vault_kv_secret_v2\" \"db\" {\n  mount = \"kv\"\n  name  = \"shop/db\"\n}\n",
);

static CONTAINER: Pattern = Pattern::new(
    r#"\bname\s*=\s*"([A-Za-z_][A-Za-z0-9_]*)"\s*,?\s*valueFrom\s*=\s*(?:"([^"\n]{1,512})"|([A-Za-z_][A-Za-z0-9_.\[\]-]{1,200}))"#,
);
static KUBERNETES: Pattern = Pattern::new(
    r#"\b(resource|data|ephemeral)\s+"kubernetes_secret(?:_v1)?"\s+"([^"\n]{1,128})"\s*\{[^}]{0,400}?\bmetadata\s*\{([^}]{1,400})"#,
);
static NAME: Pattern = Pattern::new(r#"(?m)^\s*(name|namespace)\s*=\s*"([^"\n]{1,253})""#);

/// A kind of block: the attributes of which the first there is names the secret, and how.
struct Kind {
    names: &'static [&'static str],
    id: &'static [&'static str],
    name: fn(&Fields<'_, '_>, &str) -> SecretName,
}

static KINDS: &[Kind] = &[
    Kind {
        names: &[
            "vault_kv_secret_v2",
            "vault_kv_secret",
            "vault_generic_secret",
        ],
        id: &["name", "path"],
        name: |it, id| {
            let name = name::vault_in(&it.get("mount"), id, None);
            name::pinned(name, it.find("version").as_deref())
        },
    },
    Kind {
        names: &[
            "aws_secretsmanager_secret_version",
            "aws_secretsmanager_secret",
        ],
        id: &["secret_id", "name", "arn", "name_prefix"],
        name: |it, id| match it.block.get("name_prefix") {
            Some(_) => SecretName::new("aws-secretsmanager", &format!("{id}*")),
            None => name::aws_secret(id),
        },
    },
    Kind {
        names: &["aws_ssm_parameter"],
        id: &["name", "arn"],
        name: |_, id| name::aws_parameter(id),
    },
    Kind {
        names: &[
            "google_secret_manager_secret_version",
            "google_secret_manager_secret_version_access",
            "google_secret_manager_secret",
            "google_secret_manager_regional_secret",
            "google_secret_manager_regional_secret_version",
        ],
        id: &["secret", "secret_id"],
        name: |it, id| name::google(id, &it.get("project"), it.find("version").as_deref()),
    },
    Kind {
        names: &["azurerm_key_vault_secret"],
        id: &["name"],
        name: |it, id| name::azure(&it.vault(), id, it.find("version").as_deref()),
    },
    Kind {
        names: &["azurerm_key_vault_key"],
        id: &["name"],
        name: |it, id| name::azure(&it.vault(), &format!("keys/{id}"), None),
    },
    Kind {
        names: &[
            "azurerm_key_vault_certificate",
            "azurerm_key_vault_certificate_data",
        ],
        id: &["name"],
        name: |it, id| name::azure(&it.vault(), &format!("certificates/{id}"), None),
    },
    Kind {
        names: &["onepassword_item"],
        id: &["title", "uuid"],
        name: |it, id| SecretName::new("onepassword", id).within(&it.get("vault")),
    },
    Kind {
        names: &["doppler_secrets"],
        id: &["config", "project"],
        name: |it, _| SecretName::new("doppler", "*").within(&it.joined(["project", "config"])),
    },
    Kind {
        names: &["doppler_secret"],
        id: &["name"],
        name: |it, id| SecretName::new("doppler", id).within(&it.joined(["project", "config"])),
    },
    Kind {
        names: &["infisical_secrets"],
        id: &["folder_path", "env_slug"],
        name: |it, _| {
            let folder = it.get("folder_path");
            let path = format!("{}/*", folder.trim_matches('/'));
            let name = SecretName::new("infisical", path.trim_start_matches('/'));
            name.within(&it.joined(["workspace_id", "env_slug"]))
        },
    },
    Kind {
        names: &["infisical_secret"],
        id: &["name"],
        name: |it, id| {
            let folder = it.get("folder_path");
            let path = format!("{}/{id}", folder.trim_matches('/'));
            let name = SecretName::new("infisical", path.trim_start_matches('/'));
            name.within(&it.joined(["workspace_id", "env_slug"]))
        },
    },
    Kind {
        names: &["sops_file"],
        id: &["source_file"],
        name: |_, id| SecretName::new("file", id.trim_start_matches("./")),
    },
    Kind {
        names: &["github_actions_secret", "github_actions_environment_secret"],
        id: &["secret_name"],
        name: |_, id| SecretName::new("github-actions", &id.to_ascii_uppercase()),
    },
    Kind {
        names: &["gitlab_project_variable", "gitlab_group_variable"],
        id: &["key"],
        name: |_, id| SecretName::new("gitlab-ci", id),
    },
];

pub(super) fn applies(path: &str) -> bool {
    matches!(extension(path), "tf" | "tofu" | "hcl") || path.ends_with(".tf.json")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if extension(file.path) == "json" {
        let tree = file.tree();
        return each(file, &blocks_of(tree), emit);
    }
    let blocks = blocks(file.text);
    each(file, &blocks, emit);
    if file.has_any(&["kubernetes_secret"]) {
        kubernetes(file, emit);
    }
    if file.has_any(&["valueFrom"]) {
        containers(file, &addresses(&blocks), emit);
    }
}

fn each(file: &File<'_>, blocks: &[Block<'_>], emit: &mut dyn FnMut(Mention)) {
    let names = addresses(blocks);
    for block in blocks {
        let fields = Fields {
            block,
            names: &names,
        };
        match (block.kind, block.labels.as_slice()) {
            ("variable", [title]) => variable(file, &fields, title, emit),
            ("resource", ["random_password", label]) => random(file, block, label, emit),
            ("data" | "ephemeral" | "resource", [kind, label]) => {
                secret(file, &fields, (kind, label), emit);
            }
            _ => {}
        }
    }
}

fn secret(
    file: &File<'_>,
    fields: &Fields<'_, '_>,
    (kind, label): (&str, &str),
    emit: &mut dyn FnMut(Mention),
) {
    let block = fields.block;
    let Some(found) = KINDS.iter().find(|it| it.names.contains(&kind)) else {
        return;
    };
    let Some(id) = found.id.iter().find_map(|it| block.get(it)) else {
        return;
    };
    let is_resource = block.kind == "resource";
    let value = resolved(id, fields.names);
    // A parameter of another type is no secret; who masks a variable of GitLab says that it is one.
    let is_open = match kind {
        "aws_ssm_parameter" => is_resource && fields.get("type").starts_with("String"),
        "gitlab_project_variable" | "gitlab_group_variable" => {
            fields.get("masked") != "true" && !name::looks_secret(&value)
        }
        _ => false,
    };
    let name = (found.name)(fields, &value);
    if is_open || name.path.is_empty() {
        return;
    }
    let (syntax, role) = match is_resource {
        true => ("terraform-resource", Role::Definition),
        false => ("terraform-data", Role::Use),
    };
    emit(Mention {
        role,
        consumer: Some(format!("{}.{kind}.{label}", block.kind)),
        ..file.mention(syntax, name, id.span)
    });
}

/// `variable "db_password" { sensitive = true }`. Only the root module is given variables from outside: who
/// calls a module sets those of it.
fn variable(file: &File<'_>, fields: &Fields<'_, '_>, title: &str, emit: &mut dyn FnMut(Mention)) {
    let path = file.path.strip_suffix(".json").unwrap_or(file.path);
    let is_root = matches!(extension(path), "tf" | "tofu") && !path.contains("modules/");
    let Some(at) = fields.block.title.filter(|_| is_root) else {
        return;
    };
    if fields.get("sensitive") == "true" {
        let name = name::env(&format!("TF_VAR_{title}"), "");
        emit(Mention {
            consumer: Some(format!("var.{title}")),
            ..file.mention("terraform-variable", name, at)
        });
    }
}

/// A password that only the state knows.
fn random(file: &File<'_>, block: &Block<'_>, label: &str, emit: &mut dyn FnMut(Mention)) {
    if let Some(at) = block.title {
        let name = SecretName::new("terraform", &format!("random_password.{label}"));
        emit(Mention {
            role: Role::Definition,
            ..file.mention("terraform-random", name, at)
        });
    }
}

/// The name of a Kubernetes secret stands in a block within.
fn kubernetes(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some(regex) = NAME.regex() else { return };
    file.each(&KUBERNETES, |captures| {
        let (Some((kind, _)), Some((label, _)), Some((metadata, at))) =
            (group(captures, 1), group(captures, 2), group(captures, 3))
        else {
            return;
        };
        let (mut title, mut space) = (None, "");
        for found in regex.captures_iter(metadata) {
            match (found.get(1).map(|it| it.as_str()), group(&found, 2)) {
                (Some("name"), value) => title = value,
                (_, Some((value, _))) => space = value,
                _ => {}
            }
        }
        if let Some((title, span)) = title {
            let (syntax, role) = match kind {
                "resource" => ("terraform-resource", Role::Definition),
                _ => ("terraform-data", Role::Use),
            };
            let span = Span::new(at.start + span.start, at.start + span.end);
            let name = SecretName::new("kubernetes", title).within(space);
            emit(Mention {
                role,
                consumer: Some(format!("{kind}.kubernetes_secret.{label}")),
                ..file.mention(syntax, name, span)
            });
        }
    });
}

/// `{ name = "DB_PASSWORD", valueFrom = aws_secretsmanager_secret.db.arn }`.
fn containers(
    file: &File<'_>,
    names: &BTreeMap<String, (&str, &str)>,
    emit: &mut dyn FnMut(Mention),
) {
    file.each(&CONTAINER, |captures| {
        let Some((variable, _)) = group(captures, 1) else {
            return;
        };
        let from = group(captures, 2).or(group(captures, 3));
        let Some((source, span)) = from else { return };
        let address = source.rsplit_once('.').map_or(source, |it| it.0);
        let name = match names.get(address) {
            Some((kind, id)) if kind.starts_with("aws_ssm") => name::aws_parameter(id),
            Some((kind, id)) if kind.starts_with("aws_secrets") => name::aws_secret(id),
            _ if source.contains("ssm") => name::aws_parameter(open(source).as_ref()),
            _ => name::aws_secret(open(source).as_ref()),
        };
        emit(Mention {
            yields: Some(name::env(variable, "")),
            ..file.mention("ecs-secret", name, span)
        });
    });
}

/// An address that leads out of the file is filled in later.
fn open(source: &str) -> String {
    match source.starts_with("arn:") {
        true => source.to_owned(),
        false => format!("${{{}}}", source.replace(['{', '}', '$'], "")),
    }
}

/// The blocks of Terraform's JSON: `{"data": {"kind": {"label": {...}}}}`.
fn blocks_of<'t>(tree: &'t Tree<'_>) -> Vec<Block<'t>> {
    let mut found = Vec::new();
    for root in tree.roots() {
        for (kind, types) in tree.entries(*root) {
            let kind = tree.text(*kind).unwrap_or("");
            for (id, labels) in tree.entries(*types) {
                let name = tree.text(*id).unwrap_or("");
                if kind == "variable" {
                    found.push(block(tree, kind, (vec![name], *id), *labels));
                    continue;
                }
                for (id, body) in tree.entries(*labels) {
                    let label = tree.text(*id).unwrap_or("");
                    found.push(block(tree, kind, (vec![name, label], *id), *body));
                }
            }
        }
    }
    found
}

fn block<'t>(
    tree: &'t Tree<'_>,
    kind: &'t str,
    (labels, title): (Vec<&'t str>, NodeId),
    body: NodeId,
) -> Block<'t> {
    let attribute = |(name, value): &(NodeId, NodeId)| {
        let text = tree.text(*value)?;
        let expression = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
        Some(Attribute {
            name: tree.text(*name)?,
            value: expression.map_or(Value::Literal(text), Value::Expression),
            span: tree.node(tree.follow(*value)).span,
        })
    };
    Block {
        kind,
        labels,
        title: Some(tree.node(title).span),
        attributes: tree.entries(body).iter().filter_map(attribute).collect(),
    }
}

/// The attributes of one block, with what they point at.
struct Fields<'w, 'a> {
    block: &'w Block<'a>,
    names: &'w BTreeMap<String, (&'a str, &'a str)>,
}

impl Fields<'_, '_> {
    fn find(&self, field: &str) -> Option<String> {
        self.block.get(field).map(|it| resolved(it, self.names))
    }

    /// The same, empty if it is not there.
    fn get(&self, field: &str) -> String {
        let found = self.block.get(field);
        found.map_or_else(String::new, |it| match it.value {
            Value::Expression(text @ ("true" | "false")) => text.to_owned(),
            _ => resolved(it, self.names),
        })
    }

    fn joined(&self, fields: [&str; 2]) -> String {
        let parts = fields.map(|it| self.get(it));
        parts.join("/").trim_matches('/').to_owned()
    }

    /// The name of an Azure vault, from its resource id or its block; empty if it is not known here.
    fn vault(&self) -> String {
        let text = self.find("key_vault_id").unwrap_or_default();
        let vault = text
            .rsplit_once("/vaults/")
            .map_or(text.as_str(), |(_, it)| it);
        match name::is_open(vault) {
            true => String::new(),
            false => vault.to_owned(),
        }
    }
}

/// What other blocks are called: address to their kind and the literal that names the secret.
fn addresses<'a>(blocks: &[Block<'a>]) -> BTreeMap<String, (&'a str, &'a str)> {
    let mut names = BTreeMap::new();
    for block in blocks {
        let [kind, label] = block.labels.as_slice() else {
            continue;
        };
        let prefix = match block.kind {
            "data" => "data.",
            "ephemeral" => "ephemeral.",
            _ => "",
        };
        let fields = ["name", "secret_id", "path", "arn"];
        if let Some(name) = fields.iter().find_map(|it| literal(block.get(it)?)) {
            names.insert(format!("{prefix}{kind}.{label}"), (*kind, name));
        }
    }
    names
}

fn literal<'a>(attribute: &Attribute<'a>) -> Option<&'a str> {
    match attribute.value {
        Value::Literal(text) => Some(text),
        Value::Expression(_) => None,
    }
}

/// A literal, or the literal an address leads to, else the expression marked as one.
fn resolved(attribute: &Attribute<'_>, names: &BTreeMap<String, (&str, &str)>) -> String {
    match attribute.value {
        Value::Literal(text) => text.to_owned(),
        Value::Expression(text) => {
            let address = text.rsplit_once('.').map_or(text, |(it, _)| it);
            match names.get(address) {
                Some((_, name)) => (*name).to_owned(),
                None if text.bytes().all(|it| it.is_ascii_digit()) => text.to_owned(),
                None => format!("${{{text}}}"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_sources_name_their_secret() {
        let text = r#"
# data "aws_ssm_parameter" "old" { name = "/old" }
resource "aws_secretsmanager_secret" "db" {
  name = "shop/db"
}
data "aws_secretsmanager_secret_version" "db" {
  secret_id = aws_secretsmanager_secret.db.id
}
data "aws_secretsmanager_secret_version" "api" { secret_id = var.name }
ephemeral "vault_kv_secret_v2" "db" {
  mount   = "kv"
  name    = "shop/db"
  version = 3
}
data "vault_generic_secret" "g" { path = "kv/data/shop/api" }
data "aws_ssm_parameter" "p" { name = "/shop/${var.env}/key" }
data "google_secret_manager_secret_version" "s" {
  secret  = "db-pass"
  project = "shop-prod"
  version = "latest"
}
data "azurerm_key_vault" "kv" { name = "ShopKV" }
data "azurerm_key_vault_secret" "s" {
  name         = "Db-Pass"
  key_vault_id = data.azurerm_key_vault.kv.id
}
"#;
        let mut found = Vec::new();
        read(&File::new("a.tf", text), &mut |it| {
            let mark = if it.dynamic { " ~" } else { "" };
            found.push(format!(
                "{}:{} {}{mark}",
                it.place.line, it.place.column, it.name
            ));
        });
        assert_eq!(
            found,
            [
                "4:11 aws-secretsmanager:shop/db",
                "7:15 aws-secretsmanager:shop/db",
                "9:62 aws-secretsmanager:* ~",
                "12:14 vault:kv/shop/db@3",
                "15:43 vault:kv/shop/api",
                "16:40 aws-ssm:shop/*/key ~",
                "18:14 gcp-secretmanager:shop-prod/db-pass",
                "24:19 azure-keyvault:shopkv/db-pass",
            ]
        );
    }

    #[test]
    fn resources_variables_and_json() {
        for (path, text, expected) in [
            (
                "a.tf",
                "resource \"aws_ssm_parameter\" \"p\" {\n  name = \"/shop/key\"\n  type = \"SecureString\"\n}",
                "2 terraform-resource aws-ssm:shop/key by resource.aws_ssm_parameter.p def",
            ),
            (
                "a.tf",
                "variable \"db_password\" {\n  sensitive = true\n}",
                "1 terraform-variable env:TF_VAR_db_password by var.db_password",
            ),
            (
                "a.tf",
                "resource \"random_password\" \"db\" {\n  length = 20\n}",
                "1 terraform-random terraform:random_password.db def",
            ),
            (
                "a.tf",
                "data \"onepassword_item\" \"d\" {\n  vault = \"Shop\"\n  title = \"db\"\n}",
                "3 terraform-data onepassword:Shop/db by data.onepassword_item.d",
            ),
            (
                "a.tf",
                "data \"doppler_secrets\" \"d\" {\n  project = \"shop\"\n  config = \"prd\"\n}",
                "3 terraform-data doppler:shop/prd/* by data.doppler_secrets.d ~",
            ),
            (
                "a.tf",
                "data \"sops_file\" \"s\" {\n  source_file = \"./db.enc.yaml\"\n}",
                "2 terraform-data file:db.enc.yaml by data.sops_file.s",
            ),
            (
                "a.tf",
                "resource \"kubernetes_secret\" \"s\" {\n  metadata {\n    name = \"shop-db\"\n    namespace = \"shop\"\n  }\n}",
                "3 terraform-resource kubernetes:shop/shop-db by resource.kubernetes_secret.s def",
            ),
            (
                "a.tf",
                "x = [{ name = \"DB_PASSWORD\", valueFrom = var.db_arn }]",
                "1 ecs-secret aws-secretsmanager:* -> env:DB_PASSWORD ~",
            ),
            (
                "a.tf.json",
                "{\"data\": {\"aws_ssm_parameter\": {\"p\": {\"name\": \"/shop/${var.env}\"}}}}",
                "1 terraform-data aws-ssm:shop/* by data.aws_ssm_parameter.p ~",
            ),
        ] {
            assert_eq!(
                crate::refer::table::told(read, path, text),
                [expected],
                "{text}"
            );
        }
        for text in [
            "resource \"aws_ssm_parameter\" \"p\" {\n  name = \"/shop/url\"\n  type = \"String\"\n}",
            "variable \"db_password\" {\n  sensitive = false\n}",
            "# data \"sops_file\" \"s\" { source_file = \"x\" }",
        ] {
            assert!(
                crate::refer::table::told(read, "a.tf", text).is_empty(),
                "{text}"
            );
        }
    }
}
