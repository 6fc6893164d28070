//! Azure Key Vault in resource templates, container apps and code: deployment parameters, Bicep's
//! `getSecret`, references of App Configuration, the clients of the SDK; keys and certificates by URI.
//!
//! Parameters: <https://learn.microsoft.com/azure/azure-resource-manager/templates/key-vault-parameter>.
//! URIs of secrets, app settings and the command line are read in `cloud`.

use crate::model::reference::{Mention, SecretName};
use crate::model::span::Span;
use crate::refer::table::{
    File, Pattern, Row, any, extension, group, has_extension, is_tree, name, read_rows, text, uses,
};
use crate::syntax::yaml::{NodeId, Tree};
use std::collections::BTreeMap;

pub(super) const ANCHORS: &[&str] = &[
    ".vault.azure.",
    ".vault.usgov",
    "\"secretName\"",
    "getSecret(",
    "SecretClient",
    "keyVaultUrl",
    "etSecretAsync(",
    "etSecret(",
    "get_secret(",
    "az keyvault",
    "Get-AzKeyVaultSecret",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "infra/main.bicep",
    "resource kv 'Microsoft.KeyVault/vaults@2023-07-01' existing = { name: 'shopkv' }\nvar p = kv.getSecret('db-pass')\n",
);

static ROWS: [Row; 3] = [
    uses(
        "azure-uri",
        any,
        &[".vault.azure.", ".vault.usgov"],
        r"\bhttps://([A-Za-z0-9-]{1,64}\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)/(?:keys|certificates)/[A-Za-z0-9-]{1,127}(?:/[0-9a-f]{32})?)",
        |_, id| {
            let mut parts = id.split('/');
            let (vault, kind, object) = (parts.next()?, parts.next()?, parts.next()?);
            Some(name::azure(vault, &format!("{kind}/{object}"), parts.next()).into())
        },
    ),
    uses(
        "azure-cli",
        any,
        &["Get-AzKeyVaultSecret"],
        r#"(?i)\bGet-AzKeyVaultSecret\s+-VaultName\s+["']?([^\s"']{1,64})["']?\s+-Name\s+["']?(?P<id>[^\s"')]{1,127})"#,
        |it, id| Some(name::azure(text(it, 1)?, id, None).into()),
    ),
    uses(
        "azure-cli",
        any,
        &["az keyvault"],
        r#"\baz\s+keyvault\s+(?:key|certificate)\s+(?:show|download)\b[^\n;|]{0,200}?--vault-name[ =]["']?([^\s"']{1,64})["']?\s+(?:--name|-n)[ =]["']?(?P<id>[^\s"')]{1,127})"#,
        |it, id| {
            let kind = match it.get(0)?.as_str().contains("certificate") {
                true => "certificates",
                false => "keys",
            };
            Some(name::azure(text(it, 1)?, &format!("{kind}/{id}"), None).into())
        },
    ),
];

static VAULT: Pattern = Pattern::new(
    r"(?s)\bresource\s+(\w+)\s+'Microsoft\.KeyVault/vaults@[^']*'\s*(?:existing\s*)?=\s*\{.{0,200}?\bname:\s*(?:'([^'\n]+)'|(\w+))",
);
static GET: Pattern = Pattern::new(r"\b(\w+)\.getSecret\(\s*'([^'\n]{1,127})'");
static CALL: Pattern = Pattern::new(
    r#"\.(?:[gG]etSecret(?:Async)?|get_secret|begin_get_secret)\(\s*(?:ctx\s*,\s*|context\.\w+\(\)\s*,\s*)?(?:name\s*[:=]\s*)?["'`]([A-Za-z0-9-]{1,127})["'`]"#,
);
static ENDPOINT: Pattern = Pattern::new(
    r"\bhttps://([A-Za-z0-9-]{1,64})\.vault\.(?:azure\.net|azure\.cn|usgovcloudapi\.net)/?[^A-Za-z0-9/]",
);

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if extension(file.path) == "bicep" && file.has_any(&["getSecret("]) {
        bicep(file, emit);
    }
    if is_tree(file.path) && file.has_any(&["\"secretName\"", "keyVaultUrl"]) {
        let tree = file.tree();
        for id in tree.all() {
            parameter(file, tree, id, emit);
            container_app(file, tree, id, emit);
        }
    }
    if file.has_any(&["SecretClient"]) && has_extension(file.path, CODE) {
        client(file, emit);
    }
}

const CODE: &[&str] = &[
    "cs", "py", "ts", "js", "mjs", "java", "kt", "go", "fs", "vb", "tsx",
];

/// `kv.getSecret('db-pass')`, where `kv` is a vault of the same file.
fn bicep(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let mut vaults = BTreeMap::new();
    file.each(&VAULT, |it| {
        if let Some((symbol, _)) = group(it, 1) {
            vaults.insert(symbol, text(it, 2).unwrap_or(""));
        }
    });
    file.each(&GET, |it| {
        if let (Some((symbol, _)), Some((secret, span))) = (group(it, 1), group(it, 2)) {
            let vault = vaults.get(symbol).copied().unwrap_or("");
            let vault = if vault.contains("${") { "" } else { vault };
            emit(file.mention("bicep-secret", name::azure(vault, secret, None), span));
        }
    });
}

