//! Environment variables that code reads, by the language of the file; only names that look like a
//! secret's.
//!
//! Here a chain ends: nothing is yielded. Who sets the variable is read by the other families. Not here:
//! the shell, whose own assignments hide the environment (`shell`).

use crate::model::reference::Mention;
use crate::model::span::Span;
use crate::refer::file::{File, Pattern, extension, file_name, group, name};
use regex::Captures;

pub(super) const ANCHORS: &[&str] = &[
    "environ",
    "getenv",
    "env(",
    "process.env",
    "meta.env",
    "Deno.env",
    "Bun.env",
    "Getenv",
    "LookupEnv",
    "env:\"",
    "envconfig:\"",
    "sys.env",
    "ENV",
    "env::var",
    "env!(",
    "env =",
    "GetEnvironmentVariable",
    "_SERVER",
    "System.get_env",
    "System.fetch_env",
    "ProcessInfo",
    "$env:",
    "fromEnvironment",
    "Platform.environment",
    "envvar=",
    "$ENV{",
];

pub(super) const EXAMPLE: (&str, &str) =
    ("src/shop.py", "password = os.environ[\"DB_PASSWORD\"]\n");

/// A language: what its files are called, how it reads the environment, and those of the anchors of
/// which one stands in every file that does.
struct Language {
    extensions: &'static [&'static str],
    anchors: &'static [&'static str],
    pattern: Pattern,
}

const fn language(
    extensions: &'static [&'static str],
    anchors: &'static [&'static str],
    source: &'static str,
) -> Language {
    Language {
        extensions,
        anchors,
        pattern: Pattern::new(source),
    }
}

static LANGUAGES: [Language; 14] = [
    language(
        &["py", "pyi", "ipynb"],
        &["environ", "getenv", "env(", "envvar="],
        r#"(?:\benvvar\s*=\s*|\b(?:Field|SecretField)\([^()\n]{0,80}\benv\s*=\s*|\benviron(?:\.get|\.pop)?\s*[\[(]|\bgetenv\s*\(|\benv(?:\.str)?\s*\()\s*\\?["']([A-Za-z_][A-Za-z0-9_]{1,127})\\?["']"#,
    ),
    language(
        &[
            "js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "astro",
        ],
        &["process.env", "meta.env", "Deno.env", "Bun.env"],
        r#"(?:\bprocess\.env|\bimport\.meta\.env|\bBun\.env|\bDeno\.env)(?:\??\.get\(\s*["'`]|\??\.|\??\.?\[\s*["'`])([A-Za-z_][A-Za-z0-9_]{1,127})"#,
    ),
    language(
        &["go"],
        &["Getenv", "LookupEnv", "env:\"", "envconfig:\""],
        r#"(?:\bos\.(?:Getenv|LookupEnv)\(\s*["`]|\b(?:env|envconfig):")([A-Za-z_][A-Za-z0-9_]{1,127})"#,
    ),
    language(
        &["java", "kt", "kts", "scala", "groovy", "gradle"],
        &["getenv", "sys.env"],
        r#"(?:\bgetenv\(\s*\)?\s*(?:\.get\(|\[)?\s*|\bsys\.env(?:\.get|\.getOrElse)?\(\s*)"([A-Za-z_][A-Za-z0-9_]{1,127})""#,
    ),
    language(
        &["rb", "erb", "rake", "gemspec", "ru"],
        &["ENV"],
        r#"\bENV(?:\.fetch\(\s*|\.fetch\s+|\.dig\(\s*|\[\s*)["']([A-Za-z_][A-Za-z0-9_]{1,127})["']"#,
    ),
    language(
        &["rs"],
        &["env::var", "env!(", "env ="],
        r#"(?:\benv::var(?:_os)?\(\s*|\b(?:option_)?env!\(\s*|\benv\s*=\s*)"([A-Za-z_][A-Za-z0-9_]{1,127})""#,
    ),
    language(
        &["cs", "vb", "fs"],
        &["GetEnvironmentVariable"],
        r#"\bGetEnvironmentVariable\(\s*"([A-Za-z_][A-Za-z0-9_]{1,127})""#,
    ),
    language(
        &["php"],
        &["getenv", "ENV", "_SERVER", "env("],
        r#"(?:\bgetenv\(\s*|\$_(?:ENV|SERVER)\[\s*|\benv\(\s*)["']([A-Za-z_][A-Za-z0-9_]{1,127})["']"#,
    ),
    language(
        &["ex", "exs", "heex"],
        &["System.get_env", "System.fetch_env"],
        r#"\bSystem\.(?:get_env|fetch_env!?)\(\s*"([A-Za-z_][A-Za-z0-9_]{1,127})""#,
    ),
    language(
        &["swift"],
        &["ProcessInfo", "getenv"],
        r#"(?:\bProcessInfo\.processInfo\.environment\[\s*|\bgetenv\(\s*)"([A-Za-z_][A-Za-z0-9_]{1,127})""#,
    ),
    language(
        &[
            "c", "h", "cc", "cpp", "cxx", "hpp", "m", "mm", "lua", "r", "R", "zig",
        ],
        &["getenv"],
        r#"\b(?:secure_|os\.|Sys\.|std::)?getenv\(\s*["']([A-Za-z_][A-Za-z0-9_]{1,127})["']"#,
    ),
    language(
        &["ps1", "psm1", "psd1"],
        &["$env:", "GetEnvironmentVariable"],
        r#"(?i)(?:\$\{?env:|\bGetEnvironmentVariable\(\s*["'])([A-Za-z_][A-Za-z0-9_]{1,127})"#,
    ),
    language(
        &["pl", "pm", "t", "cmake"],
        &["$ENV{"],
        r#"\$ENV\{\s*["']?([A-Za-z_][A-Za-z0-9_]{1,127})["']?\s*\}"#,
    ),
    language(
        &["dart"],
        &["fromEnvironment", "Platform.environment"],
        r#"(?:\bfromEnvironment\(\s*|\bPlatform\.environment\[\s*)["']([A-Za-z_][A-Za-z0-9_]{1,127})["']"#,
    ),
];

