//! `broadcast`: one child for each worker, which no other thread runs.

use std::sync::Arc;

use super::{Opened, Scope, child};
use crate::context;
use crate::runtime;
use crate::shared::Shared;
use crate::slot::Role;
use crate::sync::{Mutex, lock};

/// Tells a closure of [`broadcast`] which worker it runs on.
#[derive(Debug, Clone, Copy)]
pub struct BroadcastContext {
    index: usize,
    workers: usize,
}

impl BroadcastContext {
    /// The worker's index, as [`current_worker_index`](crate::current_worker_index) says.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers
    }
}

/// Calls `op` once on every worker and returns the results in the order of their indices.
///
/// A worker calls it between two tasks, or in the middle of a wait; one that is inside a task first comes to the
/// end of it, or to a wait. The runtime is that of the task this is called in, elsewhere the global one.
///
/// # Panics
/// When all calls have ended: with the first panic of `op`.
///
/// # Locks
/// `op` may run on top of a task that waits: it should take no lock that is held across waits.
///
/// ```
/// let runtime = wyn_sched::Runtime::builder().workers(3).build()?;
/// let indices = runtime.install(|| wyn_sched::broadcast(|worker| worker.index()));
/// assert_eq!(indices, [0, 1, 2]);
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
pub fn broadcast<OP, R>(op: OP) -> Vec<R>
where
    OP: Fn(BroadcastContext) -> R + Sync,
    R: Send,
{
    let opened = Opened::here();
    let scope = opened.scope();
    let shared: &Arc<Shared> = opened.context.map_or_else(|| &runtime::global().shared, |own| &own.shared);
    let workers = shared.config.workers;
    let results: Vec<Mutex<Option<R>>> = (0..workers).map(|_| Mutex::new(None)).collect();
    let call = |index: usize| *lock(&results[index]) = Some(op(BroadcastContext { index, workers }));
    let own = context::with_current(|current| {
        current.filter(|own| own.role == Role::Worker && Arc::ptr_eq(&own.shared, shared)).map(|own| own.id)
    });
    opened.run(&scope, || {
        for index in (0..workers).filter(|&index| Some(index) != own) {
            scope.core.begin();
            opened.context.map_or_else(|| shared.stats.injected.add(1), |own| own.stats().sent());
            let call = &call;
            let body = move |_: &Scope<'_>| call(index);
            shared.slots.get(index).send(child::create_detached(&scope.core, body));
        }
        shared.roster.rouse_all();
        if shared.has_stopped() {
            // Who has left does not come back for its mail.
            for index in 0..workers {
                while let Some(task) = shared.slots.get(index).receive() {
                    // SAFETY: it was taken from a queue, and is given up here.
                    unsafe { task.enter(crate::task::Op::Run, 0) };
                }
            }
        }
        if let Some(own) = own {
            call(own);
        }
    });
    let taken = results
        .into_iter()
        .map(|result| result.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner));
    taken.map(|result| result.expect("every call has ended")).collect()
}
