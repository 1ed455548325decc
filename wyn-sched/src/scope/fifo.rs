//! `scope_fifo`: a scope whose children start in the order in which they were spawned.
//!
//! The children wait in a queue of the scope. What goes to the deques are permits to start the oldest.

use std::fmt;
use std::ptr::NonNull;

use wyn_deque::Injector;

use super::{Opened, Scope, child};
use crate::task::{Op, TaskRef};

/// Where children are spawned that start in their order. See [`scope_fifo`].
pub struct ScopeFifo<'scope> {
    scope: Scope<'scope>,
    queue: Injector<TaskRef>,
}

/// Like [`scope`](crate::scope), but children start oldest first, whoever runs them.
///
/// With one worker they run in the order in which they were spawned. A child costs a short lock more.
///
/// # Panics
/// As [`scope`](crate::scope).
///
/// ```
/// use std::sync::Mutex;
///
/// let runtime = wyn_sched::Runtime::builder().workers(1).build()?;
/// let order = Mutex::new(Vec::new());
/// runtime.install(|| {
///     wyn_sched::scope_fifo(|scope| {
///         for number in 0..3 {
///             let order = &order;
///             scope.spawn_fifo(move |_| order.lock().unwrap().push(number));
///         }
///     })
/// });
/// assert_eq!(order.into_inner().unwrap(), [0, 1, 2]);
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
pub fn scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R + Send,
    R: Send,
{
    in_place_scope_fifo(op)
}

/// Like [`scope_fifo`], for an `op` that cannot be sent: it never leaves the calling thread.
///
/// # Panics
/// As [`scope`](crate::scope).
pub fn in_place_scope_fifo<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&ScopeFifo<'scope>) -> R,
{
    let opened = Opened::here();
    let fifo = ScopeFifo { scope: opened.scope(), queue: Injector::new() };
    opened.run(&fifo.scope, || op(&fifo))
}

/// The address of a scope, for its children: it waits for all of them.
struct Home(NonNull<()>);

// SAFETY: what is there is a `ScopeFifo`, which is shared with the children by design: a scope and a queue.
unsafe impl Send for Home {}

impl Home {
    /// # Safety
    /// The caller is a child of this scope, which was made with this lifetime.
    unsafe fn fifo<'a, 'scope>(&'a self) -> &'a ScopeFifo<'scope> {
        // SAFETY: by contract.
        unsafe { self.0.cast::<ScopeFifo<'scope>>().as_ref() }
    }
}

impl<'scope> ScopeFifo<'scope> {
    /// Spawns a child that starts after those that were spawned before it. It gets the scope, to spawn more.
    #[track_caller]
    pub fn spawn_fifo<F>(&self, f: F)
    where
        F: FnOnce(&ScopeFifo<'scope>) + Send + 'scope,
    {
        let scope = &self.scope;
        let home = Home(NonNull::from(self).cast());
        let body = move |_: &Scope<'scope>| {
            // SAFETY: a child, of the scope it was spawned in.
            f(unsafe { home.fifo() });
        };
        scope.core.begin();
        self.queue.push(child::create_detached(&scope.core, body));
        let home = Home(NonNull::from(self).cast());
        scope.spawn_detached(move |_| {
            // SAFETY: as above. There is a child for each permit.
            if let Some(oldest) = unsafe { home.fifo() }.queue.steal().success() {
                // SAFETY: it was taken from a queue, and is given up here.
                unsafe { oldest.enter(Op::Run, 0) };
            }
        });
    }
}

impl fmt::Debug for ScopeFifo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopeFifo").finish_non_exhaustive()
    }
}
