//! A thief stopped half-way, step by step: what the owner may do meanwhile.

use super::index::Index;
use super::ring::Ring;
use super::words::Locked;
use super::{Stealer, Worker};

fn filled(capacity: usize, items: u32) -> (Worker<u32>, Stealer<u32>) {
    let worker = Worker::with_capacity(capacity);
    (1..=items).for_each(|item| worker.push(item));
    let stealer = worker.stealer();
    (worker, stealer)
}

/// Asks, and announces a claim up to `end` without waiting for an answer.
fn announce(locked: &Locked<'_, u32>, end: Index) {
    let (from, _) = locked.estimate();
    locked.ask(from, 1);
    assert_eq!(locked.insist(from, end), Ok(()));
}

/// Announces and confirms a claim up to `end`.
fn claim(locked: &Locked<'_, u32>, end: usize) {
    announce(locked, Index(end));
    locked.confirm(Index(end));
}

/// Copies the item at `at`, which is claimed, as a thief does.
fn copy(locked: &Locked<'_, u32>, at: usize) -> u32 {
    // SAFETY: the worker of the test does not grow while the view is used.
    let view = unsafe { Ring::view(locked.ring()) };
    // SAFETY: the slot holds an item that the claim covers, and a `u32` may be copied.
    unsafe { view.read(Index(at)) }
}

#[test]
fn growth_carries_what_is_claimed_and_not_copied() {
    let (worker, stealer) = filled(2, 2);
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    claim(&locked, 1);
    (3..=9).for_each(|item| worker.push(item));
    assert_eq!(copy(&locked, 0), 1);
}

#[test]
fn shrinking_carries_what_is_claimed_and_not_copied() {
    let (worker, stealer) = filled(1024, 5);
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    claim(&locked, 3);
    worker.shrink_to(0);
    assert_eq!([copy(&locked, 0), copy(&locked, 1), copy(&locked, 2)], [1, 2, 3]);
    // Eight slots, five of them in use until the thief is done with its three.
    (6..=20).for_each(|item| worker.push(item));
    assert_eq!((worker.len(), copy(&locked, 0)), (17, 1));
    locked.finish(Index(3));
    drop(locked);
    assert_eq!(std::iter::from_fn(|| stealer.steal().success()).collect::<Vec<_>>(), Vec::from_iter(4..=20));
}

#[test]
fn a_deque_that_is_small_already_does_not_shrink() {
    let (worker, _stealer) = filled(4, 4);
    for capacity in [0, 4, 1 << 20, usize::MAX] {
        worker.shrink_to(capacity);
    }
    assert_eq!((worker.len(), worker.pop()), (4, Some(4)));
}

#[test]
fn a_slot_is_not_written_before_it_is_copied() {
    let (worker, stealer) = filled(4, 4);
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    claim(&locked, 2);
    worker.push(5);
    worker.push(6);
    assert_eq!((copy(&locked, 0), copy(&locked, 1)), (1, 2));
    assert_eq!(worker.len(), 4);
}

#[test]
fn the_owner_does_not_wait_for_a_thief_that_copies() {
    let (worker, stealer) = filled(4, 3);
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    claim(&locked, 2);
    assert_eq!((worker.pop(), worker.pop(), worker.pop()), (Some(3), None, None));
    worker.push(4);
    assert_eq!(worker.pop(), Some(4));
    assert!(stealer.is_empty());
}

#[test]
fn a_second_thief_is_told_to_retry() {
    let (worker, stealer) = filled(4, 3);
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    assert!(stealer.steal().is_retry());
    announce(&locked, Index(3));
    assert!(stealer.steal().is_retry(), "what is announced may come back");
    locked.confirm(Index(3));
    assert!(stealer.steal().is_empty());
    locked.finish(Index(3));
    drop(locked);
    worker.push(4);
    assert_eq!(stealer.steal().success(), Some(4));
}

#[test]
fn the_owner_gets_back_what_is_retracted() {
    let (worker, stealer) = filled(4, 1);
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    announce(&locked, Index(1));
    let popped = std::thread::scope(|scope| {
        let owner = scope.spawn(move || worker.pop());
        while locked.head_decisive() != Index(0) {
            std::thread::yield_now();
        }
        locked.retract(Index(0));
        owner.join().expect("the owner comes to an end")
    });
    assert_eq!(popped, Some(1));
}

