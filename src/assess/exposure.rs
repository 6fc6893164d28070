//! Verdicts on values that lie in the clear: `exposed`, `rotated-but-exposed`, `unmanaged`.
//!
//! Not here: how old a value is, or who else has it.

use crate::assess::case::{Case, about_findings, day, is_certificate, is_weak, owned_by};
use crate::model::finding::{Finding, Managed};
use crate::model::level::{Level, Severity};
use crate::model::verdict::{Verdict, VerdictId};
use std::collections::BTreeMap;

/// One verdict for each occurrence base.
pub(super) fn judge(case: &Case, verdicts: &mut Vec<Verdict>) {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in case.findings.iter().filter(|it| !is_certificate(it)) {
        groups
            .entry(&finding.occurrence.base)
            .or_default()
            .push(finding);
    }
    for group in groups.values_mut() {
        group.sort_by_key(|it| (it.occurrence.ordinal, &it.path, it.place));
        verdicts.push(verdict(case, group));
    }
    for part in case.findings.iter().flat_map(secret_parts) {
        verdicts.push(verdict(case, &[&part]));
    }
}

/// What belongs to a finding, is as secret as it is, and has a record of its own: told as a finding
/// would be. An identifier is public.
fn secret_parts(finding: &Finding) -> Vec<Finding> {
    let parts = finding.parts.iter();
    let known = parts.filter(|it| it.is_secret && it.managed.is_some());
    let told = known.map(|it| Finding {
        place: it.place,
        managed: it.managed.clone(),
        ..finding.clone()
    });
    told.collect()
}

fn verdict(case: &Case, group: &[&Finding]) -> Verdict {
    match group.first().and_then(|it| it.managed.as_ref()) {
        Some(managed) if managed.current => exposed(case, group, managed),
        Some(managed) => rotated(case, group, managed),
        None => unmanaged(case, group),
    }
}

/// `a.env:3`, or `a.env:3 and 2 more places`.
fn places(group: &[&Finding]) -> String {
    let mut open: Vec<_> = group.iter().filter(|it| it.waived.is_none()).collect();
    if open.is_empty() {
        open = group.iter().collect();
    }
    let first = open.first().map_or_else(String::new, |it| {
        format!("{}:{}", it.shown_path(), it.place.line)
    });
    match open.len() {
        0 | 1 => first,
        2 => format!("{first} and one more place"),
        count => format!("{first} and {} more places", count - 1),
    }
}

/// How the values lie there: keys that need a passphrase do not lie in the clear.
fn lie(group: &[&Finding]) -> &'static str {
    if group.iter().all(|it| it.details.is_encrypted()) {
        "lies encrypted"
    } else {
        "lies in the clear"
    }
}

/// The severity as a whole: low if each sign is weak.
fn severity(group: &[&Finding], strong: Severity) -> Severity {
    let open: Vec<_> = group.iter().filter(|it| it.waived.is_none()).collect();
    let weak = if open.is_empty() {
        group.iter().all(|it| is_weak(it))
    } else {
        open.iter().all(|it| is_weak(it))
    };
    if weak { Severity::Low } else { strong }
}

fn exposed(case: &Case, group: &[&Finding], managed: &Managed) -> Verdict {
    let owner = case
        .record(&managed.record)
        .map(owned_by)
        .unwrap_or_default();
    let message = format!(
        "The current value of `{}`{owner} {} at {}.",
        managed.record,
        lie(group),
        places(group)
    );
    let next = format!(
        "Rotate `{}` (`keyatlas map {}` lists what uses it), then read it from the secrets manager at {}.",
        managed.record,
        managed.record,
        places(group)
    );
    let id = VerdictId::Exposed;
    about_findings(id, severity(group, id.severity()), group, message, next)
}

fn rotated(case: &Case, group: &[&Finding], managed: &Managed) -> Verdict {
    let owner = case
        .record(&managed.record)
        .map(owned_by)
        .unwrap_or_default();
    let message = format!(
        "Version {} of `{}`{owner}, rotated since, still {} at {}.",
        managed.version,
        managed.record,
        lie(group),
        places(group)
    );
    let next = format!(
        "Make sure version {} is revoked where `{}` is issued, then remove it at {}.",
        managed.version,
        managed.record,
        places(group)
    );
    let id = VerdictId::RotatedButExposed;
    about_findings(id, severity(group, id.severity()), group, message, next)
}

fn unmanaged(case: &Case, group: &[&Finding]) -> Verdict {
    let level = group
        .iter()
        .filter(|it| it.waived.is_none())
        .map(|it| it.level)
        .max();
    let strong = match level.or_else(|| group.iter().map(|it| it.level).max()) {
        Some(Level::Error) | None => Severity::High,
        Some(Level::Warning) => Severity::Medium,
        Some(Level::Note) => Severity::Low,
    };
    let ended = group
        .iter()
        .find_map(|it| it.expires)
        .filter(|it| *it <= case.options.now);
    let what = kind_of(group);
    let (severity, note) = match ended {
        Some(end) => (Severity::Low, format!(" It expired on {}.", day(end))),
        None => (severity(group, strong), String::new()),
    };
    let message = format!(
        "A secret that no inventory knows ({what}) {} at {}.{note}",
        lie(group),
        places(group)
    );
    let next = if group.iter().all(|it| it.details.is_encrypted()) {
        format!(
            "Make sure that nobody can guess or find the passphrase of what lies at {}, or make a new key.",
            places(group)
        )
    } else if ended.is_some() {
        format!(
            "Remove it at {}, and check that what issued it no longer accepts it.",
            places(group)
        )
    } else {
        format!(
            "Revoke or rotate it where it was issued, keep the new value in a secrets manager, and read it from there at {}.",
            places(group)
        )
    };
    about_findings(VerdictId::Unmanaged, severity, group, message, next)
}

fn kind_of(group: &[&Finding]) -> String {
    group.first().map_or_else(String::new, |it| match &it.key {
        Some(key) => format!("{}, `{key}`", it.rule),
        None => it.rule.clone(),
    })
}

#[cfg(test)]
mod tests {
    use crate::assess::tests::{codes, finding, inventory, options, print, record};
    use crate::assess::{Scope, assess};
    use crate::model::part::Part;
    use crate::model::secret::Secret;
    use crate::model::span::Place;

    fn part(is_secret: bool) -> Part {
        Part {
            name: "session_token".to_owned(),
            secret: Secret::new(b"q8Zk27xPw0"),
            is_secret,
            fingerprint: print(2),
            managed: None,
            place: Place {
                line: 9,
                end_line: 9,
                column: 1,
                end_column: 11,
            },
            within: None,
        }
    }

    #[test]
    fn a_secret_part_has_a_record_of_its_own_and_an_identifier_only_a_use() {
        let known = inventory(&[record("kv/shop/key", &[1]), record("kv/shop/token", &[2])]);
        for (is_secret, expected) in [(true, 2), (false, 1)] {
            let mut findings = [finding("a.env", 1)];
            findings[0].parts = vec![part(is_secret)];
            let assessed = assess(&mut findings, &[], Some(&known), &options(Scope::Change));
            assert_eq!(codes(&assessed.verdicts), vec!["exposed"; expected]);
            let token = Some("kv/shop/token");
            let is_told = assessed
                .verdicts
                .iter()
                .any(|it| it.record.as_deref() == token);
            assert_eq!(is_told, is_secret);
            let uses = assessed.map.uses.iter();
            let uses: Vec<_> = uses.map(|it| (&*it.record, it.chain[0].line)).collect();
            assert_eq!(uses, [("kv/shop/key", 3), ("kv/shop/token", 9)]);
        }
    }
}
