//! `bowline init`: configuration, keys, the servers' files, and what is left to do.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use clap::{ArgMatches, Args as _, Command, ValueEnum};

use super::{Context, Failure, typed, zone_hosts};
use crate::base_url::BaseUrl;
use crate::config::Config;
use crate::name::ZoneName;
use crate::port::AddressPort;
use crate::setup::bind::Bind;
use crate::setup::files::Written;
use crate::setup::gateway::FIXED_USER;
use crate::setup::issuer::Issuer;
use crate::setup::knot::Knot;
use crate::setup::lock::{self, Lock};
use crate::setup::nameserver::{self, Program};
use crate::setup::next::{self, Step};
use crate::setup::powerdns::PowerDns;
use crate::setup::users::{self, Owners};
use crate::setup::zone::{Mailbox, NameServer, check_url};
use crate::setup::{
    Gateway, NewZone, Place, Setup, SetupError, WebServer, apply, listen, parent, place, report,
    taken,
};
use crate::ttl::Ttl;

/// Where updates go, as the help has it.
static UPDATE: LazyLock<String> = LazyLock::new(|| nameserver::UPDATE.for_knot());

/// Set up this machine for a first zone
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// The zone whose hosts move, e.g. dyn.example.org
    zone: ZoneName,
    /// A name server of the zone, outside it; the primary first. Must be there, but for --dns none
    #[arg(
        long = "nameserver",
        value_name = "NAME",
        required_unless_present = "dns",
        required_if_eq_any([("dns", "knot"), ("dns", "bind"), ("dns", "powerdns")]),
    )]
    nameservers: Vec<NameServer>,
    /// What stands in front of every token, e.g. https://update.example.org
    #[arg(long)]
    url: BaseUrl,
    /// The name server to set up; none: one that serves the zone already, here or elsewhere, and
    /// stays as it is [default: the one installed]
    #[arg(long, value_enum, value_name = "SERVER")]
    dns: Option<Dns>,
    /// Do not sign the zone
    #[arg(long)]
    no_dnssec: bool,
    /// Let hosts set challenges for certificates (TXT at _acme-challenge)
    #[arg(long)]
    acme: bool,
    /// Let only this authority issue certificates for the zone (CAA), e.g. letsencrypt.org;
    /// repeatable
    #[arg(long, value_name = "ISSUER")]
    caa: Vec<Issuer>,
    /// The TTL of hosts without one of their own [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = super::host::ttl)]
    ttl: Option<Ttl>,
    /// Who answers for the zone [default: hostmaster at the parent]
    #[arg(long, value_name = "MAIL")]
    hostmaster: Option<Mailbox>,
    /// Where the outside asks [default: this machine's lasting public addresses, port 53]
    #[arg(long, value_name = "ADDR@PORT")]
    dns_listen: Vec<AddressPort>,
    /// What the parent's A and AAAA say, when behind NAT
    #[arg(long, value_name = "ADDR")]
    public: Vec<IpAddr>,
    /// Another machine with Knot that serves the zones too
    #[arg(long = "secondary", value_name = "ADDR@PORT")]
    secondaries: Vec<AddressPort>,
    /// The key for updates, where the name server has one already: as BIND or Knot write it
    /// [default: a new one]
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Where updates go
    #[arg(long, value_name = "ADDR@PORT", default_value = UPDATE.as_str())]
    update: AddressPort,
    /// The web server to set up [default: the one installed; of two the one that runs]
    #[arg(long, value_enum, value_name = "SERVER")]
    web: Option<Web>,
    /// How the web server runs bowline [default: fastcgi where systemd runs, else cgi]
    #[arg(long, value_enum)]
    gateway: Option<Way>,
    /// A plain-HTTP virtual host there instead, for a proxy in front or a trial
    #[arg(long, value_name = "ADDR:PORT")]
    http: Option<AddressPort>,
    /// Where configuration and keys go; elsewhere than /etc/bowline the servers' files go there too
    #[arg(long, value_name = "DIR")]
    config_dir: Option<PathBuf>,
    /// Where the registry goes [default: /var/lib/bowline, or DIR/state]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// The user that bowline runs as [default: bowline with fastcgi, the web server's with cgi]
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Run the local commands too, stopping at the first that fails
    #[arg(long)]
    apply: bool,
    /// Write nothing, show everything
    #[arg(long, conflicts_with = "apply")]
    dry_run: bool,
    /// These as they were typed, for the configuration to keep.
    #[arg(skip)]
    typed: String,
}

