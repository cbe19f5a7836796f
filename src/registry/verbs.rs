//! What the operator does to hosts.
//!
//! Each verb is one transaction. Where records have to change it leaves a wish
//! behind and says its number, for the caller to publish.

use rusqlite::{Connection, Transaction};

use super::above::check_around;
use super::edit::{no_host, present, write_settings, write_state};
use super::fact::{forget, rest};
use super::free::check_free;
use super::kept_token::write_token;
use super::owner::check_on;
use super::row::{by_id, by_name, former_names};
use super::wish::write_wish;
use super::{Durable, Host, HostId, Registry, RegistryError, Settings, Source, State};
use super::{behind, challenge};
use crate::ip::Addresses;
use crate::name::HostName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::token::Digest;
use crate::ttl::Ttl;

/// A host to add.
#[derive(Debug, Clone)]
pub struct NewHost {
    /// Its name.
    pub name: HostName,
    /// What the operator set.
    pub settings: Settings,
    /// The digest of its token; a static host has none.
    pub token: Option<Digest>,
    /// Addresses to publish at once.
    pub addresses: Addresses,
    /// How long a removed name stays out of use; nothing: give it out all the same.
    pub reuse: Span,
    /// Whether it may be below a host of another owner, or above one.
    pub below: bool,
}

/// Another name for a host.
#[derive(Debug, Clone)]
pub struct Rename {
    /// The name.
    pub to: HostName,
    /// How long the old one still means the host and holds its records.
    pub keep: Span,
    /// How long a removed name stays out of use; nothing: give it out all the same.
    pub reuse: Span,
    /// Whether it may be below a host of another owner, or above one.
    pub below: bool,
}

impl Registry {
    /// Adds hosts: all of them or, on any error, none.
    ///
    /// Says each one's number. A name that is still being removed is taken over.
    ///
    /// # Errors
    /// When a name or token is in use, was removed a short time ago, or the registry
    /// cannot be written.
    pub fn add(
        &mut self,
        hosts: &[NewHost],
        ttl: Ttl,
        now: Timestamp,
    ) -> Result<Vec<HostId>, RegistryError> {
        let tx = self.write(Durable::Now)?;
        let ids = hosts
            .iter()
            .map(|host| {
                check_on(&tx, host.settings.owner.as_ref())?;
                add_one(&tx, host, ttl, now)
            })
            .collect::<Result<Vec<_>, _>>()?;
        // Only now: the site may come later in the list.
        for (id, host) in ids.iter().zip(hosts) {
            if host.settings.behind.is_some() {
                behind::write(&tx, *id, host.settings.behind.as_ref())?;
                behind::check(&tx, *id)?;
            }
        }
        tx.commit()?;
        Ok(ids)
    }

    /// Gives a host a new token; the old ones live on for `keep`.
    ///
    /// # Errors
    /// When the host is static or being removed, or the registry cannot be written.
    pub fn rotate(
        &mut self,
        id: HostId,
        token: &Digest,
        keep: Span,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        let host = present(&tx, id)?;
        if host.settings.fixed.is_some() {
            return Err(RegistryError::Static(host.name));
        }
        match keep {
            Span::ZERO => tx.execute("DELETE FROM token WHERE host = ?1", [id.0])?,
            keep => tx.execute(
                "UPDATE token SET until = ?2 WHERE host = ?1 AND until IS NULL",
                (id.0, now.plus(keep).seconds()),
            )?,
        };
        write_token(&tx, id, token)?;
        Ok(tx.commit()?)
    }

    /// Gives a host another name.
    ///
    /// # Errors
    /// When the new name is in use, was removed a short time ago, is below or above a host of
    /// another owner, or the registry cannot be written.
    pub fn rename(
        &mut self,
        id: HostId,
        rename: &Rename,
        ttl: Ttl,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let Rename {
            to: name,
            keep,
            reuse,
            below,
        } = rename;
        let tx = self.write(Durable::Now)?;
        let host = present(&tx, id)?;
        // First: what stands there are that host's own records, and they do not go.
        if let Some(there) = by_name(&tx, name)? {
            return Err(match there.state {
                State::Removing => RegistryError::Removing(there.name),
                _ => RegistryError::Taken(there.name),
            });
        }
        if !below {
            check_around(&tx, name, host.settings.owner.as_ref(), Some(id), now)?;
        }
        tx.execute(
            "DELETE FROM former_name WHERE host = ?1 AND name = ?2",
            (id.0, name.as_str()),
        )?;
        check_free(&tx, name, Some(id), *reuse, now)?;
        tx.execute(
            "UPDATE host SET name = ?2 WHERE id = ?1",
            (id.0, name.as_str()),
        )?;
        if *keep != Span::ZERO {
            tx.execute(
                "INSERT OR REPLACE INTO former_name (name, host, until) VALUES (?1, ?2, ?3)",
                (host.name.as_str(), id.0, now.plus(*keep).seconds()),
            )?;
        }
        let renamed = present(&tx, id)?;
        if renamed.wish.number != 0 {
            let addresses = renamed.wish.records.addresses;
            write_wish(&tx, &renamed, addresses, ttl, now, Source::COMMAND)?;
        }
        Ok(tx.commit()?)
    }

