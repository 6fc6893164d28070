//! SARIF 2.1.0 for code scanning. Values are hidden here always, whatever the caller asked.
//!
//! The few objects in use are built as JSON values, one result at a time while writing, so that a
//! report at the limit never stands in memory as a tree.

use crate::model::coverage::Reason;
use crate::model::finding::Finding;
use crate::model::level::{Confidence, Level};
use crate::model::map::Use;
use crate::model::origin::Origin;
use crate::model::report::Report;
use crate::model::span::Place;
use crate::model::verdict::{Verdict, VerdictId};
use crate::report::bases::{ROOT, absolute, base, bases, relative};
use crate::report::details;
use crate::report::parts::{self, Values};
use crate::report::taxonomy;
use crate::report::text::Redactor;
use crate::report::verdicts::{ByOccurrence, stands_alone};
use crate::report::whereabouts::{self, LifeOut};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = "https://github.com/keyatlas/keyatlas";
/// Results a run may hold.
const RESULTS: usize = 25_000;
/// Further places of one result.
const RELATED: usize = 100;
/// Chains of one result.
const FLOWS: usize = 10;
/// Gaps told one by one; the rest is counted.
const NOTIFICATIONS: usize = 1_000;

/// A repository of the run, and a path in it.
type Spot<'a> = (Option<&'a str>, &'a str);

#[derive(Serialize)]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Value,
    invocations: Value,
    original_uri_base_ids: Value,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    version_control_provenance: Vec<Value>,
    taxonomies: Value,
    column_kind: &'static str,
    results: Results<'a>,
}

/// What a result is about.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Finding(&'a Finding),
    Verdict(&'a Verdict),
}

impl<'a> Subject<'a> {
    fn rule(self) -> &'a str {
        match self {
            Self::Finding(it) => &it.rule,
            Self::Verdict(it) => it.id.code(),
        }
    }

    fn level(self) -> Level {
        match self {
            Self::Finding(it) => it.level,
            Self::Verdict(it) => it.level(),
        }
    }

    /// Loudness from 0 to 100: open before accepted, then level, then confidence.
    fn rank(self) -> u32 {
        let (waived, confidence) = match self {
            Self::Finding(it) => (it.waived.is_some(), it.confidence),
            Self::Verdict(it) => (it.waived, Confidence::High),
        };
        let level = match self.level() {
            Level::Error => 80,
            Level::Warning => 50,
            Level::Note => 20,
        };
        let sure = match confidence {
            Confidence::High => 15,
            Confidence::Medium => 8,
            Confidence::Low => 0,
        };
        if waived {
            (level + sure) / 10
        } else {
            level + sure
        }
    }
}

/// Everything a result needs to be built while writing.
struct Results<'a> {
    report: &'a Report,
    text: &'a Redactor,
    verdicts: ByOccurrence<'a>,
    uses: HashMap<&'a str, Vec<&'a Use>>,
    rules: BTreeMap<&'a str, usize>,
    subjects: Vec<Subject<'a>>,
}

impl Serialize for Results<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.subjects.iter().map(|it| match it {
            Subject::Finding(finding) => self.finding(finding),
            Subject::Verdict(verdict) => self.verdict(verdict),
        }))
    }
}

