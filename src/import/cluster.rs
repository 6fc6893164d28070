//! Objects of a cluster that make Secrets without holding their values: SealedSecret, ExternalSecret,
//! SecretProviderClass, and certificates of cert-manager. Each declares the Secret that it makes.
//!
//! Shapes: the API pages of Sealed Secrets, <https://external-secrets.io/latest/api/externalsecret/>,
//! <https://secrets-store-csi-driver.sigs.k8s.io/topics/sync-as-kubernetes-secret>,
//! <https://cert-manager.io/docs/reference/api-docs/>. Not here: Secrets themselves.

use crate::import::intake;
use crate::import::tree::Tree;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;

/// Kinds that are read here.
pub(super) const KINDS: &[&str] = &[
    "Certificate",
    "ExternalSecret",
    "SealedSecret",
    "SecretProviderClass",
];

/// The Secrets that an object makes, key by key; nothing where it makes none or is another's kind.
pub(super) fn declared(tree: &Tree) -> Vec<Record> {
    let kind = tree.text_at(&["kind"]).unwrap_or("");
    let group = tree.text_at(&["apiVersion"]).unwrap_or("");
    let Some(name) = tree.text_at(&["metadata", "name"]) else {
        return Vec::new();
    };
    match kind {
        "SealedSecret" => sealed(tree, name),
        "ExternalSecret" => external(tree, name),
        "SecretProviderClass" => provided(tree, name),
        // Other groups have kinds of this name too.
        "Certificate" if group.starts_with("cert-manager.io/") => certificate(tree, name),
        _ => Vec::new(),
    }
}

/// A Secret of the object's namespace, made by it; `key` is empty for the whole.
fn made(tree: &Tree, secret: &str, key: &str) -> Record {
    let namespace = tree.text_at(&["metadata", "namespace"]).unwrap_or("");
    let path = match namespace {
        "" => secret.to_owned(),
        _ => format!("{namespace}/{secret}"),
    };
    let by = format!(
        "{}/{}",
        tree.text_at(&["kind"]).unwrap_or(""),
        tree.text_at(&["metadata", "name"]).unwrap_or("")
    );
    let mut record = Record {
        name: path.clone(),
        secret: SecretName::new("kubernetes", secret).within(namespace),
        created: time(tree, &["metadata", "creationTimestamp"]),
        tags: [("made_by".to_owned(), by)].into(),
        ..Record::default()
    };
    if !key.is_empty() {
        record.name = format!("{path}#{key}");
        record.secret.key = Some(key.to_owned());
        record.versions = vec![Version {
            number: 1,
            created: None,
            fingerprint: None,
            veil: None,
        }];
    }
    record
}

fn time(tree: &Tree, path: &[&str]) -> Option<i64> {
    tree.text_at(path).and_then(intake::moment)
}

fn items<'a>(tree: &'a Tree, path: &[&str]) -> &'a [Tree] {
    tree.at(path).map_or(&[][..], Tree::items)
}

fn sealed(tree: &Tree, name: &str) -> Vec<Record> {
    let name = tree
        .text_at(&["spec", "template", "metadata", "name"])
        .unwrap_or(name);
    let data = tree
        .at(&["spec", "encryptedData"])
        .map_or(&[][..], Tree::members);
    data.iter().map(|(key, _)| made(tree, name, key)).collect()
}

fn external(tree: &Tree, name: &str) -> Vec<Record> {
    let target = tree.text_at(&["spec", "target", "name"]).unwrap_or(name);
    let store = tree
        .text_at(&["spec", "secretStoreRef", "name"])
        .unwrap_or("");
    let whole = |mut record: Record| {
        for (tag, path) in [
            ("refreshed", &["status", "refreshTime"][..]),
            ("refresh_interval", &["spec", "refreshInterval"]),
        ] {
            if let Some(text) = tree.text_at(path) {
                record.tags.insert(tag.to_owned(), text.to_owned());
            }
        }
        record
    };
    let mut records = Vec::new();
    for item in items(tree, &["spec", "data"]) {
        let Some(key) = item.text_at(&["secretKey"]) else {
            continue;
        };
        let mut record = whole(made(tree, target, key));
        if let Some(remote) = item.text_at(&["remoteRef", "key"]) {
            let property = item.text_at(&["remoteRef", "property"]);
            let property = property.map(|it| format!("#{it}")).unwrap_or_default();
            record
                .tags
                .insert("remote".to_owned(), format!("{store}:{remote}{property}"));
        }
        records.push(record);
    }
    // Which keys `dataFrom` brings, only the store knows.
    if records.is_empty() && !items(tree, &["spec", "dataFrom"]).is_empty() {
        records.push(whole(made(tree, target, "")));
    }
    records
}

