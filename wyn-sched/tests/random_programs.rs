//! Random programs of tasks that wait for each other end, with the right answers, however many workers there are.
//!
//! Each program would end if every task had a thread of its own ([`random::plan`]), so it must end here. One that does
//! not is named with its seed, and with the step that each of its tasks is in. To repeat it:
//! `WYN_SEED=… WYN_PROGRAMS=1 WYN_TASKS=… cargo nextest run -p wyn-sched --test random_programs TEST`.
//! `WYN_PATIENCE_MS` is how long a program may stand still.
#![cfg(all(not(wyn_loom), feature = "channel"))]

mod common;
mod random;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use common::env_number;
use random::course::Course;
use random::plan::{self, Flavour};

fn course(test: &'static str, flavours: &'static [Flavour], programs: u64) -> Course {
    Course { test, flavours, seed: 1, programs, until: None, on_threads: false }
}

#[test]
fn programs_of_joins() {
    course("programs_of_joins", &[plan::JOINS], 800).run();
}

#[test]
fn programs_of_channels() {
    course("programs_of_channels", &[plan::CHANNELS], 800).run();
}

#[test]
fn programs_of_forks() {
    course("programs_of_forks", &[plan::FORKS], 800).run();
}

#[test]
fn programs_of_futures() {
    course("programs_of_futures", &[plan::FUTURES], 800).run();
}

#[test]
fn programs_of_values_and_yields() {
    course("programs_of_values_and_yields", &[plan::VALUES], 800).run();
}

#[test]
fn programs_of_runtimes_and_threads() {
    course("programs_of_runtimes_and_threads", &[plan::OUTSIDE], 600).run();
}

#[test]
fn programs_of_everything() {
    course("programs_of_everything", &[plan::EVERYTHING], 600).run();
}

#[test]
fn each_task_may_have_a_thread_of_its_own() {
    // The programs themselves are right: no runtime has a part in this.
    let course = course("each_task_may_have_a_thread_of_its_own", &plan::FLAVOURS, 500);
    Course { on_threads: true, ..course }.run();
}

/// Until the time is over (`WYN_STRESS_MS`), or as many as `WYN_PROGRAMS` says.
#[test]
fn stress_random_programs() {
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |time| time.subsec_nanos());
    let time = Duration::from_millis(env_number("WYN_STRESS_MS").unwrap_or(10_000));
    let until = env_number("WYN_PROGRAMS").is_none().then(|| Instant::now() + time);
    let course = course("stress_random_programs", &plan::FLAVOURS, u64::MAX);
    Course { seed: u64::from(clock) << 20, until, ..course }.run();
}
