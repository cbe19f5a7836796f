//! One host of a list that is imported: every setting there is, read as an option is.

use std::net::IpAddr;

use serde_json::Value;

use super::super::Failure;
use super::super::session::new_name;
use super::given::{self, Given};
use super::rows::Record;
use crate::config::Config;
use crate::event::EventError;
use crate::interface_id::{InterfaceId, InterfaceIdError};
use crate::name::{HostName, ZoneName};
use crate::owner_name::{OwnerName, OwnerNameError};
use crate::registry::{KeptToken, Settings};
use crate::time::Timestamp;
use crate::token::{Digest, Token};

/// The settings a list may have.
const KEYS: &str = "name zone owner owner_disabled below behind interface_id note mail notify ttl expire only allow_private wildcard plain_http static \
                    ipv4 ipv6 disabled token tokens";

/// A host to add, or whose settings to change.
#[derive(Debug)]
pub(super) struct Row {
    /// Where it stands in the list.
    pub(super) place: String,
    pub(super) name: HostName,
    /// Its name as it stands there.
    pub(super) label: String,
    owner: Option<OwnerName>,
    /// Whether its owner was switched off, and so was it.
    pub(super) owner_disabled: bool,
    /// The host that it is behind, and its own part of the address.
    behind: Option<HostName>,
    interface_id: Option<InterfaceId>,
    given: Given,
    /// Switches that were given, on or off.
    allow_private: Option<bool>,
    wildcard: Option<bool>,
    plain_http: Option<bool>,
    /// Whether it is static.
    pub(super) fixed: Option<bool>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) disabled: Option<bool>,
    /// Whether it may be below a host of another owner, or above one.
    pub(super) below: bool,
    /// A secret to take over.
    pub(super) token: Option<Token>,
    /// Digests, as an export has them.
    pub(super) tokens: Vec<KeptToken>,
}

impl Row {
    /// Reads a record.
    pub(super) fn read(record: Record, config: &Config) -> Result<Self, Failure> {
        let place = record.place.clone();
        Row::try_read(record, config).map_err(|failure| failure.at(place))
    }

    /// As [`Row::read`]; errors do not say the place yet.
    fn try_read(record: Record, config: &Config) -> Result<Self, Failure> {
        let text = |key: &str| Some(record.fields.get(key)?.as_str()?.trim());
        let zone: Option<ZoneName> = text("zone").map(str::parse).transpose()?;
        let name = text("name").ok_or_else(|| Failure::new("there is no name"))?;
        let mut row = Row {
            place: record.place.clone(),
            name: new_name(
                name,
                zone.as_ref(),
                config,
                "write the name in full, or give its zone",
            )?,
            label: name.to_owned(),
            owner: None,
            owner_disabled: false,
            behind: None,
            interface_id: None,
            given: Given::default(),
            allow_private: None,
            wildcard: None,
            plain_http: None,
            fixed: None,
            addresses: Vec::new(),
            disabled: None,
            below: false,
            token: None,
            tokens: Vec::new(),
        };
        for (key, value) in &record.fields {
            if !value.is_null() {
                row.put(key, value).map_err(|why| match key.as_str() {
                    // What was meant as a secret is not repeated.
                    "token" | "tokens" => Failure::new(format!("{key}: {why}")),
                    _ => Failure::new(format!("{key} = {value}: {why}")),
                })?;
            }
        }
        if let Some(site) = record.fields.get("behind").filter(|site| !site.is_null()) {
            let site = self::text(site).map_err(Failure::new)?;
            row.behind = Some(new_name(&site, None, config, "write the name in full")?);
        }
        Ok(row)
    }

