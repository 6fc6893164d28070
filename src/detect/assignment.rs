//! Assignments read from bytes around a name: `name = "value"`, `name: value`, `"name": "value"`,
//! `name => 'value'`, `<name>value</name>`, `--name value`. Judging the value is the work of `judge`.

use crate::model::finding::Written;
use crate::model::span::Span;

/// A name and the literal it is given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assignment {
    /// The whole name.
    pub(crate) name: Span,
    /// The value without quotes.
    pub(crate) value: Span,
    /// How it is written.
    pub(crate) written: Written,
    /// Whether it is the first of a list.
    pub(crate) in_list: bool,
    /// Whether the name is that of a call, and the value its first literal.
    pub(crate) is_call: bool,
}

const MAX_NAME: usize = 80;
const MAX_VALUE: usize = 512;

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'$' | b'@')
}

/// Reads the assignment around a keyword that stands at `hit`.
pub(crate) fn around(text: &[u8], hit: usize) -> Option<Assignment> {
    let name = name_at(text, hit)?;
    let before = name.start.checked_sub(1).map(|at| text[at]);
    // `socks5://user:pass@host:1080`: the name is part of a URL.
    if text[name.start..name.end]
        .iter()
        .skip(1)
        .any(|it| *it == b'@')
    {
        return None;
    }
    // `checksum/secret: ...` and `/run/secrets/x` name a thing below another.
    if before == Some(b'/') && !text[..name.start].ends_with(b"//") {
        return None;
    }
    let mut at = name.end;
    if text.get(at) == Some(&b'>') && name.start > 0 && text[name.start - 1] == b'<' {
        return element(text, name, at + 1);
    }
    let quote = text
        .get(at)
        .copied()
        .filter(|it| matches!(it, b'"' | b'\'' | b'`'));
    let escaped = text[at..].starts_with(b"\\\"");
    if quote.is_some() {
        at += 1;
    } else if escaped {
        at += 2;
    }
    at = skip(text, at, b"])");
    at = skip(text, at, b" \t");
    at = annotation(text, at);
    let operator = operator(text, at)?;
    // In a list `"password", "customer"` nothing is assigned; in a call `("password", "value")` it may be.
    let in_call = name.start > 1 && text[name.start - 2] == b'(';
    let is_option = text[name.start..].starts_with(b"--");
    let is_path = quote.is_some() && text[name.start..name.end].contains(&b'.');
    if text.get(at) == Some(&b',') && (!in_call || is_path) && !is_option {
        return None;
    }
    let (is_call, call_at) = (text.get(at) == Some(&b'('), at);
    let is_colon = operator == 1 && text.get(at) == Some(&b':');
    at = skip(text, at + operator, b" \t");
    if operator == 0 {
        let dashed = text[name.start..].starts_with(b"--") && at > name.end;
        if !dashed {
            return None;
        }
    }
    // `"Password:"` is a label and `"?key="` ends a URL: the next quote closes what stands before.
    let opened = before.filter(|it| matches!(it, b'"' | b'\'' | b'`'));
    let is_closing = |it: u8| text.get(at) == Some(&it);
    let is_tight = text[..at].ends_with(b":") || text[..at].ends_with(b"=");
    if (opened.is_some_and(is_closing) && is_tight && quote.is_none() && !escaped)
        || (matches!(before, Some(b'?' | b'&'))
            && [b'"', b'\'', b'`'].map(is_closing).contains(&true))
    {
        return None;
    }
    let found = value(text, name, at)?;
    // A call stands right behind its name and passes a literal; `name (remark)` is prose.
    if is_call && (call_at != name.end || found.written == Written::Bare) {
        return None;
    }
    let is_bare = found.written == Written::Bare;
    let value = &text[found.value.start..found.value.end];
    // `--tlspassword also requires`: an option in a sentence.
    let is_word = operator == 0 && value.iter().all(u8::is_ascii_lowercase);
    let is_prose = (is_colon || is_word) && is_bare && reads_on(text, found.value.end);
    (!is_prose).then_some(Assignment { is_call, ..found })
}

/// Whether the line goes on as a sentence after an unquoted value.
fn reads_on(text: &[u8], at: usize) -> bool {
    let rest = &text[at..text.len().min(at + 120)];
    let line = rest
        .split(|it| *it == b'\n')
        .next()
        .unwrap_or(rest)
        .trim_ascii();
    match line.first() {
        None
        | Some(
            b'#' | b'}' | b']' | b')' | b';' | b'/' | b'"' | b'\'' | b'<' | b'\\' | b'&' | b'|'
            | b'`',
        ) => false,
        Some(b',') => line.len() > 1 && !line.contains(&b':'),
        Some(_) => true,
    }
}

