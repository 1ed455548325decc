//! One row as bars: a bar per backend, a dot per repetition on it, the best marked, Wyn in its own colour.

use std::fmt::Write as _;

use wyn_bench::record::{Entry, Outcome};

use super::html::{Element, Html, el, text};
use super::scale::{Scale, tick};
use crate::bench::noise::Ratio;
use crate::bench::rows::Row;
use crate::bench::stats::{self, Figure};
use crate::bench::table::{FLOOR, OURS, factor, with_unit};

/// In units of the view box: a phone's width.
const WIDTH: f64 = 372.0;
const LEFT: f64 = 104.0;
const RIGHT: f64 = 254.0;
const LINE: f64 = 22.0;
const VALUES: f64 = 324.0;
const TOP: f64 = 4.0;

struct Bar<'a> {
    name: &'a str,
    figure: Figure,
    /// Every repetition, and whether it was left out.
    dots: Vec<(f64, bool)>,
    one_core: bool,
}

/// A figure with its caption, and below it who is missing and why.
pub(super) fn chart(row: &Row<'_>, entries: &[&Entry]) -> Html {
    let mut bars: Vec<Bar> =
        row.figures.iter().map(|(name, figure)| bar(name, *figure, row, entries)).collect();
    if bars.is_empty() {
        return Html::default();
    }
    bars.sort_by(|a, b| {
        (a.name == FLOOR).cmp(&(b.name == FLOOR)).then(a.figure.median.total_cmp(&b.figure.median))
    });
    let name = row.column.name.as_str();
    let title = if name.is_empty() { row.workload } else { name };
    let absent = absent(row, entries);
    el("figure")
        .class("chart")
        .child(el("figcaption").text(title).child(el("span").class("unit").text(unit_line(row))))
        .child(drawing(row, &bars))
        .children(absent.map(|why| el("p").class("absent").text(why)))
        .into()
}

fn bar<'a>(name: &'a str, figure: Figure, row: &Row<'_>, entries: &[&Entry]) -> Bar<'a> {
    let entry = row.column.entry(name, entries);
    let one_core = row.column.timed && name != FLOOR && entry.is_some_and(stats::one_core);
    let dots = entry.map(|entry| row.column.repetitions(entry)).unwrap_or_default();
    Bar { name, figure, dots, one_core }
}

fn unit_line(row: &Row<'_>) -> String {
    match row.column.unit() {
        "" => "less is better".to_owned(),
        unit => format!("{unit}, less is better"),
    }
}

fn scale(bars: &[Bar<'_>]) -> Scale {
    let medians = || bars.iter().map(|bar| bar.figure.median);
    let longest = medians().fold(0.0, f64::max);
    // A repetition far out is drawn at the edge rather than pressing all bars together.
    let dots =
        || bars.iter().flat_map(|bar| &bar.dots).filter(|(_, left_out)| !left_out).map(|(value, _)| *value);
    let most = dots().filter(|value| *value <= 1.5 * longest).fold(longest, f64::max);
    let least = medians().chain(dots()).filter(|value| *value > 0.0).fold(f64::MAX, f64::min);
    Scale::of(least, most, LEFT, RIGHT)
}

fn drawing(row: &Row<'_>, bars: &[Bar<'_>]) -> Element {
    let scale = scale(bars);
    #[allow(clippy::cast_precision_loss, reason = "a dozen bars")]
    let bottom = TOP + LINE * bars.len() as f64;
    let height = bottom + 20.0;
    let best = row.best(|_| true);
    let mut svg = el("svg").at("viewBox", format!("0 0 {WIDTH} {height}")).at("role", "img");
    svg = svg.child(el("title").text(told(row, bars)));
    for value in scale.ticks(4) {
        let x = scale.place(value);
        svg = svg.child(line(x, TOP, x, bottom).class("grid"));
        svg = svg.child(label(x, bottom + 14.0, "middle").class("tick").text(tick(value, row.column.unit())));
    }
    if scale.is_logarithmic() {
        svg = svg.child(label(WIDTH, bottom + 14.0, "end").class("tick").text("logarithmic"));
    }
    #[allow(clippy::cast_precision_loss, reason = "a dozen bars")]
    let lines =
        bars.iter().enumerate().map(|(index, bar)| one(row, bar, best, &scale, TOP + LINE * index as f64));
    svg.children(lines)
}

