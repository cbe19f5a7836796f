//! One round: what is due goes out, and what became of it is noted.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::command::Call;
use super::gate::{self, Gate, Sent};
use super::mail::Letter;
use super::message::{Message, MessageError};
use super::template::Templates;
use super::webhook::Post;
use super::{Fault, PATIENCE, TemplateError};
use crate::config::{Config, LogLevel};
use crate::deadline::Deadline;
use crate::event::{Channel, Event};
use crate::ip::Addresses;
use crate::log::{Line, Logger};
use crate::registry::{Delivery, Happening, Host, Notice, Registry, RegistryError};
use crate::time::Timestamp;

/// A round delivers on a channel for no longer than this: the others have their own time, however
/// long one takes.
const LONGEST: Duration = Duration::from_secs(30);
/// A sender has so much more to say why, and to end what it has started, when its time is up.
const GRACE: Duration = Duration::from_secs(1);
/// So many notices of a channel are looked at in a round.
const MOST: u32 = 2000;
/// The order in which channels are served: what is nearest first.
const ORDER: [Channel; 3] = [Channel::Command, Channel::Webhook, Channel::Mail];

/// What became of the messages of a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    /// Delivered.
    pub sent: usize,
    /// To be tried again.
    pub failed: usize,
    /// Given up, in events.
    pub given_up: usize,
}

/// What came of a test on a channel.
pub type Tested = (Channel, Result<(), Fault>);

/// Something that sends one message.
type Sender = Box<dyn FnOnce(Gate) -> Result<(), Fault> + Send>;

/// Empties the outbox, as far as that can be done now; to be called by one process at a time. What
/// happened too long before `sure` is given up when it is not delivered: now, unless the clock may
/// be ahead.
///
/// # Errors
/// When the registry cannot be used. What receivers do is no error.
pub fn deliver(
    config: &Config,
    registry: &mut Registry,
    logger: &Logger,
    sure: Timestamp,
) -> Result<Delivered, RegistryError> {
    let mut round = Round {
        delivered: Delivered::default(),
        templates: None,
        errors: Vec::new(),
        config,
        registry,
        logger,
        sure,
    };
    round.delivered.given_up += round.registry.give_up_interrupted(Timestamp::now())?;
    for channel in ORDER {
        match config.notify.has(channel) {
            true => round.channel(channel)?,
            false => {
                round.registry.drop_waiting(channel)?;
            }
        }
    }
    for error in &round.errors {
        let line = Line::new(LogLevel::Warning, "notify").words("reason", error);
        logger.write(&line.words("hint", "the built-in template is used"));
    }
    Ok(round.delivered)
}

struct Round<'a> {
    delivered: Delivered,
    /// Read by the first message.
    templates: Option<Templates>,
    errors: Vec<TemplateError>,
    config: &'a Config,
    registry: &'a mut Registry,
    logger: &'a Logger,
    sure: Timestamp,
}

