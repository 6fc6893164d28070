//! Kubernetes manifests that are no YAML, line by line.
//!
//! What is YAML, or becomes it when its templates are overwritten, is read in `kubernetes`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, extension, is_tree, name};

pub(super) const ANCHORS: &[&str] = &["secretKeyRef", "secretRef", "secretName"];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/broken.tpl",
    "a: [\nenvFrom:\n- secretRef:\n    name: shop-env\n",
);

pub(super) fn applies(path: &str) -> bool {
    is_tree(path) || matches!(extension(path), "tpl" | "gotmpl" | "j2")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    if tree.fault.is_some() {
        by_line(file, tree.read_to, emit);
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
