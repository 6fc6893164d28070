//! Trees that hold the same flagged entries made one: most commits change nothing flagged, and then their
//! trees differ from their parents' only in what nobody asks for.
//!
//! Not here: what trees hold, and what is asked of them.

use crate::source::compare::Entry;
use crate::source::origins::Table;
use std::collections::HashMap;

/// Stands for a tree below which nothing is flagged.
const EMPTY: u32 = u32::MAX;

/// What a tree holds: names, numbers, and whether they are those of trees.
type Listing = Vec<(u32, u32, bool)>;

/// Gives trees below which the same blobs lie at the same paths one number.
pub(crate) fn fold(table: &mut Table) {
    let mut folder = Folder {
        table,
        stands: HashMap::new(),
        known: HashMap::new(),
        order: Vec::new(),
    };
    let mut trees: Vec<u32> = folder.table.ranges.keys().copied().collect();
    trees.sort_unstable();
    trees.into_iter().for_each(|it| folder.tree(it));
    let Folder {
        stands,
        known,
        order,
        ..
    } = folder;
    let mut listings: HashMap<u32, Listing> = known.into_iter().map(|it| (it.1, it.0)).collect();
    table.entries.clear();
    table.ranges.clear();
    for tree in order {
        let start = table.entries.len() as u32;
        let listing = listings.remove(&tree).unwrap_or_default();
        table.entries.extend(listing.into_iter().map(Entry::from));
        table
            .ranges
            .insert(tree, (start, table.entries.len() as u32));
    }
    for number in table.numbers.values_mut() {
        *number = stands.get(number).copied().unwrap_or(*number);
    }
}

struct Folder<'t> {
    table: &'t Table,
    /// For a tree that was looked into, the one that stands for it.
    stands: HashMap<u32, u32>,
    known: HashMap<Listing, u32>,
    /// Those that stand for others, in the order in which they were met.
    order: Vec<u32>,
}

impl Folder<'_> {
    fn listing(&self, tree: u32) -> impl Iterator<Item = (u32, u32, bool)> {
        let (start, end) = self.table.ranges.get(&tree).copied().unwrap_or_default();
        let entries = &self.table.entries[start as usize..end as usize];
        entries.iter().map(|it| (it.name, it.id, it.is_tree))
    }

    /// Looks into a tree after those below it.
    fn tree(&mut self, root: u32) {
        let mut stack = vec![(root, false)];
        while let Some((tree, is_open)) = stack.pop() {
            if is_open {
                self.close(tree);
            } else if !self.stands.contains_key(&tree) {
                // A ring, which only a forged index can make, ends here.
                self.stands.insert(tree, EMPTY);
                stack.push((tree, true));
                let below = self.listing(tree).filter(|it| it.2);
                stack.extend(below.map(|it| (it.1, false)));
            }
        }
    }

    fn close(&mut self, tree: u32) {
        let listing = self.listing(tree).filter_map(|(name, id, is_tree)| {
            let id = match is_tree {
                true => self.stands.get(&id).copied().unwrap_or(EMPTY),
                false => id,
            };
            (id != EMPTY).then_some((name, id, is_tree))
        });
        let listing: Listing = listing.collect();
        if listing.is_empty() {
            return;
        }
        let known = self.known.entry(listing).or_insert(tree);
        if *known == tree {
            self.order.push(tree);
        }
        self.stands.insert(tree, *known);
    }
}
