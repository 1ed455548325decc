//! Flat tasks of a given length from main, beside a serial loop over the same work.

use std::hint::black_box;

use super::Work;
use crate::backend::{Awaiting, Blocking};
use crate::meter::{self, timed};
use crate::record::{Cell, Line};

pub(super) fn blocking<B: Blocking>(b: B, cell: &Cell) -> Line {
    let (work, n) = (Work::calibrated(cell.grain_ns), cell.n);
    beside_serial(work, n, |job| {
        meter::throughput(b, cell.workers, job, || {
            timed(|| {
                let handles: Vec<_> = (0..n).map(|i| b.spawn(move || work.run(i))).collect();
                handles.into_iter().map(|handle| b.join(handle)).fold(0, u64::wrapping_add)
            })
        })
    })
}

pub(super) fn awaiting<B: Awaiting>(b: B, cell: &Cell) -> Line {
    let (work, n) = (Work::calibrated(cell.grain_ns), cell.n);
    beside_serial(work, n, |job| {
        meter::throughput(b, cell.workers, job, || {
            super::main(b, move || async move {
                let handles: Vec<_> = (0..n).map(|i| b.spawn(async move { work.run(i) })).collect();
                let mut sum = 0_u64;
                for handle in handles {
                    sum = sum.wrapping_add(b.join(handle).await);
                }
                sum
            })
        })
    })
}

/// Adds `serial_ns`: the median of the serial loop before and after the measurement.
pub fn beside_serial(work: Work, n: u64, measure: impl FnOnce(meter::Job) -> Line) -> Line {
    let mut serial_ns = vec![];
    let mut expected = 0;
    let mut serially = |times: usize| {
        for _ in 0..times {
            let pass = timed(|| serial(work, n));
            expected = pass.answer;
            serial_ns.push(meter::per_op(pass.wall, n));
        }
    };
    serially(2);
    let mut line = measure(super::job(n, serial(work, n)));
    serially(1);
    if let Line::Figures(figures) = &mut line {
        figures.insert("serial_ns".to_owned(), meter::median(&mut serial_ns));
    }
    line
}

/// The same work in a plain loop: the floor, and the right answer.
pub fn serial(work: Work, n: u64) -> u64 {
    (0..n).fold(0, |sum, i| sum.wrapping_add(black_box(work.run(black_box(i)))))
}
