//! The tool's own settings file, `keyatlas.toml`: parse, reject unknown keys, say where it is wrong.
//!
//! Not here: finding the file, and merging it with the environment and flags; both are the work of
//! `cli/plan`.

mod nearest;
mod policy;
mod size;
mod value;

pub use nearest::nearest;
pub use size::bytes;
pub use value::Fault;

use crate::model::level::{Confidence, Level};
use crate::model::policy::Policies;
use std::fmt;
use toml::de::{DeTable, DeValue};
use value::{fault, first_line, kind, number, strings, text_of};

/// The name of the file.
pub const FILE: &str = "keyatlas.toml";

/// What the file may say; everything is optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Gitignore-style patterns to leave out.
    pub exclude: Vec<String>,
    /// Rule ids, or `provider/*`, switched off.
    pub disable_rules: Vec<String>,
    /// Further rule files or folders, relative to the settings file.
    pub rules: Vec<String>,
    /// Weaker findings are dropped.
    pub min_confidence: Option<Confidence>,
    /// The level from which on a run fails.
    pub fail_on: Option<Level>,
    /// Larger files and objects are told, not read.
    pub max_size: Option<u64>,
    /// Nested archives and encodings.
    pub max_depth: Option<usize>,
    /// Threads.
    pub jobs: Option<usize>,
    /// Whether to read references.
    pub references: Option<bool>,
    /// Warn this many days before an end.
    pub expiry_warn_days: Option<u32>,
    /// Default maximum age of a secret in days.
    pub rotation_default_days: Option<u32>,
    /// Maximum age of static cloud keys in days.
    pub rotation_cloud_key_days: Option<u32>,
    /// What hooks say last when they stop something.
    pub hook_message: Option<String>,
    /// What is asked of some secrets (`[[policy]]`).
    pub policies: Policies,
}