/// The place of JavaScript in the table: it also takes variables apart by pattern.
const JAVASCRIPT: usize = 1;

/// `const { API_KEY, DB_PASSWORD: password } = process.env`.
static DESTRUCTURED: Pattern =
    Pattern::new(r"\{([^{}]{1,400})\}\s*=\s*(?:process|import\.meta|Bun)\.env\b[^.\[]");
static TAKEN: Pattern = Pattern::new(r"(?:^|,)\s*([A-Za-z_][A-Za-z0-9_]{1,127})");

fn language_of(path: &str) -> Option<usize> {
    let extension = extension(path);
    let found = LANGUAGES
        .iter()
        .position(|it| it.extensions.contains(&extension));
    found.or_else(|| matches!(file_name(path), "Rakefile" | "Gemfile").then_some(4))
}

pub(super) fn applies(path: &str) -> bool {
    language_of(path).is_some()
}

pub(super) fn read(file: &File<'_>, emit: &mut dyn FnMut(Mention)) {
    let Some(index) = language_of(file.path) else {
        return;
    };
    let Some(language) = LANGUAGES.get(index) else {
        return;
    };
    if !file.has_any(language.anchors) {
        return;
    }
    if index == JAVASCRIPT {
        file.each(&DESTRUCTURED, |it| destructured(file, it, emit));
    }
    file.each(&language.pattern, |captures| {
        let Some((variable, span)) = group(captures, 1) else {
            return;
        };
        if name::looks_secret(variable) {
            emit(file.mention("env-accessor", name::env(variable, ""), span));
        }
    });
}

