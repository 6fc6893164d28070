//! Waivers: the text file `.keyatlas-waivers`, what it accepts, and inline comments.
//!
//! Not here: where the file lies and which side of a change it is read from; the caller decides that,
//! since a change must not waive itself.

use crate::model::finding::{Finding, Inline, Waived};
use crate::model::level::Level;
use crate::model::origin::OriginKind;
use crate::model::secret::{MASK, Secret};
use data_encoding::HEXLOWER_PERMISSIVE;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The file's name at the root of a repository.
pub const FILE: &str = ".keyatlas-waivers";

/// The owner that `baseline` writes where nobody is named: accepted unseen.
pub const UNAUDITED: &str = "unaudited";

const HEADER: &str = "\
# Accepted occurrences, one a line, separated by tabs: occurrence, count, until, owner, reason, paths.
# Written by `keyatlas waive` and `keyatlas baseline`; it holds no values.
";

/// One accepted occurrence.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Waiver {
    /// `ko1:` id without ordinal.
    pub occurrence: String,
    /// How many places are accepted; more are new.
    pub count: u32,
    /// The last day it holds, `YYYY-MM-DD`.
    pub until: String,
    /// Who accepted it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// Where it was seen: hints for which places the count means.
    pub paths: Vec<String>,
}

impl Waiver {
    /// Whether it holds on this day.
    pub fn is_in_force(&self, today: &str) -> bool {
        self.until.as_str() >= today
    }

    /// Whether nobody has looked at it yet.
    pub fn is_unaudited(&self) -> bool {
        self.owner == UNAUDITED
    }

    fn waived(&self) -> Waived {
        Waived {
            reason: self.reason.clone(),
            owner: self.owner.clone(),
            until: self.until.clone(),
        }
    }
}

/// Why a waiver file or a waiver was refused; all faults at once.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{} fault(s) in the waivers: {}", .faults.len(), .faults.join("; "))]
pub struct Error {
    /// `line 3: what is wrong`.
    pub faults: Vec<String>,
}

/// More places than a waiver accepts.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Exceeded {
    /// The `ko1:` id without ordinal.
    pub occurrence: String,
    /// Places accepted.
    pub accepted: u32,
    /// Places seen.
    pub seen: u32,
}

/// What applying the waivers told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Applied {
    /// Waivers past their end that would have matched; they accept nothing.
    pub expired: Vec<Waiver>,
    /// Waivers in force that nobody has looked at.
    pub unaudited: Vec<Waiver>,
    /// Waivers that matched no finding.
    pub dead: Vec<Waiver>,
    /// Occurrences in more places than accepted.
    pub exceeded: Vec<Exceeded>,
    /// Findings waived by an inline comment.
    pub inline: u32,
    /// Findings lowered to note by another tool's comment.
    pub foreign: u32,
    /// Inline comments without effect: past their end, without one, or not trusted.
    pub powerless: u32,
}

/// Who wrote the inline comments.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Comments {
    /// The owner of the scanned tree: they count.
    Trusted,
    /// The change that is being judged (`ci`, `pre-receive`): none silences level error.
    OfTheChange,
}

/// The waiver file, read.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Waivers {
    salt: Option<Vec<u8>>,
    entries: BTreeMap<String, Waiver>,
}

impl Waivers {
    /// No waivers yet, with a fresh random salt for occurrence ids.
    pub fn new(salt: &[u8]) -> Self {
        Self {
            salt: Some(salt.to_vec()),
            entries: BTreeMap::new(),
        }
    }

