//! Knot's rules for updates of a zone, in the order in which Knot reads them: which key,
//! from where, and who else.

use std::fs;

use super::knot::Knot;
use super::report::Report;
use crate::config::Zone;
use crate::dns::Key;

/// One rule that is about updates; a list that is empty stands for all.
struct Rule {
    name: String,
    deny: bool,
    keys: Vec<String>,
    addresses: Vec<String>,
}

/// Looks whether our key may update the zone from here, and who else may.
pub(super) fn examine(knot: &Knot, zone: &Zone, report: &mut Report) {
    let rules = Rule::all(knot, zone);
    let ours = fs::read_to_string(&zone.key_file);
    keyless(&rules, report);
    if let Some(key) = ours.ok().and_then(|text| Key::read(&text).ok())
        && is_known(knot, zone, &key, report)
    {
        update(&rules, zone, key.name(), report);
    }
}

/// A rule without a key is for everybody at its addresses.
fn keyless(rules: &[Rule], report: &mut Report) {
    let open = rules.iter().find(|rule| !rule.deny && rule.keys.is_empty());
    // The answer to an unsigned update may have told already.
    if let Some(rule) = open.filter(|_| !report.has("update-unsigned")) {
        report.problem(
            "update-unsigned",
            format_args!(
                "the acl {} takes updates without a key from {}",
                rule.name,
                rule.addresses.join(", ")
            ),
            format_args!(
                "name a key in the acl {}, or take it from the zone",
                rule.name
            ),
        );
    }
}

/// Whether Knot has our key, and with our algorithm.
fn is_known(knot: &Knot, zone: &Zone, key: &Key, report: &mut Report) -> bool {
    let (name, file) = (key.name(), zone.key_file.display());
    match knot.item(&format!("key[{name}.].algorithm")) {
        None => report.problem(
            "acl",
            format_args!("Knot has no key {name}"),
            format_args!("let knot.conf include a copy of {file}, then `knotc reload`"),
        ),
        Some(theirs) if theirs != key.algorithm().as_str() => report.problem(
            "acl",
            format_args!(
                "Knot has the key {name} with {theirs}, {file} with {}",
                key.algorithm()
            ),
            "copy one over the other",
        ),
        Some(_) => return true,
    }
    false
}

/// Whether the rules let our key update.
fn update(rules: &[Rule], zone: &Zone, name: &str, report: &mut Report) {
    let source = zone.server.ip().to_canonical().to_string();
    let key = format!("{name}.");
    let allows = |rule: &&Rule| !rule.deny && rule.keys.contains(&key);
    let Some(allowing) = rules
        .iter()
        .position(|rule| allows(&rule) && rule.is_at(&source))
    else {
        return match rules.iter().any(|rule| allows(&rule)) {
            true => report.problem(
                "acl",
                format_args!("{name} may not update it from {source}, only from elsewhere"),
                format_args!("address: {source} in the acl with that key"),
            ),
            false => report.problem(
                "acl",
                format_args!("no acl of the zone lets {name} update it"),
                "acl: bowline_update in the zone's clause, as in the shipped files",
            ),
        };
    };
    let denies = |rule: &&Rule| {
        rule.deny && rule.is_at(&source) && (rule.keys.is_empty() || rule.keys.contains(&key))
    };
    // Versions differ in when a denial without a key is for signed requests too.
    let refused = report.has("key") || report.has("update-accepted");
    let denial = rules.iter().take(allowing).find(denies);
    if let Some(denial) = denial.filter(|_| refused) {
        return report.problem(
            "acl",
            format_args!(
                "the acl {} denies it before another one allows it",
                denial.name
            ),
            format_args!("acl: the one with {name} first, in the zone's clause"),
        );
    }
    let others = rules
        .iter()
        .filter(|rule| !rule.deny)
        .flat_map(|rule| &rule.keys);
    let mut others: Vec<&str> = others
        .filter(|other| **other != key)
        .map(|other| other.trim_end_matches('.'))
        .collect();
    others.sort_unstable();
    others.dedup();
    let says = format!("{name} may update it from {source}");
    match others.is_empty() {
        true => report.ok("acl", says),
        false => report.ok_but(
            "acl",
            format_args!("{says}; so may other keys: {}", others.join(", ")),
            "see that each of them may change no more than it must",
        ),
    }
}

impl Rule {
    /// Those of a zone that are about updates.
    fn all(knot: &Knot, zone: &Zone) -> Vec<Rule> {
        let names = knot.zone_item(zone, "acl").unwrap_or_default();
        names
            .split_whitespace()
            .filter_map(|name| Rule::read(knot, name))
            .collect()
    }

    fn read(knot: &Knot, name: &str) -> Option<Self> {
        let list = |item: &str| -> Vec<String> {
            let text = knot.item(item).unwrap_or_default();
            text.split_whitespace().map(str::to_owned).collect()
        };
        let own = |item: &str| list(&format!("acl[{name}].{item}"));
        // A remote brings its address and its key.
        let remotes = own("remote");
        let either = |item: &str| {
            let brought = remotes
                .iter()
                .flat_map(|remote| list(&format!("remote[{remote}].{item}")));
            own(item).into_iter().chain(brought).collect::<Vec<_>>()
        };
        let (deny, actions) = (own("deny") == ["on"], own("action"));
        // A denial without an action is of all of them.
        let about = actions.iter().any(|action| action == "update") || deny && actions.is_empty();
        about.then(|| Rule {
            name: name.to_owned(),
            deny,
            keys: either("key"),
            addresses: either("address"),
        })
    }

    /// Whether it is for requests from there.
    fn is_at(&self, source: &str) -> bool {
        let mut addresses = self.addresses.iter();
        self.addresses.is_empty() || addresses.any(|network| includes(network, source))
    }
}

/// Whether an address, network or range of an acl has `address` in it, as far as is told.
pub(super) fn includes(network: &str, address: &str) -> bool {
    let Ok(address) = address.parse::<std::net::IpAddr>() else {
        return false;
    };
    if let Some((first, last)) = network.split_once('-') {
        return match (first.parse::<std::net::IpAddr>(), last.parse()) {
            (Ok(first), Ok(last)) => (first..=last).contains(&address),
            _ => false,
        };
    }
    // A remote's address may have a port.
    let network = network
        .split_once('@')
        .map_or(network, |(address, _)| address);
    network
        .parse::<ipnetwork::IpNetwork>()
        .is_ok_and(|network| network.contains(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_rules() {
        for (network, expected) in [
            ("127.0.0.1", true),
            ("127.0.0.1@5353", true),
            ("127.0.0.0/8", true),
            ("127.0.0.1-127.0.0.9", true),
            ("192.0.2.0/24", false),
            ("::1", false),
            ("/run/knot/update.sock", false),
        ] {
            assert_eq!(includes(network, "127.0.0.1"), expected, "{network}");
        }
    }
}
