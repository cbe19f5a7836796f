//! The options that `host add` and `host set` share, and the texts they are read from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use clap::Args;

use super::super::Failure;
use crate::config::SHORTEST_EXPIRE;
use crate::event::{Events, of_hosts};
use crate::interface_id::InterfaceId;
use crate::ip::{Addresses, Family, Policy, PublicAddress};
use crate::name::HostName;
use crate::registry::{Behind, Settings};
use crate::span::Span;
use crate::ttl::Ttl;

/// Settings as they were typed.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Given {
    /// Its own TTL instead of the zone's
    #[arg(long, value_name = "D", value_parser = ttl)]
    pub(super) ttl: Option<Ttl>,
    /// Remove its records when it was silent for so long; 0: never
    #[arg(long, value_name = "D", value_parser = expire)]
    pub(super) expire: Option<Span>,
    /// A remark
    #[arg(long, value_name = "TEXT", value_parser = note)]
    pub(super) note: Option<String>,
    /// Where its person is reached
    #[arg(long, value_name = "ADDR", value_parser = mail)]
    pub(super) mail: Option<String>,
    /// What is told of it instead of what is configured: all, none, or a list of changed,
    /// expired, silent, pending, mended, old-token
    #[arg(long, value_name = "EVENTS", value_parser = of_hosts)]
    pub(super) notify: Option<Events>,
    /// The only family it has; addresses of the other count as not given
    #[arg(long, value_name = "ipv4|ipv6", value_parser = family)]
    pub(super) only: Option<Family>,
    /// Private addresses may be published for it
    #[arg(long)]
    pub(super) allow_private: bool,
    /// `*.` below it follows it
    #[arg(long)]
    pub(super) wildcard: bool,
    /// Its token is accepted over plain HTTP
    #[arg(long)]
    pub(super) plain_http: bool,
}

impl Given {
    /// Puts what was typed in the place of what was set before.
    pub(super) fn apply(self, settings: &mut Settings) {
        settings.ttl = self.ttl.or(settings.ttl);
        settings.expire = self.expire.or(settings.expire);
        settings.note = self.note.or(settings.note.take());
        settings.mail = self.mail.or(settings.mail.take());
        settings.notify = self.notify.or(settings.notify);
        settings.only = self.only.or(settings.only);
        settings.allow_private |= self.allow_private;
        settings.wildcard |= self.wildcard;
        settings.plain_http |= self.plain_http;
    }
}

/// The addresses as the host may have them.
///
/// # Errors
/// On one that may not be published for it, or of a family it does not have.
pub(super) fn permitted(
    addresses: impl IntoIterator<Item = IpAddr>,
    settings: &Settings,
    zone: Policy,
) -> Result<Addresses, Failure> {
    addresses
        .into_iter()
        .map(|address| {
            permit(address, settings, zone).map_err(|why| match settings.only {
                Some(only) if only != Family::of(address) => {
                    Failure::new(why).hint("leave the address out, or --only")
                }
                _ if PublicAddress::new(address, Policy::Private).is_ok() => {
                    Failure::new(why).hint("--allow-private lets the host have it")
                }
                _ => Failure::new(why),
            })
        })
        .collect()
}

/// Those of a host's addresses that its settings let it have, and why it loses the others: no
/// client could move or remove them, and no list of hosts could have them.
pub(super) fn still_permitted(
    addresses: Addresses,
    settings: &Settings,
    zone: Policy,
) -> (Addresses, Vec<String>) {
    let (mut kept, mut lost) = (Addresses::NONE, Vec::new());
    for address in addresses.iter() {
        match permit(address, settings, zone) {
            Ok(address) => kept.put(address),
            Err(why) => lost.push(why),
        }
    }
    (kept, lost)
}

/// The address as the host may have it, or why it may not.
fn permit(address: IpAddr, settings: &Settings, zone: Policy) -> Result<IpAddr, String> {
    let policy = match settings.allow_private {
        true => Policy::Private,
        false => zone,
    };
    let address = match settings.fixed {
        Some(_) => unicast(address)?,
        None => PublicAddress::new(address, policy).map_err(text_of)?.ip(),
    };
    match settings.only {
        Some(only) if only != Family::of(address) => Err(format!(
            "{address} is of the family that the host does not have"
        )),
        _ => Ok(address),
    }
}

