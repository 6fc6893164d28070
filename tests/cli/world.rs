//! The world of one case: a temporary folder with a home of its own, the program, and git without
//! anybody's settings. What a case plants is drawn here and stands in no file of this project.

use serde_json::Value;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A folder to work in, with a home beside it.
pub(crate) struct World {
    dir: TempDir,
}

/// What a run left.
pub(crate) struct Ran {
    line: String,
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// An invented password: the same for the same name, related to nothing that exists.
pub(crate) fn drawn(name: &str) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    let digest = Sha256::digest(name.as_bytes());
    let letters = digest[..22]
        .iter()
        .map(|it| char::from(LETTERS[usize::from(*it) % LETTERS.len()]));
    // As password policies want it: digits in any case.
    letters.chain(['4', '7']).collect()
}

/// A line of code that holds such a password in the clear.
pub(crate) fn leak(name: &str) -> String {
    format!("password = \"{}\"\n", drawn(name))
}

impl World {
    /// A folder without anything.
    pub(crate) fn new() -> Self {
        let world = Self {
            dir: TempDir::new().unwrap(),
        };
        fs::create_dir(world.path(".")).unwrap();
        fs::create_dir(world.dir.path().join("home")).unwrap();
        world
    }

    /// A repository without a commit.
    pub(crate) fn repository() -> Self {
        let world = Self::new();
        world.git(&["init", "--quiet", "--template=", "--initial-branch=main"]);
        world
    }

    /// A repository with one clean commit.
    pub(crate) fn committed() -> Self {
        let world = Self::repository();
        world.commit(&[("README", "hello\n")], "first");
        world
    }

    /// A place in the folder.
    pub(crate) fn path(&self, relative: &str) -> PathBuf {
        let folder = self.dir.path().join("work");
        if relative == "." {
            folder
        } else {
            folder.join(relative)
        }
    }

    /// A place in the home folder.
    pub(crate) fn home(&self, relative: &str) -> PathBuf {
        self.dir.path().join("home").join(relative)
    }

    pub(crate) fn write(&self, path: &str, bytes: impl AsRef<[u8]>) -> &Self {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        self
    }

    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    /// A program in this world: its folder, its home, and nothing else of the machine's environment.
    pub(crate) fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.path(".")).env_clear();
        let own = Path::new(env!("CARGO_BIN_EXE_keyatlas")).parent().unwrap();
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(own.to_path_buf()).chain(std::env::split_paths(&path));
        command.env("PATH", std::env::join_paths(folders).unwrap());
        for variable in ["SYSTEMROOT", "TEMP", "TMP", "LLVM_PROFILE_FILE"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        for variable in ["HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA"] {
            command.env(variable, self.home("."));
        }
        command
            .env("XDG_DATA_HOME", self.home("data"))
            .env("XDG_CONFIG_HOME", self.home("settings"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.home("gitconfig"))
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("LC_ALL", "C");
        for role in ["AUTHOR", "COMMITTER"] {
            command
                .env(format!("GIT_{role}_NAME"), "Ada Example")
                .env(format!("GIT_{role}_EMAIL"), "ada@example.com")
                .env(format!("GIT_{role}_DATE"), "2026-03-04T09:12:00Z");
        }
        command
    }

    /// git, which may fail.
    pub(crate) fn try_git(&self, arguments: &[&str]) -> Ran {
        let mut command = self.program("git");
        command.args(["-c", "core.autocrlf=false", "-c", "gc.auto=0"]);
        ran(command.args(arguments), arguments, b"")
    }

    /// git; what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.try_git(arguments).code(0).out.trim().to_owned()
    }

    /// Writes the files, commits everything, and returns the commit id.
    pub(crate) fn commit(&self, files: &[(&str, &str)], message: &str) -> String {
        for (path, text) in files {
            self.write(path, text);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--no-verify", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// The program under test.
    pub(crate) fn keyatlas(&self) -> Command {
        self.program(env!("CARGO_BIN_EXE_keyatlas"))
    }

    /// Runs it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(self.keyatlas().args(arguments), arguments, b"")
    }

    /// Runs it with bytes on its standard input.
    pub(crate) fn feed(&self, arguments: &[&str], input: &[u8]) -> Ran {
        ran(self.keyatlas().args(arguments), arguments, input)
    }

    /// Runs it with further variables.
    pub(crate) fn run_with(&self, variables: &[(&str, &str)], arguments: &[&str]) -> Ran {
        let mut command = self.keyatlas();
        command.envs(variables.iter().copied());
        ran(command.args(arguments), arguments, b"")
    }

    /// The document that a scan prints, whatever the code.
    pub(crate) fn scan(&self, arguments: &[&str]) -> Value {
        let all = [&["scan", "--format", "json"], arguments].concat();
        self.run(&all).json()
    }

    /// A key file and an empty inventory at their default places.
    pub(crate) fn with_inventory(self) -> Self {
        self.run(&["inventory", "init"]).code(0);
        self
    }
}

/// Runs a command to its end.
pub(crate) fn ran(command: &mut Command, arguments: &[&str], input: &[u8]) -> Ran {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A program that does not read its input may close it first.
    let _unread = stdin.write_all(input);
    drop(stdin);
    told(child.wait_with_output().unwrap(), arguments)
}

fn told(output: Output, arguments: &[&str]) -> Ran {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran {
        line: arguments.join(" "),
        code: output.status.code(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

impl Ran {
    fn whole(&self) -> String {
        format!(
            "{}: code {:?}\nstdout:\n{}\nstderr:\n{}",
            self.line, self.code, self.out, self.err
        )
    }

    /// Holds the run to an exit code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.whole());
        self
    }

    /// Holds standard output to a text.
    #[track_caller]
    pub(crate) fn prints(self, text: &str) -> Self {
        assert!(
            self.out.contains(text),
            "no {text:?} in stdout of {}",
            self.whole()
        );
        self
    }

    /// Holds standard error to a text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(
            self.err.contains(text),
            "no {text:?} in stderr of {}",
            self.whole()
        );
        self
    }

    /// Holds both streams to silence about a text.
    #[track_caller]
    pub(crate) fn keeps(self, text: &str) -> Self {
        let is_told = self.out.contains(text) || self.err.contains(text);
        assert!(!is_told, "{text:?} is told by {}", self.whole());
        self
    }

    /// A wrong request: code 2, nothing on standard output, and an error that says what happened, where,
    /// and what to do next.
    #[track_caller]
    pub(crate) fn refused(self, what: &str, next: &str) -> Self {
        let ran = self.code(2).says(what).says(next);
        assert_eq!(ran.out, "", "{}", ran.whole());
        assert!(ran.err.starts_with("error: "), "{}", ran.whole());
        ran
    }

    /// Standard output as a document.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|it| panic!("{it}: {}", self.whole()))
    }
}

/// A list of a document.
pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// One text field of each object of a list.
pub(crate) fn each<'a>(value: &'a Value, field: &str) -> Vec<&'a str> {
    let text = |it: &'a Value| it[field].as_str().unwrap_or("-");
    list(value).iter().map(text).collect()
}

/// `path reason` of each place that was not read, by choice or not.
pub(crate) fn gaps(document: &Value) -> Vec<String> {
    ["skipped", "unreadable"]
        .iter()
        .flat_map(|it| list(&document["coverage"][*it]))
        .map(|it| {
            format!(
                "{} {}",
                it["path"].as_str().unwrap(),
                it["reason"].as_str().unwrap()
            )
        })
        .collect()
}
