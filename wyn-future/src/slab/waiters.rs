//! Who waits for which entry: the cold side of the slab.
//!
//! Registered waiters live in a few arenas under locks, chained per slot from the slot's link. Registering marks
//! the slot under the arena's lock; the thread that settles or closes a marked entry takes the whole chain under
//! the same lock *before* the slot can be reused, and wakes it afterwards.
//!
//! No code of the user runs under a lock: wakers are cloned before, woken and dropped after.

use std::sync::PoisonError;
use std::task::Waker;

use super::key::{Index, Key};
use super::slot::{Slot, Unmarked};
use crate::sync::{Mutex, MutexGuard, Thread};

const SHARDS: usize = if cfg!(wyn_loom) { 1 } else { 8 };
const NONE: u32 = 0;

pub(super) enum Waiter {
    Thread(Thread),
    Task(Waker),
}

/// Proof of a registration, to undo it with.
#[derive(Debug)]
pub(super) struct Ticket {
    at: u32,
    number: u64,
}

pub(super) struct Waiters {
    shards: [Mutex<Shard>; SHARDS],
}

/// An arena of entries; places are reused, so nothing is allocated once it has grown to the most there ever were.
struct Shard {
    places: Vec<Place>,
    /// First vacant place + 1.
    vacant: u32,
    /// Number of the latest ticket: tells a registration from a later one in the same place.
    tickets: u64,
}

struct Place {
    /// Next place + 1 of the same chain.
    next: u32,
    ticket: u64,
    /// `None` in vacant places.
    waiter: Option<Waiter>,
}

/// Waiters to be woken, by dropping them: so one that panics does not keep the others asleep.
#[must_use = "dropping it wakes the waiters; do so when the entry is settled"]
#[derive(Default)]
pub(super) struct Woken {
    first: Option<WakeOnDrop>,
    others: Vec<WakeOnDrop>,
}

struct WakeOnDrop(Option<Waiter>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        match self.0.take() {
            Some(Waiter::Thread(thread)) => thread.unpark(),
            Some(Waiter::Task(waker)) => waker.wake(),
            None => {}
        }
    }
}

impl Waiters {
    pub(super) fn new() -> Self {
        let shard = || Shard { places: Vec::new(), vacant: NONE, tickets: 0 };
        Self { shards: std::array::from_fn(|_| Mutex::new(shard())) }
    }

    fn lock(&self, index: Index) -> MutexGuard<'_, Shard> {
        let shard = &self.shards[index.0 as usize % SHARDS];
        // Nothing under the lock can panic halfway through a change.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a waiter for a pending entry. Whoever settles or closes the entry will wake it.
    pub(super) fn register<T>(
        &self,
        key: Key,
        slot: &Slot<T>,
        waiter: Waiter,
    ) -> Result<Ticket, (Unmarked, Waiter)> {
        let mut shard = self.lock(key.index());
        match slot.mark_waited(key.generation()) {
            Ok(()) => Ok(shard.push(slot, waiter)),
            Err(why) => Err((why, waiter)),
        }
    }

    /// Undoes a registration; `None` if the waiter has been woken, or is about to be.
    pub(super) fn unregister<T>(&self, index: Index, slot: &Slot<T>, ticket: &Ticket) -> Option<Waiter> {
        self.lock(index).remove(slot, ticket)
    }

    /// All waiters of the slot, which the caller has claimed or owns.
    #[cold]
    #[inline(never)]
    pub(super) fn drain<T>(&self, index: Index, slot: &Slot<T>) -> Woken {
        let mut shard = self.lock(index);
        let mut woken = Woken::default();
        let mut link = slot.link();
        while link != NONE {
            let at = link - 1;
            link = shard.places[at as usize].next;
            let waiter = WakeOnDrop(shard.vacate(at));
            match &woken.first {
                None => woken.first = Some(waiter),
                Some(_) => woken.others.push(waiter),
            }
        }
        slot.set_link(NONE);
        woken
    }
}

impl Shard {
    fn push<T>(&mut self, slot: &Slot<T>, waiter: Waiter) -> Ticket {
        self.tickets += 1;
        let place = Place { next: slot.link(), ticket: self.tickets, waiter: Some(waiter) };
        let at = match self.vacant {
            NONE => {
                let at = u32::try_from(self.places.len()).expect("fewer than 2^32 waiters");
                self.places.push(place);
                at
            }
            vacant => {
                let at = vacant - 1;
                self.vacant = self.places[at as usize].next;
                self.places[at as usize] = place;
                at
            }
        };
        slot.set_link(at + 1);
        Ticket { at, number: self.tickets }
    }

    /// A place with the ticket's number is in the chain of the slot it was registered for, which is still in the
    /// same life: the chain is emptied before the slot is reused.
    fn remove<T>(&mut self, slot: &Slot<T>, ticket: &Ticket) -> Option<Waiter> {
        let place = &self.places[ticket.at as usize];
        if place.ticket != ticket.number || place.waiter.is_none() {
            return None;
        }
        let next = place.next;
        if slot.link() == ticket.at + 1 {
            slot.set_link(next);
        } else {
            let mut before = slot.link() - 1;
            while self.places[before as usize].next != ticket.at + 1 {
                before = self.places[before as usize].next - 1;
            }
            self.places[before as usize].next = next;
        }
        self.vacate(ticket.at)
    }

    fn vacate(&mut self, at: u32) -> Option<Waiter> {
        let place = &mut self.places[at as usize];
        place.next = self.vacant;
        self.vacant = at + 1;
        place.waiter.take()
    }
}
