//! `bowline host show`: everything about one host but its token, which nobody knows.

use clap::Args;
use serde::Serialize;

use super::super::session::Session;
use super::super::token::{OldToken, for_device};
use super::super::{Context, Failure, hint};
use super::report::Listed;
use crate::devices::Device;
use crate::one_line::OneLine;
use crate::registry::Host;
use crate::time::Timestamp;

/// Show everything about one host but its token
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
    /// Print what is to be pasted into this device instead, TOKEN in the token's place
    #[arg(long = "for", value_name = "DEVICE")]
    device: Option<Device>,
}

/// What JSON has beyond the element of a list.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    listed: Listed,
    mail: Option<String>,
    notify: Option<String>,
    only: Option<&'static str>,
    allow_private: bool,
    wildcard: bool,
    plain_http: bool,
    #[serde(rename = "static")]
    fixed: bool,
    created: String,
    /// When it was last heard of that family.
    last_seen_ipv4: Option<String>,
    last_seen_ipv6: Option<String>,
    /// What the name server shows instead of what is confirmed.
    differs: Option<String>,
    /// What was accepted last, confirmed or not.
    accepted: Accepted,
    /// The host whose LAN prefix gives it its IPv6 address.
    behind: Option<String>,
    interface_id: Option<String>,
    /// The hosts that its own LAN prefix moves.
    hosts_behind: Vec<String>,
    former_names: Vec<Until>,
    old_tokens: Vec<OldToken>,
    /// What is to be pasted into a device.
    #[serde(skip_serializing_if = "Option::is_none")]
    paste: Option<String>,
}

/// The addresses accepted last.
#[derive(Serialize)]
struct Accepted {
    ipv4: Option<String>,
    ipv6: Option<String>,
    at: Option<String>,
}

/// A former name, and until when it means the host.
#[derive(Serialize)]
struct Until {
    name: String,
    until: String,
}

/// Writes it as aligned lines, or as JSON.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    let host = session.host(&options.name)?;
    let paste = options.device;
    let paste = paste.map(|device| paste_for(device, &options.name, &host, &session));
    let shown = Shown {
        paste: paste.transpose()?,
        ..shown(&host, &session)?
    };
    match &shown.paste {
        _ if context.json => context.write_json(&shown),
        Some(paste) => Ok(context.out.write_all(paste.as_bytes())?),
        None => write_lines(&lines(&host, &shown), context),
    }
}

/// Writes each value behind its name.
fn write_lines(lines: &[Line], context: &mut Context<'_>) -> Result<(), Failure> {
    for (name, value) in lines {
        writeln!(context.out, "{name:<14} {}", OneLine(value))?;
    }
    Ok(())
}

