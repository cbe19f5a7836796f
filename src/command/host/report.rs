//! What the verbs say about a host.

use serde::Serialize;

use super::super::session::Session;
use super::super::token::{for_device, update_url};
use super::super::{Context, Failure, note};
use crate::devices::Device;
use crate::ip::Addresses;
use crate::name::HostName;
use crate::one_line::OneLine;
use crate::owner_name::OwnerName;
use crate::registry::{Behind, Host, HostId, State};
use crate::span::Span;
use crate::token::Token;

/// A host in a list, as JSON has it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    name: String,
    zone: String,
    owner: Option<String>,
    note: Option<String>,
    ttl: Option<u32>,
    disabled: bool,
    /// In seconds; 0: never.
    expire: u64,
    ipv4: Option<String>,
    ipv6: Option<String>,
    pending: bool,
    last_seen: Option<String>,
    last_change: Option<String>,
    /// As the list for people has it.
    pub(super) state: &'static str,
}

impl Listed {
    /// That host, with the addresses that are confirmed.
    pub(super) fn of(host: &Host, session: &Session) -> Self {
        let zone = session.config.zone(&host.name.zone());
        let Addresses { ipv4, ipv6 } = host.fact.addresses;
        Listed {
            name: host.name.to_string(),
            zone: host.name.zone().to_string(),
            owner: host.settings.owner.as_ref().map(OwnerName::to_string),
            note: host.settings.note.clone(),
            ttl: host
                .settings
                .ttl
                .or(zone.map(|zone| zone.ttl))
                .map(|ttl| ttl.seconds()),
            disabled: !host.is_on(),
            expire: expire(host, session).seconds(),
            ipv4: ipv4.map(|ipv4| ipv4.to_string()),
            ipv6: ipv6.map(|ipv6| ipv6.to_string()),
            pending: host.is_pending(),
            last_seen: host.last_seen.map(|time| time.to_string()),
            last_change: host.last_change.map(|time| time.to_string()),
            state: state(host, session),
        }
    }
}

/// A host together with the token it just got.
#[derive(Debug, Serialize)]
struct WithToken {
    name: String,
    url: Option<String>,
    token: Option<String>,
    ttl: Option<u32>,
    zone: String,
    expire: u64,
    ipv4: Option<String>,
    ipv6: Option<String>,
    pending: bool,
    /// What is to be pasted into a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    paste: Option<String>,
}

/// Says the host and, this once, its token; for a device in what is to be pasted there.
pub(super) fn with_token(
    session: &Session,
    id: HostId,
    token: Option<&Token>,
    device: Option<Device>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let written = write_with_token(session, id, token, device, context);
    let flushed = context.out.flush().map_err(Failure::from);
    match (written.and(flushed), token) {
        (Err(failure), Some(_)) => {
            let host = session.registry.host_by_id(id).ok().flatten();
            let name = host.map_or("NAME".to_owned(), |host| host.name.to_string());
            Err(failure.final_word().hint(format!(
                "the token is lost; make another with `bowline host rotate {name}`"
            )))
        }
        (result, _) => result,
    }
}

/// The part whose failure loses the token.
fn write_with_token(
    session: &Session,
    id: HostId,
    token: Option<&Token>,
    device: Option<Device>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    // Nobody but us knows the token: whoever removes the host meanwhile has not seen it.
    let Some(host) = session.registry.host_by_id(id)? else {
        return Err(Failure::new("the host was removed meanwhile"));
    };
    let url = token.map(|token| update_url(&session.config, token, &host.name));
    let paste = match device {
        Some(device) => Some(for_device(
            device,
            &session.config,
            token,
            (&host.name, &[]),
            (host.settings.only, session.registry.is_site(id)?),
        )?),
        None => None,
    };
    if context.json {
        let listed = Listed::of(&host, session);
        return context.write_json(&WithToken {
            name: listed.name,
            url,
            token: token.map(|token| token.secret().to_owned()),
            ttl: listed.ttl,
            zone: listed.zone,
            expire: listed.expire,
            ipv4: listed.ipv4,
            ipv6: listed.ipv6,
            pending: listed.pending,
            paste,
        });
    }
    if let Some(paste) = paste {
        return Ok(context.out.write_all(paste.as_bytes())?);
    }
    let name = host.name.for_people();
    match url {
        Some(url) => {
            writeln!(
                context.out,
                "{name}: its update URL, shown only this once\n"
            )?;
            writeln!(context.out, "{url}")?;
        }
        None => writeln!(context.out, "{name}: {}", host.wish.records.addresses)?,
    }
    Ok(())
}

