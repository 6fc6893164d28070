//! Vault and OpenBao: what `kv metadata get`, `kv get` and `read` print, wrapped with the path they leave out.
//!
//! What is no KV is the work of `vault_engines.rs`.
//! Also the common ground of exports and live servers: an [`Object`] is built from either.

use crate::import::intake::{self, Error, Intake};
use crate::import::tree::{self, Tree};
use crate::import::vault_engines::{self as engines, Certificates, Thing};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use crate::model::rule::Kind;
use std::collections::{BTreeMap, BTreeSet};

pub(super) const HELP: &str = "Vault or OpenBao exports: entries of path, metadata and data, as JSON or JSON Lines; or --addr";

pub(super) const EXAMPLE: &str = r#"{"path": "kv/shop/db",
 "metadata": {"request_id": "1", "data": {"created_time": "2024-01-05T10:00:00.123456789Z", "current_version": 3, "oldest_version": 1,
  "custom_metadata": {"owner": "ann", "team": "team-shop", "environment": "production", "rotate_days": "90", "cost-centre": "4711"},
  "versions": {"1": {"created_time": "2024-01-05T10:00:00Z", "deletion_time": "", "destroyed": true},
   "2": {"created_time": "2025-06-30T08:00:00Z", "deletion_time": "", "destroyed": false},
   "3": {"created_time": "2025-11-30T08:00:00Z", "deletion_time": "", "destroyed": false}}}},
 "data": [
  {"request_id": "2", "data": {"data": {"username": "shop_service_login", "password": "wrong donkey 17 capacitor"},
   "metadata": {"version": 2, "created_time": "2025-06-30T08:00:00Z", "destroyed": false, "deletion_time": ""}}},
  {"request_id": "3", "data": {"data": {"username": "shop_service_login", "password": "correct horse 71 battery"},
   "metadata": {"version": 3, "created_time": "2025-11-30T08:00:00Z", "destroyed": false, "deletion_time": ""}}}]}
{"path": "kv/shop/mail", "data": {"api_key": "tok_example_5f0e3a9b"}}
{"path": "kv/shop/old", "metadata": {"created_time": "2023-01-05T10:00:00Z", "current_version": 1,
 "custom_metadata": {"expires": "2026-06-01"}, "versions": {"1": {"created_time": "2023-01-05T10:00:00Z", "destroyed": false}}}}
"#;

const HINT: &str = "wrap each secret as {\"path\": \"kv/shop/db\", \"metadata\": <kv metadata get -format=json>, \"data\": <kv get -format=json>}, in an array or one a line";

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let documents = tree::json(&input.bytes, intake)?;
    let mut found = Vec::new();
    for (line, document) in &documents {
        match document {
            Tree::List(items) => found.extend(items.iter().map(|it| (*line, None, it))),
            _ if document.text_at(&["path"]).is_some() => found.push((*line, None, document)),
            _ if is_keyed_by_path(document) => {
                let members = document.members().iter();
                found.extend(members.map(|(path, it)| (*line, Some(path.as_str()), it)));
            }
            _ => found.push((*line, None, document)),
        }
    }
    if documents.is_empty() {
        return Err(intake.shape("the export is empty", HINT));
    }
    let mut objects: BTreeMap<String, Object<'_>> = BTreeMap::new();
    let mut others = Others::default();
    for (index, (line, path, tree)) in found.into_iter().enumerate() {
        let Some(path) = path.or_else(|| tree.text_at(&["path"])) else {
            return Err(intake.shape(
                format!("entry {} (line {line}) has no `path`", index + 1),
                HINT,
            ));
        };
        if others.take(path, tree, line, intake) {
            continue;
        }
        let path = full_path(tree.text_at(&["mount"]), path);
        let object = objects.entry(path).or_default();
        object.line.get_or_insert(line);
        object.take(tree);
    }
    for (path, object) in &objects {
        object.emit(path, "", intake);
    }
    let records = others.records.into_iter();
    for record in records.chain(others.certificates.into_records()) {
        intake.emit(record);
    }
    Ok(())
}

/// What is no KV.
#[derive(Default)]
struct Others {
    records: Vec<Record>,
    certificates: Certificates,
}

