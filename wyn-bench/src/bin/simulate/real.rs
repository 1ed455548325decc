//! The workloads of the model as programs, on wyn-sched.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use wyn_bench::meter::{as_f64, median};
use wyn_bench::os;
use wyn_bench::simulate::record::Check;
use wyn_bench::simulate::{Node, Shape, Workload};
use wyn_bench::workloads::Work;

use crate::Failure;
use crate::prices::{Costs, figures, keep};

/// Long enough for every worker to be asleep, as in the model.
const PAUSE: Duration = Duration::from_millis(3);
const JOINT_WORK: Duration = Duration::from_millis(40);
const REPETITIONS: usize = 7;
const GRAINS_NS: [u64; 4] = [10, 100, 1000, 10_000];
/// Leaves, and fewer of the largest.
const LEAVES: u64 = 100_000;
const LARGE_LEAVES: u64 = 10_000;

/// What runs a workload: Wyn, or plain calls.
trait Way {
    fn two(first: impl FnOnce() -> u64 + Send, second: impl FnOnce() -> u64 + Send) -> u64;
    fn ten(each: [impl FnOnce() -> u64 + Send; 10]) -> u64;
}

struct Forked;
struct Called;

impl Way for Forked {
    #[inline]
    fn two(first: impl FnOnce() -> u64 + Send, second: impl FnOnce() -> u64 + Send) -> u64 {
        let (first, second) = wyn_sched::join(first, second);
        first.wrapping_add(second)
    }

    #[inline]
    fn ten(each: [impl FnOnce() -> u64 + Send; 10]) -> u64 {
        wyn_sched::join_all(each).into_iter().fold(0, u64::wrapping_add)
    }
}

impl Way for Called {
    #[inline]
    fn two(first: impl FnOnce() -> u64 + Send, second: impl FnOnce() -> u64 + Send) -> u64 {
        black_box(first()).wrapping_add(black_box(second()))
    }

    #[inline]
    fn ten(each: [impl FnOnce() -> u64 + Send; 10]) -> u64 {
        each.into_iter().fold(0, |sum, each| sum.wrapping_add(black_box(each())))
    }
}

#[inline(never)]
fn fib<W: Way>(k: u64, work: Work) -> u64 {
    if k < 2 {
        return black_box(work.run(k));
    }
    W::two(|| fib::<W>(k - 1, work), || fib::<W>(k - 2, work))
}

#[inline(never)]
fn skynet<W: Way>(leaves: u64, work: Work) -> u64 {
    if leaves == 1 {
        return black_box(work.run(leaves));
    }
    W::ten([(); 10].map(|()| move || skynet::<W>(leaves / 10, work)))
}

#[inline(never)]
fn unbalanced<W: Way>(workload: &Workload, node: Node, work: Work) -> u64 {
    if node.leaves == 1 {
        return black_box(work.run(node.seed));
    }
    let children = workload.children(node);
    W::two(
        || unbalanced::<W>(workload, children.get(0), work),
        || unbalanced::<W>(workload, children.get(1), work),
    )
}

/// The same work in plain calls.
fn serially(workload: &Workload, work: Work) -> u64 {
    let root = workload.root();
    match workload.shape {
        Shape::Fib => fib::<Called>(root.seed, work),
        Shape::Skynet => skynet::<Called>(workload.n, work),
        Shape::Unbalanced => unbalanced::<Called>(workload, root, work),
        Shape::FanOut | Shape::Loop => {
            (0..workload.n).fold(0, |sum, i| sum.wrapping_add(black_box(work.run(black_box(i)))))
        }
    }
}

/// On the global runtime: how long it takes by the clock of the thread that begins, one of the workers but for the
/// fan-out. The way to that worker and back is no part of the model.
fn on_wyn(workload: &Workload, work: Work) -> f64 {
    let (root, global) = (workload.root(), wyn_sched::global());
    match workload.shape {
        Shape::Fib => global.install(|| nanoseconds(|| fib::<Forked>(root.seed, work))),
        Shape::Skynet => global.install(|| nanoseconds(|| skynet::<Forked>(workload.n, work))),
        Shape::Unbalanced => global.install(|| nanoseconds(|| unbalanced::<Forked>(workload, root, work))),
        Shape::FanOut => nanoseconds(|| fan_out(workload.n, work)),
        Shape::Loop => on_loop(workload.n, workload.chunk(), work),
    }
}

