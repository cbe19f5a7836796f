//! What can happen that somebody wants to hear of.

use std::fmt;
use std::str::FromStr;

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A host's addresses changed.
    Changed,
    /// A host was silent for so long that its records were removed.
    Expired,
    /// A host is silent for longer than it usually is.
    Silent,
    /// A host's addresses are not confirmed by the name server for too long.
    Pending,
    /// The name server had other records than it should, and was mended.
    Mended,
    /// A token that was replaced is still in use.
    OldToken,
    /// Upkeep has failed, or cannot go on without the operator.
    Upkeep,
}

impl Event {
    /// All of them.
    pub const ALL: [Event; 7] = [
        Event::Changed,
        Event::Expired,
        Event::Silent,
        Event::Pending,
        Event::Mended,
        Event::OldToken,
        Event::Upkeep,
    ];

    /// Its name in configuration, registry and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Event::Changed => "changed",
            Event::Expired => "expired",
            Event::Silent => "silent",
            Event::Pending => "pending",
            Event::Mended => "mended",
            Event::OldToken => "old-token",
            Event::Upkeep => "upkeep",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Event {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        let mut all = Event::ALL.into_iter();
        all.find(|event| event.as_str() == text)
            .ok_or_else(|| EventError(text.to_owned()))
    }
}

/// Kinds of events: `changed,silent`, `all` or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Events(u8);

impl Events {
    /// Every kind.
    pub const ALL: Events = Events((1 << Event::ALL.len()) - 1);
    /// No kind.
    pub const NONE: Events = Events(0);

    /// Whether a kind is among them.
    pub const fn contains(self, event: Event) -> bool {
        self.0 & event.bit() != 0
    }

    /// The kinds, in order.
    pub fn iter(self) -> impl Iterator<Item = Event> {
        let all = Event::ALL.into_iter();
        all.filter(move |event| self.contains(*event))
    }
}

/// What is told of hosts, as a person writes it.
///
/// # Errors
/// No list of events, or one with those that are about no host: whoever is meant to hear of them
/// never would.
pub fn of_hosts(text: &str) -> Result<Events, String> {
    let events: Events = text
        .parse()
        .map_err(|EventError(name)| no_event(&name, |event| event != Event::Upkeep))?;
    match events.contains(Event::Upkeep) && events != Events::ALL {
        true => Err(format!(
            "{:?} is about no host; the operator is told of it, by `events` in bowline.toml",
            Event::Upkeep.as_str()
        )),
        false => Ok(events),
    }
}

impl FromIterator<Event> for Events {
    fn from_iter<I: IntoIterator<Item = Event>>(events: I) -> Self {
        Events(events.into_iter().fold(0, |all, event| all | event.bit()))
    }
}

impl TryFrom<Vec<String>> for Events {
    type Error = EventError;

    fn try_from(names: Vec<String>) -> Result<Self, EventError> {
        names.iter().map(|name| name.parse::<Event>()).collect()
    }
}

impl FromStr for Events {
    type Err = EventError;

    fn from_str(text: &str) -> Result<Self, EventError> {
        match text {
            "all" => Ok(Events::ALL),
            "none" => Ok(Events::NONE),
            _ => text.split(',').map(|name| name.trim().parse()).collect(),
        }
    }
}

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Events::ALL => f.write_str("all"),
            Events::NONE => f.write_str("none"),
            _ => {
                let names: Vec<&str> = self.iter().map(Event::as_str).collect();
                f.write_str(&names.join(","))
            }
        }
    }
}

/// A word that is no kind of event.
#[derive(Debug, PartialEq, Eq)]
pub struct EventError(String);

impl fmt::Display for EventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let EventError(text) = self;
        f.write_str(&no_event(text, |_| true))
    }
}

/// That a text is no event, and which there are.
fn no_event(text: &str, is_one: impl Fn(Event) -> bool) -> String {
    let all = Event::ALL.into_iter().filter(|event| is_one(*event));
    let names: Vec<&str> = all.map(Event::as_str).collect();
    format!("{text:?} is no event; there are {}", names.join(", "))
}

impl std::error::Error for EventError {}

/// A way on which messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Channel {
    /// Mail.
    Mail,
    /// An HTTP POST.
    Webhook,
    /// A command on this machine.
    Command,
}

impl Channel {
    /// All of them.
    pub const ALL: [Channel; 3] = [Channel::Mail, Channel::Webhook, Channel::Command];

    /// Its name in configuration and registry.
    pub const fn as_str(self) -> &'static str {
        match self {
            Channel::Mail => "mail",
            Channel::Webhook => "webhook",
            Channel::Command => "command",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is to be told, and on which channels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The kinds of events for each channel; `None`: it is not configured.
    pub channels: [Option<Events>; Channel::ALL.len()],
    /// Whether mail that is for nobody else goes to the operator.
    pub operator: bool,
}

impl Wanted {
    /// Nothing is told to anybody.
    pub const NOTHING: Wanted = Wanted {
        channels: [None; Channel::ALL.len()],
        operator: false,
    };

    /// The channels there are, with their kinds of events.
    pub fn iter(&self) -> impl Iterator<Item = (Channel, Events)> {
        let pairs = Channel::ALL.into_iter().zip(self.channels);
        pairs.filter_map(|(channel, events)| Some((channel, events?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_back() {
        for text in ["all", "none", "changed", "expired,silent,old-token"] {
            assert_eq!(text.parse::<Events>().unwrap().to_string(), text);
        }
        let all: Vec<&str> = Event::ALL.into_iter().map(Event::as_str).collect();
        assert_eq!(all.join(",").parse(), Ok(Events::ALL));
        for text in ["", "changes", "all,none", "changed,"] {
            assert!(text.parse::<Events>().is_err(), "{text}");
        }
    }

    #[test]
    fn of_a_host_no_upkeep_is_told() {
        for text in ["upkeep", "changed,upkeep"] {
            let why = of_hosts(text).unwrap_err();
            assert!(why.starts_with("\"upkeep\" is about no host"), "{why}");
        }
        assert_eq!(of_hosts("all"), Ok(Events::ALL));
        assert_eq!(of_hosts("none"), Ok(Events::NONE));
        let why = of_hosts("changes").unwrap_err();
        assert!(why.starts_with("\"changes\" is no event"), "{why}");
        assert!(!why.contains("upkeep"), "{why}");
    }
}
