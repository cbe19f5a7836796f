//! An NS that a zone is to get: its own, or the one of a zone below it.

use super::zone::NameServer;
use crate::name::ZoneName;

/// The zone's own name, relative to it.
pub(super) const APEX: &str = "@";

/// One NS.
#[derive(Debug, Clone, Copy)]
pub struct Ns<'a> {
    /// Whose it is, relative to the zone that it stands in.
    pub below: &'a str,
    /// The name server.
    pub server: &'a NameServer,
    /// Its TTL in seconds.
    pub ttl: u32,
}

impl Ns<'_> {
    /// Whose it is, in full, where it stands in `zone`.
    pub(super) fn name(&self, zone: &ZoneName) -> String {
        match self.below {
            APEX => zone.to_string(),
            below => format!("{below}.{zone}"),
        }
    }

    /// What the step is for that adds it.
    pub(super) fn why(&self, zone: &ZoneName) -> String {
        let server = self.server.as_str();
        match self.below {
            APEX => format!("{server} becomes an NS of the zone itself"),
            below => format!("the delegation, in {zone} itself: {below} is for {server}"),
        }
    }
}
