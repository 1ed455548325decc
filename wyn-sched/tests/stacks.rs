//! Threads that have moved to another stack, as deep recursions do.
#![cfg(not(wyn_loom))]

mod common;

use common::{runtime, watchdog};
use wyn_sched::{join, scope, spawn};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

fn by_spawn(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let left = spawn(move || by_spawn(n - 1));
    let right = by_spawn(n - 2);
    left.join().unwrap() + right
}

fn by_join(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let (left, right) = join(|| by_join(n - 1), || by_join(n - 2));
    left + right
}

fn by_scope(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let mut left = 0;
    let right = scope(|scope| {
        scope.spawn_detached(|_| left = by_scope(n - 1));
        by_scope(n - 2)
    });
    left + right
}

#[test]
fn trees_on_another_stack() {
    let _dog = watchdog(110);
    let runtime = runtime(2);
    for tree in [by_spawn, by_join, by_scope] {
        for stack in [128 * KIB, MIB, 16 * MIB] {
            let grown = move || stacker::grow(stack, move || tree(14));
            assert_eq!(grown(), 377);
            assert_eq!(runtime.install(grown), 377);
        }
    }
}

/// A recursion that looks after its stack, with tasks that do not.
fn dig(depth: u64, tree: fn(u64) -> u64) -> u64 {
    stacker::maybe_grow(100 * KIB, MIB, || {
        let ballast = std::hint::black_box([depth; 64]);
        let below = if depth == 0 { 0 } else { dig(depth - 1, tree) };
        let here = if depth.is_multiple_of(16) { tree(5) } else { 5 };
        below + here + ballast[7] - depth
    })
}

#[test]
fn a_recursion_over_many_stacks() {
    let _dog = watchdog(110);
    let runtime = runtime(2);
    for tree in [by_spawn, by_join, by_scope] {
        assert_eq!(dig(3000, tree), 3001 * 5);
        assert_eq!(runtime.install(|| dig(3000, tree)), 3001 * 5);
    }
}

fn chain(depth: u64) -> u64 {
    let ballast = std::hint::black_box([1_u64; 32]);
    if depth == 0 { 0 } else { spawn(move || chain(depth - 1)).join().unwrap() + ballast[3] }
}

#[test]
fn no_wait_runs_over_the_end_of_another_stack() {
    let _dog = watchdog(110);
    let runtime = runtime(2);
    // Each at the addresses of the one before, with another end.
    for round in 0..12 {
        let stack = [4 * MIB, 192 * KIB, MIB, 160 * KIB][round % 4];
        let grown = move || stacker::grow(stack, || chain(4000));
        assert_eq!(grown(), 4000);
        assert_eq!(runtime.install(grown), 4000);
    }
}
