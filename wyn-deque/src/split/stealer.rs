//! The thieves' end: claim first, copy after.

use std::fmt;
use std::marker::PhantomData;

use super::index::Index;
use super::ring::{Ring, View};
use super::shared::Shared;
use super::words::Locked;
use super::{Barrier, Fences, Worker, pause};
use crate::steal::Steal;
use crate::sync::Arc;

/// How often a thief looks for the answer of an owner that has been silent and has not moved since.
const SILENT_ROUNDS: u32 = 8;
/// From an owner that has been silent so often without moving, a thief takes all,
const SILENCES_OF_THE_ABSENT: u32 = 2;
/// if there are so many: a few may be the branches of a recursion, the newest of which is what its owner runs next.
const MANY: usize = 16;

/// How much of what is there a claim may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Half, or all if the owner is away.
    Half,
    All,
}

/// The thieves' end of a split deque: takes the oldest items, one or a batch.
///
/// Cheap to clone. One thief at a time can claim; others get [`Steal::Retry`] at once and nobody waits.
/// A batch is at most half of what the victim has, rounded up; all of it, if it is 16 or more, the owner did not
/// answer the last two thieves either, and has neither pushed nor popped meanwhile.
pub struct Stealer<T, B: Barrier = Fences> {
    pub(super) shared: Arc<Shared<T>>,
    barrier: PhantomData<fn() -> B>,
}

