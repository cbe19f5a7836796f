//! Adopting: where registry and zone differ, the zone's word is taken.

use std::net::IpAddr;

use super::compare::{Comparison, Differing, Left};
use crate::config::LogLevel;
use crate::ip::{Family, PublicAddress};
use crate::log::Line;
use crate::publish::PublishError;
use crate::time::Timestamp;

impl Comparison<'_> {
    /// Takes what the zone says; the next settling confirms it.
    pub(super) fn adopt(&mut self, differing: Vec<Differing>) -> Result<Left, PublishError> {
        let mut left = Left::default();
        for (host, shown) in differing {
            let line = |level| Line::new(level, "upkeep").field("host", &host.name);
            let policy = host.policy(self.zone.policy());
            let may_have = |address: IpAddr| {
                let only = host.settings.only;
                only.is_none_or(|only| only == Family::of(address))
                    && PublicAddress::new(address, policy).is_ok()
            };
            let addresses = shown.addresses().filter(|addresses| {
                host.settings.fixed.is_none() && addresses.iter().all(may_have)
            });
            let adopted = match addresses {
                Some(addresses) => self.registry.adopt(
                    host.id,
                    host.wish.number,
                    addresses,
                    self.zone.ttl,
                    Timestamp::now(),
                )?,
                None => false,
            };
            let reason = format!("the name server has {shown}");
            if adopted {
                self.compared.adopted += 1;
                let line = line(LogLevel::Info).field("result", "adopted");
                self.logger.write(&line.words("reason", reason));
            } else {
                self.note(&[(host.clone(), shown)])?;
                left.told += 1;
                self.compared.left += 1;
                let line = line(LogLevel::Warning).field("result", "911");
                let hint = "set the host's addresses with `bowline host set`";
                self.logger
                    .write(&line.words("reason", reason).words("hint", hint));
            }
        }
        Ok(left)
    }
}
