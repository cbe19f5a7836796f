//! From which addresses the key is good: it must be of no use to those who can reach a
//! public listener.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::report::Report;
use super::server::{WAIT, name_of};
use crate::config::Zone;
use crate::dns::probe::{Deed, Probe};
use crate::dns::question::ask;
use crate::dns::{Key, Rtype, Verdict};
use crate::setup::listen;

/// A listener on this machine answers at once.
const LISTENER_WAIT: Duration = Duration::from_millis(500);

/// What of a name server's configuration is a hint for all three.
const RULE: &str = "let the rule for updates name the address (Knot: address: 127.0.0.1 in the acl; BIND: a view with \
                    match-destinations; PowerDNS: allow-dnsupdate-from, or the policy script)";

/// From one of this machine's addresses to a listener.
#[derive(Debug, Clone, Copy)]
struct Way {
    source: IpAddr,
    listener: SocketAddr,
}

/// What came of an update by each way.
#[derive(Debug, Default)]
struct Tried {
    /// The addresses from which it was accepted, each once.
    accepted: Vec<String>,
    /// Whether some way was without an answer.
    silent: bool,
}

/// Asks for an update of `name` from everywhere that is not loopback.
///
/// Where nothing listens but loopback only this machine's own programs can, from whatever
/// address; then the rule alone is looked at.
pub(super) fn examine(zone: &Zone, key: &Key, name: &str, report: &mut Report) {
    if !zone.server.ip().is_loopback() {
        return report.unknown(
            "update-source",
            "from which addresses the key is good: the name server is not on this machine",
            "restrict it there to the address of this machine",
        );
    }
    let all = listen::addresses();
    let public = public(zone, &all);
    if !public.is_empty() {
        let tried = attempt(zone, key, name, &public);
        return match tried.accepted.is_empty() {
            true => refused(tried.silent, report),
            false => report.problem(
                "update-source",
                format_args!(
                    "at its public address the name server takes updates with {} too, from {}",
                    name_of(key),
                    tried.accepted.join(", ")
                ),
                RULE,
            ),
        };
    }
    let inside = inside(zone, &all);
    let tried = attempt(zone, key, name, inside.as_slice());
    match tried.accepted.is_empty() {
        true => refused(tried.silent || inside.is_none(), report),
        false => report.unknown(
            "update-source",
            format_args!(
                "whether others could use {}: its rule names no address, but nothing was found to listen elsewhere",
                name_of(key)
            ),
            RULE,
        ),
    }
}

/// The listeners that others may reach.
fn public(zone: &Zone, all: &[IpAddr]) -> Vec<Way> {
    // One for updates that listens at 0.0.0.0 is a public one too.
    let mut ports = vec![53, zone.server.port()];
    ports.dedup();
    let at = |source: &IpAddr| {
        let source = *source;
        let way = move |port| Way {
            source,
            listener: SocketAddr::new(source, port),
        };
        ports.clone().into_iter().map(way)
    };
    let apex = zone.name.as_str();
    all.iter()
        .flat_map(at)
        .filter(|way| {
            // Only where it is this zone's name server that listens.
            ask(way.listener, apex, Rtype::SOA, false, LISTENER_WAIT)
                .is_some_and(|told| told.authoritative)
        })
        .collect()
}

/// To the listener for updates, from another address of this machine.
fn inside(zone: &Zone, all: &[IpAddr]) -> Option<Way> {
    let same = |address: &&IpAddr| address.is_ipv4() == zone.server.is_ipv4();
    all.iter().find(same).map(|source| Way {
        source: *source,
        listener: zone.server,
    })
}

fn attempt(zone: &Zone, key: &Key, name: &str, ways: &[Way]) -> Tried {
    let mut tried = Tried::default();
    for Way { source, listener } in ways {
        let probe = Probe {
            server: *listener,
            source: Some(*source),
            key: Some(key),
            wait: WAIT,
        };
        match probe.update(&zone.name, &Deed::Rrset(name.to_owned(), Rtype::A)) {
            Verdict::Done => tried.accepted.push(source.to_string()),
            Verdict::Refused(_) => {}
            Verdict::Unconfirmed(_) => tried.silent = true,
        }
    }
    // By both of its ports.
    tried.accepted.dedup();
    tried
}

/// Nothing was accepted; `open`: not every way could be tried.
fn refused(open: bool, report: &mut Report) {
    match open {
        true => report.unknown(
            "update-source",
            "whether the key is good from other addresses: this machine has none, or no answer came",
            RULE,
        ),
        false => report.ok(
            "update-source",
            "from other addresses than loopback it is refused",
        ),
    }
}
