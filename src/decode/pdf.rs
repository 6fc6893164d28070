//! PDF: the text that its compressed streams show, the parts of a word joined, and the streams that are
//! text themselves (metadata, scripts, objects). Streams are found by their keywords, so that a damaged
//! table of objects, or an older version of a page behind it, hides nothing. Not here: images and fonts.
//!
//! Format: ISO 32000-1, sections 7.3.8 (streams), 7.4 (filters), 9.4 (text), 9.10 (ToUnicode).

use super::member::{Fault, Members, Outcome};
use crate::model::coverage::Reason;
use std::collections::HashMap;
use std::io::Read;

/// A stream's dictionary is looked for in this much before it.
const DICTIONARY: usize = 4096;
/// This much of one stream is read.
const LARGEST: u64 = 16 << 20;
/// Tables of this many fonts are tried.
const FONTS: usize = 16;
/// A gap between two strings beyond this, in thousandths of the font's size, is a blank.
const BLANK: f32 = -180.0;

/// Takes the number and the content of a stream.
type Emit<'e> = dyn FnMut(usize, Result<&[u8], Fault>) -> bool + 'e;

/// From the codes of a font to characters.
struct Codes {
    /// Bytes of one code.
    width: usize,
    characters: HashMap<u32, String>,
}

/// The header.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-")
}

/// Reads the text of every stream.
pub(super) fn each(bytes: &[u8], members: &mut dyn Members) -> Outcome {
    if memchr::memmem::find(bytes, b"/Encrypt").is_some() {
        let detail = "its streams are sealed by a password".to_owned();
        return Err(Fault {
            reason: Reason::Encrypted,
            detail,
        });
    }
    let mut fonts = Vec::new();
    streams(bytes, &mut |_, content| {
        if let Ok(content) = content
            && fonts.len() < FONTS
            && memchr::memmem::find(content, b"begincmap").is_some()
        {
            fonts.push(codes(content));
        }
        true
    });
    streams(bytes, &mut |number, content| {
        let name = format!("stream {number}");
        match content {
            Ok(content) => {
                let text = shown(content, &fonts);
                let bytes = if text.is_empty() { content } else { &text };
                members.member(&name, &mut &*bytes)
            }
            Err(fault) => {
                members.gap(Some(&name), fault.reason, fault.detail);
                true
            }
        }
    });
    Ok(())
}

/// Calls `emit` with the number and content of each stream that may hold text, until it wants no more.
fn streams(bytes: &[u8], emit: &mut Emit<'_>) {
    let mut number = 0;
    for at in memchr::memmem::find_iter(bytes, b"stream") {
        let before = bytes[at.saturating_sub(DICTIONARY)..at].trim_ascii_end();
        if !before.ends_with(b">>") {
            continue;
        }
        number += 1;
        let start = memchr::memmem::rfind(before, b" obj").unwrap_or(0);
        let dictionary = &before[start..];
        let has = |word: &[u8]| memchr::memmem::find(dictionary, word).is_some();
        let is_picture = [
            &b"/Image"[..],
            b"/DCTDecode",
            b"/JPXDecode",
            b"/Length1",
            b"/FontFile",
            b"/XRef",
            b"/CIDFontType0C",
            b"/Type1C",
        ]
        .iter()
        .any(|it| has(it));
        if is_picture || !has(b"/Filter") {
            continue;
        }
        let data = &bytes[at + b"stream".len()..];
        let data = data.strip_prefix(b"\r").unwrap_or(data);
        let data = data.strip_prefix(b"\n").unwrap_or(data);
        let end = memchr::memmem::find(data, b"endstream").unwrap_or(data.len());
        let plain;
        let mut packed = data;
        if has(b"/ASCII85Decode") || has(b"/A85") {
            plain = ascii85(&data[..end]);
            packed = &plain;
        } else if has(b"/ASCIIHexDecode") {
            let digits: Vec<u8> = data[..end]
                .iter()
                .filter(|it| it.is_ascii_hexdigit())
                .copied()
                .collect();
            plain = data_encoding::HEXLOWER_PERMISSIVE
                .decode(&digits[..digits.len() / 2 * 2])
                .unwrap_or_default();
            packed = &plain;
        }
        let wanted = if has(b"/FlateDecode") || has(b"/Fl ") || has(b"/Fl]") {
            let mut content = Vec::new();
            let decoder = flate2::bufread::ZlibDecoder::new(packed);
            let read = decoder.take(LARGEST).read_to_end(&mut content);
            match read {
                // Bytes of a stream that ends too early are as good as any.
                Err(error) if content.is_empty() => {
                    emit(number, Err(Fault::damaged(error.to_string())))
                }
                _ => emit(number, Ok(&content)),
            }
        } else if has(b"/LZWDecode") {
            emit(number, Err(Fault::unsupported("LZW is not read")))
        } else {
            emit(number, Ok(&packed[..packed.len().min(end)]))
        };
        if !wanted {
            return;
        }
    }
}

