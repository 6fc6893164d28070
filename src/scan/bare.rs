//! A bare repository as its `HEAD` stands: what its files name, and who wrote that. Where history is not read,
//! also the values that lie in them.
//!
//! Not here: which repositories are bare, and reading their history.

use super::authors::written;
use super::gather::Traced;
use super::road::{collector, source};
use super::roots::Part;
use super::{Error, Mode, Options, Scanned};
use crate::detect::Detector;
use crate::model::coverage::Coverage;
use crate::model::origin::{Origin, OriginKind, shown};
use crate::model::reference::Reference;
use crate::model::report::Repository;
use crate::source::blame::Files;
use crate::source::head;
use crate::source::history::History;
use crate::source::tree::TreeOptions;
use std::path::Path;
use std::sync::Arc;

/// Whether a folder is a repository without a work tree.
pub(super) fn is_bare(folder: &Path) -> bool {
    let opened = git2::Repository::open(folder);
    opened.is_ok_and(|it| it.is_bare())
}

/// Whether every root of a part is a bare repository whose files are asked for.
pub(super) fn is_asked_for(part: &Part, options: &Options) -> bool {
    options.estate && !part.roots.is_empty() && part.roots.iter().all(|it| is_bare(it))
}

/// Reads the files of `HEAD` of a repository with this name.
pub(super) fn read(
    folder: &Path,
    name: &str,
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) -> Result<(), Error> {
    let history = History::open_with(folder, &options.objects).map_err(|it| source(&it))?;
    let collector = collector(options, detector);
    let tree = TreeOptions {
        roots: Vec::new(),
        jobs: options.jobs,
        max_size: options.max_size,
        no_ignore: options.no_ignore,
        exclude: options.exclude.clone(),
    };
    let files = head::each(&history, &tree, &collector).map_err(|it| source(&it))?;
    let mut coverage = Coverage::default();
    let (sightings, named) = collector.finish(&mut coverage);
    coverage.files += files;
    let (written, gaps) = written(&history, Files::Head, &named, options);
    coverage.gaps.extend(gaps);
    for gap in &mut coverage.gaps {
        gap.path = match gap.path.as_str() {
            "." => name.to_owned(),
            path => shown(Some(name), path),
        };
    }
    scanned.coverage.add(coverage);
    let origin = |path: &str| Origin {
        in_head: true,
        ..Origin::plain(OriginKind::File, path, Some(name.to_owned()))
    };
    // What history has of values is told with their lives.
    if !matches!(options.mode, Mode::History) {
        traced.extend(sightings.into_iter().map(|sighting| Traced {
            origins: Arc::from([origin(&sighting.path)]),
            sighting,
            trace: None,
            is_current: true,
        }));
    }
    scanned.references.extend(named.into_iter().map(|it| {
        Reference {
            origin: Origin {
                introduced: written
                    .get(&(it.path.clone(), it.mention.place.line))
                    .cloned(),
                ..origin(&it.path)
            },
            path: it.path,
            mention: it.mention,
        }
    }));
    scanned.repositories.push(Repository {
        name: name.to_owned(),
        ..history.repository()
    });
    Ok(())
}
