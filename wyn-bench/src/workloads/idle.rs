//! What a pool costs that has nothing to do: CPU and context switches over two seconds after a burst.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::backend::Backend;
use crate::os;
use crate::record::{Cell, Figures, Line};

const SETTLE: Duration = Duration::from_millis(500);
const WATCH: Duration = Duration::from_secs(2);

pub(super) fn measure<B: Backend>(b: B, cell: &Cell) -> Line {
    static RAN: AtomicU64 = AtomicU64::new(0);
    for _ in 0..cell.n {
        b.detach(|| {
            RAN.fetch_add(1, Ordering::SeqCst);
        });
    }
    while RAN.load(Ordering::SeqCst) < cell.n {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(SETTLE);
    let (cpu, switches) = (os::cpu_time(), os::context_switches());
    std::thread::sleep(WATCH);
    let used = (os::cpu_time() - cpu).as_secs_f64() / WATCH.as_secs_f64();
    let switched = crate::meter::as_f64(os::context_switches() - switches) / WATCH.as_secs_f64();
    Line::Figures(Figures::from([
        ("cpu_percent".to_owned(), used * 100.0),
        ("switches_per_s".to_owned(), switched),
    ]))
}
