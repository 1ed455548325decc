//! One measurement per process: `probe --backend B --workload W --n N --workers K --grain NS --capacity C`
//! prints one line of JSON, by the protocol of `peers/README.md`.
//!
//! A process of its own, because allocators, page tables and thread placement remember what ran before.

use std::collections::HashMap;
use std::process::ExitCode;

use wyn_bench::record::{Cell, Line};
use wyn_bench::{backends, meter, os};

#[cfg(feature = "alloc-mimalloc")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[cfg(all(feature = "alloc-jemalloc", not(feature = "alloc-mimalloc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--version") {
        println!("{}", env!("CARGO_PKG_VERSION"));
        return ExitCode::SUCCESS;
    }
    let Some((backend, cell)) = parse(&words) else {
        eprintln!("usage: probe --backend B --workload W [--n N] [--workers K] [--grain NS] [--capacity C]");
        return ExitCode::from(2);
    };
    let mut line = backends::run(&backend, &cell)
        .unwrap_or_else(|| Line::Unsupported(format!("{backend} is not compiled into this probe")));
    if let Line::Figures(figures) = &mut line {
        // Of the whole process, as its peak is.
        figures.insert("minor_faults".to_owned(), meter::as_f64(os::minor_faults()));
    }
    match serde_json::to_string(&line) {
        Ok(text) => println!("{text}"),
        Err(error) => eprintln!("{error}"),
    }
    // No destructors: a peer that cannot stop must not turn a finished measurement into a hung one.
    std::process::exit(i32::from(matches!(line, Line::Wrong(_))))
}

/// What may be said, each with a value.
const OPTIONS: [&str; 6] = ["backend", "workload", "n", "workers", "grain", "capacity"];

fn parse(words: &[String]) -> Option<(String, Cell)> {
    let pairs = words.chunks(2).map(|pair| Some((pair[0].strip_prefix("--")?, pair.get(1)?.as_str())));
    let options: HashMap<&str, &str> = pairs.collect::<Option<_>>()?;
    if options.keys().any(|name| !OPTIONS.contains(name)) {
        return None;
    }
    let number = |name: &str, default: u64| match options.get(name) {
        Some(text) => text.parse().ok(),
        None => Some(default),
    };
    let capacity = match options.get("capacity") {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let cell = Cell {
        workload: (*options.get("workload")?).to_owned(),
        n: number("n", 1000)?,
        grain_ns: number("grain", 0)?,
        workers: usize::try_from(number("workers", 2)?).ok().filter(|workers| *workers > 0)?,
        capacity,
    };
    Some(((*options.get("backend")?).to_owned(), cell))
}
