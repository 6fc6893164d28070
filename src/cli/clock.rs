//! The one place that reads the clock; everything below gets time as a value.

use jiff::Timestamp;

const DAY: i64 = 86_400;

/// Seconds since the epoch.
pub(super) fn now() -> i64 {
    Timestamp::now().as_second()
}

/// Today in UTC, so that one estate has one day everywhere.
pub(super) fn today() -> String {
    day(now())
}

/// The day this many days from now.
pub(super) fn in_days(days: i64) -> String {
    day(now() + days * DAY)
}

/// The day of a moment, `YYYY-MM-DD`; a dash for a moment outside the calendar.
pub(super) fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "-".to_owned(), |it| it.strftime("%Y-%m-%d").to_string())
}

/// A moment in full, for machines.
pub(super) fn moment(seconds: i64) -> Option<String> {
    Timestamp::from_second(seconds)
        .ok()
        .map(|it| it.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_as_days() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(1_795_478_400), "2026-11-24");
        assert_eq!(day(i64::MAX), "-");
        assert_eq!(moment(0).as_deref(), Some("1970-01-01T00:00:00Z"));
        assert!(in_days(90) > today());
    }
}
