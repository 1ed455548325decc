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
fn a_thief_is_pinned_while_it_copies() {
    let (_worker, stealer) = filled(4, 1);
    let pinned = stealer.claim(1, 1, |_| (), |_, _, _| crossbeam_epoch::is_pinned());
    assert_eq!(pinned.success(), Some(true));
    assert!(!crossbeam_epoch::is_pinned());
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
