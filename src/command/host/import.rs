//! `bowline host import`: many hosts from a list, all or none.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde::Serialize;

use super::super::handed::Argument;
use super::super::session::{Session, full_name};
use super::super::settle::settle;
use super::super::token::update_url;
use super::super::{Context, Failure, hosts, note};
use super::plan::Plan;
use super::report;
use super::row::Row;
use super::rows;
use crate::config::Config;
use crate::registry::{Entry, HostId, Imported, RegistryError};
use crate::token::Token;
use crate::ttl::Ttl;

/// A list has no more octets: some hundred thousand hosts with all there is to say about them.
const LIST_MAX: u64 = 1 << 27;

/// Add hosts from a list, or change them; all of them or none
///
/// The list is TOML with a table [[host]] for each, CSV with a header, or JSON lines,
/// as `bowline host export` writes them. A host that is there already gets the settings
/// that the list gives; its token and, unless it is static, its addresses stay, but for those
/// that these settings forbid.
///
/// Keys: name zone owner owner_disabled below behind interface_id note mail notify ttl expire only
/// allow_private wildcard plain_http static ipv4 ipv6 disabled, token (a secret to take over) and
/// tokens (digests of an export).
#[derive(Debug, Args)]
pub(super) struct Options {
    /// The list; -: standard input
    #[arg(value_name = "FILE|-")]
    file: PathBuf,
    /// Say what would be done, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Where the new tokens go, this once: a new file
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What was done, in numbers.
#[derive(Serialize)]
struct Report {
    added: usize,
    changed: usize,
    unchanged: usize,
    /// How many tokens were made, and are in the file of `--out`.
    tokens: usize,
    dry_run: bool,
}

impl Options {
    /// The file with the list.
    fn list(&self) -> Argument {
        Argument::read("list", &self.file)
    }

    /// The file for the tokens; none is made by a dry run.
    fn tokens(&self) -> Option<Argument> {
        let out = self.out.as_ref().filter(|_| !self.dry_run);
        out.map(|out| Argument::new("tokens", out))
    }

    /// The list and the file for the tokens.
    pub(super) fn files(&self) -> Vec<Argument> {
        std::iter::once(self.list()).chain(self.tokens()).collect()
    }

    /// Why they cannot be used, beyond what clap sees.
    pub(super) fn misuse(&self, json: bool) -> Option<&'static str> {
        let both = json && self.tokens().is_some_and(|tokens| tokens.is_standard());
        both.then_some(
            "standard output cannot hold the tokens and JSON: \
             name a file with --out, or leave --json out",
        )
    }
}

/// Imports the list, and publishes what changed.
pub(super) fn run(options: Options, context: &mut Context<'_>) -> Result<(), Failure> {
    let tokens = options.tokens();
    let mut session = Session::open(context)?;
    let text = context.handed.read(&options.list(), LIST_MAX)?;
    let plans = plans(&text, &session)?;
    let mut out = match &tokens {
        Some(file) => Some(context.handed.open(file)?),
        None => None,
    };
    let done = import(&mut session, &plans, options.dry_run, out.as_mut());
    if let (Some(out), Some(file)) = (&out, &tokens)
        && !file.is_standard()
    {
        if done.is_err() {
            // Tokens of nobody are not left lying about.
            let _ = out.set_len(0);
        }
        // A file without any would only be in the way of the next.
        if out.metadata().is_ok_and(|file| file.len() == 0) {
            let _ = fs::remove_file(&file.path);
        }
    }
    let done = done?;
    let count = |what: fn(&Imported) -> bool| done.iter().filter(|done| what(done)).count();
    let report = Report {
        added: count(|done| matches!(done, Imported::Added(_))),
        changed: count(|done| matches!(done, Imported::Changed(_))),
        unchanged: count(|done| matches!(done, Imported::Unchanged(_))),
        tokens: made(&plans, &done).count(),
        dry_run: options.dry_run,
    };
    if !options.dry_run {
        let ids: Vec<HostId> = done.iter().map(|done| done.id()).collect();
        settle(&mut session, &ids);
    }
    report.write(context)
}

/// The rows of the list; each name once.
fn plans(text: &str, session: &Session) -> Result<Vec<Plan>, Failure> {
    let mut names = BTreeSet::new();
    let mut plans = Vec::new();
    for record in rows::read(text)? {
        let row = Row::read(record, &session.config)?;
        if !names.insert(row.name.clone()) {
            return Err(Failure::new(format!("{} stands there twice", row.name)).at(&row.place));
        }
        let fresh = Token::random()?;
        plans.push(Plan {
            policy: session.zone(&row.name)?.policy(),
            taken: row
                .token
                .as_ref()
                .map(|token| session.registry.digest(token)),
            digest: session.registry.digest(&fresh),
            fresh,
            row,
        });
    }
    Ok(plans)
}