impl Others {
    /// Whether the entry was one of these.
    fn take(&mut self, path: &str, tree: &Tree, line: u32, intake: &mut Intake<'_>) -> bool {
        let Some(mut data) = tree.member("data") else {
            return false;
        };
        // What `read -format=json` prints around it.
        if data.member("request_id").is_some() || data.member("lease_id").is_some() {
            data = data.member("data").unwrap_or(data);
        }
        let path = path.trim_matches('/');
        let mut record = match engines::thing(path, data) {
            None => return false,
            Some(Thing::Certificate) => {
                if !self.certificates.add(path, data, intake) {
                    intake.skip(&format!("{path}: this certificate cannot be read"));
                }
                return true;
            }
            Some(Thing::Static) => engines::static_role(path, data, None, intake),
            Some(Thing::Dynamic) => engines::dynamic_role(path, data),
            Some(Thing::SecretId) => engines::secret_id(path, data),
        };
        record.source_line = Some(line);
        self.records.push(record);
        true
    }
}

/// `{"kv/shop/db": {...}, ...}`: no name the tools print at the top holds a slash.
fn is_keyed_by_path(tree: &Tree) -> bool {
    !tree.members().is_empty()
        && tree
            .members()
            .iter()
            .all(|(name, it)| name.contains('/') && it.is_map())
}

/// The name without the API's `data/` infix of KV v2.
fn full_path(mount: Option<&str>, path: &str) -> String {
    let path = path.trim_matches('/');
    if let Some(mount) = mount {
        return format!("{}/{path}", mount.trim_matches('/'));
    }
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(mount), Some("data" | "metadata"), Some(rest)) => format!("{mount}/{rest}"),
        _ => path.to_owned(),
    }
}

/// One secret: what an export or a server says of its metadata and of each version's data.
#[derive(Default)]
pub(super) struct Object<'a> {
    /// Line in the export, where it has lines.
    pub(super) line: Option<u32>,
    /// What `kv metadata get` says, inside its `data`.
    pub(super) metadata: Option<&'a Tree>,
    /// What `kv get` says, version by version, wrapped or not.
    pub(super) data: Vec<&'a Tree>,
}

/// The fields of one version.
struct Payload<'a> {
    number: Option<u32>,
    created: Option<i64>,
    custom: Option<&'a Tree>,
    fields: Option<&'a Tree>,
}

impl<'a> Object<'a> {
    fn take(&mut self, tree: &'a Tree) {
        if let Some(metadata) = tree.member("metadata") {
            self.metadata = metadata
                .member("data")
                .filter(|it| it.is_map())
                .or(Some(metadata));
        }
        for name in ["data", "versions"] {
            match tree.member(name) {
                Some(Tree::List(items)) => self.data.extend(items),
                Some(one @ Tree::Map(_)) if name == "data" => self.data.push(one),
                _ => {}
            }
        }
    }

    /// Emits a record for each field, or one for the whole where no fields are known.
    pub(super) fn emit(&self, path: &str, namespace: &str, intake: &mut Intake<'_>) {
        let payloads: Vec<Payload<'_>> = self.data.iter().map(|it| payload(it)).collect();
        let history = self.history(&payloads);
        let mut draft = self.draft(path, &payloads, &history, intake);
        draft.secret.scope = namespace.to_owned();
        if !namespace.is_empty() {
            draft.name = format!("{namespace}/{path}");
        }
        let fields: BTreeSet<&str> = payloads
            .iter()
            .filter_map(|it| it.fields)
            .flat_map(|it| it.members().iter().map(|(name, _)| name.as_str()))
            .collect();
        if fields.is_empty() {
            intake.emit(draft);
            return;
        }
        for field in fields {
            let mut record = draft.clone();
            record.name = format!("{}#{field}", draft.name);
            record.secret.key = Some(field.to_owned());
            record.versions = versions(field, &history, intake);
            record.rotated = since(&record.versions).or(draft.rotated);
            intake.emit(record);
        }
    }