/// Whether a word may be the end of a longer name: something stands before it, and nothing goes on in
/// lower case behind it.
pub(crate) fn may_end(text: &[u8], start: usize, end: usize) -> bool {
    text.get(end).is_some_and(|it| !it.is_ascii_lowercase())
        && (end - start > 3
            || (start > 0 && (is_name(text[start - 1]) || is_parameter(text, start))))
}

/// Whether a name that starts here is a parameter of a URL: `?key=`, `&key=`.
pub(crate) fn is_parameter(text: &[u8], start: usize) -> bool {
    start > 0 && matches!(text[start - 1], b'?' | b'&')
}

/// The whole words before a name, at most `reach` bytes and three lines.
pub(crate) fn before(text: &[u8], name: Span, reach: usize) -> &[u8] {
    let floor = name.start.saturating_sub(reach);
    let part = &text[floor..name.start];
    let line = part
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, it)| **it == b'\n')
        .nth(2)
        .map_or(0, |(at, _)| at);
    let cut = if floor == 0 || line > 0 {
        line
    } else {
        let start = part.iter().position(|it| !it.is_ascii_alphanumeric());
        start.unwrap_or(part.len())
    };
    &part[cut..]
}

fn name_at(text: &[u8], hit: usize) -> Option<Span> {
    let floor = hit.saturating_sub(MAX_NAME);
    let mut start = hit;
    while start > floor && is_name(text[start - 1]) {
        start -= 1;
    }
    let ceiling = (hit + MAX_NAME).min(text.len());
    let mut end = hit;
    while end < ceiling && is_name(text[end]) {
        end += 1;
    }
    (end < ceiling || ceiling == text.len()).then_some(Span::new(start, end))
}

fn skip(text: &[u8], mut at: usize, set: &[u8]) -> usize {
    while text.get(at).is_some_and(|it| set.contains(it)) {
        at += 1;
    }
    at
}

/// Steps over a type annotation: `: str =`, `: &str =`, ` string =`.
fn annotation(text: &[u8], at: usize) -> usize {
    let rest = &text[at..text.len().min(at + 40)];
    for word in [
        &b": &'static str"[..],
        b": &str",
        b": str",
        b": string",
        b": String",
        b":string",
        b":String",
        b"string",
        b"String",
    ] {
        if rest.starts_with(word) {
            let after = skip(text, at + word.len(), b" \t");
            if text.get(after) == Some(&b'=') && text.get(after + 1) != Some(&b'=') {
                return after;
            }
        }
    }
    at
}

/// Length of the assignment operator here: 0 where there is none but an option's value may follow.
fn operator(text: &[u8], at: usize) -> Option<usize> {
    let two = text.get(at..at + 2).unwrap_or(b"");
    match (text.get(at)?, two) {
        (_, b":=" | b"=>" | b"<-" | b"?=" | b"||") => {
            let more = usize::from(text.get(at + 2) == Some(&b'='));
            Some(2 + more)
        }
        (_, b"==" | b"=~" | b"::") => None,
        (b'=' | b':', _) => Some(1),
        (b',', _) => Some(1),
        (b'(', _) => Some(1),
        _ => Some(0),
    }
}

fn element(text: &[u8], name: Span, start: usize) -> Option<Assignment> {
    let end = start
        + text[start..text.len().min(start + MAX_VALUE)]
            .iter()
            .position(|it| matches!(it, b'<' | b'\n'))?;
    text[end..].starts_with(b"</").then_some(Assignment {
        name,
        value: Span::new(start, end),
        written: Written::Quoted,
        in_list: false,
        is_call: false,
    })
}

fn value(text: &[u8], name: Span, at: usize) -> Option<Assignment> {
    let mut at = at;
    let in_list = text.get(at) == Some(&b'[');
    if in_list {
        at = skip(text, at + 1, b" \t\r\n");
    }
    at = unwrapped(text, at);
    let found = literal(text, at).map(|it| (it, Written::Quoted));
    // `password => ['type' => 'text']`: what follows is a key and no value.
    if in_list && found.is_some_and(|(it, _)| is_key(text, it.end + 1)) {
        return None;
    }
    let (value, written) = match found {
        Some(found) => found,
        None if in_list || is_quote(text, at) => return None,
        None => {
            let value = bare(text, at)?;
            // In a query, and in a text of pairs, nothing but a value can stand there.
            let before = name.start.checked_sub(1).map(|it| text[it]);
            let is_pair = text.get(name.end) == Some(&b'=')
                && match before {
                    Some(b'?' | b'&') => true,
                    Some(b'"' | b'\'') => matches!(text.get(value.end), Some(b'&' | b'"' | b'\'')),
                    _ => false,
                };
            (
                value,
                if is_pair {
                    Written::Quoted
                } else {
                    Written::Bare
                },
            )
        }
    };
    Some(Assignment {
        name,
        value,
        written,
        in_list,
        is_call: false,
    })
}

