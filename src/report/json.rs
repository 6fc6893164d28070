//! The JSON document and JSON lines: field names and order are a contract with scripts.

use crate::model::coverage::Gap;
use crate::model::finding::Finding;
use crate::model::map::{Hop, Use};
use crate::model::origin::Origin;
use crate::model::report::Report;
use crate::model::verdict::Verdict;
use crate::report::details;
use crate::report::parts::{self, PartOut, Values};
use crate::report::text::{Redactor, rfc3339};
use crate::report::whereabouts::LifeOut;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Write};

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    tool: Tool,
    ruleset: &'a str,
    complete: bool,
    findings: Vec<FindingOut>,
    references: Vec<ReferenceOut>,
    verdicts: Vec<VerdictOut>,
    uses: Vec<NamedUse>,
    coverage: CoverageOut,
}

#[derive(Serialize)]
struct Tool {
    name: &'static str,
    version: &'static str,
}

#[derive(Serialize)]
struct FindingOut {
    rule: String,
    title: String,
    level: &'static str,
    confidence: &'static str,
    facts: Vec<&'static str>,
    path: String,
    line: u32,
    end_line: u32,
    column: u32,
    end_column: u32,
    key: Option<String>,
    secret: String,
    fingerprint: Option<String>,
    occurrence: String,
    via: Vec<&'static str>,
    container: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    within: Option<PlaceOut>,
    origins: Vec<OriginOut>,
    managed: Option<ManagedOut>,
    waived: Option<WaivedOut>,
    expires: Option<String>,
    details: BTreeMap<&'static str, Value>,
    parts: Vec<PartOut>,
}

/// The place within the member of a container.
#[derive(Serialize)]
struct PlaceOut {
    line: u32,
    end_line: u32,
    column: u32,
    end_column: u32,
}

#[derive(Serialize)]
struct OriginOut {
    kind: &'static str,
    path: String,
    repository: Option<String>,
    commit: Option<String>,
    author: Option<String>,
    date: Option<String>,
    reachable: bool,
    in_head: bool,
    #[serde(flatten)]
    life: Option<LifeOut>,
}

#[derive(Serialize)]
struct ManagedOut {
    record: String,
    version: u32,
    current: bool,
}

#[derive(Serialize)]
struct WaivedOut {
    reason: String,
    owner: String,
    until: String,
}

#[derive(Serialize)]
struct ReferenceOut {
    record: String,
    syntax: &'static str,
    path: String,
    line: u32,
    consumer: Option<String>,
    role: &'static str,
    certainty: &'static str,
    resolved: bool,
    /// Who wrote it, where that was asked for and is committed.
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    author: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
}

#[derive(Serialize)]
struct CoverageOut {
    files: u64,
    blobs: u64,
    bytes: u64,
    /// Values of the inventory that were not searched for; left out where there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    weak_values: Option<u64>,
    skipped: Vec<GapOut>,
    unreadable: Vec<GapOut>,
}

#[derive(Serialize)]
struct GapOut {
    path: String,
    reason: &'static str,
    detail: String,
}

/// A verdict on the wire.
#[derive(Serialize)]
pub(crate) struct VerdictOut {
    id: &'static str,
    level: &'static str,
    severity: &'static str,
    record: Option<String>,
    message: String,
    next: String,
    evidence: Vec<String>,
    repository: Option<String>,
    path: Option<String>,
    line: Option<u32>,
    waived: bool,
}

#[derive(Serialize)]
struct NamedUse {
    record: String,
    #[serde(flatten)]
    rest: UseOut,
}

/// A use on the wire, without its record.
#[derive(Serialize)]
pub(crate) struct UseOut {
    record: String,
    evidence: &'static str,
    consumer: Option<String>,
    author: Option<String>,
    date: Option<String>,
    occurrence: Option<String>,
    chain: Vec<HopOut>,
}

#[derive(Serialize)]
struct HopOut {
    repository: Option<String>,
    path: String,
    line: u32,
    syntax: String,
    name: String,
    author: Option<String>,
    date: Option<String>,
}

/// Writes the one document.
pub(crate) fn write_document(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let text = Redactor::new(report);
    let document = Document {
        version: 1,
        tool: Tool {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
        },
        ruleset: &report.rules.digest,
        complete: report.coverage.is_complete(),
        findings: report
            .findings
            .iter()
            .map(|it| finding(&text, report, it))
            .collect(),
        references: references(&text, report),
        verdicts: report
            .verdicts
            .iter()
            .map(|it| verdict(&text, it))
            .collect(),
        uses: report
            .map
            .uses
            .iter()
            .map(|it| NamedUse {
                record: text.clean(&it.record),
                rest: one_use(&text, it),
            })
            .collect(),
        coverage: CoverageOut {
            files: report.coverage.files,
            blobs: report.coverage.blobs,
            bytes: report.coverage.bytes,
            weak_values: Some(report.coverage.weak_values).filter(|it| *it > 0),
            skipped: gaps(&text, report, true),
            unreadable: gaps(&text, report, false),
        },
    };
    serde_json::to_writer(&mut *out, &document)?;
    writeln!(out)
}

/// Writes one finding a line.
pub(crate) fn write_lines(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let text = Redactor::new(report);
    for it in &report.findings {
        serde_json::to_writer(&mut *out, &finding(&text, report, it))?;
        writeln!(out)?;
    }
    Ok(())
}

