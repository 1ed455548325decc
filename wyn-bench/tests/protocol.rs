//! The line protocol of `peers/README.md`, asked of every program that can be built here: the probe, the example, the
//! peers in C and Go, and whatever `WYN_PEER` names.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use wyn_bench::record::{Figures, Line};
use wyn_bench::workloads::{self, channels, fork_join};

/// A program and the words that come before its arguments.
struct Peer(Vec<String>);

impl Peer {
    fn run(&self, words: &str) -> Output {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]).args(words.split_whitespace());
        command.output().unwrap_or_else(|error| panic!("{:?} does not start: {error}", self.0))
    }

    /// The one line of a run that ends well.
    fn line(&self, words: &str) -> Line {
        let output = self.run(words);
        let text = String::from_utf8(output.stdout).expect("the line is text");
        assert_eq!(output.status.code(), Some(0), "{words}: {text}");
        assert_eq!(text.lines().count(), 1, "{words}: {text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words}: {error}: {text}"))
    }

    /// What it measures of these workloads, each at a tiny size.
    fn measured<'w>(&self, workloads: &[&'w str]) -> Vec<&'w str> {
        let measures = |workload: &&str| match self.line(&tiny(workload)) {
            Line::Figures(figures) => {
                check(workload, &figures);
                true
            }
            Line::Unsupported(why) => {
                assert!(!why.is_empty(), "{workload}: no reason");
                false
            }
            Line::Wrong(what) => panic!("{workload}: {what}"),
        };
        workloads.iter().copied().filter(measures).collect()
    }

    /// Everything that the document asks for; what it measures of these workloads.
    fn conforms<'w>(&self, workloads: &[&'w str]) -> Vec<&'w str> {
        let version = self.run("--version");
        let text = String::from_utf8_lossy(&version.stdout);
        assert!(version.status.success() && text.trim().lines().count() == 1, "--version: {text}");
        assert!(matches!(self.line("--workload nonsense"), Line::Unsupported(_)));
        let measured = self.measured(workloads);
        let workload = format!("--workload {}", measured.first().expect("it measures something"));
        for senseless in ["--n many", "--n -1", "--n", "--workers 0", "--grain 1.5", "--nonsense 1"] {
            let output = self.run(&format!("{workload} {senseless}"));
            assert_eq!(output.status.code(), Some(2), "{senseless}");
            assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{senseless}: {output:?}");
        }
        assert_eq!(self.run("").status.code(), Some(2), "no workload");
        // Nothing at all is an answer too.
        assert!(matches!(self.line(&format!("{workload} --n 0")), Line::Figures(_)));
        measured
    }
}

/// The workloads of every group.
fn all() -> Vec<&'static str> {
    let tables = workloads::WORKLOADS.iter().chain(&fork_join::WORKLOADS).chain(&channels::WORKLOADS);
    tables.map(|(name, _)| *name).collect()
}

/// Arguments for a size that takes milliseconds.
fn tiny(workload: &str) -> String {
    let (n, grain) = match workload {
        "fib" | "fib_once" => (12, 0),
        "nqueens" => (6, 0),
        "matmul" => (64, 0),
        "uts_geo" => (3, 0),
        "uts_bin" => (10, 0),
        "par_for" | "par_for_in" => (20, 10_000),
        "isolated_join" => (100, 20),
        "long_leaf" | "wake" => (1, 0),
        "blocked" => (1, 10_000_000),
        "ping_pong" | "async_ping_pong" | "task_ping_pong" => (100, 0),
        "grain" | "speedup" => (1000, 100),
        _ => (2000, 0),
    };
    let capacity = match workload {
        _ if !channels::has(workload) => String::new(),
        "one_thread" => format!(" --capacity {n}"),
        _ => " --capacity 1".to_owned(),
    };
    format!("--workload {workload} --n {n} --grain {grain} --workers 2{capacity}")
}

/// The figures that the document names.
fn check(workload: &str, figures: &Figures) {
    let names: &[&str] = match workload {
        "pending" => &["bytes", "spawn_ns", "peak_kib"],
        "wake" => &["ns", "p99_ns", "call_ns"],
        "idle" | "blocked" => &["cpu_percent", "switches_per_s"],
        "grain" => &["ns", "cold_ns", "cpu", "passes", "peak_kib", "serial_ns"],
        "par_for" | "par_for_in" => &["ns", "serial_ns", "spaced_ns", "gap_cpu_percent"],
        "isolated_join" => &["ns", "serial_ns"],
        "long_leaf" => &["joins_us", "joins_worst_us"],
        "crowd" => &["ns", "pair_ns", "over_pair"],
        "round_trip" => &["ns"],
        _ => &["ns", "cold_ns", "cpu", "passes", "peak_kib"],
    };
    for name in names {
        assert!(figures.contains_key(*name), "{workload} has no {name}: {figures:?}");
    }
    // Memory per task may come out below nothing where there are few tasks.
    let sound = |(name, value): (&String, &f64)| value.is_finite() && (*value >= 0.0 || name == "bytes");
    assert!(figures.iter().all(sound), "{workload}: {figures:?}");
}

