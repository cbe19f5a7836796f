//! What only Knot's own control socket tells: settings that lose updates, rate limits
//! that drop them, a zone that is held up.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use super::powerdns;
use super::report::Report;
use super::rule::{self, includes};
use super::state::space;
use crate::config::Zone;
use crate::setup::nameserver::found;
use crate::setup::{Place, knot};

/// A server that stands still would be waited for a minute.
const SECONDS: &str = "5";
/// Where it keeps its databases when nothing is set.
const STORAGE: &str = "/var/lib/knot";
/// From this version on, rate limits drop updates too.
const LIMITS_DROP: (u32, u32) = (3, 4);

/// A running Knot, as it is asked through its control socket.
pub(super) struct Knot {
    socket: PathBuf,
}

/// Looks at what Knot says about a zone; when it cannot be asked, at our own files.
pub(super) fn examine(zone: &Zone, place: &Place, report: &mut Report) {
    match Knot::of(zone, place) {
        Some(knot) => {
            knot.held_up(zone, place, report);
            durability(&knot.settings(zone), zone, place, report);
            knot.limits(zone, report);
            knot.space(report);
            rule::examine(&knot, zone, report);
            // What the answers could only guess at.
            report.explained("update-accepted", "zone-frozen");
            report.explained("update-accepted", "zone-transaction");
            report.explained("key", "acl");
        }
        None => match files(zone, place) {
            Some(settings) => durability(&settings, zone, place, report),
            None => others(zone, place, report),
        },
    }
}

/// What is known of the other name servers.
fn others(zone: &Zone, place: &Place, report: &mut Report) {
    match found(place, &zone.name).map(|program| program.name()) {
        Some("BIND") => report.ok(
            "durability",
            "BIND writes every update to its journal before it answers",
        ),
        Some("PowerDNS") => powerdns::examine(place, report),
        _ => report.unknown(
            "durability",
            "whether the name server keeps what it has accepted: it cannot be asked",
            "run this as root on the machine of the name server; Knot wants zonefile-load none and \
             journal-content all, PowerDNS with SQLite synchronous 2",
        ),
    }
}

/// How a zone is kept; what is not set is Knot's default.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    zonefile_load: Option<String>,
    journal_content: Option<String>,
    journal_db_mode: Option<String>,
}

impl Knot {
    /// The one that serves `zone`, where it lets us ask.
    fn of(zone: &Zone, place: &Place) -> Option<Self> {
        let knot = Knot {
            socket: place.knot_socket(),
        };
        knot.ask(&["zone-status", zone.name.as_str()]).map(|_| knot)
    }

    /// A line from `knotc`; nothing when it fails.
    fn ask(&self, arguments: &[&str]) -> Option<String> {
        let path = std::env::var("PATH").unwrap_or_default();
        let output = Command::new("knotc")
            .args(["-t", SECONDS, "-s"])
            .arg(&self.socket)
            .args(arguments)
            .env("PATH", format!("{path}:/usr/sbin:/usr/local/sbin"))
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        output.status.success().then_some(text)
    }

    /// The value of an item of the configuration that runs.
    pub(super) fn item(&self, item: &str) -> Option<String> {
        let text = self.ask(&["conf-read", item])?;
        let (_, value) = text.lines().next()?.split_once(" = ")?;
        let value = value.trim().trim_matches('"');
        (!value.is_empty()).then(|| value.to_owned())
    }

    /// An item of a zone, else of its template, else of the default one.
    pub(super) fn zone_item(&self, zone: &Zone, item: &str) -> Option<String> {
        let name = &zone.name;
        let template = self.item(&format!("zone[{name}].template"));
        let template = template.unwrap_or_else(|| "default".to_owned());
        self.item(&format!("zone[{name}].{item}"))
            .or_else(|| self.item(&format!("template[{template}].{item}")))
    }

    fn settings(&self, zone: &Zone) -> Settings {
        Settings {
            zonefile_load: self.zone_item(zone, "zonefile-load"),
            journal_content: self.zone_item(zone, "journal-content"),
            journal_db_mode: self.item("database.journal-db-mode"),
        }
    }

