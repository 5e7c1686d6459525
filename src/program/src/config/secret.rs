//! A setting that is a secret, from a file of its own.

use std::path::PathBuf;

use figment::value::Value;

use super::{Error, Layer};

/// Puts what the file says that `store_file` names in the place of `store`. A program without a
/// store leaves the file alone: it need not be allowed to read it.
pub(super) fn read_store(mut layer: Layer, has_store: bool) -> Result<Layer, Error> {
    let Some(file) = layer.values.remove("store_file") else {
        return Ok(layer);
    };
    let bad = |problem: &str| Error::BadValue {
        key: "store_file".to_owned(),
        origin: layer.name.clone(),
        problem: problem.to_owned(),
    };
    if layer.values.contains_key("store") {
        return Err(bad("there is `store` beside it"));
    }
    let path = PathBuf::from(file.as_str().ok_or_else(|| bad("is not the name of a file"))?);
    if has_store {
        let text = std::fs::read_to_string(&path)
            .map_err(|source| Error::Unreadable { path: path.clone(), source })?;
        layer.name = path.display().to_string();
        layer.values.insert("store".to_owned(), Value::from(text.trim()));
    }
    Ok(layer)
}
