//! `bowline host export`: all hosts, as JSON lines that `import` reads.

use clap::Args;
use serde::Serialize;

use super::super::session::Session;
use super::super::{Context, Failure, note};
use crate::owner_name::OwnerName;
use crate::registry::{Host, State};

/// Write all hosts as JSON lines for `bowline host import`
///
/// Tokens are in it as digests only, which are useless without the same lookup key. Not in it are
/// the owners' own tokens and mail addresses, former names, history, and the networks of accounts
/// of acme-dns (allowfrom): `bowline backup` has everything.
#[derive(Debug, Args)]
pub(super) struct Options {}

/// One host, with the keys that `import` reads.
#[derive(Serialize)]
struct Exported {
    name: String,
    zone: String,
    owner: Option<String>,
    /// So that nobody adds the owner and, with that, switches the host on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    owner_disabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    below: bool,
    behind: Option<String>,
    interface_id: Option<String>,
    note: Option<String>,
    mail: Option<String>,
    notify: Option<String>,
    ttl: Option<u32>,
    expire: Option<String>,
    only: Option<&'static str>,
    allow_private: bool,
    wildcard: bool,
    plain_http: bool,
    #[serde(rename = "static")]
    fixed: bool,
    ipv4: Option<String>,
    ipv6: Option<String>,
    disabled: bool,
    tokens: Vec<Kept>,
}

/// A token's digest, and when an old one dies.
#[derive(Serialize)]
struct Kept {
    digest: String,
    until: Option<String>,
}

/// Writes a line per host, without holding them all.
pub(super) fn run(_: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let (json, mut count) = (context.json, 0);
    let out = &mut *context.out;
    session.registry.each_host(|host| {
        if host.state != State::Removing {
            match (json, count) {
                (false, _) => {}
                (true, 0) => writeln!(out, "[")?,
                (true, _) => writeln!(out, ",")?,
            }
            count += 1;
            serde_json::to_writer(&mut *out, &exported(&host, &session)?)?;
            if !json {
                writeln!(out)?;
            }
        }
        Ok::<(), Failure>(())
    })?;
    match (json, count) {
        (false, _) => {}
        (true, 0) => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "\n]")?,
    }
    out.flush()?;
    note(format!(
        "the digests are useless without the same lookup key, {}",
        session.config.state.lookup_key.display()
    ));
    note(
        "owners' tokens, former names and accounts' networks are not in it; `bowline backup` has them",
    );
    Ok(session.registry.nothing_left_out()?)
}

/// The host with its live tokens' digests.
fn exported(host: &Host, session: &Session) -> Result<Exported, Failure> {
    let settings = &host.settings;
    let addresses = settings.fixed.unwrap_or(host.wish.records.addresses);
    let mut tokens = session.registry.tokens(host.id)?;
    tokens.retain(|token| token.until.is_none_or(|until| until > session.now));
    Ok(Exported {
        name: host.name.to_string(),
        zone: host.name.zone().to_string(),
        owner: settings.owner.as_ref().map(OwnerName::to_string),
        owner_disabled: host.owner_disabled,
        below: session.registry.is_below_another(host, session.now)?,
        behind: (settings.behind.as_ref()).map(|behind| behind.site.to_string()),
        interface_id: (settings.behind.as_ref()).map(|behind| behind.id.to_string()),
        note: settings.note.clone(),
        mail: settings.mail.clone(),
        notify: settings.notify.map(|events| events.to_string()),
        ttl: settings.ttl.map(|ttl| ttl.seconds()),
        expire: settings.expire.map(|span| span.to_string()),
        only: settings.only.map(|family| family.as_str()),
        allow_private: settings.allow_private,
        wildcard: settings.wildcard,
        plain_http: settings.plain_http,
        fixed: settings.fixed.is_some(),
        ipv4: addresses.ipv4.map(|ipv4| ipv4.to_string()),
        ipv6: addresses.ipv6.map(|ipv6| ipv6.to_string()),
        disabled: host.state == State::Disabled,
        tokens: tokens
            .into_iter()
            .map(|token| Kept {
                digest: token.digest.to_hex(),
                until: token.until.map(|until| until.to_string()),
            })
            .collect(),
    })
}
