//! The round trip of one cache line between two processors.
//!
//! Virtual machines are moved: the same pair of processors answers in 70 ns now and in 380 ns a minute
//! later, and every contended result moves along. So it is measured before each repetition and recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::meter;
use crate::os;
use crate::record::{Figures, Line};

const TRIPS: u64 = 2000;
const ROUNDS: usize = 7;
const LIMIT: Duration = Duration::from_secs(2);

/// Bounces one line between the first and the last processor of this process; the median of some rounds.
pub fn round_trip() -> Line {
    let cpus = os::allowed_cpus();
    let (Some(&here), Some(&there)) = (cpus.first(), cpus.last()) else {
        return Line::Unsupported("the processors are unknown".to_owned());
    };
    if here == there {
        return Line::Unsupported("there is only one processor".to_owned());
    }
    let line = Arc::new(AtomicU64::new(0));
    let total = TRIPS * ROUNDS as u64;
    let end = Instant::now() + LIMIT;
    let echo = std::thread::spawn({
        let line = line.clone();
        move || {
            os::pin(there);
            (0..total).all(|trip| {
                let came = wait_for(&line, 2 * trip + 1, end);
                line.store(2 * trip + 2, Ordering::Release);
                came
            })
        }
    });
    os::pin(here);
    let mut rounds: Vec<f64> = (0..ROUNDS as u64)
        .map(|round| {
            let start = Instant::now();
            for trip in round * TRIPS..(round + 1) * TRIPS {
                line.store(2 * trip + 1, Ordering::Release);
                wait_for(&line, 2 * trip + 2, end);
            }
            meter::per_op(start.elapsed(), TRIPS)
        })
        .collect();
    match echo.join() {
        Ok(true) => Line::Figures(Figures::from([("ns".to_owned(), meter::median(&mut rounds))])),
        _ => Line::Wrong("the line did not come back in time".to_owned()),
    }
}

/// Spins until the line holds `value`; `false` past the limit.
fn wait_for(line: &AtomicU64, value: u64, end: Instant) -> bool {
    let mut rounds = 0_u32;
    while line.load(Ordering::Acquire) != value {
        std::hint::spin_loop();
        rounds = rounds.wrapping_add(1);
        if rounds.is_multiple_of(1 << 16) && Instant::now() > end {
            return false;
        }
    }
    true
}
