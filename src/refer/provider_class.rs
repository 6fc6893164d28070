//! Classes of the secrets-store CSI driver: objects by provider, as YAML within strings.
//!
//! <https://secrets-store-csi-driver.sigs.k8s.io/concepts.html>. Azure's objects are YAML in strings once more.
//! Other objects that make Secrets are read in `external_secrets`.

use crate::model::reference::{Mention, SecretName};
use crate::refer::file::{File, is_tree, name};
use crate::syntax::manifest::{Object, objects};
use crate::syntax::yaml::{NodeId, Tree};
use std::collections::BTreeMap;

pub(super) const ANCHORS: &[&str] = &["SecretProviderClass"];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/class.yaml",
    "kind: SecretProviderClass\nmetadata: {name: shop, namespace: shop}\nspec:\n  provider: vault\n  parameters:\n    objects: |\n      - objectName: db\n        secretPath: kv/data/shop/db\n        secretKey: password\n",
);

pub(super) fn applies(path: &str) -> bool {
    is_tree(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for object in objects(tree) {
        if object.kind == "SecretProviderClass" {
            let class = Class {
                file,
                tree,
                object: &object,
            };
            class.provider_class(emit);
        }
    }
}

struct Class<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
    object: &'w Object<'w>,
}

impl Class<'_, '_> {
    fn provider_class(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(spec) = tree.get(self.object.node, "spec") else {
            return;
        };
        let provider = tree.text_at(spec, &["provider"]).unwrap_or("");
        let Some(parameters) = tree.get(spec, "parameters") else {
            return;
        };
        let synced = self.synced(spec);
        let vault = tree.text_at(parameters, &["keyvaultName"]).unwrap_or("");
        for field in ["objects", "secrets"] {
            let Some(block) = tree.get(parameters, field) else {
                continue;
            };
            let inner = Tree::read_within(self.file.text, tree.node(tree.follow(block)).span);
            let roots = inner.roots().to_vec();
            self.class_objects(&inner, &roots, (provider, vault), &synced, emit);
        }
    }

    /// Objects of a class: YAML in a string, Azure's again with YAML in strings within.
    fn class_objects(
        &self,
        tree: &Tree<'_>,
        roots: &[NodeId],
        (provider, vault): (&str, &str),
        synced: &BTreeMap<String, SecretName>,
        emit: &mut dyn FnMut(Mention),
    ) {
        let mut items: Vec<NodeId> = Vec::new();
        for root in roots {
            let array = tree.get(*root, "array").unwrap_or(*root);
            items.extend(tree.items(array));
        }
        for item in items {
            if tree.text(item).is_some() {
                let inner = Tree::read_within(self.file.text, tree.node(tree.follow(item)).span);
                for root in inner.roots() {
                    self.class_object(&inner, *root, (provider, vault), synced, emit);
                }
            } else {
                self.class_object(tree, item, (provider, vault), synced, emit);
            }
        }
    }

    fn class_object(
        &self,
        tree: &Tree<'_>,
        item: NodeId,
        (provider, vault): (&str, &str),
        synced: &BTreeMap<String, SecretName>,
        emit: &mut dyn FnMut(Mention),
    ) {
        let text = |field| tree.text_at(item, &[field]);
        let object = text("objectName").unwrap_or("");
        let (field, name) = match provider {
            "vault" | "openbao" => (
                "secretPath",
                name::vault(text("secretPath").unwrap_or(""), text("secretKey")),
            ),
            "aws" if text("objectType") == Some("ssmparameter") => {
                ("objectName", name::aws_parameter(object))
            }
            "aws" => ("objectName", name::aws_secret(object)),
            "azure" if matches!(text("objectType"), Some("secret") | None) => (
                "objectName",
                name::azure(vault, object, text("objectVersion")),
            ),
            "gcp" => (
                "resourceName",
                name::google(text("resourceName").unwrap_or(""), "", None),
            ),
            _ => return,
        };
        let Some(node) = tree.get(item, field).filter(|_| !name.path.is_empty()) else {
            return;
        };
        let alias = text("objectAlias").or(text("path")).unwrap_or("");
        let yields = synced.get(object).or_else(|| synced.get(alias)).cloned();
        let span = tree.node(tree.follow(node)).span;
        let mention = self.file.mention("secret-provider-class", name, span);
        emit(Mention {
            yields,
            consumer: self.object.title(),
            ..mention
        });
    }

    /// The Kubernetes key that each object of a class is copied to.
    fn synced(&self, spec: NodeId) -> BTreeMap<String, SecretName> {
        let tree = self.tree;
        let mut synced = BTreeMap::new();
        let list = |id, field| {
            tree.get(id, field)
                .map(|it| tree.items(it))
                .unwrap_or_default()
        };
        for secret in list(spec, "secretObjects") {
            let target = tree.text_at(*secret, &["secretName"]).unwrap_or("");
            for datum in list(*secret, "data") {
                if let Some(object) = tree.text_at(*datum, &["objectName"]) {
                    synced.insert(
                        object.to_owned(),
                        self.secret(target, tree.text_at(*datum, &["key"])),
                    );
                }
            }
        }
        synced
    }

    fn secret(&self, target: &str, key: Option<&str>) -> SecretName {
        name::keyed(
            SecretName::new("kubernetes", target).within(self.object.namespace),
            key,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new("a.yaml", text), &mut |it| {
            let yields = it.yields.map(|it| format!(" -> {it}")).unwrap_or_default();
            found.push(format!(
                "{}:{} {} {}{yields}",
                it.place.line, it.place.column, it.syntax, it.name
            ));
        });
        found
    }

    #[test]
    fn provider_classes_hold_yaml_in_strings() {
        let text = "\
kind: SecretProviderClass
metadata: {name: a, namespace: shop}
spec:
  provider: vault
  parameters:
    objects: |
      - objectName: db-pass
        secretPath: kv/data/shop/db
        secretKey: password
  secretObjects:
    - secretName: shop-db
      data: [{objectName: db-pass, key: pw}]
---
kind: SecretProviderClass
metadata: {name: b}
spec:
  provider: azure
  parameters:
    keyvaultName: ShopKV
    objects: |
      array:
        - |
          objectName: db-pass
          objectType: secret
---
kind: SecretProviderClass
metadata: {name: c}
spec:
  provider: aws
  parameters:
    objects: |
      - objectName: arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123
      - {objectName: /shop/key, objectType: ssmparameter}
---
kind: SecretProviderClass
metadata: {name: d}
spec:
  provider: gcp
  parameters:
    secrets: |
      - resourceName: projects/p/secrets/db/versions/latest
        path: db
";
        assert_eq!(
            lines(text),
            [
                "8:21 secret-provider-class vault:kv/shop/db#password -> kubernetes:shop/shop-db#pw",
                "23:23 secret-provider-class azure-keyvault:shopkv/db-pass",
                "32:21 secret-provider-class aws-secretsmanager:123456789012/eu-west-1/shop/db",
                "33:22 secret-provider-class aws-ssm:shop/key",
                "41:23 secret-provider-class gcp-secretmanager:p/db",
            ]
        );
    }
}
