//! Kubernetes manifests: workloads and other objects that name Secrets.
//!
//! The walk is by key names at any depth, so custom resources that embed a pod are read too. Objects
//! that *make* Secrets are read in `external_secrets`. Templates that are no YAML are read with stars for what is filled in, or else by line.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, extension, is_tree, name};
use crate::syntax::manifest::{Object, objects};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "secretKeyRef",
    "secretRef",
    "secretName",
    "imagePullSecrets",
    "projected:",
    "ServiceAccount",
    "certificateRefs",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/shop.yaml",
    "kind: Deployment\nmetadata: {name: shop-api, namespace: shop}\nspec:\n  template:\n    spec:\n      containers:\n      - name: api\n        env:\n        - name: DB_PASSWORD\n          valueFrom:\n            secretKeyRef: {name: shop-db, key: password}\n",
);

/// Kinds that make or define Secrets rather than use them.
const MAKERS: &[&str] = &[
    "Secret",
    "SealedSecret",
    "ExternalSecret",
    "ClusterExternalSecret",
    "PushSecret",
    "SecretProviderClass",
    "Certificate",
    "CustomResourceDefinition",
    "VaultStaticSecret",
    "VaultDynamicSecret",
    "VaultPKISecret",
    "OnePasswordItem",
];

pub(super) fn applies(path: &str) -> bool {
    is_tree(path) || matches!(extension(path), "tpl" | "gotmpl" | "j2")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for object in objects(tree) {
        if !MAKERS.contains(&object.kind) {
            Walk {
                file,
                tree,
                consumer: object.title(),
                object: &object,
            }
            .run(emit);
        }
    }
    if tree.fault.is_some() {
        by_line(file, tree.read_to, emit);
    }
}

struct Walk<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
    object: &'w Object<'w>,
    consumer: Option<String>,
}

impl Walk<'_, '_> {
    fn run(&self, emit: &mut dyn FnMut(Mention)) {
        for id in self.tree.walk(self.object.node) {
            // An alias is read where it points to.
            if self.tree.follow(id) != id {
                continue;
            }
            for (key, value) in self.tree.entries(id) {
                self.entry(id, self.tree.text(*key).unwrap_or(""), *value, emit);
            }
        }
        if self.object.kind == "ServiceAccount"
            && let Some(secrets) = self.tree.get(self.object.node, "secrets")
        {
            self.list(secrets, "name", "service-account-secret", emit);
        }
    }

    fn entry(&self, id: NodeId, key: &str, value: NodeId, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        match key {
            "valueFrom" => {
                if let Some(reference) = tree.get(value, "secretKeyRef") {
                    self.key_ref(reference, tree.text_at(id, &["name"]), emit);
                }
            }
            "secretKeyRef" if tree.label(id) != Some("valueFrom") => {
                self.key_ref(value, None, emit)
            }
            "envFrom" => self.env_from(value, emit),
            "secretRef" if !self.is_in_list(id, "envFrom") => {
                self.one(tree.get(value, "name"), None, "secret-ref", emit)
            }
            "secret" => self.volume(value, "secretName", emit),
            "projected" => {
                let sources = tree
                    .get(value, "sources")
                    .map(|it| tree.items(it))
                    .unwrap_or_default();
                for source in sources {
                    if let Some(secret) = tree.get(*source, "secret") {
                        self.volume(secret, "name", emit);
                    }
                }
            }
            "imagePullSecrets" => self.list(value, "name", "image-pull-secret", emit),
            "certificateRefs" => self.list(value, "name", "gateway-certificate", emit),
            "tls" => self.list(value, "secretName", "ingress-tls", emit),
            _ => {}
        }
    }

    fn is_in_list(&self, id: NodeId, label: &str) -> bool {
        self.tree
            .node(id)
            .parent
            .is_some_and(|it| self.tree.label(it) == Some(label))
    }

    fn key_ref(&self, reference: NodeId, variable: Option<&str>, emit: &mut dyn FnMut(Mention)) {
        let (tree, Some(node)) = (self.tree, self.tree.get(reference, "name")) else {
            return;
        };
        let Some(secret) = tree.text(node).filter(|it| !it.is_empty()) else {
            return;
        };
        let key = tree.text_at(reference, &["key"]);
        let name = if self.is_cloud_run() {
            name::google(secret, "", key)
        } else {
            name::keyed(self.name(secret, node), key)
        };
        let yields = variable.map(|it| name::env(it, self.scope()));
        emit(Mention {
            yields,
            consumer: self.consumer.clone(),
            ..self.file.mention_at("secret-key-ref", name, node)
        });
    }

