//! Views of a blob: its text in UTF-8, and texts hidden in encodings within it, with limits.
