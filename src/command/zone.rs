//! `bowline zone`: further zones, and what their parents need to know.

use serde_json::{Value, json};

use super::host::{expire, note_expire, ttl};
use super::init::apply_steps;
use super::{Context, Failure, zone_hosts};
use crate::config::Zone;
use crate::name::ZoneName;
use crate::setup::change::Standing;
use crate::setup::configuration::ZoneKeys;
use crate::setup::delegation::Delegation;
use crate::setup::issuer::Issuer;
use crate::setup::next::Step;
use crate::setup::parent::{Ds, Parent, ds_here, parent_here};
use crate::setup::zone::{Mailbox, NameServer};
use crate::setup::{NewZone, Plan, SetupError, keys, report};
use crate::span::Span;
use crate::ttl::Ttl;

/// Add, list, change and remove zones
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Add a zone
    Add(Add),
    /// List the zones
    List,
    /// Show the records that the parents need
    Show {
        /// The zone [default: all of them]
        zone: Option<ZoneName>,
    },
    /// Change a zone
    Set(Set),
    /// Show the way back; with --apply go it, and show what is left
    Remove {
        /// The zone
        zone: ZoneName,
        /// Run the local commands, stopping at the first that fails; then those that it prints are
        /// yours
        #[arg(long)]
        apply: bool,
    },
}

#[derive(Debug, clap::Args)]
struct Add {
    /// The zone whose hosts move, e.g. dyn.example.org
    zone: ZoneName,
    /// A name server of the zone, outside it; the primary first [default: those of the first zone;
    /// where that came with --dns none, the zone is served already]
    #[arg(long = "nameserver", value_name = "NAME")]
    nameservers: Vec<NameServer>,
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
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<Ttl>,
    /// How long a silent host keeps its records; 0: for ever [default: 0]
    #[arg(long, value_name = "DURATION", value_parser = expire)]
    expire: Option<Span>,
    /// Who answers for the zone [default: hostmaster at the parent]
    #[arg(long, value_name = "MAIL")]
    hostmaster: Option<Mailbox>,
}

#[derive(Debug, clap::Args)]
struct Set {
    /// The zone
    zone: ZoneName,
    /// The TTL of hosts without one of their own
    #[arg(long, value_name = "DURATION", value_parser = ttl)]
    ttl: Option<Ttl>,
    /// How long a silent host keeps its records; 0: for ever
    #[arg(long, value_name = "DURATION", value_parser = expire)]
    expire: Option<Span>,
    /// Let hosts set challenges for certificates (TXT at _acme-challenge)
    #[arg(long)]
    acme: bool,
    /// Let them set none any more, and take the right from the key
    #[arg(long, conflicts_with = "acme")]
    no_acme: bool,
}

/// Does what the action says.
///
/// # Errors
/// No such zone, or one that is there already; a file or command that failed.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let standing = Standing::load(&context.config)?;
    match options.action {
        Action::Add(options) => {
            zone_hosts::check_new(&standing.config, &options.zone)?;
            let expire = options.expire;
            let plan = add(&standing, options)?;
            note_expire(expire);
            show_plan(&plan, context)
        }
        Action::List => list(&standing, context),
        Action::Show { zone } => show(&standing, zone.as_ref(), context),
        Action::Set(options) => {
            let (expire, done) = (options.expire, format!("{}: set", options.zone));
            let plan = set(&standing, options)?;
            note_expire(expire);
            show_done(&done, &plan, context)
        }
        Action::Remove { zone, apply } => remove(&standing, &zone, apply, context),
    }
}

fn add(standing: &Standing, options: Add) -> Result<Plan, SetupError> {
    let mut nameservers = options.nameservers.clone();
    // One that was only taken out of bowline.toml comes back as it was.
    let remembered = Delegation::load(&standing.place, &options.zone)?.nameservers;
    let unsigned = !remembered.is_empty() && !standing.is_signed(&options.zone)?;
    if nameservers.is_empty() {
        nameservers = remembered;
    }
    if nameservers.is_empty() {
        nameservers = standing.first_delegation()?.nameservers;
    }
    let mut zone = match nameservers.is_empty() {
        true => served_zone(&options)?,
        false => NewZone::new(
            options.zone.clone(),
            nameservers,
            options.hostmaster.clone(),
        )?,
    };
    zone.dnssec = !(options.no_dnssec || unsigned);
    zone.acme = options.acme;
    zone.caa = options.caa;
    zone.ttl = options.ttl;
    zone.expire = options.expire;
    standing.add(&zone)
}

/// Another zone of a name server that was there before.
fn served_zone(options: &Add) -> Result<NewZone, SetupError> {
    let said = [
        ("--no-dnssec", options.no_dnssec),
        ("--caa", !options.caa.is_empty()),
        ("--hostmaster", options.hostmaster.is_some()),
    ];
    let why = "without --nameserver the zone is served already";
    NewZone::served(options.zone.clone(), why, &said)
}

fn set(standing: &Standing, options: Set) -> Result<Plan, SetupError> {
    let keys = ZoneKeys {
        server: None,
        ttl: options.ttl,
        expire: options.expire,
        acme: (options.acme || options.no_acme).then_some(options.acme),
    };
    standing.set(&options.zone, keys)
}