    /// Reads the file's text; tells every fault with its line.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut waivers = Self::default();
        let mut faults = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim_end_matches('\r');
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            if let Err(fault) = waivers.read_line(line) {
                faults.push(format!("line {}: {fault}", index + 1));
            }
        }
        if faults.is_empty() {
            Ok(waivers)
        } else {
            Err(Error { faults })
        }
    }

    fn read_line(&mut self, line: &str) -> Result<(), String> {
        if let Some(hex) = line.strip_prefix("salt ") {
            return self.read_salt(hex.trim());
        }
        if ["<<<<<<<", "=======", ">>>>>>>", "|||||||"]
            .iter()
            .any(|it| line.starts_with(it))
        {
            return Err("an unresolved merge conflict; keep the lines of both sides".to_owned());
        }
        let waiver = read_waiver(line)?;
        match self.entries.get(&waiver.occurrence) {
            Some(known) if *known != waiver => Err(format!(
                "`{}` stands twice; keep one line",
                waiver.occurrence
            )),
            _ => {
                self.entries.insert(waiver.occurrence.clone(), waiver);
                Ok(())
            }
        }
    }

    fn read_salt(&mut self, hex: &str) -> Result<(), String> {
        let salt = HEXLOWER_PERMISSIVE
            .decode(hex.as_bytes())
            .map_err(|_| "the salt is not hexadecimal; restore it from history".to_owned())?;
        if salt.len() < 16 {
            return Err("the salt has less than 16 bytes; restore it from history".to_owned());
        }
        if self.salt.as_ref().is_some_and(|it| *it != salt) {
            return Err(
                "a second salt; keep the one that the occurrences were made with".to_owned(),
            );
        }
        self.salt = Some(salt);
        Ok(())
    }

    /// The file's text, sorted.
    pub fn render(&self) -> String {
        let mut text = HEADER.to_owned();
        if let Some(salt) = &self.salt {
            text.push_str(&format!("salt {}\n", HEXLOWER_PERMISSIVE.encode(salt)));
        }
        for waiver in self.entries.values() {
            let paths: Vec<String> = waiver.paths.iter().map(|it| escape(it)).collect();
            text.push_str(&format!(
                "{}\t{}\t{}\t{}\t{}\t{}\n",
                waiver.occurrence,
                waiver.count,
                waiver.until,
                one_line(&waiver.owner),
                one_line(&waiver.reason),
                paths.join(",")
            ));
        }
        text
    }

    /// The salt that occurrence ids are made with; `None` before the file has one.
    pub fn salt(&self) -> Option<&[u8]> {
        self.salt.as_deref()
    }

    /// Every waiver, sorted by occurrence.
    pub fn entries(&self) -> impl Iterator<Item = &Waiver> {
        self.entries.values()
    }

    /// Adds a waiver; one for the same occurrence is replaced and returned.
    pub fn add(&mut self, mut waiver: Waiver) -> Result<Option<Waiver>, Error> {
        waiver.occurrence = base_id(&waiver.occurrence).to_owned();
        waiver.owner = one_line(&waiver.owner);
        waiver.reason = one_line(&waiver.reason);
        waiver.paths.sort();
        waiver.paths.dedup();
        check(&waiver).map_err(|fault| Error {
            faults: vec![fault],
        })?;
        Ok(self.entries.insert(waiver.occurrence.clone(), waiver))
    }

    /// Takes a waiver out, by its occurrence with or without ordinal.
    pub fn remove(&mut self, occurrence: &str) -> Option<Waiver> {
        self.entries.remove(base_id(occurrence))
    }

    /// Takes out what is past its end, and what no finding has any more (`live` holds base ids).
    pub fn prune(&mut self, today: &str, live: &BTreeSet<String>) -> Vec<Waiver> {
        let dead = |it: &Waiver| !it.is_in_force(today) || !live.contains(&it.occurrence);
        let pruned: Vec<Waiver> = self
            .entries
            .values()
            .filter(|it| dead(it))
            .cloned()
            .collect();
        self.entries.retain(|_, it| !dead(it));
        pruned
    }

    /// Accepts everything that is not waived yet, and returns how many occurrences that were. An owner
    /// of `None` marks them unaudited. An occurrence in more places than accepted has its count raised.
    pub fn baseline(
        &mut self,
        findings: &[Finding],
        reason: &str,
        owner: Option<&str>,
        until: &str,
    ) -> Result<usize, Error> {
        let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in findings {
            groups
                .entry(&finding.occurrence.base)
                .or_default()
                .push(finding);
        }
        groups.retain(|_, group| group.iter().any(|it| it.waived.is_none()));
        let names = Names::of(findings);
        for (base, group) in &groups {
            self.add(Waiver {
                occurrence: (*base).to_owned(),
                count: count(group.len()),
                until: until.to_owned(),
                owner: owner.unwrap_or(UNAUDITED).to_owned(),
                reason: reason.to_owned(),
                paths: group.iter().map(|it| names.hint(&it.path)).collect(),
            })?;
        }
        Ok(groups.len())
    }

    /// Waives what inline comments and this file accept, in a tree whose comments are trusted.
    pub fn apply(&self, findings: &mut [Finding], today: &str) -> Applied {
        self.apply_with(findings, today, Comments::Trusted)
    }

    /// The same, with a say on who wrote the inline comments.
    pub fn apply_with(&self, findings: &mut [Finding], today: &str, comments: Comments) -> Applied {
        let mut applied = Applied::default();
        for finding in findings.iter_mut() {
            heed_comment(finding, today, comments, &mut applied);
        }
        let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, finding) in findings.iter().enumerate() {
            if let Some((base, _)) = self.entries.get_key_value(&finding.occurrence.base) {
                places.entry(base).or_default().push(index);
            }
        }
        let names = Names::of(findings);
        for waiver in self.entries.values() {
            match places.get(waiver.occurrence.as_str()) {
                None => applied.dead.push(waiver.clone()),
                Some(_) if !waiver.is_in_force(today) => applied.expired.push(waiver.clone()),
                Some(indices) => accept(waiver, findings, (indices, &names), &mut applied),
            }
        }
        applied
    }
}

