//! What is to become of one host of a list that is imported.

use super::super::Failure;
use super::given::{check_static, permitted, still_permitted};
use super::row::Row;
use crate::ip::{Addresses, Policy};
use crate::registry::{Edit, Host, KeptToken, Settings};
use crate::time::Timestamp;
use crate::token::{Digest, Token};

/// One row, and all that is needed to decide on it.
pub(super) struct Plan {
    pub(super) row: Row,
    pub(super) policy: Policy,
    /// Of the secret to take over.
    pub(super) taken: Option<Digest>,
    /// The token it gets when it is new and has none.
    pub(super) fresh: Token,
    pub(super) digest: Digest,
}

impl Plan {
    /// Whether a new host has to be given a token.
    pub(super) fn needs_token(&self) -> bool {
        self.row.fixed != Some(true) && !self.has_token()
    }

    /// Whether the row has a token.
    fn has_token(&self) -> bool {
        self.taken.is_some() || !self.row.tokens.is_empty()
    }

    /// Whether it has tokens, and none of them is good any more.
    pub(super) fn has_dead_tokens_only(&self, now: Timestamp) -> bool {
        let mut tokens = self.row.tokens.iter();
        let is_dead = |token: &KeptToken| token.until.is_some_and(|until| until <= now);
        self.taken.is_none() && !self.row.tokens.is_empty() && tokens.all(is_dead)
    }

    /// What is to become of the host of that name, if there is one; `lost` gets why addresses
    /// of it go.
    pub(super) fn decide(
        &self,
        host: Option<(&Host, &[KeptToken])>,
        lost: &mut Vec<String>,
    ) -> Result<Edit, Failure> {
        match host {
            None => self.add(),
            Some((host, tokens)) => self.change(host, tokens, lost),
        }
    }

    /// A host that is not there yet.
    fn add(&self) -> Result<Edit, Failure> {
        let row = &self.row;
        let mut settings = Settings::default();
        row.apply(&mut settings)?;
        settings.fixed = (row.fixed == Some(true)).then_some(Addresses::NONE);
        let addresses = permitted(row.addresses.iter().copied(), &settings, self.policy)?;
        let mut tokens = row.tokens.clone();
        match self.taken {
            Some(digest) => tokens.push(in_force(digest)),
            None if self.needs_token() => tokens.push(in_force(self.digest)),
            None => {}
        }
        check_static(&row.name, &mut settings, addresses, self.has_token())?;
        Ok(Edit {
            settings,
            addresses: Some(addresses),
            tokens: Some(tokens),
            disabled: row.disabled,
            owner_disabled: row.owner_disabled,
            below: row.below,
        })
    }

    /// A host that is there: its token stays and, unless it is static, so do the addresses that
    /// it may still have.
    fn change(
        &self,
        host: &Host,
        tokens: &[KeptToken],
        lost: &mut Vec<String>,
    ) -> Result<Edit, Failure> {
        let row = &self.row;
        let mut settings = host.settings.clone();
        row.apply(&mut settings)?;
        if let Some(fixed) = row.fixed
            && fixed != settings.fixed.is_some()
        {
            let name = &host.name;
            let (is, change) = match fixed {
                true => ("not static", "--static"),
                false => ("static", "--no-static"),
            };
            return Err(
                Failure::new(format!("{name} is there, and is {is}")).hint(format!(
                    "`bowline host set {name} {change}` changes that first"
                )),
            );
        }
        let listed = row.tokens.iter().find(|token| token.until.is_none());
        if let Some(digest) = self.taken.or(listed.map(|token| token.digest))
            && !tokens
                .iter()
                .any(|token| token.digest.matches(digest.as_bytes()))
        {
            return Err(
                Failure::new(format!("{} has another token by now", host.name))
                    .hint("take the token out of the list, or use `bowline host set --token`"),
            );
        }
        let mut addresses = settings.fixed.unwrap_or(host.wish.records.addresses);
        if settings.fixed.is_some() && !row.addresses.is_empty() {
            addresses = permitted(row.addresses.iter().copied(), &settings, self.policy)?;
        }
        let (addresses, gone) = still_permitted(addresses, &settings, self.policy);
        lost.extend(gone.iter().map(|why| format!("{}: {why}", row.place)));
        check_static(&row.name, &mut settings, addresses, self.has_token())?;
        Ok(Edit {
            settings,
            addresses: Some(addresses),
            tokens: None,
            disabled: row.disabled,
            owner_disabled: row.owner_disabled,
            below: row.below,
        })
    }
}

/// A token without an end.
fn in_force(digest: Digest) -> KeptToken {
    KeptToken {
        digest,
        until: None,
        used: None,
    }
}
