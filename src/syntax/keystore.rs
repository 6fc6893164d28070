//! Keystores: Java's JKS and JCEKS, and PKCS#12. What can be told of each entry without a password.
//!
//! Formats: comments of `JavaKeyStore.java` and `JceKeyStore.java` of OpenJDK; RFC 7292, sections 4 and 5.
//! Not here: passwords, and whether anybody vouches for the contents.

use crate::syntax::asn1::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};

/// What kind of keystore.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// Java's first.
    Jks,
    /// Java's second, with secret keys.
    Jceks,
    /// RFC 7292.
    Pkcs12,
}

impl Format {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jks => "jks",
            Self::Jceks => "jceks",
            Self::Pkcs12 => "pkcs12",
        }
    }
}

/// What an entry is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Thing {
    /// A private key, sealed.
    SealedKey,
    /// A private key in the clear: PKCS #8 in DER.
    Key(zeroize::Zeroizing<Vec<u8>>),
    /// A certificate in DER.
    Certificate(Vec<u8>),
    /// A symmetric key, sealed.
    SecretKey,
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// The name people use; empty if there is none.
    pub alias: String,
    /// Seconds since the epoch.
    pub created: Option<i64>,
    /// What it is.
    pub thing: Thing,
}

/// A keystore.
#[derive(Clone, Debug)]
pub struct Keystore {
    /// What kind.
    pub format: Format,
    /// Entries that can be told apart, certificates of a key right behind it.
    pub entries: Vec<Entry>,
    /// Whether there is more that only a password opens, or that could not be read.
    pub has_more: bool,
}

/// The keystore that the bytes are.
pub fn read(bytes: &[u8]) -> Option<Keystore> {
    const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
    const JCEKS: &[u8] = &[0xce, 0xce, 0xce, 0xce];
    let format = match bytes.get(..4)? {
        JKS => Format::Jks,
        JCEKS => Format::Jceks,
        _ => return pkcs12(bytes),
    };
    let mut java = Java { bytes, at: 4 };
    let version = java.number().filter(|it| (1..=2).contains(it))?;
    let mut store = Keystore {
        format,
        entries: Vec::new(),
        has_more: false,
    };
    let count = java.number()?;
    for _ in 0..count {
        if java.entry(version, &mut store.entries).is_none() {
            store.has_more = true;
            break;
        }
    }
    Some(store)
}

struct Java<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Java<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    fn number(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk()?))
    }

    fn text(&mut self) -> Option<String> {
        let length = u16::from_be_bytes(*self.take(2)?.first_chunk()?);
        let bytes = self.take(usize::from(length))?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn long(&mut self) -> Option<&'a [u8]> {
        let length = self.number()?;
        self.take(usize::try_from(length).ok()?)
    }

    fn certificate(&mut self, version: u32) -> Option<Thing> {
        if version == 2 {
            self.text()?;
        }
        self.long().map(|it| Thing::Certificate(it.to_vec()))
    }

    /// `None` if nothing behind it can be read: sealed objects of JCEKS do not tell their length.
    fn entry(&mut self, version: u32, entries: &mut Vec<Entry>) -> Option<()> {
        let kind = self.number()?;
        let alias = self.text()?;
        let millis = i64::from_be_bytes(*self.take(8)?.first_chunk()?);
        let mut add = |thing| {
            entries.push(Entry {
                alias: alias.clone(),
                created: Some(millis / 1000).filter(|it| *it > 0),
                thing,
            });
        };
        match kind {
            1 => {
                self.long()?;
                add(Thing::SealedKey);
                for _ in 0..self.number()? {
                    add(self.certificate(version)?);
                }
                Some(())
            }
            2 => {
                add(self.certificate(version)?);
                Some(())
            }
            3 => {
                add(Thing::SecretKey);
                None
            }
            _ => None,
        }
    }
}

