//! What keeps the queue.

/// What a store says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreInfo {
    /// What it is, and which version: `redis 7.0.15`, `valkey 8.0.1`, `embedded`.
    pub version: String,
    /// The memory it uses, or the size of its file, in bytes.
    pub used_bytes: u64,
    /// How much it may use, in bytes; 0 when it has no limit.
    pub limit_bytes: u64,
}
