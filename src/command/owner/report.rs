//! What the verbs say about an owner.

use serde::Serialize;

use super::super::session::Session;
use super::super::token::{for_device, update_url};
use super::super::{Context, Failure, hint};
use crate::devices::Device;
use crate::name::HostName;
use crate::registry::{Host, Owner, State};
use crate::token::Token;

/// An owner in a list, as JSON has it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    name: String,
    mail: Option<String>,
    notify: Option<String>,
    disabled: bool,
    /// How many.
    hosts: usize,
    created: String,
}

impl Listed {
    /// That owner.
    pub(super) fn of(owner: &Owner, hosts: usize) -> Self {
        Listed {
            name: owner.name.to_string(),
            mail: owner.mail.clone(),
            notify: owner.notify.map(|events| events.to_string()),
            disabled: owner.disabled,
            hosts,
            created: owner.created.to_string(),
        }
    }
}

/// The owner's state in a word.
pub(super) fn state(owner: &Owner) -> &'static str {
    match owner.disabled {
        true => "disabled",
        false => "active",
    }
}

/// An owner together with the new token.
#[derive(Debug, Serialize)]
struct WithToken {
    name: String,
    token: String,
    urls: Vec<HostUrl>,
    /// What is to be pasted into a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    paste: Option<String>,
}

/// Where the client of one host goes.
#[derive(Debug, Serialize)]
struct HostUrl {
    name: String,
    url: String,
}

/// Says the owner and, this once, the token; for a device in what is to be pasted there.
pub(super) fn with_token(
    session: &Session,
    owner: &Owner,
    token: &Token,
    device: Option<Device>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let written = write_with_token(session, owner, token, device, context);
    let flushed = context.out.flush().map_err(Failure::from);
    written.and(flushed).map_err(|failure| {
        failure.final_word().hint(format!(
            "the token is lost; make another with `bowline owner rotate {}`",
            owner.name
        ))
    })
}

/// The part whose failure loses the token.
fn write_with_token(
    session: &Session,
    owner: &Owner,
    token: &Token,
    device: Option<Device>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut hosts = session.registry.hosts_of(owner.id)?;
    hosts.retain(|host| host.settings.fixed.is_none() && host.state != State::Removing);
    let paste = device.map(|device| paste(session, &hosts, token, device));
    let paste = paste.transpose()?;
    let urls: Vec<HostUrl> = hosts
        .iter()
        .map(|host| HostUrl {
            name: host.name.to_string(),
            url: update_url(&session.config, token, &host.name),
        })
        .collect();
    if context.json {
        return context.write_json(&WithToken {
            name: owner.name.to_string(),
            token: token.secret().to_owned(),
            urls,
            paste,
        });
    }
    if let Some(paste) = paste {
        return Ok(context.out.write_all(paste.as_bytes())?);
    }
    let (name, out) = (&owner.name, &mut *context.out);
    writeln!(
        out,
        "{name}: one token for all of the hosts, shown only this once\n"
    )?;
    writeln!(out, "{}", token.secret())?;
    if urls.is_empty() {
        hint(format!(
            "`bowline host add NAME --owner {name}` adds a host"
        ));
        return Ok(());
    }
    writeln!(out)?;
    for host in urls {
        writeln!(out, "{}", host.url)?;
    }
    Ok(())
}

/// A text for each host, or one for all of them where the device takes a list; for an
/// owner without hosts one with an example of a name.
fn paste(
    session: &Session,
    hosts: &[Host],
    token: &Token,
    device: Device,
) -> Result<String, Failure> {
    let config = &session.config;
    let text = |name: &HostName, more: &[_], its| {
        for_device(device, config, Some(token), (name, more), its)
    };
    match hosts {
        [] => {
            let zone = config.zones.first();
            let zone = zone.ok_or_else(|| Failure::new("no zone is configured"))?;
            let example = HostName::new("home", &zone.name)?;
            hint(format!("put the host's name in the place of {example}"));
            text(&example, &[], (None, false))
        }
        [first, more @ ..] if device.takes_several() => {
            let more = more.iter().map(|host| (&host.name, host.settings.only));
            let more: Vec<_> = more.collect();
            text(&first.name, &more, (first.settings.only, false))
        }
        all => {
            let texts = all
                .iter()
                .map(|host| {
                    let lan = session.registry.is_site(host.id)?;
                    text(&host.name, &[], (host.settings.only, lan))
                })
                .collect::<Result<Vec<_>, _>>()?;
            Ok(texts.join("\n"))
        }
    }
}

/// Says what became of an owner, after `what`.
pub(super) fn changed(
    session: &Session,
    owner: &Owner,
    what: &str,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    if context.json {
        let owner = session.owner(&owner.name)?;
        let hosts = session.registry.hosts_of(owner.id)?.len();
        return context.write_json(&Listed::of(&owner, hosts));
    }
    Ok(writeln!(context.out, "{}: {what}", owner.name)?)
}
