//! The typed pool as a newcomer uses it.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use wyn_pool::{Pool, PoolBox};

#[test]
fn values_go_in_and_come_out() {
    let pool = Pool::new();
    let mut text = pool.alloc(String::from("a"));
    text.push('b');
    assert_eq!(*text, "ab");
    assert_eq!(text.into_inner(), "ab");
}

#[test]
fn dropping_a_box_drops_its_value_once() {
    struct Counts<'a>(&'a Cell<u32>);
    impl Drop for Counts<'_> {
        fn drop(&mut self) {
            self.0.set(self.0.get() + 1);
        }
    }
    let drops = Cell::new(0);
    let pool = Pool::new();
    drop(pool.alloc(Counts(&drops)));
    assert_eq!(drops.get(), 1);
    let inner = pool.alloc(Counts(&drops)).into_inner();
    assert_eq!(drops.get(), 1);
    drop(inner);
    assert_eq!(drops.get(), 2);
}

#[test]
fn alloc_after_drop_returns_the_same_cell() {
    let pool = Pool::new();
    let first = pool.alloc(1_u64);
    let address = &raw const *first;
    drop(first);
    assert_eq!(&raw const *pool.alloc(2), address);
}

#[test]
fn boxes_outlive_all_handles() {
    let pool = Pool::new();
    let clone = pool.clone();
    assert!(pool.same_pool(&clone));
    let boxes: Vec<_> = (0..10_000).map(|i| pool.alloc(format!("{i}"))).collect();
    drop((pool, clone));
    for (i, text) in boxes.into_iter().enumerate() {
        assert_eq!(*text, i.to_string());
    }
}

#[test]
fn an_uninit_box_gives_its_cell_back_without_a_value() {
    let pool = Pool::<String>::new();
    drop(pool.try_alloc_uninit().unwrap());
    assert_eq!(pool.stats().live, 0);
    assert_eq!(*pool.try_alloc_uninit().unwrap().write(String::from("w")), "w");
}

#[test]
fn a_box_behaves_as_its_value() {
    let pool = Pool::new();
    let (one, two) = (pool.alloc(1), pool.alloc(2));
    assert!(one < two && one != two && *one.max(two) == 2);
    assert_eq!(format!("{:?} {}", pool.alloc(7), pool.alloc(7)), "7 7");
    let numbers = Pool::new();
    assert_eq!(numbers.alloc(0..3).map(|i| i * 2).collect::<Vec<_>>(), [0, 2, 4]);
    let futures = Pool::new();
    let future: PoolBox<_> = futures.alloc(std::future::ready(5));
    assert_eq!(pin!(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(5));
    let pinned = Pool::new().alloc([0_u8; 3]).into_pin();
    assert_eq!(*pinned, [0; 3]);
}

#[test]
fn pools_may_hold_boxes_of_other_pools_and_of_themselves() {
    struct Node(Option<PoolBox<Node>>);
    let pool = Pool::new();
    let mut list = Node(None);
    for _ in 0..1_000 {
        list = Node(Some(pool.alloc(list)));
    }
    assert_eq!(pool.stats().live, 1_000);
    while let Some(next) = list.0 {
        list = next.into_inner();
    }
    assert_eq!(pool.stats().live, 0);
}
