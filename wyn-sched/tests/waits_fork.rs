//! Fork-join whose pieces wait: for each other, or beside tasks that they have spawned and do not wait for.
//!
//! A wait for a branch runs only what lies below that branch, so it ends when the branch does.
#![cfg(all(not(wyn_loom), feature = "channel"))]

mod common;
mod waiting;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::time::Duration;

use common::{Gate, wait_until};
use waiting::{FORKS, burn, by_join, by_scope, each};
use wyn_channel::{Receiver, Sender, bounded, unbounded};
use wyn_sched::{join, join_all, par_for, scope, scope_fifo, spawn, spawn_detached};

#[test]
fn as_many_children_as_workers_meet_and_fork_join() {
    each(|runtime| {
        for forks in FORKS {
            for _ in 0..20 {
                let children = runtime.workers();
                let barrier = Barrier::new(children);
                runtime.install(|| {
                    scope(|s| {
                        for _ in 0..children {
                            s.spawn_detached(|_| {
                                assert_eq!(forks(4), 4);
                                barrier.wait();
                                assert_eq!(forks(4), 4);
                            });
                        }
                    });
                });
            }
        }
    });
}

#[test]
fn more_children_than_workers_exchange_messages_and_fork_join() {
    each(|runtime| {
        for forks in FORKS {
            for capacity in [Some(1), Some(2), None] {
                let children = 2 * runtime.workers() + 3;
                let ring = |_| capacity.map_or_else(unbounded, bounded);
                let ends: Vec<(Sender<u64>, Receiver<u64>)> = (0..children).map(ring).collect();
                let total = AtomicUsize::new(0);
                runtime.install(|| {
                    scope(|s| {
                        for i in 0..children {
                            let (ends, total) = (&ends, &total);
                            s.spawn_detached(move |_| {
                                for _ in 0..3 {
                                    let own = forks(3);
                                    ends[(i + 1) % children].0.send(own).unwrap();
                                    let got = ends[i].1.recv().unwrap() + forks(3);
                                    total.fetch_add(usize::try_from(got).unwrap(), Ordering::Relaxed);
                                }
                            });
                        }
                    });
                });
                assert_eq!(total.into_inner(), children * 3 * 6);
            }
        }
    });
}

/// Neither can end before the other has begun.
#[test]
fn the_branches_of_a_join_wait_for_each_other() {
    each(|runtime| {
        for capacity in [0, 1] {
            let ((to_b, at_b), (to_a, at_a)) = (bounded(capacity), bounded(capacity));
            runtime.install(|| {
                for round in 0..200_u64 {
                    let (a, b) = join(
                        || {
                            to_b.send(round).unwrap();
                            at_a.recv().unwrap()
                        },
                        || {
                            let got = at_b.recv().unwrap();
                            to_a.send(got + 1).unwrap();
                            got
                        },
                    );
                    assert_eq!((a, b), (round + 1, round));
                }
            });
        }
    });
}

#[test]
fn the_branches_of_nested_forks_wait_for_each_other() {
    each(|runtime| {
        runtime.install(|| {
            for _ in 0..100 {
                let ((s1, r1), (s2, r2), (s3, r3)) = (bounded(0), bounded(1), unbounded());
                let inner = || {
                    let mut sum = 0;
                    scope(|s| {
                        s.spawn_detached(|_| sum = r2.recv().unwrap() + by_join(2));
                        s2.send(r1.recv().unwrap() + by_scope(2)).unwrap();
                    });
                    s3.send(sum).unwrap();
                };
                let [_, got, _] = join_all([0, 1, 2].map(|which| {
                    let (inner, s1, r3) = (&inner, &s1, &r3);
                    move || match which {
                        0 => {
                            inner();
                            0
                        }
                        1 => r3.recv().unwrap(),
                        _ => {
                            s1.send(1_u64).unwrap();
                            0
                        }
                    }
                }));
                assert_eq!(got, 5);
            }
        });
    });
}

/// rayon #969: what a branch leaves behind lies where the other branch is looked for.
#[test]
fn a_fork_returns_before_the_task_that_a_branch_has_left_behind() {
    each(|runtime| {
        for _ in 0..100 {
            let (gate, (sender, receiver)) = (Gate::default(), mpsc::channel());
            let leave = || {
                let (gate, sender) = (gate.clone(), sender.clone());
                spawn_detached(move || {
                    gate.wait();
                    sender.send(1).unwrap();
                });
            };
            // One task is left at a time: it may keep a worker.
            runtime.install(|| assert_eq!(join(leave, || 2), ((), 2)));
            gate.open();
            assert_eq!(receiver.recv(), Ok(1));
        }
        for forks in FORKS {
            for _ in 0..50 {
                let gate = Gate::default();
                let left = runtime.install(|| {
                    let (left, _) = join(
                        || {
                            let gate = gate.clone();
                            let left = spawn(move || gate.wait());
                            assert_eq!(forks(3), 3);
                            left
                        },
                        || forks(3),
                    );
                    gate.open();
                    left
                });
                left.join().unwrap();
            }
        }
    });
}

