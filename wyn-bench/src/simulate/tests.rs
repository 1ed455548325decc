//! What must hold for any policy, workload and number of processors.

use super::clock::picos;
use super::run::Flaw;
use super::{Cause, Costs, Outcome, Picos, PolicyName, Setup, Shape, Workload, simulate, simulate_with};

fn setup(policy: PolicyName, shape: Shape, n: u64, grain_ns: u64, cores: usize) -> Setup {
    let workload = Workload::about(shape, n, grain_ns);
    Setup { costs: Costs::example(), policy, workload, cores, sockets: 1, seed: 7 }
}

fn all(n: u64, grain_ns: u64, cores: usize) -> impl Iterator<Item = Setup> {
    let pairs = PolicyName::ALL.into_iter().flat_map(|policy| Shape::ALL.map(|shape| (policy, shape)));
    pairs.map(move |(policy, shape)| setup(policy, shape, n, grain_ns, cores))
}

/// That every leaf and every job is run once is asserted in every run.
#[test]
fn work_is_done_once_and_time_is_bounded_from_below() {
    for cores in [1, 2, 3, 8, 40] {
        for grain_ns in [0, 100, 20_000] {
            for setup in all(700, grain_ns, cores) {
                let Outcome { time, times, .. } = simulate(&setup);
                let all = time * cores as Picos;
                assert!(time >= setup.workload.longest() && all >= setup.workload.work(), "{setup:?}");
                let booked = times.values().sum::<Picos>();
                // The end cuts into what is under way.
                assert!(booked.abs_diff(all) <= all / 50, "{booked} of {all}: {times:?} {setup:?}");
            }
        }
    }
}

#[test]
fn one_processor_takes_the_sum_of_the_serial_costs() {
    let costs = Costs::example();
    let per_leaf = |shape| match shape {
        Shape::Fib | Shape::Unbalanced => costs.fork,
        // A ninth as many nodes as leaves.
        Shape::Skynet => costs.fork_each * 10.0 / 9.0,
        Shape::FanOut => costs.spawn + costs.run,
        Shape::Loop => costs.attend / 10.0,
    };
    for shape in Shape::ALL {
        let setup = setup(PolicyName::Wyn, shape, 100_000, 100, 1);
        let Outcome { time, times, .. } = simulate(&setup);
        let n = setup.workload.n as f64;
        let expected = n * (100.0 + per_leaf(shape)) * 1000.0;
        let error = time as f64 / expected - 1.0;
        // Of a fan-out, the one call of a worker comes on top.
        assert!(error.abs() < 0.005, "{shape:?}: {error} {times:?}");
    }
}

#[test]
fn one_seed_gives_one_outcome() {
    for setup in all(2000, 300, 16) {
        let again = simulate(&setup);
        assert_eq!(simulate(&setup), again);
    }
    let other = |seed| simulate(&Setup { seed, ..setup(PolicyName::Wyn, Shape::Fib, 2000, 300, 16) }).time;
    assert!((1..10).any(|seed| other(seed) != other(0)), "the seed decides nothing");
}

#[test]
fn long_tasks_scale_under_every_policy() {
    for setup in all(10_000, 100_000, 8) {
        let Outcome { time, times, .. } = simulate(&setup);
        let speedup = setup.workload.work() as f64 / time as f64;
        assert!(speedup > 6.5 && speedup <= 8.0, "{speedup} {setup:?} {times:?}");
    }
}

#[test]
fn more_expensive_lines_make_nothing_faster() {
    for setup in all(5000, 100, 16).filter(|setup| setup.policy != PolicyName::Single) {
        let near = simulate(&setup).time;
        let costs = Costs { line: 600.0, line_stream: 100.0, ..Costs::example() };
        let far = simulate(&Setup { costs, ..setup.clone() }).time;
        // A random choice may fall better by chance.
        assert!(far as f64 > 0.9 * near as f64, "{near} {far} {setup:?}");
    }
}

#[test]
fn one_lock_has_a_greatest_rate() {
    let at = |cores| simulate(&setup(PolicyName::Queue, Shape::Fib, 30_000, 100, cores));
    let (few, many) = (at(8), at(64));
    assert!(
        many.time as f64 > 0.8 * few.time as f64,
        "a lock that 64 want is no faster than one that 8 want"
    );
    let largest =
        many.times.iter().filter(|(cause, _)| **cause != Cause::Work).max_by_key(|(_, time)| **time);
    assert_eq!(largest.map(|(cause, _)| *cause), Some(Cause::Locks));
}

#[test]
fn a_fan_out_is_no_faster_than_its_spawner() {
    let setup = setup(PolicyName::Wyn, Shape::FanOut, 50_000, 100, 64);
    let spawning = setup.workload.n as f64 * (setup.costs.spawn + setup.costs.run / 2.0) * 1000.0;
    assert!(simulate(&setup).time as f64 > spawning);
}

#[test]
fn all_are_called_in_the_time_of_a_few_wake_ups() {
    let setup = setup(PolicyName::Wyn, Shape::Fib, 50_000, 10_000, 64);
    let Outcome { time, times, .. } = simulate(&setup);
    let asleep = times[&Cause::AsleepBesideWork] / 64;
    assert!(asleep < picos(8.0 * setup.costs.wake_latency), "{asleep} ps of {time} each");
}

#[test]
fn fences_interrupt_nobody() {
    let interrupted = |policy| {
        let times = simulate(&setup(policy, Shape::Fib, 10_000, 20_000, 32)).times;
        times.get(&Cause::Interrupted).copied().unwrap_or_default()
    };
    assert!(interrupted(PolicyName::Wyn) > 0);
    assert_eq!(interrupted(PolicyName::WynFences), 0);
}

fn with(flaw: Flaw, policy: PolicyName) {
    let _ = simulate_with(&setup(policy, Shape::Fib, 5000, 500, 8), flaw);
}

#[test]
#[should_panic(expected = "every thread sleeps and work is left")]
fn a_lost_job_is_caught() {
    with(Flaw::LosesAJob, PolicyName::Single);
}

#[test]
#[should_panic(expected = "every leaf is run once")]
fn a_job_that_is_run_twice_is_caught() {
    with(Flaw::RunsAJobTwice, PolicyName::Wyn);
}

#[test]
#[should_panic(expected = "work adds up")]
fn work_that_is_skipped_is_caught() {
    with(Flaw::SkipsWork, PolicyName::Queue);
}
