//! The map as one page that needs nothing else: the data as tables of numbers and texts, with the script
//! and the style that show them. A browser asks nobody for anything, which the page's own policy enforces.
//!
//! Not here: what the page does with the tables (`page/`).

use super::graph::{Graph, NodeKind};
use super::subject::{Entry, Selected};
use crate::model::map::{Evidence, Subject};
use crate::model::report::Report;
use crate::model::verdict::{Verdict, VerdictId};
use crate::report::text::Redactor;
use data_encoding::BASE64;
use serde::Serialize;
use serde_json::ser::Formatter;
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");
/// Run in this order, as one script.
const SCRIPT: [&str; 6] = [
    include_str!("page/atlas.js"),
    include_str!("page/layout.js"),
    include_str!("page/list.js"),
    include_str!("page/drawing.js"),
    include_str!("page/details.js"),
    include_str!("page/page.js"),
];

/// More gaps than that are only counted.
const GAPS: usize = 200;

/// Everything the page knows. Texts stand in one table and are meant by their index.
#[derive(Serialize)]
struct Tables {
    version: u32,
    /// The day of the run, for ages.
    day: String,
    /// What was asked for; `None` for everything.
    subject: Option<String>,
    texts: Vec<String>,
    kinds: Vec<&'static str>,
    /// Kind, label, repository: whatever a use passes through but places and files.
    things: Vec<(usize, usize, Option<usize>)>,
    /// Paths with their repositories.
    files: Vec<usize>,
    edges: Vec<EdgeRow>,
    /// The record, the workload, and the edges between.
    uses: Vec<(usize, Option<usize>, Vec<usize>)>,
    records: Vec<RecordRow>,
    /// Code, help, OWASP NHI entry, CWE number.
    verdicts: Vec<(
        &'static str,
        &'static str,
        Option<&'static str>,
        Option<u32>,
    )>,
    coverage: CoverageRow,
}

/// From, to (`None`: the place in the file), by, whether by value, file, line, author, date, occurrence;
/// without what is not known at the end.
type EdgeRow = Vec<Option<usize>>;

#[derive(Serialize)]
struct RecordRow {
    thing: usize,
    /// Whether the inventory has it.
    known: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    environment: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    owners: Vec<usize>,
    /// Points in time, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rotated: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    accessor: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<i64>,
    /// Days of its rotation policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<u32>,
    versions: usize,
    #[serde(skip_serializing_if = "is_false")]
    dynamic: bool,
    #[serde(skip_serializing_if = "is_false")]
    gone: bool,
    /// The version whose value was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    verdicts: Vec<VerdictRow>,
}

