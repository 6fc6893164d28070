//! Helm: values that name an existing Secret, look-ups in templates, and values files that a plug-in
//! decrypts.
//!
//! A value joins the templates of its own chart through the provider `helm-value`, whose scope is the folder
//! of the chart. The manifests in templates are read in `kubernetes`.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{File, Row, any, extension, file_name, is_tree, name, read_rows, uses};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "existingSecret",
    "ecretName",
    "lookup \"v1\" \"Secret\"",
    "secrets://",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "charts/shop/values.yaml",
    "db:\n  existingSecret: shop-db\n  existingSecretPasswordKey: password\n",
);

static ROWS: [Row; 2] = [
    uses(
        "helm-lookup",
        any,
        &["lookup \"v1\" \"Secret\""],
        r#"\blookup\s+"v1"\s+"Secret"\s+(?:"([^"\n]*)"|[^\s"]+)\s+"(?P<id>[^"\n]{1,253})""#,
        |it, id| {
            let space = it.get(1).map_or("", |it| it.as_str());
            Some(SecretName::new("kubernetes", id).within(space).into())
        },
    ),
    uses(
        "helm-secrets",
        any,
        &["secrets://"],
        r#"(?:^|[\s"'=])secrets://([A-Za-z0-9_./-]{1,256})"#,
        |_, id| Some(SecretName::new("file", id.trim_start_matches("./")).into()),
    ),
];

/// Values beside one that are looked at for its keys.
const BESIDE: usize = 200;

/// Names of values that hold the name of a Secret.
const NAMES: &[&str] = &[
    "existingSecret",
    "existingSecretName",
    "secretName",
    "credentialsSecret",
    "existingSecretRef",
];

pub(super) fn applies(path: &str) -> bool {
    is_tree(path) || matches!(extension(path), "tpl" | "gotmpl" | "sh" | "txt")
}

fn is_values(path: &str) -> bool {
    let name = file_name(path);
    is_tree(path)
        && (name.starts_with("values") || path.contains("/values/") || name.contains(".values."))
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if is_values(file.path) {
        let tree = file.tree();
        for root in tree.roots() {
            for id in tree.walk(*root) {
                value(file, tree, id, emit);
            }
        }
    }
}

/// `existingSecret: shop-db`, with the keys of it that stand beside.
fn value(file: &File<'_>, tree: &Tree<'_>, id: NodeId, emit: &mut dyn FnMut(Mention)) {
    let (Some(label), Some(text)) = (tree.label(id), tree.text(id)) else {
        return;
    };
    let is_name = text.len() <= 253
        && !text.is_empty()
        && text
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || "-._{}$ ".contains(it));
    if !NAMES.contains(&label) || !is_name {
        return;
    }
    let beside = tree
        .node(id)
        .parent
        .map(|it| tree.entries(it))
        .unwrap_or_default();
    let keys = beside.iter().take(BESIDE).filter_map(|(key, value)| {
        let key = tree.text(*key)?;
        let is_key =
            key.starts_with("existingSecret") && key.ends_with("Key") && label != "secretName";
        is_key.then(|| tree.text(*value)).flatten()
    });
    let keys: Vec<&str> = keys.filter(|it| !it.is_empty()).collect();
    let secret = SecretName::new("kubernetes", text);
    // Keys are named elsewhere too; with several, all of the Secret is used.
    let key = match keys.as_slice() {
        [one] => Some(*one),
        _ => None,
    };
    let mention = file.mention_at("helm-value", name::keyed(secret, key), id);
    emit(Mention {
        yields: chart(file.path)
            .map(|chart| SecretName::new("helm-value", &dotted(tree, id)).within(chart)),
        ..mention
    });
}

/// The folder of the chart whose own values a file holds.
fn chart(path: &str) -> Option<&str> {
    let (folder, name) = path.rsplit_once('/')?;
    name.starts_with("values").then_some(folder)
}

/// `db.existingSecret`.
fn dotted(tree: &Tree<'_>, id: NodeId) -> String {
    let mut labels = Vec::new();
    let mut at = Some(id);
    while let Some(node) = at {
        labels.extend(tree.label(node));
        at = tree.node(node).parent;
    }
    labels.reverse();
    labels.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn values_and_templates_name_secrets() {
        for (path, text, expected) in [
            (
                "charts/shop/values.yaml",
                "db:\n  existingSecret: shop-db\n  existingSecretPasswordKey: password\n",
                "2 helm-value kubernetes:shop-db#password -> helm-value:charts/shop/db.existingSecret",
            ),
            (
                "charts/shop/templates/_x.tpl",
                "{{ $s := lookup \"v1\" \"Secret\" .Release.Namespace \"shop-db\" }}",
                "1 helm-lookup kubernetes:shop-db",
            ),
            (
                "deploy.sh",
                "helm upgrade shop ./c -f secrets://prod/secrets.yaml",
                "1 helm-secrets file:prod/secrets.yaml",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
    }

    #[test]
    fn other_values_are_silent() {
        for (path, text) in [
            (
                "values.yaml",
                "existingSecret: \"\"\nsecretName:\n# existingSecret: x\n",
            ),
            ("deploy.yaml", "existingSecret: shop-db\n"),
            ("values.yaml", "secretName: what a long sentence, this is\n"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