impl<T, B: Barrier> Stealer<T, B> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        Self { shared, barrier: PhantomData }
    }

    /// Takes the oldest item.
    ///
    /// `Empty`: there was a moment during the call at which no item was to be had. `Retry`: another
    /// thief was at it. Never waits.
    pub fn steal(&self) -> Steal<T> {
        // SAFETY: `claim` hands over one item at least: the one at `from` is the caller's.
        self.claim(1, 1, |_| (), |view, from, _| unsafe { view.read(from) })
    }

    /// Takes the oldest item if `wanted` says so; else it stays where it is, and the answer is `Success(None)`.
    ///
    /// `wanted` runs while the owner may be waiting for the thief's decision, and keeps other thieves away: it should be
    /// a look and a comparison, no foreign code. It must not use this deque. If it panics, the item stays.
    ///
    /// ```
    /// use wyn_deque::Steal;
    ///
    /// let worker: wyn_deque::split::Worker<u32> = wyn_deque::split::Worker::new();
    /// worker.push(1);
    /// assert_eq!(worker.stealer().steal_if(|item| *item > 1), Steal::Success(None));
    /// assert_eq!(worker.stealer().steal_if(|item| *item > 0), Steal::Success(Some(1)));
    /// assert_eq!(worker.stealer().steal_if(|_| true), Steal::Empty);
    /// ```
    pub fn steal_if(&self, wanted: impl FnOnce(&T) -> bool) -> Steal<Option<T>>
    where
        T: Copy,
    {
        self.decide(Part::Half, 1, 1, |_| ()).map(|claim| {
            let refusal = Refusal(&claim);
            // SAFETY: `claim` holds the lock.
            let view = unsafe { claim.view() };
            // SAFETY: the ring is alive. The item is decided to be the thief's, and the owner takes it, and writes its
            // slot, only once it has read that the claim is retracted.
            let item = unsafe { view.copy(claim.from) };
            if !wanted(&item) {
                return None;
            }
            std::mem::forget(refusal);
            claim.lock.confirm(claim.end);
            claim.lock.finish(claim.end);
            Some(item)
        })
    }

    /// Takes items to `dest`, from the oldest up to the first that `wanted` says yes to, which ends up as the newest there. If
    /// there is none, all stay where they are, and the answer is `Success(false)`.
    ///
    /// All items are looked at, or half of them if the owner is at work on its deque. For `wanted` the same holds as in
    /// [`steal_if`](Self::steal_if), and it is called for each. If `dest` is the worker of this very deque, it is
    /// [`Steal::Empty`].
    ///
    /// ```
    /// use wyn_deque::Steal;
    /// use wyn_deque::split::Worker;
    ///
    /// let (ours, theirs): (Worker<u32>, Worker<u32>) = (Worker::new(), Worker::new());
    /// (0..8).for_each(|item| ours.push(item));
    /// assert_eq!(ours.stealer().steal_through(&theirs, |&item| item > 9), Steal::Success(false));
    /// assert_eq!(ours.stealer().steal_through(&theirs, |&item| item == 2), Steal::Success(true));
    /// assert_eq!((theirs.len(), theirs.pop(), ours.len()), (3, Some(2), 5));
    /// ```
    pub fn steal_through(&self, dest: &Worker<T, B>, wanted: impl Fn(&T) -> bool) -> Steal<bool>
    where
        T: Copy,
    {
        if Arc::ptr_eq(&self.shared, &dest.shared) {
            return Steal::Empty;
        }
        self.decide(Part::All, usize::MAX, usize::MAX, |want| dest.reserve(want)).map(|claim| {
            let refusal = Refusal(&claim);
            // SAFETY: `claim` holds the lock.
            let view = unsafe { claim.view() };
            let is_wanted = |&offset: &usize| {
                // SAFETY: as in `steal_if`; the items up to the end of the claim are decided to be the thief's.
                wanted(&unsafe { view.copy(claim.from.plus(offset)) })
            };
            let Some(offset) = (0..claim.end.items_since(claim.from)).find(is_wanted) else { return false };
            std::mem::forget(refusal);
            let end = claim.from.plus(offset + 1);
            // What lies above is the owner's again.
            claim.lock.retract(end);
            claim.lock.confirm(end);
            let (spare, to) = dest.spare();
            // SAFETY: the rings are those of two deques, and both are alive. The claimed slots are read by this thief
            // alone; the slots from `to` on are reserved, hence free, and this thread owns `dest`.
            unsafe { view.copy_to(claim.from, spare, to, offset + 1) };
            dest.advance(offset + 1);
            claim.lock.finish(end);
            true
        })
    }

    /// Takes up to `limit` of the oldest items: the oldest is returned, the others go to `dest`.
    ///
    /// `dest` receives them in their order and above what it has: its next [`pop`](Worker::pop) returns
    /// the newest of the batch, its own thieves find the oldest first. They are copied straight from
    /// ring to ring and published together. If `dest` is the worker of this very deque, its newest item
    /// is popped instead.
    ///
    /// # Panics
    /// If `limit` is zero.
    pub fn steal_batch_and_pop(&self, dest: &Worker<T, B>, limit: usize) -> Steal<T> {
        if Arc::ptr_eq(&self.shared, &dest.shared) {
            return dest.pop().map_or(Steal::Empty, Steal::Success);
        }
        let room = |want: usize| dest.reserve(want - 1);
        self.claim(limit, limit, room, |view, from, n| {
            let (spare, to) = dest.spare();
            // SAFETY: the rings are those of two deques, and both are alive. The claimed slots are
            // read by this thief alone; the slots from `to` on are reserved, hence free, and this
            // thread owns `dest`.
            unsafe { view.copy_to(from.plus(1), spare, to, n - 1) };
            if n > 1 {
                dest.advance(n - 1);
            }
            // SAFETY: the item at `from` is the caller's, and the copy above left it out.
            unsafe { view.read(from) }
        })
    }

    /// Takes up to `limit` of the oldest items to `dest`, in their order and above what it has.
    ///
    /// If `dest` is the worker of this very deque, nothing moves, and it is [`Steal::Empty`] or a success
    /// as it is empty or not.
    ///
    /// # Panics
    /// If `limit` is zero.
    pub fn steal_batch(&self, dest: &Worker<T, B>, limit: usize) -> Steal<()> {
        self.steal_batch_asking(dest, limit, limit)
    }

    /// Takes up to `wish` of the oldest items if the owner gives them, and up to `limit` if it does not answer.
    ///
    /// An answer costs less than a barrier. Where it comes, few items at a time may be right; where the owner is
    /// busy with something else, many. Otherwise as [`steal_batch`](Self::steal_batch).
    ///
    /// # Panics
    /// If `wish` or `limit` is zero.
    pub fn steal_batch_asking(&self, dest: &Worker<T, B>, wish: usize, limit: usize) -> Steal<()> {
        if Arc::ptr_eq(&self.shared, &dest.shared) {
            return if dest.is_empty() { Steal::Empty } else { Steal::Success(()) };
        }
        self.claim(
            wish,
            limit,
            |want| dest.reserve(want),
            |view, from, n| {
                let (spare, to) = dest.spare();
                // SAFETY: the rings are those of two deques, and both are alive. The claimed slots are
                // read by this thief alone; the slots from `to` on are reserved, hence free, and this
                // thread owns `dest`.
                unsafe { view.copy_to(from, spare, to, n) };
                dest.advance(n);
            },
        )
    }

    /// The number of items that no thief has taken for certain, as far as this thread knows.
    #[must_use]
    pub fn len(&self) -> usize {
        let (oldest, head) = self.shared.words.glance();
        head.items_since(oldest)
    }

    /// Whether [`len`](Self::len) is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Two numbers (`split`, `head`) that tell a watcher whether anything moved.
    ///
    /// The first changes when items are stolen, the second when the owner pushes or pops; their wrapping
    /// difference is the number of items. It is -1 while a pop finds the deque empty, and may be any number below that
    /// while the owner takes from the middle. If `head` was
    /// the same twice, the owner may still have done as many pushes as pops in between.
    #[must_use]
    pub fn mark(&self) -> (usize, usize) {
        let (oldest, head) = self.shared.words.glance();
        (oldest.0, head.0)
    }

    /// Claims up to `wish` items if the owner gives them, else up to `limit`, and has `copy` take them.
    ///
    /// `prepare` gets the number of items that `copy` will get at most; it may panic. `copy` gets the
    /// ring, the first index and the number, at least one; the items there are its own, and the ring is
    /// alive while it runs. It must not panic and must take all of them.
    pub(super) fn claim<R>(
        &self,
        wish: usize,
        limit: usize,
        prepare: impl FnOnce(usize),
        copy: impl FnOnce(View<T>, Index, usize) -> R,
    ) -> Steal<R> {
        self.decide(Part::Half, wish, limit, prepare).map(|claim| {
            claim.lock.confirm(claim.end);
            // SAFETY: `claim` holds the lock.
            let view = unsafe { claim.view() };
            let taken = copy(view, claim.from, claim.end.items_since(claim.from));
            claim.lock.finish(claim.end);
            taken
        })
    }

    /// The oldest items, as in `claim`, at a moment when the owner does not take them any more and does not know yet
    /// what becomes of them.
    ///
    /// Half of what is there at most: an owner comes back for the rest. One that is away for long would cost a
    /// barrier for each half of the rest.
    fn decide(
        &self,
        part: Part,
        wish: usize,
        limit: usize,
        prepare: impl FnOnce(usize),
    ) -> Steal<Claim<'_, T>> {
        assert!(wish > 0 && limit > 0, "a batch of no items");
        if self.is_empty() {
            return Steal::Empty;
        }
        let Some(lock) = self.shared.words.try_lock() else { return Steal::Retry };
        let (from, head) = lock.estimate();
        let held = head.items_since(from);
        let is_away = held >= MANY && lock.silences_at(head) >= SILENCES_OF_THE_ABSENT;
        let want = if is_away || part == Part::All { held } else { held.div_ceil(2) }.min(limit);
        if want == 0 {
            return Steal::Empty;
        }
        prepare(want);

        let mut end = Self::obtain(&lock, from, head, wish.min(want), want);
        // Read before the claim is confirmed: from then on the owner may say that also these are taken.
        let from = from.max(lock.low());
        let n = end.items_since(from);
        if n > want {
            // The owner read the wish of another thief, who asked at the same place and has taken nothing, and answered
            // only now. There is no room for so many.
            end = from.plus(want);
            lock.retract(end);
        }
        if n == 0 {
            lock.confirm(end);
            lock.finish(end);
            return Steal::Empty;
        }
        Steal::Success(Claim { lock, from, end })
    }
}

