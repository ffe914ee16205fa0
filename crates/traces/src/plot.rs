//! The plot: quality against mean wait, a panel for each world.
//!
//! SVG by hand, since it is lines and words. It brings its own background, so it can be read on any
//! page. Knows studies. Must not know how they were made.

use std::fmt::Write as _;

use crate::figures::median;
use crate::study::{FLATS, Matcher, Row, STRETCHES, Study};

/// The size of a panel's inside, and what is around it, in pixels.
const PANEL: (f64, f64) = (340.0, 210.0);
const MARGIN: (f64, f64) = (62.0, 74.0);
const TOP: f64 = 70.0;
const WIDTH: f64 = 2.0 * (PANEL.0 + MARGIN.0) + 30.0;

/// The longest mean wait that is shown, in seconds.
const LONGEST: f64 = 24.0;

const STYLE: &str = "text { font: 13px system-ui, sans-serif; fill: #222 } \
    .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 } \
    .note { fill: #666; font-size: 11px } .grid { stroke: #ddd } \
    .usual { stroke: #0b8a8f; fill: none; stroke-width: 2 } \
    .flat { stroke: #8d6bc4; fill: none; stroke-width: 1.5; stroke-dasharray: 5 3 }";

/// Single points, what they are called in the plot, and their colour.
const POINTS: [(Matcher, &str, &str); 5] = [
    (Matcher::FirstInFirstOut, "first in, first out", "#666"),
    (Matcher::Batch, "batch every 15 s", "#e39b2d"),
    (Matcher::Optimum, "the best in hindsight", "#222"),
    (Matcher::Patient, "ours, 500/300@10s/100@20s/0@30s", "#5ab4e0"),
    (Matcher::Usual, "ours by default", "#c8323c"),
];

/// An SVG image of all studies.
pub fn draw(studies: &[Study]) -> String {
    let cells = studies.len() + 1;
    let height = TOP + cells.div_ceil(2) as f64 * (PANEL.1 + MARGIN.1);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img">
<title>Quality of matches against the time waited</title>
<style>{STYLE}</style>
<rect width="{WIDTH}" height="{height}" rx="8" fill="#fff"/>
<text class="title" x="24" y="32">Quality of matches against the time waited</text>
<text class="note" x="24" y="50">up: part of the best possible sum of scores; to the right: mean wait of those matched, in seconds; medians over seeds</text>
"##
    );
    for (at, study) in studies.iter().enumerate() {
        Panel::new(at).draw(&mut svg, study);
    }
    Panel::new(studies.len()).legend(&mut svg);
    svg + "</svg>\n"
}

/// A place in the grid.
struct Panel {
    left: f64,
    top: f64,
}

impl Panel {
    fn new(at: usize) -> Self {
        let left = MARGIN.0 + (at % 2) as f64 * (PANEL.0 + MARGIN.0);
        Self { left, top: TOP + 24.0 + (at / 2) as f64 * (PANEL.1 + MARGIN.1) }
    }

    fn x(&self, seconds: f64) -> f64 {
        self.left + PANEL.0 * (seconds / LONGEST).min(1.0)
    }

    fn y(&self, share: f64) -> f64 {
        self.top + PANEL.1 * (1.0 - share)
    }

