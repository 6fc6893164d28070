//! The blocks of an HCL text (Terraform, OpenTofu): type, labels, and the attributes directly in each.
//!
//! Expressions are not evaluated; a value is a string literal or the raw text of an expression.

use crate::model::span::Span;

/// Characters of an expression that are kept; bounds the work on one endless line.
const MAX_EXPRESSION: usize = 200;

/// The right side of an attribute.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    /// A string literal, between its quotes, templates and escapes as written.
    Literal(&'a str),
    /// Anything else, up to the end of its line.
    Expression(&'a str),
}

/// `name = value`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attribute<'a> {
    /// Left side.
    pub name: &'a str,
    /// Right side.
    pub value: Value<'a>,
    /// The bytes of the value, without quotes.
    pub span: Span,
}

/// A block at the top of the file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block<'a> {
    /// `data`, `resource`, ...
    pub kind: &'a str,
    /// Its labels, without quotes.
    pub labels: Vec<&'a str>,
    /// Where its last label stands; nothing where it has none.
    pub title: Option<Span>,
    /// Attributes directly in it, not those of nested blocks.
    pub attributes: Vec<Attribute<'a>>,
}

impl<'a> Block<'a> {
    /// The attribute of that name.
    pub fn get(&self, name: &str) -> Option<&Attribute<'a>> {
        self.attributes.iter().find(|it| it.name == name)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token<'a> {
    Word(&'a str),
    Text(&'a str, usize),
    Mark(u8),
    Line,
}

/// Reads all top blocks in one pass; what is no block is skipped.
pub fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut lexer = Lexer { text, at: 0 };
    let mut found = Vec::new();
    let mut head: Vec<&str> = Vec::new();
    let mut title = None;
    while let Some(token) = lexer.next() {
        match token {
            Token::Word(word) => head.push(word),
            Token::Text(label, start) => {
                head.push(label);
                title = Some(Span::new(start, start + label.len()));
            }
            Token::Mark(b'{') => {
                let attributes = lexer.body();
                if let Some((kind, labels)) = head.split_first() {
                    found.push(Block {
                        kind,
                        labels: labels.to_vec(),
                        title: title.take(),
                        attributes,
                    });
                }
                head.clear();
            }
            Token::Line | Token::Mark(_) => {
                head.clear();
                title = None;
            }
        }
        // A head is a kind and at most two labels; more is no block.
        head.truncate(4);
    }
    found
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    /// The attributes of a block whose `{` was just read, up to its `}`.
    fn body(&mut self) -> Vec<Attribute<'a>> {
        let mut attributes = Vec::new();
        let mut depth = 1_usize;
        let mut name = None;
        while let Some(token) = self.next() {
            match token {
                Token::Mark(b'{' | b'[' | b'(') => depth += 1,
                Token::Mark(b'}' | b']' | b')') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                Token::Mark(b'=') if depth == 1 => {
                    if let Some(name) = name {
                        attributes.extend(self.value(name));
                    }
                }
                _ => {}
            }
            name = match token {
                Token::Word(word) if depth == 1 => Some(word),
                _ => None,
            };
        }
        attributes
    }

