//! The section of one record: its ranking, its matrix, and each workload's charts and table.

use wyn_bench::record::{Entry, Record};

use super::bars;
use super::curves;
use super::heat;
use super::html::{Element, Html, el};
use super::source::Source;
use crate::bench::column::Role;
use crate::bench::plan::Group;
use crate::bench::rank::{self, Ranking};
use crate::bench::render;
use crate::bench::rows::rows;
use crate::bench::table::{self, OURS, Standing, Table, factor};

pub(super) fn section(source: &Source, record: &Record, open: bool) -> Html {
    let id = format!("r-{}", source.name);
    let details = el("details").class("record").at("id", &id);
    let details = if open { details.flag("open") } else { details };
    let head = render::head(record);
    let origin = el("ul")
        .class("origin")
        .children(head.iter().filter(|line| !line.is_empty()).map(|l| el("li").text(l)));
    let workloads = Group::named(&record.group).unwrap_or_default().all_workloads();
    let cards = workloads.iter().filter_map(|(name, what)| card(source, record, name, what));
    details
        .child(
            el("summary")
                .child(el("h3").text(source.title()))
                .child(el("span").class("file").text(&source.name)),
        )
        .child(el("details").child(el("summary").text("Machine, versions, command")).child(origin))
        .children(ranks(&rank::ranking(record, false)))
        .children(heat::matrices(record, &id))
        .child(el("div").class("cards").children(cards))
        .into()
}

/// The backends over all rows at once.
fn ranks(ranking: &Ranking) -> Option<Html> {
    let (own, rows) = ranking.own.as_ref()?;
    let words = format!(
        "Wyn over all {rows} rows: {} to the best of each, first in {}, within 5 % of first in {}.",
        factor(own.mean),
        own.first,
        own.level
    );
    let head = el("tr").children(rank::HEADER.map(|name| el("th").at("scope", "col").text(name)));
    let line = |line: Vec<String>| {
        let mut cells = line.into_iter();
        let backend = cells.next().unwrap_or_default();
        let class = if backend == OURS { "ours" } else { "" };
        let figures = cells.map(|text| el("td").text(text));
        el("tr").class(class).child(el("th").at("scope", "row").text(backend)).children(figures)
    };
    let body = el("tbody").children(rank::lines(ranking).into_iter().map(line));
    let table = el("table").class("figures").child(el("thead").child(head)).child(body);
    let common = format!(
        "“To the best” is the geometric mean over the {} rows that all backends with a figure in half of the rows \
         have: {}.",
        ranking.common.len(),
        ranking.common.join("; ")
    );
    let html = el("div")
        .class("ranks")
        .child(el("h4").text("All rows together"))
        .child(el("p").text(words))
        .child(el("div").class("scroll").child(table))
        .child(
            el("details").child(el("summary").text("Which rows")).child(el("p").class("small").text(common)),
        );
    Some(html.into())
}

fn card(source: &Source, record: &Record, workload: &str, what: &str) -> Option<Html> {
    let entries: Vec<&Entry> =
        record.entries.iter().filter(|entry| entry.cell.workload == workload).collect();
    if entries.is_empty() {
        return None;
    }
    let charts = |role: Role| -> Vec<Html> {
        let rows = rows(record, &[role]);
        rows.iter().filter(|row| row.workload == workload).map(|row| bars::of_row(row, &entries)).collect()
    };
    let (mut main, mut side) = (charts(Role::Main), charts(Role::Side));
    if main.is_empty() {
        std::mem::swap(&mut main, &mut side);
    }
    let curves = curves::of_workload(workload, &entries);
    let id = format!("w-{}-{workload}", source.name);
    // As wide as it has charts.
    let span = (main.len() + curves.len()).clamp(1, 3);
    let mut card =
        el("article").class(format!("workload span{span}")).at("id", id).child(el("h4").text(workload));
    card = card.child(el("p").class("what").text(what)).child(grid(main.into_iter().chain(curves)));
    if !side.is_empty() {
        let summary = format!("Cold runs, worst cases, memory ({})", side.len());
        card = card.child(el("details").child(el("summary").text(summary)).child(grid(side)));
    }
    let table = html_table(&table::table(workload, what, &entries));
    Some(card.child(el("details").child(el("summary").text("As a table")).child(table)).into())
}

fn grid(charts: impl IntoIterator<Item = Html>) -> Element {
    el("div").class("charts").children(charts)
}

fn html_table(table: &Table) -> Html {
    let head = el("tr").children(table.header.iter().map(|name| el("th").at("scope", "col").text(name)));
    let line = |row: &table::Row| {
        let cells = row.cells.iter().map(|cell| match cell.standing {
            Standing::Best => el("td").child(el("b").text(&cell.text)),
            Standing::Level => el("td").text(format!("{} ≈", cell.text)),
            Standing::Behind => el("td").text(&cell.text),
        });
        let class = if row.name == OURS { "ours" } else { "" };
        el("tr").class(class).child(el("th").at("scope", "row").text(&row.name)).children(cells)
    };
    let body = el("tbody").children(table.rows.iter().map(line));
    let drawn = el("table").class("figures").child(el("thead").child(head)).child(body);
    let notes = el("ul").class("small").children(table.notes.iter().map(|note| el("li").text(note)));
    [Html::from(el("div").class("scroll").child(drawn)), notes.into()].into_iter().collect()
}
