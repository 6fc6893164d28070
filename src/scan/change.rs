//! A change: what its new blobs have and the blobs they replace have not, and what its commits say.
//!
//! Not here: which blobs and commits those are; that is the work of `source`.

use super::collect::Sighting;
use super::gather::Traced;
use super::road::{collector, references, source};
use super::{Error, Options, Scanned};
use crate::detect::Detector;
use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Coverage, Gap, Reason};
use crate::model::origin::{Origin, OriginKind};
use crate::source::Sink;
use crate::source::change::{ChangeOptions, Changes};
use crate::source::error::Error as SourceError;
use std::collections::HashMap;
use std::sync::Arc;

/// A change brings in what its new blobs have and the blobs they replace have not.
pub(super) fn changed(
    mut changes: Changes,
    kind: OriginKind,
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) -> Result<(), Error> {
    changes.items.retain(|it| options.within.holds(&it.path));
    let read = ChangeOptions {
        max_size: options.max_size,
        no_ignore: options.no_ignore,
        exclude: options.exclude.clone(),
        ground: options.ground,
    };
    changes.leave_out(&read).map_err(|it| source(&it))?;
    scanned.coverage.gaps.append(&mut changes.gaps);
    if options.within.is_everything() {
        said(&changes, options, detector, scanned, traced);
    }
    scanned.repositories.push(changes.repository.clone());
    let mut before: HashMap<ObjectId, Vec<Sighting>> = HashMap::new();
    for item in &changes.items {
        let mut coverage = Coverage::default();
        let blob = (&item.id, item.path.as_str());
        let Some((mut sightings, named)) = one(&changes, blob, options, detector, &mut coverage)
        else {
            scanned.coverage.add(coverage);
            continue;
        };
        scanned.coverage.add(Coverage {
            files: 1,
            ..coverage
        });
        if !sightings.is_empty() {
            for old in &item.before {
                let known = before.entry(*old).or_insert_with(|| {
                    let mut lost = Coverage::default();
                    let blob = (old, item.path.as_str());
                    let found = one(&changes, blob, options, detector, &mut lost);
                    if found.is_none() {
                        scanned.coverage.gaps.append(&mut lost.gaps);
                    }
                    found.map_or_else(Vec::new, |it| it.0)
                });
                take_away(&mut sightings, known);
            }
        }
        let origin = Origin {
            introduced: item.introduced.clone(),
            in_head: item.in_head,
            ..Origin::plain(kind, &item.path, Some(".".to_owned()))
        };
        let shared: Arc<[Origin]> = Arc::from([origin.clone()]);
        traced.extend(sightings.into_iter().map(|sighting| Traced {
            sighting,
            origins: Arc::clone(&shared),
            trace: None,
            is_current: true,
        }));
        scanned
            .references
            .extend(references(named, &|_| origin.clone()));
    }
    Ok(())
}

/// What commits say, and what new files are called.
fn said(
    changes: &Changes,
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) {
    let texts = changes.texts();
    let collector = collector(options, detector);
    for (number, text) in texts.iter().enumerate() {
        collector.beside(
            text.origin.kind,
            Blob {
                bytes: &text.bytes,
                path: &number.to_string(),
                id: None,
            },
        );
    }
    let mut coverage = Coverage::default();
    let (sightings, _) = collector.finish(&mut coverage);
    let text = |path: &str| texts.get(path.parse::<usize>().ok()?);
    for gap in coverage.gaps {
        let path = gap.path.split('!').next().and_then(text);
        let path = path.map_or_else(String::new, |it| it.origin.path.clone());
        scanned.coverage.gaps.push(Gap { path, ..gap });
    }
    traced.extend(sightings.into_iter().filter_map(|sighting| {
        let origin = text(&sighting.path)?.origin.clone();
        Some(Traced {
            sighting,
            origins: Arc::from([origin]),
            trace: None,
            is_current: true,
        })
    }));
}

/// What the replaced blob has already is no news, copy for copy.
fn take_away(sightings: &mut Vec<Sighting>, known: &[Sighting]) {
    for known in known {
        let value = known.candidate.secret.expose();
        let same = |it: &Sighting| {
            it.candidate.rule == known.candidate.rule && it.candidate.secret.expose() == value
        };
        if let Some(at) = sightings.iter().position(same) {
            sightings.remove(at);
        }
    }
}

/// What one blob holds; `None`, with a gap, if it cannot be read.
fn one(
    changes: &Changes,
    (id, path): (&ObjectId, &str),
    options: &Options,
    detector: &Detector,
    coverage: &mut Coverage,
) -> Option<(Vec<Sighting>, Vec<super::collect::Named>)> {
    let bytes = match changes.read(id) {
        Ok(bytes) => bytes,
        Err(error) => {
            let reason = match &error {
                SourceError::Object { reason, .. } => *reason,
                _ => Reason::Io,
            };
            coverage.gaps.push(Gap {
                path: path.to_owned(),
                reason,
                detail: error.to_string(),
            });
            return None;
        }
    };
    let collector = collector(options, detector);
    collector.blob(Blob {
        bytes: &bytes,
        path,
        id: Some(*id),
    });
    Some(collector.finish(coverage))
}
