//! What a runtime counts of itself, with the feature `stats`; without it, the calls in here are nothing.
//!
//! | counter | counts | written by, in |
//! |---|---|---|
//! | `tasks_spawned` | tasks that go to the own deque, and to workers by `broadcast` | spawner, [`Context::spawn`] |
//! | `tasks_injected` | tasks that go to the injector | any thread, `Shared::spawn` |
//! | `tasks_run` | tasks taken from a queue | runner, `Context::run` |
//! | `tasks_inlined` | tasks that the wait for them called | runner, `TaskRef::enter` |
//! | `branches_forked` | branches of `join` that others may take | forker, `Context::push_branch` |
//! | `branches_migrated` | those that have become tasks of whoever took them | runner, `Context::run` |
//! | `steals_attempted`, `steals`, `tasks_stolen`, `steals_forced` | looks into a deque that seemed worth it, and what came of them | thief, `search.rs` |
//! | `barriers` | heavy halves of the barrier | its caller, `Asymmetric::heavy` |
//! | `parks`, `parked` | sleeps of a thread without work or inside a wait | sleeper, `sleep`, `join.rs`, `block.rs`, `channels.rs` |
//! | `wakes_given` | idle workers called | caller, `Context::call_for_push`, `sleep`, `block.rs` |
//! | `wakes_received` | calls heeded | called worker, `sleep` |
//! | `longest_queue` | the most tasks in the own deque after a spawn | spawner, [`Context::spawn`] |
//!
//! Each thread writes to a cache line of its slot that nobody else writes to, by a plain load and store; only what is
//! beside a lock or a system call anyway is added up in one place for all threads ([`Common`]). Everything is counted
//! before it happens, but for what is only known afterwards (steals, calls), so that who has learnt of it finds it counted.
#![cfg_attr(
    not(feature = "stats"),
    doc = "
Without the feature there is nothing to ask:

```compile_fail,E0599
let _ = wyn_sched::global().stats();
```
"
)]

mod counter;
#[cfg(feature = "stats")]
mod snapshot;

use crossbeam_utils::CachePadded;
use wyn_deque::Steal;

use self::counter::{Counter, Stopwatch, Tally};
use crate::context;
#[cfg(doc)]
use crate::context::Context;
use crate::slot::Deque;
use crate::task::TaskRef;

#[cfg(feature = "stats")]
pub use snapshot::{Counts, Stats};

const ENABLED: bool = cfg!(feature = "stats");

/// What the threads count that have had a slot, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Counters(CachePadded<Fields>);

#[derive(Debug, Default)]
struct Fields {
    tasks_spawned: Counter,
    tasks_run: Counter,
    tasks_inlined: Counter,
    branches_forked: Counter,
    branches_migrated: Counter,
    steals_attempted: Counter,
    steals: Counter,
    tasks_stolen: Counter,
    steals_forced: Counter,
    barriers: Counter,
    parks: Counter,
    parked: Stopwatch,
    wakes_given: Counter,
    wakes_received: Counter,
    longest_queue: Counter,
}

impl Counters {
    /// A task is about to be pushed to the own deque.
    #[inline(always)]
    pub(crate) fn spawned(&self, deque: &Deque) {
        if ENABLED {
            self.0.tasks_spawned.add(1);
            self.0.longest_queue.raise_to(deque.len() + 1);
        }
    }

    /// A task is about to be sent to one worker.
    #[inline(always)]
    pub(crate) fn sent(&self) {
        self.0.tasks_spawned.add(1);
    }

    /// A branch is about to be pushed.
    #[inline(always)]
    pub(crate) fn forked(&self) {
        self.0.branches_forked.add(1);
    }

    /// A task from a queue is about to be run.
    #[inline(always)]
    pub(crate) fn ran(&self, task: TaskRef) {
        if ENABLED {
            let counter = if task.is_branch() { &self.0.branches_migrated } else { &self.0.tasks_run };
            counter.add(1);
        }
    }

    /// Counts what `steal` does, which takes one task, or moves some to `deque`.
    #[inline(always)]
    pub(crate) fn steal<T>(&self, deque: &Deque, steal: impl FnOnce() -> Steal<T>) -> Steal<T> {
        if !ENABLED {
            return steal();
        }
        let (position, barriers) = (deque.position(), self.0.barriers.get());
        self.0.steals_attempted.add(1);
        let stolen = steal();
        if stolen.is_success() {
            self.0.steals.add(1);
            self.0.tasks_stolen.add(deque.position().wrapping_sub(position).max(1));
            // A claim takes one barrier at most, and nothing else here takes any.
            self.0.steals_forced.add(usize::from(self.0.barriers.get() != barriers));
        }
        stolen
    }

    /// Counts a park, and times it.
    #[inline(always)]
    pub(crate) fn park<R>(&self, park: impl FnOnce() -> R) -> R {
        self.0.parks.add(1);
        self.0.parked.time(park)
    }

    /// Whether an idle worker was called.
    #[inline(always)]
    pub(crate) fn called(&self, one: bool) {
        self.0.wakes_given.add(usize::from(one));
    }

    /// Whether this worker was called.
    #[inline(always)]
    pub(crate) fn heeded(&self, one: bool) {
        self.0.wakes_received.add(usize::from(one));
    }
}

/// A task is about to be called by the wait for it.
#[inline(always)]
pub(crate) fn inlined() {
    if ENABLED {
        context::with_running(|own| own.stats().0.tasks_inlined.add(1));
    }
}

/// A heavy barrier is about to be executed.
#[inline(always)]
pub(crate) fn barrier() {
    if ENABLED {
        context::with_running(|own| own.stats().0.barriers.add(1));
    }
}

/// What threads count that have no slot, and what happens seldom.
#[derive(Debug)]
pub(crate) struct Common {
    /// Tasks that went to the injector.
    pub(crate) injected: Tally,
    /// Idle workers called for them.
    pub(crate) wakes_given: Tally,
    pub(crate) spares_started: Tally,
    #[cfg(feature = "stats")]
    started: std::time::Instant,
}

impl Common {
    pub(crate) fn new() -> Self {
        Self {
            injected: Tally::default(),
            wakes_given: Tally::default(),
            spares_started: Tally::default(),
            #[cfg(feature = "stats")]
            started: std::time::Instant::now(),
        }
    }
}
