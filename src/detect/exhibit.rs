//! What the text around a value says it is there for: the code of a test, documentation within code, a
//! host that is kept for documentation. Looks no farther than a candidate may (`trail`); what only the
//! whole text tells is `inset`'s.
//!
//! Not here: what a path says (`purpose`), and what follows from either (`context`).

use crate::model::purpose::Purpose;
use crate::model::span::Span;

/// How far before a value is looked.
const BEFORE: usize = 600;
/// How far behind it.
const BEHIND: usize = 200;

/// What the text around a value is for; `name` is what it is assigned to.
pub(crate) fn of_text(text: &[u8], span: Span, name: Option<&str>) -> Option<Purpose> {
    let floor = span.start.saturating_sub(BEFORE);
    let before = &text[floor..span.start];
    let line = memchr::memrchr(b'\n', before).map_or(0, |it| it + 1);
    let (above, own) = before.split_at(line);
    let is_whole = line > 0 || floor == 0;
    let behind = &text[span.end..text.len().min(span.end + BEHIND)];
    let rest = behind.split(|it| *it == b'\n').next().unwrap_or(behind);
    if is_whole && (is_doc_line(own) || is_documented(above, own)) {
        return Some(Purpose::DocComment);
    }
    if is_asserted(own) || (is_whole && is_tested(above, own)) {
        return Some(Purpose::TestCode);
    }
    if is_badge(own) {
        return Some(Purpose::Badge);
    }
    if name.is_some_and(says_none) {
        return Some(Purpose::Name);
    }
    if names_example_host(own) || names_example_host(rest) {
        return Some(Purpose::ExampleHost);
    }
    if is_whole && is_comment(own) {
        return Some(Purpose::Comment);
    }
    is_pair_of_yaml(own).then_some(Purpose::Inset)
}

/// `badge.svg?token=`, `img.shields.io/...&token=`: a picture that is shown to everybody.
fn is_badge(line: &[u8]) -> bool {
    let address = line
        .iter()
        .rposition(|it| matches!(it, b' ' | b'(' | b'"' | b'<' | b'\''))
        .map_or(line, |at| &line[at + 1..]);
    [&b"badge"[..], b"shields.io"]
        .iter()
        .any(|it| address.starts_with(b"http") && memchr::memmem::find(address, it).is_some())
}

/// `DUMMY_SECRET`: a name that says that there is no secret in it. One for tests may well hold what opens
/// a system of tests.
fn says_none(name: &str) -> bool {
    const WORDS: &[&str] = &["dummy", "fake", "mock", "mocked", "example", "sample"];
    let words = super::name::words(name);
    words.iter().any(|it| WORDS.contains(&it.as_str()))
}

/// Whether the line is a comment, whatever it says.
fn is_comment(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let is_directive = [&b"#define"[..], b"#[", b"#{", b"#!", b"#if"]
        .iter()
        .any(|it| line.starts_with(it));
    let starts = [&b"#"[..], b"//", b"-- ", b"; ", b"/*", b"<!--"];
    !is_directive && starts.iter().any(|it| line.starts_with(it))
}

/// Whether the line is one of a comment that documents: `///`, `//!`, ` * `, a doctest, a prompt.
fn is_doc_line(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    let starts = [
        &b"///"[..],
        b"//!",
        b"/**",
        b"/*!",
        b"* ",
        b"*\t",
        b">>> ",
        b"$ ",
        b"#' ",
        b"//\t",
        b"//     ",
    ];
    starts.iter().any(|it| line.starts_with(it)) || has_words_in_comment(line)
}

/// `# for example: password = x`, `// calls f("user", "x")`: a comment that says something before it
/// names the value. One that only takes a setting out of force has nothing before the name.
fn has_words_in_comment(line: &[u8]) -> bool {
    let starts = [&b"# "[..], b"// ", b"-- ", b"; ", b"/* ", b"<!-- "];
    let Some(mark) = starts.iter().find(|it| line.starts_with(it)) else {
        return false;
    };
    let said = line[mark.len()..].to_ascii_lowercase();
    let words = said.split(|it| !it.is_ascii_alphanumeric());
    words.filter(|it| it.len() > 1).take(4).count() > 3
        || [&b"e.g"[..], b"example", b"usage", b"i.e"]
            .iter()
            .any(|it| memchr::memmem::find(&said, it).is_some())
}

