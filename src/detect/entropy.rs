//! Measures of randomness of a value's bytes.

/// Shannon entropy in bits per byte, from the value's own byte frequencies.
pub(crate) fn shannon(value: &[u8]) -> f32 {
    if value.is_empty() {
        return 0.0;
    }
    let mut counts = [0u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let total = value.len() as f32;
    counts
        .iter()
        .filter(|it| **it > 0)
        .map(|it| *it as f32 / total)
        .map(|share| -share * share.log2())
        .sum()
}

/// The share of the value's length that rises, falls or repeats in steps of one (`abcd`, `9876`, `aaaa`).
pub(crate) fn sequence_share(value: &[u8]) -> f32 {
    if value.len() < 3 {
        return 0.0;
    }
    let steps = value.windows(3).filter(|it| {
        let (a, b) = (
            i16::from(it[1]) - i16::from(it[0]),
            i16::from(it[2]) - i16::from(it[1]),
        );
        a == b && a.abs() <= 1
    });
    steps.count() as f32 / (value.len() - 2) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_of_known_texts() {
        assert!((shannon(b"aaaa") - 0.0).abs() < 1e-6);
        assert!((shannon(b"abcd") - 2.0).abs() < 1e-6);
        assert!(sequence_share(b"abcdefgh") > 0.9);
        assert!(sequence_share(b"q9Zk27xP") < 0.1);
    }
}
