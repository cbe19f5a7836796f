//! Processes without a web server: what one costs from start to end.

use crate::Trouble;
use crate::place::Place;
use crate::process::run;
use crate::sample::Sample;

/// What the runs of one program came to.
#[derive(Clone, Default)]
pub(crate) struct Runs {
    /// Microseconds from before the fork to after the end.
    pub(crate) time: Sample,
    /// MiB at most.
    pub(crate) memory: Sample,
}

/// A program and its whole environment.
pub(crate) struct Program {
    /// Its name in the place.
    pub(crate) name: &'static str,
    /// `NAME=VALUE`.
    pub(crate) variables: Vec<String>,
    /// What it is told.
    pub(crate) arguments: &'static [&'static str],
}

impl Program {
    /// A program that is told nothing.
    pub(crate) fn new(name: &'static str, variables: Vec<String>) -> Self {
        Program {
            name,
            variables,
            arguments: &[],
        }
    }
}

/// Runs all of them in turn, `rounds` times; `{host}` in a variable counts from `first`.
pub(crate) fn runs(
    place: &Place,
    programs: &[Program],
    rounds: usize,
    first: usize,
) -> Result<Vec<Runs>, Trouble> {
    let mut command = place.account.command(place.path("spawn"));
    command.arg(rounds.to_string()).arg(first.to_string());
    for program in programs {
        command.arg("--").args(&program.variables);
        command
            .arg(place.path(program.name))
            .args(program.arguments);
    }
    let mut runs = vec![Runs::default(); programs.len()];
    for line in run(&mut command)?.lines() {
        let fields: Vec<f64> = line.split(' ').map(str::parse).collect::<Result<_, _>>()?;
        let [position, nanoseconds, kib, status] = fields.as_slice() else {
            return Err(format!("spawn wrote {line:?}").into());
        };
        let run = runs.get_mut(*position as usize).ok_or("spawn miscounts")?;
        if *status != 0.0 {
            return Err(format!("program {position} ended with {status}").into());
        }
        run.time.push(nanoseconds / 1000.0);
        run.memory.push(kib / 1024.0);
    }
    Ok(runs)
}

/// How many instructions a run takes in user space, in thousands, by callgrind's count.
pub(crate) fn instructions(place: &Place, program: &Program) -> Result<f64, Trouble> {
    let mut command = place.account.command("valgrind");
    command.current_dir(place.path("valgrind"));
    command.args([
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
        "--log-file=log",
    ]);
    command.arg(place.path(program.name)).env_clear();
    command.env("PATH", "/usr/bin:/bin");
    for variable in &program.variables {
        let (name, value) = variable
            .split_once('=')
            .ok_or("a variable without a value")?;
        command.env(name, value);
    }
    run(&mut command)?;
    let log = std::fs::read_to_string(place.path("valgrind/log"))?;
    let count = log.lines().find_map(|line| line.split_once("Collected : "));
    Ok(count
        .ok_or("callgrind counted nothing")?
        .1
        .trim()
        .parse::<f64>()?
        / 1000.0)
}
