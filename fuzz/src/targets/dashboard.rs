//! The dashboard, on a store that others have written to.

use crate::world;

/// What is there before the input is played: records with names that are HTML, that a terminal
/// obeys, that turn the text around; some dead, for such reasons.
const BEFORE: &[u8] = include_bytes!("dashboard/before");

/// Any paths, queries and forms have answers that are harmless whatever the store has.
pub fn dashboard(data: &[u8]) {
    world::play(BEFORE, data);
}
