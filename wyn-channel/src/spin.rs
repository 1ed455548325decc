//! How long a thread looks before it sleeps: some pauses, then some yields, then no more.
//!
//! Shared by locks, rings and waits. The budgets are small, for a thread that spins takes the processor from
//! the one it waits for; a yield gives it back. Knows nothing of what is waited for.

use std::time::{Duration, Instant};

use crate::sync::{sleep, spin_loop, yield_now};

/// Rounds of pauses, each twice as long as the one before.
const PAUSE_ROUNDS: u32 = if cfg!(wyn_loom) { 0 } else { 5 };
/// Pauses of a select before it joins the lists.
const BRIEF_ROUNDS: u32 = if cfg!(wyn_loom) { 0 } else { 3 };
/// The first pause at a long queue.
const PATIENT_PAUSE: u32 = 16;
/// Yields before a wait goes to sleep.
const YIELD_ROUNDS: u32 = if cfg!(wyn_loom) { 0 } else { 64 };
/// Yields of a task that looks as long as it takes to wake a thread.
const LONG_LOOK_ROUNDS: u32 = if cfg!(wyn_loom) { 0 } else { 40 };
/// Yields before somebody who may not sleep naps instead: where yielding cannot let the other side run (a lower
/// real-time priority on the same processor).
const YIELDS_BEFORE_NAP: u32 = 1000;
const NAP: Duration = Duration::from_micros(50);

/// One stretch of looking.
#[derive(Debug)]
pub(crate) struct Spin {
    round: u32,
    /// How long the first pause is.
    shortest: u32,
    /// When the budget is used up.
    rounds: u32,
}

impl Spin {
    #[inline]
    pub(crate) const fn new() -> Self {
        Self { round: 0, shortest: 1, rounds: PAUSE_ROUNDS + YIELD_ROUNDS }
    }

    /// For the end of a long queue: whoever looks again too soon takes each message alone, from a cache line
    /// that the other side is writing, and slows both down.
    #[inline]
    pub(crate) const fn patient() -> Self {
        Self { round: 0, shortest: PATIENT_PAUSE, rounds: PAUSE_ROUNDS + YIELD_ROUNDS }
    }

    /// For a select: two of them meet without a buffer only if one stands in a list. The long look comes there.
    #[inline]
    pub(crate) const fn brief() -> Self {
        Self { round: 0, shortest: 1, rounds: BRIEF_ROUNDS }
    }

    /// For a thread that has paused already.
    #[inline]
    pub(crate) const fn yields() -> Self {
        Self { round: PAUSE_ROUNDS, shortest: 1, rounds: PAUSE_ROUNDS + YIELD_ROUNDS }
    }

    /// For a task that finds out whether the other side would answer if it did not have to be woken first: as long as
    /// that takes.
    #[inline]
    pub(crate) const fn a_wake_up() -> Self {
        Self { round: PAUSE_ROUNDS, shortest: 1, rounds: PAUSE_ROUNDS + LONG_LOOK_ROUNDS }
    }

    /// Waits a little; `false` once the budget is used up and the thread should go to sleep.
    #[inline]
    pub(crate) fn look_again(&mut self, deadline: Option<Instant>) -> bool {
        if !self.has_budget() {
            return false;
        }
        if self.round < PAUSE_ROUNDS {
            pause(self.shortest << self.round);
        } else {
            if deadline.is_some_and(has_passed) {
                return false;
            }
            yield_now();
        }
        self.round += 1;
        true
    }

    /// Whether [`look_again`](Self::look_again) would wait.
    #[inline]
    pub(crate) fn has_budget(&self) -> bool {
        self.round < self.rounds
    }

    /// Whether it has not come to the yields yet.
    #[inline]
    pub(crate) fn is_early(&self) -> bool {
        self.round < PAUSE_ROUNDS
    }

    /// Waits for a thread that is a few instructions away, however long it takes.
    #[inline]
    pub(crate) fn stay(&mut self) {
        if cfg!(wyn_loom) {
            yield_now();
        } else if self.round < PAUSE_ROUNDS {
            pause(1 << self.round);
        } else if self.round < YIELDS_BEFORE_NAP {
            yield_now();
        } else {
            sleep(NAP);
            return;
        }
        self.round += 1;
    }

    /// Waits for a lock. Long pauses come early: while the loser looks away, the winner goes through the lock many
    /// times with its line in its own cache, where two that take turns would carry it to and fro each time.
    #[inline]
    pub(crate) fn lose(&mut self) {
        const SHORT_ROUNDS: u32 = 3;
        const LONG_ROUNDS: u32 = 4;
        const LONG_PAUSE: u32 = 100;
        const YIELDS_BEFORE_NAP: u32 = 20;
        if cfg!(wyn_loom) {
            yield_now();
        } else if self.round < SHORT_ROUNDS {
            pause(1 << self.round);
        } else if self.round < SHORT_ROUNDS + LONG_ROUNDS {
            pause(LONG_PAUSE);
        } else if self.round < SHORT_ROUNDS + LONG_ROUNDS + YIELDS_BEFORE_NAP {
            yield_now();
        } else {
            sleep(NAP);
            return;
        }
        self.round += 1;
    }

    /// Lets a competitor that won the last exchange get out of the way.
    #[inline]
    pub(crate) fn step_aside(&mut self) {
        pause(1 << self.round.min(PAUSE_ROUNDS));
        self.round += 1;
    }
}

#[inline]
fn pause(times: u32) {
    for _ in 0..times {
        spin_loop();
    }
}

/// Whether that moment is over. loom has no clock: there it always is.
#[inline]
pub(crate) fn has_passed(deadline: Instant) -> bool {
    cfg!(wyn_loom) || Instant::now() >= deadline
}
