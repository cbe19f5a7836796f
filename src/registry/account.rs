//! Accounts that clients for certificates have registered: hosts whose challenges may be set
//! from some networks only.

use std::net::IpAddr;

use ipnetwork::IpNetwork;
use rusqlite::Connection;

use super::owner::check_on;
use super::verbs::add_one;
use super::{Durable, HostId, NewHost, Registry, RegistryError};
use crate::time::Timestamp;
use crate::ttl::Ttl;

impl Registry {
    /// Adds a host whose challenges may be set from those networks only; none: from everywhere.
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
        for network in networks {
            tx.execute(
                "INSERT OR IGNORE INTO account_network (host, network) VALUES (?1, ?2)",
                (id.0, network.to_string()),
            )?;
        }
        tx.commit()?;
        Ok(id)
    }
}

/// Whether a host's challenges may be set from there; nobody knows where `None` is.
pub(super) fn is_from_there(
    tx: &Connection,
    host: HostId,
    client: Option<IpAddr>,
) -> Result<bool, RegistryError> {
    let mut statement = tx.prepare_cached("SELECT network FROM account_network WHERE host = ?1")?;
    let networks: Vec<String> = statement
        .query_map([host.0], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if networks.is_empty() {
        return Ok(true);
    }
    let client = client.map(|client| client.to_canonical());
    for network in networks {
        let known: IpNetwork = (network.parse()).map_err(|_| RegistryError::Damaged(network))?;
        if client.is_some_and(|client| known.contains(client)) {
            return Ok(true);
        }
    }
    Ok(false)
}
