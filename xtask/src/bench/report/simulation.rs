//! A simulation's record: speed-up over more processors than the machine has, labelled as the prediction that it is.

use wyn_bench::simulate::record::{Check, Cost, Curve, KIND as KIND_, Record, Source as Origin};

use super::curves::{Curves, Series, drawing};
use super::html::{Element, Html, el};
use super::source::{Kind, Source};
use crate::bench::record_file::origin;
use crate::bench::table::with_unit;

pub(super) const KIND: &str = KIND_;
/// The policy that is ours.
const OURS: &str = "wyn";

/// The predictions, if there are any.
pub(super) fn section(sources: &[Source]) -> Option<Html> {
    let named = |source: &&Source| matches!(&source.kind, Kind::Named(kind) if kind == KIND);
    let records: Vec<Record> = sources
        .iter()
        .filter(named)
        .filter_map(|source| serde_json::from_value(source.json.clone()).ok())
        .collect();
    if records.is_empty() {
        return None;
    }
    let section = el("section")
        .at("id", "prediction")
        .class("prediction")
        .child(el("h2").text("Prediction: more processors"));
    let warning = "Simulated, not measured. The model is fed with costs measured on the machine named below and \
                   beyond its processors nobody has checked it.";
    Some(section.child(el("p").class("warning").text(warning)).children(records.iter().map(part)).into())
}

fn part(record: &Record) -> Element {
    let mut families: Vec<(&Curve, Vec<&Curve>)> = Vec::new();
    for curve in &record.curves {
        let same = |first: &&Curve| {
            (&first.workload, first.n, first.grain_ns, first.sockets)
                == (&curve.workload, curve.n, curve.grain_ns, curve.sockets)
        };
        match families.iter_mut().find(|(first, _)| same(first)) {
            Some((_, family)) => family.push(curve),
            None => families.push((curve, vec![curve])),
        }
    }
    let mut policies: Vec<String> = Vec::new();
    for curve in record.curves.iter().filter(|curve| curve.policy != OURS) {
        if !policies.contains(&curve.policy) {
            policies.push(curve.policy.clone());
        }
    }
    let charts = families.into_iter().map(|(first, family)| chart(first, &family, &policies));
    let origin = origin(&record.command, &record.host);
    el("div")
        .child(el("p").class("small").text(origin))
        .child(el("div").class("charts").children(charts))
        .child(fold("The model beside what this machine measures", validation(&record.validation)))
        .child(fold("What it is fed with", costs(record)))
        .child(fold(
            "What it leaves out",
            el("ul").children(record.omissions.iter().map(|line| el("li").text(line))),
        ))
        .child(fold("Where the curves bend, and why", knees(&record.curves)))
}

fn fold(summary: &str, inside: Element) -> Element {
    el("details").child(el("summary").text(summary)).child(el("div").class("scroll").child(inside))
}

fn chart(first: &Curve, family: &[&Curve], policies: &[String]) -> Html {
    #[allow(clippy::cast_precision_loss, reason = "processors")]
    let points = |curve: &Curve| curve.points.iter().map(|p| (p.cores as f64, p.speedup)).collect();
    let series =
        family.iter().map(|curve| Series { name: curve.policy.clone(), points: points(curve) }).collect();
    drawing(&Curves {
        title: format!("{}: speed-up predicted", about(first)),
        x: "processors",
        y: "x, more is better".to_owned(),
        ours: OURS,
        known: policies.to_vec(),
        series,
    })
}

/// `fib, 121393 of 100 ns, 2 sockets`
fn about(curve: &Curve) -> String {
    let sockets = if curve.sockets > 1 { format!(", {} sockets", curve.sockets) } else { String::new() };
    format!("{}, {} of {}{sockets}", curve.workload, curve.n, work(curve.grain_ns))
}

#[allow(clippy::cast_precision_loss, reason = "nanoseconds of work")]
fn work(grain_ns: u64) -> String {
    let text = with_unit(grain_ns as f64, "ns");
    text.replace(".00 ", " ").replace(".0 ", " ")
}

fn table(header: &[&'static str], lines: impl IntoIterator<Item = Vec<String>>) -> Element {
    let head = el("tr").children(header.iter().map(|name| el("th").at("scope", "col").text(name)));
    let line = |cells: Vec<String>| el("tr").children(cells.into_iter().map(|cell| el("td").text(cell)));
    let body = el("tbody").children(lines.into_iter().map(line));
    el("table").class("figures words").child(el("thead").child(head)).child(body)
}

fn validation(checks: &[Check]) -> Element {
    let header = ["workload", "processors", "measured", "predicted", "predicted / measured", "note"];
    table(
        &header,
        checks.iter().map(|check| {
            let what = format!("{}, {} of {}", check.workload, check.n, work(check.grain_ns));
            let (measured, predicted) =
                (with_unit(check.measured_ns, "ns"), with_unit(check.predicted_ns, "ns"));
            vec![
                what,
                check.cores.to_string(),
                measured,
                predicted,
                format!("{:.2}", check.ratio),
                check.note.clone(),
            ]
        }),
    )
}

fn costs(record: &Record) -> Element {
    let origin = |cost: &Cost| match cost.source {
        Origin::Measured => format!("measured, ±{}", with_unit(cost.mad, "ns")),
        Origin::Assumed => "assumed".to_owned(),
    };
    let line = |(name, cost): (&String, &Cost)| {
        vec![name.clone(), with_unit(cost.ns, "ns"), origin(cost), cost.what.clone()]
    };
    table(&["cost", "time", "from", "of what"], record.costs.iter().map(line))
}

fn knees(curves: &[Curve]) -> Element {
    let line = |curve: &Curve| {
        let knee = curve.knee.as_ref();
        let bend = knee.map_or_else(|| "none".to_owned(), |knee| format!("at {} processors", knee.cores));
        let cause = knee.map(|knee| format!("{} ({:.0} % of all time)", knee.cause, knee.share * 100.0));
        vec![about(curve), curve.policy.clone(), bend, cause.unwrap_or_default()]
    };
    table(&["workload", "policy", "half is lost", "to"], curves.iter().map(line))
}

#[cfg(test)]
mod tests {
    use super::super::html::assert_well_formed;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_prediction_is_labelled_as_one() {
        let point =
            |cores: usize, speedup: f64| json!({"cores": cores, "ns": 1.0, "speedup": speedup, "lost": {}});
        let curve = |policy: &str| {
            let points = [point(1, 0.9), point(16, 12.0), point(64, 40.0)];
            json!({"policy": policy, "workload": "fib", "n": 1000, "grain_ns": 100, "sockets": 1, "work_ns": 1.0,
                "points": points, "knee": {"cores": 64, "cause": "locks <b>", "share": 0.4}})
        };
        let json = json!({
            "kind": KIND, "schema": 1, "command": "c", "started": 0, "host": wyn_bench::record::Host::default(),
            "costs": {"line": {"ns": 60.0, "mad": 1.0, "source": "assumed", "what": "a line"}},
            "omissions": ["caches"], "validation": [], "curves": [curve("wyn"), curve("rayon")],
        });
        let source = Source { name: "simulation".to_owned(), kind: Kind::Named(KIND.to_owned()), json };
        let html = section(&[source]).unwrap();
        assert_well_formed(html.as_str());
        for words in
            ["Simulated, not measured", "fib, 1000 of 100 ns", "locks &lt;b&gt;", "polyline", "assumed"]
        {
            assert!(html.as_str().contains(words), "{words}");
        }
    }
}
