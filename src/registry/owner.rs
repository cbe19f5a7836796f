//! Owners: one token that is good for several hosts.

mod edit;

pub use edit::OwnerEdit;

use std::thread::sleep;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row};

use super::kept_token::{kept_tokens_of, write_token_of};
use super::outbox::events;
use super::verbs::{remove_one, wish_nothing};
use super::wish::write_wish;
use super::{Durable, Host, HostId, KeptToken, Registry, RegistryError, Source, State};
use crate::event::Events;
use crate::name::ZoneName;
use crate::owner_name::OwnerName;
use crate::time::Timestamp;
use crate::token::{Digest, Token};
use crate::ttl::Ttl;

/// An owner's number; never given out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnerId(i64);

/// Somebody with several hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The number.
    pub id: OwnerId,
    /// The name.
    pub name: OwnerName,
    /// Whether visits to any of the hosts are switched off.
    pub disabled: bool,
    /// Where the person is reached.
    pub mail: Option<String>,
    /// What is told of the hosts that do not say it themselves; nothing: as configured.
    pub notify: Option<Events>,
    /// When it was added.
    pub created: Timestamp,
}

/// Whose token it is.
#[derive(Debug, Clone)]
pub enum Holder {
    /// One host's.
    Host(Box<Host>),
    /// An owner's, good for all of the owner's hosts.
    Owner(Owner),
}

/// So many hosts are removed in one transaction, a tenth of a second.
const TOGETHER: u32 = 250;
/// The pause after it, in which those who wait get their turn.
const TURN: Duration = Duration::from_millis(5);
/// The columns that [`read`] takes.
const COLUMNS: &str = "id, name, state, mail, notify, created";

