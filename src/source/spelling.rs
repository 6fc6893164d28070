//! Names as text: paths with forward slashes, bytes that are not UTF-8 escaped, URLs without user info.

use std::borrow::Cow;
use std::path::Path;

/// A git path or file name as text: bytes that are not UTF-8 become `\xNN`.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(escaped(bytes)),
    }
}

fn escaped(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 8);
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

/// Longest ending of a file name.
const ENDING: usize = 5;

/// A name with its dot before a short ending blanked: many shapes of secrets end where a word ends, and to
/// them `.txt` would be a part of the word.
pub(crate) fn without_ending(name: &[u8]) -> Cow<'_, [u8]> {
    let dot = memchr::memrchr(b'.', name).filter(|at| {
        let ending = &name[at + 1..];
        *at > 0
            && (1..=ENDING).contains(&ending.len())
            && ending.iter().all(u8::is_ascii_alphanumeric)
    });
    match dot {
        Some(at) => {
            let mut blanked = name.to_vec();
            blanked[at] = b' ';
            Cow::Owned(blanked)
        }
        None => Cow::Borrowed(name),
    }
}

/// A path of this system as text with forward slashes.
pub(crate) fn slashed(bytes: &[u8]) -> Cow<'_, str> {
    let name = text(bytes);
    if cfg!(windows) && name.contains('\\') {
        return Cow::Owned(name.replace('\\', "/"));
    }
    name
}

/// A path of this system for a message.
pub(crate) fn shown(path: &Path) -> String {
    slashed(path.as_os_str().as_encoded_bytes()).into_owned()
}

/// A folder's path and a name below it.
pub(crate) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// A remote URL without user, password and query, where tokens like to hide.
pub(crate) fn url_without_user_info(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return scp_without_user(url);
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{path}")
}

/// `user@host:path` has its user before the first colon; a local path has no such part.
fn scp_without_user(url: &str) -> String {
    let head = url.split(['/', '\\']).next().unwrap_or(url);
    match head.find(':').and_then(|_| head.rfind('@')) {
        Some(at) => url[at + 1..].to_owned(),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_user_info() {
        for (url, clean) in [
            ("https://example.com/a/b.git", "https://example.com/a/b.git"),
            (
                "https://me:hunter2@example.com/a@b.git",
                "https://example.com/a@b.git",
            ),
            (
                "https://token@example.com:8443/a",
                "https://example.com:8443/a",
            ),
            (
                "https://a@b@example.com/x?private_token=1#y",
                "https://example.com/x",
            ),
            ("ssh://git@example.com/a", "ssh://example.com/a"),
            ("git@example.com:a/b.git", "example.com:a/b.git"),
            ("me:pw@example.com:a/b.git", "example.com:a/b.git"),
            ("/srv/git/a@b.git", "/srv/git/a@b.git"),
            ("../up", "../up"),
        ] {
            assert_eq!(url_without_user_info(url), clean, "{url}");
        }
    }

    #[test]
    fn names_that_are_not_utf8_are_escaped() {
        assert_eq!(text(b"caf\xc3\xa9"), "caf\u{e9}");
        assert_eq!(text(b"caf\xe9/\xffx"), "caf\\xe9/\\xffx");
    }
}
