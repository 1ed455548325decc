//! What all threads of a runtime share.

use std::any::Any;
use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use wyn_deque::Injector;
use wyn_future::cell::Outcome;

use crate::barrier::Asymmetric;
use crate::block;
use crate::builder::Config;
use crate::context;
use crate::deadlock::{Ending, Notice, Place, WaitsFor};
use crate::future::Suspended;
use crate::relief::{Queue, Relief};
use crate::runtime;
use crate::sleep::roster::Roster;
use crate::slots::{SPARES, Slots};
use crate::stats::Common;
use crate::sync::{AtomicBool, AtomicUsize, Condvar, Mutex, Ordering, lock, yield_now};
use crate::task::{Op, TaskRef};

/// The system that has refused a thread is asked again after so long.
const REFUSAL: Duration = Duration::from_millis(50);

/// How many runtimes the process has that have not been freed.
static RUNTIMES: AtomicUsize = AtomicUsize::new(0);

/// Who ends a runtime looks so often whether it has come to rest before it sleeps in between,
const YIELDS: u32 = 40;
/// at first so long, and then longer and longer.
const FIRST_NAP: Duration = Duration::from_micros(50);
const LAST_NAP: Duration = Duration::from_millis(1);

pub(crate) struct Shared {
    pub(crate) roster: Roster,
    pub(crate) slots: Slots,
    /// For tasks from threads without a deque.
    pub(crate) injector: Injector<TaskRef>,
    /// Tasks taken from the injector, counted: for the watcher.
    pub(crate) uninjected: AtomicUsize,
    /// How often code in a task has looked in vain for what it waits for: yields, and waits whose time was over.
    polls: AtomicUsize,
    /// Whether a task has waited too long beside busy workers.
    pub(crate) relief: Relief,
    /// Futures that wait for a waker.
    pub(crate) suspended: Suspended,
    pub(crate) config: Config,
    /// How many threads should be busy at a time: the workers asked for, but no more than processors.
    pub(crate) target: usize,
    /// The owner has gone; the runtime ends when it comes to rest.
    closing: AtomicBool,
    /// Workers leave, and do not look for work any more.
    stopped: AtomicBool,
    /// Worker and spare threads that have not left.
    alive: AtomicUsize,
    /// Threads of `alive` that wait inside a task and run nothing. Changed under `crew`.
    blocked: AtomicUsize,
    /// When the system has last refused a thread.
    refused: Mutex<Option<Instant>>,
    /// Workers that have ever looked for work: the others are about to.
    ready: AtomicUsize,
    /// Tasks that were cancelled in a queue.
    cancelled: AtomicUsize,
    /// Spares that are leaving and still count as alive.
    crew: Mutex<usize>,
    /// For those who wait until the runtime has stopped.
    ended: (Mutex<()>, Condvar),
    pub(crate) stats: Common,
}

impl Shared {
    pub(crate) fn new(config: Config) -> Arc<Self> {
        crate::barrier::decide();
        // Ordering: Relaxed: as in `is_only_one`.
        RUNTIMES.fetch_add(1, Ordering::Relaxed);
        let slots = Slots::new(config.workers);
        Arc::new(Self {
            roster: Roster::new(),
            injector: Injector::new(),
            uninjected: AtomicUsize::new(0),
            polls: AtomicUsize::new(0),
            relief: Relief::new(),
            suspended: Suspended::new(),
            target: config.workers.min(crate::cpus::available()),
            slots,
            config,
            closing: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            alive: AtomicUsize::new(0),
            blocked: AtomicUsize::new(0),
            refused: Mutex::new(None),
            ready: AtomicUsize::new(0),
            cancelled: AtomicUsize::new(0),
            crew: Mutex::new(0),
            ended: (Mutex::new(()), Condvar::new()),
            stats: Common::new(),
        })
    }

    /// Whether there is one runtime, so that a task whose handle this thread has must be one of it.
    pub(crate) fn is_only_one() -> bool {
        // Ordering: Relaxed: whatever made the handle known to this thread came after its runtime was counted.
        RUNTIMES.load(Ordering::Relaxed) == 1
    }

