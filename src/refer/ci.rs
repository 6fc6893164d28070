//! Pipelines of CircleCI, Drone and Woodpecker, Travis, Bitbucket and Buildkite: contexts, secrets by name,
//! and variables that the file does not set itself.
//!
//! A context (<https://circleci.com/docs/contexts/>) is a bundle of variables. GitHub, GitLab, Azure and
//! Jenkins have files of their own.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::table::{File, Pattern, file_name, name, text};
use crate::syntax::yaml::{NodeId, Tree};
use std::collections::BTreeSet;

/// The path alone decides.
pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    ".circleci/config.yml",
    "workflows:\n  main:\n    jobs:\n      - deploy: {context: [prod-aws]}\n",
);

static ASSIGNMENT: Pattern = Pattern::new(r#"(?m)(?:^|[\s"';])([A-Za-z_][A-Za-z0-9_]{1,127})="#);

/// Whose file it is, by its path.
fn system(path: &str) -> Option<&'static str> {
    if !(path.ends_with(".yml") || path.ends_with(".yaml")) {
        return None;
    }
    let name = file_name(path);
    let within = |folder: &str| path.starts_with(folder) || path.contains(&format!("/{folder}"));
    Some(match name {
        _ if within(".circleci/") => "circleci",
        ".drone.yml" | ".drone.yaml" | ".woodpecker.yml" | ".woodpecker.yaml" => "drone",
        _ if within(".woodpecker/") => "drone",
        ".travis.yml" => "travis",
        "bitbucket-pipelines.yml" => "bitbucket",
        "buildkite.yml" | "buildkite.yaml" => "buildkite",
        _ if within(".buildkite/") => "buildkite",
        _ => return None,
    })
}

pub(super) fn applies(path: &str) -> bool {
    path.ends_with("ml") && system(path).is_some()
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some(system) = system(file.path) else {
        return;
    };
    let tree = file.tree();
    for root in tree.roots() {
        let pipeline = Pipeline {
            file,
            tree,
            root: *root,
            system,
        };
        pipeline.read(emit);
    }
}

struct Pipeline<'w, 'a> {
    file: &'w File<'a>,
    tree: &'w Tree<'a>,
    root: NodeId,
    system: &'static str,
}

impl Pipeline<'_, '_> {
    fn read(&self, emit: &mut dyn FnMut(Mention)) {
        let own = self.own();
        for id in self.tree.walk(self.root) {
            if self.tree.follow(id) != id {
                continue;
            }
            match self.tree.label(id) {
                Some("context") if self.system == "circleci" => self.contexts(id, emit),
                Some("from_secret") if self.system == "drone" => self.drone_secret(id, emit),
                Some("secure") if self.system == "travis" => self.secure(id, emit),
                _ => self.variables(id, &own, emit),
            }
        }
    }

    fn mention(&self, syntax: &'static str, path: &str, id: NodeId) -> Mention {
        let name = SecretName::new(self.system, path);
        Mention {
            consumer: Some(self.consumer(id)),
            ..self.file.mention_at(syntax, name, id)
        }
    }

    /// A list of names, or one.
    fn contexts(&self, id: NodeId, emit: &mut dyn FnMut(Mention)) {
        let items = self.tree.items(id).iter().copied();
        for item in items.chain(std::iter::once(id)) {
            if let Some(context) = self.tree.text(item).filter(|it| !it.is_empty()) {
                let path = format!("context/{context}");
                emit(self.mention("circleci-context", &path, item));
            }
        }
    }

    /// `DB_PASSWORD: {from_secret: db_password}`.
    fn drone_secret(&self, id: NodeId, emit: &mut dyn FnMut(Mention)) {
        let (Some(secret), Some(parent)) = (self.tree.text(id), self.tree.node(id).parent) else {
            return;
        };
        let mention = self.mention("drone-secret", secret, id);
        let scope = mention.consumer.clone().unwrap_or_default();
        let above = self.tree.node(parent).parent;
        let in_environment = above.is_some_and(|it| self.tree.label(it) == Some("environment"));
        let variable = self.tree.label(parent).filter(|_| in_environment);
        let yields = variable.map(|it| name::env(it, &scope));
        emit(Mention { yields, ..mention });
    }

    /// A value that only Travis can decrypt.
    fn secure(&self, id: NodeId, emit: &mut dyn FnMut(Mention)) {
        let mut labels: Vec<&str> = Vec::new();
        let mut at = self.tree.node(id).parent;
        while let Some(parent) = at {
            labels.extend(self.tree.label(parent));
            at = self.tree.node(parent).parent;
        }
        labels.reverse();
        let mention = self.mention("travis-secure", &labels.join("."), id);
        emit(Mention {
            role: Role::Definition,
            ..mention
        });
    }

