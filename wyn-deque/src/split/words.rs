//! The shared words, with every access to them and the ordering of each.
//!
//! Both ends call these methods and know no atomics; the invariants are in the module docs of `split`.
//! The tables name the loom models (`tests/loom_split*.rs`) that die of each mutant, as `tests/mutants.toml` plants it.

use std::ptr::NonNull;

use crossbeam_utils::CachePadded;

use super::index::Index;
use super::ring::Ring;
use crate::sync::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};

/// Added to `split` by a thief that asks: out of reach of every item, so that the next pop of the owner notices.
const QUESTION: usize = 1 << (usize::BITS - 2);

const FREE: u32 = 0;
const HELD: u32 = 1;

/// Written by the owner alone, on a line of its own: pushes and pops hit nothing that thieves write.
struct OwnerLine {
    /// Where the next item goes; inside a pop, or a take from the middle, the item asked for.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `publish` | Release | `head_decisive` | Relaxed: `the_last_item_goes_to_one` and more |
    /// | `withdraw` | Release, then `light` | `head_decisive` | Relaxed: `what_lies_below_a_pop_is_seen`; no `light`, or a weaker fence in it: `the_last_item_goes_to_one` and more |
    /// | `glance`, `estimate` | Relaxed | none | hints |
    /// | `head_decisive` | Acquire, after `heavy` | `publish`, `withdraw` | Relaxed: `a_refilled_slot_is_seen_full` and more; not read: `the_last_item_goes_to_one` and more; no `heavy`, or a weaker fence in it: `the_last_item_goes_to_one` and more |
    head: AtomicUsize,
    /// Everything below is taken, by the owner or by thieves. Only grows, and is never above `head`, but for one inside
    /// a take of the oldest.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `raise_low` | Release | `low_seen` | Relaxed: `a_mark_is_consistent_with_low` |
    /// | `Words::low` | Relaxed | the owner itself | not read by `pop`: test `a_deque_of_which_all_is_taken_is_empty_for_everybody` |
    /// | `low_seen` | Acquire | `raise_low` | Relaxed: `a_mark_is_consistent_with_low`; not read behind the decision: `the_oldest_is_taken_from_a_batch`; read behind `confirm`: `low_passes_a_claim` |
    low: AtomicUsize,
}

/// Written by the thief that holds `lock`; `ring` by the owner when it grows.
struct ThiefLine<T> {
    /// Everything below is claimed, by announcement at least.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `retract` | Release | `Words::split` | Relaxed: `a_refused_item_stays`; left out: `the_owner_meets_a_batch` and more |
    /// | `estimate` | Relaxed, under `lock` | the last holder | see `lock` |
    /// | `Words::split` | Acquire, after `light` | `retract`; `insist`, by the barriers | Relaxed: `a_refused_item_stays`; not read again while waiting: `the_last_item_goes_to_one` and more |
    /// | `ask` | Release | `question` | Relaxed: `a_question_is_answered_by_its_own_wish` |
    /// | `question` | Acquire | `ask` | Relaxed: the same |
    /// | `answer` | Release | `Locked::answer`, `insist` | Relaxed: `growth_meets_a_thief` and more; a plain store: `a_question_is_answered` and more |
    /// | `Locked::answer` | Acquire | `answer` | none: loom takes no turn between `ask` and this |
    /// | `insist`, success | Relaxed, then `heavy` | `Words::split`, by the barriers | a plain store: `a_question_is_answered` and more |
    /// | `insist`, failure | Acquire | `answer` | Relaxed: `a_question_is_answered` and more |
    split: AtomicUsize,
    /// The most the thief that asks would take. Written under the lock, published by `ask`.
    wish: AtomicUsize,
    /// Where the owner was when it did not answer last, if it has answered nobody since: a hint. Only under the lock.
    silent: AtomicUsize,
    /// How often in a row it was silent there. Only under the lock.
    silences: AtomicU32,
    /// Everything below is stolen for certain. Only grows.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `confirm` | Release | `glance` | before the second look at `head`: `none_is_never_spurious`, `the_last_item_goes_to_one`; left out: `empty_is_never_spurious` and more |
    /// | `Words::claimed` | Relaxed | `confirm` | `split` read instead: `none_is_never_spurious`, `the_last_item_goes_to_one` |
    /// | `glance` | Acquire, before `head` | `confirm` | Relaxed: `a_mark_is_consistent`; `split` read instead: `a_mark_is_consistent` |
    claimed: AtomicUsize,
    /// Everything below is copied out. Only grows.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `finish` | Release | `Words::done` | Relaxed: `a_slot_is_reused_after_a_lap` and more; before the copy: the same |
    /// | `Words::done` | Acquire | `finish` | Relaxed: the same; `claimed` read instead: the same; growth that copies from `claimed` on: unit test `growth_carries_what_is_claimed_and_not_copied` |
    done: AtomicUsize,
    /// Held by the one thief that claims and copies. The owner never waits for it; it tries it to take its oldest item,
    /// and to see that no thief is at a retired ring.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `try_lock`, first look | Relaxed | none | a hint |
    /// | `try_lock`, swap | Acquire | `Locked::drop` | Relaxed: `two_thieves`, `empty_is_never_spurious`; no lock: the same |
    /// | `Locked::drop` | Release | `try_lock` | Relaxed: `two_thieves`, `empty_is_never_spurious` |
    lock: AtomicU32,
    /// The ring that holds everything from `done` to `head`; written by the owner.
    ///
    /// | site | ordering | partner | mutant: model that dies |
    /// |---|---|---|---|
    /// | `Words::ring` | Relaxed | the owner itself | |
    /// | `replace` | Release | `Locked::ring` | Relaxed: `growth_meets_a_thief`, `growth_keeps_a_claim`, `a_slot_is_reused_after_a_lap` |
    /// | `Locked::ring` | Acquire | `replace` | Relaxed: the same; before the claim: `a_claim_is_read_from_the_ring_of_its_time` |
    ring: AtomicPtr<Ring<T>>,
}

