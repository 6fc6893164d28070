//! Records kept between runs: the SQLite store, the estate key, the merge of imports.
//!
//! A store holds names, dates, owners and keyed fingerprints; no value ever reaches it. The key that made
//! the fingerprints lies in it too, wrapped by an installation key that lies elsewhere.

mod days;
mod error;
mod evidence;
mod health;
mod key;
mod merge;
mod people;
mod schema;
mod store;
mod table;
mod tags;

pub use error::Error;
pub use evidence::Noted;
pub use health::{AGES, Bands, COUNTS, Day, ENDING, Health, READS};
pub use key::Key;
pub use merge::Merge;
pub use store::{Source, Status, Store};
