//! What idle workers share: who searches, who watches, who sleeps (`wyn-sched/src/sleep/roster.rs`).

use std::cell::{Cell, RefCell};

use super::super::clock::picos;
use super::super::ledger::Cause;
use super::super::lines::{Line, Lock};
use super::super::run::Run;
use super::Wyn;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Search,
    Watch,
}

pub(super) enum Rest {
    Watch,
    Sleep,
}

pub(super) struct Roster {
    word: Line,
    lock: Lock,
    searchers: Cell<usize>,
    sleepers: RefCell<Vec<usize>>,
    watcher: Cell<Option<usize>>,
    is_full: Cell<bool>,
    orders: Vec<Cell<Option<Order>>>,
}

impl Roster {
    /// All workers but the first asleep.
    pub(super) fn new(threads: usize) -> Roster {
        Roster {
            word: Line::new(0, threads),
            lock: Lock::new(threads),
            searchers: Cell::new(0),
            sleepers: RefCell::new((1..threads).rev().collect()),
            watcher: Cell::new(None),
            is_full: Cell::new(false),
            orders: (0..threads).map(|_| Cell::new(None)).collect(),
        }
    }

    pub(super) fn sleepers(&self) -> usize {
        self.sleepers.borrow().len()
    }

    pub(super) fn idle(&self) -> usize {
        self.sleepers() + self.searchers.get() + usize::from(self.watcher.get().is_some())
    }

    pub(super) fn searchers(&self) -> usize {
        self.searchers.get()
    }

    pub(super) fn may_need_call(&self) -> bool {
        let somebody_rests = self.sleepers() > 0 || self.watcher.get().is_some();
        somebody_rests && self.searchers.get() == 0 && !self.is_full.get()
    }

    pub(super) fn nobody_looks(&self) -> bool {
        self.sleepers() > 0 && self.searchers.get() == 0 && self.watcher.get().is_none()
    }

    pub(super) fn take_order(&self, id: usize) -> Option<Order> {
        self.orders[id].take()
    }

    fn count_searcher(&self, change: isize) {
        self.searchers.set(self.searchers.get().checked_add_signed(change).expect("searchers are counted"));
    }
}

/// Looks at the word.
pub(super) async fn look(run: &Run<Wyn>, me: usize) {
    run.load(me, &run.policy.roster.word).await;
}

async fn change_word(run: &Run<Wyn>, me: usize) {
    run.change(me, &run.policy.roster.word).await;
    run.pay(me, Cause::Search, run.costs.rmw).await;
}

/// Takes the lock, changes the word under it. What follows up to the next time spent is under the lock.
async fn locked(run: &Run<Wyn>, me: usize) {
    let costs = &run.costs;
    let (hold, handover) = (picos(costs.lock + costs.rmw), picos(costs.lock_contended));
    let roster = &run.policy.roster;
    let until = roster.lock.take(me, run.now(), hold, handover, &run.distance);
    run.clock.spend(me, Cause::Locks, until + hold).await;
    run.change(me, &roster.word).await;
}

async fn call(run: &Run<Wyn>, me: usize, id: usize) {
    let is_parked = run.clock.is_parked(id);
    run.clock.unpark(id);
    run.pay(me, Cause::Calling, if is_parked { run.costs.wake_call } else { run.costs.rmw }).await;
}

pub(super) async fn begin_search(run: &Run<Wyn>, me: usize) {
    change_word(run, me).await;
    run.policy.roster.count_searcher(1);
}

/// Stops searching; whether nobody looks from now on though somebody could.
pub(super) async fn end_search(run: &Run<Wyn>, me: usize) -> bool {
    change_word(run, me).await;
    let roster = &run.policy.roster;
    roster.count_searcher(-1);
    roster.nobody_looks()
}

pub(super) async fn end_search_beside_work(run: &Run<Wyn>, me: usize) {
    let roster = &run.policy.roster;
    let is_last = roster.searchers.get() == 1 && roster.watcher.get().is_none() && roster.sleepers() > 0;
    if is_last && appoint(run, me, 1).await {
        return;
    }
    if end_search(run, me).await {
        appoint(run, me, 0).await;
    }
}

