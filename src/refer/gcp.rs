//! Google Secret Manager where a name is put together: Cloud Build's variables, calls of the client
//! libraries, deployments of functions.
//!
//! Builds: <https://cloud.google.com/build/docs/securing-builds/use-secrets>. Resource names, the command
//! line and Cloud Run are read in `cloud` and `kubernetes`.

use crate::model::reference::Mention;
use crate::refer::table::{
    File, Row, defines, has_extension, is_tree, name, read_rows, text, uses,
};
use crate::syntax::yaml::{NodeId, Tree};

pub(super) const ANCHORS: &[&str] = &[
    "availableSecrets",
    "secret_version_path",
    "ecretVersionPath",
    "SecretVersionName",
    "gcloud secrets",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "cloudbuild.yaml",
    "availableSecrets:\n  secretManager:\n  - versionName: projects/shop-prod/secrets/db-pass/versions/latest\n    env: DB_PASSWORD\n",
);

static ROWS: [Row; 3] = [
    defines(
        "gcloud-cli",
        |path| !has_extension(path, &["c", "h", "go"]),
        &["gcloud secrets"],
        r#"\bgcloud\s+secrets\s+(?:create|versions\s+add)\s+["']?([A-Za-z_$][A-Za-z0-9_${}-]{0,254})"#,
        |_, id| Some(name::google(id, "", None).into()),
    ),
    uses(
        "gcp-sdk",
        |path| {
            has_extension(
                path,
                &["py", "js", "ts", "java", "kt", "cs", "php", "rb", "go"],
            )
        },
        &[
            "secret_version_path",
            "ecretVersionPath",
            "SecretVersionName",
        ],
        r#"\b(?:secret_version_path|[sS]ecretVersionPath|SecretVersionName(?:\.of|\.FromProjectSecretSecretVersion)?)\(\s*(?:"([^"\n]{0,64})"|'([^'\n]{0,64})'|[\w.]{1,64})\s*,\s*["'](?P<id>[^"'\n]{1,255})["']\s*(?:,\s*["']([^"'\n]{1,64})["'])?"#,
        |it, id| {
            let project = text(it, 1).or(text(it, 2)).unwrap_or("");
            Some(name::google(id, project, text(it, 4)).into())
        },
    ),
    uses(
        "gcloud-cli",
        |path| !has_extension(path, &["c", "h", "go"]),
        &["gcloud secrets"],
        r#"\bgcloud\s+secrets\s+(?:describe|delete|add-iam-policy-binding)\s+["']?([A-Za-z_$][A-Za-z0-9_${}-]{0,254})"#,
        |_, id| Some(name::google(id, "", None).into()),
    ),
];

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if is_tree(file.path) && file.has_any(&["availableSecrets"]) {
        let tree = file.tree();
        for root in tree.roots() {
            let list = tree.at(*root, &["availableSecrets", "secretManager"]);
            for item in list.map(|it| tree.items(it)).unwrap_or_default() {
                build(file, tree, *item, emit);
            }
        }
    }
}

/// The variable that steps ask for in `secretEnv`.
fn build(file: &File<'_>, tree: &Tree<'_>, item: NodeId, emit: &mut dyn FnMut(Mention)) {
    let Some(node) = tree.get(item, "versionName") else {
        return;
    };
    let id = tree.text(node).unwrap_or("");
    let name = name::google(id, "", None);
    if id.starts_with("projects/") && !name.path.is_empty() {
        let variable = tree.text_at(item, &["env"]);
        emit(Mention {
            yields: variable.map(|it| name::env(it, file.path)),
            consumer: Some(file.path.to_owned()),
            ..file.mention_at("cloud-build-secret", name, node)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn builds_and_clients_name_secrets() {
        for (path, text, expected) in [
            (
                EXAMPLE.0,
                EXAMPLE.1,
                "3 cloud-build-secret gcp-secretmanager:shop-prod/db-pass -> env:cloudbuild.yaml/DB_PASSWORD by cloudbuild.yaml",
            ),
            (
                "a.py",
                "client.secret_version_path(\"shop-prod\", \"db-pass\", \"3\")",
                "1 gcp-sdk gcp-secretmanager:shop-prod/db-pass@3",
            ),
            (
                "A.java",
                "SecretVersionName.of(project, \"db-pass\", \"latest\")",
                "1 gcp-sdk gcp-secretmanager:db-pass",
            ),
            (
                "a.sh",
                "gcloud secrets versions add db-pass --data-file=-",
                "1 gcloud-cli gcp-secretmanager:db-pass def",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for text in ["# secret_version_path(\"a\", \"b\")", "gcloud secrets list"] {
            assert!(told(read, "a.py", text).is_empty(), "{text}");
        }
    }
}
