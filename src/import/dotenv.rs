//! `.env` files: one record a variable. Of a folder, every such file below it.
//!
//! A file that shows which variables there are (`.env.example`) declares their names; what it holds are no
//! values.
//!
//! Variables inside values (`${OTHER}`) are not expanded: the file does not hold the expanded value, so
//! nothing that could be found elsewhere is known.

use crate::import::intake::{Error, Intake};
use crate::model::input::Input;
use crate::model::record::{Record, Version};
use crate::model::reference::SecretName;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(super) const HELP: &str = "a .env file, or every .env* file below a folder";

pub(super) const EXAMPLE: &str = "# shop, local\n\
    export DB_PASSWORD='correct horse 71 battery'\n\
    API_TOKEN=tok_example_5f0e3a9b # issued by hand\n\
    SIGNING_KEY=\"line one\\nline two\"\n\
    CERTIFICATE='-----BEGIN X-----\n\
    YWJj\n\
    -----END X-----'\n\
    EMPTY=\n";

/// Last words of the names of files that only show which variables there are.
const SAMPLES: &[&str] = &[
    "example", "sample", "template", "tmpl", "tpl", "dist", "defaults", "schema",
];

pub(super) fn applies(below: &str) -> bool {
    let file = below.rsplit('/').next().unwrap_or(below);
    match file.split_once(".env") {
        // dotenv-vault keeps ciphertext there.
        Some((_, rest)) => rest.is_empty() || (rest.starts_with('.') && rest != ".vault"),
        None => false,
    }
}

pub(super) fn holds(bytes: &[u8]) -> bool {
    !bytes.contains(&0)
}

fn is_sample(path: &str) -> bool {
    path.rsplit(['.', '-', '_'])
        .next()
        .is_some_and(|it| SAMPLES.contains(&it))
}

pub(super) fn read(input: &Input, intake: &mut Intake<'_>) -> Result<(), Error> {
    let place = Scope::of(intake.place());
    let mut reader = Reader::new(&input.bytes);
    // Shells and libraries let the last assignment win.
    let mut seen = BTreeMap::new();
    while let Some(variable) = reader.variable(intake)? {
        let record = place.record(&variable, intake);
        seen.insert(variable.name, record);
    }
    seen.into_values().for_each(|record| intake.emit(record));
    Ok(())
}

/// What a file's name says about its variables.
struct Scope {
    is_sample: bool,
    /// First part of record names.
    label: String,
    /// Workload, where the file is named after one.
    workload: String,
    environment: Option<String>,
}

impl Scope {
    /// `.env`, `.env.production`, `shop.env`, `shop.env.staging`; anything else counts as `.env`.
    fn of(path: &str) -> Self {
        let cut = path.rfind(['/', '\\']).map_or(0, |it| it + 1);
        let (folder, file) = path.split_at(cut);
        let is_sample = is_sample(file);
        let (stem, rest) = match file.split_once(".env") {
            Some((stem, rest)) if rest.is_empty() || rest.starts_with('.') => (stem, rest),
            _ => ("", ""),
        };
        let environment = rest
            .split('.')
            .find(|it| !it.is_empty() && *it != "local" && !SAMPLES.contains(it));
        let stem_or_env = if stem.is_empty() { "env" } else { stem };
        let label = format!("{folder}{stem_or_env}{rest}");
        Self {
            is_sample,
            label,
            workload: stem.to_owned(),
            environment: environment.map(str::to_owned),
        }
    }

    fn record(&self, variable: &Variable, intake: &Intake<'_>) -> Record {
        Record {
            name: format!("{}/{}", self.label, variable.name),
            secret: SecretName::new("env", &variable.name).within(&self.workload),
            environment: self.environment.clone(),
            source_line: Some(variable.line),
            versions: vec![Version {
                veil: None,
                number: 1,
                created: None,
                fingerprint: intake
                    .fingerprint(&variable.value)
                    .filter(|_| !self.is_sample),
            }],
            tags: self
                .is_sample
                .then(|| ("declared".to_owned(), "example".to_owned()))
                .into_iter()
                .collect(),
            ..Record::default()
        }
    }
}