/// Index of the verdict, level, message, next step, whether it is waived.
#[derive(Serialize)]
struct VerdictRow(usize, &'static str, usize, usize, u8);

#[derive(Serialize)]
struct CoverageRow {
    files: u64,
    blobs: u64,
    complete: bool,
    /// How many places were not read, against the will of whoever asked.
    gaps: usize,
    /// The first of them: path and reason.
    listed: Vec<(usize, usize)>,
}

fn is_false(it: &bool) -> bool {
    !it
}

/// Writes the page.
pub(super) fn write(
    out: &mut dyn Write,
    report: &Report,
    subject: &Subject,
    selected: &Selected<'_>,
    text: &Redactor,
) -> io::Result<()> {
    // A browser reads line ends as one character, and the policy's digests are over what it reads.
    let unified = |it: &str| it.replace("\r\n", "\n");
    let (style, script) = (unified(STYLE), unified(&SCRIPT.concat()));
    let mut rest = PAGE;
    for (mark, part) in [
        ("{{policy}}", policy(&style, &script)),
        ("{{style}}", style),
        ("{{data}}", String::new()),
        ("{{script}}", script),
    ] {
        let (before, after) = rest.split_once(mark).unwrap_or((rest, ""));
        write!(out, "{before}{part}")?;
        if part.is_empty() {
            let tables = tables(report, subject, selected, text);
            let mut writer = serde_json::Serializer::with_formatter(&mut *out, Inline::default());
            tables.serialize(&mut writer)?;
        }
        rest = after;
    }
    write!(out, "{rest}")
}

/// What the browser may do: run this script, use this style, and nothing else (W3C, Content Security
/// Policy Level 3; Trusted Types forbid whatever would read a text as HTML).
fn policy(style: &str, script: &str) -> String {
    let digest = |it: &str| format!("'sha256-{}'", BASE64.encode(&Sha256::digest(it)));
    let (style, script) = (digest(style), digest(script));
    format!(
        "default-src 'none'; script-src {script}; style-src {style}; base-uri 'none'; form-action 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'"
    )
}

fn tables(report: &Report, subject: &Subject, selected: &Selected<'_>, text: &Redactor) -> Tables {
    let graph = Graph::of(selected, text);
    let mut texts = Texts::default();
    let mut builder = Numbers::default();
    builder.nodes(&graph, &mut texts);
    let edges = builder.edges(&graph, &mut texts);
    let uses = graph.walks.iter().map(|it| builder.walk(it)).collect();
    let codes: BTreeSet<VerdictId> = selected
        .entries
        .values()
        .flat_map(|it| it.verdicts.iter().map(|it| it.id))
        .collect();
    let codes: Vec<VerdictId> = codes.into_iter().collect();
    let mut records: Vec<RecordRow> = Vec::new();
    // Names that differ in what is hidden only are one thing.
    let mut things = HashMap::new();
    for (thing, node) in builder.things.iter().enumerate() {
        let node = &graph.nodes[*node];
        match node.kind {
            NodeKind::Record => {
                things.insert(node.label.as_str(), thing);
            }
            NodeKind::Stray => records.push(stray(thing)),
            _ => {}
        }
    }
    for (name, entry) in &selected.entries {
        if let Some(thing) = things.remove(text.clean(name).as_str()) {
            records.push(record(thing, entry, &codes, text, &mut texts));
        }
    }
    let coverage = coverage(report, text, &mut texts);
    Tables {
        version: 1,
        day: report.today.clone(),
        subject: subject_of(subject, text),
        kinds: KINDS.iter().map(|it| it.name()).collect(),
        things: builder.rows,
        files: builder.files,
        edges,
        uses,
        records,
        verdicts: codes
            .iter()
            .map(|it| (it.code(), it.help(), it.nhi(), it.cwe()))
            .collect(),
        coverage,
        texts: texts.all,
    }
}

/// Kinds of things, by the number they have in the page.
const KINDS: [NodeKind; 7] = [
    NodeKind::Record,
    NodeKind::Stray,
    NodeKind::KubernetesSecret,
    NodeKind::CiSecret,
    NodeKind::Environment,
    NodeKind::Object,
    NodeKind::Workload,
];

fn subject_of(subject: &Subject, text: &Redactor) -> Option<String> {
    match subject {
        Subject::Everything => None,
        Subject::Name(name) => Some(text.clean(name)),
        Subject::Value(_) => Some("a value".to_owned()),
        Subject::Occurrence(id) => Some(text.clean(id)),
    }
}

#[derive(Default)]
struct Texts {
    all: Vec<String>,
    known: HashMap<String, usize>,
}

impl Texts {
    fn number(&mut self, text: &str) -> usize {
        if let Some(known) = self.known.get(text) {
            return *known;
        }
        self.known.insert(text.to_owned(), self.all.len());
        self.all.push(text.to_owned());
        self.all.len() - 1
    }
}

/// Which number a node of the graph has in the tables.
#[derive(Default)]
struct Numbers {
    /// The node of each thing.
    things: Vec<usize>,
    rows: Vec<(usize, usize, Option<usize>)>,
    /// The thing of each node; `None` for places and files.
    numbers: Vec<Option<usize>>,
    files: Vec<usize>,
    file_of: HashMap<usize, usize>,
    /// The row of each edge of the graph that leads somewhere.
    edge_of: HashMap<usize, usize>,
}

impl Numbers {
    fn nodes(&mut self, graph: &Graph, texts: &mut Texts) {
        for (at, node) in graph.nodes.iter().enumerate() {
            let kind = KINDS.iter().position(|it| *it == node.kind);
            self.numbers.push(kind.map(|_| self.rows.len()));
            let Some(kind) = kind else { continue };
            let repository = node.repository.as_deref().map(|it| texts.number(it));
            self.rows
                .push((kind, texts.number(&node.label), repository));
            self.things.push(at);
        }
    }

    /// Edges with a line; what belongs where follows from the uses.
    fn edges(&mut self, graph: &Graph, texts: &mut Texts) -> Vec<EdgeRow> {
        let mut rows = Vec::new();
        for (at, it) in graph.edges.iter().enumerate() {
            let (Some(path), Some(from)) = (&it.path, self.numbers[it.from]) else {
                continue;
            };
            let mut number = |it: &Option<String>| it.as_deref().map(|it| texts.number(it));
            let (author, date, occurrence) =
                (number(&it.author), number(&it.date), number(&it.occurrence));
            self.edge_of.insert(at, rows.len());
            let is_value = it.evidence == Evidence::Value.name();
            let mut row = vec![
                Some(from),
                self.numbers[it.to],
                Some(texts.number(&it.by)),
                Some(usize::from(is_value)),
                Some(self.file(texts.number(path))),
                it.line.map(|it| it as usize),
                author,
                date,
                occurrence,
            ];
            while row.pop_if(|it| it.is_none()).is_some() {}
            rows.push(row);
        }
        rows
    }

    fn file(&mut self, path: usize) -> usize {
        let next = self.files.len();
        let number = *self.file_of.entry(path).or_insert(next);
        if number == next {
            self.files.push(path);
        }
        number
    }

    fn walk(&self, it: &super::graph::Walk) -> (usize, Option<usize>, Vec<usize>) {
        let edges = it.edges.iter().filter_map(|it| self.edge_of.get(it));
        (
            self.numbers[it.from].unwrap_or_default(),
            it.workload.and_then(|it| self.numbers[it]),
            edges.copied().collect(),
        )
    }
}

fn record(
    thing: usize,
    entry: &Entry<'_>,
    codes: &[VerdictId],
    text: &Redactor,
    texts: &mut Texts,
) -> RecordRow {
    let mut verdicts: Vec<&Verdict> = entry.verdicts.clone();
    verdicts.sort_by_key(|it| (it.waived, std::cmp::Reverse(it.severity), it.id));
    let verdicts = verdicts.iter().map(|it| {
        VerdictRow(
            codes.iter().position(|id| *id == it.id).unwrap_or_default(),
            it.level().name(),
            texts.number(&text.clean(&it.message)),
            texts.number(&text.clean(&it.next)),
            u8::from(it.waived),
        )
    });
    let verdicts = verdicts.collect();
    let mut row = RecordRow {
        asked: entry.asked,
        verdicts,
        ..stray(thing)
    };
    let Some(it) = entry.record else { return row };
    let mut number = |it: &str| texts.number(&text.clean(it));
    row.known = true;
    row.provider = Some(number(&it.secret.provider));
    row.environment = it.environment.as_deref().map(&mut number);
    row.owners = it.owners.iter().map(|it| number(it)).collect();
    row.accessor = it.accessed_by.as_deref().map(&mut number);
    RecordRow {
        created: it.created,
        rotated: it.rotated,
        accessed: it.accessed,
        expires: it.expires,
        policy: it.rotation_days,
        versions: it.versions.len(),
        dynamic: it.dynamic,
        gone: it.gone,
        ..row
    }
}

/// Something that the inventory does not have.
fn stray(thing: usize) -> RecordRow {
    RecordRow {
        thing,
        known: false,
        provider: None,
        environment: None,
        owners: Vec::new(),
        created: None,
        rotated: None,
        accessed: None,
        accessor: None,
        expires: None,
        policy: None,
        versions: 0,
        dynamic: false,
        gone: false,
        asked: None,
        verdicts: Vec::new(),
    }
}

fn coverage(report: &Report, text: &Redactor, texts: &mut Texts) -> CoverageRow {
    let gaps = report.coverage.gaps.iter();
    let gaps: Vec<_> = gaps.filter(|it| !it.reason.is_by_choice()).collect();
    let listed = gaps.iter().take(GAPS).map(|it| {
        let path = texts.number(&text.clean(&it.path));
        (path, texts.number(it.reason.code()))
    });
    CoverageRow {
        listed: listed.collect(),
        files: report.coverage.files,
        blobs: report.coverage.blobs,
        complete: report.coverage.is_complete(),
        gaps: gaps.len(),
    }
}

/// JSON that may stand in a script element: nothing in it ends the element or begins a comment. Each row
/// of a table has a line of its own.
#[derive(Default)]
struct Inline {
    depth: usize,
}

impl Formatter for Inline {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        out.write_all(b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let gap: &[u8] = match (first, self.depth) {
            (true, 1) => b"\n",
            (true, _) => b"",
            (false, 1) => b",\n",
            (false, _) => b",",
        };
        out.write_all(gap)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        let gap: &[u8] = match (first, self.depth) {
            (true, 0) => b"\n",
            (true, _) => b"",
            (false, 0) => b",\n",
            (false, _) => b",",
        };
        out.write_all(gap)
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(at) = rest.find(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            out.write_all(&rest.as_bytes()[..at])?;
            let mut after = rest[at..].chars();
            if let Some(it) = after.next() {
                write!(out, "\\u{:04x}", u32::from(it))?;
            }
            rest = after.as_str();
        }
        out.write_all(rest.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::map::{Hop, Map, Use};
    use crate::model::record::Record;

    fn page(report: &Report) -> String {
        let mut out = Vec::new();
        let selected = Selected::of(report, &Subject::Everything);
        let text = Redactor::strict(report);
        write(&mut out, report, &Subject::Everything, &selected, &text).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn data(page: &str) -> &str {
        let (_, rest) = page.split_once("id=\"data\">").unwrap();
        rest.split_once("</script>").unwrap().0
    }

    fn used(name: &str, path: &str) -> Report {
        let hop = |syntax: &str, name: &str, line: u32| Hop {
            repository: Some("shop".into()),
            path: path.into(),
            line,
            syntax: syntax.into(),
            name: name.into(),
            author: Some("Ada".into()),
            date: Some(0),
        };
        Report {
            records: vec![Record {
                name: name.into(),
                ..Record::default()
            }],
            map: Map {
                uses: vec![Use {
                    record: name.into(),
                    evidence: Evidence::Reference,
                    chain: vec![
                        hop("secret-key-ref", "x", 3),
                        hop("env-accessor", "env:A", 7),
                    ],
                    consumer: Some("Deployment/api".into()),
                    author: Some("Ada".into()),
                    date: Some(0),
                    occurrence: None,
                }],
            },
            today: "2026-11-24".into(),
            ..Report::default()
        }
    }

    #[test]
    fn a_use_is_a_row_of_numbers() {
        let page = page(&used("kv/db", "a.py"));
        let it: serde_json::Value = serde_json::from_str(data(&page)).unwrap();
        let text = |at: &serde_json::Value| &it["texts"][at.as_u64().unwrap() as usize];
        assert_eq!(it["uses"], serde_json::json!([[0, 2, [0, 1]]]));
        let last = &it["edges"][1];
        assert_eq!(
            last[1],
            serde_json::Value::Null,
            "a place in a file: {last}"
        );
        assert_eq!(
            text(&it["files"][last[4].as_u64().unwrap() as usize]),
            "shop/a.py"
        );
        assert_eq!(last[5], 7);
        assert_eq!(text(&last[6]), "Ada");
        assert_eq!(text(&it["things"][2][1]), "Deployment/api");
    }

    #[test]
    fn no_name_ends_the_data() {
        let name = "</script><script>alert(1)</script><!-- \u{2028}&amp; \u{202e}";
        let page = page(&used(name, name));
        assert_eq!(page.matches("</script>").count(), 2, "data and script");
        assert!(!data(&page).contains(['<', '>', '&', '\u{2028}', '\u{202e}']));
        let it: serde_json::Value = serde_json::from_str(data(&page)).unwrap();
        let shown = "</script><script>alert(1)</script><!-- \\u{2028}&amp; \\u{202e}";
        assert_eq!(it["texts"][0], shown);
    }

    #[test]
    fn the_policy_names_what_stands_in_the_page() {
        let page = page(&Report::default());
        for (open, close, directive) in [
            ("<style>", "</style>", "style-src"),
            ("<script>", "</script>", "script-src"),
        ] {
            let (_, rest) = page.split_once(open).unwrap();
            let body = rest.split_once(close).unwrap().0;
            let digest = BASE64.encode(&Sha256::digest(body));
            assert!(page.contains(&format!("{directive} 'sha256-{digest}'")));
            assert!(!body.contains("<!--") && !body.contains("{{"), "{open}");
        }
        for outward in ["http:", "https:", "//cdn", "@import", "url("] {
            let ours = page.replace("http://www.w3.org/2000/svg", "");
            assert!(!ours.contains(outward), "{outward}");
        }
    }
}