    /// Spawns a task from a thread without a deque of its own here.
    #[cold]
    pub(crate) fn spawn(self: &Arc<Self>, task: TaskRef) {
        self.stats.injected.add(1);
        self.inject(task);
    }

    /// Puts a task where every worker finds it; calls somebody if nobody looks.
    #[cold]
    pub(crate) fn inject(self: &Arc<Self>, task: TaskRef) {
        self.injector.push(task);
        Asymmetric::light();
        if self.roster.nobody_looks() {
            self.stats.wakes_given.add(usize::from(self.roster.rouse()));
        } else if self.roster.nobody_is_idle() {
            runtime::keep_lookout(self, false);
        }
        if self.has_stopped() {
            self.cancel_all();
        }
    }

    /// Whether any queue holds a task. Misses none that was pushed before a heavy barrier of the caller.
    pub(crate) fn has_work(&self) -> bool {
        let has_work = !self.injector.is_empty()
            || self.slots.used().any(|id| self.slots.get(id).stealer().is_some_and(|s| !s.is_empty()));
        if !has_work {
            self.slots.tidy();
        }
        has_work
    }

    /// How many tasks are queued, counted up to `most`. A hint.
    pub(crate) fn queued(&self, most: usize) -> usize {
        let mut queued = self.injector.len();
        for stealer in self.slots.used().filter_map(|id| self.slots.get(id).stealer()) {
            if queued >= most {
                break;
            }
            queued += stealer.len();
        }
        queued.min(most)
    }

    /// Something has been taken from the injector.
    pub(crate) fn count_uninjected(&self) {
        // Ordering: Relaxed: a hint.
        self.uninjected.fetch_add(1, Ordering::Relaxed);
    }

    /// Code in a task has looked in vain for what it waits for, and will look again.
    pub(crate) fn count_poll(self: &Arc<Self>) {
        // Ordering: Relaxed: a hint.
        self.polls.fetch_add(1, Ordering::Relaxed);
        if self.roster.nobody_is_idle() && self.has_work() {
            runtime::keep_lookout(self, true);
        }
    }

    /// How often that was. A hint.
    pub(crate) fn polls(&self) -> usize {
        // Ordering: Relaxed: a hint.
        self.polls.load(Ordering::Relaxed)
    }

    /// Whether a queue from outside holds anything. A hint.
    pub(crate) fn has_outside(&self) -> bool {
        self.queues().any(|(queue, _)| queue.is_outside())
    }

    /// For each queue that holds anything: which it is, and what changes when its oldest task is taken.
    pub(crate) fn queues(&self) -> impl Iterator<Item = (Queue, usize)> {
        // Ordering: Relaxed: a hint.
        let injector = (!matches!(self.injector.len(), 0)).then(|| self.uninjected.load(Ordering::Relaxed));
        let deques = self.slots.used().filter_map(|id| {
            let deque = self.slots.get(id).stealer().filter(|deque| !deque.is_empty())?;
            let queue = if self.slots.is_guest(id) { Queue::Guest(id) } else { Queue::Worker(id) };
            Some((queue, deque.mark().0))
        });
        injector.map(|mark| (Queue::Injector, mark)).into_iter().chain(deques)
    }

    pub(crate) fn report_panic(
        &self,
        payload: Box<dyn Any + Send>,
        origin: Option<&'static Location<'static>>,
    ) {
        match &self.config.panic_handler {
            Some(handler) => handler(crate::error::JoinError::panic(payload, origin)),
            None => drop(payload),
        }
    }

    // The end of a runtime.

    pub(crate) fn close(&self) {
        // Ordering: Release: pairs with the Acquire in `is_closing`.
        self.closing.store(true, Ordering::Release);
        if self.at_rest() {
            return self.stop();
        }
        self.roster.rouse_all();
    }

    pub(crate) fn is_closing(&self) -> bool {
        // Ordering: Acquire: pairs with the Release in `close`.
        self.closing.load(Ordering::Acquire)
    }