fn finding(text: &Redactor, report: &Report, it: &Finding) -> FindingOut {
    let clean = |part: &Option<String>| part.as_deref().map(|part| text.clean(part));
    FindingOut {
        rule: it.rule.clone(),
        title: text.clean(
            report
                .rules
                .get(&it.rule)
                .map_or(&it.rule, |rule| &rule.title),
        ),
        level: it.level.name(),
        confidence: it.confidence.name(),
        facts: it.facts.clone(),
        path: text.clean(&it.path),
        line: it.place.line,
        end_line: it.place.end_line,
        column: it.place.column,
        end_column: it.place.end_column,
        key: clean(&it.key),
        secret: if report.show_secrets {
            String::from_utf8_lossy(it.secret.expose()).into_owned()
        } else {
            text.clean(&it.masked)
        },
        fingerprint: it.fingerprint.map(|it| it.to_string()),
        occurrence: it.occurrence.to_string(),
        via: it.via.clone(),
        container: clean(&it.container),
        within: it.within.map(|it| PlaceOut {
            line: it.line,
            end_line: it.end_line,
            column: it.column,
            end_column: it.end_column,
        }),
        origins: it.origins.iter().map(|it| origin(text, it)).collect(),
        managed: it.managed.as_ref().map(|it| ManagedOut {
            record: text.clean(&it.record),
            version: it.version,
            current: it.current,
        }),
        waived: it.waived.as_ref().map(|it| WaivedOut {
            reason: text.clean(&it.reason),
            owner: text.clean(&it.owner),
            until: text.clean(&it.until),
        }),
        expires: it.expires.and_then(rfc3339),
        details: details::object(text, &it.details),
        parts: parts::list(text, Values::of(report), it),
    }
}

fn origin(text: &Redactor, it: &Origin) -> OriginOut {
    let introduced = it.introduced.as_ref();
    OriginOut {
        kind: it.kind.name(),
        path: text.clean(&it.path),
        repository: it.repository.as_deref().map(|it| text.clean(it)),
        commit: introduced.map(|it| it.commit.clone()),
        author: introduced.map(|it| text.clean(&it.author)),
        date: introduced.and_then(|it| rfc3339(it.seconds)),
        reachable: it.reachable,
        in_head: it.in_head,
        life: it.life.as_ref().map(|it| LifeOut::of(text, it)),
    }
}

fn references(text: &Redactor, report: &Report) -> Vec<ReferenceOut> {
    report
        .references
        .iter()
        .enumerate()
        .map(|(at, it)| {
            let resolved = report.resolved.get(at).and_then(Option::as_deref);
            let introduced = it.origin.introduced.as_ref();
            ReferenceOut {
                record: resolved.map_or_else(
                    || text.clean(&it.mention.name.to_string()),
                    |name| text.clean(name),
                ),
                syntax: it.mention.syntax,
                path: text.clean(&it.path),
                line: it.mention.place.line,
                consumer: it.mention.consumer.as_deref().map(|it| text.clean(it)),
                role: it.mention.role.name(),
                certainty: it.mention.certainty(),
                commit: introduced.map(|it| it.commit.clone()),
                author: introduced.map(|it| text.clean(&it.author)),
                date: introduced.and_then(|it| rfc3339(it.seconds)),
                resolved: resolved.is_some(),
            }
        })
        .collect()
}

fn gaps(text: &Redactor, report: &Report, by_choice: bool) -> Vec<GapOut> {
    let wanted = |gap: &&Gap| gap.reason.is_by_choice() == by_choice;
    let gaps = report.coverage.gaps.iter().filter(wanted);
    gaps.map(|gap| GapOut {
        path: text.clean(&gap.path),
        reason: gap.reason.code(),
        detail: text.clean(&gap.detail),
    })
    .collect()
}

/// A verdict for the wire.
pub(crate) fn verdict(text: &Redactor, it: &Verdict) -> VerdictOut {
    VerdictOut {
        id: it.id.code(),
        level: it.level().name(),
        severity: it.severity.name(),
        record: it.record.as_deref().map(|it| text.clean(it)),
        message: text.clean(&it.message),
        next: text.clean(&it.next),
        evidence: it.evidence.iter().map(|it| text.clean(it)).collect(),
        repository: it.repository.as_deref().map(|it| text.clean(it)),
        path: it.path.as_deref().map(|it| text.clean(it)),
        line: it.line,
        waived: it.waived,
    }
}

/// A use for the wire.
pub(crate) fn one_use(text: &Redactor, it: &Use) -> UseOut {
    UseOut {
        record: text.clean(&it.record),
        evidence: it.evidence.name(),
        consumer: it.consumer.as_deref().map(|it| text.clean(it)),
        author: it.author.as_deref().map(|it| text.clean(it)),
        date: it.date.and_then(rfc3339),
        occurrence: it.occurrence.clone(),
        chain: it.chain.iter().map(|it| hop(text, it)).collect(),
    }
}

fn hop(text: &Redactor, it: &Hop) -> HopOut {
    HopOut {
        repository: it.repository.as_deref().map(|it| text.clean(it)),
        path: text.clean(&it.path),
        line: it.line,
        syntax: text.clean(&it.syntax),
        name: text.clean(&it.name),
        author: it.author.as_deref().map(|it| text.clean(it)),
        date: it.date.and_then(rfc3339),
    }
}
