//! A commit and all it descends from, in an order in which children come before their parents.
//!
//! Not here: commits that it does not descend from (see `commits`), and what any of them holds. Replaced objects
//! and grafts are not followed, as nowhere in this folder.

use crate::model::blob::ObjectId;
use crate::model::coverage::Reason;
use crate::source::commits::RawId;
use crate::source::pack::Kind;
use crate::source::reader::Reader;
use crate::source::said::{What, said, what};
use std::collections::{BinaryHeap, HashMap, HashSet, VecDeque};

/// One commit.
#[derive(Clone, Copy)]
pub(crate) struct Ancestor {
    id: RawId,
    tree: RawId,
    /// Range in the table of parents.
    parents: (u32, u32),
    /// Why its history is not all here, if it is not.
    pub(crate) cut: Option<Reason>,
}

impl Ancestor {
    pub(crate) fn id(&self) -> Option<ObjectId> {
        ObjectId::from_bytes(&self.id)
    }

    pub(crate) fn tree(&self) -> Option<ObjectId> {
        ObjectId::from_bytes(&self.tree)
    }
}

/// Commits, children first.
#[derive(Default)]
pub(crate) struct Lineage {
    pub(crate) all: Vec<Ancestor>,
    /// Places of parents in `all`, in their order.
    parents: Vec<u32>,
}

/// Commits that are looked at; each takes about 60 bytes.
pub(crate) const MOST: usize = 2_000_000;

/// While commits are gathered.
struct Met {
    id: RawId,
    tree: RawId,
    parents: Vec<RawId>,
    committed: i64,
    cut: Option<Reason>,
}

impl Lineage {
    /// Of what a work tree stands on; history ends at the commits of `boundary`, and after `most`.
    pub(crate) fn of(
        reader: &mut Reader<'_>,
        heads: &[ObjectId],
        boundary: &HashSet<ObjectId>,
        most: usize,
    ) -> Self {
        let mut met = met(reader, heads, boundary, most);
        let place = |(place, it): (usize, &Met)| (it.id, place as u32);
        let places: HashMap<RawId, u32> = met.iter().enumerate().map(place).collect();
        let parents = |it: &Met| -> Vec<u32> {
            let here = it.parents.iter().filter_map(|it| places.get(it));
            here.copied().collect()
        };
        let parents: Vec<Vec<u32>> = met.iter().map(parents).collect();
        drop(places);
        let order = children_first(&met, &parents);
        let mut places = vec![0; met.len()];
        for (place, at) in order.iter().enumerate() {
            places[*at as usize] = place as u32;
        }
        let mut lineage = Self::default();
        for at in order {
            let (it, older) = (&mut met[at as usize], &parents[at as usize]);
            if older.len() < it.parents.len() {
                it.cut = it.cut.or(Some(Reason::MissingObject));
            }
            let start = lineage.parents.len() as u32;
            lineage
                .parents
                .extend(older.iter().map(|it| places[*it as usize]));
            lineage.all.push(Ancestor {
                id: it.id,
                tree: it.tree,
                parents: (start, lineage.parents.len() as u32),
                cut: it.cut,
            });
        }
        lineage
    }

    /// Places of the parents of the commit at a place; those that are here.
    pub(crate) fn parents(&self, place: usize) -> &[u32] {
        let (start, end) = self.all[place].parents;
        &self.parents[start as usize..end as usize]
    }

    /// Where a commit is.
    pub(crate) fn find(&self, id: &ObjectId) -> Option<usize> {
        let is = |it: &Ancestor| it.id.as_slice() == id.as_bytes();
        self.all.iter().position(is)
    }
}

/// All of them, in the order in which they are met. Where there are more than `most`, those that lack a parent
/// for that say so.
fn met(
    reader: &mut Reader<'_>,
    heads: &[ObjectId],
    boundary: &HashSet<ObjectId>,
    most: usize,
) -> Vec<Met> {
    let mut met: Vec<Met> = Vec::new();
    let mut seen: HashSet<RawId> = HashSet::new();
    let raw = |it: &ObjectId| it.as_bytes().first_chunk::<20>().copied();
    // In the order of git's own breadth, so that a limit cuts what is far away.
    let mut waiting: VecDeque<RawId> = heads.iter().filter_map(raw).collect();
    while let Some(raw) = waiting.pop_front() {
        if met.len() >= most {
            cut_short(&mut met);
            break;
        }
        if !seen.insert(raw) {
            continue;
        }
        let Some(id) = ObjectId::from_bytes(&raw) else {
            continue;
        };
        // One that is not here is told by its children.
        let Ok(object) = reader.read(&id, Kind::Commit) else {
            continue;
        };
        let Some(What::Commit(tree)) = what(&object.bytes) else {
            continue;
        };
        let said = said(&object.bytes);
        let is_end = boundary.contains(&id);
        let parents = if is_end { Vec::new() } else { said.parents };
        waiting.extend(&parents);
        met.push(Met {
            id: raw,
            tree,
            parents,
            committed: said.committed,
            cut: is_end.then_some(Reason::ShallowClone),
        });
    }
    met
}

/// Says of those that lack a parent that it is for the limit.
fn cut_short(met: &mut [Met]) {
    let here: HashSet<RawId> = met.iter().map(|it| it.id).collect();
    for it in met {
        if it.cut.is_none() && !it.parents.iter().all(|it| here.contains(it)) {
            it.cut = Some(Reason::LimitHit);
        }
    }
}

/// Of those whose children are all through, the youngest comes next.
fn children_first(met: &[Met], parents: &[Vec<u32>]) -> Vec<u32> {
    let mut children = vec![0_u32; met.len()];
    for parent in parents.iter().flatten() {
        children[*parent as usize] += 1;
    }
    let dated = |at: u32| (met[at as usize].committed, std::cmp::Reverse(at));
    let free = (0..met.len() as u32).filter(|at| children[*at as usize] == 0);
    let mut ready: BinaryHeap<_> = free.map(dated).collect();
    let mut order = Vec::with_capacity(met.len());
    while let Some((_, std::cmp::Reverse(at))) = ready.pop() {
        order.push(at);
        for parent in &parents[at as usize] {
            children[*parent as usize] -= 1;
            if children[*parent as usize] == 0 {
                ready.push(dated(*parent));
            }
        }
    }
    order
}
