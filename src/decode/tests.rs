//! The walk: charsets, nesting, limits, and bytes made to break it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use data_encoding::{BASE64, BASE64URL_NOPAD};
use proptest::prelude::*;
use std::io::Write;
use std::time::Instant;

fn texts(bytes: &[u8]) -> Vec<(Vec<&'static str>, String)> {
    let mut seen = Vec::new();
    each(
        bytes,
        &Options::default(),
        &mut |view| {
            seen.push((
                view.via.clone(),
                String::from_utf8_lossy(&view.text).into_owned(),
            ))
        },
        &mut |_, _, _| {},
    );
    seen
}

#[test]
fn base64_is_undone_also_nested() {
    let inner = BASE64.encode(b"password = \"q8Zk27xPw0LmN4tYb6Rc\"\n");
    let outer = BASE64URL_NOPAD.encode(format!("data: {inner}").as_bytes());
    let seen = texts(format!("x: {outer}\n").as_bytes());
    assert!(
        seen.iter()
            .any(|(via, text)| via == &["base64", "base64"] && text.contains("q8Zk27xP")),
        "{seen:?}"
    );
}

#[test]
fn every_charset_gives_the_same_text() {
    let text = "clé = wert\npassword = äöü";
    let wide: Vec<u16> = text.encode_utf16().collect();
    let le: Vec<u8> = wide.iter().flat_map(|it| it.to_le_bytes()).collect();
    let be: Vec<u8> = wide.iter().flat_map(|it| it.to_be_bytes()).collect();
    let utf32: Vec<u8> = text
        .chars()
        .flat_map(|it| (it as u32).to_le_bytes())
        .collect();
    let with = |bom: &[u8], body: &[u8]| [bom, body].concat();
    let latin: Vec<u8> = text.chars().map(|it| it as u8).collect();
    for bytes in [
        text.as_bytes().to_vec(),
        with(b"\xEF\xBB\xBF", text.as_bytes()),
        with(b"\xFF\xFE", &le),
        with(b"\xFE\xFF", &be),
        le.clone(),
        be.clone(),
        with(b"\xFF\xFE\0\0", &utf32),
        utf32.clone(),
        latin,
    ] {
        assert_eq!(texts(&bytes)[0].1, text);
    }
}

#[test]
fn binaries_keep_their_text_runs_in_place() {
    let bytes = b"\0\x01\x02\x7fELF password=secretword\0\x03\xff\xfe";
    let mut seen = Vec::new();
    each(
        bytes,
        &Options::default(),
        &mut |view| seen.push((view.is_binary, view.text.to_vec())),
        &mut |_, _, _| {},
    );
    assert!(seen[0].0);
    assert_eq!(seen[0].1.len(), bytes.len());
    assert!(seen[0].1.windows(19).any(|it| it == b"password=secretword"));
}

#[test]
fn depth_is_bounded_and_told() {
    let mut text = b"the innermost text is plain words here".to_vec();
    for _ in 0..8 {
        text = BASE64.encode(&text).into_bytes();
    }
    let mut told = 0;
    each(
        &text,
        &Options::default(),
        &mut |_| {},
        &mut |_, reason, _| told += usize::from(reason == Reason::LimitHit),
    );
    assert_eq!(told, 1);
}

/// Names of the members that have text, and the gaps.
fn opened(bytes: &[u8], options: &Options) -> (Vec<String>, Vec<(String, Reason)>) {
    let mut names = Vec::new();
    let mut gaps = Vec::new();
    each(
        bytes,
        options,
        &mut |view| names.extend(view.member.map(|it| it.name.clone())),
        &mut |name, reason, _| gaps.push((name.unwrap_or("").to_owned(), reason)),
    );
    (names, gaps)
}

/// A zip archive whose members are stored, without a compressor's help.
fn stored(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, data) in members {
        let mut crc = libdeflater::Crc::new();
        crc.update(data);
        let length = (data.len() as u32).to_le_bytes();
        let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        common.extend(crc.sum().to_le_bytes());
        common.extend([length, length].concat());
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0, 0]);
        directory.extend(b"PK\x01\x02\x14\0");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(*data);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    let count = (members.len() as u16).to_le_bytes();
    out.extend([count, count].concat());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tarred(members: impl Iterator<Item = (String, Vec<u8>)>) -> Vec<u8> {
    let mut archive = ::tar::Builder::new(Vec::new());
    for (name, data) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(data.len() as u64);
        archive.append_data(&mut header, name, &data[..]).unwrap();
    }
    archive.into_inner().unwrap()
}

