//! Spawn N tasks without a handle and wait until all ran.
//!
//! Each task writes a slot of its own. A shared counter would cost every backend one contended line per
//! task, more than some of them need for the task itself.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::backend::Backend;
use crate::meter::{self, timed};
use crate::record::{Cell, Line};

pub(super) fn measure<B: Backend>(b: B, cell: &Cell) -> Line {
    let n = cell.n;
    let slots: &'static [AtomicU64] = Box::leak((0..n).map(|_| AtomicU64::new(0)).collect());
    let job = super::job(n, super::spawn_await::expected(n));
    meter::throughput(b, cell.workers, job, || {
        slots.iter().for_each(|slot| slot.store(0, Ordering::SeqCst));
        timed(|| {
            for (i, slot) in (0..n).zip(slots) {
                b.detach(move || slot.store(i + 1, Ordering::Release));
            }
            slots.iter().map(|slot| wait_for(slot) - 1).sum()
        })
    })
}

/// Waits until a slot is written, giving way to its writer.
fn wait_for(slot: &AtomicU64) -> u64 {
    let mut rounds = 0_u32;
    loop {
        match slot.load(Ordering::Acquire) {
            0 if rounds < 64 => {
                rounds += 1;
                std::hint::spin_loop();
            }
            0 => std::thread::yield_now(),
            value => return value,
        }
    }
}