const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
/// `pkcs-12-BagIds`, one byte short.
const BAGS: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01";
const FRIENDLY_NAME: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14";
const X509: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01";
/// `[0]`, constructed.
const ZERO: u8 = 0xA0;
const SET: u8 = 0x31;
const BMP_STRING: u8 = 0x1E;
/// Safes within safes.
const DEEPEST: usize = 8;

fn pkcs12(bytes: &[u8]) -> Option<Keystore> {
    let mut outer = Reader::of_sequence(bytes)?;
    if outer.take(INTEGER)? != [3] {
        return None;
    }
    let mut content = outer.sequence()?;
    let mut store = Keystore {
        format: Format::Pkcs12,
        entries: Vec::new(),
        has_more: false,
    };
    // Signed by a key instead of a password: nobody writes these.
    if content.take(OID)? != DATA {
        store.has_more = true;
        return Some(store);
    }
    let inner = Reader::new(content.take(ZERO)?).take(OCTET_STRING)?;
    let mut safes = Reader::new(inner).sequence()?;
    while let Some(mut safe) = safes.sequence() {
        let is_open = safe.take(OID)? == DATA;
        let contents = safe.take(ZERO).filter(|_| is_open);
        let bags = contents.and_then(|it| Reader::new(it).take(OCTET_STRING));
        match bags.and_then(|it| Reader::new(it).sequence()) {
            Some(bags) => store.bags(bags, 0),
            None => store.has_more = true,
        }
    }
    Some(store)
}

impl Keystore {
    fn bags(&mut self, mut bags: Reader<'_>, depth: usize) {
        while let Some(bag) = bags.sequence() {
            if self.bag(bag, depth).is_none() {
                self.has_more = true;
            }
        }
    }

    fn bag(&mut self, mut bag: Reader<'_>, depth: usize) -> Option<()> {
        let kind = *bag.take(OID)?.strip_prefix(BAGS)?.first()?;
        let value = bag.take(ZERO)?;
        let thing = match kind {
            1 => Thing::Key(zeroize::Zeroizing::new(value.to_vec())),
            2 => Thing::SealedKey,
            3 => {
                let mut certificate = Reader::new(value).sequence()?;
                if certificate.take(OID)? != X509 {
                    return None;
                }
                let der = Reader::new(certificate.take(ZERO)?).take(OCTET_STRING)?;
                Thing::Certificate(der.to_vec())
            }
            5 => Thing::SecretKey,
            6 if depth < DEEPEST => {
                self.bags(Reader::new(value).sequence()?, depth + 1);
                return Some(());
            }
            _ => return None,
        };
        self.entries.push(Entry {
            alias: bag.take(SET).and_then(friendly_name).unwrap_or_default(),
            created: None,
            thing,
        });
        Some(())
    }
}

