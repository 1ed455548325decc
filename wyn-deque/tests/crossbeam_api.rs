//! A program written for crossbeam-deque 0.8: it uses every public item, and only its `use` line
//! names this crate.
#![cfg(not(wyn_loom))]

use std::iter;

use wyn_deque::{Injector, Steal, Stealer, Worker};

/// The search loop of crossbeam-deque's documentation.
fn find_task<T>(local: &Worker<T>, global: &Injector<T>, stealers: &[Stealer<T>]) -> Option<T> {
    local.pop().or_else(|| {
        iter::repeat_with(|| {
            global.steal_batch_and_pop(local).or_else(|| stealers.iter().map(|s| s.steal()).collect())
        })
        .find(|s| !s.is_retry())
        .and_then(|s| s.success())
    })
}

#[test]
fn a_search_loop() {
    let global = Injector::new();
    let locals: Vec<Worker<usize>> = vec![Worker::new_lifo(), Worker::new_fifo()];
    let stealers: Vec<Stealer<usize>> = locals.iter().map(|w| w.stealer()).collect();
    (0..100).for_each(|task| global.push(task));
    let mut found = Vec::new();
    for turn in 0.. {
        match find_task(&locals[turn % 2], &global, &stealers) {
            Some(task) => found.push(task),
            None => break,
        }
    }
    found.sort_unstable();
    assert_eq!(found, (0..100).collect::<Vec<_>>());
}

#[test]
fn every_item_by_its_signature() {
    let _: fn() -> Worker<u8> = Worker::new_fifo;
    let _: fn() -> Worker<u8> = Worker::new_lifo;
    let _: fn(&Worker<u8>) -> Stealer<u8> = Worker::stealer;
    let _: fn(&Worker<u8>) -> bool = Worker::is_empty;
    let _: fn(&Worker<u8>) -> usize = Worker::len;
    let _: fn(&Worker<u8>, u8) = Worker::push;
    let _: fn(&Worker<u8>) -> Option<u8> = Worker::pop;

    let _: fn(&Stealer<u8>) -> bool = Stealer::is_empty;
    let _: fn(&Stealer<u8>) -> usize = Stealer::len;
    let _: fn(&Stealer<u8>) -> Steal<u8> = Stealer::steal;
    let _: fn(&Stealer<u8>, &Worker<u8>) -> Steal<()> = Stealer::steal_batch;
    let _: fn(&Stealer<u8>, &Worker<u8>, usize) -> Steal<()> = Stealer::steal_batch_with_limit;
    let _: fn(&Stealer<u8>, &Worker<u8>) -> Steal<u8> = Stealer::steal_batch_and_pop;
    let _: fn(&Stealer<u8>, &Worker<u8>, usize) -> Steal<u8> = Stealer::steal_batch_with_limit_and_pop;
    let _: fn(&Stealer<u8>) -> Stealer<u8> = Clone::clone;

    let _: fn() -> Injector<u8> = Injector::new;
    let _: fn() -> Injector<u8> = Default::default;
    let _: fn(&Injector<u8>, u8) = Injector::push;
    let _: fn(&Injector<u8>) -> Steal<u8> = Injector::steal;
    let _: fn(&Injector<u8>, &Worker<u8>) -> Steal<()> = Injector::steal_batch;
    let _: fn(&Injector<u8>, &Worker<u8>, usize) -> Steal<()> = Injector::steal_batch_with_limit;
    let _: fn(&Injector<u8>, &Worker<u8>) -> Steal<u8> = Injector::steal_batch_and_pop;
    let _: fn(&Injector<u8>, &Worker<u8>, usize) -> Steal<u8> = Injector::steal_batch_with_limit_and_pop;
    let _: fn(&Injector<u8>) -> bool = Injector::is_empty;
    let _: fn(&Injector<u8>) -> usize = Injector::len;

    let _: fn(&Steal<u8>) -> bool = Steal::is_empty;
    let _: fn(&Steal<u8>) -> bool = Steal::is_success;
    let _: fn(&Steal<u8>) -> bool = Steal::is_retry;
    let _: fn(Steal<u8>) -> Option<u8> = Steal::success;
    type Other = fn() -> Steal<u8>;
    let _: fn(Steal<u8>, Other) -> Steal<u8> = Steal::or_else;
    let _: Steal<u8> = [Steal::Empty, Steal::Retry].into_iter().collect();
}

#[test]
fn outcomes_chain() {
    use wyn_deque::Steal::{Empty, Retry, Success};
    assert_eq!(Empty.or_else(|| Retry).or_else(|| Success(3)), Success(3));
    assert_eq!(Success(1).or_else(|| unreachable!()), Success(1));
    assert_eq!([Empty, Retry, Empty].into_iter().collect::<Steal<u8>>(), Retry);
    assert_eq!(iter::empty().collect::<Steal<u8>>(), Empty);
    let mut rest = [Empty, Success(1), Success(2)].into_iter();
    assert_eq!(rest.by_ref().collect::<Steal<u8>>(), Success(1));
    assert_eq!(rest.next(), Some(Success(2)), "nothing is taken past the first success");
    let task = Success(String::from("clone"));
    assert_eq!(task.clone(), task);
    let copy = Success(1);
    assert!(copy.is_success() && copy != Retry);
}

#[test]
fn debug_output_is_the_same() {
    struct Opaque;
    assert_eq!(format!("{:?}", Worker::<Opaque>::new_lifo()), "Worker { .. }");
    assert_eq!(format!("{:?}", Worker::<Opaque>::new_fifo().stealer()), "Stealer { .. }");
    assert_eq!(format!("{:?}", Injector::<Opaque>::new()), "Injector { .. }");
    assert_eq!(
        format!("{:?}", [Steal::Empty, Steal::Success(Opaque), Steal::Retry]),
        "[Empty, Success(..), Retry]"
    );
    assert_eq!(format!("{:>7}|{:<7}", format!("{:?}", Steal::<Opaque>::Empty), "x"), "  Empty|x      ");
}
