//! Checks the checker: each ordering of the table in `src/state.rs` and each barrier half is needed.
//!
//! A lost wake-up is a deadlock, at which loom aborts: each model runs in a process of its own.

use std::process::Command;

/// Runs `model` alone with `name` set to `value`; it must fail, for one of the reasons `why`.
#[track_caller]
fn dies((name, value): (&str, &str), model: &str, why: &[&str]) {
    let exe = std::env::current_exe().expect("this test is a file");
    let out = Command::new(exe)
        .args(["--exact", model, "--nocapture", "--test-threads=1"])
        .env(name, value)
        .output()
        .expect("it can be started");
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("running 1 test"), "no model {model}:\n{said}");
    assert!(!out.status.success(), "{model} does not notice {name}={value}");
    assert!(
        why.iter().any(|why| said.contains(why)),
        "{model} fails for another reason with {name}={value}:\n{said}"
    );
}

const RACE: &[&str] = &["Causality violation"];
const DEADLOCK: &[&str] = &["deadlock"];
const LOST: &[&str] = &["a wake-up was lost"];
const LEAK: &[&str] = &["assertion failed: completer != handle"];
/// Which comes first is chance: that the outcome is old, or that the payload is touched too early.
const STALE: &[&str] = &["a stale outcome", "Causality violation"];

/// Which comes first is chance: the count, or the race for the payload.
const TWICE: &[&str] = &["run twice", "Causality violation"];

#[test]
fn light_is_needed() {
    let missing = ("WYN_BARRIER", "light");
    dies(missing, "wait_is_woken", DEADLOCK);
    dies(missing, "poll_is_woken", LOST);
    dies(missing, "second_wait_is_woken", DEADLOCK);
    dies(missing, "abandon_frees_once", LEAK);
    dies(missing, "claim::claim_meets_begin", TWICE);
}

#[test]
fn heavy_is_needed() {
    let missing = ("WYN_BARRIER", "heavy");
    dies(missing, "wait_is_woken", DEADLOCK);
    dies(missing, "poll_is_woken", LOST);
    dies(missing, "second_wait_is_woken", DEADLOCK);
    dies(missing, "abandon_frees_once", LEAK);
    dies(missing, "claim::claim_meets_begin", TWICE);
}

#[test]
fn release_of_left_is_needed() {
    dies(("WYN_WEAKEN", "left=Relaxed"), "value_is_visible", RACE);
}

#[test]
fn acquire_of_phase_is_needed() {
    dies(("WYN_WEAKEN", "phase=Relaxed"), "value_is_visible", RACE);
}

#[test]
fn release_of_register_is_needed() {
    dies(("WYN_WEAKEN", "register=Relaxed"), "wait_is_woken", RACE);
}

#[test]
fn acquire_of_look_is_needed() {
    dies(("WYN_WEAKEN", "look=Release"), "wait_is_woken", RACE);
    dies(("WYN_WEAKEN", "look=Release"), "abandon_without_barriers_is_safe", RACE);
}

#[test]
fn release_of_look_is_needed() {
    dies(("WYN_WEAKEN", "look=Acquire"), "abandon_without_barriers_is_safe", STALE);
}

#[test]
fn acquire_of_looked_is_needed() {
    dies(("WYN_WEAKEN", "looked=Relaxed"), "abandon_without_barriers_is_safe", STALE);
}

#[test]
fn release_of_gone_is_needed() {
    dies(("WYN_WEAKEN", "gone=Relaxed"), "abandon_without_barriers_is_safe", RACE);
}

#[test]
fn release_of_leave_claimed_is_needed() {
    dies(("WYN_WEAKEN", "leave_claimed=Acquire"), "claim::claim_meets_begin", RACE);
}

#[test]
fn acquire_of_leave_claimed_is_needed() {
    dies(("WYN_WEAKEN", "leave_claimed=Release"), "claim::claim_meets_begin", RACE);
}

#[test]
fn release_of_leave_void_is_needed() {
    dies(("WYN_WEAKEN", "leave_void=Acquire"), "claim::claim_meets_begin", RACE);
}

#[test]
fn acquire_of_leave_void_is_needed() {
    dies(("WYN_WEAKEN", "leave_void=Release"), "claim::claim_meets_begin", RACE);
}