fn friendly_name(attributes: &[u8]) -> Option<String> {
    let mut attributes = Reader::new(attributes);
    while let Some((tag, contents)) = attributes.element() {
        let mut attribute = Reader::new(contents);
        if tag == SEQUENCE && attribute.take(OID) == Some(FRIENDLY_NAME) {
            let units = Reader::new(attribute.take(SET)?).take(BMP_STRING)?;
            let units: Vec<u16> = units
                .chunks_exact(2)
                .map(|it| u16::from_be_bytes([it[0], it[1]]))
                .collect();
            return Some(String::from_utf16_lossy(&units));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::asn1::write;
    use proptest::prelude::*;

    fn java(magic: u8, entries: &[Vec<u8>]) -> Vec<u8> {
        let magic = match magic {
            0xfe => [0xfe, 0xed, 0xfe, 0xed],
            _ => [0xce; 4],
        };
        let count = u32::try_from(entries.len()).unwrap().to_be_bytes();
        [
            &magic[..],
            &[0, 0, 0, 2],
            &count,
            &entries.concat(),
            &[0; 20],
        ]
        .concat()
    }

    fn head(kind: u32, alias: &str) -> Vec<u8> {
        let length = u16::try_from(alias.len()).unwrap().to_be_bytes();
        let date = 1_700_000_000_000_i64.to_be_bytes();
        [&kind.to_be_bytes()[..], &length, alias.as_bytes(), &date].concat()
    }

    fn long(bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
        [&length[..], bytes].concat()
    }

    fn certificate(bytes: &[u8]) -> Vec<u8> {
        [&[0, 5], &b"X.509"[..], &long(bytes)].concat()
    }

    fn samples() -> [Vec<u8>; 3] {
        let key = [
            head(1, "web"),
            long(b"sealed"),
            vec![0, 0, 0, 1],
            certificate(b"one"),
        ]
        .concat();
        let trusted = [head(2, "ca"), certificate(b"two")].concat();
        let bag = |kind: u8, value: &[u8], name: &str| {
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let name = write(SET, &[&write(BMP_STRING, &[&units])]);
            let name = write(SEQUENCE, &[&write(OID, &[FRIENDLY_NAME]), &name]);
            write(
                SEQUENCE,
                &[
                    &write(OID, &[BAGS, &[kind]]),
                    &write(ZERO, &[value]),
                    &write(SET, &[&name]),
                ],
            )
        };
        let x509 = write(ZERO, &[&write(OCTET_STRING, &[b"one"])]);
        let x509 = write(SEQUENCE, &[&write(OID, &[X509]), &x509]);
        let bags = write(SEQUENCE, &[&bag(2, b"", "web"), &bag(3, &x509, "wéb")]);
        let safe = |kind: u8, contents: &[u8]| {
            let oid = [&DATA[..8], &[kind]].concat();
            write(SEQUENCE, &[&write(OID, &[&oid]), &write(ZERO, &[contents])])
        };
        let open = safe(1, &write(OCTET_STRING, &[&bags]));
        let safes = write(SEQUENCE, &[&open, &safe(6, b"")]);
        let content = safe(1, &write(OCTET_STRING, &[&safes]));
        [
            java(0xfe, &[key.clone(), trusted.clone()]),
            java(0xce, &[key, head(3, "aes"), trusted]),
            write(SEQUENCE, &[&write(INTEGER, &[&[3]]), &content]),
        ]
    }

    #[test]
    fn entries_are_told_with_their_names() {
        let [jks, jceks, pfx] = samples();
        let told = |bytes: &[u8]| {
            let store = read(bytes).unwrap();
            let entries = store.entries.iter().map(|it| {
                let thing = match &it.thing {
                    Thing::SealedKey => "sealed key".to_owned(),
                    Thing::Key(_) => "key".to_owned(),
                    Thing::SecretKey => "secret key".to_owned(),
                    Thing::Certificate(der) => String::from_utf8_lossy(der).into_owned(),
                };
                format!("{}: {thing}", it.alias)
            });
            (
                store.format.name(),
                entries.collect::<Vec<_>>().join(", "),
                store.has_more,
            )
        };
        assert_eq!(
            told(&jks),
            (
                "jks",
                "web: sealed key, web: one, ca: two".to_owned(),
                false
            )
        );
        assert_eq!(
            told(&jceks),
            (
                "jceks",
                "web: sealed key, web: one, aes: secret key".to_owned(),
                true
            )
        );
        assert_eq!(
            told(&pfx),
            ("pkcs12", "web: sealed key, wéb: one".to_owned(), true)
        );
        assert_eq!(read(&jks).unwrap().entries[0].created, Some(1_700_000_000));
        assert!(read(b"").is_none() && read(b"0\x03\x02\x01\x02").is_none());
    }

    proptest! {
        #[test]
        fn damaged_keystores_are_read_or_refused(
            which in 0..3_usize,
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
            length in any::<proptest::sample::Index>(),
        ) {
            let mut bytes = samples()[which].clone();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let length = length.index(bytes.len());
            read(&bytes);
            read(&bytes[..length]);
        }
    }
}
