//! What the name server shows otherwise.

use serde::Serialize;

use crate::registry::Host;

/// A host that the name server shows otherwise than it had confirmed.
#[derive(Serialize)]
pub(super) struct Differing {
    name: String,
    /// In Unicode too, for people.
    #[serde(skip)]
    people: String,
    ipv4: Option<String>,
    ipv6: Option<String>,
    /// What it shows.
    shown: String,
    /// Why that could not be mended.
    reason: Option<String>,
}

impl Differing {
    /// That host, where it is one.
    pub(super) fn of(host: &Host) -> Option<Self> {
        let addresses = host.fact.addresses;
        host.shown_otherwise().map(|shown| Differing {
            name: host.name.to_string(),
            people: host.name.for_people(),
            ipv4: addresses.ipv4.map(|ipv4| ipv4.to_string()),
            ipv6: addresses.ipv6.map(|ipv6| ipv6.to_string()),
            shown: shown.to_owned(),
            reason: host.trouble.clone(),
        })
    }

    /// As a line for people.
    pub(super) fn line(&self) -> String {
        let addresses = [&self.ipv4, &self.ipv6].into_iter().flatten();
        let addresses: Vec<&str> = addresses.map(String::as_str).collect();
        let confirmed = match addresses.is_empty() {
            true => "no records".to_owned(),
            false => addresses.join(","),
        };
        let reason = self.reason.iter().map(|reason| format!(" ({reason})"));
        let reason: String = reason.collect();
        let Differing { people, shown, .. } = self;
        format!("differs        {people}: {confirmed}, the name server has {shown}{reason}")
    }
}
