//! What a range of commits brings in: blobs that differ, at their path, from every parent.
//!
//! Not here: which commits those are (see `reach`), and objects that neither they nor a ref name.

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::{Milestone, Origin, OriginKind};
use crate::source::change::{ChangedBlob, ChangedText, Changes};
use crate::source::compare::{self, Arrival, Entry, Trees, arrivals};
use crate::source::error::Error;
use crate::source::mailmap::Mailmap;
use crate::source::reach::{Difference, reach};
use crate::source::said::said;
use crate::source::staged::{content, find_renames};
use crate::source::{repository, spelling};
use git2::{Commit, DiffOptions, ObjectType, Odb, Oid, Repository};
use std::collections::btree_map::Entry as MapEntry;
use std::collections::hash_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Blobs brought in by the commits that `tip` reaches and `base` does not; without a base, by all that
/// `tip` reaches.
pub fn range(repo: &Path, base: Option<&str>, tip: &str) -> Result<Changes, Error> {
    difference(repo, &Difference::between(base, tip), &[])
}

/// Blobs brought in by a set difference. `objects` are further folders of objects: the quarantine of a push
/// that is not accepted yet.
pub fn difference(
    repo: &Path,
    difference: &Difference,
    objects: &[PathBuf],
) -> Result<Changes, Error> {
    let repository = repository::open(repo)?;
    let fault = |it: git2::Error| repository::translated(repo, &it);
    let odb = repository.odb().map_err(fault)?;
    for folder in objects {
        odb.add_disk_alternate(&spelling::shown(folder))
            .map_err(fault)?;
    }
    let reach = reach(repo, &repository, difference)?;
    let mut gatherer = Gatherer::new(&repository, odb);
    reach.commits.iter().for_each(|id| gatherer.add(*id));
    reach.loners.iter().for_each(|it| gatherer.add_loner(*it));
    reach.tags.iter().for_each(|id| gatherer.add_tag(*id));
    let said = std::mem::take(&mut gatherer.said);
    let mut said: Vec<ChangedText> = said.into_values().collect();
    said.extend(difference.names.iter().map(|it| named(it)));
    let (items, gaps) = gatherer.finish();
    let standing = repository::standing(&repository);
    Ok(Changes::new(items, gaps, standing, repository).saying(said))
}

/// The name of a ref is a text, too.
fn named(name: &str) -> ChangedText {
    ChangedText {
        bytes: name.as_bytes().to_vec(),
        origin: Origin::plain(OriginKind::RefName, name, Some(".".to_owned())),
    }
}

fn text(kind: OriginKind, path: &str, bytes: &[u8], introduced: &Milestone) -> ChangedText {
    ChangedText {
        bytes: bytes.to_vec(),
        origin: Origin {
            introduced: Some(introduced.clone()),
            ..Origin::plain(kind, path, Some(".".to_owned()))
        },
    }
}

/// Gathers arrivals commit by commit, keeping the earliest for each blob and path.
struct Gatherer<'a> {
    repository: &'a Repository,
    mailmap: Mailmap,
    trees: Stored<'a>,
    items: HashMap<(ObjectId, String), ChangedBlob>,
    /// Messages and headers, each once.
    said: BTreeMap<(OriginKind, Vec<u8>), ChangedText>,
    gaps: Vec<Gap>,
}

impl<'a> Gatherer<'a> {
    fn new(repository: &'a Repository, odb: Odb<'a>) -> Self {
        let trees = Stored {
            odb,
            listings: HashMap::new(),
        };
        Self {
            repository,
            mailmap: Mailmap::of(repository),
            trees,
            items: HashMap::new(),
            said: BTreeMap::new(),
            gaps: Vec::new(),
        }
    }

    fn add(&mut self, id: Oid) {
        if let Err(error) = self.try_add(id) {
            self.lose(id, "the commit cannot be compared with its parents", &error);
        }
    }

    fn lose(&mut self, id: Oid, what: &str, error: &git2::Error) {
        self.gaps.push(Gap {
            path: id.to_string(),
            reason: Reason::MissingObject,
            detail: format!("{what}: {}", error.message()),
        });
    }

    /// A folder or file that no commit of the change has: all of it is new.
    fn add_loner(&mut self, (id, kind): (Oid, ObjectType)) {
        let mut arrived = Vec::new();
        let Some(ours) = our_id(id) else {
            return;
        };
        if kind == ObjectType::Tree {
            if let Err(error) = arrivals(&mut self.trees, "", ours, &[], &mut arrived) {
                self.lose(id, "the folder cannot be read", &error);
            }
        } else {
            arrived.push(Arrival {
                path: format!("objects/{id}"),
                id: ours,
                before: Vec::new(),
            });
        }
        arrived.into_iter().for_each(|it| self.keep(it, None));
    }

    /// What a tag says.
    fn add_tag(&mut self, id: Oid) {
        let kinds = (OriginKind::TagMessage, format!("tags/{id}"));
        let found = self.repository.find_tag(id).and_then(|tag| {
            let tagger = tag.tagger();
            let name = |it| self.mailmap.name_of(&it);
            let introduced = Milestone {
                seconds: tagger.as_ref().map_or(0, |it| it.when().seconds()),
                commit: id.to_string(),
                author: tagger.map_or_else(String::new, name),
            };
            self.hear(id, kinds, &introduced)
        });
        if let Err(error) = found {
            self.lose(id, "the tag cannot be read", &error);
        }
    }