    /// On Cloud Run a `secretKeyRef` names a secret of Secret Manager, and its key is a version.
    fn is_cloud_run(&self) -> bool {
        self.object.version.starts_with("serving.knative.dev/")
            && memchr::memmem::find(self.file.text.as_bytes(), b"run.googleapis.com").is_some()
    }

    fn env_from(&self, list: NodeId, emit: &mut dyn FnMut(Mention)) {
        for item in self.tree.items(list) {
            let prefix = self.tree.text_at(*item, &["prefix"]).unwrap_or("");
            let yields = name::env(&format!("{prefix}*"), self.scope());
            self.one(
                self.tree.at(*item, &["secretRef", "name"]),
                Some(yields),
                "env-from",
                emit,
            );
        }
    }

    fn volume(&self, secret: NodeId, field: &str, emit: &mut dyn FnMut(Mention)) {
        let tree = self.tree;
        let Some(node) = tree.get(secret, field) else {
            return;
        };
        let items = tree
            .get(secret, "items")
            .map(|it| tree.items(it))
            .unwrap_or_default();
        if items.is_empty() {
            self.one(Some(node), None, "secret-volume", emit);
        }
        for item in items {
            let (Some(text), Some(key)) = (tree.text(node), tree.get(*item, "key")) else {
                continue;
            };
            let Some(key_text) = tree.text(key) else {
                continue;
            };
            let mention = self.file.mention_at(
                "secret-volume",
                self.name(text, node).with_key(key_text),
                key,
            );
            emit(Mention {
                consumer: self.consumer.clone(),
                ..mention
            });
        }
    }

    fn list(&self, list: NodeId, field: &str, syntax: &'static str, emit: &mut dyn FnMut(Mention)) {
        for item in self.tree.items(list) {
            self.one(self.tree.get(*item, field), None, syntax, emit);
        }
    }

    fn one(
        &self,
        node: Option<NodeId>,
        yields: Option<SecretName>,
        syntax: &'static str,
        emit: &mut dyn FnMut(Mention),
    ) {
        let Some(node) = node else { return };
        let Some(secret) = self.tree.text(node).filter(|it| !it.is_empty()) else {
            return;
        };
        emit(Mention {
            yields,
            consumer: self.consumer.clone(),
            ..self.file.mention_at(syntax, self.name(secret, node), node)
        });
    }

    /// In a chart, `{{ .Values.db.secret }}` is what the chart's values say.
    fn name(&self, secret: &str, node: NodeId) -> SecretName {
        if secret.contains("$$")
            && let Some(value) = name::helm_value(self.file.path, self.file.written(node))
        {
            return value;
        }
        SecretName::new("kubernetes", secret).within(self.object.namespace)
    }

    fn scope(&self) -> &str {
        self.consumer.as_deref().unwrap_or("")
    }
}

/// What a line scan knows of the document it is in.
#[derive(Default)]
struct Document<'a> {
    kind: &'a str,
    name: &'a str,
    in_metadata: bool,
    variable: Option<(usize, &'a str)>,
}

/// Reads `secretKeyRef`, `secretRef` and `secretName` of a text that is not YAML, from `start` on.
fn by_line(file: &File<'_>, start: usize, emit: &mut dyn FnMut(Mention)) {
    let mut document = Document::default();
    let mut block: Option<Block<'_>> = None;
    let mut at = start;
    for line in file.text.get(start..).unwrap_or("").split_inclusive('\n') {
        let entry = Entry::read(line, at);
        at += line.len();
        let Some(entry) = entry else { continue };
        if block.as_ref().is_some_and(|it| entry.column <= it.column) {
            block
                .take()
                .into_iter()
                .for_each(|it| it.close(file, &document, emit));
        }
        match (&mut block, entry.key) {
            (Some(block), "name") => block.name = Some((entry.value, entry.span)),
            (Some(block), "key") => block.key = Some(entry.value),
            (_, "secretKeyRef" | "secretRef") => {
                let variable = document
                    .variable
                    .filter(|it| it.0 < entry.column)
                    .map(|it| it.1);
                let is_key = entry.key == "secretKeyRef";
                block = Some(Block {
                    column: entry.column,
                    is_key,
                    variable,
                    name: None,
                    key: None,
                });
            }
            (_, "secretName") if !entry.value.is_empty() => {
                let name = SecretName::new("kubernetes", entry.value);
                emit(Mention {
                    consumer: document.title(),
                    ..file.mention("secret-volume", name, entry.span)
                });
            }
            _ => document.take(&entry),
        }
    }
    block
        .into_iter()
        .for_each(|it| it.close(file, &document, emit));
}

