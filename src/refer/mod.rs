//! References to secret objects in a text.

use crate::model::reference::Mention;

/// Reads every reference syntax that fits the path and the text; mentions come sorted by place.
/// `text` is UTF-8 text of the whole file. `malformed` is called with a sentence when the file names a
/// structure (YAML, JSON) that it does not have.
pub fn read(_path: &str, _text: &str, _malformed: &mut dyn FnMut(String)) -> Vec<Mention> {
    Vec::new()
}
