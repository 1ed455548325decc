//! How `bench baseline check` ends: 0 as before, 3 for a regression, 1 for anything else that goes wrong.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use wyn_bench::record::{Cell, Entry, Figures, Host, Outcome, Record, SCHEMA, Sample};

fn record(wyn_ns: f64) -> Record {
    let sample = |factor: f64| {
        let figures = Figures::from([("ns".to_owned(), wyn_ns * factor)]);
        Sample { figures, ..Sample::default() }
    };
    let cell = Cell { workload: "seq".to_owned(), n: 1000, grain_ns: 0, workers: 2, capacity: None };
    let outcome = Outcome::Measured([0.99, 1.0, 1.0, 1.01, 1.0].map(sample).to_vec());
    Record {
        schema: SCHEMA,
        group: "spawn".to_owned(),
        mode: "quick".to_owned(),
        spread: false,
        started: 0,
        command: String::new(),
        host: Host::default(),
        allocator: "system".to_owned(),
        versions: [].into(),
        entries: vec![Entry { backend: "wyn".to_owned(), cell, outcome, hung: 0 }],
    }
}

fn written(dir: &Path, name: &str, wyn_ns: f64) -> PathBuf {
    std::fs::create_dir_all(dir).unwrap();
    let file = dir.join(name);
    std::fs::write(&file, serde_json::to_string(&record(wyn_ns)).unwrap()).unwrap();
    file
}

fn baseline(words: &[&str], files: [&Path; 2]) -> Output {
    let (verb, rest) = words.split_first().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["bench", "baseline", verb]).arg(files[0]).arg("--from").arg(files[1]).args(rest);
    command.output().unwrap()
}

#[test]
fn a_regression_ends_with_code_3() {
    let dir = std::env::temp_dir().join(format!("wyn-exit-code-{}", std::process::id()));
    let (old, slower) = (written(&dir, "old.json", 10.0), written(&dir, "slower.json", 12.0));
    let saved = dir.join("saved.json");
    assert_eq!(baseline(&["save"], [&saved, &old]).status.code(), Some(0));

    assert_eq!(baseline(&["check"], [&saved, &old]).status.code(), Some(0));
    let regressed = baseline(&["check"], [&saved, &slower]);
    assert_eq!(regressed.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&regressed.stdout).contains("1.20x"));
    assert_eq!(baseline(&["check", "--threshold", "30%"], [&saved, &slower]).status.code(), Some(0));

    std::fs::remove_file(&saved).unwrap();
    assert_eq!(baseline(&["check"], [&saved, &old]).status.code(), Some(1));
    std::fs::remove_dir_all(&dir).unwrap();
}
