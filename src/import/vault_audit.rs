//! Audit logs of Vault and OpenBao: one JSON object a line, values in it hashed by the server.
//!
//! Fields: <https://developer.hashicorp.com/vault/docs/audit/schema>. A read counts once it was answered: the
//! entry of type `response`, without an error.

use crate::import::evidence::{Diary, MOST};
use crate::import::intake::{self, Error};
use crate::import::tree::{self, Tree};
use crate::model::reference::SecretName;
use std::io::{BufRead, Read};
use zeroize::Zeroizing;

pub(super) const EXAMPLE: &str = r#"{"time":"2026-02-01T10:00:00.1Z","type":"request","auth":{"display_name":"approle","metadata":{"role_name":"shop-api"}},"request":{"id":"1","operation":"read","mount_point":"kv/","mount_type":"kv","path":"kv/data/shop/db"}}
{"time":"2026-02-01T10:00:00.2Z","type":"response","auth":{"display_name":"approle","metadata":{"role_name":"shop-api"}},"request":{"id":"1","operation":"read","mount_point":"kv/","mount_type":"kv","path":"kv/data/shop/db"},"response":{"data":{"data":{"password":"hmac-sha256:00"}}}}
{"time":"2026-02-02T10:00:00.2Z","type":"response","auth":{"display_name":"userpass-ann","entity_id":"e-1"},"request":{"id":"2","operation":"read","path":"old/mail"},"response":{"data":{"password":"hmac-sha256:00"}}}
{"time":"2026-02-03T10:00:00.2Z","type":"response","auth":{"display_name":"userpass-bo"},"request":{"id":"3","operation":"read","mount_point":"kv/","path":"kv/data/shop/db"},"error":"permission denied"}
{"time":"2026-02-04T10:00:00.2Z","type":"response","auth":{"display_name":"userpass-ann"},"request":{"id":"4","operation":"list","mount_point":"kv/","path":"kv/metadata/shop/"},"response":{"data":{"keys":["hmac-sha256:00"]}}}
"#;

const WANTED: &[&str] = &["time", "type", "error", "auth", "request"];

pub(super) fn read(log: &mut dyn BufRead, diary: &mut Diary<'_>) -> Result<(), Error> {
    let mut line = Zeroizing::new(Vec::new());
    for number in 1.. {
        line.clear();
        let length = log.take(MOST).read_until(b'\n', &mut line);
        if length.map_err(|it| diary.broken(&it.to_string()))? == 0 {
            break;
        }
        // The device may be told to write a prefix, and syslog does.
        let Some(start) = memchr::memchr(b'{', &line) else {
            if line.trim_ascii().is_empty() {
                continue;
            }
            return Err(diary.fault(number, 1, "this is no entry of an audit log"));
        };
        let entry = line.get(start..).unwrap_or_default();
        match tree::picked(entry, WANTED) {
            Ok(entry) => {
                diary.entry();
                take(&entry, diary);
            }
            // Taken while the server wrote.
            Err(error) if error.is_eof() && !line.ends_with(b"\n") => {
                diary.skip(&format!("line {number} is cut off"));
            }
            Err(error) => {
                let column = (start + error.column()) as u64;
                return Err(diary.fault(number, column, "this is no entry of an audit log"));
            }
        }
    }
    Ok(())
}

fn take(entry: &Tree, diary: &mut Diary<'_>) {
    let text = |path: &[&str]| entry.text_at(path);
    let is_read = text(&["type"]) == Some("response")
        && text(&["error"]).is_none()
        && text(&["request", "operation"]) == Some("read");
    let time = text(&["time"]).and_then(intake::moment);
    if let (true, Some(path), Some(time)) = (is_read, text(&["request", "path"]), time) {
        let names = names(path, entry);
        if !names.is_empty() {
            diary.read(names, &accessor(entry), time);
        }
    }
}

/// What the path may name. Of a mount of KV v2 only `data/` holds values, the rest tells of them; a mount of v1
/// may have a folder of that name.
fn names(path: &str, entry: &Tree) -> Vec<SecretName> {
    let mount = entry.text_at(&["request", "mount_point"]);
    let mount = mount.filter(|it| path.starts_with(it));
    // An old server does not tell the mount: then it is the first part.
    let mount = mount
        .or_else(|| path.split_inclusive('/').next())
        .unwrap_or_default();
    let rest = path.get(mount.len()..).unwrap_or_default();
    let is_no_secret = matches!(mount, "sys/" | "auth/" | "cubbyhole/" | "identity/");
    let is_about_one = ["metadata/", "subkeys/"]
        .iter()
        .any(|it| rest.starts_with(it));
    if is_no_secret || is_about_one || rest.is_empty() {
        return Vec::new();
    }
    let namespace = entry.text_at(&["request", "namespace", "path"]);
    let namespace = namespace.unwrap_or_default().trim_matches('/');
    let name = |path: &str| SecretName::new("vault", path.trim_matches('/')).within(namespace);
    let stripped = rest
        .strip_prefix("data/")
        .map(|it| name(&format!("{mount}{it}")));
    stripped.into_iter().chain([name(path)]).collect()
}

