//! Canonical names of secret objects: one spelling for what vendors spell in several ways.
//!
//! Knows no file format; `file.rs` hands these on to the readers.

pub(super) use crate::refer::words::{looks_secret, property_looks_secret};

use crate::model::reference::SecretName;

/// Whether part of a name is filled in at run time: a template, a variable, a wildcard.
pub(super) fn is_open(text: &str) -> bool {
    text.contains(['$', '{', '<', '*', '`'])
        || ["%s", "%v", "%d", "%{"].iter().any(|it| text.contains(it))
}

/// The name with a `*` for each part that is filled in.
pub(super) fn pattern(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = hole(rest);
        if length == 0 {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        } else {
            if !out.ends_with('*') {
                out.push('*');
            }
            rest = &rest[length..];
        }
    }
    out
}

/// How many bytes at the start of a text are filled in later; none if they are as written.
fn hole(text: &str) -> usize {
    for (open, close) in [
        ("${{", "}}"),
        ("{{", "}}"),
        ("${", "}"),
        ("#{", "}"),
        ("%{", "}"),
        ("$(", ")"),
        ("{", "}"),
        ("<", ">"),
        ("`", "`"),
    ] {
        if let Some(inner) = text.strip_prefix(open) {
            let nested = inner.find('{').filter(|_| open == "${");
            let end = match (nested, inner.find(close)) {
                // `${a:${b}}` ends with its second brace.
                (Some(nested), Some(end)) if nested < end => {
                    inner[end + 1..].find(close).map(|it| end + 1 + it)
                }
                (_, end) => end,
            };
            return open.len() + end.map_or(inner.len(), |it| it + close.len());
        }
    }
    if let Some(name) = text.strip_prefix('$') {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        return 1 + name.find(|c| !is_part(c)).unwrap_or(name.len());
    }
    if ["%s", "%v", "%d"].iter().any(|it| text.starts_with(it)) {
        return 2;
    }
    text.len() - text.trim_start_matches(['*', '?']).len()
}

/// A Vault name: mount and path in one, without the `data/` infix of KV v2's API.
pub(super) fn vault(path: &str, key: Option<&str>) -> SecretName {
    let path = path.trim_matches('/');
    let path = path.strip_prefix("v1/").unwrap_or(path);
    let mut parts = path.splitn(3, '/');
    let name = match (parts.next(), parts.next(), parts.next()) {
        (Some(mount), Some("data" | "metadata"), Some(rest)) => format!("{mount}/{rest}"),
        _ => path.to_owned(),
    };
    keyed(SecretName::new("vault", &name), key)
}

/// A Vault name of which the mount stands apart.
pub(super) fn vault_in(mount: &str, path: &str, key: Option<&str>) -> SecretName {
    let mount = mount.trim_matches('/');
    let path = path.trim_matches('/');
    let below = path.strip_prefix(mount).and_then(|it| it.strip_prefix('/'));
    let path = if mount.is_empty() {
        path
    } else {
        below.unwrap_or(path)
    };
    let path = ["data/", "metadata/"]
        .iter()
        .find_map(|infix| path.strip_prefix(infix))
        .unwrap_or(path);
    if mount.is_empty() {
        return vault(path, key);
    }
    keyed(SecretName::new("vault", &format!("{mount}/{path}")), key)
}

/// The same with a key, if there is one.
pub(super) fn keyed(name: SecretName, key: Option<&str>) -> SecretName {
    match key {
        Some(key) if !key.is_empty() => name.with_key(key),
        _ => name,
    }
}

/// The same with a version, if one is pinned; `latest` pins none.
pub(super) fn pinned(mut name: SecretName, version: Option<&str>) -> SecretName {
    name.version = version
        .filter(|it| !it.is_empty() && !it.eq_ignore_ascii_case("latest") && *it != "AWSCURRENT")
        .map(str::to_owned);
    name
}

/// AWS Secrets Manager by name or by ARN (`...:secret:name-AbC123:json-key:stage:version`).
pub(super) fn aws_secret(id: &str) -> SecretName {
    let Some((scope, rest)) = arn(id, "secretsmanager") else {
        return SecretName::new("aws-secretsmanager", id);
    };
    let rest = rest.strip_prefix("secret:").unwrap_or(rest);
    let mut parts = rest.splitn(4, ':');
    let name = without_suffix(parts.next().unwrap_or(""));
    // `db-*` of a policy is the secret `db` with any suffix, and every one whose name goes on.
    let name = match name.strip_suffix("-*") {
        Some(stem) => format!("{stem}*"),
        None => name.to_owned(),
    };
    let name = SecretName::new("aws-secretsmanager", &name).within(&scope);
    let name = keyed(name, parts.next());
    let (stage, version) = (parts.next(), parts.next());
    let version = version.filter(|it| !it.is_empty()).or(stage);
    pinned(name, version)
}

