//! `Runtime`: its start, its end, and the global one.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use crate::builder::{Builder, Config};
use crate::context;
use crate::deadlock::{self, Blocked};
use crate::error::{BuildError, ShutdownError};
use crate::future;
use crate::handle::JoinHandle;
use crate::shared::Shared;
use crate::slot::Role;
use crate::slots::Reserved;
use crate::task;
use crate::worker::{self, Ready, Refusal};

/// A shutdown that has run out of time waits until so often in a row no thread has left for so long: those in no task, which it
/// does not count.
const LEAVES: u32 = 3;
const LEAVE: Duration = Duration::from_millis(10);

/// A set of worker threads and their queues.
///
/// Most programs need none of their own: [`spawn`](crate::spawn) uses a global runtime. A runtime of one's
/// own has its own number of workers, hooks and end.
///
/// Dropping it waits until everything that was spawned, and what that spawned, has run, and ends the threads. Futures that
/// are suspended when there is nothing left to run are dropped, and their handles say so.
/// Dropped by one of its own tasks, it does not wait: the workers end by themselves when they come to rest. So it is
/// with [`Deadlocks::fail`](crate::Deadlocks::fail) if its tasks wait for each other and nothing can end that.
///
/// ```
/// let runtime = wyn_sched::Runtime::builder().workers(2).build()?;
/// let total: u64 = runtime.install(|| {
///     let parts: Vec<_> = (0..4_u64).map(|i| wyn_sched::spawn(move || i * i)).collect();
///     parts.into_iter().map(|part| part.join().unwrap()).sum()
/// });
/// assert_eq!(total, 14);
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
#[must_use = "dropping a runtime waits for its tasks and ends its threads"]
pub struct Runtime {
    pub(crate) shared: Arc<Shared>,
}

static_assertions::assert_impl_all!(Runtime: Send, Sync);

impl Runtime {
    /// A runtime of one worker for each available processor, or as many as `WYN_WORKERS` says.
    ///
    /// # Errors
    /// As [`Builder::build`].
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// For everything that can be set.
    pub fn builder() -> Builder {
        Builder::new()
    }

    pub(crate) fn start(config: Config) -> Result<Self, BuildError> {
        let workers = config.workers;
        #[cfg(feature = "channel")]
        crate::channels::install();
        let runtime = Self { shared: Shared::new(config) };
        deadlock::enlist(&runtime.shared);
        // Only a start hook can still fail on a thread that the system has given: nothing else is waited for.
        let is_heard = runtime.shared.config.on_thread_start.is_some();
        let (ready, readiness) = channel();
        // An early return drops `runtime`, which ends the threads that have started.
        for index in 0..workers {
            let ready = is_heard.then(|| ready.clone());
            start_thread(&runtime.shared, Some(index), ready).map_err(BuildError::Thread)?;
        }
        drop(ready);
        for outcome in readiness.iter().take(workers) {
            outcome?;
        }
        Ok(runtime)
    }