    fn try_add(&mut self, id: Oid) -> Result<(), git2::Error> {
        let commit = self.repository.find_commit(id)?;
        let mut parents = Vec::new();
        for parent in commit.parent_ids() {
            parents.extend(our_id(self.repository.find_commit(parent)?.tree_id()));
        }
        let Some(tree) = our_id(commit.tree_id()) else {
            return Ok(());
        };
        let mut arrived = Vec::new();
        arrivals(&mut self.trees, "", tree, &parents, &mut arrived)?;
        self.add_rename_sources(&commit, &mut arrived)?;
        let author = self.mailmap.name_of(&commit.author());
        let introduced = Milestone {
            seconds: commit.author().when().seconds(),
            commit: id.to_string(),
            author,
        };
        arrived
            .into_iter()
            .for_each(|it| self.keep(it, Some(&introduced)));
        let kinds = (OriginKind::CommitMessage, format!("commits/{id}"));
        self.hear(id, kinds, &introduced)
    }

    /// Keeps what a commit or tag says; of what several say, the earliest.
    fn hear(
        &mut self,
        id: Oid,
        (message, path): (OriginKind, String),
        introduced: &Milestone,
    ) -> Result<(), git2::Error> {
        let object = self.trees.odb.read(id)?;
        let said = said(object.data());
        let headers = said.headers().map(|it| (OriginKind::Header, it));
        for (kind, bytes) in headers.chain([(message, said.message)]) {
            let heard = text(kind, &path, bytes, introduced);
            match self.said.entry((kind, bytes.to_vec())) {
                MapEntry::Vacant(free) if !bytes.is_empty() => drop(free.insert(heard)),
                MapEntry::Occupied(mut kept)
                    if heard.origin.introduced < kept.get().origin.introduced =>
                {
                    drop(kept.insert(heard));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// What a renamed file was called before, where the comparison by path found nothing.
    fn add_rename_sources(
        &self,
        commit: &Commit<'_>,
        arrived: &mut [Arrival<ObjectId>],
    ) -> Result<(), git2::Error> {
        if commit.parent_count() != 1 || arrived.iter().all(|it| !it.before.is_empty()) {
            return Ok(());
        }
        let (old, new) = (commit.parent(0)?.tree()?, commit.tree()?);
        let mut options = DiffOptions::new();
        options.skip_binary_check(true).ignore_submodules(true);
        let mut diff =
            self.repository
                .diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options))?;
        find_renames(&mut diff)?;
        for delta in diff
            .deltas()
            .filter(|it| it.status() == git2::Delta::Renamed)
        {
            let path = spelling::text(delta.new_file().path_bytes().unwrap_or_default());
            let source = content(delta.old_file().id(), delta.old_file().mode());
            for arrival in arrived
                .iter_mut()
                .filter(|it| it.before.is_empty() && it.path == path)
            {
                arrival.before.extend(source);
            }
        }
        Ok(())
    }

    /// Keeps the earliest commit that brings it, and one that is known before none.
    fn keep(&mut self, arrival: Arrival<ObjectId>, introduced: Option<&Milestone>) {
        let item = ChangedBlob {
            path: arrival.path.clone(),
            id: arrival.id,
            before: arrival.before,
            introduced: introduced.cloned(),
            in_head: false,
        };
        let is_earlier =
            |kept: &ChangedBlob| introduced.is_some() && item.introduced < kept.introduced;
        match self.items.entry((arrival.id, arrival.path)) {
            Slot::Occupied(mut kept) if is_earlier(kept.get()) => drop(kept.insert(item)),
            Slot::Occupied(_) => {}
            Slot::Vacant(free) => drop(free.insert(item)),
        }
    }

    fn finish(self) -> (Vec<ChangedBlob>, Vec<Gap>) {
        let head = self.repository.head().and_then(|it| it.peel_to_tree()).ok();
        let in_head = |it: &ChangedBlob| {
            let entry = head
                .as_ref()
                .and_then(|head| head.get_path(Path::new(&it.path)).ok());
            entry.is_some_and(|entry| entry.id().as_bytes() == it.id.as_bytes())
        };
        let items = self.items.into_values().map(|it| ChangedBlob {
            in_head: in_head(&it),
            ..it
        });
        (items.collect(), self.gaps)
    }
}

fn our_id(id: Oid) -> Option<ObjectId> {
    ObjectId::from_bytes(id.as_bytes())
}

type Listing = Rc<[Entry<ObjectId, Box<[u8]>>]>;

/// Trees read through git's library; neighbouring commits share most of them.
struct Stored<'a> {
    odb: Odb<'a>,
    listings: HashMap<ObjectId, Listing>,
}

/// Listings kept before all are dropped.
const LISTINGS: usize = 4096;

impl Trees for Stored<'_> {
    type Error = git2::Error;
    type Id = ObjectId;
    type Name = Box<[u8]>;
    type Listing = Listing;

    fn path(&self, folder: &str, name: &Box<[u8]>) -> String {
        spelling::joined(folder, &spelling::text(name))
    }

    fn listing(&mut self, id: ObjectId) -> Result<Listing, git2::Error> {
        if let Some(listing) = self.listings.get(&id) {
            return Ok(listing.clone());
        }
        let object = self.odb.read(Oid::from_bytes(id.as_bytes())?)?;
        if object.kind() != ObjectType::Tree {
            return Err(git2::Error::from_str(
                "an object that should be a tree is none",
            ));
        }
        let kept = compare::entries(object.data()).filter(|it| !it.is_submodule());
        let listing: Listing = kept
            .filter_map(|it| {
                Some(Entry {
                    name: it.name.into(),
                    id: ObjectId::from_bytes(it.id)?,
                    is_tree: it.is_tree(),
                })
            })
            .collect();
        if self.listings.len() >= LISTINGS {
            self.listings.clear();
        }
        self.listings.insert(id, listing.clone());
        Ok(listing)
    }
}
