//! The channel group: messages between threads, and between the tasks of a runtime.

use wyn_bench::record::{Capacity, Cell};

use super::{Kind, Mode};

/// Every backend in the order of the tables' rows, with the feature that it needs.
pub(super) const BACKENDS: [super::Backend; 13] = [
    ("wyn", Kind::Probe("wyn")),
    ("wyn_async", Kind::Probe("wyn")),
    ("wyn_tokio", Kind::Probe("wyn-tokio")),
    ("go", Kind::Go),
    ("std", Kind::Plain),
    ("crossbeam", Kind::Probe("peer-crossbeam")),
    ("kanal", Kind::Probe("peer-kanal")),
    ("crossfire", Kind::Probe("peer-crossfire")),
    ("flume", Kind::Probe("peer-flume")),
    ("async_channel", Kind::Probe("peer-async-channel")),
    ("tokio", Kind::Probe("peer-tokio")),
    ("thingbuf", Kind::Probe("peer-thingbuf")),
    ("oneshot", Kind::Probe("peer-oneshot")),
];

/// Cheap to compile.
const SMOKE_BACKENDS: [&str; 3] = ["wyn", "std", "crossbeam"];

/// What a quick run leaves out: never the best of a row.
const NOT_QUICK: [&str; 2] = ["async_channel", "thingbuf"];

/// Threads on each side of the workloads with many; crossbeam-channel's benchmarks have as many.
pub(super) const SIDES: usize = 4;

/// Room of a channel, and messages.
type Point = (Room, u64);

#[derive(Clone, Copy)]
enum Room {
    Of(u64),
    /// Room for all messages.
    Large,
    Unbounded,
    /// Not a question.
    Any,
}

/// Whether a backend is measured if none is named.
pub(super) fn measures(mode: Mode, backend: &str) -> bool {
    match mode {
        Mode::Smoke => SMOKE_BACKENDS.contains(&backend),
        Mode::Quick => !NOT_QUICK.contains(&backend),
        Mode::Full => true,
    }
}

/// The cells of one workload.
pub(super) fn cells_of(mode: Mode, workload: &str, workers: &[usize]) -> Vec<Cell> {
    let many = ["mpsc", "mpmc", "select_rx", "select_both"].contains(&workload);
    let runtime = [1, wyn_bench::os::allowed_cpus().len().max(2)];
    let workers = match workload {
        // A runtime's own: with one there is nothing but hand-over, with more also what they do to each other.
        tasks if tasks.starts_with("task_") && workers == [SIDES] => &runtime,
        tasks if tasks.starts_with("task_") => workers,
        _ if many => workers,
        // The workload itself says how many threads there are.
        _ => &workers[..workers.len().min(1)],
    };
    let grain_ns = match (workload, mode) {
        ("blocked", Mode::Smoke) => 20_000_000,
        ("blocked", Mode::Quick) => 200_000_000,
        ("blocked", Mode::Full) => 1_000_000_000,
        _ => 0,
    };
    let cell = |(room, n): Point, workers: usize| {
        let capacity = match room {
            Room::Of(room) => Some(Capacity::Bounded(room)),
            Room::Large => Some(Capacity::Bounded(n)),
            Room::Unbounded => Some(Capacity::Unbounded),
            Room::Any => None,
        };
        Cell { workload: workload.to_owned(), n, grain_ns, workers, capacity }
    };
    let points = points(mode, workload);
    points.into_iter().flat_map(|point| workers.iter().map(move |workers| cell(point, *workers))).collect()
}

