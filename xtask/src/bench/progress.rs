//! What is shown while a run goes on: a bar with the time left; a line per round where no terminal looks.
//!
//! The first round teaches how long each measurement takes, process and pauses included; until one is known it is
//! expected to take as long as the others did on average.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

pub(crate) struct Progress {
    bar: ProgressBar,
    expected: Expected,
    rounds: usize,
    round_began: Instant,
}

impl Progress {
    /// For so many measurements in each round.
    pub(crate) fn new(steps: usize, rounds: usize) -> Progress {
        let template = "{bar:30} {pos}/{len}  {elapsed} gone, {prefix} left  {msg}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new((steps * rounds) as u64).with_style(style).with_prefix("?");
        bar.enable_steady_tick(Duration::from_millis(500));
        Progress { bar, expected: Expected::new(steps, rounds), rounds, round_began: Instant::now() }
    }

    pub(crate) fn round(&mut self) {
        self.expected.round();
        self.round_began = Instant::now();
    }

    pub(crate) fn measuring(&self, what: String) {
        self.bar.set_message(what);
    }

    /// One measurement of the round has ended, or need not be made any more.
    pub(crate) fn measured(&mut self, step: usize, took: Duration) {
        self.expected.measured(step, took.as_secs_f64());
        self.bar.set_prefix(self.expected.left().map_or("?".to_owned(), seconds));
        self.bar.inc(1);
    }

    pub(crate) fn round_ended(&self) {
        if self.bar.is_hidden() {
            let (took, round) = (seconds(self.round_began.elapsed().as_secs_f64()), self.expected.begun);
            let left = self.expected.left().map(seconds).unwrap_or_default();
            note!("round {round} of {}: {took}, about {left} left", self.rounds);
        }
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// How long the rest will take.
struct Expected {
    /// Of each measurement of a round, as far as it is known.
    seconds: Vec<Option<f64>>,
    /// Which have been made in this round.
    made: Vec<bool>,
    begun: usize,
    rounds: usize,
}

impl Expected {
    fn new(steps: usize, rounds: usize) -> Expected {
        Expected { seconds: vec![None; steps], made: vec![false; steps], begun: 0, rounds }
    }

    fn round(&mut self) {
        self.begun += 1;
        self.made.fill(false);
    }

    fn measured(&mut self, step: usize, took: f64) {
        self.seconds[step] = Some(took);
        self.made[step] = true;
    }

    /// Seconds; `None` before anything is known.
    fn left(&self) -> Option<f64> {
        let known: Vec<f64> = self.seconds.iter().flatten().copied().collect();
        #[allow(clippy::cast_precision_loss, reason = "counts of measurements")]
        let (count, rounds) = (known.len() as f64, self.rounds.saturating_sub(self.begun) as f64);
        let mean = (count > 0.0).then(|| known.iter().sum::<f64>() / count)?;
        let of = |step: usize| self.seconds[step].unwrap_or(mean);
        let whole: f64 = (0..self.made.len()).map(of).sum();
        let this: f64 = (0..self.made.len()).filter(|step| !self.made[*step]).map(of).sum();
        Some(this + rounds * whole)
    }
}

/// `42 s`, `3 min 05 s`
fn seconds(seconds: f64) -> String {
    let whole = Duration::from_secs_f64(seconds.max(0.0)).as_secs();
    if whole < 60 { format!("{whole} s") } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_round_teaches_the_others() {
        let mut expected = Expected::new(2, 3);
        expected.round();
        assert_eq!(expected.left(), None);
        expected.measured(0, 10.0);
        assert_eq!(expected.left(), Some(10.0 + 2.0 * 20.0));
        expected.measured(1, 2.0);
        assert_eq!(expected.left(), Some(2.0 * 12.0));
        expected.round();
        expected.measured(1, 2.0);
        assert_eq!(expected.left(), Some(10.0 + 12.0));
    }

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!((seconds(42.4), seconds(185.0)), ("42 s".to_owned(), "3 min 05 s".to_owned()));
    }
}