    /// Whether its journal has room. That of the registry's disk, mostly the same, was told
    /// already, and so it may be with another zone.
    fn space(&self, report: &mut Report) {
        let storage = self.item("database.storage");
        let storage = PathBuf::from(storage.as_deref().unwrap_or(STORAGE));
        let mut found = Report::default();
        if storage.is_dir() && !report.has_any(&["disk-space"]) {
            space(&storage, &mut found);
        }
        if found.problems() > 0 {
            report.findings.extend(found.findings);
        }
    }

    /// Frozen, or in a transaction that somebody began and never ended.
    fn held_up(&self, zone: &Zone, place: &Place, report: &mut Report) {
        let name = zone.name.as_str();
        let knotc = knotc(place);
        let status = self.ask(&["zone-status", name]).unwrap_or_default();
        let says = |word: &str| status.split('|').any(|part| part.trim().starts_with(word));
        match says("freeze: yes") {
            false => report.ok("zone-frozen", "it is not"),
            true => report.problem(
                "zone-frozen",
                "the zone is frozen, and takes no updates",
                format_args!("`{knotc} zone-thaw {name}`"),
            ),
        }
        match says("transaction: open") {
            false => report.ok("zone-transaction", "none is open"),
            true => report.problem(
                "zone-transaction",
                "a transaction is open, and holds up every update",
                format_args!("`{knotc} zone-commit {name}` or `{knotc} zone-abort {name}`"),
            ),
        }
    }

    /// Rate limits must leave loopback alone.
    fn limits(&self, zone: &Zone, report: &mut Report) {
        let modules = self.zone_item(zone, "module").unwrap_or_default()
            + " "
            + &self
                .item("template[default].global-module")
                .unwrap_or_default();
        let source = zone.server.ip().to_canonical().to_string();
        let mut limits = modules
            .split_whitespace()
            .filter_map(|module| module.strip_prefix("mod-rrl"));
        let open = limits.find(|id| {
            let id = id.strip_prefix('/').unwrap_or("default");
            let list = self
                .item(&format!("mod-rrl[{id}].whitelist"))
                .unwrap_or_default();
            !list
                .split_whitespace()
                .any(|network| includes(network, &source))
        });
        match (open, self.drops()) {
            (None, _) => report.ok("rrl", "rate limits leave updates alone"),
            (Some(_), Some(false)) => report.ok_but(
                "rrl",
                "rate limits have no exception for loopback, which does no harm before Knot 3.4",
                "whitelist: [ 127.0.0.1, ::1 ] of mod-rrl keeps it so after an upgrade",
            ),
            (Some(_), _) => report.problem(
                "rrl",
                "rate limits drop updates and questions from loopback",
                "whitelist: [ 127.0.0.1, ::1 ] of mod-rrl",
            ),
        }
    }

    /// Whether this version's rate limits drop updates.
    fn drops(&self) -> Option<bool> {
        let text = self.ask(&["status", "version"])?;
        let digits = text.trim().rsplit(' ').next()?;
        let mut numbers = digits.split('.').map(str::parse::<u32>);
        let version = (numbers.next()?.ok()?, numbers.next()?.ok()?);
        Some(version >= LIMITS_DROP)
    }
}

/// What our own files say, where Knot cannot be asked.
fn files(zone: &Zone, place: &Place) -> Option<Settings> {
    let common = fs::read_to_string(knot::common_conf(place)).ok()?;
    let own = fs::read_to_string(knot::zone_conf(place, &zone.name)).ok()?;
    let main = fs::read_to_string(place.knot_conf()).unwrap_or_default();
    let item = |text: &str, key: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(key)?.strip_prefix(':'))?;
        Some(line.split('#').next()?.trim().to_owned())
    };
    let either = |key: &str| item(&own, key).or_else(|| item(&common, key));
    Some(Settings {
        zonefile_load: either("zonefile-load"),
        journal_content: either("journal-content"),
        journal_db_mode: item(&main, "journal-db-mode"),
    })
}

