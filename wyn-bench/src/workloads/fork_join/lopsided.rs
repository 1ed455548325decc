//! Chains of 1000 joins in which one branch is a step of about 10 ns and the other the rest of the chain.
//!
//! Nothing is gained by a second worker here; the question is how much is lost.

use super::{churn, short_steps};
use crate::backend::ForkJoin;
use crate::meter::Job;

/// Joins in one chain.
const LINKS: u64 = 1000;

/// The sum over all steps of all chains.
pub(super) fn job(n: u64) -> Job {
    let chain: u64 = (0..LINKS).fold(0, |sum, link| sum.wrapping_add(step(link)));
    Job { ops: n / LINKS * LINKS, expected: chain.wrapping_mul(n / LINKS) }
}

/// The step waits to be taken, or the rest of the chain does.
pub(super) fn right<B: ForkJoin>(context: &mut B::Context<'_>, n: u64) -> u64 {
    (0..n / LINKS).fold(0, |sum, _| sum.wrapping_add(rest_waits::<B>(context, LINKS)))
}

pub(super) fn left<B: ForkJoin>(context: &mut B::Context<'_>, n: u64) -> u64 {
    (0..n / LINKS).fold(0, |sum, _| sum.wrapping_add(step_waits::<B>(context, LINKS)))
}

fn step(link: u64) -> u64 {
    churn(std::hint::black_box(link), short_steps(10))
}

fn rest_waits<B: ForkJoin>(context: &mut B::Context<'_>, links: u64) -> u64 {
    let Some(link) = links.checked_sub(1) else { return 0 };
    let (a, b) = B::join(context, |_| step(link), |context| rest_waits::<B>(context, link));
    a.wrapping_add(b)
}

fn step_waits<B: ForkJoin>(context: &mut B::Context<'_>, links: u64) -> u64 {
    let Some(link) = links.checked_sub(1) else { return 0 };
    let (a, b) = B::join(context, |context| step_waits::<B>(context, link), |_| step(link));
    a.wrapping_add(b)
}
