//! How many may do something at once, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// Seats, of which each address may have some.
#[derive(Clone, Debug)]
pub struct Seats {
    max: usize,
    max_of_address: usize,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// A seat that is taken, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    taken: Arc<Mutex<Taken>>,
    address: IpAddr,
}

impl Seats {
    /// So many in all, and so many for one address.
    pub fn new(max: usize, max_of_address: usize) -> Self {
        Self { max, max_of_address, taken: Arc::default() }
    }

    /// Takes a seat, if there is one.
    pub fn take(&self, address: IpAddr) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Taken { all, by_address } = &mut *taken;
        if *all >= self.max {
            return None;
        }
        let of_address = by_address.entry(address).or_default();
        if *of_address >= self.max_of_address {
            return None;
        }
        *all += 1;
        *of_address += 1;
        Some(Seat { taken: Arc::clone(&self.taken), address })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        if let Some(of_address) = taken.by_address.get_mut(&self.address) {
            *of_address -= 1;
            if *of_address == 0 {
                taken.by_address.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seats_are_bounded_in_all_and_for_each_address_and_come_free_again() {
        let address = |last| IpAddr::from([192, 0, 2, last]);
        let seats = Seats::new(3, 2);
        let first = seats.take(address(1)).unwrap();
        let _second = seats.take(address(1)).unwrap();
        assert!(seats.take(address(1)).is_none(), "one address has its two");
        let _third = seats.take(address(2)).unwrap();
        assert!(seats.take(address(2)).is_none(), "all are taken");
        drop(first);
        let _again = seats.take(address(1)).unwrap();
    }
}