/// All words that the two ends share.
pub(super) struct Words<T> {
    owner: CachePadded<OwnerLine>,
    thief: CachePadded<ThiefLine<T>>,
}

impl<T> Words<T> {
    pub(super) fn new(start: Index, ring: NonNull<Ring<T>>) -> Self {
        let index = || AtomicUsize::new(start.0);
        let lock = AtomicU32::new(FREE);
        let ring = AtomicPtr::new(ring.as_ptr());
        Self {
            owner: CachePadded::new(OwnerLine { head: index(), low: index() }),
            thief: CachePadded::new(ThiefLine {
                split: index(),
                wish: AtomicUsize::new(0),
                silent: AtomicUsize::new(start.plus(QUESTION).0),
                silences: AtomicU32::new(0),
                claimed: index(),
                done: index(),
                lock,
                ring,
            }),
        }
    }
}

/// What the last handle finds.
impl<T> Words<T> {
    /// (`claimed`, `head`, `ring`) at the end of the deque.
    pub(super) fn last(&mut self) -> (Index, Index, NonNull<Ring<T>>) {
        // Ordering: Relaxed, `&mut self` orders everything before: the `Arc` of the last handle did.
        let claimed = self.thief.claimed.load(Ordering::Relaxed);
        // Ordering: Relaxed, as above.
        let head = self.owner.head.load(Ordering::Relaxed);
        // Ordering: Relaxed, as above.
        let ring = self.thief.ring.load(Ordering::Relaxed);
        (Index(claimed), Index(head), NonNull::new(ring).expect("a deque always has a ring"))
    }
}

/// The owner's accesses.
impl<T> Words<T> {
    /// Publishes all items below `head`.
    #[inline]
    pub(super) fn publish(&self, head: Index) {
        // Ordering: Release, pairs with the Acquire in `head_decisive`: the slots below `head` are
        // written, and the ring that holds them is installed.
        self.owner.head.store(head.0, Ordering::Release);
    }

    /// Takes the items from `at` on out of the thieves' sight; a `light` barrier must follow.
    #[inline]
    pub(super) fn withdraw(&self, at: Index) {
        // Ordering: Release, pairs with the Acquire in `head_decisive`: a thief that reads this store
        // needs the slots below `at`, and a relaxed store would end the release sequence of the
        // `publish` that made them visible.
        self.owner.head.store(at.0, Ordering::Release);
    }

    /// Says that everything below `low`, which is not below the value before, is taken.
    pub(super) fn raise_low(&self, low: Index) {
        // Ordering: Release, pairs with the Acquire in `low_seen`: a `head` as new as `low`, or a deque with items
        // would look empty.
        self.owner.low.store(low.0, Ordering::Release);
    }

    /// Everything below is taken; for the owner.
    #[inline]
    pub(super) fn low(&self) -> Index {
        // Ordering: Relaxed: the owner reads its own last store.
        Index(self.owner.low.load(Ordering::Relaxed))
    }

    /// The first index that is not taken for certain; for the owner.
    #[inline]
    pub(super) fn oldest(&self) -> Index {
        self.low().max(self.claimed())
    }

    /// Where the next item goes. For the owner while nothing is withdrawn.
    #[inline]
    pub(super) fn head(&self) -> Index {
        // Ordering: Relaxed: the owner reads its own last store.
        Index(self.owner.head.load(Ordering::Relaxed))
    }

