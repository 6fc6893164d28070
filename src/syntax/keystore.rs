//! Keystores: Java's JKS and JCEKS, and PKCS#12. What can be told of each entry without a password, and more with one
//! that is given.
//!
//! Formats: comments of `JavaKeyStore.java` and `JceKeyStore.java` of OpenJDK; RFC 7292, sections 4 and 5.
//! Not here: how a password opens something (`sealing`), and whether anybody vouches for the contents.

use crate::model::secret::Secret;
use crate::syntax::asn1::{INTEGER, OCTET_STRING, OID, Reader, SEQUENCE};
use crate::syntax::sealing;

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

/// The contents of an encrypted PKCS #8 key, if one of the passwords opens it.
pub fn opened(info: &[u8], passwords: &[Secret]) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    sealing::key(info, passwords)
}

/// The keystore that the bytes are; passwords are tried on what is sealed.
pub fn read(bytes: &[u8], passwords: &[Secret]) -> Option<Keystore> {
    const JKS: &[u8] = &[0xfe, 0xed, 0xfe, 0xed];
    const JCEKS: &[u8] = &[0xce, 0xce, 0xce, 0xce];
    let format = match bytes.get(..4)? {
        JKS => Format::Jks,
        JCEKS => Format::Jceks,
        _ => return pkcs12(bytes, passwords),
    };
    let mut java = Java {
        bytes,
        at: 4,
        passwords,
    };
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
    passwords: &'a [Secret],
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
                let sealed = self.long()?;
                add(sealing::key(sealed, self.passwords).map_or(Thing::SealedKey, Thing::Key));
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
const ENCRYPTED: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06";
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

fn pkcs12(bytes: &[u8], passwords: &[Secret]) -> Option<Keystore> {
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
        let kind = safe.take(OID)?;
        let contents = Reader::new(safe.take(ZERO)?);
        let opened = match kind {
            DATA => contents
                .clone()
                .take(OCTET_STRING)
                .map(|it| zeroize::Zeroizing::new(it.to_vec())),
            ENCRYPTED => encrypted(contents, passwords),
            _ => None,
        };
        match opened.as_ref().and_then(|it| Reader::new(it).sequence()) {
            Some(bags) => store.bags(bags, 0, passwords),
            None => store.has_more = true,
        }
    }
    Some(store)
}

/// EncryptedData: a version, and an EncryptedContentInfo.
fn encrypted(
    mut contents: Reader<'_>,
    passwords: &[Secret],
) -> Option<zeroize::Zeroizing<Vec<u8>>> {
    let mut data = contents.sequence()?;
    data.take(INTEGER)?;
    let mut info = data.sequence()?;
    if info.take(OID)? != DATA {
        return None;
    }
    sealing::content(info, passwords)
}

impl Keystore {
    fn bags(&mut self, mut bags: Reader<'_>, depth: usize, passwords: &[Secret]) {
        while let Some(bag) = bags.sequence() {
            if self.bag(bag, depth, passwords).is_none() {
                self.has_more = true;
            }
        }
    }