/// SSM Parameter Store by name or by ARN. An ARN does not tell `/shop` from `shop`; neither do we.
pub(super) fn aws_parameter(id: &str) -> SecretName {
    let (scope, name) = match arn(id, "ssm") {
        Some((scope, rest)) => (scope, rest.strip_prefix("parameter/").unwrap_or(rest)),
        None => (String::new(), id),
    };
    let (name, version) = match name.split_once(':') {
        // `${self:stage}` has a colon of its own.
        Some((name, version)) if !is_open(name) => (name, Some(version)),
        _ => (name, None),
    };
    if let Some(secret) = name
        .trim_start_matches('/')
        .strip_prefix("aws/reference/secretsmanager/")
    {
        return aws_secret(secret).within(&scope);
    }
    let name = name.trim_matches('/');
    pinned(SecretName::new("aws-ssm", name).within(&scope), version)
}

/// `account/region` and the resource part of an ARN.
fn arn<'t>(id: &'t str, service: &str) -> Option<(String, &'t str)> {
    let mut parts = id.splitn(6, ':');
    let (head, _partition) = (parts.next()?, parts.next()?);
    if head != "arn" || parts.next()? != service {
        return None;
    }
    let (region, account) = (parts.next()?, parts.next()?);
    let scope = match (account, region) {
        ("", "") => String::new(),
        (account, region) => format!("{account}/{region}"),
    };
    Some((scope, parts.next()?))
}

/// Takes off the hyphen and six random characters that AWS appends to a name in an ARN.
fn without_suffix(name: &str) -> &str {
    let open = name.trim_end_matches('?');
    if open.len() < name.len() {
        return open.strip_suffix('-').unwrap_or(name);
    }
    match name.rsplit_once('-') {
        Some((stem, tail))
            if tail.len() == 6 && tail.bytes().all(|it| it.is_ascii_alphanumeric()) =>
        {
            stem
        }
        _ => name,
    }
}

/// Google Secret Manager: `projects/P/secrets/S[/versions/V]`, or a bare name.
pub(super) fn google(id: &str, project: &str, version: Option<&str>) -> SecretName {
    // A regional secret has its location between project and name.
    let is_place = |part: &&str, before: &str| before != "locations" && *part != "locations";
    let all: Vec<&str> = id.trim_matches('/').split('/').collect();
    let before = std::iter::once("").chain(all.iter().copied());
    let mut parts = all
        .iter()
        .copied()
        .zip(before)
        .filter(|(part, before)| is_place(part, before))
        .map(|it| it.0);
    if id.starts_with("projects/") {
        let (project, secret) = (parts.nth(1).unwrap_or(""), parts.nth(1).unwrap_or(""));
        let version = parts.nth(1).or(version);
        return pinned(
            SecretName::new("gcp-secretmanager", secret).within(project),
            version,
        );
    }
    pinned(
        SecretName::new("gcp-secretmanager", id).within(project),
        version,
    )
}

/// Azure Key Vault; names are case-insensitive there, so they are lowered here.
pub(super) fn azure(vault: &str, secret: &str, version: Option<&str>) -> SecretName {
    let vault = vault.trim_start_matches("https://");
    let vault = vault.split('.').next().unwrap_or("").to_ascii_lowercase();
    let name = SecretName::new("azure-keyvault", &secret.to_ascii_lowercase());
    pinned(name.within(&vault), version)
}

/// 1Password: the vault is the scope, the item the path, section and field the key.
pub(super) fn onepassword(path: &str) -> Option<SecretName> {
    let path = path.split('?').next().unwrap_or("");
    let (vault, rest) = path.split_once('/')?;
    let (item, field) = rest.split_once('/').map_or((rest, ""), |it| it);
    if vault.is_empty() || item.is_empty() {
        return None;
    }
    let name = SecretName::new("onepassword", item).within(vault);
    Some(keyed(name, Some(field.trim_end_matches('/'))))
}

/// An environment variable, of a workload or of whoever runs the code. Two underscores stand for the colon
/// of .NET's settings, which are compared without case.
pub(super) fn env(variable: &str, scope: &str) -> SecretName {
    if variable.contains("__") {
        return SecretName::new("env", &variable.to_ascii_uppercase()).within(scope);
    }
    SecretName::new("env", variable).within(scope)
}