fn provided(tree: &Tree, _name: &str) -> Vec<Record> {
    let provider = tree.text_at(&["spec", "provider"]).unwrap_or("");
    let mut records = Vec::new();
    for object in items(tree, &["spec", "secretObjects"]) {
        let Some(secret) = object.text_at(&["secretName"]) else {
            continue;
        };
        for item in items(object, &["data"]) {
            if let Some(key) = item.text_at(&["key"]) {
                let mut record = made(tree, secret, key);
                let remote = item.text_at(&["objectName"]).unwrap_or("");
                record
                    .tags
                    .insert("remote".to_owned(), format!("{provider}:{remote}"));
                records.push(record);
            }
        }
    }
    records
}

fn certificate(tree: &Tree, name: &str) -> Vec<Record> {
    let secret = tree.text_at(&["spec", "secretName"]).unwrap_or(name);
    let issued = time(tree, &["status", "notBefore"]);
    let policy = tree.text_at(&["spec", "privateKey", "rotationPolicy"]);
    let kinds = [
        ("tls.crt", Kind::Certificate),
        ("tls.key", Kind::PrivateKey),
    ];
    kinds
        .map(|(key, kind)| {
            let mut record = made(tree, secret, key);
            record.kind = Some(kind);
            record.expires =
                time(tree, &["status", "notAfter"]).filter(|_| kind == Kind::Certificate);
            // The key stays the same at a renewal, unless it is told to change.
            let is_new = kind == Kind::Certificate || policy == Some("Always");
            record.rotated = issued.filter(|_| is_new);
            for (tag, path) in [
                ("issuer", &["spec", "issuerRef", "name"][..]),
                ("duration", &["spec", "duration"]),
                ("renewal", &["status", "renewalTime"]),
            ] {
                if let Some(text) = tree.text_at(path) {
                    record.tags.insert(tag.to_owned(), text.to_owned());
                }
            }
            record
        })
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::tree;

    fn read(text: &str) -> Vec<Record> {
        let options = intake::Options::default();
        let mut ignore = |_| {};
        let intake = intake::Intake::new("x", None, &options, &mut ignore);
        let documents = tree::yaml(text.as_bytes(), &intake).unwrap();
        documents.iter().flat_map(declared).collect()
    }

    #[test]
    fn each_kind_declares_the_secret_it_makes() {
        let records = read(
            "kind: SealedSecret\nmetadata: {name: a, namespace: shop}\nspec:\n  encryptedData: {user: AgX, pass: AgY}\n---\n\
            kind: ExternalSecret\nmetadata: {name: b, namespace: shop}\nspec:\n  secretStoreRef: {name: vault}\n  target: {name: b-made}\n\
            \x20 data:\n  - secretKey: password\n    remoteRef: {key: shop/db, property: pass}\nstatus: {refreshTime: 2026-02-01T00:00:00Z}\n---\n\
            kind: ExternalSecret\nmetadata: {name: c}\nspec:\n  dataFrom:\n  - extract: {key: shop}\n---\n\
            kind: SecretProviderClass\nmetadata: {name: d, namespace: shop}\nspec:\n  provider: azure\n  secretObjects:\n  - secretName: d-made\n\
            \x20   data:\n    - {objectName: db-pass, key: password}\n---\n\
            apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: e, namespace: shop}\nspec: {secretName: e-tls, duration: 2160h0m0s, issuerRef: {name: ca}}\n\
            status: {notBefore: 2026-01-01T00:00:00Z, notAfter: 2026-04-01T00:00:00Z}\n---\n\
            apiVersion: networking.internal.knative.dev/v1\nkind: Certificate\nmetadata: {name: other}\n---\nkind: SealedSecret\n",
        );
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "shop/a#user",
                "shop/a#pass",
                "shop/b-made#password",
                "c",
                "shop/d-made#password",
                "shop/e-tls#tls.crt",
                "shop/e-tls#tls.key",
            ]
        );
        assert_eq!(records[0].tags["made_by"], "SealedSecret/a");
        assert_eq!(records[2].tags["remote"], "vault:shop/db#pass");
        assert_eq!(records[2].tags["refreshed"], "2026-02-01T00:00:00Z");
        assert_eq!(records[4].tags["remote"], "azure:db-pass");
        let certificate = &records[5];
        assert_eq!(
            (certificate.rotated, certificate.expires),
            (Some(1_767_225_600), Some(1_775_001_600))
        );
        assert_eq!(certificate.tags["duration"], "2160h0m0s");
        assert_eq!((records[6].rotated, records[6].expires), (None, None));
    }
}
