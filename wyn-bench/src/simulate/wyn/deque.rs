//! The split deque: its items, its two lines, the thief that asks and the owner that answers (`wyn_deque::split`).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use super::super::clock::{Picos, picos};
use super::super::ledger::Cause;
use super::super::lines::Line;
use super::super::run::{Job, Run};
use super::{Wyn, barrier};

/// Every so many pushes the owner looks whether a thief asks: `LOOK_PUSHES` in `wyn_deque`.
const LOOK_PUSHES: u64 = 64;
/// How often a thief looks for the answer of an owner that has been silent and has not moved since: the same there.
const SILENT_ROUNDS: usize = 8;

#[derive(Clone, Copy)]
struct Question {
    thief: usize,
    wish: usize,
}

pub(super) struct Deque {
    items: RefCell<VecDeque<Job>>,
    /// `head`.
    owner: Line,
    /// `split`, `claimed`, `done`, `lock`.
    thief: Line,
    is_locked: Cell<bool>,
    question: Cell<Option<Question>>,
    /// Where the owner was when it did not answer last, if it has answered nobody since.
    silent: Cell<Option<u64>>,
    /// What the owner gave to the thief that asked.
    given: RefCell<Option<Vec<Job>>>,
    /// How many of the oldest a thief has announced that it takes, until when it decides.
    contested: Cell<(usize, Picos)>,
    pushes: Cell<u64>,
    pushes_beside_watcher: Cell<u64>,
    stolen: Cell<u64>,
    /// Changes with each push, pop, steal and run.
    progress: Cell<u64>,
}

impl Deque {
    pub(super) fn new(owner: usize, threads: usize) -> Deque {
        Deque {
            items: RefCell::default(),
            owner: Line::new(owner, threads),
            thief: Line::new(owner, threads),
            is_locked: Cell::new(false),
            question: Cell::new(None),
            silent: Cell::new(None),
            given: RefCell::new(None),
            contested: Cell::new((0, 0)),
            pushes: Cell::new(0),
            pushes_beside_watcher: Cell::new(0),
            stolen: Cell::new(0),
            progress: Cell::new(0),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.borrow().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.borrow().is_empty()
    }

    pub(super) fn newest(&self) -> Option<Job> {
        self.items.borrow().back().copied()
    }

    /// Whether this push beside a watcher is one in so many, and the deque holds so many.
    pub(super) fn counts_up_to(&self, pushes: u64) -> bool {
        let count = self.pushes_beside_watcher.get() + 1;
        self.pushes_beside_watcher.set(count);
        count.is_multiple_of(pushes) && self.len() as u64 >= pushes
    }

    pub(super) fn progress(&self) -> u64 {
        self.progress.get()
    }

    pub(super) fn count_move(&self) {
        self.progress.set(self.progress.get() + 1);
    }

    /// How many were stolen so far, and how many there are: `mark`.
    pub(super) fn mark(&self) -> (u64, usize) {
        (self.stolen.get(), self.len())
    }

    /// Where the owner is: what pushes add to and pops take from, and thieves leave alone.
    fn head(&self) -> u64 {
        self.stolen.get() + self.len() as u64
    }

    /// What a look of another thread costs beyond a look at lines that are at hand.
    pub(super) fn glance(&self, run: &Run<Wyn>, me: usize, at: Picos) -> Picos {
        let longer = self.thief.load(me, at, &run.distance);
        longer + self.owner.load(me, at + longer, &run.distance)
    }

    fn oldest(&self, n: usize) -> Vec<Job> {
        self.stolen.set(self.stolen.get() + n as u64);
        self.count_move();
        self.items.borrow_mut().drain(..n).collect()
    }
}

/// The owner pushes.
pub(super) async fn push(run: &Run<Wyn>, me: usize, job: Job) {
    let deque = &run.policy.deques[me];
    run.store(me, &deque.owner).await;
    deque.items.borrow_mut().push_back(job);
    deque.count_move();
    deque.pushes.set(deque.pushes.get() + 1);
    run.clock.ledger.queue(run.now(), 1);
    if deque.pushes.get().is_multiple_of(LOOK_PUSHES) {
        attend(run, me).await;
    }
}

/// The owner takes its newest item, and sees to a thief that asks.
pub(super) async fn pop(run: &Run<Wyn>, me: usize) -> Option<Job> {
    let deque = &run.policy.deques[me];
    run.store(me, &deque.owner).await;
    run.load(me, &deque.thief).await;
    if let Some(question) = deque.question.get() {
        // Half of what lies below the newest.
        answer(run, me, question, deque.len().saturating_sub(1)).await;
    }
    let (contested, until) = deque.contested.get();
    if deque.len() <= contested && until > run.now() {
        run.clock.spend(me, Cause::Barrier, until - run.now()).await;
    }
    let newest = deque.items.borrow_mut().pop_back();
    if newest.is_some() {
        deque.count_move();
        run.clock.ledger.queue(run.now(), -1);
    }
    newest
}

/// The owner gives a thief what it asks for.
pub(super) async fn attend(run: &Run<Wyn>, me: usize) {
    let deque = &run.policy.deques[me];
    run.load(me, &deque.thief).await;
    if let Some(question) = deque.question.get() {
        answer(run, me, question, deque.len()).await;
    }
}

async fn answer(run: &Run<Wyn>, me: usize, question: Question, of: usize) {
    let deque = &run.policy.deques[me];
    run.change(me, &deque.thief).await;
    run.pay(me, Cause::Search, run.costs.rmw).await;
    // The thief may have lost its patience meanwhile.
    if deque.question.take().is_some() {
        let n = of.div_ceil(2).min(question.wish).min(deque.len());
        run.clock.ledger.queue(run.now(), -n.cast_signed());
        *deque.given.borrow_mut() = Some(deque.oldest(n));
        run.clock.signal(question.thief, run.distance.between(me, question.thief));
    }
}

/// A thief takes up to `wish` of the oldest if the owner answers, and up to `limit` if not.
pub(super) async fn steal(run: &Run<Wyn>, me: usize, victim: usize, wish: usize, limit: usize) -> Vec<Job> {
    let deque = &run.policy.deques[victim];
    if deque.is_empty() || deque.is_locked.get() {
        return Vec::new();
    }
    run.change(me, &deque.thief).await;
    run.pay(me, Cause::Search, run.costs.rmw).await;
    if deque.is_locked.replace(true) {
        return Vec::new();
    }
    let want = deque.len().div_ceil(2).min(limit);
    let taken = if want == 0 { Vec::new() } else { claim(run, me, deque, wish, want).await };
    if !taken.is_empty() {
        let moved = run.costs.copy_item * taken.len() as f64;
        run.pay(me, Cause::Search, moved).await;
    }
    run.change(me, &deque.thief).await;
    deque.is_locked.set(false);
    taken
}

async fn claim(run: &Run<Wyn>, me: usize, deque: &Deque, wish: usize, want: usize) -> Vec<Job> {
    let head = deque.head();
    let rounds = if deque.silent.get() == Some(head) { SILENT_ROUNDS } else { barrier::patience_rounds(run) };
    deque.question.set(Some(Question { thief: me, wish: wish.min(want) }));
    run.clock.spin(me, Cause::Search, picos(rounds as f64 * run.costs.pause)).await;
    if let Some(given) = deque.given.take() {
        deque.silent.set(None);
        return given;
    }
    deque.question.set(None);
    deque.silent.set(Some(head));
    deque.contested.set((want, run.now() + picos(barrier::price(run))));
    barrier::heavy(run, me).await;
    deque.contested.set((0, 0));
    let n = want.min(deque.len());
    run.clock.ledger.queue(run.now(), -n.cast_signed());
    deque.oldest(n)
}

/// Puts what was stolen into the thief's own deque, in its order, but for the newest, which it returns.
pub(super) fn keep(run: &Run<Wyn>, me: usize, mut stolen: Vec<Job>) -> Option<Job> {
    let newest = stolen.pop();
    let deque = &run.policy.deques[me];
    run.clock.ledger.queue(run.now(), stolen.len().cast_signed());
    deque.items.borrow_mut().extend(stolen);
    deque.count_move();
    newest
}

#[cfg(test)]
mod tests {
    use super::super::super::clock::Life;
    use super::super::super::run::Flaw;
    use super::super::super::work::Node;
    use super::super::super::{Costs, PolicyName, Setup, Shape, Workload};
    use super::*;

