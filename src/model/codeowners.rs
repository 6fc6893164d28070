//! What a CODEOWNERS file claims: who answers for which paths of its repository.
//!
//! A claim of a scanned tree and no authority: nothing is judged by it. Where it lies and how it is read:
//! <https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners>,
//! and for sections and exclusions <https://docs.gitlab.com/user/project/codeowners/reference>. Not here: which
//! record a path belongs to.

/// Where forges look for the file; the first that is there counts.
const PLACES: &[&str] = &[
    ".github/CODEOWNERS",
    "CODEOWNERS",
    "docs/CODEOWNERS",
    ".gitlab/CODEOWNERS",
];
/// GitHub reads no larger file.
const MOST: usize = 3 << 20;

/// One line: a pattern and who it names.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Line {
    /// Lines of one section answer apart from those of others.
    section: usize,
    pattern: Vec<String>,
    /// Whether it means what lies below a folder only.
    is_folder: bool,
    owners: Vec<String>,
}

/// The claims of one file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CodeOwners {
    /// The repository it lies in, as findings name it.
    pub repository: Option<String>,
    /// Its path there.
    pub path: String,
    lines: Vec<Line>,
}

/// How soon forges take the file of that path; `None` for any other file.
pub fn rank(path: &str) -> Option<usize> {
    PLACES.iter().position(|it| *it == path)
}

impl CodeOwners {
    /// Reads a file. Lines that a forge would not take are left out.
    pub fn read(path: &str, text: &str) -> Self {
        let is_gitlab = path.starts_with(".gitlab/");
        let mut owners = Self {
            path: path.to_owned(),
            ..Self::default()
        };
        if text.len() >= MOST {
            return owners;
        }
        let (mut section, mut standing) = (0, Vec::new());
        for words in text.lines().map(words) {
            let Some((first, rest)) = words.split_first() else {
                continue;
            };
            if is_header(path, &words) {
                section += 1;
                standing = named(&words);
            } else if let Some(mut line) = line(first, is_gitlab) {
                line.section = section;
                line.owners = named(rest);
                if line.owners.is_empty() && !first.starts_with('!') {
                    line.owners.clone_from(&standing);
                }
                owners.lines.push(line);
            }
        }
        owners
    }

