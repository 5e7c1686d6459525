//! What was counted before: `bench/instructions.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

const HEAD: &str = "\
# How many instructions the hot functions take, a record. `released` is that of `--release`, `tested`
# that of the profile in which the tests run.
";

/// By name: how many instructions a record takes, for each way to compile.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    released: BTreeMap<String, u32>,
    tested: BTreeMap<String, u32>,
}

impl Baseline {
    pub(super) const HOW_TO_WRITE: &str = "write it by `muster-bench instructions --write`, with and \
        without `--release`";

    pub(super) fn read() -> anyhow::Result<Self> {
        let path = path();
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{}", path.display()))
    }

    pub(super) fn get(&self, name: &str) -> Option<u32> {
        let ours = if cfg!(debug_assertions) { &self.tested } else { &self.released };
        ours.get(name).copied()
    }

    pub(super) fn set(&mut self, name: &str, count: u32) {
        let ours = if cfg!(debug_assertions) { &mut self.tested } else { &mut self.released };
        ours.insert(name.to_owned(), count);
    }

    pub(super) fn write(&self) -> anyhow::Result<()> {
        Ok(fs::write(path(), format!("{HEAD}\n{}", toml::to_string(self)?))?)
    }
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions.toml")
}