/// Whether the lines above open a comment, a fence or a section of examples that is still open at the
/// value's own line.
fn is_documented(above: &[u8], own: &[u8]) -> bool {
    let own = own.trim_ascii_start();
    let mut lines = above
        .rsplit(|it| *it == b'\n')
        .map(<[u8]>::trim_ascii)
        .peekable();
    while let Some(line) = lines.next() {
        if line.ends_with(b"*/") {
            return false;
        }
        if matches!(line, b"\"\"\"" | b"'''") {
            // Below the head of a function it opens; elsewhere it may as well close.
            return lines.peek().is_some_and(|it| it.ends_with(b":"));
        }
        if line.starts_with(b"/*") || is_docstring(line) {
            return true;
        }
        let marks = line
            .iter()
            .take_while(|it| matches!(it, b'/' | b'!' | b'*' | b'#'))
            .count();
        let (marks, said) = line.split_at(marks);
        let said = said.trim_ascii_start();
        if !own.starts_with(marks) {
            continue;
        }
        if said.starts_with(b"```") {
            // With a language it opens; alone it may as well close.
            return said.get(3).is_some_and(u8::is_ascii_alphabetic);
        }
        if is_heading(said) {
            return true;
        }
    }
    false
}

/// `"""Says what follows.`, `EXAMPLES = r'''`: opens a text about the code.
pub(crate) fn is_docstring(line: &[u8]) -> bool {
    let bare = line.strip_prefix(b"r").unwrap_or(line);
    for quote in [&b"\"\"\""[..], b"'''"] {
        if let Some(rest) = bare.strip_prefix(quote) {
            return rest.first().is_some_and(u8::is_ascii_alphabetic)
                && memchr::memmem::find(rest, quote).is_none();
        }
        if line.ends_with(quote) {
            let name = line.to_ascii_lowercase();
            return [
                &b"example"[..],
                b"documentation",
                b"usage",
                b"help",
                b"return",
            ]
            .iter()
            .any(|it| name.starts_with(it));
        }
    }
    false
}

/// `Examples:`, `Example usage`, `@example`, `.. code-block::`.
fn is_heading(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    let is_short = line.len() < 40;
    line.starts_with(b".. code")
        || line.starts_with(b"@example")
        || (is_short
            && (line.starts_with(b"example") || line.starts_with(b"usage"))
            && !line.contains(&b'=')
            && !line.contains(&b'{')
            && !line.contains(&b'('))
}

/// Whether the line compares: `assert_eq!(`, `expect(x).toBe(`, `x.should eq`.
fn is_asserted(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    let has = |it: &[u8]| memchr::memmem::find(&line, it).is_some();
    let starts = line.trim_ascii_start();
    starts.starts_with(b"assert")
        || starts.starts_with(b"expect")
        || [
            &b"assert_"[..],
            b"assert(",
            b"assert!",
            b"assertequal",
            b"assertthat",
            b"expect(",
            b".should",
            b".tobe(",
            b".toequal(",
            b"require.equal(",
            b"assert.",
        ]
        .iter()
        .any(|it| has(it))
}

/// How the head of a test, or of a group of tests, begins.
const HEADS: &[&[u8]] = &[
    b"#[test]",
    b"#[test_",
    b"#[tokio::test",
    b"#[async_std::test",
    b"#[cfg(test)]",
    b"#[cfg(all(test",
    b"#[rstest",
    b"#[bench]",
    b"mod tests",
    b"mod test ",
    b"fn test_",
    b"pub fn test_",
    b"async fn test_",
    b"def test_",
    b"async def test_",
    b"func Test",
    b"func Benchmark",
    b"func Example",
    b"func test",
    b"@Test",
    b"@ParameterizedTest",
    b"[Fact",
    b"[Theory",
    b"[Test",
    b"public void test",
    b"public function test",
    b"it(",
    b"it \"",
    b"it '",
    b"describe(",
    b"describe \"",
    b"describe '",
    b"context \"",
    b"context '",
    b"test(",
    b"test \"",
    b"test '",
    b"TEST(",
    b"TEST_F(",
    b"TEST_P(",
    b"class Test",
];

/// Whether the head of a test stands above, and nothing that ends its block lies between.
fn is_tested(above: &[u8], own: &[u8]) -> bool {
    // The least indentation between, and that of what closes a block.
    let (mut least, mut closed) = (indent(own), usize::MAX);
    for line in above.rsplit(|it| *it == b'\n') {
        let rest = line.trim_ascii();
        if rest.is_empty() {
            continue;
        }
        let depth = indent(line);
        if HEADS.iter().any(|it| rest.starts_with(it)) {
            let by_indent = rest.starts_with(b"def ")
                || rest.starts_with(b"async def")
                || rest.starts_with(b"class ");
            if (by_indent && depth < least) || (!by_indent && depth < closed) {
                return true;
            }
        }
        if matches!(rest[0], b'}' | b')') || rest.starts_with(b"end") {
            closed = closed.min(depth);
        }
        least = least.min(depth);
    }
    false
}

