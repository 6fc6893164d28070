//! Records kept between runs: the SQLite store, the estate key, the merge of imports.
