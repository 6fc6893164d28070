//! A plan in words: facts of the run, and the merged settings as a file would have them.

use super::message::Fault;
use super::plan::Plan;
use super::policies::ShownPolicy;
use crate::assess::Scope;
use crate::assess::waive::FILE as WAIVERS;
use crate::scan::{Difference, Mode, Without};
use std::path::PathBuf;

/// The settings as they would be written in a file; facts of this run are comments above them.
#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct Shown<'a> {
    exclude: &'a [String],
    disable_rules: &'a [String],
    rules: Vec<String>,
    min_confidence: &'static str,
    fail_on: &'static str,
    max_size: u64,
    max_depth: usize,
    jobs: usize,
    references: bool,
    expiry: Expiry,
    rotation: Rotation,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    policy: Vec<ShownPolicy<'a>>,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct Expiry {
    warn_days: u32,
}

#[derive(serde::Serialize)]
#[serde(rename_all = "kebab-case")]
struct Rotation {
    default_days: u32,
    cloud_key_days: u32,
}

impl Plan {
    /// What is in force, one fact a line.
    pub(super) fn facts(&self) -> Vec<String> {
        let or_none = |path: &Option<PathBuf>| {
            path.as_ref()
                .map_or_else(|| "none".to_owned(), |it| it.display().to_string())
        };
        let roots: Vec<String> = self
            .scan
            .roots
            .iter()
            .map(|it| it.display().to_string())
            .collect();
        vec![
            format!("mode: {}", mode(&self.scan.mode)),
            format!("paths: {}", roots.join(", ")),
            format!("scope: {}", scope(self.scope)),
            format!("settings file: {}", or_none(&self.sources.settings)),
            format!("inventory: {}", or_none(&self.sources.inventory)),
            format!("cache file: {}", or_none(&self.cache)),
            format!(
                "rules in force: {}, digest {}",
                self.rules.rules.len(),
                self.rules.digest
            ),
            match &self.base {
                None => format!("waivers: {}", self.home.join(WAIVERS).display()),
                Some(_) => format!("waivers: HEAD:{WAIVERS}"),
            },
            format!(
                "ignored folders: {}",
                if self.scan.no_ignore {
                    "scanned"
                } else {
                    "left out"
                }
            ),
        ]
    }

    /// The merged truth; what it prints may be used as a settings file.
    pub(super) fn show(&self) -> Result<String, Fault> {
        let shown = Shown {
            exclude: &self.sources.exclude,
            disable_rules: &self.sources.disable_rules,
            rules: self
                .sources
                .rules
                .iter()
                .map(|it| it.display().to_string())
                .collect(),
            min_confidence: self.scan.min_confidence.name(),
            fail_on: self.fail_on.name(),
            max_size: self.scan.max_size,
            max_depth: self.scan.max_depth,
            jobs: self.scan.jobs,
            references: self.scan.references,
            expiry: Expiry {
                warn_days: self.ages.expiring,
            },
            rotation: Rotation {
                default_days: self.ages.stale,
                cloud_key_days: self.ages.stale_cloud,
            },
            policy: self.policies.0.iter().map(ShownPolicy::of).collect(),
        };
        let settings = toml::to_string(&shown)
            .map_err(|it| Fault::new(format!("the plan cannot be shown: {it}")))?;
        let facts: String = self
            .facts()
            .iter()
            .map(|it| format!("# {}\n", it.escape_debug()))
            .collect();
        Ok(format!("{facts}\n{settings}"))
    }
}

fn mode(mode: &Mode) -> String {
    match mode {
        Mode::Tree => "files and folders".to_owned(),
        Mode::History => "history".to_owned(),
        Mode::Staged => "staged".to_owned(),
        Mode::Range(difference) => range(difference),
        Mode::Stdin(_) => "standard input".to_owned(),
    }
}

/// As `git rev-list` would be asked.
fn range(difference: &Difference) -> String {
    let sides = difference.without.iter().map(|it| match it {
        Without::Revision(it) | Without::IfHere(it) => format!("^{it}"),
        Without::Refs(prefix) => format!("^{prefix}*"),
    });
    let words: Vec<String> = difference.wanted.iter().cloned().chain(sides).collect();
    format!("range {}", words.join(" "))
}

fn scope(scope: Scope) -> &'static str {
    match scope {
        Scope::Change => "change",
        Scope::Folder => "folder",
        Scope::Estate => "estate",
    }
}
