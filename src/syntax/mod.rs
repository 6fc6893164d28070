//! Pure readers from bytes to trees, for every verb: no verb knowledge here.

pub mod asn1;
pub mod certificate;
pub mod hcl;
pub mod jwt;
pub mod key;
mod keypair;
pub mod literals;
pub mod manifest;
mod openssh;
pub mod pem;
mod pgp;
mod putty;
pub mod sealed;
pub mod telling;
pub mod yaml;
