//! Rules as data: the embedded `rules/` folder, users' rule files, rules switched on and off.
//! Compiling and running them is the work of `detect`.

mod embedded;
mod foreign;
mod parse;
mod parts;
mod row;

pub use foreign::{Imported, import};

use crate::model::rule::{Rule, RuleSet};
use sha2::{Digest, Sha256};

/// Why rule files were refused; all faults at once.
#[derive(Debug, thiserror::Error)]
#[error("{} rule fault(s):\n  {}", .faults.len(), .faults.join("\n  "))]
pub struct Error {
    /// `file: rule id: what is wrong`.
    pub faults: Vec<String>,
}

/// A rule file: its name and text.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// For messages.
    pub name: String,
    /// TOML text.
    pub text: String,
}

/// What is switched on.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Users' rule files, read after the embedded ones; an id that exists is replaced.
    pub extra: Vec<RuleFile>,
    /// Rule ids (or `provider/*`) switched off.
    pub disabled: Vec<String>,
}

/// The rules in force. An empty set is a fault: a scanner without rules would call everything clean.
pub fn load(options: &Options) -> Result<RuleSet, Error> {
    let mut faults = Vec::new();
    let mut rules: Vec<Rule> = Vec::new();
    let mut hash = Sha256::new();
    hash.update(embedded::TEXT.as_bytes());
    for (name, file) in embedded::files() {
        for fields in file {
            rules.extend(parse::fields(name, fields, &mut faults));
        }
    }
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    for pair in rules.windows(2).filter(|it| it[0].id == it[1].id) {
        faults.push(format!("rule `{}` exists twice", pair[0].id));
    }
    for file in &options.extra {
        hash.update(file.text.len().to_le_bytes());
        hash.update(file.text.as_bytes());
        for rule in parse::file(&file.name, &file.text, &mut faults) {
            match rules.binary_search_by(|it| it.id.cmp(&rule.id)) {
                Ok(at) => rules[at] = rule,
                Err(at) => rules.insert(at, rule),
            }
        }
    }
    for (rule, part) in unknown_parts(&rules) {
        faults.push(format!(
            "rule `{rule}`: its part is found by `{part}`, and there is no such rule"
        ));
    }
    for name in &options.disabled {
        // No file is so long: what is switched off is never taken for the end of one.
        hash.update(u64::MAX.to_le_bytes());
        hash.update(name.len().to_le_bytes());
        hash.update(name.as_bytes());
        let before = rules.len();
        rules.retain(|rule| {
            rule.id != *name && Some(rule.provider.as_str()) != name.strip_suffix("/*")
        });
        if rules.len() == before {
            faults.push(format!(
                "disabled rule `{name}` does not exist; `keyatlas rules list` names them all"
            ));
        }
    }
    if faults.is_empty() && rules.is_empty() {
        faults.push("no rule is left: every rule is switched off".to_owned());
    }
    if !faults.is_empty() {
        return Err(Error { faults });
    }
    let digest = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Ok(RuleSet { rules, digest })
}

/// Rules with the id of a rule that finds a part of theirs, and does not exist.
fn unknown_parts(rules: &[Rule]) -> Vec<(String, String)> {
    let is_unknown = |id: &&String| rules.binary_search_by(|it| it.id.cmp(id)).is_err();
    let named = rules.iter().flat_map(|rule| {
        let ids = rule.parts.iter().flat_map(|it| &it.rules);
        let unknown = ids.filter(is_unknown);
        unknown.map(|it| (rule.id.clone(), it.clone()))
    });
    named.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_embedded_is_what_the_files_say() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut faults = Vec::new();
        let mut told: Vec<Rule> = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_rules = !path.ends_with("providers.toml");
            if is_rules && path.extension().is_some_and(|it| it == "toml") {
                let text = std::fs::read_to_string(&path).unwrap();
                told.extend(parse::file(&path.to_string_lossy(), &text, &mut faults));
            }
        }
        told.sort_by(|a, b| a.id.cmp(&b.id));
        assert_eq!(faults, Vec::<String>::new());
        let embedded = load(&Options::default()).unwrap().rules;
        assert_eq!(told.len(), embedded.len());
        for (told, embedded) in told.iter().zip(&embedded) {
            assert_eq!(told, embedded);
        }
    }

    #[test]
    fn faults_are_told_all_at_once() {
        let text = "[[rule]]\nid='a'\ntitle='t'\nprovider='p'\nkind='nonsense'\nconfidence='sure'\nseverity='high'\nrotation='r'\n";
        let extra = vec![RuleFile {
            name: "mine.toml".to_owned(),
            text: text.to_owned(),
        }];
        let error = load(&Options {
            extra,
            disabled: vec!["nope".to_owned()],
        })
        .unwrap_err();
        let text = error.to_string();
        for part in [
            "kind `nonsense`",
            "keywords",
            "confidence `sure`",
            "disabled rule `nope`",
            "mine.toml",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
