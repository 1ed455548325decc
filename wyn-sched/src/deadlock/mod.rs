//! Who waits for what, and whether anybody can ever wake them.
//!
//! # What can be known
//!
//! A thread that waits on a handle, a channel or a value can be woken by whoever holds the other end, and any code
//! may: ends lie on stacks, in boxes, in foreign runtimes. Which object wakes whom cannot be seen. What can be seen is
//! who is able to *do* anything. So no graph of objects is searched for cycles here, but the question is Go's
//! (`checkdead` in its scheduler): is there any thread left that could run?
//!
//! A thread is *still* if it is one of these:
//!
//! | | it goes on when |
//! |---|---|
//! | it is parked in a wait of Wyn without a deadline, which nobody has decided yet | some other thread decides it |
//! | it is the thread of wyn-channel's timers, and none is set | some other thread sets one |
//! | it is an idle worker on the roster, nothing is queued, and it has nobody to leave to | some other thread pushes |
//!
//! Every other thread is *moving*: one in a task, in a lock, in a system call, asleep by the clock, waiting with a
//! timeout, for a timer channel, inside another crate's executor. If at one instant all threads of the process are
//! still, none ever moves again: each needs another to move first. Then, and only then, there is a deadlock. Memory
//! that holds wakers and ends does nothing by itself, so async waits need no account of their own, a suspended future of
//! Wyn among them: their executor's threads are moving as long as they may wake anybody.
//!
//! What is assumed: signal handlers wake nobody (they may not call what it takes), and no other process runs in this
//! one's memory. A child that was forked has no monitor, and reports nothing.
//!
//! # How it is seen
//!
//! Every thread puts up a [`post::Notice`] around parking. The monitor, one thread per process, looks at a slow clock and
//! holds everything fast at once: the lock of each thread's post, without which no notice is taken down, and the lock of
//! each roster, without which no idle worker stops being idle. While these are held,
//!
//! 1. the still threads are counted: posts with an open notice, and workers on the rosters. They cannot begin to move;
//! 2. the system is asked how many threads the process has, which is one number at one instant. If it is as many as are
//!    still and the monitor itself, there was no other thread at that instant;
//! 3. *after* that, each wait is asked whether it has been decided, and each queue whether it is empty. What is undecided
//!    and empty there was so at that instant, since nobody has taken anything from the queues or taken a decision back.
//!
//! A thread that has been woken but has not got the processor yet has a decided wait; a worker that was called is not on
//! the roster. So there is no state that only looks like a deadlock. Step 3 is the second look: the first, before
//! step 2, is there to save it. Without the second, a thread that sends its message and ends in between would not be
//! seen: `stress_threads_that_send_and_end` in `tests/deadlock_none.rs` finds that.
//!
//! Where the number of threads is not to be had (not Linux), step 2 fails, and nothing is reported: a missed report is
//! better than a false one. A program that knows that no thread outside will wake its tasks says so
//! ([`Deadlocks::assume_closed`]), or for single threads ([`bystander`]); then step 2 counts without them. The first
//! promise is about tasks, so on its strength there is a report only if a task is blocked: threads outside may be waiting
//! for each other.
//!
//! # How it ends
//!
//! With [`Deadlocks::fail`] blocked calls end. Everybody is blocked, so any choice is a fair one, but not any is sound. A
//! frame that lends itself to others (a `join`, a `scope`, an `install`) must not end before they do: such a wait has no
//! [`Ending`], and nothing can end it but the completion that it waits for. All other waits have one:
//!
//! | wait | gives up by | then |
//! |---|---|---|
//! | for a handle | taking its registration out of the cell, as after a timeout | the handle is dropped, which detaches the task, and the caller gets an error; a result that borrows (a scope's child's) is dropped by the child, before the scope counts it out |
//! | for a channel or value | taking its waiter out of the list, as after a timeout | there is no word for it in crossbeam's error types, and `Disconnected` would be a lie, so the call unwinds with the [`DeadlockError`] |
//! | for the end of a runtime | looking no longer | the runtime ends by itself when it comes to rest, as one that is dropped by its own task |
//!
//! That is enough: whoever waits for borrowing code waits for a thread that runs it, and so on down to a wait of another
//! kind, since what runs on top of a wait never waits for what it buries. When that one ends, its frames unwind or return,
//! and those above it in turn. A wait in a destructor that a panic runs is left alone: unwinding out of it would end the
//! process. In the rare case that only such waits are left, the deadlock stays, and has been printed.
//!
//! The waits are told while everybody is held fast, so it is the proven deadlock that ends, not what came of it. A told wait
//! counts as decided from that moment on. Should a promise have been wrong and somebody decide it all the same, it ends as
//! decided.
//!
//! # What it costs
//!
//! Nothing where nobody parks. Around parking, an uncontended lock, twice, and a look at the clock. The monitor runs only
//! if a runtime asked for reports.

mod census;
mod clock;
mod error;
mod monitor;
mod policy;
#[allow(unsafe_code, reason = "asks waits on the stacks of other threads whether they are over")]
pub(crate) mod post;
mod proof;
pub(crate) mod site;
mod world;

pub use error::{Blocked, DeadlockError, WaitsFor};
pub use policy::Deadlocks;
pub use post::{Bystander, bystander};

pub(crate) use post::{Ending, Notice, Place};
pub(crate) use world::{blocked, enlist};
