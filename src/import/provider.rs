//! Providers by the names people give them, and the one spelling their secrets' names are brought to.
//!
//! References in code are brought to the same spelling where they are read; nothing else joins the two.

use crate::model::reference::SecretName;

const PROVIDERS: &[(&str, &[&str])] = &[
    ("vault", &["vault", "hashicorp-vault", "openbao", "bao"]),
    (
        "aws-secretsmanager",
        &[
            "aws-secretsmanager",
            "aws-secrets-manager",
            "secretsmanager",
            "aws",
        ],
    ),
    (
        "aws-ssm",
        &["aws-ssm", "ssm", "aws-parameter-store", "parameter-store"],
    ),
    (
        "gcp-secretmanager",
        &["gcp-secretmanager", "gcp-secret-manager", "gcp", "google"],
    ),
    (
        "azure-keyvault",
        &["azure-keyvault", "azure-key-vault", "azure"],
    ),
    ("onepassword", &["onepassword", "1password", "op"]),
    ("kubernetes", &["kubernetes", "k8s"]),
    ("github-actions", &["github-actions", "github", "actions"]),
    ("gitlab-ci", &["gitlab-ci", "gitlab"]),
    ("env", &["env", "environment", "dotenv"]),
];

/// One spelling for a name, the same that references are brought to.
pub(super) fn canonical(provider: &str, scope: &str, path: &str) -> SecretName {
    let lowered = provider.to_ascii_lowercase().replace([' ', '_'], "-");
    let provider = PROVIDERS
        .iter()
        .find(|(_, names)| names.contains(&lowered.as_str()))
        .map_or(lowered.as_str(), |(name, _)| *name);
    let (scope, path) = match provider {
        "vault" => (scope.to_owned(), vault_path(path)),
        "aws-secretsmanager" | "aws-ssm" => aws(scope, path),
        "gcp-secretmanager" => within(scope, path.trim_start_matches("projects/"), "/secrets/"),
        "kubernetes" => within(scope, path, "/"),
        "onepassword" => within(scope, path.trim_start_matches("op://"), "/"),
        "azure-keyvault" => azure(scope, path),
        _ => (scope.to_owned(), path.to_owned()),
    };
    SecretName::new(provider, &path).within(&scope)
}

/// The API's `data/` infix of KV v2 is no part of the name.
fn vault_path(path: &str) -> String {
    let path = path.trim_matches('/');
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(mount), Some("data" | "metadata"), Some(rest)) => format!("{mount}/{rest}"),
        _ => path.to_owned(),
    }
}

/// `SCOPE<between>PATH`, where the table has no column for the scope.
fn within(scope: &str, path: &str, between: &str) -> (String, String) {
    match path.split_once(between) {
        Some((before, rest)) if scope.is_empty() => (before.to_owned(), rest.to_owned()),
        _ => (scope.to_owned(), path.to_owned()),
    }
}

/// `https://VAULT.vault.azure.net/secrets/NAME`; names there have no case.
fn azure(scope: &str, path: &str) -> (String, String) {
    let lowered = path.to_ascii_lowercase();
    match lowered
        .strip_prefix("https://")
        .and_then(|it| it.split_once("/secrets/"))
    {
        Some((host, name)) => {
            let vault = host.split('.').next().unwrap_or(host);
            let name = name.split('/').next().unwrap_or(name);
            (vault.to_owned(), name.to_owned())
        }
        None => (scope.to_ascii_lowercase(), lowered),
    }
}

/// ARNs carry account and region, and for secrets six characters that are no part of the name.
fn aws(scope: &str, path: &str) -> (String, String) {
    let parts: Vec<&str> = path.splitn(6, ':').collect();
    let ["arn", _, service, region, account, name] = parts.as_slice() else {
        let path = if path.starts_with('/') {
            path.trim_matches('/')
        } else {
            path
        };
        return (scope.to_owned(), path.to_owned());
    };
    let name = if *service == "ssm" {
        name.strip_prefix("parameter/").unwrap_or(name)
    } else {
        let name = name.strip_prefix("secret:").unwrap_or(name);
        match name.rsplit_once('-') {
            Some((stem, tail))
                if tail.len() == 6 && tail.bytes().all(|it| it.is_ascii_alphanumeric()) =>
            {
                stem
            }
            _ => name,
        }
    };
    (format!("{account}/{region}"), name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_brought_to_the_spelling_of_references() {
        let cases = [
            ("HashiCorp Vault", "", "kv/data/shop/db", "vault:kv/shop/db"),
            (
                "aws",
                "",
                "arn:aws:secretsmanager:eu-west-1:123456789012:secret:shop/db-AbC123",
                "aws-secretsmanager:123456789012/eu-west-1/shop/db",
            ),
            ("ssm", "", "/shop/db", "aws-ssm:shop/db"),
            (
                "gcp",
                "",
                "projects/42/secrets/db",
                "gcp-secretmanager:42/db",
            ),
            (
                "azure",
                "",
                "https://Shop.vault.azure.net/secrets/DB",
                "azure-keyvault:shop/db",
            ),
            ("k8s", "", "shop/db", "kubernetes:shop/db"),
            ("k8s", "shop", "db", "kubernetes:shop/db"),
            ("1password", "", "op://Shop/db", "onepassword:Shop/db"),
            ("own-store", "", "a/b", "own-store:a/b"),
        ];
        for (provider, scope, path, expected) in cases {
            assert_eq!(canonical(provider, scope, path).to_string(), expected);
        }
    }
}
