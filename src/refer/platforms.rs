//! Hosting platforms: secrets of Cloudflare Workers, Vercel, Netlify, Fly and Heroku, by command line and by
//! their files.
//!
//! <https://developers.cloudflare.com/workers/configuration/secrets/>, <https://vercel.com/docs/cli/env>,
//! <https://fly.io/docs/apps/secrets/>, <https://devcenter.heroku.com/articles/config-vars>. What sets a secret
//! by hand defines it.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{
    File, Named, Row, any, commands, defines, file_name, has_extension, name, read_rows, text, uses,
};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "wrangler secret",
    "secrets_store_secrets",
    "ExportedHandler",
    "request, env",
    "vercel env",
    "netlify env:",
    "fly secrets",
    "flyctl secrets",
    "heroku config:",
    "\"env\"",
];

pub(super) const EXAMPLE: (&str, &str) = ("bin/deploy.sh", "wrangler secret put API_KEY\n");

static ROWS: [Row; 9] = [
    defines(
        "wrangler-cli",
        commands,
        &["wrangler secret"],
        r#"\bwrangler\s+secret\s+(?:put|delete)\s+["']?([A-Za-z_$][A-Za-z0-9_${}]{0,127})"#,
        |_, id| Some(SecretName::new("cloudflare", id).into()),
    ),
    uses(
        "wrangler-store",
        |path| file_name(path).starts_with("wrangler."),
        &["secrets_store_secrets"],
        r#"\bbinding"?\s*[=:]\s*"([A-Za-z_][A-Za-z0-9_]{0,127})"[^\[\]{}]{0,300}?\bsecret_name"?\s*[=:]\s*"(?P<id>[^"\n]{1,128})""#,
        |it, id| Some(Named::from(SecretName::new("cloudflare", id)).yielding(text(it, 1))),
    ),
    uses(
        "worker-env",
        |path| has_extension(path, &["ts", "js", "mjs"]),
        &["ExportedHandler", "request, env"],
        r"\benv\.([A-Z][A-Z0-9_]{2,127})\b",
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
    defines(
        "vercel-cli",
        commands,
        &["vercel env"],
        r"\bvercel\s+env\s+(?:add|rm)\s+([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| set("vercel", id),
    ),
    defines(
        "netlify-cli",
        commands,
        &["netlify env:"],
        r"\bnetlify\s+env:(?:set|unset)\s+([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| set("netlify", id),
    ),
    uses(
        "netlify-cli",
        commands,
        &["netlify env:"],
        r"\bnetlify\s+env:get\s+([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| set("netlify", id),
    ),
    defines(
        "fly-cli",
        commands,
        &["fly secrets", "flyctl secrets"],
        r#"\b(?:fly|flyctl)\s+secrets\s+(?:set|unset)\s+(?:-\S+\s+(?:[^=\s]+\s+)?){0,4}["']?([A-Za-z_][A-Za-z0-9_]{0,127})"#,
        |_, id| set("fly", id),
    ),
    defines(
        "heroku-cli",
        commands,
        &["heroku config:"],
        r#"\bheroku\s+config:(?:set|unset)\s+(?:-\S+\s+(?:[^=\s]+\s+)?){0,4}["']?([A-Za-z_][A-Za-z0-9_]{0,127})"#,
        |_, id| set("heroku", id),
    ),
    uses(
        "heroku-cli",
        commands,
        &["heroku config:"],
        r"\bheroku\s+config:get\s+([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| set("heroku", id),
    ),
];

static VERCEL: [Row; 1] = [uses(
    "vercel-secret",
    any,
    &[],
    r#""([A-Za-z_][A-Za-z0-9_]{0,127})"\s*:\s*"@(?P<id>[a-z0-9][a-z0-9_-]{0,127})""#,
    vercel,
)];

/// Names of settings that are no secret are set the same way.
fn set(provider: &str, id: &str) -> Option<Named> {
    name::looks_secret(id).then(|| SecretName::new(provider, id).into())
}

fn vercel(captures: &Captures<'_>, id: &str) -> Option<Named> {
    Some(Named::from(SecretName::new("vercel", id)).yielding(text(captures, 1)))
}

pub(super) fn applies(path: &str) -> bool {
    any(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if matches!(file_name(file.path), "vercel.json" | "now.json") {
        read_rows(file, &VERCEL, emit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn each_platform_names_secrets() {
        for (path, text, expected) in [
            (
                "a.sh",
                "npx wrangler secret put API_KEY",
                "1 wrangler-cli cloudflare:API_KEY def",
            ),
            (
                "wrangler.toml",
                "[[secrets_store_secrets]]\nbinding = \"API_KEY\"\nstore_id = \"x\"\nsecret_name = \"shop-api\"\n",
                "4 wrangler-store cloudflare:shop-api -> env:API_KEY",
            ),
            (
                "a.ts",
                "async fetch(request, env) { use(env.API_KEY, env.BUCKET) }",
                "1 worker-env env:API_KEY",
            ),
            (
                "vercel.json",
                "{\"env\": {\"DB_PASSWORD\": \"@db-password\"}}",
                "1 vercel-secret vercel:db-password -> env:DB_PASSWORD",
            ),
            (
                "a.sh",
                "vercel env add API_KEY production",
                "1 vercel-cli vercel:API_KEY def",
            ),
            (
                "a.sh",
                "netlify env:get API_KEY",
                "1 netlify-cli netlify:API_KEY",
            ),
            (
                "a.sh",
                "fly secrets set -a shop API_KEY=\"$API_KEY\"",
                "1 fly-cli fly:API_KEY def",
            ),
            (
                "a.sh",
                "heroku config:set API_KEY=x -a shop",
                "1 heroku-cli heroku:API_KEY def",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for (path, text) in [
            (
                "a.sh",
                "# wrangler secret put API_KEY\nheroku config:set PORT=1",
            ),
            ("a.ts", "env.BUCKET"),
            ("package.json", "{\"env\": {\"A_KEY\": \"@scope\"}}"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
