//! What a request claims, read by the row of its dialect.

use super::credential::Credential;
use super::{Captured, Dialect, Place, is_placeholder};
use crate::acme::{Wanted, WantedError};
use crate::http::Request;
use crate::token::Token;
use crate::update::{Answer, Asked, AskedError, Word};

/// What a request claims: a credential, names, and addresses to have.
#[derive(Debug)]
pub struct Claim<'a> {
    /// Its dialect.
    pub dialect: &'a Dialect,
    /// The secret it shows.
    pub token: Token,
    /// Where that was.
    pub place: Place,
    /// The names in it, in order.
    pub names: Vec<Vec<u8>>,
    /// What it wants done with challenges for certificates, where it is about those.
    pub challenge: Option<Result<Wanted, WantedError>>,
    /// The addresses it asks for, or what is wrong with them.
    pub asked: Result<Asked, AskedError>,
}

/// Why a request claims nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclaimed {
    /// The token's place in the path holds none: the path is unknown.
    UnknownPath,
    /// It shows no credential.
    NoCredential,
    /// Its credential cannot be a token.
    WrongCredential,
}

impl Unclaimed {
    /// The answer to it.
    pub fn answer(self) -> Answer {
        match self {
            Unclaimed::UnknownPath => Answer::new(Word::Unknown).because("unknown path"),
            Unclaimed::NoCredential => Answer::new(Word::NoCredential).because("no credential"),
            Unclaimed::WrongCredential => {
                Answer::new(Word::WrongCredential).because("wrong secret")
            }
        }
    }
}

impl<'a> Claim<'a> {
    /// Reads a request of a dialect.
    ///
    /// # Errors
    /// When it shows nothing that could be a token.
    pub fn read(
        dialect: &'a Dialect,
        captured: Captured<'_>,
        request: &Request,
    ) -> Result<Self, Unclaimed> {
        let (token, place) = match Credential::read(dialect, captured, request) {
            Credential::Token(token, place) => (token, place),
            _ if captured.token.is_some() => return Err(Unclaimed::UnknownPath),
            Credential::None => return Err(Unclaimed::NoCredential),
            Credential::NoToken => return Err(Unclaimed::WrongCredential),
        };
        let given = request.fields.first_of(&dialect.names);
        let challenge = (dialect.challenge).and_then(|form| Wanted::read(form, request));
        let mut names: Vec<Vec<u8>> = captured
            .name
            .into_iter()
            .chain(given)
            .flat_map(|list| list.split(|b| *b == b','))
            .map(<[u8]>::trim_ascii)
            .filter(|name| !name.is_empty() && !is_placeholder(name))
            .map(<[u8]>::to_vec)
            .collect();
        if let Some(Ok(Wanted {
            host: Some(host), ..
        })) = &challenge
        {
            names.push(host.clone().into_bytes());
        }
        Ok(Claim {
            dialect,
            token,
            place,
            names,
            challenge,
            asked: Asked::read(request, dialect, captured.address),
        })
    }
}
