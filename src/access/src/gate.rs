//! How many connections may be inside, and who has to go when there are more.
//!
//! A connection is a stranger until a call on it was let in. When all places are taken, a stranger
//! has to give way to whoever comes, and which one is left to chance: so a crowd that only opens
//! connections drives out itself. Who is let in a moment after coming is hardly ever hit.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rand::Rng as _;
use tokio_util::sync::CancellationToken;

use crate::metrics::{self, Refused};
use crate::peer::origin;

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// In all.
    pub all: usize,
    /// From one address, or one network of IPv6 (/64).
    pub of_address: usize,
}

/// The gate that the connections of one or several doors go through.
#[derive(Debug)]
pub struct Gate {
    room: Room,
    inside: Mutex<Inside>,
}

#[derive(Debug, Default)]
struct Inside {
    next: u64,
    guests: HashMap<u64, Guest>,
    of_address: HashMap<IpAddr, usize>,
    /// Who has not been let in by any call, in no order.
    strangers: Vec<u64>,
}

#[derive(Debug)]
struct Guest {
    origin: IpAddr,
    out: CancellationToken,
    /// Where it is among the strangers.
    stranger: Option<usize>,
}

/// The place of a connection inside, until it is dropped.
#[derive(Debug)]
pub(crate) struct Pass {
    gate: Arc<Gate>,
    id: u64,
    out: CancellationToken,
}

impl Gate {
    /// An open one.
    pub fn new(room: Room) -> Arc<Self> {
        metrics::declare();
        Arc::new(Self { room, inside: Mutex::default() })
    }

    /// Lets a connection in, and drives a stranger out for it if need be. `None` if there is none.
    pub(crate) fn admit(self: &Arc<Self>, address: SocketAddr) -> Option<Pass> {
        let origin = origin(address.ip());
        let mut inside = self.inside();
        let of_address = inside.of_address.get(&origin).copied().unwrap_or_default();
        let gives_way = if of_address >= self.room.of_address {
            inside.any_stranger_of(origin)
        } else if inside.guests.len() >= self.room.all {
            inside.any_stranger()
        } else {
            return Some(self.enter(&mut inside, origin));
        };
        let Some(gives_way) = gives_way else {
            metrics::refused(Refused::Full);
            return None;
        };
        metrics::refused(Refused::DrivenOut);
        inside.leave(gives_way);
        Some(self.enter(&mut inside, origin))
    }

    fn enter(self: &Arc<Self>, inside: &mut Inside, origin: IpAddr) -> Pass {
        let (id, out) = (inside.next, CancellationToken::new());
        inside.next += 1;
        let stranger = Some(inside.strangers.len());
        inside.strangers.push(id);
        *inside.of_address.entry(origin).or_default() += 1;
        inside.guests.insert(id, Guest { origin, out: out.clone(), stranger });
        metrics::opened();
        Pass { gate: Arc::clone(self), id, out }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn any_stranger(&self) -> Option<u64> {
        let count = self.strangers.len();
        (count > 0).then(|| self.strangers[rand::rng().random_range(0..count)])
    }

    fn any_stranger_of(&self, origin: IpAddr) -> Option<u64> {
        let is_of = |id: &&u64| self.guests.get(*id).is_some_and(|guest| guest.origin == origin);
        let of_origin: Vec<u64> = self.strangers.iter().filter(is_of).copied().collect();
        let count = of_origin.len();
        (count > 0).then(|| of_origin[rand::rng().random_range(0..count)])
    }

    /// Takes a connection out, whether it goes or is driven out.
    fn leave(&mut self, id: u64) {
        self.befriend(id);
        let Some(guest) = self.guests.remove(&id) else { return };
        guest.out.cancel();
        if let Some(count) = self.of_address.get_mut(&guest.origin) {
            *count -= 1;
            if *count == 0 {
                self.of_address.remove(&guest.origin);
            }
        }
        metrics::closed();
    }

    /// Takes a connection off the strangers.
    fn befriend(&mut self, id: u64) {
        let Some(place) = self.guests.get_mut(&id).and_then(|guest| guest.stranger.take()) else {
            return;
        };
        self.strangers.swap_remove(place);
        if let Some(moved) = self.strangers.get(place).copied()
            && let Some(guest) = self.guests.get_mut(&moved)
        {
            guest.stranger = Some(place);
        }
    }
}

impl Pass {
    /// Says that a call was let in on it.
    pub(crate) fn is_known(&self) {
        self.gate.inside().befriend(self.id);
    }

    /// Cancelled when the connection has to go.
    pub(crate) fn out(&self) -> &CancellationToken {
        &self.out
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.inside().leave(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 1)
    }

    #[test]
    fn a_crowd_drives_out_itself_and_nobody_who_is_known() {
        let gate = Gate::new(Room { all: 10, of_address: 10 });
        let friends: Vec<Pass> =
            (0..4).map(|_| gate.admit(address("192.0.2.1")).unwrap()).collect();
        friends.iter().for_each(Pass::is_known);
        let crowd: Vec<Pass> =
            (0..1000).map(|_| gate.admit(address("192.0.2.2")).unwrap()).collect();
        assert!(friends.iter().all(|friend| !friend.out().is_cancelled()));
        assert_eq!(crowd.iter().filter(|pass| !pass.out().is_cancelled()).count(), 6);
        let inside = gate.inside();
        assert_eq!((inside.guests.len(), inside.strangers.len()), (10, 6));
    }

    #[test]
    fn when_all_are_known_nobody_else_enters_until_one_goes() {
        let gate = Gate::new(Room { all: 2, of_address: 2 });
        let friends = [gate.admit(address("::1")).unwrap(), gate.admit(address("::1")).unwrap()];
        friends.iter().for_each(Pass::is_known);
        assert!(gate.admit(address("192.0.2.1")).is_none());
        let [first, _second] = friends;
        drop(first);
        let pass = gate.admit(address("192.0.2.1")).unwrap();
        assert!(!pass.out().is_cancelled());
        drop(pass);
        assert_eq!(gate.inside().guests.len(), 1);
    }

    #[test]
    fn one_address_has_its_share_and_only_its_own_give_way() {
        let gate = Gate::new(Room { all: 10, of_address: 2 });
        let other = gate.admit(address("192.0.2.9")).unwrap();
        let first = gate.admit(address("2001:db8::1")).unwrap();
        let second = gate.admit(address("2001:db8::2")).unwrap();
        let _third = gate.admit(address("2001:db8::3")).unwrap();
        assert!(!other.out().is_cancelled());
        assert!(first.out().is_cancelled() != second.out().is_cancelled());
        assert_eq!(gate.inside().guests.len(), 3);
    }
}