/// What is of one run, or known from where the configuration is.
const NOT_KEPT: [&str; 4] = ["apply", "dry_run", "key", "config_dir"];

impl Options {
    /// Keeps what was typed.
    pub(super) fn remember(&mut self, typed: &ArgMatches) {
        let init = Options::augment_args(Command::new("init"));
        self.typed = typed::line(&init, typed, &NOT_KEPT);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dns {
    Knot,
    Bind,
    Powerdns,
    None,
}

impl Dns {
    fn program(self) -> Option<&'static dyn Program> {
        match self {
            Dns::Knot => Some(&Knot),
            Dns::Bind => Some(&Bind),
            Dns::Powerdns => Some(&PowerDns),
            Dns::None => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Web {
    Apache,
    Nginx,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Way {
    Fastcgi,
    Cgi,
}

/// Plans, writes, and with `--apply` runs what can be run here.
///
/// # Errors
/// What was asked for cannot be had here, or a file or command failed.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let (apply, dry_run) = (options.apply, options.dry_run);
    let mut setup = setup(options, &context.config)?;
    if let Ok(config) = Config::load(&setup.place.config)
        && config.zone(&setup.zone.name).is_none()
    {
        zone_hosts::check_new(&config, &setup.zone.name)?;
    }
    let unsigns = setup.ends_signing()?;
    // A trial is nobody's child.
    if unsigns && apply && !setup.place.private {
        parent::check_no_ds_here(&setup.zone.name)?;
    }
    let mut made = None;
    let (lock, mut written, mut plan) = loop {
        let lock = match dry_run {
            true => None,
            false => Lock::take(&setup.place, lock::WAIT)?,
        };
        let written = Written::load(&setup.place.written())?;
        let mut plan = setup.plan(&written)?;
        if setup.owners.state.is_missing() && !dry_run {
            setup.owners = users::make_fixed()?;
            plan = setup.plan(&written)?;
            made = Some(format!("made the user {}", setup.owners.state.user));
        }
        // Whoever has made the directory since there was nothing to lock is waited for: what
        // was planned beside him fits nothing.
        if lock.is_some() || dry_run || !setup.place.config_dir().is_dir() {
            break (lock, written, plan);
        }
    };
    plan.notes.extend(made);
    if unsigns && !apply {
        plan.next.insert(0, next::without_ds(&setup.zone.name));
    }
    if !dry_run {
        setup.forget_gone(&plan, &mut written)?;
        plan.write(&setup.place, &setup.owners, &mut written)?;
        setup.remember(&mut plan, &mut written)?;
    }
    drop(lock);
    if !context.json {
        report::files(&plan, dry_run, context.out)?;
    }
    if apply {
        let done = |step: &Step| plan.done(step, &setup.place, &setup.owners);
        plan.next = apply_steps(&plan.next, context, done)?;
    }
    if context.json {
        writeln!(context.out, "{:#}", report::json(&plan))?;
    } else {
        report::rest(&plan, context.out)?;
    }
    Ok(())
}

/// Runs the local steps, on standard output where that is not for JSON.
pub(super) fn apply_steps(
    steps: &[Step],
    context: &mut Context<'_>,
    done: impl FnMut(&Step) -> Result<(), SetupError>,
) -> Result<Vec<Step>, Failure> {
    if context.json {
        return Ok(apply::apply(steps, &mut std::io::sink(), done)?);
    }
    writeln!(context.out)?;
    Ok(apply::apply(steps, context.out, done)?)
}

/// Checks the options against each other and this machine.
fn setup(options: Options, config: &Path) -> Result<Setup, SetupError> {
    let config = match &options.config_dir {
        Some(directory) => directory.join("bowline.toml"),
        None => config.to_owned(),
    };
    // Where there is a registry already, it stays.
    let there = || Some(Config::load(&config).ok()?.state_directory().to_owned());
    let place = Place::new(&config, options.state_dir.clone().or_else(there))?;
    let web = match options.web {
        None => Some(WebServer::usual(&place)),
        Some(Web::Apache) => Some(WebServer::Apache),
        Some(Web::Nginx) => Some(WebServer::Nginx),
        Some(Web::None) => None,
    };
    let dns = name_server(options.dns, &place, &options.zone)?;
    let key_text = |file: &PathBuf| {
        fs::read_to_string(file).map_err(|error| SetupError::io("read", file, error))
    };
    let key = options.key.as_ref().map(key_text).transpose()?;
    let mut zone = match dns {
        Some(dns) => new_zone(&options, dns)?,
        None => served_zone(&options)?,
    };
    check_url(&options.url, &zone.name, dns.is_some())?;
    // A right that was given stays.
    let given = Config::load(&place.config)
        .is_ok_and(|config| config.zone(&zone.name).is_some_and(|zone| zone.acme));
    zone.acme = options.acme || given;
    zone.ttl = options.ttl;
    let public = once(options.public.iter().map(IpAddr::to_canonical).collect());
    let (listeners, public) = match dns {
        Some(dns) => {
            let (listeners, public) = listen::chosen(once(options.dns_listen), public)?;
            taken::check(listeners.iter().chain([&options.update]), dns)?;
            (listeners, public)
        }
        None if public.is_empty() => (Vec::new(), listen::public(&listen::addresses())),
        None => (Vec::new(), public),
    };
    let gateway = match options.gateway {
        None => Gateway::usual(&place),
        Some(Way::Fastcgi) => Gateway::Fastcgi,
        Some(Way::Cgi) => Gateway::Cgi,
    };
    let user = options.user.unwrap_or_else(|| usual_user(&place, gateway));
    let owners = Owners::new(&user).ok_or(SetupError::NoUser(user))?;
    if web.is_some() && gateway == Gateway::Cgi && !place.private {
        owners.check_cgi()?;
    }
    let executable = std::env::current_exe()
        .map_err(|error| SetupError::io("find", Path::new("bowline"), error))?;
    place::check_path(&executable)?;
    Ok(Setup {
        place,
        zone,
        url: options.url,
        dns,
        listeners,
        public,
        secondaries: once(options.secondaries),
        update: options.update,
        key,
        web,
        gateway,
        http: options.http,
        executable,
        owners,
        typed: options.typed,
    })
}

/// The zone that `dns` is to serve.
fn new_zone(options: &Options, dns: &'static dyn Program) -> Result<NewZone, SetupError> {
    if !options.secondaries.is_empty() && !dns.has_secondaries() {
        let (option, with) = ("--secondary", format!("with {}", dns.name()));
        return Err(SetupError::Later(option, with, SECONDARY_WAYS));
    }
    let (names, hostmaster) = (options.nameservers.clone(), options.hostmaster.clone());
    let mut zone = NewZone::new(options.zone.clone(), names, hostmaster)?;
    zone.dnssec = !options.no_dnssec;
    zone.caa.clone_from(&options.caa);
    if !options.update.0.ip().is_loopback() {
        return Err(SetupError::UpdateElsewhere(options.update.0));
    }
    Ok(zone)
}

/// The zone that a name server serves already: nothing of what it has is changed.
fn served_zone(options: &Options) -> Result<NewZone, SetupError> {
    let said = [
        ("--nameserver", !options.nameservers.is_empty()),
        ("--no-dnssec", options.no_dnssec),
        ("--caa", !options.caa.is_empty()),
        ("--hostmaster", options.hostmaster.is_some()),
        ("--dns-listen", !options.dns_listen.is_empty()),
        ("--secondary", !options.secondaries.is_empty()),
    ];
    NewZone::served(options.zone.clone(), "--dns none", &said)
}

/// The responder has a user of its own; what the web server starts is the web server's, and
/// so are private servers.
fn usual_user(place: &Place, gateway: Gateway) -> String {
    match gateway {
        Gateway::Fastcgi if !place.private => FIXED_USER.to_owned(),
        _ => users::usual_web_user(),
    }
}

/// Each of them once, in their order: PowerDNS does not start with a listener named twice.
fn once<T: Copy + PartialEq>(all: Vec<T>) -> Vec<T> {
    let mut each: Vec<T> = Vec::with_capacity(all.len());
    for one in all {
        if !each.contains(&one) {
            each.push(one);
        }
    }
    each
}

/// The one that was named, else the one that the zone has, else the one installed.
fn name_server(
    named: Option<Dns>,
    place: &Place,
    zone: &ZoneName,
) -> Result<Option<&'static dyn Program>, SetupError> {
    let named = named.map(Dns::program);
    match (named, nameserver::found(place, zone)) {
        (Some(named), Some(has)) if named.is_none_or(|named| named.name() != has.name()) => {
            Err(SetupError::ServedBy(zone.clone(), has.name()))
        }
        (_, Some(has)) => Ok(Some(has)),
        (named, None) => Ok(named.unwrap_or_else(|| Some(nameserver::installed()))),
    }
}

/// The ways out where secondaries cannot be set up.
const SECONDARY_WAYS: &str = "--dns knot sets them up; with another name server give a key the right to \
                              transfer the zone, and tell the secondary of each zone";