/// Values that are names of files or refs: no path in a waiver file may tell them.
#[derive(Clone, Default, Debug)]
pub struct Names {
    values: Vec<Secret>,
}

impl Names {
    /// The names among these findings.
    pub fn of(findings: &[Finding]) -> Self {
        let is_name = |it: &&Finding| {
            let mut kinds = it.origins.iter().map(|it| it.kind);
            kinds.any(|it| matches!(it, OriginKind::FileName | OriginKind::RefName))
        };
        let values = findings.iter().filter(is_name).map(|it| it.secret.clone());
        Self {
            values: values.collect(),
        }
    }

    /// A path as a waiver keeps it.
    pub fn hint(&self, path: &str) -> String {
        let mut hint = path.to_owned();
        for value in self
            .values
            .iter()
            .map(|it| String::from_utf8_lossy(it.expose()))
        {
            if !value.is_empty() {
                hint = hint.replace(&*value, MASK);
            }
        }
        hint
    }
}

/// Waives as many places as the waiver counts: first those on its paths, then by ordinal.
fn accept(
    waiver: &Waiver,
    findings: &mut [Finding],
    (indices, names): (&[usize], &Names),
    applied: &mut Applied,
) {
    if waiver.is_unaudited() {
        applied.unaudited.push(waiver.clone());
    }
    let mut open: Vec<usize> = indices
        .iter()
        .copied()
        .filter(|it| findings[*it].waived.is_none())
        .collect();
    open.sort_by_key(|it| {
        let finding = &findings[*it];
        (
            !waiver.paths.contains(&names.hint(&finding.path)),
            finding.occurrence.ordinal,
            *it,
        )
    });
    let seen = count(open.len());
    for index in open.into_iter().take(waiver.count as usize) {
        findings[index].waived = Some(waiver.waived());
    }
    if seen > waiver.count {
        applied.exceeded.push(Exceeded {
            occurrence: waiver.occurrence.clone(),
            accepted: waiver.count,
            seen,
        });
    }
}

