//! Objects of operators that copy secrets into Kubernetes: Infisical, Doppler, Bitwarden, Vault's PKI; and
//! annotations: Vault's injector, Argo CD's vault plugin.
//!
//! Annotations: <https://developer.hashicorp.com/vault/docs/platform/k8s/injector/annotations>,
//! <https://argocd-vault-plugin.readthedocs.io/en/stable/howitworks/>. External Secrets and the CSI driver
//! are read in `external_secrets`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::file::{File, Pattern, extension, group, is_tree, name};
use crate::syntax::manifest::{Object, objects};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "InfisicalSecret",
    "DopplerSecret",
    "BitwardenSecret",
    "VaultPKISecret",
    "agent-inject-secret-",
    "vault.hashicorp.com/role",
    "avp.kubernetes.io/path",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/infisical.yaml",
    "kind: DopplerSecret\nmetadata: {name: shop}\nspec:\n  project: shop\n  config: prd\n  managedSecret: {name: shop-env}\n",
);

static PLACEHOLDER: Pattern = Pattern::new(r"^<([A-Za-z0-9_.-]{1,128})(?:\s*\|[^>]*)?>$");
static INJECTED: Pattern = Pattern::new(
    r#"vault\.hashicorp\.com/agent-inject-secret-([A-Za-z0-9_.-]{1,128})["']?\s*:\s*["']?(?P<id>[^\s"']{1,256})"#,
);

pub(super) fn applies(path: &str) -> bool {
    is_tree(path) || matches!(extension(path), "tpl" | "gotmpl" | "j2")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for object in objects(tree) {
        let operator = Operator {
            file,
            tree,
            object: &object,
        };
        match object.kind {
            "InfisicalSecret" => operator.infisical(emit),
            "DopplerSecret" => operator.doppler(emit),
            "BitwardenSecret" => operator.bitwarden(emit),
            "VaultPKISecret" => operator.pki(emit),
            _ => operator.annotations(emit),
        }
    }
    if tree.fault.is_some() {
        by_line(file, tree.read_to, emit);
    }
}

/// What stands behind the point where the text is no YAML any more.
fn by_line(file: &File<'_>, from: usize, emit: &mut dyn FnMut(Mention)) {
    file.each(&INJECTED, |captures| {
        let (Some((suffix, _)), Some(path)) = (group(captures, 1), captures.name("id")) else {
            return;
        };
        if path.start() >= from {
            let span = crate::model::span::Span::new(path.start(), path.end());
            let mention = file.mention("vault-injector", name::vault(path.as_str(), None), span);
            emit(Mention {
                yields: Some(injected(suffix)),
                ..mention
            });
        }
    });
}

/// The file that the injector writes.
fn injected(suffix: &str) -> SecretName {
    SecretName::new("file", &format!("/vault/secrets/{suffix}"))
}

struct Operator<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
    object: &'w Object<'w>,
}

impl Operator<'_, '_> {
    fn spec(&self, path: &[&str]) -> Option<NodeId> {
        let spec = self.tree.get(self.object.node, "spec")?;
        self.tree.at(spec, path)
    }

    fn text(&self, path: &[&str]) -> Option<&str> {
        self.tree.text(self.spec(path)?).filter(|it| !it.is_empty())
    }

