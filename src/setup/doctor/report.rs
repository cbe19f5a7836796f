//! What was found: one sentence for each check, and what to do about it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::checks::CHECKS;
use crate::name::ZoneName;
use crate::one_line::OneLine;

/// How a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// As it should be.
    #[serde(rename = "ok")]
    Ok,
    /// Not as it should be.
    #[serde(rename = "problem")]
    Problem,
    /// It could not be found out from here.
    #[serde(rename = "cannot tell")]
    Unknown,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Status::Ok => "ok",
            Status::Problem => "problem",
            Status::Unknown => "cannot tell",
        })
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// How it went.
    pub status: Status,
    /// The name of the check, e.g. `key-reach`; it stays the same from version to version.
    pub name: String,
    /// The zone it is about.
    pub zone: Option<String>,
    /// What was found, in lower case without a full stop.
    pub says: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether `--fix` has put it right.
    pub fixed: bool,
}

/// Everything that was found, in the order in which it was looked for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    /// One or several for each check.
    pub findings: Vec<Finding>,
    /// The zone that is being looked at.
    #[serde(skip)]
    zone: Option<String>,
}

impl Report {
    /// What follows is about this zone, or about none.
    pub fn about(&mut self, zone: Option<&ZoneName>) {
        self.zone = zone.map(ToString::to_string);
    }

    /// All is well.
    pub fn ok(&mut self, name: &str, says: impl fmt::Display) {
        self.add(Status::Ok, name, says, None);
    }

    /// All is well, and something may be done.
    pub fn ok_but(&mut self, name: &str, says: impl fmt::Display, hint: impl fmt::Display) {
        self.add(Status::Ok, name, says, Some(hint.to_string()));
    }

    /// Something is wrong.
    pub fn problem(&mut self, name: &str, says: impl fmt::Display, hint: impl fmt::Display) {
        self.add(Status::Problem, name, says, Some(hint.to_string()));
    }

    /// It could not be found out.
    pub fn unknown(&mut self, name: &str, says: impl fmt::Display, hint: impl fmt::Display) {
        self.add(Status::Unknown, name, says, Some(hint.to_string()));
    }

    /// It was wrong, and has been put right.
    pub fn fixed(&mut self, name: &str, says: impl fmt::Display) {
        self.add(Status::Ok, name, format_args!("fixed: {says}"), None);
        if let Some(last) = self.findings.last_mut() {
            last.fixed = true;
        }
    }

    /// Where `cause` has found out what is wrong, with this zone or with all, `vague` need
    /// not be a problem of its own: it follows, and is looked at again when that is mended.
    pub fn explained(&mut self, vague: &str, cause: &str) {
        let zone = self.zone.clone();
        let is =
            |found: &Finding, name: &str| found.status == Status::Problem && found.name == name;
        let here = |found: &Finding| zone.is_none() || found.zone.is_none() || found.zone == zone;
        if self
            .findings
            .iter()
            .any(|found| is(found, cause) && here(found))
        {
            let follows = |found: &&mut Finding| is(found, vague) && found.zone == zone;
            for found in self.findings.iter_mut().filter(follows) {
                found.status = Status::Unknown;
                found.hint = Some(format!("it follows from {cause}: see to that first"));
            }
        }
    }

    /// Whether a check has found a problem with this zone.
    pub fn has(&self, name: &str) -> bool {
        self.findings.iter().any(|found| {
            found.status == Status::Problem && found.name == name && found.zone == self.zone
        })
    }

    /// Whether one of these checks has found a problem, with whatever zone.
    pub fn has_any(&self, names: &[&str]) -> bool {
        let mut found = self.findings.iter();
        found.any(|found| found.status == Status::Problem && names.contains(&found.name.as_str()))
    }

    /// How many problems there are.
    pub fn problems(&self) -> usize {
        let found = self.findings.iter();
        found
            .filter(|finding| finding.status == Status::Problem)
            .count()
    }

    fn add(&mut self, status: Status, name: &str, says: impl fmt::Display, hint: Option<String>) {
        debug_assert!(CHECKS.iter().any(|(known, _)| *known == name), "{name}");
        self.findings.push(Finding {
            status,
            name: name.to_owned(),
            zone: self.zone.clone(),
            says: says.to_string(),
            hint,
            fixed: false,
        });
    }
}

/// `problem      key-reach       dyn.example.org: …`, and the hint on a line of its own. Part of
/// it comes from others.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<11}  {:<18}  ", self.status, self.name)?;
        if let Some(zone) = &self.zone {
            write!(f, "{zone}: ")?;
        }
        write!(f, "{}", OneLine(&self.says))?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {}", OneLine(hint)),
            None => Ok(()),
        }
    }
}
