//! When two names mean the same secret object: one canonical form for hashing, one comparison.
//!
//! Not here: who passes what on to whom; that is `join`.

use crate::model::record::CompleteScope;
use crate::model::reference::SecretName;

/// Provider and path in the form they are hashed by.
pub(super) type Address = (String, String);

/// The address of a name: same object, same address, whatever the place calls it.
pub(super) fn address(name: &SecretName) -> Address {
    let provider = name.provider.to_lowercase();
    let path = canonical_path(&provider, &name.path);
    (provider, path)
}

/// The path as its provider compares it.
pub(super) fn canonical_path(provider: &str, path: &str) -> String {
    let path = path.trim_matches('/');
    match provider {
        "vault" => without_infix(path),
        _ if ignores_case(provider) => path.to_lowercase(),
        _ => path.to_owned(),
    }
}

/// GitHub stores names of secrets in upper case; Azure compares names of vaults and secrets without case.
fn ignores_case(provider: &str) -> bool {
    matches!(provider, "github-actions" | "azure-keyvault")
}

/// KV v2 puts `data/` or `metadata/` behind the mount in its HTTP paths.
fn without_infix(path: &str) -> String {
    let Some((mount, rest)) = path.split_once('/') else {
        return path.to_owned();
    };
    ["data/", "metadata/"]
        .iter()
        .find_map(|infix| rest.strip_prefix(infix))
        .map_or_else(|| path.to_owned(), |rest| format!("{mount}/{rest}"))
}

/// Whether scopes agree: an empty one says nothing, and one with a variable in it may be any.
pub(super) fn scopes_agree(one: &str, other: &str) -> bool {
    let is_open = |it: &str| it.is_empty() || it.contains('*');
    is_open(one) || is_open(other) || one.eq_ignore_ascii_case(other)
}

/// Whether scopes agree as their provider spells them.
pub(super) fn agree_within(provider: &str, one: &str, other: &str) -> bool {
    match provider {
        "gcp-secretmanager" => projects_agree(one, other),
        "infisical" => slugs_agree(one, other),
        _ => scopes_agree(one, other),
    }
}

/// Whether both name a scope, and the same.
pub(super) fn is_one_scope(provider: &str, one: &str, other: &str) -> bool {
    let is_named = !one.is_empty() && !other.is_empty();
    let is_slug = provider == "infisical" && !one.contains('*') && slugs_agree(one, other);
    is_named && (one.eq_ignore_ascii_case(other) || is_slug)
}

/// Infisical's exports name the environment alone, its operator the project before it.
fn slugs_agree(one: &str, other: &str) -> bool {
    let environment = |it: &str| it.rsplit('/').next().unwrap_or_default().to_owned();
    match one.contains('/') == other.contains('/') {
        true => scopes_agree(one, other),
        false => scopes_agree(&environment(one), &environment(other)),
    }
}

/// Google knows a project by its id in code and by its number in its own lists; one does not tell the other.
fn projects_agree(one: &str, other: &str) -> bool {
    let is_number = |it: &str| !it.is_empty() && it.bytes().all(|it| it.is_ascii_digit());
    is_number(one) != is_number(other) || scopes_agree(one, other)
}

/// Whether fields agree: no field, or `*`, means the whole secret.
pub(super) fn keys_agree(provider: &str, one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (None | Some("*"), _) | (_, None | Some("*")) => true,
        (Some(one), Some(other)) if ignores_case(provider) => one.eq_ignore_ascii_case(other),
        (Some(one), Some(other)) => one == other,
    }
}

/// Whether two names of equal [`address`] mean the same object, or one a part of the other.
pub(super) fn agree(one: &SecretName, other: &SecretName) -> bool {
    agree_within(&one.provider, &one.scope, &other.scope)
        && keys_agree(&one.provider, one.key.as_deref(), other.key.as_deref())
}

/// Whether the name lies where an import declared itself complete. The prefix is one of the path, or of
/// the path behind its scope.
pub(super) fn lies_within(name: &SecretName, complete: &CompleteScope) -> bool {
    let (provider, path) = address(name);
    if !complete.provider.eq_ignore_ascii_case(&provider) {
        return false;
    }
    let prefix = canonical_path(&provider, &complete.prefix);
    let scoped = format!("{}/{path}", name.scope);
    [path.as_str(), scoped.as_str()]
        .iter()
        .any(|it| under(it, &prefix))
}

/// Whether a path is the prefix or lies below it: `kv` holds `kv/shop`, not `kv2/shop`.
fn under(path: &str, prefix: &str) -> bool {
    prefix.is_empty()
        || path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_object_has_one_address() {
        for (provider, one, other) in [
            ("vault", "kv/data/shop/db", "kv/shop/db"),
            ("vault", "kv/metadata/shop/db", "/kv/shop/db/"),
            ("github-actions", "deploy_token", "DEPLOY_TOKEN"),
            ("azure-keyvault", "Db-Pass", "db-pass"),
            ("aws-ssm", "/shop/db", "shop/db"),
        ] {
            assert_eq!(
                address(&SecretName::new(provider, one)),
                address(&SecretName::new(provider, other)),
                "{provider} {one}"
            );
        }
        assert_ne!(
            address(&SecretName::new("env", "db")),
            address(&SecretName::new("env", "DB"))
        );
    }

    #[test]
    fn a_complete_scope_holds_whole_folders() {
        let kv = |prefix: &str| CompleteScope {
            provider: "vault".to_owned(),
            prefix: prefix.to_owned(),
        };
        for (path, prefix, holds) in [
            ("kv/shop/db", "kv/", true),
            ("kv/data/shop/db", "kv/shop", true),
            ("kv/shop/db", "", true),
            ("kv2/shop/db", "kv", false),
        ] {
            assert_eq!(
                lies_within(&SecretName::new("vault", path), &kv(prefix)),
                holds,
                "{path} {prefix}"
            );
        }
        assert!(!lies_within(&SecretName::new("aws-ssm", "kv/x"), &kv("kv")));
        let scoped = SecretName::new("kubernetes", "db").within("shop");
        let shop = CompleteScope {
            provider: "kubernetes".to_owned(),
            prefix: "shop".to_owned(),
        };
        assert!(lies_within(&scoped, &shop));
    }

    #[test]
    fn scopes_and_keys_narrow_only_where_both_speak() {
        let whole = SecretName::new("kubernetes", "db");
        let key = whole.clone().within("shop").with_key("password");
        assert!(agree(&whole, &key));
        assert!(!agree(&key, &whole.clone().within("web")));
        assert!(!agree(&key, &whole.clone().with_key("user")));
        let google = |project: &str| SecretName::new("gcp-secretmanager", "db").within(project);
        assert!(agree(&google("shop-prod"), &google("123456789012")));
        assert!(!agree(&google("shop-prod"), &google("shop-test")));
        assert!(!agree(&google("42"), &google("43")));
        assert!(agree(&google("*"), &google("shop-prod")));
        let slug = |scope: &str| SecretName::new("infisical", "db").within(scope);
        assert!(agree(&slug("shop/prod"), &slug("prod")));
        assert!(!agree(&slug("shop/prod"), &slug("dev")));
        assert!(!agree(&slug("shop/prod"), &slug("web/prod")));
    }
}
