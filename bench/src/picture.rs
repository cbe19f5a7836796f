//! The picture for the README: a bar for every figure with a reference, which is at 1.

use std::fmt::Write as _;

use crate::report::{Figure, short};

const WIDTH: f64 = 760.0;
const ROW: f64 = 26.0;
const TEXT: f64 = 400.0;
const ONE: f64 = 180.0;
/// Longer bars are cut off.
const LONGEST: f64 = 1.6;

/// An SVG with one bar for each ratio.
pub(crate) fn draw(figures: &[Figure]) -> String {
    let shown: Vec<_> = figures
        .iter()
        .filter_map(|figure| Some((figure, figure.reference.as_ref()?.0)))
        .collect();
    let height = ROW * (shown.len() as f64 + 1.5);
    let mut svg = format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">
<rect width="100%" height="100%" fill="#fff"/>
<text x="8" y="18" font-weight="bold" fill="#222">bowline beside what it is compared with (the line is 1)</text>
"##
    );
    for (position, (figure, reference)) in shown.iter().enumerate() {
        let y = ROW * (position as f64 + 1.2);
        let bar = figure.value().min(LONGEST) * ONE;
        let label = format!("{} : {}", figure.what, reference.replace('_', " "));
        let label = label.replace('&', "&amp;").replace('<', "&lt;");
        let _ = write!(
            svg,
            r##"<text x="8" y="{:.0}" fill="#222">{label}</text>
<rect x="{TEXT}" y="{:.0}" width="{bar:.0}" height="{:.0}" fill="#3b7ea1"/>
<text x="{:.0}" y="{:.0}" fill="#222">{}</text>
"##,
            y + 15.0,
            y + 3.0,
            ROW - 8.0,
            TEXT + bar + 6.0,
            y + 16.0,
            short(figure.value()),
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
