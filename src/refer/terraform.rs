//! Terraform and OpenTofu: data sources that read a secret.
//!
//! Resources define a secret and are not references; a data source that points at one in the same
//! file takes its name.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, extension, name};
use crate::syntax::hcl::{Attribute, Block, Value, blocks};
use std::collections::BTreeMap;

pub(super) const ANCHORS: &[&str] = &[
    "vault_kv_secret",
    "vault_generic_secret",
    "aws_secretsmanager_secret",
    "aws_ssm_parameter",
    "google_secret_manager_secret_version",
    "azurerm_key_vault_secret",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "infra/shop.tf",
    "data \"vault_kv_secret_v2\" \"db\" {\n  mount = \"kv\"\n  name  = \"shop/db\"\n}\n",
);

pub(super) fn applies(path: &str) -> bool {
    matches!(extension(path), "tf" | "tofu" | "hcl")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let blocks = blocks(file.text);
    let names = addresses(&blocks);
    for block in &blocks {
        let ([kind, label], "data" | "ephemeral") = (block.labels.as_slice(), block.kind) else {
            continue;
        };
        if let Some((name, span)) = secret(block, kind, &names) {
            let consumer = Some(format!("{}.{kind}.{label}", block.kind));
            emit(Mention {
                consumer,
                ..file.mention("terraform-data", name, span)
            });
        }
    }
}

/// What other blocks are called: address to the literal that names the secret.
fn addresses<'a>(blocks: &[Block<'a>]) -> BTreeMap<String, &'a str> {
    let mut names = BTreeMap::new();
    for block in blocks {
        let [kind, label] = block.labels.as_slice() else {
            continue;
        };
        let prefix = if block.kind == "data" { "data." } else { "" };
        let named = ["name", "secret_id", "path", "arn"]
            .iter()
            .find_map(|it| literal(block.get(it)?));
        if let Some(name) = named {
            names.insert(format!("{prefix}{kind}.{label}"), name);
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

/// The secret a block reads, and where it says so.
fn secret(
    block: &Block<'_>,
    kind: &str,
    names: &BTreeMap<String, &str>,
) -> Option<(SecretName, Span)> {
    let value = |field: &str| block.get(field).map(|it| resolved(it, names));
    let first = |fields: &[&str]| {
        let found = fields.iter().find_map(|it| block.get(it))?;
        Some((resolved(found, names), found.span))
    };
    let version = value("version");
    Some(match kind {
        "vault_kv_secret_v2" | "vault_kv_secret" | "vault_generic_secret" => {
            let (path, span) = first(&["name", "path"])?;
            let mount = value("mount").unwrap_or_default();
            (
                name::pinned(name::vault_in(&mount, &path, None), version.as_deref()),
                span,
            )
        }
        "aws_secretsmanager_secret_version" | "aws_secretsmanager_secret" => {
            let (id, span) = first(&["secret_id", "name", "arn"])?;
            (name::aws_secret(&id), span)
        }
        "aws_ssm_parameter" => {
            let (id, span) = first(&["name"])?;
            (name::aws_parameter(&id), span)
        }
        "google_secret_manager_secret_version" | "google_secret_manager_secret_version_access" => {
            let (id, span) = first(&["secret"])?;
            let project = value("project").unwrap_or_default();
            (name::google(&id, &project, version.as_deref()), span)
        }
        "azurerm_key_vault_secret" => {
            let (id, span) = first(&["name"])?;
            let vault = block
                .get("key_vault_id")
                .map(|it| vault_of(it, names))
                .unwrap_or_default();
            (name::azure(&vault, &id, version.as_deref()), span)
        }
        _ => return None,
    })
}

/// A literal, or the literal an address leads to, else the expression marked as one.
fn resolved(attribute: &Attribute<'_>, names: &BTreeMap<String, &str>) -> String {
    match attribute.value {
        Value::Literal(text) => text.to_owned(),
        Value::Expression(text) => {
            let address = text.rsplit_once('.').map_or(text, |(it, _)| it);
            match names.get(address) {
                Some(name) => (*name).to_owned(),
                None if text.bytes().all(|it| it.is_ascii_digit()) => text.to_owned(),
                None => format!("${{{text}}}"),
            }
        }
    }
}

/// The name of an Azure vault, from its resource id or its block; empty if it is not known here.
fn vault_of(attribute: &Attribute<'_>, names: &BTreeMap<String, &str>) -> String {
    let text = resolved(attribute, names);
    let vault = text
        .rsplit_once("/vaults/")
        .map_or(text.as_str(), |(_, it)| it);
    if name::is_open(vault) {
        String::new()
    } else {
        vault.to_owned()
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
}
