use std::sync::mpsc::channel;
use std::thread;

use super::system::{find, is_one_mapping, mapping};
use super::*;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The deepest place at which the check says yes.
#[inline(never)]
fn deepest(limit: &Limit) -> usize {
    let ballast = std::hint::black_box([0_u8; 512]);
    if !limit.is_above() {
        return usize::MAX;
    }
    deepest(limit).min(ballast.as_ptr().addr())
}

fn on_thread(bytes: usize, f: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(bytes).spawn(f).unwrap().join().unwrap();
}

#[test]
fn a_quarter_of_the_own_stack_is_kept() {
    for bytes in [256 * KIB, MIB, 8 * MIB] {
        on_thread(bytes, move || {
            let limit = Limit::new();
            let left = deepest(&limit) - system::own().unwrap().low;
            let kept = (bytes / 4).max(LEAST);
            assert!((kept - KIB..kept + 8 * KIB).contains(&left), "{left} of {bytes}");
        });
    }
}

#[test]
fn the_top_of_the_first_stack_is_known_for_nothing() {
    // The harness has a thread for each test: this one asks for the first thread's stack, and is not on it.
    assert_eq!(system::top_of_main(here()), None);
    // SAFETY: no preconditions.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let first = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let (low, high) = first.split_once(' ').unwrap().0.split_once('-').unwrap();
    let within = usize::from_str_radix(low, 16).unwrap()..usize::from_str_radix(high, 16).unwrap();
    assert!(within.contains(&(usize::try_from(name).unwrap() - 64 * KIB)));
}

#[test]
fn a_foreign_stack_counts_while_somebody_stays() {
    on_thread(MIB, || {
        let limit = Limit::new();
        assert!(limit.is_above());
        stacker::grow(4 * MIB, || {
            assert!(!limit.is_above());
            let stays = limit.stay();
            assert!(limit.is_above());
            let left = deepest(&limit) - mapping(here()).unwrap().low;
            assert!((MIB - KIB..MIB + 24 * KIB).contains(&left), "{left}");
            {
                // Nothing new, and nothing to end.
                let _again = limit.stay();
            }
            assert!(limit.is_above());
            drop(stays);
            assert!(!limit.is_above());
        });
        assert!(limit.is_above());
    });
}

#[test]
fn stacks_on_stacks() {
    on_thread(MIB, || {
        let limit = Limit::new();
        stacker::grow(MIB, || {
            let _outer = limit.stay();
            stacker::grow(2 * MIB, || {
                assert!(!limit.is_above());
                let _inner = limit.stay();
                assert!(limit.is_above());
            });
            // Trusted again when it is looked up again.
            assert!(!limit.is_above());
            let _again = limit.stay();
            assert!(limit.is_above());
        });
    });
}

#[test]
fn no_stay_helps_when_the_own_stack_is_used_up() {
    #[inline(never)]
    fn down(limit: &Limit) {
        let ballast = std::hint::black_box([0_u8; 512]);
        if limit.is_above() {
            return down(std::hint::black_box(limit));
        }
        assert!(ballast.len() == 512 && limit.stay().0.is_none() && !limit.is_above());
    }
    on_thread(256 * KIB, || down(&Limit::new()));
}

#[test]
fn a_tiny_stack_is_kept_as_a_whole() {
    on_thread(512 * KIB, || {
        let limit = Limit::new();
        stacker::grow(48 * KIB, || {
            let _stays = limit.stay();
            assert!(!limit.is_above());
        });
    });
}

#[test]
fn a_stack_in_the_place_of_another_is_not_taken_for_it() {
    on_thread(MIB, || {
        let limit = Limit::new();
        let mut sizes = [4 * MIB, MIB, 256 * KIB, 2 * MIB, 160 * KIB];
        let mut places = std::collections::BTreeSet::new();
        for round in 0..100 {
            sizes.rotate_left(1 + round % 3);
            stacker::grow(sizes[0], || {
                let _stays = limit.stay();
                assert!(limit.is_above(), "{} bytes", sizes[0]);
                let now = mapping(here()).unwrap();
                assert!(limit.low.get() >= now.above_kept().low, "{now:x?}");
                places.insert(now.high);
            });
        }
        // Else this has not tested anything.
        assert!(places.len() < 100);
    });
}

#[test]
fn what_was_unmapped_in_between_is_no_mapping() {
    // SAFETY: a new mapping; nobody else has it.
    let start = unsafe {
        let rights = libc::PROT_READ | libc::PROT_WRITE;
        libc::mmap(std::ptr::null_mut(), MIB, rights, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0)
    };
    let middle = start.wrapping_byte_add(MIB / 2);
    let (low, above, here) = (start.addr(), middle.addr() + 4 * KIB, start.addr() + MIB - 100);
    assert!(is_one_mapping(low, here));
    // SAFETY: inside the mapping, which nobody uses.
    assert_eq!(unsafe { libc::mprotect(middle, 4 * KIB, libc::PROT_NONE) }, 0);
    assert!(!is_one_mapping(low, here) && is_one_mapping(above, here));
    // SAFETY: as above.
    assert_eq!(unsafe { libc::munmap(middle, 4 * KIB) }, 0);
    assert!(!is_one_mapping(low, here) && is_one_mapping(above, here));
    // SAFETY: as above; this ends it.
    assert_eq!(unsafe { libc::munmap(start, MIB) }, 0);
    assert!(!is_one_mapping(low, here));
}

#[test]
fn only_what_is_guarded_is_a_stack() {
    let maps = "\
1000-2000 ---p 00000000 00:00 0
2000-9000 rw-p 00000000 00:00 0
9000-a000 rw-s 00000000 08:01 77    /tmp/file
b000-c000 rw-p 00000000 00:00 0    [heap]
d000-e000 ---p 00000000 00:00 0
f000-10000 rw-p 00000000 00:00 0
10000-11000 ---p 00000000 00:00 0
11000-12000 r--p 00000000 00:00 0
12000-13000 ---p 00000000 00:00 0
13000-14000 rw-p 00000000 00:00 0    [anon:coroutine stack]
14000-15000 rw-p 00000000 00:00 0    [heap]
";
    assert_eq!(find(maps, 0x8fff), Some(Bounds { low: 0x2000, high: 0x9000 }));
    assert_eq!(find(maps, 0x13000), Some(Bounds { low: 0x13000, high: 0x14000 }));
    // A guard, a file, a gap, the heap, no guard beside it, not writable, beyond all.
    for at in [0x1800, 0x9000, 0xa800, 0xb000, 0xf800, 0x11800, 0x14800, 0x20000] {
        assert_eq!(find(maps, at), None, "{at:x}");
    }
    assert_eq!(find("nonsense", 1), None);
}

#[test]
fn each_thread_looks_for_itself() {
    let (send, receive) = channel();
    for _ in 0..2 {
        let send = send.clone();
        on_thread(MIB, move || send.send((Limit::new().own(), here())).unwrap());
    }
    drop(send);
    assert!(receive.iter().all(|(own, here)| own.contains(here) && own.high - own.low >= MIB));
}