struct Entry<'a> {
    column: usize,
    is_item: bool,
    key: &'a str,
    value: &'a str,
    span: Span,
}

impl<'a> Entry<'a> {
    /// `key: value` of a line, a list's hyphen taken off.
    fn read(line: &'a str, at: usize) -> Option<Self> {
        let body = line.trim_start_matches(' ');
        let item = body.strip_prefix("- ").map(|it| it.trim_start_matches(' '));
        let rest = item.unwrap_or(body);
        let (key, value) = rest.split_once(':')?;
        if key.starts_with(['#', '{']) || key.contains(' ') {
            return None;
        }
        let value = value.trim_end();
        let bare = value.trim_start().trim_start_matches(['"', '\'']);
        let start = at + (line.len() - rest.len()) + key.len() + 1 + (value.len() - bare.len());
        let bare = bare.trim_end_matches(['"', '\'']);
        Some(Self {
            column: line.len() - rest.len(),
            is_item: item.is_some(),
            key,
            value: bare,
            span: Span::new(start, start + bare.len()),
        })
    }
}

struct Block<'a> {
    column: usize,
    is_key: bool,
    variable: Option<&'a str>,
    name: Option<(&'a str, Span)>,
    key: Option<&'a str>,
}

impl Block<'_> {
    fn close(self, file: &File<'_>, document: &Document<'_>, emit: &mut dyn FnMut(Mention)) {
        let Some((secret, span)) = self.name.filter(|it| !it.0.is_empty()) else {
            return;
        };
        let consumer = document.title();
        let scope = consumer.as_deref().unwrap_or("");
        let (syntax, variable) = match self.is_key {
            true => ("secret-key-ref", self.variable),
            false => ("env-from", Some("*")),
        };
        let name = name::keyed(SecretName::new("kubernetes", secret), self.key);
        let yields = variable.map(|it| name::env(it, scope));
        emit(Mention {
            yields,
            consumer: consumer.clone(),
            ..file.mention(syntax, name, span)
        });
    }
}

impl<'a> Document<'a> {
    fn take(&mut self, entry: &Entry<'a>) {
        match (entry.key, entry.column) {
            ("kind", 0) => {
                *self = Self {
                    kind: entry.value,
                    ..Self::default()
                }
            }
            (key, 0) => self.in_metadata = key == "metadata",
            ("name", _) if entry.is_item => self.variable = Some((entry.column, entry.value)),
            ("name", _) if self.in_metadata && self.name.is_empty() => self.name = entry.value,
            _ => {}
        }
    }

