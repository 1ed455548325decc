//! The columns of a workload's table: which figure of which cell, and which way is better.

use wyn_bench::record::{Capacity, Cell, Entry, Outcome, Sample};
use wyn_bench::workloads::{channels, deque, fork_join, future, pool};

use super::stats::{self, Figure};

/// Which of two values is the better one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Better {
    Lower,
    Higher,
}

impl Better {
    pub(crate) fn is(self, a: f64, b: f64) -> bool {
        match self {
            Better::Lower => a < b,
            Better::Higher => a > b,
        }
    }
}

/// Where a column's figure comes from.
enum Source {
    /// A figure of the cell.
    Named(&'static str),
    /// How much faster than a serial loop.
    OverSerial,
    /// How much faster than with one worker, whose cell this is.
    OverOneWorker(Cell),
    /// Peak memory of the process per task.
    PeakPerTask,
    /// Peak memory of the process, in KiB.
    Peak,
}

impl Source {
    fn name(&self) -> &'static str {
        match self {
            Source::Named(name) => name,
            Source::OverSerial => "over_serial",
            Source::OverOneWorker(_) => "over_one_worker",
            Source::PeakPerTask => "peak_per_task",
            Source::Peak => "peak_kib",
        }
    }
}

/// What a column counts for when backends are compared over many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// The figure that a cell is measured for.
    Main,
    /// Another one that users pay: the cold run, the worst case, memory.
    Side,
    /// A quotient of others, or an explanation.
    Derived,
}

pub(crate) struct Column {
    pub(crate) label: String,
    /// What it is called away from its neighbours: `100K cold`.
    pub(crate) name: String,
    /// `None` where no value is better as such.
    pub(crate) better: Option<Better>,
    /// Whether it is a time, which running on one core distorts.
    pub(crate) timed: bool,
    pub(crate) cell: Cell,
    source: Source,
}

impl Column {
    fn new(label: impl Into<String>, cell: &Cell, better: Option<Better>, source: Source) -> Column {
        let timed = matches!(source, Source::Named("ns" | "cold_ns"));
        Column { label: label.into(), name: String::new(), better, timed, cell: cell.clone(), source }
    }

    fn named(label: impl Into<String>, cell: &Cell, figure: &'static str) -> Column {
        Column::new(label, cell, Some(Better::Lower), Source::Named(figure))
    }

    /// The figure's name: with the cell, what makes two columns of two records the same.
    pub(crate) fn figure_name(&self) -> &'static str {
        self.source.name()
    }

    pub(crate) fn role(&self) -> Role {
        match self.source.name() {
            "ns" | "bytes" | "joins_us" | "scope_us" => Role::Main,
            "cold_ns" | "spawn_ns" | "p99_ns" | "spaced_ns" | "hot_ns" | "pair_ns" => Role::Side,
            "joins_worst_us" | "scope_worst_us" | "gap_cpu_percent" | "cpu_percent" => Role::Side,
            "peak_per_task" | "peak_kib" => Role::Side,
            _ => Role::Derived,
        }
    }

    pub(crate) fn unit(&self) -> &'static str {
        match self.source.name() {
            "bytes" | "peak_per_task" => "B",
            "peak_kib" => "KiB",
            name if name.ends_with("_us") => "µs",
            name if name.ends_with("_percent") => "%",
            name if name == "ns" || name.ends_with("_ns") => "ns",
            "switches_per_s" => "/s",
            "switches_per_ms" => "/ms",
            _ => "",
        }
    }

    /// The entry of this column's cell for a backend.
    pub(crate) fn entry<'a>(&self, backend: &str, entries: &[&'a Entry]) -> Option<&'a Entry> {
        find(backend, &self.cell, entries)
    }

    /// Each repetition's value, and whether it was left out; none where the column has no figure of its own.
    pub(crate) fn repetitions(&self, entry: &Entry) -> Vec<(f64, bool)> {
        let Outcome::Measured(samples) = &entry.outcome else { return Vec::new() };
        let value = |sample: &Sample| Some((*sample.figures.get(self.source.name())?, sample.dropped));
        samples.iter().filter_map(value).collect()
    }

    pub(crate) fn figure(&self, backend: &str, entries: &[&Entry]) -> Option<Figure> {
        let entry = self.entry(backend, entries)?;
        match &self.source {
            Source::Named(name) => stats::figure(entry, name),
            Source::OverSerial => Some(stats::figure(entry, "serial_ns")?.over(stats::figure(entry, "ns")?)),
            Source::OverOneWorker(cell) => {
                let one = stats::figure(find(backend, cell, entries)?, "ns")?;
                Some(one.over(stats::figure(entry, "ns")?))
            }
            Source::Peak => stats::figure(entry, "peak_kib"),
            Source::PeakPerTask => {
                #[allow(clippy::cast_precision_loss, reason = "a count of tasks")]
                let share = 1024.0 / self.cell.n as f64;
                let peak = stats::figure(entry, "peak_kib")?;
                Some(Figure { median: peak.median * share, mad: peak.mad * share, ..peak })
            }
        }
    }
}

