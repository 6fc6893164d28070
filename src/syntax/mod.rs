//! Pure readers from bytes to trees, for every verb: no verb knowledge here.

pub mod hcl;
pub mod literals;
pub mod manifest;
pub mod yaml;
