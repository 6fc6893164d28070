//! One road for each way of reading: which source, which origins. All meet in `gather`.

use super::authors::{Ground, Written};
use super::bare::{self, is_bare};
use super::bundle::is_whole;
use super::change::changed;
use super::collect::{Collector, Named, Sighting, locked};
use super::gather::{self, Context, Trace, Traced};
use super::identity::Identity;
use super::nested::{Nested, is_another};
use super::recall::Recall;
use super::roots::{Part, enclosing, is_git_folder, parts, repositories};
use super::seen::Seen;
use super::{Error, Mode, Options, Scanned};
use crate::detect::{Detector, Scratch, Texture};
use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Coverage, Gap, Reason};
use crate::model::origin::{Aside, Origin, OriginKind, shown};
use crate::model::reference::Reference;
use crate::model::report::Repository;
use crate::model::rule::RuleSet;
use crate::refer;
use crate::source::Sink;
use crate::source::change;
use crate::source::error::Error as SourceError;
use crate::source::history::{self, History};
use crate::source::tree::{self, TreeOptions};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of memory the history reader may hold in chains.
const CHAIN_MEMORY: usize = 96 << 20;

pub(super) fn source(error: &SourceError) -> Error {
    Error::Source {
        message: error.to_string(),
        hint: error.hint(),
    }
}

/// Reads everything the plan names.
pub(super) fn walk(
    options: &Options,
    rules: &RuleSet,
    detector: &Detector,
) -> Result<Scanned, Error> {
    let context = Context {
        rules,
        identity: Identity::new(options.salt.as_deref()),
        fingerprinter: options.fingerprinter.as_ref(),
        min_confidence: options.min_confidence,
    };
    let mut scanned = Scanned::default();
    let mut traced = Vec::new();
    match &options.mode {
        Mode::Stdin(bytes) => stdin(bytes, options, detector, &mut scanned, &mut traced),
        Mode::Tree => {
            for part in parts(&options.roots) {
                // What lies within is read with the rest.
                let _within = tree(&part, options, detector, &mut scanned, &mut traced)?;
            }
        }
        Mode::History => {
            let parts = parts(&options.roots);
            for part in &parts {
                past(
                    part,
                    parts.len(),
                    options,
                    detector,
                    &mut scanned,
                    &mut traced,
                )?;
            }
        }
        Mode::Staged => {
            let changes = change::staged(first(options), options.index_file.as_deref())
                .map_err(|it| source(&it))?;
            changed(
                changes,
                OriginKind::Index,
                options,
                detector,
                &mut scanned,
                &mut traced,
            )?;
        }
        Mode::Range(difference) => {
            let changes = change::difference(first(options), difference, &options.objects)
                .map_err(|it| source(&it))?;
            changed(
                changes,
                OriginKind::History,
                options,
                detector,
                &mut scanned,
                &mut traced,
            )?;
        }
    }
    scanned.findings = gather::findings(traced, &context);
    refer::resolve_stores(&mut scanned.references);
    Ok(scanned)
}

fn first(options: &Options) -> &Path {
    options
        .roots
        .first()
        .map_or(Path::new("."), PathBuf::as_path)
}

pub(super) fn collector<'a>(options: &Options, detector: &'a Detector) -> Collector<'a> {
    let mut collector = Collector::new(
        detector,
        options.max_depth,
        options.references,
        options.progress,
    );
    // What is too large as a file is too large as a member.
    let most = usize::try_from(options.max_size).unwrap_or(usize::MAX);
    collector.options.max_size = collector.options.max_size.min(most);
    collector
}

fn plain(
    sightings: Vec<Sighting>,
    kind: OriginKind,
    name: &dyn Fn(&str) -> Origin,
) -> impl Iterator<Item = Traced> {
    let origins: Vec<_> = sightings
        .iter()
        .map(|it| Origin {
            kind,
            ..name(&it.path)
        })
        .collect();
    sightings
        .into_iter()
        .zip(origins)
        .map(|(sighting, origin)| Traced {
            sighting,
            origins: Arc::from([origin]),
            trace: None,
            is_current: true,
        })
}

