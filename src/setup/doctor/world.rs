//! What the world sees of a zone, through a resolver: delegation, addresses of the name
//! servers, DS; and whether all name servers have the same.

use std::net::{IpAddr, SocketAddr};
use std::thread::sleep;
use std::time::Duration;

use super::report::Report;
use super::zone::{Apex, plain};
use crate::config::Zone;
use crate::dns::question::{Told, ask};
use crate::dns::{Rcode, Rtype, ds};
use crate::name::ZoneName;
use crate::setup::listen;
use crate::setup::parent::system_resolver;

/// A resolver may have to ask many others.
const WAIT: Duration = Duration::from_secs(4);
/// Another name server of the zone answers soon, or is not to be reached from here.
const SERVER_WAIT: Duration = Duration::from_secs(1);
/// A secondary hears of a change within a second or two.
const TRANSFER: Duration = Duration::from_secs(3);

/// Who is asked.
#[derive(Debug, Clone, Copy)]
pub struct World {
    /// The resolver.
    resolver: Option<SocketAddr>,
    /// Whether it was named for being outside.
    outside: bool,
}

impl World {
    /// Through the resolver that was named, else this system's.
    pub fn new(via: Option<SocketAddr>) -> Self {
        World {
            resolver: via.or_else(system_resolver),
            outside: via.is_some(),
        }
    }

    /// Who is asked, where there is anybody.
    pub(super) fn resolver(self) -> Option<SocketAddr> {
        self.resolver
    }

    /// Looks at a zone from outside.
    pub(super) fn examine(self, zone: &Zone, apex: &Apex, report: &mut Report) {
        let Some(resolver) = self.resolver else {
            return report.unknown(
                "delegation",
                "there is no resolver in /etc/resolv.conf",
                "name one with --via",
            );
        };
        let name = &zone.name;
        let Some(ns) = ask(resolver, name.as_str(), Rtype::NS, true, WAIT) else {
            return report.unknown(
                "delegation",
                format_args!("the resolver {resolver} does not answer"),
                "name another one with --via",
            );
        };
        let Some(servers) = delegation(name, &ns, apex, report) else {
            return;
        };
        let addresses = glue(resolver, &ns, &servers, report);
        trust(resolver, name, apex, report);
        secondaries(zone, &addresses, apex, report);
        self.reach(resolver, name, &addresses, report);
    }

    /// A name nobody has is asked for through the resolver, which cannot know it yet.
    fn reach(
        self,
        resolver: SocketAddr,
        zone: &ZoneName,
        addresses: &[IpAddr],
        report: &mut Report,
    ) {
        let families = [("reach-ipv4", true), ("reach-ipv6", false)].map(|(check, ipv4)| {
            (
                check,
                addresses.iter().any(|address| address.is_ipv4() == ipv4),
            )
        });
        let families = families
            .into_iter()
            .filter_map(|(check, has)| has.then_some(check));
        let families: Vec<&str> = families.collect();
        let unknown = |report: &mut Report, says: String| {
            for check in &families {
                report.unknown(
                    check,
                    &says,
                    "from outside: `bowline doctor --via` a resolver elsewhere, such as your provider's; \
                     open 53/udp and 53/tcp in the firewall",
                );
            }
        };
        if !self.outside {
            return unknown(report, "whether it can be reached from outside".to_owned());
        }
        let mut octets = [0; 8];
        if getrandom::fill(&mut octets).is_err() {
            return;
        }
        let label: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let told = ask(resolver, &format!("{label}.{zone}"), Rtype::A, true, WAIT);
        let ours = told.as_ref().is_some_and(|told| {
            let answered = !told.answer.is_empty();
            let denied = told
                .authority
                .iter()
                .any(|record| record.rtype == Rtype::SOA && record.owner == zone.as_str());
            answered || denied
        });
        match (ours, told, families.as_slice()) {
            (true, _, [only]) => report.ok(only, format_args!("{resolver} reaches it")),
            (true, _, _) => {
                report.ok(
                    "reach",
                    format_args!("{resolver} reaches it, by IPv4 or IPv6"),
                );
                unknown(report, format!("by which family {resolver} reaches it"));
            }
            (false, Some(told), _) if !told.data(zone.as_str(), Rtype::NS).is_empty() => {
                unknown(
                    report,
                    format!("{resolver} names the name servers, and does not ask them"),
                );
            }
            (false, Some(told), _) if told.rcode == Rcode::SERVFAIL => report.problem(
                "reach",
                format_args!("{resolver} cannot reach it, or does not believe its signatures"),
                "open 53/udp and 53/tcp in the firewall, both families; see the check ds",
            ),
            (false, Some(told), _) => report.problem(
                "reach",
                format_args!(
                    "{resolver} answers {} without asking this name server",
                    told.rcode
                ),
                "see the check delegation; an older answer may be remembered for some minutes",
            ),
            (false, None, _) => unknown(report, format!("{resolver} does not answer in time")),
        }
    }
}

/// The NS as the world sees them, compared with the zone's own.
fn delegation(
    zone: &ZoneName,
    told: &Told,
    apex: &Apex,
    report: &mut Report,
) -> Option<Vec<String>> {
    let hint = "enter the records that `bowline zone show` prints where the parent zone is kept";
    if told.rcode == Rcode::SERVFAIL {
        report.problem(
            "delegation",
            "the resolver finds out nothing (SERVFAIL): the name servers cannot be reached, or the DS is wrong",
            "see the check ds, and open 53/udp and 53/tcp in the firewall",
        );
        return None;
    }
    if told.rcode == Rcode::REFUSED {
        report.unknown(
            "delegation",
            "the resolver refuses to answer",
            "name another one with --via",
        );
        return None;
    }
    let servers: Vec<String> = told
        .data(zone.as_str(), Rtype::NS)
        .into_iter()
        .map(|ns| plain(&ns.data))
        .collect();
    if servers.is_empty() {
        report.problem(
            "delegation",
            format_args!("the parent {} has no NS for it", zone.parent()),
            hint,
        );
        return None;
    }
    if apex.servers.is_empty() || apex.servers == servers {
        report.ok("delegation", format_args!("to {}", servers.join(", ")));
    } else {
        report.problem(
            "delegation",
            format_args!(
                "the world sees {}, the zone itself has {}",
                servers.join(", "),
                apex.servers.join(", ")
            ),
            "parent and zone should name the same ones",
        );
    }
    Some(servers)
}

