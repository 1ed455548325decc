//! How fast a loop runs, and whether what is left of it is worth giving away.
//!
//! | who is idle | gets half if there is so much left |
//! |---|---|
//! | a worker that looks around | [`STEAL_WORTH`] |
//! | only workers that sleep | [`CALL_WORTH`], together with what other loops have missed of late: a push calls one |
//!
//! What is left is taken to run like what ran last, and at first by the number of its grains. The clock is read
//! twice for each range, and while somebody is idle.

use std::time::{Duration, Instant};

use crate::context::Context;
use crate::sleep::roster::Idle;

/// Less work than this is not worth a steal: some transfers of cache lines, and a wait for the thief.
const STEAL_WORTH: Duration = Duration::from_micros(2);
/// Less than this is not worth a call to a worker that sleeps: it takes about as long to come.
const CALL_WORTH: Duration = Duration::from_micros(100);
/// The pace that a call rests on is that of so much time at least: the first iterations are often slow.
const CALL_PROOF: Duration = Duration::from_micros(5);
/// What was missed longer ago than this says nothing about the next loop.
const MEMORY: Duration = Duration::from_millis(1);

/// A range of so many grains is taken to be worth a steal before its pace is known.
const MANY_GRAINS: usize = 32;
/// A loop that nobody would help with looks again after so long,
const LOOK_EVERY: Duration = Duration::from_micros(2);
/// or after so many grains: the next ones may be slower.
const MOST_GRAINS: usize = 16;

/// What a loop does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Give half of what is left away.
    Split,
    /// Run so many iterations and look again.
    Run(usize),
}

/// So many nanoseconds for so many iterations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rate {
    nanoseconds: u64,
    iterations: u64,
}

impl Rate {
    fn of(elapsed: Duration, iterations: usize) -> Self {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        Self { nanoseconds, iterations: iterations as u64 }
    }

    fn estimate(self, iterations: usize) -> Duration {
        let product = self.nanoseconds.saturating_mul(iterations as u64);
        Duration::from_nanos(product / self.iterations.max(1))
    }

    fn iterations_in(self, time: Duration) -> usize {
        let product = Self::of(time, 0).nanoseconds.saturating_mul(self.iterations);
        usize::try_from(product / self.nanoseconds.max(1)).unwrap_or(usize::MAX)
    }
}

/// What a loop knows of its speed.
#[derive(Debug)]
pub(super) struct Pace {
    /// As seen last, or by the loop that this one was split off from.
    rate: Option<Rate>,
    /// When it looked at the clock last, and how many iterations were left then.
    last: (Instant, usize),
    grain: usize,
    /// Iterations until the next look while nobody is idle, once a grain has been timed.
    stride: Option<usize>,
    /// It has been counted among what was missed.
    is_missed: bool,
}

impl Pace {
    /// For a loop over so many iterations that begins now; `rate` is that of the loop it is a part of.
    pub(super) fn new(iterations: usize, grain: usize, rate: Option<Rate>) -> Self {
        Self { rate, last: (Instant::now(), iterations), grain, stride: None, is_missed: false }
    }

    /// With so many iterations left and nobody idle: how many to run before the next look.
    pub(super) fn stride(&mut self, left: usize) -> usize {
        let (then, before) = self.last;
        if let Some(stride) = self.stride {
            return stride;
        }
        if before == left {
            return self.grain;
        }
        let stride = self.between_looks(Rate::of(then.elapsed(), before - left));
        self.stride = Some(stride);
        stride
    }

    fn between_looks(&self, rate: Rate) -> usize {
        rate.iterations_in(LOOK_EVERY).clamp(self.grain, self.grain.saturating_mul(MOST_GRAINS))
    }

    pub(super) fn rate(&self) -> Option<Rate> {
        self.rate
    }

    /// With so many iterations left, which `idle` might help with.
    pub(super) fn decide(&mut self, context: &Context, idle: Idle, left: usize) -> Decision {
        let (worth, proof) = match idle {
            Idle::Looking => (STEAL_WORTH, Duration::ZERO),
            Idle::Asleep => (CALL_WORTH, CALL_PROOF),
        };
        let is_worth_it = match self.rate {
            Some(rate) => rate.estimate(left) >= worth,
            None => idle == Idle::Looking && left / self.grain >= MANY_GRAINS,
        };
        if is_worth_it {
            return Decision::Split;
        }
        let (then, before) = self.last;
        if before == left {
            return Decision::Run(self.grain);
        }
        let now = Instant::now();
        let rate = Rate::of(now - then, before - left);
        if now - then >= proof {
            self.last = (now, left);
            self.rate = Some(rate);
            let estimate = rate.estimate(left);
            let mut is_missed = || self.is_missed_too_often(context, rate.estimate(before), now);
            if estimate >= worth || (idle == Idle::Asleep && is_missed()) {
                return Decision::Split;
            }
        }
        Decision::Run(self.between_looks(rate))
    }

    /// Counts the loop among those that nobody was called for; whether together they are worth it by now.
    fn is_missed_too_often(&mut self, context: &Context, work: Duration, now: Instant) -> bool {
        if work < STEAL_WORTH || std::mem::replace(&mut self.is_missed, true) {
            return false;
        }
        let (missed, is_worth_it) = context.missed.get().and(work, now);
        context.missed.set(missed);
        is_worth_it
    }
}

/// What a thread's loops could have used help for, while all who could have come were asleep.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Missed {
    work: Duration,
    until: Option<Instant>,
}

impl Missed {
    /// With the work of one more loop; whether all of it is worth a call by now, after which it starts anew.
    fn and(self, work: Duration, now: Instant) -> (Self, bool) {
        let is_recent = self.until.is_some_and(|until| now.saturating_duration_since(until) < MEMORY);
        let work = if is_recent { self.work + work } else { work };
        if work >= CALL_WORTH {
            return (Self::default(), true);
        }
        (Self { work, until: Some(now) }, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_in_a_row_add_up() {
        let (mut missed, mut now) = (Missed::default(), Instant::now());
        for loops in 1..=30 {
            let called;
            (missed, called) = missed.and(CALL_WORTH / 10, now);
            assert_eq!(called, loops % 10 == 0, "after {loops}");
            now += CALL_WORTH / 10;
        }
    }

    #[test]
    fn loops_far_apart_do_not() {
        let (mut missed, mut now) = (Missed::default(), Instant::now());
        for _ in 0..100 {
            let called;
            (missed, called) = missed.and(CALL_WORTH * 9 / 10, now);
            assert!(!called);
            now += MEMORY;
        }
    }

    #[test]
    fn an_estimate_never_overflows() {
        let slow = Rate { nanoseconds: u64::MAX, iterations: 1 };
        assert!(slow.estimate(usize::MAX) >= CALL_WORTH);
        assert_eq!(Rate { nanoseconds: 80, iterations: 4 }.estimate(50), Duration::from_micros(1));
        assert_eq!(Rate { nanoseconds: 5, iterations: 0 }.estimate(2), Duration::from_nanos(10));
    }
}
