//! `bowline config`: the configuration in force, and whether it can be used.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::session::{load, open_registry};
use super::status::{log as log_of, log_instead};
use super::{Context, Failure, note, zone_gone, zone_hosts};
use crate::config::{Config, LogTarget, MailServer, Register, invitation};
use crate::log;
use crate::notify::{Templates, try_body};
use crate::publish::Publisher;
use crate::setup::Place;
use crate::setup::responder::reload_running;

/// Show or check the configuration
#[derive(Debug, Args)]
pub(super) struct Options {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the configuration in force as TOML, defaults included
    Show,
    /// Check that the configuration, its keys and the registry can be used and fit each other
    Check,
}

impl Options {
    /// Whether it opens the registry.
    pub(super) fn touches_state(&self) -> bool {
        matches!(self.verb, Verb::Check)
    }
}

/// Runs one of its verbs.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    match options.verb {
        Verb::Show => show(context),
        Verb::Check => check(context),
    }
}

/// Paths in it are as they are used: the file's directory in front.
fn show(context: &mut Context<'_>) -> Result<(), Failure> {
    let text = load(context)?.to_toml();
    if context.json {
        return context.write_json(&toml::from_str::<Value>(&text)?);
    }
    Ok(context.out.write_all(text.as_bytes())?)
}

/// Says whether all of it can be used, and fails where it cannot.
fn check(context: &mut Context<'_>) -> Result<(), Failure> {
    let checked = usable(context);
    match (&checked, context.json) {
        (Ok(config), true) => context.write_json(&json!({"config": config.file, "ok": true}))?,
        (Ok(_), false) => writeln!(context.out, "ok")?,
        (Err(failure), true) => context.write_json(&unusable(&context.config, failure))?,
        (Err(_), false) => {}
    }
    let config = checked?;
    if let Some(why) = log::obstacle(&config.log.target) {
        let instead = log_instead(&log_of(&config), why);
        note(format!("log lines go to {instead}"));
    }
    let place = Place::new(&config.file, None).ok();
    if let Some(command) = place.and_then(|place| reload_running(&place)) {
        note(format!(
            "the responder that runs reads changes with `{command}`"
        ));
    }
    Ok(())
}

/// What is wrong, as JSON.
fn unusable(file: &Path, failure: &Failure) -> Value {
    let (says, hint) = failure.told();
    json!({
        "config": file,
        "ok": false,
        "line": Config::load(file).err().and_then(|error| error.line()),
        "says": says,
        "hint": hint,
    })
}

/// As what was to use them: the keys of every zone, the lookup key and the registry.
fn usable(context: &Context<'_>) -> Result<Config, Failure> {
    let config = load(context)?;
    Publisher::new(&config).servers()?;
    let registry = open_registry(&config)?;
    let zones: Vec<_> = config.zones.iter().map(|zone| &zone.name).collect();
    if let Some((zone, count)) = registry.hosts_outside(&zones)?.first_key_value() {
        return Err(zone_gone(zone, *count));
    }
    zone_hosts::check_hidden(&config, &registry)?;
    if let LogTarget::File(file) = &config.log.target
        && let Some(kind) = log::wrong_kind(file)
    {
        return Err(
            Failure::new(format!("the log {} is {kind}", file.display()))
                .hint("name a plain file, or syslog, in [log] target"),
        );
    }
    if let Register::Invited(file) = &config.acme.register {
        let hint =
            "until it is there nobody can register; [acme] register in bowline.toml names it";
        invitation(file).map_err(|error| Failure::new(error).hint(hint))?;
    }
    if let Some(MailServer::Sendmail(program)) = config.notify.mail.as_ref().map(|mail| &mail.smtp)
        && !program.is_file()
    {
        let what = format!(
            "{}, which is to take mail, is no program",
            program.display()
        );
        let hint = "name another in [notify.mail] smtp: sendmail:PATH, or smtp://HOST:PORT";
        return Err(Failure::new(what).hint(hint));
    }
    if let Some(program) = (config.notify.command.as_ref()).and_then(|one| one.command.first())
        && !Path::new(program).is_file()
    {
        let what = format!("{program}, which is to tell what happened, is no program");
        return Err(Failure::new(what).hint("name another in [notify.command] command"));
    }
    if let Some(body) = (config.notify.webhook.as_ref()).and_then(|one| one.body.as_ref())
        && let Err(why) = try_body(body)
    {
        let failure = Failure::new(format!("[notify.webhook] body: {why}"));
        return Err(failure.hint("until it is mended nothing is posted"));
    }
    let (_, errors) = Templates::load(config.notify.templates());
    if let Some(error) = errors.first() {
        let failure = Failure::new(format!("template {error}"));
        return Err(failure.hint("until it is mended, the built-in one is used"));
    }
    Ok(config)
}
