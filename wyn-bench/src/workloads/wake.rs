//! From a spawn onto a parked pool until the task runs. The caller does not help: it spins on a flag.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::meter::{as_f64, joint_work, quantile};
use crate::record::{Cell, Figures, Line};

/// By then every pool here has put its workers to sleep.
const UNTIL_PARKED: Duration = Duration::from_millis(3);

pub(super) fn measure<B: Backend>(b: B, cell: &Cell) -> Line {
    /// Nanoseconds after `BASE` at which the task ran; 0 while it did not.
    static RAN: AtomicU64 = AtomicU64::new(0);
    joint_work(b, cell.workers);
    let base = Instant::now();
    let now = move || u64::try_from(base.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let (mut wakes, mut calls) = (Vec::new(), Vec::new());
    for _ in 0..cell.n {
        std::thread::sleep(UNTIL_PARKED);
        RAN.store(0, Ordering::SeqCst);
        let start = now();
        b.detach(move || RAN.store(now(), Ordering::Release));
        calls.push(as_f64(now() - start));
        let ran = loop {
            match RAN.load(Ordering::Acquire) {
                0 => std::hint::spin_loop(),
                at => break at,
            }
        };
        wakes.push(as_f64(ran - start));
    }
    Line::Figures(Figures::from([
        ("ns".to_owned(), quantile(&mut wakes, 0.5)),
        ("p99_ns".to_owned(), quantile(&mut wakes, 0.99)),
        ("call_ns".to_owned(), quantile(&mut calls, 0.5)),
    ]))
}
