//! Lines over a size: nanoseconds per task over N, speed over workers, bytes over N.

use std::collections::BTreeMap;

use wyn_bench::record::{Cell, Entry};

use super::bars::{label, line};
use super::html::{Element, Html, el};
use super::scale::{Scale, count, short, tick};
use crate::bench::plan::Group;
use crate::bench::stats;
use crate::bench::table::{FLOOR, OURS};

const WIDTH: f64 = 372.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 44.0;
const RIGHT: f64 = 362.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 204.0;
/// Fewer points are no curve.
const POINTS: usize = 3;
/// Colours beside ours; each with as many dashes.
const COLOURS: usize = 7;
const DASHES: usize = 4;

/// A line: its name, and its points by rising x.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

pub(super) struct Curves {
    pub(super) title: String,
    pub(super) x: &'static str,
    pub(super) y: String,
    /// The line that stands out.
    pub(super) ours: &'static str,
    /// All names that the page has lines of, ours left out: each looks the same in every chart.
    pub(super) known: Vec<String>,
    pub(super) series: Vec<Series>,
}

/// What a curve goes over.
struct Axis {
    name: &'static str,
    size: fn(&Cell) -> f64,
    /// Leaves in a cell what a curve's cells have in common.
    forget: fn(&mut Cell),
}

#[allow(clippy::cast_precision_loss, reason = "sizes")]
const AXES: [Axis; 3] = [
    Axis { name: "tasks", size: |cell| cell.n as f64, forget: |cell| cell.n = 0 },
    Axis { name: "workers", size: |cell| cell.workers as f64, forget: |cell| cell.workers = 0 },
    Axis {
        name: "ns of work in each",
        size: |cell| cell.grain_ns as f64,
        // Loops are repeated more often where they are short: their number is no size.
        forget: |cell| (cell.grain_ns, cell.n) = (0, 0),
    },
];

/// The curves that a workload's cells yield.
pub(super) fn of_workload(workload: &str, entries: &[&Entry]) -> Vec<Html> {
    let mut found = Vec::new();
    for axis in &AXES {
        let mut families: BTreeMap<Cell, Vec<&Entry>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| (axis.size)(&entry.cell) > 0.0) {
            let mut cell = entry.cell.clone();
            (axis.forget)(&mut cell);
            families.entry(cell).or_default().push(entry);
        }
        for (cell, family) in families {
            for (what, unit, figure) in figures(workload, axis.name) {
                let title = format!("{what} over {}{}", axis.name.trim_end_matches(" in each"), about(&cell));
                let series = series(&family, axis.size, *figure);
                if series.iter().any(|line| line.points.len() >= POINTS) {
                    let y = (*unit).to_owned();
                    found.push(drawing(&Curves {
                        title,
                        x: axis.name,
                        y,
                        ours: OURS,
                        known: backends(),
                        series,
                    }));
                }
            }
        }
    }
    found
}

/// What else the cells of a curve have in common.
fn about(cell: &Cell) -> String {
    match (cell.n, cell.workers, cell.capacity) {
        (0, workers, None) if workers > 0 => format!(", {workers} workers"),
        (n, 0, None) => format!(", {}", count(n)),
        (_, _, Some(capacity)) => format!(", capacity {capacity}"),
        _ => String::new(),
    }
}

type Value = fn(&Entry) -> Option<f64>;

/// The figures worth a curve: what they are called, their unit, and where they come from.
fn figures(workload: &str, x: &str) -> &'static [(&'static str, &'static str, Value)] {
    const TIME: (&str, &str, Value) = ("time", "ns", |entry| median(entry, "ns"));
    const COLD: (&str, &str, Value) = ("cold time", "ns", |entry| median(entry, "cold_ns"));
    const PENDING: (&str, &str, Value) = ("memory of a pending task", "B", |entry| median(entry, "bytes"));
    const PEAK: (&str, &str, Value) = ("peak memory per task", "B", |entry| {
        #[allow(clippy::cast_precision_loss, reason = "a count of tasks")]
        let tasks = entry.cell.n as f64;
        Some(median(entry, "peak_kib")? * 1024.0 / tasks)
    });
    const SPEED: (&str, &str, Value) = ("speed beside a serial loop", "x, more is better", |entry| {
        Some(median(entry, "serial_ns")? / median(entry, "ns")?)
    });
    match (workload, x) {
        ("pending", "tasks") => &[PENDING],
        ("spawn_await" | "spawn_await_in" | "spawn_detached" | "nested", "tasks") => &[TIME, COLD, PEAK],
        ("grain" | "par_for" | "par_for_in" | "isolated_join", "ns of work in each") => &[SPEED],
        (_, "workers") => &[TIME],
        _ => &[],
    }
}

fn median(entry: &Entry, figure: &str) -> Option<f64> {
    stats::figure(entry, figure).map(|figure| figure.median)
}

