//! One measurement: one process, one line, a time limit.

use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use wyn_bench::meter::SPREAD;
use wyn_bench::record::{Cell, Line};
use wyn_bench::workloads::fork_join;

use crate::cmd;

/// What came of a process.
#[derive(Debug)]
pub(crate) enum Ended {
    Line(Line),
    /// Killed at the limit.
    Hung,
    /// No line, or a bad one.
    Failed(String),
}

/// Runs a backend's program on a cell and waits no longer than the limit.
pub(crate) fn measure(
    program: &Path,
    backend: &str,
    cell: &Cell,
    spread: bool,
    limit: Duration,
) -> Result<Ended> {
    let mut command = Command::new(cmd::this_program()?);
    command.arg("launch").arg("--").arg(program);
    command.args(["--backend", backend, "--workload", &cell.workload]);
    command.args(["--n", &cell.n.to_string(), "--grain", &cell.grain_ns.to_string()]);
    command.args(["--workers", &cell.workers.to_string()]);
    if let Some(capacity) = cell.capacity {
        command.args(["--capacity", &capacity.to_string()]);
    }
    command.env("WYN_WORKERS", cell.workers.to_string()).env_remove("RUST_BACKTRACE");
    if fork_join::has(&cell.workload) {
        // Deep recursions meet helping waits: what a peer's thread has by default is not the question here.
        command.env("RUST_MIN_STACK", (64 << 20).to_string());
    } else {
        command.env_remove("RUST_MIN_STACK");
    }
    if spread {
        command.env(SPREAD, "1");
    } else {
        command.env_remove(SPREAD);
    }
    finish(&mut command, limit)
}

/// The child prints one short line: it fits into the pipe, so it may be read after the end.
fn finish(command: &mut Command, limit: Duration) -> Result<Ended> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("no process")?;
    let Some(status) = cmd::wait_at_most(&mut child, limit, Duration::from_millis(1))? else {
        return Ok(Ended::Hung);
    };
    let (mut out, mut err) = (String::new(), String::new());
    child.stdout.take().context("no standard output")?.read_to_string(&mut out)?;
    child.stderr.take().context("no standard error")?.read_to_string(&mut err)?;
    Ok(match serde_json::from_str(out.trim()) {
        Ok(line) => Ended::Line(line),
        Err(_) => Ended::Failed(format!("{status}: {}", err.lines().next().unwrap_or("no line"))),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Ended {
        finish(Command::new("sh").args(["-c", script]), Duration::from_millis(500)).unwrap()
    }

    #[test]
    fn a_line_is_read() {
        assert!(matches!(shell("echo '{\"figures\":{\"ns\":1.5}}'"), Ended::Line(Line::Figures(_))));
        assert!(matches!(shell("echo '{\"wrong\":\"x\"}'; exit 1"), Ended::Line(Line::Wrong(_))));
    }

    #[test]
    fn who_hangs_is_not_waited_for() {
        let start = Instant::now();
        assert!(matches!(shell("exec sleep 30"), Ended::Hung));
        assert!(start.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn who_prints_nothing_failed() {
        assert!(matches!(shell("exit 3"), Ended::Failed(_)));
        assert!(matches!(shell("echo nonsense"), Ended::Failed(_)));
    }
}