fn list(standing: &Standing, context: &mut Context<'_>) -> Result<(), Failure> {
    let zones = &standing.config.zones;
    if context.json {
        let all: Vec<Value> = zones
            .iter()
            .map(|zone| {
                json!({
                    "name": zone.name.as_str(),
                    "server": zone.server.to_string(),
                    "ttl": zone.ttl.seconds(),
                    "expire": zone.expire.seconds(),
                    "allow_private": zone.allow_private,
                    "acme": zone.acme,
                })
            })
            .collect();
        writeln!(context.out, "{:#}", Value::Array(all))?;
        return Ok(());
    }
    for zone in zones {
        let expire = match zone.expire {
            Span::ZERO => "never".to_owned(),
            span => span.to_string(),
        };
        let (name, server, ttl) = (zone.name.for_people(), zone.server, zone.ttl);
        let acme = if zone.acme { "  acme" } else { "" };
        writeln!(
            context.out,
            "{name}  server {server}  ttl {ttl}  expire {expire}{acme}"
        )?;
    }
    Ok(())
}

fn show(
    standing: &Standing,
    name: Option<&ZoneName>,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let zones: Vec<&Zone> = match name {
        Some(name) => vec![standing.zone(name)?],
        None => standing.config.zones.iter().collect(),
    };
    let mut all = Vec::new();
    for zone in zones {
        let mut records = standing.delegation(zone)?;
        let signed = standing.is_signed(&zone.name)?;
        let ds = ds_here(zone, signed);
        if let Ds::Enter(more) | Ds::Entered(more) = &ds {
            records.extend(more.iter().cloned());
        }
        let said = match ds {
            Ds::Unsigned => "none: the zone is not signed".to_owned(),
            Ds::NotYet(why) => format!("not yet: {why}"),
            Ds::Enter(_) => "ready".to_owned(),
            Ds::Entered(_) => "entered: the parent has it".to_owned(),
        };
        let closed = Delegation::closed(&standing.place, &zone.name).map(|script| {
            format!(
                "the addresses of its name servers are in {}, which root may read",
                script.display()
            )
        });
        let notes = keys::weakness(&zone.key_file)?.into_iter().chain(closed);
        let notes: Vec<String> = notes.collect();
        if context.json {
            all.push(json!({
                "name": zone.name.as_str(),
                "records": records,
                "ds": said,
                "notes": notes,
            }));
        } else {
            writeln!(context.out, "Zone {}", zone.name.for_people())?;
            report::notes(&notes, context.out)?;
            report::records(&records, context.out)?;
            writeln!(context.out, "\nDS: {said}\n")?;
        }
    }
    if context.json {
        writeln!(context.out, "{:#}", Value::Array(all))?;
    }
    Ok(())
}

fn remove(
    standing: &Standing,
    zone: &ZoneName,
    apply: bool,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    standing.zone(zone)?;
    let mut notes = Vec::new();
    let hosts = match zone_hosts::names(&standing.config, zone) {
        Ok(names) => names.len(),
        Err(failure) if apply => return Err(failure),
        Err(_) => {
            notes.push(format!(
                "the hosts of {zone} could not be listed: see that there are none"
            ));
            0
        }
    };
    let mut parent = Parent::Unknown(String::new());
    if apply {
        if hosts > 0 {
            return Err(SetupError::HostsThere(zone.clone(), hosts).into());
        }
        parent = parent_here(zone);
        match &parent {
            Parent::Has(kind) => {
                return Err(SetupError::ParentThere(zone.clone(), kind).into());
            }
            Parent::Unknown(why) if standing.is_signed(zone)? => {
                return Err(SetupError::ParentUnknown(zone.clone(), why.clone()).into());
            }
            Parent::Unknown(why) => notes.push(format!(
                "{why}: whether {} still has NS or DS could not be told",
                zone.parent()
            )),
            Parent::Gone => {}
        }
    }
    let steps = standing.removal(zone, hosts, &parent)?;
    let mut plan = Plan {
        files: Vec::new(),
        records: Vec::new(),
        next: Vec::new(),
        notes,
    };
    if apply {
        plan.next = apply_steps(&steps, context, |_| Ok(()))?;
        // Last, so that a removal that stopped half-way can be run again.
        standing.forget(zone)?;
        return show_done(&format!("{zone}: removed"), &plan, context);
    }
    let again = standing
        .place
        .bowline(&format!("zone remove {zone} --apply"));
    plan.next = steps;
    plan.next.push(Step::yours(
        "bowline.toml, and the local ones of the above",
        again,
    ));
    show_plan(&plan, context)
}

/// What was done, then what else there is to know and to type.
fn show_done(what: &str, plan: &Plan, context: &mut Context<'_>) -> Result<(), Failure> {
    if !context.json {
        writeln!(context.out, "{what}")?;
        if !plan.files.is_empty() {
            writeln!(context.out)?;
        }
    }
    show_plan(plan, context)
}

fn show_plan(plan: &Plan, context: &mut Context<'_>) -> Result<(), Failure> {
    if context.json {
        writeln!(context.out, "{:#}", report::json(plan))?;
        return Ok(());
    }
    if !plan.files.is_empty() {
        report::files(plan, false, context.out)?;
    }
    report::rest(plan, context.out)?;
    Ok(())
}
