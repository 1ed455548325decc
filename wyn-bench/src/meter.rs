//! How a probe measures: cold, then warm, with the answer checked every time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::backend::Backend;
use crate::os;
use crate::record::{Figures, Line};

/// How long all workers are busy together before the warm passes: less, and the kernel still has two of
/// them on one core.
pub const JOINT_WORK: Duration = Duration::from_millis(40);
/// Long enough for every backend's workers to have parked.
const PAUSE: Duration = Duration::from_millis(2);
/// Warm passes stop after this much measured time, or after so many.
const WARM_BUDGET: Duration = Duration::from_millis(25);
/// So many warm passes are enough where one takes milliseconds.
pub const WARM_PASSES: usize = 7;

/// One pass over a workload: the time of it, and its answer.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    /// Time from before the first spawn until the last answer.
    pub wall: Duration,
    /// What the tasks computed.
    pub answer: u64,
}

/// Runs `body` on the clock. Called where the spawning happens, so that a way to that place costs nothing.
pub fn timed(body: impl FnOnce() -> u64) -> Pass {
    let start = Instant::now();
    let answer = body();
    Pass { wall: start.elapsed(), answer }
}

/// What a workload is measured at.
#[derive(Clone, Copy, Debug)]
pub struct Job {
    /// Operations in one pass; the figures are per operation.
    pub ops: u64,
    /// The right answer.
    pub expected: u64,
}

/// Set (by `cargo xtask bench --spread`): joint work and a pause come before the cold pass as well. What is
/// cold then is the memory; without it also the threads, which may still share a core.
pub const SPREAD: &str = "WYN_BENCH_SPREAD";

/// Measures a throughput workload: one cold pass, joint work, a pause, then warm passes.
///
/// Figures: `ns` (median warm pass), `cold_ns`, `cpu` and `cold_cpu` (CPU seconds per wall second),
/// `passes`, `peak_kib`.
pub fn throughput<B: Backend>(backend: B, workers: usize, job: Job, pass: impl FnMut() -> Pass) -> Line {
    passes(|| joint_work(backend, workers), job, WARM_PASSES, pass)
}

/// [`throughput`] for anything that can be kept busy: `joint` does that.
pub fn passes(mut joint: impl FnMut(), job: Job, most: usize, mut pass: impl FnMut() -> Pass) -> Line {
    if std::env::var_os(SPREAD).is_some() {
        joint();
        std::thread::sleep(PAUSE);
    }
    let (cold, cold_cpu) = with_cpu_share(&mut pass);
    if cold.answer != job.expected {
        return wrong(job.expected, cold.answer);
    }
    joint();
    let mut walls = Vec::with_capacity(most);
    let (mut spent, mut shares) = (Duration::ZERO, 0.0);
    while walls.is_empty() || (spent < WARM_BUDGET && walls.len() < most) {
        std::thread::sleep(PAUSE);
        let (warm, share) = with_cpu_share(&mut pass);
        if warm.answer != job.expected {
            return wrong(job.expected, warm.answer);
        }
        spent += warm.wall;
        shares += share;
        walls.push(per_op(warm.wall, job.ops));
    }
    let passes = as_f64(walls.len() as u64);
    Line::Figures(Figures::from([
        ("ns".to_owned(), median(&mut walls)),
        ("cold_ns".to_owned(), per_op(cold.wall, job.ops)),
        ("cpu".to_owned(), shares / passes),
        ("cold_cpu".to_owned(), cold_cpu),
        ("passes".to_owned(), passes),
        ("peak_kib".to_owned(), as_f64(os::peak_kib().unwrap_or(0))),
    ]))
}

/// The line for a wrong answer.
pub fn wrong(expected: u64, came: u64) -> Line {
    Line::Wrong(format!("expected {expected}, got {came}"))
}

/// Keeps all workers busy at the same time, so that the kernel spreads them over the cores.
pub fn joint_work<B: Backend>(backend: B, workers: usize) {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let end = Instant::now() + JOINT_WORK;
    DONE.store(0, Ordering::SeqCst);
    for _ in 0..workers {
        backend.detach(move || {
            while Instant::now() < end {
                std::hint::spin_loop();
            }
            DONE.fetch_add(1, Ordering::SeqCst);
        });
    }
    while DONE.load(Ordering::SeqCst) < workers {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A pass, and the CPU seconds per wall second that the process got during it.
fn with_cpu_share(pass: &mut impl FnMut() -> Pass) -> (Pass, f64) {
    let (start, cpu) = (Instant::now(), os::cpu_time());
    let done = pass();
    let share = (os::cpu_time() - cpu).as_secs_f64() / start.elapsed().as_secs_f64();
    (done, share)
}

/// Nanoseconds per operation.
pub fn per_op(wall: Duration, ops: u64) -> f64 {
    wall.as_secs_f64() * 1e9 / as_f64(ops.max(1))
}

/// The value at a fraction of the sorted values; 0 for none.
pub fn quantile(values: &mut [f64], fraction: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index between 0 and last")]
    let index = (as_f64(last as u64) * fraction).round() as usize;
    values.get(index).copied().unwrap_or(0.0)
}

/// The middle value, the mean of the two middle ones, or 0 for none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        len if len % 2 == 1 => values[len / 2],
        len => f64::midpoint(values[len / 2 - 1], values[len / 2]),
    }
}

/// Counts here stay far below 2^53.
#[allow(clippy::cast_precision_loss, reason = "counts and times far below 2^53")]
pub fn as_f64(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&mut [4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-9);
        assert!(median(&mut []).abs() < 1e-9);
    }

    #[test]
    fn quantiles() {
        let mut values: Vec<f64> = (0..=100).map(f64::from).collect();
        assert!((quantile(&mut values, 0.99) - 99.0).abs() < 1e-9);
        assert!((quantile(&mut values, 0.5) - 50.0).abs() < 1e-9);
    }
}
