//! What stands at the apex of a zone: SOA, NS, keys and signatures.

use std::time::Duration;

use super::report::Report;
use crate::config::Zone;
use crate::dns::Rtype;
use crate::dns::question::{Record, Told, ask};
use crate::name::ZoneName;
use crate::setup::Place;
use crate::setup::delegation::Delegation;
use crate::setup::nameserver::found;
use crate::setup::ns::{APEX, Ns};
pub(super) use crate::setup::own_ns::plain;
use crate::setup::own_ns::{self, Differs};
use crate::setup::zone::NameServer;
use crate::time::Timestamp;

/// A name server on this machine answers at once.
const WAIT: Duration = Duration::from_secs(2);
/// A new host should not be unknown for longer.
const NEGATIVE_MAX: u32 = 300;
/// A signature should have been made anew when it is good for less than two days.
const RESIGNED: i64 = 2 * 86_400;

/// The apex as the name server has it.
#[derive(Debug, Default)]
pub(super) struct Apex {
    /// The zone's serial.
    pub(super) serial: Option<u32>,
    /// Its name servers, in lower case without the final dot.
    pub(super) servers: Vec<String>,
    /// Its keys.
    pub(super) keys: Vec<Record>,
    /// Whether that could be found out.
    pub(super) known: bool,
}

/// Looks at the apex; nothing when the name server does not serve the zone.
pub(super) fn examine(zone: &Zone, place: &Place, report: &mut Report) -> Apex {
    let name = zone.name.as_str();
    let asked =
        |rtype| ask(zone.server, name, rtype, false, WAIT).filter(|told| told.authoritative);
    let Some(soa) = asked(Rtype::SOA) else {
        report.unknown(
            "zone-soa",
            "the name server does not answer for it without a key",
            "see the other checks of this zone",
        );
        return Apex::default();
    };
    let serial = soa_of(&soa, name, report);
    let servers = asked(Rtype::NS).map(|told| name_servers(&told, &zone.name, place, report));
    let told_keys = asked(Rtype::DNSKEY);
    let keys = (told_keys.as_ref()).map(|told| owned(told.data(name, Rtype::DNSKEY)));
    let known = servers.is_some() && keys.is_some();
    let keys = keys.unwrap_or_default();
    // Knot and BIND leave what they have signed in a zone that is signed no more.
    let ours = found(place, &zone.name);
    let is_signed = ours.and_then(|server| server.is_signed(place, &zone.name).ok());
    match told_keys.filter(|_| !keys.is_empty()) {
        Some(told) if is_signed != Some(false) => signatures(&soa, &told, name, report),
        Some(_) => report.ok(
            "zone-dnssec",
            "it is signed no more; old signatures are left in it",
        ),
        None => report.ok("zone-dnssec", "it is not signed"),
    }
    Apex {
        serial,
        servers: servers.unwrap_or_default(),
        keys,
        known,
    }
}

fn owned(records: Vec<&Record>) -> Vec<Record> {
    records.into_iter().cloned().collect()
}

/// The SOA and how long an absent name is remembered (RFC 2308 5); its serial.
fn soa_of(told: &Told, name: &str, report: &mut Report) -> Option<u32> {
    let Some(soa) = told.data(name, Rtype::SOA).first().copied() else {
        report.problem(
            "zone-soa",
            "it has none",
            "give the zone its first contents with the script that init wrote",
        );
        return None;
    };
    let minimum = word(&soa.octets, 4);
    let negative = soa.ttl.min(minimum.unwrap_or(0));
    let says = format!("an absent name is remembered for {negative} s");
    match negative > NEGATIVE_MAX {
        false => report.ok("zone-soa", says),
        true => report.problem(
            "zone-soa",
            format_args!("{says}: so long may a new host stay unknown"),
            "set the last number of the SOA to 60",
        ),
    }
    serial(soa)
}

/// The serial of a SOA.
pub(super) fn serial(record: &Record) -> Option<u32> {
    let octets = (record.rtype == Rtype::SOA).then_some(record.octets.as_slice())?;
    word(octets, 20)
}

/// The number that begins so many octets before the end.
fn word(octets: &[u8], from_end: usize) -> Option<u32> {
    let (_, end) = octets.split_at_checked(octets.len().checked_sub(from_end)?)?;
    Some(u32::from_be_bytes(*end.first_chunk()?))
}

