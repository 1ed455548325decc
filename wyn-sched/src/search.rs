//! The order of looking for work, for a thread whose own deque is empty.
//!
//! 1. The injector, a share of it at a time.
//! 2. The deques of the others, from a random one on: the older half of what is there goes to the
//!    thief's own deque, whose newest is run next.
//!
//! A steal costs its victim an answer, or a barrier of some microseconds: ten to hundreds of times what a small task
//! takes. So a thief looks twice before it takes a few tasks from an owner that is about to run them, or to push more.

use wyn_deque::Steal;

use crate::context::Context;
use crate::fork::{Kin, Sought};
use crate::slot::Stealer;
use crate::sync::spin_loop;
use crate::task::TaskRef;

/// Tasks taken in one steal at most: half of a deque is taken, and can be taken on, however long it is.
const STEAL_TASKS: usize = 1 << 20;
/// The owner of a shorter deque is asked for one task, its oldest: the branches of a recursion are never many, and
/// the oldest is the largest by far. Of many that lie side by side, or whose owner does not answer, half are taken;
/// of an owner that is away, all of them.
const BATCH_TASKS: usize = 64;
/// So many tasks are worth a steal whatever their owner does.
const MANY_TASKS: usize = 1024;
/// How often a deque with fewer is looked at, in parts of about a quarter of a microsecond.
const PATIENCE_LOOKS: u32 = 8;
const LOOK_PARTS: u32 = 4;
const LOOK_SPINS: u32 = 10;
/// Tasks taken from the injector at a time at most.
const INJECTED_TASKS: usize = 64;
/// Every so many decisions the injector comes before the own deque.
const INJECTOR_TICKS: u32 = 61;

impl Context {
    /// The next task without searching: the newest of the own deque, now and then the injector's oldest.
    #[inline]
    pub(crate) fn next(&self) -> Option<TaskRef> {
        if self.tick().is_multiple_of(INJECTOR_TICKS) {
            return self.in_turn();
        }
        self.deque().pop()
    }

    /// The next task, where that is not simply the newest.
    #[cold]
    fn in_turn(&self) -> Option<TaskRef> {
        let mail = || self.slot().receive();
        mail().or_else(|| self.behind()).or_else(|| self.injected()).or_else(|| self.deque().pop())
    }

    /// In turn with the injector: the oldest of the own deque, and one of another thread's, if the newest is a future that
    /// was woken or there is none. Futures that wake each other, or themselves, would keep the others from their turn.
    fn behind(&self) -> Option<TaskRef> {
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        if turn.is_multiple_of(2) {
            return None;
        }
        let newest = self.deque().pop();
        newest.into_iter().for_each(|task| self.push(task));
        match newest {
            Some(newest) if !newest.is_woken() => None,
            _ if turn % 4 == 1 => self.deque().pop_oldest(),
            _ => self.stolen(),
        }
    }

    /// A task from anywhere else. `first` is asked before all others: the thread that runs what this one
    /// waits for holds mostly its children (leapfrogging, Wagner and Calder 1993).
    pub(crate) fn find(&self, first: Option<usize>) -> Option<TaskRef> {
        if let Some(task) = self.slot().receive().or_else(|| self.injected()) {
            return Some(task);
        }
        if let Some(task) = first.and_then(|id| self.steal_from(id)) {
            return Some(task);
        }
        self.stolen()
    }

    /// A task of another thread.
    fn stolen(&self) -> Option<TaskRef> {
        let slots = &self.shared.slots;
        let start = self.random_below(slots.used().count());
        let later = slots.used().skip(start);
        later.chain(slots.used().take(start)).find_map(|id| self.steal_from(id))
    }

