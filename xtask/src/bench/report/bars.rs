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

/// Bars below each other on one scale.
pub(super) struct Chart {
    pub(super) title: String,
    /// What the chart is called away from its neighbours.
    pub(super) name: String,
    pub(super) unit: &'static str,
    /// Some bars each, with a heading if it has words.
    pub(super) groups: Vec<(String, Vec<Bar>)>,
}

pub(super) struct Bar {
    pub(super) name: String,
    /// `ours`, `peer` or `floor`.
    pub(super) class: &'static str,
    pub(super) figure: Figure,
    /// Every repetition, and whether it was left out.
    pub(super) dots: Vec<(f64, bool)>,
    /// How it stands: `best`, `≈`, a factor.
    pub(super) standing: String,
    pub(super) one_core: bool,
}

/// A row as bars, and below them who is missing and why.
pub(super) fn of_row(row: &Row<'_>, entries: &[&Entry]) -> Html {
    let best = row.best(|_| true);
    let mut bars: Vec<Bar> =
        row.figures.iter().map(|(name, figure)| bar(name, *figure, row, entries, best)).collect();
    if bars.is_empty() {
        return Html::default();
    }
    let floor = |bar: &Bar| bar.class == "floor";
    bars.sort_by(|a, b| floor(a).cmp(&floor(b)).then(a.figure.median.total_cmp(&b.figure.median)));
    let (name, groups) = (row.name(), vec![(String::new(), bars)]);
    let title = name.strip_prefix(row.workload).map(str::trim_start).filter(|words| !words.is_empty());
    let chart = Chart {
        title: title.unwrap_or(&name).to_owned(),
        unit: row.column.unit(),
        groups,
        name: name.clone(),
    };
    figure(&chart).children(absent(row, entries).map(|why| el("p").class("absent").text(why))).into()
}

fn bar(name: &str, figure: Figure, row: &Row<'_>, entries: &[&Entry], best: Option<(&str, Figure)>) -> Bar {
    let entry = row.column.entry(name, entries);
    let class = match name {
        OURS => "ours",
        FLOOR => "floor",
        _ => "peer",
    };
    let standing = match best.map(|(best_name, best)| (best_name, Ratio::of(figure, best))) {
        None => String::new(),
        Some((best, _)) if name == best => "best".to_owned(),
        Some(_) if name == FLOOR => "floor".to_owned(),
        Some((_, ratio)) => ratio.map(standing).unwrap_or_default(),
    };
    Bar {
        name: name.to_owned(),
        class,
        figure,
        dots: entry.map(|entry| row.column.repetitions(entry)).unwrap_or_default(),
        standing,
        one_core: row.column.timed && name != FLOOR && entry.is_some_and(stats::one_core),
    }
}

/// How many times the best, or that nobody can tell.
pub(super) fn standing(ratio: Ratio) -> String {
    if ratio.noise.is_some() && !ratio.is_change() { "≈".to_owned() } else { factor(ratio.value) }
}

/// The chart with its caption.
pub(super) fn figure(chart: &Chart) -> Element {
    let unit = match chart.unit {
        "" => "less is better".to_owned(),
        unit => format!("{unit}, less is better"),
    };
    let caption = el("figcaption").text(&chart.title).child(el("span").class("unit").text(unit));
    el("figure").class("chart").child(caption).child(drawing(chart))
}

fn scale(chart: &Chart) -> Scale {
    let bars = || chart.groups.iter().flat_map(|(_, bars)| bars);
    let medians = || bars().map(|bar| bar.figure.median);
    let longest = medians().fold(0.0, f64::max);
    // A repetition far out is drawn at the edge rather than pressing all bars together.
    let dots = || bars().flat_map(|bar| &bar.dots).filter(|(_, left_out)| !left_out).map(|(value, _)| *value);
    let most = dots().filter(|value| *value <= 1.5 * longest).fold(longest, f64::max);
    let least = medians().chain(dots()).filter(|value| *value > 0.0).fold(f64::MAX, f64::min);
    Scale::of(least, most, LEFT, RIGHT)
}

fn drawing(chart: &Chart) -> Element {
    let scale = scale(chart);
    let mut lines: Vec<Html> = Vec::new();
    let mut y = TOP;
    for (heading, bars) in &chart.groups {
        if !heading.is_empty() {
            lines.push(label(0.0, y + 15.0, "start").class("heading").text(heading).into());
            y += LINE;
        }
        for bar in bars {
            lines.push(one(chart, bar, &scale, y));
            y += LINE;
        }
    }
    let mut svg = el("svg").at("viewBox", format!("0 0 {WIDTH} {}", y + 20.0)).at("role", "img");
    svg = svg.child(el("title").text(told(chart)));
    for value in scale.ticks(4, chart.unit) {
        let x = scale.place(value);
        svg = svg.child(line(x, TOP, x, y).class("grid"));
        svg = svg.child(label(x, y + 14.0, "middle").class("tick").text(tick(value, chart.unit)));
    }
    if scale.is_logarithmic() {
        svg = svg.child(label(WIDTH, y + 14.0, "end").class("tick").text("logarithmic"));
    }
    svg.children(lines)
}

/// A bar's line: its name, the bar, its dots, its value, its ratio to the best.
fn one(chart: &Chart, bar: &Bar, scale: &Scale, y: f64) -> Html {
    let middle = y + LINE / 2.0;
    let end = scale.place(bar.figure.median);
    let rect = el("rect")
        .num("x", LEFT)
        .num("y", y + 4.0)
        .num("width", (end - LEFT).max(1.0))
        .num("height", LINE - 8.0);
    let value = with_unit(bar.figure.median, chart.unit) + if bar.one_core { "'" } else { "" };
    let weight = if bar.standing == "best" { "value best" } else { "value" };
    let mut group = el("g").class(bar.class).child(el("title").text(tip(chart, bar)));
    group = group.child(label(LEFT - 6.0, middle + 4.0, "end").class("name").text(&bar.name));
    group = group.child(rect).children(dots(bar, scale, middle));
    group = group.child(label(VALUES, middle + 4.0, "end").class(weight).text(value));
    group.child(label(WIDTH, middle + 4.0, "end").class(weight).text(&bar.standing)).into()
}

fn dots(bar: &Bar, scale: &Scale, middle: f64) -> Vec<Element> {
    let dot = |(index, (value, left_out)): (usize, &(f64, bool))| {
        // Side by side a little, so that equal ones are still seen to be many.
        let lift = [0.0, -3.0, 3.0, -1.5, 1.5][index % 5];
        let class = if *left_out { "dot out" } else { "dot" };
        el("circle").num("cx", scale.place(*value)).num("cy", middle + lift).at("r", "1.7").class(class)
    };
    bar.dots.iter().enumerate().map(dot).collect()
}

fn tip(chart: &Chart, bar: &Bar) -> String {
    let mut tip = format!("{}: {}", bar.name, with_unit(bar.figure.median, chart.unit));
    let _ = write!(tip, " ± {}, {} repetitions", with_unit(bar.figure.mad, chart.unit), bar.figure.count);
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
fn told(chart: &Chart) -> String {
    let of_group = |(heading, bars): &(String, Vec<Bar>)| {
        let figure = |bar: &Bar| format!("{} {}", bar.name, with_unit(bar.figure.median, chart.unit));
        let figures: Vec<String> = bars.iter().map(figure).collect();
        if heading.is_empty() { figures.join(", ") } else { format!("{heading}: {}", figures.join(", ")) }
    };
    format!("{}: {}", chart.name, chart.groups.iter().map(of_group).collect::<Vec<_>>().join("; "))
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