/// The value of a chart that a whole text asks for, within the folder of the chart.
pub(super) fn helm_value(path: &str, text: &str) -> Option<SecretName> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    let inner = inner.trim_matches(['-', ' ']);
    let inner = inner.strip_prefix("tpl ").unwrap_or(inner);
    let value = inner.split([' ', '|']).next()?.strip_prefix(".Values.")?;
    let chart = path
        .rfind("templates/")
        .map(|at| path[..at].trim_end_matches('/'))?;
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
    value
        .chars()
        .all(is_plain)
        .then(|| SecretName::new("helm-value", value).within(chart))
}

/// The variable that sets a property in Spring: `shop.api-key` is `SHOP_APIKEY`.
/// See <https://docs.spring.io/spring-boot/reference/features/external-config.html>.
pub(super) fn relaxed(property: &str) -> String {
    if !property.contains(['.', '-', '[']) {
        return property.to_owned();
    }
    let plain = property.replace('-', "").replace(['[', '.'], "_");
    plain.replace(']', "").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vault_paths_have_one_spelling() {
        for (given, expected) in [
            ("kv/data/shop/db", "kv/shop/db"),
            ("/kv/metadata/shop/db/", "kv/shop/db"),
            ("v1/kv/data/shop", "kv/shop"),
            ("kv/shop/data", "kv/shop/data"),
            ("kv/data", "kv/data"),
        ] {
            assert_eq!(vault(given, None).path, expected, "{given}");
        }
        for (mount, path) in [
            ("kv", "shop/db"),
            ("kv/", "/kv/data/shop/db"),
            ("kv", "data/shop/db"),
            ("", "kv/data/shop/db"),
        ] {
            assert_eq!(
                vault_in(mount, path, Some("k")).to_string(),
                "vault:kv/shop/db#k",
                "{mount} {path}"
            );
        }
    }

    #[test]
    fn holes_become_stars() {
        for (given, expected) in [
            ("shop-${env}-db", "shop-*-db"),
            ("shop/{{ .Values.stage }}/db", "shop/*/db"),
            ("$STAGE/db", "*/db"),
            ("kv/%s/{x}", "kv/*/*"),
            ("a/${b:${c}}/d", "a/*/d"),
            ("a${b}$c", "a*"),
            ("${open", "*"),
        ] {
            assert!(is_open(given), "{given}");
            assert_eq!(pattern(given), expected, "{given}");
        }
        assert!(!is_open("shop/db-1.x"));
    }

    #[test]
    fn cloud_ids_have_one_spelling() {
        let secret = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:";
        let shop = "aws-secretsmanager:123456789012/eu-west-1/shop/db";
        for (id, expected) in [
            (format!("{secret}shop/db-AbC123"), shop.to_owned()),
            (format!("{secret}shop/db-??????"), shop.to_owned()),
            (format!("{secret}shop/db-*"), format!("{shop}*")),
            (
                format!("{secret}shop/db-AbC123:password::"),
                format!("{shop}#password"),
            ),
            (
                format!("{secret}shop/db-AbC123:password:AWSPREVIOUS:"),
                format!("{shop}#password@AWSPREVIOUS"),
            ),
            (
                "shop/db".to_owned(),
                "aws-secretsmanager:shop/db".to_owned(),
            ),
        ] {
            assert_eq!(aws_secret(&id).to_string(), expected, "{id}");
        }
        for (id, expected) in [
            (
                "arn:aws:ssm:eu-west-1:123456789012:parameter/shop/db",
                "aws-ssm:123456789012/eu-west-1/shop/db",
            ),
            ("/shop/db:3", "aws-ssm:shop/db@3"),
            (
                "/aws/reference/secretsmanager/shop/db",
                "aws-secretsmanager:shop/db",
            ),
        ] {
            assert_eq!(aws_parameter(id).to_string(), expected, "{id}");
        }
        assert_eq!(
            google("projects/p/secrets/s/versions/7", "", None).to_string(),
            "gcp-secretmanager:p/s@7"
        );
        assert_eq!(
            google("s", "p", Some("latest")).to_string(),
            "gcp-secretmanager:p/s"
        );
        assert_eq!(
            azure("https://ShopKV.vault.azure.net", "Db-Pass", None).to_string(),
            "azure-keyvault:shopkv/db-pass"
        );
        let op = |path| onepassword(path).map(|it| it.to_string());
        assert_eq!(
            op("Shop/db/login/password?attribute=otp").as_deref(),
            Some("onepassword:Shop/db#login/password")
        );
        assert_eq!(op("Shop"), None);
    }
}
