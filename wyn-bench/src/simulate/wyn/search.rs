//! The order of looking for work (`wyn-sched/src/search.rs`).

use super::super::clock::picos;
use super::super::ledger::Cause;
use super::super::run::{Job, Run};
use super::{Wyn, deque};

// As they are in `search.rs`.
const STEAL_TASKS: usize = 1 << 20;
const BATCH_TASKS: usize = 64;
const MANY_TASKS: usize = 1024;
const PATIENCE_LOOKS: u32 = 8;
const LOOK_PARTS: u32 = 4;
const LOOK_SPINS: f64 = 10.0;

/// Deques that are looked at before the model lets time pass.
const GLANCES: usize = 16;

/// Who looks, and for what.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Seeker {
    /// A thread that may run anything takes half of a long deque.
    Free,
    /// A thread that waits for a branch takes one piece of its family at a time.
    Kin,
}

/// A job from another thread's deque; that of `first` is looked at before all others.
pub(super) async fn find(run: &Run<Wyn>, me: usize, seeker: Seeker, first: Option<usize>) -> Option<Job> {
    let start = run.random_below(run.threads);
    let all = (0..run.threads).map(|offset| (start + offset) % run.threads);
    let mut unpaid = 0;
    for victim in first.into_iter().chain(all).filter(|id| *id != me) {
        unpaid += 1;
        if unpaid == GLANCES || !run.policy.deques[victim].is_empty() {
            glances(run, me, victim, unpaid).await;
            unpaid = 0;
        }
        if !run.policy.deques[victim].is_empty() && is_ripe(run, me, victim).await {
            let stolen = steal_from(run, me, victim, seeker).await;
            if stolen.is_some() {
                return stolen;
            }
        }
    }
    glances(run, me, me, unpaid).await;
    None
}

async fn steal_from(run: &Run<Wyn>, me: usize, victim: usize, seeker: Seeker) -> Option<Job> {
    let is_long = run.policy.deques[victim].len() >= BATCH_TASKS;
    let (wish, limit) = match seeker {
        Seeker::Kin => (1, 1),
        Seeker::Free if is_long => (STEAL_TASKS, STEAL_TASKS),
        Seeker::Free => (1, STEAL_TASKS),
    };
    let stolen = deque::steal(run, me, victim, wish, limit).await;
    deque::keep(run, me, stolen)
}

/// Pays for so many looks; the last one at a deque whose lines may be far.
async fn glances(run: &Run<Wyn>, me: usize, last: usize, count: usize) {
    let ns = run.costs.glance * count as f64;
    run.pay(me, run.clock.ledger.looking(), ns).await;
    let lines = run.policy.deques[last].glance(run, me, run.now());
    if lines > 0 {
        run.clock.spend(me, Cause::Lines, lines).await;
    }
}

/// Whether any deque holds something; pays for the look.
pub(super) async fn has_work(run: &Run<Wyn>, me: usize) -> bool {
    let found = run.policy.deques.iter().position(|deque| !deque.is_empty());
    let looked = found.map_or(run.threads, |index| index + 1);
    glances(run, me, found.unwrap_or(me), looked).await;
    found.is_some_and(|index| !run.policy.deques[index].is_empty())
}

/// How many tasks are queued, counted up to `most`; pays for the look.
pub(super) async fn queued(run: &Run<Wyn>, me: usize, most: usize) -> usize {
    let mut queued = 0;
    let mut looked = 0;
    for deque in &run.policy.deques {
        if queued >= most {
            break;
        }
        queued += deque.len();
        looked += 1;
    }
    glances(run, me, me, looked).await;
    queued.min(most)
}

/// Whether there is something that this thread would take.
pub(super) async fn has_prey(run: &Run<Wyn>, me: usize) -> bool {
    for victim in (0..run.threads).filter(|id| *id != me) {
        if !run.policy.deques[victim].is_empty() {
            glances(run, me, victim, 1).await;
            if is_ripe(run, me, victim).await {
                return true;
            }
        }
    }
    run.pay(me, run.clock.ledger.looking(), run.costs.glance * run.threads as f64).await;
    false
}

/// Whether a steal would pay: there is much to take, or what is there stays.
async fn is_ripe(run: &Run<Wyn>, me: usize, victim: usize) -> bool {
    let deque = &run.policy.deques[victim];
    let (stolen, mut held) = deque.mark();
    for _ in 0..PATIENCE_LOOKS {
        for _ in 0..LOOK_PARTS {
            let lines = deque.glance(run, me, run.now());
            run.clock.spend(me, Cause::Search, lines + picos(LOOK_SPINS * run.costs.pause)).await;
            let now = deque.mark();
            if now.0 != stolen || now.1 == 0 {
                return false;
            }
            if now.1 >= MANY_TASKS {
                return true;
            }
        }
        let now = deque.mark().1;
        if now <= held {
            return true;
        }
        held = now;
    }
    true
}
