//! Ansible Vault: whole files, and `!vault` values within YAML. What is sealed is recorded by its name.
//!
//! The header tells the vault id, where there is one: who has its password is a reader. Format:
//! <https://docs.ansible.com/ansible/latest/vault_guide/vault_using_encrypted_content.html>.

use crate::import::intake::{Error, Intake};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::span::Span;
use crate::syntax::yaml::{Content, Fault, NodeId, Tree};

pub(super) const HELP: &str =
    "files of Ansible Vault, or YAML with `!vault` values; a folder: every one below it";

pub(super) const EXAMPLE: &str = "db_user: shop\n\
    db_password: !vault |\n          $ANSIBLE_VAULT;1.2;AES256;prod\n          \
    62313365396662343061393464336163383764373764613633653634306231386433626436623361\n          \
    6134333665353966363534333632666535333761666131620a663537646436643839616531643561\n\
    mail:\n  token: !vault |\n    $ANSIBLE_VAULT;1.1;AES256\n    \
    66386439653236336462626566653063336164663966303231363934653561363964363833313662\n";

const HINT: &str = "name a file that `ansible-vault encrypt` wrote, or YAML with `!vault` values";
const MAGIC: &str = "$ANSIBLE_VAULT;";

pub(super) fn applies(_below: &str) -> bool {
    // Any file may be sealed whole.
    true
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MAGIC.as_bytes()).is_some()
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let text = String::from_utf8_lossy(&input.bytes);
    if let Some(id) = vault_id(&text) {
        intake.emit(record(intake.place(), None, id, 1));
        return Ok(());
    }
    let tree = Tree::read(&text);
    if let Some(Fault::Syntax { line, .. } | Fault::Limit { line }) = &tree.fault {
        return Err(intake.syntax(*line as u64, 1, "this is not YAML, or nested too deep"));
    }
    let mut found = Vec::new();
    for id in tree.all() {
        let node = tree.node(id);
        let Content::Scalar(text) = &node.content else {
            continue;
        };
        if let Some(vault) = vault_id(text) {
            found.push((key(&tree, id), vault.to_owned(), node.span));
        }
    }
    if found.is_empty() {
        return Err(intake.shape("nothing in it is sealed by Ansible Vault", HINT));
    }
    for (key, id, Span { start, .. }) in found {
        intake.emit(record(
            intake.place(),
            Some(&key),
            &id,
            line_of(&text, start),
        ));
    }
    Ok(())
}

/// The id in the header; `default` where there is none.
fn vault_id(text: &str) -> Option<&str> {
    let header = text.trim_start().strip_prefix(MAGIC)?.lines().next()?;
    let mut fields = header.trim_end().split(';');
    let (version, cipher) = (fields.next()?, fields.next()?);
    let is_known = version.starts_with("1.") && cipher.starts_with("AES");
    is_known.then(|| {
        fields
            .next()
            .filter(|it| !it.is_empty())
            .unwrap_or("default")
    })
}

/// The keys above a node, joined with dots; items of lists by their number.
fn key(tree: &Tree<'_>, id: NodeId) -> String {
    let mut parts = Vec::new();
    let mut at = id;
    while let Some(parent) = tree.node(at).parent {
        match tree.node(at).label.and_then(|it| tree.text(it)) {
            Some(label) => parts.push(label.to_owned()),
            None => {
                let number = tree.items(parent).iter().position(|it| *it == at);
                parts.extend(number.map(|it| it.to_string()));
            }
        }
        at = parent;
    }
    parts.reverse();
    parts.join(".")
}

fn line_of(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or_default();
    let breaks = before.iter().filter(|it| **it == b'\n').count();
    u32::try_from(breaks + 1).unwrap_or(u32::MAX)
}

fn record(file: &str, key: Option<&str>, id: &str, line: u32) -> Record {
    let mut secret = SecretName::new("ansible-vault", file);
    secret.key = key.map(str::to_owned);
    Record {
        name: key.map_or_else(|| file.to_owned(), |key| format!("{file}#{key}")),
        secret,
        readers: vec![format!("vault-id:{id}")],
        source_line: Some(line),
        versions: vec![Version {
            number: 1,
            created: None,
            fingerprint: None,
            veil: None,
        }],
        ..Record::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;

    #[test]
    fn values_within_yaml_are_told_by_their_keys() {
        let (records, _) = tried(read, "vars.yml", EXAMPLE.as_bytes()).unwrap();
        let seen: Vec<_> = records
            .iter()
            .map(|it| (it.name.as_str(), it.readers[0].as_str(), it.source_line))
            .collect();
        assert_eq!(
            seen,
            [
                ("vars.yml#db_password", "vault-id:prod", Some(3)),
                ("vars.yml#mail.token", "vault-id:default", Some(8)),
            ]
        );
        let list = "a:\n- x\n- !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6231\n";
        let (records, _) = tried(read, "b.yml", list.as_bytes()).unwrap();
        assert_eq!(records[0].secret.key.as_deref(), Some("a.1"));
    }

    #[test]
    fn a_file_that_is_sealed_whole_is_one_record() {
        let text = "$ANSIBLE_VAULT;1.2;AES256;dev\r\n623133653966\n";
        let (records, _) = tried(read, "tls.key", text.as_bytes()).unwrap();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].name, "tls.key");
        assert_eq!(records[0].readers, ["vault-id:dev"]);
        assert_eq!(
            records[0].secret,
            SecretName::new("ansible-vault", "tls.key")
        );
    }

    #[test]
    fn what_is_not_sealed_is_refused() {
        for text in ["a: b\n", "a: $ANSIBLE_VAULT;x\n", ""] {
            let error = tried(read, "a.yml", text.as_bytes()).unwrap_err();
            assert!(error.hint().unwrap().contains("ansible-vault"), "{text}");
        }
        assert!(tried(read, "a.yml", b"a: [$ANSIBLE_VAULT;\nb: }\n").is_err());
    }
}