/// Groups of five digits to the base of 85, `z` for four zeros (section 7.4.3).
fn ascii85(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut group = Vec::with_capacity(5);
    let mut flush = |group: &mut Vec<u8>| {
        let kept = group.len().saturating_sub(1);
        group.resize(5, 84);
        let number = group.iter().fold(0u32, |sum, it| {
            sum.wrapping_mul(85).wrapping_add(u32::from(*it))
        });
        out.extend(&number.to_be_bytes()[..kept.min(4)]);
        group.clear();
    };
    for byte in data {
        match byte {
            b'z' if group.is_empty() => {
                group.extend([0; 5]);
                flush(&mut group);
            }
            b'!'..=b'u' => {
                group.push(byte - b'!');
                if group.len() == 5 {
                    flush(&mut group);
                }
            }
            b'~' => break,
            _ => {}
        }
    }
    if group.len() > 1 {
        flush(&mut group);
    }
    out
}

/// A part of a page's program.
enum Token<'t> {
    Text(Vec<u8>),
    Number(f32),
    Word(&'t [u8]),
}

/// The text a page shows: by the bytes of its strings, then by each font's table that knows them.
fn shown(content: &[u8], fonts: &[Codes]) -> Vec<u8> {
    if memchr::memmem::find(content, b"BT").is_none() {
        return Vec::new();
    }
    let mut out = Vec::new();
    for font in std::iter::once(None).chain(fonts.iter().map(Some)) {
        let text = by_font(content, font);
        if !text.trim_ascii().is_empty() {
            out.extend(text);
        }
    }
    out
}

fn by_font(content: &[u8], font: Option<&Codes>) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut pending: Vec<Token<'_>> = Vec::new();
    let mut row = 0.0;
    let mut reader = Reader { content, at: 0 };
    while let Some(token) = reader.token() {
        let Token::Word(word) = token else {
            pending.push(token);
            continue;
        };
        let number = |back: usize| match pending.iter().rev().nth(back) {
            Some(Token::Number(it)) => *it,
            _ => 0.0,
        };
        match word {
            b"Tj" | b"TJ" | b"'" | b"\"" => {
                if matches!(word, b"'" | b"\"") {
                    part(&mut out, false);
                }
                for token in &pending {
                    match token {
                        Token::Text(bytes) => spell(bytes, font, &mut out),
                        Token::Number(it) if *it < BLANK && word == b"TJ" => out.push(b' '),
                        _ => {}
                    }
                }
            }
            b"Td" | b"TD" => part(&mut out, number(0) == 0.0),
            b"Tm" => {
                part(&mut out, number(0) == row);
                row = number(0);
            }
            b"T*" | b"ET" => part(&mut out, false),
            _ => {}
        }
        pending.clear();
    }
    out
}

/// A blank between strings of one row, else the end of the row.
fn part(out: &mut Vec<u8>, is_same_row: bool) {
    match out.last() {
        None | Some(b'\n') => {}
        Some(_) if is_same_row => out.push(b' '),
        Some(_) => out.push(b'\n'),
    }
}

fn spell(bytes: &[u8], font: Option<&Codes>, out: &mut Vec<u8>) {
    let Some(font) = font else {
        let plain = bytes
            .iter()
            .filter(|it| matches!(it, b'\t' | b' '..=b'~' | 0xa0..));
        return out.extend(plain.flat_map(|it| char::from(*it).to_string().into_bytes()));
    };
    for code in bytes.chunks(font.width) {
        let code = code.iter().fold(0, |sum, it| sum << 8 | u32::from(*it));
        if let Some(text) = font.characters.get(&code) {
            out.extend(text.as_bytes());
        }
    }
}

struct Reader<'r> {
    content: &'r [u8],
    at: usize,
}

