//! Accounts that clients for certificates have registered: hosts that may be visited from some
//! networks only.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use super::owner::check_on;
use super::verbs::add_one;
use super::{Durable, Host, HostId, NewHost, Registry, RegistryError};
use crate::time::Timestamp;
use crate::ttl::Ttl;

impl Registry {
    /// Adds a host that may be visited from those networks only; none: from everywhere.
    ///
    /// # Errors
    /// As [`Registry::add`].
    pub fn add_account(
        &mut self,
        host: &NewHost,
        networks: &[IpNetwork],
        ttl: Ttl,
        now: Timestamp,
    ) -> Result<HostId, RegistryError> {
        let tx = self.write(Durable::Now)?;
        check_on(&tx, host.settings.owner.as_ref())?;
        let id = add_one(&tx, host, ttl, now)?;
        if !networks.is_empty() {
            let networks: Vec<String> = networks.iter().map(ToString::to_string).collect();
            tx.execute(
                "UPDATE host SET networks = ?2 WHERE id = ?1",
                (id.0, networks.join(" ")),
            )?;
        }
        tx.commit()?;
        Ok(id)
    }
}

impl Host {
    /// Whether it may be visited from there; nobody knows where `None` is.
    pub fn is_open_to(&self, client: Option<IpAddr>) -> bool {
        let client = client.map(|client| client.to_canonical());
        let is_there = |network: &IpNetwork| client.is_some_and(|client| network.contains(client));
        self.networks.is_empty() || self.networks.iter().any(is_there)
    }
}

/// Networks as a column has them.
pub(super) fn networks(text: Option<String>) -> Result<Vec<IpNetwork>, RegistryError> {
    let text = text.unwrap_or_default();
    let network = |text: &str| (text.parse()).map_err(|_| RegistryError::Damaged(text.to_owned()));
    text.split_ascii_whitespace().map(network).collect()
}