    /// The first index that no thief has announced a claim on; behind a `light` barrier.
    #[inline]
    pub(super) fn split(&self) -> Index {
        // Ordering: Acquire, pairs with the Release in `retract`: a thief has looked at the slots that it gives back, and
        // the owner may write them. Against `insist`, the barrier between `withdraw` and here orders it.
        Index(self.thief.split.load(Ordering::Acquire))
    }

    /// What a thief asks for, if one does: the first index it would take, and how many at most.
    pub(super) fn question(&self) -> Option<(Index, usize)> {
        // Ordering: Acquire, pairs with the Release in `ask`: the wish, and the `claimed` of the last thief.
        let split = Index(self.thief.split.load(Ordering::Acquire));
        let from = self.claimed();
        let is_asked = split.since(from) >= (QUESTION / 2).cast_signed();
        // Ordering: Relaxed, published by `ask`.
        is_asked.then(|| (split.minus(QUESTION), self.thief.wish.load(Ordering::Relaxed)))
    }

    /// Gives the thief that asked everything from `from` up to `split`, unless it does not wait any more.
    pub(super) fn answer(&self, from: Index, split: Index) -> bool {
        let question = from.plus(QUESTION);
        // Ordering: Release, pairs with the Acquire in `Locked::answer`: the slots below `split`, and the ring
        // that holds them. Relaxed if it fails: the thief has announced instead, and `split` is read again.
        let answer = (Ordering::Release, Ordering::Relaxed);
        self.thief.split.compare_exchange(question.0, split.0, answer.0, answer.1).is_ok()
    }

    /// Everything below is stolen for certain.
    pub(super) fn claimed(&self) -> Index {
        // Ordering: Relaxed, the value is the whole message: the word only grows and what it says
        // stays true. Slots below it are not written before `done` allows it.
        Index(self.thief.claimed.load(Ordering::Relaxed))
    }

    /// Everything below is copied out: its slots may be written.
    pub(super) fn done(&self) -> Index {
        // Ordering: Acquire, pairs with the Release in `finish`: the thief's reads of these slots
        // happen before the writes that follow here.
        Index(self.thief.done.load(Ordering::Acquire))
    }

    /// The ring in use; for the owner.
    pub(super) fn ring(&self) -> NonNull<Ring<T>> {
        // Ordering: Relaxed, the owner reads its own last store.
        let ring = self.thief.ring.load(Ordering::Relaxed);
        NonNull::new(ring).expect("a deque always has a ring")
    }

    /// Makes thieves find `ring`, which holds everything from `done` to `head`.
    pub(super) fn replace(&self, ring: NonNull<Ring<T>>) {
        // Ordering: Release, pairs with the Acquire in `Locked::ring`: the copied slots.
        self.thief.ring.store(ring.as_ptr(), Ordering::Release);
    }
}

/// The thieves' accesses; those of a claim need the lock.
impl<T> Words<T> {
    /// A glance at the deque: (the first index that is not taken for certain, `head`).
    #[inline]
    pub(super) fn glance(&self) -> (Index, Index) {
        // Ordering: Acquire, pairs with the Release in `confirm`: the load below must not return a head
        // older than the one that sized this claim, or a deque with items would look empty.
        let claimed = self.thief.claimed.load(Ordering::Acquire);
        let low = self.low_seen();
        // Ordering: Relaxed, a hint: no slot is read by it.
        let head = self.owner.head.load(Ordering::Relaxed);
        (Index(claimed).max(low), Index(head))
    }

    /// Everything below is taken, and maybe more.
    #[inline]
    fn low_seen(&self) -> Index {
        // Ordering: Acquire, pairs with the Release in `raise_low`: a `head` that is read next is not older.
        Index(self.owner.low.load(Ordering::Acquire))
    }

    /// Takes the lock unless another thief has it.
    pub(super) fn try_lock(&self) -> Option<Locked<'_, T>> {
        let lock = &self.thief.lock;
        // Ordering: Relaxed, only to leave the line alone while it is held.
        let held = lock.load(Ordering::Relaxed) == HELD;
        // Ordering: Acquire, pairs with the Release in `Locked::drop`: the last holder's `split`.
        (!held && lock.swap(HELD, Ordering::Acquire) == FREE).then(|| Locked { words: self })
    }
}

/// The right to claim, held by one thief; dropping it gives it back.
pub(super) struct Locked<'a, T> {
    words: &'a Words<T>,
}

