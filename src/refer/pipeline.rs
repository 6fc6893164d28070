//! GitLab CI (`secrets:` of a job, CI variables) and docker compose (secrets, passed variables).
//!
//! GitHub Actions has a file of its own.

use crate::model::reference::{Mention, Role, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, file_name, name};
use crate::syntax::yaml::{NodeId, Tree};
use std::collections::BTreeSet;

pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    ".gitlab-ci.yml",
    "deploy:\n  secrets:\n    DB_PASSWORD:\n      vault: shop/db/password@kv\n  script: ./deploy\n",
);

pub(super) fn applies(path: &str) -> bool {
    is_gitlab(path) || is_compose(path)
}

fn is_gitlab(path: &str) -> bool {
    let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
    is_yaml && (file_name(path).contains(".gitlab-ci.") || path.contains(".gitlab/ci/"))
}

fn is_compose(path: &str) -> bool {
    let name = file_name(path);
    let is_yaml = name.ends_with(".yml") || name.ends_with(".yaml");
    is_yaml
        && (name.starts_with("compose.")
            || name.starts_with("docker-compose")
            || name.starts_with("compose-"))
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        if is_gitlab(file.path) {
            Gitlab { file, tree }.document(*root, emit);
        } else {
            Compose { file, tree }.document(*root, emit);
        }
    }
}

struct Gitlab<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
}

impl Gitlab<'_, '_> {
    fn document(&self, root: NodeId, emit: &mut dyn FnMut(Mention)) {
        let defined = self.defined(root);
        for (job, body) in self.tree.entries(root) {
            let consumer = format!("{}#{}", self.file.path, self.tree.text(*job).unwrap_or(""));
            if let Some(secrets) = self.tree.get(*body, "secrets") {
                for (variable, source) in self.tree.entries(secrets) {
                    let variable = self.tree.text(*variable).unwrap_or("");
                    self.secret(variable, *source, &consumer, emit);
                }
            }
            if self.tree.label(*body) != Some("variables") {
                self.variables(*body, &consumer, &defined, emit);
            }
        }
    }

    /// Names that the file gives a value itself, so that they are not set in the project's settings.
    fn defined(&self, root: NodeId) -> BTreeSet<&str> {
        let tree = self.tree;
        let is_defining =
            |id: &NodeId| matches!(tree.label(*id), Some("variables" | "secrets" | "id_tokens"));
        tree.walk(root)
            .filter(is_defining)
            .flat_map(|id| tree.entries(id))
            .filter_map(|(key, _)| tree.text(*key))
            .collect()
    }

    fn secret(
        &self,
        variable: &str,
        source: NodeId,
        consumer: &str,
        emit: &mut dyn FnMut(Mention),
    ) {
        let tree = self.tree;
        for (provider, value) in tree.entries(source) {
            let text = |path: &[&str]| tree.text_at(*value, path);
            let node = ["path", "name", "secret_id"]
                .iter()
                .find_map(|it| tree.get(*value, it))
                .unwrap_or(*value);
            let id = tree.text(node).unwrap_or("");
            let name = match tree.text(*provider).unwrap_or("") {
                "vault" if node == *value => vault_short(id),
                "vault" => {
                    let mount = text(&["engine", "path"]).unwrap_or("kv-v2");
                    name::vault_in(mount, id, text(&["field"]))
                }
                "gcp_secret_manager" => name::google(id, "", text(&["version"])),
                "azure_key_vault" => name::azure("", id, text(&["version"])),
                "aws_secrets_manager" => {
                    let (id, key) = id
                        .split_once('#')
                        .map_or((id, None), |(id, key)| (id, Some(key)));
                    name::keyed(name::aws_secret(id), key.or(text(&["field"])))
                }
                _ => continue,
            };
            if name.path.is_empty() {
                continue;
            }
            let yields = Some(name::env(variable, consumer));
            let consumer = Some(consumer.to_owned());
            emit(Mention {
                yields,
                consumer,
                ..self.file.mention_at("gitlab-secret", name, node)
            });
        }
    }