/// Whether an arrow or a colon follows.
fn is_key(text: &[u8], at: usize) -> bool {
    let at = skip(text, at, b" \t");
    text.get(at) == Some(&b':') || (text.get(at) == Some(&b'=') && text.get(at + 1) == Some(&b'>'))
}

/// Calls that give back what they are given, in another type or encoding: their last word.
const WRAPPERS: &[&[u8]] = &[
    b"String",
    b"str",
    b"from",
    b"byte",
    b"bytes",
    b"b64encode",
    b"b64decode",
    b"DecodeString",
    b"decodeBase64",
    b"base64Decode",
    b"base64",
    b"unhexlify",
    b"fromhex",
    b"decodeHex",
    b"SecretStr",
    b"SecretString",
    b"GuardedString",
    b"ProtectedString",
    b"of",
    b"valueOf",
    b"parse",
    b"atob",
    b"btoa",
    b"Secret",
    b"NewSecret",
    b"some",
    b"Some",
    b"TOTP",
    b"HOTP",
];

/// Steps over what may stand before a literal: prefixes of string literals, and calls around it.
fn unwrapped(text: &[u8], mut at: usize) -> usize {
    for _ in 0..3 {
        let rest = &text[at..text.len().min(at + 60)];
        // String prefixes of Python, Rust, C, C#, Go and Objective-C.
        let prefix: &[&[u8]] = &[b"@", b"b", b"r", b"u", b"L", b"f", b"[]byte(", b"new "];
        let plain = prefix.iter().find(|it| {
            rest.starts_with(it)
                && (it.len() > 2 || matches!(rest.get(it.len()), Some(b'"' | b'\'' | b'`')))
        });
        if let Some(prefix) = plain {
            at += prefix.len();
            continue;
        }
        let chain = rest
            .iter()
            .take_while(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'.' | b':' | b'$'))
            .count();
        let call = &rest[..chain];
        let last = call
            .rsplit(|it| matches!(it, b'.' | b':'))
            .next()
            .unwrap_or(call);
        // `x.encode("latin1")` names an encoding; `Base64.decode("...")` is given a value.
        let is_codec = matches!(last, b"decode" | b"encode")
            && [&b"ase64"[..], b"ase32", b"ase16", b"hex", b"Hex", b"b64"]
                .iter()
                .any(|it| memchr::memmem::find(&call[..chain - last.len()], it).is_some());
        if rest.get(chain) == Some(&b'(') && (is_codec || WRAPPERS.contains(&last)) {
            at += chain + 1;
        } else {
            break;
        }
    }
    at
}

/// Quotes that stand as entities in HTML and XML.
const ENTITIES: &[&[u8]] = &[b"&quot;", b"&#34;", b"&#39;", b"&apos;"];

fn is_quote(text: &[u8], at: usize) -> bool {
    matches!(text.get(at), Some(b'"' | b'\'' | b'`'))
}

/// The inside of the string literal that starts here.
fn literal(text: &[u8], at: usize) -> Option<Span> {
    match text.get(at)? {
        quote @ (b'"' | b'\'' | b'`') => quoted(text, at + 1, *quote),
        b'\\' if is_quote(text, at + 1) => escaped(text, at + 2, text[at + 1]),
        b'&' => {
            let entity = ENTITIES.iter().find(|it| text[at..].starts_with(it))?;
            let start = at + entity.len();
            let rest = &text[start..text.len().min(start + MAX_VALUE)];
            let end = memchr::memmem::find(rest, entity)?;
            (!rest[..end].contains(&b'\n')).then_some(Span::new(start, start + end))
        }
        _ => None,
    }
}

/// How many more values are read of a list, or of an object in a text.
const MORE: usize = 16;

/// The values besides the first: the rest of its list, or those of a JSON object that is written in it.
pub(crate) fn more(text: &[u8], found: &Assignment) -> Vec<Span> {
    let value = &text[found.value.start..found.value.end];
    if value.starts_with(b"{") {
        return inner(text, found.value);
    }
    let mut values = Vec::new();
    if !found.in_list {
        return values;
    }
    let mut at = found.value.end;
    while values.len() < MORE {
        // The quote that ends a value, escaped or not, then the comma and the quote of the next.
        at = skip(text, at, b"\\");
        if !is_quote(text, at) {
            break;
        }
        at = skip(text, at + 1, b" \t\r\n");
        if text.get(at) != Some(&b',') {
            break;
        }
        at = skip(text, at + 1, b" \t\r\n");
        let Some(next) = literal(text, at) else { break };
        values.push(next);
        at = next.end;
    }
    values
}

