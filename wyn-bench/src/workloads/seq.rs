//! Spawn one task, await it, repeat: what one task costs when nothing else is there to hide it.

use crate::backend::{Awaiting, Blocking};
use crate::meter::Job;

pub(super) fn job(n: u64) -> Job {
    super::job(n, super::spawn_await::expected(n))
}

pub(super) fn blocking<B: Blocking>(b: B, n: u64) -> u64 {
    (0..n).map(|i| b.join(b.spawn(move || i))).sum()
}

pub(super) async fn awaiting<B: Awaiting>(b: B, n: u64) -> u64 {
    let mut sum = 0;
    for i in 0..n {
        sum += b.join(b.spawn(async move { i })).await;
    }
    sum
}