fn find<'a>(backend: &str, cell: &Cell, entries: &[&'a Entry]) -> Option<&'a Entry> {
    entries.iter().find(|entry| entry.backend == backend && entry.cell == *cell).copied()
}

/// The columns of a workload, given its entries.
pub(crate) fn columns(workload: &str, entries: &[&Entry]) -> Vec<Column> {
    let cells = cells(workload, entries);
    let swept = cells.iter().any(|cell| cell.workers != cells[0].workers);
    let mut columns = drawn(workload, &cells, swept);
    for column in &mut columns {
        let (about, own) = (label(workload, &column.cell, swept), without_unit(&column.label));
        column.name = if own.starts_with(&about) { own } else { format!("{about} {own}") };
    }
    columns
}

/// A header's words without the unit in which its figures are.
fn without_unit(label: &str) -> String {
    let label = label.strip_suffix(", µs").unwrap_or(label);
    match label {
        "p50 ns" | "p99 ns" => label[..3].to_owned(),
        _ => label.replace("B/task", "memory per task"),
    }
}

/// The cells in the order in which they are read.
fn cells<'a>(workload: &str, entries: &[&'a Entry]) -> Vec<&'a Cell> {
    let mut cells: Vec<&Cell> = entries.iter().map(|entry| &entry.cell).collect();
    cells.sort();
    if fork_join::has(workload) {
        // The length of the work says more than how often it is repeated.
        cells.sort_by_key(|cell| (cell.grain_ns, cell.n, cell.workers));
    }
    if channels::has(workload) {
        cells.sort_by_key(|cell| (cell.capacity, cell.workers));
    }
    cells.dedup();
    cells
}

/// The columns as their tables have them.
fn drawn(workload: &str, cells: &[&Cell], swept: bool) -> Vec<Column> {
    let label = |cell: &Cell| label(workload, cell, swept);
    let each =
        |make: &dyn Fn(&Cell) -> Vec<Column>| cells.iter().flat_map(|cell| make(cell)).collect::<Vec<_>>();
    match workload {
        "pending" => each(&|c| {
            vec![
                Column::named(format!("{} B/task", label(c)), c, "bytes"),
                Column::named("ns/spawn", c, "spawn_ns"),
            ]
        }),
        "wake" => each(&|c| {
            vec![
                Column::named("p50 ns", c, "ns"),
                Column::named("p99 ns", c, "p99_ns"),
                Column::named("spawn call ns", c, "call_ns"),
            ]
        }),
        "idle" => each(&|c| {
            vec![Column::named("CPU %", c, "cpu_percent"), Column::named("switches/s", c, "switches_per_s")]
        }),
        "speedup" => each(&|c| speedup(c, &label(c))),
        "par_for" | "par_for_in" => with_peak(cells, each(&|c| region(c, &label(c)))),
        "isolated_join" => with_peak(cells, each(&|c| isolated(c, &label(c)))),
        "long_leaf" => with_peak(cells, each(&long_leaf)),
        "blocked" => each(&|c| waiting(c, &label(c))),
        "crowd" => each(&|c| crowd(c, &label(c))),
        // How much memory many of them take is a question of its own.
        "pool_burst" | "future_live" => throughput(cells, label),
        name if channels::has(name) || pool::has(name) || deque::has(name) || future::has(name) => {
            with_cpus(each(&|c| vec![Column::named(label(c), c, "ns")]), cells)
        }
        name if fork_join::has(name) => with_peak(cells, each(&|c| joined(c, &label(c), swept))),
        "grain" => each(&|c| {
            let over_serial = Column::new("over serial", c, Some(Better::Higher), Source::OverSerial);
            vec![Column::named(label(c), c, "ns"), over_serial]
        }),
        _ => throughput(cells, label),
    }
}

fn speedup(cell: &Cell, label: &str) -> Vec<Column> {
    let label = if label.is_empty() { "ns" } else { label };
    let mut columns = vec![Column::named(label, cell, "ns")];
    if cell.workers > 1 {
        let one = Cell { workers: 1, ..cell.clone() };
        columns.push(Column::new("over 1 worker", cell, Some(Better::Higher), Source::OverOneWorker(one)));
    }
    columns
}

/// Time, and what more workers gain.
fn joined(cell: &Cell, label: &str, swept: bool) -> Vec<Column> {
    let mut columns = if swept { speedup(cell, label) } else { vec![Column::named(label, cell, "ns")] };
    columns.push(Column::new("CPUs", cell, None, Source::Named("cpu")));
    columns
}

