//! Spawn 8 tasks, await all 8, repeat.

use crate::backend::{Awaiting, Blocking};
use crate::meter::Job;

const BATCH: u64 = 8;

/// `n` is rounded down to whole batches.
pub(super) fn job(n: u64) -> Job {
    let n = n / BATCH * BATCH;
    super::job(n, super::spawn_await::expected(n))
}

pub(super) fn blocking<B: Blocking>(b: B, n: u64) -> u64 {
    let mut sum = 0;
    for batch in 0..n / BATCH {
        let handles: [_; 8] = std::array::from_fn(|i| {
            let value = batch * BATCH + i as u64;
            b.spawn(move || value)
        });
        sum += handles.into_iter().map(|handle| b.join(handle)).sum::<u64>();
    }
    sum
}

pub(super) async fn awaiting<B: Awaiting>(b: B, n: u64) -> u64 {
    let mut sum = 0;
    for batch in 0..n / BATCH {
        let handles: [_; 8] = std::array::from_fn(|i| {
            let value = batch * BATCH + i as u64;
            b.spawn(async move { value })
        });
        for handle in handles {
            sum += b.join(handle).await;
        }
    }
    sum
}
