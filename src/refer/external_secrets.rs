//! Kubernetes objects that make Secrets out of what another system holds: External Secrets, the
//! operators of Vault and 1Password.
//!
//! The provider of an ExternalSecret is known by its store, which may stand in another file: see
//! `store`. Who uses the Secrets made here is read in `kubernetes`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::file::{File, is_tree, name};
use crate::syntax::manifest::{Object, objects};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "ExternalSecret",
    "SecretStore",
    "VaultStaticSecret",
    "VaultDynamicSecret",
    "OnePasswordItem",
    "PushSecret",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/secrets.yaml",
    "kind: ExternalSecret\nmetadata: {name: shop-db, namespace: shop}\nspec:\n  secretStoreRef: {name: vault, kind: ClusterSecretStore}\n  data:\n  - secretKey: password\n    remoteRef: {key: shop/db, property: password}\n",
);

pub(super) fn applies(path: &str) -> bool {
    is_tree(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for object in objects(tree) {
        let maker = Maker {
            file,
            tree,
            object: &object,
        };
        match object.kind {
            "ExternalSecret" => maker.external(object.node, emit),
            "ClusterExternalSecret" => {
                if let Some(spec) = tree.at(object.node, &["spec"]) {
                    maker.external_of(tree.get(spec, "externalSecretSpec"), emit);
                }
            }
            "SecretStore" | "ClusterSecretStore" => maker.store(emit),
            "PushSecret" => maker.pushed(emit),
            "VaultStaticSecret" | "VaultDynamicSecret" => maker.vault_secret(emit),
            "OnePasswordItem" => maker.onepassword_item(emit),
            _ => {}
        }
    }
}

struct Maker<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
    object: &'w Object<'w>,
}

impl Maker<'_, '_> {
    fn external(&self, object: NodeId, emit: &mut dyn FnMut(Mention)) {
        self.external_of(self.tree.get(object, "spec"), emit);
    }

    fn external_of(&self, spec: Option<NodeId>, emit: &mut dyn FnMut(Mention)) {
        let (tree, Some(spec)) = (self.tree, spec) else {
            return;
        };
        let target = tree
            .text_at(spec, &["target", "name"])
            .unwrap_or(self.object.name);
        let default = tree.get(spec, "secretStoreRef");
        let list = |field| {
            tree.get(spec, field)
                .map(|it| tree.items(it))
                .unwrap_or_default()
        };
        for item in list("data") {
            let store = tree.at(*item, &["sourceRef", "storeRef"]).or(default);
            let key = tree.text_at(*item, &["secretKey"]);
            self.remote(tree.get(*item, "remoteRef"), store, target, key, emit);
        }
        for item in list("dataFrom") {
            let store = tree.at(*item, &["sourceRef", "storeRef"]).or(default);
            self.remote(tree.get(*item, "extract"), store, target, None, emit);
            self.found(tree.get(*item, "find"), store, target, emit);
        }
    }

    fn remote(
        &self,
        remote: Option<NodeId>,
        store: Option<NodeId>,
        target: &str,
        key: Option<&str>,
        emit: &mut dyn FnMut(Mention),
    ) {
        let tree = self.tree;
        let Some(remote) = remote else { return };
        let Some(node) = tree.get(remote, "key") else {
            return;
        };
        let Some(path) = tree.text(node).filter(|it| !it.is_empty()) else {
            return;
        };
        let name = SecretName::new("external-secrets-store", path).within(&self.store_of(store));
        let name = name::keyed(name, tree.text_at(remote, &["property"]));
        let name = name::pinned(name, tree.text_at(remote, &["version"]));
        let mention = self.made(
            "external-secret",
            name,
            node,
            Some(self.secret(target, key)),
        );
        // Until its store is found the provider is open.
        emit(Mention {
            dynamic: true,
            ..mention
        });
    }

    /// `find` takes every secret whose name fits: a pattern.
    fn found(
        &self,
        find: Option<NodeId>,
        store: Option<NodeId>,
        target: &str,
        emit: &mut dyn FnMut(Mention),
    ) {
        let (tree, Some(find)) = (self.tree, find) else {
            return;
        };
        let folder = tree
            .text_at(find, &["path"])
            .unwrap_or("")
            .trim_matches('/');
        let Some(node) = tree
            .at(find, &["name", "regexp"])
            .or(tree.get(find, "path"))
        else {
            return;
        };
        let fits = tree
            .text_at(find, &["name", "regexp"])
            .map_or_else(|| "*".to_owned(), glob);
        let path = match folder {
            "" => fits,
            folder => format!("{folder}/{fits}"),
        };
        let name = SecretName::new("external-secrets-store", &path).within(&self.store_of(store));
        let yields = Some(self.secret(target, None));
        emit(self.made("external-secret-find", name, node, yields));
    }

