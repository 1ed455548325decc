//! The heavy half of the asymmetric barrier: it interrupts every processor that runs a thread of the process.

use super::super::clock::picos;
use super::super::ledger::Cause;
use super::super::run::Run;
use super::Wyn;

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
