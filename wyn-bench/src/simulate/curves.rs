//! Speed-up over the number of processors, and why it ends.

use std::collections::BTreeMap;

use super::clock::Picos;
use super::record::{Curve, Knee, Point};
use super::{Cause, Costs, Outcome, PolicyName, Setup, Shape, Workload, simulate};

/// Numbers of processors that are predicted.
pub const CORES: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
const GRAINS_NS: [u64; 4] = [10, 100, 1000, 10_000];
/// A second socket from so many processors on.
const CORES_PER_SOCKET: usize = 64;
/// A curve bends where this share of the processors' time is lost.
const BENT: f64 = 0.5;

/// A curve to be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Under this policy.
    pub policy: PolicyName,
    /// Of this workload.
    pub workload: Workload,
    /// On so many sockets.
    pub sockets: usize,
}

/// All curves of a record, of about `n` leaves each.
#[must_use]
pub fn plan(n: u64) -> Vec<Plan> {
    let mut plans = Vec::new();
    for shape in Shape::ALL {
        for grain_ns in GRAINS_NS {
            let workload = Workload::about(shape, n, grain_ns);
            let is_wanted =
                |policy: &PolicyName| !policy.is_proposal() || matches!(shape, Shape::Fib | Shape::FanOut);
            let policies = PolicyName::ALL.into_iter().filter(is_wanted);
            plans.extend(policies.map(|policy| Plan { policy, workload, sockets: 1 }));
        }
    }
    // What a far line does is most visible where lines matter most.
    let small = [Shape::Fib, Shape::FanOut].map(|shape| Workload::about(shape, n, 100));
    plans.extend(small.map(|workload| Plan { policy: PolicyName::Wyn, workload, sockets: 2 }));
    plans
}

/// Computes one curve.
#[must_use]
pub fn curve(costs: &Costs, plan: Plan, seed: u64) -> Curve {
    let Plan { policy, workload, sockets } = plan;
    let cores = CORES.into_iter().filter(|cores| sockets == 1 || *cores > CORES_PER_SOCKET / 2);
    let points: Vec<Point> = cores
        .map(|cores| {
            let setup = Setup { costs: costs.clone(), policy, workload, cores, sockets, seed };
            point(&setup, &simulate(&setup))
        })
        .collect();
    Curve {
        policy: policy.name().to_owned(),
        workload: workload.shape.name().to_owned(),
        n: workload.n,
        grain_ns: workload.grain / 1000,
        sockets,
        work_ns: ns(workload.work()),
        knee: knee(&points),
        points,
    }
}

fn point(setup: &Setup, outcome: &Outcome) -> Point {
    let all = ns(outcome.time) * setup.cores as f64;
    let losses = outcome.times.iter().filter(|(cause, time)| **cause != Cause::Work && **time > 0);
    let lost: BTreeMap<String, f64> =
        losses.map(|(cause, time)| (cause.name().to_owned(), rounded(ns(*time) / all))).collect();
    let speedup = ns(setup.workload.work()) / ns(outcome.time);
    Point { cores: setup.cores, ns: ns(outcome.time), speedup: rounded(speedup), lost }
}

fn knee(points: &[Point]) -> Option<Knee> {
    let bent = points.iter().find(|point| point.speedup / (point.cores as f64) < BENT)?;
    let (cause, share) = bent.lost.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
    Some(Knee { cores: bent.cores, cause: cause.clone(), share: *share })
}

/// Four digits behind the point are more than the model knows.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

/// Times stay far below 2^53 ps.
#[allow(clippy::cast_precision_loss, reason = "hours in picoseconds stay below 2^53")]
fn ns(time: Picos) -> f64 {
    time as f64 / 1000.0
}
