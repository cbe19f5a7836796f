//! `bowline host set`: other settings, other addresses.

use std::convert::Infallible;
use std::net::IpAddr;

use clap::Args;

use super::super::handed::Argument;
use super::super::session::Session;
use super::super::settle::{settle, settle_anew};
use super::super::token::{self, TokenSource};
use super::super::{Context, Failure, note};
use super::given::{self, Given, check_static, permitted, still_permitted};
use super::report;
use crate::interface_id::InterfaceId;
use crate::ip::{Addresses, Family, Policy};
use crate::name::HostName;
use crate::owner_name::{OwnerName, OwnerNameError};
use crate::registry::{Edit, Host, KeptToken, Settings};
use crate::token::Digest;

/// Change a host's settings or addresses
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short or in full
    name: String,
    /// Whose host it is from now on; -: nobody's
    #[arg(long, value_name = "NAME|-", value_parser = owner_or_none, allow_hyphen_values = true)]
    owner: Option<OrNone<OwnerName>>,
    #[command(flatten)]
    given: Given,
    /// The host whose LAN prefix gives it its IPv6 address, such as the router; -: none
    #[arg(long, value_name = "SITE|-", value_parser = text_or_none, allow_hyphen_values = true)]
    behind: Option<OrNone<String>>,
    /// Its own part of that address, like ::1:2:3:4, or its MAC address
    #[arg(long, value_name = "ID")]
    interface_id: Option<InterfaceId>,
    /// Take a secret over in the place of its token: from standard input (-) or a file (@FILE)
    #[arg(long, value_name = "-|@FILE", value_parser = TokenSource::parse, allow_hyphen_values = true)]
    token: Option<TokenSource>,
    /// Publish this IPv4 address; -: none
    #[arg(long, value_name = "A|-", value_parser = ipv4_or_none, allow_hyphen_values = true)]
    ipv4: Option<OrNone<IpAddr>>,
    /// Publish this IPv6 address; -: none
    #[arg(long, value_name = "A|-", value_parser = ipv6_or_none, allow_hyphen_values = true)]
    ipv6: Option<OrNone<IpAddr>>,
    /// Its addresses are set here only from now on; its token dies
    #[arg(long = "static", conflicts_with_all = ["token", "expire", "plain_http"])]
    fixed: bool,
    /// Even if it is below or above a host of another owner: the upper can obtain certificates
    /// for the lower
    #[arg(long)]
    below: bool,
    #[command(flatten)]
    no: No,
}

/// What is taken back.
#[derive(Debug, Args)]
struct No {
    /// The zone's TTL again
    #[arg(long, conflicts_with = "ttl")]
    no_ttl: bool,
    /// The zone's expiry again
    #[arg(long, conflicts_with = "expire")]
    no_expire: bool,
    /// No remark
    #[arg(long, conflicts_with = "note")]
    no_note: bool,
    /// No mail address
    #[arg(long, conflicts_with = "mail")]
    no_mail: bool,
    /// What is told of it is as configured again
    #[arg(long, conflicts_with = "notify")]
    no_notify: bool,
    /// Both families again
    #[arg(long, conflicts_with = "only")]
    no_only: bool,
    /// No private addresses
    #[arg(long, conflicts_with = "allow_private")]
    no_allow_private: bool,
    /// No wildcard
    #[arg(long, conflicts_with = "wildcard")]
    no_wildcard: bool,
    /// No plain HTTP
    #[arg(long, conflicts_with = "plain_http")]
    no_plain_http: bool,
    /// Its client sets its addresses from now on
    #[arg(long, conflicts_with = "fixed")]
    no_static: bool,
}

/// Something, or none.
#[derive(Debug, Clone, Copy)]
struct OrNone<T>(Option<T>);

impl Options {
    /// The file with the token.
    pub(super) fn files(&self) -> Vec<Argument> {
        token::files(self.token.as_ref())
    }

    /// Why they cannot be used, beyond what clap sees.
    pub(super) fn misuse(&self) -> Option<&'static str> {
        token::misplaced(self.token.as_ref())
    }
}