impl<T> Locked<'_, T> {
    /// The first index that is to be had, and an estimate of `head`.
    pub(super) fn estimate(&self) -> (Index, Index) {
        // Ordering: Relaxed, the last store of a holder of the lock, which orders it.
        let split = self.words.thief.split.load(Ordering::Relaxed);
        let low = self.low();
        // Ordering: Relaxed, only sizes the claim: `head_decisive` decides.
        let head = self.words.owner.head.load(Ordering::Relaxed);
        (Index(split).max(low), Index(head))
    }

    /// Everything below is taken, and maybe more.
    pub(super) fn low(&self) -> Index {
        self.words.low_seen()
    }

    /// Asks the owner for up to `wish` items from `from` on.
    pub(super) fn ask(&self, from: Index, wish: usize) {
        // Ordering: Relaxed, published by the store below.
        self.words.thief.wish.store(wish, Ordering::Relaxed);
        // Ordering: Release, pairs with the Acquire in `question`: the wish, and what the holders of the lock
        // have stored before.
        self.words.thief.split.store(from.plus(QUESTION).0, Ordering::Release);
    }

    /// The end of what the owner gave, if it has answered.
    pub(super) fn answer(&self, from: Index) -> Option<Index> {
        // Ordering: Acquire, pairs with the Release in `Words::answer`: the slots below and their ring.
        let split = Index(self.words.thief.split.load(Ordering::Acquire));
        (split != from.plus(QUESTION)).then_some(split)
    }

    /// Announces instead of asking; a `heavy` barrier must follow. The end of what the owner gave, if it has
    /// answered meanwhile.
    pub(super) fn insist(&self, from: Index, split: Index) -> Result<(), Index> {
        let question = from.plus(QUESTION);
        // Ordering: Relaxed, the barriers order it; Acquire if the owner has answered, as in `answer`.
        let insist = (Ordering::Relaxed, Ordering::Acquire);
        let exchanged = self.words.thief.split.compare_exchange(question.0, split.0, insist.0, insist.1);
        exchanged.map(drop).map_err(Index)
    }

    /// How often in a row an owner that is at `head` was there when it did not answer.
    pub(super) fn silences_at(&self, head: Index) -> u32 {
        // Ordering: Relaxed, the last store of a holder of the lock, which orders it; as are the others here.
        let silent = self.words.thief.silent.load(Ordering::Relaxed);
        if silent == head.0 { self.words.thief.silences.load(Ordering::Relaxed) } else { 0 }
    }

    /// Remembers that the owner did not answer at `head`.
    pub(super) fn remember_silence(&self, head: Index) {
        let silences = self.silences_at(head).saturating_add(1);
        // Ordering: Relaxed, as above.
        self.words.thief.silences.store(silences, Ordering::Relaxed);
        // Ordering: Relaxed, as above.
        self.words.thief.silent.store(head.0, Ordering::Relaxed);
    }

    /// The owner has answered a question that began at `from`.
    pub(super) fn forget_silence(&self, from: Index) {
        // Ordering: Relaxed, as above.
        self.words.thief.silent.store(from.plus(QUESTION).0, Ordering::Relaxed);
    }

    /// Where the owner is, read behind the `heavy` barrier.
    pub(super) fn head_decisive(&self) -> Index {
        // Ordering: Acquire, pairs with the Release in `publish` and `withdraw`: the slots below the
        // value and the ring they are in.
        Index(self.words.owner.head.load(Ordering::Acquire))
    }

    /// Gives back what the owner reached first.
    pub(super) fn retract(&self, split: Index) {
        // Ordering: Release, pairs with the Acquire in `Words::split`: the thief's look at the slots, if it had one.
        self.words.thief.split.store(split.0, Ordering::Release);
    }

    /// Makes the claim final.
    pub(super) fn confirm(&self, claimed: Index) {
        // Ordering: Release, pairs with the Acquire in `glance`: the estimate of `head`, which is at or above
        // `claimed`.
        self.words.thief.claimed.store(claimed.0, Ordering::Release);
    }

    /// The ring that holds what is decided; good until the lock is given back.
    pub(super) fn ring(&self) -> NonNull<Ring<T>> {
        // Ordering: Acquire, pairs with the Release in `replace`: the copied slots.
        let ring = self.words.thief.ring.load(Ordering::Acquire);
        NonNull::new(ring).expect("a deque always has a ring")
    }

    /// Lets the owner write the slots below `done` again.
    pub(super) fn finish(&self, done: Index) {
        // Ordering: Release, pairs with the Acquire in `Words::done`: the reads of the slots.
        self.words.thief.done.store(done.0, Ordering::Release);
    }
}

impl<T> Drop for Locked<'_, T> {
    fn drop(&mut self) {
        // Ordering: Release, pairs with the Acquire in `try_lock`: `split` for the next thief.
        self.words.thief.lock.store(FREE, Ordering::Release);
    }
}
