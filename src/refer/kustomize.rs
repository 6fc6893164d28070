//! Kustomize: generators that make Secrets out of files and variables.
//!
//! The name gets a hash that kustomize also writes into whatever uses it, so that the plain name joins:
//! <https://kubernetes.io/docs/tasks/configmap-secret/managing-secret-using-kustomize/>.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::file::{File, file_name};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &["secretGenerator"];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/kustomization.yaml",
    "secretGenerator:\n- name: shop-db\n  envs: [db.env]\n",
);

pub(super) fn applies(path: &str) -> bool {
    matches!(
        file_name(path),
        "kustomization.yaml" | "kustomization.yml" | "Kustomization"
    )
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        let space = tree.text_at(*root, &["namespace"]).unwrap_or("");
        let list = tree.get(*root, "secretGenerator");
        for item in list.map(|it| tree.items(it)).unwrap_or_default() {
            generator(file, tree, *item, space, emit);
        }
    }
}

fn generator(
    file: &File<'_>,
    tree: &Tree<'_>,
    item: NodeId,
    space: &str,
    emit: &mut dyn FnMut(Mention),
) {
    let (Some(node), Some(title)) = (tree.get(item, "name"), tree.text_at(item, &["name"])) else {
        return;
    };
    let space = tree.text_at(item, &["namespace"]).unwrap_or(space);
    let secret = SecretName::new("kubernetes", title).within(space);
    emit(Mention {
        role: Role::Definition,
        ..file.mention_at("kustomize-generator", secret.clone(), node)
    });
    let folder = file.path.rsplit_once('/').map_or("", |it| it.0);
    let mut source = |text: &str, node, yields| {
        let path = joined(folder, text);
        let mention = file.mention_at("kustomize-source", SecretName::new("file", &path), node);
        emit(Mention {
            yields: Some(yields),
            ..mention
        });
    };
    for field in ["envs", "env"] {
        let Some(found) = tree.get(item, field) else {
            continue;
        };
        for node in tree
            .items(found)
            .iter()
            .copied()
            .chain(std::iter::once(found))
        {
            if let Some(text) = tree.text(node) {
                source(text, node, secret.clone());
            }
        }
    }
    for node in tree
        .get(item, "files")
        .map(|it| tree.items(it))
        .unwrap_or_default()
    {
        if let Some(text) = tree.text(*node) {
            // `key=path`, or a path whose last part is the key.
            let (key, path) = text.split_once('=').unwrap_or((file_name(text), text));
            source(path, *node, secret.clone().with_key(key));
        }
    }
}

/// A path from the root of the repository.
fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|it| !it.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn generators_make_secrets_of_files() {
        let text = "\
namespace: shop
secretGenerator:
- name: shop-db
  envs: [../db.env]
- name: shop-tls
  files: [tls.key=certs/web.key, ca.crt]
  literals: [a=b]
configMapGenerator:
- name: c
  envs: [c.env]
";
        assert_eq!(
            told(read, "deploy/prod/kustomization.yaml", text),
            [
                "3 kustomize-generator kubernetes:shop/shop-db def",
                "4 kustomize-source file:deploy/db.env -> kubernetes:shop/shop-db",
                "5 kustomize-generator kubernetes:shop/shop-tls def",
                "6 kustomize-source file:deploy/prod/certs/web.key -> kubernetes:shop/shop-tls#tls.key",
                "6 kustomize-source file:deploy/prod/ca.crt -> kubernetes:shop/shop-tls#ca.crt",
            ]
        );
        assert!(!applies("deploy/secretGenerator.yaml"));
    }
}
