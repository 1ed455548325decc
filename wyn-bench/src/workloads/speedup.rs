//! CPU-bound tasks spawned inside the runtime. Measured with 1 worker and with N: what the second core adds.

use super::Work;
use crate::backend::{Awaiting, Blocking};
use crate::meter::{self, timed};
use crate::record::{Cell, Line};

pub(super) fn blocking<B: Blocking>(b: B, cell: &Cell) -> Line {
    let (work, n) = (Work::calibrated(cell.grain_ns), cell.n);
    let job = super::job(n, super::grain::serial(work, n));
    meter::throughput(b, cell.workers, job, || {
        b.install(move || {
            timed(|| {
                let handles: Vec<_> = (0..n).map(|i| b.spawn(move || work.run(i))).collect();
                handles.into_iter().map(|handle| b.join(handle)).fold(0, u64::wrapping_add)
            })
        })
    })
}

pub(super) fn awaiting<B: Awaiting>(b: B, cell: &Cell) -> Line {
    let (work, n) = (Work::calibrated(cell.grain_ns), cell.n);
    let job = super::job(n, super::grain::serial(work, n));
    meter::throughput(b, cell.workers, job, || {
        super::inside(b, move || async move {
            let handles: Vec<_> = (0..n).map(|i| b.spawn(async move { work.run(i) })).collect();
            let mut sum = 0_u64;
            for handle in handles {
                sum = sum.wrapping_add(b.join(handle).await);
            }
            sum
        })
    })
}
