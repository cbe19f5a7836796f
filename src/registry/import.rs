//! Changing one host, or adding and changing many, each in one transaction.
//!
//! What is to become of a host is asked with the host as it is then, so that a
//! visit that came just before is not undone.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction};

use super::above::{check_all_around, check_around};
use super::behind;
use super::edit::{add_one, present, write_settings, write_state};
use super::host::by_name;
use super::kept_token::{kept_tokens, write_token};
use super::owner::check_on;
use super::wish::write_wish;
use super::{Behind, Durable, Host, HostId, KeptToken, NewHost, Registry, RegistryError};
use super::{Settings, Source, State};
use crate::ip::Addresses;
use crate::name::HostName;
use crate::owner_name::OwnerName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::ttl::Ttl;

/// What is to become of a host.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    /// Its settings.
    pub settings: Settings,
    /// Its addresses; nothing: those it has.
    pub addresses: Option<Addresses>,
    /// Its tokens; nothing: those it has.
    pub tokens: Option<Vec<KeptToken>>,
    /// Whether it is switched off; nothing: as it is.
    pub disabled: Option<bool>,
    /// Whether it is known to be off with its owner: then it must not be switched on.
    pub owner_disabled: bool,
    /// Whether it may be below a host of another owner, or above one.
    pub below: bool,
}

/// A host to import: added when there is none of that name.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: HostName,
    /// The zone's TTL, for a host without its own.
    pub ttl: Ttl,
    /// How long a removed name stays out of use.
    pub reuse: Span,
}

/// What the import did with an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// There is a new host.
    Added(HostId),
    /// The host was changed.
    Changed(HostId),
    /// The host was like that already.
    Unchanged(HostId),
}

impl Imported {
    /// The host's number.
    pub fn id(self) -> HostId {
        match self {
            Imported::Added(id) | Imported::Changed(id) | Imported::Unchanged(id) => id,
        }
    }
}

impl Registry {
    /// Changes a host to what `edit` makes of it; `ttl` is the zone's.
    ///
    /// # Errors
    /// When there is no such host, or the registry cannot be written; and those of `edit`.
    pub fn edit<E: From<RegistryError>>(
        &mut self,
        id: HostId,
        ttl: Ttl,
        now: Timestamp,
        edit: impl FnOnce(&Host) -> Result<Edit, E>,
    ) -> Result<(), E> {
        let tx = self.write(Durable::Now)?;
        let host = present(&tx, id)?;
        let edit = edit(&host)?;
        let is_behind = edit.settings.behind.clone();
        let owner = edit.settings.owner.as_ref();
        if !edit.below && owner != host.settings.owner.as_ref() {
            check_around(&tx, &host.name, owner)?;
        }
        change(&tx, &host, edit, ttl, now)?;
        behind::write(&tx, id, is_behind.as_ref())?;
        behind::check(&tx, id)?;
        Ok(tx.commit().map_err(RegistryError::from)?)
    }

    /// Adds or changes hosts: all of them or, on any error, none.
    ///
    /// `decide` is asked for each entry, with the host of that name where there is one;
    /// `commit` once at the end, with what was done: unless it says yes, nothing was. `failed`
    /// makes an error of the registry's, and of the entry that it is about, where it is one.
    ///
    /// # Errors
    /// When a name or token is in use or the registry cannot be written; and those of
    /// `decide` and `commit`.
    pub fn import<E>(
        &mut self,
        entries: &[Entry],
        now: Timestamp,
        mut decide: impl FnMut(usize, Option<(&Host, &[KeptToken])>) -> Result<Edit, E>,
        commit: impl FnOnce(&[Imported]) -> Result<bool, E>,
        failed: impl Fn(Option<usize>, RegistryError) -> E,
    ) -> Result<Vec<Imported>, E> {
        let of_all = |error: RegistryError| failed(None, error);
        let tx = self.write(Durable::Now).map_err(of_all)?;
        let mut import = Import::default();
        let mut done = Vec::with_capacity(entries.len());
        for (position, entry) in entries.iter().enumerate() {
            let of_one = |error: RegistryError| failed(Some(position), error);
            let found = find(&tx, &entry.name).map_err(of_one)?;
            let found = found.as_ref().map(|(host, tokens)| (host, &tokens[..]));
            let edit = decide(position, found)?;
            let host = found.map(|(host, _)| host);
            done.push(import.put(&tx, entry, host, edit, now).map_err(of_one)?);
        }
        import.check(&tx).map_err(of_all)?;
        if commit(&done)? {
            tx.commit().map_err(|error| of_all(error.into()))?;
            self.write_back();
        }
        Ok(done)
    }
}

/// What is checked when all entries are there: what one goes by may come later in the list.
#[derive(Default)]
struct Import {
    /// Those that must fit in among the hosts of other owners.
    fitted: BTreeMap<HostName, Option<OwnerName>>,
    /// Those that may stand where they do.
    agreed: BTreeSet<HostName>,
    /// Where those are that were there before, or are behind another one.
    placed: Vec<(HostId, Option<Behind>)>,
}