fn destructured(file: &File<'_>, captures: &Captures<'_>, emit: &mut dyn FnMut(Mention)) {
    let (Some((list, at)), Some(regex)) = (group(captures, 1), TAKEN.regex()) else {
        return;
    };
    for (variable, span) in regex.captures_iter(list).filter_map(|it| group(&it, 1)) {
        if name::looks_secret(variable) {
            let span = Span::new(at.start + span.start, at.start + span.end);
            emit(file.mention("env-accessor", name::env(variable, ""), span));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str, text: &str) -> Vec<String> {
        let mut found = Vec::new();
        read(&File::new(path, text), &mut |it| {
            assert!(it.yields.is_none() && !it.dynamic);
            found.push(format!(
                "{}:{} {}",
                it.place.line, it.place.column, it.name.path
            ));
        });
        found
    }

    #[test]
    fn each_language_reads_its_environment() {
        for (path, text, expected) in [
            (
                "a.py",
                "x = os.environ[\"DB_PASSWORD\"]",
                "1:17 DB_PASSWORD",
            ),
            ("a.py", "x = os.environ.get('API_KEY', '')", "1:21 API_KEY"),
            ("a.py", "x = getenv('API_KEY')", "1:13 API_KEY"),
            ("a.ts", "const k = process.env.API_KEY!", "1:23 API_KEY"),
            ("a.js", "process.env['API_KEY']", "1:14 API_KEY"),
            ("a.vue", "import.meta.env.VITE_API_KEY", "1:17 VITE_API_KEY"),
            ("a.ts", "Deno.env.get(\"API_KEY\")", "1:15 API_KEY"),
            ("a.go", "os.Getenv(\"API_KEY\")", "1:12 API_KEY"),
            (
                "a.go",
                "Key string `env:\"API_KEY,required\"`",
                "1:18 API_KEY",
            ),
            ("A.java", "System.getenv(\"API_KEY\")", "1:16 API_KEY"),
            ("A.kt", "System.getenv()[\"API_KEY\"]", "1:18 API_KEY"),
            ("a.rb", "ENV.fetch('API_KEY', nil)", "1:12 API_KEY"),
            ("Rakefile", "ENV[\"API_KEY\"]", "1:6 API_KEY"),
            (
                "a.rs",
                "let k = std::env::var(\"API_KEY\")?;",
                "1:24 API_KEY",
            ),
            ("a.rs", "env!(\"API_KEY\")", "1:7 API_KEY"),
            (
                "A.cs",
                "Environment.GetEnvironmentVariable(\"API_KEY\")",
                "1:37 API_KEY",
            ),
            ("a.php", "$k = $_ENV['API_KEY'];", "1:13 API_KEY"),
            ("a.php", "'key' => env('API_KEY'),", "1:15 API_KEY"),
            ("a.py", "k: str = Field(..., env='API_KEY')", "1:26 API_KEY"),
            (
                "a.py",
                "@click.option('--k', envvar=\"API_KEY\")",
                "1:30 API_KEY",
            ),
            ("a.exs", "System.fetch_env!(\"API_KEY\")", "1:20 API_KEY"),
            (
                "a.swift",
                "ProcessInfo.processInfo.environment[\"API_KEY\"]",
                "1:38 API_KEY",
            ),
            ("a.c", "char *k = getenv(\"API_KEY\");", "1:19 API_KEY"),
            ("a.lua", "os.getenv('API_KEY')", "1:12 API_KEY"),
            ("a.ps1", "$k = $Env:API_KEY", "1:11 API_KEY"),
            ("a.pl", "my $k = $ENV{'API_KEY'};", "1:15 API_KEY"),
            (
                "a.dart",
                "String.fromEnvironment('API_KEY')",
                "1:25 API_KEY",
            ),
        ] {
            assert_eq!(names(path, text), [expected], "{text}");
        }
    }

    #[test]
    fn other_names_and_comments_are_silent() {
        for (path, text) in [
            (
                "a.py",
                "os.environ['HOME']; os.getenv('PUBLIC_KEY'); x['API_KEY']",
            ),
            ("a.py", "# os.environ['API_KEY']"),
            (
                "a.js",
                "process.env.KEYBOARD; process.env.NODE_ENV; monkey.API_KEY",
            ),
            ("a.js", "// process.env.API_KEY"),
            ("a.txt", "os.environ['API_KEY']"),
        ] {
            assert!(names(path, text).is_empty(), "{text}");
        }
    }

    #[test]
    fn patterns_take_several_at_once() {
        let text = "const { API_KEY, PORT,\n  DB_PASSWORD: password } = process.env;\n";
        assert_eq!(names("a.ts", text), ["1:9 API_KEY", "2:3 DB_PASSWORD"]);
    }
}