/// A first line of an example is a note; binary bytes by number are no text.
#[test]
fn what_only_looks_hidden_is_left_alone() {
    let gzip = BASE64.encode(&gzipped(b"TOKEN=1 and some more text")[..24]);
    let (_, gaps) = opened(format!("data: {gzip}...\n").as_bytes(), &Options::default());
    assert!(gaps.iter().all(|it| it.1.is_by_choice()), "{gaps:?}");
    let der = "OBJ=\"\\x2B\\x06\\x01\\x05\\x05\\x07\"\n";
    assert_eq!(texts(der.as_bytes()).len(), 1);
    for code in [
        "x = 1\ny == 2\nz = \"=3D\"\na=b\nc=d\n",
        "printf(\"%02x\\n\", a && b);\n",
    ] {
        assert_eq!(texts(code.as_bytes()).len(), 1, "{code}");
    }
}

#[test]
fn zstd_and_7z_are_read() {
    let tar = tarred([("a.env".to_owned(), b"T=1\n".to_vec())].into_iter());
    let packed =
        ruzstd::encoding::compress_to_vec(&tar[..], ruzstd::encoding::CompressionLevel::Fastest);
    let skippable = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &packed].concat();
    for bytes in [packed, skippable] {
        let (names, gaps) = opened(&bytes, &Options::default());
        assert_eq!((names, gaps), (vec!["a.env".to_owned()], vec![]));
    }
    let mut writer = sevenz_rust2::ArchiveWriter::new(std::io::Cursor::new(Vec::new())).unwrap();
    writer.set_content_methods(vec![sevenz_rust2::EncoderMethod::COPY.into()]);
    for name in ["x/a.env", "b.env"] {
        let entry = sevenz_rust2::ArchiveEntry::new_file(name);
        writer
            .push_archive_entry(entry, Some(&b"T=1\n"[..]))
            .unwrap();
    }
    let bytes = writer.finish().unwrap().into_inner();
    let (names, gaps) = opened(&bytes, &Options::default());
    assert_eq!(names, ["x/a.env", "b.env"]);
    assert_eq!(gaps, []);
}

#[test]
fn a_hundred_thousand_empty_members_take_little() {
    let started = Instant::now();
    let names = (0..100_001).map(|it| (format!("d/{it}"), Vec::new()));
    let (names, gaps) = opened(&gzipped(&tarred(names)), &Options::default());
    assert_eq!(names.len(), 0);
    assert_eq!(gaps, [(String::new(), Reason::LimitHit)]);
    assert!(started.elapsed().as_secs() < 60);
}

#[test]
fn a_bomb_ends_at_the_limit_and_says_so() {
    let options = Options {
        max_size: 1 << 20,
        ..Options::default()
    };
    let zeros = vec![0; 200 << 20];
    let (_, gaps) = opened(&gzipped(&zeros), &options);
    assert_eq!(gaps, [(String::new(), Reason::TooLarge)]);
    let many = (0..100).map(|it| (format!("{it}"), vec![0; 1 << 20]));
    let (_, gaps) = opened(&gzipped(&tarred(many)), &options);
    assert!(matches!(&gaps[..], [(_, Reason::LimitHit)]), "{gaps:?}");
    // One long member that is passed over costs as much as one that is read.
    let long = tarred([("long".to_owned(), zeros)].into_iter());
    let (_, gaps) = opened(&gzipped(&long), &options);
    assert!(gaps.iter().any(|it| it.1 == Reason::LimitHit), "{gaps:?}");
}

#[test]
fn members_that_share_their_bytes_are_bounded() {
    // Every entry of the directory names the one local header.
    let data = vec![b' '; 1 << 20];
    let one = stored(&[("a", &data)]);
    let at = memchr::memmem::rfind(&one, b"PK\x01\x02").unwrap();
    let end = memchr::memmem::rfind(&one, b"PK\x05\x06").unwrap();
    let entry = one[at..end].to_vec();
    let mut bytes = one[..at].to_vec();
    let directory = entry.repeat(1000);
    bytes.extend(&directory);
    let mut last = one[end..].to_vec();
    last[8..12].copy_from_slice(&[0xe8, 3, 0xe8, 3]);
    last[12..16].copy_from_slice(&(directory.len() as u32).to_le_bytes());
    bytes.extend(last);
    let (names, gaps) = opened(&bytes, &Options::default());
    assert!(names.len() < 150, "{}", names.len());
    assert!(gaps.iter().any(|it| it.1 == Reason::LimitHit), "{gaps:?}");
}

#[test]
fn many_gaps_are_told_as_one() {
    let bad: Vec<(String, Vec<u8>)> = (0..3000)
        .map(|it| (format!("{it}"), b"7z\xbc\xaf\x27\x1c".to_vec()))
        .collect();
    let (_, gaps) = opened(&tarred(bad.into_iter()), &Options::default());
    assert_eq!(gaps.len(), 1001);
}

