//! HashiCorp Vault and OpenBao in any text: CLI, HTTP API, consul-template, SDK calls, `ref+vault://`,
//! Argo CD's vault plugin, Spring.
//!
//! Vault within other formats (Terraform, External Secrets, vault-action) is read by their families.

use crate::model::reference::Mention;
use crate::model::span::Span;
use crate::refer::file::{File, Pattern, group, name};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "vault kv",
    "vault read",
    "vault write",
    "bao kv",
    "bao read",
    "/v1/kv/",
    "/v1/secret/",
    "VAULT_",
    "X-Vault-",
    "secret \"",
    "secret \\\"",
    "vault://",
    "<path:",
    "read_secret",
    "KVv2(",
    "KVv1(",
    "ogical()",
    "vault.read(",
    "pkiCert",
    "secret (printf",
    "ault.kv(",
    "ogical.read",
    "ReadSecretAsync",
    "kv2::read",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "bin/deploy.sh",
    "vault kv get -mount=kv -field=password shop/db\n",
);

/// How far the end of a template or call is looked for.
const REACH: usize = 600;

static CLI: Pattern = Pattern::new(
    r"\b(?:vault|bao)\s+(kv\s+(?:metadata\s+)?(?:get|put|patch|delete|undelete|destroy|rollback)|read|write)[ \t]((?:\\\n|[^\n|;&)`]){1,400})",
);
static WORD: Pattern = Pattern::new(r#""[^"\n]*"|'[^'\n]*'|[^\s"']+"#);
static HTTP: Pattern =
    Pattern::new(r"/v1/([A-Za-z0-9_.-]{1,64}/(?:data|metadata)/[A-Za-z0-9_./${}-]{1,200})");
static TEMPLATE: Pattern =
    Pattern::new(r#"\{\{[^{}\n]{0,80}?\bsecret\s+\\?["'`]([^"'`\\\n]{1,256})\\?["'`]"#);
static FIELD: Pattern = Pattern::new(r"\.Data\.(?:data\.)?([A-Za-z_][A-Za-z0-9_]*)");
static VALS: Pattern = Pattern::new(
    r#"\bref\+vault://([^\s#"'`<>?+]{1,256})(?:\?[^\s#"'`]{0,100})?(?:#/?([A-Za-z0-9_./-]{1,128}))?"#,
);
static SPRING: Pattern = Pattern::new(r#"(?:^|[^+\w])vault://([A-Za-z0-9_./${}-]{1,256})"#);
static ARGO: Pattern = Pattern::new(r"<path:([^<>#|\n]{1,256})#([^<>#|\s]{1,128})(?:#(\d+))?");
static READ_SECRET: Pattern =
    Pattern::new(r"\bread_secret(?:_version|_metadata)?\(([^)]{1,300})\)");
static PKI: Pattern = Pattern::new(r#"\bpkiCert\s+\\?["'`]([^"'`\\\n]{1,256})"#);
static PRINTF: Pattern = Pattern::new(r#"\bsecret\s+\(\s*printf\s+\\?"([^"\\\n]{1,256})"#);
static ADDRESSED: Pattern =
    Pattern::new(r"(?:VAULT_ADDR\}?|BAO_ADDR\}?)/v1/([A-Za-z0-9_./${}-]{3,200})");
static RUBY: Pattern = Pattern::new(
    r#"\bVault(?:\.logical\.read\(\s*["']([^"'\n]{1,256})["']|\.kv\(\s*["']([^"'\n]{1,64})["']\s*\)\.read\(\s*["']([^"'\n]{1,256})["'])"#,
);
static SHARP: Pattern = Pattern::new(
    r#"\bReadSecretAsync(?:<[^>\n]{1,60}>)?\(\s*(?:path:\s*)?"([^"\n]{1,256})"(?:[^)]{0,120}?\bmountPoint:\s*"([^"\n]{1,64})")?"#,
);
static RUST: Pattern = Pattern::new(
    r#"\bkv2::read(?:::<[^>]{1,60}>)?\(\s*[&\w.]{1,60}\s*,\s*"([^"\n]{1,64})"\s*,\s*"([^"\n]{1,256})""#,
);
static ARGUMENT: Pattern = Pattern::new(r#"(?:^|,)\s*(?:(\w+)\s*=\s*)?["']([^"'\n]{1,256})["']"#);
static GO: Pattern = Pattern::new(
    r#"\bKVv[12]\(\s*"([^"\n]{1,64})"\s*\)\.(?:Get|Put|Patch|GetVersion|GetMetadata|Delete)\(\s*[\w.()]{1,60}\s*,\s*["`]([^"`\n]{1,256})["`]"#,
);
static LOGICAL: Pattern = Pattern::new(
    r#"\b(?:[lL]ogical\(\)\s*\.\s*|vault\.)(?:read|Read|write|Write|ReadWithContext)\(\s*(?:\w+(?:\.\w+\(\))?\s*,\s*)?["'`]([^"'`\n]{1,256})["'`]"#,
);

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let mut each =
        |anchors: &[&str], pattern, read: fn(&File<'_>, &Captures<'_>, &mut dyn FnMut(Mention))| {
            if file.has_any(anchors) {
                file.each(pattern, |it| read(file, it, emit));
            }
        };
    each(
        &[
            "vault kv",
            "vault read",
            "vault write",
            "bao kv",
            "bao read",
        ],
        &CLI,
        command,
    );
    each(&["secret \"", "secret \\\""], &TEMPLATE, template);
    each(&["read_secret"], &READ_SECRET, call);
    each(&["vault://"], &VALS, |file, it, emit| {
        path(file, it, "vals-reference", emit)
    });
    each(&["vault://"], &SPRING, |file, it, emit| {
        path(file, it, "spring-vault", emit)
    });
    each(&["ogical()", "vault.read("], &LOGICAL, |file, it, emit| {
        path(file, it, "vault-sdk", emit)
    });
    each(&["pkiCert"], &PKI, |file, it, emit| {
        path(file, it, "vault-pki-template", emit)
    });
    each(&["secret (printf"], &PRINTF, |file, it, emit| {
        path(file, it, "consul-template", emit)
    });
    each(&["VAULT_"], &ADDRESSED, addressed);
    each(&["KVv2(", "KVv1("], &GO, go);
    each(&["<path:"], &ARGO, argo);
    if file.has_any(&["/v1/kv/", "/v1/secret/", "VAULT_", "X-Vault-"]) && mentions_vault(file.text)
    {
        file.each(&HTTP, |it| path(file, it, "vault-api", emit));
    }
    clients(file, emit);
}

fn go(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    if let (Some((mount, _)), Some((path, span))) = (group(captures, 1), group(captures, 2)) {
        emit(file.mention("vault-sdk", name::vault_in(mount, path, None), span));
    }
}

/// `<path:kv/data/shop/db#password#version>`.
fn argo(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    if let (Some((path, span)), key) = (group(captures, 1), group(captures, 2)) {
        let name = name::vault(path, key.map(|it| it.0));
        let name = name::pinned(name, group(captures, 3).map(|it| it.0));
        emit(file.mention("argo-vault-path", name, span));
    }
}

/// Many an API has `/v1/x/data/y`, and the word stands in prose: an address or a header of Vault must be near.
fn mentions_vault(text: &str) -> bool {
    [
        "VAULT_",
        "X-Vault-",
        "BAO_ADDR",
        "://vault",
        ":8200",
        "vault_addr",
        "vault_url",
        "vaultAddr",
        "vaultUrl",
        "vault_host",
    ]
    .iter()
    .any(|it| memchr::memmem::find(text.as_bytes(), it.as_bytes()).is_some())
}

/// A pattern whose first group is a path and whose second, if any, a key.
fn path(
    file: &File<'_>,
    captures: &Captures<'_>,
    syntax: &'static str,
    emit: &mut dyn FnMut(Mention),
) {
    let Some((path, span)) = group(captures, 1).filter(|it| it.0.contains('/')) else {
        return;
    };
    let key = captures.get(2).map(|it| it.as_str());
    emit(file.mention(syntax, name::vault(path, key), span));
}

/// Clients of other languages: each gives mount and path apart.
fn clients(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let mut read = |anchor: &str, pattern: &Pattern, mount: usize, path: usize, default: &str| {
        if !file.has_any(&[anchor]) {
            return;
        }
        file.each(pattern, |it| {
            let mount = group(it, mount).map_or(default, |it| it.0);
            if let Some((path, span)) = group(it, path) {
                emit(file.mention("vault-sdk", name::vault_in(mount, path, None), span));
            }
        });
    };
    read("ault.kv(", &RUBY, 2, 3, "");
    read("ogical.read", &RUBY, 2, 1, "");
    read("ReadSecretAsync", &SHARP, 2, 1, "secret");
    read("kv2::read", &RUST, 1, 2, "");
}

/// `$VAULT_ADDR/v1/database/creds/ro`: any path but those of the system.
fn addressed(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((path, span)) = group(captures, 1).filter(|it| it.0.contains('/')) else {
        return;
    };
    let is_kv = path.contains("/data/") || path.contains("/metadata/");
    if !is_kv
        && !path.starts_with("sys/")
        && !path.starts_with("auth/")
        && !path.starts_with("identity/")
    {
        emit(file.mention("vault-api", name::vault(path, None), span));
    }
}

/// The words of a command after its verb.
#[derive(Default)]
struct Command<'t> {
    mount: &'t str,
    field: Option<&'t str>,
    path: Option<(&'t str, usize)>,
}

impl<'t> Command<'t> {
    /// `[-mount=M] [-field=F] PATH`; what follows the path is not read.
    fn read(words: &'t str) -> Self {
        let mut command = Self::default();
        let mut open = None;
        let found = WORD.regex().map(|it| it.find_iter(words).take(40));
        for word in found.into_iter().flatten() {
            let text = word.as_str().trim_matches(['"', '\'']);
            if let Some(option) = text.strip_prefix('-') {
                let option = option.trim_start_matches('-');
                match option.split_once('=') {
                    Some((option, value)) => command.set(option, value),
                    None => open = Some(option).filter(|it| matches!(*it, "mount" | "field")),
                }
            } else if let Some(option) = open.take() {
                command.set(option, text);
            } else if text != "\\" {
                let start = word.start() + usize::from(text.len() < word.len());
                command.path = Some((text, start));
                break;
            }
        }
        command
    }

    fn set(&mut self, option: &str, value: &'t str) {
        match option {
            "mount" => self.mount = value,
            "field" => self.field = Some(value),
            _ => {}
        }
    }
}

fn command(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let (Some((verb, _)), Some((words, at))) = (group(captures, 1), group(captures, 2)) else {
        return;
    };
    let command = Command::read(words);
    let Some((path, start)) = command.path.filter(|it| !it.0.is_empty()) else {
        return;
    };
    // `vault read` also stands before what is no path: prose, a system endpoint.
    let is_path = path.contains('/') || !command.mount.is_empty() || name::is_open(path);
    let is_system =
        path.starts_with("sys/") || (path.starts_with("auth/") && !verb.starts_with("kv"));
    if is_path && !is_system {
        let span = Span::new(at.start + start, at.start + start + path.len());
        let name = name::vault_in(command.mount, path, command.field);
        emit(file.mention("vault-cli", name, span));
    }
}

/// `{{ with secret "PATH" }}{{ .Data.data.KEY }}{{ end }}`: one mention for each key.
fn template(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some((path, span)) = group(captures, 1).filter(|it| it.0.contains('/')) else {
        return;
    };
    let body = near(file.text, span.end);
    let body = &body[..body
        .find("{{ end")
        .or_else(|| body.find("{{- end"))
        .or_else(|| body.find("{{end"))
        .unwrap_or(body.len())];
    let body = &body[..body.find("secret \"").unwrap_or(body.len())];
    let mut keys: Vec<&str> = FIELD.regex().map_or_else(Vec::new, |regex| {
        regex
            .captures_iter(body)
            .filter_map(|it| it.get(1))
            .map(|it| it.as_str())
            .collect()
    });
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        emit(file.mention("consul-template", name::vault(path, None), span));
    }
    for key in keys {
        emit(file.mention("consul-template", name::vault(path, Some(key)), span));
    }
}

fn near(text: &str, start: usize) -> &str {
    let mut end = (start + REACH).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[start..end]
}

/// `read_secret_version(path="shop/db", mount_point="kv")`; the client's default mount is `secret`.
fn call(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let (Some((arguments, at)), Some(regex)) = (group(captures, 1), ARGUMENT.regex()) else {
        return;
    };
    // Salt has a function of that name, whose paths hold their mount.
    let start = captures.get(0).map_or(0, |it| it.start());
    if file
        .line_before(start)
        .is_some_and(|it| it.contains("salt"))
    {
        return;
    }
    let (mut mount, mut path) = ("secret", None);
    for argument in regex.captures_iter(arguments) {
        let Some((value, span)) = group(&argument, 2) else {
            continue;
        };
        match argument.get(1).map(|it| it.as_str()) {
            Some("mount_point") => mount = value,
            Some("path") | None if path.is_none() => path = Some((value, span)),
            _ => {}
        }
    }
    if let Some((path, span)) = path {
        let span = Span::new(at.start + span.start, at.start + span.end);
        emit(file.mention("vault-sdk", name::vault_in(mount, path, None), span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new(path, text), &mut |it| {
            let mark = if it.dynamic { " ~" } else { "" };
            found.push(format!(
                "{}:{} {}{mark}",
                it.place.line, it.place.column, it.name
            ));
        });
        found
    }

    #[test]
    fn each_way_to_ask_vault() {
        for (path, text, expected) in [
            (
                "a.sh",
                "P=$(vault kv get -mount=kv -field=password shop/db)",
                "1:44 vault:kv/shop/db#password",
            ),
            (
                "a.sh",
                "vault kv get -field password 'kv/shop/db' | x",
                "1:31 vault:kv/shop/db#password",
            ),
            (
                "a.sh",
                "vault read -format=json kv/data/$ENV/db",
                "1:25 vault:kv/*/db ~",
            ),
            (
                "a.sh",
                "vault kv get \\\n  -mount=kv \\\n  shop/db\n",
                "3:3 vault:kv/shop/db",
            ),
            (
                "a.sh",
                "bao kv put kv/shop/db pw=x",
                "1:12 vault:kv/shop/db",
            ),
            (
                "a.sh",
                "curl -H x \"$VAULT_ADDR/v1/kv/data/shop/db\"",
                "1:27 vault:kv/shop/db",
            ),
            (
                "a.hcl",
                "data = \"{{ with secret \\\"kv/data/shop/db\\\" }}\"",
                "1:26 vault:kv/shop/db",
            ),
            (
                "v.yaml",
                "p: ref+vault://kv/shop/db#/password\n",
                "1:16 vault:kv/shop/db#password",
            ),
            (
                "v.yaml",
                "p: <path:kv/data/shop/db#password#3>\n",
                "1:10 vault:kv/shop/db#password@3",
            ),
            (
                "a.py",
                "c.secrets.kv.v2.read_secret_version(\n  path='shop/db', mount_point=\"kv\")",
                "2:9 vault:kv/shop/db",
            ),
            (
                "a.py",
                "c.secrets.kv.v2.read_secret_version('shop/db')",
                "1:38 vault:secret/shop/db",
            ),
            (
                "a.go",
                "s, err := c.KVv2(\"kv\").Get(ctx, \"shop/db\")",
                "1:34 vault:kv/shop/db",
            ),
            (
                "a.go",
                "c.Logical().ReadWithContext(context.Background(), \"kv/data/shop/db\")",
                "1:52 vault:kv/shop/db",
            ),
            (
                "A.java",
                "vault.logical().read(\"kv/data/shop/db\")",
                "1:23 vault:kv/shop/db",
            ),
            (
                "application.yml",
                "import: vault://kv/shop/db\n",
                "1:17 vault:kv/shop/db",
            ),
        ] {
            assert_eq!(names(path, text), [expected], "{text}");
        }
    }

    #[test]
    fn templates_give_each_key() {
        let text = "{{- with secret \"kv/data/shop/db\" -}}\nA={{ .Data.data.user }} B={{ .Data.data.password }}\n{{ end }}{{ .Data.data.other }}";
        assert_eq!(
            names("a.ctmpl", text),
            [
                "1:18 vault:kv/shop/db#password",
                "1:18 vault:kv/shop/db#user"
            ]
        );
    }

    #[test]
    fn what_is_no_secret_of_vault() {
        for text in [
            "# vault kv get kv/shop/db",
            "GET /v1/shop/data/items",
            "vault read the manual",
            "vault write sys/policy/x p.hcl",
            "vault://",
            "my secret \"kv/data/x\"",
        ] {
            assert!(names("a.sh", text).is_empty(), "{text}");
        }
    }
}
