//! Futures as tasks.
//!
//! A future's task is a cell like a closure's, with more in front of it ([`cell`]): one word says who may do what
//! ([`state`]), and the waker is the cell itself ([`waker`]), so that nothing is allocated to wake it. Its life:
//!
//! 1. **Spawned**: `SCHEDULED`, in a deque or the injector, as a closure's is. Up to here it costs what a closure costs.
//! 2. **Polled** ([`run`]): `RUNNING`, on any thread that runs tasks. If the future is done, its result takes its place,
//!    and the header that the handle waits on is completed as a closure's.
//! 3. **Suspended**: neither. The cell belongs to whoever has a waker. The first time, the runtime takes it down
//!    ([`suspended`]), so that it can drop the future when it ends.
//! 4. **Woken**: `SCHEDULED` again, in the deque of the waking worker, tagged as woken.
//!
//! # Who owns the cell
//!
//! | who | share | gives it up |
//! |---|---|---|
//! | handle and completer together | one | who of them takes or drops the result, as for a closure's cell |
//! | each waker | one | when it is dropped, or wakes |
//! | a queue, a runner, the list of the suspended | none | they are there before the result is |
//!
//! So a waker may outlive the task and the runtime: what it keeps is the cell alone. It holds no count of the runtime;
//! the task does, from when it is first suspended until it is complete.
//!
//! # Fairness
//!
//! The newest of a deque is run first, so a task that is woken by another is usually next. Two things keep tasks that wake
//! each other from starving the others. Every 61st decision of a worker looks at the injector, takes the *oldest* of
//! the deque, or steals from another thread, in turn. And a future that wakes itself (that yields) goes to the end of the
//! injector, unless nothing else is there to be run.
//!
//! # Waits inside a poll
//!
//! A thread that waits in a poll runs nothing but what it waits for, as in any task; another worker takes its place. A thread
//! that joins a future's task polls it if it lies in its own deque ([`handle::run_if_own`]).

mod block_on;
mod cell;
mod handle;
mod run;
mod signal;
mod state;
mod suspended;
mod waker;

use std::future::Future;
use std::panic::Location;

pub use block_on::block_on;
pub(crate) use block_on::block_on_in;
pub(crate) use cell::boxed;
pub(crate) use handle::{cancel, run_if_own, settle, take};
pub(crate) use suspended::Suspended;

use crate::context;
use crate::handle::JoinHandle;
use crate::runtime;
use crate::task::TaskRef;

/// Spawns a future as a task; the handle waits for its result.
///
/// Where it runs is as with [`spawn`](crate::spawn). It is polled by the workers, first on one and then on any, and takes
/// nobody's stack while it waits. Its waker may be called from any thread, for as long as anybody keeps it; after the end
/// of the task it does nothing.
///
/// A panic of the future is what its handle reports. A runtime that ends drops the futures that are suspended when there
/// is nothing left to run, and their handles say that they were cancelled, as after [`JoinHandle::cancel`].
///
/// Tasks that wake each other take turns on their worker; a future that wakes itself lets all others go first that can
/// be run.
///
/// # Panics
/// As [`spawn`](crate::spawn).
///
/// ```
/// let double = wyn_sched::spawn_future(async {
///     let six = wyn_sched::spawn(|| 2 * 3).await.expect("it does not panic");
///     six * 7
/// });
/// assert_eq!(double.join()?, 42);
/// # Ok::<(), wyn_sched::JoinError>(())
/// ```
///
/// What cannot be sent cannot be spawned:
///
/// ```compile_fail,E0277
/// let shared = std::rc::Rc::new(1);
/// wyn_sched::spawn_future(async move { *shared });
/// ```
///
/// neither as a result:
///
/// ```compile_fail,E0277
/// wyn_sched::spawn_future(async { std::rc::Rc::new(1) });
/// ```
///
/// and what is borrowed may be gone by then:
///
/// ```compile_fail,E0597
/// let text = String::from("gone");
/// let text = &text;
/// wyn_sched::spawn_future(async move { text.len() });
/// ```
#[track_caller]
pub fn spawn_future<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    spawn_with(future, Location::caller(), |task| {
        context::with_ambient(|context| match context {
            Some(context) => context.spawn(task),
            None => runtime::global().shared.spawn(task),
        });
    })
}

/// The same; `push` puts the task into a queue.
pub(crate) fn spawn_with<F>(
    future: F,
    origin: &'static Location<'static>,
    push: impl FnOnce(TaskRef),
) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let cell = run::create(future, origin);
    push(cell::fresh(cell));
    JoinHandle::of_future(cell::result_of(cell))
}
