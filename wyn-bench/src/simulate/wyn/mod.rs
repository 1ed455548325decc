//! Wyn's policy, as its sources have it: a split deque for each thread, thieves that ask, one watcher with a clock,
//! a chain of calls, and waits that help with their own family.
//!
//! Each file names the one of wyn-sched or wyn-deque that it repeats, down to the names of functions and constants.
//! Left out: the injector and mail, other families, blocking tasks, shutdown, and where the system places threads.

mod barrier;
mod deque;
mod roster;
mod search;
mod sleep;

use std::cell::RefCell;

use super::ledger::Cause;
use super::run::{Job, Policy, Run, Setup};
use super::work::{Node, Shape};
use deque::Deque;
use roster::Roster;
use search::Seeker;
use sleep::Idle;

// As they are in `join.rs` and `context/mod.rs`.
const HELP_ROUNDS: u32 = 64;
const YIELD_ROUNDS: u32 = 4;
const NUDGE_PUSHES: u64 = 32;

pub(super) struct Wyn {
    deques: Vec<Deque>,
    roster: Roster,
    /// The thread from outside, if there is one.
    guest: Option<usize>,
    /// Per thread: how far it saw the others.
    seen: Vec<RefCell<Vec<u64>>>,
}

impl Wyn {
    fn has_moved(&self, me: usize, id: usize) -> bool {
        let now = self.deques[id].progress();
        std::mem::replace(&mut self.seen[me].borrow_mut()[id], now) != now
    }
}

impl Policy for Wyn {
    const SPAWNS_FROM_OUTSIDE: bool = true;

    fn new(setup: &Setup, threads: usize) -> Wyn {
        Wyn {
            deques: (0..threads).map(|owner| Deque::new(owner, threads)).collect(),
            roster: Roster::new(threads),
            guest: (threads > setup.cores).then_some(0),
            seen: (0..threads).map(|_| RefCell::new(vec![0; threads])).collect(),
        }
    }

    async fn push(run: &Run<Wyn>, me: usize, job: Job) {
        run.pay(me, Cause::Tasks, branch(run) / 2.0).await;
        push(run, me, job).await;
    }

    async fn take_back(run: &Run<Wyn>, me: usize, job: Job) -> bool {
        run.pay(me, Cause::Tasks, branch(run) / 2.0).await;
        run.policy.deques[me].newest() == Some(job) && deque::pop(run, me).await == Some(job)
    }

    async fn wait(run: &Run<Wyn>, me: usize, job: Job) {
        let mut round = 0;
        while !run.is_done(job) && round < HELP_ROUNDS + YIELD_ROUNDS {
            match search::find(run, me, Seeker::Kin, run.runner(job)).await {
                Some(kin) => {
                    run.run_job(me, kin).await;
                    round = 0;
                }
                None => round = spin(run, me, round).await,
            }
        }
        while !run.is_done(job) {
            run.wait_as(job, Some(me));
            barrier::heavy(run, me).await;
            let found = Idle::new(run, me, Some(job)).find().await;
            run.wait_as(job, None);
            if let Some(kin) = found {
                run.run_job(me, kin).await;
            }
        }
        let runner = run.runner(job).unwrap_or(me);
        run.transfers(me, runner, 2.0).await;
    }

    async fn complete(run: &Run<Wyn>, me: usize, job: Job) {
        let maker = run.maker(job);
        if run.workload.shape == Shape::FanOut {
            run.pay(me, Cause::Tasks, run.costs.run / 2.0).await;
            remote_cell(run, me, maker).await;
        } else {
            run.transfers(me, maker, 2.0).await;
        }
        run.policy.deques[me].count_move();
        if let Some(waiter) = run.finish(job) {
            let is_parked = run.clock.is_parked(waiter);
            run.clock.unpark(waiter);
            run.pay(me, Cause::Calling, if is_parked { run.costs.wake_call } else { run.costs.rmw }).await;
        }
    }