pub(super) fn references(
    named: Vec<Named>,
    origin: &dyn Fn(&str) -> Origin,
) -> impl Iterator<Item = Reference> {
    named.into_iter().map(|it| Reference {
        origin: origin(&it.path),
        path: it.path,
        mention: it.mention,
    })
}

fn stdin(
    bytes: &[u8],
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) {
    let collector = collector(options, detector);
    collector.blob(Blob {
        bytes,
        path: "-",
        id: None,
    });
    let (sightings, named) = collector.finish(&mut scanned.coverage);
    scanned.coverage.files += 1;
    let origin = |path: &str| Origin::plain(OriginKind::Stdin, path, None);
    traced.extend(plain(sightings, OriginKind::Stdin, &origin));
    scanned.references.extend(references(named, &origin));
}

fn tree(
    part: &Part,
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) -> Result<Vec<String>, Error> {
    let root = part.roots.first().map_or(Path::new("."), PathBuf::as_path);
    if bare::is_asked_for(part, options) {
        bare::read(root, &part.called(None), options, detector, scanned, traced)?;
        return Ok(Vec::new());
    }
    let enclosing = enclosing(root);
    let in_repository = enclosing.is_some();
    let mut nested = match in_repository {
        true => Vec::new(),
        false => repositories(root),
    };
    let mut collector = collector(options, detector);
    collector.beside.clone_from(&nested);
    let tree = TreeOptions {
        roots: part.roots.clone(),
        jobs: options.jobs,
        max_size: options.max_size,
        no_ignore: options.no_ignore,
        exclude: options.exclude.clone(),
    };
    let totals = tree::each(&tree, &collector).map_err(|it| source(&it))?;
    let mut claims = std::mem::take(&mut *locked(&collector.claims));
    claims.sort_by(|one, other| one.0.cmp(&other.0));
    let mut coverage = Coverage::default();
    let (sightings, named) = collector.finish(&mut coverage);
    let top = enclosing.as_ref().and_then(git2::Repository::workdir);
    let top = top.unwrap_or(root);
    // Only where history is asked for, what lies within is a repository of its own.
    let is_history = matches!(options.mode, Mode::History);
    let mut met: Vec<String> = Vec::new();
    let mut within = nested.clone();
    coverage.gaps.retain(|it| {
        let is_met = it.reason == Reason::NestedRepository;
        if is_met {
            within.push(it.path.clone());
        }
        let is_unread = is_met && !is_history && !options.estate && is_bare(&top.join(&it.path));
        if is_met && is_history && !nested.contains(&it.path) {
            met.push(it.path.clone());
        }
        !is_met || is_unread
    });
    within.sort();
    within.dedup();
    met.retain(|it| is_another(&top.join(it), enclosing.as_ref()));
    nested.extend(met.iter().cloned());
    // The innermost owns a path.
    nested.sort_by_key(|it| std::cmp::Reverse(it.len()));
    let ground = Ground {
        base: top,
        is_repository: in_repository,
        within: &within,
    };
    let written = match options.estate {
        true => {
            let (written, gaps) = ground.authors(&named, options);
            coverage.gaps.extend(gaps);
            written
        }
        false => Written::new(),
    };
    for gap in &mut coverage.gaps {
        gap.path = part.beside(&gap.path);
    }
    scanned.coverage.add(coverage);
    scanned.coverage.files += totals.files;
    // A repository side by side with others is told by its name, and paths are relative to it.
    let split = |path: &str| -> (Option<String>, String) {
        let owner = nested
            .iter()
            .find_map(|it| Some((it, path.strip_prefix(it.as_str())?.strip_prefix('/')?)));
        match owner {
            Some((name, rest)) => (Some(part.called(Some(name))), rest.to_owned()),
            _ if in_repository => (Some(part.called(None)), path.to_owned()),
            _ => (None, part.beside(path)),
        }
    };
    for (path, mut claim) in claims {
        (claim.repository, claim.path) = split(&path);
        scanned.claim(claim);
    }
    for mut sighting in sightings {
        let (repository, path) = split(&sighting.path);
        let origin = Origin::plain(OriginKind::File, &path, repository);
        sighting.path = path;
        traced.push(Traced {
            sighting,
            origins: Arc::from([origin]),
            trace: None,
            is_current: true,
        });
    }
    for it in named {
        let (repository, path) = split(&it.path);
        let line = (it.path, it.mention.place.line);
        let origin = Origin {
            introduced: written.get(&line).cloned(),
            ..Origin::plain(OriginKind::File, &path, repository)
        };
        scanned.references.push(Reference {
            path,
            mention: it.mention,
            origin,
        });
    }
    for inner in within
        .iter()
        .filter(|it| options.estate && is_bare(&top.join(it)))
    {
        let name = part.called(Some(inner));
        if let Err(error) = bare::read(&top.join(inner), &name, options, detector, scanned, traced)
        {
            scanned.coverage.gaps.push(unread(&name, &error));
        }
    }
    if let Some(history) = in_repository.then(|| History::open(root).ok()).flatten() {
        scanned.repositories.push(Repository {
            name: part.called(None),
            ..history.repository()
        });
    }
    Ok(met)
}