    fn variables(
        &self,
        body: NodeId,
        consumer: &str,
        defined: &BTreeSet<&str>,
        emit: &mut dyn FnMut(Mention),
    ) {
        for id in self.tree.walk(body) {
            let span = self.tree.node(id).span;
            if self.tree.follow(id) != id || self.tree.text(id).is_none() {
                continue;
            }
            self.file.each_variable(span, &mut |variable, span| {
                let is_own = defined.contains(variable)
                    || variable.starts_with("CI_")
                    || variable.starts_with("GITLAB_USER");
                if is_own || !name::looks_secret(variable) {
                    return;
                }
                let yields = Some(name::env(variable, consumer));
                let mention = self.file.mention(
                    "gitlab-variable",
                    SecretName::new("gitlab-ci", variable),
                    span,
                );
                emit(Mention {
                    yields,
                    consumer: Some(consumer.to_owned()),
                    ..mention
                });
            });
        }
    }
}

/// `path/field@mount`; without a mount GitLab takes `kv-v2`.
fn vault_short(text: &str) -> SecretName {
    let (path, mount) = text.rsplit_once('@').unwrap_or((text, "kv-v2"));
    match path.rsplit_once('/') {
        Some((path, field)) => name::vault_in(mount, path, Some(field)),
        None => name::vault_in(mount, path, None),
    }
}

struct Compose<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
}

impl Compose<'_, '_> {
    fn document(&self, root: NodeId, emit: &mut dyn FnMut(Mention)) {
        let entries = |field| {
            self.tree
                .get(root, field)
                .map(|it| self.tree.entries(it))
                .unwrap_or_default()
        };
        for (secret, source) in entries("secrets") {
            let title = self.tree.text(*secret).unwrap_or("");
            self.definition(title, *source, emit);
            self.external((title, *secret), *source, emit);
        }
        for (service, body) in entries("services") {
            let service = self.tree.text(*service).unwrap_or("");
            self.secrets(service, *body, emit);
            self.environment(service, *body, emit);
            self.env_files(service, *body, emit);
        }
    }

    /// A top-level secret is made from a file or a variable.
    fn definition(&self, secret: &str, source: NodeId, emit: &mut dyn FnMut(Mention)) {
        for (field, provider) in [("file", "file"), ("environment", "env")] {
            let Some(node) = self.tree.get(source, field) else {
                continue;
            };
            let text = self.tree.text(node).unwrap_or("");
            let name = SecretName::new(provider, text.trim_start_matches("./"));
            if !name.path.is_empty() {
                let yields = Some(SecretName::new("compose", secret));
                emit(Mention {
                    yields,
                    ..self.file.mention_at("compose-secret", name, node)
                });
            }
        }
    }

    /// `external: true`: made elsewhere, under this name.
    fn external(&self, secret: (&str, NodeId), source: NodeId, emit: &mut dyn FnMut(Mention)) {
        if self.tree.text_at(source, &["external"]) == Some("true") {
            let (name, node) = match self.tree.get(source, "name") {
                Some(node) => (self.tree.text(node).unwrap_or(secret.0), node),
                None => secret,
            };
            emit(Mention {
                role: Role::Declaration,
                ..self
                    .file
                    .mention_at("compose-secret", SecretName::new("compose", name), node)
            });
        }
    }

    /// Files of variables: all of each.
    fn env_files(&self, service: &str, body: NodeId, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(list) = tree.get(body, "env_file") else {
            return;
        };
        for item in tree
            .items(list)
            .iter()
            .copied()
            .chain(std::iter::once(list))
        {
            let node = tree.get(item, "path").unwrap_or(item);
            if let Some(text) = tree.text(node).filter(|it| !it.is_empty()) {
                let name = SecretName::new("file", text.trim_start_matches("./"));
                emit(Mention {
                    yields: Some(name::env("*", service)),
                    consumer: Some(service.to_owned()),
                    ..self.file.mention_at("compose-env-file", name, node)
                });
            }
        }
    }

    fn secrets(&self, service: &str, body: NodeId, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let list = tree
            .get(body, "secrets")
            .map(|it| tree.items(it))
            .unwrap_or_default();
        for item in list {
            let node = tree.get(*item, "source").unwrap_or(*item);
            let Some(secret) = tree.text(node).filter(|it| !it.is_empty()) else {
                continue;
            };
            let mention =
                self.file
                    .mention_at("compose-secret", SecretName::new("compose", secret), node);
            emit(Mention {
                consumer: Some(service.to_owned()),
                ..mention
            });
        }
    }

