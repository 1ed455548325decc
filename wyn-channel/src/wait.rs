//! Tickets: how a blocked operation learns that it has been decided, by whom, and how it sleeps until then.
//!
//! A ticket lives with the blocked: on the stack of the thread, or in the pinned future. Its waiters (one, or
//! one for each arm of a select) stand in the lists of channels; whoever serves one *claims* the ticket under
//! that list's lock, hands the value over, and *finishes* it. A claimed ticket stays where it is until it is
//! finished: its owner may not return before.
//!
//! | bits | set by | meaning |
//! |---|---|---|
//! | `PARKED` | owner | `who` is filled in and is to be woken; cleared only by `unpark` |
//! | `CLAIMED` | claimant, or owner to end its wait | nobody else may claim; the claimant may use the slot |
//! | `DONE` + outcome + case | claimant | decided: the claimant is gone, the owner may return |
//!
//! | site | ordering | partner | what a model says if it is weakened |
//! |---|---|---|---|
//! | `claim`, exchange | Acquire | – | nothing: `finish` synchronises again before it reads `who` |
//! | `finish`, load and failed exchange | Acquire | `publish_who` | `rendezvous_hands_over` fails (`finish-who`) |
//! | `finish`, exchange | Release | `verdict` | `rendezvous_hands_over` fails (`finish`) |
//! | `decide`, exchange | Release | `verdict` | `oneshot_hands_over` fails (`decide`) |
//! | `verdict`, load | Acquire | `finish`, `decide` | `rendezvous_hands_over` fails (`verdict`) |
//! | `publish_who`, fetch_or | Release | `finish` | `rendezvous_hands_over` fails (`publish-who`) |
//!
//! The names in brackets are those by which `planted_flaws_are_found` in `tests/loom*.rs` weakens them.

use std::mem;
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::foreign::{TaskWaker, wake};
use crate::hook::{self, What};
use crate::lock::ShortLock;
use crate::spin::{Spin, has_passed};
use crate::sync::{
    AtomicUsize, Ordering, Thread, UnsafeCell, Watched, current, needed, park, park_timeout, planted,
    spin_loop,
};

/// Looks before a thread that waits begins to yield.
const WAIT_LOOKS: u32 = if cfg!(wyn_loom) { 0 } else { 31 };

const PARKED: usize = 1;
const CLAIMED: usize = 1 << 1;
const DONE: usize = 1 << 2;
const OUTCOME_SHIFT: u32 = 3;
const CASE_SHIFT: u32 = 5;

/// How a wait was ended by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The value was handed over, or (for a ring or a watcher) it is time to look again.
    Served,
    /// No message can come, or go, any more.
    Disconnected,
}

/// The outcome and the arm it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: Outcome,
    pub(crate) case: usize,
}

/// Why a wait ended without a verdict. The ticket may be claimed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unserved {
    /// Its deadline has passed.
    TimeIsUp,
    /// The hook has ended it.
    Ended,
}

/// One blocked operation.
#[derive(Debug)]
pub(crate) struct Ticket {
    state: AtomicUsize,
    /// Written by the owner before it sets `PARKED`; taken by the claimant once it has seen that.
    who: UnsafeCell<Who>,
    /// The slots of the waiters: the claimant writes between claiming and finishing.
    pub(crate) slot_use: Watched,
}

// SAFETY: `who` is the owner's until PARKED and the claimant's afterwards; the rest is atomic.
unsafe impl Sync for Ticket {}
// SAFETY: a ticket is moved only while nobody but its owner knows it, and what it holds is Send.
unsafe impl Send for Ticket {}

#[derive(Debug)]
enum Who {
    Nobody,
    Thread(Thread),
    /// Locked, for a task may be polled by another waker while somebody is about to wake it.
    Task(ShortLock<TaskWaker>),
}

/// A wake-up to be sent once all locks are free.
#[derive(Debug)]
#[must_use = "somebody sleeps until it is sent"]
pub(crate) enum Wake {
    Nobody,
    Thread(Thread),
    Task(Waker),
}