/// The repository at the root and its work tree; or, where the root is none, every repository directly
/// below it; and the repositories within these. One among several that cannot be opened is a gap.
fn past(
    part: &Part,
    parts: usize,
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) -> Result<(), Error> {
    let folders: &[PathBuf] = match part.roots.first() {
        Some(root) if enclosing(root).is_some() => std::slice::from_ref(root),
        _ => &part.roots,
    };
    let mut waiting = Nested::default();
    // A bundle among files of no repository has its history within.
    let folders = folders.iter().filter(|it| !(it.is_file() && is_whole(it)));
    for root in folders.clone() {
        let inside = match enclosing(root) {
            Some(_) => Vec::new(),
            None => repositories(root),
        };
        let mut targets: Vec<(PathBuf, String)> = inside
            .iter()
            .map(|it| (root.join(it), part.called(Some(it))))
            .collect();
        if targets.is_empty() {
            targets.push((root.clone(), name(part, root, parts)));
        }
        let is_none = |it: &SourceError| matches!(it, SourceError::NotARepository(_));
        let is_sole = targets.len() == 1 && folders.clone().count() == 1 && parts == 1;
        for (path, name) in targets {
            match History::open_with(&path, &options.objects) {
                Ok(history) => {
                    if waiting.enter(&history, &name, &mut scanned.coverage.gaps) {
                        objects(&history, &name, options, detector, scanned, traced)?;
                    }
                }
                // A folder that is no repository has no history: the request is wrong.
                Err(error) if is_sole || is_none(&error) && inside.is_empty() => {
                    return Err(source(&error));
                }
                Err(error) => scanned.coverage.gaps.push(unopened(&name, &error)),
            }
        }
    }
    let is_asked_for = bare::is_asked_for(part, options) && options.references;
    if is_asked_for || !part.roots.iter().all(|it| is_git_folder(it)) {
        let top = part.roots.first().map_or(Path::new("."), PathBuf::as_path);
        let own = enclosing(top);
        let top = own.as_ref().and_then(git2::Repository::workdir);
        let top = top.or_else(|| part.roots.first().map(PathBuf::as_path));
        for path in tree(part, options, detector, scanned, traced)? {
            let folder = top.unwrap_or(Path::new(".")).join(&path);
            waiting.add(folder, part.called(Some(&path)));
        }
    }
    while let Some((path, name)) = waiting.next() {
        match History::open(&path) {
            Ok(history) => {
                if waiting.enter(&history, &name, &mut scanned.coverage.gaps) {
                    objects(&history, &name, options, detector, scanned, traced)?;
                }
            }
            Err(error) => scanned.coverage.gaps.push(unopened(&name, &error)),
        }
    }
    Ok(())
}

/// The name of the repository at a root; of one that cannot be told from a plain folder, the root as given.
fn name(part: &Part, root: &Path, parts: usize) -> String {
    let is_alone = parts == 1 && part.roots.len() == 1;
    if part.name.is_some() || is_alone || enclosing(root).is_some() {
        part.called(None)
    } else {
        root.display().to_string().replace('\\', "/")
    }
}

