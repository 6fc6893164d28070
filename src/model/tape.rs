//! A tape: numbers and bytes written one after another, and read back in the same order.
//!
//! Not here: what they mean. Reading never panics: a tape that was cut off, or is another, reads as `None`.

/// Writes.
#[derive(Default, Debug)]
pub struct Tape(Vec<u8>);

impl Tape {
    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Adds a small number.
    pub fn byte(&mut self, number: u8) {
        self.0.push(number);
    }

    /// Adds a number; small ones take little room.
    pub fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    /// Adds a number that is as likely large as small, or negative.
    pub fn whole(&mut self, number: i64) {
        self.0.extend(number.to_le_bytes());
    }

    /// Adds bytes whose number is known to whoever reads.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend(bytes);
    }

    /// Adds bytes with their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }
}

/// Reads what was written.
#[derive(Clone, Debug)]
pub struct Reel<'a>(&'a [u8]);

impl<'a> Reel<'a> {
    /// From the beginning.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// A small number.
    pub fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number.
    pub fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    /// A number that fits in four bytes.
    pub fn short(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    /// How many follow: no more than there are bytes left, so that room can be made for them.
    pub fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.number()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    /// As [`Tape::whole`] wrote it.
    pub fn whole(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.raw()?))
    }

    /// Bytes of a known number.
    pub fn raw<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*bytes)
    }

    /// Bytes with their number.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let count = self.count()?;
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }

    /// Whether all was read.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_no_part_of_it_passes_for_all() {
        let numbers = [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX];
        let mut tape = Tape::default();
        numbers.iter().for_each(|it| tape.number(*it));
        tape.whole(-5);
        tape.raw(b"abc");
        tape.bytes(b"some");
        tape.byte(9);
        let bytes = tape.into_bytes();
        let read = |bytes: &[u8]| {
            let mut reel = Reel::new(bytes);
            for number in numbers {
                assert_eq!(reel.number()?, number);
            }
            assert_eq!(reel.whole()?, -5);
            assert_eq!(&reel.raw::<3>()?, b"abc");
            assert_eq!(reel.bytes()?, b"some");
            assert_eq!(reel.byte()?, 9);
            reel.is_over().then_some(())
        };
        assert_eq!(read(&bytes), Some(()));
        for length in 0..bytes.len() {
            assert_eq!(read(&bytes[..length]), None);
        }
        assert_eq!(read(&[&bytes[..], b"x"].concat()), None);
    }

    #[test]
    fn a_count_beyond_the_end_is_refused() {
        let mut tape = Tape::default();
        tape.number(1 << 40);
        let bytes = tape.into_bytes();
        assert_eq!(Reel::new(&bytes).count(), None);
        assert_eq!(Reel::new(&bytes).short(), None);
        assert_eq!(Reel::new(&[0xff; 20]).number(), None);
    }
}