    /// `ClusterSecretStore/vault`.
    fn store_of(&self, store: Option<NodeId>) -> String {
        let text = |field| store.and_then(|it| self.tree.text_at(it, &[field]));
        format!(
            "{}/{}",
            text("kind").unwrap_or("SecretStore"),
            text("name").unwrap_or("")
        )
    }

    /// A PushSecret copies a Secret into the store, so that it makes what lies there.
    fn pushed(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(spec) = tree.get(self.object.node, "spec") else {
            return;
        };
        let list = |field| {
            tree.get(spec, field)
                .map(|it| tree.items(it))
                .unwrap_or_default()
        };
        let store = list("secretStoreRefs").first().copied();
        for item in list("data") {
            let remote = ["match", "remoteRef"];
            let Some(node) = tree
                .at(*item, &remote)
                .and_then(|it| tree.get(it, "remoteKey"))
            else {
                continue;
            };
            let path = tree.text(node).unwrap_or("");
            let name =
                SecretName::new("external-secrets-store", path).within(&self.store_of(store));
            let property = tree
                .at(*item, &remote)
                .and_then(|it| tree.text_at(it, &["property"]));
            let name = name::keyed(name, property);
            emit(Mention {
                role: Role::Definition,
                dynamic: true,
                ..self.made("push-secret", name, node, None)
            });
        }
    }

    /// A store maps its own name to the system behind it.
    fn store(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(provider) = tree.at(self.object.node, &["spec", "provider"]) else {
            return;
        };
        for (key, value) in tree.entries(provider) {
            let text = |field| tree.text_at(*value, &[field]).unwrap_or("");
            let name = match tree.text(*key).unwrap_or("") {
                "vault" => SecretName::new("vault", text("path").trim_matches('/')),
                "aws" if text("service") == "ParameterStore" => SecretName::new("aws-ssm", ""),
                "aws" => SecretName::new("aws-secretsmanager", ""),
                "gcpsm" => SecretName::new("gcp-secretmanager", "").within(text("projectID")),
                "azurekv" => name::azure(text("vaultUrl"), "", None),
                "onepassword" | "onepasswordSDK" => {
                    SecretName::new("onepassword", "").within(self.only_vault(*value))
                }
                "doppler" => {
                    let scope = [text("project"), text("config")];
                    SecretName::new("doppler", "").within(scope.join("/").trim_matches('/'))
                }
                "infisical" => {
                    let part = |it| tree.text_at(*value, &["secretsScope", it]).unwrap_or("");
                    let scope = [part("projectSlug"), part("environmentSlug")].join("/");
                    let folder = part("secretsPath").trim_matches('/');
                    SecretName::new("infisical", folder).within(scope.trim_matches('/'))
                }
                "kubernetes" => SecretName::new("kubernetes", "").within(text("remoteNamespace")),
                "gitlab" => SecretName::new("gitlab-ci", ""),
                "akeyless" => SecretName::new("akeyless", ""),
                "conjur" => SecretName::new("conjur", ""),
                "bitwardensecretsmanager" => SecretName::new("bitwarden", ""),
                _ => continue,
            };
            let title = format!("{}/{}", self.object.kind, self.object.name);
            let yields = SecretName::new("external-secrets-store", "").within(&title);
            // It says where secrets lie, and reads none of them.
            emit(Mention {
                role: Role::Declaration,
                ..self.made("secret-store", name, *key, Some(yields))
            });
        }
    }

    /// The 1Password vault of a store, if it has but one.
    fn only_vault(&self, provider: NodeId) -> &str {
        let tree = self.tree;
        match tree.get(provider, "vaults").map(|it| tree.entries(it)) {
            Some([(vault, _)]) => tree.text(*vault).unwrap_or(""),
            _ => tree.text_at(provider, &["vault"]).unwrap_or(""),
        }
    }

