//! The picture: a bar for every ratio that has a target, which is the line.

use std::fmt::Write as _;

use crate::report::Figure;

const WIDTH: f64 = 860.0;
const ROW: f64 = 26.0;
const TEXT: f64 = 560.0;
/// How long a bar is that just reaches its target.
const ONE: f64 = 110.0;
/// Longer bars are cut off.
const LONGEST: f64 = 2.6;

/// An SVG with one bar for each ratio that has a target.
pub(crate) fn draw(figures: &[Figure]) -> String {
    let shown: Vec<_> = figures
        .iter()
        .filter(|figure| figure.reference.is_some())
        .filter_map(|figure| Some((figure, figure.aim()?, figure.of_target()?)))
        .collect();
    let height = ROW * (shown.len() as f64 + 1.5);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="18" font-weight="bold" fill="#222">What bowline costs: the shorter the better, the line is what it is to reach</text>
"##
    );
    for (position, (figure, (aim, met), part)) in shown.iter().enumerate() {
        let y = ROW * (position as f64 + 1.2);
        let bar = part.min(LONGEST) * ONE;
        let label = format!("{}: {} ({aim})", figure.what, figure.ratio());
        let label = label.replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(
            svg,
            r##"<text x="8" y="{:.0}" fill="#222">{label}</text>
<rect x="{TEXT}" y="{:.0}" width="{bar:.0}" height="{:.0}" fill="{}"/>
"##,
            y + 15.0,
            y + 3.0,
            ROW - 8.0,
            if *met { "#3b7ea1" } else { "#c98a2b" },
        );
    }
    let _ = writeln!(
        svg,
        r##"<line x1="{0}" x2="{0}" y1="{ROW}" y2="{height}" stroke="#c33" stroke-dasharray="4 3"/>
</svg>"##,
        TEXT + ONE
    );
    svg
}
