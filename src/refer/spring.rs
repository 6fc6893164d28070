//! Spring: properties that are filled in from the environment, and the parts of Spring Cloud Vault, Azure and
//! Google that are told by settings and not by a URL.
//!
//! Relaxed binding: <https://docs.spring.io/spring-boot/reference/features/external-config.html>; Vault's
//! contexts: <https://docs.spring.io/spring-cloud-vault/reference/config-data.html>. `vault://`,
//! `aws-secretsmanager:` and `sm://` are read in `vault` and `cloud`,
//! `@Value` in `spring_code`.

use crate::model::reference::Mention;
use crate::model::span::Span;
use crate::refer::table::{File, Named, Row, any, extension, file_name, name, read_rows, uses};

/// The path alone decides.
pub(super) const ANCHORS: &[&str] = &[];

pub(super) const EXAMPLE: (&str, &str) = (
    "src/main/resources/application.yml",
    "spring:\n  datasource:\n    password: ${DB_PASSWORD:}\n",
);

static ROWS: [Row; 2] = [
    uses(
        "spring-placeholder",
        any,
        &[],
        r"\$\{([A-Za-z_][A-Za-z0-9_.-]{1,127})[:}]",
        placeholder,
    ),
    uses(
        "spring-gcp",
        any,
        &[],
        r"\$\{sm@([A-Za-z0-9_./-]{1,256})",
        |_, id| {
            let (project, secret) = id.split_once('/').unwrap_or(("", id));
            Some(name::google(secret, project, None).into())
        },
    ),
];

fn placeholder(_: &regex::Captures<'_>, id: &str) -> Option<Named> {
    name::property_looks_secret(id).then(|| name::env(&name::relaxed(id), "").into())
}

/// `application.yml`, `application-prod.properties`, `bootstrap.yml`.
pub(super) fn applies(path: &str) -> bool {
    let name = file_name(path);
    (name.starts_with("application") || name.starts_with("bootstrap"))
        && matches!(extension(name), "yml" | "yaml" | "properties")
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if file.text.contains("cloud") {
        let settings = Settings::read(file);
        settings.vault(file, emit);
        settings.azure(file, emit);
    }
}

/// Properties with their dotted names, from either form of file.
struct Settings(Vec<(String, String, Span)>);

impl Settings {
    fn read(file: &File<'_>) -> Self {
        match extension(file.path) {
            "properties" => Self(lines(file)),
            _ => Self(leaves(file)),
        }
    }

    fn get(&self, wanted: &str) -> Option<(&str, Span)> {
        let found = self.0.iter().find(|it| it.0 == wanted)?;
        (!found.1.is_empty()).then_some((found.1.as_str(), found.2))
    }

    /// A backend with the contexts that Spring asks it for, and roles of engines that make logins.
    fn vault(&self, file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
        let kv = |field: &str| self.get(&format!("spring.cloud.vault.kv.{field}"));
        let mount = kv("backend").map_or("secret", |it| it.0);
        let is_used = self
            .0
            .iter()
            .any(|it| it.0.starts_with("spring.cloud.vault."));
        let name = kv("application-name")
            .or(self.get("spring.cloud.vault.application-name"))
            .or(self.get("spring.application.name").filter(|_| is_used));
        for (context, span) in [kv("default-context"), name].into_iter().flatten() {
            for context in context.split(',') {
                emit(file.mention(
                    "spring-vault",
                    name::vault_in(mount, context.trim(), None),
                    span,
                ));
            }
        }
        for engine in [
            "database",
            "rabbitmq",
            "mysql",
            "postgresql",
            "mongodb",
            "aws",
        ] {
            let field = |it: &str| self.get(&format!("spring.cloud.vault.{engine}.{it}"));
            if let Some((role, span)) = field("role") {
                let mount = field("backend").map_or(engine, |it| it.0);
                let name = name::vault_in(mount, &format!("creds/{role}"), None);
                emit(file.mention("spring-vault", name, span));
            }
        }
    }

    /// A vault as a source of properties: any of its secrets.
    fn azure(&self, file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
        let is_source = |it: &str| {
            it.starts_with("spring.cloud.azure.keyvault.secret.") && it.ends_with("endpoint")
        };
        for (_, endpoint, span) in self.0.iter().filter(|it| is_source(&it.0)) {
            emit(file.mention("spring-azure", name::azure(endpoint, "*", None), *span));
        }
    }
}

fn lines(file: &File<'_>) -> Vec<(String, String, Span)> {
    let mut found = Vec::new();
    let mut at = 0;
    for line in file.text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let Some((key, value)) = line.split_once(['=', ':']) else {
            continue;
        };
        if !key.trim_start().starts_with(['#', '!']) {
            let text = value.trim();
            let from = start + key.len() + 1 + (value.len() - value.trim_start().len());
            found.push((
                key.trim().to_owned(),
                text.to_owned(),
                Span::new(from, from + text.len()),
            ));
        }
    }
    found
}

fn leaves(file: &File<'_>) -> Vec<(String, String, Span)> {
    let tree = file.tree();
    let mut found = Vec::new();
    for id in tree.all().filter(|id| tree.label(*id).is_some()) {
        let Some(text) = tree.text(id) else { continue };
        let mut labels = Vec::new();
        let mut node = Some(id);
        while let Some(at) = node {
            labels.extend(tree.label(at));
            node = tree.node(at).parent;
        }
        labels.reverse();
        found.push((
            labels.join("."),
            text.to_owned(),
            tree.node(tree.follow(id)).span,
        ));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn settings_and_code_are_filled_in() {
        for (path, text, expected) in [
            (
                "application.yml",
                "spring:\n  datasource:\n    password: ${DB_PASSWORD:}\n    url: ${DB_HOST}\n",
                "3 spring-placeholder env:DB_PASSWORD",
            ),
            (
                "application-prod.properties",
                "# a=${OLD_TOKEN}\nx=${shop.api-key}\n",
                "2 spring-placeholder env:SHOP_APIKEY",
            ),
            (
                "application.yml",
                "key: ${sm@shop-prod/db-pass}\n",
                "1 spring-gcp gcp-secretmanager:shop-prod/db-pass",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        let other = "name: ${APP_NAME}\nport: ${server.port}\n# x: ${OLD_TOKEN}\n";
        assert!(told(read, "application.yml", other).is_empty());
    }

    #[test]
    fn vault_is_told_by_settings() {
        let yaml = "spring:\n  cloud:\n    vault:\n      kv: {backend: kv, default-context: shop}\n      database: {role: ro}\n";
        assert_eq!(
            told(read, "bootstrap.yml", yaml),
            [
                "4 spring-vault vault:kv/shop",
                "5 spring-vault vault:database/creds/ro"
            ]
        );
        let properties =
            "spring.application.name=orders\nspring.cloud.vault.uri=https://vault.example\n";
        assert_eq!(
            told(read, "application.properties", properties),
            ["1 spring-vault vault:secret/orders"]
        );
        let azure = "spring.cloud.azure.keyvault.secret.property-sources[0].endpoint=https://ShopKV.vault.azure.net/\n";
        assert_eq!(
            told(read, "application.properties", azure),
            ["1 spring-azure azure-keyvault:shopkv/* ~"]
        );
        assert!(
            told(
                read,
                "application.properties",
                "spring.application.name=x\nspring.cloud.config.uri=y\n"
            )
            .is_empty()
        );
    }
}
