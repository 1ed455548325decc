//! A split deque whose boundary the thieves move; its owner executes no locked instruction.
//!
//! [`Worker`] is the owner's end: newest in, newest out, and by its position any item from below others. [`Stealer`] is
//! everybody else's: the oldest item, or a batch of up to half of all (of all, if the owner is away). What is pushed can
//! be stolen at once; nothing is kept private and no policy decides what to publish. Owner and thief meet in a [`Barrier`]: two fences by default; with a
//! process-wide barrier on the thieves' side the owner's is free.
//!
//! ```
//! use wyn_deque::Steal;
//! use wyn_deque::split::Worker;
//!
//! let (ours, theirs): (Worker<u32>, Worker<u32>) = (Worker::new(), Worker::new());
//! (0..8).for_each(|item| ours.push(item));
//!
//! // Half of eight: the oldest comes back, the others are in `theirs`, newest on top.
//! assert_eq!(ours.stealer().steal_batch_and_pop(&theirs, 128), Steal::Success(0));
//! assert_eq!((theirs.len(), theirs.pop()), (3, Some(3)));
//! assert_eq!((ours.len(), ours.pop()), (4, Some(7)));
//! ```
//!
//! When not to use it: if many threads steal single items from one victim, since one at a time can
//! ([`crate::Stealer`] has no lock); if the owner must take the oldest first ([`crate::Worker`] can). A
//! thief that is stopped in the middle of a claim keeps other thieves off this deque, and the owner from
//! the items it has announced, until it runs again.
//!
//! # The protocol
//!
//! It is the THE protocol of Cilk-5 (Frigo, Leiserson, Randall: The implementation of the Cilk-5
//! multithreaded language, PLDI 1998, section 5). Each item has an index; indices only wrap
//! (`index.rs`), and slot `i` of the ring is slot `i` modulo its capacity.
//!
//! ```text
//!        done            claimed = split                     head
//!   free  |  a thief copies  |   both ends may take these     |  free
//! ```
//!
//! * **push** writes slot `head`, then publishes `head + 1`.
//! * **pop** publishes `head - 1` (it *withdraws* the item), passes `light`, reads `split`. Is the item at or
//!   above it, it is the owner's. If not, the owner waits for the thief's decision: `claimed` above the item
//!   says that all is gone, `split` at or below it that the item is the owner's after all.
//! * **steal** takes the lock and *asks*: moves `split` out of reach of all items. The next pop of the owner sees it
//!   (as does its 64th push, or [`Worker::attend`]) and *answers*: moves `split` to the end of what it gives, which
//!   it knows to be there. No barrier, and the owner loses the time of one exchange. If no answer comes for as
//!   long as [`Barrier::patience`] says, the owner is busy with something else (one that was silent before and has not
//!   moved since is hardly waited for); then the thief *insists*: *announces* a claim by
//!   moving `split` there, passes `heavy`, reads `head` again. What lies above that `head` is *retracted*. Either way,
//!   what is left is *confirmed* in `claimed`. Then it copies the items out, says so in `done`, and unlocks.
//! * **steal_if** is a steal of one item, with a question to the caller between the decision and `confirm`. If he does not want
//!   the item, it is retracted like what lies above `head`.
//! * **steal_through** is a steal of all, with the question for one item after the other. What lies above the first that he
//!   wants is retracted; if he wants none, all is.
//! * **take_at** is a pop of an item `at` that has others above it: it withdraws all from `at` on, and when `at` is the
//!   owner's, puts `head` back. A hole stays in the slot; of the oldest item nothing stays, but *`low`* goes up: all below
//!   is taken, for everybody. To one that asks meanwhile the owner shows its `head` again, and answers, before it goes on.
//!   When the slots between `done` and `low` are many, the owner tries the lock and *trims*: `split`, `claimed` and `done`
//!   go up to `low`.
//! * **remove** is a take that leaves no hole: what lies above moves down by one, before `head` is put back. **forget_from**
//!   withdraws all from there on, and puts nothing back.
//! * **pop_oldest** is a steal of one item by the owner. It neither asks nor announces: with the lock, nobody else moves
//!   either end. If a thief has the lock, nothing is taken.
//!
//! Deviations from the paper: a claim is a batch; thieves try the lock and never wait for it; the owner waits
//! for no lock, not even when it meets a thief, since `claimed` tells it the decision; the array is a ring that
//! grows, hence `done`; the barrier pair is a parameter; a thief asks before it claims, which spares both ends the
//! barrier where the owner is at work on its deque (Acar, Charguéraud, Rainey: Scheduling parallel programs by work
//! stealing with private deques, PPoPP 2013).
//!
//! # Invariants
//!
//! Indices are compared by signed difference. *P* is a pop or a `take_at` of index `p`, *C* a claim that starts at `from`,
//! announces `c`, and leaves `split` at `f ≤ c`; `h` is what it reads from `head` behind `heavy`, and
//! `f = from + min(c - from, max(h - from, 0))`.
//!
//! 1. **Order.** `done ≤ claimed ≤ split`. `split`, `claimed` and `done` are written only under the lock, and
//!    are equal while it is free: each claim starts at or above the `f` of the one before. Hence `claimed`, `done` and
//!    the `f` of successive claims never fall, and from C's announcement on `split` is at or above its `f`.
//!    `head` is at or above `claimed`, but for what is withdrawn: inside a pop by one.
//! 2. **Slots.** An index from `claimed` up to `head` is the deque's, from `done` up to `claimed` the
//!    thief's that holds the lock, any other the owner's to fill. Only `push`, `take_at`, `remove` and the end of a
//!    batch, on the thief's own deque, write slots: at and above `head`, as it is at the moment, less than a
//!    capacity above `done`. So no slot is written that a thief has still to read.
//! 3. **Meeting.** For each P and C: (a) C reads from `head` what P withdrew to, or a later store; or (b) P
//!    reads from `split` what C announced, or a later store. This is the contract of [`Barrier`].
//! 4. **What a pop takes is not stolen.** P takes `p` when it reads `split ≤ p`; then no C has or gets `f > p`
//!    before P returns. By induction over the claims, so `from ≤ p`. In case (b) P reads C's announcement
//!    (`f ≤ c ≤ p`) or a later value (by 1 at or above `f`). In case (a) C reads P's own store, `h = p`, as P has
//!    not returned, and `f ≤ max(from, p) ≤ p`. This holds as well if P reads `split` several times.
//! 5. **What a claim takes is there.** Let X be the owner's store to `head` that C reads as `h`, and C have
//!    `f > from`, so that `f ≤ h`. All pushes below `h` happen before C's read: `publish` and `withdraw` are Release,
//!    both, because a relaxed store of the same thread would end the release sequence. A pop after X of an
//!    index below `f` is in case (b), and all it reads from `split` is at or above `f` (1): it takes nothing. So
//!    the items stay as they are at X, and by 2 so do their slots, until `finish`. They are read after the claim
//!    is confirmed (but see 15): no torn read for any `T`, and none that has to be thrown away.
//! 6. **`None` is true.** A pop returns `None` when it reads `claimed > p`: all up to `p` is stolen, and above `p`
//!    there was nothing; it puts `head` back. Or at once, when `head` is `low`: all below is taken (13).
//! 7. **The wait is short.** P waits while it reads `split > p` and `claimed ≤ p`: C has announced `p` and not
//!    decided. C decides after one barrier and one load, waiting for nobody. If `f > p`, `claimed` follows and P
//!    returns. Else C has read P's store (4), the claims after it read that or later (the lock orders them) and
//!    announce nothing above `p`: P waits for one decision, not for a crowd. It spins 32 times, then
//!    yields its processor each time. It does not wait while a thief copies.
//! 8. **Rings.** The owner's ring holds all from `done` to `head`; growth, and shrinking, copies just that, so also what is
//!    claimed and not copied yet. C loads the ring after it read `h`: X or the push before it came after the
//!    installation of the ring then current, so C gets that ring or a later one, and either holds its items by
//!    5. Growth never waits. The old ring is retired: the new one keeps it, until the owner gets the lock. Then C
//!    has given it back, behind its last read, and the thieves after it find the new ring. What is still
//!    retired when the last handle goes is freed with the deque; C has a handle.
//! 9. **`Empty` is true.** A thief answers `Empty` when it sees `head` at or below `claimed` or `low`, having read these
//!    first: at the time of the head it saw nothing was left but what the owner had withdrawn. `split` would not do: it
//!    may count items that are about to be retracted. `Retry` says that the lock is held.
//! 10. **Answers.** An answer and an announcement replace the same question by exchange: one of them happens. An
//!     answer is the owner's own decision, `f ≤ head` by its own count, and `from` is the later of `claimed` and a `low`
//!     that the thief has read, since the thief that asks holds the lock. So 4 and 5 hold for it without a barrier: what P takes afterwards lies at or
//!     above `f`, and the thief that reads the answer sees what the owner wrote before. A P that sees a question
//!     answers it, or loses to the announcement and goes on as in 7.
//!     A thief whose claim came to nothing leaves `split` where it asked, and the next asks there: an owner that is slow may
//!     answer this one by the wish of the first. Therefore C retracts what is more than it has room for, as in 15.
//! 11. **Panics.** The owner's and the thieves' protocol calls no code of `T`, and only `steal_if` and
//!     `steal_through` a closure (15). Room in a destination is made
//!     before the announcement, under the lock, which a guard gives back. Neither end runs foreign closures, as an
//!     epoch's collector would: one could use the very deque.
//! 12. **A withdrawn range.** P of the middle withdraws all from `p` to the old `head` *H*. 3 to 5 speak of `p` and of
//!     what is stored to `head`, and hold as they are: once P reads `split ≤ p`, no C has or gets `f > p` before `head` is
//!     put back, so the whole range is the owner's alone, and P may read and write its slots. The store that puts
//!     `head` back is a Release: a thief that reads it finds the hole. If P finds `claimed > p`, the items above are
//!     there still, and it puts `head` back by the same store. The wait is as in 7.
//! 13. **Low.** All below `low` is taken. P raises it to `p + 1` when `p` is the first above `claimed` and `low`, between
//!     its withdrawal and the store that puts `head` back; an owner that makes room raises it to `claimed`, so that
//!     it does not fall so far behind that its difference changes its sign. It only grows and no index below is filled again;
//!     so a thief that knows an old value only asks for too much. C starts at the later of `split` and the `low` it
//!     reads first, and takes what lies from the `low` it reads between its decision and `confirm` up to `f`; call
//!     that `l`. (a) It copies nothing that a P has taken as the oldest. Let `p < f`: that P took `p` before C's
//!     question was answered, which the answer shows; or it read `split ≤ p` from before C's announcement, and `h` is
//!     P's withdrawal, hence `f ≤ p`, or a later store, which shows `l > p`. (b) It leaves out nothing that is there:
//!     all below `l` is taken, and neither by C nor by a thief after it, as C has not confirmed. Once it has, `claimed`
//!     is `f`, and P may raise `low` past `f`, over items that C still copies: therefore C reads `l` before.
//! 14. **Trim.** With the lock, the owner is the only thief, and what it claims is taken already. It tries the lock as in
//!     `pop_oldest`; if a thief has it, the slots stay for the next time. If `low` has not passed `split`, nothing
//!     changes.
//! 15. **Refusal.** Between its decision and `confirm`, C may read the slots from `l` up to `f`: by 4, 5 and 13 nobody takes
//!     what they hold or writes them as long as `split` stays at `f`. Then it either confirms, or moves all three words to
//!     `l`, `split` first. That store is a Release, and the owner that takes one of the items has acquired it, or a
//!     later one of a thief after C; so C's look happens before the owner writes the slot. In 7 the caller's
//!     look belongs to C's decision, and is short as the caller has promised; if it unwinds, C refuses.
//! 16. **Ranges.** `remove` is P of the middle that writes what it has withdrawn, one slot lower each, and puts `head` back to
//!     one less: by 12 the slots are its alone until that store, by which a thief finds them moved. `forget_from` puts
//!     nothing back, which is P of `at` and of all above at once. `steal_through` refuses a part: by 15 it may look at all up
//!     to `f`, and it moves `split` to the end of what it takes before it confirms that, so `f` is this end for all that
//!     comes after. `take_newest_if` is a pop, and a push of the same item into the slot that still holds it. For thieves
//!     `shrink_to` is a growth (8): it copies all from `done` on, and the owner's room ends a smaller capacity above `done`.
//!
//! # Cost
//!
//! `examples/split_cost.rs` prints it. A pop of the owner is a store, three loads and `light`, and so is a `take_at`, which
//! stores two words more; a steal is two locked
//! instructions, for the lock and for the question, and `heavy` if the owner does not answer, whatever the size of the
//! batch. An answer is one locked instruction of the owner. A
//! ring shrinks only when the owner says so; growth makes it four times as large, so an item is copied once on average, and the retired rings together
//! are smaller than the one in use. Reading slots is one move for a word-sized `T`.