    fn vault_secret(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(spec) = tree.get(self.object.node, "spec") else {
            return;
        };
        let Some(node) = tree.get(spec, "path") else {
            return;
        };
        let mount = tree.text_at(spec, &["mount"]).unwrap_or("");
        let name = name::vault_in(mount, tree.text(node).unwrap_or(""), None);
        let target = tree.text_at(spec, &["destination", "name"]);
        emit(self.made(
            "vault-secret",
            name,
            node,
            target.map(|it| self.secret(it, None)),
        ));
    }

    fn onepassword_item(&self, emit: &mut dyn FnMut(Mention)) {
        let Some(node) = self.tree.at(self.object.node, &["spec", "itemPath"]) else {
            return;
        };
        let path = self.tree.text(node).unwrap_or("");
        let Some((vault, item)) = path
            .strip_prefix("vaults/")
            .and_then(|it| it.split_once("/items/"))
        else {
            return;
        };
        let name = SecretName::new("onepassword", item).within(vault);
        emit(self.made(
            "onepassword-item",
            name,
            node,
            Some(self.secret(self.object.name, None)),
        ));
    }

    fn secret(&self, target: &str, key: Option<&str>) -> SecretName {
        name::keyed(
            SecretName::new("kubernetes", target).within(self.object.namespace),
            key,
        )
    }

    fn made(
        &self,
        syntax: &'static str,
        name: SecretName,
        node: NodeId,
        yields: Option<SecretName>,
    ) -> Mention {
        Mention {
            yields,
            consumer: self.object.title(),
            ..self.file.mention_at(syntax, name, node)
        }
    }
}

/// A name pattern for a regular expression, as far as that can be said: `^shop-.*$` is `shop-*`.
fn glob(expression: &str) -> String {
    let start = if expression.starts_with('^') { "" } else { "*" };
    let end = if expression.ends_with('$') { "" } else { "*" };
    let mut out = start.to_owned();
    for c in expression.trim_matches(['^', '$']).chars() {
        let is_plain = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '/');
        match is_plain {
            true => out.push(c),
            false if out.ends_with('*') => {}
            false => out.push('*'),
        }
    }
    if !out.ends_with('*') {
        out.push_str(end);
    }
    out
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
    fn an_external_secret_and_its_store() {
        let text = "\
apiVersion: external-secrets.io/v1
kind: ExternalSecret
metadata:
  name: shop-db
  namespace: shop
spec:
  secretStoreRef:
    kind: ClusterSecretStore
    name: vault
  target:
    name: shop-db-made
  data:
    - secretKey: password
      remoteRef:
        key: shop/db
        property: pw
        version: '4'
  dataFrom:
    - extract: {key: shop/all}
---
kind: ClusterSecretStore
metadata: {name: vault}
spec:
  provider:
    vault: {server: 'https://vault.example', path: kv, version: v2}
---
kind: SecretStore
metadata: {name: az, namespace: shop}
spec: {provider: {azurekv: {vaultUrl: 'https://ShopKV.vault.azure.net'}}}
---
kind: SealedSecret
metadata: {name: sealed}
spec: {encryptedData: {password: AgBy}}
";
        assert_eq!(
            lines(text),
            [
                "15:14 external-secret external-secrets-store:ClusterSecretStore/vault/shop/db#pw@4 -> kubernetes:shop/shop-db-made#password",
                "19:22 external-secret external-secrets-store:ClusterSecretStore/vault/shop/all -> kubernetes:shop/shop-db-made",
                "25:5 secret-store vault:kv -> external-secrets-store:ClusterSecretStore/vault/",
                "29:19 secret-store azure-keyvault:shopkv/ -> external-secrets-store:SecretStore/az/",
            ]
        );
    }

    #[test]
    fn operators_name_one_secret() {
        let text = "\
kind: VaultStaticSecret
metadata: {name: a, namespace: shop}
spec: {mount: kv, type: kv-v2, path: shop/db, destination: {name: shop-db, create: true}}
---
kind: OnePasswordItem
metadata: {name: op-db}
spec: {itemPath: vaults/Shop/items/db}
";
        assert_eq!(
            lines(text),
            [
                "3:38 vault-secret vault:kv/shop/db -> kubernetes:shop/shop-db",
                "7:18 onepassword-item onepassword:Shop/db -> kubernetes:op-db",
            ]
        );
    }
}