/// A comment waives with a `ko1:` id, or with its rule and an end date in the future; another tool's
/// comment lowers.
fn heed_comment(finding: &mut Finding, today: &str, comments: Comments, applied: &mut Applied) {
    let Some(inline) = &finding.inline else {
        return;
    };
    if comments == Comments::OfTheChange && finding.level == Level::Error {
        applied.powerless += 1;
        return;
    }
    match inline {
        Inline::Foreign => {
            finding.level = Level::Note;
            applied.foreign += 1;
        }
        Inline::Allow {
            what,
            until,
            reason,
        } => {
            let names_it = base_id(what) == finding.occurrence.base;
            let in_force = match until {
                Some(until) => is_day(until) && until.as_str() >= today,
                None => names_it,
            };
            if in_force && (names_it || *what == finding.rule) {
                finding.waived = Some(Waived {
                    reason: reason.clone(),
                    owner: "inline comment".to_owned(),
                    until: until.clone().unwrap_or_default(),
                });
                applied.inline += 1;
            } else {
                applied.powerless += 1;
            }
        }
    }
}

/// Numbers equal base ids by path and place, from 1, so that every finding has an identity of its own.
pub fn assign_ordinals(findings: &mut [Finding]) {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|one, other| {
        let key = |index: usize| {
            let it = &findings[index];
            let repository = it.origins.first().and_then(|it| it.repository.as_deref());
            (
                &it.occurrence.base,
                &it.path,
                it.place.line,
                it.place.column,
                repository,
                &it.container,
            )
        };
        key(*one).cmp(&key(*other))
    });
    let mut ordinal = 0;
    let mut previous: Option<usize> = None;
    for index in order {
        let equal = previous
            .is_some_and(|it| findings[it].occurrence.base == findings[index].occurrence.base);
        ordinal = if equal { ordinal + 1 } else { 1 };
        findings[index].occurrence.ordinal = ordinal;
        previous = Some(index);
    }
}

/// `ko1:abc` of `ko1:abc.2`.
pub fn base_id(occurrence: &str) -> &str {
    match occurrence.rsplit_once('.') {
        Some((base, ordinal)) if ordinal.bytes().all(|it| it.is_ascii_digit()) => base,
        _ => occurrence,
    }
}

fn read_waiver(line: &str) -> Result<Waiver, String> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [occurrence, count, until, owner, reason, paths] = fields[..] else {
        return Err(format!(
            "{} fields separated by tabs, 6 are needed",
            fields.len()
        ));
    };
    let waiver = Waiver {
        occurrence: occurrence.to_owned(),
        count: count
            .parse()
            .map_err(|_| format!("the count `{count}` is no number"))?,
        until: until.to_owned(),
        owner: owner.to_owned(),
        reason: reason.to_owned(),
        paths: paths
            .split(',')
            .filter(|it| !it.is_empty())
            .map(unescape)
            .collect(),
    };
    check(&waiver)?;
    Ok(waiver)
}

fn check(waiver: &Waiver) -> Result<(), String> {
    let digits = waiver.occurrence.strip_prefix("ko1:").unwrap_or("");
    if digits.is_empty() || !digits.bytes().all(|it| it.is_ascii_hexdigit()) {
        return Err(format!(
            "`{}` is no occurrence; take the `ko1:` id from a report",
            waiver.occurrence
        ));
    }
    if waiver.count == 0 {
        return Err("the count is 0; remove the line instead".to_owned());
    }
    if !is_day(&waiver.until) {
        return Err(format!("`{}` is no day; write YYYY-MM-DD", waiver.until));
    }
    if waiver.owner.trim().is_empty() || waiver.reason.trim().is_empty() {
        return Err("owner and reason must not be empty".to_owned());
    }
    Ok(())
}

/// Whether the text is a day as `YYYY-MM-DD`: days of this form compare as text.
pub fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn count(places: usize) -> u32 {
    u32::try_from(places).unwrap_or(u32::MAX)
}

fn one_line(text: &str) -> String {
    let flat: String = text
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    flat.trim().to_owned()
}

