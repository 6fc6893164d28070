//! Files that are encrypted where they lie: SOPS, Ansible Vault, age, BlackBox, git-crypt and transcrypt. They
//! define secrets and are no leak.
//!
//! SOPS keeps the names of fields readable: <https://getsops.io/docs/>. `git-crypt` and `transcrypt` are told
//! by `.gitattributes`. What the ciphertext looks like is known in `syntax/sealed`.

use crate::model::reference::{Mention, Role, SecretName};
use crate::model::span::Span;
use crate::refer::table::{File, Pattern, Row, any, defines, file_name, is_tree, name, read_rows};

pub(super) const ANCHORS: &[&str] = &[
    "ENC[AES256_GCM",
    "$ANSIBLE_VAULT;",
    "BEGIN AGE ENCRYPTED",
    "filter=git-crypt",
    "filter=crypt",
    "ENC[PKCS7,",
    "encrypted:",
];

pub(super) const EXAMPLE: (&str, &str) = (
    "deploy/db.enc.yaml",
    "password: ENC[AES256_GCM,data:eA==,type:str]\nsops:\n  lastmodified: '2026-01-01T00:00:00Z'\n",
);

static ROWS: [Row; 3] = [
    defines(
        "git-attributes",
        |path| file_name(path) == ".gitattributes",
        &["filter=git-crypt", "filter=crypt"],
        r"(?m)^[ \t]*([^\s#!]{1,256})[ \t][^\n]{0,200}?\bfilter=(?:git-crypt|crypt)\b",
        |_, id| Some(SecretName::new("file", id.trim_start_matches('/')).into()),
    ),
    defines(
        "eyaml",
        |path| is_tree(path) || path.ends_with(".eyaml"),
        &["ENC[PKCS7,"],
        r#"(?m)^[ \t]*["']?([A-Za-z_][A-Za-z0-9_:.-]{0,127})["']?[ \t]*:[ \t]*(?:>-?|\|)?\s*["']?ENC\[PKCS7,"#,
        |_, id| Some(SecretName::new("hiera", id).into()),
    ),
    defines(
        "dotenvx",
        any,
        &["encrypted:"],
        r#"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]{0,127})=["']?encrypted:"#,
        |_, id| Some(name::env(id, "").into()),
    ),
];

static SOPS_LINE: Pattern = Pattern::new(
    r#"(?m)^[ \t]*["']?([A-Za-z_][A-Za-z0-9_.-]{0,127})["']?[ \t]*[=:][ \t]*["']?ENC\[AES256_GCM,"#,
);
static ANSIBLE: Pattern = Pattern::new(
    r"(?m)^[ \t]*([A-Za-z_][A-Za-z0-9_]{0,127})[ \t]*:[ \t]*!vault[ \t]*\|-?[ \t]*\r?\n[ \t]*\$ANSIBLE_VAULT;",
);

pub(super) fn applies(_path: &str) -> bool {
    true
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    read_rows(file, &ROWS, emit);
    if file.has_any(&["ENC[AES256_GCM"]) && file.text.contains("ENC[AES256_GCM,data:") {
        sops(file, emit);
    }
    if file.has_any(&["$ANSIBLE_VAULT;"]) {
        ansible(file, emit);
    }
    if file.has_any(&["BEGIN AGE ENCRYPTED"])
        && file.text.starts_with("-----BEGIN AGE ENCRYPTED FILE-----")
    {
        whole(file, "age-file", emit);
    }
}

fn defined(mention: Mention) -> Mention {
    Mention {
        role: Role::Definition,
        yields: None,
        ..mention
    }
}

/// The file itself is the secret.
fn whole(file: &File<'_>, syntax: &'static str, emit: &mut dyn FnMut(Mention)) {
    let end = file.text.find('\n').unwrap_or(file.text.len());
    let name = SecretName::new("file", file.path);
    emit(defined(file.mention(syntax, name, Span::new(0, end))));
}

