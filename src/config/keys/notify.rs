//! The keys of `[notify]` and its channels.

use toml_edit::{Array, InlineTable, Value};

use super::{Key, Show};
use crate::config::{Config, Mail, Webhook};
use crate::event::Events;

/// What every channel has.
const EVENTS_DOC: &str = "what is told: changed (addresses), expired, silent (a host, longer than it usually is), pending (longer than [notify] pending), mended (records that were otherwise), old-token (one still in use after rotation), upkeep (it fails). A host's --notify replaces the list for that host";
/// Its default.
const EVENTS: &str =
    "[\"changed\", \"expired\", \"silent\", \"pending\", \"mended\", \"old-token\", \"upkeep\"]";

/// All of them, in the order in which they are shown.
pub(super) const KEYS: [Key; 17] = [
    Key {
        table: "notify",
        name: "pending",
        doc: "after how long a host is told of whose addresses the name server has not confirmed",
        default: Some("\"15m\""),
        show: Show::Config(|config| config.notify.pending.to_string().into()),
    },
    Key {
        table: "notify",
        name: "give_up",
        doc: "for how long the delivery of a message is tried, at first after a minute, then more and more rarely, at least once an hour",
        default: Some("\"3d\""),
        show: Show::Config(|config| config.notify.give_up.to_string().into()),
    },
    Key {
        table: "notify.mail",
        name: "smtp",
        doc: "who takes the mail: smtp://HOST:PORT (in clear), starttls://HOST:PORT, smtps://HOST:PORT, sendmail for /usr/sbin/sendmail, or sendmail:PATH for another program that takes its arguments. Certificates are checked against the system's roots",
        default: None,
        show: Show::Maybe(|config| mail(config, |mail| Some(mail.smtp.to_string().into()))),
    },
    Key {
        table: "notify.mail",
        name: "from",
        doc: "whom it comes from: ADDR or NAME <ADDR>",
        default: None,
        show: Show::Maybe(|config| mail(config, |mail| Some(mail.from.to_string().into()))),
    },
    Key {
        table: "notify.mail",
        name: "to",
        doc: "the operator: gets what is about no host, or about one whose person (host set --mail) and owner have no address; without it such mail is not sent",
        default: Some(""),
        show: Show::Maybe(|config| mail(config, |mail| Some(mail.to.as_ref()?.to_string().into()))),
    },
    Key {
        table: "notify.mail",
        name: "user",
        doc: "the user at the mail server, together with password",
        default: Some(""),
        show: Show::Maybe(|config| {
            mail(config, |mail| Some(mail.login.as_ref()?.0.as_str().into()))
        }),
    },
    Key {
        table: "notify.mail",
        name: "password",
        doc: "the password there; not over a connection in clear, unless to this machine",
        default: Some(""),
        show: Show::Maybe(|config| {
            mail(config, |mail| {
                Some(mail.login.as_ref()?.1.to_string().into())
            })
        }),
    },
    Key {
        table: "notify.mail",
        name: "templates",
        doc: "a directory with templates in the place of ours, as Jinja reads them: change_notification.j2, expiry_notification.j2, silent_notification.j2, pending_notification.j2, mended_notification.j2, old-token_notification.j2, upkeep_notification.j2; each with .html before .j2 for HTML beside the text. A first line \"Subject: …\" is the subject. Variables: hostname, zone, fqdn, ipv4, ipv6, last_ipv4, last_ipv6, ipv4_changed, ipv6_changed, ipv4_expired, ipv6_expired, last_ipv4_update, last_ipv6_update, expiry_ttl, event, time, reason, note, owner, is_pending, url. One with errors is named by `config check`, and ours is used",
        default: Some(""),
        show: Show::Maybe(|config| {
            mail(config, |mail| Some(super::path(mail.templates.as_ref()?)))
        }),
    },
    Key {
        table: "notify.mail",
        name: "events",
        doc: EVENTS_DOC,
        default: Some(EVENTS),
        show: Show::Maybe(|config| mail(config, |mail| Some(events(mail.events)))),
    },
    Key {
        table: "notify.webhook",
        name: "url",
        doc: "where a JSON document is posted to; a secret, where the receiver knows by it who may post. Redirects are not followed, no proxy of the environment is used, and certificates are checked against the system's roots",
        default: None,
        show: Show::Maybe(|config| webhook(config, |hook| Some(hook.shown_url().into()))),
    },
    Key {
        table: "notify.webhook",
        name: "secret",
        doc: "what it is signed with: X-Bowline-Signature is t=TIME,v1=HEX, where HEX is the HMAC-SHA-256 of TIME, a full stop and the body, and TIME in seconds since 1970",
        default: Some(""),
        show: Show::Maybe(|config| {
            webhook(config, |hook| {
                Some(hook.secret.as_ref()?.to_string().into())
            })
        }),
    },
    Key {
        table: "notify.webhook",
        name: "headers",
        doc: "further header fields, as { Authorization = \"Bearer …\" }",
        default: Some("{}"),
        show: Show::Maybe(|config| {
            webhook(config, |hook| {
                let headers = hook.headers.iter();
                let headers = headers.map(|(name, value)| (name.clone(), value.to_string()));
                Some(headers.collect::<InlineTable>().into())
            })
        }),
    },
    Key {
        table: "notify.webhook",
        name: "body",
        doc: "the document to post instead of ours, as { title = \"{{ title }}\", message = \"{{ text }}\", priority = 5 }; `bowline notify preset` prints some. Variables: title, text, id, time, event, hostname, zone, fqdn, ipv4, ipv6 and the others of a mail's template, those of the newest event where there are several",
        default: Some(""),
        show: Show::Maybe(|config| {
            webhook(config, |hook| Some(inline(hook.body.as_ref()?).into()))
        }),
    },
    Key {
        table: "notify.webhook",
        name: "events",
        doc: EVENTS_DOC,
        default: Some(EVENTS),
        show: Show::Maybe(|config| webhook(config, |hook| Some(events(hook.events)))),
    },
    Key {
        table: "notify.command",
        name: "command",
        doc: "a program with its whole path, and its arguments, as a list; no shell reads them. It is run once for each host that something happened to, with BOWLINE_COUNT (how many events), and of the newest of them BOWLINE_EVENT, BOWLINE_HOST, BOWLINE_ZONE, BOWLINE_IPV4, BOWLINE_IPV6, BOWLINE_LAST_IPV4, BOWLINE_LAST_IPV6, BOWLINE_TIME, BOWLINE_REASON, BOWLINE_TITLE, BOWLINE_TEXT and BOWLINE_ID in its environment, and the same JSON document as a webhook's on standard input",
        default: None,
        show: Show::Maybe(|config| {
            let command = config.notify.command.as_ref()?;
            Some(command.command.iter().collect::<Array>().into())
        }),
    },
    Key {
        table: "notify.command",
        name: "timeout",
        doc: "for how long it may run, 25s at most; then it is killed, with what it has started",
        default: Some("\"10s\""),
        show: Show::Maybe(|config| {
            Some(config.notify.command.as_ref()?.timeout.to_string().into())
        }),
    },
    Key {
        table: "notify.command",
        name: "events",
        doc: EVENTS_DOC,
        default: Some(EVENTS),
        show: Show::Maybe(|config| Some(events(config.notify.command.as_ref()?.events))),
    },
];

/// A table on one line.
fn inline(table: &toml::Table) -> InlineTable {
    table.iter().map(|(key, one)| (key, value(one))).collect()
}

/// A value as it is shown.
fn value(one: &toml::Value) -> Value {
    match one {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(is) => (*is).into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(all) => all.iter().map(value).collect::<Array>().into(),
        toml::Value::Table(table) => inline(table).into(),
    }
}

/// Kinds of events as a list.
fn events(events: Events) -> Value {
    events
        .iter()
        .map(|event| event.as_str())
        .collect::<Array>()
        .into()
}

/// Something of `[notify.mail]`, where there is one.
fn mail(config: &Config, show: impl FnOnce(&Mail) -> Option<Value>) -> Option<Value> {
    config.notify.mail.as_ref().and_then(show)
}

/// Something of `[notify.webhook]`, where there is one.
fn webhook(config: &Config, show: impl FnOnce(&Webhook) -> Option<Value>) -> Option<Value> {
    config.notify.webhook.as_ref().and_then(show)
}
