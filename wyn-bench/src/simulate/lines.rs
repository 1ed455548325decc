//! Cache lines and locks: things that one thread at a time is served.
//!
//! A line is in one processor's cache, or was written there and has been read by others since. Getting it from there
//! takes a transfer, and transfers of one line queue up. So a word that all change, or that one changes and all
//! read, has a greatest rate, whatever the number of processors.

use std::cell::{Cell, RefCell};

use super::clock::{Picos, picos};
use super::costs::Costs;

/// Between which processors a transfer is how far.
#[derive(Clone, Copy)]
pub(super) struct Distance {
    near: Picos,
    far: Picos,
    cores_per_socket: usize,
    store_buffer: Picos,
}

impl Distance {
    pub(super) fn new(costs: &Costs, cores: usize, sockets: usize) -> Distance {
        Distance {
            near: picos(costs.line),
            far: picos(costs.line_far),
            cores_per_socket: cores.div_ceil(sockets),
            store_buffer: picos(costs.store_buffer),
        }
    }

    pub(super) fn between(&self, one: usize, other: usize) -> Picos {
        if one / self.cores_per_socket == other / self.cores_per_socket { self.near } else { self.far }
    }
}

/// One cache line.
pub(super) struct Line {
    owner: Cell<usize>,
    /// Until then it is on its way.
    busy_until: Cell<Picos>,
    /// One bit for each thread that has read it since it was written.
    readers: RefCell<Vec<u64>>,
    is_shared: Cell<bool>,
}

impl Line {
    /// In the cache of `owner`, in a model of so many threads.
    pub(super) fn new(owner: usize, threads: usize) -> Line {
        Line {
            owner: Cell::new(owner),
            busy_until: Cell::new(0),
            readers: RefCell::new(vec![0; threads.div_ceil(64)]),
            is_shared: Cell::new(false),
        }
    }

    /// How long a load takes longer than one that hits.
    pub(super) fn load(&self, me: usize, now: Picos, distance: &Distance) -> Picos {
        let mut readers = self.readers.borrow_mut();
        let (word, bit) = (me / 64, 1 << (me % 64));
        if self.owner.get() == me || readers[word] & bit != 0 {
            return 0;
        }
        readers[word] |= bit;
        self.is_shared.set(true);
        self.fetch(me, now, distance)
    }

    /// The same for an instruction that changes it and has to see it.
    pub(super) fn change(&self, me: usize, now: Picos, distance: &Distance) -> Picos {
        if self.owner.get() == me && !self.is_shared.get() {
            return 0;
        }
        let longer = self.fetch(me, now, distance);
        self.own(me);
        longer
    }

    /// The same for a plain store, which the thread does not wait for as long as its buffer has room.
    pub(super) fn store(&self, me: usize, now: Picos, distance: &Distance) -> Picos {
        self.change(me, now, distance).saturating_sub(distance.store_buffer)
    }

    fn fetch(&self, me: usize, now: Picos, distance: &Distance) -> Picos {
        let from = match self.owner.get() {
            // Only the copies of the others must go.
            owner if owner == me => distance.near,
            owner => distance.between(me, owner),
        };
        let end = self.busy_until.get().max(now) + from;
        self.busy_until.set(end);
        end - now
    }

    fn own(&self, me: usize) {
        self.owner.set(me);
        if self.is_shared.replace(false) {
            self.readers.borrow_mut().fill(0);
        }
    }
}

/// A lock that is handed over in the order it was asked for.
pub(super) struct Lock {
    line: Line,
    free_at: Cell<Picos>,
}

impl Lock {
    pub(super) fn new(threads: usize) -> Lock {
        Lock { line: Line::new(0, threads), free_at: Cell::new(0) }
    }

    /// Takes the lock for `hold`: how long it takes until the caller has it. `handover` is what a change of hands
    /// costs when somebody waits.
    pub(super) fn take(
        &self,
        me: usize,
        now: Picos,
        hold: Picos,
        handover: Picos,
        distance: &Distance,
    ) -> Picos {
        let waited = self.free_at.get().saturating_sub(now);
        let line = self.line.change(me, now, distance);
        let until = if waited > 0 { waited + handover } else { line };
        self.free_at.set(now + until + hold);
        until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn distance(sockets: usize) -> Distance {
        Distance::new(
            &Costs { line: 50.0, line_far: 200.0, store_buffer: 0.0, ..Costs::example() },
            4,
            sockets,
        )
    }

    #[test]
    fn a_line_at_hand_costs_nothing() {
        let (line, distance) = (Line::new(1, 4), distance(1));
        assert_eq!(line.load(1, 0, &distance), 0);
        assert_eq!(line.change(1, 0, &distance), 0);
        assert_eq!(line.load(0, 0, &distance), 50_000);
        assert_eq!(line.load(0, 60_000, &distance), 0);
    }

    #[test]
    fn transfers_of_one_line_queue_up() {
        let (line, distance) = (Line::new(0, 4), distance(1));
        assert_eq!(line.load(1, 0, &distance), 50_000);
        assert_eq!(line.load(2, 0, &distance), 100_000);
        assert_eq!(line.change(3, 0, &distance), 150_000);
    }

    #[test]
    fn a_change_takes_the_copies_away() {
        let (line, distance) = (Line::new(0, 4), distance(1));
        line.load(1, 0, &distance);
        assert_eq!(line.change(0, 100_000, &distance), 50_000);
        assert_eq!(line.load(1, 200_000, &distance), 50_000);
    }

    #[test]
    fn another_socket_is_further() {
        let (line, distance) = (Line::new(0, 4), distance(2));
        assert_eq!(line.load(1, 0, &distance), 50_000);
        assert_eq!(line.load(2, 100_000, &distance), 200_000);
    }

    #[test]
    fn a_lock_is_held_by_one_at_a_time() {
        let (lock, distance) = (Lock::new(4), distance(1));
        assert_eq!(lock.take(0, 0, 30_000, 100_000, &distance), 0);
        assert_eq!(lock.take(1, 10_000, 30_000, 100_000, &distance), 120_000);
        assert_eq!(lock.take(2, 500_000, 30_000, 100_000, &distance), 50_000);
    }
}