    #[inline]
    pub(crate) fn has_stopped(&self) -> bool {
        // Ordering: Acquire: pairs with the Release in `stop`.
        self.stopped.load(Ordering::Acquire)
    }

    /// Tells every worker to leave. What is pushed from now on is cancelled, by whoever pushes it or by a worker that leaves.
    pub(crate) fn stop(&self) {
        // Ordering: AcqRel: the Release pairs with the Acquire in `has_stopped`.
        if !self.stopped.swap(true, Ordering::AcqRel) {
            self.roster.have_pushes_call();
        }
        self.roster.rouse_all();
        let _held = lock(&self.ended.0);
        self.ended.1.notify_all();
    }

    /// Whether nothing is queued or running: every worker rests and no guest helps.
    pub(crate) fn at_rest(&self) -> bool {
        let all_rest = || self.roster.searchers() == 0 && self.roster.resting() == self.alive();
        let nobody_helps = || !self.slots.guests().any(|id| self.slots.get(id).is_helping());
        let guests_moves = || {
            let moves = self.slots.guests().map(|id| self.slots.get(id).progress());
            let moves = moves.fold(0, usize::wrapping_add);
            // In this order: a guest that goes is no longer looked at.
            (moves, self.slots.guests_gone())
        };
        // A task that is running may push and be done with between two of these looks; a second look at who
        // rests after the look at the queues closes that gap, since only a task can push. A guest may begin,
        // run, and end in between: its moves tell, or that it has gone.
        let moves = guests_moves();
        all_rest() && nobody_helps() && {
            Asymmetric::heavy();
            !self.has_work() && all_rest() && nobody_helps() && moves == guests_moves()
        }
    }

    /// Drops every queued task and every suspended future; their handles report cancellation.
    pub(crate) fn cancel_all(&self) {
        self.suspended.cancel_all();
        let cancel = |task: TaskRef| {
            // SAFETY: it was taken from a queue, and is given up here.
            let outcome = unsafe { task.enter(Op::Cancel, 0) };
            // Branches and children are run, and an entry may be void.
            if outcome == Outcome::Cancelled {
                // Ordering: Relaxed: only the number counts.
                self.cancelled.fetch_add(1, Ordering::Relaxed);
            }
        };
        while let Some(task) = self.injector.steal().success() {
            cancel(task);
        }
        for id in self.slots.used() {
            let Some(stealer) = self.slots.get(id).stealer() else { continue };
            loop {
                match stealer.steal() {
                    wyn_deque::Steal::Success(task) => cancel(task),
                    wyn_deque::Steal::Retry => std::hint::spin_loop(),
                    wyn_deque::Steal::Empty => break,
                }
            }
        }
    }

    /// How many tasks were cancelled before they had started.
    pub(crate) fn cancelled(&self) -> usize {
        // Ordering: Relaxed: only the number counts.
        self.cancelled.load(Ordering::Relaxed)
    }

    pub(crate) fn alive(&self) -> usize {
        // Ordering: Acquire: pairs with the Release in `arrive` and `leave`.
        self.alive.load(Ordering::Acquire)
    }

    /// A thread of this runtime is going to wait inside a task. How many others can run tasks: if they are fewer than there are
    /// workers, one must be started.
    pub(crate) fn block(&self) -> usize {
        let leaving = lock(&self.crew);
        // Ordering: Relaxed: under the lock; others take it as a hint.
        let blocked = self.blocked.fetch_add(1, Ordering::Relaxed) + 1;
        self.alive().saturating_sub(blocked + *leaving)
    }

    /// The wait is over.
    pub(crate) fn unblock(&self) {
        let _leaving = lock(&self.crew);
        // Ordering: Relaxed: as in `block`.
        self.blocked.fetch_sub(1, Ordering::Relaxed);
    }

    /// How many threads are blocked. A hint.
    pub(crate) fn blocked(&self) -> usize {
        // Ordering: Relaxed: a hint.
        self.blocked.load(Ordering::Relaxed)
    }

