//! A thread's place in a runtime: its deque, and what it remembers. How a thread finds its own is in [`current`].

mod current;
mod own;

use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::Arc;

use crossbeam_utils::CachePadded;
use wyn_future::cell::{Header, MAX_RUNNERS};

pub(crate) use self::current::{
    Helping, Seat, ambient, current, end_departures_of_guest, helped, hold, is_inside, put_off, report_panic,
    running, with_ambient, with_context_of, with_current, with_running,
};
use crate::barrier::Asymmetric;
use crate::departure::Departure;
use crate::lineage::Node;
use crate::par_for::Missed;
use crate::runtime;
use crate::shared::Shared;
use crate::sleep::Looks;
use crate::sleep::roster::Idle;
use crate::slot::{Deque, Role, Slot};
use crate::slots::Reserved;
use crate::stack::{self, Stay};
use crate::stats::Counters;
use crate::sync::{Ordering, compiler_fence};
use crate::task::{self, Op, TaskRef};

/// While somebody watches, every so many pushes the length of the deque is looked at.
const NUDGE_PUSHES: u32 = 32;

/// A thread's place in a runtime.
pub(crate) struct Context {
    /// Its own end of its deque; home to the slot on drop.
    deque: ManuallyDrop<Deque>,
    pub(crate) shared: Arc<Shared>,
    slot: Arc<CachePadded<Slot>>,
    pub(crate) id: usize,
    /// What a task that runs here names as its runner, for a thread that waits for it and wants to know whose deque to look
    /// into first: the id, but the last that a header can hold is shared by all above.
    pub(crate) runner: usize,
    pub(crate) role: Role,
    stack_limit: stack::Limit,
    /// The fork-join work that the code which runs here belongs to; null outside of any. Alive as long as that code runs.
    node: Cell<*const Node>,
    /// What a task that was taken out of the middle of the deque leaves there.
    hole: TaskRef,
    /// Whether a worker has ever looked for work.
    is_ready: Cell<bool>,
    /// The position above the last such task; when a task begins, that of the first one that it will spawn.
    next: Cell<usize>,
    /// Holes that lie side by side: the position of the first and that above the last. None if they are the same.
    holes: Cell<(usize, usize)>,
    /// Of searches for such tasks: how many are left out after one in vain, and how many are still to be left out.
    searches: Cell<(u32, u32)>,
    pushes: Cell<u32>,
    /// The last look of a watcher that this thread has compared its processor with.
    seen_look: Cell<u32>,
    ticks: Cell<u32>,
    random: Cell<u32>,
    /// Whose turn it is when it is not the newest task's; see `search.rs`.
    pub(crate) turn: Cell<u8>,
    /// What its loops could have used help for.
    pub(crate) missed: Cell<Missed>,
    /// What it saw of the others when it last watched.
    pub(crate) looks: RefCell<Looks>,
    /// Handles that have gone but for their barrier.
    departures: RefCell<Vec<Departure>>,
}

impl Context {
    /// The calling thread's context with this slot, which it keeps until the context goes.
    pub(crate) fn enroll(shared: Arc<Shared>, reserved: Reserved) -> Rc<Self> {
        let Reserved { id, role } = reserved;
        let deque = shared.slots.move_in(reserved);
        let slot = Arc::clone(shared.slots.get(id));
        // Any odd number does; ids are small.
        let seed = u32::try_from(id).unwrap_or(0).wrapping_mul(0x9E37_79B9) | 1;
        Rc::new(Self {
            deque: ManuallyDrop::new(deque),
            shared,
            slot,
            id,
            runner: id.min(MAX_RUNNERS - 1),
            role,
            stack_limit: stack::Limit::new(),
            node: Cell::new(ptr::null()),
            hole: task::hole(),
            is_ready: Cell::new(false),
            next: Cell::new(0),
            holes: Cell::new((0, 0)),
            searches: Cell::new((0, 0)),
            pushes: Cell::new(0),
            seen_look: Cell::new(0),
            ticks: Cell::new(0),
            random: Cell::new(seed),
            turn: Cell::new(0),
            missed: Cell::new(Missed::default()),
            looks: RefCell::new(Looks::default()),
            departures: RefCell::new(Vec::new()),
        })
    }

    #[inline(always)]
    pub(crate) fn deque(&self) -> &Deque {
        &self.deque
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.slot
    }

    #[inline(always)]
    pub(crate) fn stats(&self) -> &Counters {
        &self.slot.stats
    }

    /// Pushes a new task.
    #[inline]
    pub(crate) fn spawn(&self, task: TaskRef) {
        self.stats().spawned(self.deque());
        self.push(task);
    }

    /// Puts a task where this thread, and every thief, finds it; calls somebody if nobody looks.
    #[inline]
    pub(crate) fn push(&self, task: TaskRef) {
        self.deque().push(task);
        Asymmetric::light();
        let roster = &self.shared.roster;
        if roster.may_need_call() {
            self.call_for_push::<true>();
        } else if self.role == Role::Guest && roster.nobody_is_idle() {
            runtime::keep_lookout(&self.shared, false);
        }
    }

    /// Puts a future that was woken while it was polled where it gets its turn: behind all others, if there are any.
    pub(crate) fn give_way(&self, task: TaskRef) {
        // Not `is_empty` of the injector, which executes a fence: it is only a guess.
        let is_alone = || self.deque().is_empty() && matches!(self.shared.injector.len(), 0);
        if self.role != Role::Guest && is_alone() { self.push(task) } else { self.shared.inject(task) }
    }

