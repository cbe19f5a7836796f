//! What the key may change, and what nobody else may: each found out with a deletion of
//! what is not there.

use super::report::Report;
use super::server::{Known, WAIT};
use super::{challenge, sources};
use crate::config::Zone;
use crate::deadline::Deadline;
use crate::dns::probe::{Deed, Probe};
use crate::dns::{Doubt, Key, Rcode, Refusal, Rtype, Server, Verdict, lookup};
use crate::name::ZoneName;
use crate::setup::Place;

/// What of a name server's configuration is a hint for all three.
const RULE: &str = "allow A and AAAA strictly below the apex, nothing else: Knot with update-type, update-owner \
                    and update-owner-match, BIND with update-policy, PowerDNS with its policy script";

/// A deletion of type ANY.
const EVERYTHING: &str = "every type at once";

/// A probe of the key's reach.
struct Case {
    /// What it would change, in words.
    what: &'static str,
    deed: Deed,
}

/// Probes what the key may do to a zone.
pub(super) fn examine(zone: &Zone, known: &Known, place: &Place, report: &mut Report) {
    let Some(serial) = known.serial else {
        return strangers(zone, &known.server.key, report);
    };
    let name = probe_name(&zone.name);
    let key = &known.server.key;
    let probe = Probe {
        server: zone.server,
        source: None,
        key: Some(key),
        wait: WAIT,
    };
    rights(zone, &probe, &name, report);
    reach(zone, &probe, &name, place, report);
    challenge::examine(zone, &probe, &name, place, report);
    strangers(zone, key, report);
    sources::examine(zone, key, &name, report);
    untouched(zone, &known.server, serial, report);
}

/// A name that nobody has.
fn probe_name(zone: &ZoneName) -> String {
    let mut octets = [0; 6];
    // Without randomness it is only easier to guess.
    let _ = getrandom::fill(&mut octets);
    let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("bowline-probe-{hex}.{zone}")
}

/// It has to change A and AAAA below the apex.
fn rights(zone: &Zone, probe: &Probe<'_>, name: &str, report: &mut Report) {
    let mut denied = Vec::new();
    for rtype in [Rtype::A, Rtype::AAAA] {
        match probe.update(&zone.name, &Deed::Rrset(name.to_owned(), rtype)) {
            Verdict::Done => {}
            Verdict::Refused(refusal) => denied.push(format!("{rtype} ({refusal})")),
            Verdict::Unconfirmed(doubt) => denied.push(format!("{rtype} ({doubt})")),
        }
    }
    match denied.is_empty() {
        true => report.ok("key-rights", "it may change A and AAAA below the apex"),
        false => report.problem(
            "key-rights",
            format_args!("it may not change {} below the apex", denied.join(" and ")),
            RULE,
        ),
    }
}

/// It must not change anything else.
fn reach(zone: &Zone, probe: &Probe<'_>, name: &str, place: &Place, report: &mut Report) {
    let apex = || zone.name.to_string();
    let below = || name.to_owned();
    let mut cases = vec![
        ("A at the apex", Deed::Record(apex(), Rtype::A)),
        ("TXT at the apex", Deed::Record(apex(), Rtype::TXT)),
        ("NS at the apex", Deed::Record(apex(), Rtype::NS)),
        ("NS", Deed::Rrset(below(), Rtype::NS)),
        ("CNAME", Deed::Rrset(below(), Rtype::CNAME)),
        ("MX", Deed::Rrset(below(), Rtype::MX)),
        (EVERYTHING, Deed::Rrset(below(), Rtype::ANY)),
    ];
    // With --acme BIND, and Knot before 3.3.3, allow TXT at every name below the apex.
    if !challenge::are_taken(zone, place) {
        cases.push(("TXT", Deed::Rrset(below(), Rtype::TXT)));
    }
    let (mut allowed, mut silent, mut by_record) = (Vec::new(), Vec::new(), true);
    for Case { what, deed } in cases.into_iter().map(|(what, deed)| Case { what, deed }) {
        match probe.update(&zone.name, &deed) {
            Verdict::Done => allowed.push(what),
            Verdict::Refused(refusal) => by_record &= is_policy(&refusal),
            Verdict::Unconfirmed(_) => silent.push(what),
        }
    }
    // BIND takes this from everybody, and deletes those types only that are allowed.
    if allowed == [EVERYTHING] && by_record {
        allowed.clear();
    }
    if !allowed.is_empty() {
        report.problem(
            "key-reach",
            format_args!("it may also change {}", allowed.join(", ")),
            RULE,
        );
    }
    if !silent.is_empty() {
        report.unknown(
            "key-reach",
            format_args!("no answer when asked to change {}", silent.join(", ")),
            "ask again later; see the name server's log",
        );
    }
    if allowed.is_empty() && silent.is_empty() {
        let challenge = Deed::Rrset(format!("_acme-challenge.{name}"), Rtype::TXT);
        let says = match probe.update(&zone.name, &challenge) {
            Verdict::Done => "it may change nothing else but TXT for certificates",
            _ => "it may change nothing else",
        };
        report.ok("key-reach", says);
    }
}