impl<'r> Reader<'r> {
    fn token(&mut self) -> Option<Token<'r>> {
        loop {
            let rest = &self.content[self.at..];
            match rest.first()? {
                b'(' => return Some(Token::Text(self.literal())),
                b'<' if rest.get(1) != Some(&b'<') => {
                    let end = memchr::memchr(b'>', rest).unwrap_or(rest.len());
                    self.at += (end + 1).min(rest.len());
                    return Some(Token::Text(hexadecimal(&rest[1..end])));
                }
                b'%' => self.at += memchr::memchr(b'\n', rest).unwrap_or(rest.len()),
                it if is_delimiter(*it) => self.at += 1,
                _ => {
                    let end = rest
                        .iter()
                        .position(|it| is_delimiter(*it) || matches!(it, b'(' | b'%'));
                    let word = &rest[..end.unwrap_or(rest.len())];
                    self.at += word.len();
                    let number = std::str::from_utf8(word)
                        .ok()
                        .and_then(|it| it.parse().ok());
                    return Some(number.map_or(Token::Word(word), Token::Number));
                }
            }
        }
    }

    /// A string in parentheses, which nest (section 7.3.4.2).
    fn literal(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut depth = 0;
        while let Some(byte) = self.content.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => {
                    let Some(next) = self.content.get(self.at) else {
                        break;
                    };
                    self.at += 1;
                    match next {
                        b'n' => out.push(b'\n'),
                        b't' => out.push(b'\t'),
                        b'\r' | b'\n' | b'r' | b'b' | b'f' => {}
                        b'0'..=b'7' => {
                            let rest = &self.content[self.at - 1..];
                            let digits = rest
                                .iter()
                                .take(3)
                                .take_while(|it| matches!(it, b'0'..=b'7'));
                            let digits: Vec<u8> = digits.copied().collect();
                            self.at += digits.len() - 1;
                            let number = digits
                                .iter()
                                .fold(0u32, |sum, it| sum * 8 + u32::from(it - b'0'));
                            out.push((number & 0xff) as u8);
                        }
                        it => out.push(*it),
                    }
                    continue;
                }
                b'(' => {
                    depth += 1;
                    if depth == 1 {
                        continue;
                    }
                }
                b')' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ => {}
            }
            out.push(*byte);
        }
        out
    }
}

fn is_delimiter(byte: u8) -> bool {
    matches!(
        byte,
        0 | b'\t'
            | b'\n'
            | 0x0c
            | b'\r'
            | b' '
            | b'['
            | b']'
            | b'<'
            | b'>'
            | b'/'
            | b'{'
            | b'}'
            | b')'
    )
}

fn hexadecimal(digits: &[u8]) -> Vec<u8> {
    let mut digits: Vec<u8> = digits
        .iter()
        .filter(|it| it.is_ascii_hexdigit())
        .copied()
        .collect();
    if digits.len() % 2 == 1 {
        digits.push(b'0');
    }
    data_encoding::HEXLOWER_PERMISSIVE
        .decode(&digits)
        .unwrap_or_default()
}

/// The table of a font: single codes, and ranges of them.
fn codes(content: &[u8]) -> Codes {
    let text = String::from_utf8_lossy(content);
    let mut codes = Codes {
        width: 2,
        characters: HashMap::new(),
    };
    for section in text.split("beginbf").skip(1) {
        let section = section.split("endbf").next().unwrap_or_default();
        let is_range = section.starts_with("range");
        for line in section.lines() {
            let raw: Vec<Vec<u8>> = line
                .split('<')
                .skip(1)
                .map(|it| hexadecimal(it.split('>').next().unwrap_or_default().as_bytes()))
                .collect();
            let number = |it: &[u8]| it.iter().fold(0u32, |sum, it| sum << 8 | u32::from(*it));
            let [first, rest @ ..] = &raw[..] else {
                continue;
            };
            codes.width = first.len().clamp(1, 4);
            match rest {
                [target] if !is_range => {
                    codes.characters.insert(number(first), utf16(target, 0));
                }
                [last, target] if is_range && !line.contains('[') => {
                    let (first, last) = (number(first), number(last));
                    for code in first..=last.min(first.saturating_add(0xffff)) {
                        codes.characters.insert(code, utf16(target, code - first));
                    }
                }
                [_, targets @ ..] if is_range => {
                    for (code, target) in (number(first)..).zip(targets) {
                        codes.characters.insert(code, utf16(target, 0));
                    }
                }
                _ => {}
            }
        }
    }
    codes
}

/// UTF-16 whose last unit is raised by an offset.
fn utf16(bytes: &[u8], offset: u32) -> String {
    let mut units: Vec<u16> = bytes
        .chunks_exact(2)
        .map(|it| u16::from_be_bytes([it[0], it[1]]))
        .collect();
    if let Some(last) = units.last_mut() {
        *last = last.wrapping_add(offset as u16);
    }
    String::from_utf16_lossy(&units)
}
