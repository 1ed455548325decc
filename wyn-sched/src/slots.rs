//! Who gets which slot, and which slots are worth a look.
//!
//! | slot | id |
//! |---|---|
//! | of worker `n` | `n` |
//! | of guest `n` | `workers + 2 n` |
//! | of spare `n` | `workers + 2 n + 1` |
//!
//! Guests and spares get the lowest number that is free, and those who look for work look no further than the highest
//! that is in use, or holds tasks: they pay for the threads there are, not for those there were.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crossbeam_utils::CachePadded;

use crate::builder::MAX_WORKERS;
use crate::numbers::Numbers;
use crate::slot::{Deque, Role, Slot};
use crate::sync::{AtomicBool, AtomicUsize, Mutex, Ordering, lock};
use crate::table::{self, Table};

/// Threads from outside that have a deque of their own at a time; the others use the injector.
pub(crate) const GUESTS: usize = 4096;
/// Spare workers at a time, see [`crate::runtime`]. The idle word counts up to 65,535 sleepers.
pub(crate) const SPARES: usize = 60_000;
const _: () = assert!(SPARES + MAX_WORKERS < 0xFFFF);
const _: () = assert!(MAX_WORKERS + 2 * SPARES <= table::MOST && MAX_WORKERS + 2 * GUESTS <= table::MOST);

/// Slots for threads that come and go.
struct Pool {
    book: Mutex<Book>,
    /// The end of `book.numbers`, for those who look for work. Stored under the lock of `book`.
    end: AtomicUsize,
    /// Whether `book.left` holds anything. Stored under the lock of `book`.
    has_left: AtomicBool,
    /// How many threads have gone.
    gone: AtomicUsize,
}

struct Book {
    numbers: Numbers,
    /// The end of all numbers that were ever given out.
    ever: usize,
    /// Slots whose owners have gone and left tasks behind.
    left: BTreeSet<usize>,
}

impl Pool {
    fn new(most: usize) -> Self {
        Self {
            book: Mutex::new(Book { numbers: Numbers::new(most), ever: 0, left: BTreeSet::new() }),
            end: AtomicUsize::new(0),
            has_left: AtomicBool::new(false),
            gone: AtomicUsize::new(0),
        }
    }

    fn take(&self) -> Option<usize> {
        let mut book = lock(&self.book);
        let number = book.numbers.take()?;
        book.ever = book.ever.max(number + 1);
        self.show(&book);
        Some(number)
    }

    /// `slot` is that of a number.
    fn give_back<'a>(&self, number: usize, slot: impl Fn(usize) -> &'a Slot) {
        let mut book = lock(&self.book);
        // Ordering: Release: pairs with the Acquire in `Slots::guests_gone`.
        self.gone.fetch_add(1, Ordering::Release);
        book.numbers.give_back(number);
        if !slot(number).tidy() {
            book.left.insert(number);
        }
        book.numbers.trim(|number| slot(number).tidy());
        self.show(&book);
    }

    /// Forgets the slots whose tasks have been stolen since their owners went.
    #[cold]
    fn tidy<'a>(&self, slot: impl Fn(usize) -> &'a Slot) {
        let mut book = lock(&self.book);
        let Book { numbers, left, .. } = &mut *book;
        left.retain(|&number| !numbers.is_out(number) && !slot(number).tidy());
        numbers.trim(|number| slot(number).tidy());
        self.show(&book);
    }

    /// For those who look for work.
    fn show(&self, book: &Book) {
        // Ordering: Release: pairs with the Acquire in `Pool::end`.
        self.end.store(book.numbers.end(), Ordering::Release);
        // Ordering: Relaxed: a hint.
        self.has_left.store(!book.left.is_empty(), Ordering::Relaxed);
    }

    /// One above all numbers in use, and all whose slots hold tasks.
    fn end(&self) -> usize {
        // Ordering: Acquire: pairs with the Release in `show`: what those had done who were there before is visible. Who
        // pushes a task and is not seen here has raised the end before the push, so the barriers that lie between the
        // push and this look let it see who looks.
        self.end.load(Ordering::Acquire)
    }
}

/// All slots of a runtime, by their ids.
pub(crate) struct Slots {
    table: Table<OnceLock<Arc<CachePadded<Slot>>>>,
    /// In the place of all that were never used.
    nobody: Arc<CachePadded<Slot>>,
    workers: usize,
    guests: Pool,
    spares: Pool,
}

