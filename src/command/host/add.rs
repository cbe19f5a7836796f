//! `bowline host add`: a new host and its token.

use std::net::IpAddr;

use clap::Args;

use super::super::handed::Argument;
use super::super::session::{Session, full_name, new_name};
use super::super::settle::settle;
use super::super::token::{self, TokenSource, taken_or_new};
use super::super::{Context, Failure, note};
use super::given::{self, Given, check_static, permitted};
use super::report;
use crate::config::Config;
use crate::devices::Device;
use crate::interface_id::InterfaceId;
use crate::ip::Addresses;
use crate::name::{HostName, ZoneName};
use crate::owner_name::OwnerName;
use crate::registry::{NewHost, RegistryError, Settings};
use crate::span::Span;

/// Add a host; prints its update URL, this once
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Its name, short (home) or in full (home.dyn.example.org)
    #[arg(required_unless_present = "random", conflicts_with = "random")]
    name: Option<String>,
    /// The zone a short name is in, where there are several
    #[arg(long)]
    zone: Option<ZoneName>,
    /// Give it a random name
    #[arg(long)]
    random: bool,
    /// Whose host it is: the owner's token is good for it too
    #[arg(long, value_name = "NAME")]
    owner: Option<OwnerName>,
    #[command(flatten)]
    given: Given,
    /// The host whose LAN prefix gives it its IPv6 address, such as the router
    #[arg(
        long,
        value_name = "SITE",
        requires = "interface_id",
        conflicts_with = "fixed"
    )]
    behind: Option<String>,
    /// Its own part of that address, like ::1:2:3:4, or its MAC address
    #[arg(long, value_name = "ID", requires = "behind")]
    interface_id: Option<InterfaceId>,
    /// Take a secret over: from standard input (-) or a file (@FILE)
    #[arg(long, value_name = "-|@FILE", value_parser = TokenSource::parse, allow_hyphen_values = true)]
    token: Option<TokenSource>,
    /// Publish this IPv4 address
    #[arg(long, value_name = "A", value_parser = given::ipv4)]
    ipv4: Option<IpAddr>,
    /// Publish this IPv6 address
    #[arg(long, value_name = "A", value_parser = given::ipv6)]
    ipv6: Option<IpAddr>,
    /// Its addresses are set here only; it has no token
    #[arg(long = "static", conflicts_with_all = ["token", "expire", "plain_http"])]
    fixed: bool,
    /// Print what is to be pasted into this device, the token in it
    #[arg(long = "for", value_name = "DEVICE", conflicts_with = "fixed")]
    device: Option<Device>,
    /// Even if the name was removed a short time ago
    #[arg(long)]
    again: bool,
    /// Even if it is below or above a host of another owner: the upper can obtain certificates
    /// for the lower
    #[arg(long)]
    below: bool,
}

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

/// Adds the host, publishes its addresses and says its token.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let mut session = Session::open(context)?;
    let label = match options.name {
        Some(name) => name,
        None => random_label(options.zone.as_ref(), &session.config)?,
    };
    let clearer = "write the name in full, or add --zone ZONE";
    let name = new_name(&label, options.zone.as_ref(), &session.config, clearer)?;
    let full = name.clone();
    let zone = session.zone(&name)?;
    let mut settings = Settings {
        fixed: options.fixed.then_some(Addresses::NONE),
        owner: options.owner,
        ..Settings::default()
    };
    let expire = options.given.expire;
    options.given.apply(&mut settings);
    let site = options.behind.map(|site| session.host(&site)).transpose()?;
    let site = site.map(|site| site.name);
    settings.behind = given::behind(None, site, options.interface_id)?;
    let addresses = [options.ipv4, options.ipv6].into_iter().flatten();
    let addresses = permitted(addresses, &settings, zone.policy())?;
    check_static(&name, &mut settings, addresses, false)?;
    let token = match options.fixed {
        false => Some(taken_or_new(options.token.as_ref(), &mut context.handed)?),
        true => None,
    };
    let new = NewHost {
        name,
        settings,
        token: token.as_ref().map(|token| session.registry.digest(token)),
        addresses,
        reuse: match options.again {
            true => Span::ZERO,
            false => session.config.limits.reuse,
        },
        below: options.below,
    };
    let ttl = zone.ttl;
    let behind = new.settings.behind.clone();
    let ids = session.registry.add(&[new], ttl, session.now);
    let ids = ids.map_err(|error| match error {
        // There is no host yet that could be put elsewhere.
        RegistryError::NotBehind { why, .. } if why.is_of_settings() => {
            Failure::new(error).hint("change that first, or do without --behind")
        }
        error => error.into(),
    })?;
    full_name(&label, &full).into_iter().for_each(note);
    settle(&mut session, &ids);
    behind.iter().for_each(report::note_behind);
    report::note_expire(expire);
    for id in ids {
        report::with_token(&session, id, token.as_ref(), options.device, context)?;
    }
    Ok(())
}

/// A random name, where it is clear which zone it is for: nobody could write it in full.
fn random_label(zone: Option<&ZoneName>, config: &Config) -> Result<String, Failure> {
    let zones: Vec<&str> = config.zones.iter().map(|zone| zone.name.as_str()).collect();
    if zone.is_none() && zones.len() > 1 {
        let zones = zones.join(" or ");
        let cause = format!("a random name could be in the zone {zones}");
        return Err(Failure::new(cause).hint("add --zone ZONE"));
    }
    HostName::random_label().map_err(|_| Failure::new("the system gave no random numbers"))
}
