//! `bowline status`: whether all is published, and where to look when it is not.

mod differing;
mod messages;
mod metrics;
mod pending;

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};

use clap::Args;
use serde::Serialize;

use self::differing::Differing;
use self::messages::Messages;
use self::pending::Pending;
use super::session::Session;
use super::{Context, Failure, hosts, zone_gone};
use crate::config::{Config, LogTarget};
use crate::log::{has_syslog, obstacle};
use crate::name::ZoneName;
use crate::one_line::OneLine;
use crate::registry::{LATE_MINUTES, State, is_late};
use crate::time::Timestamp;
use crate::upkeep;

/// So many hosts are shown that are pending, or differ; the oldest first.
const SHOWN: usize = 20;
/// A responder says nothing to the web server but its answers: who started it has the rest.
const STDERR: &str = "standard error: with CGI the web server's error log, with FastCGI wherever that of the \
                      responder goes";

/// Show zones, hosts and what is pending; fails when that is so, or no upkeep, for over 5 minutes
///
/// Fails too when hosts are in a zone that is not configured, or differ from what the name server
/// shows.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// As metrics for Prometheus, e.g. for node_exporter's text files
    #[arg(long, conflicts_with = "json")]
    metrics: bool,
}

/// The whole report.
#[derive(Serialize)]
struct Status {
    version: &'static str,
    config: String,
    registry: String,
    log: String,
    /// Why lines go to standard error instead.
    log_trouble: Option<String>,
    hosts: usize,
    disabled: usize,
    removing: usize,
    /// When the last round of upkeep was; `None`: never.
    last_upkeep: Option<String>,
    /// Whether one is overdue: there was none for so long, or since the first host.
    #[serde(skip)]
    upkeep_late: bool,
    #[serde(skip)]
    upkeep_at: Option<Timestamp>,
    zones: Vec<ZoneStatus>,
    pending: Vec<Pending>,
    differing: Vec<Differing>,
    challenges: Challenges,
    messages: Vec<Messages>,
    /// A host whose row in the registry is damaged.
    damaged: Option<String>,
}

/// Challenges for certificates.
#[derive(Serialize)]
struct Challenges {
    /// Those that the name server shows.
    standing: u32,
    pending: u32,
    /// How long the oldest pending one has waited, in seconds.
    age: u64,
    #[serde(skip)]
    late: bool,
}

/// One zone and how many hosts it has.
#[derive(Serialize)]
struct ZoneStatus {
    name: String,
    /// In Unicode too, for people.
    #[serde(skip)]
    shown: String,
    /// Where its name server takes updates; `None`: it is not configured.
    server: Option<String>,
    hosts: usize,
    pending: usize,
    /// Hosts that the name server shows otherwise, and that could not be mended or were left so.
    differing: u32,
    /// Whether they were left so until the operator decides.
    #[serde(skip)]
    asks: bool,
}

/// Reports, and fails when something is pending for too long.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let mut status = Status::of(&session)?;
    let whole = session.registry.nothing_left_out();
    status.damaged = whole.as_ref().err().map(ToString::to_string);
    match (options.metrics, context.json) {
        (true, _) => {
            return Ok(context
                .out
                .write_all(status.metrics(session.now).as_bytes())?);
        }
        (false, true) => context.write_json(&status)?,
        (false, false) => status.write(context)?,
    }
    whole?;
    let is_gone = |zone: &&ZoneStatus| zone.server.is_none();
    if let Some(zone) = status.zones.iter().find(is_gone) {
        return Err(zone_gone(&zone.name, zone.hosts));
    }
    if let Some(zone) = status.zones.iter().find(|zone| zone.differing > 0) {
        let cause = format!(
            "{} {} from zone {}",
            hosts(zone.differing as usize),
            if zone.differing == 1 {
                "differs"
            } else {
                "differ"
            },
            zone.name
        );
        let hint = match zone.asks {
            true => {
                "the registry may be older than the zone: `bowline upkeep --adopt` takes the zone's word"
                    .to_owned()
            }
            false => format!("why they could not be mended is in the log: {}", status.log),
        };
        return Err(Failure::new(cause).hint(hint));
    }
    let late = |pending: &&Pending| pending.late;
    match status.pending.iter().filter(late).count() {
        0 if status.upkeep_late => Err(match status.last_upkeep {
            Some(_) => Failure::new(format!("no upkeep for over {LATE_MINUTES} minutes"))
                .hint("is `bowline upkeep` still run every minute?"),
            None => Failure::new("there was no upkeep yet")
                .hint("let a timer run `bowline upkeep` every minute"),
        }),
        0 if status.challenges.late => Err(Failure::new(format!(
            "a challenge for a certificate is pending for over {LATE_MINUTES} minutes"
        ))
        .hint(format!("the reason is in the log: {}", status.log))),
        0 => Ok(()),
        count => Err(Failure::new(format!(
            "{count} {} pending for over {LATE_MINUTES} minutes",
            if count == 1 { "host is" } else { "hosts are" }
        ))
        .hint(format!("the reason is in the log: {}", status.log))),
    }
}