/// How each format begins, so that random bytes get past the door.
const BEGINNINGS: &[&[u8]] = &[
    b"\x1f\x8b\x08\0\0\0\0\0\0\x03",
    b"PK\x03\x04",
    b"PK\x05\x06",
    b"BZh91AY&SY",
    b"\xfd7zXZ\0\0\x04\xe6\xd6\xb4\x46",
    b"LZIP\x01\x0c",
    b"\x28\xb5\x2f\xfd",
    b"7z\xbc\xaf\x27\x1c\0\x04",
    b"!<arch>\n",
    b"\xed\xab\xee\xdb",
    b"070701",
    b"070707",
    b"%PDF-1.4\n<</Filter/FlateDecode>>stream\n\x78\x9c",
    b"%PDF-1.4\n<</Filter/ASCII85Decode>>stream\nBT (",
    b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20",
    b"\xfe\xed\xfe\xed\0\0\0\x02\0\0\0\x01",
    b"{\"nbformat\":4,\"cells\":[{\"source\":[\"",
    b"<?xml?><w xmlns=\"http://schemas.openxmlformats.org/\"><w:p>",
    b"From: a\nContent-Type: multipart/mixed; boundary=b\n\n--b\n",
    b"=3D=\n%41\\u0041&#65;",
];

/// What the formats that are text are made of.
const WORDS: &[&str] = &[
    "From: a\n",
    "Content-Type: multipart/mixed; boundary=b\n",
    "Content-Type: message/rfc822\n",
    "\n",
    "\r\n",
    "--b",
    "--b--",
    "Content-Transfer-Encoding: base64\n",
    "Content-Transfer-Encoding: quoted-printable\n",
    "Content-Disposition: attachment; filename=\"x\"\n",
    "VE9LRU49MQo=",
    "=3D",
    "=\n",
    "=",
    "%41",
    "%4",
    "%",
    "\\u0041",
    "\\u{41}",
    "\\u{",
    "\\x4",
    "\\",
    "&#65;",
    "&#x",
    "&amp;a",
    "&",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\"nbformat\"",
    "\"cells\"",
    "\"source\"",
    "\"outputs\"",
    "\\n",
    "1",
    "<?xml?>",
    "<w:p>",
    "</w:p>",
    "<w:br/>",
    "schemas.openxmlformats.org",
    "<",
    ">",
    "</",
    "%PDF-1.4\n",
    "<</Filter/ASCII85Decode>>",
    "<</Filter/A>>",
    "stream\n",
    "endstream",
    " obj",
    "BT ",
    "(a",
    "\\)",
    ")Tj ",
    "<41>Tj ",
    "-200 ",
    "TJ ",
    "1 0 Td ",
    "ET",
    "begincmap",
    "beginbfrange\n",
    "<0000> <ffff> <0041>\n",
    "endbf",
    "é",
    "6768705f6768705f6768705f6768705f",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_bytes_break_a_reader(tail in proptest::collection::vec(any::<u8>(), 0..1500)) {
        for beginning in BEGINNINGS {
            let bytes = [beginning, &tail[..]].concat();
            opened(&bytes, &Options::default());
        }
    }

    #[test]
    fn no_words_break_a_reader(
        first in 0..BEGINNINGS.len(),
        words in proptest::collection::vec(0..WORDS.len(), 0..60),
    ) {
        let words: String = words.iter().map(|it| WORDS[*it]).collect();
        opened(words.as_bytes(), &Options::default());
        opened(&[BEGINNINGS[first], words.as_bytes()].concat(), &Options::default());
    }

    #[test]
    fn no_damage_breaks_a_reader(at in 0usize..2000, byte in any::<u8>(), cut in 0usize..2000) {
        let inner = stored(&[("a.env", b"TOKEN=1\n"), ("b/c.txt", b"hello hello hello")]);
        let tar = tarred([("in.zip".to_owned(), inner.clone())].into_iter());
        let packed = ruzstd::encoding::compress_to_vec(&tar[..], ruzstd::encoding::CompressionLevel::Fastest);
        for mut bytes in [gzipped(&tar), inner, tar, packed] {
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            opened(&bytes, &Options::default());
        }
    }

    #[test]
    fn places_lie_within_the_outer_text(text in "([a-z ]|%[0-9]{2}|&#[0-9]{2};|\\\\u00[0-9]{2}|=3D|=\n|\n){0,60}") {
        let most = text.lines().count() as u32 + 1;
        each(
            text.as_bytes(),
            &Options::default(),
            &mut |view| {
                for at in 0..view.text.len() {
                    let place = view.place(crate::model::span::Span::new(at, at + 1));
                    assert!(place.line <= most && (place.line, place.column) <= (place.end_line, place.end_column));
                }
            },
            &mut |_, _, _| {},
        );
    }
}
