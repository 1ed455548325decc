//! What a workload asks of a runtime. A backend is a small `Copy` value: tasks capture it to spawn more.

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
