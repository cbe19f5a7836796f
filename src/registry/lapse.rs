//! What lapses by itself: former names, old tokens, names kept out of use.

use super::row::by_id;
use super::wish::write_wish;
use super::{Durable, HostId, Registry, RegistryError, Source, State, UNSETTLED};
use crate::name::ZoneName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::ttl::Ttl;

impl Registry {
    /// Ends former names whose time has come: their hosts wish no records there any more.
    ///
    /// `ttl` is the zone's. Says how many names that were.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn lapse(
        &mut self,
        ttl: impl Fn(&ZoneName) -> Ttl,
        now: Timestamp,
    ) -> Result<usize, RegistryError> {
        let lapsed: Vec<i64> = self
            .db
            .prepare("SELECT host FROM former_name WHERE until <= ?1")?
            .query_map([now.seconds()], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for id in &lapsed {
            let tx = self.write(Durable::Now)?;
            let host = match by_id(&tx, HostId(*id)) {
                // It keeps its names until somebody has looked at it, and holds up no other.
                Err(RegistryError::DamagedHost { .. }) => continue,
                host => host?,
            };
            if let Some(host) = host.filter(|host| host.state == State::Active) {
                let addresses = host.wish.records.addresses;
                if host.wish.number != 0 {
                    write_wish(
                        &tx,
                        &host,
                        addresses,
                        ttl(&host.name.zone()),
                        now,
                        Source::COMMAND,
                    )?;
                }
            }
            tx.execute(
                "DELETE FROM former_name WHERE host = ?1 AND until <= ?2",
                (id, now.seconds()),
            )?;
            tx.commit()?;
        }
        Ok(lapsed.len())
    }

    /// Forgets tokens that have died, and removed names that are free again; says how many.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn prune_names_and_tokens(
        &mut self,
        now: Timestamp,
        reuse: Span,
    ) -> Result<usize, RegistryError> {
        let tx = self.write(Durable::Soon)?;
        let tokens = tx.execute("DELETE FROM token WHERE until <= ?1", [now.seconds()])?;
        let free = now.minus(reuse).seconds();
        let names = tx.execute("DELETE FROM removed_name WHERE at <= ?1", [free])?;
        let settled = (
            now.minus(UNSETTLED).seconds(),
            now.plus(UNSETTLED).seconds(),
        );
        tx.execute(
            "UPDATE host SET unconfirmed = NULL
             WHERE (unconfirmed <= ?1 OR unconfirmed >= ?2)
             AND state <> 'removing' AND held_names = fact_names",
            settled,
        )?;
        tx.commit()?;
        Ok(tokens + names)
    }
}
