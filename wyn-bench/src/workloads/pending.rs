//! Memory per task while none may run: all workers are blocked before the first spawn.
//!
//! The difference of the resident memory counts everything: queue, task, result, and the vector of handles.

use std::sync::{Arc, Barrier, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::backend::{Awaiting, Backend, Blocking};
use crate::meter::{self, as_f64};
use crate::os;
use crate::record::{Cell, Figures, Line};

pub(super) fn blocking<B: Blocking>(b: B, cell: &Cell) -> Line {
    measure(b, cell, |i| b.spawn(move || i), |handles| handles.into_iter().map(|handle| b.join(handle)).sum())
}

pub(super) fn awaiting<B: Awaiting>(b: B, cell: &Cell) -> Line {
    measure(
        b,
        cell,
        |i| b.spawn(async move { i }),
        |handles| {
            b.block_on(async move {
                let mut sum = 0;
                for handle in handles {
                    sum += b.join(handle).await;
                }
                sum
            })
        },
    )
}

fn measure<B: Backend, H>(
    b: B,
    cell: &Cell,
    spawn: impl Fn(u64) -> H,
    join: impl FnOnce(Vec<H>) -> u64,
) -> Line {
    let gate = Arc::new(Gate::default());
    let Some(()) = hold_workers(b, cell.workers, &gate) else {
        gate.open();
        return Line::Unsupported("its workers cannot all be held at once".to_owned());
    };
    let before = os::resident_kib();
    let start = Instant::now();
    let mut handles = Vec::new();
    handles.extend((0..cell.n).map(spawn));
    let wall = start.elapsed();
    let after = os::resident_kib();
    gate.open();
    let answer = join(handles);
    let expected = super::spawn_await::expected(cell.n);
    if answer != expected {
        return meter::wrong(expected, answer);
    }
    let (Some(before), Some(after)) = (before, after) else {
        return Line::Unsupported("this system does not tell a process's memory".to_owned());
    };
    Line::Figures(Figures::from([
        ("bytes".to_owned(), as_f64(after.saturating_sub(before)) * 1024.0 / as_f64(cell.n)),
        ("spawn_ns".to_owned(), meter::per_op(wall, cell.n)),
        ("peak_kib".to_owned(), as_f64(os::peak_kib().unwrap_or(0))),
    ]))
}

/// Blocks every worker at the gate; `None` if they do not all arrive within seconds.
fn hold_workers<B: Backend>(b: B, workers: usize, gate: &Arc<Gate>) -> Option<()> {
    let arrived = Arc::new((Mutex::new(0_usize), Condvar::new()));
    // Nobody passes before all have arrived, so that no worker takes two of these tasks.
    let together = Arc::new(Barrier::new(workers));
    for _ in 0..workers {
        let (gate, arrived, together) = (gate.clone(), arrived.clone(), together.clone());
        b.detach(move || {
            together.wait();
            *arrived.0.lock().unwrap() += 1;
            arrived.1.notify_all();
            gate.pass();
        });
    }
    let count = arrived.0.lock().unwrap();
    let limit = Duration::from_secs(5);
    let (count, _) = arrived.1.wait_timeout_while(count, limit, |count| *count < workers).unwrap();
    (*count == workers).then_some(())
}

/// Closed until opened.
#[derive(Default)]
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn pass(&self) {
        drop(self.opened.wait_while(self.open.lock().unwrap(), |open| !*open).unwrap());
    }

    fn open(&self) {
        *self.open.lock().unwrap() = true;
        self.opened.notify_all();
    }
}
