//! What a range of commits brings in: blobs that differ, at their path, from every parent.
//!
//! Not here: objects that no commit of the range names. A shallow clone that cannot answer is refused:
//! an answer from half of history would call unread commits clean.

use crate::model::blob::ObjectId;
use crate::model::coverage::{Gap, Reason};
use crate::model::origin::{Milestone, Origin, OriginKind};
use crate::source::change::{ChangedBlob, ChangedText, Changes};
use crate::source::commits::said;
use crate::source::compare::{self, Arrival, Entry, Trees, arrivals};
use crate::source::error::Error;
use crate::source::mailmap::Mailmap;
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
    range_with(repo, base, tip, &[])
}

/// The same, with further folders of objects: the quarantine of a push that is not accepted yet.
pub fn range_with(
    repo: &Path,
    base: Option<&str>,
    tip: &str,
    objects: &[PathBuf],
) -> Result<Changes, Error> {
    let repository = repository::open(repo)?;
    let fault = |it: git2::Error| repository::translated(repo, &it);
    let odb = repository.odb().map_err(fault)?;
    for folder in objects {
        odb.add_disk_alternate(&spelling::shown(folder))
            .map_err(fault)?;
    }
    let commits = commits(repo, &repository, base, tip)?;
    let mut gatherer = Gatherer::new(&repository, odb);
    commits.iter().for_each(|id| gatherer.add(*id));
    let said = std::mem::take(&mut gatherer.said);
    let mut said: Vec<ChangedText> = said.into_values().collect();
    said.extend(tagged(&repository, tip));
    let (items, gaps) = gatherer.finish();
    let standing = repository::standing(&repository);
    Ok(Changes::new(items, gaps, standing, repository).saying(said))
}

/// Messages of the tags that the tip is named by, tags of tags too.
fn tagged(repository: &Repository, tip: &str) -> Vec<ChangedText> {
    let mut texts = Vec::new();
    let mailmap = Mailmap::of(repository);
    let mut object = repository.revparse_single(tip).ok();
    while let Some(tag) = object.as_ref().and_then(|it| it.as_tag()) {
        let tagger = tag.tagger();
        let introduced = Milestone {
            seconds: tagger.as_ref().map_or(0, |it| it.when().seconds()),
            commit: tag.id().to_string(),
            author: tagger.map_or_else(String::new, |it| mailmap.name_of(&it)),
        };
        let path = format!("tags/{}", tag.id());
        texts.push(text(
            OriginKind::TagMessage,
            &path,
            tag.message_bytes().unwrap_or_default(),
            &introduced,
        ));
        object = tag.target().ok();
    }
    texts
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

/// The commits of the range.
fn commits(
    repo: &Path,
    repository: &Repository,
    base: Option<&str>,
    tip: &str,
) -> Result<Vec<Oid>, Error> {
    let boundary = repository::shallow_boundary(repository);
    let shallow = |revision: &str| Error::Shallow {
        path: spelling::shown(repo),
        revision: revision.to_owned(),
    };
    let resolve = |revision: &str| {
        let found = repository
            .revparse_single(revision)
            .and_then(|it| it.peel_to_commit());
        found.map(|it| it.id()).map_err(|_| {
            if boundary.is_empty() {
                Error::NoSuchRevision {
                    path: spelling::shown(repo),
                    revision: revision.to_owned(),
                }
            } else {
                shallow(revision)
            }
        })
    };
    let (tip_id, base_id) = (resolve(tip)?, base.map(resolve).transpose()?);
    let fault = |it: git2::Error| {
        if boundary.is_empty() {
            repository::translated(repo, &it)
        } else {
            shallow(tip)
        }
    };
    let mut walk = repository.revwalk().map_err(fault)?;
    walk.push(tip_id).map_err(fault)?;
    base_id.map_or(Ok(()), |it| walk.hide(it)).map_err(fault)?;
    let commits: Vec<Oid> = walk.collect::<Result<_, _>>().map_err(fault)?;
    match commits.iter().find(|it| boundary.contains(it)) {
        Some(end) => Err(shallow(&end.to_string())),
        None => Ok(commits),
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
            let detail = format!(
                "the commit cannot be compared with its parents: {}",
                error.message()
            );
            self.gaps.push(Gap {
                path: id.to_string(),
                reason: Reason::MissingObject,
                detail,
            });
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
            .for_each(|it| self.keep(it, &introduced));
        self.hear(id, &introduced)
    }

    /// Keeps what a commit says; of what several say, the earliest.
    fn hear(&mut self, id: Oid, introduced: &Milestone) -> Result<(), git2::Error> {
        let object = self.trees.odb.read(id)?;
        let said = said(object.data());
        let path = format!("commits/{id}");
        let headers = said.headers().map(|it| (OriginKind::Header, it));
        for (kind, bytes) in headers.chain([(OriginKind::CommitMessage, said.message)]) {
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

    fn keep(&mut self, arrival: Arrival<ObjectId>, introduced: &Milestone) {
        let item = ChangedBlob {
            path: arrival.path.clone(),
            id: arrival.id,
            before: arrival.before,
            introduced: Some(introduced.clone()),
            in_head: false,
        };
        match self.items.entry((arrival.id, arrival.path)) {
            Slot::Occupied(mut kept) if item.introduced < kept.get().introduced => {
                drop(kept.insert(item))
            }
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
