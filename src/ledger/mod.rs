//! What is kept between runs beside the inventory: at present, pages that say what of a repository was
//! read before, so that it need not be read again.
//!
//! Not here: what stands on a page (see `source::past`). Losing all of it costs time and nothing else.

mod cache;
mod error;

pub use cache::{Cache, FILE, LIMIT};
pub use error::Error;
