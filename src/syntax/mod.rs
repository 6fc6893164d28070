//! Pure readers from bytes to trees, for every verb: no verb knowledge here.