impl Slots {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            table: Table::new(),
            nobody: Arc::new(CachePadded::new(Slot::new())),
            workers,
            guests: Pool::new(GUESTS),
            spares: Pool::new(SPARES),
        }
    }

    /// Above all ids that there can be.
    pub(crate) fn ids(&self) -> usize {
        self.workers + 2 * GUESTS.max(SPARES)
    }

    /// The slot of this id; one that stays empty if it was never used.
    #[inline]
    pub(crate) fn get(&self, id: usize) -> &Arc<CachePadded<Slot>> {
        self.table.get(id).and_then(OnceLock::get).unwrap_or(&self.nobody)
    }

    /// The slot of a worker. Asked for once for each index.
    pub(crate) fn reserve_worker(&self, index: usize) -> Reserved {
        self.reserve(index, Role::Worker)
    }

    /// A slot for a thread from outside; `None` if there are as many as there may be.
    pub(crate) fn reserve_guest(&self) -> Option<Reserved> {
        Some(self.reserve(self.workers + 2 * self.guests.take()?, Role::Guest))
    }

    /// A slot for a spare; `None` if there are as many as there may be.
    pub(crate) fn reserve_spare(&self) -> Option<Reserved> {
        Some(self.reserve(self.workers + 2 * self.spares.take()? + 1, Role::Spare))
    }

    fn reserve(&self, id: usize, role: Role) -> Reserved {
        self.table.entry(id).get_or_init(|| Arc::new(CachePadded::new(Slot::new())));
        Reserved { id, role }
    }

    /// The deque of a slot, for the thread that it was reserved for.
    pub(crate) fn move_in(&self, reserved: Reserved) -> Deque {
        self.get(reserved.id).move_in(reserved.role)
    }

    /// Takes a slot back. What is in the deque stays stealable. `None` if nobody has moved in.
    pub(crate) fn give_back(&self, reserved: Reserved, deque: Option<Deque>) {
        if let Some(deque) = deque {
            self.get(reserved.id).move_out(deque);
        }
        match reserved.role {
            Role::Worker => {}
            Role::Guest => self.guests.give_back(self.number(reserved.id), |number| self.guest(number)),
            Role::Spare => self.spares.give_back(self.number(reserved.id), |number| self.spare(number)),
        }
    }

    /// Stops looking at those who have left tasks behind that are gone by now. For a thread that has found none.
    pub(crate) fn tidy(&self) {
        // Ordering: Relaxed: a hint; the next look tidies as well.
        if self.guests.has_left.load(Ordering::Relaxed) {
            self.guests.tidy(|number| self.guest(number));
        }
        // Ordering: Relaxed: as above.
        if self.spares.has_left.load(Ordering::Relaxed) {
            self.spares.tidy(|number| self.spare(number));
        }
    }

    fn number(&self, id: usize) -> usize {
        (id - self.workers) / 2
    }

    fn guest(&self, number: usize) -> &Slot {
        self.get(self.workers + 2 * number)
    }

    fn spare(&self, number: usize) -> &Slot {
        self.get(self.workers + 2 * number + 1)
    }

    /// The index by which a runtime's thread is known outside: a worker's id, and above them the spares' numbers.
    pub(crate) fn index(&self, reserved: Reserved) -> usize {
        match reserved.role {
            Role::Spare => self.workers + self.number(reserved.id),
            Role::Worker | Role::Guest => reserved.id,
        }
    }

    /// The guests that are there, or have left tasks behind.
    pub(crate) fn guests(&self) -> impl Iterator<Item = usize> + use<> {
        each_other(self.workers, self.guests.end())
    }

    /// Whether this is the id of a thread from outside.
    pub(crate) fn is_guest(&self, id: usize) -> bool {
        id >= self.workers && (id - self.workers).is_multiple_of(2)
    }

    fn spares(&self) -> impl Iterator<Item = usize> + use<> {
        each_other(self.workers + 1, self.spares.end())
    }

    /// How many guests have gone. Asked after a look at the [`guests`](Self::guests), it counts each that was not among
    /// them any more.
    pub(crate) fn guests_gone(&self) -> usize {
        // Ordering: Acquire: pairs with the Release in `Pool::give_back`.
        self.guests.gone.load(Ordering::Acquire)
    }

    /// All guests, or all spares, that were ever there.
    #[cfg(feature = "stats")]
    pub(crate) fn ever(&self, role: Role) -> impl Iterator<Item = usize> + use<> {
        match role {
            Role::Worker => each_other(0, 0),
            Role::Guest => each_other(self.workers, lock(&self.guests.book).ever),
            Role::Spare => each_other(self.workers + 1, lock(&self.spares.book).ever),
        }
    }

    /// Every id whose deque may hold something.
    pub(crate) fn used(&self) -> impl Iterator<Item = usize> + use<> {
        let workers: Range<usize> = 0..self.workers;
        workers.chain(self.guests()).chain(self.spares())
    }
}