    fn title(&self) -> Option<String> {
        (!self.kind.is_empty()).then(|| format!("{}/{}", self.kind, self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new("a.yaml", text), &mut |it| {
            let yields = it.yields.map(|it| format!(" -> {it}")).unwrap_or_default();
            let consumer = it
                .consumer
                .map(|it| format!(" by {it}"))
                .unwrap_or_default();
            let mark = if it.dynamic { " ~" } else { "" };
            found.push(format!(
                "{}:{} {} {}{yields}{consumer}{mark}",
                it.place.line, it.place.column, it.syntax, it.name
            ));
        });
        found
    }

    #[test]
    fn a_workload_names_its_secrets() {
        let text = "\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: nightly
  namespace: shop
spec:
  jobTemplate:
    spec:
      template:
        spec:
          imagePullSecrets:
          - name: registry
          initContainers:
          - name: migrate
            envFrom:
            - prefix: PG_
              secretRef: {name: shop-pg}
          containers:
          - name: run
            env:
            # - name: OLD
            #   valueFrom: {secretKeyRef: {name: old, key: x}}
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef:
                  key: password
                  name: \"shop-db\"
          volumes:
          - name: a
            secret: {secretName: shop-files}
          - name: b
            projected:
              sources:
              - secret:
                  name: shop-keys
                  items:
                  - {key: tls.key, path: k}
";
        assert_eq!(
            lines(text),
            [
                "12:19 image-pull-secret kubernetes:shop/registry by CronJob/nightly",
                "17:33 env-from kubernetes:shop/shop-pg -> env:CronJob/nightly/PG_* by CronJob/nightly",
                "27:26 secret-key-ref kubernetes:shop/shop-db#password -> env:CronJob/nightly/DB_PASSWORD by CronJob/nightly",
                "30:34 secret-volume kubernetes:shop/shop-files by CronJob/nightly",
                "37:27 secret-volume kubernetes:shop/shop-keys#tls.key by CronJob/nightly",
            ]
        );
    }

    #[test]
    fn other_objects_in_lists_and_documents() {
        let text = "\
kind: List
items:
- kind: Ingress
  metadata: {name: web}
  spec: {tls: [{hosts: [a.example], secretName: web-tls}]}
- kind: ServiceAccount
  metadata: {name: bot}
  secrets: [{name: bot-token}]
---
kind: Secret
metadata: {name: shop-db}
data: {secretRef: eA==}
---
kind: Grafana
metadata: {name: g}
spec: {admin: {secretKeyRef: {name: g-admin, key: pw}}}
---
envFrom: [{secretRef: {name: from-values}}]
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: run, annotations: {run.googleapis.com/ingress: all}}
spec: {env: [{name: A_KEY, valueFrom: {secretKeyRef: {name: a-key, key: '3'}}}]}
";
        assert_eq!(
            lines(text),
            [
                "5:49 ingress-tls kubernetes:web-tls by Ingress/web",
                "8:20 service-account-secret kubernetes:bot-token by ServiceAccount/bot",
                "16:37 secret-key-ref kubernetes:g-admin#pw by Grafana/g",
                "18:30 env-from kubernetes:from-values -> env:*",
                "23:61 secret-key-ref gcp-secretmanager:a-key@3 -> env:Service/run/A_KEY by Service/run",
            ]
        );
    }

    #[test]
    fn templates_are_read_with_stars() {
        let text = "\
kind: Deployment
metadata:
  name: {{ .Release.Name }}-api
  {{- with .Values.labels }}
  labels: {{ toYaml . | nindent 4 }}
  {{- end }}
spec:
  containers:
    - env:
        - name: API_KEY
          valueFrom: {secretKeyRef: {name: {{ .Values.db.secret }}, key: key}}
      envFrom:
        - secretRef: {name: \"{{ .Release.Name }}-env\"}
";
        assert_eq!(
            crate::refer::table::told(read, "charts/shop/templates/a.yaml", text),
            [
                "13 env-from kubernetes:*-env -> env:Deployment/*-api/* by Deployment/*-api ~",
                "11 secret-key-ref helm-value:charts/shop/db.secret#key -> env:Deployment/*-api/API_KEY by Deployment/*-api",
            ]
        );
    }

    #[test]
    fn templates_are_read_by_line() {
        let text = "\
kind: Pod
metadata: {name: ok}
spec: {volumes: [{secret: {secretName: first}}]}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}-api
  {{- with .Values.labels }}
  labels: {{ toYaml . | nindent 4 }}
  {{- end }}
  broken: [
spec:
  containers:
    - name: api
      env:
        - name: DB_PASSWORD
          valueFrom:
            secretKeyRef:
              name: shop-db
              key: password
        - name: API_KEY
          valueFrom:
            secretKeyRef:
              name: {{ .Values.secret }}
              key: key
      envFrom:
        - secretRef:
            name: shop-env
";
        let title = "Deployment/{{ .Release.Name }}-api";
        assert_eq!(
            lines(text),
            [
                "3:40 secret-volume kubernetes:first by Pod/ok".to_owned(),
                format!(
                    "20:21 secret-key-ref kubernetes:shop-db#password -> env:{title}/DB_PASSWORD by {title}"
                ),
                format!(
                    "25:21 secret-key-ref kubernetes:*#key -> env:{title}/API_KEY by {title} ~"
                ),
                format!("29:19 env-from kubernetes:shop-env -> env:{title}/* by {title}"),
            ]
        );
    }
}
