//! What travels beside the messages, as gRPC metadata. All of it is optional.

/// The batch the records belong to. Sent twice under one id, a batch counts once.
///
/// Without it the server makes one up, and says which in the response's metadata.
pub const BATCH: &str = "muster-batch";

/// The place in the batch of the stream's first record, or of the unary call's record; from 0.
///
/// Unary calls that name a batch must give it: it is what tells a repeated call from a new record.
pub const PLACE: &str = "muster-place";

/// The digest of the records of the batch before [`PLACE`], 32 hexadecimal digits, with a stream that
/// goes on with a batch. It is computed as `muster_content::ContentDigest` says. The stream is refused
/// if the batch has different records. Without it, that is not checked, unless the stream begins with
/// the first record.
pub const DIGEST: &str = "muster-digest";

/// Which batches are processed first: `high`, `normal` (the default), `low`.
pub const PRIORITY: &str = "muster-priority";

/// What becomes of the batch when some of its records are dead letters: `partial` (the default) or
/// `fail`.
pub const POLICY: &str = "muster-policy";

/// The trace that the call is part of, as in W3C Trace Context.
pub const TRACE: &str = "traceparent";

/// With a roll that is downloaded: its length in bytes.
pub const ROLL_BYTES: &str = "muster-roll-bytes";

/// With a roll that is downloaded: its SHA-256, in hexadecimal.
pub const ROLL_SHA256: &str = "muster-roll-sha256";

/// With a roll that is downloaded: how many records, batches and dead letters its manifest counts.
pub const ROLL_RECORDS: &str = "muster-roll-records";
/// See [`ROLL_RECORDS`].
pub const ROLL_BATCHES: &str = "muster-roll-batches";
/// See [`ROLL_RECORDS`].
pub const ROLL_DEAD: &str = "muster-roll-dead";

/// With the answer that a batch does not fit into the store: how much memory it takes so far, in bytes,
pub const STORED_BYTES: &str = "muster-stored-bytes";
/// how many records it has so far,
pub const STORED_RECORDS: &str = "muster-stored-records";
/// and how much memory the store may use.
pub const STORE_LIMIT_BYTES: &str = "muster-store-limit-bytes";

/// In an answer `RESOURCE_EXHAUSTED`: after how many milliseconds to try again. gRPC clients with
/// a retry policy know it (gRPC proposal A6).
pub const RETRY_AFTER: &str = "grpc-retry-pushback-ms";
