//! What travels beside the messages, as gRPC metadata. All of it is optional.

/// The batch the records belong to. Sent twice under one id, a batch counts once.
///
/// Without it the server makes one up, and says which in the response's metadata.
pub const BATCH: &str = "muster-batch";

/// The place in the batch of the stream's first record, or of the unary call's record; from 0.
///
/// Unary calls that name a batch must give it: it is what tells a repeated call from a new record.
pub const PLACE: &str = "muster-place";

/// Which batches are processed first: `high`, `normal` (the default), `low`.
pub const PRIORITY: &str = "muster-priority";
