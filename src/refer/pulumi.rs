//! Pulumi: secrets of the stack's configuration, and the files that hold them encrypted. The AWS CDK's ways
//! to name a secret are read in `cloud`.
//!
//! <https://www.pulumi.com/docs/iac/concepts/secrets/>: `secure:` marks what is encrypted in
//! `Pulumi.STACK.yaml`; the key there is `project:name`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::refer::table::{File, Row, file_name, has_extension, read_rows, uses};

pub(super) const ANCHORS: &[&str] = &[
    "equireSecret",
    "etSecret",
    "equire_secret",
    "get_secret",
    "secure:",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "infra/index.ts",
    "import * as pulumi from \"@pulumi/pulumi\";\nconst pass = config.requireSecret(\"dbPass\");\n",
);

static ROWS: [Row; 1] = [uses(
    "pulumi-config",
    |path| has_extension(path, &["ts", "js", "py", "go", "cs", "java"]),
    &["equireSecret", "etSecret", "equire_secret", "get_secret"],
    r#"\b(?:cfg|conf|config|[a-z]\w{0,40}(?:Config|Cfg|_config))\.(?:[rR]equireSecret|[gG]etSecret|require_secret|get_secret)(?:Object|Int|Boolean|_object|_int|_bool)?(?:<[^>\n]{0,80}>)?\(\s*["'`]([^"'`\n]{1,128})"#,
    |_, id| Some(SecretName::new("pulumi", id).into()),
)];

pub(super) fn applies(path: &str) -> bool {
    is_stack(path) || has_extension(path, &["ts", "js", "py", "go", "cs", "java"])
}

fn is_stack(path: &str) -> bool {
    let name = file_name(path);
    name.starts_with("Pulumi.") && (name.ends_with(".yaml") || name.ends_with(".yml"))
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if is_stack(file.path) {
        return stack(file, emit);
    }
    // Others have a `config` with such methods, too.
    if file.text.contains("ulumi") {
        read_rows(file, &ROWS, emit);
    }
}

/// `config: {shop:dbPass: {secure: ...}}`.
fn stack(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    for root in tree.roots() {
        let config = tree.get(*root, "config");
        for (key, value) in config.map(|it| tree.entries(it)).unwrap_or_default() {
            let is_secure = tree.walk(*value).any(|it| tree.label(it) == Some("secure"));
            if let Some(text) = tree.text(*key).filter(|_| is_secure) {
                let (_, name) = text.split_once(':').unwrap_or(("", text));
                let mention =
                    file.mention_at("pulumi-stack", SecretName::new("pulumi", name), *key);
                emit(Mention {
                    role: Role::Definition,
                    ..mention
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn code_and_stacks_name_secrets() {
        for (path, text, expected) in [
            (
                "a.ts",
                "import * as pulumi from '@pulumi/pulumi';\nconfig.requireSecret(\"dbPass\")",
                "2 pulumi-config pulumi:dbPass",
            ),
            (
                "a.py",
                "import pulumi\nx = shop_config.require_secret('db_pass')",
                "2 pulumi-config pulumi:db_pass",
            ),
            (
                "Pulumi.prod.yaml",
                "config:\n  aws:region: eu-west-1\n  shop:dbPass:\n    secure: b3BhcXVl\n",
                "3 pulumi-stack pulumi:dbPass def",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for (path, text) in [
            ("a.py", "config.get_secret('x')"),
            ("a.ts", "// pulumi\n// config.requireSecret('x')"),
            ("Pulumi.yaml", "name: shop\n"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