    /// Who is named for a path: of each section, by the last line that fits.
    pub fn of(&self, path: &str) -> Vec<&str> {
        let parts: Vec<&str> = path.split('/').collect();
        let mut found: Vec<&str> = Vec::new();
        let mut answered = None;
        for line in self.lines.iter().rev() {
            if answered == Some(line.section) || !line.fits(&parts) {
                continue;
            }
            answered = Some(line.section);
            found.extend(line.owners.iter().map(String::as_str));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// `[Name]`, `^[Name][2] @owner`: GitHub knows no sections.
fn is_header(path: &str, words: &[String]) -> bool {
    let text = words.join(" ");
    let name = text.strip_prefix('^').unwrap_or(&text).strip_prefix('[');
    let rest = name.and_then(|it| it.split_once(']')).map(|it| it.1);
    let is_whole = rest.is_some_and(|it| it.is_empty() || it.starts_with([' ', '[']));
    is_whole && !path.starts_with(".github/")
}

/// The words of a line up to a comment; a space behind a backslash is part of its word.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        let is_start = words.last().is_some_and(String::is_empty);
        match letter {
            '#' if is_start => break,
            '\\' if letters.peek() == Some(&' ') => {
                letters.next();
                push(&mut words, ' ');
            }
            it if it.is_whitespace() => words.push(String::new()),
            it => push(&mut words, it),
        }
    }
    words.retain(|it| !it.is_empty());
    words
}

fn push(words: &mut [String], letter: char) {
    if let Some(last) = words.last_mut() {
        last.push(letter);
    }
}

/// Logins, teams and addresses among words.
fn named(words: &[String]) -> Vec<String> {
    let is_name = |it: &&String| it.len() > 1 && it.contains('@') && !it.starts_with('[');
    words.iter().filter(is_name).cloned().collect()
}

/// The pattern of a line. Only GitLab knows exclusions, and takes a path without a first slash for one
/// at any depth.
fn line(text: &str, is_gitlab: bool) -> Option<Line> {
    let pattern = match text.strip_prefix('!') {
        Some(_) if !is_gitlab => return None,
        Some(rest) => rest,
        None => text,
    };
    if pattern.contains('[') || pattern.starts_with("\\#") {
        return None;
    }
    let is_folder = pattern.ends_with('/');
    let inner = pattern.trim_end_matches('/');
    let is_anchored = inner.starts_with('/') || (inner.contains('/') && !is_gitlab);
    let parts = inner.trim_start_matches('/').split('/');
    let mut pattern: Vec<String> = parts
        .filter(|it| !it.is_empty())
        .map(str::to_owned)
        .collect();
    if !is_anchored {
        pattern.insert(0, "**".to_owned());
    }
    Some(Line {
        section: 0,
        pattern,
        is_folder,
        owners: Vec::new(),
    })
}

impl Line {
    /// Whether the pattern is the path or a folder above it; `docs/*` is files of that folder alone.
    fn fits(&self, path: &[&str]) -> bool {
        let last = self.pattern.last().map_or("", String::as_str);
        if !last.contains(['*', '?']) && !path.contains(&last) {
            return false;
        }
        let is_flat = self.pattern.len() > 1
            && self.pattern.first().is_some_and(|it| it != "**")
            && self.pattern.last().is_some_and(|it| it == "*");
        let whole = reached(&self.pattern, path);
        let lengths = 1..=path.len();
        lengths.into_iter().any(|length| {
            let is_file = length == path.len();
            whole[length] && if is_file { !self.is_folder } else { !is_flat }
        })
    }
}

/// By how many parts of the path: whether the whole pattern is met by them.
fn reached(pattern: &[String], path: &[&str]) -> Vec<bool> {
    let mut before = vec![false; path.len() + 1];
    before[0] = true;
    for part in pattern {
        let mut after = vec![false; path.len() + 1];
        for at in 0..=path.len() {
            after[at] = match (part.as_str(), at) {
                ("**", 0) => before[0],
                ("**", _) => before[at] || after[at - 1],
                (_, 0) => false,
                (glob, _) => before[at - 1] && is_like(glob, path[at - 1]),
            };
        }
        before = after;
    }
    before
}

/// Whether a name fits a pattern with `*` and `?`.
fn is_like(glob: &str, name: &str) -> bool {
    let name: Vec<char> = name.chars().collect();
    let mut before = vec![false; name.len() + 1];
    before[0] = true;
    for letter in glob.chars() {
        let mut after = vec![false; name.len() + 1];
        for at in 0..=name.len() {
            after[at] = match (letter, at) {
                ('*', 0) => before[0],
                ('*', _) => before[at] || after[at - 1],
                (_, 0) => false,
                ('?', _) => before[at - 1],
                (letter, _) => before[at - 1] && name[at - 1] == letter,
            };
        }
        before = after;
    }
    before[name.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_fits_answers() {
        let text = "\
# everything
*        @all @org/team
*.js     @js # inline
/build/logs/ @logs
docs/*   docs@shop.example
apps/    @apps
/apps/github
**/deep  @deep
/scripts/a\\ b.sh @space
!/build/logs/x @no
[ab].txt @no
";
        let owners = CodeOwners::read(".github/CODEOWNERS", text);
        for (path, expected) in [
            ("a.py", &["@all", "@org/team"][..]),
            ("src/a.js", &["@js"]),
            ("build/logs/x", &["@logs"]),
            ("web/build/logs/x", &["@all", "@org/team"]),
            ("docs/start.md", &["docs@shop.example"]),
            ("docs/build/start.md", &["@all", "@org/team"]),
            ("web/apps/x/y.py", &["@apps"]),
            ("apps/github/x.py", &[]),
            ("a/b/deep/c.py", &["@deep"]),
            ("scripts/a b.sh", &["@space"]),
            ("a.txt", &["@all", "@org/team"]),
        ] {
            assert_eq!(owners.of(path), expected, "{path}");
        }
    }

    #[test]
    fn sections_answer_apart_and_have_owners_of_their_own() {
        let text =
            "* @all\n[Docs][2] @docs\ndocs/\nREADME.md @readme\n^[Data]\ndata/\n!data/public @x\n";
        let owners = CodeOwners::read(".gitlab/CODEOWNERS", text);
        for (path, expected) in [
            ("a.py", &["@all"][..]),
            ("web/docs/a.md", &["@all", "@docs"]),
            ("README.md", &["@all", "@readme"]),
            ("data/a.csv", &["@all"]),
        ] {
            assert_eq!(owners.of(path), expected, "{path}");
        }
    }

    #[test]
    fn only_the_files_that_forges_look_for_count() {
        assert!(rank(".github/CODEOWNERS") < rank("CODEOWNERS"));
        assert!(rank("docs/CODEOWNERS") < rank(".gitlab/CODEOWNERS"));
        assert_eq!(rank("src/CODEOWNERS"), None);
        let hostile = format!("{} @a\n", "**/*".repeat(2_000));
        let owners = CodeOwners::read("CODEOWNERS", &hostile);
        assert!(owners.of(&"a/".repeat(500)).is_empty());
        assert!(
            CodeOwners::read("CODEOWNERS", "* @\n*\n")
                .of("a")
                .is_empty()
        );
    }
}
