//! What it costs to wait: CPU and context switches of threads that a channel has put to sleep.

use std::thread::JoinHandle;
use std::time::Duration;

use crate::backend::Channel;
use crate::meter;
use crate::os;
use crate::record::{Capacity, Cell, Figures, Line};

/// Long enough for every library to have given up spinning.
const SETTLE: Duration = Duration::from_millis(50);
/// How long is watched if the cell does not say.
const WATCH: Duration = Duration::from_secs(1);

/// Watches for as long as the cell's grain.
pub(super) fn measure<C: Channel>(cell: &Cell, capacity: Capacity) -> Line {
    let watch = if cell.grain_ns == 0 { WATCH } else { Duration::from_nanos(cell.grain_ns) };
    let (sender, mut receiver) = C::open(capacity);
    let receiving = std::thread::spawn(move || C::recv(&mut receiver));
    let full = full_channel::<C>(capacity);
    std::thread::sleep(SETTLE);
    let (cpu, switches) = (os::cpu_time(), os::context_switches());
    std::thread::sleep(watch);
    let used = (os::cpu_time() - cpu).as_secs_f64() / watch.as_secs_f64();
    let switched = meter::as_f64(os::context_switches() - switches) / watch.as_secs_f64();
    C::send(&sender, 42);
    let mut right = receiving.join().is_ok_and(|msg| msg == 42);
    if let Some((room, mut receiver, sending)) = full {
        right &= (0..=room).all(|msg| C::recv(&mut receiver) == msg) && sending.join().is_ok();
    }
    if !right {
        return Line::Wrong("a blocked thread did not get what was sent".to_owned());
    }
    Line::Figures(Figures::from([
        ("cpu_percent".to_owned(), used * 100.0),
        ("switches_per_s".to_owned(), switched),
    ]))
}

/// A channel with a thread that sends one message more than there is room for.
fn full_channel<C: Channel>(capacity: Capacity) -> Option<(u64, C::Receiver, JoinHandle<()>)> {
    let Capacity::Bounded(room) = capacity else { return None };
    let (sender, receiver) = C::open(capacity);
    let sending = std::thread::spawn(move || {
        for msg in 0..=room {
            C::send(&sender, msg);
        }
    });
    Some((room, receiver, sending))
}
