//! Two sorts of u64, in place and by merging, forked all the way down to short runs.

use std::hint::black_box;

use super::{index, prepared};
use crate::backend::ForkJoin;
use crate::meter::{Job, timed};
use crate::record::Line;

/// Runs that are sorted by insertion.
const SHORT: usize = 32;
/// Merges below this many numbers are not forked.
const SHORT_MERGE: usize = 4096;

/// Sorts `n` numbers that are restored before each pass, off the clock.
pub(super) fn measure<B: ForkJoin>(
    b: B,
    n: u64,
    sort: impl Fn(&mut B::Context<'_>, &mut [u64], &mut [u64]) + Copy + Send + Sync,
) -> Line {
    let numbers = random(index(n));
    let (mut sorted, mut spare) = (numbers.clone(), vec![0; numbers.len()]);
    let expected = numbers.iter().fold(0_u64, |sum, number| sum.wrapping_add(*number));
    prepared(b, Job { ops: n, expected }, || {
        sorted.copy_from_slice(&numbers);
        let mut pass = b.install(|context| {
            timed(|| {
                sort(context, &mut sorted, &mut spare);
                0
            })
        });
        pass.answer = black_box(&sorted).iter().fold(0, |sum, number| sum.wrapping_add(*number));
        if !sorted.is_sorted() {
            pass.answer = !expected;
        }
        pass
    })
}

fn random(n: usize) -> Vec<u64> {
    let next = |x: &u64| {
        let mut x = *x;
        x ^= x << 13;
        x ^= x >> 7;
        Some(x ^ x << 17)
    };
    std::iter::successors(Some(0x9e37_79b9_7f4a_7c15), next).take(n).collect()
}

pub(super) fn quicksort<B: ForkJoin>(context: &mut B::Context<'_>, numbers: &mut [u64], _spare: &mut [u64]) {
    quick::<B>(context, numbers);
}

fn quick<B: ForkJoin>(context: &mut B::Context<'_>, numbers: &mut [u64]) {
    if numbers.len() <= SHORT {
        return insertion(numbers);
    }
    let (low, high) = partition(numbers);
    B::join(context, |context| quick::<B>(context, low), |context| quick::<B>(context, high));
}

/// Hoare's partition around the median of three; both parts are shorter than the whole.
fn partition(numbers: &mut [u64]) -> (&mut [u64], &mut [u64]) {
    let (first, middle, last) = (numbers[0], numbers[numbers.len() / 2], numbers[numbers.len() - 1]);
    let pivot = first.max(middle).min(first.min(middle).max(last));
    let (mut low, mut high) = (0, numbers.len() - 1);
    loop {
        while numbers[low] < pivot {
            low += 1;
        }
        while numbers[high] > pivot {
            high -= 1;
        }
        if low >= high {
            break;
        }
        numbers.swap(low, high);
        low += 1;
        high -= 1;
    }
    numbers.split_at_mut(high + 1)
}

fn insertion(numbers: &mut [u64]) {
    for end in 1..numbers.len() {
        let number = numbers[end];
        let mut place = end;
        while place > 0 && numbers[place - 1] > number {
            numbers[place] = numbers[place - 1];
            place -= 1;
        }
        numbers[place] = number;
    }
}

pub(super) fn mergesort<B: ForkJoin>(context: &mut B::Context<'_>, numbers: &mut [u64], spare: &mut [u64]) {
    merge_sort::<B>(context, numbers, spare);
}

/// Sorts `numbers`; what `spare` holds afterwards is of no use.
fn merge_sort<B: ForkJoin>(context: &mut B::Context<'_>, numbers: &mut [u64], spare: &mut [u64]) {
    if numbers.len() <= SHORT {
        return insertion(numbers);
    }
    // Quarters into place, halves into the spare half, the whole back: no copying but by merges.
    let half = numbers.len() / 2;
    {
        let (left, right) = numbers.split_at_mut(half);
        let (left_spare, right_spare) = spare.split_at_mut(half);
        B::join(
            context,
            |context| sort_into::<B>(context, left, left_spare),
            |context| sort_into::<B>(context, right, right_spare),
        );
    }
    let (left, right) = spare.split_at(half);
    merge::<B>(context, left, right, numbers);
}

/// Sorts `numbers` into `target`.
fn sort_into<B: ForkJoin>(context: &mut B::Context<'_>, numbers: &mut [u64], target: &mut [u64]) {
    if numbers.len() <= SHORT {
        target.copy_from_slice(numbers);
        return insertion(target);
    }
    let half = numbers.len() / 2;
    {
        let (left, right) = numbers.split_at_mut(half);
        let (left_target, right_target) = target.split_at_mut(half);
        B::join(
            context,
            |context| merge_sort::<B>(context, left, left_target),
            |context| merge_sort::<B>(context, right, right_target),
        );
    }
    let (left, right) = numbers.split_at(half);
    merge::<B>(context, left, right, target);
}

/// Merges two sorted runs, by halves of the longer one.
fn merge<B: ForkJoin>(context: &mut B::Context<'_>, left: &[u64], right: &[u64], target: &mut [u64]) {
    if target.len() <= SHORT_MERGE {
        return merge_serially(left, right, target);
    }
    let (long, short) = if left.len() >= right.len() { (left, right) } else { (right, left) };
    let middle = long.len() / 2;
    let cut = short.partition_point(|number| *number < long[middle]);
    let (low, high) = target.split_at_mut(middle + cut);
    B::join(
        context,
        |context| merge::<B>(context, &long[..middle], &short[..cut], low),
        |context| merge::<B>(context, &long[middle..], &short[cut..], high),
    );
}

fn merge_serially(left: &[u64], right: &[u64], target: &mut [u64]) {
    let (mut l, mut r) = (0, 0);
    while l < left.len() && r < right.len() {
        let (a, b) = (left[l], right[r]);
        let from_left = a <= b;
        target[l + r] = if from_left { a } else { b };
        l += usize::from(from_left);
        r += usize::from(!from_left);
    }
    let rest = &mut target[l + r..];
    rest.copy_from_slice(if l < left.len() { &left[l..] } else { &right[r..] });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_ordered_and_shorter() {
        for mut numbers in [vec![3; 40], random(40), (0..40).collect(), (0..40).rev().collect()] {
            let (low, high) = partition(&mut numbers);
            assert!(!low.is_empty() && !high.is_empty());
            assert!(low.iter().max() <= high.iter().min());
        }
    }

    #[test]
    fn merging_takes_every_number() {
        let mut target = [0; 5];
        merge_serially(&[1, 4, 9], &[2, 3], &mut target);
        assert_eq!(target, [1, 2, 3, 4, 9]);
    }
}