/// Writes the log.
pub(crate) fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let text = Redactor::strict(report);
    let alone = report
        .verdicts
        .iter()
        .filter(|it| stands_alone(it))
        .map(Subject::Verdict);
    let mut subjects: Vec<_> = report
        .findings
        .iter()
        .map(Subject::Finding)
        .chain(alone)
        .collect();
    let cut = subjects.len().saturating_sub(RESULTS);
    subjects.sort_by_key(|it| std::cmp::Reverse(it.rank()));
    subjects.truncate(RESULTS);
    let ids: BTreeSet<&str> = subjects.iter().map(|it| it.rule()).collect();
    let rules = ids
        .into_iter()
        .enumerate()
        .map(|(at, id)| (id, at))
        .collect();
    let mut uses: HashMap<&str, Vec<&Use>> = HashMap::new();
    for it in report.map.uses.iter().filter(|it| it.chain.len() > 1) {
        uses.entry(&it.record).or_default().push(it);
    }
    let results = Results {
        report,
        text: &text,
        verdicts: ByOccurrence::new(report),
        uses,
        rules,
        subjects,
    };
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: tool(&results),
            invocations: json!([{
                "executionSuccessful": true,
                "toolExecutionNotifications": notifications(report, &text, cut),
            }]),
            original_uri_base_ids: bases(report, &text),
            version_control_provenance: provenance(report, &text),
            taxonomies: taxonomy::components(),
            column_kind: "unicodeCodePoints",
            results,
        }],
    };
    serde_json::to_writer(&mut *out, &log)?;
    writeln!(out)
}

fn tool(results: &Results<'_>) -> Value {
    let rules: Vec<_> = results
        .rules
        .keys()
        .map(|id| descriptor(results, id))
        .collect();
    let reasons: BTreeSet<Reason> = results
        .report
        .coverage
        .gaps
        .iter()
        .map(|it| it.reason)
        .collect();
    let mut notifications: Vec<_> = reasons
        .into_iter()
        .map(
            |it| json!({"id": it.code(), "shortDescription": {"text": format!("Not read: {it}.")}}),
        )
        .collect();
    notifications.push(
        json!({"id": "cut", "shortDescription": {"text": "Left out to stay within limits."}}),
    );
    json!({"driver": {
        "name": env!("CARGO_PKG_NAME"),
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "informationUri": HOME,
        "rules": rules,
        "notifications": notifications,
        "supportedTaxonomies": taxonomy::supported(),
    }})
}

fn descriptor(results: &Results<'_>, id: &str) -> Value {
    let text = results.text;
    let (title, full, help, uri, severity, precision, (cwe, nhi));
    if let Some(rule) = results.report.rules.get(id) {
        title = text.clean(&rule.title);
        full = format!("A value of this kind lies in the clear: {title}.");
        help = text.clean(if rule.rotation.is_empty() {
            "Rotate or revoke it, then remove it."
        } else {
            &rule.rotation
        });
        uri = rule.why.clone();
        severity = rule.severity;
        precision = rule.confidence.name();
        (cwe, nhi) = taxonomy::of_kind(rule.kind);
    } else if let Some(verdict) = VerdictId::ALL.iter().find(|it| it.code() == id) {
        title = id.replace('-', " ");
        full = verdict.help().to_owned();
        help = verdict.help().to_owned();
        uri = String::new();
        severity = verdict.severity();
        precision = Confidence::High.name();
        (cwe, nhi) = (verdict.cwe(), verdict.nhi());
    } else {
        title = id.to_owned();
        full = id.to_owned();
        help = "Rotate or revoke it, then remove it.".to_owned();
        uri = String::new();
        severity = crate::model::level::Severity::Medium;
        precision = Confidence::Medium.name();
        (cwe, nhi) = (Some(798), Some("NHI2"));
    }
    let mut out = json!({
        "id": id,
        "name": pascal(id),
        "shortDescription": {"text": sentence(&title)},
        "fullDescription": {"text": sentence(&full)},
        "help": {"text": help, "markdown": help},
        "defaultConfiguration": {"level": severity.level().name()},
        "properties": {
            "security-severity": severity.score(),
            "tags": taxonomy::tags(cwe, nhi),
            "precision": precision,
        },
        "relationships": taxonomy::relationships(cwe, nhi),
    });
    if !uri.is_empty() {
        out["helpUri"] = json!(uri);
    }
    out
}

