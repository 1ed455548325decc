//! Threads that start together, and the clock over them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::meter;
use crate::os;
use crate::record::{Figures, Line};

/// How long all threads of a pass are busy together before its clock starts, so that the kernel spreads them.
const JOINT_WORK: Duration = Duration::from_millis(3);
/// Warm passes stop after this much measured time, or after [`meter::WARM_PASSES`].
const WARM_BUDGET: Duration = Duration::from_millis(25);

/// What one thread does; its share of the answer.
pub(in crate::workloads) type Body = Box<dyn FnOnce() -> u64 + Send>;

pub(in crate::workloads) fn body(f: impl FnOnce() -> u64 + Send + 'static) -> Body {
    Box::new(f)
}

/// One pass: how long, the answer, and CPU seconds per second meanwhile.
#[derive(Clone, Copy, Debug)]
pub(in crate::workloads) struct Pass {
    pub(in crate::workloads) wall: Duration,
    pub(in crate::workloads) answer: u64,
    pub(in crate::workloads) cpu: f64,
}

/// Runs every body on a thread of its own, all from the same moment until the last is done.
pub(in crate::workloads) fn race(bodies: Vec<Body>) -> Pass {
    let line =
        Arc::new(StartLine { count: bodies.len(), arrived: AtomicUsize::new(0), go: AtomicBool::new(false) });
    let mut threads = Vec::with_capacity(bodies.len());
    for (index, body) in bodies.into_iter().enumerate() {
        let line = line.clone();
        threads.push(std::thread::spawn(move || {
            if index == 0 {
                line.lead();
            } else {
                line.follow();
            }
            let (start, cpu) = (Instant::now(), os::thread_cpu_time());
            let answer = body();
            Lap { start, end: Instant::now(), answer, cpu: os::thread_cpu_time() - cpu }
        }));
    }
    let laps: Vec<Lap> =
        threads.into_iter().map(|thread| thread.join().expect("a thread of the workload panicked")).collect();
    let (start, end) = (laps.iter().map(|lap| lap.start).min(), laps.iter().map(|lap| lap.end).max());
    let wall = end.zip(start).map_or(Duration::ZERO, |(end, start)| end - start);
    let cpu: Duration = laps.iter().map(|lap| lap.cpu).sum();
    let answer = laps.iter().fold(0_u64, |sum, lap| sum.wrapping_add(lap.answer));
    Pass { wall, answer, cpu: cpu.as_secs_f64() / wall.as_secs_f64().max(1e-9) }
}

/// What one thread did.
struct Lap {
    start: Instant,
    end: Instant,
    answer: u64,
    cpu: Duration,
}

struct StartLine {
    count: usize,
    arrived: AtomicUsize,
    go: AtomicBool,
}

impl StartLine {
    fn lead(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        self.spin_until(|| self.arrived.load(Ordering::SeqCst) == self.count);
        let end = Instant::now() + JOINT_WORK;
        self.spin_until(|| Instant::now() > end);
        self.go.store(true, Ordering::SeqCst);
    }

    fn follow(&self) {
        self.arrived.fetch_add(1, Ordering::SeqCst);
        self.spin_until(|| self.go.load(Ordering::SeqCst));
    }

    /// Yields now and then where threads share a processor.
    fn spin_until(&self, done: impl Fn() -> bool) {
        let mut rounds = 0_u32;
        while !done() {
            std::hint::spin_loop();
            rounds = rounds.wrapping_add(1);
            if self.count > 2 && rounds.is_multiple_of(64) {
                std::thread::yield_now();
            }
        }
    }
}

/// Runs a body here, for work of a single thread.
pub(in crate::workloads) fn alone(body: impl FnOnce() -> u64) -> Pass {
    let (start, cpu) = (Instant::now(), os::cpu_time());
    let answer = body();
    let wall = start.elapsed();
    Pass { wall, answer, cpu: (os::cpu_time() - cpu).as_secs_f64() / wall.as_secs_f64().max(1e-9) }
}

/// Measures passes, the first of them apart: every answer is checked.
pub(in crate::workloads) fn measure(ops: u64, expected: u64, pass: impl FnMut() -> Pass) -> Line {
    match figures(ops, expected, pass) {
        Ok(figures) => Line::Figures(figures),
        Err(line) => line,
    }
}

/// The figures of [`measure`], for those who add some of their own.
pub(in crate::workloads) fn figures(
    ops: u64,
    expected: u64,
    mut pass: impl FnMut() -> Pass,
) -> Result<Figures, Line> {
    let mut checked = || {
        let done = pass();
        if done.answer == expected { Ok(done) } else { Err(meter::wrong(expected, done.answer)) }
    };
    let cold = checked()?;
    let (mut walls, mut spent, mut shares) = (Vec::new(), Duration::ZERO, 0.0);
    while walls.is_empty() || (spent < WARM_BUDGET && walls.len() < meter::WARM_PASSES) {
        let warm = checked()?;
        spent += warm.wall;
        shares += warm.cpu;
        walls.push(meter::per_op(warm.wall, ops));
    }
    let passes = meter::as_f64(walls.len() as u64);
    Ok(Figures::from([
        ("ns".to_owned(), meter::median(&mut walls)),
        ("cold_ns".to_owned(), meter::per_op(cold.wall, ops)),
        ("cpu".to_owned(), shares / passes),
        ("passes".to_owned(), passes),
        ("peak_kib".to_owned(), meter::as_f64(os::peak_kib().unwrap_or(0))),
    ]))
}

/// 0 + 1 + … + (n - 1), modulo 2^64.
pub(in crate::workloads) fn sum_below(n: u64) -> u64 {
    let (even, odd) = if n.is_multiple_of(2) { (n, n.wrapping_sub(1)) } else { (n - 1, n) };
    (even / 2).wrapping_mul(odd)
}