/// How an operator calls `knotc` here.
fn knotc(place: &Place) -> String {
    match place.private {
        true => format!("knotc -c {}", place.knot_conf().display()),
        false => "knotc".to_owned(),
    }
}

/// The way to settings that lose nothing. Only a start with `whole` puts the zone into a journal
/// that has changes only; without that start there is no zone any more. What an unused journal
/// still has is older than the zone file.
fn to_recommended(content: &str, zone: &Zone, place: &Place) -> String {
    let (knotc, zone) = (knotc(place), &zone.name);
    let forget = match content {
        "none" => format!(" && {knotc} -b -f zone-purge +journal {zone}"),
        _ => String::new(),
    };
    format!(
        "`{knotc} -b -f zone-flush {zone}{forget}`; then zonefile-load: whole and journal-content: all for \
         the zone, and restart Knot; when the zone is answered again, zonefile-load: none, and restart it \
         once more"
    )
}

/// Whether what was accepted is still there after a restart, a crash, a power cut.
fn durability(settings: &Settings, zone: &Zone, place: &Place, report: &mut Report) {
    let load = settings.zonefile_load.as_deref().unwrap_or("whole");
    let content = settings.journal_content.as_deref().unwrap_or("changes");
    let mode = settings.journal_db_mode.as_deref().unwrap_or("robust");
    let recommended = &to_recommended(content, zone, place);
    let says = format!("zonefile-load {load}, journal-content {content}, journal-db-mode {mode}");
    match (load, content, mode) {
        ("difference-no-serial", _, _) => report.problem(
            "durability",
            format_args!(
                "{says}: every restart takes back what was updated since the zone file was written"
            ),
            recommended,
        ),
        (_, "none", _) => report.problem(
            "durability",
            format_args!("{says}: without a journal a crash loses updates"),
            recommended,
        ),
        ("difference", _, _) => report.problem(
            "durability",
            format_args!("{says}: an edited zone file takes back what was updated"),
            recommended,
        ),
        (_, _, "asynchronous") => report.problem(
            "durability",
            format_args!("{says}: a power cut loses accepted updates"),
            "journal-db-mode: robust in the section database, then restart Knot",
        ),
        ("none", "all", _) => report.ok("durability", says),
        ("none", ..) => report.problem(
            "durability",
            format_args!(
                "{says}: the journal has changes only, so after a restart there is no zone"
            ),
            recommended,
        ),
        _ => report.ok(
            "durability",
            format_args!(
                "{says}: kept, as long as the zone file is never damaged or edited without freeze"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::Status;
    use super::*;
    use crate::config::Config;

    #[test]
    fn settings_that_lose_updates() {
        let file = Path::new("/etc/bowline/bowline.toml");
        let text = "url = \"https://u.example.org\"\n[state]\nregistry = \"/r\"\n[[zone]]\n\
                    name = \"dyn.example.org\"\nserver = \"127.0.0.1:53\"\nkey_file = \"/k\"\n";
        let config = Config::parse(file, text).unwrap();
        let (zone, place) = (&config.zones[0], &Place::new(file, None).unwrap());
        for (load, content, mode, expected) in [
            ("none", "all", "robust", Status::Ok),
            ("whole", "changes", "robust", Status::Ok),
            ("difference-no-serial", "all", "robust", Status::Problem),
            ("difference", "changes", "robust", Status::Problem),
            ("whole", "none", "robust", Status::Problem),
            ("none", "all", "asynchronous", Status::Problem),
            ("none", "changes", "robust", Status::Problem),
        ] {
            let some = |word: &str| Some(word.to_owned());
            let mut report = Report::default();
            let settings = Settings {
                zonefile_load: some(load),
                journal_content: some(content),
                journal_db_mode: some(mode),
            };
            durability(&settings, zone, place, &mut report);
            assert_eq!(
                report.findings[0].status, expected,
                "{load} {content} {mode}"
            );
        }
    }
}
