//! Spawn N tasks, keep their handles, then await all.

use crate::backend::{Awaiting, Blocking};
use crate::meter::Job;

pub(super) fn job(n: u64) -> Job {
    super::job(n, expected(n))
}

/// The sum of 0 up to n - 1.
pub fn expected(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

pub(super) fn blocking<B: Blocking>(b: B, n: u64) -> u64 {
    let handles: Vec<_> = (0..n).map(|i| b.spawn(move || i)).collect();
    handles.into_iter().map(|handle| b.join(handle)).sum()
}

pub(super) async fn awaiting<B: Awaiting>(b: B, n: u64) -> u64 {
    let handles: Vec<_> = (0..n).map(|i| b.spawn(async move { i })).collect();
    let mut sum = 0;
    for handle in handles {
        sum += b.join(handle).await;
    }
    sum
}
