//! DER (X.690): tags and lengths read strictly, and the few elements that a public key is written with.
//!
//! Not here: what an element means.

/// `INTEGER`.
pub const INTEGER: u8 = 0x02;
/// `BIT STRING`.
pub const BIT_STRING: u8 = 0x03;
/// `OCTET STRING`.
pub const OCTET_STRING: u8 = 0x04;
/// `NULL`.
pub const NULL: u8 = 0x05;
/// `OBJECT IDENTIFIER`.
pub const OID: u8 = 0x06;
/// `SEQUENCE`.
pub const SEQUENCE: u8 = 0x30;

/// Elements one after another.
#[derive(Clone, Copy)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Over the contents of an element.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Over the contents of the one sequence that the bytes are.
    pub fn of_sequence(bytes: &'a [u8]) -> Option<Self> {
        let mut outer = Self(bytes);
        let inner = outer.sequence()?;
        outer.0.is_empty().then_some(inner)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    pub fn tag(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element's tag and contents. Lengths must be definite and as short as can be.
    pub fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (tag, rest) = self.0.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let mut length = usize::from(*first);
        if *first >= 0x80 {
            let count = usize::from(first & 0x7F);
            if !(1..=4).contains(&count) || rest.len() < count || rest[0] == 0 {
                return None;
            }
            let (digits, after) = rest.split_at(count);
            length = digits.iter().fold(0, |all, it| all << 8 | usize::from(*it));
            if length < 0x80 {
                return None;
            }
            rest = after;
        }
        // Tags of several bytes are not used by keys.
        if tag & 0x1F == 0x1F || rest.len() < length {
            return None;
        }
        let (contents, after) = rest.split_at(length);
        self.0 = after;
        Some((*tag, contents))
    }

    /// The contents of the next element, if it has this tag.
    pub fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if self.tag()? != tag {
            return None;
        }
        self.element().map(|it| it.1)
    }

    /// The next element, a sequence.
    pub fn sequence(&mut self) -> Option<Self> {
        self.take(SEQUENCE).map(Self)
    }

    /// The next element, an integer that is not negative, without leading zeros.
    pub fn integer(&mut self) -> Option<&'a [u8]> {
        let bytes = self.take(INTEGER)?;
        let is_negative = bytes.first().is_none_or(|it| *it >= 0x80);
        (!is_negative).then(|| magnitude(bytes))
    }

    /// The next element, a string of whole bytes in bits.
    pub fn bits(&mut self) -> Option<&'a [u8]> {
        match self.take(BIT_STRING)?.split_first()? {
            (0, rest) => Some(rest),
            _ => None,
        }
    }
}

/// A number's bytes without leading zeros.
pub fn magnitude(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|it| **it == 0).count();
    &bytes[zeros..]
}

/// An element with these contents.
pub fn write(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let length: usize = contents.iter().map(|it| it.len()).sum();
    let mut out = vec![tag];
    if length < 0x80 {
        out.push(length as u8);
    } else {
        let digits = length.to_be_bytes();
        let digits = magnitude(&digits);
        out.push(0x80 | digits.len() as u8);
        out.extend_from_slice(digits);
    }
    contents.iter().for_each(|it| out.extend_from_slice(it));
    out
}

/// A number that is not negative as an `INTEGER`.
pub fn write_integer(number: &[u8]) -> Vec<u8> {
    let number = magnitude(number);
    let sign: &[u8] = match number.first() {
        Some(0..0x80) => &[],
        _ => &[0],
    };
    write(INTEGER, &[sign, number])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_are_definite_and_short() {
        for (bytes, expected) in [
            (&[0x04, 1, 7][..], Some(&[7][..])),
            (&[0x04, 0x80, 7, 0, 0], None),
            (&[0x04, 0x81, 1, 7], None),
            (&[0x04, 0x82, 0, 1, 7], None),
            (&[0x04, 2, 7], None),
            (&[0x04], None),
            (&[], None),
        ] {
            assert_eq!(Reader::new(bytes).take(OCTET_STRING), expected, "{bytes:?}");
        }
        assert_eq!(Reader::new(&[2, 1, 0x80]).integer(), None);
        assert_eq!(Reader::new(&[2, 2, 0, 0x80]).integer(), Some(&[0x80][..]));
        assert_eq!(write_integer(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(write_integer(&[]), [2, 1, 0]);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(contents in proptest::collection::vec(any::<u8>(), 0..70_000)) {
            let written = write(OCTET_STRING, &[&contents]);
            let mut reader = Reader::new(&written);
            prop_assert_eq!(reader.take(OCTET_STRING), Some(&contents[..]));
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let mut reader = Reader::new(&bytes);
            while reader.element().is_some() {}
        }
    }
}
