//! Where the threads' time goes: what they do when they do something, and why they rest when they rest.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::clock::Picos;

/// What a thread spends time on, or why it has none to spend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// What the tasks are for.
    Work,
    /// Spawning, forking, joining: what a run on one processor pays as well.
    Tasks,
    /// Looking for work, and stealing it, while there is some.
    Search,
    /// Waiting for cache lines of others.
    Lines,
    /// Waiting for a lock and holding it.
    Locks,
    /// Calling the heavy barrier.
    Barrier,
    /// Interrupted by the heavy barrier of others.
    Interrupted,
    /// Calling parked threads.
    Calling,
    /// Called, and not running yet.
    Waking,
    /// Parked while work was queued: nobody has called yet.
    AsleepBesideWork,
    /// Nothing was queued while the tasks were still being spawned.
    SerialSpawner,
    /// Nothing was queued: the others had the rest of the work.
    NothingQueued,
}

impl Cause {
    /// All of them, work first.
    pub const ALL: [Cause; 12] = [
        Cause::Work,
        Cause::Tasks,
        Cause::Search,
        Cause::Lines,
        Cause::Locks,
        Cause::Barrier,
        Cause::Interrupted,
        Cause::Calling,
        Cause::Waking,
        Cause::AsleepBesideWork,
        Cause::SerialSpawner,
        Cause::NothingQueued,
    ];

    /// As it is in a record.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Cause::Work => "work",
            Cause::Tasks => "task overhead",
            Cause::Search => "search and steal",
            Cause::Lines => "cache lines",
            Cause::Locks => "locks",
            Cause::Barrier => "barrier",
            Cause::Interrupted => "interrupted by barriers",
            Cause::Calling => "calling sleepers",
            Cause::Waking => "waking up",
            Cause::AsleepBesideWork => "asleep beside work",
            Cause::SerialSpawner => "serial spawner",
            Cause::NothingQueued => "nothing queued",
        }
    }

    /// Whether a thread that rests for this reason leaves its processor.
    fn is_rest(self) -> bool {
        matches!(self, Cause::Waking | Cause::AsleepBesideWork | Cause::SerialSpawner | Cause::NothingQueued)
    }
}

/// Time by cause.
pub type Times = BTreeMap<Cause, Picos>;

/// How long work was queued, and how long none was while more was being spawned, until some moment.
#[derive(Clone, Copy, Default)]
struct Integrals {
    until: Picos,
    beside_work: Picos,
    beside_spawner: Picos,
}

/// The books of one run.
pub(super) struct Ledger {
    spent: RefCell<[Picos; Cause::ALL.len()]>,
    queued: Cell<usize>,
    spawning: Cell<bool>,
    integrals: Cell<Integrals>,
    /// Of each thread that is parked: the integrals when it lay down.
    lay_down: RefCell<Vec<Option<Integrals>>>,
}

impl Ledger {
    pub(super) fn new(threads: usize) -> Ledger {
        Ledger {
            spent: RefCell::default(),
            queued: Cell::new(0),
            spawning: Cell::new(false),
            integrals: Cell::default(),
            lay_down: RefCell::new(vec![None; threads]),
        }
    }

    pub(super) fn add(&self, cause: Cause, time: Picos) {
        self.spent.borrow_mut()[cause as usize] += time;
    }

    /// Takes back what was booked ahead of the end.
    pub(super) fn cancel(&self, cause: Cause, time: Picos) {
        let spent = &mut self.spent.borrow_mut()[cause as usize];
        *spent = spent.saturating_sub(time);
    }

    /// So many items more or less lie in queues.
    pub(super) fn queue(&self, now: Picos, change: isize) {
        self.advance(now);
        self.queued.set(self.queued.get().checked_add_signed(change).expect("more was taken than queued"));
    }

    pub(super) fn spawning(&self, now: Picos, whether: bool) {
        self.advance(now);
        self.spawning.set(whether);
    }

    /// What a search costs that takes place now: nothing that was avoidable if there is nothing to find.
    pub(super) fn looking(&self) -> Cause {
        match (self.queued.get() > 0, self.spawning.get()) {
            (true, _) => Cause::Search,
            (false, true) => Cause::SerialSpawner,
            (false, false) => Cause::NothingQueued,
        }
    }

    pub(super) fn lie_down(&self, thread: usize, now: Picos) {
        self.advance(now);
        self.lay_down.borrow_mut()[thread] = Some(self.integrals.get());
    }

    /// Called, or woken by the clock. Twice is once.
    pub(super) fn rise(&self, thread: usize, now: Picos) {
        self.advance(now);
        let Some(then) = self.lay_down.borrow_mut()[thread].take() else { return };
        let since = self.integrals.get();
        let beside_work = since.beside_work - then.beside_work;
        let beside_spawner = since.beside_spawner - then.beside_spawner;
        self.add(Cause::AsleepBesideWork, beside_work);
        self.add(Cause::SerialSpawner, beside_spawner);
        self.add(Cause::NothingQueued, since.until - then.until - beside_work - beside_spawner);
    }

    fn advance(&self, now: Picos) {
        let mut integrals = self.integrals.get();
        let passed = now - integrals.until;
        match (self.queued.get() > 0, self.spawning.get()) {
            (true, _) => integrals.beside_work += passed,
            (false, true) => integrals.beside_spawner += passed,
            (false, false) => {}
        }
        integrals.until = now;
        self.integrals.set(integrals);
    }

    /// The books, closed: what `cores` processors did for so long.
    ///
    /// There may be a thread more than processors; what the resting threads have beyond the processors' time is no
    /// loss, so their times are scaled to what the processors had left.
    pub(super) fn close(&self, cores: usize, time: Picos) -> Times {
        let spent = self.spent.borrow();
        let sum = |rest: bool| {
            let of_kind = Cause::ALL.into_iter().filter(|cause| cause.is_rest() == rest);
            of_kind.map(|cause| spent[cause as usize]).sum::<Picos>()
        };
        let (busy, resting) = (sum(false), sum(true));
        let idle = (cores as Picos * time).saturating_sub(busy);
        let scaled = |cause: Cause| match (cause.is_rest(), resting) {
            (false, _) => spent[cause as usize],
            (true, 0) => idle * Picos::from(cause == Cause::NothingQueued),
            (true, _) => share(spent[cause as usize], idle, resting),
        };
        Cause::ALL.into_iter().map(|cause| (cause, scaled(cause))).collect()
    }
}

/// `part / all` of `whole`; the result is no larger than `whole`.
fn share(part: Picos, whole: Picos, all: Picos) -> Picos {
    let share = u128::from(part) * u128::from(whole) / u128::from(all);
    Picos::try_from(share).unwrap_or(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rest_is_divided_by_what_was_queued() {
        let ledger = Ledger::new(1);
        ledger.spawning(0, true);
        ledger.lie_down(0, 10);
        ledger.queue(30, 1);
        ledger.queue(70, -1);
        ledger.spawning(80, false);
        ledger.rise(0, 100);
        ledger.add(Cause::Work, 50);
        let times = ledger.close(1, 140);
        assert_eq!(times[&Cause::SerialSpawner], 30);
        assert_eq!(times[&Cause::AsleepBesideWork], 40);
        assert_eq!(times[&Cause::NothingQueued], 20);
        assert_eq!(times.values().sum::<Picos>(), 140);
    }
}
