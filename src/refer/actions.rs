//! GitHub Actions (also Gitea and Forgejo): `secrets.X` in workflows and actions, and the actions that
//! load from a secrets manager.
//!
//! `GITHUB_TOKEN` is made for each run and no secret object. Cloud ids and `op://` within workflows are
//! read by their own families.

use crate::model::reference::{Mention, Role, SecretName};
use crate::model::span::Span;
use crate::refer::file::{File, Pattern, file_name, group, name};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "secrets.",
    "secrets[",
    "vault-action",
    "get-secretmanager-secrets",
    "secretsmanager-get-secrets",
    "get-keyvault-secrets",
    "secrets: inherit",
    "environment:",
];

pub(super) const EXAMPLE: (&str, &str) = (
    ".github/workflows/deploy.yml",
    "jobs:\n  deploy:\n    steps:\n    - run: ./deploy\n      env:\n        DB_PASSWORD: ${{ secrets.DB_PASSWORD }}\n",
);

static SECRET: Pattern = Pattern::new(
    r#"(?i)\bsecrets\s*(?:\.\s*([a-z_][a-z0-9_]{0,255})|\[\s*(?:'([^'\n]{1,255})'|"([^"\n]{1,255})")\s*\])"#,
);
static EXPRESSION: Pattern = Pattern::new(r"\$\{\{[^\n]*?\}\}");

pub(super) fn applies(path: &str) -> bool {
    let is_workflow = [
        ".github/workflows/",
        ".gitea/workflows/",
        ".forgejo/workflows/",
    ];
    let is_yaml = path.ends_with(".yml") || path.ends_with(".yaml");
    let is_action = matches!(file_name(path), "action.yml" | "action.yaml");
    is_action || (is_yaml && is_workflow.iter().any(|it| path.contains(it)))
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        let jobs = tree.get(*root, "jobs").map(|it| tree.follow(it));
        let mut consumer = Consumer {
            path: file.path,
            job: None,
            until: None,
        };
        for id in tree.walk(*root) {
            consumer.enter(tree, id, jobs);
            if tree.follow(id) == id {
                scalar(file, tree, id, &consumer.title(), emit);
                step(file, tree, id, &consumer.title(), emit);
                opened(file, tree, id, &consumer.title(), emit);
            }
        }
    }
    if tree.fault.is_some() {
        let rest = Span::new(tree.read_to, file.text.len());
        expressions(file, rest, &mut |name, span| {
            if !file.is_comment(span.start) {
                emit(Mention {
                    consumer: Some(file.path.to_owned()),
                    ..file.mention("actions-secret", name, span)
                });
            }
        });
    }
}

/// What lets a job have secrets without naming them: an environment, `secrets: inherit`.
/// See <https://docs.github.com/actions/how-tos/reuse-automations/reuse-workflows>.
fn opened(
    file: &File<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    consumer: &str,
    emit: &mut dyn FnMut(Mention),
) {
    let in_job = consumer.contains('#');
    let parent = tree.node(id).parent;
    let of_environment = parent.is_some_and(|it| tree.label(it) == Some("environment"));
    let (syntax, scope) = match (tree.label(id), tree.text(id)) {
        (Some("environment"), Some(text)) if in_job => ("actions-environment", text),
        (Some("name"), Some(text)) if in_job && of_environment => ("actions-environment", text),
        (Some("secrets"), Some("inherit")) if in_job => ("actions-inherit", ""),
        _ => return,
    };
    if syntax == "actions-environment" && scope.is_empty() {
        return;
    }
    let name = SecretName::new("github-actions", "*").within(scope);
    emit(Mention {
        consumer: Some(consumer.to_owned()),
        role: Role::Declaration,
        ..file.mention_at(syntax, name, id)
    });
}

/// The job that the walk is in.
struct Consumer<'t> {
    path: &'t str,
    job: Option<&'t str>,
    until: Option<usize>,
}

impl<'t> Consumer<'t> {
    fn enter(&mut self, tree: &'t Tree<'_>, id: NodeId, jobs: Option<NodeId>) {
        let node = tree.node(id);
        if self.until.is_some_and(|until| node.span.start >= until) {
            (self.job, self.until) = (None, None);
        }
        if jobs.is_some() && node.parent == jobs && node.label.is_some() {
            self.job = tree.label(id);
            self.until = Some(node.span.end.max(node.span.start + 1));
        }
    }

    /// `workflow-file#job`, or the file outside of jobs.
    fn title(&self) -> String {
        match self.job {
            Some(job) => format!("{}#{job}", self.path),
            None => self.path.to_owned(),
        }
    }
}