/// The task lies above the outer branch, and below those of the inner joins, for as long as they go on.
#[test]
fn a_task_stays_queued_above_an_outer_branch() {
    each(|runtime| {
        for _ in 0..30 {
            let (sender, receiver) = bounded::<u64>(0);
            runtime.install(|| {
                let order = Mutex::new(Vec::new());
                let (queued, ()) = join(
                    || {
                        // Waits for what is sent after all joins have returned.
                        let queued = spawn(move || receiver.recv().unwrap());
                        for forks in FORKS {
                            (0..10).for_each(|_| assert_eq!(forks(2), 2));
                        }
                        order.lock().unwrap().push("first");
                        queued
                    },
                    || {
                        burn(5);
                        order.lock().unwrap().push("second");
                    },
                );
                assert_eq!(order.into_inner().unwrap().len(), 2);
                sender.send(7).unwrap();
                assert_eq!(queued.join().unwrap(), 7);
            });
        }
    });
}

/// The inner scope returns, and then the children of the outer one get what they wait for.
#[test]
fn an_inner_scope_leaves_the_children_of_the_outer_one_alone() {
    each(|runtime| {
        for _ in 0..100 {
            let (sender, receiver) = bounded(1);
            let (outer_sum, inner_sum) = (AtomicUsize::new(0), AtomicUsize::new(0));
            runtime.install(|| {
                scope(|outer| {
                    scope(|inner| {
                        for i in 0..6 {
                            let (receiver, outer_sum, inner_sum) = (&receiver, &outer_sum, &inner_sum);
                            outer.spawn_detached(move |_| {
                                outer_sum.fetch_add(receiver.recv().unwrap(), Ordering::Relaxed);
                            });
                            inner.spawn_detached(move |_| _ = inner_sum.fetch_add(i, Ordering::Relaxed));
                        }
                    });
                    assert_eq!(inner_sum.load(Ordering::Relaxed), 15);
                    (0..6).for_each(|i| sender.send(i).unwrap());
                });
            });
            assert_eq!(outer_sum.into_inner(), 15);
        }
    });
}

/// As above, but a child of the inner scope spawns them, and its own handle is joined.
#[test]
fn a_scoped_join_leaves_the_other_children_alone() {
    each(|runtime| {
        for _ in 0..100 {
            let (sender, receiver) = bounded(0);
            runtime.install(|| {
                let got = scope(|outer| {
                    let receives = outer.spawn(|_| receiver.recv().unwrap());
                    let first = outer.spawn(|_| 1);
                    let second = scope(|inner| {
                        let nested = inner.spawn(|_| {
                            outer.spawn_detached(|_| burn(2));
                            by_join(3)
                        });
                        nested.join().unwrap()
                    });
                    let sum = first.join().unwrap() + second;
                    sender.send(sum).unwrap();
                    receives.join().unwrap()
                });
                assert_eq!(got, 4);
            });
        }
    });
}

/// Pieces of a loop each hand a message to a task that was spawned before the loop, and wait for its answer.
#[test]
fn pieces_of_a_loop_talk_to_a_task() {
    each(|runtime| {
        for _ in 0..20 {
            let ((to_task, at_task), (answers, answer)) = (bounded::<u64>(1), bounded::<u64>(0));
            runtime.install(|| {
                let (starts, started) = bounded(0);
                let server = spawn(move || {
                    starts.send(()).unwrap();
                    at_task.iter().for_each(|question| answers.send(question * 2).unwrap());
                });
                // Before pieces of the loop block all workers in the lock.
                started.recv().unwrap();
                let sum = AtomicUsize::new(0);
                let turn = Mutex::new(());
                par_for(0..40, 1, |i| {
                    burn(5);
                    // The lock is held across a wait in a channel. Others wait for it without being replaced.
                    let _turn = turn.lock().unwrap();
                    to_task.send(i as u64).unwrap();
                    let got = usize::try_from(answer.recv().unwrap()).unwrap();
                    sum.fetch_add(got, Ordering::Relaxed);
                });
                assert_eq!(sum.into_inner(), 39 * 40);
                drop(to_task);
                server.join().unwrap();
            });
        }
    });
}

#[test]
fn children_in_order_wait_for_later_ones() {
    each(|runtime| {
        for _ in 0..50 {
            let (sender, receiver) = bounded(0);
            let ran = Arc::new(AtomicUsize::new(0));
            runtime.install(|| {
                scope_fifo(|s| {
                    let ran = &ran;
                    s.spawn_fifo(|_| _ = ran.fetch_add(receiver.recv().unwrap(), Ordering::Relaxed));
                    s.spawn_fifo(|_| _ = ran.fetch_add(1, Ordering::Relaxed));
                    s.spawn_fifo(|_| sender.send(2).unwrap());
                });
            });
            assert_eq!(ran.load(Ordering::Relaxed), 3);
        }
    });
}

/// As rayon's `ScopeFifo`, it may be used by several threads at once.
#[test]
fn a_fifo_scope_is_shared_by_the_branches_of_a_join() {
    let count = AtomicUsize::new(0);
    let one = |_: &wyn_sched::ScopeFifo<'_>| _ = count.fetch_add(1, Ordering::Relaxed);
    scope_fifo(|s| {
        s.spawn_fifo(|s| _ = join(|| s.spawn_fifo(one), || s.spawn_fifo(one)));
    });
    assert_eq!(count.into_inner(), 2);
}

#[test]
fn a_guest_forks_while_its_tasks_wait() {
    each(|runtime| {
        for forks in FORKS {
            for _ in 0..50 {
                let (sender, receiver) = bounded(1);
                let waits = runtime.spawn(move || receiver.recv_timeout(Duration::from_secs(20)).unwrap());
                let own = spawn(|| 1);
                assert_eq!(forks(3), 3);
                sender.send(own.join().unwrap()).unwrap();
                wait_until("the message has come", || waits.is_finished());
                assert_eq!(waits.join().unwrap(), 1);
            }
        }
    });
}
