//! 1Password: `op item list --format json`, and `op item get - --format json` for fields and values.
//!
//! The vault is who can read, for want of more. Shapes: <https://developer.1password.com/docs/cli/item-json-structure>.

use crate::import::declared;
use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const HELP: &str =
    "1Password: `op item list --format json`, or piped into `op item get -`";

pub(super) const EXAMPLE: &str = r#"[{"id": "aaaaexampleitemoneaaaaaaaa", "title": "db", "version": 3, "vault": {"id": "vvvvexample", "name": "Shop"},
  "category": "DATABASE", "last_edited_by": "UUUUEXAMPLE", "created_at": "2024-01-05T10:00:00Z",
  "updated_at": "2025-11-30T08:00:00Z", "tags": ["owner:ann", "env:production", "billing"]},
 {"id": "bbbbexampleitemtwobbbbbbbb", "title": "old", "version": 1, "vault": {"id": "vvvvexample", "name": "Shop"},
  "category": "SECURE_NOTE", "created_at": "2023-01-05T10:00:00Z", "updated_at": "2023-01-05T10:00:00Z"}]
{"id": "aaaaexampleitemoneaaaaaaaa", "title": "db", "version": 3, "vault": {"id": "vvvvexample", "name": "Shop"},
 "category": "DATABASE", "last_edited_by": "UUUUEXAMPLE", "created_at": "2024-01-05T10:00:00Z",
 "updated_at": "2025-11-30T08:00:00Z", "tags": ["owner:ann", "env:production", "billing"],
 "sections": [{"id": "admin", "label": "admin"}],
 "fields": [
  {"id": "username", "type": "STRING", "purpose": "USERNAME", "label": "username", "value": "shop_service_login",
   "reference": "op://Shop/db/username"},
  {"id": "password", "type": "CONCEALED", "purpose": "PASSWORD", "label": "password", "value": "correct horse 71 battery",
   "reference": "op://Shop/db/password"},
  {"id": "token", "section": {"id": "admin", "label": "admin"}, "type": "CONCEALED", "label": "token",
   "value": "tok_example_5f0e3a9b"},
  {"id": "expires", "type": "DATE", "label": "expires", "value": "1798761600"},
  {"id": "notesPlain", "type": "STRING", "purpose": "NOTES", "label": "notesPlain", "value": "call ann"}]}
"#;

const HINT: &str = "make it with `op item list --format json`, or with values: `op item list --format json | op item get - --format json`";

/// Types of fields that hold what machines consume.
const TYPES: &[&str] = &["CONCEALED", "OTP", "SSHKEY", "STRING", "EMAIL"];

pub(super) fn applies(below: &str) -> bool {
    below.ends_with(".json")
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"\"vault\"").is_some()
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    let mut items: BTreeMap<&str, (u32, &Tree)> = BTreeMap::new();
    for (line, document) in &documents {
        let several = document.items();
        let one = several.is_empty() && document.is_map();
        for item in several.iter().chain(one.then_some(document)) {
            let Some(id) = item
                .text_at(&["id"])
                .filter(|_| item.text_at(&["title"]).is_some())
            else {
                let what = format!("an entry behind line {line} has no `id` and `title`");
                return Err(intake.shape(what, HINT));
            };
            let known = items.entry(id).or_insert((*line, item));
            // The list names items, and `get` knows their fields.
            if item.member("fields").is_some() {
                *known = (*line, item);
            }
        }
    }
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    let mut names = BTreeSet::new();
    for (id, (line, item)) in &items {
        let mut draft = draft(item);
        draft.source_line = Some(*line);
        if !names.insert(draft.name.clone()) {
            draft.name = format!("{} ({id})", draft.name);
        }
        fields(item, &draft, intake);
    }
    Ok(())
}

fn draft(item: &Tree) -> Record {
    let title = item.text_at(&["title"]).unwrap_or("");
    let vault = item
        .text_at(&["vault", "name"])
        .or_else(|| item.text_at(&["vault", "id"]))
        .unwrap_or("");
    let time = |name: &str| item.text_at(&[name]).and_then(intake::moment);
    let mut record = Record {
        name: format!("{vault}/{title}"),
        secret: SecretName::new("onepassword", title).within(vault),
        created: time("created_at"),
        rotated: time("updated_at"),
        readers: vec![format!("vault:{vault}")],
        ..Record::default()
    };
    for (tag, name) in [
        ("category", "category"),
        ("last_edited_by", "last_edited_by"),
        ("item", "id"),
    ] {
        if let Some(text) = item.text_at(&[name]) {
            record.tags.insert(tag.to_owned(), text.to_owned());
        }
    }
    let mut words = Vec::new();
    for tag in item
        .member("tags")
        .map_or(&[][..], Tree::items)
        .iter()
        .filter_map(Tree::text)
    {
        match tag.split_once([':', '=', '/']) {
            Some((name, text)) if declared::take(&mut record, name, text) => {}
            _ => words.push(tag),
        }
    }
    if !words.is_empty() {
        record.tags.insert("tags".to_owned(), words.join(","));
    }
    record
}

