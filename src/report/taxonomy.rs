//! The two taxonomies a SARIF report points into, CWE and OWASP NHI, as far as rules and verdicts use them.

use crate::model::rule::Kind;
use serde_json::{Value, json};

/// CWE entries in use, by number.
const CWE: &[(u32, &str)] = &[
    (321, "Use of Hard-coded Cryptographic Key"),
    (324, "Use of a Key Past its Expiration Date"),
    (522, "Insufficiently Protected Credentials"),
    (653, "Improper Isolation or Compartmentalization"),
    (798, "Use of Hard-coded Credentials"),
];

/// OWASP NHI Top 10 (2025) entries in use.
const NHI: &[(&str, &str)] = &[
    ("NHI1", "Improper Offboarding"),
    ("NHI2", "Secret Leakage"),
    ("NHI7", "Long-Lived Secrets"),
    ("NHI8", "Environment Isolation"),
    ("NHI9", "NHI Reuse"),
    ("NHI10", "Human Use of NHI"),
];

/// The entries that fit a found secret of a kind.
pub(crate) fn of_kind(kind: Kind) -> (Option<u32>, Option<&'static str>) {
    match kind {
        Kind::PrivateKey | Kind::SymmetricKey => (Some(321), Some("NHI2")),
        Kind::Certificate => (Some(324), Some("NHI7")),
        _ => (Some(798), Some("NHI2")),
    }
}

/// Tags of a rule.
pub(crate) fn tags(cwe: Option<u32>, nhi: Option<&str>) -> Vec<String> {
    let mut tags = vec!["security".to_owned(), "secret".to_owned()];
    tags.extend(cwe.map(|it| format!("external/cwe/cwe-{it:03}")));
    tags.extend(nhi.map(|it| format!("external/owasp-nhi/{}", it.to_lowercase())));
    tags
}

/// Relationships of a rule.
pub(crate) fn relationships(cwe: Option<u32>, nhi: Option<&str>) -> Vec<Value> {
    let target = |id: String, name: &str, index: u32| json!({"target": {"id": id, "toolComponent": {"name": name, "index": index}}, "kinds": ["superset"]});
    let cwe = cwe.map(|it| target(it.to_string(), "CWE", 0));
    let nhi = nhi.map(|it| target(it.to_owned(), "OWASP NHI", 1));
    cwe.into_iter().chain(nhi).collect()
}

/// `tool.driver.supportedTaxonomies`.
pub(crate) fn supported() -> Value {
    json!([{"name": "CWE", "index": 0}, {"name": "OWASP NHI", "index": 1}])
}

/// `run.taxonomies`, in the order the relationships count on.
pub(crate) fn components() -> Value {
    let cwe: Vec<_> = CWE
        .iter()
        .map(|(id, name)| {
            json!({
                "id": id.to_string(),
                "shortDescription": {"text": format!("{name}.")},
                "helpUri": format!("https://cwe.mitre.org/data/definitions/{id}.html"),
            })
        })
        .collect();
    let nhi: Vec<_> = NHI
        .iter()
        .map(|(id, name)| json!({"id": id, "shortDescription": {"text": format!("{name}.")}}))
        .collect();
    json!([
        {
            "name": "CWE",
            "organization": "MITRE",
            "shortDescription": {"text": "The MITRE Common Weakness Enumeration."},
            "informationUri": "https://cwe.mitre.org/",
            "isComprehensive": false,
            "taxa": cwe,
        },
        {
            "name": "OWASP NHI",
            "version": "2025",
            "organization": "OWASP Foundation",
            "shortDescription": {"text": "The OWASP Non-Human Identities Top 10."},
            "informationUri": "https://owasp.org/www-project-non-human-identities-top-10/",
            "isComprehensive": false,
            "taxa": nhi,
        },
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::verdict::VerdictId;

    #[test]
    fn whatever_a_verdict_points_at_is_in_the_table() {
        for id in VerdictId::ALL {
            let has_cwe = |it: u32| CWE.iter().any(|(number, _)| *number == it);
            let has_nhi = |it: &str| NHI.iter().any(|(name, _)| *name == it);
            assert!(id.cwe().is_none_or(has_cwe), "{}", id.code());
            assert!(id.nhi().is_none_or(has_nhi), "{}", id.code());
        }
    }
}
