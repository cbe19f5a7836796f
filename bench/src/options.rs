//! The command line, as scripts/bench passes it on.

use std::fmt;
use std::path::PathBuf;

use crate::Trouble;

/// How it is called.
const USAGE: &str =
    "scripts/bench [--quick] [--only cgi|fastcgi|scale|storm] [--json FILE] [--write]";

/// What is measured, and where the results go.
pub(crate) struct Options {
    /// The executable that is measured.
    pub(crate) bowline: PathBuf,
    /// The empty directory that everything is done in.
    pub(crate) dir: PathBuf,
    /// How often everything is repeated.
    pub(crate) effort: Effort,
    /// What is measured.
    pub(crate) parts: Vec<Part>,
    /// A further place for the figures.
    pub(crate) json: Option<PathBuf>,
    /// Whether BENCHMARKS.md and its picture are brought up to date.
    pub(crate) write: bool,
    /// Where figures and picture go.
    pub(crate) out: PathBuf,
}

/// How much is done for a figure.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// In two minutes all in all.
    Quick,
    /// As published.
    Full,
}

/// A part of the measurements.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Processes behind Apache.
    Cgi,
    /// A responder behind nginx.
    FastCgi,
    /// Registries of all sizes.
    Scale,
    /// Everybody at once.
    Storm,
}

impl Part {
    const ALL: [Part; 4] = [Part::Cgi, Part::FastCgi, Part::Scale, Part::Storm];
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Part::Cgi => "cgi",
            Part::FastCgi => "fastcgi",
            Part::Scale => "scale",
            Part::Storm => "storm",
        })
    }
}

impl Effort {
    /// One number or the other.
    pub(crate) fn of(self, quick: usize, full: usize) -> usize {
        match self {
            Effort::Quick => quick,
            Effort::Full => full,
        }
    }
}

impl Options {
    /// Reads the arguments.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Trouble> {
        let mut options = Options {
            bowline: PathBuf::new(),
            dir: PathBuf::new(),
            effort: Effort::Full,
            parts: Vec::new(),
            json: None,
            write: false,
            out: PathBuf::from("target/bench"),
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "--quick" => options.effort = Effort::Quick,
                "--write" => options.write = true,
                "--json" => options.json = Some(value()?.into()),
                "--bowline" => options.bowline = value()?.into(),
                "--dir" => options.dir = value()?.into(),
                "--out" => options.out = value()?.into(),
                "--only" => {
                    let name = value()?;
                    let named = |part: &Part| part.to_string() == name;
                    options
                        .parts
                        .push(Part::ALL.into_iter().find(named).ok_or(USAGE)?);
                }
                _ => return Err(USAGE.into()),
            }
        }
        if options.write && !options.parts.is_empty() {
            return Err("--write is for all parts: without --only".into());
        }
        if options.parts.is_empty() {
            options.parts = Part::ALL.to_vec();
        }
        Ok(options)
    }
}