/// Each encrypted field, with the labels that lead to it.
fn sops(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let tree = file.tree();
    // An INI or dotenv file of SOPS keeps its own facts as `sops_mac` and the like.
    if !is_tree(file.path) {
        if file.text.contains("sops_") || file.text.contains("[sops]") {
            file.each(&SOPS_LINE, |captures| {
                if let Some(found) = captures
                    .get(1)
                    .filter(|it| !it.as_str().starts_with("sops_") && it.as_str() != "mac")
                {
                    let name = SecretName::new("file", file.path).with_key(found.as_str());
                    let span = Span::new(found.start(), found.end());
                    emit(defined(file.mention("sops", name, span)));
                }
            });
        }
        return;
    }
    for root in tree.roots() {
        if tree.get(*root, "sops").is_none() {
            continue;
        }
        for id in tree.walk(*root) {
            let is_sealed = tree
                .text(id)
                .is_some_and(|it| it.starts_with("ENC[AES256_GCM,"));
            let mut labels = Vec::new();
            let mut at = Some(id).filter(|_| is_sealed);
            while let Some(node) = at {
                labels.extend(tree.label(node));
                at = tree.node(node).parent;
            }
            labels.reverse();
            if labels.first().is_some_and(|it| *it != "sops") {
                let name = SecretName::new("file", file.path).with_key(&labels.join("."));
                emit(defined(file.mention_at("sops", name, id)));
            }
        }
    }
}

/// A whole file, or variables with `!vault`.
fn ansible(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    if file.text.starts_with("$ANSIBLE_VAULT;") {
        return whole(file, "ansible-vault", emit);
    }
    file.each(&ANSIBLE, |captures| {
        if let Some(found) = captures.get(1) {
            let span = Span::new(found.start(), found.end());
            let name = SecretName::new("ansible", found.as_str());
            emit(defined(file.mention("ansible-vault", name, span)));
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refer::table::told;

    #[test]
    fn encrypted_files_define_their_fields() {
        for (path, text, expected) in [
            (
                "db.enc.yaml",
                "db:\n  password: ENC[AES256_GCM,data:eA==,type:str]\nsops:\n  mac: ENC[AES256_GCM,data:eQ==,type:str]\n",
                "2 sops file:db.enc.yaml#db.password def",
            ),
            (
                "db.enc.env",
                "DB_PASSWORD=ENC[AES256_GCM,data:eA==,type:str]\nsops_mac=ENC[AES256_GCM,data:eQ==,type:str]\n",
                "1 sops file:db.enc.env#DB_PASSWORD def",
            ),
            (
                "vault.yml",
                "$ANSIBLE_VAULT;1.1;AES256\n6162\n",
                "1 ansible-vault file:vault.yml def",
            ),
            (
                "vars.yml",
                "user: x\ndb_password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n",
                "2 ansible-vault ansible:db_password def",
            ),
            (
                ".gitattributes",
                "*.txt text\nsecrets/** filter=git-crypt diff=git-crypt\n",
                "2 git-attributes file:secrets/* def ~",
            ),
            (
                "common.eyaml",
                "shop::password: >\n  ENC[PKCS7,eA==]\n",
                "1 eyaml hiera:shop::password def",
            ),
            (
                "key.age",
                "-----BEGIN AGE ENCRYPTED FILE-----\n",
                "1 age-file file:key.age def",
            ),
        ] {
            assert_eq!(told(read, path, text), [expected], "{text}");
        }
        for (path, text) in [
            ("a.yaml", "a: ENC[AES256_GCM,data:eA==,type:str]\n"),
            (".gitattributes", "# x filter=git-crypt\n*.png filter=lfs\n"),
            ("a.py", "if text.startswith('$ANSIBLE_VAULT;'):"),
        ] {
            assert!(told(read, path, text).is_empty(), "{text}");
        }
    }
}
