//! The model beside this machine: the same workloads with one and with two processors.

use std::process::Command;

use wyn_bench::os;
use wyn_bench::simulate::record::Check;
use wyn_bench::simulate::{Costs, PolicyName, Setup, Shape, Workload, simulate};

use crate::{Failure, SEED};

/// What the record calls right.
const TOLERATED: f64 = 0.25;
/// Work that is no longer than what a runtime does for it.
const SMALL_NS: u64 = 50;

/// Each number of processors in a process of its own, which may use so many.
pub(crate) fn measured() -> Result<Vec<Check>, Failure> {
    let mut checks = Vec::new();
    for workers in [1, 2] {
        checks.extend(on(workers)?);
    }
    Ok(checks)
}

fn on(workers: usize) -> Result<Vec<Check>, Failure> {
    let cpus = os::allowed_cpus();
    // The child inherits where its parent thread may run.
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            if workers == 1 {
                os::pin(*cpus.first().ok_or("no processor")?);
            }
            let mut command = Command::new(std::env::current_exe().map_err(|error| error.to_string())?);
            command.args(["real", &workers.to_string()]).env("WYN_WORKERS", workers.to_string());
            let output = command.output().map_err(|error| error.to_string())?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).into_owned());
            }
            serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
        });
        thread.join().expect("starting a process does not panic").map_err(Failure::from)
    })
}

/// Adds what the model says. A leaf's work in it is what the plain calls took, so that the body of a node is in it.
pub(crate) fn predicted(costs: &Costs, mut check: Check) -> Check {
    let Some(shape) = Shape::named(&check.workload) else { return check };
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "times are small and positive"
    )]
    let grain = (check.serial_ns * 1000.0 / check.n as f64) as u64;
    let workload = Workload { shape, n: check.n, grain };
    let (policy, cores) = (PolicyName::Wyn, check.cores);
    let setup = Setup { costs: costs.clone(), policy, workload, cores, sockets: 1, seed: SEED };
    check.predicted_ns = simulate(&setup).time as f64 / 1000.0;
    check.ratio = check.predicted_ns / check.measured_ns;
    check.note = note(&check).to_owned();
    check
}

/// Why a prediction is far off.
fn note(check: &Check) -> &'static str {
    let is_far_off = (check.ratio - 1.0).abs() > TOLERATED;
    match (is_far_off, check.grain_ns < SMALL_NS, check.cores) {
        (false, ..) => "",
        (true, true, 1) => "the price of a task depends on what it overlaps with beside so little work",
        (true, true, _) => "a run this short is a few wake-ups long, and they vary",
        (true, false, _) => "not understood",
    }
}