/// A parallel loop: back to back, after a pause, and what is burnt meanwhile.
fn region(cell: &Cell, label: &str) -> Vec<Column> {
    vec![
        Column::named(label, cell, "ns"),
        Column::new("over serial", cell, Some(Better::Higher), Source::OverSerial),
        Column::named("after 5 ms", cell, "spaced_ns"),
        Column::named("CPU % between", cell, "gap_cpu_percent"),
    ]
}

fn isolated(cell: &Cell, label: &str) -> Vec<Column> {
    let mut columns = vec![
        Column::named(label, cell, "ns"),
        Column::new("over serial", cell, Some(Better::Higher), Source::OverSerial),
    ];
    if cell.grain_ns < 10_000 {
        columns.push(Column::named("switches/ms", cell, "switches_per_ms"));
    } else {
        columns.push(Column::named("back to back", cell, "hot_ns"));
    }
    columns
}

fn long_leaf(cell: &Cell) -> Vec<Column> {
    vec![
        Column::named("joins, µs", cell, "joins_us"),
        Column::named("worst joins", cell, "joins_worst_us"),
        Column::named("scope, µs", cell, "scope_us"),
        Column::named("worst scope", cell, "scope_worst_us"),
    ]
}

fn waiting(cell: &Cell, label: &str) -> Vec<Column> {
    vec![
        Column::named(format!("{label}: CPU %"), cell, "cpu_percent"),
        Column::named("switches/s", cell, "switches_per_s"),
    ]
}

/// Eight threads, two, and the ratio, which is small as well for whoever is slow with two.
fn crowd(cell: &Cell, label: &str) -> Vec<Column> {
    vec![
        Column::named(format!("{label}: 4x4"), cell, "ns"),
        Column::named("1x1", cell, "pair_ns"),
        Column::new("4x4 / 1x1", cell, None, Source::Named("over_pair")),
    ]
}

/// What the last cell took in processors, last.
fn with_cpus(mut columns: Vec<Column>, cells: &[&Cell]) -> Vec<Column> {
    columns.extend(cells.last().map(|cell| Column::new("CPUs", cell, None, Source::Named("cpu"))));
    columns
}

/// What the largest cell takes in memory, last.
fn with_peak(cells: &[&Cell], mut columns: Vec<Column>) -> Vec<Column> {
    if let Some(largest) = cells.last() {
        columns.push(Column::new("peak KiB", largest, Some(Better::Lower), Source::Peak));
    }
    columns
}

/// `50 µs`
fn time(ns: u64) -> String {
    match ns {
        ns if ns >= 1_000_000 => format!("{} ms", ns / 1_000_000),
        ns if ns >= 1_000 => format!("{} µs", ns / 1_000),
        ns => format!("{ns} ns"),
    }
}

/// Warm and cold time for each cell, then what the largest cost in CPU and memory.
fn throughput(cells: &[&Cell], label: impl Fn(&Cell) -> String) -> Vec<Column> {
    let mut columns = Vec::new();
    for cell in cells {
        columns.push(Column::named(label(cell), cell, "ns"));
        columns.push(Column::named("cold", cell, "cold_ns"));
    }
    if let Some(largest) = cells.last() {
        columns.push(Column::new("CPUs", largest, None, Source::Named("cpu")));
        if largest.n >= 1_000_000 {
            columns.push(Column::new("peak B/task", largest, Some(Better::Lower), Source::PeakPerTask));
        }
    }
    columns
}

/// `100K`, `200 ns`, a capacity, and the workers if they differ.
fn label(workload: &str, cell: &Cell, swept: bool) -> String {
    let size = match (workload, cell.n) {
        _ if cell.capacity.is_some() => capacity(cell),
        ("grain", _) => format!("{} ns", cell.grain_ns),
        ("par_for" | "par_for_in", _) => time(cell.grain_ns),
        ("isolated_join", _) => format!("2 x {}", time(cell.grain_ns)),
        ("speedup" | "wake" | "idle" | "long_leaf", _) => String::new(),
        (_, n) if n >= 1_000_000 && n.is_multiple_of(1_000_000) => format!("{}M", n / 1_000_000),
        (_, n) if n >= 1_000 && n.is_multiple_of(1_000) => format!("{}K", n / 1_000),
        (_, n) => n.to_string(),
    };
    let workers = match cell.workers {
        1 => "1 worker".to_owned(),
        many => format!("{many} workers"),
    };
    match (swept, size.is_empty()) {
        (true, true) => workers,
        (_, true) => String::new(),
        (true, false) => format!("{size}, {workers}"),
        (false, false) => size,
    }
}

/// What a channel of this cell holds.
fn capacity(cell: &Cell) -> String {
    match cell.capacity {
        Some(Capacity::Bounded(room)) if room == cell.n && room > 1 => "large".to_owned(),
        Some(capacity) => capacity.to_string(),
        None => String::new(),
    }
}
