//! Pure readers from bytes to trees, for every verb: no verb knowledge here.

pub mod asn1;
pub mod certificate;
pub mod comments;
pub mod escapes;
pub mod hcl;
pub mod jwt;
pub mod key;
mod keypair;
pub mod keystore;
pub mod literals;
pub mod manifest;
mod openssh;
pub mod pairs;
pub mod pem;
mod pgp;
pub mod public;
mod putty;
pub mod sealed;
mod sealing;
pub mod telling;
pub mod template;
pub mod yaml;