    fn value(&mut self, name: &'a str) -> Option<Attribute<'a>> {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let start = self.at;
        if self.text.as_bytes().get(start) == Some(&b'"')
            && let Some(Token::Text(literal, from)) = self.next()
        {
            return Some(Attribute {
                name,
                value: Value::Literal(literal),
                span: Span::new(from, from + literal.len()),
            });
        }
        // The tokens stay to be read: an expression may open brackets.
        let near = self.text[start..].char_indices().nth(MAX_EXPRESSION);
        let near = near.map_or(self.text.len(), |(at, _)| start + at);
        let line = self.text[start..near].lines().next().unwrap_or("");
        let line = line
            .split(['#', '{', '[', '}'])
            .next()
            .unwrap_or("")
            .trim_end();
        (!line.is_empty()).then(|| Attribute {
            name,
            value: Value::Expression(line),
            span: Span::new(start, start + line.len()),
        })
    }

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            match byte {
                b'\n' => {
                    self.at += 1;
                    return Some(Token::Line);
                }
                b'#' => self.skip_line(),
                b'/' if bytes.get(self.at + 1) == Some(&b'/') => self.skip_line(),
                b'/' if bytes.get(self.at + 1) == Some(&b'*') => {
                    let rest = &bytes[self.at + 2..];
                    self.at +=
                        2 + memchr::memmem::find(rest, b"*/").map_or(rest.len(), |it| it + 2);
                }
                b'"' => return Some(self.literal()),
                b'<' if bytes.get(self.at + 1) == Some(&b'<') => self.skip_heredoc(),
                _ if byte.is_ascii_alphabetic() || byte == b'_' => return Some(self.word()),
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => {
                    self.at += 1;
                    return Some(Token::Mark(byte));
                }
            }
        }
    }

    fn word(&mut self) -> Token<'a> {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let word = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
        self.at += word.len();
        Token::Word(word)
    }

    /// A quoted string; it ends at the quote or, unclosed, at the end of its line.
    fn literal(&mut self) -> Token<'a> {
        let bytes = self.text.as_bytes();
        let start = self.at + 1;
        let mut at = start;
        let mut templates = 0_usize;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\\' => at += 1,
                b'$' if bytes.get(at + 1) == Some(&b'{') => {
                    templates += 1;
                    at += 1;
                }
                b'}' => templates = templates.saturating_sub(1),
                b'"' if templates == 0 => break,
                b'\n' => break,
                _ => {}
            }
            at += 1;
        }
        let end = at.min(bytes.len());
        self.at = end + usize::from(bytes.get(end) == Some(&b'"'));
        Token::Text(self.text.get(start..end).unwrap_or(""), start)
    }

    fn skip_line(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn skip_heredoc(&mut self) {
        let rest = &self.text[self.at..];
        let head = rest.lines().next().unwrap_or("");
        let mark = head.trim_start_matches(['<', '-', '~']).trim();
        self.at += head.len().max(2);
        if mark.is_empty()
            || !mark
                .bytes()
                .all(|it| it.is_ascii_alphanumeric() || it == b'_')
        {
            return;
        }
        while let Some(line) = self.text[self.at..].split_inclusive('\n').next() {
            self.at += line.len();
            if line.trim() == mark {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_give_their_own_attributes() {
        let text = r#"
# data "no" "comment" { name = "x" }
data "vault_kv_secret_v2" "db" {
  mount = "kv" // the mount
  name  = "shop/${var.env}/db"
  nested { name = "inner" }
  list = ["a", "b"]
  text = <<EOT
name = "not this"
EOT
  version = 3
  path = vault_mount.kv.path
}
locals { a = 1 }
data "t" "l" { secret = "one-line" }
"#;
        let found = blocks(text);
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].labels, ["vault_kv_secret_v2", "db"]);
        let value = |name| found[0].get(name).map(|it| it.value);
        assert_eq!(value("mount"), Some(Value::Literal("kv")));
        assert_eq!(value("name"), Some(Value::Literal("shop/${var.env}/db")));
        assert_eq!(value("version"), Some(Value::Expression("3")));
        assert_eq!(
            value("path"),
            Some(Value::Expression("vault_mount.kv.path"))
        );
        assert_eq!(
            found[2].get("secret").map(|it| it.value),
            Some(Value::Literal("one-line"))
        );
        let span = found[0].get("mount").map(|it| it.span).unwrap();
        assert_eq!(&text[span.start..span.end], "kv");
    }

    #[test]
    fn hostile_texts_end_soon() {
        for text in [
            "data \"x\" \"y\" {".repeat(50_000),
            "a = ".repeat(100_000),
            "<<EOT\n".repeat(50_000),
            "\"".repeat(300_000),
            "/*".repeat(200_000),
            "a \"b\" { c = \"ü${".to_owned(),
        ] {
            let _ = blocks(&text);
        }
    }
}
