//! The name server of a zone: whether it answers, and whether it knows the key.
//!
//! A wrong name, a wrong algorithm and a forbidden address look alike in one answer; they
//! are told apart by asking in several ways.

use std::fs;
use std::io::{self, ErrorKind};
use std::time::Duration;

use super::report::Report;
use crate::config::Zone;
use crate::deadline::Deadline;
use crate::dns::probe::{Deed, Probe};
use crate::dns::{
    Algorithm, Doubt, Key, LookupError, Rcode, Refusal, Server, TsigRcode, Verdict, lookup,
};
use crate::setup::again::Init;

/// Knot may hold an update back for a second.
pub(super) const WAIT: Duration = Duration::from_secs(3);

/// A name server that answers.
pub(super) struct Known {
    /// Where it listens, and our key for it.
    pub(super) server: Server,
    /// The zone's serial before anything was asked of it, where it takes our updates.
    pub(super) serial: Option<u32>,
}

/// Looks at a zone's name server; nothing when there is no use in asking more.
///
/// `init` is the command that set it up, where it was ours.
pub(super) fn examine(zone: &Zone, init: Option<&Init>, report: &mut Report) -> Option<Known> {
    loopback(zone, report);
    let (server, text) = server(zone, init, report)?;
    let mut serial = udp(zone, &server, &text, init, report)?;
    if serial.is_some() {
        tcp(zone, &server, report);
        serial = serial.filter(|_| accepts(zone, &server, report));
    }
    Some(Known { server, serial })
}

/// Updates should not travel.
fn loopback(zone: &Zone, report: &mut Report) {
    let says = format!("updates go to {}", zone.server);
    match zone.server.ip().to_canonical().is_loopback() {
        true => report.ok("server-loopback", says),
        false => report.unknown(
            "server-loopback",
            format_args!("{says}, over a network: the signature keeps them from being changed, not from being read"),
            "let the name server take updates at 127.0.0.1, or protect the way there",
        ),
    }
}

/// Where it is and our key for it.
fn server(zone: &Zone, init: Option<&Init>, report: &mut Report) -> Option<(Server, String)> {
    let file = &zone.key_file;
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) => {
            report.problem(
                "key-file",
                format_args!("{}: {error}", file.display()),
                no_key(&error, init),
            );
            return None;
        }
    };
    match Key::read(&text) {
        Ok(key) => Some((
            Server {
                address: zone.server,
                key,
            },
            text,
        )),
        Err(error) => {
            report.problem(
                "key-file",
                format_args!("{}: {error}", file.display()),
                "copy the key from the name server's configuration",
            );
            None
        }
    }
}

/// What helps where the key cannot be read.
fn no_key(error: &io::Error, init: Option<&Init>) -> String {
    let back = "put the key back, as from a backup";
    match (error.kind(), init) {
        (ErrorKind::PermissionDenied, _) => "run this as root, with sudo".to_owned(),
        (ErrorKind::NotFound, Some(init)) => format!(
            "{back}; or {}: it makes a new one, for the name server too; then \
             `systemctl reload bowline`",
            init.with(&[("--apply", "")])
        ),
        (ErrorKind::NotFound, None) => format!("{back}, or from the name server's configuration"),
        _ => back.to_owned(),
    }
}

/// A signed question as a datagram; its answer tells nearly everything about the key. The
/// serial where it knows the key; nothing when it does not answer at all.
fn udp(
    zone: &Zone,
    server: &Server,
    text: &str,
    init: Option<&Init>,
    report: &mut Report,
) -> Option<Option<u32>> {
    let error = match lookup(server, &zone.name, &[], true, Deadline::after(WAIT)) {
        Ok(answers) => {
            report.ok("server-udp", format_args!("{} answers", zone.server));
            report.ok(
                "key",
                format_args!("{} is known there", name_of(&server.key)),
            );
            return Some(answers.serial);
        }
        Err(error) => error,
    };
    match &error {
        LookupError::NoAnswer(doubt) => {
            no_answer(zone, doubt, report);
            return None;
        }
        LookupError::NotAuthoritative | LookupError::Garbled => report.problem(
            "zone",
            format_args!("{} does not serve it", zone.server),
            not_there(init),
        ),
        LookupError::Refused(refusal) => {
            report.ok("server-udp", format_args!("{} answers", zone.server));
            refused(zone, server, text, refusal, init, report);
        }
    }
    Some(None)
}

/// What helps where it does not serve the zone.
fn not_there(init: Option<&Init>) -> String {
    match init {
        // As after a set-up that was interrupted before it printed them.
        Some(init) => format!(
            "{} prints the commands that load it; if it was loaded, see the name server's log",
            init.with(&[])
        ),
        None => "see the name server's own list of zones and its log".to_owned(),
    }
}

/// Silence has several causes.
fn no_answer(zone: &Zone, doubt: &Doubt, report: &mut Report) {
    let hint = doubt.hint().unwrap_or("is this the right name server?");
    match doubt {
        Doubt::Unverified => report.problem("key", doubt, hint),
        _ => report.problem(
            "server-udp",
            format_args!("{} does not answer: {doubt}", zone.server),
            "start the name server, or correct `server` of this zone in bowline.toml",
        ),
    }
}

