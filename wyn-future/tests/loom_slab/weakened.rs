//! Checks the checker: each ordering that the tables in `src/slab/` list is needed.
//!
//! Each model runs in a process of its own, since loom aborts at a deadlock.

use std::process::Command;

/// Runs `model` alone with the ordering of `site` relaxed; it must fail, and say `why`.
#[track_caller]
fn dies(site: &str, model: &str, why: &str) {
    let exe = std::env::current_exe().expect("this test is a file");
    let out = Command::new(exe)
        .args(["--exact", model, "--nocapture", "--test-threads=1"])
        .env("WYN_WEAKEN", format!("{site}=Relaxed"))
        .output()
        .expect("it can be started");
    let said = [out.stdout, out.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("running 1 test"), "no model {model}:\n{said}");
    assert!(!out.status.success(), "{model} does not notice {site} relaxed");
    assert!(said.contains(why), "{model} fails for another reason with {site} relaxed:\n{said}");
}

const RACE: &str = "Causality violation";

#[test]
fn release_of_open_is_needed() {
    dies("slab open", "reuse::a_key_without_synchronisation", RACE);
    dies("slab open", "reuse::a_waiter_without_synchronisation", "index out of bounds");
    dies("slab open", "reuse::a_close_without_synchronisation", "a slot got lost");
}

#[test]
fn acquire_of_claim_is_needed() {
    dies("slab claim", "reuse::a_key_without_synchronisation", RACE);
}

#[test]
fn acquire_of_mark_waited_is_needed() {
    dies("slab mark_waited", "reuse::a_waiter_without_synchronisation", "index out of bounds");
}

#[test]
fn release_of_publish_is_needed() {
    dies("slab publish", "complete_meets_take", RACE);
    dies("slab publish", "close_meets_complete", RACE);
}

#[test]
fn acquire_of_take_is_needed() {
    dies("slab take", "complete_meets_take", RACE);
}

#[test]
fn acquire_of_close_is_needed() {
    dies("slab close", "close_meets_complete", RACE);
    dies("slab close", "reuse::a_close_without_synchronisation", "a slot got lost");
}

#[test]
fn acquire_of_pop_is_needed() {
    dies("slab pop", "reuse::reuse_meets_stale_keys", "Stale");
    dies("slab pop", "reuse::free_list_churns", "Stale");
}

#[test]
fn release_of_push_is_needed() {
    dies("slab push", "reuse::reuse_meets_stale_keys", "Stale");
    dies("slab push", "reuse::free_list_churns", "Stale");
}

#[test]
fn acquire_of_chunk_is_needed() {
    dies("slab chunk", "reuse::two_open_at_once", RACE);
}

#[test]
fn release_of_grow_is_needed() {
    dies("slab grow", "reuse::two_open_at_once", RACE);
}
