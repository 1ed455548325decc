//! `Builder`: how a runtime is to be.

use std::fmt;
use std::sync::Arc;

use crate::deadlock::Deadlocks;
use crate::error::{BuildError, JoinError};
use crate::runtime::Runtime;

/// The most workers a runtime can have.
pub const MAX_WORKERS: usize = 1024;
const DEFAULT_STACK_BYTES: usize = 8 << 20;
/// What the runtime's own calls need, in a debug build too, with as much again for tasks.
const LEAST_STACK_BYTES: usize = 128 << 10;

pub(crate) type Hook = Arc<dyn Fn(usize) + Send + Sync>;
type Name = Arc<dyn Fn(usize) -> String + Send + Sync>;
type PanicHandler = Arc<dyn Fn(JoinError) + Send + Sync>;

/// What a runtime was built with.
#[derive(Clone)]
pub(crate) struct Config {
    pub(crate) workers: usize,
    pub(crate) stack_bytes: usize,
    pub(crate) name: Option<Name>,
    pub(crate) on_thread_start: Option<Hook>,
    pub(crate) on_thread_stop: Option<Hook>,
    pub(crate) panic_handler: Option<PanicHandler>,
    pub(crate) deadlocks: Deadlocks,
}

impl Config {
    pub(crate) fn new(workers: usize) -> Self {
        Self {
            workers,
            stack_bytes: DEFAULT_STACK_BYTES,
            name: None,
            on_thread_start: None,
            on_thread_stop: None,
            panic_handler: None,
            deadlocks: Deadlocks::from_environment(),
        }
    }

    pub(crate) fn thread_name(&self, index: usize) -> String {
        self.name.as_ref().map_or_else(|| Self::default_name(index), |name| name(index))
    }

    pub(crate) fn default_name(index: usize) -> String {
        format!("wyn-{index}")
    }
}

/// Builds a [`Runtime`].
///
/// ```
/// let runtime = wyn_sched::Runtime::builder()
///     .workers(2)
///     .thread_name(|index| format!("parser-{index}"))
///     .build()?;
/// assert_eq!(runtime.spawn(|| 42).join().unwrap(), 42);
/// # Ok::<(), wyn_sched::BuildError>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    config: Config,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// One worker for each processor this process may use, or as many as `WYN_WORKERS` says.
    pub fn new() -> Self {
        Self { config: Config::new(crate::cpus::default_workers()) }
    }

    /// How many worker threads there are: so many tasks may run at a time, with threads that wait for their
    /// tasks counted in. More workers than processors are of use only for tasks that block; the surplus is
    /// called only when the others do not move.
    pub fn workers(mut self, workers: usize) -> Self {
        self.config.workers = workers;
        self
    }

    /// The stack of each worker in bytes; 8 MiB unless set, 128 KiB at least. Reserved, not committed. Tasks that wait for
    /// other tasks run them on the same stack, up to three quarters of it.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.config.stack_bytes = bytes.max(LEAST_STACK_BYTES);
        self
    }

    /// Names a thread by its index; `wyn-0` and so on unless set.
    ///
    /// A worker has the index that [`current_worker_index`](crate::current_worker_index) says, below the number of
    /// workers. A spare, a thread that stands in for a worker that waits inside a task, has the lowest index from there
    /// on that no other living spare has: a list of one more entry than spares ever lived at a time is long enough for it.
    ///
    /// The function is called by the thread that starts the new one: by that which builds the runtime, later by any that
    /// is about to wait, so it should not wait itself. If it panics for a spare, or its name holds a zero byte, the spare
    /// gets the name it would have had without, and the [panic handler](Self::panic_handler) is told of the panic. For a
    /// worker, [`build`](Self::build) panics or fails.
    pub fn thread_name(mut self, name: impl Fn(usize) -> String + Send + Sync + 'static) -> Self {
        self.config.name = Some(Arc::new(name));
        self
    }

    /// Runs on each thread of the runtime, with its [index](Self::thread_name), before its first task.
    ///
    /// A panic on a worker fails [`build`](Self::build). A spare runs tasks all the same, since others wait for them; the
    /// [panic handler](Self::panic_handler) is told, and the [stop hook](Self::on_thread_stop) is not called.
    pub fn on_thread_start(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.config.on_thread_start = Some(Arc::new(hook));
        self
    }

    /// Runs on each thread of the runtime, with its [index](Self::thread_name), after its last task. No other thread has
    /// the same index meanwhile.
    pub fn on_thread_stop(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.config.on_thread_stop = Some(Arc::new(hook));
        self
    }

    /// Is given the panics that no handle will report: of detached tasks, of tasks whose handle was dropped, and of
    /// [names](Self::thread_name) and [start hooks](Self::on_thread_start) of spares. Unless set, what the process's panic hook has printed is all there is.
    pub fn panic_handler(mut self, handler: impl Fn(JoinError) + Send + Sync + 'static) -> Self {
        self.config.panic_handler = Some(Arc::new(handler));
        self
    }

    /// What is done when everybody waits and nobody is left who could wake anybody. Unless set, what the variable
    /// `WYN_DEADLOCKS` says (`print`, `abort` or `fail`), and else nothing.
    pub fn deadlocks(mut self, deadlocks: Deadlocks) -> Self {
        self.config.deadlocks = deadlocks;
        self
    }

    /// Starts the workers.
    ///
    /// # Errors
    /// [`BuildError`] if there are no workers, or too many, or one cannot be started, or its start hook
    /// panics. The threads that had started have ended by then.
    pub fn build(self) -> Result<Runtime, BuildError> {
        match self.config.workers {
            0 => Err(BuildError::NoWorkers),
            asked if asked > MAX_WORKERS => Err(BuildError::TooManyWorkers { asked }),
            _ => Runtime::start(self.config),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("workers", &self.config.workers)
            .field("stack_size", &self.config.stack_bytes)
            .finish_non_exhaustive()
    }
}
