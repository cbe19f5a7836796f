//! Changing one host in one transaction.
//!
//! What is to become of it is asked with the host as it is then, so that a visit that came
//! just before is not undone.

use rusqlite::Connection;

use super::above::check_host_around;
use super::behind;
use super::kept_token::write_token;
use super::owner::{check_on, number};
use super::row::by_id;
use super::wish::write_wish;
use super::{Durable, Host, HostId, KeptToken, Registry, RegistryError, Settings, Source, State};
use crate::ip::Addresses;
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
            check_host_around(&tx, &host, owner, now)?;
        }
        change(&tx, &host, edit, ttl, now)?;
        behind::write(&tx, id, is_behind.as_ref())?;
        behind::check(&tx, id)?;
        Ok(tx.commit().map_err(RegistryError::from)?)
    }
}

/// Makes of a host what it is to be; says whether anything was different before.
pub(super) fn change(
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
    let state = match disabled {
        true => State::Disabled,
        false => State::Active,
    };
    write_state(tx, id, state)?;
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

/// A host that is not being removed.
pub(super) fn present(tx: &Connection, id: HostId) -> Result<Host, RegistryError> {
    let host = by_id(tx, id)?.ok_or_else(|| no_host(id))?;
    match host.state {
        State::Removing => Err(RegistryError::Removing(host.name)),
        _ => Ok(host),
    }
}

pub(super) fn no_host(id: HostId) -> RegistryError {
    RegistryError::NoHost(format!("number {}", id.0))
}

/// Gives a host tokens, old ones too.
pub(super) fn write_tokens(
    tx: &Connection,
    id: HostId,
    tokens: &[KeptToken],
) -> Result<(), RegistryError> {
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

pub(super) fn write_state(tx: &Connection, id: HostId, state: State) -> Result<(), RegistryError> {
    tx.execute(
        "UPDATE host SET state = ?2 WHERE id = ?1",
        (id.0, state.as_str()),
    )?;
    Ok(())
}

pub(super) fn write_settings(
    tx: &Connection,
    id: HostId,
    settings: &Settings,
) -> Result<(), RegistryError> {
    let fixed = settings.fixed.unwrap_or(Addresses::NONE);
    let owner = settings.owner.as_ref();
    let owner = owner.map(|owner| number(tx, owner));
    tx.prepare_cached(
        "UPDATE host SET note = ?2, mail = ?3, ttl = ?4, expire = ?5, only_family = ?6,
         allow_private = ?7, wildcard = ?8, plain_http = ?9, static = ?10, static_ipv4 = ?11,
         static_ipv6 = ?12, owner = ?13, notify = ?14 WHERE id = ?1",
    )?
    .execute((
        id.0,
        &settings.note,
        &settings.mail,
        settings.ttl.map(Ttl::seconds),
        settings
            .expire
            .map(Span::seconds)
            .map(i64::try_from)
            .transpose()
            .ok()
            .flatten(),
        settings.only.map(|family| family.as_str()),
        settings.allow_private,
        settings.wildcard,
        settings.plain_http,
        settings.fixed.is_some(),
        fixed.ipv4.map(|ipv4| ipv4.to_string()),
        fixed.ipv6.map(|ipv6| ipv6.to_string()),
        owner.transpose()?,
        settings.notify.map(|events| events.to_string()),
    ))?;
    Ok(())
}