/// One repository among several that cannot be opened: the others are read, and the report says so.
fn unopened(name: &str, error: &SourceError) -> Gap {
    let reason = match error {
        SourceError::Unsupported { .. } => Reason::Unsupported,
        SourceError::Git { .. } | SourceError::Object { .. } => Reason::CorruptObject,
        _ => Reason::Io,
    };
    let why = match error {
        SourceError::Unsupported { what, .. } => {
            format!("{what} is not supported by this version")
        }
        // The name of the repository stands before it; no path of this machine does.
        SourceError::Git { message, .. } => message.clone(),
        other => other.to_string(),
    };
    Gap {
        path: name.to_owned(),
        reason,
        detail: format!("{why}; only its files were read"),
    }
}

/// One whose files cannot be had.
fn unread(name: &str, error: &Error) -> Gap {
    Gap {
        path: name.to_owned(),
        reason: Reason::Io,
        detail: format!("{error}; its files were not read"),
    }
}

fn objects(
    history: &History,
    name: &str,
    options: &Options,
    detector: &Detector,
    scanned: &mut Scanned,
    traced: &mut Vec<Traced>,
) -> Result<(), Error> {
    let new_collector = || {
        let mut collector = collector(options, detector);
        // Who uses a secret is told by what is there now, not by what was.
        collector.references = false;
        collector.whole_blobs = options.whole_blobs;
        collector
    };
    let mut recall = Recall::of(history, options, detector);
    let limits = history::HistoryOptions {
        jobs: options.jobs,
        max_size: options.max_size,
        memory: CHAIN_MEMORY,
    };
    let (blobs, collector) = recall.blobs(history, &limits, &new_collector)?;
    let flagged = collector.flagged();
    let survey = recall.survey(history, &limits, &flagged, &collector);
    let mut coverage = Coverage::default();
    let (troubled, is_whole) = collector.troubles();
    let (sightings, _) = collector.finish(&mut coverage);
    // What is known without being read counts as read.
    coverage.blobs += blobs.read.blobs + blobs.unread.blobs;
    coverage.bytes += blobs.unread.bytes + survey.unheard();
    if recall.is_open() {
        let recalled = scanned.recalled.get_or_insert_default();
        recalled.blobs += blobs.read.blobs + blobs.unread.blobs;
        recalled.read += blobs.read.blobs;
        recalled.others += survey.met();
    }
    let mut scratch = Scratch::default();
    let seen = Seen::of(&sightings, |name| {
        let found = detector.detect(name.as_bytes(), Texture::Text, &mut scratch);
        !found.is_empty()
    });
    let asides: HashSet<Aside> = sightings.iter().filter_map(Sighting::aside).collect();
    let origins = history.origins_with(&limits, survey, &flagged, &asides);
    coverage.gaps.extend(origins.gaps);
    let legacy = origins.legacy.filter(|_| is_whole);
    recall.keep(&seen, &flagged, &troubled, legacy);
    for gap in &mut coverage.gaps {
        gap.path = match gap.path.as_str() {
            "." => name.to_owned(),
            path => shown(Some(name), path),
        };
    }
    scanned.coverage.add(coverage);
    let named = |it: Origin| Origin {
        repository: Some(name.to_owned()),
        ..it
    };
    let lives = Arc::new(origins.lives);
    let by_blob: HashMap<ObjectId, (Arc<[Origin]>, Trace)> = origins
        .by_blob
        .into_iter()
        .map(|(id, it)| {
            let (origins, places): (Vec<Origin>, Vec<_>) = it.into_iter().unzip();
            let trace = Trace {
                lives: Arc::clone(&lives),
                places: places.into(),
            };
            (id, (origins.into_iter().map(named).collect(), trace))
        })
        .collect();
    let by_aside: HashMap<Aside, Arc<[Origin]>> = origins
        .by_aside
        .into_iter()
        .map(|(key, it)| (key, it.into_iter().map(named).collect()))
        .collect();
    traced.extend(sightings.into_iter().filter_map(|sighting| {
        // Everything flagged has an origin.
        let (origins, trace) = match sighting.aside() {
            Some(key) => (by_aside.get(&key)?, None),
            None => by_blob.get(&sighting.id?).map(|it| (&it.0, Some(&it.1)))?,
        };
        Some(Traced {
            is_current: origins.iter().any(|it| it.in_head),
            origins: Arc::clone(origins),
            trace: trace.cloned(),
            sighting,
        })
    }));
    let mut repository = history.repository();
    name.clone_into(&mut repository.name);
    scanned.repositories.push(repository);
    Ok(())
}