fn peers(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers").join(below)
}

/// Builds a program if its compiler is here; says so where it is not.
fn built(compiler: &str, program: &str, build: impl FnOnce(&mut Command, &Path)) -> Option<Peer> {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(program);
    let mut command = Command::new(compiler);
    build(&mut command, &out);
    match command.output() {
        Ok(output) => {
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
            Some(Peer(vec![out.display().to_string()]))
        }
        Err(error) => {
            eprintln!("skipped: {compiler} does not start ({error})");
            None
        }
    }
}

#[test]
fn the_probe_conforms() {
    let probe = env!("CARGO_BIN_EXE_probe").to_owned();
    let of = |backend: &str| Peer(vec![probe.clone(), "--backend".to_owned(), backend.to_owned()]);
    assert!(!of("serial").conforms(&all()).is_empty());
    assert!(matches!(of("nonsense").line("--workload seq"), Line::Unsupported(_)));
}

#[test]
fn the_example_conforms() {
    let program = peers("example/peer.py").display().to_string();
    if Command::new("python3").arg("--version").output().is_err() {
        return eprintln!("skipped: python3 is not here");
    }
    let peer = Peer(vec!["python3".to_owned(), program]);
    assert_eq!(peer.conforms(&["spawn_await", "seq", "nested", "fib", "spsc"]), ["spawn_await", "seq"]);
}

#[test]
fn the_c_peer_conforms() {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let peer = built(&compiler, "peer-c", |command, out| {
        command.args(["-O1", "-std=c11", "-pthread", "-Wall", "-Werror", "-o"]).arg(out);
        command.arg(peers("c/main.c")).arg(peers("c/pool.c"));
    });
    let Some(peer) = peer else { return };
    let expected =
        ["spawn_await", "spawn_detached", "seq", "batch8", "grain", "pending", "wake", "idle"].as_slice();
    assert_eq!(peer.conforms(&all()), expected);
}

#[test]
fn the_go_peer_conforms() {
    let compiler = std::env::var("WYN_GO").unwrap_or_else(|_| "go".to_owned());
    let peer = built(&compiler, "peer-go", |command, out| {
        command.current_dir(peers("go")).args(["build", "-o"]).arg(out).arg(".");
        command.env("GOTOOLCHAIN", "local").env("GOFLAGS", "-mod=mod -buildvcs=false");
    });
    let Some(peer) = peer else { return };
    let measured = peer.conforms(&all());
    let lacks = ["round_trip", "async_spsc", "async_ping_pong"];
    let has = |workload: &str| !fork_join::has(workload) && !lacks.contains(&workload);
    assert_eq!(measured, all().into_iter().filter(|name| has(name)).collect::<Vec<_>>());
    every_capacity_of_go(&peer);
}

/// Also select among more channels than a statement has cases, and what Go has no notion of.
fn every_capacity_of_go(peer: &Peer) {
    for workload in channels::WORKLOADS.map(|(name, _)| name) {
        for capacity in ["0", "2000", "unbounded"] {
            let words = tiny(workload).replace("--capacity 1", &format!("--capacity {capacity}"));
            let unbounded = capacity == "unbounded" && !workload.starts_with("oneshot");
            let line = peer.line(&words);
            assert!(!(unbounded && matches!(line, Line::Figures(_))) || workload == "one_thread", "{words}");
            assert!(!matches!(line, Line::Wrong(_)), "{words}: {line:?}");
        }
    }
    for workload in ["select_rx", "select_both"] {
        let words = format!("--workload {workload} --n 700 --workers 7 --capacity 1");
        assert!(matches!(peer.line(&words), Line::Figures(_)), "{words}");
    }
    assert!(matches!(peer.line("--workload spsc"), Line::Unsupported(_)));
    assert_eq!(peer.run("--workload spsc --capacity -1").status.code(), Some(2));
}

#[test]
fn a_named_peer_conforms() {
    let Ok(named) = std::env::var("WYN_PEER") else {
        return eprintln!("skipped: WYN_PEER names no program");
    };
    let peer = Peer(named.split_whitespace().map(str::to_owned).collect());
    println!("{named} conforms, and measures {}", peer.conforms(&all()).join(", "));
}
