//! Doppler, Infisical, Bitwarden, Akeyless, Conjur with summon, and Keeper: command lines and the files that
//! tie a folder to a project.
//!
//! <https://docs.doppler.com/docs/cli>, <https://infisical.com/docs/cli/commands/run>,
//! <https://github.com/cyberark/summon>. What runs under `doppler run` reads its secrets from the
//! environment under their own names; their operators are read in `operators`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{
    File, Named, Pattern, Row, any, commands, file_name, group, read_rows, text, uses,
};
use crate::syntax::yaml::NodeId;
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "doppler ",
    "infisical ",
    "setup:",
    "workspaceId",
    "bws secret",
    "bw get ",
    "akeyless get-secret",
    "!var",
    "conjur variable",
    "keeper://",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "bin/run.sh",
    "doppler run --project shop --config prd -- ./api\n",
);

static ROWS: [Row; 6] = [
    uses(
        "bitwarden-cli",
        commands,
        &["bws secret"],
        r#"\bbws\s+secret\s+get\s+["']?([A-Za-z0-9$_{}-]{8,64})"#,
        |_, id| Some(SecretName::new("bitwarden", id).into()),
    ),
    uses(
        "bitwarden-cli",
        commands,
        &["bw get "],
        r#"\bbw\s+get\s+(?:password|item|totp|notes)\s+(?:"([^"\n]{1,128})"|(?P<id>[A-Za-z0-9$_{}./-]{1,128}))"#,
        |it, id| Some(SecretName::new("bitwarden", text(it, 1).unwrap_or(id)).into()),
    ),
    uses(
        "akeyless-cli",
        commands,
        &["akeyless get-secret"],
        r#"\bakeyless\s+get-secret-value\s+(?:[^\n]{0,100}?\s)?(?:--name|-n)[ =]["']?(/?[^\s"']{1,256})"#,
        |_, id| Some(SecretName::new("akeyless", id.trim_matches('/')).into()),
    ),
    uses(
        "conjur-cli",
        commands,
        &["conjur variable"],
        r#"\bconjur\s+variable\s+(?:get\s+-i\s+|value\s+)["']?([^\s"']{1,256})"#,
        |_, id| Some(SecretName::new("conjur", id).into()),
    ),
    uses(
        "summon-variable",
        |path| path.ends_with(".yml") || path.ends_with(".yaml"),
        &["!var"],
        r#"(?m)^[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:[ \t]*!var(?::file)?[ \t]+["']?(?P<id>[^\s"'#]{1,256})"#,
        |it, id| {
            let named = Named::from(SecretName::new("conjur", id));
            Some(named.yielding(text(it, 1)))
        },
    ),
    uses(
        "keeper-notation",
        any,
        &["keeper://"],
        r"\bkeeper://([A-Za-z0-9_-]{8,64}/(?:field|custom_field|file)/[A-Za-z0-9_.-]{1,128})",
        |_, id| {
            let (record, field) = id.split_once('/')?;
            Some(SecretName::new("keeper", record).with_key(field).into())
        },
    ),
];

static DOPPLER: Pattern = Pattern::new(
    r"\bdoppler\s+(run|secrets\s+(?:get|download|set|substitute)|secrets)\b((?:\\\r?\n|[^\n;|&)]){0,300})",
);
static INFISICAL: Pattern = Pattern::new(
    r"\binfisical\s+(run|export|secrets\s+(?:get|set)|secrets)\b((?:\\\r?\n|[^\n;|&)]){0,300})",
);

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    match file_name(file.path) {
        "doppler.yaml" | "doppler.yml" | ".doppler.yaml" => return doppler_file(file, emit),
        ".infisical.json" => return infisical_file(file, emit),
        _ if !commands(file.path) => return,
        _ => {}
    }
    if file.has_any(&["doppler "]) {
        file.each(&DOPPLER, |it| {
            let options = [&["-p", "--project"][..], &["-c", "--config"]];
            command(file, it, "doppler-cli", "doppler", options, emit);
        });
    }
    if file.has_any(&["infisical "]) {
        file.each(&INFISICAL, |it| {
            let options = [&["--projectId", "--project-id"][..], &["-e", "--env"]];
            command(file, it, "infisical-cli", "infisical", options, emit);
        });
    }
}