impl Results<'_> {
    fn finding(&self, it: &Finding) -> Value {
        let text = self.text;
        let verdicts = self.verdicts.of(it);
        let rule = self.report.rules.get(&it.rule);
        let mut message = format!(
            "{}: {}",
            text.clean(rule.map_or(&it.rule, |it| &it.title)),
            sentence(&text.clean(&it.masked))
        );
        if let Some(container) = &it.container {
            let line = it.within.map(|it| format!(", line {}", it.line));
            let place = format!("{container}{}", line.unwrap_or_default());
            message.push_str(&format!(" It lies in {}", sentence(&text.clean(&place))));
        }
        let words = it.origins.first().and_then(|it| it.kind.words());
        if let Some(words) = words {
            message.push_str(&format!(
                " It lies in {words}: {}",
                sentence(&text.clean(&it.path))
            ));
        }
        let origins: Vec<&Origin> = it.origins.iter().collect();
        if let Some(words) = whereabouts::past(text, &origins) {
            message.push_str(&format!(" It is {}", sentence(&words)));
        }
        for verdict in &verdicts {
            message.push(' ');
            message.push_str(&sentence(&text.clean(&verdict.message)));
        }
        let mut steps: Vec<&str> = verdicts
            .iter()
            .map(|it| it.next.as_str())
            .filter(|it| !it.is_empty())
            .collect();
        steps.dedup();
        if steps.is_empty() {
            steps.extend(
                rule.map(|it| it.rotation.as_str())
                    .filter(|it| !it.is_empty()),
            );
        }
        for step in steps {
            message.push_str(" Next: ");
            message.push_str(&sentence(&text.clean(step)));
        }
        let mut prints = json!({"keyatlas/occurrence/v1": it.occurrence.to_string()});
        if let Some(fingerprint) = it.fingerprint {
            prints["keyatlas/secret/v1"] = json!(fingerprint.to_string());
        }
        let first = it.origins.first();
        let repository = first.and_then(|it| it.repository.as_deref());
        let codes: Vec<_> = verdicts.iter().map(|it| it.id.code()).collect();
        let mut location = self.location((repository, &it.path), it.place, None);
        // What lies in no file of a work tree is told by its name in the repository.
        let logical = it.container.as_ref().or(words.map(|_| &it.path));
        if let Some(name) = logical {
            let name = text.clean(name);
            location["logicalLocations"] =
                json!([{"fullyQualifiedName": name, "kind": "resource"}]);
        }
        let mut out = self.result(Subject::Finding(it), &message, &location);
        out["partialFingerprints"] = prints;
        out["properties"] = json!({
            "verdicts": codes,
            "confidence": it.confidence.name(),
            "record": it.managed.as_ref().map(|it| text.clean(&it.record)),
            "introducedBy": it.origins.iter().find_map(|it| it.introduced.as_ref()).map(|it| &it.commit),
            "inHead": it.origins.iter().any(|it| it.in_head),
            "reachable": it.origins.iter().any(|it| it.reachable),
        });
        if let Some(life) = it.origins.iter().find_map(|it| it.life.as_deref()) {
            out["properties"]["life"] = json!(LifeOut::of(text, life));
        }
        if !it.details.is_empty() {
            out["properties"]["details"] = json!(details::object(text, &it.details));
        }
        if let Some(known) = it.in_baseline {
            out["baselineState"] = json!(if known { "unchanged" } else { "new" });
        }
        if let Some(waived) = &it.waived {
            let why = format!(
                "{} (accepted by {} until {})",
                waived.reason, waived.owner, waived.until
            );
            out["suppressions"] = json!([{"kind": "external", "status": "accepted", "justification": text.clean(&why)}]);
        }
        if !it.parts.is_empty() {
            out["properties"]["parts"] = json!(parts::list(text, Values::Masked, it));
        }
        let mut related = self.parts(it, (repository, &it.path));
        let paths: BTreeSet<Spot<'_>> = it
            .origins
            .iter()
            .map(|it| (it.repository.as_deref(), it.path.as_str()))
            .filter(|spot| *spot != (repository, it.path.as_str()))
            .collect();
        let copies = paths.into_iter().take(RELATED);
        related.extend(
            copies.map(|spot| self.location(spot, it.place, Some("The same bytes lie here too."))),
        );
        for (at, location) in related.iter_mut().enumerate() {
            location["id"] = json!(at + 1);
        }
        if !related.is_empty() {
            out["relatedLocations"] = json!(related);
        }
        let uses = it
            .managed
            .as_ref()
            .and_then(|it| self.uses.get(it.record.as_str()));
        if let Some(uses) = uses {
            out["codeFlows"] = uses.iter().take(FLOWS).map(|it| self.flow(it)).collect();
        }
        out
    }

    /// Where the parts of a finding stand.
    fn parts(&self, it: &Finding, spot: Spot<'_>) -> Vec<Value> {
        let parts = it
            .parts
            .iter()
            .zip(parts::list(self.text, Values::Masked, it));
        let told = parts.map(|(part, told)| {
            let says = sentence(&format!("{}: {}", told.words(), told.value));
            self.location(spot, part.place, Some(&says))
        });
        told.collect()
    }

    fn verdict(&self, it: &Verdict) -> Value {
        let text = self.text;
        let mut message = sentence(&text.clean(&it.message));
        if !it.next.is_empty() {
            message.push_str(" Next: ");
            message.push_str(&sentence(&text.clean(&it.next)));
        }
        let record = it
            .record
            .as_deref()
            .and_then(|name| self.report.records.iter().find(|it| it.name == name));
        let (path, line) = match (&it.path, record) {
            (Some(path), _) => (path.as_str(), it.line),
            (None, Some(record)) => (record.source.as_str(), record.source_line),
            (None, None) => ("", None),
        };
        let line = line.unwrap_or(1).max(1);
        let place = Place {
            line,
            end_line: line,
            column: 1,
            end_column: 2,
        };
        let mut out = self.result(
            Subject::Verdict(it),
            &message,
            &self.location((it.repository.as_deref(), path), place, None),
        );
        let subject = it
            .record
            .as_deref()
            .or(it.evidence.first().map(String::as_str))
            .unwrap_or(path);
        out["partialFingerprints"] = json!({
            "keyatlas/verdict/v1": format!("{}:{}", it.id.code(), text.clean(subject)),
        });
        out["properties"] = json!({
            "verdicts": [it.id.code()],
            "confidence": Confidence::High.name(),
            "record": it.record.as_deref().map(|it| text.clean(it)),
        });
        if it.waived {
            out["suppressions"] =
                json!([{"kind": "external", "status": "accepted", "justification": "Waived."}]);
        }
        out
    }

    fn result(&self, subject: Subject<'_>, message: &str, location: &Value) -> Value {
        json!({
            "ruleId": subject.rule(),
            "ruleIndex": self.rules.get(subject.rule()),
            "level": subject.level().name(),
            "kind": "fail",
            "message": {"text": message},
            "locations": [location],
            "rank": f64::from(subject.rank()),
        })
    }

    fn flow(&self, it: &Use) -> Value {
        let steps: Vec<_> = it
            .chain
            .iter()
            .map(|hop| {
                let line = hop.line.max(1);
                let place = Place {
                    line,
                    end_line: line,
                    column: 1,
                    end_column: 2,
                };
                let says = sentence(&format!(
                    "{} names {}",
                    self.text.clean(&hop.syntax),
                    self.text.clean(&hop.name)
                ));
                json!({"location": self.location((hop.repository.as_deref(), &hop.path), place, Some(&says))})
            })
            .collect();
        json!({"threadFlows": [{"locations": steps}]})
    }

    /// A location; regions start at 1 and are never empty.
    fn location(&self, (repository, path): Spot<'_>, place: Place, says: Option<&str>) -> Value {
        let line = place.line.max(1);
        let column = place.column.max(1);
        let end_line = place.end_line.max(line);
        let mut end_column = place.end_column.max(1);
        if end_line == line {
            end_column = end_column.max(column.saturating_add(1));
        }
        let mut out = json!({"physicalLocation": {
            "artifactLocation": {"uri": self.text.uri(&relative(&self.text.redact(path))), "uriBaseId": base(self.text, repository)},
            "region": {"startLine": line, "startColumn": column, "endLine": end_line, "endColumn": end_column},
        }});
        if let Some(says) = says {
            out["message"] = json!({"text": says});
        }
        out
    }
}

