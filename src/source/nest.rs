//! Lines that are asked about, by the folders and files of one commit that they stand in.
//!
//! Not here: where they came from. What lies in a folder that did not change moves as a whole, whatever is in it.

use std::collections::BTreeMap;
use std::rc::Rc;

/// The name of a file or folder.
pub(crate) type Name = Rc<[u8]>;

/// A line of a file, from 0, and the number of the question about it.
pub(crate) type Line = (u32, u32);

/// A folder with what is asked about in it.
#[derive(Default, PartialEq, Eq, Debug)]
pub(crate) struct Nest {
    pub(crate) folders: BTreeMap<Name, Nest>,
    pub(crate) files: BTreeMap<Name, Vec<Line>>,
}

impl Nest {
    pub(crate) fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }

    /// Adds lines of a file.
    pub(crate) fn add(&mut self, path: &[Name], lines: Vec<Line>) {
        match path {
            [] => {}
            [name] => self.files.entry(Rc::clone(name)).or_default().extend(lines),
            [name, rest @ ..] => {
                let folder = self.folders.entry(Rc::clone(name)).or_default();
                folder.add(rest, lines);
            }
        }
    }

    /// Adds what is in another nest of the same folder.
    pub(crate) fn merge(&mut self, other: Self) {
        if self.is_empty() {
            *self = other;
            return;
        }
        for (name, lines) in other.files {
            self.files.entry(name).or_default().extend(lines);
        }
        for (name, nest) in other.folders {
            self.folders.entry(name).or_default().merge(nest);
        }
    }

    /// Every line, in any order.
    pub(crate) fn each_line(self, emit: &mut dyn FnMut(Line)) {
        for line in self.files.into_values().flatten() {
            emit(line);
        }
        for nest in self.folders.into_values() {
            nest.each_line(emit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> Vec<Name> {
        text.split('/').map(|it| it.as_bytes().into()).collect()
    }

    #[test]
    fn lines_of_one_file_meet_whatever_way_they_came() {
        let (mut one, mut other, mut all) = (Nest::default(), Nest::default(), Nest::default());
        for (is_one, file, line) in [
            (true, "a/b", 1),
            (false, "a/b", 2),
            (false, "a/c/d", 3),
            (false, "e", 4),
        ] {
            let nest = if is_one { &mut one } else { &mut other };
            nest.add(&path(file), vec![(line, line)]);
            all.add(&path(file), vec![(line, line)]);
        }
        one.merge(other);
        assert_eq!(one, all);
        let mut told = Vec::new();
        one.each_line(&mut |it| told.push(it.1));
        told.sort_unstable();
        assert_eq!(told, [1, 2, 3, 4]);
    }
}