    /// The same for a branch of `join`, which this thread takes back if nobody comes for it. So without a barrier:
    /// where [`Asymmetric`] needs a fence, the last worker to fall asleep may miss it, and nothing is lost but
    /// the chance to run it elsewhere.
    #[inline(always)]
    pub(crate) fn push_branch(&self, task: TaskRef) -> usize {
        self.stats().forked();
        let position = self.deque().push_at(task);
        // Ordering: SeqCst compiler fence: with membarrier on the other side, this is the light barrier.
        compiler_fence(Ordering::SeqCst);
        if self.shared.roster.may_need_call() {
            self.call_for_push::<false>();
        }
        position
    }

    /// Somebody rests and nobody searches. What is rare is out of line, so that this keeps no registers: a program
    /// that forks beside a watcher comes here with every fork. With `CANCELS`, what was pushed is cancelled if the runtime has
    /// stopped, where nobody comes for it; a branch is taken back.
    #[cold]
    #[inline(never)]
    fn call_for_push<const CANCELS: bool>(&self) {
        let roster = &self.shared.roster;
        if roster.nobody_looks() {
            if CANCELS && self.shared.has_stopped() {
                return self.shared.cancel_all();
            }
            return self.stats().called(roster.rouse());
        }
        if roster.has_looked_since(&self.seen_look) {
            return self.call_after_look();
        }
        self.nudge_for_many();
    }

    /// The watcher has looked since this thread was here last.
    #[cold]
    #[inline(never)]
    fn call_after_look(&self) {
        if self.shared.roster.is_in_the_watchers_way(&self.seen_look) {
            return self.stats().called(self.shared.roster.nudge());
        }
        self.nudge_for_many();
    }

    /// The watcher will look by its clock; a deque that grows is worth a call.
    #[inline(always)]
    fn nudge_for_many(&self) {
        let pushes = self.pushes.get().wrapping_add(1);
        self.pushes.set(pushes);
        if pushes.is_multiple_of(NUDGE_PUSHES) && self.deque().len() >= NUDGE_PUSHES as usize {
            self.stats().called(self.shared.roster.nudge());
        }
    }

    /// Gives a thief what it asks for. Who is idle and would find nothing to steal here.
    #[inline]
    pub(crate) fn is_asked(&self) -> Option<Idle> {
        self.deque().attend();
        self.shared.roster.who_is_idle().filter(|_| self.deque().is_empty())
    }

    /// Whether the free functions mean this context: on a guest, whether it runs a task of this runtime, or
    /// the runtime is the global one.
    #[inline(always)]
    pub(crate) fn is_ambient(&self) -> bool {
        ptr::eq(running(), self)
    }

    /// A worker looks for work: from now on it comes to what is queued, or is in a task.
    pub(crate) fn count_ready(&self) {
        if self.role == Role::Worker && !self.is_ready.replace(true) {
            self.shared.count_ready();
        }
    }

    /// Runs a task taken from a queue. The context is ambient.
    #[inline]
    pub(crate) fn run(&self, task: TaskRef) {
        self.run_in(task, task.node());
    }

    /// The same; `node` is the task's.
    #[inline]
    pub(crate) fn run_in(&self, task: TaskRef, node: *const Node) {
        self.slot().count_run();
        self.stats().ran(task);
        self.next.set(self.deque().position());
        let outer = self.node.replace(node);
        // SAFETY: it was taken from a queue, and is given up here.
        unsafe { task.enter(Op::Run, self.runner) };
        self.node.set(outer);
    }

    /// The fork-join work that the code which runs here belongs to.
    #[inline(always)]
    pub(crate) fn node(&self) -> *const Node {
        self.node.get()
    }

    /// If the newest task of this thread is this one, takes its handle's part out of it. `cell` may be any cell
    /// whose handle the caller gives up if this says true.
    pub(crate) fn disown_newest(&self, cell: NonNull<Header>) -> bool {
        let Some(task) = self.deque().pop() else { return false };
        let is_newest = task.header() == cell;
        if is_newest {
            // SAFETY: out of the queue, nobody can start it; the caller gives the handle up.
            unsafe { Header::abandon_unstarted(cell.as_ptr()) };
        }
        self.push(task);
        is_newest
    }

    /// Ends the handles that were dropped here and wait for company. For a thread that has time, and before a
    /// panic among them could go unheard.
    pub(crate) fn end_departures(&self) {
        // Taken out first: this may call the panic handler, which may drop handles.
        let departures = self.departures.take();
        Departure::end_all(departures);
    }

    /// Whether there is stack enough to run another task on top of what is running. On a stack that is not the thread's
    /// own only while somebody [stays](Self::stay) there.
    #[inline(always)]
    pub(crate) fn has_stack(&self) -> bool {
        self.stack_limit.is_above()
    }

    /// Makes the stack that the caller's frame is on one that [`has_stack`](Self::has_stack) knows, until the guard is
    /// dropped.
    #[inline]
    pub(crate) fn stay(&self) -> Stay<'_> {
        self.stack_limit.stay()
    }

    /// Counts a scheduling decision; the count so far.
    pub(crate) fn tick(&self) -> u32 {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        ticks
    }

    /// A number below `n`, for victims. Marsaglia's xorshift.
    pub(crate) fn random_below(&self, n: usize) -> usize {
        let mut x = self.random.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        self.random.set(x);
        (x as usize) % n.max(1)
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        Departure::end_all(std::mem::take(self.departures.get_mut()));
        // SAFETY: nobody uses it after this.
        let deque = unsafe { ManuallyDrop::take(&mut self.deque) };
        self.shared.slots.give_back(Reserved { id: self.id, role: self.role }, Some(deque));
    }
}
