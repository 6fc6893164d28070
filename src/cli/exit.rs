//! Exit codes: a contract that scripts rely on.

use crate::model::level::Level;
use crate::model::report::Report;

/// How a run ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// Everything asked for was read, nothing to report.
    Clean = 0,
    /// Something to report.
    Findings = 1,
    /// The request is wrong; nothing was scanned.
    WrongRequest = 2,
    /// Done, but not everything could be read.
    Incomplete = 3,
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What incomplete reading does to the code when there is something to report as well.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Completeness {
    /// Findings win.
    Told,
    /// Incompleteness wins.
    Required,
}

/// The code of a report.
pub(super) fn of(report: &Report, fail_on: Level, completeness: Completeness) -> Exit {
    let has_loud = report.worst().is_some_and(|it| it >= fail_on);
    code(has_loud, report.coverage.is_complete(), completeness)
}

fn code(has_loud: bool, is_complete: bool, completeness: Completeness) -> Exit {
    match (has_loud, is_complete, completeness) {
        (_, false, Completeness::Required) | (false, false, Completeness::Told) => Exit::Incomplete,
        (true, _, _) => Exit::Findings,
        (false, true, _) => Exit::Clean,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::coverage::{Gap, Reason};
    use crate::model::level::Severity;
    use crate::model::verdict::{Verdict, VerdictId};

    #[test]
    fn findings_and_gaps_make_the_code() {
        use Completeness::{Required, Told};
        for (has_loud, is_complete, completeness, expected) in [
            (false, true, Told, Exit::Clean),
            (true, true, Told, Exit::Findings),
            (false, false, Told, Exit::Incomplete),
            (true, false, Told, Exit::Findings),
            (false, true, Required, Exit::Clean),
            (true, true, Required, Exit::Findings),
            (false, false, Required, Exit::Incomplete),
            (true, false, Required, Exit::Incomplete),
        ] {
            assert_eq!(
                code(has_loud, is_complete, completeness),
                expected,
                "{has_loud} {is_complete} {completeness:?}"
            );
        }
    }

    fn report(severity: Severity, waived: bool, gap: Option<Reason>) -> Report {
        let mut report = Report::default();
        report.verdicts.push(Verdict {
            id: VerdictId::Unmanaged,
            severity,
            record: None,
            message: String::new(),
            next: String::new(),
            evidence: Vec::new(),
            repository: None,
            path: None,
            line: None,
            waived,
        });
        let named = |reason| Gap {
            path: "x".to_owned(),
            reason,
            detail: String::new(),
        };
        report.coverage.gaps.extend(gap.map(named));
        report
    }

    #[test]
    fn levels_below_the_bar_and_waived_verdicts_are_silent() {
        for (severity, waived, gap, fail_on, expected) in [
            (Severity::High, false, None, Level::Warning, Exit::Findings),
            (
                Severity::Medium,
                false,
                None,
                Level::Warning,
                Exit::Findings,
            ),
            (Severity::Medium, false, None, Level::Error, Exit::Clean),
            (Severity::Low, false, None, Level::Warning, Exit::Clean),
            (Severity::Low, false, None, Level::Note, Exit::Findings),
            (Severity::Critical, true, None, Level::Note, Exit::Clean),
            (
                Severity::Low,
                false,
                Some(Reason::Io),
                Level::Warning,
                Exit::Incomplete,
            ),
            (
                Severity::Low,
                false,
                Some(Reason::IgnoredFolder),
                Level::Warning,
                Exit::Clean,
            ),
            (
                Severity::High,
                false,
                Some(Reason::TooLarge),
                Level::Warning,
                Exit::Findings,
            ),
        ] {
            let report = report(severity, waived, gap);
            assert_eq!(
                of(&report, fail_on, Completeness::Told),
                expected,
                "{severity:?} {waived} {gap:?} {fail_on:?}"
            );
        }
    }
}
