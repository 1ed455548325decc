//! `scope`: any number of tasks that borrow from the frame that waits for them.
//!
//! Children come from the pool like spawned tasks, carry the address of their scope, and lie below it. [`core`] counts them, [`child`] lays out their cells.

mod broadcast;
mod child;
mod core;
mod count;
mod fifo;
mod handle;

use std::fmt;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};

pub use broadcast::{BroadcastContext, broadcast};
pub use fifo::{ScopeFifo, in_place_scope_fifo, scope_fifo};
pub use handle::ScopedJoinHandle;

use self::core::Core;
use crate::context;
use crate::deadlock::site::Site;
use crate::handle::JoinHandle;
use crate::runtime;
use crate::task::TaskRef;

/// Where children are spawned that may borrow what lives longer than `'scope`. See [`scope`].
#[repr(transparent)]
pub struct Scope<'scope> {
    core: Core,
    /// Invariant in `'scope`: a longer one would let children outlive what they borrow, a shorter one let them
    /// borrow what ends sooner.
    marker: PhantomData<fn(&'scope ()) -> &'scope ()>,
}

static_assertions::assert_impl_all!(Scope<'static>: Send, Sync);

/// Calls `op` with a scope in which it may spawn tasks that borrow, and waits for all of them.
///
/// `op` is run at once by the calling thread, which then runs children itself until all have ended, the newest
/// first. Children may spawn more. A child takes no allocation but from the pool. The signature is rayon's.
///
/// Inside a task this is the runtime of the task; elsewhere the [global one](crate::global), which starts on the
/// first call.
///
/// # Panics
/// When all children have ended: with the panic of `op`, or else with the first panic of a child.
///
/// # Locks
/// As with [`join`](crate::join): while it waits, this thread may run other pieces of the same computation.
///
/// ```
/// let mut words = vec!["to", "be", "or", "not"];
/// let lengths: Vec<_> = words.iter().map(|word| word.len()).collect();
/// wyn_sched::scope(|scope| {
///     for word in &mut words {
///         scope.spawn(|_| *word = word.trim_start_matches('t'));
///     }
/// });
/// assert_eq!((words, lengths), (vec!["o", "be", "or", "not"], vec![2, 2, 2, 3]));
/// ```
///
/// What ends sooner than the scope cannot be borrowed:
///
/// ```compile_fail,E0373
/// wyn_sched::scope(|scope| {
///     let local = 1;
///     scope.spawn(|_| println!("{local}"));
/// });
/// ```
///
/// and what cannot be sent cannot be captured:
///
/// ```compile_fail,E0277
/// let shared = std::rc::Rc::new(1);
/// wyn_sched::scope(|scope| {
///     scope.spawn(|_| println!("{shared}"));
/// });
/// ```
pub fn scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R + Send,
    R: Send,
{
    in_place_scope(op)
}

/// Like [`scope`], for an `op` that cannot be sent: it never leaves the calling thread.
///
/// # Panics
/// As [`scope`].
///
/// ```
/// let shared = std::rc::Rc::new(20);
/// let mut doubled = 0;
/// wyn_sched::in_place_scope(|scope| {
///     let number = *shared;
///     scope.spawn(move |_| assert_eq!(number, 20));
///     doubled = 2 * number;
/// });
/// assert_eq!(doubled, 40);
/// ```
pub fn in_place_scope<'scope, OP, R>(op: OP) -> R
where
    OP: FnOnce(&Scope<'scope>) -> R,
{
    let opened = Opened::here();
    let scope = opened.scope();
    opened.run(&scope, || op(&scope))
}

/// Where a scope was opened: what only the thread that did so may use.
struct Opened<'a> {
    context: Option<&'a context::Context>,
    position: usize,
}

impl Opened<'_> {
    fn here() -> Self {
        // SAFETY: it stays while the calling frame does, and this does not leave that.
        let context = context::ambient().map(|context| unsafe { context.as_ref() });
        Self { context, position: context.map_or(0, |context| context.deque().position()) }
    }

    fn scope<'scope>(&self) -> Scope<'scope> {
        Scope { core: Core::new(self.context), marker: PhantomData }
    }

    /// Runs `op` and waits for the children of the scope, however it ends.
    fn run<R>(&self, scope: &Scope<'_>, op: impl FnOnce() -> R) -> R {
        let result = catch_unwind(AssertUnwindSafe(op));
        scope.core.wait(self.context, self.position);
        match result {
            Ok(result) => {
                scope.core.resume();
                result
            }
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl<'scope> Scope<'scope> {
    /// Spawns a child; the handle gives its result. The child gets the scope, to spawn more.
    ///
    /// The handle may be dropped, at the price of a few nanoseconds:
    /// [`spawn_detached`](Self::spawn_detached) makes none.
    #[inline]
    #[track_caller]
    pub fn spawn<F, T>(&self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce(&Scope<'scope>) -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let origin = Location::caller();
        let site = Site::new(origin);
        let body = move |scope: &Scope<'scope>| {
            let _inside = site.enter();
            f(scope)
        };
        let (task, class) = child::create(&self.core, body, origin);
        self.push(task);
        ScopedJoinHandle::new(JoinHandle::new(task, class))
    }

    /// Spawns a child without a handle: nothing to wait for but the scope, and nothing to pay for it.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    ///
    /// let sum = AtomicU32::new(0);
    /// wyn_sched::scope(|scope| {
    ///     for number in 1..=4 {
    ///         let sum = &sum;
    ///         scope.spawn_detached(move |_| {
    ///             sum.fetch_add(number, Ordering::Relaxed);
    ///         });
    ///     }
    /// });
    /// assert_eq!(sum.into_inner(), 10);
    /// ```
    #[inline]
    #[track_caller]
    pub fn spawn_detached<F>(&self, f: F)
    where
        F: FnOnce(&Scope<'scope>) + Send + 'scope,
    {
        let site = Site::new(Location::caller());
        let body = move |scope: &Scope<'scope>| {
            let _inside = site.enter();
            f(scope);
        };
        self.push(child::create_detached(&self.core, body));
    }

    #[inline]
    fn push(&self, task: TaskRef) {
        self.core.begin();
        context::with_ambient(|context| match context {
            Some(context) => context.spawn(task),
            None => runtime::global().shared.spawn(task),
        });
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}