    /// Switches a host off: no visits, no records.
    ///
    /// # Errors
    /// When there is no such host, or the registry cannot be written.
    pub fn disable(&mut self, id: HostId, now: Timestamp) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        let host = present(&tx, id)?;
        write_state(&tx, id, State::Disabled)?;
        wish_nothing(&tx, &host, now)?;
        Ok(tx.commit()?)
    }

    /// Switches a host on again; a static one gets its addresses back.
    ///
    /// # Errors
    /// When there is no such host, or the registry cannot be written.
    pub fn enable(&mut self, id: HostId, ttl: Ttl, now: Timestamp) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        let host = present(&tx, id)?;
        write_state(&tx, id, State::Active)?;
        if let Some(fixed) = host.settings.fixed.filter(|_| !host.owner_disabled) {
            write_wish(&tx, &host, fixed, ttl, now, Source::COMMAND)?;
        }
        Ok(tx.commit()?)
    }

    /// Begins the removal of a host: no visits, no records, no history from now on.
    ///
    /// [`Registry::conclude`] ends it, once the name server has no records either; where it
    /// is known to have none, it ends here.
    ///
    /// # Errors
    /// When there is no such host, or the registry cannot be written.
    pub fn remove(&mut self, id: HostId, now: Timestamp) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        remove_one(&tx, id, now)?;
        Ok(tx.commit()?)
    }
}

/// Begins the removal of a host.
pub(super) fn remove_one(tx: &Connection, id: HostId, now: Timestamp) -> Result<(), RegistryError> {
    let host = by_id(tx, id)?.ok_or_else(|| no_host(id))?;
    write_state(tx, id, State::Removing)?;
    // They meant it until now, with records or without.
    for former in former_names(tx, &host, now)? {
        rest(tx, &former.name, now)?;
    }
    for table in ["token", "former_name"] {
        tx.execute(&format!("DELETE FROM {table} WHERE host = ?1"), [id.0])?;
    }
    behind::release(tx, id)?;
    wish_nothing(tx, &host, now)?;
    for table in ["history", "outbox"] {
        tx.execute(&format!("DELETE FROM {table} WHERE host = ?1"), [id.0])?;
    }
    tx.execute(
        "UPDATE host SET mail = NULL, note = NULL WHERE id = ?1",
        [id.0],
    )?;
    // An UPDATE that may still come would leave a record that nobody knows of.
    let is_clear = |host: &Host| {
        !host.is_pending()
            && !host.is_unsettled(now)
            && (host.unconfirmed.is_none() || host.held.is_empty())
    };
    if by_id(tx, id)?.is_some_and(|host| is_clear(&host)) {
        forget(tx, &host, now)?;
    }
    Ok(())
}

/// Adds a host; whether its owner is switched on is for the caller to ask.
pub(super) fn add_one(
    tx: &Transaction<'_>,
    new: &NewHost,
    ttl: Ttl,
    now: Timestamp,
) -> Result<HostId, RegistryError> {
    let there = by_name(tx, &new.name)?;
    let id = there.as_ref().map(|host| host.id);
    check_free(tx, &new.name, id, new.reuse, now)?;
    let owner = new.settings.owner.as_ref();
    if !new.below {
        check_around(tx, &new.name, owner, id, now)?;
    }
    let id = match there {
        Some(host) if host.state == State::Removing => {
            write_state(tx, host.id, State::Active)?;
            challenge::end_all(tx, host.id, now)?;
            tx.execute(
                "UPDATE host SET created = ?2, last_seen = NULL, heard_ipv4 = NULL, heard_ipv6 = NULL, \
                 usual = NULL, usual_ipv4 = NULL, usual_ipv6 = NULL, last_change = NULL, networks = NULL \
                 WHERE id = ?1",
                (host.id.0, now.seconds()),
            )?;
            host.id
        }
        Some(host) => return Err(RegistryError::Taken(host.name)),
        None => {
            tx.prepare_cached(
                "INSERT INTO host (zone, name, created, wish_ttl, wish_at) VALUES (?1, ?2, ?3, ?4, ?3)",
            )?
            .execute((new.name.zone().as_str(), new.name.as_str(), now.seconds(), ttl.seconds()))?;
            HostId(tx.last_insert_rowid())
        }
    };
    write_settings(tx, id, &new.settings)?;
    if let Some(token) = &new.token {
        write_token(tx, id, token)?;
    }
    if !new.addresses.is_empty() {
        write_wish(
            tx,
            &present(tx, id)?,
            new.addresses,
            ttl,
            now,
            Source::COMMAND,
        )?;
    }
    Ok(id)
}

/// The wish for no records at all, also of a host that never had a wish: what stood in the zone
/// before it came is its own since.
pub(super) fn wish_nothing(
    tx: &Connection,
    host: &Host,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let ttl = host.wish.records.ttl;
    write_wish(tx, host, Addresses::NONE, ttl, now, Source::COMMAND)?;
    Ok(())
}