/// A record for each field that holds something, or one for the item.
fn fields(item: &Tree, draft: &Record, intake: &mut Intake<'_>) {
    let fields = item.member("fields").map_or(&[][..], Tree::items);
    let mut draft = draft.clone();
    let expires = fields.iter().find(|it| {
        let label = it.text_at(&["label"]).unwrap_or("").to_ascii_lowercase();
        matches!(
            label.as_str(),
            "expires" | "expiry" | "expiry date" | "expires at"
        )
    });
    if let Some(end) = expires
        .and_then(|it| it.text_at(&["value"]))
        .and_then(intake::moment)
    {
        draft.expires = Some(end);
    }
    let mut keys = BTreeSet::new();
    for field in fields {
        let kind = field.text_at(&["type"]).unwrap_or("");
        let is_note = field.text_at(&["purpose"]) == Some("NOTES");
        let Some(value) = field.member("value").and_then(Tree::value) else {
            continue;
        };
        let key = key(field, &draft.secret);
        if value.is_empty() || is_note || !TYPES.contains(&kind) || !keys.insert(key.clone()) {
            continue;
        }
        let mut record = draft.clone();
        record.name = format!("{}#{key}", draft.name);
        record.secret.key = Some(key);
        record.kind = (kind != "STRING" && kind != "EMAIL")
            .then(|| kind_of(item, field))
            .flatten();
        record.versions = vec![Version {
            number: 1,
            created: None,
            fingerprint: intake.fingerprint(&value),
            veil: None,
        }];
        intake.emit(record);
    }
    if keys.is_empty() {
        intake.emit(draft);
    }
}

/// What stands behind vault and item in a reference.
fn key(field: &Tree, item: &SecretName) -> String {
    let prefix = format!("op://{}/{}/", item.scope, item.path);
    let written = field
        .text_at(&["reference"])
        .and_then(|it| it.strip_prefix(&prefix));
    if let Some(key) = written {
        return key.to_owned();
    }
    let label = field
        .text_at(&["label"])
        .or_else(|| field.text_at(&["id"]))
        .unwrap_or("field");
    match field.text_at(&["section", "label"]) {
        Some(section) => format!("{section}/{label}"),
        None => label.to_owned(),
    }
}

fn kind_of(item: &Tree, field: &Tree) -> Option<Kind> {
    match (item.text_at(&["category"])?, field.text_at(&["type"])?) {
        (_, "SSHKEY") => Some(Kind::PrivateKey),
        ("LOGIN" | "PASSWORD" | "DATABASE" | "SERVER", "CONCEALED") => Some(Kind::Password),
        ("API_CREDENTIAL", "CONCEALED") => Some(Kind::ApiToken),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::tried;
    use crate::model::fingerprint::Fingerprinter;

    #[test]
    fn items_fields_and_what_tags_declare_are_read() {
        let (records, totals) = tried(read, "items.json", EXAMPLE.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "Shop/db#username",
                "Shop/db#password",
                "Shop/db#admin/token",
                "Shop/old"
            ]
        );
        let password = &records[1];
        assert_eq!(
            password.secret,
            SecretName::new("onepassword", "db")
                .within("Shop")
                .with_key("password")
        );
        assert_eq!(password.owners, ["ann"]);
        assert_eq!(password.readers, ["vault:Shop"]);
        assert_eq!(password.environment.as_deref(), Some("production"));
        assert_eq!(password.tags["tags"], "billing");
        assert_eq!(password.kind, Some(Kind::Password));
        assert_eq!(password.expires, Some(1_798_761_600));
        assert_eq!(password.rotated, Some(1_764_489_600));
        let seal = Fingerprinter::new([3; 32]);
        assert_eq!(
            password.versions[0].fingerprint,
            Some(seal.fingerprint(b"correct horse 71 battery"))
        );
        assert_eq!((totals.records, totals.values), (4, 3));
    }

    #[test]
    fn items_of_one_title_are_kept_apart() {
        let text = r#"[{"id": "1", "title": "a", "vault": {"name": "V"}}, {"id": "2", "title": "a", "vault": {"name": "V"}}]"#;
        let (records, _) = tried(read, "x", text.as_bytes()).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(names, ["V/a", "V/a (2)"]);
        for text in ["", "{}", "[{\"title\": \"x\"}]"] {
            assert!(tried(read, "x", text.as_bytes()).is_err(), "{text}");
        }
        assert!(tried(read, "x", b"[]").unwrap().0.is_empty());
    }
}
