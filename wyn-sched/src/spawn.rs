//! The free functions: spawning on the runtime of the calling thread.

use std::panic::Location;

use crate::block;
use crate::context::{self, Context};
use crate::handle::JoinHandle;
use crate::runtime;
use crate::slot::Role;
use crate::task;

/// Spawns a closure as a task; the handle waits for its result.
///
/// Inside a task this is the runtime of the task, whoever runs it; elsewhere it is the
/// [global one](crate::global), which starts on the first call. The task goes to the calling thread's own
/// deque: newest first for this thread, oldest first for the others. No allocation but from the pool, no
/// locked instruction, and a wake-up only if every worker is asleep.
///
/// A task that panics does not take its worker with it: the panic is what [`JoinHandle::join`] returns.
///
/// # Panics
/// If the global runtime must be started and the system gives no thread.
///
/// ```
/// let words = ["parallel", "tasks", "in", "Rust"];
/// let handles: Vec<_> = words.iter().map(|word| wyn_sched::spawn(|| word.len())).collect();
/// let mut letters = 0;
/// for handle in handles {
///     letters += handle.join()?;
/// }
/// assert_eq!(letters, 19);
/// # Ok::<(), wyn_sched::JoinError>(())
/// ```
#[inline]
#[track_caller]
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (task, class) = task::create(f, Location::caller());
    context::with_ambient(|context| push(context, task));
    JoinHandle::new(task, class)
}

/// Spawns a closure as a task without a handle: nothing to wait for, and nothing to pay for it.
///
/// A panic of the task goes to the [panic handler](crate::Builder::panic_handler), if the runtime has one.
///
/// # Panics
/// As [`spawn`].
///
/// ```
/// let (sender, receiver) = std::sync::mpsc::channel();
/// wyn_sched::spawn_detached(move || sender.send(42).unwrap());
/// assert_eq!(receiver.recv(), Ok(42));
/// ```
#[inline]
#[track_caller]
pub fn spawn_detached<F>(f: F)
where
    F: FnOnce() + Send + 'static,
{
    let task = task::create_detached(f, Location::caller());
    context::with_ambient(|context| push(context, task));
}

#[inline(always)]
fn push(context: Option<&Context>, task: task::TaskRef) {
    match context {
        Some(context) => context.spawn(task),
        None => runtime::global().shared.spawn(task),
    }
}

/// Lets other tasks run. Inside a task, another worker takes this one's place while the system lets other threads run. Nothing
/// is run on the stack of the caller, so a lock may be held across it. Without other tasks it is [`std::thread::yield_now`].
///
/// A task that waits in a loop for what another task does must call this, or it may keep its worker from running that
/// other task. A [`join`](JoinHandle::join), a channel or a [`Value`](https://docs.rs/wyn-channel) waits better.
pub fn yield_now() {
    match context::current() {
        Some(context) => block::give_way(&context),
        None => std::thread::yield_now(),
    }
}

/// Which worker the calling thread is: below [`worker_count`], the same for as long as the thread lives. `None` on
/// threads from outside, and on those that stand in for a worker that waits inside a task.
///
/// ```
/// let runtime = wyn_sched::Runtime::builder().workers(2).build()?;
/// assert!(runtime.install(wyn_sched::current_worker_index).is_some_and(|index| index < 2));
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
#[must_use]
pub fn current_worker_index() -> Option<usize> {
    context::with_current(|current| current.filter(|own| own.role == Role::Worker).map(|own| own.id))
}

/// How many workers the runtime has that the free functions mean: inside a task that of the task, elsewhere the
/// global one, which starts on the first call.
///
/// # Panics
/// As [`spawn`].
///
/// ```
/// let runtime = wyn_sched::Runtime::builder().workers(3).build()?;
/// assert_eq!(runtime.install(wyn_sched::worker_count), 3);
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
#[must_use]
pub fn worker_count() -> usize {
    context::with_ambient(|context| match context {
        Some(context) => context.shared.config.workers,
        None => runtime::global().workers(),
    })
}
