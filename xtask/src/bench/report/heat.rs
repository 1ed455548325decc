//! The channel matrix: workloads by capacities, each cell the ratio to the best other backend, in seven colours.

use wyn_bench::record::Record;

use super::html::{Element, Html, el};
use crate::bench::column::Role;
use crate::bench::rows::{Row, rows};
use crate::bench::table::{FLOOR, OURS, factor, with_unit};

/// A matrix for each backend, ours shown first; nothing where the record has no capacities.
pub(super) fn matrices(record: &Record, id: &str) -> Option<Html> {
    let rows: Vec<Row> =
        rows(record, &[Role::Main]).into_iter().filter(|row| row.column.cell.capacity.is_some()).collect();
    if rows.is_empty() {
        return None;
    }
    let mut backends: Vec<&str> = rows.iter().flat_map(|row| &row.figures).map(|(name, _)| *name).collect();
    backends.sort_by_key(|name| (*name != OURS, *name));
    backends.dedup();
    backends.retain(|name| *name != FLOOR);
    let option = |name: &&str| el("option").at("value", name).text(name);
    let choice = el("select").at("data-matrix", id).at("id", format!("{id}-backend"));
    let choice = choice.children(backends.iter().map(option));
    let matrices = backends.iter().enumerate().map(|(index, backend)| {
        let part = el("div").class("scroll").at("data-of", id).at("data-backend", backend);
        let part = if index == 0 { part } else { part.flag("hidden") };
        part.child(matrix(&rows, backend))
    });
    let html = el("div")
        .class("matrix")
        .child(el("h4").text("By workload and capacity"))
        .child(
            el("p")
                .child(
                    el("label")
                        .at("for", format!("{id}-backend"))
                        .text("How many times faster than the best other: "),
                )
                .child(choice),
        )
        .children(matrices)
        .child(legend());
    Some(html.into())
}

fn matrix(rows: &[Row<'_>], backend: &str) -> Element {
    let mut capacities: Vec<&str> = Vec::new();
    // Each number of workers is a line of its own.
    let mut lines: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        if !capacities.contains(&capacity(row)) {
            capacities.push(capacity(row));
        }
        if !lines.contains(&place(row)) {
            lines.push(place(row));
        }
    }
    let order = |name: &&str| match *name {
        "large" => u64::MAX - 1,
        "unbounded" => u64::MAX,
        number => number.parse().unwrap_or(u64::MAX - 2),
    };
    capacities.sort_by_key(order);
    let head = el("tr").child(el("th").at("scope", "col").text(backend));
    let head = head.children(capacities.iter().map(|name| el("th").at("scope", "col").text(name)));
    let line = |at: &(&str, usize)| {
        let of = |name: &&str| rows.iter().find(|row| place(row) == *at && capacity(row) == *name);
        let cells = capacities.iter().map(|name| of(name).map_or_else(empty, |row| cell(row, backend)));
        let alone = lines.iter().filter(|(workload, _)| *workload == at.0).count() == 1;
        let name = match at {
            (workload, _) if alone => (*workload).to_owned(),
            (workload, 1) => format!("{workload}, 1 worker"),
            (workload, workers) => format!("{workload}, {workers} workers"),
        };
        el("tr").child(el("th").at("scope", "row").text(name)).children(cells)
    };
    el("table")
        .class("heat")
        .child(el("thead").child(head))
        .child(el("tbody").children(lines.iter().map(line)))
}

/// The line that a row belongs to.
fn place<'a>(row: &Row<'a>) -> (&'a str, usize) {
    (row.workload, row.column.cell.workers)
}

/// The first word of a row's name: `4 senders` differ in it from nobody.
fn capacity<'a>(row: &'a Row<'_>) -> &'a str {
    row.column.name.split([':', ',', ' ']).next().unwrap_or_default()
}

fn empty() -> Element {
    el("td").class("none").text("")
}

fn cell(row: &Row<'_>, backend: &str) -> Element {
    let Some((own, (other, lead))) = row.figure(backend).zip(row.lead(backend)) else {
        return el("td").class("none").text("–");
    };
    let unit = row.column.unit();
    let theirs = row.figure(other).map(|figure| with_unit(figure.median, unit)).unwrap_or_default();
    let tip = format!("{}: {backend} {}, {other} {theirs}", row.name(), with_unit(own.median, unit));
    let level = !lead.is_change();
    let shown = if level && lead.noise.is_some() {
        format!("≈ {}", factor(lead.value))
    } else {
        factor(lead.value)
    };
    let class = if level { "h0" } else { colour(lead.value) };
    let beside = el("span").class("beside").text(other);
    el("td").class(class).at("title", tip).child(el("b").text(shown)).child(beside)
}

/// Seven steps, the same both ways.
fn colour(lead: f64) -> &'static str {
    match lead {
        lead if lead >= 4.0 => "h3",
        lead if lead >= 2.0 => "h2",
        lead if lead > 1.05 => "h1",
        lead if lead >= 1.0 / 1.05 => "h0",
        lead if lead > 0.5 => "l1",
        lead if lead > 0.25 => "l2",
        _ => "l3",
    }
}

fn legend() -> Element {
    let steps = [
        ("h3", "4x ahead or more"),
        ("h2", "2x"),
        ("h1", "ahead"),
        ("h0", "≈ no clear difference (5 % or noise)"),
        ("l1", "behind"),
        ("l2", "2x"),
        ("l3", "4x behind or more"),
    ];
    let step = |(class, words): (&'static str, &str)| el("li").child(el("span").class(class)).text(words);
    el("ul").class("key steps").children(steps.map(step))
}

#[cfg(test)]
mod tests {
    use super::super::html::assert_well_formed;
    use super::*;
    use crate::bench::rows::made_up;
    use wyn_bench::record::{Capacity, Cell, Entry};

    fn entry(backend: &str, workload: &str, workers: usize, ns: f64) -> Entry {
        let entry = made_up::entry(backend, 1000, ns);
        let capacity = Some(Capacity::Bounded(1));
        let cell = Cell { workload: workload.to_owned(), workers, capacity, ..entry.cell };
        Entry { cell, ..entry }
    }

    #[test]
    fn each_number_of_workers_has_a_line() {
        let entries = [("wyn", 10.0), ("kanal", 25.0)].into_iter().flat_map(|(name, ns)| {
            [
                entry(name, "spsc", 4, ns),
                entry(name, "task_ping_pong", 1, ns),
                entry(name, "task_ping_pong", 2, 4.0 * ns * ns),
            ]
        });
        let record = Record { group: "channels".to_owned(), ..made_up::record(entries.collect()) };
        let html = matrices(&record, "id").unwrap();
        assert_well_formed(html.as_str());
        for words in [
            ">spsc<",
            "task_ping_pong, 1 worker<",
            "task_ping_pong, 2 workers<",
            "<b>2.5x</b>",
            "<b>6.2x</b>",
        ] {
            assert!(html.as_str().contains(words), "{words}: {}", html.as_str());
        }
    }
}
