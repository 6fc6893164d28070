//! The side of a change that was there before it: settings, rules and waivers as `HEAD` has them, where no
//! flag and no variable names others.
//!
//! A change cannot waive itself, and a bare repository has no work tree to ask. Not here: what the files
//! mean.

use super::args::RuleArgs;
use super::environment::Environment;
use super::message::{Fault, note};
use super::plan::{self, Request};
use crate::assess::waive::{FILE, Waivers};
use crate::model::rule::RuleSet;
use crate::ruleset::RuleFile;
use crate::scan::{Ground, Mode};
use crate::settings::{self, Settings};
use crate::source::base::Base;
use crate::source::error::Error;
use std::path::{Path, PathBuf};

/// What a faulty file of `HEAD` leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Faulty {
    /// The request is refused.
    Refused,
    /// It is told and counts for nothing: the push that mends it must be let in.
    Ignored,
}

/// A repository whose `HEAD` says how its changes are judged.
pub(super) struct Standing {
    base: Base,
    faulty: Faulty,
}

/// What the settings file of `HEAD` says.
#[derive(Default)]
pub(super) struct Said {
    pub(super) settings: Settings,
    /// The rule files that it names.
    pub(super) rules: Vec<RuleFile>,
    pub(super) is_there: bool,
}

impl Standing {
    /// Of a repository, whether it has a work tree or not; faulty files are told.
    pub(super) fn of(path: &Path) -> Result<Self, Fault> {
        Ok(Self {
            base: Base::open(path)?,
            faulty: Faulty::Ignored,
        })
    }

    /// Of a repository without a work tree.
    pub(super) fn of_bare(path: &Path) -> Option<Self> {
        Some(Self {
            base: Base::of_bare(path)?,
            faulty: Faulty::Refused,
        })
    }

    /// The waivers; none where there is no file.
    pub(super) fn waivers(&self) -> Result<Waivers, Fault> {
        let read = || match self.text(FILE)? {
            Some(text) => {
                Waivers::parse(&text).map_err(|it| Fault::from(it).within(Path::new(&named(FILE))))
            }
            None => Ok(Waivers::default()),
        };
        self.heed(read())
    }

    /// The settings; the defaults where there is no file.
    pub(super) fn said(&self) -> Result<Said, Fault> {
        self.heed(self.settings())
    }

    fn settings(&self) -> Result<Said, Fault> {
        let Some(text) = self.text(settings::FILE)? else {
            return Ok(Said::default());
        };
        let settings = settings::parse(&named(settings::FILE), &text)?;
        let mut rules = Vec::new();
        for path in &settings.rules {
            rules.extend(self.rules(path.trim_end_matches('/'))?);
        }
        Ok(Said {
            settings,
            rules,
            is_there: true,
        })
    }

    /// A rule file, or the rule files of a folder.
    fn rules(&self, path: &str) -> Result<Vec<RuleFile>, Fault> {
        let mut files = Vec::new();
        let inside = self.base.files(path)?;
        let inside = inside.into_iter().filter(|it| it.ends_with(".toml"));
        for path in [path.to_owned()].into_iter().chain(inside) {
            files.extend(self.text(&path)?.map(|text| RuleFile {
                name: named(&path),
                text,
            }));
        }
        if files.is_empty() {
            return Err(
                Fault::new(format!("{}: there is no such rule file", named(path)))
                    .hint("paths of rules are relative to the settings file"),
            );
        }
        Ok(files)
    }

    fn text(&self, path: &str) -> Result<Option<String>, Fault> {
        let bytes = match self.base.file(path) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Ok(None),
            // A clone may lack what HEAD names, and is read all the same; then nothing is waived.
            Err(error @ Error::Object { .. }) => {
                note(&format!(
                    "keyatlas: {error}; going on without {}",
                    named(path)
                ));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        };
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| Fault::new(format!("{}: it is not UTF-8", named(path))))
    }

    /// What was read, or what stands for it where a fault is only told.
    pub(super) fn heed<T: Default>(&self, read: Result<T, Fault>) -> Result<T, Fault> {
        match (read, self.faulty) {
            (Err(fault), Faulty::Ignored) => {
                note(&format!(
                    "keyatlas: {}; it counts for nothing here until that is mended",
                    fault.what()
                ));
                Ok(T::default())
            }
            (read, _) => read,
        }
    }
}

/// Where the waivers of the scanned repository come from, if not from its work tree.
pub(super) fn of_scanned(
    request: &Request<'_>,
    environment: &Environment,
) -> Result<Option<Standing>, Fault> {
    let first = request.roots.first();
    match (request.ground, &request.mode) {
        (Ground::Head, _) => Standing::of(first.unwrap_or(&environment.folder)).map(Some),
        (Ground::WorkTree, Mode::Staged | Mode::Stdin(_)) => Ok(None),
        (Ground::WorkTree, _) => Ok(first.and_then(|it| Standing::of_bare(it))),
    }
}

/// The same for the settings, which are looked for where the user stands.
pub(super) fn of_here(
    request: &Request<'_>,
    environment: &Environment,
) -> Result<Option<Standing>, Fault> {
    let here = environment.git_dir.as_ref().unwrap_or(&environment.folder);
    match (request.ground, &request.mode) {
        (Ground::Head, _) => Standing::of(here).map(Some),
        (Ground::WorkTree, Mode::Staged) => Ok(None),
        (Ground::WorkTree, _) => Ok(Standing::of_bare(here)),
    }
}

/// Settings and rules in force, and where they came from.
pub(super) struct Settled {
    pub(super) settings: Settings,
    pub(super) file: Option<PathBuf>,
    pub(super) rules: RuleSet,
    pub(super) extra: Vec<PathBuf>,
}

/// What a flag or the environment names, else what `HEAD` says where that counts, else the file around
/// the user.
pub(super) fn settled(
    args: &RuleArgs,
    own: Option<&Standing>,
    environment: &Environment,
) -> Result<Settled, Fault> {
    let is_named = args.config.is_some() || environment.config.is_some();
    let Some(own) = own.filter(|_| !is_named) else {
        let (settings, file) = plan::settings(args, environment)?;
        let extra = plan::extra_rules(args, &settings, file.as_deref());
        return Ok(Settled {
            rules: plan::rules(&extra, Vec::new(), &settings.disable_rules)?,
            settings,
            file,
            extra,
        });
    };
    let said = own.said()?;
    let own_rules = plan::rules(&args.rules, said.rules, &said.settings.disable_rules);
    let rules = match own.heed(own_rules.map(Some))? {
        Some(rules) => rules,
        None => plan::rules(&args.rules, Vec::new(), &[])?,
    };
    Ok(Settled {
        rules,
        settings: said.settings,
        file: said
            .is_there
            .then(|| PathBuf::from(format!("HEAD:{}", settings::FILE))),
        extra: args.rules.clone(),
    })
}

/// As git names it.
fn named(path: &str) -> String {
    format!("HEAD:{path}")
}
