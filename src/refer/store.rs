//! Stores of External Secrets: the references that go through one get the name of the system behind.
//!
//! Works over all references of a scan, since a store is often written in another file or repository.

use crate::model::reference::{Reference, SecretName};
use crate::refer::name;
use std::collections::BTreeMap;

const STORE: &str = "external-secrets-store";

/// Rewrites the names of references through a store (`external-secrets-store`) into the names of the
/// store's own provider. Of several stores of one name that of the same repository counts; where
/// stores disagree or none was found, a reference keeps its name and stays dynamic.
pub fn resolve_stores(references: &mut [Reference]) {
    let stores = Stores::read(references);
    for reference in references {
        let mention = &mut reference.mention;
        if mention.name.provider != STORE {
            continue;
        }
        let repository = reference.origin.repository.as_deref();
        if let Some(store) = stores.find(&mention.name.scope, repository) {
            mention.name = behind(store, &mention.name);
            mention.dynamic = name::is_open(&mention.name.path);
        }
    }
}

/// Stores by name, and by repository and name; `None` where two of one name disagree.
#[derive(Default)]
struct Stores {
    anywhere: BTreeMap<String, Option<SecretName>>,
    within: BTreeMap<(String, String), Option<SecretName>>,
}

impl Stores {
    fn read(references: &[Reference]) -> Self {
        let mut stores = Self::default();
        for reference in references {
            let Some(yields) = reference.mention.yields.as_ref() else {
                continue;
            };
            if reference.mention.syntax != "secret-store" || yields.provider != STORE {
                continue;
            }
            let name = &reference.mention.name;
            let repository = reference.origin.repository.clone().unwrap_or_default();
            put(&mut stores.anywhere, yields.scope.clone(), name);
            put(&mut stores.within, (repository, yields.scope.clone()), name);
        }
        stores
    }

    fn find(&self, scope: &str, repository: Option<&str>) -> Option<&SecretName> {
        let own = (repository.unwrap_or_default().to_owned(), scope.to_owned());
        let found = self.within.get(&own).or_else(|| self.anywhere.get(scope));
        found.and_then(Option::as_ref)
    }
}

fn put<K: Ord>(stores: &mut BTreeMap<K, Option<SecretName>>, key: K, name: &SecretName) {
    let kept = stores.entry(key).or_insert_with(|| Some(name.clone()));
    if kept.as_ref() != Some(name) {
        *kept = None;
    }
}

/// The name that a path has in the system behind a store.
fn behind(store: &SecretName, remote: &SecretName) -> SecretName {
    let key = remote.key.as_deref();
    let mut name = match store.provider.as_str() {
        "vault" => name::vault_in(&store.path, &remote.path, key),
        "aws-ssm" => name::keyed(name::aws_parameter(&remote.path), key),
        "aws-secretsmanager" => name::keyed(name::aws_secret(&remote.path), key),
        "gcp-secretmanager" => name::keyed(name::google(&remote.path, &store.scope, None), key),
        "azure-keyvault" => {
            let secret = remote.path.strip_prefix("secret/").unwrap_or(&remote.path);
            name::keyed(name::azure(&store.scope, secret, None), key)
        }
        provider => {
            let path = match store.path.as_str() {
                "" => remote.path.clone(),
                folder => format!("{folder}/{}", remote.path.trim_matches('/')),
            };
            name::keyed(SecretName::new(provider, &path).within(&store.scope), key)
        }
    };
    name.version = remote.version.clone().or(name.version);
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::{Origin, OriginKind};

    fn references(files: &[(&str, &str)]) -> Vec<Reference> {
        let mut found = Vec::new();
        for (repository, text) in files {
            for mention in crate::refer::read(
                "a.yaml",
                text.as_bytes(),
                crate::syntax::literals::Seen::ALL,
                &mut |it| panic!("{it}"),
            ) {
                let origin =
                    Origin::plain(OriginKind::File, "a.yaml", Some((*repository).to_owned()));
                found.push(Reference {
                    path: "a.yaml".to_owned(),
                    mention,
                    origin,
                });
            }
        }
        found
    }

    fn external(store: &str) -> String {
        format!(
            "kind: ExternalSecret\nmetadata: {{name: shop}}\nspec:\n  secretStoreRef: {{name: {store}}}\n  data: [{{secretKey: a, remoteRef: {{key: shop/db, property: pw}}}}]\n"
        )
    }

    fn store(name: &str, provider: &str) -> String {
        format!("kind: SecretStore\nmetadata: {{name: {name}}}\nspec: {{provider: {provider}}}\n")
    }

    fn resolved(store_repository: &str, provider: &str) -> (String, bool) {
        let mut found = references(&[
            ("app", &external("s")),
            (store_repository, &store("s", provider)),
        ]);
        resolve_stores(&mut found);
        let mention = &found[0].mention;
        (mention.name.to_string(), mention.dynamic)
    }

    #[test]
    fn names_go_through_their_store() {
        for (provider, expected) in [
            ("{vault: {path: kv}}", "vault:kv/shop/db#pw"),
            ("{vault: {path: kv/data}}", "vault:kv/data/shop/db#pw"),
            ("{vault: {}}", "vault:shop/db#pw"),
            (
                "{aws: {service: SecretsManager, region: eu-west-1}}",
                "aws-secretsmanager:shop/db#pw",
            ),
            ("{aws: {service: ParameterStore}}", "aws-ssm:shop/db#pw"),
            (
                "{gcpsm: {projectID: shop-prod}}",
                "gcp-secretmanager:shop-prod/shop/db#pw",
            ),
            (
                "{onepassword: {vaults: {Shop: 1}}}",
                "onepassword:Shop/shop/db#pw",
            ),
        ] {
            assert_eq!(resolved("platform", provider), (expected.to_owned(), false));
        }
    }

    #[test]
    fn unknown_and_disputed_stores_stay_open() {
        let mut unknown = references(&[
            ("app", &external("s")),
            ("app", &store("t", "{vault: {path: kv}}")),
        ]);
        resolve_stores(&mut unknown);
        assert!(unknown[0].mention.dynamic);
        assert_eq!(unknown[0].mention.name.provider, STORE);

        let kv = store("s", "{vault: {path: kv}}");
        let other = store("s", "{vault: {path: other}}");
        let mut disputed = references(&[("app", &external("s")), ("a", &kv), ("b", &other)]);
        resolve_stores(&mut disputed);
        assert!(disputed[0].mention.dynamic);

        let mut own = references(&[("app", &external("s")), ("app", &kv), ("b", &other)]);
        resolve_stores(&mut own);
        assert_eq!(own[0].mention.name.to_string(), "vault:kv/shop/db#pw");
    }
}
