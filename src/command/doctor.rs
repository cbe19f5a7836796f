//! `bowline doctor`.

use std::io::Read as _;

use clap::Args;

use serde_json::json;

use super::step_down::{ask_as, owner};
use super::{Context, Failure, Handed, for_here};
use crate::config::Config;
use crate::port::AddressPort;
use crate::setup::Place;
use crate::setup::access::Reader;
use crate::setup::doctor::logs::Suspects;
use crate::setup::doctor::state::{self, State};
use crate::setup::doctor::{self, Report, World};
use crate::setup::runner::Runner;
use crate::token::Digest;
use crate::upkeep;

/// The digests that are handed to the state directory's owner.
const SUSPECTS: &str = "suspects";

/// Check the whole set-up: files, keys, registry, name server, delegation, web server
///
/// One line for each check: ok, problem or cannot tell, its name, and what was found; then what to
/// do about it. Fails when there is a problem. Looking changes nothing: zones are asked to delete
/// what is not there. Run it as root, which can look at everything.
#[derive(Debug, Args)]
#[command(after_long_help = doctor::checks::table())]
pub(super) struct Options {
    /// Ask this resolver what the world sees, best one outside: ADDR or ADDR:PORT
    #[arg(long, value_name = "RESOLVER", value_parser = resolver)]
    via: Option<AddressPort>,
    /// Put right what is safe to: modes and owners of our own files, missing directories
    #[arg(long)]
    fix: bool,
}

/// Looks at everything, each part as who may look at it.
pub(super) fn run(options: &Options, context: &mut Context<'_>) -> Result<(), Failure> {
    if Handed::is_awaited() {
        return as_owner(options, context);
    }
    let mut report = Report::default();
    if let Some(config) = doctor::configuration::load(&context.config, &mut report) {
        examine(options, context, &config, &mut report)?;
    }
    write(report, context)
}

/// All checks of a configuration that can be used.
fn examine(
    options: &Options,
    context: &Context<'_>,
    config: &Config,
    report: &mut Report,
) -> Result<(), Failure> {
    let state_directory = config.state_directory().to_owned();
    let place = Place::new(&context.config, Some(state_directory))?;
    doctor::configuration::examine(config, &place, report);
    let runner = doctor::user::examine(config, &place, options.fix, report);
    doctor::configuration::owner(config, runner.as_ref(), options.fix, report);
    doctor::secrets::examine(config, &place, runner.as_ref(), options.fix, report);
    let suspects = Suspects::collect(config, &place);
    let state = match owner(config.state_directory()) {
        // What root would find there is not what bowline finds.
        Ok(None) if matches!(runner, Some(Runner::Lost { .. })) => State::default(),
        Ok(Some(owner)) => {
            let mut handed = Handed::default();
            handed.put(SUSPECTS, suspects.file()?);
            ask(config, owner, handed)
        }
        Ok(None) => look(options, config, &suspects.digests()),
        // A link in its place: it is looked at, and not followed.
        Err(_) => look(options, config, &[]),
    };
    let State {
        report: found,
        in_force,
    } = state;
    report.findings.extend(found.findings);
    doctor::timer::examine(&place, report);
    if matches!(runner, Some(Runner::Unclear { .. })) {
        report.explained("keys-readable", "state-directory");
    }
    suspects.judge(&in_force, report);
    doctor::machine::examine(config, &place, runner.as_ref(), report);
    doctor::servers::examine(config, &place, report);
    let world = World::new(options.via.map(|AddressPort(resolver)| resolver));
    doctor::zones(config, &place, world, report);
    doctor::web::examine(config, &place, report);
    Ok(())
}

/// What the state directory's owner says; where that one cannot even begin, that is the finding.
fn ask(config: &Config, owner: (u32, u32), handed: Handed) -> State {
    let said = ask_as(owner, handed).and_then(|said| Ok(serde_json::from_slice(&said)?));
    said.unwrap_or_else(|failure: Failure| {
        let mut state = State::default();
        let (uid, gid) = owner;
        let reader = Reader { uid, gid };
        match reader.stopped_at(&config.file) {
            Some(closed) => state::unreadable(&config.file, reader, &closed, &mut state.report),
            None => state.report.problem(
                "keys-readable",
                failure.to_string().lines().next().unwrap_or_default(),
                "the owner of the state directory has to be able to run bowline and to read bowline.toml",
            ),
        }
        state
    })
}

/// The part of the state directory's owner, which the one who asked reads.
fn as_owner(options: &Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let config = super::session::load(context)?;
    let mut text = String::new();
    if let Some(mut file) = context.handed.take(SUSPECTS) {
        file.read_to_string(&mut text)?;
    }
    let digests: Result<Vec<Digest>, _> = text.lines().map(Digest::from_hex).collect();
    context.write_json(&look(options, &config, &digests?))
}

/// What only the owner may look at.
fn look(options: &Options, config: &Config, suspects: &[Digest]) -> State {
    state::examine(config, suspects, || upkeep::last(config), options.fix)
}

/// Writes what was found, and fails when there is a problem.
fn write(mut report: Report, context: &mut Context<'_>) -> Result<(), Failure> {
    let problems = report.problems();
    let hints = report.findings.iter_mut();
    for hint in hints.filter_map(|finding| finding.hint.as_mut()) {
        *hint = for_here(&hint);
    }
    if context.json {
        let document = json!({
            "ok": problems == 0,
            "problems": problems,
            "checks": report.findings,
        });
        context.write_json(&document)?;
    } else {
        for finding in &report.findings {
            writeln!(context.out, "{finding}")?;
        }
    }
    match problems {
        0 => Ok(()),
        1 => Err(Failure::new("1 problem")),
        count => Err(Failure::new(format!("{count} problems"))),
    }
}

/// An address with or without a port; 53 is that of every resolver.
fn resolver(text: &str) -> Result<AddressPort, String> {
    match text.parse() {
        Ok(ip) => Ok(AddressPort(std::net::SocketAddr::new(ip, 53))),
        Err(_) => text
            .parse::<AddressPort>()
            .map_err(|error| error.to_string()),
    }
}
