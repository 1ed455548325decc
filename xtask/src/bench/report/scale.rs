//! From values to places: linear from nothing, or logarithmic where the values lie far apart.

/// Values that differ by more than this are drawn on a logarithmic scale: on a linear one the small would vanish.
const FAR_APART: f64 = 15.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    logarithmic: bool,
    from: f64,
    to: f64,
    /// The places of both ends.
    start: f64,
    end: f64,
}

impl Scale {
    /// For values between these two, shown between these places; the smaller end has room below it.
    pub(super) fn of(least: f64, most: f64, start: f64, end: f64) -> Scale {
        let most = if most > 0.0 { most } else { 1.0 };
        let logarithmic = least > 0.0 && most / least > FAR_APART;
        let from = if logarithmic { below(least / 1.2) } else { 0.0 };
        Scale { logarithmic, from, to: most, start, end }
    }

    /// Logarithmic between exactly these values, where sizes are what varies.
    pub(super) fn of_sizes(least: f64, most: f64, start: f64, end: f64) -> Scale {
        Scale { logarithmic: true, from: least, to: most.max(least * 1.001), start, end }
    }

    pub(super) fn is_logarithmic(&self) -> bool {
        self.logarithmic
    }

    /// The place of a value; one beyond an end is drawn there.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = if self.logarithmic {
            (value.max(self.from) / self.from).ln() / (self.to / self.from).ln()
        } else {
            (value - self.from) / (self.to - self.from)
        };
        self.start + share.clamp(0.0, 1.0) * (self.end - self.start)
    }

    /// At most so many values, for labels: round ones in the unit that their labels have.
    pub(super) fn ticks(&self, most: usize, unit: &str) -> Vec<f64> {
        if !self.logarithmic {
            // Thousands are as round as units, but for memory.
            let round = if unit == "KiB" && self.to >= 1024.0 { 1024.0 } else { 1.0 };
            #[allow(clippy::cast_precision_loss, reason = "a handful")]
            let step = round * above((self.to - self.from) / most as f64 / round);
            let count = ((self.to - self.from) / step).floor();
            return (0..=64_u8)
                .map(f64::from)
                .take_while(|k| *k <= count)
                .map(|k| self.from + k * step)
                .collect();
        }
        let inside = |value: &f64| *value >= self.from * 0.999 && *value <= self.to * 1.001;
        let first = self.from.log10().floor();
        let decades = || (0..=24_u8).map(|k| 10_f64.powf(first + f64::from(k)));
        let fine: Vec<f64> = decades().flat_map(|d| [d, 2.0 * d, 5.0 * d]).filter(inside).collect();
        if fine.len() <= most {
            return fine;
        }
        let coarse: Vec<f64> = decades().filter(inside).collect();
        let chosen = if coarse.len() > 1 { coarse } else { fine };
        let every = chosen.len().div_ceil(most).max(1);
        chosen.into_iter().step_by(every).collect()
    }
}

/// The largest of 1, 2, 5, 10, … that is not above a value.
fn below(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let steps = [5.0, 2.0, 1.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step <= value).unwrap_or(decade)
}

/// The smallest of them that is not below it.
fn above(value: f64) -> f64 {
    let decade = 10_f64.powf(value.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|step| *step >= value * 0.999_999).unwrap_or(decade)
}

/// `50 µs`, and without the unit where that is the chart's own.
pub(super) fn tick(value: f64, unit: &str) -> String {
    match unit {
        "ns" if value >= 1e6 => format!("{} ms", short(value / 1e6)),
        "ns" if value >= 1e3 => format!("{} µs", short(value / 1e3)),
        "µs" if value >= 1e3 => format!("{} ms", short(value / 1e3)),
        "KiB" if value >= 1024.0 => format!("{} MiB", short(value / 1024.0)),
        _ => short(value),
    }
}

/// A count, short.
pub(super) fn count(n: u64) -> String {
    #[allow(clippy::cast_precision_loss, reason = "a size")]
    short(n as f64)
}

/// `10K`, `1.5M`, `0.5`
pub(super) fn short(value: f64) -> String {
    let (value, unit) = match value.abs() {
        size if size >= 1e9 => (value / 1e9, "G"),
        size if size >= 1e6 => (value / 1e6, "M"),
        size if size >= 1e4 => (value / 1e3, "K"),
        _ => (value, ""),
    };
    let digits = if value.abs() < 0.095 && value != 0.0 { 3 } else { 2 };
    let text = format!("{value:.digits$}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_close_together_start_at_nothing() {
        let scale = Scale::of(10.0, 50.0, 100.0, 200.0);
        assert!(!scale.is_logarithmic());
        assert_eq!((scale.place(0.0), scale.place(25.0), scale.place(50.0)), (100.0, 150.0, 200.0));
        assert_eq!(scale.place(500.0), 200.0);
        assert_eq!(scale.ticks(4, "ns"), [0.0, 20.0, 40.0]);
        let memory = Scale::of(4000.0, 16_500.0, 0.0, 100.0).ticks(4, "KiB");
        assert_eq!(
            memory.iter().map(|kib| tick(*kib, "KiB")).collect::<Vec<_>>(),
            ["0", "5 MiB", "10 MiB", "15 MiB"]
        );
    }

    #[test]
    fn values_far_apart_are_logarithmic() {
        let scale = Scale::of(10.0, 5000.0, 0.0, 100.0);
        assert!(scale.is_logarithmic());
        assert!(scale.place(10.0) > 3.0 && (scale.place(5000.0) - 100.0).abs() < 1e-9);
        assert_eq!(scale.ticks(4, "ns"), [10.0, 100.0, 1000.0]);
        assert_eq!(scale.place(0.0), 0.0);
        assert!(Scale::of(41.0, 690.0, 0.0, 100.0).ticks(4, "ns").len() > 1);
    }

    #[test]
    fn nothing_is_drawn_too() {
        let scale = Scale::of(0.0, 0.0, 0.0, 100.0);
        assert_eq!(scale.place(0.0), 0.0);
        assert!(scale.ticks(4, "ns").len() > 1);
    }

    #[test]
    fn numbers_are_short() {
        let all = [0.0, 0.5, 0.02, 20.0, 1000.0, 10_000.0, 1.5e6].map(short);
        assert_eq!((tick(50_000.0, "ns"), tick(50.0, "ns")), ("50 µs".to_owned(), "50".to_owned()));
        assert_eq!(all, ["0", "0.5", "0.02", "20", "1000", "10K", "1.5M"]);
    }
}