fn on_loop(n: u64, grain: u64, work: Work) -> f64 {
    let body = |i: usize| _ = black_box(work.run(black_box(i as u64)));
    let split = || {
        wyn_sched::par_for(0..index(n), index(grain), body);
        0
    };
    wyn_sched::global().install(|| nanoseconds(split))
}

fn fan_out(n: u64, work: Work) -> u64 {
    let handles: Vec<_> = (0..n).map(|i| wyn_sched::spawn(move || work.run(i))).collect();
    handles.into_iter().fold(0, |sum, handle| sum.wrapping_add(handle.join().expect("no task panics")))
}

fn index(n: u64) -> usize {
    usize::try_from(n).expect("a size that fits into memory")
}

fn nanoseconds(body: impl FnOnce() -> u64) -> f64 {
    let start = Instant::now();
    black_box(body());
    start.elapsed().as_secs_f64() * 1e9
}

/// Keeps all workers busy at the same time, so that the system spreads them.
fn joint_work(workers: usize) {
    static DONE: AtomicUsize = AtomicUsize::new(0);
    let end = Instant::now() + JOINT_WORK;
    for _ in 0..workers {
        wyn_sched::spawn_detached(move || {
            while Instant::now() < end {
                std::hint::spin_loop();
            }
            // Ordering: Relaxed: a count.
            DONE.fetch_add(1, Ordering::Relaxed);
        });
    }
    // Ordering: Relaxed: a count.
    while DONE.load(Ordering::Relaxed) < workers {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Measures all workloads with the global runtime as it is, in a process with as many processors as `workers`.
pub(crate) fn run(workers: usize) -> Result<String, Failure> {
    if wyn_sched::global().workers() != workers {
        return Err(format!("the global runtime has {} workers", wyn_sched::global().workers()).into());
    }
    joint_work(workers);
    let mut checks = Vec::new();
    for shape in Shape::ALL {
        for grain_ns in GRAINS_NS {
            let leaves = if grain_ns < 10_000 { LEAVES } else { LARGE_LEAVES };
            checks.push(check(&Workload::about(shape, leaves, grain_ns), grain_ns, workers));
        }
    }
    Ok(serde_json::to_string(&checks)?)
}

/// The measured side; `predicted_ns` holds the serial time until the model has its turn.
fn check(workload: &Workload, grain_ns: u64, cores: usize) -> Check {
    let work = Work::calibrated(grain_ns);
    let (mut serial, mut parallel) = (Vec::new(), Vec::new());
    on_wyn(workload, work);
    for _ in 0..REPETITIONS {
        serial.push(nanoseconds(|| serially(workload, work)));
        std::thread::sleep(PAUSE);
        parallel.push(on_wyn(workload, work));
    }
    let measured_ns = median(&mut parallel);
    let mut distances: Vec<f64> = parallel.iter().map(|ns| (ns - measured_ns).abs()).collect();
    Check {
        workload: workload.shape.name().to_owned(),
        n: workload.n,
        grain_ns,
        cores,
        serial_ns: median(&mut serial),
        measured_ns,
        mad: median(&mut distances),
        predicted_ns: 0.0,
        ratio: 0.0,
        note: String::new(),
    }
}

/// The serial parts of forking and of spawning, by one thread that nobody helps.
pub(crate) fn prices(costs: &mut Costs) -> Result<(), Failure> {
    wake(costs)?;
    let cpu = *os::allowed_cpus().first().ok_or("no processor")?;
    // Threads inherit where they may run: so this is a runtime of one worker on one processor.
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            os::pin(cpu);
            wyn_sched::global();
            serial_prices(costs);
        });
        thread.join().map_err(|_| Failure::from("a serial price cannot be measured"))
    })
}