#[test]
fn a_retired_ring_waits_for_the_thief_that_copies() {
    let (worker, stealer) = filled(2, 2);
    let is_kept = |worker: &Worker<u32>| {
        let ring = worker.shared.words.ring();
        // SAFETY: the ring in use is alive, and this thread is the owner.
        let older = unsafe { Ring::take_older(ring) };
        // SAFETY: both are alive, and the place is empty.
        older.map(|older| unsafe { Ring::keep_older(ring, older) }).is_some()
    };
    let copied = stealer.claim(
        1,
        1,
        |_| (),
        |view, from, _| {
            // Two more rings.
            (3..=20).for_each(|item| worker.push(item));
            assert!(is_kept(&worker));
            // SAFETY: the claimed item is the thief's.
            unsafe { view.read(from) }
        },
    );
    assert_eq!(copied.success(), Some(1));
    assert!(is_kept(&worker));
    // The owner looks again when it has pushed for a while.
    (0..64).for_each(|item| worker.push(item));
    assert!(!is_kept(&worker));
}

#[test]
fn a_ring_outlives_its_worker_while_a_thief_copies() {
    let (worker, stealer) = filled(2, 2);
    let mut worker = Some(worker);
    let copied = stealer.claim(
        1,
        1,
        |_| (),
        |view, from, _| {
            let worker = worker.take().expect("one claim");
            (3..=20).for_each(|item| worker.push(item));
            drop(worker);
            // SAFETY: the claimed item is the thief's.
            unsafe { view.read(from) }
        },
    );
    assert_eq!(copied.success(), Some(1));
    assert_eq!(stealer.len(), 19);
}

#[test]
fn the_owner_answers_a_question_with_half_and_never_with_its_last_item() {
    let (worker, stealer) = filled(8, 5);
    let locked = stealer.shared.words.try_lock().unwrap();
    locked.ask(Index(0), 8);
    assert_eq!(locked.answer(Index(0)), None);
    assert_eq!(worker.pop(), Some(5));
    assert_eq!(locked.answer(Index(0)), Some(Index(2)));
    locked.confirm(Index(2));
    assert_eq!((copy(&locked, 0), copy(&locked, 1)), (1, 2));
    locked.finish(Index(2));
    assert_eq!((worker.pop(), worker.len()), (Some(4), 1));
    locked.ask(Index(2), 8);
    assert_eq!((worker.pop(), locked.answer(Index(2))), (Some(3), Some(Index(2))));
    drop(locked);
    assert_eq!(worker.pop(), None);
}

#[test]
fn an_owner_that_only_pushes_answers_after_a_while() {
    let (worker, stealer) = filled(1024, 1);
    let locked = stealer.shared.words.try_lock().unwrap();
    locked.ask(Index(0), 8);
    (0..64).for_each(|item| worker.push(item));
    assert_eq!(locked.answer(Index(0)), Some(Index(8)));
}

#[test]
fn a_window_that_slides_does_not_grow_the_ring() {
    for capacity in [16, 256] {
        let worker: Worker<usize> = Worker::with_capacity(capacity);
        for item in 0..10_000_000 / capacity {
            let position = worker.push_at(item);
            if item >= 8 {
                assert_eq!(worker.take_at(position - 8, usize::MAX), Some(item - 8));
            }
        }
        assert_eq!((worker.len(), worker.view.get().capacity()), (8, capacity));
    }
}

#[test]
fn taken_slots_are_free_again_when_the_thief_has_gone() {
    let worker: Worker<usize> = Worker::with_capacity(256);
    (0..200).for_each(|item| worker.push(item));
    let stealer = worker.stealer();
    let locked = stealer.shared.words.try_lock().expect("the lock is free");
    (0..100).for_each(|position| assert!(worker.take_at(position, usize::MAX).is_some()));
    assert_eq!(worker.shared.words.done(), Index(0));
    drop(locked);
    assert_eq!(worker.take_at(100, usize::MAX), Some(100));
    assert_eq!(worker.shared.words.done(), Index(101));
    assert_eq!(stealer.steal().success(), Some(101));
}

#[test]
fn an_owner_that_takes_from_the_middle_answers_first() {
    let (worker, stealer) = filled(8, 5);
    let locked = stealer.shared.words.try_lock().unwrap();
    locked.ask(Index(0), 8);
    assert_eq!((worker.take_at(3, 0), locked.answer(Index(0))), (Some(4), Some(Index(3))));
    locked.confirm(Index(3));
    assert_eq!((copy(&locked, 0), copy(&locked, 2)), (1, 3));
    assert_eq!((worker.take_at(2, 0), worker.pop(), worker.pop()), (None, Some(5), Some(0)));
    assert_eq!(worker.pop(), None);
}

/// The word `low` follows the thieves, though the owner takes nothing from the middle.
#[test]
fn low_is_not_left_behind() {
    let (worker, stealer) = filled(4, 0);
    for item in 0..1000 {
        worker.push(item);
        assert_eq!(stealer.steal().success(), Some(item));
    }
    assert!(worker.shared.words.low().since(Index(900)) > 0);
}