/// The addresses of the name servers.
fn glue(resolver: SocketAddr, told: &Told, servers: &[String], report: &mut Report) -> Vec<IpAddr> {
    let mut all = Vec::new();
    let mut without = Vec::new();
    for server in servers {
        let address = |rtype| {
            let found = ask(resolver, server, rtype, true, WAIT);
            let found = found.into_iter().flat_map(|told| told.answer);
            found.filter(move |record| record.rtype == rtype)
        };
        let along = told
            .additional
            .iter()
            .filter(|record| record.owner == *server)
            .cloned();
        let mut addresses: Vec<IpAddr> = address(Rtype::A)
            .chain(address(Rtype::AAAA))
            .chain(along)
            .filter_map(|record| record.data.parse().ok())
            .collect();
        addresses.sort();
        addresses.dedup();
        if addresses.is_empty() {
            without.push(server.as_str());
        }
        all.extend(addresses);
    }
    match without.is_empty() {
        true => {
            let all: Vec<String> = all.iter().map(ToString::to_string).collect();
            report.ok("glue", format_args!("the name servers are at {}", all.join(", ")));
        }
        false => report.problem(
            "glue",
            format_args!("{} has no address", without.join(", ")),
            "enter A and AAAA of the name server where its zone is kept, as `bowline zone show` prints them",
        ),
    }
    all
}

/// The DS at the parent, and the keys in the zone.
fn trust(resolver: SocketAddr, zone: &ZoneName, apex: &Apex, report: &mut Report) {
    let told = ask(resolver, zone.as_str(), Rtype::DS, true, WAIT);
    let Some(told) = told.filter(|told| matches!(told.rcode, Rcode::NOERROR | Rcode::NXDOMAIN))
    else {
        return report.unknown(
            "ds",
            "the resolver does not tell what the parent has",
            "name another one with --via",
        );
    };
    if !apex.known {
        return report.unknown(
            "ds",
            "which keys the zone has",
            "see the other checks of this zone",
        );
    }
    let records = told.data(zone.as_str(), Rtype::DS);
    let fits: Vec<Option<bool>> = records
        .iter()
        .flat_map(|record| apex.keys.iter().map(|key| ds::matches(zone, record, key)))
        .collect();
    match (records.is_empty(), apex.keys.is_empty()) {
        (true, true) => report.ok("ds", "neither signed nor expected to be"),
        (true, false) => report.ok_but(
            "ds",
            "the zone is signed, the parent has no DS yet",
            "enter the DS that `bowline zone show` prints where the parent zone is kept",
        ),
        (false, true) => report.problem(
            "ds",
            "the parent has a DS and the zone is not signed, so resolvers that validate refuse it",
            "remove the DS at the parent, or sign the zone",
        ),
        (false, false) if fits.contains(&Some(true)) => {
            report.ok("ds", "the parent's DS is that of a key in the zone");
        }
        (false, false) if fits.contains(&None) => report.unknown(
            "ds",
            "whether the parent's DS fits: it is made with a hash that is not known here",
            "compare it with what `bowline zone show` prints",
        ),
        (false, false) => report.problem(
            "ds",
            "the parent's DS is that of no key in the zone, so resolvers that validate refuse it",
            "replace it by the DS that `bowline zone show` prints, or restore the zone's keys from a backup",
        ),
    }
}

/// Every name server has to have the zone as it is now.
fn secondaries(zone: &Zone, addresses: &[IpAddr], apex: &Apex, report: &mut Report) {
    let serial_at = |address: &IpAddr| {
        let told = ask(
            SocketAddr::new(*address, 53),
            zone.name.as_str(),
            Rtype::SOA,
            false,
            SERVER_WAIT,
        )?;
        told.authoritative
            .then(|| told.answer.iter().find_map(super::zone::serial))?
    };
    let own = listen::addresses();
    for address in addresses {
        let mut found = serial_at(address);
        if found.is_some() && found != apex.serial {
            // It may hear of a change right now.
            sleep(TRANSFER);
            found = serial_at(address);
        }
        match (found, apex.serial) {
            (Some(theirs), Some(ours)) if theirs.wrapping_sub(ours) < 1 << 31 => {
                report.ok("secondaries", format_args!("{address} has serial {theirs}"));
            }
            (Some(theirs), Some(ours)) => report.problem(
                "secondaries",
                format_args!("{address} has serial {theirs}, the name server here {ours}"),
                "see that it is notified and may transfer the zone; its log tells",
            ),
            // The way there is through nobody else's machine.
            _ if own.contains(address) => report.problem(
                "secondaries",
                format_args!("{address} is an address of this machine, and nothing answers for the zone there"),
                "does the name server listen there (`ss -lnup`)? it opens a new listener when it is started anew",
            ),
            _ => report.unknown(
                "secondaries",
                format_args!("which serial {address} has: no answer from there"),
                "behind NAT a machine may not reach its own public address; is port 53 open, both UDP and TCP?",
            ),
        }
    }
}