/// Paths are joined by commas, so commas, percent signs and control characters are escaped.
fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for character in path.chars() {
        if character.is_ascii() && (character.is_ascii_control() || ",%".contains(character)) {
            escaped.push_str(&format!("%{:02X}", u32::from(character)));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn unescape(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let code = match (first, tail) {
            (b'%', [high, low, ..]) => HEXLOWER_PERMISSIVE.decode(&[*high, *low]).ok(),
            _ => None,
        };
        match code {
            Some(byte) => {
                bytes.extend(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::details::Details;
    use crate::model::fingerprint::Occurrence;
    use crate::model::level::Confidence;
    use crate::model::secret::Secret;
    use crate::model::span::Place;

    const TODAY: &str = "2026-11-24";
    const BASE: &str = "ko1:00112233445566778899aabb";

    fn finding(path: &str, line: u32) -> Finding {
        Finding {
            rule: "acme-token".to_owned(),
            path: path.to_owned(),
            place: Place {
                line,
                end_line: line,
                column: 1,
                end_column: 9,
            },
            key: None,
            secret: Secret::new(b"value"),
            masked: "****".to_owned(),
            fingerprint: None,
            occurrence: Occurrence {
                base: BASE.to_owned(),
                ordinal: 0,
            },
            via: Vec::new(),
            container: None,
            within: None,
            confidence: Confidence::High,
            facts: Vec::new(),
            level: Level::Error,
            origins: Vec::new(),
            managed: None,
            waived: None,
            inline: None,
            expires: None,
            details: Details::default(),
            parts: Vec::new(),
            in_baseline: None,
        }
    }

    fn waiver(count: u32, until: &str, paths: &[&str]) -> Waiver {
        Waiver {
            occurrence: BASE.to_owned(),
            count,
            until: until.to_owned(),
            owner: "shop".to_owned(),
            reason: "sample".to_owned(),
            paths: paths.iter().map(|it| (*it).to_owned()).collect(),
        }
    }

    fn waivers(waiver: Waiver) -> Waivers {
        let mut waivers = Waivers::new(&[7; 16]);
        waivers.add(waiver).unwrap();
        waivers
    }

    fn waived(findings: &[Finding]) -> Vec<&str> {
        findings
            .iter()
            .filter(|it| it.waived.is_some())
            .map(|it| it.path.as_str())
            .collect()
    }

    #[test]
    fn the_file_survives_a_round_trip() {
        let mut before = waivers(waiver(
            2,
            "2027-01-01",
            &["a,b%.txt", "dir/ü.env", "tab\tin"],
        ));
        let mut other = waiver(1, "2026-12-31", &[]);
        other.occurrence = "ko1:ff.3".to_owned();
        other.reason = "two\nlines\tand a tab".to_owned();
        before.add(other).unwrap();
        let text = before.render();
        assert_eq!(Waivers::parse(&text).unwrap(), before);
        assert_eq!(Waivers::parse(&text.replace('\n', "\r\n")).unwrap(), before);
        assert!(
            text.contains("\nko1:ff\t1\t2026-12-31\tshop\ttwo lines and a tab\t\n"),
            "{text}"
        );
        assert_eq!(before.salt(), Some(&[7; 16][..]));
    }

    #[test]
    fn faults_name_their_lines() {
        let text = format!(
            "# x\nsalt zz\n{BASE}\t1\n{BASE}\t0\t2026-01-01\to\tr\tp\nko2:1\t1\t2026-01-01\to\tr\tp\n\
             {BASE}\t1\t2026-13-01\to\tr\tp\n{BASE}\t1\t2026-01-01\t\tr\tp\n<<<<<<< HEAD\n"
        );
        let faults = Waivers::parse(&text).unwrap_err().faults;
        let lines: Vec<&str> = faults
            .iter()
            .filter_map(|it| it.split(':').next())
            .collect();
        assert_eq!(
            lines,
            [
                "line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8"
            ]
        );
    }

    #[test]
    fn a_count_accepts_that_many_places_and_its_paths_first() {
        for (count, paths, expected, exceeded) in [
            (3, &[][..], &["a", "b", "c"][..], false),
            (2, &[], &["a", "b"], true),
            (1, &["c"], &["c"], true),
            (2, &["c", "gone"], &["a", "c"], true),
        ] {
            let mut findings = ["a", "b", "c"].map(|path| finding(path, 1));
            assign_ordinals(&mut findings);
            let applied = waivers(waiver(count, "2027-01-01", paths)).apply(&mut findings, TODAY);
            assert_eq!(waived(&findings), expected, "{count} {paths:?}");
            assert_eq!(!applied.exceeded.is_empty(), exceeded, "{count} {paths:?}");
        }
    }

    #[test]
    fn an_expired_waiver_accepts_nothing_and_its_last_day_counts() {
        for (until, accepted) in [("2026-11-23", false), ("2026-11-24", true)] {
            let mut findings = [finding("a", 1)];
            let applied = waivers(waiver(1, until, &[])).apply(&mut findings, TODAY);
            assert_eq!(findings[0].waived.is_some(), accepted, "{until}");
            assert_eq!(applied.expired.is_empty(), accepted, "{until}");
        }
    }

    #[test]
    fn dead_waivers_are_told_and_pruned() {
        let mut waivers = waivers(waiver(1, "2027-01-01", &[]));
        assert_eq!(waivers.apply(&mut [], TODAY).dead.len(), 1);
        let live = BTreeSet::from([BASE.to_owned()]);
        assert_eq!(waivers.prune(TODAY, &live).len(), 0);
        assert_eq!(waivers.prune("2027-01-02", &live).len(), 1);
        assert_eq!(waivers.entries().count(), 0);
    }

    #[test]
    fn a_baseline_accepts_what_is_open_and_marks_it_unaudited() {
        let mut findings = [finding("a", 1), finding("b", 2)];
        let mut waivers = Waivers::new(&[1; 16]);
        assert_eq!(
            waivers
                .baseline(&findings, "before keyatlas", None, "2027-02-22")
                .unwrap(),
            1
        );
        let applied = waivers.apply(&mut findings, TODAY);
        assert_eq!(waived(&findings), ["a", "b"]);
        assert_eq!(applied.unaudited.len(), 1);
        assert_eq!(
            waivers
                .baseline(&findings, "again", None, "2027-02-22")
                .unwrap(),
            0
        );
        assert!(
            waivers
                .baseline(&[finding("a", 1)], "x", None, "soon")
                .is_err()
        );
    }

    #[test]
    fn a_comment_waives_only_with_an_id_or_a_rule_and_an_end() {
        let allow = |what: &str, until: Option<&str>| Inline::Allow {
            what: what.to_owned(),
            until: until.map(str::to_owned),
            reason: "sample".to_owned(),
        };
        for (inline, waives) in [
            (allow("acme-token", Some("2026-12-01")), true),
            (allow("acme-token", Some("2026-11-01")), false),
            (allow("acme-token", Some("9999")), false),
            (allow("acme-token", None), false),
            (allow("other-rule", Some("2026-12-01")), false),
            (allow(BASE, None), true),
            (allow(BASE, Some("2026-01-01")), false),
            (allow("ko1:aa", None), false),
            (Inline::Foreign, false),
        ] {
            let mut findings = [finding("a", 1)];
            findings[0].inline = Some(inline.clone());
            Waivers::default().apply(&mut findings, TODAY);
            assert_eq!(findings[0].waived.is_some(), waives, "{inline:?}");
            assert_eq!(findings[0].level == Level::Note, inline == Inline::Foreign);
        }
    }

    #[test]
    fn comments_of_a_change_silence_no_error() {
        for inline in [
            Inline::Foreign,
            Inline::Allow {
                what: BASE.to_owned(),
                until: None,
                reason: String::new(),
            },
        ] {
            let mut findings = [finding("a", 1)];
            findings[0].inline = Some(inline);
            let applied =
                Waivers::default().apply_with(&mut findings, TODAY, Comments::OfTheChange);
            assert!(findings[0].waived.is_none() && findings[0].level == Level::Error);
            assert_eq!(applied.powerless, 1);
        }
    }

    #[test]
    fn ordinals_follow_the_place_not_the_order_of_discovery() {
        let mut findings = [finding("b", 1), finding("a", 9), finding("a", 2)];
        findings[0].occurrence.base = BASE.to_owned();
        assign_ordinals(&mut findings);
        assert_eq!(
            findings.each_ref().map(|it| it.occurrence.ordinal),
            [3, 2, 1]
        );
        assert_eq!(base_id(&findings[0].occurrence.to_string()), BASE);
    }
}