/// `run`, or `secrets get NAME`; project and environment are options.
fn command(
    file: &File<'_>,
    captures: &Captures<'_>,
    syntax: &'static str,
    provider: &str,
    scope: [&[&str]; 2],
    emit: &mut dyn FnMut(Mention),
) {
    let (Some((verb, at)), Some((rest, rest_at))) = (group(captures, 1), group(captures, 2)) else {
        return;
    };
    // What follows a lone `--` is another program's.
    let own = rest.split(" -- ").next().unwrap_or("");
    let option = |names: &[&str]| {
        let mut words = own.split([' ', '=']);
        words.find(|it| names.contains(it))?;
        words
            .find(|it| !it.is_empty())
            .map(|it| it.trim_matches(['"', '\'']))
    };
    let is_call = verb != "run" || rest.contains("--");
    let scope = scope.map(|it| option(it).unwrap_or(""));
    let scope = scope.join("/");
    let folder = option(&["--path"]).unwrap_or("").trim_matches('/');
    let first = own
        .split_whitespace()
        .next()
        .filter(|it| !it.starts_with('-'));
    let single = first.filter(|_| verb.ends_with("get") || verb.ends_with("set"));
    let span = match single {
        Some(it) => {
            let start = rest_at.start + rest.find(it).unwrap_or(0);
            Span::new(start, start + it.split('=').next().unwrap_or(it).len())
        }
        None => at,
    };
    let leaf = single.map_or("*", |it| it.split('=').next().unwrap_or(it));
    let path = match folder {
        "" => leaf.to_owned(),
        folder => format!("{folder}/{leaf}"),
    };
    // Prose has the words, too.
    let is_plain = leaf
        .chars()
        .all(|it| it.is_ascii_alphanumeric() || "_*$-{}".contains(it));
    if is_call
        && is_plain
        && (single.is_some() || !scope.is_empty() && scope != "/" || rest.contains(" -- "))
    {
        let name = SecretName::new(provider, &path).within(scope.trim_matches('/'));
        emit(file.mention(syntax, name, span));
    }
}

/// `setup: {project, config}`, or a list of such.
fn doppler_file(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        let Some(setup) = tree.get(*root, "setup") else {
            continue;
        };
        let one: &[NodeId] = &[setup];
        let items = match tree.items(setup) {
            [] => one,
            several => several,
        };
        for item in items {
            let text = |field| tree.text_at(*item, &[field]);
            if let (Some(project), Some(node)) = (text("project"), tree.get(*item, "project")) {
                let scope = format!("{project}/{}", text("config").unwrap_or(""));
                let name = SecretName::new("doppler", "*").within(scope.trim_matches('/'));
                emit(file.mention_at("doppler-setup", name, node));
            }
        }
    }
}

fn infisical_file(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        let text = |field| tree.text_at(*root, &[field]);
        if let (Some(project), Some(node)) = (text("workspaceId"), tree.get(*root, "workspaceId")) {
            let scope = format!("{project}/{}", text("defaultEnvironment").unwrap_or(""));
            let name = SecretName::new("infisical", "*").within(scope.trim_matches('/'));
            emit(file.mention_at("infisical-setup", name, node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn commands_and_files() {
        for (path, text, expected) in [
            (
                "a.sh",
                "doppler run -p shop -c prd -- ./api --x",
                "1 doppler-cli doppler:shop/prd/* ~",
            ),
            (
                "a.sh",
                "doppler secrets get API_KEY --plain --config prd",
                "1 doppler-cli doppler:prd/API_KEY",
            ),
            (
                "package.json",
                "\"start\": \"doppler run -- node x.js\"",
                "1 doppler-cli doppler:* ~",
            ),
            (
                "doppler.yaml",
                "setup:\n  - project: shop\n    config: prd\n",
                "2 doppler-setup doppler:shop/prd/* ~",
            ),
            (
                "a.sh",
                "infisical run --env=prod --path=/db -- ./api",
                "1 infisical-cli infisical:prod/db/* ~",
            ),
            (
                ".infisical.json",
                "{\"workspaceId\": \"shop-id\", \"defaultEnvironment\": \"dev\"}",
                "1 infisical-setup infisical:shop-id/dev/* ~",
            ),
            (
                "a.sh",
                "bws secret get be8e0ad8-d545-4017",
                "1 bitwarden-cli bitwarden:be8e0ad8-d545-4017",
            ),
            (
                "a.sh",
                "akeyless get-secret-value --name /shop/db",
                "1 akeyless-cli akeyless:shop/db",
            ),
            (
                "secrets.yml",
                "DB_PASSWORD: !var shop/db/password\n",
                "1 summon-variable conjur:shop/db/password -> env:DB_PASSWORD",
            ),
            (
                "a.sh",
                "conjur variable get -i shop/db",
                "1 conjur-cli conjur:shop/db",
            ),
            (
                "a.json",
                "\"keeper://shop-record-1/field/password\"",
                "1 keeper-notation keeper:shop-record-1#field/password",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
    }

    #[test]
    fn prose_and_comments_are_silent() {
        for (path, text) in [
            ("a.sh", "# doppler run -p shop -c prd -- ./api"),
            ("a.md", "The doppler run is a test of radar."),
            ("a.yml", "setup:\n  project: shop\n"),
            ("a.rs", "let infisical = run(--x);"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