    /// Every version either side knows of: when it was made, and its fields where they are given.
    fn history(&self, payloads: &[Payload<'a>]) -> History<'a> {
        let mut history = History::new();
        for (number, version) in self.member("versions").map_or(&[][..], Tree::members) {
            if let Ok(number) = number.parse() {
                history.insert(number, (time(version, "created_time"), None));
            }
        }
        let current = self.current();
        for payload in payloads {
            let number = payload.number.or(current).unwrap_or(1);
            let entry = history.entry(number).or_insert((payload.created, None));
            entry.1 = payload.fields.or(entry.1);
        }
        history
    }

    fn member(&self, name: &str) -> Option<&'a Tree> {
        self.metadata.and_then(|it| it.member(name))
    }

    fn current(&self) -> Option<u32> {
        let number = self.member("current_version")?.text()?.parse().ok()?;
        Some(number).filter(|it| *it > 0)
    }

    fn draft(
        &self,
        path: &str,
        payloads: &[Payload<'_>],
        history: &History<'_>,
        intake: &mut Intake<'_>,
    ) -> Record {
        let current = history.last_key_value();
        let mut record = Record {
            name: path.to_owned(),
            secret: SecretName::new("vault", path),
            created: self.metadata.and_then(|it| time(it, "created_time")),
            rotated: current.and_then(|(_, (created, _))| *created),
            source_line: self.line,
            versions: history
                .iter()
                .map(|(number, (created, _))| Version {
                    veil: None,
                    number: *number,
                    created: *created,
                    fingerprint: None,
                })
                .collect(),
            ..Record::default()
        };
        if record.created.is_none() {
            record.created = history.values().next().and_then(|(created, _)| *created);
        }
        // KV v2 ends versions by itself where `delete_version_after` is set.
        record.expires = current.and_then(|(number, _)| {
            let version = self.member("versions")?.member(&number.to_string())?;
            time(version, "deletion_time")
        });
        let state = |(number, _): (&u32, _)| {
            let version = self.member("versions")?.member(&number.to_string())?;
            version.text_at(&["destroyed"]).filter(|it| *it == "true")
        };
        if current.and_then(state).is_some() {
            record
                .tags
                .insert("state".to_owned(), "destroyed".to_owned());
        }
        let custom = self
            .member("custom_metadata")
            .or_else(|| payloads.iter().rev().find_map(|it| it.custom));
        for (name, value) in custom.map_or(&[][..], Tree::members) {
            if let Some(text) = value.text()
                && !declare(&mut record, name, text)
            {
                intake.skip(&format!(
                    "{path}: custom_metadata `{name}` is neither a date nor a number of days"
                ));
            }
        }
        record
    }
}

/// Version number to its time and fields.
type History<'a> = BTreeMap<u32, (Option<i64>, Option<&'a Tree>)>;

/// Finds the fields under as many wrappings as the tools and the API put around them.
fn payload(tree: &Tree) -> Payload<'_> {
    let data = tree.member("data");
    let metadata = tree
        .member("metadata")
        .filter(|it| it.member("version").is_some());
    if metadata.is_some() {
        return Payload {
            number: metadata
                .and_then(|it| it.text_at(&["version"]))
                .and_then(|it| it.parse().ok()),
            created: metadata.and_then(|it| time(it, "created_time")),
            custom: metadata.and_then(|it| it.member("custom_metadata")),
            fields: data.filter(|it| it.is_map()),
        };
    }
    let is_response = tree.member("request_id").is_some() || tree.member("lease_id").is_some();
    match data {
        Some(inner) if inner.is_map() && (is_response || tree.members().len() == 1) => {
            payload(inner)
        }
        _ => Payload {
            number: None,
            created: None,
            custom: None,
            fields: Some(tree),
        },
    }
}

fn versions(field: &str, history: &History<'_>, intake: &Intake<'_>) -> Vec<Version> {
    history
        .iter()
        // Where the fields of a version are known and this one is not among them, it did not exist yet.
        .filter(|(_, (_, fields))| fields.is_none_or(|it| it.member(field).is_some()))
        .map(|(number, (created, fields))| Version {
            veil: None,
            number: *number,
            created: *created,
            fingerprint: fields
                .and_then(|it| it.member(field))
                .and_then(Tree::value)
                .and_then(|it| intake.fingerprint(&it)),
        })
        .collect()
}

/// Since when the current value is in place: a new version often changes one field and repeats the rest.
pub(super) fn since(versions: &[Version]) -> Option<i64> {
    let current = versions.last()?;
    let same = |it: &&Version| it.fingerprint.is_some() && it.fingerprint == current.fingerprint;
    let run = versions.iter().rev().take_while(same).last();
    run.unwrap_or(current).created
}