impl Registry {
    /// Whose token this is, disabled ones too; `None` for an unknown or dead token.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn holder_of(
        &self,
        token: &Token,
        now: Timestamp,
    ) -> Result<Option<(Holder, Digest)>, RegistryError> {
        let digest = self.digest(token);
        let mut found = self.db.prepare_cached(
            "SELECT digest, host, owner FROM token
             WHERE digest = ?1 AND (until IS NULL OR until > ?2)",
        )?;
        let mut rows = found.query((digest.as_bytes(), now.seconds()))?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let stored: Vec<u8> = row.get(0)?;
        if !digest.matches(&stored) {
            return Ok(None);
        }
        let (host, owner): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
        let holder = match (host, owner) {
            (Some(host), _) => self
                .host_by_id(HostId(host))?
                .map(|host| Holder::Host(Box::new(host))),
            (None, Some(owner)) => Some(Holder::Owner(by_id(&self.db, owner)?)),
            (None, None) => None,
        };
        Ok(holder.map(|holder| (holder, digest)))
    }

    /// The owner of that name.
    ///
    /// # Errors
    /// When there is none, or the registry cannot be read.
    pub fn owner(&self, name: &OwnerName) -> Result<Owner, RegistryError> {
        one(&self.db, "name = ?1", name.as_str())?
            .ok_or_else(|| RegistryError::NoOwner(name.clone()))
    }

    /// All owners, in the order of their names, and how many hosts each has.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn owners(&self) -> Result<Vec<(Owner, usize)>, RegistryError> {
        let mut statement = self.db.prepare(&format!(
            "SELECT {COLUMNS}, (SELECT count(*) FROM host WHERE host.owner = owner.id) AS hosts
             FROM owner ORDER BY name"
        ))?;
        let mut rows = statement.query([])?;
        let mut owners = Vec::new();
        while let Some(row) = rows.next()? {
            let hosts: u32 = row.get("hosts")?;
            owners.push((read(row)?, usize::try_from(hosts).unwrap_or(usize::MAX)));
        }
        Ok(owners)
    }

    /// The hosts of an owner in the order of their names.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn hosts_of(&self, owner: OwnerId) -> Result<Vec<Host>, RegistryError> {
        self.hosts_where("owner = ?1 ORDER BY name", [owner.0])
    }

    /// The only host of an owner that has a client; `None` when there are several, or none.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn only_host_of(&self, owner: OwnerId) -> Result<Option<Host>, RegistryError> {
        // Two are as good as many.
        let clients = "owner = ?1 AND static = 0 AND state <> 'removing' LIMIT 2";
        let mut hosts = self.hosts_where(clients, [owner.0])?;
        Ok(hosts.pop().filter(|_| hosts.is_empty()))
    }

    /// Adds an owner with a token.
    ///
    /// # Errors
    /// When name or token are in use, or the registry cannot be written.
    pub fn add_owner(
        &mut self,
        name: &OwnerName,
        mail: Option<&str>,
        token: &Digest,
        now: Timestamp,
    ) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        if one(&tx, "name = ?1", name.as_str())?.is_some() {
            return Err(RegistryError::OwnerTaken(name.clone()));
        }
        tx.execute(
            "INSERT INTO owner (name, mail, created) VALUES (?1, ?2, ?3)",
            (name.as_str(), mail, now.seconds()),
        )?;
        let id = tx.last_insert_rowid();
        write_token_of(&tx, "owner", id, token)?;
        Ok(tx.commit()?)
    }

    /// Switches an owner off: no visits to any of the hosts, no records. Says the hosts.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn disable_owner(
        &mut self,
        id: OwnerId,
        now: Timestamp,
    ) -> Result<Vec<HostId>, RegistryError> {
        self.switch_owner(id, "disabled", |tx, host| wish_nothing(tx, host, now))
    }

    /// Switches an owner on again; static hosts get their addresses back, others at their next
    /// visit. `ttl` is the zone's. Says the hosts.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn enable_owner(
        &mut self,
        id: OwnerId,
        ttl: impl Fn(&ZoneName) -> Ttl,
        now: Timestamp,
    ) -> Result<Vec<HostId>, RegistryError> {
        self.switch_owner(id, "active", |tx, host| {
            let fixed = host.settings.fixed.filter(|_| host.state == State::Active);
            if let Some(fixed) = fixed {
                write_wish(
                    tx,
                    host,
                    fixed,
                    ttl(&host.name.zone()),
                    now,
                    Source::COMMAND,
                )?;
            }
            Ok(())
        })
    }

    fn switch_owner(
        &mut self,
        id: OwnerId,
        state: &str,
        each: impl Fn(&Connection, &Host) -> Result<(), RegistryError>,
    ) -> Result<Vec<HostId>, RegistryError> {
        let tx = self.write(Durable::Now)?;
        tx.execute("UPDATE owner SET state = ?2 WHERE id = ?1", (id.0, state))?;
        let ids: Vec<HostId> = tx
            .prepare_cached("SELECT id FROM host WHERE owner = ?1 ORDER BY name")?
            .query_map([id.0], |row| row.get(0).map(HostId))?
            .collect::<Result<_, _>>()?;
        for host in &ids {
            if let Some(host) = super::row::by_id(&tx, *host)? {
                each(&tx, &host)?;
            }
        }
        tx.commit()?;
        Ok(ids)
    }

    /// Removes an owner who has no hosts.
    ///
    /// # Errors
    /// When there are hosts, or the registry cannot be written.
    pub fn remove_owner(&mut self, owner: &Owner) -> Result<(), RegistryError> {
        let tx = self.write(Durable::Now)?;
        // What is just being removed is nobody's any more.
        tx.execute(
            "UPDATE host SET owner = NULL WHERE owner = ?1 AND state = 'removing'",
            [owner.id.0],
        )?;
        let hosts: u32 = tx.query_row(
            "SELECT count(*) FROM host WHERE owner = ?1",
            [owner.id.0],
            |row| row.get(0),
        )?;
        if hosts > 0 {
            return Err(RegistryError::HasHosts(owner.name.clone(), hosts));
        }
        tx.execute("DELETE FROM owner WHERE id = ?1", [owner.id.0])?;
        Ok(tx.commit()?)
    }

    /// Removes an owner together with the hosts: no visits, no records, no history from now
    /// on. Says the hosts, whose removal ends as with [`Registry::remove`].
    ///
    /// They go some at a time, so that visits to other hosts need not wait for all; where it
    /// breaks off, the owner is switched off, and it can be done again for the rest.
    ///
    /// # Errors
    /// When the registry cannot be written.
    pub fn remove_with_hosts(
        &mut self,
        owner: &Owner,
        now: Timestamp,
    ) -> Result<Vec<HostId>, RegistryError> {
        let tx = self.write(Durable::Now)?;
        tx.execute(
            "UPDATE owner SET state = 'disabled' WHERE id = ?1",
            [owner.id.0],
        )?;
        tx.commit()?;
        let mut removed = Vec::new();
        loop {
            let some = self.remove_some(owner, now)?;
            if some.is_empty() {
                break;
            }
            removed.extend(some);
            sleep(TURN);
        }
        self.remove_owner(owner)?;
        Ok(removed)
    }

    /// Removes the first of an owner's hosts.
    fn remove_some(&mut self, owner: &Owner, now: Timestamp) -> Result<Vec<HostId>, RegistryError> {
        let tx = self.write(Durable::Now)?;
        let hosts: Vec<HostId> = tx
            .prepare_cached(
                "SELECT id FROM host WHERE owner = ?1 AND state <> 'removing' LIMIT ?2",
            )?
            .query_map((owner.id.0, TOGETHER), |row| row.get(0).map(HostId))?
            .collect::<Result<_, _>>()?;
        for id in &hosts {
            tx.prepare_cached("UPDATE host SET owner = NULL WHERE id = ?1")?
                .execute([id.0])?;
            remove_one(&tx, *id, now)?;
        }
        tx.commit()?;
        Ok(hosts)
    }

    /// The tokens of an owner, the one in force first.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn owner_tokens(&self, id: OwnerId) -> Result<Vec<KeptToken>, RegistryError> {
        kept_tokens_of(&self.db, "owner", id.0)
    }
}

