//! What a value tells of itself, as one line for people and as an object for scripts.

use crate::model::details::{Detail, Details};
use crate::report::text::Redactor;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// By name; a size is a number, and whether a key is encrypted is true or false.
pub(crate) fn object(text: &Redactor, details: &Details) -> BTreeMap<&'static str, Value> {
    let value = |detail: Detail, told: &str| match detail {
        Detail::Bits => told.parse::<u32>().map_or(Value::Null, Value::from),
        Detail::Encrypted => Value::Bool(told == "yes"),
        _ => json!(text.clean(told)),
    };
    details
        .iter()
        .map(|(detail, told)| (detail.name(), value(detail, told)))
        .collect()
}

/// In words.
pub(crate) fn line(text: &Redactor, details: &Details) -> String {
    let words = details.iter().map(|(detail, told)| match detail {
        Detail::Kind | Detail::Curve => told.to_owned(),
        Detail::Bits => format!("{told} bits"),
        Detail::Encrypted if told == "yes" => "encrypted".to_owned(),
        Detail::Encrypted => "not encrypted".to_owned(),
        Detail::Subject => format!("for {told}"),
        Detail::Issuer => format!("issued by {told}"),
        Detail::NotAfter => format!("until {told}"),
        Detail::Algorithm if told.eq_ignore_ascii_case("none") => {
            "algorithm none: anybody can write such a token".to_owned()
        }
        _ => format!("{} {told}", detail.name().replace('_', " ")),
    });
    let words: Vec<String> = words.collect();
    text.clean(&words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::report::Report;

    #[test]
    fn details_are_told_in_words_and_as_an_object() {
        let text = Redactor::new(&Report::default());
        let mut details = Details::default();
        assert_eq!(line(&text, &details), "");
        for (detail, told) in [
            (Detail::Kind, "rsa"),
            (Detail::Bits, "2048"),
            (Detail::Encrypted, "yes"),
            (Detail::Cipher, "aes256-ctr"),
            (Detail::PublicKey, "sha256:ab"),
            (Detail::Subject, "CN=a\u{1b}"),
        ] {
            details.add(detail, Some(told.to_owned()));
        }
        assert_eq!(
            line(&text, &details),
            "rsa, 2048 bits, encrypted, cipher aes256-ctr, public key sha256:ab, for CN=a\\u{1b}"
        );
        assert_eq!(
            json!(object(&text, &details)),
            json!({
                "kind": "rsa", "bits": 2048, "encrypted": true, "cipher": "aes256-ctr",
                "public_key": "sha256:ab", "subject": "CN=a\\u{1b}",
            })
        );
    }
}
