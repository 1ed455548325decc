//! `cargo xtask simulate` in its own program, built for speed: measures what the model is fed with, and runs it.
//!
//! ```text
//! simulate [--measure] [--tasks N] [--from RECORD]    prints a record without its host
//! simulate real WORKERS                               measures the workloads, prints one JSON line
//! ```
//!
//! Without `--measure`, the costs and the measured side of the validation are those of the record.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "membarrier, and the contract of the barrier pair")]
#[path = "../../../../wyn-deque/benches/support/membarrier.rs"]
mod membarrier;
mod pairs;
mod prices;
mod real;
mod validate;

use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};

use wyn_bench::record::Host;
use wyn_bench::simulate::record::{Check, Cost, Curve, KIND, Record, SCHEMA};
use wyn_bench::simulate::{Costs, OMISSIONS, Plan, curve, plan};

type Failure = Box<dyn std::error::Error>;

/// Leaves, tasks, iterations of each curve.
const TASKS: u64 = 100_000;
/// What the random choices begin with.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["real", workers] => workers.parse().map_err(Failure::from).and_then(real::run),
        _ => Options::parse(&words).and_then(|options| record(&options)),
    };
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

struct Options {
    measure: bool,
    tasks: u64,
    from: Option<String>,
}

impl Options {
    fn parse(words: &[&str]) -> Result<Options, Failure> {
        let mut options = Options { measure: false, tasks: TASKS, from: None };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--measure" => options.measure = true,
                "--tasks" => options.tasks = words.next().ok_or("--tasks takes a number")?.parse()?,
                "--from" => options.from = Some((*words.next().ok_or("--from takes a file")?).to_owned()),
                other => return Err(format!("`{other}` is no option").into()),
            }
        }
        if options.tasks == 0 {
            return Err("--tasks takes a number above zero".into());
        }
        Ok(options)
    }
}

fn record(options: &Options) -> Result<String, Failure> {
    let mut record = match &options.from {
        Some(file) => serde_json::from_str(&std::fs::read_to_string(file)?)?,
        None => empty(),
    };
    if options.measure {
        // Whatever else runs shall not take half of the machine.
        wyn_bench::os::own_session();
        eprintln!("measuring costs");
        record.costs = prices::measured()?;
        eprintln!("measuring the workloads on 1 and 2 processors");
        record.validation = validate::measured()?;
    }
    // What is assumed is this program's, also beside measurements of an earlier one.
    record.costs.extend(prices::assumed());
    record.omissions = OMISSIONS.map(str::to_owned).to_vec();
    let costs = Costs::of(&record.costs)?;
    eprintln!("running the model");
    let checks: Vec<Check> = record.validation;
    record.validation = checks.into_iter().map(|check| validate::predicted(&costs, check)).collect();
    record.curves = curves(&costs, options.tasks);
    Ok(serde_json::to_string_pretty(&record)?)
}

fn empty() -> Record {
    Record {
        schema: SCHEMA,
        kind: KIND.to_owned(),
        command: String::new(),
        started: 0,
        host: Host::default(),
        costs: std::collections::BTreeMap::<String, Cost>::new(),
        omissions: Vec::new(),
        validation: Vec::new(),
        curves: Vec::new(),
    }
}

/// All curves, on all processors: each is computed by one thread.
fn curves(costs: &Costs, tasks: u64) -> Vec<Curve> {
    let plans = plan(tasks);
    let next = AtomicUsize::new(0);
    let compute = || {
        // Ordering: Relaxed: only hands out numbers.
        let turn = || plans.get(next.fetch_add(1, Ordering::Relaxed)).copied();
        std::iter::from_fn(turn).map(|plan| (plan, curve(costs, plan, SEED))).collect::<Vec<_>>()
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let mut all: Vec<(Plan, Curve)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(compute)).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("a curve is computed")).collect()
    });
    all.sort_by_key(|(plan, _)| plans.iter().position(|each| each == plan));
    all.into_iter().map(|(_, curve)| curve).collect()
}
