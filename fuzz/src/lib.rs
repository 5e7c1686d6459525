//! What must hold of Muster whatever it is given: one function for each way in, which panics when it
//! does not hold. Fuzzers call them (`libfuzzer/`), and so do the tests (`tests/`).
//!
//! | module | what is in it |
//! | --- | --- |
//! | `targets` | one file a target |
//! | `parts` | how one input becomes several |
//! | `shown` | what may stand in a line, and on a page |
//! | `world` | a server's services on a store of their own, in this process |
//! | `call` | what an input asks of a world |
//! | `answer` | what must hold of every answer |
//! | `work` | what workers do in a world |
//! | `scratch` | files that live as long as one input |

mod answer;
mod call;
mod parts;
mod scratch;
mod shown;
mod targets;
mod work;
mod world;

pub use targets::chunk::chunk;
pub use targets::config::config;
pub use targets::dashboard::dashboard;
pub use targets::json::{json, records};
pub use targets::metadata::metadata;
pub use targets::printable::printable;
pub use targets::record::record;
pub use targets::server::server;
pub use targets::store_url::store_url;

/// What is called with any bytes.
pub type Target = fn(&[u8]);

/// Every target, by its name.
pub const TARGETS: [(&str, Target); 9] = [
    ("chunk", chunk),
    ("config", config),
    ("dashboard", dashboard),
    ("json", json),
    ("metadata", metadata),
    ("printable", printable),
    ("record", record),
    ("server", server),
    ("store_url", store_url),
];