    /// A piece of work of one family, for a thread that waits in the middle of another piece. Work of others is
    /// handed on when it has been taken.
    pub(crate) fn find_kin(&self, kin: Kin, first: Option<usize>) -> Sought {
        if let Some(own) = self.take_own(kin.position) {
            return Sought::Kin(own);
        }
        if let Some(task) = self.slot().receive() {
            return Sought::Kin(task);
        }
        if !self.shared.injector.is_empty() {
            return Sought::Strange;
        }
        let slots = &self.shared.slots;
        let start = self.random_below(slots.used().count());
        let others = slots.used().skip(start).chain(slots.used().take(start));
        let stolen = first.into_iter().chain(others).find_map(|id| self.steal_one(id));
        match stolen {
            None => Sought::Nothing,
            Some(task) if task.family() == kin.family => Sought::Kin(task),
            Some(task) => {
                self.shared.inject(task);
                Sought::Strange
            }
        }
    }

    fn steal_one(&self, id: usize) -> Option<TaskRef> {
        let stealer = self.prey(id)?;
        self.stats().steal(self.deque(), || stealer.steal()).success()
    }

    /// Whom a steal from this thread's deque would pay.
    fn prey(&self, id: usize) -> Option<&Stealer> {
        if id == self.id {
            return None;
        }
        let stealer = self.shared.slots.get(id).stealer()?;
        (!stealer.is_empty() && is_ripe(stealer)).then_some(stealer)
    }

    /// Whether anything is there that this thread would take.
    pub(crate) fn has_prey(&self) -> bool {
        let slots = &self.shared.slots;
        let mut others = slots.used().filter(|&id| id != self.id);
        self.slot().has_mail()
            || !self.shared.injector.is_empty()
            || others.any(|id| slots.get(id).stealer().is_some_and(|s| !s.is_empty() && is_ripe(s)))
    }

    /// The task that has waited longest, as far as this thread sees: for those who give way.
    pub(crate) fn oldest(&self) -> Option<TaskRef> {
        self.injected().or_else(|| self.deque().pop_oldest()).or_else(|| self.find(None))
    }

    fn injected(&self) -> Option<TaskRef> {
        let injector = &self.shared.injector;
        if injector.is_empty() {
            return None;
        }
        let share = injector.len() / (self.shared.target + 1);
        let mut batch = [const { None }; INJECTED_TASKS];
        let mut room = batch.iter_mut();
        injector.pop_batch(share.clamp(1, INJECTED_TASKS), |task| {
            if let Some(place) = room.next() {
                *place = Some(task);
            }
        });
        let [first, rest @ ..] = batch;
        // Newest first, so that an owner who takes the newest of its deque takes the oldest of these.
        rest.into_iter().rev().flatten().for_each(|task| self.deque().push(task));
        first
    }

    fn steal_from(&self, id: usize) -> Option<TaskRef> {
        let stealer = self.prey(id)?;
        let wish = if stealer.len() < BATCH_TASKS { 1 } else { STEAL_TASKS };
        let steal = || stealer.steal_batch_asking(self.deque(), wish, STEAL_TASKS);
        match self.stats().steal(self.deque(), steal) {
            // Newest first, as their owner would: a task that waits for the one before it finds it here.
            Steal::Success(()) => self.deque().pop(),
            // Another thief is at it: what it leaves is found on the next round.
            Steal::Retry | Steal::Empty => None,
        }
    }
}

/// Whether a steal would pay for its barrier: there is much to take, or what is there stays.
///
/// An owner that works on its newest tasks leaves the oldest alone: they are worth taking, however few. An
/// owner that takes them back at once, or that is still pushing, is left alone for the moment.
fn is_ripe(stealer: &Stealer) -> bool {
    let (split, mut head) = stealer.mark();
    for _ in 0..PATIENCE_LOOKS {
        for _ in 0..LOOK_PARTS {
            (0..LOOK_SPINS).for_each(|_| spin_loop());
            let (now_split, now_head) = stealer.mark();
            let held = now_head.wrapping_sub(split).cast_signed();
            if now_split != split || held <= 0 {
                return false;
            }
            if held.unsigned_abs() >= MANY_TASKS {
                return true;
            }
        }
        let now = stealer.mark().1;
        if now.wrapping_sub(head).cast_signed() <= 0 {
            return true;
        }
        head = now;
    }
    true
}
