//! A policy like rayon's: a classic deque for each thread, random single steals, a call for a push that finds
//! somebody asleep, two calls by whoever finds work.
//!
//! Written after rayon-core 1.13's `registry.rs` and `sleep/mod.rs`. Left out: its injector, and that a thread falls
//! asleep in two steps.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::clock::picos;
use super::ledger::Cause;
use super::lines::{Line, Lock};
use super::run::{Job, Policy, Run, Setup};
use super::work::{Node, Shape};

/// Rounds without work until a thread sleeps: `ROUNDS_UNTIL_SLEEPING`.
const ROUNDS: u32 = 33;
/// Sleepers that a thread calls at most when it has found work.
const CALLED_BY_FINDER: usize = 2;
/// In the seed of a part of a loop: how often it may be split yet, and who has split it off.
const SPLITS_SHIFT: u32 = 16;

struct Deque {
    items: RefCell<VecDeque<Job>>,
    bottom: Line,
    top: Line,
}

/// See the module.
pub(super) struct Single {
    deques: Vec<Deque>,
    /// How many are inactive, and how many of them sleep.
    counters: Line,
    inactive: Cell<usize>,
    sleepers: RefCell<Vec<usize>>,
    lock: Lock,
    /// Tasks of the scope that are not done yet.
    scope: Line,
    left: Cell<u64>,
    scope_waiter: Cell<Option<usize>>,
}

impl Policy for Single {
    const SPAWNS_FROM_OUTSIDE: bool = false;

    fn new(_: &Setup, threads: usize) -> Single {
        let line = |owner| Line::new(owner, threads);
        let deque = |id| Deque { items: RefCell::default(), bottom: line(id), top: line(id) };
        Single {
            deques: (0..threads).map(deque).collect(),
            counters: line(0),
            inactive: Cell::new(threads - 1),
            sleepers: RefCell::new((1..threads).rev().collect()),
            lock: Lock::new(threads),
            scope: line(0),
            left: Cell::new(0),
            scope_waiter: Cell::new(None),
        }
    }

    async fn push(run: &Run<Single>, me: usize, job: Job) {
        run.pay(me, Cause::Tasks, run.costs.chase_lev / 2.0).await;
        push(run, me, job).await;
    }

    async fn take_back(run: &Run<Single>, me: usize, job: Job) -> bool {
        run.pay(me, Cause::Tasks, run.costs.chase_lev / 2.0).await;
        let is_newest = run.policy.deques[me].items.borrow().back() == Some(&job);
        is_newest && pop(run, me).await == Some(job)
    }

    async fn wait(run: &Run<Single>, me: usize, job: Job) {
        while !run.is_done(job) {
            run.wait_as(job, Some(me));
            let found = look(run, me, || run.is_done(job)).await;
            run.wait_as(job, None);
            if let Some(other) = found {
                run.run_job(me, other).await;
            }
        }
        run.transfers(me, run.runner(job).unwrap_or(me), 2.0).await;
    }

    async fn complete(run: &Run<Single>, me: usize, job: Job) {
        let maker = run.maker(job);
        let mut waiter = run.finish(job);
        if run.workload.shape == Shape::FanOut {
            run.pay(me, Cause::Tasks, run.costs.alloc / 2.0 + run.costs.rmw).await;
            if maker != me {
                run.pay(me, Cause::Lines, run.costs.line_stream).await;
            }
            run.change(me, &run.policy.scope).await;
            let left = run.policy.left.get() - 1;
            run.policy.left.set(left);
            waiter = if left == 0 { run.policy.scope_waiter.take() } else { None };
        } else {
            run.transfers(me, maker, 2.0).await;
        }
        let Some(waiter) = waiter else { return };
        let sleeps = run.policy.sleepers.borrow().contains(&waiter);
        if sleeps {
            call(run, me, |sleeper| sleeper == waiter).await;
        }
    }

    async fn work(run: &Run<Single>, me: usize) {
        loop {
            while let Some(job) = pop(run, me).await {
                run.run_job(me, job).await;
            }
            if let Some(job) = look(run, me, || false).await {
                run.run_job(me, job).await;
            }
        }
    }

    async fn fan_out(run: &Run<Single>, me: usize) {
        run.policy.left.set(run.workload.n);
        run.clock.ledger.spawning(run.now(), true);
        for seed in 0..run.workload.n {
            let costs = &run.costs;
            run.pay(me, Cause::Tasks, costs.alloc / 2.0 + costs.chase_lev / 2.0 + costs.rmw).await;
            run.change(me, &run.policy.scope).await;
            let job = run.job(me, Node { leaves: 1, seed });
            push(run, me, job).await;
        }
        run.clock.ledger.spawning(run.now(), false);
        while run.policy.left.get() > 0 {
            if let Some(job) = pop(run, me).await {
                run.pay(me, Cause::Tasks, run.costs.chase_lev / 2.0).await;
                run.run_job(me, job).await;
                continue;
            }
            run.policy.scope_waiter.set(Some(me));
            if let Some(job) = look(run, me, || run.policy.left.get() == 0).await {
                run.run_job(me, job).await;
            }
        }
    }