impl Wake {
    /// Does not unwind. A waker may do anything, so no lock is held and no claim is open.
    #[inline]
    pub(crate) fn send(self) {
        match self {
            Self::Nobody => {}
            Self::Thread(thread) => thread.unpark(),
            Self::Task(waker) => wake(waker),
        }
    }

    pub(crate) fn send_to_thread(&self) {
        if let Self::Thread(thread) = self {
            thread.unpark();
        }
    }

    pub(crate) fn send_to_task(self) {
        if let Self::Task(waker) = self {
            wake(waker);
        }
    }
}

impl Ticket {
    /// Whose it is, is found out about only when it parks.
    pub(crate) fn new() -> Self {
        Self { state: AtomicUsize::new(0), who: UnsafeCell::new(Who::Nobody), slot_use: Watched::new() }
    }

    /// Takes the right to finish, if nobody has it. The list's lock keeps the ticket alive meanwhile.
    pub(crate) fn claim(&self) -> bool {
        // Ordering: Relaxed: a guess that the exchange verifies.
        let mut state = self.state.load(Ordering::Relaxed);
        while state & (CLAIMED | DONE) == 0 {
            let claimed = state | CLAIMED;
            // Ordering: Acquire orders the claimant after whatever the owner did before it waited. Failure is
            // Relaxed: it leads to another guess.
            match self.state.compare_exchange(state, claimed, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    /// Whether a claim would succeed at this moment.
    pub(crate) fn is_open(&self) -> bool {
        // Ordering: Relaxed: nothing is read on the strength of it.
        self.state.load(Ordering::Relaxed) & (CLAIMED | DONE) == 0
    }

    /// Decides, and says whom to wake. The owner may free the ticket as soon as this has happened, so it takes
    /// a pointer.
    ///
    /// # Safety
    /// - `this` is alive, and the caller holds its only claim.
    /// - The caller does not touch the ticket again.
    pub(crate) unsafe fn finish(this: *const Self, outcome: Outcome, case: usize) -> Wake {
        // SAFETY: alive until DONE is stored, says the caller.
        let ticket = unsafe { &*this };
        let decided = DONE | (outcome as usize) << OUTCOME_SHIFT | case << CASE_SHIFT;
        // Ordering: Acquire pairs with the Release in `publish_who`: `who` is visible once PARKED is.
        let mut state = ticket.state.load(needed("finish-who", Ordering::Acquire));
        loop {
            let wake = if state & PARKED == 0 { Wake::Nobody } else { ticket.take_who() };
            let new = decided | state & PARKED;
            // LAST TOUCH, if it succeeds.
            // Ordering: Release pairs with the Acquire in `verdict`: the value in the slot is visible. Failure
            // is Acquire, as the load above.
            let release = needed("finish", Ordering::Release);
            let acquire = needed("finish-who", Ordering::Acquire);
            match ticket.state.compare_exchange(state, new, release, acquire) {
                Ok(_) => return wake,
                // The owner has gone to sleep meanwhile: once more, with somebody to wake.
                Err(_) if planted("missed-parker") => return wake,
                Err(now) => state = now,
            }
        }
    }

    /// Decides without a claim: for the only one who could ever claim. `None` if the owner has claimed the
    /// ticket to end its wait, and is gone.
    ///
    /// # Safety
    /// As for [`finish`](Self::finish), but that there is no claim; after `None` the ticket is the caller's.
    #[inline]
    pub(crate) unsafe fn decide(this: *const Self, outcome: Outcome) -> Option<Wake> {
        let decided = DONE | (outcome as usize) << OUTCOME_SHIFT;
        // SAFETY: alive until DONE is stored, says the caller.
        let ticket = unsafe { &*this };
        // LAST TOUCH, if it succeeds.
        // Ordering: Release pairs with the Acquire in `verdict`. Failure is Relaxed: `claim` looks again.
        if ticket
            .state
            .compare_exchange(0, decided, needed("decide", Ordering::Release), Ordering::Relaxed)
            .is_ok()
        {
            return Some(Wake::Nobody);
        }
        // SAFETY: the caller's contract.
        unsafe { Self::decide_slow(this, outcome) }
    }

    /// # Safety
    /// As for [`decide`](Self::decide).
    #[cold]
    #[inline(never)]
    unsafe fn decide_slow(this: *const Self, outcome: Outcome) -> Option<Wake> {
        // SAFETY: alive until DONE is stored.
        if !unsafe { &*this }.claim() {
            return None;
        }
        // SAFETY: claimed; alive as above.
        Some(unsafe { Self::finish(this, outcome, 0) })
    }

    fn take_who(&self) -> Wake {
        // SAFETY: the caller holds the claim and has seen PARKED: the owner does not write any more. A task may
        // read meanwhile, to renew its waker.
        if let Who::Task(waker) = self.who.with(|who| unsafe { &*who }) {
            let waker = waker.lock().take();
            return waker.map_or(Wake::Nobody, Wake::Task);
        }
        // SAFETY: as above, and a thread does not read either.
        match self.who.with_mut(|who| mem::replace(unsafe { &mut *who }, Who::Nobody)) {
            Who::Thread(thread) => Wake::Thread(thread),
            Who::Nobody | Who::Task(_) => Wake::Nobody,
        }
    }

    /// What has been decided, if anything.
    #[inline]
    pub(crate) fn verdict(&self) -> Option<Verdict> {
        // Ordering: Acquire pairs with the Release in `finish`.
        let state = self.state.load(needed("verdict", Ordering::Acquire));
        if state & DONE == 0 {
            return None;
        }
        let outcome = match state >> OUTCOME_SHIFT & 0b11 {
            0 => Outcome::Served,
            _ => Outcome::Disconnected,
        };
        Some(Verdict { outcome, case: state >> CASE_SHIFT })
    }

    /// Puts `waker` in the place of the one a task left; `false` if that one is being woken already.
    pub(crate) fn renew(&self, waker: &Waker) -> bool {
        // SAFETY: `who` of a task is written once, by its owner, who is the caller.
        let Who::Task(held) = self.who.with(|who| unsafe { &*who }) else { return false };
        {
            let held = held.lock();
            if held.is_taken() {
                return false;
            }
            if held.will_wake(waker) {
                return true;
            }
        }
        // Cloning and dropping a waker runs foreign code: neither under the lock.
        let mut new = TaskWaker::of(waker);
        {
            let mut held = held.lock();
            if held.is_taken() {
                return false;
            }
            mem::swap(&mut *held, &mut new);
        }
        drop(new);
        true
    }

    /// Whether somebody is to be woken. Only for the owner.
    pub(crate) fn is_parked(&self) -> bool {
        // Ordering: Relaxed: PARKED is set by this thread only, or by the one that polled before.
        self.state.load(Ordering::Relaxed) & PARKED != 0
    }

    /// Lets a task be woken; `false` if there is a verdict already.
    pub(crate) fn park_task(&self, waker: TaskWaker) -> bool {
        let new = Who::Task(ShortLock::new(waker));
        // SAFETY: nobody reads `who` before PARKED is set, or after `unpark` has cleared it.
        let old = self.who.with_mut(|who| mem::replace(unsafe { &mut *who }, new));
        let published = self.publish_who() || planted("late-waker");
        // Foreign code, which may go as far as to decide this ticket.
        drop(old);
        published
    }

    /// Takes the owner's name out again, after a wait that was given up; `false` if somebody has claimed the
    /// ticket and may be reading it.
    pub(crate) fn unpark(&self) -> bool {
        // Ordering: Relaxed: only the owner sets and clears PARKED alone.
        if self.state.load(Ordering::Relaxed) == 0 {
            return true;
        }
        // Ordering: Relaxed: nothing was read; what is written to `who` next is published by `publish_who`.
        self.state.compare_exchange(PARKED, 0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Drops the owner's name, unless somebody has claimed the ticket and may be reading it. Only for the owner.
    pub(crate) fn forget_who(&self) {
        if self.unpark() {
            // SAFETY: nobody reads `who` without PARKED.
            drop(self.who.with_mut(|who| mem::replace(unsafe { &mut *who }, Who::Nobody)));
        }
    }

    /// Looks for the verdict so many times, with a pause after each: the shortest, for the word is the owner's own until
    /// the other side writes to it, and looking disturbs nobody.
    #[inline]
    pub(crate) fn look(&self, times: u32) -> Option<Verdict> {
        for _ in 0..times {
            if let Some(verdict) = self.verdict() {
                return Some(verdict);
            }
            spin_loop();
        }
        None
    }

    /// Sleeps until there is a verdict, unless the deadline comes first or the hook ends the wait.
    pub(crate) fn wait(&self, deadline: Option<Instant>, what: What) -> Result<Verdict, Unserved> {
        if let Some(verdict) = self.look(WAIT_LOOKS) {
            return Ok(verdict);
        }
        let mut spin = Spin::yields();
        loop {
            if let Some(verdict) = self.verdict() {
                return Ok(verdict);
            }
            if !spin.look_again(deadline) {
                return self.sleep(deadline, what);
            }
        }
    }

    /// As [`wait`](Self::wait), without a last look around.
    #[cold]
    #[inline(never)]
    pub(crate) fn sleep(&self, deadline: Option<Instant>, what: What) -> Result<Verdict, Unserved> {
        self.sleep_in(&hook::Wait::new(self, deadline, what))
    }

    fn sleep_in(&self, wait: &hook::Wait<'_>) -> Result<Verdict, Unserved> {
        self.set_parked();
        loop {
            if let Some(verdict) = self.verdict() {
                return Ok(verdict);
            }
            if wait.deadline().is_some_and(has_passed) {
                hook::timed_out();
                return Err(Unserved::TimeIsUp);
            }
            if wait.is_ended() {
                return Err(Unserved::Ended);
            }
            hook::block(wait);
        }
    }

    /// Sleeps until somebody who has claimed the ticket finishes it.
    pub(crate) fn wait_for_claimant(&self, what: What) -> Verdict {
        let mut spin = Spin::new();
        loop {
            if let Some(verdict) = self.verdict() {
                return verdict;
            }
            if !spin.look_again(None)
                && let Ok(verdict) = self.sleep_in(&hook::Wait::for_claimant(self, what))
            {
                return verdict;
            }
        }
    }

    /// Waits for the claimant of a task's ticket, who is a few steps away, from where parking is impossible. Nobody runs
    /// foreign code between a claim and its end.
    pub(crate) fn stay_for_claimant(&self) -> Verdict {
        let mut spin = Spin::new();
        loop {
            if let Some(verdict) = self.verdict() {
                return verdict;
            }
            spin.stay();
        }
    }

    /// Makes sure that the thread is woken, unless there is a verdict already.
    fn set_parked(&self) {
        if !self.is_parked() {
            // SAFETY: nobody reads `who` before PARKED is set.
            self.who.with_mut(|who| unsafe { *who = Who::Thread(current()) });
            self.publish_who();
        }
    }

    fn publish_who(&self) -> bool {
        // Ordering: Release pairs with the Acquire in `finish`: `who` is visible. The verdict that this may find
        // is read again, with Acquire.
        self.state.fetch_or(PARKED, needed("publish-who", Ordering::Release)) & DONE == 0
    }
}

/// Parks the thread until it is unparked or the deadline comes.
pub(crate) fn park_until(deadline: Option<Instant>) {
    match deadline {
        None => park(),
        Some(at) => match at.saturating_duration_since(Instant::now()) {
            Duration::ZERO => {}
            rest => park_timeout(rest),
        },
    }
}