/// `"reference": {"keyVault": {"id": ".../vaults/shopkv"}, "secretName": "db-pass"}`.
fn parameter(file: &File<'_>, tree: &Tree<'_>, id: NodeId, emit: &mut dyn FnMut(Mention)) {
    let (Some(vault), Some(node)) = (
        tree.text_at(id, &["keyVault", "id"]),
        tree.get(id, "secretName"),
    ) else {
        return;
    };
    let vault = vault.rsplit_once("/vaults/").map_or("", |it| it.1);
    let vault = if vault.contains(['[', '\'', '$']) {
        ""
    } else {
        vault
    };
    let secret = tree.text(node).unwrap_or("");
    if !secret.is_empty() && tree.follow(id) == id {
        let name = name::azure(vault, secret, tree.text_at(id, &["secretVersion"]));
        let parameter = tree.node(id).parent.and_then(|it| tree.label(it));
        emit(Mention {
            consumer: parameter.map(|it| format!("parameters.{it}")),
            ..file.mention_at("arm-parameter", name, node)
        });
    }
}

/// Container apps: a secret of a vault gets a name of the app's own, which `secretRef` hands on.
fn container_app(file: &File<'_>, tree: &Tree<'_>, id: NodeId, emit: &mut dyn FnMut(Mention)) {
    if let (Some(node), Some(own)) = (tree.get(id, "keyVaultUrl"), tree.text_at(id, &["name"])) {
        let text = tree.text(node).unwrap_or("");
        let url = text.trim_start_matches("https://");
        let mut parts = url.split('/');
        // Where the reader of URIs sees it, too, so that it is one mention.
        let span = tree.node(tree.follow(node)).span;
        let span = Span::new(span.start + text.len() - url.len(), span.end);
        if let (Some(vault), Some("secrets"), Some(secret)) =
            (parts.next(), parts.next(), parts.next())
        {
            let yields = SecretName::new("container-app", own);
            emit(Mention {
                yields: Some(yields),
                ..file.mention(
                    "container-app-secret",
                    name::azure(vault, secret, parts.next()),
                    span,
                )
            });
        }
    }
    if let (Some(node), Some(variable)) = (tree.get(id, "secretRef"), tree.text_at(id, &["name"]))
        && let Some(own) = tree.text(node).filter(|it| !it.is_empty())
        && file.has_any(&["keyVaultUrl"])
    {
        emit(Mention {
            yields: Some(name::env(variable, "")),
            ..file.mention_at(
                "container-app-secret",
                SecretName::new("container-app", own),
                node,
            )
        });
    }
}

/// Calls of a client; its vault, if the file names just one.
fn client(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if !["KeyVault", "keyvault", "azsecrets"]
        .iter()
        .any(|it| file.text.contains(it))
    {
        return;
    }
    let mut vaults = Vec::new();
    file.each(&ENDPOINT, |it| vaults.extend(text(it, 1)));
    vaults.sort_unstable();
    vaults.dedup();
    let vault = match vaults.as_slice() {
        [one] => one,
        _ => "",
    };
    file.each(&CALL, |it| {
        if let Some((secret, span)) = group(it, 1) {
            emit(file.mention("azure-sdk", name::azure(vault, secret, None), span));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn templates_and_apps_name_vaults() {
        for (path, text, expected) in [
            (
                "p.json",
                "{\"parameters\": {\"pw\": {\"reference\": {\"keyVault\": {\"id\": \"/subscriptions/0/vaults/ShopKV\"}, \"secretName\": \"Db-Pass\"}}}}",
                &["1 arm-parameter azure-keyvault:shopkv/db-pass by parameters.pw"][..],
            ),
            (
                "main.bicep",
                "resource kv 'Microsoft.KeyVault/vaults@2023-07-01' existing = {\n  name: 'ShopKV'\n}\n// kv.getSecret('old')\nvar p = kv.getSecret('db-pass')\n",
                &["5 bicep-secret azure-keyvault:shopkv/db-pass"],
            ),
            (
                "app.yaml",
                "secrets:\n- {name: pw, keyVaultUrl: 'https://shopkv.vault.azure.net/secrets/db-pass'}\nenv:\n- {name: DB_PASSWORD, secretRef: pw}\n",
                &[
                    "2 container-app-secret azure-keyvault:shopkv/db-pass -> container-app:pw",
                    "4 container-app-secret container-app:pw -> env:DB_PASSWORD",
                ],
            ),
        ] {
            assert_eq!(told(read, path, text), expected, "{text}");
        }
    }

    #[test]
    fn clients_and_uris() {
        for (path, text, expected) in [
            (
                "a.cs",
                "using Azure.Security.KeyVault.Secrets;\nvar c = new SecretClient(new Uri(\"https://ShopKV.vault.azure.net/\"), x);\nawait c.GetSecretAsync(\"Db-Pass\");",
                "3 azure-sdk azure-keyvault:shopkv/db-pass",
            ),
            (
                "a.py",
                "from azure.keyvault.secrets import SecretClient\nSecretClient(vault_url=u).get_secret(\"db-pass\")",
                "2 azure-sdk azure-keyvault:db-pass",
            ),
            (
                "a.txt",
                "https://shopkv.vault.azure.net/keys/Sign",
                "1 azure-uri azure-keyvault:shopkv/keys/sign",
            ),
            (
                "a.ps1",
                "Get-AzKeyVaultSecret -VaultName 'ShopKV' -Name 'db-pass'",
                "1 azure-cli azure-keyvault:shopkv/db-pass",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for (path, text) in [
            ("a.py", "store.get_secret(\"db-pass\")"),
            ("a.json", "{\"secretName\": \"db\"}"),
            ("a.bicep", "var a = 'getSecret(x)'"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