fn notifications(report: &Report, text: &Redactor, cut: usize) -> Vec<Value> {
    let mut gaps: Vec<_> = report.coverage.gaps.iter().collect();
    gaps.sort_by_key(|it| it.reason.is_by_choice());
    let mut out: Vec<_> = gaps
        .iter()
        .take(NOTIFICATIONS)
        .map(|gap| {
            let path = relative(&text.redact(&gap.path));
            let detail = if gap.detail.is_empty() { "no particulars" } else { &gap.detail };
            json!({
                "level": if gap.reason.is_by_choice() { "note" } else { "warning" },
                "message": {"text": sentence(&text.clean(&format!("Not read: {} ({}): {detail}", gap.path, gap.reason)))},
                "descriptor": {"id": gap.reason.code()},
                "locations": [{"physicalLocation": {
                    "artifactLocation": {"uri": text.uri(&path), "uriBaseId": ROOT},
                }}],
            })
        })
        .collect();
    let mut tell = |n: usize, what: &str| {
        if n > 0 {
            out.push(json!({
                "level": "warning",
                "message": {"text": format!("{n} {what} were left out to stay within limits; the JSON report has all.")},
                "descriptor": {"id": "cut"},
            }));
        }
    };
    tell(cut, "results of the lowest rank");
    tell(
        gaps.len().saturating_sub(NOTIFICATIONS),
        "notifications on places that were not read",
    );
    out
}

