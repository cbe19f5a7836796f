//! What models have in common: an installation, a name server that may be away, and a story.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::chance::Chance;
use crate::support::knot::ZONE;
use crate::support::site::Site;

/// An installation, and what was done there.
pub(crate) struct World {
    pub(crate) site: Site,
    /// Whether the name server runs.
    pub(crate) is_up: bool,
    /// What was done so far.
    story: Vec<String>,
    pub(crate) chance: Chance,
}

impl World {
    /// Nothing was done yet.
    pub(crate) fn new(chance: Chance) -> Self {
        World {
            site: Site::new(),
            is_up: true,
            story: Vec::new(),
            chance,
        }
    }

    /// Something was done.
    pub(crate) fn note(&mut self, what: String) {
        self.story.push(what);
    }

    /// Runs a verb. One that is refused while the name server is away, for what it may still
    /// have, changes nothing.
    pub(crate) fn verb(&mut self, words: &[&str], input: &str) -> bool {
        let mut command = self.site.verb(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let Output { status, stderr, .. } = child.wait_with_output().unwrap();
        let said = String::from_utf8(stderr).unwrap();
        // That everybody may read the keys of a test is nothing new.
        let said = said.lines().filter(|line| !line.starts_with("warning: "));
        let said = said.collect::<Vec<_>>().join("; ");
        self.note(format!("{words:?}: {status}: {said}"));
        let done = status.success();
        assert!(
            done || !self.is_up && status.code() == Some(1),
            "{}",
            self.told()
        );
        done
    }

    /// The name server stops.
    pub(crate) fn stop(&mut self) {
        self.site.knot.stop();
        self.note("the name server stops".to_owned());
        self.is_up = false;
    }

    /// The name server is back, and upkeep has been there.
    pub(crate) fn settle(&mut self) {
        if !self.is_up {
            self.site.knot.restart();
            self.note("the name server is back".to_owned());
        }
        self.is_up = true;
        assert!(self.verb(&["upkeep"], ""), "{}", self.told());
    }

    /// Somebody changes a record by hand, and upkeep mends it.
    pub(crate) fn drift(&mut self, record: &str) {
        if self.chance.once_in(2) {
            self.site.knot.set(&format!("{record} 60 A 192.0.2.1"));
        } else {
            self.site.knot.unset(record);
        }
        self.note(format!("{record} is changed by hand"));
        self.settle();
    }

    /// An address of a family, or none.
    pub(crate) fn address(&mut self, family: usize) -> Option<String> {
        let n = self.chance.below(9);
        let address = match family {
            0 => format!("203.0.113.{n}"),
            _ => format!("2001:db8::{n:x}"),
        };
        (n > 0).then_some(address)
    }

    /// All addresses in the zone: `NAME ADDRESS`.
    pub(crate) fn records(&self) -> BTreeSet<String> {
        let zone = self.site.knot.knotc(&["zone-read", ZONE]);
        let records = zone.lines().filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            let (owner, _ttl, kind) = (words.next()?, words.next()?, words.next()?);
            let is_address = ["A", "AAAA"].contains(&kind);
            is_address.then(|| format!("{owner} {}", words.collect::<String>()))
        });
        records.collect()
    }

    /// What `host list` says.
    pub(crate) fn listed(&self) -> Vec<Value> {
        serde_json::from_str(&self.site.bowline(&["host", "list", "--json"])).unwrap()
    }

    /// The last of what was done.
    pub(crate) fn told(&self) -> String {
        let last = self.story.len().saturating_sub(30);
        self.story.get(last..).unwrap_or_default().join("\n")
    }
}
