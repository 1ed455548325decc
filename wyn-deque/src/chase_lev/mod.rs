//! The Chase-Lev deque with crossbeam-deque's interface.
//!
//! D. Chase, Y. Lev, *Dynamic circular work-stealing deque*, SPAA 2005, with the fences of N. M. Lê,
//! A. Pop, A. Cohen, F. Zappa Nardelli, *Correct and efficient work-stealing for weak memory
//! models*, PPoPP 2013. Deviations:
//!
//! - A thief reads the task after it has won it, not before. In the paper (and in crossbeam-deque)
//!   the read may overlap the owner's write of another task and is thrown away when the claim fails:
//!   formally a data race for any task larger than a word. Here no byte is read and written at the
//!   same time. The price is that the owner must know when the thief is done: a flag per place
//!   ([`Places`](crate::buffer::Places)), which also replaces the check for a full ring, so a push
//!   touches neither `top` nor a fence.
//! - A place still held by a slow thief, one lap later, makes the owner replace the ring instead of
//!   waiting: push never depends on another thread.
//! - `bottom` is stored with Release everywhere, by `pop` too: a thief that reads `pop`'s store must
//!   see the tasks below it.
//! - The claim is Relaxed, where the paper's C11 version has it sequentially consistent. It decides
//!   who gets a task; what is in it comes by way of `bottom`, see the table.
//! - The owner takes the last task by the claim alone, without withdrawing it and without the fence.
//! - The FIFO flavour: the owner too takes tasks by claim, and a thief claims a whole run at once.
//! - Replaced rings are freed through crossbeam-epoch. The owner pins for a replacement only; a
//!   thief pins for each steal, which is its fence as well.
//! - Rings do not shrink. A ring that halves on the way down has to double on the way up, for each
//!   wave of tasks, in the middle of a pop; the memory of the highest wave is kept instead, less
//!   than four places per task of it.
//!
//! # Invariants
//!
//! 1. Every index in `top .. bottom` was written, once, since it was last below `bottom`. Only the
//!    owner stores `bottom`; `top` only grows, and only by a claim.
//! 2. An index leaves either through `top`, by a claim of exactly one claimant, or through `bottom`,
//!    by the owner. Not both: the owner withdraws `bottom` to `i`, fences, and takes `i` only if it
//!    then reads `top < i`. A thief that claims `i` has read `top = i`, fenced, and read
//!    `bottom > i`. If the owner's fence is first, the thief sees the withdrawal (or a later push of
//!    another task at `i`, which it may have); if the thief's is first, the owner sees `top >= i`.
//!    By the same argument a thief that wins `i` has read `bottom` from the last push at `i` or
//!    later, so it sees that task and no older one.
//! 3. `bottom - top <= capacity` for any `top` the owner can read: it wrote `bottom - 1` into a
//!    place that it had seen drained, and that drain follows the claim of the index one lap before.
//! 4. The ring a thief finds after it has read `bottom > i`, and before it claims `i`, holds the
//!    task of `i` if the claim succeeds. It is the ring that the last push at `i` went to, or a
//!    later one (the load follows the load of `bottom`, which acquires that push). A later one was
//!    filled when the owner read a `top` that the thief's successful claim shows to be at most `i`,
//!    and `i` was below `bottom`, so `i` was copied. Should the owner replace the ring after the
//!    thief's load, the old one stays as it is: owners write to the current ring only, and the
//!    guard keeps it allocated. This is the defect of RUSTSEC-2021-0093 (one ring found for a whole
//!    batch of separate claims), so a LIFO batch finds the ring anew for each task.
//! 5. A claimant that read from an old ring drains its place there, not in the current one. There
//!    the index counts as present until the owner comes by, one lap later, and replaces the ring
//!    by one of equal size. So that this is rare the owner marks, just before it publishes a ring,
//!    what was claimed while it was copying.
//!
//! Indices wrap. They are compared by the sign of their difference, which is right as long as fewer
//! than half of all indices are queued. As in any such deque, a thief that sleeps inside a steal for
//! exactly one full turn of the index could win a wrong task; at one push per nanosecond that is
//! 584 years for 64 bits and 4 seconds for 32.
//!
//! # Orderings
//!
//! All sites are in `inner.rs`; flags and values have their table in `buffer.rs`. A model of
//! `tests/loom.rs` "dies" when it fails with that site made Relaxed, or the fence or check removed;
//! where several die, the smallest is named. `tests/mutants.toml` plants each row.
//!
//! | site | ordering | partner | dies |
//! |---|---|---|---|
//! | `publish`, store of `bottom` | Release | `published` | `last_task` |
//! | `withdraw`, store of `bottom` | Release | `published` | `thief_meets_owner` |
//! | `settle`, store of `bottom` | Release | `published` | none: loom makes no load-buffering cycles, see there |
//! | `published`, load of `bottom` | Acquire | the three above | `last_task` |
//! | `barrier`, owner between `withdraw` and `top` | SeqCst fence | `look`, `look_again` | `thief_meets_owner` |
//! | `look`, thief between `top` and `published` | SeqCst fence, in the pin | `barrier` | `thief_meets_owner` |
//! | `look_again`, thief between claim and `published` | SeqCst fence | `barrier` | `batch_meets_owner` |
//! | `places`, load of the ring | Acquire | `replace_ring` | `growth` |
//! | `replace_ring`, store of the ring | Release | `places` | `growth` |
//! | `top`, loads | Relaxed | behind a fence, or a bound that is checked by a claim | |
//! | `claim`, compare-exchange of `top` | Relaxed | decides who, not what | |

mod ahead;
mod inner;
mod stealer;
#[cfg(all(test, not(wyn_loom)))]
mod tests;
mod worker;

pub use stealer::Stealer;
pub use worker::Worker;

/// Most tasks that `steal_batch` and `steal_batch_and_pop` move, as in crossbeam-deque.
pub(crate) const MAX_BATCH: usize = 32;
