//! Secrets handed to a container build, and secrets read where a container finds them.
//!
//! Builds: <https://docs.docker.com/build/building/secrets/>. Container files are read in `dockerfile`, the
//! services of a compose file in `pipeline`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{File, Pattern, commands, group, name};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "/run/secrets/",
    "--secret id=",
    "--secret=id=",
    "--secret \"id=",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "bin/build.sh",
    "docker build --secret id=npm,env=NPM_TOKEN .\n",
);

static MOUNTED: Pattern =
    Pattern::new(r#"(?:^|[\s"'=:(`,\[])/run/secrets/([A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"#);
static BUILD: Pattern = Pattern::new(r#"--secret(?:[= ]["']?)(id=[^\s"'\\]{1,300})"#);

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if file.has_any(&["/run/secrets/"]) {
        file.each(&MOUNTED, |it| mounted(file, it, emit));
    }
    if file.has_any(&["--secret id=", "--secret=id=", "--secret \"id="]) && commands(file.path) {
        file.each(&BUILD, |it| build(file, it, emit));
    }
}

/// The value of an option in `a=b,c=d`, and where it begins.
fn option<'t>(options: &'t str, wanted: &[&str]) -> Option<(&'t str, usize)> {
    let mut at = 0;
    for part in options.split(',') {
        if let Some((key, value)) = part.split_once('=')
            && wanted.contains(&key)
        {
            return Some((value, at + key.len() + 1));
        }
        at += part.len() + 1;
    }
    None
}

/// Where Swarm and compose put secrets; Kubernetes has folders of its own there.
fn mounted(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((secret, span)) = group(captures, 1) else {
        return;
    };
    let secret = secret.trim_end_matches('.');
    if !matches!(secret, "kubernetes.io" | "eks.amazonaws.com" | "rhsm") {
        let span = Span::new(span.start, span.start + secret.len());
        emit(file.mention("run-secret", SecretName::new("compose", secret), span));
    }
}

/// `docker build --secret id=npm,env=NPM_TOKEN` and `id=npm,src=.npmrc`.
fn build(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((options, at)) = group(captures, 1) else {
        return;
    };
    let Some((id, _)) = option(options, &["id"]) else {
        return;
    };
    let source = option(options, &["env"]).map(|(it, start)| (name::env(it, ""), it, start));
    let path = || {
        let (it, start) = option(options, &["src", "source"])?;
        Some((
            SecretName::new("file", it.trim_start_matches("./")),
            it,
            start,
        ))
    };
    if let Some((secret, text, start)) = source.or_else(path) {
        let span = Span::new(at.start + start, at.start + start + text.len());
        let mention = file.mention("docker-build-secret", secret, span);
        emit(Mention {
            yields: Some(SecretName::new("docker-build", id)),
            ..mention
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn builds_and_mounted_secrets() {
        for (path, text, expected) in [
            (
                "a.sh",
                "docker build --secret id=npm,env=NPM_TOKEN .",
                "1 docker-build-secret env:NPM_TOKEN -> docker-build:npm",
            ),
            (
                "a.sh",
                "docker build --secret=id=npm,src=./.npmrc .",
                "1 docker-build-secret file:.npmrc -> docker-build:npm",
            ),
            (
                "a.py",
                "open('/run/secrets/db_password')",
                "1 run-secret compose:db_password",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for text in [
            "open('/var/run/secrets/kubernetes.io/serviceaccount/token')",
            "# open('/run/secrets/db')",
            "ARG NPM_TOKEN",
        ] {
            assert!(told(read, "a.py", text).is_empty(), "{text}");
        }
    }
}
