//! The TOML file as a layer of settings.

use std::path::Path;

use super::{Error, Layer, SECTIONS};

/// Reads the file: what all programs share, and this program's section over it.
pub(super) fn layer(path: &Path, section: &str) -> Result<Layer, Error> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    let mut table: toml::Table = text.parse().map_err(|error| Error::NoToml {
        path: path.to_owned(),
        problem: problem(&text, &error),
    })?;
    for name in SECTIONS {
        let Some(toml::Value::Table(settings)) = table.get(name).cloned() else {
            continue;
        };
        table.remove(name);
        if name == section {
            table.extend(settings);
        }
    }
    let layer = Layer::new(path.display().to_string(), &table)?;
    Ok(Layer { file: Some(path.to_owned()), ..layer })
}

/// What is wrong, and where. The line itself is not shown: it may have a secret.
fn problem(text: &str, error: &toml::de::Error) -> String {
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else {
        return error.message().to_owned();
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1;
    format!("line {line}, column {column}: {}", error.message())
}
