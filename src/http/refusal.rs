//! Requests that do not arrive whole, or are too large to be taken.

use std::fmt;

use super::{BODY_MAX, HEAD_MAX, Response, Status};

/// Why a request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// More than 64 KiB of variables, or more of them than anybody sends.
    Head,
    /// More than 64 KiB of body.
    Body,
    /// Variables or a length that cannot be read, or a body shorter than its length:
    /// half an address is another one.
    Malformed,
    /// One that takes too long to arrive.
    Late,
}

impl Refusal {
    /// The word for it, in the answer and in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Head => "head",
            Refusal::Body => "body",
            Refusal::Malformed => "request",
            Refusal::Late => "late",
        }
    }

    /// The answer to it.
    pub fn response(self, json: bool) -> Response {
        let status = match self {
            Refusal::Head => Status::HeaderFieldsTooLarge,
            Refusal::Body => Status::ContentTooLarge,
            Refusal::Malformed => Status::BadRequest,
            Refusal::Late => Status::RequestTimeout,
        };
        Response::word(status, self.as_str(), json)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Head => write!(
                f,
                "a head of more than {HEAD_MAX} octets or too many fields"
            ),
            Refusal::Body => write!(f, "a body of more than {BODY_MAX} octets"),
            Refusal::Malformed => f.write_str(
                "a body shorter than its length, or a length or fields that cannot be read",
            ),
            Refusal::Late => f.write_str("the request took too long to arrive"),
        }
    }
}