    fn draw(&self, svg: &mut String, study: &Study) {
        self.grid(svg, study.title);
        let lines = [
            ("usual", STRETCHES.map(Matcher::Stretched).to_vec()),
            ("flat", FLATS.map(Matcher::Flat).to_vec()),
        ];
        for (class, matchers) in lines {
            let points: Vec<_> =
                matchers.iter().filter_map(|matcher| place(study, matcher)).collect();
            let path: Vec<_> = points
                .iter()
                .map(|(wait, share)| format!("{:.1} {:.1}", self.x(*wait), self.y(*share)))
                .collect();
            let _ = writeln!(svg, r#"<path class="{class}" d="M{}"/>"#, path.join("L"));
            self.label(svg, &matchers, &points);
        }
        for (matcher, _, colour) in &POINTS {
            if let Some((wait, share)) = place(study, matcher) {
                dot(svg, self.x(wait), self.y(share), colour);
            }
        }
    }

    /// The first and the last of a line are named.
    fn label(&self, svg: &mut String, matchers: &[Matcher], points: &[(f64, f64)]) {
        let named = matchers.iter().zip(points);
        for (matcher, (wait, share)) in named.clone().take(1).chain(named.rev().take(1)) {
            let (x, y) = (self.x(*wait) + 5.0, self.y(*share) + 14.0);
            let name = matcher.title();
            let _ = writeln!(svg, r#"<text class="note" x="{x:.1}" y="{y:.1}">{name}</text>"#);
        }
    }

    fn grid(&self, svg: &mut String, title: &str) {
        let (left, top) = (self.left, self.top);
        let (right, bottom) = (left + PANEL.0, top + PANEL.1);
        let _ = writeln!(svg, r#"<text class="head" x="{left}" y="{}">{title}</text>"#, top - 9.0);
        for percent in [0, 25, 50, 75, 100] {
            let y = self.y(f64::from(percent) / 100.0);
            let _ = writeln!(
                svg,
                r#"<path class="grid" d="M{left} {y}H{right}"/>
<text class="note" x="{}" y="{}" text-anchor="end">{percent} %</text>"#,
                left - 7.0,
                y + 4.0
            );
        }
        for seconds in [0, 5, 10, 15, 20] {
            let x = self.x(f64::from(seconds));
            let _ = writeln!(
                svg,
                r#"<path class="grid" d="M{x:.1} {top}V{bottom}"/>
<text class="note" x="{x:.1}" y="{}" text-anchor="middle">{seconds}</text>"#,
                bottom + 15.0
            );
        }
    }

    fn legend(&self, svg: &mut String) {
        let (x, mut y) = (self.left + 10.0, self.top + 20.0);
        for (_, name, colour) in &POINTS {
            dot(svg, x + 12.0, y - 4.0, colour);
            let _ = writeln!(svg, r#"<text x="{}" y="{y}">{name}</text>"#, x + 34.0);
            y += 25.0;
        }
        for (class, name) in [
            ("usual", "ours, the default's times × ¼ to × 8"),
            ("flat", "ours, one threshold of 50 to 500 for 20 s"),
        ] {
            let _ = writeln!(
                svg,
                r#"<path class="{class}" d="M{x} {}h24"/><text x="{}" y="{y}">{name}</text>"#,
                y - 4.0,
                x + 34.0
            );
            y += 25.0;
        }
    }
}

/// The mean wait of a matcher, and its part of the best.
fn place(study: &Study, matcher: &Matcher) -> Option<(f64, f64)> {
    let row: &Row = study.rows.iter().find(|row| row.matcher == *matcher)?;
    let wait = median(row.figures.iter().map(|figures| figures.mean).collect());
    Some((wait, study.ratio(matcher, &Matcher::Optimum, |figures| figures.quality)))
}

fn dot(svg: &mut String, x: f64, y: f64, colour: &str) {
    let _ =
        writeln!(svg, r##"<circle cx="{x:.1}" cy="{y:.1}" r="5" fill="{colour}" stroke="#fff"/>"##);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crowd::Rhythm;
    use crate::study::{World, study};

    #[test]
    fn every_matcher_is_in_every_panel_and_in_the_legend() {
        let world = World { title: "two a second", rhythm: Rhythm::Poisson(2.0), people: 80 };
        let studies = [study(&world, &[1], || ()), study(&world, &[2], || ())];
        let svg = draw(&studies);
        assert_eq!(svg.matches("<circle").count(), 3 * POINTS.len(), "{svg}");
        assert_eq!(svg.matches(r#"<path class="usual""#).count(), 3);
        assert_eq!(svg.matches(">two a second<").count(), 2);
        assert!(!svg.contains("NaN"), "{svg}");
    }

    #[test]
    fn more_is_higher_and_longer_is_further_to_the_right() {
        let panel = Panel::new(3);
        assert_eq!((panel.y(1.0), panel.y(0.0)), (panel.top, panel.top + PANEL.1));
        assert_eq!((panel.x(0.0), panel.x(99.0)), (panel.left, panel.left + PANEL.0));
    }
}
