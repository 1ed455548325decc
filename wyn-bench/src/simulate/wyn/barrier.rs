//! The heavy half of the asymmetric barrier: it interrupts every processor that runs a thread of the process
//! (`wyn-sched/src/barrier.rs`).

use super::super::clock::picos;
use super::super::ledger::Cause;
use super::super::run::Run;
use super::Wyn;

// As they are in `barrier.rs`.
const PATIENCE_ROUNDS: usize = 150;
const PROCESSORS: usize = 8;
const MOST_PATIENCE: usize = 8;

/// How often a thief looks for an answer before it calls the barrier.
pub(super) fn patience_rounds(run: &Run<Wyn>) -> usize {
    let times = if run.costs.interrupt > 0.0 { (run.cores / PROCESSORS).clamp(1, MOST_PATIENCE) } else { 1 };
    PATIENCE_ROUNDS * times
}

/// What it costs the caller now, in nanoseconds.
pub(super) fn price(run: &Run<Wyn>) -> f64 {
    match run.clock.running().saturating_sub(1) {
        // A system call that finds nobody to interrupt.
        0 => run.costs.sched_yield.min(run.costs.barrier),
        others => run.costs.barrier + run.costs.barrier_each * (others - 1) as f64,
    }
}

pub(super) async fn heavy(run: &Run<Wyn>, me: usize) {
    let ns = price(run);
    run.clock.interrupt_others(me, picos(run.costs.interrupt));
    run.pay(me, Cause::Barrier, ns).await;
}
