//! The plot: for each case a bar for each server, from the forwarder's cost to its own.
//!
//! SVG by hand, since it is rectangles and words. It brings its own background, so it can be read
//! on any page.

use std::fmt::Write as _;

use super::case::{Case, Kind};
use super::peer::Peer;
use super::report::others;
use super::results::{CPU, Results};
use super::statistics::Spread;

/// Where bars begin and end, in pixels.
const LEFT: f64 = 250.0;
const RIGHT: f64 = 770.0;
const WIDTH: f64 = 840.0;

/// The first case's top; the height of a bar, and of the space between cases.
const TOP: f64 = 96.0;
const BAR: f64 = 15.0;
const GAP: f64 = 14.0;

/// What the forwarder costs is near the left edge.
const LOWEST: f64 = 0.8;

/// Where there may be a line.
const TICKS: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

const STYLE: &str = "text { font: 13px system-ui, sans-serif; fill: #222 } \
    .title { font-size: 16px; font-weight: 600 } .note { fill: #666; font-size: 12px } \
    .grid { stroke: #ddd } .limit { stroke: #666; stroke-width: 1.5 } .spread { stroke: #222 }";

/// An SVG image of the CPU times.
pub(crate) fn draw(cases: &[&Case], results: &Results) -> String {
    let cases: Vec<_> = cases.iter().filter(|case| case.kind != Kind::Idle).collect();
    let spreads = cases
        .iter()
        .map(|case| others().map(|peer| (peer, Spread::of(&results.ratios(case.key, peer, CPU)))));
    let spreads: Vec<_> = spreads.collect();
    let highest = spreads.iter().flatten().filter_map(|(_, spread)| spread.map(|s| s.upper));
    let scale = Scale::up_to(highest.fold(1.0, f64::max));
    let group = BAR * others().len() as f64 + GAP;
    let bottom = TOP + group * cases.len() as f64;
    let mut svg = open(bottom + 34.0);
    scale.draw(&mut svg, bottom);
    for (at, (case, peers)) in cases.iter().zip(&spreads).enumerate() {
        let top = TOP + GAP / 2.0 + group * at as f64;
        let middle = top + BAR * 1.5 + 4.5;
        let (x, title) = (LEFT - 12.0, case.title);
        let _ = writeln!(svg, r#"<text x="{x}" y="{middle}" text-anchor="end">{title}</text>"#);
        for (at, (peer, spread)) in peers.iter().enumerate() {
            bar(&mut svg, &scale, top + BAR * at as f64, *peer, *spread);
        }
    }
    svg + "</svg>\n"
}

/// The background, the title and the legend.
fn open(height: f64) -> String {
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
<title>CPU time of the server, as a multiple of a TCP forwarder's</title>
<style>{STYLE}</style>
<rect width="{WIDTH}" height="{height}" rx="8" fill="#fff"/>
<text class="title" x="24" y="34">CPU time of the server, as a multiple of a TCP forwarder's</text>
<text class="note" x="24" y="56">less is better; logarithmic; median and quartiles of the rounds</text>
"##
    );
    for (at, peer) in others().into_iter().enumerate() {
        let (x, fill, name) = (LEFT + 270.0 + 95.0 * at as f64, colour(peer), peer.name());
        let _ = writeln!(svg, r#"<rect x="{x}" y="46" width="12" height="12" fill="{fill}"/>"#);
        let _ = writeln!(svg, r#"<text x="{}" y="57">{name}</text>"#, x + 18.0);
    }
    svg
}

fn bar(svg: &mut String, scale: &Scale, top: f64, peer: Peer, spread: Option<Spread>) {
    let baseline = top + BAR - 3.0;
    let Some(Spread { lower, median, upper }) = spread else {
        let x = scale.x(1.0) + 6.0;
        let _ = writeln!(svg, r#"<text class="note" x="{x}" y="{baseline}">failed</text>"#);
        return;
    };
    let (start, end) = (scale.x(median.min(1.0)), scale.x(median.max(1.0)));
    let [low, high] = [lower, upper].map(|value| scale.x(value));
    let (fill, middle) = (colour(peer), top + (BAR - 2.0) / 2.0);
    let _ = writeln!(
        svg,
        r#"<rect x="{start:.1}" y="{top}" width="{:.1}" height="{}" fill="{fill}"/>
<path class="spread" d="M{low:.1} {middle}H{high:.1}"/>
<text class="note" x="{:.1}" y="{baseline}">{median:.2}</text>"#,
        (end - start).max(1.0),
        BAR - 2.0,
        end.max(high) + 5.0
    );
}

fn colour(peer: Peer) -> &'static str {
    match peer {
        Peer::Forwarder => "#666",
        Peer::Vyoma => "#0b8a8f",
        Peer::Node => "#e39b2d",
        Peer::Axum => "#8d6bc4",
    }
}

/// Logarithmic, from [`LOWEST`] to a tick.
struct Scale {
    highest: f64,
}

impl Scale {
    /// With a tick at or above this value, if there is one.
    fn up_to(value: f64) -> Self {
        let tick = TICKS.into_iter().find(|tick| *tick >= value);
        Self { highest: tick.unwrap_or(value).max(2.0) }
    }

    fn x(&self, value: f64) -> f64 {
        let part = (value / LOWEST).ln() / (self.highest / LOWEST).ln();
        LEFT + (RIGHT - LEFT) * part.clamp(0.0, 1.0)
    }

    fn draw(&self, svg: &mut String, bottom: f64) {
        for tick in TICKS.into_iter().filter(|tick| *tick <= self.highest) {
            let class = if tick == 1.0 { "limit" } else { "grid" };
            let (x, below) = (self.x(tick), bottom + 18.0);
            let _ = writeln!(
                svg,
                r#"<path class="{class}" d="M{x:.1} {TOP}V{bottom}"/>
<text class="note" x="{x:.1}" y="{below}" text-anchor="middle">{tick}</text>"#
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::case::CASES;
    use super::super::results::Record;
    use super::*;

    #[test]
    fn every_server_has_a_bar_or_has_failed() {
        let (mut results, case) = (Results::default(), &CASES[0]);
        for (peer, cpu) in [(Peer::Forwarder, 1.0), (Peer::Vyoma, 1.1), (Peer::Node, 30.0)] {
            let outcome = Ok(json!({ "server_cpu_ns_each": cpu }));
            results.push(Record { case: case.key, peer, round: 0, outcome });
        }
        let svg = draw(&[case], &results);
        assert_eq!(svg.matches(r#"class="spread""#).count(), 2, "{svg}");
        assert_eq!(svg.matches(">failed<").count(), 1, "{svg}");
        for shown in [case.title, ">1.10<", ">30.00<", "axum"] {
            assert!(svg.contains(shown), "{shown}: {svg}");
        }
    }

    #[test]
    fn the_scale_is_logarithmic_and_has_room_for_the_highest() {
        let scale = Scale::up_to(60.0);
        assert_eq!(scale.x(100.0), RIGHT);
        assert!((scale.x(4.0) - scale.x(2.0) - (scale.x(2.0) - scale.x(1.0))).abs() < 1e-9);
        assert_eq!(Scale::up_to(1.0).x(2.0), RIGHT);
    }
}