struct Variable {
    name: String,
    value: Zeroizing<Vec<u8>>,
    line: u32,
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    line: u32,
    line_start: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") {
            3
        } else {
            0
        };
        Self {
            bytes,
            at,
            line: 1,
            line_start: at,
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn advance(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
            self.line_start = self.at;
        }
        Some(byte)
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) -> &'a [u8] {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.advance();
        }
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    fn fault(&self, intake: &Intake<'_>, what: &str) -> Error {
        let column = self.at - self.line_start + 1;
        intake.syntax(u64::from(self.line), column as u64, what)
    }

    /// The next variable, or `None` at the end.
    fn variable(&mut self, intake: &Intake<'_>) -> Result<Option<Variable>, Error> {
        loop {
            self.skip_while(|it| it.is_ascii_whitespace());
            match self.peek() {
                None => return Ok(None),
                Some(b'#') => {
                    self.skip_while(|it| it != b'\n');
                }
                Some(_) => {
                    if let Some(variable) = self.assignment(intake)? {
                        return Ok(Some(variable));
                    }
                }
            }
        }
    }

    fn assignment(&mut self, intake: &Intake<'_>) -> Result<Option<Variable>, Error> {
        let line = self.line;
        let mut name = self.name();
        let mut exported = false;
        if name == b"export" && self.peek().is_some_and(is_blank) {
            exported = true;
            self.skip_while(is_blank);
            name = self.name();
        }
        let starts_well = name
            .first()
            .is_some_and(|it| it.is_ascii_alphabetic() || *it == b'_');
        if !starts_well {
            return Err(self.fault(intake, "expected NAME=value"));
        }
        self.skip_while(is_blank);
        match self.peek() {
            Some(b'=') => {
                self.advance();
            }
            // `export NAME` passes on what the shell already has.
            None | Some(b'\n' | b'\r') if exported => return Ok(None),
            _ => return Err(self.fault(intake, "expected `=` after the name")),
        }
        self.skip_while(is_blank);
        let value = self.value(intake)?;
        Ok(Some(Variable {
            name: String::from_utf8_lossy(name).into_owned(),
            value,
            line,
        }))
    }

    fn name(&mut self) -> &'a [u8] {
        self.skip_while(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b'-'))
    }

    fn value(&mut self, intake: &Intake<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        match self.peek() {
            Some(quote @ (b'\'' | b'"' | b'`')) => self.quoted(quote, intake),
            _ => Ok(self.plain()),
        }
    }

    /// To the end of the line or a comment; `#` inside a word belongs to it.
    fn plain(&mut self) -> Zeroizing<Vec<u8>> {
        let text = self.skip_while(|it| it != b'\n');
        let comment = text.iter().enumerate().position(|(at, it)| {
            *it == b'#' && at.checked_sub(1).is_none_or(|it| is_blank(text[it]))
        });
        let text = text
            .get(..comment.unwrap_or(text.len()))
            .unwrap_or_default();
        Zeroizing::new(text.trim_ascii().to_vec())
    }

    fn quoted(&mut self, quote: u8, intake: &Intake<'_>) -> Result<Zeroizing<Vec<u8>>, Error> {
        let open = self.fault(intake, "this quote is never closed");
        self.advance();
        // Its room is known ahead, so no outgrown buffer stays behind.
        let room = room_to_quote(self.bytes, self.at, quote);
        let mut value = Zeroizing::new(Vec::with_capacity(room));
        loop {
            match self.advance() {
                None => return Err(open),
                Some(byte) if byte == quote => break,
                Some(b'\\') if quote == b'"' => match self.advance() {
                    None => return Err(open),
                    Some(byte) => escape(byte, &mut value),
                },
                Some(byte) => value.push(byte),
            }
        }
        self.skip_while(is_blank);
        match self.peek() {
            None | Some(b'\n' | b'\r') => {}
            Some(b'#') => {
                self.skip_while(|it| it != b'\n');
            }
            Some(_) => return Err(self.fault(intake, "text after the closing quote")),
        }
        Ok(value)
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// How many bytes lie between `from` and the first closing quote that no backslash precedes.
fn room_to_quote(bytes: &[u8], from: usize, quote: u8) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    memchr::memchr_iter(quote, rest)
        .find(|at| at.checked_sub(1).is_none_or(|it| rest[it] != b'\\'))
        .unwrap_or(rest.len())
}

