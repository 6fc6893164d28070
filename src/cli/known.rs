//! The values of the inventory in use, ready to be found in texts. Not here: the search, nor the store.

use super::message::Fault;
use crate::inventory::Store;
use crate::scan::KnownValues;
use crate::syntax::telling;
use std::sync::Arc;

/// Those of an inventory; none without its key.
pub(super) fn values(store: Option<&Store>) -> Result<Option<Arc<KnownValues>>, Fault> {
    let Some((store, seal)) = store.and_then(|it| Some((it, it.fingerprinter()?))) else {
        return Ok(None);
    };
    let tagged = store.tagged()?;
    Ok(tagged.map(|it| Arc::new(KnownValues::new(&seal, &it))))
}

/// The same, and a value that somebody holds in memory: no store need have it.
pub(super) fn values_and(store: &Store, value: &[u8]) -> Result<Option<Arc<KnownValues>>, Fault> {
    let Some(seal) = store.fingerprinter() else {
        return Ok(None);
    };
    let mut tagged = store.tagged()?.unwrap_or_default();
    let print = seal.fingerprint(value);
    if let Err(at) = tagged.values.binary_search_by_key(&print, |it| it.0) {
        let tag = telling::tag(value, &seal);
        tagged.values.insert(at, (print, tag));
    }
    Ok(Some(Arc::new(KnownValues::new(&seal, &tagged))))
}