/// Puts one value where it belongs, or says what it should have been.
type Take = fn(&mut Settings, &DeValue<'_>) -> Result<(), String>;

/// Every key, with its section, and what takes its value.
const KEYS: &[(&str, Take)] = &[
    ("exclude", |it, value| put(strings(value), &mut it.exclude)),
    ("disable-rules", |it, value| {
        put(strings(value), &mut it.disable_rules)
    }),
    ("rules", |it, value| put(strings(value), &mut it.rules)),
    ("min-confidence", |it, value| {
        put(confidence(value).map(Some), &mut it.min_confidence)
    }),
    ("fail-on", |it, value| {
        put(level(value).map(Some), &mut it.fail_on)
    }),
    ("max-size", |it, value| {
        put(size_of(value).map(Some), &mut it.max_size)
    }),
    ("max-depth", |it, value| {
        put(number(value, 0).map(Some), &mut it.max_depth)
    }),
    ("jobs", |it, value| {
        put(number(value, 1).map(Some), &mut it.jobs)
    }),
    ("references", |it, value| {
        put(truth(value).map(Some), &mut it.references)
    }),
    ("expiry.warn-days", |it, value| {
        put(number(value, 0).map(Some), &mut it.expiry_warn_days)
    }),
    ("rotation.default-days", |it, value| {
        put(number(value, 1).map(Some), &mut it.rotation_default_days)
    }),
    ("rotation.cloud-key-days", |it, value| {
        put(number(value, 1).map(Some), &mut it.rotation_cloud_key_days)
    }),
    ("hook.message", |it, value| {
        let text = text_of(value).map(|it| Some(it.to_owned()));
        put(text, &mut it.hook_message)
    }),
];

/// The tables that `policy` reads.
const POLICY: &str = "policy";

/// Why the file was refused; all faults at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// What is wrong, in the order of the file.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let separator = if index > 0 { "\n" } else { "" };
            write!(
                f,
                "{separator}{}:{}:{}: {}",
                self.file, fault.line, fault.column, fault.what
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl Error {
    /// What to do next.
    pub fn hint(&self) -> Option<String> {
        Some("nothing was scanned; correct the file, or name another with --config".to_owned())
    }
}

/// Reads the text of a settings file; `file` is its name for messages.
pub fn parse(file: &str, text: &str) -> Result<Settings, Error> {
    let mut settings = Settings::default();
    let mut faults = Vec::new();
    match DeTable::parse(text) {
        Ok(table) => section("", table.get_ref(), text, &mut settings, &mut faults),
        Err(error) => {
            let start = error.span().map_or(0, |it| it.start);
            faults.push(fault(text, start, first_line(error.message())));
        }
    }
    faults.sort_by_key(|it| (it.line, it.column));
    if faults.is_empty() {
        Ok(settings)
    } else {
        Err(Error {
            file: file.to_owned(),
            faults,
        })
    }
}

fn section(
    name: &str,
    table: &DeTable<'_>,
    text: &str,
    settings: &mut Settings,
    faults: &mut Vec<Fault>,
) {
    for (key, value) in table {
        let path = if name.is_empty() {
            key.get_ref().to_string()
        } else {
            format!("{name}.{}", key.get_ref())
        };
        if path == POLICY {
            settings.policies = policy::read(value, text, faults);
        } else if let Some((_, take)) = KEYS.iter().find(|(it, _)| *it == path) {
            if let Err(what) = take(settings, value.get_ref()) {
                faults.push(fault(text, value.span().start, format!("`{path}` {what}")));
            }
        } else if is_section(&path) {
            match value.get_ref() {
                DeValue::Table(inner) => section(&path, inner, text, settings, faults),
                other => faults.push(fault(
                    text,
                    value.span().start,
                    format!("`{path}` is a section, not {}", kind(other)),
                )),
            }
        } else {
            faults.push(fault(text, key.span().start, unknown(&path)));
        }
    }
}

fn is_section(path: &str) -> bool {
    KEYS.iter().any(|(it, _)| {
        it.strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

/// Says which name may have been meant: the nearest one, or the same key of another section.
fn unknown(path: &str) -> String {
    let names = || KEYS.iter().map(|(it, _)| *it).chain([POLICY]);
    let sections = || {
        names()
            .filter_map(|it| it.split_once('.'))
            .map(|(section, _)| section)
    };
    let last = |it: &str| it.rsplit('.').next().unwrap_or_default().to_owned();
    let near = nearest(path, names().chain(sections()))
        .or_else(|| names().find(|it| last(it) == last(path)))
        .or_else(|| names().find(|it| nearest(&last(path), [last(it).as_str()]).is_some()));
    match near {
        Some(near) => format!("unknown key `{path}`; did you mean `{near}`?"),
        None => format!(
            "unknown key `{path}`; the keys are {}",
            names().collect::<Vec<_>>().join(", ")
        ),
    }
}

fn put<T>(value: Result<T, String>, place: &mut T) -> Result<(), String> {
    *place = value?;
    Ok(())
}

fn truth(value: &DeValue<'_>) -> Result<bool, String> {
    match value {
        DeValue::Boolean(truth) => Ok(*truth),
        other => Err(format!("is true or false, not {}", kind(other))),
    }
}

fn size_of(value: &DeValue<'_>) -> Result<u64, String> {
    match value {
        DeValue::String(text) => bytes(text).map_err(|it| format!("is a size: {it}")),
        other => number::<i64>(other, 0).map(i64::unsigned_abs),
    }
}

fn confidence(value: &DeValue<'_>) -> Result<Confidence, String> {
    let names = Confidence::ALL.iter().map(|it| it.name());
    Confidence::from_name(text_of(value)?)
        .ok_or_else(|| format!("is one of {}", names.collect::<Vec<_>>().join(", ")))
}

fn level(value: &DeValue<'_>) -> Result<Level, String> {
    let names = Level::ALL.iter().map(|it| it.name());
    Level::from_name(text_of(value)?)
        .ok_or_else(|| format!("is one of {}", names.collect::<Vec<_>>().join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_taken() {
        let text = "exclude = ['a/', '*.b']\ndisable-rules = ['stripe/*']\nrules = ['mine.toml']\n\
            min-confidence = 'high'\nfail-on = 'error'\nmax-size = '10M'\nmax-depth = 3\njobs = 2\n\
            references = false\n[expiry]\nwarn-days = 14\n[rotation]\ndefault-days = 180\ncloud-key-days = 30\n\
            [hook]\nmessage = 'Ask us.'\n";
        let expected = Settings {
            exclude: vec!["a/".to_owned(), "*.b".to_owned()],
            disable_rules: vec!["stripe/*".to_owned()],
            rules: vec!["mine.toml".to_owned()],
            min_confidence: Some(Confidence::High),
            fail_on: Some(Level::Error),
            max_size: Some(10 << 20),
            max_depth: Some(3),
            jobs: Some(2),
            references: Some(false),
            expiry_warn_days: Some(14),
            rotation_default_days: Some(180),
            rotation_cloud_key_days: Some(30),
            hook_message: Some("Ask us.".to_owned()),
            policies: Policies::default(),
        };
        assert_eq!(parse(FILE, text), Ok(expected));
        assert_eq!(parse(FILE, "# nothing\n"), Ok(Settings::default()));
        assert_eq!(
            parse(FILE, "max-size = 4096\nexpiry.warn-days = 7").map(|it| it.max_size),
            Ok(Some(4096))
        );
    }

    #[test]
    fn faults_name_the_place_and_what_was_meant() {
        for (text, expected) in [
            (
                "# x\nexlude = ['a']\n",
                "f:2:1: unknown key `exlude`; did you mean `exclude`?",
            ),
            (
                "max_size = 1\n",
                "f:1:1: unknown key `max_size`; did you mean `max-size`?",
            ),
            (
                "warn-days = 1\n",
                "f:1:1: unknown key `warn-days`; did you mean `expiry.warn-days`?",
            ),
            (
                "[expiry]\nwarndays = 1\n",
                "f:2:1: unknown key `expiry.warndays`; did you mean `expiry.warn-days`?",
            ),
            (
                "[rotaton]\ndefault-days = 1\n",
                "f:1:2: unknown key `rotaton`; did you mean `rotation`?",
            ),
            (
                "jobs = 'many'\n",
                "f:1:8: `jobs` is a whole number, not a text",
            ),
            (
                "jobs = 0\n",
                "f:1:8: `jobs` is a whole number of at least 1, and not as large as this one",
            ),
            (
                "exclude = 'a'\n",
                "f:1:11: `exclude` is a list of texts, not a text",
            ),
            (
                "exclude = [1]\n",
                "f:1:11: `exclude` is a list of texts, and holds something else",
            ),
            (
                "fail-on = 'loud'\n",
                "f:1:11: `fail-on` is one of note, warning, error",
            ),
            (
                "min-confidence = 'sure'\n",
                "f:1:18: `min-confidence` is one of low, medium, high",
            ),
            (
                "references = 1\n",
                "f:1:14: `references` is true or false, not a whole number",
            ),
            (
                "expiry = 3\n",
                "f:1:10: `expiry` is a section, not a whole number",
            ),
            (
                "max-size = 'big'\n",
                "f:1:12: `max-size` is a size: `big` is no size; write bytes, or a whole number with K, M or G, as in 10M",
            ),
        ] {
            assert_eq!(
                parse("f", text).map_err(|it| it.to_string()),
                Err(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn all_faults_come_at_once_in_the_order_of_the_file() {
        let error = parse("f", "jbos = 1\nreferences = 2\n[expiry]\nwarn = 3\n").unwrap_err();
        let places: Vec<_> = error.faults.iter().map(|it| (it.line, it.column)).collect();
        assert_eq!(places, [(1, 1), (2, 14), (4, 1)]);
        assert_eq!(error.to_string().lines().count(), 3);
        assert!(error.hint().is_some());
    }

    #[test]
    fn what_is_no_toml_is_told_with_its_place() {
        for (text, line) in [
            ("jobs = \n", 1),
            ("a = 1\n\"x\n", 2),
            ("[expiry\n", 1),
            ("jobs = 1\njobs = 2\n", 2),
        ] {
            let error = parse("f", text).unwrap_err();
            assert_eq!(error.faults.len(), 1, "{text}");
            assert_eq!(error.faults[0].line, line, "{text}: {error}");
        }
    }

    #[test]
    fn columns_count_characters() {
        let error = parse("f", "exclude = ['ä', 'ö'] # ü\n\"ü\" = 1\n").unwrap_err();
        assert_eq!((error.faults[0].line, error.faults[0].column), (2, 1));
    }
}