impl<T, B: Barrier> Stealer<T, B> {
    /// Makes up to `wish` items from `from` on the thief's own, or up to `want` if the owner does not answer. Where
    /// they end: nobody else takes what lies below, but what was taken before may lie there.
    fn obtain(lock: &Locked<'_, T>, from: Index, head: Index, wish: usize, want: usize) -> Index {
        if let Some(given) = Self::ask(lock, from, head, wish, want) {
            return given;
        }
        B::heavy();
        let n = lock.head_decisive().items_since(from).min(want);
        let end = from.plus(n);
        if n < want {
            lock.retract(end);
        }
        end
    }

    /// Asks the owner, who is at `head`, for `wish` items, and gives it time to answer: that of a few operations, or
    /// hardly any if it has not moved since it was silent last. The end of what it gave; `None` if it does not answer,
    /// and a claim of `want` is announced instead.
    fn ask(lock: &Locked<'_, T>, from: Index, head: Index, wish: usize, want: usize) -> Option<Index> {
        let rounds = match lock.silences_at(head) {
            _ if cfg!(wyn_loom) => 1,
            0 => B::patience(),
            _ => SILENT_ROUNDS,
        };
        lock.ask(from, wish);
        for _ in 0..rounds {
            // A model explores more without: one that yields waits for all others.
            if cfg!(not(wyn_loom)) {
                pause(0);
            }
            if let Some(given) = lock.answer(from) {
                lock.forget_silence(from);
                return Some(given);
            }
        }
        let given = lock.insist(from, from.plus(want)).err();
        match given {
            None => lock.remember_silence(head),
            Some(_) => lock.forget_silence(from),
        }
        given
    }
}

impl<T, B: Barrier> Clone for Stealer<T, B> {
    fn clone(&self) -> Self {
        Self::new(Arc::clone(&self.shared))
    }
}

impl<T, B: Barrier> fmt::Debug for Stealer<T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stealer").field("len", &self.len()).finish_non_exhaustive()
    }
}

/// The items from `from` up to `end`, one at least, are the thief's, and the owner may be waiting to hear it.
struct Claim<'a, T> {
    lock: Locked<'a, T>,
    from: Index,
    end: Index,
}

impl<T> Claim<'_, T> {
    /// The ring that holds the items.
    ///
    /// # Safety
    /// * The view is used while `self` is there.
    unsafe fn view(&self) -> View<T> {
        // SAFETY: a ring that growth replaces is freed when no thief has the lock, or with the last handle.
        unsafe { Ring::view(self.lock.ring()) }
    }
}

/// Gives the items of a claim back, also when the thief unwinds.
struct Refusal<'a, T>(&'a Claim<'a, T>);

impl<T> Drop for Refusal<'_, T> {
    fn drop(&mut self) {
        let Claim { lock, from, .. } = self.0;
        lock.retract(*from);
        // What lies below was taken before.
        lock.confirm(*from);
        lock.finish(*from);
    }
}