/// The string values of a JSON object that stands, escaped, in a literal.
fn inner(text: &[u8], object: Span) -> Vec<Span> {
    let mut values = Vec::new();
    let mut at = object.start + 1;
    while at < object.end && values.len() < MORE {
        let Some(colon) = memchr::memchr(b':', &text[at..object.end]) else {
            break;
        };
        at = skip(text, at + colon + 1, b" \t");
        match literal(text, at) {
            Some(value) if value.end <= object.end => {
                values.push(value);
                at = value.end + 1;
            }
            _ => at += 1,
        }
    }
    values
}

fn quoted(text: &[u8], start: usize, quote: u8) -> Option<Span> {
    let end = text.len().min(start + MAX_VALUE);
    let mut at = start;
    while at < end {
        match text[at] {
            b'\\' if text.get(at + 1) != Some(&b'\n') => at += 2,
            b'\n' => return None,
            byte if byte == quote => return Some(Span::new(start, at)),
            _ => at += 1,
        }
    }
    None
}

/// A literal inside another literal: ends at `\"`.
fn escaped(text: &[u8], start: usize, quote: u8) -> Option<Span> {
    let end = text.len().min(start + MAX_VALUE);
    // A quote that is not escaped ends the outer literal.
    let at = (start..end).find(|at| {
        let byte = text[*at];
        byte == b'\n' || byte == quote || (byte == b'\\' && text.get(at + 1) == Some(&quote))
    })?;
    (text[at] == b'\\').then_some(Span::new(start, at))
}

fn bare(text: &[u8], start: usize) -> Option<Span> {
    let limit = text.len().min(start + MAX_VALUE);
    let length = text[start..limit]
        .iter()
        .position(|it| it.is_ascii_whitespace() || matches!(it, b'"' | b'\'' | b'<' | b'>'));
    let end = length.map_or(limit, |it| start + it);
    let mut end = if end == limit && limit < text.len() {
        return None;
    } else {
        end
    };
    while end > start
        && matches!(
            text[end - 1],
            b',' | b';' | b')' | b'}' | b']' | b'\\' | b'`'
        )
    {
        end -= 1;
    }
    // In `a=1&token=2` the value ends at the ampersand, in `Password=a;Database=b` at the semicolon.
    if let Some(at) = text[start..end]
        .iter()
        .position(|it| matches!(it, b'&' | b';'))
    {
        end = start + at;
    }
    (end > start).then_some(Span::new(start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_usual_ways_to_assign() {
        for (text, name, value) in [
            ("password = \"hunter2\"", "password", "hunter2"),
            ("  db_password: hunter2  # note", "db_password", "hunter2"),
            ("{\"password\":\"hunter2\"}", "password", "hunter2"),
            ("config['password'] = 'hunter2'", "password", "hunter2"),
            ("let password: &str = \"hunter2\";", "password", "hunter2"),
            (":password => 'hunter2',", "password", "hunter2"),
            ("password := `hunter2`", "password", "hunter2"),
            ("<password>hunter2</password>", "password", "hunter2"),
            ("mysql --password hunter2 db", "--password", "hunter2"),
            ("--password=hunter2", "--password", "hunter2"),
            (
                "x=\"{\\\"password\\\":\\\"hunter2\\\"}\"",
                "password",
                "hunter2",
            ),
            (
                "password = Base64.decode(\"hunter2\")",
                "password",
                "hunter2",
            ),
            ("passwords: [ \"hunter2\", 'b']", "passwords", "hunter2"),
            ("password = &quot;hunter2&quot;", "password", "hunter2"),
            (
                "Server=a;Password=hunter2;Database=b",
                "Password",
                "hunter2",
            ),
            ("export PASSWORD=hunter2", "PASSWORD", "hunter2"),
            ("a=1&password=hunter2&b=2", "password", "hunter2"),
        ] {
            let hit = text.to_lowercase().find("password").unwrap();
            let found = around(text.as_bytes(), hit).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(&text[found.name.start..found.name.end], name, "{text}");
            assert_eq!(&text[found.value.start..found.value.end], value, "{text}");
        }
    }

    #[test]
    fn is_silent_where_nothing_is_assigned() {
        for text in [
            "the password of hunter2",
            "if password == \"x\" {",
            "password",
            "password:",
            "password = \"open",
            "f(\"label\",\"password:\"),x?y.g(\"input\")",
            "socks5://user:password@127.0.0.1:1080/",
            "url+\"?password=\"],size:25,name:\"x\"",
            "'password' => ['type' => 'text']",
        ] {
            assert!(
                around(text.as_bytes(), text.find("password").unwrap()).is_none(),
                "{text}"
            );
        }
    }
}