/// Changes the host, and publishes it where its records change with it.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let host = session.host(&options.name)?;
    let zone = session.zone(&host.name)?;
    let (ttl, policy) = (zone.ttl, zone.policy());
    let token = match &options.token {
        Some(source) => Some(session.registry.digest(&source.read(&mut context.handed)?)),
        None => None,
    };
    let site = match &options.behind {
        Some(OrNone(Some(site))) => Some(session.host(site)?.name),
        _ => None,
    };
    let new_behind = site.is_some() || options.interface_id.is_some();
    let names_addresses = options.ipv4.is_some() || options.ipv6.is_some();
    let new_ttl = options.given.ttl.is_some() || options.no.no_ttl;
    let new_owner = (options.owner.as_ref()).is_some_and(|owner| owner.0 != host.settings.owner);
    let (same_token, same_mail) = (options.token.is_none(), options.given.mail.is_none());
    let now_static = options.fixed && host.settings.fixed.is_none();
    let now_dynamic = options.no.no_static && host.settings.fixed.is_some();
    let expire = options.given.expire;
    let mut lost = Vec::new();
    session.registry.edit(host.id, ttl, session.now, |host| {
        edit(options, host, policy, site, token, &mut lost)
    })?;
    report::note_lost(&lost);
    match names_addresses {
        true => settle_anew(&mut session, host.id),
        false => settle(&mut session, &[host.id]),
    }
    let now = session.registry.host_by_id(host.id)?;
    // With another address it has taken effect already.
    let waits = |now: &Host| now.wish.records.ttl != now.settings.ttl.unwrap_or(ttl);
    if new_ttl && now.as_ref().is_some_and(waits) {
        note("a new TTL takes effect with the next address change");
    }
    report::note_expire(expire);
    if now_static {
        note(format!(
            "{} is static now, and its token is dead",
            host.name
        ));
    }
    if now_dynamic {
        note(format!(
            "{0} has no token yet; `bowline host rotate {0}` makes one",
            host.name
        ));
    }
    if let Some(host) = now.as_ref().filter(|_| new_owner) {
        let has_token = !session.registry.tokens(host.id)?.is_empty();
        report::note_kept(host, same_token && has_token, same_mail);
    }
    let behind = now.and_then(|host| host.settings.behind);
    let behind = behind.filter(|_| new_behind);
    behind.iter().for_each(report::note_behind);
    report::changed(&session, &host, "set", context)
}

/// The host as it is to be; `lost` gets why addresses go that nobody named.
fn edit(
    options: Options,
    host: &Host,
    policy: Policy,
    site: Option<HostName>,
    token: Option<Digest>,
    lost: &mut Vec<String>,
) -> Result<Edit, Failure> {
    let mut settings = host.settings.clone();
    if options.fixed && settings.fixed.is_none() {
        settings.fixed = Some(host.wish.records.addresses);
        (settings.expire, settings.plain_http) = (None, false);
    }
    options.no.apply(&mut settings);
    options.given.apply(&mut settings);
    if let Some(OrNone(owner)) = options.owner {
        settings.owner = owner;
    }
    if let Some(OrNone(None)) = options.behind {
        settings.behind = None;
    }
    settings.behind = given::behind(settings.behind, site, options.interface_id)?;
    let mut addresses = settings.fixed.unwrap_or(host.wish.records.addresses);
    let given = [(Family::Ipv4, options.ipv4), (Family::Ipv6, options.ipv6)];
    for (family, OrNone(address)) in given.iter().filter_map(|(f, a)| Some((*f, (*a)?))) {
        addresses.clear(family);
        if let Some(address) = address {
            addresses.put(
                permitted([address], &settings, policy)?
                    .iter()
                    .next()
                    .unwrap_or(address),
            );
        }
    }
    let (addresses, gone) = still_permitted(addresses, &settings, policy);
    lost.extend(gone);
    check_static(&host.name, &mut settings, addresses, token.is_some())?;
    if settings.fixed.is_none() && !host.is_on() && !addresses.is_empty() {
        return Err(Failure::new(format!("{} is switched off", host.name)).hint(
            "switch it on with `bowline host enable`, or its owner with `bowline owner enable`",
        ));
    }
    Ok(Edit {
        addresses: changed(host, addresses),
        settings,
        tokens: token.map(|digest| {
            vec![KeptToken {
                digest,
                until: None,
                used: None,
            }]
        }),
        disabled: None,
        owner_disabled: false,
        below: options.below,
    })
}

/// Addresses, where they are others than the host's.
fn changed(host: &Host, addresses: Addresses) -> Option<Addresses> {
    Some(addresses).filter(|addresses| *addresses != host.wish.records.addresses)
}

impl No {
    /// Takes settings back.
    fn apply(&self, settings: &mut Settings) {
        if self.no_ttl {
            settings.ttl = None;
        }
        if self.no_expire {
            settings.expire = None;
        }
        if self.no_note {
            settings.note = None;
        }
        if self.no_mail {
            settings.mail = None;
        }
        if self.no_notify {
            settings.notify = None;
        }
        if self.no_only {
            settings.only = None;
        }
        if self.no_static {
            settings.fixed = None;
        }
        settings.allow_private &= !self.no_allow_private;
        settings.wildcard &= !self.no_wildcard;
        settings.plain_http &= !self.no_plain_http;
    }
}

/// An IPv4 address, or `-` for none.
fn ipv4_or_none(text: &str) -> Result<OrNone<IpAddr>, String> {
    or_none(text, given::ipv4)
}

/// An IPv6 address, or `-` for none.
fn ipv6_or_none(text: &str) -> Result<OrNone<IpAddr>, String> {
    or_none(text, given::ipv6)
}

/// An owner's name, or `-` for none.
fn owner_or_none(text: &str) -> Result<OrNone<OwnerName>, OwnerNameError> {
    or_none(text, str::parse)
}

/// A host's name, or `-` for none.
fn text_or_none(text: &str) -> Result<OrNone<String>, Infallible> {
    or_none(text, |text| Ok(text.to_owned()))
}

/// What `parse` reads, or `-` for none.
fn or_none<T, E>(text: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Result<OrNone<T>, E> {
    match text {
        "-" => Ok(OrNone(None)),
        text => parse(text).map(|found| OrNone(Some(found))),
    }
}