/// Whether that is how BIND says that its policy forbids something.
fn is_policy(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Rcode {
            rcode: Rcode::REFUSED,
            authenticated: true,
            ..
        }
    )
}

/// Whoever has not the key may change nothing.
pub(super) fn strangers(zone: &Zone, key: &Key, report: &mut Report) {
    let name = &probe_name(&zone.name);
    neighbours(zone, report);
    let other = key.stranger().ok();
    let unknown = Key::generate("bowline-probe").ok().map(|(key, _)| key);
    let cases = [
        ("update-unsigned", "unsigned updates are", None, true),
        (
            "update-wrong-key",
            "updates with a wrong secret are",
            other.as_ref(),
            other.is_some(),
        ),
        (
            "update-wrong-key",
            "updates with an unknown key are",
            unknown.as_ref(),
            unknown.is_some(),
        ),
    ];
    for (check, what, key, made) in cases {
        if !made {
            report.unknown(
                check,
                "the system's random source failed",
                "see the kernel's log",
            );
            continue;
        }
        let probe = Probe {
            server: zone.server,
            source: None,
            key,
            wait: WAIT,
        };
        match probe.update(&zone.name, &Deed::Rrset(name.clone(), Rtype::A)) {
            // With a wrong key no success can be verified; it is one all the same.
            Verdict::Done | Verdict::Unconfirmed(Doubt::Unverified) => report.problem(
                check,
                format_args!("{what} accepted"),
                "let the rule for updates of this zone name the key (Knot: key in the acl; BIND: update-policy; \
                 PowerDNS: TSIG-ALLOW-DNSUPDATE)",
            ),
            Verdict::Refused(refusal) => report.ok(check, format_args!("{what} refused: {refusal}")),
            Verdict::Unconfirmed(doubt) => report.unknown(
                check,
                format_args!("whether {what} accepted: {doubt}"),
                "ask again later; see the name server's log",
            ),
        }
    }
}

/// PowerDNS takes unsigned updates from loopback for every zone that has no key.
fn neighbours(zone: &Zone, report: &mut Report) {
    let probe = Probe {
        server: zone.server,
        source: None,
        key: None,
        wait: WAIT,
    };
    let mut open = Vec::new();
    let mut above = zone.name.as_str();
    while let Some((_, parent)) = above.split_once('.') {
        above = parent;
        let Ok(parent) = parent.parse::<ZoneName>() else {
            break;
        };
        if let Verdict::Done = probe.update(&parent, &Deed::Rrset(probe_name(&parent), Rtype::A)) {
            open.push(parent.to_string());
        }
    }
    if !open.is_empty() {
        report.problem(
            "update-neighbours",
            format_args!("the name server takes unsigned updates of {}", open.join(", ")),
            "PowerDNS does so for every zone without TSIG-ALLOW-DNSUPDATE; give each one a key, or set \
             dnsupdate-require-tsig where there is that",
        );
    } else {
        report.ok("update-neighbours", "zones above take no unsigned updates");
    }
}

/// Nothing of this has changed the zone.
fn untouched(zone: &Zone, server: &Server, before: u32, report: &mut Report) {
    let after = lookup(server, &zone.name, &[], true, Deadline::after(WAIT));
    match after.map(|answers| answers.serial) {
        Ok(Some(serial)) if serial == before => report.ok(
            "zone-untouched",
            format_args!("the serial is still {serial}"),
        ),
        Ok(Some(serial)) => report.unknown(
            "zone-untouched",
            format_args!("the serial went from {before} to {serial} meanwhile",),
            "a visit or a signature will have done that; run doctor again",
        ),
        _ => report.unknown(
            "zone-untouched",
            "the serial could not be read again",
            "run doctor again",
        ),
    }
}
