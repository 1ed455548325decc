//! What a worker does without work: search, then watch or sleep (`wyn-sched/src/sleep/mod.rs`).

use super::super::clock::Picos;
use super::super::run::{Job, Run};
use super::roster::{self, Order, Rest};
use super::search::{self, Seeker};
use super::{Wyn, barrier};

const MICRO: Picos = 1_000_000;

// As they are in `sleep/mod.rs`.
const SEARCH_ROUNDS: u32 = 24;
const YIELD_ROUNDS: u32 = 3;
pub(super) const MAX_ROUND_SPINS: u32 = 32;
const FIRST_LOOK: Picos = 50 * MICRO;
const LAST_LOOK: Picos = 200 * MICRO;
const LAST_FULL_LOOK: Picos = 800 * MICRO;
const FRUITLESS_LOOKS: u32 = 16;
const FRUITLESS_LOOK: Picos = 1000 * MICRO;
const QUIET: Picos = 300 * MICRO;
const CALLED_BY_FINDER: usize = 2;

enum Next {
    Search,
    Watch,
    Leave,
}

/// An idle worker.
pub(super) struct Idle<'a> {
    run: &'a Run<Wyn>,
    me: usize,
    /// What it waits for, beside work.
    until: Option<Job>,
    interval: Picos,
    quiet: Picos,
    fruitless: u32,
    has_seen_room: bool,
    guest_moves: bool,
}

impl<'a> Idle<'a> {
    pub(super) fn new(run: &'a Run<Wyn>, me: usize, until: Option<Job>) -> Idle<'a> {
        Idle {
            run,
            me,
            until,
            interval: FIRST_LOOK,
            quiet: 0,
            fruitless: 0,
            has_seen_room: false,
            guest_moves: false,
        }
    }

    /// A job, or nothing if what it waits for has happened.
    pub(super) async fn find(mut self) -> Option<Job> {
        roster::begin_search(self.run, self.me).await;
        self.go_on(Next::Search).await
    }

    /// The same for a worker that has been asleep so far and is called for the first time.
    pub(super) async fn called(mut self) -> Option<Job> {
        let next = self.sleep_on().await;
        self.go_on(next).await
    }

    async fn go_on(&mut self, mut next: Next) -> Option<Job> {
        let (run, me) = (self.run, self.me);
        loop {
            next = match next {
                Next::Leave => return None,
                Next::Watch => self.watch().await,
                Next::Search => {
                    let is_full = !std::mem::take(&mut self.has_seen_room) && self.is_full();
                    if !is_full {
                        let found = self.search().await;
                        if found.is_some() || self.is_over() {
                            self.end_search().await;
                            return found;
                        }
                    }
                    match roster::retire(run, me).await {
                        Rest::Watch => {
                            roster::report(run, me, is_full).await;
                            self.watch().await
                        }
                        Rest::Sleep => self.sleep().await,
                    }
                }
            }
        }
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|job| self.run.is_done(job))
    }

    async fn search(&self) -> Option<Job> {
        let (run, me) = (self.run, self.me);
        let seeker = if self.until.is_some() { Seeker::Kin } else { Seeker::Free };
        for round in 0..SEARCH_ROUNDS + YIELD_ROUNDS {
            if self.is_over() {
                return None;
            }
            let first = self.until.and_then(|job| run.runner(job));
            if let Some(job) = search::find(run, me, seeker, first).await {
                return Some(job);
            }
            let spins = f64::from(round.min(MAX_ROUND_SPINS)) * run.costs.pause;
            let ns = if round < SEARCH_ROUNDS { spins } else { run.costs.sched_yield };
            run.pay(me, run.clock.ledger.looking(), ns).await;
        }
        None
    }

    async fn end_search(&self) {
        let (run, me) = (self.run, self.me);
        if search::has_work(run, me).await {
            self.call_others().await;
            roster::end_search_beside_work(run, me).await;
        } else if roster::end_search(run, me).await {
            barrier::heavy(run, me).await;
            if search::has_work(run, me).await {
                roster::appoint(run, me, 0).await;
            }
        }
    }

