//! What owners declare of a secret under names of their own: tags, labels, metadata.
//!
//! Not here: names that a vendor gives meaning.

use crate::import::intake;
use crate::model::record::Record;

/// Takes a declaration in; `false` if the name is none of ours or the text cannot be read.
pub(super) fn take(record: &mut Record, name: &str, text: &str) -> bool {
    match name
        .trim()
        .to_ascii_lowercase()
        .replace(['-', ' '], "_")
        .as_str()
    {
        "owner" | "owners" | "team" => {
            for who in intake::people(text) {
                if !record.owners.contains(&who) {
                    record.owners.push(who);
                }
            }
            true
        }
        "environment" | "env" => {
            record.environment = Some(text.trim().to_owned());
            true
        }
        "expires" | "expiry" | "expires_at" => set(&mut record.expires, intake::moment(text)),
        "rotate_days" | "rotation_days" | "rotation_period" => {
            set(&mut record.rotation_days, intake::days(text))
        }
        _ => false,
    }
}

fn set<T>(place: &mut Option<T>, value: Option<T>) -> bool {
    let is_some = value.is_some();
    if is_some {
        *place = value;
    }
    is_some
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declarations_are_known_by_their_names() {
        let mut record = Record::default();
        for (name, text, expected) in [
            ("Owner", "ann; bob", true),
            ("team", "ann", true),
            ("env", " prod ", true),
            ("expires-at", "2026-03-01", true),
            ("expires", "soon", false),
            ("Rotation Days", "30d", true),
            ("rotate_days", "often", false),
            ("colour", "blue", false),
        ] {
            assert_eq!(take(&mut record, name, text), expected, "{name}");
        }
        assert_eq!(record.owners, ["ann", "bob"]);
        assert_eq!(record.environment.as_deref(), Some("prod"));
        assert_eq!(record.expires, Some(1_772_323_200));
        assert_eq!(record.rotation_days, Some(30));
    }
}
