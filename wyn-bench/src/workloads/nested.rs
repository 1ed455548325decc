//! 1000 tasks that each spawn and await N/1000 more.

use crate::backend::{Awaiting, Blocking};
use crate::meter::Job;
use crate::workloads::spawn_await;

/// Tasks of the outer level.
pub const OUTER: u64 = 1000;

pub(super) fn job(n: u64) -> Job {
    let inner = n / OUTER;
    super::job(OUTER * inner + OUTER, expected(n))
}

/// What all inner tasks return together.
pub fn expected(n: u64) -> u64 {
    OUTER * spawn_await::expected(n / OUTER)
}

pub(super) fn blocking<B: Blocking>(b: B, n: u64) -> u64 {
    let inner = n / OUTER;
    let handles: Vec<_> = (0..OUTER).map(|_| b.spawn(move || spawn_await::blocking(b, inner))).collect();
    handles.into_iter().map(|handle| b.join(handle)).sum()
}

pub(super) async fn awaiting<B: Awaiting>(b: B, n: u64) -> u64 {
    let inner = n / OUTER;
    let handles: Vec<_> = (0..OUTER).map(|_| b.spawn(spawn_await::awaiting(b, inner))).collect();
    let mut sum = 0;
    for handle in handles {
        sum += b.join(handle).await;
    }
    sum
}
