//! A record of allocators: time and memory of the same cells under each, with Wyn's own cells and without.

use serde_json::Value;
use wyn_bench::record::{Cell, Entry, Host, Outcome};

use super::bars::{self, Bar, Chart};
use super::html::{Element, Html, el};
use super::source::{Kind, Source};
pub(super) use crate::allocators::KIND;
use crate::allocators::{CHOICES, Choice, advice_of};
use crate::bench::noise::Ratio;
use crate::bench::record_file::origin;
use crate::bench::stats;
use crate::bench::table::OURS;

/// The figures that are drawn: their names, their titles, their units.
const FIGURES: [(&str, &str, &str); 3] =
    [("ns", "time", "ns"), ("peak_kib", "peak memory", "KiB"), ("minor_faults", "page faults", "")];

/// One program's entries.
struct Run {
    allocator: String,
    own_cells: bool,
    entries: Vec<Entry>,
}

/// Every record of allocators, if there is one.
pub(super) fn section(sources: &[Source]) -> Option<Html> {
    let named = |source: &&Source| matches!(&source.kind, Kind::Named(kind) if kind == KIND);
    let parts: Vec<Element> = sources.iter().filter(named).filter_map(|source| part(&source.json)).collect();
    let section = el("section").at("id", "allocators").child(el("h2").text("Allocators"));
    (!parts.is_empty()).then(|| section.children(parts).into())
}

fn part(json: &Value) -> Option<Element> {
    let runs: Vec<Run> = json["runs"].as_array()?.iter().filter_map(run).collect();
    let host: Host = serde_json::from_value(json["host"].clone()).ok()?;
    let command = json["command"].as_str().unwrap_or_default();
    let origin = origin(command, &host);
    let (choices, gains) = advice_of(json).unwrap_or_default();
    let mut cells: Vec<&Cell> = Vec::new();
    for entry in runs.iter().flat_map(|run| &run.entries) {
        if !cells.contains(&&entry.cell) {
            cells.push(&entry.cell);
        }
    }
    let cards = cells.into_iter().map(|cell| card(cell, &runs));
    Some(
        el("div")
            .child(el("p").class("small").text(origin))
            .child(el("p").text(
                "Each bar is one allocator; “no cells” is Wyn with its tasks in the allocator instead of its own pool.",
            ))
            .child(
                el("div")
                    .class("workload")
                    .child(el("h4").text("Which to choose"))
                    .child(el("div").class("scroll").child(chosen(&choices)))
                    .child(el("ul").children(gains.iter().map(|line| el("li").text(line)))),
            )
            .child(el("div").class("cards").children(cards)),
    )
}

fn chosen(choices: &[Choice]) -> Element {
    let head = el("tr").children(CHOICES.map(|name| el("th").at("scope", "col").text(name)));
    let line = |choice: &Choice| {
        let figures = [&choice.time, &choice.memory].map(|words| el("td").text(words));
        el("tr").child(el("th").at("scope", "row").text(&choice.what)).children(figures)
    };
    let body = el("tbody").children(choices.iter().map(line));
    el("table").class("figures words").child(el("thead").child(head)).child(body)
}

fn run(value: &Value) -> Option<Run> {
    Some(Run {
        allocator: value["allocator"].as_str()?.to_owned(),
        own_cells: value["own_cells"].as_bool()?,
        entries: serde_json::from_value(value["entries"].clone()).ok()?,
    })
}

fn card(cell: &Cell, runs: &[Run]) -> Element {
    let capacity = cell.capacity.map(|capacity| format!(", capacity {capacity}")).unwrap_or_default();
    let title = format!("{} {}{capacity}", cell.workload, super::scale::count(cell.n));
    let charts = FIGURES.iter().filter_map(|figure| chart(&title, cell, runs, figure));
    let charts: Vec<Element> = charts.map(|chart| bars::figure(&chart)).collect();
    el("article")
        .class(format!("workload span{}", charts.len().clamp(1, 3)))
        .child(el("h4").text(&title))
        .child(el("div").class("charts").children(charts))
}

fn chart(
    title: &str,
    cell: &Cell,
    runs: &[Run],
    &(name, words, unit): &(&str, &str, &'static str),
) -> Option<Chart> {
    let mut groups: Vec<(String, Vec<Bar>)> = Vec::new();
    for run in runs {
        for entry in run.entries.iter().filter(|entry| entry.cell == *cell) {
            let Some(bar) = bar(run, entry, name) else { continue };
            let who =
                if run.own_cells { entry.backend.clone() } else { format!("{}, no cells", entry.backend) };
            match groups.iter_mut().find(|(heading, _)| *heading == who) {
                Some((_, bars)) => bars.push(bar),
                None => groups.push((who, vec![bar])),
            }
        }
    }
    for (_, bars) in &mut groups {
        rate(bars);
    }
    let name = format!("{title}, {words}");
    (!groups.is_empty()).then(|| Chart { title: words.to_owned(), name, unit, groups })
}

fn bar(run: &Run, entry: &Entry, name: &str) -> Option<Bar> {
    let Outcome::Measured(samples) = &entry.outcome else { return None };
    let dots = samples.iter().filter_map(|sample| Some((*sample.figures.get(name)?, sample.dropped)));
    Some(Bar {
        name: run.allocator.clone(),
        class: if entry.backend == OURS && run.own_cells { "ours" } else { "peer" },
        figure: stats::figure(entry, name)?,
        dots: dots.collect(),
        standing: String::new(),
        one_core: false,
    })
}

/// How each allocator stands beside the best of its group.
fn rate(bars: &mut [Bar]) {
    let best = bars.iter().map(|bar| bar.figure).reduce(|a, b| if b.median < a.median { b } else { a });
    let Some(best) = best else { return };
    for bar in bars {
        bar.standing = match Ratio::of(bar.figure, best) {
            _ if bar.figure == best => "best".to_owned(),
            Some(ratio) => bars::standing(ratio),
            None => String::new(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::super::html::assert_well_formed;
    use super::*;
    use crate::bench::rows::made_up::entry;
    use serde_json::json;

    #[test]
    fn each_allocator_is_rated_beside_the_others_of_its_program() {
        let run = |allocator: &str, own_cells: bool, ns: f64| json!({"allocator": allocator, "own_cells": own_cells, "entries": [entry(OURS, 100_000, ns)]});
        let runs = [run("system", true, 10.0), run("mimalloc", true, 5.0), run("system", false, 90.0)];
        let json = json!({
            "kind": KIND, "schema": 1, "started": 0, "command": "c", "host": Host::default(), "runs": runs,
        });
        let source = Source { name: "allocators-0".to_owned(), kind: Kind::Named(KIND.to_owned()), json };
        let html = section(&[source]).unwrap();
        assert_well_formed(html.as_str());
        for words in ["spawn_await 100K", "wyn, no cells", "2.0x", "10.0 ns"] {
            assert!(html.as_str().contains(words), "{words}");
        }
        assert!(section(&[]).is_none());
    }
}