/// A name and its value.
type Line = (&'static str, String);

/// All there is to say about the host, for people.
fn lines(host: &Host, shown: &Shown) -> Vec<Line> {
    let mut lines = vec![
        ("name", host.name.for_people()),
        ("state", shown.listed.state.to_owned()),
        ("confirmed", or_dash(&host.fact.addresses.to_string())),
    ];
    if host.is_pending() {
        let accepted = or_dash(&host.wish.records.addresses.to_string());
        lines.push(("pending", format!("{accepted} since {}", host.wish.at)));
        lines.extend(host.trouble.clone().map(|why| ("because", why)));
    }
    if let Some(shown) = host.shown_otherwise() {
        lines.push(("differs", format!("the name server has {shown}")));
        lines.extend(host.trouble.clone().map(|why| ("because", why)));
    }
    lines.extend(settings(host, shown));
    for name in &shown.hosts_behind {
        lines.push(("behind it", name.clone()));
    }
    for Until { name, until } in &shown.former_names {
        lines.push(("former name", format!("{name} until {until}")));
    }
    for old in &shown.old_tokens {
        lines.push(("old token", old.to_string()));
    }
    lines.push(("created", host.created.to_string()));
    let or_never =
        |time: Option<Timestamp>| time.map_or("never".to_owned(), |time| time.to_string());
    lines.push(("last seen", or_never(host.last_seen)));
    for (name, time) in [
        ("ipv4 last seen", host.heard.ipv4),
        ("ipv6 last seen", host.heard.ipv6),
    ] {
        lines.extend(time.map(|time| (name, time.to_string())));
    }
    lines.push(("last change", or_never(host.last_change)));
    lines
}

/// What the operator set; of switches those that are on.
fn settings(host: &Host, shown: &Shown) -> Vec<Line> {
    let settings = &host.settings;
    let ttl = settings
        .ttl
        .map_or("the zone's".to_owned(), |ttl| format!("{ttl} s"));
    let expire = settings
        .expire
        .map_or("the zone's".to_owned(), |span| match span.seconds() {
            0 => "never".to_owned(),
            _ => span.to_string(),
        });
    let mut lines = vec![("ttl", ttl), ("expire", expire)];
    if let Some(owner) = &settings.owner {
        let off = match host.owner_disabled {
            true => ", switched off",
            false => "",
        };
        lines.push(("owner", format!("{owner}{off}")));
    }
    if let Some(behind) = &settings.behind {
        lines.push(("behind", format!("{} at {}", behind.site, behind.id)));
    }
    for (name, value) in [
        ("note", &settings.note),
        ("mail", &settings.mail),
        ("notify", &shown.notify),
    ] {
        lines.extend(value.clone().map(|value| (name, value)));
    }
    lines.extend(shown.only.map(|family| ("only", family.to_owned())));
    for (name, is) in [
        ("allow-private", settings.allow_private),
        ("wildcard", settings.wildcard),
        ("plain-http", settings.plain_http),
        ("static", settings.fixed.is_some()),
    ] {
        lines.extend(is.then(|| (name, "yes".to_owned())));
    }
    lines
}

/// What is to be pasted into a device, but for the token; a hint says how to come by one.
fn paste_for(
    device: Device,
    name: &str,
    host: &Host,
    session: &Session,
) -> Result<String, Failure> {
    if host.settings.fixed.is_some() {
        let failure = Failure::new("a static host has no token, and no client");
        return Err(failure.hint(format!("run `bowline host set {name} --no-static` first")));
    }
    let text = for_device(
        device,
        &session.config,
        None,
        (&host.name, &[]),
        (host.settings.only, session.registry.is_site(host.id)?),
    )?;
    let device = device.as_str();
    hint(format_args!(
        "`bowline host rotate {name} --keep-old 7d --for {device}` prints it with a new token"
    ));
    Ok(text)
}

/// Collects all there is to say about a host.
fn shown(host: &Host, session: &Session) -> Result<Shown, Failure> {
    let settings = &host.settings;
    let wanted = host.wish.records.addresses;
    let former = session.registry.former_names(host, session.now)?;
    let behind = session.registry.hosts_behind(host.id)?;
    let tokens = session.registry.tokens(host.id)?;
    Ok(Shown {
        listed: Listed::of(host, session),
        mail: settings.mail.clone(),
        notify: settings.notify.map(|events| events.to_string()),
        only: settings.only.map(|family| family.as_str()),
        allow_private: settings.allow_private,
        wildcard: settings.wildcard,
        plain_http: settings.plain_http,
        fixed: settings.fixed.is_some(),
        created: host.created.to_string(),
        last_seen_ipv4: host.heard.ipv4.map(|time| time.to_string()),
        last_seen_ipv6: host.heard.ipv6.map(|time| time.to_string()),
        differs: host.shown_otherwise().map(str::to_owned),
        accepted: Accepted {
            ipv4: wanted.ipv4.map(|ipv4| ipv4.to_string()),
            ipv6: wanted.ipv6.map(|ipv6| ipv6.to_string()),
            at: (host.wish.number != 0).then(|| host.wish.at.to_string()),
        },
        behind: (settings.behind.as_ref()).map(|behind| behind.site.to_string()),
        interface_id: (settings.behind.as_ref()).map(|behind| behind.id.to_string()),
        hosts_behind: behind.iter().map(|host| host.name.to_string()).collect(),
        former_names: former
            .into_iter()
            .map(|former| Until {
                name: former.name.to_string(),
                until: former.until.to_string(),
            })
            .collect(),
        old_tokens: OldToken::all(tokens, session.now),
        paste: None,
    })
}

/// A text, or `-` where it is empty.
fn or_dash(text: &str) -> String {
    if text.is_empty() { "-" } else { text }.to_owned()
}
