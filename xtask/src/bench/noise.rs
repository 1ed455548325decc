//! How many times one figure is another, and which differences are noise.
//!
//! The noise of a figure of n repetitions is `7 · MAD / √n`, as a share of its median; the noise of a ratio is the
//! root of the sum of both squares, and at least 1 %, which code layout alone moves. A difference within the noise
//! is shown as `≈` and never as a win, a loss or a regression. Between two runs of the same program with five
//! repetitions, about 3 rows of 100 differ by more (`false_alarms_are_rare` counts them); with fewer than three
//! repetitions nothing can be told.

use super::stats::Figure;

/// Median absolute deviations, over the root of the number of repetitions.
const DEVIATIONS: f64 = 7.0;
/// What moves without a cause worth finding.
const LEAST: f64 = 0.01;
/// Below this many repetitions a deviation says nothing.
const FEWEST: usize = 3;

/// One figure over another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ratio {
    pub(crate) value: f64,
    /// As a share of the value; `None` where there are too few repetitions to tell.
    pub(crate) noise: Option<f64>,
}

impl Ratio {
    /// `over / under`; `None` where one of them is nothing.
    pub(crate) fn of(over: Figure, under: Figure) -> Option<Ratio> {
        let value = over.median / under.median;
        if !value.is_finite() || value <= 0.0 {
            return None;
        }
        let noise = over.noise().zip(under.noise()).map(|(over, under)| over.hypot(under).max(LEAST));
        Some(Ratio { value, noise })
    }

    /// Whether the two differ by more than the noise; not where that cannot be told.
    pub(crate) fn is_change(self) -> bool {
        self.noise.is_some_and(|noise| self.value.ln().abs() > noise)
    }

    /// `±4 %`, or that nobody knows.
    pub(crate) fn spread(self) -> String {
        match self.noise {
            Some(noise) if noise < 0.0995 => format!("±{:.1} %", noise * 100.0),
            Some(noise) => format!("±{:.0} %", noise * 100.0),
            None => "±?".to_owned(),
        }
    }
}

impl Figure {
    /// As a share of the median.
    fn noise(self) -> Option<f64> {
        #[allow(clippy::cast_precision_loss, reason = "a count of repetitions")]
        let noise = DEVIATIONS * self.mad / (self.count as f64).sqrt() / self.median;
        (self.count >= FEWEST).then_some(noise.abs())
    }

    /// One figure over another as a figure of its own.
    pub(crate) fn over(self, under: Figure) -> Figure {
        let median = self.median / under.median;
        let share = (self.mad / self.median).hypot(under.mad / under.median);
        Figure { median, mad: (share * median).abs(), count: self.count.min(under.count) }
    }
}

/// The mean of factors: their product's root.
pub(crate) fn geometric_mean(factors: impl IntoIterator<Item = f64>) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0.0);
    for factor in factors {
        sum += factor.ln();
        count += 1.0;
    }
    (count > 0.0).then(|| (sum / count).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wyn_bench::meter::median;

    fn figure(median: f64, mad: f64, count: usize) -> Figure {
        Figure { median, mad, count }
    }

    #[test]
    fn what_lies_within_the_noise_is_no_change() {
        let steady = |value| figure(value, 0.0, 5);
        let change = |over, under| Ratio::of(over, under).unwrap().is_change();
        assert!(change(steady(102.0), steady(100.0)) && change(steady(98.0), steady(100.0)));
        assert!(!change(steady(100.9), steady(100.0)));
        assert!(!change(figure(110.0, 5.0, 5), figure(100.0, 5.0, 5)));
        assert!(change(figure(150.0, 5.0, 5), figure(100.0, 5.0, 5)));
    }

    #[test]
    fn two_repetitions_tell_nothing() {
        let ratio = Ratio::of(figure(300.0, 0.0, 2), figure(100.0, 0.0, 5)).unwrap();
        assert_eq!((ratio.noise, ratio.is_change()), (None, false));
        assert_eq!(ratio.spread(), "±?");
    }

    #[test]
    fn nothing_has_no_ratio() {
        assert_eq!(Ratio::of(figure(1.0, 0.0, 5), figure(0.0, 0.0, 5)), None);
        assert_eq!(Ratio::of(figure(0.0, 0.0, 5), figure(1.0, 0.0, 5)), None);
    }

    #[test]
    fn means_of_factors() {
        assert!((geometric_mean([0.5, 2.0, 8.0]).unwrap() - 2.0).abs() < 1e-12);
        assert_eq!(geometric_mean([]), None);
    }

    /// Sums of twelve uniform numbers: nearly normal.
    fn drawn(state: &mut u64) -> Figure {
        let mut uniform = || {
            *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from((*state >> 33) as u32) / f64::from(1_u32 << 31)
        };
        let mut values: Vec<f64> =
            (0..5).map(|_| 100.0 + 5.0 * (0..12).map(|_| uniform()).sum::<f64>()).collect();
        let middle = median(&mut values);
        let mut distances: Vec<f64> = values.iter().map(|value| (value - middle).abs()).collect();
        figure(middle, median(&mut distances), values.len())
    }

    #[test]
    fn false_alarms_are_rare() {
        let mut state = 1;
        let alarms =
            (0..2000).filter(|_| Ratio::of(drawn(&mut state), drawn(&mut state)).unwrap().is_change());
        let alarms = alarms.count();
        assert!((10..100).contains(&alarms), "{alarms} of 2000");
    }
}
