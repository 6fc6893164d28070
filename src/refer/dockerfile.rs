//! Container files: secrets mounted into a build step, variables baked in or asked for.
//!
//! Mounts: <https://docs.docker.com/reference/dockerfile/#run---mounttypesecret>. Who hands the secrets to a
//! build is read in `docker`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::model::span::Span;
use crate::refer::table::{File, Pattern, extension, file_name, group, is_variable, name};
use regex::Captures;

/// The path alone decides.
pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    "Dockerfile",
    "RUN --mount=type=secret,id=npm,env=NPM_TOKEN npm ci\n",
);

static MOUNT: Pattern = Pattern::new(r"--mount=type=secret(,[^\s\\]{1,300})");
static INSTRUCTION: Pattern =
    Pattern::new(r"(?mi)^[ \t]*(ARG|ENV)[ \t]+((?:\\\r?\n|[^\n]){1,2000})");
static PAIR: Pattern =
    Pattern::new(r#"(?:^|\s)([A-Za-z_][A-Za-z0-9_]*)(?:=("[^"\n]*"|'[^'\n]*'|[^\s]*))?"#);

pub(super) fn applies(path: &str) -> bool {
    let name = file_name(path);
    ["Dockerfile", "Containerfile"]
        .iter()
        .any(|it| name.starts_with(it))
        || matches!(
            extension(path),
            "dockerfile" | "Dockerfile" | "containerfile"
        )
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    file.each(&MOUNT, |it| mount(file, it, emit));
    file.each(&INSTRUCTION, |it| instruction(file, it, emit));
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

fn mount(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((options, at)) = group(captures, 1) else {
        return;
    };
    let target = || {
        let (path, start) = option(options, &["target", "dst", "destination"])?;
        let name = file_name(path);
        Some((name, start + path.len() - name.len()))
    };
    let Some((id, start)) = option(options, &["id"]).or_else(target) else {
        return;
    };
    let span = Span::new(at.start + start, at.start + start + id.len());
    let mention = file.mention("docker-mount", SecretName::new("docker-build", id), span);
    let variable = option(options, &["env"]).map(|it| it.0);
    emit(Mention {
        yields: variable
            .filter(|it| is_variable(it))
            .map(|it| name::env(it, "")),
        ..mention
    });
}

/// `ARG NPM_TOKEN` asks for it, `ENV API_KEY=x` bakes it in, `ENV API_KEY=$X` hands it on.
fn instruction(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let (Some((keyword, _)), Some((rest, at)), Some(regex)) =
        (group(captures, 1), group(captures, 2), PAIR.regex())
    else {
        return;
    };
    let is_argument = keyword.eq_ignore_ascii_case("arg");
    for pair in regex.captures_iter(rest) {
        let Some((variable, span)) = group(&pair, 1) else {
            continue;
        };
        // `ENV NAME value`: only the first word is a name.
        let is_old = pair.get(2).is_none() && span.start > 0 && !is_argument;
        if is_old || !name::looks_secret(variable) {
            continue;
        }
        let span = Span::new(at.start + span.start, at.start + span.end);
        let value = pair
            .get(2)
            .map(|it| Span::new(at.start + it.start(), at.start + it.end()));
        let mut taken = false;
        file.each_variable(value.unwrap_or(Span::new(0, 0)), &mut |from, span| {
            taken = true;
            let mention = file.mention("docker-variable", name::env(from, ""), span);
            emit(Mention {
                yields: Some(name::env(variable, "")).filter(|_| from != variable),
                ..mention
            });
        });
        if !taken {
            let role = match is_argument {
                true => Role::Declaration,
                false => Role::Definition,
            };
            let mention = file.mention("docker-variable", name::env(variable, ""), span);
            emit(Mention { role, ..mention });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn container_files_mount_bake_and_ask() {
        let text = "\
# ARG OLD_TOKEN
ARG NPM_TOKEN
ARG VERSION=1
ENV PORT=80 API_KEY=placeholder \\
    AUTH_TOKEN=${NPM_TOKEN}
ENV DB_PASSWORD placeholder TOKEN
RUN --mount=type=secret,id=npm,env=NODE_TOKEN,required npm ci
RUN --mount=type=secret,target=/root/.netrc make
RUN --mount=type=cache,id=x make
";
        assert_eq!(
            told(read, "app/Dockerfile.prod", text),
            [
                "7 docker-mount docker-build:npm -> env:NODE_TOKEN",
                "8 docker-mount docker-build:.netrc",
                "2 docker-variable env:NPM_TOKEN decl",
                "4 docker-variable env:API_KEY def",
                "5 docker-variable env:NPM_TOKEN -> env:AUTH_TOKEN",
                "6 docker-variable env:DB_PASSWORD def",
            ]
        );
    }

    #[test]
    fn other_files_are_not_asked() {
        assert!(!applies("src/docker.go") && !applies("a.py"));
        assert!(
            told(
                read,
                "Dockerfile",
                "ENV PATH=/x:$PATH KEYBOARD=de\nLABEL a=ARG\n"
            )
            .is_empty()
        );
    }
}
