//! Whether the store and the folder mean the same roll.
//!
//! A writer publishes the roll, then its manifest, and then tells the store what the roll holds. So the
//! manifest can be ahead of the store: by one publication if the writer was lost in between, and by
//! those of the last seconds if the store has lost its own last seconds. Every other difference has
//! another cause, and a writer that went on would lose batches or write them twice.

use std::fmt;
use std::time::Duration;

use muster_queue::RollState;
use muster_roll::{Entry, Manifest};

/// How the store and the folder agree.
#[derive(Debug, PartialEq)]
pub(super) enum Agreement {
    /// They mean the same roll, and the same batches in it.
    Same,
    /// Neither has a roll.
    NoRoll,
    /// The store does not know of the last batches in the roll. It must be told.
    StoreBehind {
        /// These batches.
        batches: Vec<String>,
    },
    /// The manifest has no id, because an earlier version wrote it. It must get one.
    NoId {
        /// The id, if the store knows it.
        id: Option<String>,
    },
}

/// How the store and the folder differ.
#[derive(Debug, PartialEq, Eq)]
pub enum Difference {
    /// The store knows a roll, and the folder has none.
    NotHere(RollState),
    /// They have different rolls.
    OtherRoll {
        /// What the store knows.
        store: RollState,
        /// What is in the folder.
        here: RollState,
    },
    /// The folder has a roll with batches, and the store knows none.
    EmptyStore(RollState),
    /// The roll lacks batches.
    RollBehind {
        /// What the store knows.
        store: RollState,
        /// What is in the folder.
        here: RollState,
    },
    /// The store lacks batches, and not only the last ones.
    StoreBehind {
        /// What the store knows.
        store: RollState,
        /// What is in the folder.
        here: RollState,
    },
    /// Both have batches that the other does not have.
    Diverged {
        /// What the store knows.
        store: RollState,
        /// What is in the folder.
        here: RollState,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotHere(store) => write!(
                f,
                "the store knows {store}, and this folder has no roll: it is not mounted, was moved, \
                 or is the wrong folder"
            ),
            Self::OtherRoll { store, here } if here.id.is_empty() => write!(
                f,
                "the store knows {store}, and the roll in this folder has no id: an earlier version \
                 of Muster wrote it, or it is a copy"
            ),
            Self::OtherRoll { store, here } => write!(
                f,
                "the store knows {store}, and this folder has {here}: the folder or the store \
                 belongs to another installation"
            ),
            Self::EmptyStore(here) => write!(
                f,
                "this folder has {here}, and the store knows no roll: the store was emptied, or is \
                 the wrong store"
            ),
            Self::RollBehind { store, here } => write!(
                f,
                "the store knows {store}, and this folder has {here}: the roll is an older copy"
            ),
            Self::StoreBehind { store, here } => write!(
                f,
                "this folder has {here}, and the store knows {store}: the store is an older copy"
            ),
            Self::Diverged { store, here } => write!(
                f,
                "the store knows {store}, and this folder has {here}, but they are not the same \
                 batches: one of the two is a copy from which others went on"
            ),
        }
    }
}

/// What the store is to know of this roll.
pub(super) fn state_of(manifest: &Manifest) -> RollState {
    let Manifest { id, batches, sha256, .. } = manifest;
    RollState { id: id.clone(), batches: *batches, sha256: sha256.clone() }
}

