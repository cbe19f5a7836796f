//! Measures bowline beside what it is compared with, in one run on one machine.
//!
//! Every figure is held against a reference that was measured in turn with it, so that
//! what else the machine does weighs on both. Servers are private: on loopback, on high
//! ports, below one directory that scripts/bench takes away at the end.

mod account;
mod bowline;
mod cgi;
mod dns;
mod document;
mod fastcgi;
mod http;
mod knot;
mod load;
mod options;
mod picture;
mod place;
mod process;
mod report;
mod sample;
mod scale;
mod spawn;
mod storm;
mod web;

use std::process::ExitCode;

use options::{Options, Part};
use place::Place;
use report::Report;

/// Whatever ends a measurement; it is only ever shown.
type Trouble = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    match Options::read(std::env::args().skip(1)).and_then(|options| measure(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("bench: {trouble}");
            ExitCode::FAILURE
        }
    }
}

/// Measures the parts asked for, and writes what came out.
fn measure(options: &Options) -> Result<(), Trouble> {
    let place = Place::new(&options.dir, &options.bowline)?;
    let mut report = Report::new(options)?;
    for part in &options.parts {
        eprintln!("bench: {part} …");
        let began = std::time::Instant::now();
        match part {
            Part::Cgi => cgi::measure(&place, options.effort, &mut report)?,
            Part::FastCgi => fastcgi::measure(&place, options.effort, &mut report)?,
            Part::Scale => scale::measure(&place, options.effort, &mut report)?,
            Part::Storm => storm::measure(&place, options.effort, &mut report)?,
        }
        eprintln!("bench: {part}: {:.0} s", began.elapsed().as_secs_f64());
    }
    report.check()?;
    print!("{}", report.table());
    report.write(options)
}