/// Has the newest sleeper look from now on, unless somebody else does. `own` searches end with it.
pub(super) async fn appoint(run: &Run<Wyn>, me: usize, own: usize) -> bool {
    locked(run, me).await;
    let roster = &run.policy.roster;
    if roster.searchers.get() != own || roster.watcher.get().is_some() {
        return false;
    }
    let Some(id) = roster.sleepers.borrow_mut().pop() else { return false };
    roster.count_searcher(-own.cast_signed());
    roster.watcher.set(Some(id));
    roster.is_full.set(true);
    roster.orders[id].set(Some(Order::Watch));
    call(run, me, id).await;
    true
}

/// Calls a sleeper to search if nobody looks.
pub(super) async fn rouse(run: &Run<Wyn>, me: usize) {
    locked(run, me).await;
    if run.policy.roster.nobody_looks() {
        call_newest(run, me).await;
    }
}

/// Calls a sleeper to search, whoever else looks.
pub(super) async fn rouse_another(run: &Run<Wyn>, me: usize) {
    locked(run, me).await;
    call_newest(run, me).await;
}

async fn call_newest(run: &Run<Wyn>, me: usize) {
    let roster = &run.policy.roster;
    let Some(id) = roster.sleepers.borrow_mut().pop() else { return };
    roster.count_searcher(1);
    roster.orders[id].set(Some(Order::Search));
    call(run, me, id).await;
}

/// Calls the watcher to search now.
pub(super) async fn nudge(run: &Run<Wyn>, me: usize) {
    locked(run, me).await;
    let roster = &run.policy.roster;
    if roster.searchers.get() != 0 {
        return;
    }
    let Some(id) = roster.watcher.take() else { return };
    roster.is_full.set(false);
    roster.count_searcher(1);
    roster.orders[id].set(Some(Order::Search));
    call(run, me, id).await;
}

pub(super) async fn retire(run: &Run<Wyn>, me: usize) -> Rest {
    locked(run, me).await;
    let roster = &run.policy.roster;
    roster.count_searcher(-1);
    if roster.watcher.get().is_none() {
        roster.watcher.set(Some(me));
        return Rest::Watch;
    }
    roster.sleepers.borrow_mut().push(me);
    Rest::Sleep
}

pub(super) async fn watch_to_search(run: &Run<Wyn>, me: usize) {
    locked(run, me).await;
    let roster = &run.policy.roster;
    if roster.take_order(me).is_none() {
        roster.watcher.set(None);
        roster.is_full.set(false);
        roster.count_searcher(1);
    }
}

/// `false` if it was nudged meanwhile: it is a searcher.
pub(super) async fn watch_to_sleep(run: &Run<Wyn>, me: usize) -> bool {
    locked(run, me).await;
    let roster = &run.policy.roster;
    if roster.take_order(me).is_some() {
        return false;
    }
    roster.watcher.set(None);
    roster.is_full.set(false);
    roster.sleepers.borrow_mut().push(me);
    true
}

/// The watcher has something else to do; a sleeper takes its place.
pub(super) async fn watch_to_leave(run: &Run<Wyn>, me: usize) {
    locked(run, me).await;
    let roster = &run.policy.roster;
    if roster.take_order(me).is_some() {
        return end_search_beside_work(run, me).await;
    }
    roster.watcher.set(None);
    roster.is_full.set(false);
    let next = roster.sleepers.borrow_mut().pop();
    if let Some(id) = next {
        roster.watcher.set(Some(id));
        roster.is_full.set(true);
        roster.orders[id].set(Some(Order::Watch));
        call(run, me, id).await;
    }
}

/// A sleeper wakes by itself; `Some` if it has been called instead.
pub(super) async fn sleep_to_search(run: &Run<Wyn>, me: usize) -> Option<Order> {
    locked(run, me).await;
    let roster = &run.policy.roster;
    let order = roster.take_order(me);
    if order.is_none() {
        roster.sleepers.borrow_mut().retain(|id| *id != me);
        roster.count_searcher(1);
    }
    order
}

pub(super) async fn report(run: &Run<Wyn>, me: usize, is_full: bool) {
    locked(run, me).await;
    let roster = &run.policy.roster;
    if roster.watcher.get() == Some(me) {
        roster.is_full.set(is_full);
    }
}
