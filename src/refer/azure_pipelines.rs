//! Azure Pipelines: variable groups, and variables that the file does not set.
//!
//! Names of variables are compared without case there, so they are lowered here. The task that reads a
//! vault is known in `azure_task`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{File, Pattern, file_name, group, name};
use crate::syntax::yaml::{NodeId, Tree};
use std::collections::BTreeSet;

/// The path alone decides.
pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    "azure-pipelines.yml",
    "variables:\n- group: shop-prod\nsteps:\n- script: ./deploy $(db-password)\n",
);

static MACRO: Pattern = Pattern::new(r"\$\(([A-Za-z_][A-Za-z0-9_.-]{0,127})\)");

/// A file of pipelines, or a template of one.
pub(super) fn applies(path: &str) -> bool {
    if !(path.ends_with(".yml") || path.ends_with(".yaml")) {
        return false;
    }
    let folder = [
        ".azure-pipelines/",
        ".azuredevops/",
        ".pipelines/",
        "azure-pipelines/",
    ];
    file_name(path).contains("azure-pipeline") || folder.iter().any(|it| path.contains(it))
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        let own = own(tree, *root);
        let loaded = loaded(tree, *root);
        for id in tree.walk(*root).filter(|id| tree.follow(*id) == *id) {
            variable_group(file, tree, id, emit);
            if tree.text(id).is_some() {
                variables(file, tree, id, (&own, &loaded), emit);
            }
        }
    }
}

fn variable(text: &str) -> SecretName {
    SecretName::new("azure-pipelines", &text.to_ascii_lowercase())
}

/// `- group: shop-prod` in a list of variables: a bundle that may stand for a vault.
fn variable_group(file: &File<'_>, tree: &Tree<'_>, id: NodeId, emit: &mut dyn FnMut(Mention)) {
    if tree.label(id) != Some("group") {
        return;
    }
    let list = tree.node(id).parent.and_then(|it| tree.node(it).parent);
    let in_variables = list.is_some_and(|it| tree.label(it) == Some("variables"));
    if let Some(text) = tree.text(id).filter(|it| in_variables && !it.is_empty()) {
        let name = SecretName::new(
            "azure-pipelines",
            &format!("group/{}", text.to_ascii_lowercase()),
        );
        emit(Mention {
            consumer: Some(file.path.to_owned()),
            ..file.mention_at("azure-variable-group", name, id)
        });
    }
}

fn variables(
    file: &File<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    (own, loaded): (&BTreeSet<String>, &BTreeSet<String>),
    emit: &mut dyn FnMut(Mention),
) {
    let span = tree.node(id).span;
    let (Some(regex), Some(text)) = (MACRO.regex(), file.text.get(span.start..span.end)) else {
        return;
    };
    let in_env = tree
        .node(id)
        .parent
        .is_some_and(|it| tree.label(it) == Some("env"));
    for captures in regex.captures_iter(text) {
        let Some((found, at)) = group(&captures, 1) else {
            continue;
        };
        let at = Span::new(span.start + at.start, span.start + at.end);
        let lower = found.to_ascii_lowercase();
        let is_secret = name::property_looks_secret(found) || loaded.contains(&lower);
        let is_other = is_secret && !own.contains(&lower);
        let is_known = found == "System.AccessToken" || file.is_comment(at.start);
        if is_other && !is_known {
            let to = tree.label(id).filter(|_| in_env);
            emit(Mention {
                yields: to.map(|it| name::env(it, file.path)),
                consumer: Some(file.path.to_owned()),
                ..file.mention("azure-pipelines-variable", variable(found), at)
            });
        }
    }
}

/// Names that a task of the file loads from a vault: secrets, whatever they are called.
fn loaded(tree: &Tree<'_>, root: NodeId) -> BTreeSet<String> {
    let lists = tree
        .walk(root)
        .filter(|it| {
            tree.label(*it)
                .is_some_and(|it| it.eq_ignore_ascii_case("SecretsFilter"))
        })
        .filter_map(|it| tree.text(it));
    lists
        .flat_map(|it| it.split(','))
        .map(|it| it.trim().to_ascii_lowercase())
        .collect()
}

/// Names that the file gives a value: `variables: {a: b}` or a list of names with values.
fn own(tree: &Tree<'_>, root: NodeId) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for id in tree
        .walk(root)
        .filter(|it| tree.label(*it) == Some("variables"))
    {
        let keys = tree.entries(id).iter().filter_map(|it| tree.text(it.0));
        let items = tree
            .items(id)
            .iter()
            .filter_map(|it| tree.text_at(*it, &["name"]));
        own.extend(keys.chain(items).map(str::to_ascii_lowercase));
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn tasks_groups_and_variables() {
        let text = "\
variables:
- group: Shop-Prod
- name: ownToken
  value: x
steps:
- script: deploy $(ownToken) $(Build.BuildId) $(System.AccessToken) $(release-token)
  env:
    DB_PASSWORD: $(db-pass)
";
        let by = "by azure-pipelines.yml";
        assert_eq!(
            told(read, "azure-pipelines.yml", text),
            [
                format!("2 azure-variable-group azure-pipelines:group/shop-prod {by}"),
                format!("6 azure-pipelines-variable azure-pipelines:release-token {by}"),
                format!(
                    "8 azure-pipelines-variable azure-pipelines:db-pass -> env:azure-pipelines.yml/DB_PASSWORD {by}"
                ),
            ]
        );
    }

    #[test]
    fn what_a_task_loads_is_a_secret_whatever_its_name() {
        let text = "\
steps:
- task: AzureKeyVault@2
  inputs: {KeyVaultName: shopkv, SecretsFilter: 'Shop-Deploy, other'}
- script: deploy $(shop-deploy) $(shop-region)
";
        assert_eq!(
            told(read, "azure-pipelines.yml", text),
            ["4 azure-pipelines-variable azure-pipelines:shop-deploy by azure-pipelines.yml"]
        );
    }

    #[test]
    fn other_yaml_is_silent() {
        assert!(!applies("deploy/a.yml"));
        for text in [
            "# $(db-password)\n",
            "jobs:\n- group: shop\n",
            "x: $(Build.SourcesDirectory)\n",
        ] {
            assert!(told(read, "azure-pipelines.yml", text).is_empty(), "{text}");
        }
    }
}