/// The NS: those that the parent is told, whose names must not be in a zone that a key can
/// change.
fn name_servers(told: &Told, zone: &ZoneName, place: &Place, report: &mut Report) -> Vec<String> {
    let records = told.data(zone.as_str(), Rtype::NS);
    let ttl = records.first().map_or(own_ns::TTL, |ns| ns.ttl);
    let servers: Vec<String> = records.iter().map(|ns| plain(&ns.data)).collect();
    // Nothing is known of a zone that was there before us, or to one who may not read it.
    let wanted = Delegation::load(place, zone)
        .unwrap_or_default()
        .nameservers;
    let Differs { missing, others } = Differs::of(&servers, &wanted);
    let inside: Vec<&str> = servers
        .iter()
        .map(String::as_str)
        .filter(|server| *server == zone.as_str() || zone.relative(server).is_some())
        .collect();
    if let (Some(program), [_, ..]) = (found(place, zone), missing.as_slice()) {
        let steps = missing.iter().map(|server| {
            let below = APEX;
            let ns = Ns { below, server, ttl };
            let command = program.add_ns(place, zone, &ns).command;
            match command.strip_prefix("# ") {
                Some(words) => words.to_owned(),
                None => format!("`{command}`"),
            }
        });
        let steps: Vec<String> = steps.collect();
        let names: Vec<&str> = missing.iter().map(NameServer::as_str).collect();
        report.problem(
            "zone-ns",
            format_args!(
                "it lacks {}, which its parent is told: resolvers go by the zone's own NS",
                names.join(", ")
            ),
            steps.join("; "),
        );
    } else if servers.is_empty() {
        report.problem(
            "zone-ns",
            "it has no NS",
            "give it those that the parent has",
        );
    } else if !inside.is_empty() {
        report.problem(
            "zone-ns",
            format_args!(
                "{} is inside the zone, where the key for updates can move it",
                inside.join(", ")
            ),
            "name the name server in another zone, e.g. the parent, here and there",
        );
    } else if !wanted.is_empty() && !others.is_empty() {
        let advice = own_ns::advice(&others.join(", "));
        report.ok_but("zone-ns", servers.join(", "), advice);
    } else {
        report.ok("zone-ns", servers.join(", "));
    }
    servers
}

/// Whether the signatures of a zone hold today, and will tomorrow. Every update makes that of the
/// SOA anew, and none that of the `keys`.
fn signatures(soa: &Told, keys: &Told, name: &str, report: &mut Report) {
    let now = Timestamp::now().seconds();
    let begins = [soa, keys].into_iter().filter_map(|told| {
        let times = times(told, name).into_iter();
        times.map(|(begin, _)| begin).min()
    });
    if let Some(begin) = begins.max().filter(|begin| *begin > now) {
        return report.problem(
            "zone-dnssec",
            format_args!(
                "signatures begin in {} hours only: the clock was ahead when they were made",
                (begin - now + 3599) / 3600
            ),
            format_args!(
                "until then no resolver that validates believes the zone: set the clock, and have \
                 it signed anew, by Knot with `knotc zone-sign {name}`"
            ),
        );
    }
    let left = times(soa, name).into_iter().map(|(_, end)| end - now).max();
    match left {
        None => report.problem(
            "zone-dnssec",
            "it has keys and no signatures",
            "see the name server's log; a resolver that validates does not believe the zone",
        ),
        Some(left) if left < RESIGNED => report.problem(
            "zone-dnssec",
            format_args!(
                "its signatures end in {} hours and were not made anew",
                left / 3600
            ),
            "see the name server's log; is its clock right, and may it write its keys?",
        ),
        Some(left) => report.ok(
            "zone-dnssec",
            format_args!("it is signed, for {} days", left / 86_400),
        ),
    }
}

/// When the signatures in an answer begin and end (RFC 4034 3.1): the end stands eight octets from
/// their own beginning, and behind it theirs.
fn times(told: &Told, name: &str) -> Vec<(i64, i64)> {
    let time = |octets: &[u8; 4]| i64::from(u32::from_be_bytes(*octets));
    (told.data(name, Rtype::RRSIG).into_iter())
        .filter_map(|signature| {
            let (_, rest) = signature.octets.split_at_checked(8)?;
            let (end, rest) = rest.split_first_chunk()?;
            Some((time(rest.first_chunk()?), time(end)))
        })
        .collect()
}
