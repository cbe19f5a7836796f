//! The variables of templates: what ddns-service calls them, and some more.

use jiff::tz::TimeZone;
use serde::Serialize;

use crate::config::Config;
use crate::ip::Family;
use crate::name::HostName;
use crate::one_line::OneLine;
use crate::registry::{Notice, Registry, RegistryError};
use crate::span::Span;
use crate::time::Timestamp;

/// What a template can say of an event. No text in it has a line break or another control
/// character.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Variables {
    pub(super) event: String,
    /// In local time.
    pub(super) time: String,
    /// The host's name relative to its zone.
    pub(super) hostname: Option<String>,
    pub(super) zone: Option<String>,
    pub(super) fqdn: Option<String>,
    pub(super) ipv4: Option<String>,
    pub(super) ipv6: Option<String>,
    pub(super) last_ipv4: Option<String>,
    pub(super) last_ipv6: Option<String>,
    pub(super) ipv4_changed: bool,
    pub(super) ipv6_changed: bool,
    pub(super) ipv4_expired: bool,
    pub(super) ipv6_expired: bool,
    /// In local time.
    pub(super) last_ipv4_update: Option<String>,
    /// In local time.
    pub(super) last_ipv6_update: Option<String>,
    /// In seconds; 0: never.
    pub(super) expiry_ttl: u64,
    pub(super) reason: Option<String>,
    pub(super) note: Option<String>,
    /// Whether the name server has yet to confirm the host's addresses.
    pub(super) is_pending: bool,
    /// Whose host it is.
    pub(super) owner: Option<String>,
    /// Where clients go, without any token.
    pub(super) url: String,
}

impl Variables {
    /// Those of a notice.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(super) fn of(
        notice: &Notice,
        config: &Config,
        registry: &Registry,
    ) -> Result<Self, RegistryError> {
        let text = |family| {
            let pair = [notice.what.old, notice.what.new];
            pair.map(|addresses| addresses.get(family).map(|ip| ip.to_string()))
        };
        let [last_ipv4, ipv4] = text(Family::Ipv4);
        let [last_ipv6, ipv6] = text(Family::Ipv6);
        let is_expired = notice.event() == crate::event::Event::Expired;
        let mut variables = Variables {
            event: notice.event().to_string(),
            time: local(notice.at),
            ipv4_changed: last_ipv4 != ipv4,
            ipv6_changed: last_ipv6 != ipv6,
            ipv4_expired: is_expired && last_ipv4 != ipv4,
            ipv6_expired: is_expired && last_ipv6 != ipv6,
            ipv4,
            ipv6,
            last_ipv4,
            last_ipv6,
            reason: notice.what.reason.as_deref().map(plain),
            url: config.url.as_str().to_owned(),
            ..Variables::default()
        };
        let Some((id, name)) = notice.host.zip(notice.name.as_ref()) else {
            return Ok(variables);
        };
        variables.name(name);
        // What expired was set some time before; what changed was set now.
        let until = match is_expired {
            true => notice.at,
            false => notice.at.plus(Span::from_seconds(1)),
        };
        let [ipv4, ipv6] = registry.last_changes(id, until)?;
        variables.last_ipv4_update = ipv4.map(local);
        variables.last_ipv6_update = ipv6.map(local);
        if let Some(host) = registry.host_by_id(id)? {
            let zone = config.zone(&name.zone());
            let expire = host.expire(zone.map_or(Span::ZERO, |zone| zone.expire));
            variables.expiry_ttl = expire.seconds();
            variables.is_pending = host.is_pending();
            variables.note = host.settings.note.as_deref().map(plain);
            variables.owner = host.settings.owner.map(|owner| owner.to_string());
        }
        Ok(variables)
    }

    fn name(&mut self, name: &HostName) {
        self.hostname = Some(name.relative().to_owned());
        self.zone = Some(name.zone().to_string());
        self.fqdn = Some(name.as_str().to_owned());
    }

    /// An example of every variable, to try templates with.
    pub(super) fn example(event: crate::event::Event) -> Self {
        let text = |text: &str| Some(text.to_owned());
        let time = local(Timestamp::from_seconds(1_795_227_273));
        let expired = event == crate::event::Event::Expired;
        Variables {
            event: event.to_string(),
            time: time.clone(),
            hostname: text("home"),
            zone: text("dyn.example.org"),
            fqdn: text("home.dyn.example.org"),
            ipv4: text("203.0.113.7").filter(|_| !expired),
            ipv6: text("2001:db8::7").filter(|_| !expired),
            last_ipv4: text("203.0.113.6"),
            last_ipv6: text("2001:db8::6"),
            ipv4_changed: true,
            ipv6_changed: true,
            ipv4_expired: expired,
            ipv6_expired: expired,
            last_ipv4_update: Some(time.clone()),
            last_ipv6_update: Some(time),
            expiry_ttl: 3600,
            reason: text("this is an example"),
            note: text("an example"),
            is_pending: false,
            owner: None,
            url: "https://update.example.org".to_owned(),
        }
    }
}

/// A moment in local time, with the zone: `2026-11-21 03:14:33 CET`.
pub(super) fn local(time: Timestamp) -> String {
    let zoned = jiff::Timestamp::from_second(time.seconds())
        .map(|time| time.to_zoned(TimeZone::try_system().unwrap_or(TimeZone::UTC)));
    match zoned {
        Ok(zoned) => zoned.strftime("%Y-%m-%d %H:%M:%S %Z").to_string(),
        Err(_) => time.to_string(),
    }
}

/// A text without control characters.
fn plain(text: &str) -> String {
    OneLine(text).to_string()
}
