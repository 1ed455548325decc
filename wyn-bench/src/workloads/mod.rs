//! The workloads: each source once, for runtimes of closures and for runtimes of futures.
//!
//! [`blocking`] and [`awaiting`] run a [`Cell`] on a backend of either kind and return its line.

mod batch8;
pub mod channels;
pub mod deque;
mod detached;
pub mod fork_join;
pub mod future;
mod grain;
mod idle;
mod nested;
mod pending;
pub mod pool;
mod race;
mod round_trip;
mod seq;
mod spawn_await;
mod speedup;
mod tree;
mod wake;
mod work;

pub use round_trip::round_trip;
pub use work::{Work, burn};

pub mod answers {
    //! The right answers, for backends that bring their own form of a workload.
    pub use super::grain::{beside_serial, serial};
    pub use super::nested::{OUTER, expected as nested};
    pub use super::spawn_await::expected as spawn_await;
    pub use super::tree::{depth as tree_depth, expected as tree};
}

use crate::backend::{Awaiting, Blocking};
use crate::meter::{Job, throughput, timed};
use crate::record::{Cell, Line};

/// Every workload's name, and what it measures.
pub const WORKLOADS: [(&str, &str); 15] = [
    ("spawn_await", "spawn N tasks from main, then await all"),
    ("spawn_await_in", "the same from inside a worker"),
    ("spawn_detached", "spawn N tasks from main without a handle; wait until all ran"),
    ("seq", "spawn one task from main, await it, repeat"),
    ("seq_in", "the same from inside a worker"),
    ("batch8", "spawn 8 tasks from main, await all 8, repeat"),
    ("batch8_in", "the same from inside a worker"),
    ("nested", "1000 tasks that each spawn and await N/1000"),
    ("tree", "a task that spawns two of itself and awaits both"),
    ("grain", "flat tasks of so much work from main, beside a serial loop"),
    ("speedup", "CPU-bound tasks spawned inside the runtime, with 1 worker and with N"),
    ("pending", "memory per task while none may run, handle included"),
    ("wake", "from a spawn onto a parked pool until the task runs"),
    ("idle", "CPU and context switches of a pool with nothing to do"),
    ("round_trip", "one cache line there and back between two processors"),
];

/// Runs a cell on a runtime of closures.
pub fn blocking<B: Blocking>(cell: &Cell) -> Line {
    let (b, n, workers) = (B::start(cell.workers), cell.n, cell.workers);
    match cell.workload.as_str() {
        "spawn_await" => {
            throughput(b, workers, spawn_await::job(n), || timed(|| spawn_await::blocking(b, n)))
        }
        "spawn_await_in" => throughput(b, workers, spawn_await::job(n), || {
            b.install(move || timed(|| spawn_await::blocking(b, n)))
        }),
        "seq" => throughput(b, workers, seq::job(n), || timed(|| seq::blocking(b, n))),
        "seq_in" => throughput(b, workers, seq::job(n), || b.install(move || timed(|| seq::blocking(b, n)))),
        "batch8" => throughput(b, workers, batch8::job(n), || timed(|| batch8::blocking(b, n))),
        "batch8_in" => {
            throughput(b, workers, batch8::job(n), || b.install(move || timed(|| batch8::blocking(b, n))))
        }
        "nested" => {
            throughput(b, workers, nested::job(n), || b.install(move || timed(|| nested::blocking(b, n))))
        }
        "tree" => throughput(b, workers, tree::job(n), || {
            b.install(move || timed(|| tree::blocking(b, tree::depth(n))))
        }),
        "grain" => grain::blocking(b, cell),
        "speedup" => speedup::blocking(b, cell),
        "pending" => pending::blocking(b, cell),
        _ => any(b, cell),
    }
}

/// Runs a cell on a runtime of futures.
pub fn awaiting<B: Awaiting>(cell: &Cell) -> Line {
    let (b, n, workers) = (B::start(cell.workers), cell.n, cell.workers);
    match cell.workload.as_str() {
        "spawn_await" => {
            throughput(b, workers, spawn_await::job(n), || main(b, move || spawn_await::awaiting(b, n)))
        }
        "spawn_await_in" => {
            throughput(b, workers, spawn_await::job(n), || inside(b, move || spawn_await::awaiting(b, n)))
        }
        "seq" => throughput(b, workers, seq::job(n), || main(b, move || seq::awaiting(b, n))),
        "seq_in" => throughput(b, workers, seq::job(n), || inside(b, move || seq::awaiting(b, n))),
        "batch8" => throughput(b, workers, batch8::job(n), || main(b, move || batch8::awaiting(b, n))),
        "batch8_in" => throughput(b, workers, batch8::job(n), || inside(b, move || batch8::awaiting(b, n))),
        "nested" => throughput(b, workers, nested::job(n), || inside(b, move || nested::awaiting(b, n))),
        "tree" => {
            throughput(b, workers, tree::job(n), || inside(b, move || tree::awaiting(b, tree::depth(n))))
        }
        "grain" => grain::awaiting(b, cell),
        "speedup" => speedup::awaiting(b, cell),
        "pending" => pending::awaiting(b, cell),
        _ => any(b, cell),
    }
}

/// What every backend does alike, handle or not.
fn any<B: crate::backend::Backend>(b: B, cell: &Cell) -> Line {
    match cell.workload.as_str() {
        "spawn_detached" => detached::measure(b, cell),
        "wake" => wake::measure(b, cell),
        "idle" => idle::measure(b, cell),
        other => Line::Unsupported(format!("no workload is called {other}")),
    }
}

/// A timed pass of a future that the calling thread drives.
fn main<B: Awaiting, F>(b: B, body: impl FnOnce() -> F + Send + 'static) -> crate::meter::Pass
where
    F: Future<Output = u64> + Send + 'static,
{
    b.block_on(timed_future(body))
}

/// A timed pass of a future that a worker drives.
fn inside<B: Awaiting, F>(b: B, body: impl FnOnce() -> F + Send + 'static) -> crate::meter::Pass
where
    F: Future<Output = u64> + Send + 'static,
{
    b.block_on(async move {
        let handle = b.spawn(timed_future(body));
        b.join(handle).await
    })
}

async fn timed_future<F: Future<Output = u64>>(body: impl FnOnce() -> F) -> crate::meter::Pass {
    let start = std::time::Instant::now();
    let answer = body().await;
    crate::meter::Pass { wall: start.elapsed(), answer }
}

/// A job of `ops` operations with this answer.
fn job(ops: u64, expected: u64) -> Job {
    Job { ops, expected }
}