fn indent(line: &[u8]) -> usize {
    line.iter()
        .take_while(|it| matches!(it, b' ' | b'\t'))
        .count()
}

/// Names and addresses that are kept for documentation (RFC 2606, RFC 5737).
fn names_example_host(line: &[u8]) -> bool {
    let line = line.to_ascii_lowercase();
    [
        &b"example.com"[..],
        b"example.org",
        b"example.net",
        b"example.edu",
        b".example/",
        b".invalid",
        b"192.0.2.",
        b"198.51.100.",
        b"203.0.113.",
    ]
    .iter()
    .any(|it| memchr::memmem::find(&line, it).is_some())
}

/// `  name: "`: a pair of YAML, whose name has no quotes.
fn is_pair_of_yaml(line: &[u8]) -> bool {
    let Some(quote) = line.last().filter(|it| matches!(it, b'"' | b'\'')) else {
        return false;
    };
    let pair = line[..line.len() - 1].trim_ascii_end();
    let name = pair
        .strip_suffix(b":")
        .unwrap_or_default()
        .trim_ascii_start();
    let name = name.strip_prefix(b"- ").unwrap_or(name);
    !line[..line.len() - 1].contains(quote)
        && !name.is_empty()
        && name
            .iter()
            .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purpose(text: &str) -> Option<Purpose> {
        let start = text.find("VALUE").unwrap();
        of_text(text.as_bytes(), Span::new(start, start + 5), None)
    }

    #[test]
    fn comments_that_document_are_known() {
        for text in [
            "/// let it = open(\"VALUE\");",
            "//! password = \"VALUE\"",
            "/**\n * Opens.\n *\n * password: 'VALUE'\n */",
            "/*\n   password: 'VALUE'\n",
            ">>> login(password=\"VALUE\")",
            "$ login --password VALUE",
            "# for example with a password: password=VALUE",
            "def f():\n    \"\"\"Opens what is locked.\n\n    f(password='VALUE')\n",
            "EXAMPLES = r'''\n- name: x\n  password: VALUE\n",
            "Examples:\n  tool --password VALUE",
            "x\n```python\nlogin(password=\"VALUE\")",
        ] {
            assert_eq!(purpose(text), Some(Purpose::DocComment), "{text}");
        }
    }

    #[test]
    fn a_setting_out_of_force_is_no_documentation() {
        for text in [
            "# password=VALUE",
            "// password = \"VALUE\";",
            "; db_password=VALUE",
        ] {
            assert_eq!(purpose(text), Some(Purpose::Comment), "{text}");
        }
        for text in [
            "/* Opens. */\nlet password = \"VALUE\";",
            "```\npassword = \"VALUE\"",
            "CONFIG = \"\"\"\npassword=VALUE",
            "/// Opens.\nlet password = \"VALUE\";",
        ] {
            assert_eq!(purpose(text), None, "{text}");
        }
    }

    #[test]
    fn code_of_tests_is_known() {
        for text in [
            "#[test]\nfn opens() {\n    open(\"VALUE\");",
            "mod tests {\n    fn opens() {\n    }\n    const PASSWORD: &str = \"VALUE\";",
            "def test_opens():\n    if x:\n        y()\n    password = 'VALUE'",
            "func TestOpens(t *testing.T) {\n\tpassword := \"VALUE\"",
            "it('opens', () => {\n  const password = 'VALUE'",
            "assert_eq!(url.password(), Some(\"VALUE\"));",
            "expect(password).toBe('VALUE')",
        ] {
            assert_eq!(purpose(text), Some(Purpose::TestCode), "{text}");
        }
        for text in [
            "#[test]\nfn opens() {\n}\n\nconst PASSWORD: &str = \"VALUE\";",
            "def test_opens():\n    x()\n\npassword = 'VALUE'",
            "it('opens', () => {\n})\nconst password = 'VALUE'",
        ] {
            assert_eq!(purpose(text), None, "{text}");
        }
    }

    #[test]
    fn hosts_and_insets_are_known() {
        assert_eq!(
            purpose("[b]: https://ci.io/a/badge.svg?token=VALUE"),
            Some(Purpose::Badge)
        );
        assert_eq!(
            purpose("ftp://me:VALUE@files.example.com/"),
            Some(Purpose::ExampleHost)
        );
        assert_eq!(purpose("ftp://me:VALUE@files.shop.io/"), None);
        assert_eq!(purpose("  password: 'VALUE'"), Some(Purpose::Inset));
        assert_eq!(purpose("  'password': 'VALUE'"), None);
        assert_eq!(purpose("  password = 'VALUE'"), None);
    }
}
