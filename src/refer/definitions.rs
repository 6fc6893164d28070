//! Kubernetes objects that are a Secret, in the clear or sealed, and certificates that become one.
//!
//! They make the name that workloads use; the values, if there are any, are for `detect`. A sealed one is
//! encrypted and no leak. Who uses the Secrets is read in `kubernetes`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::file::{File, extension, is_tree};
use crate::syntax::manifest::{Object, objects};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "kind: Secret",
    "kind: \"Secret\"",
    "\"kind\": \"Secret\"",
    "\"kind\":\"Secret\"",
    "SealedSecret",
    "kind: Certificate",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/sealed.yaml",
    "kind: SealedSecret\nmetadata: {name: shop-db, namespace: shop}\nspec: {encryptedData: {password: AgBx}}\n",
);

pub(super) fn applies(path: &str) -> bool {
    is_tree(path) || matches!(extension(path), "tpl" | "gotmpl" | "j2")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for object in objects(tree) {
        let (syntax, fields, title): (_, &[&[&str]], &[&str]) = match object.kind {
            "Secret" => (
                "kubernetes-secret",
                &[&["data"], &["stringData"]],
                &["metadata", "name"],
            ),
            "SealedSecret" => (
                "sealed-secret",
                &[&["spec", "encryptedData"]],
                &["spec", "template", "metadata", "name"],
            ),
            "Certificate" if object.version.starts_with("cert-manager.io/") => {
                ("cert-manager", &[], &["spec", "secretName"])
            }
            _ => continue,
        };
        let named = tree
            .at(object.node, title)
            .or(tree.at(object.node, &["metadata", "name"]));
        if let Some(named) = named {
            define(file, tree, &object, syntax, (named, fields), emit);
        }
    }
}

/// One mention for each field, or one for the whole.
fn define(
    file: &File<'_>,
    tree: &Tree<'_>,
    object: &Object<'_>,
    syntax: &'static str,
    (named, fields): (NodeId, &[&[&str]]),
    emit: &mut dyn FnMut(Mention),
) {
    let Some(text) = tree.text(named).filter(|it| !it.is_empty()) else {
        return;
    };
    let name = SecretName::new("kubernetes", text).within(object.namespace);
    let mut define = |name: SecretName, node| {
        emit(Mention {
            role: Role::Definition,
            ..file.mention_at(syntax, name, node)
        });
    };
    let maps = fields.iter().filter_map(|it| tree.at(object.node, it));
    let keys: Vec<NodeId> = maps
        .flat_map(|it| tree.entries(it))
        .map(|it| it.0)
        .collect();
    if keys.is_empty() {
        define(name.clone(), named);
    }
    for key in keys {
        if let Some(text) = tree.text(key) {
            define(name.clone().with_key(text), key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn manifests_define_each_field() {
        let text = "\
kind: Secret
metadata: {name: shop-db, namespace: shop}
stringData: {user: shop, password: placeholder}
---
kind: SealedSecret
metadata: {name: sealed}
spec:
  encryptedData: {token: AgBy}
  template: {metadata: {name: shop-api}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: web}
spec: {secretName: web-tls}
---
kind: ConfigMap
metadata: {name: c}
data: {password: x}
";
        assert_eq!(
            told(read, "a.yaml", text),
            [
                "3 kubernetes-secret kubernetes:shop/shop-db#user def",
                "3 kubernetes-secret kubernetes:shop/shop-db#password def",
                "8 sealed-secret kubernetes:shop-api#token def",
                "14 cert-manager kubernetes:web-tls def",
            ]
        );
    }

    #[test]
    fn templates_are_read_with_stars() {
        let text = "{{- if .x }}\nkind: Secret\nmetadata:\n  name: {{ .Release.Name }}-db\ndata:\n  password: {{ .p | b64enc }}\n{{- end }}\n";
        assert_eq!(
            told(read, "a.yaml", text),
            ["6 kubernetes-secret kubernetes:*-db#password def ~"]
        );
    }
}
