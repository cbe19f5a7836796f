//! `bowline host list`: the hosts, as confirmed.

use std::io::Write;

use clap::Args;

use super::super::session::Session;
use super::super::{Context, Failure};
use super::given::some_span;
use super::report::{Listed, expire, state};
use crate::name::ZoneName;
use crate::owner_name::OwnerName;
use crate::registry::{Host, State};
use crate::span::Span;

/// List the hosts with their confirmed addresses
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Only those of this owner
    #[arg(long, value_name = "O")]
    owner: Option<OwnerName>,
    /// Only those in this zone
    #[arg(long)]
    zone: Option<ZoneName>,
    /// Only those not heard for so long
    #[arg(long, value_name = "D", value_parser = some_span)]
    silent: Option<Span>,
    /// Only those that the name server has not confirmed
    #[arg(long)]
    pending: bool,
    /// Only those switched off
    #[arg(long)]
    disabled: bool,
    /// Only those silent for longer than their expiry
    #[arg(long)]
    expired: bool,
}

impl Options {
    /// Whether a host is asked for.
    fn wants(&self, host: &Host, session: &Session) -> bool {
        let silence = host.silence(session.now);
        let expire = expire(host, session);
        let has_client = host.settings.fixed.is_none();
        self.zone
            .as_ref()
            .is_none_or(|zone| host.name.zone() == *zone)
            && (self.owner.is_none() || self.owner == host.settings.owner)
            && self.silent.is_none_or(|span| has_client && silence >= span)
            && (!self.pending || host.is_pending())
            && (!self.disabled || host.state == State::Disabled || host.owner_disabled)
            && (!self.expired || (expire != Span::ZERO && silence >= expire))
    }
}

/// Writes one line or one JSON object per host, without holding them all.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let session = Session::open(context)?;
    if let Some(zone) = &options.zone
        && session.config.zone(zone).is_none()
    {
        return Err(Failure::new(format!("zone {zone} is not configured"))
            .hint("`bowline zone list` shows the zones there are"));
    }
    if let Some(owner) = &options.owner {
        session.owner(owner)?;
    }
    let mut count = 0;
    let (json, out) = (context.json, &mut *context.out);
    session.registry.each_host(|host| {
        if options.wants(&host, &session) {
            match json {
                true => write_json(&Listed::of(&host, &session), count == 0, out)?,
                false => write_line(&host, &session, count == 0, out)?,
            }
            count += 1;
        }
        Ok::<(), Failure>(())
    })?;
    match (json, count) {
        (true, 0) => writeln!(out, "[]")?,
        (true, _) => writeln!(out, "\n]")?,
        (false, _) => {}
    }
    Ok(session.registry.nothing_left_out()?)
}

/// One element of the array, on a line of its own.
fn write_json(listed: &Listed, first: bool, out: &mut dyn Write) -> Result<(), Failure> {
    out.write_all(if first { b"[\n  " } else { b",\n  " })?;
    Ok(serde_json::to_writer(out, listed)?)
}

/// One line; the headings before the first.
fn write_line(
    host: &Host,
    session: &Session,
    first: bool,
    out: &mut dyn Write,
) -> Result<(), Failure> {
    let mut line = |name: &str, state: &str, seen: &str, ipv4: &str, ipv6: &str| {
        writeln!(
            out,
            "{name:<36}  {state:<8}  {seen:<20}  {ipv4:<15}  {ipv6}"
        )
    };
    if first {
        line("NAME", "STATE", "LAST SEEN", "IPV4", "IPV6")?;
    }
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let addresses = host.fact.addresses;
    line(
        &host.name.for_people(),
        state(host, session),
        &or_dash(host.last_seen.map(|time| time.to_string())),
        &or_dash(addresses.ipv4.map(|ipv4| ipv4.to_string())),
        &or_dash(addresses.ipv6.map(|ipv6| ipv6.to_string())),
    )?;
    Ok(())
}
