//! Trees that hold the same flagged entries made one: most commits change nothing flagged, and then their
//! trees differ from their parents' only in what nobody asks for.
//!
//! Not here: what trees hold, and what is asked of them.

use crate::source::compare;
use crate::source::origins::Table;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

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
        table
            .entries
            .extend(listing.into_iter().map(compare::Entry::from));
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
            } else if let Entry::Vacant(place) = self.stands.entry(tree) {
                // A ring, which only a forged index can make, ends here.
                place.insert(EMPTY);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree by its number, with what it holds.
    type Tree<'t> = (u32, &'t [(u32, u32, bool)]);

    fn folded(trees: &[Tree<'_>]) -> Table {
        let mut table = Table::default();
        for (tree, listing) in trees {
            let start = table.entries.len() as u32;
            let entries = listing.iter().map(|it| compare::Entry::from(*it));
            table.entries.extend(entries);
            let end = table.entries.len() as u32;
            table.ranges.insert(*tree, (start, end));
            let id = crate::model::blob::ObjectId::from_bytes(&[*tree as u8; 20]);
            table.numbers.insert(id.unwrap(), *tree);
        }
        fold(&mut table);
        table
    }

    fn number(table: &Table, tree: u8) -> u32 {
        table.numbers[&crate::model::blob::ObjectId::from_bytes(&[tree; 20]).unwrap()]
    }

    #[test]
    fn trees_that_hold_the_same_at_any_depth_are_one() {
        // 9 and 8 are blobs; 1 and 2 differ in the number of the folder below only.
        let table = folded(&[
            (1, &[(0, 3, true), (1, 9, false)]),
            (2, &[(0, 4, true), (1, 9, false)]),
            (3, &[(0, 8, false)]),
            (4, &[(0, 8, false)]),
            (5, &[(0, 9, false)]),
            (6, &[(1, 8, false)]),
        ]);
        assert_eq!(number(&table, 1), number(&table, 2));
        assert_eq!(number(&table, 3), number(&table, 4));
        let others = [1, 3, 5, 6].map(|it| number(&table, it));
        assert_eq!(others, [1, 3, 5, 6]);
        assert_eq!(table.ranges.len(), 4);
    }

    #[test]
    fn what_leads_to_nothing_is_left_out_and_rings_end() {
        let table = folded(&[
            (1, &[(0, 7, true), (1, 9, false)]),
            (2, &[(1, 9, false)]),
            (3, &[(0, 3, true)]),
        ]);
        assert_eq!(number(&table, 1), number(&table, 2));
        assert!(!table.ranges.contains_key(&number(&table, 3)));
    }
}
