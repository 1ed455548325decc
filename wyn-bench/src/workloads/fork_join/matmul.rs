//! C = A B by quadrants: four quadrants of C at once, each the sum of two products, down to 64 x 64.
//!
//! Matrices are laid out quadrant by quadrant, so that a quadrant is one slice.

use super::{index, prepared};
use crate::backend::ForkJoin;
use crate::meter::{Job, timed};
use crate::record::Line;

/// Rows of a leaf.
const LEAF: usize = 64;

pub(super) fn measure<B: ForkJoin>(b: B, n: u64) -> Line {
    let n = index(n);
    if !(n.is_power_of_two() && n >= LEAF) {
        return Line::Unsupported(format!("sizes are powers of two from {LEAF} on"));
    }
    let (left, right) = (matrix(n, 1), matrix(n, 2));
    let mut product = vec![0.0; n * n];
    let job = Job { ops: (n * n * n) as u64, expected: check(n, |x| times(n, &left, &times(n, &right, x))) };
    prepared(b, job, || {
        product.fill(0.0);
        let mut pass = b.install(|context| {
            timed(|| {
                multiply::<B>(context, n, &mut product, &left, &right);
                0
            })
        });
        pass.answer = check(n, |x| times(n, &product, x));
        pass
    })
}

/// `c` += `a` `b`.
fn multiply<B: ForkJoin>(context: &mut B::Context<'_>, n: usize, c: &mut [f64], a: &[f64], b: &[f64]) {
    if n == LEAF {
        return leaf(c, a, b);
    }
    let quarter = n * n / 4;
    let part = |matrix: &'_ [f64], i: usize| -> std::ops::Range<usize> {
        debug_assert!(matrix.len() == 4 * quarter);
        i * quarter..(i + 1) * quarter
    };
    // C[i][j] += A[i][k] B[k][j] for k = 0, 1.
    let product = |context: &mut B::Context<'_>, c: &mut [f64], i: usize, j: usize| {
        multiply::<B>(context, n / 2, c, &a[part(a, 2 * i)], &b[part(b, j)]);
        multiply::<B>(context, n / 2, c, &a[part(a, 2 * i + 1)], &b[part(b, 2 + j)]);
    };
    let (top, bottom) = c.split_at_mut(2 * quarter);
    let ((c00, c01), (c10, c11)) = (top.split_at_mut(quarter), bottom.split_at_mut(quarter));
    B::join(
        context,
        |context| {
            B::join(context, |context| product(context, c00, 0, 0), |context| product(context, c01, 0, 1))
        },
        |context| {
            B::join(context, |context| product(context, c10, 1, 0), |context| product(context, c11, 1, 1))
        },
    );
}

fn leaf(c: &mut [f64], a: &[f64], b: &[f64]) {
    for (c, a) in c.chunks_exact_mut(LEAF).zip(a.chunks_exact(LEAF)) {
        for (&a, b) in a.iter().zip(b.chunks_exact(LEAF)) {
            for (c, b) in c.iter_mut().zip(b) {
                *c += a * b;
            }
        }
    }
}

/// Small whole numbers, so that every sum is exact.
fn matrix(n: usize, seed: usize) -> Vec<f64> {
    (0..n * n).map(|i| small((i * 7 + seed * 13) % 11)).collect()
}

fn small(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(0))
}

/// Where an element lies: the bits of row and column in turn down to a leaf, then by rows.
fn place(row: usize, column: usize, n: usize) -> usize {
    if n == LEAF {
        return row * LEAF + column;
    }
    let half = n / 2;
    let quadrant = 2 * usize::from(row >= half) + usize::from(column >= half);
    quadrant * half * half + place(row % half, column % half, half)
}

/// A matrix times a vector.
fn times(n: usize, matrix: &[f64], x: &[f64]) -> Vec<f64> {
    let row = |row: usize| (0..n).map(|column| matrix[place(row, column, n)] * x[column]).sum();
    (0..n).map(row).collect()
}

/// A number made of what a matrix does to one vector (Freivalds' check).
fn check(n: usize, apply: impl Fn(&[f64]) -> Vec<f64>) -> u64 {
    let x: Vec<f64> = (0..n).map(|i| small(i * 5 % 7)).collect();
    apply(&x).iter().fold(0, |sum: u64, value| sum.wrapping_mul(31).wrapping_add(value.to_bits()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_all_different() {
        let n = 2 * LEAF;
        let mut places: Vec<usize> = (0..n * n).map(|i| place(i / n, i % n, n)).collect();
        places.sort_unstable();
        assert!(places.into_iter().eq(0..n * n));
    }
}