impl Round<'_> {
    /// Sends what is due on a channel, until its receiver takes no more.
    fn channel(&mut self, channel: Channel) -> Result<(), RegistryError> {
        let waiting = self.registry.waiting(channel, MOST, Timestamp::now())?;
        let mut due: VecDeque<_> = due(waiting, Timestamp::now()).into();
        let until = Deadline::after(LONGEST);
        // Whether the last one by itself was not taken either, and none since.
        let mut in_vain = false;
        while let Some(mut notices) = due.pop_front() {
            let longest = self.config.notify.timeout(channel).unwrap_or(PATIENCE);
            if until.left() < longest + GRACE {
                return Ok(());
            }
            let message = match self.message(&notices) {
                Ok(message) => message,
                Err(MessageError::Registry(error)) => return Err(error),
                Err(MessageError::Nothing) => continue,
                Err(MessageError::Random(error)) => {
                    let fault = Fault::silent(error);
                    let others = due.into_iter().flatten();
                    return self.rest(&notices, others, &fault, channel);
                }
            };
            let is_new = notices.iter().all(|notice| notice.message.is_none());
            let ids: Vec<i64> = notices.iter().map(|notice| notice.id).collect();
            let deadline = Deadline::after(longest);
            let sent = match sender(self.config, channel, &message, deadline) {
                Err(fault) => Sent::Failed(fault),
                Ok(sender) => {
                    let claim = || self.registry.claim(&ids, &message.id, Timestamp::now());
                    gate::send(sender, Deadline::after(longest + GRACE), claim)?
                }
            };
            let name = format!("{channel} message={}", message.id);
            match sent {
                Sent::Taken => {
                    in_vain = false;
                    self.note(&notices, &Delivery::Done, &name)?;
                }
                Sent::Failed(Fault::Never(why)) => {
                    self.note(&notices, &Delivery::GivenUp(why), &name)?;
                }
                Sent::Failed(Fault::NotNow(why)) => {
                    self.note(&notices, &Delivery::Refused(why), &name)?;
                    // What is newer of that host must not overtake it.
                    let whom = notices.first().map(Whom::of);
                    let is_hosts = matches!(whom, Some(Whom::Host(_)));
                    due.retain(|other| !is_hosts || other.first().map(Whom::of) != whom);
                }
                Sent::Unanswered(why) => {
                    self.note(&notices, &Delivery::Unanswered(why), &name)?;
                    return Ok(());
                }
                // As other messages, each half of it, unless it may have been taken before.
                Sent::Failed(Fault::TooMuch(_)) if notices.len() > 1 && is_new => {
                    self.registry.unclaim(&ids)?;
                    let later = notices.split_off(notices.len() / 2);
                    due.push_front(later);
                    due.push_front(notices);
                }
                // What is wrong may be this one.
                Sent::Failed(Fault::TooMuch(why)) if !in_vain => {
                    in_vain = true;
                    self.note(&notices, &Delivery::Refused(why), &name)?;
                }
                Sent::Failed(fault) => {
                    let others = due.into_iter().flatten();
                    return self.rest(&notices, others, &fault, channel);
                }
            }
        }
        Ok(())
    }

    /// Lets a channel rest with all that is due on it: its receiver takes nothing.
    fn rest(
        &mut self,
        notices: &[Notice],
        others: impl Iterator<Item = Notice>,
        fault: &Fault,
        channel: Channel,
    ) -> Result<(), RegistryError> {
        let refused = Delivery::Refused(fault.to_string());
        self.note(notices, &refused, channel.as_str())?;
        // One that was sent before without an answer keeps its name.
        let others: Vec<i64> = others
            .filter(|other| other.message.is_none())
            .map(|other| other.id)
            .collect();
        let (give_up, now) = (self.give_up(), Timestamp::now());
        self.delivered.given_up += self.registry.delivered(&others, &refused, give_up, now)?;
        Ok(())
    }

    fn message(&mut self, notices: &[Notice]) -> Result<Message, MessageError> {
        let templates = match self.templates.take() {
            Some(templates) => templates,
            None => {
                let (templates, errors) = Templates::load(self.config.notify.templates());
                self.errors.extend(errors);
                templates
            }
        };
        let (config, registry) = (self.config, &*self.registry);
        let message = Message::about(notices, &templates, &mut self.errors, config, registry);
        self.templates = Some(templates);
        message
    }

    /// Counts what became of a message, and notes it in the registry and in the log.
    fn note(
        &mut self,
        notices: &[Notice],
        delivery: &Delivery,
        channel: &str,
    ) -> Result<(), RegistryError> {
        let ids: Vec<i64> = notices.iter().map(|notice| notice.id).collect();
        let now = Timestamp::now();
        let given_up = (self.registry).delivered(&ids, delivery, self.give_up(), now)?;
        self.delivered.given_up += given_up;
        let (level, result, reason) = match delivery {
            Delivery::Done => {
                self.delivered.sent += 1;
                (LogLevel::Info, "sent", None)
            }
            Delivery::Refused(why) | Delivery::Unanswered(why) if given_up < ids.len() => {
                self.delivered.failed += 1;
                (LogLevel::Warning, "failed", Some(why))
            }
            Delivery::Refused(why) | Delivery::Unanswered(why) | Delivery::GivenUp(why) => {
                (LogLevel::Warning, "given-up", Some(why))
            }
        };
        let line = Line::new(level, "notify").field("channel", channel);
        let line = line.field("events", ids.len()).field("result", result);
        self.logger.write(&match reason {
            Some(why) => line.words("reason", why),
            None => line,
        });
        Ok(())
    }

    /// What happened before this is given up when it is not delivered.
    fn give_up(&self) -> Timestamp {
        self.sure.minus(self.config.notify.give_up)
    }
}

