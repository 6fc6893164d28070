//! keyatlas: know every secret: what exists, where it is used, where it is exposed, and what breaks
//! when you rotate it.
//!
//! This page is the map of the code. Bytes flow one way, from where they lie to a judgement:
//!
//! ```text
//!  source -> blob -> decode -> view -+-> detect -> finding -----+
//!                                    +-> refer  -> reference ---+-> assess -> map, verdict -> report
//!  import -> record -> inventory -> record ---------------------+
//! ```
//!
//! The upper lines are what was *found*; the lower line is what somebody *owns*. They meet once, in
//! [`assess`].
//!
//! # The dependency rule
//!
//! Nouns lie on the ground ([`model`]). Verbs stand on nouns and never meet. [`scan`] joins four verbs.
//! [`cli`] sees all; nobody sees `cli`. [`ledger`] keeps what one run leaves for the next, and reaches a scan
//! as a [`model::shelf::Shelf`]. [`syntax`] is no verb: pure readers from bytes to trees, open to
//! every verb. What two verbs must share is handed over by `scan`: a git bundle is a container to
//! [`decode`], and only [`source`] knows packs. `tests/house.rs` holds the rule as data and fails with the
//! file and line that break it.
//!
//! # What stays true
//!
//! 1. The library never prints, never exits, never reads the environment. Only `cli` does.
//! 2. A secret cannot be printed by accident: [`model::secret::Secret`] has no `Display`, its `Debug` is
//!    redacted; comparison across streams uses keyed fingerprints.
//! 3. No report format contains a raw value unless the caller asked; SARIF never does.
//! 4. Reading never fails as a whole: what could not be read becomes a coverage entry.
//! 5. Same input, same rules, same bytes out, whatever the number of threads. Time enters as a value.
//! 6. A blob is scanned once, however many origins it has.
//! 7. Every front end walks the same road: plan, scan, assess, report, exit.
//! 8. Scanning opens no socket and runs nothing that a scanned repository names. What uses the network
//!    (`import --addr`, `--fetch-missing`) runs before, and only when named.
//!
//! # Deliberately absent
//!
//! No validation of secrets against their providers: a scanner that calls out with every candidate
//! tells third parties what it found. Offline evidence (checksum, expiry, known samples, the
//! inventory) stands in its place. No plug-in trait: a rule is data, and every other addition is one
//! file in one folder with a row in that folder's table.

pub mod assess;
pub mod cli;
pub mod decode;
pub mod detect;
pub mod import;
pub mod inventory;
pub mod ledger;
pub mod model;
pub mod refer;
pub mod report;
pub mod ruleset;
pub mod scan;
pub mod settings;
pub mod source;
pub mod syntax;