/// Capacities and sizes of a workload. A slow library takes 20 to 40 µs for a message where threads wait for
/// each other, so those sizes are small.
fn points(mode: Mode, workload: &str) -> Vec<Point> {
    use Room::{Any, Large, Of, Unbounded};
    const K: u64 = 1_000;
    const M: u64 = 1_000_000;
    let sizes = |in_turn: u64, some: u64, many: u64| {
        vec![(Of(0), in_turn), (Of(1), in_turn), (Of(100), some), (Large, many), (Unbounded, many)]
    };
    match (mode, workload) {
        (_, "blocked") => vec![(Of(0), 1), (Of(1), 1), (Unbounded, 1)],
        (Mode::Smoke, "oneshot" | "oneshot_across") => vec![(Any, 1000)],
        (Mode::Smoke, "one_thread") => vec![(Large, 1000), (Unbounded, 1000)],
        (Mode::Smoke, "fan_in") => vec![(Of(100), 2000)],
        (Mode::Smoke, "task_ping_pong") => vec![(Of(0), 200), (Of(1), 200)],
        (Mode::Smoke, "task_fan_in" | "task_pipeline") => vec![(Of(1), 2000)],
        (Mode::Smoke, _) => sizes(200, 2000, 2000),
        (Mode::Quick, "oneshot" | "oneshot_across") => vec![(Any, 100 * K)],
        (Mode::Full, "oneshot" | "oneshot_across") => vec![(Any, M)],
        (Mode::Quick, "one_thread") => vec![(Large, 200 * K), (Unbounded, 200 * K)],
        (Mode::Full, "one_thread") => vec![(Large, 5 * M), (Unbounded, 5 * M)],
        (Mode::Quick, "ping_pong" | "async_ping_pong") => vec![(Of(0), K), (Of(1), K)],
        (Mode::Full, "ping_pong" | "async_ping_pong") => {
            vec![(Of(0), 20 * K), (Of(1), 20 * K), (Unbounded, 20 * K)]
        }
        (Mode::Quick, "task_ping_pong") => vec![(Of(0), 10 * K), (Of(1), 10 * K)],
        (Mode::Full, "task_ping_pong") => {
            vec![(Of(0), 100 * K), (Of(1), 100 * K), (Unbounded, 100 * K)]
        }
        (Mode::Quick, "task_fan_in") => vec![(Of(1), 20 * K), (Of(100), 100 * K)],
        (Mode::Full, "task_fan_in") => vec![(Of(1), 200 * K), (Of(100), M)],
        (Mode::Quick, "task_pipeline") => vec![(Of(1), 100 * K)],
        (Mode::Full, "task_pipeline") => vec![(Of(1), M)],
        (Mode::Quick, "fan_in") => vec![(Of(100), 10 * K)],
        (Mode::Full, "fan_in") => vec![(Of(1), 100 * K), (Of(100), 100 * K)],
        (Mode::Quick, "crowd") => vec![(Of(0), 2 * K), (Of(100), 50 * K)],
        (Mode::Quick, _) => sizes(2 * K, 50 * K, 200 * K),
        (Mode::Full, _) => sizes(50 * K, M, 5 * M),
    }
}

/// Ten times what the slowest peer here takes, and five seconds at least.
pub(super) fn limit_seconds(cell: &Cell) -> u64 {
    match cell.n {
        0..=2_000 => 5,
        2_001..=50_000 => 20,
        _ => 60,
    }
}

/// Whether threads on two processors are what the figure is about, so that a run on one is another question.
pub(super) fn parallel(workload: &str) -> bool {
    ["spsc", "mpsc", "mpmc", "select_rx", "select_both", "ping_pong", "async_spsc", "async_ping_pong"]
        .contains(&workload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_alone_has_room_for_all_it_sends() {
        for mode in [Mode::Smoke, Mode::Quick, Mode::Full] {
            for cell in cells_of(mode, "one_thread", &[SIDES]) {
                assert!(cell.capacity >= Some(Capacity::Bounded(cell.n)));
            }
        }
    }

    #[test]
    fn tasks_run_on_one_worker_and_on_all() {
        let workers = |named: &[usize]| {
            let cells = cells_of(Mode::Quick, "task_pipeline", named);
            cells.iter().map(|cell| cell.workers).collect::<Vec<_>>()
        };
        assert_eq!(workers(&[SIDES])[0], 1);
        assert_eq!(workers(&[SIDES]).len(), 2);
        assert_eq!(workers(&[3]), [3]);
    }

    #[test]
    fn sides_matter_where_there_are_many() {
        let count = |workload: &str| cells_of(Mode::Full, workload, &[2, 8]).len();
        assert_eq!((count("mpmc"), count("spsc")), (10, 5));
    }
}
