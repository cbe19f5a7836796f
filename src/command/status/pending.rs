//! What waits for its name server.

use serde::Serialize;

use crate::registry::{Host, is_late};
use crate::span::Span;
use crate::time::Timestamp;

/// A host whose wish is no fact yet.
#[derive(Serialize)]
pub(super) struct Pending {
    name: String,
    /// In Unicode too, for people.
    #[serde(skip)]
    people: String,
    ipv4: Option<String>,
    ipv6: Option<String>,
    since: String,
    /// In seconds.
    pub(super) age: u64,
    #[serde(skip)]
    pub(super) late: bool,
    /// What came of the last try.
    reason: Option<String>,
}

impl Pending {
    /// How long a host has been pending, and for what.
    pub(super) fn of(host: &Host, since: Timestamp, now: Timestamp) -> Self {
        let wanted = host.wish.records.addresses;
        Pending {
            name: host.name.to_string(),
            people: host.name.for_people(),
            ipv4: wanted.ipv4.map(|ipv4| ipv4.to_string()),
            ipv6: wanted.ipv6.map(|ipv6| ipv6.to_string()),
            since: since.to_string(),
            age: now.since(since).seconds(),
            late: is_late(since, now),
            reason: host.trouble.clone(),
        }
    }

    /// As a line for people.
    pub(super) fn line(&self) -> String {
        let addresses = [&self.ipv4, &self.ipv6].into_iter().flatten();
        let addresses: Vec<&str> = addresses.map(String::as_str).collect();
        let wanted = match addresses.is_empty() {
            true => "no records".to_owned(),
            false => addresses.join(","),
        };
        let age = match self.age {
            // The clock was ahead then.
            0 if self.late => "nobody knows how long".to_owned(),
            age => Span::from_seconds(age).coarse().to_string(),
        };
        let reason = self.reason.iter().map(|reason| format!(" ({reason})"));
        let reason: String = reason.collect();
        format!("pending        {} for {age}: {wanted}{reason}", self.people)
    }
}
