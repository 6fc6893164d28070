//! Frameworks' own stores of secrets: credentials of Rails, user secrets and settings of .NET, Symfony's
//! variables and vault, Laravel's configuration, Play's settings.
//!
//! <https://guides.rubyonrails.org/security.html>,
//! <https://learn.microsoft.com/aspnet/core/fundamentals/configuration/> (a colon is `__` in a variable),
//! <https://symfony.com/doc/current/configuration/secrets.html>. Spring has files of its own.

use crate::model::reference::{Mention, SecretName};
use crate::refer::table::{
    File, Named, Row, any, commands, defines, has_extension, name, read_rows, uses,
};

pub(super) const ANCHORS: &[&str] = &[
    "application.credentials",
    "UserSecretsId",
    "onfiguration[\"",
    "GetConnectionString(",
    "%env(",
    "secrets:set",
    "config('",
    "${?",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "app/models/shop.rb",
    "key = Rails.application.credentials.dig(:db, :password)\n",
);

static ROWS: [Row; 9] = [
    uses(
        "rails-credentials",
        is_ruby,
        &["application.credentials"],
        r"\bapplication\.credentials\.(?:dig|fetch)\(\s*([^()\n]{1,200})\)",
        |_, id| rails(id),
    ),
    uses(
        "rails-credentials",
        is_ruby,
        &["application.credentials"],
        r"\bapplication\.credentials((?:\.[a-z_][A-Za-z0-9_]*!?|\[:[A-Za-z0-9_]+\]){1,6})",
        |_, id| {
            let first = id.trim_start_matches('.').split(['.', '[', '!']).next();
            let is_method = matches!(
                first,
                Some("dig" | "fetch" | "config" | "to_h" | "read" | "present" | "key" | "blank")
            );
            (!is_method).then(|| rails(id)).flatten()
        },
    ),
    uses(
        "dotnet-user-secrets",
        |path| has_extension(path, &["csproj", "fsproj", "vbproj", "props"]),
        &["UserSecretsId"],
        r"<UserSecretsId>\s*([^<\s]{1,128})\s*</UserSecretsId>",
        |_, id| Some(SecretName::new("dotnet-user-secrets", id).into()),
    ),
    uses(
        "dotnet-configuration",
        is_dotnet,
        &["onfiguration[\""],
        r#"\b[cC]onfiguration\["([A-Za-z][A-Za-z0-9_.:-]{1,127})"\]"#,
        |_, id| {
            let variable = id.replace(':', "__");
            Some(name::env(&variable, "").into()).filter(|_| name::property_looks_secret(id))
        },
    ),
    uses(
        "dotnet-configuration",
        is_dotnet,
        &["GetConnectionString("],
        r#"\bGetConnectionString\(\s*"([A-Za-z][A-Za-z0-9_.-]{0,127})""#,
        |_, id| Some(name::env(&format!("ConnectionStrings__{id}"), "").into()),
    ),
    uses(
        "symfony-env",
        |path| has_extension(path, &["yaml", "yml", "xml", "php"]),
        &["%env("],
        r"%env\((?:[a-z_]+:){0,6}([A-Za-z_][A-Za-z0-9_]{0,127})\)%",
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
    defines(
        "symfony-secret",
        commands,
        &["secrets:set"],
        r"\bconsole\s+secrets:set\s+(?:--\S+\s+)?([A-Za-z_][A-Za-z0-9_]{0,127})",
        |_, id| Some(name::env(id, "").into()),
    ),
    uses(
        "laravel-config",
        |path| has_extension(path, &["php"]),
        &["config('"],
        r"\bconfig\('([a-z][A-Za-z0-9_.-]{1,127})'",
        |_, id| {
            let last = id.rsplit('.').next().unwrap_or(id);
            let is_secret = name::property_looks_secret(last) && id.contains('.');
            is_secret.then(|| SecretName::new("laravel", id).into())
        },
    ),
    uses(
        "hocon-env",
        |path| has_extension(path, &["conf"]),
        &["${?"],
        r"\$\{\?([A-Za-z_][A-Za-z0-9_]{0,127})\}",
        |_, id| Some(name::env(id, "").into()).filter(|_| name::looks_secret(id)),
    ),
];

fn is_ruby(path: &str) -> bool {
    has_extension(path, &["rb", "erb", "rake", "yml", "haml", "slim"])
}

fn is_dotnet(path: &str) -> bool {
    has_extension(path, &["cs", "fs", "vb", "cshtml", "razor"])
}

/// `:db, :password` and `.db[:password]` are `db/password`.
fn rails(text: &str) -> Option<Named> {
    let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_';
    let parts: Vec<&str> = text
        .split(|it| !is_part(it))
        .filter(|it| !it.is_empty())
        .collect();
    (!parts.is_empty()).then(|| SecretName::new("rails", &parts.join("/")).into())
}

pub(super) fn applies(path: &str) -> bool {
    any(path)
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn each_framework_has_its_store() {
        for (path, text, expected) in [
            (
                "a.rb",
                "Rails.application.credentials.dig(:db, :password)",
                "1 rails-credentials rails:db/password",
            ),
            (
                "a.rb",
                "Rails.application.credentials.db[:password]",
                "1 rails-credentials rails:db/password",
            ),
            (
                "a.csproj",
                "<UserSecretsId>shop-api-dev</UserSecretsId>",
                "1 dotnet-user-secrets dotnet-user-secrets:shop-api-dev",
            ),
            (
                "a.cs",
                "var k = builder.Configuration[\"Shop:ApiKey\"];",
                "1 dotnet-configuration env:SHOP__APIKEY",
            ),
            (
                "a.cs",
                "Configuration.GetConnectionString(\"Shop\")",
                "1 dotnet-configuration env:CONNECTIONSTRINGS__SHOP",
            ),
            (
                "a.yaml",
                "url: '%env(resolve:DATABASE_URL)%'",
                "1 symfony-env env:DATABASE_URL",
            ),
            (
                "a.sh",
                "php bin/console secrets:set DB_PASSWORD",
                "1 symfony-secret env:DB_PASSWORD def",
            ),
            (
                "a.php",
                "config('services.stripe.secret')",
                "1 laravel-config laravel:services.stripe.secret",
            ),
            (
                "a.conf",
                "db.password = ${?DB_PASSWORD}",
                "1 hocon-env env:DB_PASSWORD",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
    }

    #[test]
    fn other_settings_are_silent() {
        for (path, text) in [
            ("a.rb", "# Rails.application.credentials.db"),
            (
                "a.cs",
                "Configuration[\"Logging:Level\"]; // Configuration[\"Api:Key\"]",
            ),
            ("a.php", "config('app.name'); config('key');"),
            ("a.yaml", "x: '%env(APP_ENV)%'"),
            ("a.js", "config('services.stripe.secret')"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