/// What is due, a message each: what was sent before without an answer goes as the same
/// message; all else for one recipient is one, and waits while a part of it does.
fn due(waiting: Vec<Notice>, now: Timestamp) -> Vec<Vec<Notice>> {
    let mut messages: BTreeMap<(Option<String>, Whom), Vec<Notice>> = BTreeMap::new();
    for notice in waiting {
        let key = (notice.message.clone(), Whom::of(&notice));
        messages.entry(key).or_default().push(notice);
    }
    let rests = |notice: &Notice| notice.rests(now);
    let mut due: Vec<_> = messages.into_values().collect();
    due.retain(|notices| !notices.iter().any(rests));
    // Those that wait longest first.
    due.sort_by_key(|notices| notices.first().map(|first| first.id));
    due
}

/// Whom a message is for.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Whom {
    /// Whoever reads that mail; `None`: the operator.
    Reader(Option<String>),
    /// A command is run for each host by itself; `None`: for what is about none.
    Host(Option<i64>),
    /// Who gets everything.
    All,
}

impl Whom {
    fn of(notice: &Notice) -> Self {
        match notice.channel {
            Channel::Mail => Whom::Reader(notice.to.clone()),
            Channel::Command => Whom::Host(notice.host.map(|host| host.number())),
            Channel::Webhook => Whom::All,
        }
    }
}

/// What sends a message on a channel.
fn sender(
    config: &Config,
    channel: Channel,
    message: &Message,
    deadline: Deadline,
) -> Result<Sender, Fault> {
    let notify = &config.notify;
    let off = || Fault::refused("it is not configured");
    Ok(match channel {
        Channel::Mail => {
            let mail = notify.mail.as_ref().ok_or_else(off)?;
            let letter = Letter::write(message, mail, config.url.host())?;
            Box::new(move |gate| letter.send(deadline, &gate))
        }
        Channel::Webhook => {
            let webhook = notify.webhook.as_ref().ok_or_else(off)?;
            let post = Post::of(message, webhook, Timestamp::now())?;
            Box::new(move |gate| post.send(deadline, gate))
        }
        Channel::Command => {
            let command = notify.command.as_ref().ok_or_else(off)?;
            let call = Call::of(message, command);
            Box::new(move |gate| call.make(deadline, &gate))
        }
    })
}

/// Sends a test on every channel there is, about a host or about none; says what came of
/// each, and what is wrong with templates.
///
/// # Errors
/// When the registry cannot be read.
pub fn test(
    config: &Config,
    registry: &Registry,
    host: Option<&Host>,
) -> Result<(Vec<Tested>, Vec<TemplateError>), RegistryError> {
    let (templates, mut errors) = Templates::load(config.notify.templates());
    let mut results = Vec::new();
    for channel in ORDER {
        if !config.notify.has(channel) {
            continue;
        }
        let notices = [example(registry, host, channel)?];
        let message = Message::about(&notices, &templates, &mut errors, config, registry);
        let mut message = match message {
            Ok(message) => message,
            Err(MessageError::Registry(error)) => return Err(error),
            Err(MessageError::Random(error)) => {
                results.push((channel, Err(Fault::silent(error))));
                continue;
            }
            Err(MessageError::Nothing) => continue,
        };
        message.mark_as_test();
        let longest = config.notify.timeout(channel).unwrap_or(PATIENCE);
        let deadline = Deadline::after(longest);
        let result = sender(config, channel, &message, deadline).and_then(|sender| {
            let last = Deadline::after(longest + GRACE);
            match gate::send(sender, last, || Ok::<(), std::convert::Infallible>(())) {
                Ok(Sent::Taken) => Ok(()),
                Ok(Sent::Failed(fault)) => Err(fault),
                Ok(Sent::Unanswered(why)) => Err(Fault::silent(why)),
                Err(never) => match never {},
            }
        });
        results.push((channel, result));
    }
    Ok((results, errors))
}

/// A notice of something that did not happen.
fn example(
    registry: &Registry,
    host: Option<&Host>,
    channel: Channel,
) -> Result<Notice, RegistryError> {
    let reason = "this is a test: nothing happened".to_owned();
    let what = match host {
        // As if it were new: then the templates show the addresses.
        Some(host) => Happening {
            old: Addresses::NONE,
            ..Happening::at(Event::Changed, host.wish.records.addresses, reason)
        },
        None => Happening::at(Event::Upkeep, Addresses::NONE, reason),
    };
    let to = match host {
        Some(host) => registry.mail_of(host.id)?,
        None => None,
    };
    Ok(Notice {
        id: 0,
        host: host.map(|host| host.id),
        name: host.map(|host| host.name.clone()),
        at: Timestamp::now(),
        channel,
        what,
        message: None,
        to,
        failures: 0,
        retry_at: None,
        trouble: None,
        done: None,
        given_up: false,
    })
}
