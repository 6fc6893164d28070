//! Sizes as people write them: `4096`, `10M`, `1G`.
//!
//! Not here: what a size limits.

/// The units, in the order people think of them.
const UNITS: &[(&str, u64)] = &[("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];

/// Reads a number of bytes with an optional unit: `K`, `M`, `G`, also as `KB` or `KiB`; each is 1,024
/// of the one before.
pub fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let number = text.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let unit = text[number.len()..].to_ascii_uppercase();
    let unit = unit
        .strip_suffix("IB")
        .or_else(|| unit.strip_suffix('B'))
        .unwrap_or(&unit);
    let factor = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, factor)| *factor);
    let number: Option<u64> = number.trim_end().parse().ok();
    match (number, factor) {
        (Some(number), Some(factor)) => number
            .checked_mul(factor)
            .ok_or_else(|| format!("`{text}` is more bytes than can be counted")),
        _ => Err(format!(
            "`{text}` is no size; write bytes, or a whole number with K, M or G, as in 10M"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_with_and_without_units() {
        for (text, expected) in [
            ("0", Some(0)),
            ("4096", Some(4096)),
            ("10M", Some(10 << 20)),
            ("10m", Some(10 << 20)),
            ("1G", Some(1 << 30)),
            ("2KB", Some(2048)),
            ("2 KiB", Some(2048)),
            ("512B", Some(512)),
            ("", None),
            ("M", None),
            ("1.5M", None),
            ("-1", None),
            ("10X", None),
            ("10MM", None),
            ("99999999999999999999", None),
            ("99999999999G", None),
        ] {
            assert_eq!(bytes(text).ok(), expected, "{text}");
        }
    }
}
