//! Adding and changing many hosts, all in one transaction.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction};

use super::above::{check_all_around, names};
use super::behind::{self, NotBehind};
use super::edit::{change, present, write_state, write_tokens};
use super::kept_token::kept_tokens;
use super::owner::check_on;
use super::row::by_name;
use super::verbs::add_one;
use super::{
    Behind, Durable, Edit, Host, HostId, KeptToken, NewHost, Registry, RegistryError, State,
};
use crate::ip::Addresses;
use crate::name::HostName;
use crate::owner_name::OwnerName;
use crate::span::Span;
use crate::time::Timestamp;
use crate::ttl::Ttl;

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
            let put = import.put(&tx, (position, entry), host, edit, now);
            done.push(put.map_err(of_one)?);
        }
        let checked = import.check(&tx, now);
        checked.map_err(|(position, error)| failed(position, error))?;
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
    /// The names, former ones too, that must fit in among the hosts of other owners.
    fitted: BTreeMap<HostName, Option<OwnerName>>,
    /// The entries that they are of.
    positions: BTreeMap<HostName, usize>,
    /// Those that may stand where they do.
    agreed: BTreeSet<HostName>,
    /// Where those are that were there before, or are behind another one.
    placed: Vec<Placed>,
}

/// Where the host of an entry is.
struct Placed {
    position: usize,
    id: HostId,
    behind: Option<Behind>,
}

/// What is wrong, and with which entry, where it is one.
type Wrong = (Option<usize>, RegistryError);

impl Import {
    /// Adds the host or, where there is one, changes it.
    fn put(
        &mut self,
        tx: &Transaction<'_>,
        (position, entry): (usize, &Entry),
        host: Option<&Host>,
        edit: Edit,
        now: Timestamp,
    ) -> Result<Imported, RegistryError> {
        let owner = &edit.settings.owner;
        if edit.below {
            self.agreed.insert(entry.name.clone());
        } else if host.is_none_or(|host| host.settings.owner != *owner) {
            let names = host.map(|host| names(tx, host, now)).transpose()?;
            let names = names.unwrap_or_else(|| vec![entry.name.clone()]);
            for name in names {
                self.positions.insert(name.clone(), position);
                self.fitted.insert(name, owner.clone());
            }
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
            self.placed.push(Placed {
                position,
                id: done.id(),
                behind: is_behind,
            });
        }
        Ok(done)
    }

    /// Whether all of them may be where they are now.
    fn check(&self, tx: &Transaction<'_>, now: Timestamp) -> Result<(), Wrong> {
        check_all_around(tx, &self.fitted, &self.agreed, now).map_err(|error| {
            let name = match &error {
                RegistryError::Below { name, .. } | RegistryError::Above { name, .. } => Some(name),
                _ => None,
            };
            (
                name.and_then(|name| self.positions.get(name)).copied(),
                error,
            )
        })?;
        for it in &self.placed {
            behind::write(tx, it.id, it.behind.as_ref()).map_err(|error| it.wrong(error))?;
        }
        let check = |it: &Placed| behind::check(tx, it.id).map_err(|error| it.wrong(error));
        for it in &self.placed {
            match check(it) {
                // Not the first of them is one too many, but the last.
                Err((_, error)) if is_crowded(&error) => {
                    self.placed.iter().rev().try_for_each(check)?
                }
                checked => checked?,
            }
        }
        Ok(())
    }
}

impl Placed {
    /// What is wrong with its entry.
    fn wrong(&self, error: RegistryError) -> Wrong {
        (Some(self.position), error)
    }
}

/// Whether there are too many behind one host.
fn is_crowded(error: &RegistryError) -> bool {
    matches!(error, RegistryError::NotBehind { why, .. } if *why == NotBehind::Crowded)
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
        write_state(tx, id, State::Disabled)?;
    }
    Ok(id)
}
