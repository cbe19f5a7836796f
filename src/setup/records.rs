//! The records that the parent zone needs: addresses, NS, and in the end DS.

use std::net::IpAddr;

use serde::Serialize;

use super::zone::NameServer;
use crate::base_url::BaseUrl;
use crate::name::ZoneName;
use crate::port::AddressPort;

/// The TTL that we propose for records which hardly ever change.
const TTL: u32 = 3600;

/// A record to be entered where the zone of its name is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// The zone it belongs into, as far as names tell.
    pub zone: String,
    /// Its name relative to that zone.
    pub name: String,
    /// Its TTL in seconds.
    pub ttl: u32,
    /// Its type.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Its data in presentation form, names in full.
    pub data: String,
}

impl Record {
    /// The record of `name` for somebody who keeps `parent`.
    fn new(name: &str, parent: &str, kind: &'static str, data: String) -> Self {
        let (relative, zone) = match name.strip_suffix(parent).map(|rest| rest.strip_suffix('.')) {
            Some(Some(below)) => (below, parent),
            Some(None) if name == parent => ("@", parent),
            _ => name.split_once('.').unwrap_or(("@", name)),
        };
        Record {
            zone: zone.to_owned(),
            name: relative.to_owned(),
            ttl: TTL,
            kind,
            data,
        }
    }

    /// The line for a zone file, or a form that wants the name in full.
    pub fn absolute(&self) -> String {
        let name = match self.name.as_str() {
            "@" => format!("{}.", self.zone),
            below => format!("{below}.{}.", self.zone),
        };
        format!("{name} {} IN {} {}", self.ttl, self.kind, self.data)
    }

    /// The line for a form that adds the zone's name by itself.
    pub fn relative(&self) -> String {
        format!("{} {} IN {} {}", self.name, self.ttl, self.kind, self.data)
    }
}

/// The addresses of the name servers, then NS. The first is this machine, with `addresses`; the
/// last ones are the `secondaries`, in their order.
pub fn delegation(
    zone: &ZoneName,
    servers: &[NameServer],
    addresses: &[IpAddr],
    secondaries: &[IpAddr],
) -> Vec<Record> {
    let mut records = Vec::new();
    let here = servers.len().saturating_sub(secondaries.len()).max(1);
    for server in servers.iter().take(here) {
        records.extend(address_records(server.as_str(), zone.parent(), addresses));
    }
    for (server, address) in servers.iter().skip(here).zip(secondaries) {
        records.extend(address_records(server.as_str(), zone.parent(), &[*address]));
    }
    records.extend(servers.iter().map(|server| {
        Record::new(
            zone.as_str(),
            zone.parent(),
            "NS",
            format!("{}.", server.as_str()),
        )
    }));
    records
}

/// The addresses alone.
pub fn ips(machines: &[AddressPort]) -> Vec<IpAddr> {
    machines.iter().map(|machine| machine.0.ip()).collect()
}

/// The addresses of the web server, where its URL has a name that lacks them.
pub fn web(url: &BaseUrl, zone: &ZoneName, addresses: &[IpAddr]) -> Vec<Record> {
    let host = url.host();
    if host.parse::<IpAddr>().is_ok() || host.parse::<ZoneName>().is_err() {
        return Vec::new();
    }
    match host == zone.as_str() {
        true => address_records(host, zone.as_str(), addresses),
        false => address_records(host, zone.parent(), addresses),
    }
}

/// The DS records of a signed zone.
pub fn ds(zone: &ZoneName, data: impl IntoIterator<Item = String>) -> Vec<Record> {
    data.into_iter()
        .map(|data| Record::new(zone.as_str(), zone.parent(), "DS", data))
        .collect()
}

/// Those of a name, in `zone` if it is there.
fn address_records(name: &str, zone: &str, addresses: &[IpAddr]) -> Vec<Record> {
    addresses
        .iter()
        .map(|address| {
            let kind = if address.is_ipv4() { "A" } else { "AAAA" };
            Record::new(name, zone, kind, address.to_string())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_absolute_and_relative() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let servers =
            ["ns1.example.org", "ns.example.net"].map(|name| name.parse::<NameServer>().unwrap());
        let addresses = [
            "192.0.2.53".parse().unwrap(),
            "2001:db8::53".parse().unwrap(),
        ];
        let records = delegation(&zone, &servers, &addresses, &[]);
        let absolute: Vec<String> = records.iter().map(Record::absolute).collect();
        assert_eq!(
            absolute,
            [
                "ns1.example.org. 3600 IN A 192.0.2.53",
                "ns1.example.org. 3600 IN AAAA 2001:db8::53",
                "ns.example.net. 3600 IN A 192.0.2.53",
                "ns.example.net. 3600 IN AAAA 2001:db8::53",
                "dyn.example.org. 3600 IN NS ns1.example.org.",
                "dyn.example.org. 3600 IN NS ns.example.net.",
            ]
        );
        assert_eq!(records[0].relative(), "ns1 3600 IN A 192.0.2.53");
        assert_eq!(records[4].relative(), "dyn 3600 IN NS ns1.example.org.");
        assert_eq!(
            (records[2].zone.as_str(), records[2].name.as_str()),
            ("example.net", "ns")
        );
    }

    #[test]
    fn a_secondary_has_an_address_of_its_own() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let names = ["ns1.example.org", "ns2.example.org"];
        let servers = names.map(|name| name.parse::<NameServer>().unwrap());
        let (here, there) = ("192.0.2.53".parse().unwrap(), "192.0.2.99".parse().unwrap());
        for (servers, expected) in [
            (&servers[..], &["192.0.2.53", "192.0.2.99"][..]),
            (&servers[..1], &["192.0.2.53"]),
        ] {
            let records = delegation(&zone, servers, &[here], &[there]);
            let addresses = records.iter().filter(|record| record.kind == "A");
            let addresses: Vec<&str> = addresses.map(|record| record.data.as_str()).collect();
            assert_eq!(addresses, expected);
        }
    }

    #[test]
    fn only_names_need_addresses() {
        let zone: ZoneName = "dyn.example.org".parse().unwrap();
        let here = ["192.0.2.53".parse().unwrap()];
        for (url, count) in [
            ("https://update.example.org", 1),
            ("http://127.0.0.1:8080", 0),
            ("http://localhost:8080", 0),
        ] {
            assert_eq!(
                web(&url.parse().unwrap(), &zone, &here).len(),
                count,
                "{url}"
            );
        }
    }
}
