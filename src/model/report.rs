//! A report: everything one run has to say, ready to be written in any format.

use super::codeowners::CodeOwners;
use super::coverage::Coverage;
use super::finding::Finding;
use super::level::Level;
use super::map::Map;
use super::record::Record;
use super::reference::Reference;
use super::rule::RuleSet;
use super::verdict::Verdict;

/// Where a repository of the run stands, for `versionControlProvenance`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Repository {
    /// Path relative to the scanned root, `.` for itself.
    pub name: String,
    /// Remote URL without user info, if one is set.
    pub url: Option<String>,
    /// Commit id of HEAD, if it has one.
    pub head: Option<String>,
    /// Branch name, if HEAD is on one.
    pub branch: Option<String>,
}

/// Findings, map, verdicts and coverage of one run. Sorted; the same input gives the same report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The rules in force.
    pub rules: RuleSet,
    /// Values seen.
    pub findings: Vec<Finding>,
    /// Names seen.
    pub references: Vec<Reference>,
    /// Record names resolved for each reference, by index; `None` where nothing matched.
    pub resolved: Vec<Option<String>>,
    /// Where each record is used.
    pub map: Map,
    /// Judgements.
    pub verdicts: Vec<Verdict>,
    /// The records that verdicts speak of.
    pub records: Vec<Record>,
    /// What was read.
    pub coverage: Coverage,
    /// Repositories of the run.
    pub repositories: Vec<Repository>,
    /// What CODEOWNERS files claim, one for a repository at most.
    pub claims: Vec<CodeOwners>,
    /// Whether an inventory was at hand.
    pub has_inventory: bool,
    /// Whether values may be shown: only when the caller asked, and never in SARIF.
    pub show_secrets: bool,
    /// Whether to say what raised or lowered each confidence, where people read it.
    pub explain: bool,
    /// The day of the run (`YYYY-MM-DD`), for ages; given by the caller.
    pub today: String,
}

impl Report {
    /// Who is claimed to answer for a path, and the file that says so.
    pub fn claimed(&self, repository: Option<&str>, path: &str) -> (Vec<&str>, &str) {
        let own = self
            .claims
            .iter()
            .find(|it| it.repository.as_deref() == repository);
        own.map_or((Vec::new(), ""), |it| (it.of(path), &it.path))
    }

    /// The loudest level among verdicts that no waiver covers.
    pub fn worst(&self) -> Option<Level> {
        self.verdicts
            .iter()
            .filter(|it| !it.waived)
            .map(Verdict::level)
            .max()
    }
}