/// The one transaction; the tokens it makes are on disk before it is.
fn import(
    session: &mut Session,
    plans: &[Plan],
    dry_run: bool,
    out: Option<&mut File>,
) -> Result<Vec<Imported>, Failure> {
    let mut lost = Vec::new();
    let config = &session.config;
    let mut entries = Vec::with_capacity(plans.len());
    for plan in plans {
        let zone = plan.row.name.zone();
        entries.push(Entry {
            name: plan.row.name.clone(),
            ttl: config.zone(&zone).map_or(Ttl::DEFAULT, |zone| zone.ttl),
            reuse: config.limits.reuse,
        });
    }
    let done = session.registry.import(
        &entries,
        session.now,
        |at, host| {
            let plan = plans
                .get(at)
                .ok_or_else(|| Failure::new("the list has changed"))?;
            plan.decide(host, &mut lost)
                .map_err(|failure| failure.at(&plan.row.place))
        },
        |done| {
            let made: Vec<&Plan> = made(plans, done).collect();
            match (dry_run, out) {
                (true, _) => return Ok(false),
                (false, _) if made.is_empty() => {}
                (false, None) => {
                    let count = made.len();
                    return Err(
                        Failure::new(format!("{} would get a new token", hosts(count)))
                            .hint("say where the tokens go with --out FILE"),
                    );
                }
                (false, Some(out)) => write_tokens(&made, config, out)
                    .map_err(|error| Failure::new(format!("--out: {error}")))?,
            }
            Ok(true)
        },
        |at, error| {
            let failure = of_list(error);
            match at.and_then(|at| plans.get(at)) {
                Some(plan) => failure.at(&plan.row.place),
                None => failure,
            }
        },
    )?;
    report::note_lost(&lost);
    note_full_names(plans, &done);
    for (plan, done) in plans.iter().zip(&done) {
        if matches!(done, Imported::Added(_)) && plan.has_dead_tokens_only(session.now) {
            let Row { place, name, .. } = &plan.row;
            note(format!(
                "{place}: the token of {name} is dead; `bowline host rotate {name}` makes another"
            ));
        }
    }
    Ok(done)
}

/// The failure with what to do about it in a list, which has keys and no options.
fn of_list(error: RegistryError) -> Failure {
    let hint = match &error {
        RegistryError::Removed { .. } => {
            "add it by itself, with `bowline host add --again`, before the list".to_owned()
        }
        RegistryError::Below { upper, .. } => format!(
            "whoever has {upper} can obtain certificates for it; `below` in its row does it all the same"
        ),
        RegistryError::Above { name, lower, .. } => format!(
            "whoever has {name} can obtain certificates for {lower}; `below` in either row does it all the same"
        ),
        RegistryError::NotBehind { name, why, .. } if why.is_of_settings() => format!(
            "change that first, or do without `behind`; where it is so already, \
             `bowline host set {name} --behind -` ends it"
        ),
        RegistryError::WouldWake { owner, .. } => format!(
            "run `bowline owner disable {owner}` first, or take `owner_disabled` out of the list"
        ),
        _ => return error.into(),
    };
    Failure::new(error).hint(hint)
}

/// Says of the first new host whose name may have been meant in full what it is in full, and how
/// many there are.
fn note_full_names(plans: &[Plan], done: &[Imported]) {
    let new = plans.iter().zip(done);
    let new = new.filter(|(_, done)| matches!(done, Imported::Added(_)));
    let mut doubtful = new.filter_map(|(Plan { row, .. }, _)| {
        let said = full_name(&row.label, &row.name)?;
        Some(format!("{}: {said}", row.place))
    });
    if let Some(first) = doubtful.next() {
        let more = match doubtful.count() {
            0 => String::new(),
            more => format!("; of names like that there are {}", more + 1),
        };
        note(format!("{first}{more}"));
    }
}

/// Those that get a new token.
fn made<'a>(plans: &'a [Plan], done: &'a [Imported]) -> impl Iterator<Item = &'a Plan> {
    plans
        .iter()
        .zip(done)
        .filter(|(plan, done)| matches!(done, Imported::Added(_)) && plan.needs_token())
        .map(|(plan, _)| plan)
}

/// One line per host: its name, its update URL and its token.
fn write_tokens(made: &[&Plan], config: &Config, out: &mut File) -> io::Result<()> {
    let mut text = String::from("name,url,token\n");
    for Plan { row, fresh, .. } in made {
        let url = update_url(config, fresh, &row.name);
        text += &format!("{},{url},{}\n", row.name, fresh.secret());
    }
    out.write_all(text.as_bytes())?;
    // Standard output, which cannot be synced, is no place to lose them from.
    let _ = out.sync_all();
    Ok(())
}

impl Report {
    /// As one line, or as JSON.
    fn write(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        if context.json {
            return context.write_json(self);
        }
        let would = if self.dry_run { "would be " } else { "" };
        Ok(writeln!(
            context.out,
            "{} {would}added, {} {would}changed, {} unchanged, {} new token{}",
            self.added,
            self.changed,
            self.unchanged,
            self.tokens,
            if self.tokens == 1 { "" } else { "s" }
        )?)
    }
}
