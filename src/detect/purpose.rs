//! What a file is for, as its path tells: to test, to explain, to show. Knows nothing of what lies in it.

use crate::model::purpose::Purpose;

/// Words in names of folders and files for tests.
const TEST: &[&str] = &[
    "test",
    "tests",
    "testing",
    "testdata",
    "testsuite",
    "testsuites",
    "testcase",
    "testcases",
    "unittest",
    "unittests",
    "conftest",
    "spec",
    "specs",
    "fixture",
    "fixtures",
    "mock",
    "mocks",
    "cassettes",
    "e2e",
    "molecule",
    "bench",
    "benches",
    "benchmark",
    "benchmarks",
    "fuzz",
    "corpus",
];
/// Words in names of folders and files that show how something is used.
const EXAMPLE: &[&str] = &[
    "example",
    "examples",
    "sample",
    "samples",
    "demo",
    "demos",
    "tutorial",
    "tutorials",
    "snippets",
    "cookbook",
    "quickstart",
];
/// Folders of manuals.
const MANUAL: &[&str] = &[
    "doc",
    "docs",
    "documentation",
    "man",
    "manual",
    "guide",
    "guides",
];
/// Files that are read by people: whole names before the extension.
const PAGES: &[&str] = &[
    "readme",
    "changelog",
    "changes",
    "history",
    "news",
    "contributing",
    "install",
    "upgrading",
    "metadata",
    "pkg-info",
];
/// Extensions of texts for people.
const PROSE: &[&str] = &[
    "md", "mdx", "markdown", "mkd", "rst", "adoc", "asciidoc", "pod", "texi", "texinfo", "textile",
    "org", "tex", "man",
];

/// What the path, in lower case, says of the file.
pub(crate) fn of_path(path: &str, lower: &str) -> Option<Purpose> {
    let (folders, name) = lower.rsplit_once('/').unwrap_or(("", lower));
    let own = path.rsplit('/').next().unwrap_or(path);
    let is_any = |words: &[&str]| parts(name).any(|it| words.contains(&it));
    if is_any(&["examples", "samples"]) {
        return Some(Purpose::Examples);
    }
    if is_any(TEST) || is_test_class(own) {
        return Some(Purpose::TestFile);
    }
    if is_page(name) {
        return Some(Purpose::Manual);
    }
    if is_any(EXAMPLE) {
        return Some(Purpose::Example);
    }
    // The innermost folder that says something.
    folders.rsplit('/').find_map(of_folder)
}

fn of_folder(name: &str) -> Option<Purpose> {
    let is_any = |words: &[&str]| parts(name).any(|it| words.contains(&it));
    if is_any(TEST) {
        Some(Purpose::TestFile)
    } else if is_any(EXAMPLE) {
        Some(Purpose::Example)
    } else if MANUAL.contains(&name) || is_section(name) {
        Some(Purpose::Manual)
    } else {
        None
    }
}

/// The words of a path.
pub(crate) fn words(lower: &str) -> impl Iterator<Item = &str> {
    lower.split(|it: char| !it.is_ascii_alphanumeric())
}

/// The words of a name in lower case.
fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(|it: char| !it.is_ascii_alphanumeric())
        .map(|it| it.trim_end_matches(|it: char| it.is_ascii_digit()))
}

/// `man1`: a section of the manual.
fn is_section(folder: &str) -> bool {
    folder
        .strip_prefix("man")
        .is_some_and(|it| it.len() == 1 && it.bytes().all(|it| it.is_ascii_digit()))
}

/// `LoginTest.java`, `TestLogin.kt`, `LoginTests.cs`, `LoginIT.java`: a class of tests.
fn is_test_class(name: &str) -> bool {
    let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
    let is_class = matches!(
        extension,
        "java" | "kt" | "groovy" | "scala" | "cs" | "vb" | "fs" | "php" | "swift" | "m" | "dart"
    );
    let ends = ["Test", "Tests", "TestCase", "Spec", "Specs", "IT"];
    is_class && (ends.iter().any(|it| stem.ends_with(it)) || stem.starts_with("Test"))
}

/// Whether a file is a page to be read: by its extension, also before `.in`, or by its name.
fn is_page(name: &str) -> bool {
    let name = [".in", ".gz", ".txt"]
        .iter()
        .find_map(|it| name.strip_suffix(it).filter(|it| it.contains('.')))
        .unwrap_or(name);
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let is_section = extension.len() == 1 && matches!(extension.as_bytes()[0], b'1'..=b'9');
    let is_text = matches!(extension, "" | "txt" | "html" | "gz");
    PROSE.contains(&extension) || is_section || (is_text && PAGES.contains(&stem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_tell_what_a_file_is_for() {
        for (path, purpose) in [
            ("tests/login.rs", Purpose::TestFile),
            ("src/test/java/App.java", Purpose::TestFile),
            ("app/__tests__/a.js", Purpose::TestFile),
            ("signing-test-suite/v4/a.txt", Purpose::TestFile),
            ("pkg/login_test.go", Purpose::TestFile),
            ("pkg/test_login.py", Purpose::TestFile),
            ("web/login.spec.ts", Purpose::TestFile),
            ("src/LoginTest.java", Purpose::TestFile),
            ("a/fixtures/db.yml", Purpose::TestFile),
            ("docs/tests/a.md", Purpose::Manual),
            ("README", Purpose::Manual),
            ("a/README.txt", Purpose::Manual),
            ("x/man1/tool.1", Purpose::Manual),
            ("man/tool.pod.in", Purpose::Manual),
            ("docs/setup.html", Purpose::Manual),
            ("examples/get.rs", Purpose::Example),
            ("api/iam.examples.json", Purpose::Examples),
            ("api/examples-1.json", Purpose::Examples),
            (".env.example", Purpose::Example),
            ("usr/changelog.gz", Purpose::Manual),
            ("html/config.rst.txt", Purpose::Manual),
        ] {
            assert_eq!(of_path(path, &path.to_lowercase()), Some(purpose), "{path}");
        }
        for path in [
            "src/config.rs",
            "contest/app.py",
            "latest/app.py",
            "attestation/key.go",
            "src/Latest.java",
            "specification/a.json",
            "deploy/prod.env",
            "main.go",
        ] {
            assert_eq!(of_path(path, &path.to_lowercase()), None, "{path}");
        }
    }
}
