//! One file per backend and group. [`run`] finds it by name; peers exist only with their feature.

mod channels;
#[cfg(any(feature = "wyn", feature = "peer-crossbeam"))]
#[allow(unsafe_code, reason = "a barrier pair is a promise")]
mod deque;
mod fork_join;
mod future;
#[allow(unsafe_code, reason = "allocators are called directly")]
mod pool;
mod serial;
mod threads;
#[cfg(feature = "wyn")]
mod wyn;

#[cfg(feature = "peer-async-executor")]
mod async_executor;
#[cfg(feature = "peer-forte")]
mod forte;
#[cfg(feature = "peer-rayon")]
mod rayon;
#[cfg(feature = "peer-rayon")]
mod rayon_scope;
#[cfg(feature = "peer-smolscale")]
mod smolscale;
#[cfg(feature = "peer-tokio")]
mod tokio;

use crate::record::{Cell, Line};

/// Measures a cell on the backend of that name; `None` if this build has no such backend.
pub fn run(backend: &str, cell: &Cell) -> Option<Line> {
    if crate::workloads::fork_join::has(&cell.workload) {
        return fork_join::run(backend, cell);
    }
    if crate::workloads::channels::has(&cell.workload) {
        return channels::run(backend, cell);
    }
    if crate::workloads::pool::has(&cell.workload) {
        return pool::run(backend, cell);
    }
    if crate::workloads::deque::has(&cell.workload) {
        #[cfg(any(feature = "wyn", feature = "peer-crossbeam"))]
        return deque::run(backend, cell);
        #[cfg(not(any(feature = "wyn", feature = "peer-crossbeam")))]
        return None;
    }
    if crate::workloads::future::has(&cell.workload) {
        return future::run(backend, cell);
    }
    Some(match backend {
        "serial" => serial::run(cell),
        "threads" => threads::run(cell),
        #[cfg(feature = "wyn")]
        "wyn" => crate::workloads::blocking::<wyn::Wyn>(cell),
        #[cfg(feature = "wyn")]
        "wyn_async" => crate::workloads::awaiting::<wyn::WynAsync>(cell),
        #[cfg(feature = "peer-rayon")]
        "rayon" => rayon::run(cell),
        #[cfg(feature = "peer-rayon")]
        "rayon_scope" => rayon_scope::run(cell),
        #[cfg(feature = "peer-tokio")]
        "tokio" => crate::workloads::awaiting::<tokio::Tokio>(cell),
        #[cfg(feature = "peer-async-executor")]
        "async_executor" => crate::workloads::awaiting::<async_executor::AsyncExecutor>(cell),
        #[cfg(feature = "peer-smolscale")]
        "smolscale" => smolscale::run(cell),
        #[cfg(feature = "peer-forte")]
        "forte" => crate::workloads::awaiting::<forte::Forte>(cell),
        _ => return None,
    })
}

/// The line for what a backend cannot express.
fn no_such_notion(why: &str) -> Line {
    Line::Unsupported(why.to_owned())
}
