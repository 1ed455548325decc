//! The backends of the channel group: one file each, what they have in common in `ends`.

#[macro_use]
#[allow(unused_macros, reason = "std's channels need none but the first")]
mod ends;
mod std;

#[cfg(feature = "peer-async-channel")]
mod async_channel;
#[cfg(feature = "peer-crossbeam")]
mod crossbeam;
#[cfg(feature = "peer-crossfire")]
mod crossfire;
#[cfg(feature = "peer-flume")]
mod flume;
#[cfg(feature = "peer-kanal")]
mod kanal;
#[cfg(feature = "peer-oneshot")]
mod oneshot;
#[cfg(feature = "peer-thingbuf")]
mod thingbuf;
#[cfg(feature = "peer-tokio")]
mod tokio;
#[cfg(feature = "wyn")]
mod wyn;

use crate::record::{Capacity, Cell, Line};
use crate::workloads::channels::Family;

/// Measures a channel cell on the backend of that name; `None` if this build has no such backend.
pub(super) fn run(backend: &str, cell: &Cell) -> Option<Line> {
    let measure: fn(&Cell, Family) -> Line = match backend {
        "std" => std::run,
        #[cfg(feature = "wyn")]
        "wyn" => wyn::run,
        #[cfg(feature = "wyn")]
        "wyn_async" => wyn::run_awaited,
        #[cfg(all(feature = "wyn", feature = "peer-tokio"))]
        "wyn_tokio" => wyn::run_on_tokio,
        #[cfg(feature = "peer-crossbeam")]
        "crossbeam" => crossbeam::run,
        #[cfg(feature = "peer-kanal")]
        "kanal" => kanal::run,
        #[cfg(feature = "peer-crossfire")]
        "crossfire" => crossfire::run,
        #[cfg(feature = "peer-flume")]
        "flume" => flume::run,
        #[cfg(feature = "peer-async-channel")]
        "async_channel" => async_channel::run,
        #[cfg(feature = "peer-tokio")]
        "tokio" => tokio::run,
        #[cfg(feature = "peer-thingbuf")]
        "thingbuf" => thingbuf::run,
        #[cfg(feature = "peer-oneshot")]
        "oneshot" => oneshot::run,
        _ => return None,
    };
    Some(match Family::of(cell) {
        Ok(family) => measure(cell, family),
        Err(line) => line,
    })
}

/// A capacity as the libraries take it.
fn room(capacity: Capacity) -> Option<usize> {
    match capacity {
        Capacity::Bounded(room) => Some(usize::try_from(room).expect("capacities fit into memory")),
        Capacity::Unbounded => None,
    }
}

/// [`room`] for a kind of channel that always has a limit.
fn limit(capacity: Capacity) -> usize {
    room(capacity).expect("asked for what the kind has")
}

/// Why channels that block a thread are not measured between tasks.
const HOLDS_ITS_WORKER: &str = "a task that waits would keep its worker";