    async fn work(run: &Run<Wyn>, me: usize) {
        let mut found = Idle::new(run, me, None).called().await;
        loop {
            if let Some(job) = found {
                run.run_job(me, job).await;
            }
            while let Some(job) = deque::pop(run, me).await {
                run.run_job(me, job).await;
            }
            found = Idle::new(run, me, None).find().await;
        }
    }

    async fn fan_out(run: &Run<Wyn>, me: usize) {
        run.clock.ledger.spawning(run.now(), true);
        let mut jobs = Vec::new();
        for seed in 0..run.workload.n {
            run.pay(me, Cause::Tasks, run.costs.spawn).await;
            let job = run.job(me, Node { leaves: 1, seed });
            push(run, me, job).await;
            jobs.push(job);
        }
        run.clock.ledger.spawning(run.now(), false);
        for job in jobs {
            if !run.is_done(job) {
                await_task(run, me, job).await;
            }
            run.pay(me, Cause::Tasks, run.costs.run / 2.0).await;
            remote_cell(run, me, run.runner(job).unwrap_or(me)).await;
        }
    }

    async fn run_loop(run: &Run<Wyn>, me: usize, mut node: Node) {
        let chunk = run.workload.chunk();
        while node.leaves > chunk {
            run.pay(me, Cause::Tasks, run.costs.attend).await;
            deque::attend(run, me).await;
            roster::look(run, me).await;
            let is_wanted = run.policy.roster.idle() > 0 && run.policy.deques[me].is_empty();
            let half = node.leaves / 2;
            if is_wanted && half >= chunk {
                let (first, second) =
                    (Node { leaves: half, ..node }, Node { leaves: node.leaves - half, ..node });
                return run.join_two(me, first, second).await;
            }
            run.leaves(me, chunk).await;
            node.leaves -= chunk;
        }
        run.leaves(me, node.leaves).await;
    }
}

/// The serial price of a branch that nobody steals.
fn branch(run: &Run<Wyn>) -> f64 {
    match run.workload.shape {
        // One of ten children is not pushed.
        Shape::Skynet => run.costs.fork_each * 10.0 / 9.0,
        _ => run.costs.fork,
    }
}

/// A task's cell, when it was another thread that had it last.
async fn remote_cell(run: &Run<Wyn>, me: usize, other: usize) {
    if me != other {
        run.pay(me, Cause::Lines, run.costs.line_stream).await;
    }
}

async fn push(run: &Run<Wyn>, me: usize, job: Job) {
    deque::push(run, me, job).await;
    let roster = &run.policy.roster;
    roster::look(run, me).await;
    if !roster.may_need_call() {
        return;
    }
    if roster.nobody_looks() {
        return roster::rouse(run, me).await;
    }
    let deque = &run.policy.deques[me];
    if deque.counts_up_to(NUDGE_PUSHES) {
        roster::nudge(run, me).await;
    }
}

/// One round of waiting; the next one's number.
async fn spin(run: &Run<Wyn>, me: usize, round: u32) -> u32 {
    let spins = f64::from(round.min(sleep::MAX_ROUND_SPINS)) * run.costs.pause;
    let ns = if round < HELP_ROUNDS { spins } else { run.costs.sched_yield };
    run.pay(me, run.clock.ledger.looking(), ns).await;
    round + 1
}

/// Waits for a task as a guest does: runs its own newest, then what it can steal, then parks.
async fn await_task(run: &Run<Wyn>, me: usize, job: Job) {
    let mut round = 0;
    while !run.is_done(job) && round < HELP_ROUNDS + YIELD_ROUNDS {
        let own = deque::pop(run, me).await;
        let next = match own {
            None => search::find(run, me, Seeker::Free, run.runner(job)).await,
            own => own,
        };
        match next {
            Some(next) => {
                run.run_job(me, next).await;
                round = 0;
            }
            None => round = spin(run, me, round).await,
        }
    }
    while !run.is_done(job) {
        run.wait_as(job, Some(me));
        barrier::heavy(run, me).await;
        if !run.is_done(job) {
            run.clock.park(me, None).await;
        }
        run.wait_as(job, None);
    }
}
