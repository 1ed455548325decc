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
use crate::lineage::Node;
use crate::relief::Queue;
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
/// Every so many decisions something older comes before the newest of the own deque.
const INJECTOR_TICKS: u32 = 61;

/// What a look for work that lies below a wait has found.
pub(crate) enum Sought {
    Found(TaskRef),
    /// Only work that may not be run here.
    Strange,
    Nothing,
}

impl Context {
    /// The next task without searching: the newest of the own deque, now and then the injector's oldest.
    #[inline]
    pub(crate) fn next(&self) -> Option<TaskRef> {
        if self.tick().is_multiple_of(INJECTOR_TICKS) {
            return self.in_turn();
        }
        self.pop()
    }

    /// The next task, where that is not simply the newest.
    #[cold]
    fn in_turn(&self) -> Option<TaskRef> {
        let mail = || self.slot().receive();
        mail().or_else(|| self.behind()).or_else(|| self.injected()).or_else(|| self.pop())
    }

    /// In turn with the injector: the oldest of the own deque, and one of another thread's if the newest is a future that
    /// was woken or there is none. Tasks that spawn their successors, and futures that wake each other or themselves, would
    /// keep the others from their turn.
    fn behind(&self) -> Option<TaskRef> {
        let turn = self.turn.get().wrapping_add(1);
        self.turn.set(turn);
        match turn % 4 {
            1 => self.deque().pop_oldest().filter(|&task| !self.is_hole(task)),
            3 => {
                let newest = self.pop();
                newest.into_iter().for_each(|task| self.push(task));
                if newest.is_none_or(TaskRef::is_woken) { self.stolen() } else { None }
            }
            _ => None,
        }
    }

    /// The oldest task of one queue, for the watcher's [`Relief`](crate::shared::Relief).
    pub(crate) fn take_from(&self, queue: Queue) -> Option<TaskRef> {
        let task = match queue {
            Queue::Injector => self.one_injected(),
            Queue::Guest(id) | Queue::Worker(id) if id == self.id => self.deque().pop_oldest(),
            Queue::Guest(id) | Queue::Worker(id) => {
                let stealer = self.shared.slots.get(id).stealer()?;
                self.stats().steal(self.deque(), || stealer.steal()).success()
            }
        };
        task.filter(|&task| !self.is_hole(task))
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

    /// A task of another thread. Those from outside come first: what they have spawned has waited longest, and is mostly larger
    /// than what a worker's task has spawned, which that task is about to wait for.
    fn stolen(&self) -> Option<TaskRef> {
        let slots = &self.shared.slots;
        let guest = slots.guests().find_map(|id| self.steal_from(id));
        guest.or_else(|| {
            let start = self.random_below(slots.used().count());
            let later = slots.used().skip(start);
            later.chain(slots.used().take(start)).find_map(|id| self.steal_from(id))
        })
    }

    /// A piece of fork-join work below `node`, for a thread that waits for that. Work of others is left where it is.
    pub(crate) fn find_below(&self, node: *const Node, first: Option<usize>) -> Sought {
        if let Some(task) = self.slot().receive() {
            return Sought::Found(task);
        }
        let slots = &self.shared.slots;
        let start = self.random_below(slots.used().count());
        let others = slots.used().skip(start).chain(slots.used().take(start));
        let mut is_strange = !matches!(self.shared.injector.len(), 0) || !self.deque().is_empty();
        for id in first.into_iter().chain(others) {
            match self.steal_below(id, node) {
                Sought::Found(task) => return Sought::Found(task),
                Sought::Strange => is_strange = true,
                Sought::Nothing => {}
            }
        }
        if is_strange { Sought::Strange } else { Sought::Nothing }
    }

    /// A piece of work below `node` that lies in another thread's deque under or above work of others, which comes along: for a
    /// thread that has waited long. The thread that has the deque may be blocked in a lock, which it may get only when
    /// this very wait is over.
    pub(crate) fn dig(&self, node: *const Node) -> Option<TaskRef> {
        let is_below = |task: &TaskRef| task.is_below(node);
        let dig_in = |id: usize| {
            let stealer = self.shared.slots.get(id).stealer().filter(|_| id != self.id)?;
            match stealer.steal_through(self.deque(), is_below) {
                Steal::Success(true) => self.pop(),
                Steal::Success(false) | Steal::Retry | Steal::Empty => None,
            }
        };
        self.shared.slots.used().find_map(dig_in)
    }

    /// The oldest task of another thread if it lies below `node`.
    fn steal_below(&self, id: usize, node: *const Node) -> Sought {
        let Some(stealer) = self.prey(id) else { return Sought::Nothing };
        let may_run = |task: &TaskRef| self.is_hole(*task) || task.is_below(node);
        loop {
            match self.stats().steal(self.deque(), || stealer.steal_if(may_run)) {
                Steal::Success(Some(task)) if self.is_hole(task) => {}
                Steal::Success(Some(task)) => return Sought::Found(task),
                Steal::Success(None) => return Sought::Strange,
                Steal::Retry | Steal::Empty => return Sought::Nothing,
            }
        }
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

    /// The task that has waited longest, as far as this thread sees, and nothing beside it: for the last one who can run tasks.
    pub(crate) fn oldest(&self) -> Option<TaskRef> {
        let own = || self.deque().pop_oldest().filter(|&task| !self.is_hole(task));
        self.one_injected().or_else(own).or_else(|| self.find(None))
    }

    fn one_injected(&self) -> Option<TaskRef> {
        let task = self.shared.injector.steal().success();
        self.shared.count_uninjected();
        task
    }

    fn injected(&self) -> Option<TaskRef> {
        let injector = &self.shared.injector;
        if injector.is_empty() {
            return None;
        }
        self.shared.count_uninjected();
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
            Steal::Success(()) => self.pop(),
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
