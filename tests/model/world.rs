//! What models have in common: an installation, a name server that may be away, and a story.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Output, Stdio};

use serde_json::Value;

use crate::support::chance::Chance;
use crate::support::knot::ZONE;
use crate::support::site::Site;

/// How a name server takes no updates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    /// It does not run.
    Stopped,
    /// It refuses them, and answers questions.
    Frozen,
    /// It stands still, and does later what it is told meanwhile.
    Still,
}

/// An installation, and what was done there.
pub(crate) struct World {
    pub(crate) site: Site,
    /// How the name server is away; `None`: it takes updates.
    pub(crate) away: Option<Away>,
    /// How it may be.
    pub(crate) ways: Vec<Away>,
    /// What was done so far.
    story: Vec<String>,
    pub(crate) chance: Chance,
}

impl World {
    /// Nothing was done yet.
    pub(crate) fn new(chance: Chance) -> Self {
        let mut ways = vec![Away::Stopped];
        // Who asks one that stands still waits for seconds.
        ways.extend(std::env::var_os("BOWLINE_SILENCE").map(|_| Away::Still));
        World {
            site: Site::new(),
            away: None,
            ways,
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
            done || !self.is_up() && status.code() == Some(1),
            "{}",
            self.told()
        );
        done
    }

    /// One of some names that is not taken.
    pub(crate) fn free(
        &mut self,
        names: &[&'static str],
        is_taken: impl Fn(&str) -> bool,
    ) -> Option<&'static str> {
        let free = names.iter().copied().filter(|name| !is_taken(name));
        self.chance.one_of(&free.collect::<Vec<_>>()).copied()
    }

    /// Adds a host with those options, and says its secret; `None`: that cannot be.
    pub(crate) fn add(&mut self, name: &str, options: &[&str]) -> Option<String> {
        let secret = self.site.token().secret().to_owned();
        let words = [&["host", "add", name, "--token=-", "--again"], options].concat();
        self.verb(&words, &secret).then_some(secret)
    }

    /// Renames a host, and says whether its old name stays for a while; `None`: that cannot be.
    pub(crate) fn rename(&mut self, old: &str, new: &str) -> Option<bool> {
        let keep = self.chance.once_in(2);
        let time = ["--keep-old=0", "--keep-old=7d"][usize::from(keep)];
        let words = ["host", "rename", old, new, time, "--again"];
        self.verb(&words, "").then_some(keep)
    }

    /// Whether the name server takes updates.
    pub(crate) fn is_up(&self) -> bool {
        self.away.is_none()
    }

    /// The name server takes no updates any more.
    pub(crate) fn stop(&mut self) {
        let away = self.chance.one_of(&self.ways).copied().unwrap();
        match away {
            Away::Stopped => self.site.knot.stop(),
            Away::Frozen => self.site.knot.freeze(),
            Away::Still => self.site.knot.pause(),
        }
        self.note(format!("the name server: {away:?}"));
        self.away = Some(away);
    }

    /// The name server is back, upkeep has been there, and has been again when no UPDATE could be
    /// on its way any more.
    pub(crate) fn settle(&mut self) {
        match self.away.take() {
            Some(Away::Stopped) => self.site.knot.restart(),
            Some(Away::Frozen) => self.site.knot.thaw(),
            Some(Away::Still) => self.site.knot.resume(),
            None => {}
        }
        self.note("the name server is back".to_owned());
        assert!(self.verb(&["upkeep"], ""), "{}", self.told());
        if self.pass() > 0 {
            assert!(self.verb(&["upkeep"], ""), "{}", self.told());
        }
    }

    /// A round of upkeep, which can do nothing, or all is settled.
    pub(crate) fn round(&mut self) {
        if self.away.is_some() && self.chance.once_in(2) {
            self.verb(&["upkeep"], "");
        } else {
            self.settle();
        }
    }

    /// Ten minutes pass for what an UPDATE may still change, and for what was put off; says how
    /// much that was.
    fn pass(&mut self) -> usize {
        let db = rusqlite::Connection::open(self.site.registry_file()).unwrap();
        let passed = ["host", "challenge"].map(|table| {
            let pass = format!(
                "UPDATE {table} SET unconfirmed = unconfirmed - 601, retry_at = retry_at - 601
                 WHERE unconfirmed > 0 OR retry_at > 0"
            );
            db.execute(&pass, []).unwrap()
        });
        self.note(format!("ten minutes pass for {passed:?}"));
        passed.into_iter().sum()
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
