//! Why a name server said no, and why it is not known what it said (RFC 2136 3, RFC 8945 5).

use std::fmt;
use std::io;

use domain::base::iana::{Rcode, TsigRcode};

use super::message::MessageError;

/// A no: nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// A prerequisite failed, and the answer is signed: the RRsets are not as the swap
    /// said (NXRRSET), or a CNAME or an unexpected RRset stands there (YXRRSET).
    ///
    /// After an unanswered first try it may also mean that this very change was made.
    Differs(Rcode),
    /// The clocks differ by more than the signature allows (300 s): the name server's
    /// clock less ours, in seconds. Never verified: see `reply.rs`.
    BadTime {
        /// Positive: the name server is ahead.
        skew_seconds: i64,
    },
    /// Any other RCODE.
    Rcode {
        /// The RCODE.
        rcode: Rcode,
        /// The error in the TSIG record, where there is one (RFC 8945 4.3).
        tsig: Option<TsigRcode>,
        /// Whether the answer carried a signature that verified. Servers cannot sign
        /// when they do not know the key, so most refusals are not.
        authenticated: bool,
    },
    /// Nothing was sent, because such a message cannot be made.
    Unsendable(MessageError),
}

impl Refusal {
    /// What an operator can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Refusal::Differs(_) => None,
            Refusal::BadTime { .. } => Some("set the clock, and keep it right with NTP"),
            Refusal::Unsendable(error) => error.hint(),
            Refusal::Rcode {
                tsig: Some(TsigRcode::BADSIG),
                ..
            } => Some("the secret differs from the name server's: copy the key again"),
            Refusal::Rcode {
                rcode,
                authenticated,
                ..
            } => match (*rcode, authenticated) {
                (Rcode::NOTAUTH | Rcode::REFUSED, false) => Some(
                    "the key's name, its algorithm, the address asked from or the name server's ACL \
                     differ, or the zone is not served there; its own log tells which (PowerDNS says \
                     this of a wrong secret and of clocks that differ too)",
                ),
                (Rcode::NOTAUTH, true) => Some("the name server does not serve this zone"),
                (Rcode::REFUSED, true) => Some(
                    "the name server's policy for this key forbids this, or the zone is frozen",
                ),
                (Rcode::NOTZONE, _) => Some("the name is not in that zone"),
                (Rcode::SERVFAIL, false) => {
                    Some("the zone is probably not loaded: see the name server's log")
                }
                (Rcode::SERVFAIL, true) => Some(
                    "the zone is not loaded, the name server's disk or the journal of Knot has no room, or the \
                     policy script of PowerDNS forbids this: see the name server's log",
                ),
                (Rcode::FORMERR | Rcode::NOTIMP, _) => {
                    Some("is this a name server that takes updates (RFC 2136)?")
                }
                _ => None,
            },
        }
    }

    /// Whether it may be about one of many swaps, so that the others would be taken.
    pub fn may_be_of_one(&self) -> bool {
        match self {
            Refusal::BadTime { .. } => false,
            Refusal::Rcode { tsig, .. } => *tsig != Some(TsigRcode::BADSIG),
            Refusal::Differs(_) | Refusal::Unsendable(_) => true,
        }
    }

    /// Whether the name server may know another key: it cannot sign that it does, and not every
    /// one says so (PowerDNS).
    pub fn may_be_of_key(&self) -> bool {
        matches!(
            self,
            Refusal::Rcode {
                rcode: Rcode::NOTAUTH | Rcode::REFUSED,
                authenticated: false,
                ..
            }
        )
    }

    /// Whether anybody could have said it: a name server cannot sign all of its refusals.
    pub(super) fn may_be_forged(&self) -> bool {
        match self {
            Refusal::BadTime { .. } => true,
            Refusal::Rcode { authenticated, .. } => !authenticated,
            Refusal::Differs(_) | Refusal::Unsendable(_) => false,
        }
    }

    /// Whether another try may fare better: Knot before 3.4 answers SERVFAIL to all
    /// updates of a batch when one of them cannot be applied.
    pub(super) fn is_passing(&self) -> bool {
        matches!(
            self,
            Refusal::Rcode {
                rcode: Rcode::SERVFAIL,
                ..
            }
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Differs(rcode) => {
                write!(
                    f,
                    "the name server has other records than expected ({rcode})"
                )
            }
            Refusal::BadTime { skew_seconds } => {
                let side = if *skew_seconds < 0 {
                    "behind"
                } else {
                    "ahead of"
                };
                let seconds = skew_seconds.unsigned_abs();
                write!(
                    f,
                    "the name server's clock is {seconds} s {side} ours (BADTIME)"
                )
            }
            Refusal::Rcode {
                rcode,
                tsig,
                authenticated,
            } => {
                write!(f, "the name server refused: {rcode}")?;
                if let Some(tsig) = tsig {
                    match tsig.to_mnemonic_str() {
                        Some(name) => write!(f, ", {name}")?,
                        None => write!(f, ", TSIG error {tsig}")?,
                    }
                }
                f.write_str(if *authenticated { "" } else { " (not signed)" })
            }
            Refusal::Unsendable(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Refusal {}

/// No verified answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Doubt {
    /// Nothing listens there, or nothing was sent: certainly not applied.
    Unreachable(io::ErrorKind),
    /// No time was left to send anything: certainly not applied.
    Late,
    /// Sent, and no answer in time. A name server that stands still may apply it later.
    Silent,
    /// The connection ended before the answer.
    Broken(io::ErrorKind),
    /// A success came without a valid signature.
    Unverified,
    /// A try was not answered, a later one was refused.
    RefusedLater(Refusal),
}

impl Doubt {
    /// Whether the change may have happened, or may still happen.
    pub fn may_be_applied(&self) -> bool {
        !matches!(self, Doubt::Unreachable(_) | Doubt::Late)
    }

    /// Whether the name server was not heard. "Nobody listens" is heard of its machine, and at
    /// once; any other way not to reach it may be that it was not even asked.
    pub fn is_silence(&self) -> bool {
        match self {
            Doubt::Unreachable(kind) => *kind != io::ErrorKind::ConnectionRefused,
            Doubt::Late | Doubt::Silent | Doubt::Unverified => true,
            Doubt::Broken(_) | Doubt::RefusedLater(_) => false,
        }
    }

    /// What an operator can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Doubt::Unreachable(_) => {
                Some("does the name server run, and listen at this address and port?")
            }
            Doubt::Late => None,
            Doubt::Silent | Doubt::Broken(_) => Some(
                "the name server may be overloaded, its zone frozen, or a transaction left open",
            ),
            Doubt::Unverified => {
                Some("something answers without the key: is this the right name server?")
            }
            Doubt::RefusedLater(refusal) => refusal.hint(),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Doubt::Unreachable(kind) => write!(f, "the name server cannot be reached: {kind}"),
            Doubt::Late => f.write_str("no time was left to ask the name server"),
            Doubt::Silent => f.write_str("could not confirm: the name server does not answer"),
            Doubt::Broken(kind) => {
                write!(
                    f,
                    "could not confirm: the connection to the name server broke: {kind}"
                )
            }
            Doubt::Unverified => {
                f.write_str("could not confirm: the name server's answer is not validly signed")
            }
            Doubt::RefusedLater(refusal) => {
                write!(f, "could not confirm: no answer at first, then {refusal}")
            }
        }
    }
}

impl std::error::Error for Doubt {}
