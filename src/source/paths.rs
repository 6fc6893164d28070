//! Paths as numbers: a folder's number and a name's number are those of a path.
//!
//! Not here: names and blobs themselves. A tree may hold a tree twice, that one another twice, and so on,
//! until there are more paths than memory: there is an end to them.

use std::collections::HashMap;

/// The number of the top folder.
pub(crate) const TOP: u32 = 0;
/// As many paths are told apart.
const MOST: usize = 1 << 20;

/// Every path met.
pub(crate) struct Paths {
    /// The folder it lies in, and its name there; of the top, nothing.
    known: Vec<(u32, u32)>,
    numbers: HashMap<(u32, u32), u32>,
    most: usize,
    /// Whether there were more.
    pub(crate) is_full: bool,
}

impl Default for Paths {
    fn default() -> Self {
        Self {
            known: vec![(TOP, 0)],
            numbers: HashMap::new(),
            most: MOST,
            is_full: false,
        }
    }
}

impl Paths {
    /// The number of a path, a new one if need be; `None` at the end.
    pub(crate) fn number(&mut self, folder: u32, name: u32) -> Option<u32> {
        if let Some(known) = self.find(folder, name) {
            return Some(known);
        }
        if self.known.len() >= self.most {
            self.is_full = true;
            return None;
        }
        let number = self.known.len() as u32;
        self.known.push((folder, name));
        self.numbers.insert((folder, name), number);
        Some(number)
    }

    pub(crate) fn find(&self, folder: u32, name: u32) -> Option<u32> {
        self.numbers.get(&(folder, name)).copied()
    }

    /// In words.
    pub(crate) fn text(&self, path: u32, names: &[String]) -> String {
        let mut parts = Vec::new();
        let mut at = path;
        while at != TOP {
            let (folder, name) = self.known[at as usize];
            parts.push(names[name as usize].as_str());
            at = folder;
        }
        parts.reverse();
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_one_number_and_an_end() {
        let names = ["a", "b"].map(str::to_owned);
        let mut paths = Paths {
            most: 4,
            ..Paths::default()
        };
        let folder = paths.number(TOP, 0).unwrap();
        let file = paths.number(folder, 1).unwrap();
        assert_eq!(paths.number(folder, 1), Some(file));
        assert_eq!(paths.text(file, &names), "a/b");
        assert_eq!(paths.text(TOP, &names), "");
        assert!(paths.number(TOP, 1).is_some() && !paths.is_full);
        assert_eq!(paths.number(file, 1), None);
        assert!(paths.is_full);
        assert_eq!(paths.find(TOP, 0), Some(folder));
    }
}
