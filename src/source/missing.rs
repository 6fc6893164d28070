//! Objects that a repository names and does not have: what a scan of it cannot have read.
//!
//! Not here: damaged objects, which whoever reads them tells. Nothing is fetched.

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::source::commits::{Gathered, RawId};
use crate::source::origins::Place;
use crate::source::pack::Kind;
use crate::source::refs::Refs;
use crate::source::repository;
use git2::{Oid, Repository};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Objects told one by one; the rest is counted.
pub(crate) const TOLD: usize = 100;
/// Paths named of a partial clone.
const NAMED: usize = 3;

/// What is named and not there.
#[derive(Default)]
pub(crate) struct Missing {
    /// What trees and commits name.
    objects: BTreeMap<ObjectId, Kind>,
    /// Trees of commits, with one of the commits.
    roots: HashMap<ObjectId, ObjectId>,
    /// Whatever else, ready to be told.
    gaps: Vec<Gap>,
}

impl Missing {
    /// What commits, tags and refs name. `ends` are the commits at which a shallow clone ends.
    pub(crate) fn of(
        gathered: &Gathered,
        refs: &Refs,
        ends: &[Oid],
        has: &dyn Fn(&ObjectId) -> bool,
    ) -> Self {
        let mut missing = Self::default();
        let commits = &gathered.commits;
        let mut parents: BTreeMap<ObjectId, ObjectId> = BTreeMap::new();
        for commit in &commits.all {
            let (Some(id), Some(tree)) = (commit.id(), commit.tree()) else {
                continue;
            };
            if !has(&tree) {
                missing.objects.insert(tree, Kind::Tree);
                missing.roots.entry(tree).or_insert(id);
            }
            for parent in commits.parent_ids(commit) {
                let is_here = commits.position(parent).is_some();
                let parent = ObjectId::from_bytes(parent).filter(|it| !is_here && !has(it));
                if let Some(parent) = parent
                    && !ends.iter().any(|it| it.as_bytes() == id.as_bytes())
                {
                    parents.entry(parent).or_insert(id);
                }
            }
        }
        for (parent, child) in parents {
            missing.tell(
                format!("commits/{parent}"),
                format!("the parent of commit {child} is missing"),
            );
        }
        for tag in gathered.tags.iter().filter(|it| !has(&it.target)) {
            let what = format!("object {} that it is a tag of is missing", tag.target);
            missing.tell(format!("tags/{}", tag.id), what);
        }
        for (name, id) in refs.targets.iter().filter(|it| !has(&it.1)) {
            missing.tell(
                name.clone(),
                format!("object {id} that it points at is missing"),
            );
        }
        missing
    }

    fn tell(&mut self, path: String, detail: String) {
        self.gaps.push(Gap {
            path,
            reason: Reason::MissingObject,
            detail,
        });
    }

    /// Adds what trees name.
    pub(crate) fn add(&mut self, absent: HashMap<RawId, Kind>) {
        let absent = absent
            .into_iter()
            .filter_map(|(raw, kind)| Some((ObjectId::from_bytes(&raw)?, kind)));
        self.objects.extend(absent);
    }

    /// Every one that trees and commits name.
    pub(crate) fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.objects.keys().copied()
    }

    /// Those to be told one by one, whose paths are worth a search.
    pub(crate) fn examples(&self) -> HashSet<ObjectId> {
        self.objects.keys().take(TOLD).copied().collect()
    }

    /// Whether there are more than the examples, so that the trees above these are not known yet.
    pub(crate) fn is_more(&self) -> bool {
        self.objects.len() > TOLD
    }

    /// What to tell, given the places of the examples.
    pub(crate) fn gaps(mut self, library: &Repository, places: &[Place]) -> Vec<Gap> {
        let mut best: HashMap<ObjectId, &Place> = HashMap::new();
        for place in places
            .iter()
            .filter(|it| self.objects.contains_key(&it.blob))
        {
            let known = best.entry(place.blob).or_insert(place);
            if (place.choice, &place.path) < (known.choice, &known.path) {
                *known = place;
            }
        }
        if repository::is_partial(library) {
            self.add_partial(&best);
        } else {
            self.add_each(&best);
        }
        self.gaps
    }

    /// One entry for all: the objects stayed away by design.
    fn add_partial(&mut self, best: &HashMap<ObjectId, &Place>) {
        let count = |kind: Kind| self.objects.values().filter(|it| **it == kind).count();
        let (blobs, trees) = (count(Kind::Blob), count(Kind::Tree));
        if blobs + trees == 0 {
            return;
        }
        let paths: BTreeSet<&str> = best.values().map(|it| it.path.as_str()).collect();
        let paths: Vec<&str> = paths.into_iter().take(NAMED).collect();
        let such = match paths[..] {
            [] => String::new(),
            _ => format!(", such as {}", paths.join(", ")),
        };
        self.gaps.push(Gap {
            path: ".".to_owned(),
            reason: Reason::PartialClone,
            detail: format!(
                "the clone is partial: {blobs} file(s) and {trees} folder(s) that its history names \
                 were never fetched{such}; --fetch-missing fetches them"
            ),
        });
    }

    fn add_each(&mut self, best: &HashMap<ObjectId, &Place>) {
        let objects = std::mem::take(&mut self.objects);
        let roots = std::mem::take(&mut self.roots);
        for (id, kind) in objects.iter().take(TOLD) {
            let what = match kind {
                Kind::Tree => "folder",
                _ => "file",
            };
            let (path, by) = match (best.get(id), roots.get(id)) {
                (Some(place), _) => {
                    let commit = place.choice.commit;
                    let by = match place.choice.is_reachable() {
                        true => format!("; commit {commit} has it"),
                        false => format!("; only commits that no ref reaches have it, as {commit}"),
                    };
                    (place.path.clone(), by)
                }
                (None, Some(commit)) => (
                    format!("commits/{commit}"),
                    "; it is all that the commit holds".to_owned(),
                ),
                (None, None) => (
                    format!("objects/{id}"),
                    "; only folders that no commit has name it".to_owned(),
                ),
            };
            self.tell(path, format!("missing {what}: object {id}{by}"));
        }
        if objects.len() > TOLD {
            let more = objects.len() - TOLD;
            self.tell(
                "objects".to_owned(),
                format!("{more} more object(s) that history names are missing"),
            );
        }
    }
}
