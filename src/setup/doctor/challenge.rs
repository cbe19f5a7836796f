//! Challenges for certificates: whether the key may set them where hosts are told that they
//! may, and how much more it may set besides.

use std::fs;

use super::report::Report;
use crate::config::Zone;
use crate::dns::probe::{Deed, Probe};
use crate::dns::{Rtype, Verdict};
use crate::setup::Place;
use crate::setup::nameserver::found;

/// Looks at a zone; `name` is one below it that nobody has.
pub(super) fn examine(
    zone: &Zone,
    probe: &Probe<'_>,
    name: &str,
    place: &Place,
    report: &mut Report,
) {
    let may = |deed: Deed| probe.update(&zone.name, &deed);
    let challenge = may(Deed::Rrset(format!("_acme-challenge.{name}"), Rtype::TXT));
    let give = format!(
        "`bowline zone set {} --acme`, and what it prints then",
        zone.name
    );
    match (zone.acme, challenge) {
        (_, Verdict::Unconfirmed(doubt)) => report.unknown(
            "challenges",
            format_args!("whether the key may set them: {doubt}"),
            "ask again later; see the name server's log",
        ),
        (false, Verdict::Refused(_)) => report.ok("challenges", "hosts may set none"),
        (false, Verdict::Done) => report.ok_but(
            "challenges",
            "the key may set them, but hosts may not",
            format_args!("{give}, lets them; with --no-acme it is the key that may no more"),
        ),
        (true, Verdict::Refused(refusal)) => report.problem(
            "challenges",
            format_args!("hosts may set them, but the key may not: {refusal}"),
            give,
        ),
        (true, Verdict::Done) => {
            let elsewhere = may(Deed::Rrset(name.to_owned(), Rtype::TXT));
            // The operator may have one there: only a record that no zone has is safe.
            let apex = Deed::Record(format!("_acme-challenge.{}", zone.name), Rtype::TXT);
            narrow(
                zone,
                place,
                [elsewhere, may(apex)].contains(&Verdict::Done),
                &give,
                report,
            );
        }
    }
}

/// Whether the right is as narrow as it can be; `wide`: it is good for other names too.
fn narrow(zone: &Zone, place: &Place, wide: bool, give: &str, report: &mut Report) {
    if !wide {
        return report.ok(
            "challenges",
            "the key may set them at _acme-challenge of a host only",
        );
    }
    match found(place, &zone.name).map(|program| program.acme_note()) {
        Some(Some(note)) => report.ok("challenges", note),
        Some(None) => report.problem(
            "challenges",
            "the key may set TXT at other names than _acme-challenge of a host, certificates for the \
             whole zone with it",
            format_args!("this version of the name server can tell them apart: {give}"),
        ),
        None => report.ok_but(
            "challenges",
            "the key may set TXT at other names than _acme-challenge of a host",
            "Knot from 3.3.3 on (update-owner-match: pattern) and PowerDNS (its policy script) tell them apart",
        ),
    }
}

/// Whether the zone was set up for certificates: it says so, or its own files name the right.
pub(super) fn are_taken(zone: &Zone, place: &Place) -> bool {
    let Some(program) = found(place, &zone.name) else {
        return zone.acme;
    };
    let files = program.zone_paths(place, &zone.name);
    zone.acme
        || files.iter().any(|path| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let is_comment = |line: &&str| line.trim_start().starts_with(['#', '/', '-']);
            text.lines()
                .filter(|line| !is_comment(line))
                .any(|line| line.contains("TXT") || line.contains("bowline_acme"))
        })
}