fn serial_prices(costs: &mut Costs) {
    // Beside a little work, as it is paid: what a branch does overlaps with it.
    let work = Work::calibrated(10);
    let difference = |workload: &Workload, parts: u64| {
        (on_wyn(workload, work) - nanoseconds(|| serially(workload, work))) / as_f64(parts)
    };
    let tree = Workload::about(Shape::Fib, 1_000_000, 10);
    keep(costs, "fork", "a branch that nobody steals", figures(|_| difference(&tree, tree.n - 1)));
    let tree = Workload::about(Shape::Skynet, 1_000_000, 10);
    let parts = (tree.n - 1) / 9 * 10;
    keep(costs, "fork_each", "a closure of join_all", figures(|_| difference(&tree, parts)));
    spawn_and_run();
    let (spawn, run): (Vec<_>, Vec<_>) = (0..9).map(|_| spawn_and_run()).unzip();
    keep(costs, "spawn", "a spawn from outside", spawn);
    keep(costs, "run", "running and awaiting a task of one's own", run);
    let n = 1_000_000;
    let attend = figures(|_| ((on_loop(n, 1, work) - on_loop(n, n, work)) / as_f64(n)).max(0.0));
    keep(costs, "attend", "a look of par_for", attend);
}

/// Nanoseconds of a spawn, and of running and awaiting: after a pause, as the workloads are.
fn spawn_and_run() -> (f64, f64) {
    std::thread::sleep(PAUSE);
    let start = Instant::now();
    let handles: Vec<_> = (0..LEAVES).map(|i| wyn_sched::spawn(move || i)).collect();
    let spawned = start.elapsed();
    let sum: u64 = handles.into_iter().map(|handle| handle.join().expect("no task panics")).sum();
    assert_eq!(sum, LEAVES * (LEAVES - 1) / 2, "every task is run once");
    let per_task = |time: Duration| time.as_secs_f64() * 1e9 / as_f64(LEAVES);
    (per_task(spawned), per_task(start.elapsed() - spawned))
}

/// A push beside sleepers: what it costs, and how much later the task runs. A caller that spins does not answer the
/// thief, so a look at its deque and a forced steal are in the latter; the model has them itself.
fn wake(costs: &mut Costs) -> Result<(), Failure> {
    let runtime = wyn_sched::Runtime::builder().workers(2).build()?;
    let (calls, starts): (Vec<_>, Vec<_>) = (0..41).map(|_| call(&runtime)).unzip();
    keep(costs, "wake_call", "a push that calls a sleeper", calls);
    let look = LOOK_SPINS * costs["pause"].ns;
    let within = costs["steal_forced"].ns + look;
    let latencies = starts.into_iter().map(|ns| (ns - within).max(0.0)).collect();
    keep(costs, "wake_latency", "from such a push until the worker runs and searches", latencies);
    Ok(())
}

/// Spin hints of one look at a deque that stays as it is: `is_ripe` in wyn-sched.
const LOOK_SPINS: f64 = 40.0;

fn call(runtime: &wyn_sched::Runtime) -> (f64, f64) {
    static STARTED: AtomicU64 = AtomicU64::new(0);
    // Ordering: Relaxed: a time, and nothing published with it.
    STARTED.store(0, Ordering::Relaxed);
    std::thread::sleep(PAUSE);
    let start = Instant::now();
    let handle = runtime.spawn(move || {
        let ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // Ordering: Relaxed: as above.
        STARTED.store(ns.max(1), Ordering::Relaxed);
    });
    let called = start.elapsed().as_secs_f64() * 1e9;
    // Ordering: Relaxed: as above.
    while STARTED.load(Ordering::Relaxed) == 0 {
        std::hint::spin_loop();
    }
    handle.join().expect("no task panics");
    // Ordering: Relaxed: as above.
    (called, as_f64(STARTED.load(Ordering::Relaxed)))
}