/// Why a signed question was refused.
fn refused(
    zone: &Zone,
    server: &Server,
    text: &str,
    refusal: &Refusal,
    init: Option<&Init>,
    report: &mut Report,
) {
    let (name, file) = (name_of(&server.key), zone.key_file.display());
    let copy = format!("copy the key from the name server's configuration to {file}");
    match refusal {
        Refusal::BadTime { .. } => report.problem(
            "clock",
            refusal,
            "set the clock of both machines, and keep it right with NTP",
        ),
        Refusal::Rcode {
            tsig: Some(TsigRcode::BADSIG),
            ..
        } => report.problem("key", format_args!("the name server has another secret for {name}"), copy),
        // Knot answers an unsigned question about a zone it lacks, and so do all others, in
        // the same way with and without the key.
        Refusal::Rcode {
            rcode: Rcode::SERVFAIL,
            ..
        } => report.problem(
            "zone",
            "it is configured there and not loaded",
            "it has no SOA yet, and its first-contents script gives it one, or its journal is damaged: \
             see the name server's log, and the book where something is wrong",
        ),
        _ if !is_served(zone) => report.problem(
            "zone",
            format_args!("{} does not serve it: {refusal}", zone.server),
            not_there(init),
        ),
        _ => match other_algorithm(zone, server, text) {
            Some(algorithm) => report.problem(
                "key",
                format_args!("the name server has {name} with {algorithm}"),
                copy,
            ),
            None => report.problem(
                "key",
                format_args!("the name server does not know {name}, or takes no requests from here: {refusal}"),
                format_args!(
                    "compare name, algorithm and address with the name server's rule for updates; \
                     with Knot on this machine the check acl tells which; {copy}"
                ),
            ),
        },
    }
}

/// Whether the zone is answered without a key.
fn is_served(zone: &Zone) -> bool {
    use crate::dns::{Rtype, question::ask};
    ask(zone.server, zone.name.as_str(), Rtype::SOA, false, WAIT)
        .is_some_and(|told| told.authoritative && !told.answer.is_empty())
}

/// The algorithm with which the name server knows the key by its name.
fn other_algorithm(zone: &Zone, server: &Server, text: &str) -> Option<Algorithm> {
    let others = Algorithm::ALL.into_iter();
    let mut others = others.filter(|algorithm| *algorithm != server.key.algorithm());
    others.find(|algorithm| {
        let Ok(key) = Key::read_for(text, *algorithm) else {
            return false;
        };
        let server = Server {
            address: server.address,
            key,
        };
        match lookup(&server, &zone.name, &[], true, Deadline::after(WAIT)) {
            Ok(_) => true,
            Err(LookupError::Refused(Refusal::Rcode { tsig, .. })) => {
                tsig == Some(TsigRcode::BADSIG)
            }
            Err(_) => false,
        }
    })
}

/// Long updates go by TCP.
fn tcp(zone: &Zone, server: &Server, report: &mut Report) {
    let probe = Probe {
        server: zone.server,
        source: None,
        key: Some(&server.key),
        wait: WAIT,
    };
    match probe.serial_by_tcp(&server.key, &zone.name) {
        Ok(_) => report.ok("server-tcp", format_args!("{} answers", zone.server)),
        Err(error) => report.problem(
            "server-tcp",
            format_args!("{} by TCP: {error}", zone.server),
            "the name server has to listen there by TCP too: updates of many hosts do not fit a datagram",
        ),
    }
}

/// Whether an UPDATE without updates is accepted: the key and the address are right.
fn accepts(zone: &Zone, server: &Server, report: &mut Report) -> bool {
    let probe = Probe {
        server: zone.server,
        source: None,
        key: Some(&server.key),
        wait: WAIT,
    };
    let name = name_of(&server.key);
    match probe.update(&zone.name, &Deed::Nothing) {
        Verdict::Done => {
            report.ok("update-accepted", format_args!("updates signed with {name} are accepted from here"));
            return true;
        }
        Verdict::Refused(Refusal::BadTime { skew_seconds }) => report.problem(
            "clock",
            Refusal::BadTime { skew_seconds },
            "set the clock of both machines, and keep it right with NTP",
        ),
        Verdict::Refused(
            refusal @ Refusal::Rcode {
                rcode: Rcode::REFUSED,
                ..
            },
        ) => report.problem(
            "update-accepted",
            format_args!("updates are refused although the key is right: {refusal}"),
            "the zone is frozen (`knotc zone-thaw`, `rndc thaw`), or the name server's policy forbids \
             updates; PowerDNS refuses all of them when there is a mistake in its policy script, and its log has it",
        ),
        Verdict::Refused(refusal) => report.problem(
            "update-accepted",
            format_args!("questions with {name} are answered, updates are not accepted: {refusal}"),
            format_args!(
                "the name server's rule for updates (Knot: acl) names another key or another address than \
                 the one asked from, or is not set for this zone; updates go to {}",
                zone.server
            ),
        ),
        Verdict::Unconfirmed(doubt) => report.problem(
            "update-accepted",
            format_args!("questions are answered, an update is not: {doubt}"),
            "the zone may be frozen, or a transaction left open (`knotc zone-abort`)",
        ),
    }
    false
}

/// A key by its name.
pub(super) fn name_of(key: &Key) -> String {
    format!("the key {}", key.name())
}
