//! Who may issue certificates for the hosts of a zone (CAA, RFC 8659).

use std::net::SocketAddr;
use std::time::Duration;

use super::report::Report;
use crate::config::Zone;
use crate::dns::question::{Record, ask};
use crate::dns::{Rcode, Rtype};
use crate::name::ZoneName;

/// A name server on this machine answers at once; a resolver may have to ask others.
const WAIT: Duration = Duration::from_secs(4);
/// The flag of a property that nobody may overlook (RFC 8659 4.1).
const CRITICAL: u8 = 0x80;

/// Looks at the first CAA from the zone upwards: what is above it is the resolver's to say.
pub(super) fn examine(zone: &Zone, resolver: Option<SocketAddr>, report: &mut Report) {
    if !zone.acme {
        return;
    }
    let Some(own) = properties(zone.server, &zone.name, false) else {
        return report.unknown(
            "caa",
            "who may issue certificates: the name server does not say without a key",
            "see the other checks of this zone",
        );
    };
    if !own.is_empty() {
        return judge(&zone.name, &own, report);
    }
    let mut above = zone.name.as_str();
    while let Some((_, parent)) = above.split_once('.') {
        above = parent;
        // A name of one label is no zone of anybody's here.
        let Ok(parent) = parent.parse::<ZoneName>() else {
            break;
        };
        let Some(found) = resolver.and_then(|resolver| properties(resolver, &parent, true)) else {
            return report.unknown(
                "caa",
                format_args!("whether {parent} says who may issue certificates"),
                "name a resolver that answers with --via",
            );
        };
        if !found.is_empty() {
            return judge(&parent, &found, report);
        }
    }
    report.ok_but(
        "caa",
        "any authority may issue certificates",
        format_args!(
            "`0 issue \"letsencrypt.org\"` as CAA of {} allows that one alone; `bowline zone add --caa` sets it \
             for a new zone",
            zone.name
        ),
    );
}

/// One CAA record.
#[derive(Debug, PartialEq, Eq)]
struct Property {
    flags: u8,
    tag: String,
    value: String,
}

/// The records at a name; nothing when no answer came that knows.
fn properties(server: SocketAddr, name: &ZoneName, recursive: bool) -> Option<Vec<Property>> {
    let told = ask(server, name.as_str(), Rtype::CAA, recursive, WAIT)
        .filter(|told| [Rcode::NOERROR, Rcode::NXDOMAIN].contains(&told.rcode))?;
    let found = told.data(name.as_str(), Rtype::CAA).into_iter();
    Some(found.filter_map(property).collect())
}

/// Flags, the length of the tag, the tag; the rest is the value (RFC 8659 4.1).
fn property(record: &Record) -> Option<Property> {
    let (flags, rest) = record.octets.split_first()?;
    let (length, rest) = rest.split_first()?;
    let (tag, value) = rest.split_at_checked(usize::from(*length))?;
    let text = |octets| String::from_utf8_lossy(octets).into_owned();
    Some(Property {
        flags: *flags,
        tag: text(tag).to_ascii_lowercase(),
        value: text(value),
    })
}

/// Says who may.
fn judge(at: &ZoneName, all: &[Property], report: &mut Report) {
    let known = ["issue", "issuewild", "iodef", "issuemail", "contactemail"];
    let odd = |one: &&Property| one.flags & CRITICAL != 0 && !known.contains(&&*one.tag);
    if let Some(odd) = all.iter().find(odd) {
        return report.problem(
            "caa",
            format_args!(
                "no authority may issue certificates that does not know {:?} at {at}",
                odd.tag
            ),
            "clear the critical flag of that CAA record, or remove it",
        );
    }
    // Without a property of its own a wildcard follows the others (RFC 8659 4.3).
    let hosts = issuers(all, "issue");
    let wildcards = issuers(all, "issuewild").or_else(|| hosts.clone());
    let who = |issuers: &Option<Vec<String>>| match issuers {
        None => "any authority".to_owned(),
        Some(some) if some.is_empty() => "nobody".to_owned(),
        Some(some) => some.join(", "),
    };
    let says = match hosts == wildcards {
        true => format!("{} may issue certificates, says {at}", who(&hosts)),
        false => format!(
            "{} may issue certificates, {} those for wildcards, says {at}",
            who(&hosts),
            who(&wildcards)
        ),
    };
    match hosts.is_some_and(|hosts| hosts.is_empty()) {
        false => report.ok("caa", says),
        true => report.problem(
            "caa",
            says,
            "hosts obtain none; let a CAA record name an authority: `0 issue \"letsencrypt.org\"`",
        ),
    }
}

/// The domains of a property; nothing when it is not there at all.
fn issuers(all: &[Property], tag: &str) -> Option<Vec<String>> {
    let mut of_tag = all.iter().filter(|one| one.tag == tag).peekable();
    of_tag.peek()?;
    let domains = of_tag.map(|one| one.value.split(';').next().unwrap_or_default().trim());
    let mut domains: Vec<String> = domains
        .filter(|domain| !domain.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    domains.sort();
    Some(domains)
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    #[test]
    fn who_may() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        for (records, status, expected) in [
            (
                &["0 issue letsencrypt.org"][..],
                Status::Ok,
                "letsencrypt.org may issue certificates, says dyn.example.org",
            ),
            (
                &["0 issue B.org; a=b", "0 issue a.org", "0 iodef mailto:me"],
                Status::Ok,
                "a.org, b.org may issue certificates, says dyn.example.org",
            ),
            (
                &["0 issue a.org", "0 issuewild ;"],
                Status::Ok,
                "a.org may issue certificates, nobody those for wildcards, says dyn.example.org",
            ),
            (
                &["0 issuewild a.org"],
                Status::Ok,
                "any authority may issue certificates, a.org those for wildcards, says dyn.example.org",
            ),
            (
                &["0 iodef mailto:me"],
                Status::Ok,
                "any authority may issue certificates, says dyn.example.org",
            ),
            (
                &["0 issue ;"],
                Status::Problem,
                "nobody may issue certificates, says dyn.example.org",
            ),
            (
                &["128 tbs x", "0 issue a.org"],
                Status::Problem,
                "no authority may issue certificates that does not know \"tbs\" at dyn.example.org",
            ),
        ] {
            let all: Vec<Property> = records
                .iter()
                .map(|record| {
                    let mut parts = record.splitn(3, ' ');
                    let flags: u8 = parts.next().unwrap().parse().unwrap();
                    let (tag, value) = (parts.next().unwrap(), parts.next().unwrap());
                    let length = u8::try_from(tag.len()).unwrap();
                    let octets = [&[flags, length], tag.as_bytes(), value.as_bytes()].concat();
                    property(&Record {
                        owner: zone.to_string(),
                        rtype: Rtype::CAA,
                        ttl: 60,
                        data: String::new(),
                        octets,
                    })
                    .unwrap()
                })
                .collect();
            let mut report = Report::default();
            judge(&zone, &all, &mut report);
            let found = &report.findings[0];
            assert_eq!(
                (found.status, &*found.says),
                (status, expected),
                "{records:?}"
            );
        }
    }
}