    fn environment(&self, service: &str, body: NodeId, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(node) = tree.get(body, "environment") else {
            return;
        };
        for (key, value) in tree.entries(node) {
            let (key_span, span) = (
                tree.node(tree.follow(*key)).span,
                tree.node(tree.follow(*value)).span,
            );
            self.variable(
                service,
                tree.text(*key).unwrap_or(""),
                (key_span, span),
                emit,
            );
        }
        for item in tree.items(node) {
            let (text, span) = (
                tree.text(*item).unwrap_or(""),
                tree.node(tree.follow(*item)).span,
            );
            let (variable, rest) = text.split_once('=').unwrap_or((text, ""));
            let middle = (span.start + variable.len()).min(span.end);
            let start = if rest.is_empty() { span.end } else { middle };
            self.variable(
                service,
                variable,
                (Span::new(span.start, middle), Span::new(start, span.end)),
                emit,
            );
        }
    }

    /// A variable with a value expands others; without one it is passed on under its own name.
    fn variable(
        &self,
        service: &str,
        variable: &str,
        (key, value): (Span, Span),
        emit: &mut dyn FnMut(Mention),
    ) {
        let mut pass = |from: &str, span| {
            if name::looks_secret(from) || name::looks_secret(variable) {
                let yields = Some(name::env(variable, service));
                let mention = self
                    .file
                    .mention("compose-environment", name::env(from, ""), span);
                emit(Mention {
                    yields,
                    consumer: Some(service.to_owned()),
                    ..mention
                });
            }
        };
        if value.is_empty() {
            pass(variable, key);
        } else {
            self.file.each_variable(value, &mut pass);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new(path, text), &mut |it| {
            let yields = it.yields.map(|it| format!(" -> {it}")).unwrap_or_default();
            found.push(format!(
                "{}:{} {}{yields}",
                it.place.line, it.place.column, it.name
            ));
        });
        found
    }

    #[test]
    fn gitlab_jobs_name_their_secrets() {
        let text = "\
variables:
  OWN_TOKEN: x
deploy:
  secrets:
    DB_PASSWORD:
      vault: shop/db/password@kv
    API_KEY:
      vault: {engine: {name: kv-v2, path: kv}, path: shop/api, field: key}
    G: {gcp_secret_manager: {name: g-pass, version: 2}}
    Z: {azure_key_vault: {name: Z-Pass}}
  script:
    - echo $DB_PASSWORD $OWN_TOKEN $CI_JOB_TOKEN $HOME
    - |
      # $OLD_TOKEN
      curl -H \"$$NO_TOKEN ${NPM_TOKEN}\"
";
        let job = ".gitlab-ci.yml#deploy";
        assert_eq!(
            lines(".gitlab-ci.yml", text),
            [
                format!("6:14 vault:kv/shop/db#password -> env:{job}/DB_PASSWORD"),
                format!("8:54 vault:kv/shop/api#key -> env:{job}/API_KEY"),
                format!("9:36 gcp-secretmanager:g-pass@2 -> env:{job}/G"),
                format!("10:33 azure-keyvault:z-pass -> env:{job}/Z"),
                format!("15:29 gitlab-ci:NPM_TOKEN -> env:{job}/NPM_TOKEN"),
            ]
        );
    }

    #[test]
    fn compose_services_take_secrets_and_variables() {
        let text = "\
services:
  api:
    secrets: [db, {source: key, target: k}]
    environment:
      DB_PASSWORD: ${SHOP_DB_PASSWORD:?}
      API_KEY:
      DEBUG: ${DEBUG}
  job:
    environment:
      - DB_PASSWORD
      - URL=postgres://u:${DB_PASS}@db
      - MODE=prod
secrets:
  db: {file: ./db.txt}
  key: {environment: SHOP_KEY}
  out: {external: true}
";
        assert_eq!(
            lines("compose.yaml", text),
            [
                "14:14 file:db.txt -> compose:db",
                "15:22 env:SHOP_KEY -> compose:key",
                "16:3 compose:out",
                "3:15 compose:db",
                "3:28 compose:key",
                "5:22 env:SHOP_DB_PASSWORD -> env:api/DB_PASSWORD",
                "6:7 env:API_KEY -> env:api/API_KEY",
                "10:9 env:DB_PASSWORD -> env:job/DB_PASSWORD",
                "11:28 env:DB_PASS -> env:job/URL",
            ]
        );
    }
}