    /// How long a thief takes for each of three steals from an owner that pushes only before the first and the last,
    /// and answers nobody.
    fn steals() -> [Picos; 3] {
        let workload = Workload::about(Shape::Fib, 2, 0);
        let (costs, policy) = (Costs::example(), PolicyName::Wyn);
        let run = Run::new(&Setup { costs, policy, workload, cores: 2, sockets: 1, seed: 1 }, Flaw::None);
        let times = Cell::new([0; 3]);
        let job = || run.job(0, Node { leaves: 1, seed: 0 });
        let pushes: Life<'_> = Box::pin(async {
            for _ in 0..4 {
                push(&run, 0, job()).await;
            }
            run.clock.unpark(1);
            run.clock.park(0, None).await;
            push(&run, 0, job()).await;
            run.clock.unpark(1);
            run.clock.park(0, None).await;
        });
        let steals: Life<'_> = Box::pin(async {
            let mut steals = [0; 3];
            for (n, time) in steals.iter_mut().enumerate() {
                let start = run.now();
                assert_eq!(steal(&run, 1, 0, 1, 1).await.len(), 1);
                *time = run.now() - start;
                if n == 1 {
                    run.clock.unpark(0);
                    run.clock.park(1, None).await;
                }
            }
            times.set(steals);
        });
        run.clock.run(&mut [pushes, steals], || times.get() != [0; 3]);
        times.get()
    }

    #[test]
    fn a_silent_owner_is_hardly_waited_for_until_it_moves() {
        let pause = picos(Costs::example().pause);
        let [first, again, moved] = steals();
        assert!(first > 150 * pause && moved > 150 * pause, "{first} {moved}");
        assert!(again + 140 * pause < first, "{again} {first}");
    }
}