    fn kubernetes(&self, target: &str, namespace: Option<&str>) -> SecretName {
        SecretName::new("kubernetes", target).within(namespace.unwrap_or(self.object.namespace))
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

    /// All secrets of a folder become one Secret.
    fn infisical(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(authentication) = self.spec(&["authentication"]) else {
            return;
        };
        let targets = ["managedKubeSecretReferences", "managedSecretReference"];
        let target = targets.iter().find_map(|it| {
            let found = self.spec(&[it])?;
            Some(tree.items(found).first().copied().unwrap_or(found))
        });
        let yields = target.and_then(|it| {
            let name = tree.text_at(it, &["secretName"])?;
            Some(self.kubernetes(name, tree.text_at(it, &["secretNamespace"])))
        });
        for (_, method) in tree.entries(authentication) {
            let Some(scope) = tree.get(*method, "secretsScope") else {
                continue;
            };
            let text = |field| tree.text_at(scope, &[field]).unwrap_or("");
            let Some(node) = tree
                .get(scope, "secretsPath")
                .or(tree.get(scope, "envSlug"))
            else {
                continue;
            };
            let project = [text("projectSlug"), text("envSlug")].join("/");
            let path = format!("{}/*", text("secretsPath").trim_matches('/'));
            let name = SecretName::new("infisical", path.trim_start_matches('/'));
            let name = name.within(project.trim_matches('/'));
            emit(self.made("infisical-secret", name, node, yields.clone()));
        }
    }

    /// A config as a whole, or the listed names of it.
    fn doppler(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(managed) = self.spec(&["managedSecret"]) else {
            return;
        };
        let (Some(node), Some(target)) =
            (tree.get(managed, "name"), tree.text_at(managed, &["name"]))
        else {
            return;
        };
        let yields = self.kubernetes(target, tree.text_at(managed, &["namespace"]));
        let project = self.text(&["project"]).unwrap_or("");
        let scope = format!("{project}/{}", self.text(&["config"]).unwrap_or(""));
        let scope = scope.trim_matches('/');
        let items = self
            .spec(&["secrets"])
            .map(|it| tree.items(it))
            .unwrap_or_default();
        if items.is_empty() {
            let node = self.spec(&["config"]).unwrap_or(node);
            let name = SecretName::new("doppler", "*").within(scope);
            emit(self.made("doppler-secret", name, node, Some(yields.clone())));
        }
        for item in items {
            if let Some(text) = tree.text(*item) {
                let name = SecretName::new("doppler", text).within(scope);
                let yields = yields.clone().with_key(text);
                emit(self.made("doppler-secret", name, *item, Some(yields)));
            }
        }
    }

    fn bitwarden(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let target = self.text(&["secretName"]).unwrap_or("");
        let items = self
            .spec(&["map"])
            .map(|it| tree.items(it))
            .unwrap_or_default();
        for item in items {
            let (Some(node), Some(id)) = (
                tree.get(*item, "bwSecretId"),
                tree.text_at(*item, &["bwSecretId"]),
            ) else {
                continue;
            };
            let yields = name::keyed(
                self.kubernetes(target, None),
                tree.text_at(*item, &["secretKeyName"]),
            );
            let name = SecretName::new("bitwarden", id);
            emit(self.made("bitwarden-secret", name, node, Some(yields)));
        }
    }

    /// A certificate that Vault issues for a role.
    fn pki(&self, emit: &mut dyn FnMut(Mention)) {
        let (Some(mount), Some(role), Some(node)) = (
            self.text(&["mount"]),
            self.text(&["role"]),
            self.spec(&["role"]),
        ) else {
            return;
        };
        let name = name::vault(&format!("{mount}/issue/{role}"), None);
        let target = self.text(&["destination", "name"]);
        let yields = target.map(|it| self.kubernetes(it, None));
        emit(self.made("vault-secret", name, node, yields));
    }

    /// Annotations of any object, also those of the pods in it.
    fn annotations(&self, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let mut argo = None;
        for id in tree.walk(self.object.node) {
            let (Some(label), Some(text)) = (tree.label(id), tree.text(id)) else {
                continue;
            };
            if text.is_empty() {
                continue;
            }
            if let Some(suffix) = label.strip_prefix("vault.hashicorp.com/agent-inject-secret-") {
                let yields = Some(injected(suffix));
                emit(self.made("vault-injector", name::vault(text, None), id, yields));
            } else if label == "vault.hashicorp.com/role" {
                let name = SecretName::new("vault", &format!("auth/kubernetes/role/{text}"));
                emit(Mention {
                    role: Role::Declaration,
                    ..self.made("vault-injector-role", name, id, None)
                });
            } else if label == "avp.kubernetes.io/path" {
                argo = argo.or(Some(text));
            }
        }
        if let Some(path) = argo {
            self.argo(path, emit);
        }
    }

    /// `<password>` in an object whose annotation tells the path.
    fn argo(&self, path: &str, emit: &mut dyn FnMut(Mention)) {
        let (tree, Some(regex)) = (self.tree, PLACEHOLDER.regex()) else {
            return;
        };
        for id in tree.walk(self.object.node) {
            let found = tree.text(id).and_then(|it| regex.captures(it));
            let Some((key, _)) = found.as_ref().and_then(|it| group(it, 1)) else {
                continue;
            };
            let yields = tree.label(id).filter(|_| self.object.kind == "Secret");
            let yields = yields.map(|it| self.kubernetes(self.object.name, None).with_key(it));
            emit(self.made("argo-vault-path", name::vault(path, Some(key)), id, yields));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn operators_copy_into_secrets() {
        for (text, expected) in [
            (
                "kind: InfisicalSecret\nmetadata: {name: i, namespace: shop}\nspec:\n  authentication:\n    universalAuth:\n      secretsScope: {projectSlug: shop, envSlug: prod, secretsPath: /db}\n  managedSecretReference: {secretName: shop-db, secretNamespace: web}\n",
                &[
                    "6 infisical-secret infisical:shop/prod/db/* -> kubernetes:web/shop-db by InfisicalSecret/i ~",
                ][..],
            ),
            (
                "kind: DopplerSecret\nmetadata: {name: d}\nspec: {secrets: [API_KEY], managedSecret: {name: s}}\n",
                &["3 doppler-secret doppler:API_KEY -> kubernetes:s#API_KEY by DopplerSecret/d"],
            ),
            (
                "kind: BitwardenSecret\nmetadata: {name: b}\nspec:\n  secretName: s\n  map: [{bwSecretId: id-of-secret, secretKeyName: token}]\n",
                &[
                    "5 bitwarden-secret bitwarden:id-of-secret -> kubernetes:s#token by BitwardenSecret/b",
                ],
            ),
            (
                "kind: VaultPKISecret\nmetadata: {name: p}\nspec: {mount: pki, role: web, destination: {name: web-tls}}\n",
                &["3 vault-secret vault:pki/issue/web -> kubernetes:web-tls by VaultPKISecret/p"],
            ),
        ] {
            assert_eq!(told(read, "a.yaml", text), expected, "{text}");
        }
    }

    #[test]
    fn annotations_name_paths() {
        let text = "\
kind: Deployment
metadata: {name: api}
spec:
  template:
    metadata:
      annotations:
        vault.hashicorp.com/role: shop
        vault.hashicorp.com/agent-inject-secret-db: kv/data/shop/db
---
kind: Secret
metadata: {name: s, annotations: {avp.kubernetes.io/path: kv/data/shop/api}}
stringData: {key: <token>, mail: someone <a@b.example>}
";
        assert_eq!(
            told(read, "a.yaml", text),
            [
                "7 vault-injector-role vault:auth/kubernetes/role/shop by Deployment/api decl",
                "8 vault-injector vault:kv/shop/db -> file:/vault/secrets/db by Deployment/api",
                "12 argo-vault-path vault:kv/shop/api#token -> kubernetes:s#key by Secret/s",
            ]
        );
        let broken = "a: [\nvault.hashicorp.com/agent-inject-secret-db: \"kv/data/shop/db\"\n# vault.hashicorp.com/agent-inject-secret-x: kv/x\n";
        assert_eq!(
            told(read, "a.yaml", broken),
            ["2 vault-injector vault:kv/shop/db -> file:/vault/secrets/db"]
        );
    }
}
