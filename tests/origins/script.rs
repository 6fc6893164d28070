//! A history as a list of commits, each with all its files, and the repository that it makes.

use crate::world::{World, ran};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

/// Paths with texts.
pub(crate) type Files = BTreeMap<String, String>;

/// A commit to be.
pub(crate) struct Planned {
    pub(crate) parents: Vec<usize>,
    pub(crate) files: Files,
    pub(crate) author: &'static str,
    /// Author date and commit date.
    pub(crate) dates: (i64, i64),
}

/// Commits by number, and refs to them.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) commits: Vec<Planned>,
    pub(crate) refs: Vec<(String, usize)>,
    /// Annotated tags.
    pub(crate) tags: Vec<(String, usize)>,
}

/// When the first commit is made.
pub(crate) const START: i64 = 1_600_000_000;

pub(crate) fn files(rows: &[(&str, &str)]) -> Files {
    let row = |it: &(&str, &str)| (it.0.to_owned(), it.1.to_owned());
    rows.iter().map(row).collect()
}

impl Script {
    /// A commit an hour after the one before.
    pub(crate) fn commit(&mut self, parents: &[usize], rows: &[(&str, &str)]) -> usize {
        let date = START + 3600 * self.commits.len() as i64;
        self.add(Planned {
            parents: parents.to_vec(),
            files: files(rows),
            author: "Ada Example <ada@example.com>",
            dates: (date, date),
        })
    }

    pub(crate) fn add(&mut self, planned: Planned) -> usize {
        self.commits.push(planned);
        self.commits.len() - 1
    }

    pub(crate) fn point(&mut self, name: &str, at: usize) {
        self.refs.push((name.to_owned(), at));
    }

    fn stream(&self) -> String {
        let mut out = String::new();
        for (number, it) in self.commits.iter().enumerate() {
            let (written, committed) = it.dates;
            write!(
                out,
                "reset refs/work\n\ncommit refs/work\nmark :{}\nauthor {} {written} +0000\n\
                 committer Cy Example <cy@example.com> {committed} +0000\ndata 4\nwork\n",
                number + 1,
                it.author
            )
            .unwrap();
            for (at, parent) in it.parents.iter().enumerate() {
                let word = if at == 0 { "from" } else { "merge" };
                writeln!(out, "{word} :{}", parent + 1).unwrap();
            }
            out.push_str("deleteall\n");
            for (path, text) in &it.files {
                write!(out, "M 100644 inline {path}\ndata {}\n{text}\n", text.len()).unwrap();
            }
            out.push('\n');
        }
        out
    }

    /// Makes the repository, with `main` checked out if there is one; gives the ids of the commits.
    pub(crate) fn build(&self, world: &World) -> Vec<String> {
        let marks = world.home("marks");
        let export = format!("--export-marks={}", marks.display());
        let line = ["fast-import", "--quiet", &export];
        let mut git = world.program("git");
        git.args(line);
        ran(&mut git, &line, self.stream().as_bytes()).code(0);
        world.git(&["update-ref", "-d", "refs/work"]);
        let mut ids = vec![String::new(); self.commits.len()];
        for line in fs::read_to_string(marks).unwrap().lines() {
            let (mark, id) = line[1..].split_once(' ').unwrap();
            ids[mark.parse::<usize>().unwrap() - 1] = id.to_owned();
        }
        for (name, at) in &self.refs {
            world.git(&["update-ref", name, &ids[*at]]);
        }
        for (name, at) in &self.tags {
            world.git(&["tag", "--annotate", "--message", "t", name, &ids[*at]]);
        }
        if self.refs.iter().any(|it| it.0 == "refs/heads/main") {
            world.git(&["reset", "--quiet", "--hard"]);
        }
        ids
    }
}
