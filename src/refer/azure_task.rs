//! The task of Azure Pipelines that reads secrets of a Key Vault into variables, in any YAML file.
//!
//! Its inputs: <https://learn.microsoft.com/azure/devops/pipelines/tasks/deploy/azure-key-vault>. Who reads
//! the variables is known in `azure_pipelines`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{File, name};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &["AzureKeyVault@"];

pub(super) const EXAMPLE: (&str, &str) = (
    "azure-pipelines.yml",
    "steps:\n- task: AzureKeyVault@2\n  inputs: {KeyVaultName: shopkv, SecretsFilter: 'db-pass'}\n",
);

pub(super) fn applies(path: &str) -> bool {
    path.ends_with(".yml") || path.ends_with(".yaml")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for id in tree.all().filter(|id| tree.follow(*id) == *id) {
        task(file, tree, id, emit);
    }
}

/// `SecretsFilter` lists names, or `*` for all.
fn task(file: &File<'_>, tree: &Tree<'_>, id: NodeId, emit: &mut dyn FnMut(Mention)) {
    let is_task = |it: &str| it.starts_with("AzureKeyVault@");
    if !tree.text_at(id, &["task"]).is_some_and(is_task) {
        return;
    }
    let Some(inputs) = tree.get(id, "inputs") else {
        return;
    };
    let first = |names: [&str; 2]| names.iter().find_map(|it| tree.get(inputs, it));
    let (Some(vault), Some(filter)) = (
        first(["KeyVaultName", "keyVaultName"]).and_then(|it| tree.text(it)),
        first(["SecretsFilter", "secretsFilter"]),
    ) else {
        return;
    };
    let span = tree.node(tree.follow(filter)).span;
    let Some(list) = file.text.get(span.start..span.end) else {
        return;
    };
    let mut at = span.start;
    for part in list.split_inclusive(',') {
        let secret = part.trim_matches([',', ' ', '"', '\'', '\n']);
        let start = at + part.find(secret).unwrap_or(0);
        at += part.len();
        if secret.is_empty() {
            continue;
        }
        let name = name::azure(vault, secret, None);
        let mention = file.mention(
            "azure-key-vault-task",
            name,
            Span::new(start, start + secret.len()),
        );
        emit(Mention {
            yields: Some(SecretName::new(
                "azure-pipelines",
                &secret.to_ascii_lowercase(),
            ))
            .filter(|_| secret != "*"),
            consumer: Some(file.path.to_owned()),
            ..mention
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn the_task_lists_secrets_or_takes_all() {
        let text = "\
steps:
- task: AzureKeyVault@2
  inputs:
    azureSubscription: shop
    KeyVaultName: ShopKV
    SecretsFilter: 'db-pass, Api-Key'
# - task: AzureKeyVault@2
- {task: AzureKeyVault@1, inputs: {keyVaultName: $(vault), secretsFilter: '*'}}
- {task: Bash@3, inputs: {KeyVaultName: x, SecretsFilter: y}}
";
        let by = "by p.yml";
        assert_eq!(
            told(read, "p.yml", text),
            [
                format!(
                    "6 azure-key-vault-task azure-keyvault:shopkv/db-pass -> azure-pipelines:db-pass {by}"
                ),
                format!(
                    "6 azure-key-vault-task azure-keyvault:shopkv/api-key -> azure-pipelines:api-key {by}"
                ),
                format!("8 azure-key-vault-task azure-keyvault:*/* {by} ~"),
            ]
        );
    }
}
