//! Who read a secret, when and how often: what logs tell, and what of it is kept with a record.

/// One accessor of a record, over all logs that were imported.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Access {
    /// The person, role or workload, as the log names it.
    pub by: String,
    /// The first read known, seconds since the epoch.
    pub first: i64,
    /// The last read known.
    pub last: i64,
    /// Reads known: at least so many there were.
    pub count: u32,
}