fn series(entries: &[&Entry], size: fn(&Cell) -> f64, figure: Value) -> Vec<Series> {
    let mut all: Vec<Series> = Vec::new();
    for entry in entries {
        let Some(value) = figure(entry).filter(|value| value.is_finite()) else { continue };
        let point = (size(&entry.cell), value);
        match all.iter_mut().find(|series| series.name == entry.backend) {
            Some(series) => series.points.push(point),
            None => all.push(Series { name: entry.backend.clone(), points: vec![point] }),
        }
    }
    for series in &mut all {
        series.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all
}

/// The lines, and below them their names.
pub(super) fn drawing(curves: &Curves) -> Html {
    let points = || curves.series.iter().flat_map(|series| &series.points);
    let range = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::MAX, 0.0), |(least, most): (f64, f64), value| (least.min(value), most.max(value)))
    };
    let (least, most) = range(&mut points().map(|(x, _)| *x));
    let across = Scale::of_sizes(least, most, LEFT + 8.0, RIGHT - 8.0);
    let (least, most) = range(&mut points().map(|(_, y)| *y));
    let up = Scale::of(least, most, BOTTOM, TOP);
    let names: Vec<&str> = curves.series.iter().map(|series| series.name.as_str()).collect();
    let told = format!("{}: {}; the table has the figures", curves.title, names.join(", "));
    let mut svg = el("svg").at("viewBox", format!("0 0 {WIDTH} {HEIGHT}")).at("role", "img");
    svg = svg.child(el("title").text(told)).children(axes(curves, &across, &up));
    // Ours last: on top of the others.
    let mut order: Vec<usize> = (0..curves.series.len()).collect();
    order.sort_by_key(|index| curves.series[*index].name == curves.ours);
    let classes = classes(curves);
    svg = svg.children(
        order.iter().map(|&index| one(&curves.series[index], &classes[index], &across, &up, &curves.y)),
    );
    let key = |(series, class): (&Series, &String)| {
        let sample = el("svg").at("viewBox", "0 0 22 8").at("aria-hidden", "true").class("sample");
        let sample = sample.child(line(0.0, 4.0, 22.0, 4.0).class(class));
        el("li").child(sample).text(&series.name)
    };
    let scale = if up.is_logarithmic() { ", logarithmic" } else { "" };
    el("figure")
        .class("chart")
        .child(
            el("figcaption")
                .text(&curves.title)
                .child(el("span").class("unit").text(format!("{}{scale}", curves.y))),
        )
        .child(svg)
        .child(el("ul").class("key").children(curves.series.iter().zip(&classes).map(key)))
        .into()
}

/// Every backend but ours and the floor.
fn backends() -> Vec<String> {
    let mut known: Vec<String> = Vec::new();
    for (name, _) in Group::ALL.iter().flat_map(|group| group.all_backends()) {
        if ![OURS, FLOOR].contains(name) && !known.iter().any(|other| other == name) {
            known.push((*name).to_owned());
        }
    }
    known
}

/// A colour and a dash for each line: ours its own, the others by their place among all that are known.
fn classes(curves: &Curves) -> Vec<String> {
    let class = |(index, series): (usize, &Series)| match series.name.as_str() {
        name if name == curves.ours => "curve ours".to_owned(),
        FLOOR => "curve floor".to_owned(),
        name => {
            let place = curves.known.iter().position(|other| other == name).unwrap_or(index);
            format!("curve c{} d{}", place % COLOURS + 1, place / COLOURS % DASHES)
        }
    };
    curves.series.iter().enumerate().map(class).collect()
}

fn axes(curves: &Curves, across: &Scale, up: &Scale) -> Vec<Element> {
    let mut parts = Vec::new();
    for value in up.ticks(5, &curves.y) {
        let y = up.place(value);
        parts.push(line(LEFT, y, RIGHT, y).class("grid"));
        parts.push(label(LEFT - 5.0, y + 4.0, "end").class("tick").text(tick(value, &curves.y)));
    }
    let mut sizes: Vec<f64> =
        curves.series.iter().flat_map(|series| &series.points).map(|(x, _)| *x).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let mut last = f64::MIN;
    for size in sizes {
        let x = across.place(size);
        if x - last > 30.0 {
            parts.push(label(x, BOTTOM + 16.0, "middle").class("tick").text(short(size)));
            last = x;
        }
    }
    parts.push(label(RIGHT, HEIGHT - 4.0, "end").class("tick").text(curves.x));
    parts
}

fn one(series: &Series, class: &str, across: &Scale, up: &Scale, unit: &str) -> Html {
    let places: Vec<String> =
        series.points.iter().map(|(x, y)| format!("{:.1},{:.1}", across.place(*x), up.place(*y))).collect();
    let mut group = el("g").child(el("polyline").at("points", places.join(" ")).class(class));
    for (x, y) in &series.points {
        let tip = format!("{}, {}: {} {unit}", series.name, short(*x), short(*y));
        let dot = el("circle").num("cx", across.place(*x)).num("cy", up.place(*y)).at("r", "3").class(class);
        group = group.child(dot.child(el("title").text(tip)));
    }
    group.into()
}