fn provenance(report: &Report, text: &Redactor) -> Vec<Value> {
    let told = report
        .repositories
        .iter()
        .filter_map(|it| it.url.as_deref().map(|url| (it, url)));
    told.map(|(it, url)| {
        let mut out = json!({
            "repositoryUri": absolute(&text.redact(url)),
            "mappedTo": {"uriBaseId": base(text, Some(&it.name))},
        });
        if let Some(head) = &it.head {
            out["revisionId"] = json!(head);
        }
        if let Some(branch) = &it.branch {
            out["branch"] = json!(text.clean(branch));
        }
        out
    })
    .collect()
}

/// `github-token` as `GithubToken`.
fn pascal(id: &str) -> String {
    id.split(|c: char| !c.is_alphanumeric())
        .filter_map(|word| {
            let mut letters = word.chars();
            let first = letters.next()?;
            Some(first.to_uppercase().chain(letters).collect::<String>())
        })
        .collect()
}

/// The text with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::Details;
    use crate::model::finding::Waived;
    use crate::model::fingerprint::Occurrence;
    use crate::model::origin::OriginKind;
    use crate::model::secret::Secret;

    fn finding(rule: &str, path: &str, level: Level) -> Finding {
        Finding {
            rule: rule.to_owned(),
            path: path.to_owned(),
            place: Place {
                line: 0,
                end_line: 0,
                column: 0,
                end_column: 0,
            },
            key: None,
            secret: Secret::new(b"hunter22-planted"),
            masked: "****".to_owned(),
            fingerprint: None,
            occurrence: Occurrence {
                base: format!("ko1:{rule}"),
                ordinal: 1,
            },
            via: Vec::new(),
            container: None,
            within: None,
            confidence: Confidence::High,
            facts: Vec::new(),
            level,
            origins: vec![Origin::plain(OriginKind::File, "copy.env", None)],
            managed: None,
            waived: None,
            inline: None,
            expires: None,
            details: Details::default(),
            parts: Vec::new(),
            in_baseline: Some(false),
        }
    }

    fn log(report: &Report) -> Value {
        let mut out = Vec::new();
        write(&mut out, report).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    fn regions<'v>(value: &'v Value, found: &mut Vec<&'v Value>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("region"));
                map.values().for_each(|it| regions(it, found));
            }
            Value::Array(list) => list.iter().for_each(|it| regions(it, found)),
            _ => {}
        }
    }

    #[test]
    fn regions_and_indexes_hold() {
        let mut waived = finding("b-rule", "/abs/../x y.env", Level::Error);
        waived.waived = Some(Waived {
            reason: "r".into(),
            owner: "o".into(),
            until: "2030-01-01".into(),
        });
        let stale = Verdict {
            id: VerdictId::Stale,
            severity: VerdictId::Stale.severity(),
            record: Some("kv/a".into()),
            message: "old".into(),
            next: "rotate".into(),
            evidence: vec!["kv/a".into()],
            repository: None,
            path: None,
            line: Some(0),
            waived: false,
        };
        let report = Report {
            findings: vec![
                finding("b-rule", "a.env", Level::Warning),
                finding("a-rule", "a.env", Level::Error),
                waived,
            ],
            verdicts: vec![stale],
            ..Report::default()
        };
        let log = log(&report);
        let run = &log["runs"][0];
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: BTreeSet<_> = rules.iter().map(|it| it["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rules.len());
        assert_eq!(ids, BTreeSet::from(["a-rule", "b-rule", "stale"]));
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 4);
        assert_eq!(results[0]["ruleId"], "a-rule");
        assert_eq!(results[3]["suppressions"][0]["kind"], "external");
        for result in results {
            let at = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[at]["id"], result["ruleId"]);
            assert!(
                !result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
                    .as_str()
                    .unwrap()
                    .is_empty()
            );
        }
        let mut found = Vec::new();
        regions(&log, &mut found);
        assert!(found.len() >= 4);
        for region in found {
            let n = |name: &str| region[name].as_u64().unwrap();
            assert!(n("startLine") >= 1 && n("startColumn") >= 1 && n("endLine") >= n("startLine"));
            assert!(n("endLine") > n("startLine") || n("endColumn") > n("startColumn"));
        }
    }

    #[test]
    fn a_member_is_a_logical_location_of_its_container() {
        let mut inner = finding("a-rule", "a.zip", Level::Error);
        inner.container = Some("a.zip!x/a.env".to_owned());
        inner.within = Some(Place {
            line: 7,
            end_line: 7,
            column: 3,
            end_column: 9,
        });
        let log = log(&Report {
            findings: vec![inner],
            ..Report::default()
        });
        let result = &log["runs"][0]["results"][0];
        let location = &result["locations"][0];
        let logical = &location["logicalLocations"][0];
        assert_eq!(logical["fullyQualifiedName"], "a.zip!x/a.env");
        let physical = &location["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "a.zip");
        assert_eq!(physical["region"]["startLine"], 1);
        let message = result["message"]["text"].as_str().unwrap();
        assert!(
            message.contains("It lies in a.zip!x/a.env, line 7."),
            "{message}"
        );
    }

    #[test]
    fn names_are_joined_words() {
        assert_eq!(pascal("aws-access_key"), "AwsAccessKey");
    }

    #[test]
    fn the_limit_is_told() {
        let one = finding("a-rule", "a.env", Level::Note);
        let mut findings = vec![one; RESULTS + 1];
        findings.push(finding("z-rule", "z.env", Level::Error));
        let log = log(&Report {
            findings,
            ..Report::default()
        });
        let run = &log["runs"][0];
        assert_eq!(run["results"].as_array().unwrap().len(), RESULTS);
        assert_eq!(run["results"][0]["ruleId"], "z-rule");
        let told = &run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"];
        assert!(told.as_str().unwrap().starts_with("2 results"));
    }
}