/// Auth methods name a person or token themselves; of a role's method only the role says who it is.
fn accessor(entry: &Tree) -> String {
    let auth = |path: &[&str]| entry.member("auth").and_then(|it| it.text_at(path));
    let role = auth(&["metadata", "role_name"]).or_else(|| auth(&["metadata", "role"]));
    match (auth(&["display_name"]), role) {
        (Some(name), Some(role)) if !name.contains(role) => format!("{name}/{role}"),
        (Some(name), _) => name.to_owned(),
        (None, Some(role)) => role.to_owned(),
        (None, None) => auth(&["entity_id"]).unwrap_or("unknown").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::evidence::Evidence;
    use crate::import::evidence::tests::{lines, told};

    fn response(fields: &str, auth: &str) -> String {
        format!(
            r#"{{"time":"2026-02-01T10:00:00Z","type":"response","auth":{{{auth}}},"request":{{"operation":"read",{fields}}}}}"#
        )
    }

    #[test]
    fn answered_reads_count_and_nothing_else() {
        let log = told(Evidence::VaultAudit, EXAMPLE.as_bytes()).unwrap();
        assert_eq!((log.entries, log.reads, log.skipped.len()), (5, 2, 0));
        assert_eq!(
            lines(&log),
            [
                "vault:kv/shop/db or vault:kv/data/shop/db by approle/shop-api at [1769940000]",
                "vault:old/mail by userpass-ann at [1770026400]",
            ]
        );
    }

    #[test]
    fn paths_are_brought_to_the_names_of_records() {
        for (fields, expected) in [
            (
                r#""path":"team/kv/data/a/b","mount_point":"team/kv/""#,
                "vault:team/kv/a/b or vault:team/kv/data/a/b",
            ),
            (r#""path":"kv/data/a""#, "vault:kv/a or vault:kv/data/a"),
            (
                r#""path":"kv/data/a","mount_point":"kv/","namespace":{"id":"x","path":"ns1/"}"#,
                "vault:ns1/kv/a or vault:ns1/kv/data/a",
            ),
            (
                r#""path":"database/creds/shop","mount_point":"database/""#,
                "vault:database/creds/shop",
            ),
            (r#""path":"kv/metadata/a","mount_point":"kv/""#, ""),
            (r#""path":"sys/mounts""#, ""),
            (r#""path":"auth/token/lookup-self""#, ""),
            (r#""path":"kv/""#, ""),
        ] {
            let log = told(
                Evidence::VaultAudit,
                response(fields, r#""display_name":"x""#).as_bytes(),
            );
            let expected = match expected {
                "" => Vec::new(),
                names => vec![format!("{names} by x at [1769940000]")],
            };
            assert_eq!(lines(&log.unwrap()), expected, "{fields}");
        }
    }

    #[test]
    fn accessors_are_told_apart() {
        for (auth, expected) in [
            (r#""display_name":"root""#, "root"),
            (
                r#""display_name":"approle","metadata":{"role_name":"web"}"#,
                "approle/web",
            ),
            (
                r#""display_name":"kubernetes-shop-web","metadata":{"role":"web"}"#,
                "kubernetes-shop-web",
            ),
            (r#""entity_id":"e-1""#, "e-1"),
            ("", "unknown"),
        ] {
            let log = response(r#""path":"kv/a""#, auth);
            let log = told(Evidence::VaultAudit, log.as_bytes()).unwrap();
            assert_eq!(log.readings[0].by, expected);
        }
    }

    #[test]
    fn a_log_that_is_still_written_may_end_in_the_middle() {
        let whole = response(r#""path":"kv/a""#, "");
        let log = format!("prefix {whole}\n\n{}", &whole[..whole.len() - 3]);
        let log = told(Evidence::VaultAudit, log.as_bytes()).unwrap();
        assert_eq!(
            (log.reads, log.skipped),
            (1, vec!["log: line 3 is cut off".to_owned()])
        );
        let log = format!("{}\n{whole}\n", &whole[..whole.len() - 3]);
        assert!(told(Evidence::VaultAudit, log.as_bytes()).is_err());
    }
}