    fn bag(&mut self, mut bag: Reader<'_>, depth: usize, passwords: &[Secret]) -> Option<()> {
        let kind = *bag.take(OID)?.strip_prefix(BAGS)?.first()?;
        let value = bag.take(ZERO)?;
        let thing = match kind {
            1 => Thing::Key(zeroize::Zeroizing::new(value.to_vec())),
            2 => sealing::key(value, passwords).map_or(Thing::SealedKey, Thing::Key),
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
                self.bags(Reader::new(value).sequence()?, depth + 1, passwords);
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
            let store = read(bytes, &[]).unwrap();
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
        assert_eq!(
            read(&jks, &[]).unwrap().entries[0].created,
            Some(1_700_000_000)
        );
        assert!(read(b"", &[]).is_none() && read(b"0\x03\x02\x01\x02", &[]).is_none());
    }

    /// What `openssl pkcs12 -export` and `keytool -genkeypair` wrote of keys made for these tests.
    const REAL: &[(&str, &str)] = &[
        (
            "pkcs12",
            "MIIEQwIBAzCCA/kGCSqGSIb3DQEHAaCCA+oEggPmMIID4jCCAoIGCSqGSIb3DQEHBqCCAnMwggJvAgEAMIICaAYJKoZIhvcN\
        AQcBMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhxMlJxFJGTrgICCAAwDAYIKoZIhvcNAgkFADAdBglghkgBZQME\
        ASoEEGoMGgZqRq5Uf7CFlscXHKCAggIAba6eYMV+cD+tjqbZ9I5iVyCFkaZU8RAecPgoKxkZoa+JSQ7CT78th3BnlKcINKN8\
        vF9iZSP/cm0dFB1Gpj/RJtbfFejaEGxroK6fDshK1u+DHb6gcg4Dl+Soe3G38DtTxvmqOgjsTEry6o2/gAkvIzknHvSi65pk\
        pfWoHRzfX4o54iaLGDb+ReN0MT4OKg3Ra6gJgEZpy457sPRUuFh51MQziKluwwSQZ/mvdnYkhYXwUNX8z1InV7a1bSLoO3HS\
        ghnvabUrlXyG5oKDYfTLPVIHK39+086y7aLC3vQ6zB+gsbKSgetGHClVl5jq7+CY3cFWiZTwD8R5f29BgrELdzP1PKt2pg5+\
        rLksFXqd4s/YjBOdhON2dZahr+Zm8X6nboeaVoaOA4B6x6WizXej6APmoUYEQJ+oXBvFcxeyoMSoHCZDZNYm/QgUyjq523O5\
        VsQ3pddV39jQx1g09cJeF/CvLp8B0LnT3H2ZsQWu+lH9coGp6FYrs6+1VldEFjopiayRh4OjxcdojlqysXThYvS75bLf76Ft\
        YtMWhkuOBcpEXWtcasCStFloxTiiO97xyI8ZXk7cX+77Hbop6a9tyrO6xvu3pN7d7JYk8DCSSh6qbId+ALOvBSul/TcxOEO6\
        +itkQcOgYxPvZilM99NYrjLIG3KQbxZmEQiLEu2Vg3MwggFYBgkqhkiG9w0BBwGgggFJBIIBRTCCAUEwggE9BgsqhkiG9w0B\
        DAoBAqCB7zCB7DBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQIfC93Ul23HOcCAggAMAwGCCqGSIb3DQIJBQAwHQYJ\
        YIZIAWUDBAEqBBC68OD7oBeTZwmnsZ+6jIk3BIGQIlVq83rOzMDjbWwDhW9suUqpLWegmeafuV8s5vYrv0IC8x4M4d30r8pR\
        hzhfG4bNFcmkwpshqwuGWTweMWwRNktkKQ2EGHSVm+no0P1CvWBzF3UHcP1qGKzX/fTP2sEjFHi1So8ImrkQ/3EKjAwBPaLI\
        OyYTk+jtXBcNEM84TfH9UcSTsNLHQ+0Lg2qFLRDAMTwwFQYJKoZIhvcNAQkUMQgeBgB3AGUAYjAjBgkqhkiG9w0BCRUxFgQU\
        IUx/GTK/ICQBLMbOrD8OCoIZ0RYwQTAxMA0GCWCGSAFlAwQCAQUABCDkf9cufCahQxbZ1IJjd2DvGS+JoS4DrExVEUX0ZatZ\
        YAQI5JvonivFdJICAggA",
        ),
        (
            "jks",
            "/u3+7QAAAAIAAAACAAAAAgACY2EAAAGiFAN5mAAFWC41MDkAAAGGMIIBgjCCASmgAwIBAgIUTfe3LuHUMpDrzLwAC5Ynujo9\
        +FQwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMB4XDTI2MTEyNTE4NDEzN1oXDTI4MDcxNzE4NDEzN1ow\
        FzEVMBMGA1UEAwwMc2hvcC5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdRYqIe3k9cUs4Tpa7zsqGS/r0G6o\
        gzGxND82A2IkCspc5381B6lkgCOKNW84vCFtlx5WQCTePhy+YxVKD90Y5aNTMFEwHQYDVR0OBBYEFJGbs1dkBAszK4voFQdi\
        RHMxO89yMB8GA1UdIwQYMBaAFJGbs1dkBAszK4voFQdiRHMxO89yMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAw\
        RAIgH+1vOawCJydDTtdbovlYaPwiKeXWu7emRPXOHfVs7TICIGcwxPXV5NrmPjrjZsvlcNJG1ZPvD3xIc7/hd+kU/fIGAAAA\
        AQADd2ViAAABohQDbCQAAAB/MH0wDgYKKwYBBAEqAhEBAQUABGstdv4fGboBHQgrnzS27WUQXrEQtdZcutFQyOb/DlQXL4NW\
        VN2WDLouvue7R2dPhlu/k+hJVL6p/6Ci7RN3tEBOKSYGsdc3WkqJoznohuzVwryC7G/L9817b8IeFj2qZECha1DCp29Uc8Sp\
        jAAAAAEABVguNTA5AAABSTCCAUUwgeygAwIBAgIJALqRDGBrAyFrMAoGCCqGSM49BAMCMBcxFTATBgNVBAMTDHNob3AuZXhh\
        bXBsZTAeFw0yNjExMjUxODQxMzhaFw0yODA3MTcxODQxMzhaMBcxFTATBgNVBAMTDHNob3AuZXhhbXBsZTBZMBMGByqGSM49\
        AgEGCCqGSM49AwEHA0IABDA+Xarfp5iHCokQ/lh4B0K5GPk5Ho3CW5GaPQHYHZq9LfjFUFX+LbG/QuuE2uBrdfXN47RhXgvz\
        Wd/yFPEysMyjITAfMB0GA1UdDgQWBBSiKmkvJJsg43m4jjYMikrPQOb4JDAKBggqhkjOPQQDAgNIADBFAiEAvulX75J8dFHm\
        LhHKXycQ1BbVBdfHAQaPZgaf6z0uaLECID7Aieo2hOxWWW2Aoq274kFraYIUCpb3F/VWxduE+lxGhzeRWDGcqcC4FCaEywRv\
        M8BJ/78=",
        ),
        (
            "pkcs12",
            "MIID6gIBAzCCA5QGCSqGSIb3DQEHAaCCA4UEggOBMIIDfTCCASQGCSqGSIb3DQEHAaCCARUEggERMIIBDTCCAQkGCyqGSIb3\
        DQEMCgECoIG9MIG6MGYGCSqGSIb3DQEFDTBZMDgGCSqGSIb3DQEFDDArBBRcY9H+GDc8t7BdLwBl3ymx4C56cQICJxACASAw\
        DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELqi29EUfYIMXan3iNEQg0UEUG4Exfp9Jxepvv/yn8CtbjqlewTUixy9iJXc\
        LRlo1Ef9wFE9sz8aeusdOqBiqB4Fxop4XObFCddhWAUCIU9PviOhOLrIX1f7YgNjrW6Shc58MTowFQYJKoZIhvcNAQkUMQge\
        BgB3AGUAYjAhBgkqhkiG9w0BCRUxFAQSVGltZSAxNzk1NjMyMTAwNTY2MIICUQYJKoZIhvcNAQcGoIICQjCCAj4CAQAwggI3\
        BgkqhkiG9w0BBwEwZgYJKoZIhvcNAQUNMFkwOAYJKoZIhvcNAQUMMCsEFFLfV+Y9vEjaKzoCB+lCW4yXMQrHAgInEAIBIDAM\
        BggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQoNoaNjrrj6CI5HKy5l00tYCCAcC/pVs5rVPdrm650PTH95KlXtIT9G9OwKJP\
        u0BklZngTh58bdKaV6paXYFgMNI8E+U01lJd1fcXNE3e/clu1dxrtbGWy/QsjLPZwl466usbZj+fkKqDcYabczrMy8yVduDB\
        2PS4ExlhP2L5hcMvQ1Wwh3ZFmSYNMqEVnW8fMniotoEGi1arfTdD4s3aNpG/TTK2u3gXmjwXHEz7AGHmIoQlJ78KEz7c38ow\
        SrBn03CswghLV/DEcT0/Yk9TyndGeZGjXHjP/eWFu5Ne7Lh8gueZzhafKB03wSXr98g9W5T1oorDq0H0r27WJKDvlLDq/e4l\
        lSN0mBuwZ7hElbDC35eCP47mWsY9MqH6Z7YgwxZDFpVv6+45MFLtH6lieAxbXRBsQBjy4mds4yQKgc9IuRaRUHGxVNC66H8D\
        2jGgAQIazzU91cIUSGIpeyYUSntKMonuMqFFF+sZn3fWY6cU+U8WQapyxZPNloNi/uMYnkA9cgpzxfjAgUpzW5v0IYhZvvKq\
        UIjcNmi+awaDIXKvGdPEhXvfGL1bn7SdougF3eWkUAXh03uOl4w/Y3MmePtUQTsZSzINucniNKsAWt+Dl2zUME0wMTANBglg\
        hkgBZQMEAgEFAAQgUXWn9tNNQ8Uy/bIvKSUbKYDoCtExIb4lrySmtTaigI0EFI6MKlE3miuPNRJ7iYB1FcADDWGlAgInEA==",
        ),
    ];

    #[test]
    fn passwords_that_are_given_open_what_real_tools_wrote() {
        let passwords = |text: &str| [Secret::new(b"not this one"), Secret::new(text.as_bytes())];
        let mut n_pairs = 0;
        for (format, text) in REAL {
            let bytes = data_encoding::BASE64.decode(text.as_bytes()).unwrap();
            let store = read(&bytes, &passwords("changeit")).unwrap();
            assert_eq!(store.format.name(), *format);
            assert!(!store.has_more, "{format}");
            let keys = store.entries.iter().filter_map(|it| match &it.thing {
                Thing::Key(der) => crate::syntax::key::read(der),
                _ => None,
            });
            let keys: Vec<_> = keys.collect();
            assert_eq!(keys.len(), 1, "{format}");
            assert_eq!((keys[0].kind, keys[0].bits), (Some("ec"), Some(256)));
            let certificates = store.entries.iter().filter_map(|it| match &it.thing {
                Thing::Certificate(der) => crate::syntax::certificate::read(der),
                _ => None,
            });
            let publics: Vec<_> = certificates.map(|it| it.public).collect();
            assert!(!publics.is_empty(), "{format}");
            // Java leaves the public half out.
            if let Some(public) = &keys[0].public {
                assert!(publics.contains(public), "{format}: they belong together");
                n_pairs += 1;
            }
            let shut = read(&bytes, &passwords("changeme")).unwrap();
            assert!(
                shut.entries
                    .iter()
                    .all(|it| !matches!(it.thing, Thing::Key(_))),
                "{format}"
            );
            assert!(
                shut.entries.iter().any(|it| it.thing == Thing::SealedKey),
                "{format}"
            );
        }
        assert!(n_pairs > 0);
    }

    proptest! {
        #[test]
        fn damaged_seals_are_read_or_refused(
            which in 0..REAL.len(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = data_encoding::BASE64.decode(REAL[which].1.as_bytes()).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            // A count of rounds may have grown: looking is enough.
            read(&bytes, &[]);
        }

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
            read(&bytes, &[]);
            read(&bytes[..length], &[]);
        }
    }
}