/// Whether hosts may be given to that owner.
///
/// # Errors
/// When there is none, or the owner is switched off.
pub(super) fn check_on(tx: &Connection, name: Option<&OwnerName>) -> Result<(), RegistryError> {
    let Some(name) = name else { return Ok(()) };
    match one(tx, "name = ?1", name.as_str())? {
        Some(owner) if owner.disabled => Err(RegistryError::OwnerOff(name.clone())),
        Some(_) => Ok(()),
        None => Err(RegistryError::NoOwner(name.clone())),
    }
}

/// The number of an owner, for a host that is to be theirs.
pub(super) fn number(tx: &Connection, name: &OwnerName) -> Result<i64, RegistryError> {
    one(tx, "name = ?1", name.as_str())?
        .map(|owner| owner.id.0)
        .ok_or_else(|| RegistryError::NoOwner(name.clone()))
}

/// The owner of that number, whom a host names.
pub(super) fn by_id(db: &Connection, id: i64) -> Result<Owner, RegistryError> {
    one(db, "id = ?1", id)?.ok_or_else(|| RegistryError::Damaged(format!("no owner {id}")))
}

fn one(
    db: &Connection,
    condition: &str,
    value: impl rusqlite::ToSql,
) -> Result<Option<Owner>, RegistryError> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM owner WHERE {condition}"))?
        .query_row([value], |row| Ok(read(row)))
        .optional()?
        .transpose()
}

fn read(row: &Row<'_>) -> Result<Owner, RegistryError> {
    let name: String = row.get("name")?;
    let state: String = row.get("state")?;
    Ok(Owner {
        id: OwnerId(row.get("id")?),
        disabled: state == "disabled",
        mail: row.get("mail")?,
        notify: events(row.get("notify")?)?,
        created: Timestamp::from_seconds(row.get("created")?),
        name: name.parse().map_err(|_| RegistryError::Damaged(name))?,
    })
}
