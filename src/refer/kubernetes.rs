//! Kubernetes manifests: workloads and other objects that name Secrets.
//!
//! The walk is by key names at any depth, so custom resources that embed a pod are read too. Objects
//! that *make* Secrets are read in `external_secrets`. Templates that are no YAML are read with stars for what is filled in; what is none even then
//! is read in `kubernetes_lines`.

use crate::model::reference::{Mention, SecretName};
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
}