fn scalar(
    file: &File<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    consumer: &str,
    emit: &mut dyn FnMut(Mention),
) {
    let Some(text) = tree.text(id) else { return };
    if !text.contains("secrets") {
        return;
    }
    let mut take = |name, span| {
        let yields = variable(tree, id).map(|it| name::env(it, consumer));
        let mention = file.mention("actions-secret", name, span);
        emit(Mention {
            yields,
            consumer: Some(consumer.to_owned()),
            ..mention
        });
    };
    let span = tree.node(id).span;
    // A condition is an expression without the braces.
    if tree.label(id) == Some("if") {
        secrets(file, span, &mut take);
    } else {
        expressions(file, span, &mut take);
    }
}

/// The variable a scalar is the value of, if it stands in an `env:` mapping.
fn variable<'t>(tree: &'t Tree<'_>, id: NodeId) -> Option<&'t str> {
    let parent = tree.node(id).parent?;
    (tree.label(parent) == Some("env"))
        .then(|| tree.label(id))
        .flatten()
}

fn expressions(file: &File<'_>, within: Span, take: &mut dyn FnMut(SecretName, Span)) {
    let Some(regex) = EXPRESSION.regex() else {
        return;
    };
    let Some(text) = file.text.get(within.start..within.end) else {
        return;
    };
    for found in regex.find_iter(text) {
        secrets(
            file,
            Span::new(within.start + found.start(), within.start + found.end()),
            take,
        );
    }
}

fn secrets(file: &File<'_>, within: Span, take: &mut dyn FnMut(SecretName, Span)) {
    let Some(regex) = SECRET.regex() else { return };
    let Some(text) = file.text.get(within.start..within.end) else {
        return;
    };
    for captures in regex.captures_iter(text) {
        let Some((secret, span)) = (1..=3).find_map(|it| group(&captures, it)) else {
            continue;
        };
        let secret = secret.to_ascii_uppercase();
        if secret != "GITHUB_TOKEN" {
            let span = Span::new(within.start + span.start, within.start + span.end);
            take(SecretName::new("github-actions", &secret), span);
        }
    }
}

/// A step that loads from a secrets manager: one secret a line in one of its inputs.
fn step(
    file: &File<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    consumer: &str,
    emit: &mut dyn FnMut(Mention),
) {
    let Some(uses) = tree.text_at(id, &["uses"]) else {
        return;
    };
    let action = uses.split('@').next().unwrap_or("");
    if action.eq_ignore_ascii_case("azure/get-keyvault-secrets") {
        return from_azure(file, tree, id, consumer, emit);
    }
    let (input, line): (&str, fn(&str) -> Option<Loaded<'_>>) = match action {
        "hashicorp/vault-action" => ("secrets", from_vault),
        "google-github-actions/get-secretmanager-secrets" => ("secrets", from_google),
        "aws-actions/aws-secretsmanager-get-secrets" => ("secret-ids", from_aws),
        _ => return,
    };
    let Some(node) = tree.at(id, &["with", input]) else {
        return;
    };
    let span = tree.node(tree.follow(node)).span;
    let Some(block) = file.text.get(span.start..span.end) else {
        return;
    };
    let mut at = span.start;
    for part in block.split_inclusive(['\n', ';']) {
        if let Some(loaded) = line(part.trim().trim_end_matches(';').trim_end()) {
            let start = at + part.find(loaded.literal).unwrap_or(0);
            let mention = file.mention(
                "actions-load",
                loaded.name,
                Span::new(start, start + loaded.literal.len()),
            );
            let yields = loaded.variable.map(|it| name::env(&it, consumer));
            emit(Mention {
                yields,
                consumer: Some(consumer.to_owned()),
                ..mention
            });
        }
        at += part.len();
    }
}

/// `keyvault: shopkv` and `secrets: 'db-pass, api-key'`.
fn from_azure(
    file: &File<'_>,
    tree: &Tree<'_>,
    id: NodeId,
    consumer: &str,
    emit: &mut dyn FnMut(Mention),
) {
    let (Some(vault), Some(node)) = (
        tree.text_at(id, &["with", "keyvault"]),
        tree.at(id, &["with", "secrets"]),
    ) else {
        return;
    };
    for secret in tree.text(node).unwrap_or("").split(',') {
        let mention = file.mention_at(
            "actions-load",
            name::azure(vault, secret.trim(), None),
            node,
        );
        emit(Mention {
            consumer: Some(consumer.to_owned()),
            ..mention
        });
    }
}

/// One line of an input.
struct Loaded<'a> {
    name: SecretName,
    literal: &'a str,
    variable: Option<String>,
}

