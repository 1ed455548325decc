//! What a workload asks of a runtime. A backend is a small `Copy` value: tasks capture it to spawn more.

use std::ops::Range;

/// Anything that runs closures on threads of its own.
pub trait Backend: Copy + Send + Sync + 'static {
    /// Starts the runtime with that many workers, for the rest of the process.
    fn start(workers: usize) -> Self;

    /// Runs `f` some time; nobody waits for it.
    fn detach(self, f: impl FnOnce() + Send + 'static);
}

/// A runtime of closures whose handle is joined by blocking or helping.
pub trait Blocking: Backend {
    /// What `spawn` returns.
    type Handle<T: Send + 'static>;

    /// Runs `f` on the runtime.
    fn spawn<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> Self::Handle<T>;

    /// Waits for the value.
    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> T;

    /// Runs `f` on one of the workers and waits for it.
    fn install<T: Send + 'static>(self, f: impl FnOnce() -> T + Send + 'static) -> T;
}

/// A runtime of futures whose handle is awaited.
pub trait Awaiting: Backend {
    /// What `spawn` returns.
    type Handle<T: Send + 'static>: Send + 'static;

    /// Runs `future` on the runtime.
    fn spawn<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> Self::Handle<T>;

    /// Awaits the value.
    fn join<T: Send + 'static>(self, handle: Self::Handle<T>) -> impl Future<Output = T> + Send;

    /// Drives `future` on the calling thread, the way a program's `main` does.
    fn block_on<T: Send + 'static>(self, future: impl Future<Output = T> + Send + 'static) -> T;
}

/// A runtime that forks a computation and joins it again, with borrowed data and nothing to hold on to.
pub trait ForkJoin: Copy + Send + Sync + 'static {
    /// What a branch is handed to fork again; `()` for runtimes that find their worker themselves.
    type Context<'c>;

    /// Whether there is a scope that children are spawned onto, beside `join`.
    const SCOPE: bool;

    /// Starts the runtime with that many threads that compute, for the rest of the process.
    fn start(workers: usize) -> Self;

    /// Runs `f` where forking costs least: on a worker, or on the calling thread turned into one.
    fn install<R: Send>(self, f: impl FnOnce(&mut Self::Context<'_>) -> R + Send) -> R;

    /// Runs `f` the way `main` calls the library: on the calling thread, which enters anew each time.
    fn enter<R>(self, f: impl FnOnce(&mut Self::Context<'_>) -> R) -> R;

    /// Runs both: `a` here and at once, while `b` may be taken by another worker.
    fn join<A, B, RA, RB>(context: &mut Self::Context<'_>, a: A, b: B) -> (RA, RB)
    where
        A: FnOnce(&mut Self::Context<'_>) -> RA + Send,
        B: FnOnce(&mut Self::Context<'_>) -> RB + Send,
        RA: Send,
        RB: Send;

    /// Adds what `child` returns for each index, all of them forked before the first is awaited. By halves,
    /// which is how one forks many with `join`.
    #[inline]
    fn fan_out<F>(context: &mut Self::Context<'_>, children: Range<usize>, child: &F) -> u64
    where
        F: Fn(&mut Self::Context<'_>, usize) -> u64 + Sync,
    {
        match children.len() {
            0 => 0,
            1 => child(context, children.start),
            2 => {
                let first = children.start;
                let (left, right) =
                    Self::join(context, |context| child(context, first), |context| child(context, first + 1));
                left + right
            }
            many => {
                let middle = children.start + many / 2;
                let (left, right) = (children.start..middle, middle..children.end);
                let (left, right) = Self::join(
                    context,
                    |context| Self::fan_out(context, left, child),
                    |context| Self::fan_out(context, right, child),
                );
                left + right
            }
        }
    }

    /// Runs `f` on pieces of `range`, none of them shorter than `grain` for no reason.
    #[inline]
    fn par_for<F>(context: &mut Self::Context<'_>, range: Range<usize>, grain: usize, f: &F)
    where
        F: Fn(Range<usize>) + Sync,
    {
        if range.len() <= grain {
            return f(range);
        }
        let middle = range.start + range.len() / 2;
        let (left, right) = (range.start..middle, middle..range.end);
        Self::join(
            context,
            |context| Self::par_for(context, left, grain, f),
            |context| Self::par_for(context, right, grain, f),
        );
    }

    /// Spawns `child` once per slot onto one scope, runs `body` inside that scope, and waits for all. Only
    /// called where there is such a [`SCOPE`](ForkJoin::SCOPE).
    fn scope<F>(context: &mut Self::Context<'_>, slots: &mut [u64], child: &F, body: impl FnOnce() + Send)
    where
        F: Fn(usize) -> u64 + Sync;
}