    /// Spawns a closure as a task of this runtime. Otherwise as [`spawn`](crate::spawn).
    #[inline]
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> JoinHandle<T>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (task, class) = task::create(f, Location::caller());
        self.push(task);
        JoinHandle::new(task, class)
    }

    /// Spawns a closure as a task of this runtime, without a handle. Otherwise as
    /// [`spawn_detached`](crate::spawn_detached).
    #[inline]
    #[track_caller]
    pub fn spawn_detached<F>(&self, f: F)
    where
        F: FnOnce() + Send + 'static,
    {
        self.push(task::create_detached(f, Location::caller()));
    }

    /// Spawns a future as a task of this runtime. Otherwise as [`spawn_future`](crate::spawn_future).
    #[track_caller]
    pub fn spawn_future<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        future::spawn_with(future, Location::caller(), |task| self.push(task))
    }

    /// Drives a future on the calling thread, as [`block_on`](crate::block_on()) does; what it spawns goes to this runtime.
    ///
    /// On a worker of another runtime the free functions still mean that one, and on a thread from outside the global one
    /// if 4096 others have a place in this runtime already.
    ///
    /// # Panics
    /// With the panic of the future.
    ///
    /// ```
    /// let runtime = wyn_sched::Runtime::builder().workers(2).build()?;
    /// let answer = runtime.block_on(async { wyn_sched::spawn_future(async { 6 * 7 }).await.unwrap() });
    /// assert_eq!(answer, 42);
    /// # Ok::<(), wyn_sched::BuildError>(())
    /// ```
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        future::block_on_in(&self.shared, future)
    }

    #[inline(always)]
    fn push(&self, task: task::TaskRef) {
        context::with_context_of(&self.shared, |context| match context {
            Some(context) => context.spawn(task),
            None => self.shared.spawn(task),
        });
    }

    /// Runs a closure on a worker and returns its result; the calling thread parks meanwhile and runs
    /// nothing. Called on a worker of this runtime, it runs the closure at once.
    ///
    /// # Panics
    /// With the panic of the closure.
    #[track_caller]
    pub fn install<F, R>(&self, f: F) -> R
    where
        F: FnOnce() -> R + Send,
        R: Send,
    {
        let is_worker = context::current()
            .is_some_and(|context| context.role != Role::Guest && Arc::ptr_eq(&context.shared, &self.shared));
        if is_worker {
            return f();
        }
        let (task, class) = task::create(f, Location::caller());
        let handle = JoinHandle::new(task, class);
        self.shared.spawn(task);
        // What `f` borrows outlives the task: this frame does not end before the task is complete, and a
        // runtime that is borrowed here cannot be shut down.
        match handle.join_anyway() {
            Ok(result) => result,
            Err(error) => resume_unwind(error.into_panic()),
        }
    }

    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shared.config.workers
    }

    /// What this runtime's threads wait for at this moment, in handles, channels and values, and what threads that belong
    /// to no runtime do; those that have waited longest first. For a look at a program that hangs; it takes a lock of
    /// each thread that has ever waited.
    ///
    /// ```
    /// let runtime = wyn_sched::Runtime::builder().workers(2).build()?;
    /// let slow = runtime.spawn(|| std::thread::sleep(std::time::Duration::from_millis(50)));
    /// let waits = runtime.spawn(move || slow.join_blocking());
    /// # while runtime.blocked().is_empty() { std::thread::yield_now(); }
    /// for wait in runtime.blocked() {
    ///     // the task spawned at src/main.rs:4:21, waiting for the task spawned at src/main.rs:3:20, for 1.2ms, …
    ///     println!("{wait}");
    /// }
    /// # waits.join().unwrap().unwrap();
    /// # Ok::<(), wyn_sched::BuildError>(())
    /// ```
    #[must_use]
    pub fn blocked(&self) -> Vec<Blocked> {
        deadlock::blocked(&self.shared)
    }

    /// What the runtime has counted since it was started. Takes no lock and stops nobody: it may be called as often as
    /// is wanted. With the feature `stats`.
    #[cfg(feature = "stats")]
    #[must_use]
    pub fn stats(&self) -> crate::Stats {
        crate::Stats::of(&self.shared)
    }

    /// Ends the runtime as dropping it does, waiting at most this long for what was spawned. Suspended futures are not waited
    /// for.
    ///
    /// # Errors
    /// [`ShutdownError`] if it did not come to rest in time. What had not started is cancelled; a thread that
    /// is inside a task ends when the task does.
    pub fn shutdown(self, timeout: Duration) -> Result<(), ShutdownError> {
        let shared = &self.shared;
        shared.close();
        let deadline = Instant::now().checked_add(timeout);
        let ended = || shared.alive() == 0;
        let rested = shared.wait_for(deadline, ended);
        // What is pushed from now on is cancelled by who pushes it.
        shared.stop();
        shared.cancel_all();
        if !rested {
            // Those that only slept leave at once, if the system lets them run.
            let (mut seen, mut same) = (shared.alive(), 0);
            while same < LEAVES && !shared.wait_for(Some(Instant::now() + LEAVE), ended) {
                same = if seen == shared.alive() { same + 1 } else { 0 };
                seen = shared.alive();
            }
        }
        match (shared.cancelled(), shared.alive()) {
            (0, 0) => Ok(()),
            (cancelled, running) => Err(ShutdownError { cancelled, running }),
        }
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.end();
        // Panics among them are heard while there is a handler.
        context::end_departures_of_guest();
    }
}