/// Compares what the store knows, which was asked first, with the manifest in the folder. `may_forget` is
/// the time whose last writes the store may lose.
pub(super) fn compare(
    store: Option<&RollState>,
    manifest: Option<&Manifest>,
    may_forget: Duration,
) -> Result<Agreement, Difference> {
    let manifest = match (store, manifest) {
        (None, None) => return Ok(Agreement::NoRoll),
        (Some(store), None) => return Err(Difference::NotHere(store.clone())),
        (_, Some(manifest)) => manifest,
    };
    let here = state_of(manifest);
    let Some(store) = store else {
        return match (here.id.is_empty(), here.batches) {
            (true, _) => Ok(Agreement::NoId { id: None }),
            // The writer that began it was interrupted.
            (false, 0) if !manifest.known_to_store => {
                Ok(Agreement::StoreBehind { batches: Vec::new() })
            }
            (false, _) => Err(Difference::EmptyStore(here)),
        };
    };
    let (id, store) = (store.id.clone(), store.clone());
    if here.id.is_empty() && (here.batches, &here.sha256) == (store.batches, &store.sha256) {
        return Ok(Agreement::NoId { id: Some(id) });
    }
    if here.id != id {
        return compare_previous(&store, manifest, may_forget)
            .ok_or(Difference::OtherRoll { store, here });
    }
    if here == store {
        return Ok(Agreement::Same);
    }
    if here.batches < store.batches {
        return Err(Difference::RollBehind { store, here });
    }
    let Some(sha256) = manifest.sha256_at(store.batches) else {
        return Err(Difference::StoreBehind { store, here });
    };
    if sha256 != store.sha256 || here.batches == store.batches {
        return Err(Difference::Diverged { store, here });
    }
    let added = || manifest.added_since(store.batches);
    if !were_added_within(added(), may_forget) {
        return Err(Difference::StoreBehind { store, here });
    }
    Ok(Agreement::StoreBehind { batches: added().map(|entry| entry.batch.clone()).collect() })
}

/// Compares what the store knows with the roll before this one: the store may not know yet that it was
/// rotated. `None` where they do not agree.
fn compare_previous(
    store: &RollState,
    manifest: &Manifest,
    may_forget: Duration,
) -> Option<Agreement> {
    let previous = manifest.previous.as_deref().filter(|previous| previous.id == store.id)?;
    let mut batches = match compare(Some(store), Some(previous), may_forget).ok()? {
        Agreement::StoreBehind { batches } => batches,
        _ => Vec::new(),
    };
    let is_recent = were_added_within(manifest.recent.iter(), may_forget);
    batches.extend(manifest.recent.iter().map(|entry| entry.batch.clone()));
    is_recent.then_some(Agreement::StoreBehind { batches })
}

/// Whether the store can have forgotten these entries, if it loses what it was told in this time. It is
/// told of a writing before the next one begins, so the time counts from then on; those of one writing it may
/// never have been told of.
fn were_added_within<'a>(added: impl Iterator<Item = &'a Entry>, time: Duration) -> bool {
    let mut written = added.map(|entry| entry.written_ms);
    let Some(first) = written.next() else { return true };
    let Some(next) = written.find(|next| *next > first) else { return true };
    let last = written.last().unwrap_or(next);
    !time.is_zero() && Duration::from_millis(last.saturating_sub(next)) <= time
}

#[cfg(test)]
mod tests {
    use muster_roll::FORGETTING;

    use super::*;

    /// A roll with batches that were added a second after one another.
    fn roll(id: &str, batches: u64) -> Manifest {
        let mut manifest = Manifest::of_new_roll(id.to_owned());
        for batch in 1..=batches {
            let (name, sha256) = (format!("b{batch}"), format!("{id}{batch}"));
            manifest.add(Entry {
                batch: name,
                records: 1,
                written_ms: batch * 1000,
                roll_sha256: sha256.clone(),
                ..Entry::default()
            });
            manifest.sha256 = sha256;
        }
        manifest
    }

    fn state(id: &str, batches: u64) -> RollState {
        state_of(&roll(id, batches))
    }

    fn agree(
        store: Option<RollState>,
        manifest: Option<Manifest>,
    ) -> Result<Agreement, Difference> {
        compare(store.as_ref(), manifest.as_ref(), FORGETTING)
    }