/// `path key | NAME`; without a name the action takes the key in capitals.
fn from_vault(line: &str) -> Option<Loaded<'_>> {
    let (source, variable) = line
        .split_once('|')
        .map_or((line, None), |(a, b)| (a, Some(b.trim())));
    let mut words = source.split_whitespace();
    let path = words.next()?;
    let key = words.next()?;
    let variable = variable.map_or_else(|| key.to_ascii_uppercase(), str::to_owned);
    let variable = (variable != "*").then_some(variable);
    Some(Loaded {
        name: name::vault(path, Some(key)),
        literal: path,
        variable,
    })
}

/// `output:project/secret[/version]`.
fn from_google(line: &str) -> Option<Loaded<'_>> {
    let (_, literal) = line.split_once(':')?;
    let mut parts = literal.split('/');
    let (project, secret) = (parts.next()?, parts.next()?);
    let name = if literal.starts_with("projects/") {
        name::google(literal, "", None)
    } else {
        name::google(secret, project, parts.next())
    };
    Some(Loaded {
        name,
        literal,
        variable: None,
    })
}

/// `NAME, id` or `id`.
fn from_aws(line: &str) -> Option<Loaded<'_>> {
    let (variable, literal) = line
        .split_once(',')
        .map_or((None, line), |(a, b)| (Some(a.trim()), b.trim()));
    let variable = variable.filter(|it| !it.is_empty()).map(str::to_owned);
    (!literal.is_empty()).then(|| Loaded {
        name: name::aws_secret(literal),
        literal,
        variable,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new(".github/workflows/ci.yml", text), &mut |it| {
            let yields = it
                .yields
                .map(|it| format!(" -> {}", it.path))
                .unwrap_or_default();
            let consumer = it.consumer.unwrap_or_default();
            let job = consumer.rsplit('/').next().unwrap_or("");
            found.push(format!(
                "{}:{} {}{yields} by {job}",
                it.place.line, it.place.column, it.name
            ));
        });
        found
    }

    #[test]
    fn secrets_are_read_in_expressions_only() {
        let text = "\
on: push
env:
  SHARED_KEY: ${{ secrets.shared_key }}
jobs:
  test:
    # env: {OLD: '${{ secrets.OLD }}'}
    if: github.ref == 'x' && secrets.GATE_KEY != ''
    steps:
      - run: |
          echo secrets.NOT_THIS ${{ secrets['DB_PASSWORD'] || secrets.FALLBACK }}
        env: {GH: '${{ secrets.GITHUB_TOKEN }}', \"A_KEY\": \"${{ secrets.A_KEY }}\"}
  deploy:
    uses: ./.github/workflows/other.yml
    secrets:
      token: ${{ secrets.DEPLOY_TOKEN }}
";
        assert_eq!(
            lines(text),
            [
                "3:27 github-actions:SHARED_KEY -> SHARED_KEY by ci.yml",
                "7:38 github-actions:GATE_KEY by ci.yml#test",
                "10:46 github-actions:DB_PASSWORD by ci.yml#test",
                "10:71 github-actions:FALLBACK by ci.yml#test",
                "11:72 github-actions:A_KEY -> A_KEY by ci.yml#test",
                "15:26 github-actions:DEPLOY_TOKEN by ci.yml#deploy",
            ]
        );
    }

    #[test]
    fn loading_actions_name_what_they_load() {
        let text = "\
jobs:
  a:
    steps:
      - uses: hashicorp/vault-action@v3
        with:
          url: https://vault.example
          secrets: |
            kv/data/shop/db password | DB_PASSWORD ;
            kv/data/shop/api key
      - uses: google-github-actions/get-secretmanager-secrets@v2
        with:
          secrets: |-
            token:shop-prod/api-token/3
      - uses: aws-actions/aws-secretsmanager-get-secrets@v2
        with:
          secret-ids: |
            DB, shop/db
            shop/api
";
        assert_eq!(
            lines(text),
            [
                "8:13 vault:kv/shop/db#password -> DB_PASSWORD by ci.yml#a",
                "9:13 vault:kv/shop/api#key -> KEY by ci.yml#a",
                "13:19 gcp-secretmanager:shop-prod/api-token@3 by ci.yml#a",
                "17:17 aws-secretsmanager:shop/db -> DB by ci.yml#a",
                "18:13 aws-secretsmanager:shop/api by ci.yml#a",
            ]
        );
    }

    #[test]
    fn a_broken_workflow_is_read_as_text() {
        let text = "a: [\n# ${{ secrets.OLD }}\nb: ${{ secrets.NEW }} ]]\n";
        assert_eq!(lines(text), ["3:16 github-actions:NEW by ci.yml"]);
    }
}