    pub(crate) fn count_ready(&self) {
        // Ordering: Relaxed: a hint.
        self.ready.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether all workers have come so far that nobody idle means that all are in tasks.
    pub(crate) fn is_ready(&self) -> bool {
        // Ordering: Relaxed: a hint.
        self.ready.load(Ordering::Relaxed) >= self.config.workers
    }

    /// How many threads can run tasks now.
    pub(crate) fn able(&self) -> usize {
        let leaving = lock(&self.crew);
        self.alive().saturating_sub(self.blocked() + *leaving)
    }

    /// Whether the system has refused a thread lately: it is not asked again by each that waits.
    pub(crate) fn is_short_of_threads(&self) -> bool {
        lock(&self.refused).is_some_and(|at| at.elapsed() < REFUSAL)
    }

    /// Remembers whether the system has given a thread when it was asked for one.
    pub(crate) fn note_threads(&self, is_given: bool) {
        let mut refused = lock(&self.refused);
        if is_given {
            *refused = None;
        } else if refused.is_none_or(|at| at.elapsed() >= REFUSAL) {
            *refused = Some(Instant::now());
        }
    }

    /// Whether an idle spare would [be let go](Self::may_leave).
    pub(crate) fn has_surplus(&self) -> bool {
        self.able() > self.config.workers
    }

    /// Whether a spare may leave. If so, it must.
    pub(crate) fn may_leave(&self) -> bool {
        let mut leaving = lock(&self.crew);
        let surplus = self.alive().saturating_sub(self.blocked() + *leaving) > self.config.workers;
        *leaving += usize::from(surplus);
        surplus
    }

    /// A spare that was to leave has left.
    pub(crate) fn has_left(&self) {
        *lock(&self.crew) -= 1;
    }

    /// A thread is about to be started for this runtime; `None` if there are as many as there may be.
    pub(crate) fn arrive(&self) -> Option<()> {
        let most = self.config.workers + SPARES;
        // Ordering: Release: pairs with the Acquire in `alive`. Relaxed: only the number counts.
        let one_more = |alive| (alive < most).then_some(alive + 1);
        self.alive.fetch_update(Ordering::Release, Ordering::Relaxed, one_more).ok().map(drop)
    }

    /// A thread of this runtime ends, or could not be started.
    pub(crate) fn leave(&self) {
        // Ordering: AcqRel: what the thread did happens before what `alive` lets others do.
        if self.alive.fetch_sub(1, Ordering::AcqRel) == 1 {
            let _held = lock(&self.ended.0);
            self.ended.1.notify_all();
        }
    }

    /// Waits until `until` or the deadline, or until a deadlock ends it; whether it is `until`. Woken when a thread leaves
    /// or the runtime stops, and by the clock, since neither a guest's help nor the last task of a runtime has an end that
    /// is told.
    pub(crate) fn wait_for(&self, deadline: Option<Instant>, until: impl Fn() -> bool + Sync) -> bool {
        let ending = Ending::new();
        let is_over = || until() || ending.is_told() || deadline.is_some_and(|at| Instant::now() >= at);
        let wait = || {
            let mut looks = 0;
            loop {
                if self.is_closing() && !self.has_stopped() && self.at_rest() {
                    self.stop();
                }
                let held = lock(&self.ended.0);
                // Asked with the lock held, without which no thread tells that it leaves.
                if is_over() {
                    return;
                }
                if looks < YIELDS {
                    drop(held);
                    yield_now();
                } else {
                    let nap = (FIRST_NAP * (1 << (looks - YIELDS).min(10))).min(LAST_NAP);
                    drop(self.ended.1.wait_timeout(held, nap));
                }
                looks += 1;
            }
        };
        let context = context::current();
        let (what, own, place) = (WaitsFor::End, context.as_deref(), Place::Parked);
        let notice = Notice { what, deadline, context: own, place, is_over: &until, ending: Some(&ending) };
        match own {
            // A worker of another runtime, whose place another takes there.
            Some(own) => block::block(own, &notice, &is_over, &|| notice.during(wait)),
            None => notice.during(wait),
        }
        until()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // Ordering: Relaxed: nothing is queued here any more; who still counts it only does without claims.
        RUNTIMES.fetch_sub(1, Ordering::Relaxed);
    }
}