    /// Reads one setting.
    fn put(&mut self, key: &str, value: &Value) -> Result<(), String> {
        let given = &mut self.given;
        match key {
            "name" | "zone" | "behind" => {}
            "owner" => {
                let owner = text(value)?.parse();
                self.owner = Some(owner.map_err(|error: OwnerNameError| error.to_string())?);
            }
            "interface_id" => {
                let id = text(value)?.parse();
                self.interface_id = Some(id.map_err(|error: InterfaceIdError| error.to_string())?);
            }
            "owner_disabled" => self.owner_disabled = switch(value)?,
            "below" => self.below = switch(value)?,
            "note" => given.note = Some(given::note(&text(value)?)?),
            "mail" => given.mail = Some(given::mail(&text(value)?)?),
            "notify" => {
                let events = text(value)?.parse();
                given.notify = Some(events.map_err(|error: EventError| error.to_string())?);
            }
            "ttl" => given.ttl = Some(given::ttl(&text(value)?)?),
            "expire" => given.expire = Some(given::expire(&text(value)?)?),
            "only" => given.only = Some(given::family(&text(value)?)?),
            "allow_private" => self.allow_private = Some(switch(value)?),
            "wildcard" => self.wildcard = Some(switch(value)?),
            "plain_http" => self.plain_http = Some(switch(value)?),
            "static" => self.fixed = Some(switch(value)?),
            "disabled" => self.disabled = Some(switch(value)?),
            "ipv4" => self.addresses.push(given::ipv4(&text(value)?)?),
            "ipv6" => self.addresses.push(given::ipv6(&text(value)?)?),
            "token" => {
                let token = text(value)?.parse();
                self.token =
                    Some(token.map_err(|error: crate::token::TokenError| error.to_string())?);
            }
            "tokens" => self.tokens = kept_tokens(value)?,
            _ => return Err(format!("no such key; there are {KEYS}")),
        }
        Ok(())
    }

    /// Puts what the row says in the place of what was set before.
    ///
    /// # Errors
    /// When it is behind another host, and only half of that is known; or when an owner is
    /// switched off whom it does not have.
    pub(super) fn apply(&self, settings: &mut Settings) -> Result<(), Failure> {
        self.given.clone().apply(settings);
        settings.owner = self.owner.clone().or(settings.owner.take());
        if self.owner_disabled && settings.owner.is_none() {
            return Err(Failure::new("owner_disabled: it has no owner"));
        }
        for (given, setting) in [
            (self.allow_private, &mut settings.allow_private),
            (self.wildcard, &mut settings.wildcard),
            (self.plain_http, &mut settings.plain_http),
        ] {
            *setting = given.unwrap_or(*setting);
        }
        let before = settings.behind.take();
        settings.behind = given::behind(before, self.behind.clone(), self.interface_id)?;
        Ok(())
    }
}

/// A string, or a number as one.
fn text(value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.trim().to_owned()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err("write a string or a number".to_owned()),
    }
}

/// Yes or no, in the words of all three forms.
fn switch(value: &Value) -> Result<bool, String> {
    match value {
        Value::Bool(is) => Ok(*is),
        _ => match text(value)?.to_lowercase().as_str() {
            "true" | "yes" | "1" => Ok(true),
            "false" | "no" | "0" => Ok(false),
            _ => Err("write true or false".to_owned()),
        },
    }
}

/// `[{"digest": "…", "until": "2026-11-21T02:14:33Z"}]`, as `export` writes them.
fn kept_tokens(value: &Value) -> Result<Vec<KeptToken>, String> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Kept {
        digest: String,
        until: Option<String>,
    }
    let all: Vec<Kept> = serde_json::from_value(value.clone())
        .map_err(|_| "write [{\"digest\": …, \"until\": …}], as export does".to_owned())?;
    all.into_iter()
        .map(|kept| {
            let until: Option<jiff::Timestamp> = kept
                .until
                .map(|text| text.parse().map_err(|_| format!("{text:?} is no time")))
                .transpose()?;
            Ok(KeptToken {
                digest: Digest::from_hex(&kept.digest).map_err(|error| error.to_string())?,
                until: until.map(|until| Timestamp::from_seconds(until.as_second())),
                used: None,
            })
        })
        .collect()
}