impl Status {
    /// Counts the hosts, and collects those that are pending.
    fn of(session: &Session) -> Result<Self, Failure> {
        let (mut disabled, mut removing) = (0, 0);
        let mut differing = Vec::new();
        let mut oldest: Option<Timestamp> = None;
        let mut zones: BTreeMap<String, ZoneStatus> = BTreeMap::new();
        for zone in &session.config.zones {
            let mut status = ZoneStatus::new(&zone.name);
            status.server = Some(zone.server.to_string());
            zones.insert(zone.name.to_string(), status);
        }
        session.registry.each_host(|host| {
            let name = host.name.zone();
            let zone = zones
                .entry(name.to_string())
                .or_insert_with(|| ZoneStatus::new(&name));
            zone.hosts += 1;
            oldest = Some(oldest.map_or(host.created, |oldest| oldest.min(host.created)));
            zone.pending += usize::from(host.is_pending());
            if let Some(one) = Differing::of(&host) {
                zone.differing += 1;
                differing.push(one);
            }
            disabled += usize::from(host.state == State::Disabled);
            removing += usize::from(host.state == State::Removing);
            Ok::<(), Failure>(())
        })?;
        for zone in &session.config.zones {
            let state = session.registry.zone_state(&zone.name)?;
            if let Some(status) = zones.get_mut(zone.name.as_str()) {
                // What they show is noted of each, but not by a version before this.
                status.differing = status.differing.max(state.unmended);
                status.asks = state.unmended > 0;
            }
        }
        let mut pending = Vec::new();
        for due in session.registry.pending()? {
            for host in session.registry.whole_hosts(&[due.id])? {
                let since = session.registry.pending_since(&host)?;
                pending.push(Pending::of(&host, since, session.now));
            }
        }
        let challenges = session.registry.count_challenges()?;
        let last_upkeep = upkeep::last(&session.config);
        let zones: Vec<ZoneStatus> = zones.into_values().collect();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION"),
            config: session.config.file.display().to_string(),
            registry: session.config.state.registry.display().to_string(),
            log: log(&session.config),
            log_trouble: obstacle(&session.config.log.target).map(|error| error.to_string()),
            hosts: zones.iter().map(|zone| zone.hosts).sum(),
            disabled,
            removing,
            last_upkeep: last_upkeep.map(|last| last.to_string()),
            upkeep_late: last_upkeep
                .or(oldest)
                .is_some_and(|last| is_late(last, session.now)),
            upkeep_at: last_upkeep,
            zones,
            messages: Messages::all(session)?,
            damaged: None,
            pending,
            differing,
            challenges: Challenges {
                standing: challenges.standing,
                pending: challenges.pending,
                late: (challenges.since).is_some_and(|since| is_late(since, session.now)),
                age: (challenges.since).map_or(0, |since| session.now.since(since).seconds()),
            },
        })
    }

    /// As lines for people.
    fn write(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        let out = &mut context.out;
        writeln!(out, "configuration  {}", self.config)?;
        writeln!(out, "registry       {}", self.registry)?;
        match &self.log_trouble {
            None => writeln!(out, "log            {}", self.log)?,
            Some(why) => writeln!(out, "log            {}", log_instead(&self.log, why))?,
        }
        let last = self.last_upkeep.as_deref().unwrap_or("never");
        writeln!(out, "upkeep         {last}")?;
        for zone in &self.zones {
            let server = zone.server.as_deref().unwrap_or("not configured");
            writeln!(
                out,
                "zone           {}: {}, {} pending, server {server}",
                zone.shown,
                hosts(zone.hosts),
                zone.pending
            )?;
        }
        writeln!(
            out,
            "hosts          {}, {} disabled, {} being removed",
            self.hosts, self.disabled, self.removing
        )?;
        for messages in &self.messages {
            writeln!(out, "{}", OneLine(messages.line()))?;
        }
        write_first(out, "pending", self.pending.iter().map(Pending::line))?;
        write_first(out, "differs", self.differing.iter().map(Differing::line))?;
        let Challenges {
            standing, pending, ..
        } = self.challenges;
        if standing + pending > 0 {
            writeln!(out, "challenges     {standing} standing, {pending} pending")?;
        }
        Ok(())
    }
}

impl ZoneStatus {
    /// A zone without hosts, not configured so far.
    fn new(name: &ZoneName) -> Self {
        ZoneStatus {
            name: name.to_string(),
            shown: name.for_people(),
            server: None,
            hosts: 0,
            pending: 0,
            differing: 0,
            asks: false,
        }
    }
}

/// Writes a line for each, or for the first of many, and how many more there are.
fn write_first(
    out: &mut dyn Write,
    what: &str,
    lines: impl ExactSizeIterator<Item = String>,
) -> io::Result<()> {
    let more = lines.len().saturating_sub(SHOWN);
    for line in lines.take(SHOWN) {
        writeln!(out, "{}", OneLine(line))?;
    }
    match more {
        0 => Ok(()),
        more => writeln!(out, "{what:<15}{more} more, with --json all of them"),
    }
}

/// Where they go instead, and why.
pub(super) fn log_instead(log: &str, why: impl fmt::Display) -> String {
    format!("standard error, as {log} cannot be written: {why}")
}

/// Where log lines go on this machine, or should.
pub(super) fn log(config: &Config) -> String {
    match &config.log.target {
        LogTarget::Auto if has_syslog() => "syslog".to_owned(),
        LogTarget::Auto | LogTarget::Stderr => STDERR.to_owned(),
        LogTarget::Syslog => "syslog".to_owned(),
        LogTarget::File(file) => file.display().to_string(),
    }
}
