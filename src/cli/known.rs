//! The values of the inventory in use, ready to be found in texts. Not here: the search, nor the store.

use super::message::Fault;
use crate::inventory::Store;
use crate::scan::KnownValues;
use std::sync::Arc;

/// Those of an inventory; none without its key.
pub(super) fn values(store: Option<&Store>) -> Result<Option<Arc<KnownValues>>, Fault> {
    let Some((store, seal)) = store.and_then(|it| Some((it, it.fingerprinter()?))) else {
        return Ok(None);
    };
    let tagged = store.tagged()?;
    Ok(tagged.map(|it| Arc::new(KnownValues::new(&seal, &it))))
}