    fn variables(&self, id: NodeId, own: &BTreeSet<&str>, emit: &mut dyn FnMut(Mention)) {
        if self.tree.text(id).is_none() {
            return;
        }
        let label = self.passed_as(id);
        self.file
            .each_variable(self.tree.node(id).span, &mut |variable, span| {
                if own.contains(variable) || !name::looks_secret(variable) {
                    return;
                }
                let consumer = self.consumer(id);
                let secret = SecretName::new(self.system, variable);
                let yields = name::env(label.unwrap_or(variable), &consumer);
                emit(Mention {
                    yields: Some(yields),
                    consumer: Some(consumer),
                    ..self.file.mention("ci-variable", secret, span)
                });
            });
    }

    /// The variable that a scalar is the value of.
    fn passed_as(&self, id: NodeId) -> Option<&str> {
        let parent = self.tree.node(id).parent?;
        matches!(
            self.tree.label(parent),
            Some("environment" | "env" | "variables")
        )
        .then(|| self.tree.label(id))
        .flatten()
    }

    /// Names that the file gives a value, which is not the variable itself: in a mapping, or by a command
    /// (`TOKEN=$(...)`).
    fn own(&self) -> BTreeSet<&str> {
        let tree = self.tree;
        let mut own = BTreeSet::new();
        self.file.each(&ASSIGNMENT, |it| own.extend(text(it, 1)));
        let is_defining =
            |id: &NodeId| matches!(tree.label(*id), Some("variables" | "environment" | "env"));
        let entries = tree.walk(self.root).filter(is_defining);
        entries
            .flat_map(|id| tree.entries(id))
            .filter(|(_, value)| !tree.text(*value).is_some_and(|it| it.contains('$')))
            .filter_map(|(key, _)| tree.text(*key))
            .for_each(|it| {
                own.insert(it);
            });
        own
    }

    /// `file#job` within the top-level `jobs` or `pipelines`, else the file.
    fn consumer(&self, id: NodeId) -> String {
        let (mut at, mut child) = (self.tree.node(id).parent, Some(id));
        while let Some(parent) = at {
            let above = self.tree.node(parent).parent;
            if above == Some(self.root)
                && matches!(self.tree.label(parent), Some("jobs" | "pipelines"))
                && let Some(job) = child.and_then(|it| self.tree.label(it))
            {
                return format!("{}#{job}", self.file.path);
            }
            (child, at) = (Some(parent), above);
        }
        self.file.path.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn circle_jobs_take_contexts_and_variables() {
        let text = "\
jobs:
  deploy:
    environment: {OWN_TOKEN: x}
    steps:
      - run: ./deploy $NPM_TOKEN $OWN_TOKEN $HOME $MADE_TOKEN
      - run: export MADE_TOKEN=$(date)
workflows:
  main:
    jobs:
      - deploy: {context: [prod-aws, slack]}
      - test: {context: org-global}
";
        assert_eq!(
            told(read, ".circleci/config.yml", text),
            [
                "5 ci-variable circleci:NPM_TOKEN -> env:.circleci/config.yml#deploy/NPM_TOKEN by .circleci/config.yml#deploy",
                "10 circleci-context circleci:context/prod-aws by .circleci/config.yml",
                "10 circleci-context circleci:context/slack by .circleci/config.yml",
                "11 circleci-context circleci:context/org-global by .circleci/config.yml",
            ]
        );
    }

    #[test]
    fn others_name_secrets_and_variables() {
        for (path, text, expected) in [
            (
                ".drone.yml",
                "steps:\n- environment:\n    DB_PASSWORD:\n      from_secret: db_password\n",
                "4 drone-secret drone:db_password -> env:.drone.yml/DB_PASSWORD by .drone.yml",
            ),
            (
                ".travis.yml",
                "env:\n  global:\n    - secure: \"b3BhcXVl\"\n",
                "3 travis-secure travis:env.global by .travis.yml def",
            ),
            (
                "bitbucket-pipelines.yml",
                "pipelines:\n  default:\n  - step:\n      script: [echo $DEPLOY_KEY]\n",
                "4 ci-variable bitbucket:DEPLOY_KEY -> env:bitbucket-pipelines.yml#default/DEPLOY_KEY by bitbucket-pipelines.yml#default",
            ),
            (
                ".buildkite/pipeline.yml",
                "steps:\n- command: x\n  env: {API_KEY: $SHOP_API_KEY}\n",
                "3 ci-variable buildkite:SHOP_API_KEY -> env:.buildkite/pipeline.yml/API_KEY by .buildkite/pipeline.yml",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
    }

    #[test]
    fn other_files_and_comments_are_silent() {
        assert!(!applies("src/config.yml") && !applies(".circleci/run.sh"));
        assert!(
            told(
                read,
                ".travis.yml",
                "# - secure: x\nscript: echo $HOME $$API_KEY\n"
            )
            .is_empty()
        );
    }
}
