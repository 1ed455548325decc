//! Every way to put N queens on a board: each valid placement forks all valid next ones.

use super::inside;
use crate::backend::ForkJoin;
use crate::meter::Job;
use crate::record::Line;

/// The largest board.
const MOST: usize = 16;

/// The column of the queen in each row so far.
#[derive(Clone, Copy)]
struct Board {
    columns: [u8; MOST],
    rows: usize,
}

/// What a placement found below itself: solutions in the high half, placements in the low half.
const SOLUTION: u64 = 1 << 40;

pub(super) fn measure<B: ForkJoin>(b: B, n: u64) -> Line {
    let Some(size) = u8::try_from(n).ok().filter(|size| (1..=16).contains(size)) else {
        return Line::Unsupported(format!("boards have 1 to {MOST} rows"));
    };
    let empty = Board { columns: [0; MOST], rows: 0 };
    let expected = place_serially(size, empty);
    let job = Job { ops: expected % SOLUTION, expected };
    inside(b, job, move |context| place::<B>(context, size, empty))
}

impl Board {
    fn with(mut self, column: u8) -> Board {
        self.columns[self.rows] = column;
        self.rows += 1;
        self
    }

    /// Whether a queen in that column of the next row is attacked by none.
    fn fits(&self, column: u8) -> bool {
        self.columns[..self.rows].iter().rev().zip(1..).all(|(&other, distance)| {
            other != column && other != column + distance && other + distance != column
        })
    }

    /// The valid next placements, and how many they are.
    fn next(&self, size: u8) -> ([u8; MOST], usize) {
        let (mut columns, mut count) = ([0; MOST], 0);
        for column in 0..size {
            if self.fits(column) {
                columns[count] = column;
                count += 1;
            }
        }
        (columns, count)
    }
}

fn place<B: ForkJoin>(context: &mut B::Context<'_>, size: u8, board: Board) -> u64 {
    if board.rows == usize::from(size) {
        return SOLUTION + 1;
    }
    let (columns, count) = board.next(size);
    1 + B::fan_out(context, 0..count, &|context, i| place::<B>(context, size, board.with(columns[i])))
}

fn place_serially(size: u8, board: Board) -> u64 {
    if board.rows == usize::from(size) {
        return SOLUTION + 1;
    }
    let (columns, count) = board.next(size);
    1 + columns[..count].iter().map(|&column| place_serially(size, board.with(column))).sum::<u64>()
}

/// The number of solutions for a board of that size.
#[cfg(test)]
fn solutions(size: u8) -> u64 {
    place_serially(size, Board { columns: [0; MOST], rows: 0 }) / SOLUTION
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_numbers_of_solutions() {
        let found: Vec<u64> = (1..=9).map(solutions).collect();
        assert_eq!(found, [1, 0, 0, 2, 10, 4, 40, 92, 352]);
    }
}