fn time(tree: &Tree, name: &str) -> Option<i64> {
    tree.text_at(&[name]).and_then(intake::moment)
}

/// Custom metadata by the names owners use; `false` if a date or number cannot be read.
pub(super) fn declare(record: &mut Record, name: &str, text: &str) -> bool {
    match name.to_ascii_lowercase().replace('-', "_").as_str() {
        "owner" | "owners" | "team" => {
            for who in intake::people(text) {
                if !record.owners.contains(&who) {
                    record.owners.push(who);
                }
            }
        }
        "environment" | "env" => record.environment = Some(text.to_owned()),
        "expires" | "expiry" | "expires_at" => match intake::moment(text) {
            Some(moment) => record.expires = Some(moment),
            None => return false,
        },
        "rotate_days" | "rotation_days" | "rotation_period" => match intake::days(text) {
            Some(days) => record.rotation_days = Some(days),
            None => return false,
        },
        "kind" | "type" if Kind::NAMES.iter().any(|(it, _)| *it == text) => {
            record.kind = Kind::NAMES
                .iter()
                .find(|(it, _)| *it == text)
                .map(|(_, kind)| *kind);
        }
        _ => {
            record.tags.insert(name.to_owned(), text.to_owned());
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::{Options, Totals};
    use crate::model::fingerprint::Fingerprinter;
    use zeroize::Zeroizing;

    fn import(text: &str) -> Result<(Vec<Record>, Totals), Error> {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new("kv.json", Some(&seal), &options, &mut keep);
        let input = Input {
            name: "kv.json".to_owned(),
            bytes: Zeroizing::new(text.as_bytes().to_vec()),
        };
        read(&input, &mut intake)?;
        let totals = intake.totals();
        Ok((records, totals))
    }

    #[test]
    fn every_version_and_field_is_kept() {
        let seal = Fingerprinter::new([3; 32]);
        let (records, totals) = import(EXAMPLE).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "kv/shop/db#password",
                "kv/shop/db#username",
                "kv/shop/mail#api_key",
                "kv/shop/old"
            ]
        );
        let password = &records[0];
        assert_eq!(
            password.secret,
            SecretName::new("vault", "kv/shop/db").with_key("password")
        );
        assert_eq!(password.owners, ["ann", "team-shop"]);
        assert_eq!(password.environment.as_deref(), Some("production"));
        assert_eq!(password.rotation_days, Some(90));
        assert_eq!(
            password.tags.get("cost-centre").map(String::as_str),
            Some("4711")
        );
        assert_eq!(password.created, Some(1_704_448_800));
        assert_eq!(password.rotated, Some(1_764_489_600));
        let versions: Vec<_> = password
            .versions
            .iter()
            .map(|it| (it.number, it.fingerprint))
            .collect();
        assert_eq!(
            versions,
            [
                (1, None),
                (2, Some(seal.fingerprint(b"wrong donkey 17 capacitor"))),
                (3, Some(seal.fingerprint(b"correct horse 71 battery"))),
            ]
        );
        assert_eq!(
            records[1].rotated,
            Some(1_751_270_400),
            "the login has not changed since version 2"
        );
        assert_eq!(records[3].expires, Some(1_780_272_000));
        assert_eq!(records[3].source_line, Some(13));
        assert_eq!(
            (totals.records, totals.with_value, totals.values),
            (4, 3, 5)
        );
    }

    #[test]
    fn wrappings_of_tools_and_api_are_all_understood() {
        let seal = Fingerprinter::new([3; 32]);
        let cases = [
            r#"{"path": "kv/a", "data": {"p": "hidden-value"}}"#,
            r#"{"path": "kv/data/a", "data": {"data": {"p": "hidden-value"}}}"#,
            r#"[{"mount": "kv/", "path": "a", "data": {"data": {"p": "hidden-value"}, "metadata": {"version": 1}}}]"#,
            r#"{"path": "kv/a", "data": {"request_id": "x", "data": {"data": {"p": "hidden-value"}, "metadata": {"version": 1}}}}"#,
            r#"{"path": "kv/a", "data": {"request_id": "x", "lease_id": "", "data": {"p": "hidden-value"}}}"#,
            r#"{"kv/a": {"data": {"p": "hidden-value"}, "metadata": {"current_version": 1}}}"#,
            r#"{"path": "kv/a", "versions": [{"data": {"p": "hidden-value"}, "metadata": {"version": 1}}]}"#,
        ];
        for text in cases {
            let (records, _) = import(text).unwrap();
            assert_eq!(records.len(), 1, "{text}");
            assert_eq!(records[0].name, "kv/a#p", "{text}");
            assert_eq!(records[0].versions.len(), 1, "{text}");
            assert_eq!(records[0].versions[0].number, 1, "{text}");
            assert_eq!(
                records[0].versions[0].fingerprint,
                Some(seal.fingerprint(b"hidden-value")),
                "{text}"
            );
        }
    }

    #[test]
    fn what_other_engines_hold_is_read_too() {
        let text = r#"{"path": "database/static-roles/shop", "data": {"request_id": "1", "data": {"username": "shop", "db_name": "pg",
             "last_vault_rotation": "2026-01-10T08:00:00Z", "rotation_period": 2592000}}}
            {"path": "database/roles/ro", "data": {"db_name": "pg", "default_ttl": 3600, "max_ttl": 86400}}
            {"path": "auth/approle/role/ci/secret-id-accessor/lookup", "data": {"request_id": "2", "data": {"creation_time": "2026-01-10T08:00:00Z",
             "expiration_time": "0001-01-01T00:00:00Z", "secret_id_accessor": "acc-1", "secret_id_num_uses": 10, "secret_id_ttl": 0,
             "metadata": {"owner": "ann"}}}}
            {"path": "kv/gone", "metadata": {"current_version": 1, "versions": {"1": {"created_time": "2026-01-10T08:00:00Z", "destroyed": true}}}}"#;
        let (records, _) = import(text).unwrap();
        let names: Vec<_> = records.iter().map(|it| it.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "kv/gone",
                "database/static-creds/shop#password",
                "database/creds/ro",
                "auth/approle/role/ci/secret-id#acc-1",
            ]
        );
        assert_eq!(records[0].tags["state"], "destroyed");
        assert_eq!(records[1].rotation_days, Some(30));
        assert_eq!(records[1].rotated, Some(1_768_032_000));
        assert!(records[2].dynamic && !records[1].dynamic);
        assert_eq!(records[2].tags["max_ttl"], "86400");
        assert_eq!(
            (records[3].created, records[3].expires),
            (Some(1_768_032_000), None)
        );
        assert_eq!(records[3].owners, ["ann"]);
        assert_eq!(records[3].tags["secret_id_num_uses"], "10");
    }

    #[test]
    fn lines_about_one_path_are_one_record() {
        let text = "{\"path\": \"kv/a\", \"data\": {\"data\": {\"p\": \"one\"}, \"metadata\": {\"version\": 1}}}\n\
                    {\"path\": \"kv/a\", \"data\": {\"data\": {\"p\": \"two\"}, \"metadata\": {\"version\": 2}}}\n\
                    {\"path\": \"kv/a\", \"data\": {\"data\": null, \"metadata\": {\"version\": 3, \"deletion_time\": \"2026-01-01T00:00:00Z\"}}}\n";
        let (records, _) = import(text).unwrap();
        assert_eq!(records.len(), 1);
        let numbers: Vec<_> = records[0]
            .versions
            .iter()
            .map(|it| (it.number, it.fingerprint.is_some()))
            .collect();
        assert_eq!(numbers, [(1, true), (2, true), (3, false)]);
    }

    #[test]
    fn a_bare_answer_without_its_path_is_refused_with_a_hint() {
        let error =
            import(r#"{"request_id": "x", "data": {"data": {"p": "hidden"}}}"#).unwrap_err();
        assert!(
            error.to_string().contains("entry 1 (line 1) has no `path`"),
            "{error}"
        );
        assert!(error.hint().unwrap().contains("kv metadata get"));
    }

    #[test]
    fn dates_that_are_none_are_noted() {
        let (_, totals) =
            import(r#"{"path": "kv/a", "metadata": {"custom_metadata": {"expires": "soon"}}}"#)
                .unwrap();
        assert_eq!(totals.skipped.len(), 1);
    }
}