    async fn run_loop(run: &Run<Single>, me: usize, node: Node) {
        let is_root = node.leaves == run.workload.n;
        let (splits, from) = (node.seed >> SPLITS_SHIFT, node.seed & ((1 << SPLITS_SHIFT) - 1));
        let splits = match (is_root, from == me as u64) {
            (true, _) => run.cores as u64,
            (_, true) => splits / 2,
            (_, false) => (splits / 2).max(run.cores as u64),
        };
        let half = node.leaves / 2;
        if splits == 0 || half < run.workload.chunk() {
            return run.leaves(me, node.leaves).await;
        }
        let seed = splits << SPLITS_SHIFT | me as u64;
        run.join_two(me, Node { leaves: half, seed }, Node { leaves: node.leaves - half, seed }).await;
    }
}

async fn push(run: &Run<Single>, me: usize, job: Job) {
    let deque = &run.policy.deques[me];
    run.store(me, &deque.bottom).await;
    let was_empty = deque.items.borrow().is_empty();
    deque.items.borrow_mut().push_back(job);
    run.clock.ledger.queue(run.now(), 1);
    run.load(me, &run.policy.counters).await;
    let sleeping = run.policy.sleepers.borrow().len();
    let is_awake = run.policy.inactive.get() > sleeping;
    if sleeping > 0 && !(was_empty && is_awake) {
        call(run, me, |_| true).await;
    }
}

async fn pop(run: &Run<Single>, me: usize) -> Option<Job> {
    let deque = &run.policy.deques[me];
    run.store(me, &deque.bottom).await;
    run.load(me, &deque.top).await;
    if deque.items.borrow().len() == 1 {
        run.change(me, &deque.top).await;
        run.pay(me, Cause::Tasks, run.costs.rmw).await;
    }
    let newest = deque.items.borrow_mut().pop_back();
    if newest.is_some() {
        run.clock.ledger.queue(run.now(), -1);
    }
    newest
}

/// Looks for work until there is some or `is_over`, asleep if need be.
async fn look(run: &Run<Single>, me: usize, is_over: impl Fn() -> bool) -> Option<Job> {
    let policy = &run.policy;
    change_counters(run, me).await;
    policy.inactive.set(policy.inactive.get() + 1);
    let found = loop {
        if let Some(found) = search(run, me, &is_over).await {
            break found;
        }
        fall_asleep(run, me, &is_over).await;
    };
    change_counters(run, me).await;
    policy.inactive.set(policy.inactive.get() - 1);
    for _ in 0..CALLED_BY_FINDER {
        if found.is_some() && !policy.sleepers.borrow().is_empty() {
            call(run, me, |_| true).await;
        }
    }
    found
}

/// Some rounds of looking: a job, or that it is over; `None` if neither.
async fn search(run: &Run<Single>, me: usize, is_over: &impl Fn() -> bool) -> Option<Option<Job>> {
    for _ in 0..ROUNDS {
        if is_over() {
            return Some(None);
        }
        if let Some(job) = steal(run, me).await {
            return Some(Some(job));
        }
        run.pay(me, run.clock.ledger.looking(), run.costs.sched_yield).await;
    }
    None
}

/// One look at everybody, from a random one on.
async fn steal(run: &Run<Single>, me: usize) -> Option<Job> {
    let start = run.random_below(run.threads);
    for victim in (0..run.threads).map(|offset| (start + offset) % run.threads).filter(|id| *id != me) {
        let deque = &run.policy.deques[victim];
        if deque.items.borrow().is_empty() {
            continue;
        }
        run.pay(me, Cause::Search, run.costs.glance).await;
        run.load(me, &deque.bottom).await;
        run.change(me, &deque.top).await;
        run.pay(me, Cause::Search, run.costs.rmw).await;
        let oldest = deque.items.borrow_mut().pop_front();
        if oldest.is_some() {
            run.clock.ledger.queue(run.now(), -1);
            return oldest;
        }
    }
    run.pay(me, run.clock.ledger.looking(), run.costs.glance * run.threads as f64).await;
    None
}

async fn fall_asleep(run: &Run<Single>, me: usize, is_over: &impl Fn() -> bool) {
    locked(run, me).await;
    change_counters(run, me).await;
    let is_work = run.policy.deques.iter().any(|deque| !deque.items.borrow().is_empty());
    if is_work || is_over() {
        return;
    }
    run.policy.sleepers.borrow_mut().push(me);
    while run.policy.sleepers.borrow().contains(&me) {
        run.clock.park(me, None).await;
    }
}

async fn change_counters(run: &Run<Single>, me: usize) {
    run.change(me, &run.policy.counters).await;
    run.pay(me, Cause::Search, run.costs.rmw).await;
}

async fn locked(run: &Run<Single>, me: usize) {
    let (hold, handover) = (picos(run.costs.lock), picos(run.costs.lock_contended));
    let until = run.policy.lock.take(me, run.now(), hold, handover, &run.distance);
    run.clock.spend(me, Cause::Locks, until + hold).await;
}

/// Wakes the newest sleeper that is wanted.
async fn call(run: &Run<Single>, me: usize, wanted: impl Fn(usize) -> bool) {
    locked(run, me).await;
    let called = {
        let mut sleepers = run.policy.sleepers.borrow_mut();
        let index = sleepers.iter().rposition(|sleeper| wanted(*sleeper));
        index.map(|index| sleepers.remove(index))
    };
    if let Some(sleeper) = called {
        run.clock.unpark(sleeper);
        run.pay(me, Cause::Calling, run.costs.wake_call).await;
    }
}