fn escape(byte: u8, value: &mut Vec<u8>) {
    match byte {
        b'n' => value.push(b'\n'),
        b'r' => value.push(b'\r'),
        b't' => value.push(b'\t'),
        b'"' | b'\\' | b'$' | b'`' => value.push(byte),
        b'\n' => {}
        other => value.extend_from_slice(&[b'\\', other]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::intake::Options;
    use crate::model::fingerprint::Fingerprinter;

    fn parse(text: &str) -> Result<Vec<(String, String, u32)>, Error> {
        let options = Options::default();
        let mut ignore = |_| {};
        let intake = Intake::new("x.env", None, &options, &mut ignore);
        let mut reader = Reader::new(text.as_bytes());
        let mut variables = Vec::new();
        while let Some(it) = reader.variable(&intake)? {
            variables.push((
                it.name.clone(),
                String::from_utf8_lossy(&it.value).into_owned(),
                it.line,
            ));
        }
        Ok(variables)
    }

    #[test]
    fn assignments_are_read_as_shells_and_libraries_do() {
        type Told = &'static [(&'static str, &'static str, u32)];
        let cases: &[(&str, Told)] = &[
            ("A=1", &[("A", "1", 1)]),
            ("\u{feff}A=1\r\nB=2\r\n", &[("A", "1", 1), ("B", "2", 2)]),
            ("  export A = b c  # note", &[("A", "b c", 1)]),
            ("A=b#c", &[("A", "b#c", 1)]),
            ("A=#c\nB=1", &[("A", "", 1), ("B", "1", 2)]),
            ("A='b # c' # d", &[("A", "b # c", 1)]),
            (r#"A="x\n\"y\" \$z \d""#, &[("A", "x\n\"y\" $z \\d", 1)]),
            (r"A='x\n'", &[("A", r"x\n", 1)]),
            ("A=\"1\n2\"\nB=`3`", &[("A", "1\n2", 1), ("B", "3", 3)]),
            ("export A\nexport B=1", &[("B", "1", 2)]),
            ("A=\nB=1", &[("A", "", 1), ("B", "1", 2)]),
            ("exported=1", &[("exported", "1", 1)]),
            (
                "A=postgres://u:p@h/d?x=1",
                &[("A", "postgres://u:p@h/d?x=1", 1)],
            ),
        ];
        for (text, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(name, value, line)| ((*name).to_owned(), (*value).to_owned(), *line))
                .collect();
            assert_eq!(parse(text).unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn faults_name_line_and_column() {
        let cases = [
            ("A=1\n  B", 2, 4),
            ("A=\"b\n\nc", 1, 3),
            ("A='b'c", 1, 6),
            ("=b", 1, 1),
            ("1A=b", 1, 3),
            ("A", 1, 2),
        ];
        for (text, line, column) in cases {
            match parse(text) {
                Err(Error::Syntax {
                    line: at,
                    column: col,
                    ..
                }) => assert_eq!((at, col), (line, column), "{text:?}"),
                other => panic!("{text:?}: {other:?}"),
            }
        }
    }

    #[test]
    fn file_names_say_scope_and_environment() {
        let cases = [
            (".env", "env/A", "", None),
            (
                "deploy/.env.production",
                "deploy/env.production/A",
                "",
                Some("production"),
            ),
            (
                ".env.production.local",
                "env.production.local/A",
                "",
                Some("production"),
            ),
            ("shop.env", "shop/A", "shop", None),
            (
                "x/shop.env.staging",
                "x/shop.staging/A",
                "shop",
                Some("staging"),
            ),
            ("-", "env/A", "", None),
            ("my.environment", "env/A", "", None),
        ];
        for (path, name, workload, environment) in cases {
            let scope = Scope::of(path);
            assert_eq!(format!("{}/A", scope.label), name, "{path}");
            assert_eq!(scope.workload, workload, "{path}");
            assert_eq!(scope.environment.as_deref(), environment, "{path}");
        }
    }

    #[test]
    fn files_of_a_folder_are_told_by_their_names() {
        for (path, expected) in [
            (".env", true),
            ("a/.env.production", true),
            ("a/shop.env", true),
            ("a/.env.example", true),
            (".envrc", false),
            (".env.vault", false),
            ("a/environment.ts", false),
            (".env/notes.txt", false),
        ] {
            assert_eq!(applies(path), expected, "{path}");
        }
    }

    #[test]
    fn examples_declare_names_and_have_no_values() {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        for (name, is_sample) in [
            (".env.example", true),
            (".env.production.sample", true),
            ("env-template", true),
            (".env.production", false),
        ] {
            let mut records = Vec::new();
            let mut keep = |it| records.push(it);
            let mut intake = Intake::new(name, Some(&seal), &options, &mut keep);
            let input = Input {
                name: name.to_owned(),
                bytes: Zeroizing::new(b"DB_PASSWORD=change me\n".to_vec()),
            };
            read(&input, &mut intake).unwrap();
            let has_value = records[0].versions[0].fingerprint.is_some();
            assert_eq!(has_value, !is_sample, "{name}");
            assert_eq!(records[0].tags.contains_key("declared"), is_sample);
            let sample = records[0].environment.as_deref() == Some("example");
            assert!(!sample, "{name}");
        }
    }

    #[test]
    fn the_last_assignment_wins_and_empty_values_have_no_fingerprint() {
        let seal = Fingerprinter::new([3; 32]);
        let options = Options::default();
        let mut records = Vec::new();
        let mut keep = |it| records.push(it);
        let mut intake = Intake::new(".env", Some(&seal), &options, &mut keep);
        let input = Input {
            name: ".env".to_owned(),
            bytes: Zeroizing::new(b"A=one\nB=\nA=two\n".to_vec()),
        };
        read(&input, &mut intake).unwrap();
        assert_eq!(records.len(), 2);
        assert_eq!(
            records[0].versions[0].fingerprint,
            Some(seal.fingerprint(b"two"))
        );
        assert_eq!(records[0].source_line, Some(3));
        assert_eq!(records[1].versions[0].fingerprint, None);
    }
}
