//! A global queue under one lock: batches of 128 for flat tasks, a lock and a condition for each result. Wyn's
//! original design in C (`wyn-bench/peers/c/pool.c`).
//!
//! That design has no fork-join, since an await inside a task blocks its worker. Here its branches go into the same
//! queue, from which their owner takes the newest back and others take the oldest, and whoever waits runs others
//! meanwhile: the best that one lock can do.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::clock::picos;
use super::ledger::Cause;
use super::lines::Lock;
use super::run::{Job, Policy, Run, Setup};
use super::work::{Node, Shape};

const BATCH: usize = 128;
/// Parts of a loop for each processor.
const PARTS_PER_CORE: u64 = 8;
/// Rounds of looking before a thread that waits for a branch parks.
const HELP_ROUNDS: u32 = 64;

/// See the module.
pub(super) struct Queue {
    items: RefCell<VecDeque<Job>>,
    lock: Lock,
    /// Those that wait for the queue to be filled.
    waiting: RefCell<Vec<usize>>,
}

impl Policy for Queue {
    const SPAWNS_FROM_OUTSIDE: bool = true;

    fn new(_: &Setup, threads: usize) -> Queue {
        Queue {
            items: RefCell::default(),
            lock: Lock::new(threads),
            waiting: RefCell::new((1..threads).rev().collect()),
        }
    }

    async fn push(run: &Run<Queue>, me: usize, job: Job) {
        run.pay(me, Cause::Tasks, run.costs.fork / 2.0).await;
        push(run, me, job).await;
    }

    async fn take_back(run: &Run<Queue>, me: usize, job: Job) -> bool {
        run.pay(me, Cause::Tasks, run.costs.fork / 2.0).await;
        locked(run, me, 0.0).await;
        let mut items = run.policy.items.borrow_mut();
        let Some(index) = items.iter().rposition(|item| *item == job) else { return false };
        items.remove(index);
        run.clock.ledger.queue(run.now(), -1);
        true
    }

    async fn wait(run: &Run<Queue>, me: usize, job: Job) {
        let mut round = 0;
        while !run.is_done(job) && round < HELP_ROUNDS {
            if let Some(other) = take(run, me, 1).await.pop() {
                run.run_job(me, other).await;
                round = 0;
            } else {
                let spins = f64::from(round) * run.costs.pause;
                run.pay(me, run.clock.ledger.looking(), spins).await;
                round += 1;
            }
        }
        await_done(run, me, job).await;
        run.transfers(me, run.runner(job).unwrap_or(me), 2.0).await;
    }

    async fn complete(run: &Run<Queue>, me: usize, job: Job) {
        let maker = run.maker(job);
        if run.workload.shape == Shape::FanOut {
            run.pay(me, Cause::Tasks, run.costs.lock).await;
            if maker != me {
                run.pay(me, Cause::Lines, run.costs.line_stream).await;
            }
        } else {
            run.transfers(me, maker, 2.0).await;
        }
        if let Some(waiter) = run.finish(job) {
            run.clock.unpark(waiter);
            run.pay(me, Cause::Calling, run.costs.wake_call).await;
        }
    }

    async fn work(run: &Run<Queue>, me: usize) {
        let most = if run.workload.shape == Shape::FanOut { BATCH } else { 1 };
        loop {
            let batch = take(run, me, most).await;
            if batch.is_empty() {
                wait_for_push(run, me).await;
            }
            for job in batch {
                run.run_job(me, job).await;
            }
        }
    }

    async fn fan_out(run: &Run<Queue>, me: usize) {
        run.clock.ledger.spawning(run.now(), true);
        let mut jobs = Vec::new();
        for seed in 0..run.workload.n {
            run.pay(me, Cause::Tasks, run.costs.alloc).await;
            let job = run.job(me, Node { leaves: 1, seed });
            push(run, me, job).await;
            jobs.push(job);
        }
        run.clock.ledger.spawning(run.now(), false);
        for job in jobs {
            run.pay(me, Cause::Tasks, run.costs.lock).await;
            await_done(run, me, job).await;
            run.pay(me, Cause::Lines, run.costs.line_stream).await;
        }
    }

    async fn run_loop(run: &Run<Queue>, me: usize, node: Node) {
        let part = run.workload.n / (PARTS_PER_CORE * run.cores as u64);
        let half = node.leaves / 2;
        if half < part.max(run.workload.chunk()) {
            return run.leaves(me, node.leaves).await;
        }
        let rest = Node { leaves: node.leaves - half, ..node };
        run.join_two(me, Node { leaves: half, ..node }, rest).await;
    }
}

async fn push(run: &Run<Queue>, me: usize, job: Job) {
    locked(run, me, 0.0).await;
    run.policy.items.borrow_mut().push_back(job);
    run.clock.ledger.queue(run.now(), 1);
    let waiting = run.policy.waiting.borrow_mut().pop();
    if let Some(id) = waiting {
        run.clock.unpark(id);
        run.pay(me, Cause::Calling, run.costs.wake_call).await;
    }
}

/// Up to `most` of the oldest jobs. The lock is held while they are counted off, each on a line of its spawner's.
async fn take(run: &Run<Queue>, me: usize, most: usize) -> Vec<Job> {
    let n = most.min(run.policy.items.borrow().len());
    let counted = if most > 1 { n as f64 * run.costs.line_stream } else { 0.0 };
    locked(run, me, counted).await;
    let mut items = run.policy.items.borrow_mut();
    let n = most.min(items.len());
    run.clock.ledger.queue(run.now(), -n.cast_signed());
    items.drain(..n).collect()
}

async fn wait_for_push(run: &Run<Queue>, me: usize) {
    if !run.policy.items.borrow().is_empty() {
        return;
    }
    run.policy.waiting.borrow_mut().push(me);
    while run.policy.waiting.borrow().contains(&me) {
        run.clock.park(me, None).await;
    }
}

async fn await_done(run: &Run<Queue>, me: usize, job: Job) {
    while !run.is_done(job) {
        run.wait_as(job, Some(me));
        run.clock.park(me, None).await;
    }
}

/// Takes the queue's lock and holds it for an operation and `longer`.
async fn locked(run: &Run<Queue>, me: usize, longer: f64) {
    let (hold, handover) = (picos(run.costs.lock + longer), picos(run.costs.lock_contended));
    let until = run.policy.lock.take(me, run.now(), hold, handover, &run.distance);
    run.clock.spend(me, Cause::Locks, until + hold).await;
}
