//! The tool's own settings file, `keyatlas.toml`: parse, reject unknown keys with the nearest known
//! name, say where it is wrong. Finding the file and merging it with flags is the work of `cli/plan`.

use serde::Deserialize;

/// What the file may say; everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Settings {
    /// Gitignore-style patterns to leave out.
    pub exclude: Vec<String>,
    /// Rule ids, or `provider/*`, switched off.
    pub disable_rules: Vec<String>,
    /// Further rule files.
    pub rules: Vec<String>,
    /// `low`, `medium` or `high`.
    pub min_confidence: Option<String>,
    /// `note`, `warning` or `error`.
    pub fail_on: Option<String>,
    /// Bytes, with an optional `K`, `M` or `G`.
    pub max_size: Option<String>,
    /// Nested encodings.
    pub max_depth: Option<usize>,
    /// Threads.
    pub jobs: Option<usize>,
    /// Default maximum age of a secret in days.
    pub stale_days: Option<u32>,
    /// Maximum age of static cloud keys in days.
    pub stale_cloud_days: Option<u32>,
    /// Warn this many days before an end.
    pub expiring_days: Option<u32>,
}

const KEYS: &[&str] = &[
    "exclude",
    "disable-rules",
    "rules",
    "min-confidence",
    "fail-on",
    "max-size",
    "max-depth",
    "jobs",
    "stale-days",
    "stale-cloud-days",
    "expiring-days",
];

/// Why the file was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Not TOML, or a value of the wrong type.
    #[error("{file}: {message}")]
    Malformed {
        /// The file.
        file: String,
        /// The parser's words, with line and column.
        message: String,
    },
    /// A key that does not exist.
    #[error("{file}:{line}: unknown key `{key}`")]
    UnknownKey {
        /// The file.
        file: String,
        /// Its line, from 1.
        line: usize,
        /// The key.
        key: String,
        /// The nearest key that exists.
        nearest: &'static str,
    },
}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownKey { nearest, .. } => Some(format!("did you mean `{nearest}`?")),
            Self::Malformed { .. } => None,
        }
    }
}

/// Reads the text of a settings file.
pub fn parse(file: &str, text: &str) -> Result<Settings, Error> {
    let malformed = |error: toml::de::Error| Error::Malformed {
        file: file.to_owned(),
        message: error.to_string().trim_end().to_owned(),
    };
    let table: toml::Table = toml::from_str(text).map_err(malformed)?;
    if let Some(key) = table.keys().find(|it| !KEYS.contains(&it.as_str())) {
        let line = text
            .lines()
            .position(|it| {
                it.trim_start()
                    .trim_start_matches(['[', '"'])
                    .starts_with(key.as_str())
            })
            .map_or(1, |it| it + 1);
        let nearest = KEYS
            .iter()
            .min_by_key(|it| distance(it, key))
            .copied()
            .unwrap_or("exclude");
        return Err(Error::UnknownKey {
            file: file.to_owned(),
            line,
            key: key.clone(),
            nearest,
        });
    }
    toml::from_str(text).map_err(malformed)
}

/// Edit distance (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, left) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in b.chars().enumerate() {
            let next = (diagonal + usize::from(left != right))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            diagonal = row[j + 1];
            row[j + 1] = next;
        }
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_keys_are_refused_with_the_nearest_name() {
        let error = parse("keyatlas.toml", "# x\nexlude = ['a']\n").unwrap_err();
        assert_eq!(error.to_string(), "keyatlas.toml:2: unknown key `exlude`");
        assert_eq!(error.hint().as_deref(), Some("did you mean `exclude`?"));
        assert!(matches!(
            parse("f", "jobs = 'many'"),
            Err(Error::Malformed { .. })
        ));
        assert_eq!(
            parse("f", "jobs = 3\nexclude = ['x']").unwrap().jobs,
            Some(3)
        );
    }
}