impl Runtime {
    /// Waits for the tasks and ends the threads.
    fn end(&self) {
        let shared = &self.shared;
        if shared.has_stopped() {
            return;
        }
        // From inside a task of its own, waiting for the tasks would be waiting for itself.
        if context::is_inside(shared) {
            return shared.close();
        }
        shared.close();
        if shared.wait_for(None, || shared.alive() == 0) {
            shared.stop();
            shared.cancel_all();
        }
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("workers", &self.workers()).finish_non_exhaustive()
    }
}

/// The runtime that the free functions use outside of workers. Starts on the first call, with one worker for
/// each processor this process may use, or as many as `WYN_WORKERS` says; never ends.
///
/// # Panics
/// If the system gives no thread.
pub fn global() -> &'static Runtime {
    static GLOBAL: OnceLock<Runtime> = OnceLock::new();
    GLOBAL.get_or_init(|| {
        let config = Config::new(crate::cpus::default_workers());
        Runtime::start(config).expect("the global runtime could not be started")
    })
}

/// All threads are in tasks and something is queued that they may never come to: has one thread more look around by a clock
/// (see "Lookout" in `sleep/README.md`), unless there is one. It is one to come when a worker blocks as well.
///
/// With `anyway` also if there are more threads than workers that can run tasks: they may all be polling.
#[cold]
#[inline(never)]
pub(crate) fn keep_lookout(shared: &Arc<Shared>, anyway: bool) {
    if shared.is_ready() && (anyway || shared.able() <= shared.config.workers) {
        start_spare(shared);
    }
}

/// Starts a worker in the place of one that waits, if one may still be started and the system gives a thread. Unwinds
/// with nothing: the caller is inside a wait.
pub(crate) fn start_spare(shared: &Arc<Shared>) -> bool {
    let is_started =
        !shared.has_stopped() && !shared.is_short_of_threads() && start_thread(shared, None, None).is_ok();
    shared.note_threads(is_started);
    shared.stats.spares_started.add(usize::from(is_started));
    is_started
}

/// Starts the worker of this index, or a spare.
fn start_thread(shared: &Arc<Shared>, worker: Option<usize>, ready: Option<Ready>) -> io::Result<()> {
    let arrived = Arrived::new(shared, worker)
        .ok_or_else(|| io::Error::new(io::ErrorKind::QuotaExceeded, "as many threads as there may be"))?;
    let place = arrived.place;
    let (name, refusal) = name(shared, place)?;
    let own = Arc::clone(shared);
    let builder = thread::Builder::new().name(name).stack_size(shared.config.stack_bytes);
    builder.spawn(move || worker::main(own, place, refusal, ready.as_ref()))?;
    // From here on the thread counts itself out.
    std::mem::forget(arrived);
    Ok(())
}

/// The name of a thread. A spare without one of its own gets the default, and with it the panic of the naming function,
/// if that is why.
fn name(shared: &Shared, place: Reserved) -> io::Result<(String, Option<Refusal>)> {
    let (config, index) = (&shared.config, shared.slots.index(place));
    if place.role != Role::Spare {
        let name = config.thread_name(index);
        // `std` would panic.
        let zero = || io::Error::new(io::ErrorKind::InvalidInput, "a thread name holds a zero byte");
        return if name.contains('\0') { Err(zero()) } else { Ok((name, None)) };
    }
    let named = catch_unwind(AssertUnwindSafe(|| config.thread_name(index)));
    Ok(match named {
        Ok(name) if !name.contains('\0') => (name, None),
        Ok(_) => (Config::default_name(index), None),
        Err(payload) => (Config::default_name(index), Some(Refusal::new(payload))),
    })
}

/// A thread that counts, and has a slot. Undone if it does not come about.
struct Arrived<'a> {
    shared: &'a Shared,
    place: Reserved,
}

impl<'a> Arrived<'a> {
    fn new(shared: &'a Shared, worker: Option<usize>) -> Option<Self> {
        shared.arrive()?;
        let slots = &shared.slots;
        let place = worker.map_or_else(|| slots.reserve_spare(), |index| Some(slots.reserve_worker(index)));
        let Some(place) = place else {
            shared.leave();
            return None;
        };
        Some(Self { shared, place })
    }
}

impl Drop for Arrived<'_> {
    fn drop(&mut self) {
        self.shared.slots.give_back(self.place, None);
        self.shared.leave();
    }
}