/// Says what became of a host, after `what`.
pub(super) fn changed(
    session: &Session,
    host: &Host,
    what: &str,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let now = session.registry.host_by_id(host.id)?;
    match (context.json, now) {
        (true, Some(host)) => {
            let listed = Listed::of(&host, session);
            context.write_json(&listed)
        }
        // Removed, and gone from the name server too.
        (true, None) => gone(&host.name, context),
        (false, now) => {
            let name = now.as_ref().unwrap_or(host).name.for_people();
            Ok(writeln!(context.out, "{name}: {what}")?)
        }
    }
}

/// Reports a host that is no more.
pub(super) fn gone(name: &HostName, context: &mut Context<'_>) -> Result<(), Failure> {
    match context.json {
        true => context.write_json(&Gone {
            name: name.to_string(),
            removed: true,
        }),
        false => Ok(writeln!(context.out, "{}: removed", name.for_people())?),
    }
}

/// A host that is no more.
#[derive(Serialize)]
struct Gone {
    name: String,
    removed: bool,
}

/// Says which addresses a host loses, given why it may not have them.
pub(super) fn note_lost(lost: &[String]) {
    for why in lost {
        note(format!("{why}, so it goes"));
    }
}

/// Says what a host with another owner still has of its former one: its token, its mail address.
pub(super) fn note_kept(host: &Host, token: bool, mail: bool) {
    let name = &host.name;
    if token {
        note(format!(
            "its own token is good as before; `bowline host rotate {name}` makes another"
        ));
    }
    if let Some(mail) = host.settings.mail.as_ref().filter(|_| mail) {
        note(format!(
            "what happens to it is told to {} as before; \
             `bowline host set {name} --mail ADDR` or --no-mail changes that",
            OneLine(mail)
        ));
    }
}

/// Says when a host gets its address that was put behind another one.
pub(super) fn note_behind(Behind { site, .. }: &Behind) {
    note(format!(
        "it gets its IPv6 address when {site} next tells its prefix, with ip6lanprefix= in its URL"
    ));
}

/// Says whose host goes with so short an expiry, though its client is well: of an address that
/// stays the same some say nothing, and asking for `/ip` is no visit.
pub(in super::super) fn note_expire(given: Option<Span>) {
    // Once a day, and the hour to which it is known when a host was heard.
    const DAILY: Span = Span::from_seconds(25 * 60 * 60);
    if given.is_some_and(|expire| expire != Span::ZERO && expire < DAILY) {
        note(
            "under 25h a client that is well can be silent for too long, while its address stays the same: \
             bowline-client visits once a day, ddclient after weeks where max-interval does not say less",
        );
    }
}

/// After how much silence its records go; nothing: never. A static host has no client.
pub(super) fn expire(host: &Host, session: &Session) -> Span {
    host.expire(of_zone(host, session))
}

/// The expiry of its zone, for hosts without their own.
fn of_zone(host: &Host, session: &Session) -> Span {
    let zone = session.config.zone(&host.name.zone());
    zone.map_or(Span::ZERO, |zone| zone.expire)
}

/// Its state in a word.
pub(super) fn state(host: &Host, session: &Session) -> &'static str {
    match host.state {
        State::Removing => "removing",
        State::Disabled => "disabled",
        State::Active if host.owner_disabled => "disabled",
        State::Active if host.is_pending() => "pending",
        State::Active if host.shown_otherwise().is_some() => "differs",
        State::Active if host.settings.fixed.is_some() => "static",
        State::Active if host.has_expired(of_zone(host, session), session.now) => "expired",
        State::Active => "active",
    }
}