/// A bar's line: its name, the bar, its dots, its value, its ratio to the best.
fn one(row: &Row<'_>, bar: &Bar<'_>, best: Option<(&str, Figure)>, scale: &Scale, y: f64) -> Html {
    let middle = y + LINE / 2.0;
    let is_best = best.is_some_and(|(name, _)| name == bar.name);
    let class = match bar.name {
        OURS => "ours",
        FLOOR => "floor",
        _ => "peer",
    };
    let end = scale.place(bar.figure.median);
    let rect = el("rect")
        .num("x", LEFT)
        .num("y", y + 4.0)
        .num("width", (end - LEFT).max(1.0))
        .num("height", LINE - 8.0);
    let value = with_unit(bar.figure.median, row.column.unit()) + if bar.one_core { "'" } else { "" };
    let weight = if is_best { "value best" } else { "value" };
    let mut group = el("g").class(class).child(el("title").text(tip(row, bar)));
    group = group.child(label(LEFT - 6.0, middle + 4.0, "end").class("name").text(bar.name));
    group = group.child(rect).children(dots(bar, scale, middle));
    group = group.child(label(VALUES, middle + 4.0, "end").class(weight).text(value));
    group.child(label(WIDTH, middle + 4.0, "end").class(weight).text(standing(bar, best))).into()
}

fn dots(bar: &Bar<'_>, scale: &Scale, middle: f64) -> Vec<Element> {
    let dot = |(index, (value, left_out)): (usize, &(f64, bool))| {
        // Side by side a little, so that equal ones are still seen to be many.
        let lift = [0.0, -3.0, 3.0, -1.5, 1.5][index % 5];
        let class = if *left_out { "dot out" } else { "dot" };
        el("circle").num("cx", scale.place(*value)).num("cy", middle + lift).at("r", "1.7").class(class)
    };
    bar.dots.iter().enumerate().map(dot).collect()
}

fn standing(bar: &Bar<'_>, best: Option<(&str, Figure)>) -> String {
    let Some((name, best)) = best else { return String::new() };
    match Ratio::of(bar.figure, best) {
        _ if name == bar.name => "best".to_owned(),
        _ if bar.name == FLOOR => "floor".to_owned(),
        Some(ratio) if ratio.noise.is_some() && !ratio.is_change() => "≈".to_owned(),
        Some(ratio) => factor(ratio.value),
        None => String::new(),
    }
}

fn tip(row: &Row<'_>, bar: &Bar<'_>) -> String {
    let unit = row.column.unit();
    let mut tip = format!("{}: {}", bar.name, with_unit(bar.figure.median, unit));
    let _ = write!(tip, " ± {}, {} repetitions", with_unit(bar.figure.mad, unit), bar.figure.count);
    let left_out = bar.dots.iter().filter(|(_, left_out)| *left_out).count();
    if left_out > 0 {
        let _ = write!(tip, ", {left_out} left out (disturbed)");
    }
    if bar.one_core {
        tip += ", on about one core";
    }
    tip
}

/// The whole chart in words, for those who do not see it.
fn told(row: &Row<'_>, bars: &[Bar<'_>]) -> String {
    let figures =
        bars.iter().map(|bar| format!("{} {}", bar.name, with_unit(bar.figure.median, row.column.unit())));
    format!("{}: {}", row.name(), figures.collect::<Vec<_>>().join(", "))
}

/// Who has no figure: no such notion, not installed, hung, and failed told apart.
fn absent(row: &Row<'_>, entries: &[&Entry]) -> Option<String> {
    let mut kinds: Vec<(&str, Vec<&str>)> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.cell == row.column.cell) {
        let kind = match &entry.outcome {
            Outcome::Measured(_) => continue,
            Outcome::Unsupported(_) => "no such notion",
            Outcome::Missing(_) => "not installed",
            Outcome::Hung(_) => "hung",
            Outcome::Failed(_) => "failed",
        };
        match kinds.iter_mut().find(|(name, _)| *name == kind) {
            Some((_, backends)) => backends.push(&entry.backend),
            None => kinds.push((kind, vec![&entry.backend])),
        }
    }
    let told = kinds.into_iter().map(|(kind, backends)| format!("{kind}: {}", backends.join(", ")));
    let told: Vec<String> = told.collect();
    (!told.is_empty()).then(|| told.join("; "))
}

pub(super) fn line(x1: f64, y1: f64, x2: f64, y2: f64) -> Element {
    el("line").num("x1", x1).num("y1", y1).num("x2", x2).num("y2", y2)
}

pub(super) fn label(x: f64, y: f64, anchor: &str) -> Element {
    el("text").num("x", x).num("y", y).at("text-anchor", anchor)
}

/// How many of something: ahead, level, behind, as one bar.
pub(super) fn shares(what: &str, counts: [(&'static str, &str, usize); 3]) -> Html {
    let total: usize = counts.iter().map(|(_, _, count)| count).sum();
    let told: Vec<String> = counts.iter().map(|(_, word, count)| format!("{word} in {count}")).collect();
    let parts = counts.iter().filter(|(_, _, count)| *count > 0).map(|(class, word, count)| {
        let grow = format!("flex-grow:{count}");
        el("span").class(class).at("style", grow).at("title", format!("{word} in {count} rows")).text(count)
    });
    el("div")
        .class("share")
        .child(el("span").class("who").text(what))
        .child(el("span").class("bar").at("role", "img").at("aria-label", told.join(", ")).children(parts))
        .child(el("span").class("of").child(text(format!("{total} rows"))))
        .into()
}