impl Import {
    /// Adds the host or, where there is one, changes it.
    fn put(
        &mut self,
        tx: &Transaction<'_>,
        entry: &Entry,
        host: Option<&Host>,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Imported, RegistryError> {
        let owner = &edit.settings.owner;
        if edit.below {
            self.agreed.insert(entry.name.clone());
        } else if host.is_none_or(|host| host.settings.owner != *owner) {
            self.fitted.insert(entry.name.clone(), owner.clone());
        }
        let is_behind = edit.settings.behind.clone();
        let asleep = edit.owner_disabled && !host.is_some_and(Host::is_on);
        let done = match host {
            None => Imported::Added(add(tx, entry, edit, now)?),
            Some(host) => match change(tx, host, edit, entry.ttl, now)? {
                true => Imported::Changed(host.id),
                false => Imported::Unchanged(host.id),
            },
        };
        if asleep
            && let now = present(tx, done.id())?
            && now.is_on()
            && let Some(owner) = now.settings.owner
        {
            return Err(RegistryError::WouldWake {
                name: now.name,
                owner,
            });
        }
        if is_behind.is_some() || host.is_some() {
            self.placed.push((done.id(), is_behind));
        }
        Ok(done)
    }

    /// Whether all of them may be where they are now.
    fn check(&self, tx: &Transaction<'_>) -> Result<(), RegistryError> {
        check_all_around(tx, &self.fitted, &self.agreed)?;
        for (id, is_behind) in &self.placed {
            behind::write(tx, *id, is_behind.as_ref())?;
        }
        for (id, _) in &self.placed {
            behind::check(tx, *id)?;
        }
        Ok(())
    }
}

/// The host of that name and its tokens; one that is being removed is none.
fn find(tx: &Connection, name: &HostName) -> Result<Option<(Host, Vec<KeptToken>)>, RegistryError> {
    let host = by_name(tx, name)?.filter(|host| host.state != State::Removing);
    host.map(|host| {
        let tokens = kept_tokens(tx, host.id)?;
        Ok((host, tokens))
    })
    .transpose()
}

/// Adds a host with its tokens; one that is switched off gets no records.
fn add(
    tx: &Transaction<'_>,
    entry: &Entry,
    edit: Edit,
    now: Timestamp,
) -> Result<HostId, RegistryError> {
    let addresses = edit.addresses.unwrap_or(Addresses::NONE);
    let disabled = edit.disabled == Some(true);
    if !edit.owner_disabled {
        check_on(tx, edit.settings.owner.as_ref())?;
    }
    let new = NewHost {
        name: entry.name.clone(),
        settings: edit.settings,
        token: None,
        addresses: match disabled || edit.owner_disabled {
            true => Addresses::NONE,
            false => addresses,
        },
        reuse: entry.reuse,
        below: true,
    };
    let id = add_one(tx, &new, entry.ttl, now)?;
    write_tokens(tx, id, edit.tokens.as_deref().unwrap_or_default())?;
    if disabled {
        write_state(tx, id, "disabled")?;
    }
    Ok(id)
}

/// Says whether anything was different before.
fn change(
    tx: &Connection,
    before: &Host,
    edit: Edit,
    ttl: Ttl,
    now: Timestamp,
) -> Result<bool, RegistryError> {
    let id = before.id;
    let mut changed = before.settings != edit.settings;
    let owner = edit.settings.owner.as_ref();
    if owner != before.settings.owner.as_ref() && !edit.owner_disabled {
        check_on(tx, owner)?;
    }
    write_settings(tx, id, &edit.settings)?;
    // A static host has no token.
    let tokens = match edit.settings.fixed {
        Some(_) => Some(Vec::new()),
        None => edit.tokens,
    };
    if let Some(tokens) = tokens {
        let forgotten = tx.execute("DELETE FROM token WHERE host = ?1", [id.0])?;
        changed |= forgotten != 0 || !tokens.is_empty();
        write_tokens(tx, id, &tokens)?;
    }
    let was_disabled = before.state == State::Disabled;
    let disabled = edit.disabled.unwrap_or(was_disabled);
    changed |= disabled != was_disabled;
    write_state(tx, id, if disabled { "disabled" } else { "active" })?;
    let host = present(tx, id)?;
    let kept = before.wish.records.addresses;
    // Its owner may be another one by now, who is switched on.
    let wanted = match (host.is_on(), before.is_on()) {
        (false, _) => Addresses::NONE,
        (true, false) => edit.addresses.or(edit.settings.fixed).unwrap_or(kept),
        (true, true) => edit.addresses.unwrap_or(kept),
    };
    // A host that never had records needs no wish for a new wildcard.
    if host.wish.number != 0 || !wanted.is_empty() {
        changed |= write_wish(tx, &host, wanted, ttl, now, Source::COMMAND)?.is_some();
    }
    Ok(changed)
}

/// Gives a host tokens, old ones too.
fn write_tokens(tx: &Connection, id: HostId, tokens: &[KeptToken]) -> Result<(), RegistryError> {
    for token in tokens {
        write_token(tx, id, &token.digest)?;
        tx.prepare_cached("UPDATE token SET until = ?2, used = ?3 WHERE digest = ?1")?
            .execute((
                token.digest.as_bytes(),
                token.until.map(Timestamp::seconds),
                token.used.map(Timestamp::seconds),
            ))?;
    }
    Ok(())
}