    #[test]
    fn what_a_crash_explains_is_agreement() {
        let behind = |batches: &[&str]| Agreement::StoreBehind {
            batches: batches.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(agree(None, None), Ok(Agreement::NoRoll));
        assert_eq!(agree(None, Some(roll("a", 0))), Ok(behind(&[])));
        let known = Manifest { known_to_store: true, ..roll("a", 0) };
        assert_eq!(agree(None, Some(known)), Err(Difference::EmptyStore(state("a", 0))));
        assert_eq!(agree(Some(state("a", 3)), Some(roll("a", 3))), Ok(Agreement::Same));
        assert_eq!(agree(Some(state("a", 1)), Some(roll("a", 3))), Ok(behind(&["b2", "b3"])));
        assert_eq!(agree(Some(state("a", 0)), Some(roll("a", 1))), Ok(behind(&["b1"])));
    }

    #[test]
    fn roll_of_an_earlier_version_gets_an_id() {
        let no_id = |batches| Manifest { id: String::new(), ..roll("a", batches) };
        assert_eq!(agree(None, Some(no_id(3))), Ok(Agreement::NoId { id: None }));
        let known = Some(state("a", 3));
        let id = Some("a".to_owned());
        assert_eq!(agree(known.clone(), Some(no_id(3))), Ok(Agreement::NoId { id }));
        assert!(matches!(agree(known, Some(no_id(4))), Err(Difference::OtherRoll { .. })));
    }

    #[test]
    fn any_other_difference_is_named() {
        let store = |batches| state("a", batches);
        for (difference, store, here) in [
            (Difference::NotHere(store(0)), Some(store(0)), None),
            (
                Difference::OtherRoll { store: store(3), here: state("b", 3) },
                Some(store(3)),
                Some(roll("b", 3)),
            ),
            (Difference::EmptyStore(state("a", 1)), None, Some(roll("a", 1))),
            (
                Difference::RollBehind { store: store(3), here: state("a", 2) },
                Some(store(3)),
                Some(roll("a", 2)),
            ),
            // More than the store may lose, and more than the manifest names.
            (
                Difference::StoreBehind { store: store(1), here: state("a", 14) },
                Some(store(1)),
                Some(roll("a", 14)),
            ),
            (
                Difference::StoreBehind { store: store(1), here: state("a", 300) },
                Some(store(1)),
                Some(roll("a", 300)),
            ),
            (
                Difference::Diverged {
                    store: RollState { sha256: "other".to_owned(), ..store(2) },
                    here: state("a", 3),
                },
                Some(RollState { sha256: "other".to_owned(), ..store(2) }),
                Some(roll("a", 3)),
            ),
            (
                Difference::Diverged {
                    store: RollState { sha256: "other".to_owned(), ..store(3) },
                    here: state("a", 3),
                },
                Some(RollState { sha256: "other".to_owned(), ..store(3) }),
                Some(roll("a", 3)),
            ),
        ] {
            assert_eq!(agree(store, here), Err(difference));
        }
    }

    #[test]
    fn store_may_not_know_yet_that_the_roll_was_rotated() {
        let rotated =
            |batches| Manifest { previous: Some(Box::new(roll("a", 3))), ..roll("b", batches) };
        let behind = |batches: &[&str]| Agreement::StoreBehind {
            batches: batches.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(agree(Some(state("a", 3)), Some(rotated(0))), Ok(behind(&[])));
        assert_eq!(agree(Some(state("a", 2)), Some(rotated(1))), Ok(behind(&["b3", "b1"])));
        assert_eq!(agree(Some(state("b", 1)), Some(rotated(1))), Ok(Agreement::Same));
        for (store, here) in
            [(state("a", 4), rotated(0)), (state("c", 3), rotated(0)), (state("a", 3), rotated(13))]
        {
            let agreed = agree(Some(store), Some(here));
            assert!(matches!(agreed, Err(Difference::OtherRoll { .. })), "{agreed:?}");
        }
    }

    #[test]
    fn store_that_loses_nothing_may_be_behind_by_one_publication_only() {
        let compare =
            |known| compare(Some(&state("a", known)), Some(&roll("a", 3)), Duration::ZERO);
        assert!(matches!(compare(2), Ok(Agreement::StoreBehind { .. })));
        assert!(matches!(compare(1), Err(Difference::StoreBehind { .. })));
    }
}