    async fn call_others(&self) {
        let (run, me) = (self.run, self.me);
        for _ in 0..CALLED_BY_FINDER {
            let searchers = run.policy.roster.searchers();
            let has_room = run.policy.roster.sleepers() > 0 && self.busy() + searchers < run.cores;
            if !has_room || search::queued(run, me, searchers).await < searchers {
                return;
            }
            roster::rouse_another(run, me).await;
        }
    }

    async fn watch(&mut self) -> Next {
        let (run, me) = (self.run, self.me);
        loop {
            run.clock.park(me, Some(self.interval)).await;
            if run.policy.roster.take_order(me).is_some() {
                return Next::Search;
            }
            if self.is_over() {
                roster::watch_to_leave(run, me).await;
                return Next::Leave;
            }
            let is_full = self.look();
            if !is_full && search::has_prey(run, me).await {
                roster::watch_to_search(run, me).await;
                self.has_seen_room = true;
                return Next::Search;
            }
            roster::report(run, me, is_full).await;
            if self.quiet >= QUIET && !search::has_work(run, me).await {
                return if roster::watch_to_sleep(run, me).await { self.sleep().await } else { Next::Search };
            }
        }
    }

    /// Whether every processor is busy by what the watcher sees.
    fn look(&mut self) -> bool {
        let others = (0..self.run.threads).filter(|id| *id != self.me);
        let moved = others.filter(|id| self.run.policy.has_moved(self.me, *id)).count();
        let is_full = moved >= self.run.cores;
        self.quiet = if moved > 0 { 0 } else { self.quiet + self.interval };
        self.fruitless = if is_full { 0 } else { self.fruitless + 1 };
        let last = match (self.fruitless >= FRUITLESS_LOOKS, is_full) {
            (true, _) => FRUITLESS_LOOK,
            (false, true) => LAST_FULL_LOOK,
            (false, false) => LAST_LOOK,
        };
        self.interval = (self.interval * 2).min(last);
        is_full
    }

    /// Whether every processor is busy by what a searcher sees.
    fn is_full(&mut self) -> bool {
        let policy = &self.run.policy;
        self.guest_moves = policy.guest.is_some_and(|id| policy.has_moved(self.me, id));
        self.busy() >= self.run.cores
    }

    fn busy(&self) -> usize {
        let policy = &self.run.policy;
        let workers = self.run.threads - usize::from(policy.guest.is_some());
        workers.saturating_sub(policy.roster.idle()) + usize::from(self.guest_moves)
    }

    async fn sleep(&self) -> Next {
        let (run, me) = (self.run, self.me);
        if run.policy.roster.nobody_looks() {
            barrier::heavy(run, me).await;
            if search::has_work(run, me).await && run.policy.roster.nobody_looks() {
                return self.rise(false).await;
            }
        }
        self.sleep_on().await
    }

    async fn sleep_on(&self) -> Next {
        let (run, me) = (self.run, self.me);
        loop {
            match run.policy.roster.take_order(me) {
                Some(Order::Search) => return Next::Search,
                Some(Order::Watch) => return Next::Watch,
                None => {}
            }
            if self.is_over() {
                return self.rise(true).await;
            }
            run.clock.park(me, None).await;
        }
    }

    async fn rise(&self, is_over: bool) -> Next {
        let (run, me) = (self.run, self.me);
        match (roster::sleep_to_search(run, me).await, is_over) {
            (None | Some(Order::Search), true) => {
                self.end_search().await;
                Next::Leave
            }
            (Some(Order::Watch), true) => {
                roster::watch_to_leave(run, me).await;
                Next::Leave
            }
            (Some(Order::Watch), false) => Next::Watch,
            (None | Some(Order::Search), false) => Next::Search,
        }
    }
}
