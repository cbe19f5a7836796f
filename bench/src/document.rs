//! BENCHMARKS.md and its picture, brought up to date.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Trouble;
use crate::picture;
use crate::process::run;
use crate::report::Figure;

/// What stands around the figures in the document.
const BEGIN: &str = "<!-- figures: scripts/bench --write -->\n";
const END: &str = "<!-- end of figures -->\n";

/// Writes the figures into the document, and the picture beside the benchmark.
pub(crate) fn write(figures: &[Figure], machine: &Value) -> Result<(), Trouble> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = here.join("../BENCHMARKS.md");
    let text = fs::read_to_string(&file)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("no place for the figures")?;
    let (_, after) = rest.split_once(END).ok_or("no end of the figures")?;
    let new = [before, BEGIN, &table(figures, machine)?, END, after].concat();
    fs::write(file, new)?;
    Ok(fs::write(here.join("picture.svg"), picture::draw(figures))?)
}

/// What it was measured on, and a row for every figure.
fn table(figures: &[Figure], machine: &Value) -> Result<String, Trouble> {
    let said = |key: &str| match machine.get(key) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => format!("{:.0}", number.as_f64().unwrap_or_default()),
        _ => "unknown".to_owned(),
    };
    let day = run(Command::new("date").args(["-u", "+%Y-%m-%d"]))?;
    let quick = machine.get("quick") == Some(&Value::Bool(true));
    let mut table = format!(
        "{}{}: {} processors ({}), Linux {}, {} ({} µs until 8 KiB are on it), {}, {}.\n\n",
        day.trim(),
        if quick { ", a quick run" } else { "" },
        said("processors"),
        said("processor"),
        said("kernel"),
        said("disk"),
        said("sync_microseconds"),
        said("knot"),
        said("apache").trim_start_matches("Server version: "),
    );
    table += "| what | bowline | ratio | to reach | |\n|---|---|---|---|---|\n";
    for figure in figures {
        let (aim, met) = figure.aim().unwrap_or((String::new(), true));
        let _ = writeln!(
            table,
            "| {} | {} | {} | {aim} | {} |",
            figure.what,
            figure.measured(),
            figure.ratio(),
            if met { "" } else { "missed" },
        );
    }
    Ok(table)
}