mod barrier;
mod index;
#[allow(unsafe_code, reason = "looks at and empties the slots it owns")]
mod middle;
#[allow(unsafe_code, reason = "moves items in and out of slots")]
mod ring;
#[allow(unsafe_code, reason = "copies slots to a larger ring, and frees rings that nobody reads")]
mod room;
#[allow(unsafe_code, reason = "drops the items that are left")]
mod shared;
#[allow(unsafe_code, reason = "reads the slots it claimed")]
mod stealer;
#[cfg(all(test, not(wyn_loom)))]
#[allow(unsafe_code, reason = "plays a thief by hand")]
mod tests;
mod words;
#[allow(unsafe_code, reason = "writes and reads the slots it owns")]
mod worker;

pub use barrier::{Barrier, Fences};
pub use stealer::Stealer;
pub use worker::Worker;

/// Rounds of spinning before a waiting owner yields its processor.
#[cfg(not(wyn_loom))]
const SPIN_ROUNDS: u32 = 32;

/// One step of waiting for a thief's decision.
#[cfg(not(wyn_loom))]
fn pause(round: u32) {
    if round < SPIN_ROUNDS {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Lets another thread of the model run.
#[cfg(wyn_loom)]
fn pause(_round: u32) {
    loom::thread::yield_now();
}
