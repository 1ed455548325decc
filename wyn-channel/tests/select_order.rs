//! Which arm a `Select` picks, whatever was added to it and removed from it.

use wyn_channel::{Select, unbounded};

/// With as many arms as fit into the list itself, and with more.
#[test]
fn removing_at_any_place() {
    for arms in [1, 3, 4, 5, 6] {
        for gone in 0..arms {
            let channels: Vec<_> = (0..arms).map(|_| unbounded()).collect();
            let mut select = Select::new();
            channels.iter().for_each(|(s, r)| {
                s.send(7).unwrap();
                select.recv(r);
            });
            select.remove(gone);
            let mut left = select.clone();
            let mut seen: Vec<usize> = (1..arms)
                .map(|_| {
                    let operation = left.try_select().unwrap();
                    let index = operation.index();
                    assert_eq!(operation.recv(&channels[index].1), Ok(7));
                    index
                })
                .collect();
            assert!(left.try_select().is_err(), "{arms} arms without {gone}");
            seen.sort_unstable();
            assert!(seen.into_iter().eq((0..arms).filter(|&arm| arm != gone)), "{arms} arms without {gone}");
        }
    }
}

/// Also if others are not ready, wherever they stand.
#[test]
fn a_kept_select_stays_fair() {
    for arms in [2, 3, 4, 7] {
        let channels: Vec<_> = (0..arms).map(|_| unbounded()).collect();
        let ready: Vec<usize> = (0..arms).filter(|arm| arm % 3 != 1).collect();
        let mut select = Select::new();
        channels.iter().for_each(|(_, r)| {
            select.recv(r);
        });
        let mut hits = vec![0_usize; arms];
        let rounds = 1000 * ready.len();
        ready.iter().for_each(|&arm| (0..rounds).for_each(|_| channels[arm].0.send(()).unwrap()));
        for _ in 0..rounds {
            let operation = select.select();
            let index = operation.index();
            hits[index] += 1;
            operation.recv(&channels[index].1).unwrap();
        }
        assert!(ready.iter().all(|&arm| (850..1150).contains(&hits[arm])), "{arms} arms: {hits:?}");
    }
}

#[test]
fn fair_and_biased() {
    let (s1, r1) = unbounded();
    let (s2, r2) = unbounded();
    (0..2000).for_each(|_| s1.send(()).and(s2.send(())).unwrap());
    let mut hits = [0; 2];
    for _ in 0..1000 {
        let mut select = Select::new();
        select.recv(&r1);
        select.recv(&r2);
        let operation = select.select();
        hits[operation.index()] += 1;
        let _ = if operation.index() == 0 { operation.recv(&r1) } else { operation.recv(&r2) };
    }
    assert!(hits.iter().all(|&n| n > 300), "{hits:?}");
    let mut select = Select::new_biased();
    select.recv(&r1);
    select.recv(&r2);
    for _ in 0..500 {
        assert_eq!(select.ready(), 0);
        let operation = select.select();
        assert_eq!(operation.index(), 0);
        operation.recv(&r1).unwrap();
    }
}