/// Gives a static host its addresses; any other has nothing to check.
///
/// # Errors
/// When it would have no address, or what only a client could use: a token, an expiry, plain HTTP.
pub(super) fn check_static(
    name: &HostName,
    settings: &mut Settings,
    addresses: Addresses,
    has_token: bool,
) -> Result<(), Failure> {
    let Some(fixed) = &mut settings.fixed else {
        return Ok(());
    };
    if has_token || settings.expire.is_some() || settings.plain_http {
        return Err(Failure::new(format!(
            "{name} is static, and has neither token nor expiry nor plain HTTP"
        ))
        .hint("leave these out, or let it not be static"));
    }
    if addresses.is_empty() {
        return Err(
            Failure::new("a static host without an address has no records").hint(
                "give it an IPv4 or IPv6 address; `bowline host disable` is for one that is to have none",
            ),
        );
    }
    *fixed = addresses;
    Ok(())
}

/// Where a host is behind another one: what was given in the place of what was so before.
///
/// # Errors
/// When only half of it is known.
pub(super) fn behind(
    before: Option<Behind>,
    site: Option<HostName>,
    id: Option<InterfaceId>,
) -> Result<Option<Behind>, Failure> {
    if (&site, &id) == (&None, &None) {
        return Ok(before);
    }
    let (its, own) = before.map(|before| (before.site, before.id)).unzip();
    match (site.or(its), id.or(own)) {
        (Some(site), Some(id)) => Ok(Some(Behind { site, id })),
        (None, _) => Err(Failure::new("it is behind no other host")
            .hint("an interface identifier needs --behind SITE")),
        (_, None) => Err(Failure::new("its interface identifier is not known")
            .hint("add --interface-id ::1:2:3:4, or its MAC address")),
    }
}

/// A static host may have any address that one machine can have.
fn unicast(address: IpAddr) -> Result<IpAddr, String> {
    let many = match address {
        IpAddr::V4(ipv4) => ipv4.is_broadcast(),
        IpAddr::V6(_) => false,
    };
    if many || address.is_multicast() || address.is_unspecified() {
        return Err(format!("{address} is no unicast address"));
    }
    Ok(address)
}

/// A duration that is a TTL.
pub(in super::super) fn ttl(text: &str) -> Result<Ttl, String> {
    let span: Span = text.parse().map_err(text_of)?;
    Ttl::new(u32::try_from(span.seconds()).unwrap_or(u32::MAX)).map_err(text_of)
}

/// Nothing, or ten minutes and more.
pub(in super::super) fn expire(text: &str) -> Result<Span, String> {
    let span: Span = text.parse().map_err(text_of)?;
    if span != Span::ZERO && span < SHORTEST_EXPIRE {
        return Err(format!("{span} is under ten minutes; 0 is never"));
    }
    Ok(span)
}

/// A duration that is not nothing.
pub(in super::super) fn some_span(text: &str) -> Result<Span, String> {
    match text.parse().map_err(text_of)? {
        Span::ZERO => Err("0 is no length of time here".to_owned()),
        span => Ok(span),
    }
}

/// A family by its name.
pub(super) fn family(text: &str) -> Result<Family, String> {
    Family::BOTH
        .into_iter()
        .find(|family| family.as_str() == text)
        .ok_or_else(|| "write ipv4 or ipv6".to_owned())
}

/// One line of text.
pub(super) fn note(text: &str) -> Result<String, String> {
    match text.chars().any(char::is_control) {
        true => Err("a remark is one line of text".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// Something before an `@` and something after it, no more: RFC 5321 allows a lot.
pub(in super::super) fn mail(text: &str) -> Result<String, String> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "<>,@".contains(c);
    let is_sound = |part: &str| !part.is_empty() && !part.contains(odd);
    match text.rsplit_once('@') {
        Some((local, domain)) if is_sound(local) && is_sound(domain) => Ok(text.to_owned()),
        _ => Err("write it like anna@example.org".to_owned()),
    }
}

/// An IPv4 address.
pub(super) fn ipv4(text: &str) -> Result<IpAddr, String> {
    let address: Ipv4Addr = text
        .parse()
        .map_err(|_| "it is no IPv4 address".to_owned())?;
    Ok(IpAddr::V4(address))
}

/// An IPv6 address that is no IPv4 address in disguise.
pub(super) fn ipv6(text: &str) -> Result<IpAddr, String> {
    let address: Ipv6Addr = text
        .parse()
        .map_err(|_| "it is no IPv6 address".to_owned())?;
    match address.to_ipv4_mapped() {
        Some(ipv4) => Err(format!("it is the IPv4 address {ipv4}")),
        None => Ok(IpAddr::V6(address)),
    }
}

/// An error as clap takes it.
fn text_of(error: impl std::fmt::Display) -> String {
    error.to_string()
}