/// So many ids: this one, and every other after it.
fn each_other(first: usize, count: usize) -> std::iter::StepBy<Range<usize>> {
    (first..first + 2 * count).step_by(2)
}

/// A slot that nobody else gets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reserved {
    pub(crate) id: usize,
    pub(crate) role: Role,
}

#[cfg(test)]
mod tests {
    use std::panic::Location;

    use super::*;
    use crate::builder::Config;
    use crate::shared::Shared;
    use crate::task;

    fn shared() -> Arc<Shared> {
        Shared::new(Config::new(3))
    }

    fn looked_at(slots: &Slots) -> Vec<usize> {
        slots.used().collect()
    }

    #[test]
    fn a_burst_of_threads_leaves_nothing_to_look_at() {
        let (shared, most) = (shared(), 1000);
        let slots = &shared.slots;
        let come = |reserved: Reserved| (reserved, slots.move_in(reserved));
        for _ in 0..2 {
            let spares: Vec<_> = (0..most).map(|_| come(slots.reserve_spare().unwrap())).collect();
            let guests: Vec<_> = (0..most).map(|_| come(slots.reserve_guest().unwrap())).collect();
            assert_eq!(looked_at(slots).len(), 3 + 2 * most);
            assert!(spares.iter().enumerate().all(|(n, (spare, _))| slots.index(*spare) == 3 + n));
            // The last one to go, and the first.
            spares.into_iter().for_each(|(spare, deque)| slots.give_back(spare, Some(deque)));
            guests.into_iter().rev().for_each(|(guest, deque)| slots.give_back(guest, Some(deque)));
            assert_eq!(looked_at(slots), [0, 1, 2]);
        }
    }

    #[test]
    fn the_lowest_index_is_given_out_again() {
        let shared = shared();
        let slots = &shared.slots;
        let spares: Vec<_> = (0..5).map(|_| slots.reserve_spare().unwrap()).collect();
        slots.give_back(spares[3], None);
        slots.give_back(spares[1], None);
        let again = [(); 3].map(|()| slots.index(slots.reserve_spare().unwrap()));
        assert_eq!(again, [3 + 1, 3 + 3, 3 + 5]);
    }

    #[test]
    fn what_somebody_has_left_behind_is_looked_at_until_it_is_gone() {
        let shared = shared();
        let slots = &shared.slots;
        for _ in 0..3 {
            let guests: Vec<_> = (0..4).map(|_| slots.reserve_guest().unwrap()).collect();
            for &guest in &guests {
                let deque = slots.move_in(guest);
                if guest.id == guests[2].id {
                    deque.push(task::create_detached(|| (), Location::caller()));
                }
                slots.give_back(guest, Some(deque));
            }
            assert_eq!(looked_at(slots), [0, 1, 2, 3, 5, 7]);
            assert!(shared.has_work());
            assert_eq!(looked_at(slots).len(), 6);
            let before = shared.cancelled();
            shared.cancel_all();
            assert_eq!(shared.cancelled() - before, 1);
            assert!(!shared.has_work());
            assert_eq!(looked_at(slots), [0, 1, 2]);
        }
    }

    #[test]
    fn there_are_as_many_as_there_may_be() {
        let shared = shared();
        let slots = &shared.slots;
        let guests: Vec<_> = std::iter::from_fn(|| slots.reserve_guest()).collect();
        let spares: Vec<_> = std::iter::from_fn(|| slots.reserve_spare()).collect();
        assert_eq!((guests.len(), spares.len()), (GUESTS, SPARES));
        let mut ids: Vec<_> = guests.iter().chain(&spares).map(|reserved| reserved.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), GUESTS + SPARES);
        assert!(ids.iter().all(|&id| (3..slots.ids()).contains(&id)));
        slots.give_back(guests[7], None);
        assert_eq!(slots.reserve_guest().map(|guest| guest.id), Some(guests[7].id));
    }

    #[test]
    fn nobody_has_an_empty_slot() {
        let shared = shared();
        assert!(shared.slots.get(usize::MAX).stealer().is_none());
        assert_eq!((shared.slots.get(5).progress(), shared.slots.get(5).has_mail()), (0, false));
    }
}
