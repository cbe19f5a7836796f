//! What is said on one connection, apart from the connection itself (FastCGI 1.0,
//! sections 4 and 5): octets in, replies and whole requests out.
//!
//! One request at a time; a second one beside it is refused, one after it is read when
//! the first has been answered. Nothing is reserved on a peer's word, and no more is
//! kept than 64 KiB of parameters, 64 KiB of body and 64 KiB of questions about ourselves.

use super::pairs::{self, Cut, Pairs};
use super::record::{self, Ended, HEADER, Header, Kind};
use crate::http::{BODY_MAX, BodyLength, HEAD_MAX, Meta, Refusal, Request};

/// The role of a responder (section 5.1).
const RESPONDER: u16 = 1;
/// More variables than any web server passes on: memory is bounded in their number too.
const VARIABLES_MAX: usize = 1000;
/// The flag of a request after which the connection stays.
const KEEP: u8 = 1;

/// The state of a conversation.
#[derive(Debug, Default)]
pub struct Conversation {
    /// The octets of a header that has not arrived whole.
    head: Vec<u8>,
    /// The record that is being read.
    record: Option<Record>,
    /// The content so far of a record that only makes sense whole.
    whole: Vec<u8>,
    /// The request that is being read.
    request: Option<Partial>,
    /// Where replies other than answers wait to be sent.
    replies: Vec<u8>,
}

/// A record of which some octets are still to come.
#[derive(Debug, Clone, Copy)]
struct Record {
    header: Header,
    content: usize,
    padding: usize,
}

/// A request of which some records are still to come.
#[derive(Debug)]
struct Partial {
    id: u16,
    keep: bool,
    params: Vec<u8>,
    /// The octets of all parameters, once they have been read.
    head: usize,
    /// There once all parameters are, and how long the body is said to be.
    meta: Option<(Meta, BodyLength)>,
    body: Vec<u8>,
}

/// A request that has arrived, or that will never be heard to its end.
#[derive(Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number on the connection.
    pub id: u16,
    /// Whether the connection stays afterwards.
    pub keep: bool,
    /// Whether nothing of it is still to come.
    pub whole: bool,
    /// Its variables, as far as they could be read.
    pub meta: Meta,
    /// Its body, or why the request is not taken.
    pub body: Result<Vec<u8>, Refusal>,
}

/// What came of some octets.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// All of them were read, and more are to come.
    More,
    /// A request; so many octets were read.
    Request(usize, Box<Received>),
    /// Nothing sensible can follow; the connection is to be closed.
    Over,
}

/// What one record, or a piece of one, leads to.
enum Step {
    On,
    Request(Received),
    Over,
}

impl Conversation {
    /// Reads octets, as many as belong to what is being read.
    pub fn hear(&mut self, octets: &[u8]) -> Heard {
        let mut rest = octets;
        while !rest.is_empty() {
            let step;
            (step, rest) = self.piece(rest);
            match step {
                Step::On => {}
                Step::Over => return Heard::Over,
                Step::Request(received) => {
                    return Heard::Request(octets.len() - rest.len(), Box::new(received));
                }
            }
        }
        Heard::More
    }

    /// Replies that are to be sent before anything else.
    pub fn replies(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.replies)
    }

    /// Whether the peer is in the middle of something.
    pub fn is_busy(&self) -> bool {
        self.request.is_some() || self.record.is_some() || !self.head.is_empty()
    }

    /// How many octets are kept.
    pub fn kept(&self) -> usize {
        let request = self
            .request
            .as_ref()
            .map_or(0, |ours| ours.params.len() + ours.head + ours.body.len());
        request + self.whole.len() + self.head.len() + self.replies.len()
    }

    /// Reads the next octets of a header, or of a record.
    fn piece<'a>(&mut self, octets: &'a [u8]) -> (Step, &'a [u8]) {
        let Some(mut record) = self.record else {
            let missing = HEADER - self.head.len();
            let (taken, rest) = octets.split_at(missing.min(octets.len()));
            self.head.extend_from_slice(taken);
            let Ok(head) = <[u8; HEADER]>::try_from(self.head.as_slice()) else {
                return (Step::On, rest);
            };
            self.head.clear();
            let step = match Header::read(head) {
                Some(header) => self.begin_record(header),
                None => Step::Over,
            };
            return (step, rest);
        };
        let (content, rest) = octets.split_at(record.content.min(octets.len()));
        record.content -= content.len();
        let step = if content.is_empty() {
            Step::On
        } else {
            self.content(record, content)
        };
        let (padding, rest) = rest.split_at(record.padding.min(rest.len()));
        record.padding -= padding.len();
        self.record = (record.content + record.padding > 0).then_some(record);
        (step, rest)
    }

    /// Called for each header; a record without content ends its stream.
    fn begin_record(&mut self, header: Header) -> Step {
        let record = Record {
            header,
            content: header.content.into(),
            padding: header.padding.into(),
        };
        self.whole.clear();
        self.record = (record.content + record.padding > 0).then_some(record);
        if record.content > 0 {
            return Step::On;
        }
        let ours = self.request.as_ref();
        let ours = ours.is_some_and(|ours| ours.id == header.request);
        match header.kind {
            Kind::Params | Kind::Stdin if !ours => Step::On,
            Kind::Params => self.params_end(),
            // `None` when the body has ended before the parameters.
            Kind::Stdin => match self.request.take().and_then(Partial::received) {
                Some(received) => Step::Request(received),
                None => Step::Over,
            },
            _ => self.record_whole(header),
        }
    }

    /// Called for each piece of content.
    fn content(&mut self, record: Record, content: &[u8]) -> Step {
        let Header { kind, request, .. } = record.header;
        let ours = self.request.as_mut().filter(|ours| ours.id == request);
        match (kind, ours) {
            (Kind::Params, Some(ours)) => {
                if ours.meta.is_some() {
                    return Step::Over;
                }
                ours.params.extend_from_slice(content);
                if ours.params.len() > HEAD_MAX {
                    ours.params.truncate(HEAD_MAX);
                    return self.refuse(Refusal::Head);
                }
            }
            (Kind::Stdin, Some(ours)) => {
                ours.body.extend_from_slice(content);
                if ours.body.len() > BODY_MAX {
                    return self.refuse(Refusal::Body);
                }
            }
            (Kind::Begin | Kind::Values, _) => {
                self.whole.extend_from_slice(content);
                if record.content == 0 {
                    return self.record_whole(record.header);
                }
            }
            (Kind::Abort | Kind::Unknown(_), _) if record.content == 0 => {
                return self.record_whole(record.header);
            }
            // Streams of a request that is over, and what a responder has no use for.
            _ => {}
        }
        Step::On
    }

    /// Called when a record has arrived that only makes sense whole.
    fn record_whole(&mut self, header: Header) -> Step {
        match header.kind {
            Kind::Begin => return self.begin_request(header.request),
            Kind::Abort => {
                let ours = self.request.take_if(|ours| ours.id == header.request);
                if let Some(ours) = ours {
                    record::write_end(&mut self.replies, ours.id, Ended::Complete);
                    if !ours.keep {
                        return Step::Over;
                    }
                }
            }
            Kind::Values => {
                let values = values(&self.whole);
                match values.as_slice() {
                    [] => record::write_empty(&mut self.replies, Kind::ValuesResult, 0),
                    values => record::write(&mut self.replies, Kind::ValuesResult, 0, values),
                }
            }
            Kind::Unknown(number) => {
                let content = [number, 0, 0, 0, 0, 0, 0, 0];
                record::write(&mut self.replies, Kind::UnknownType, 0, &content);
            }
            _ => {}
        }
        self.whole.clear();
        Step::On
    }

    /// Called when a request begins.
    fn begin_request(&mut self, id: u16) -> Step {
        let whole = std::mem::take(&mut self.whole);
        let [role1, role0, flags, _, _, _, _, _] = whole.as_slice() else {
            return Step::Over;
        };
        let keep = flags & KEEP != 0;
        let refusal = match &self.request {
            _ if id == 0 => return Step::Over,
            Some(other) if other.id == id => return Step::Over,
            Some(_) => Ended::CannotMultiplex,
            None if u16::from_be_bytes([*role1, *role0]) != RESPONDER => Ended::UnknownRole,
            None => {
                self.request = Some(Partial {
                    id,
                    keep,
                    params: Vec::new(),
                    head: 0,
                    meta: None,
                    body: Vec::new(),
                });
                return Step::On;
            }
        };
        record::write_end(&mut self.replies, id, refusal);
        if refusal == Ended::UnknownRole && !keep {
            return Step::Over;
        }
        Step::On
    }

    /// Called when all parameters are there: a body that is too long is not waited for.
    fn params_end(&mut self) -> Step {
        let Some(request) = self.request.as_mut().filter(|ours| ours.meta.is_none()) else {
            return Step::Over;
        };
        let params = std::mem::take(&mut request.params);
        let (meta, readable) = read_meta(&params);
        let length = readable.and_then(|()| meta.body_length());
        request.head = params.len();
        request.meta = Some((meta, length.unwrap_or(BodyLength::NotSaid)));
        match length {
            Ok(_) => Step::On,
            Err(refusal) => self.refuse(refusal),
        }
    }

    /// The request that has begun and takes too long to arrive, if there is one: it is not taken.
    pub fn late(&mut self) -> Option<Received> {
        let request = self.request.take()?;
        Some(request.refused(Refusal::Late))
    }

    /// Gives up the request that is being read.
    fn refuse(&mut self, refusal: Refusal) -> Step {
        match self.request.take() {
            Some(request) => Step::Request(request.refused(refusal)),
            None => Step::Over,
        }
    }
}

impl Partial {
    /// The request, once all of it is there; `None` when its parameters are not.
    fn received(self) -> Option<Received> {
        let (meta, length) = self.meta?;
        let mut body = self.body;
        let body = match length {
            BodyLength::Octets(length) if body.len() < length => Err(Refusal::Malformed),
            BodyLength::Octets(length) => {
                body.truncate(length);
                Ok(body)
            }
            BodyLength::NotSaid => Ok(body),
        };
        Some(Received {
            id: self.id,
            keep: self.keep,
            whole: true,
            meta,
            body,
        })
    }

    /// The request, of which the rest is not wanted.
    fn refused(self, refusal: Refusal) -> Received {
        let meta = match self.meta {
            Some((meta, _)) => meta,
            None => read_meta(&self.params).0,
        };
        Received {
            id: self.id,
            keep: false,
            whole: false,
            meta,
            body: Err(refusal),
        }
    }
}

/// The variables in a stream of parameters as far as they can be read, and whether that is all.
fn read_meta(params: &[u8]) -> (Meta, Result<(), Refusal>) {
    let pairs = Pairs::new(params);
    // One that is cut is the last.
    let both = |(count, _): (usize, bool), pair: Result<_, Cut>| (count + 1, pair.is_ok());
    let all = match pairs.clone().fold((0, true), both) {
        (count, _) if count > VARIABLES_MAX => Err(Refusal::Head),
        (_, false) => Err(Refusal::Malformed),
        (_, true) => Ok(()),
    };
    let known = pairs.take(VARIABLES_MAX).flatten();
    let read = known.filter(|(name, _)| Request::reads(name));
    (Meta::new(read), all)
}

/// What we say about ourselves, as far as it was asked (section 4.1).
fn values(asked: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    // How many connections and requests there may be depends on the configuration, and
    // more than that only wait.
    let known: [(&[u8], &[u8]); 3] = [
        (b"FCGI_MAX_CONNS", b"256"),
        (b"FCGI_MAX_REQS", b"256"),
        (b"FCGI_MPXS_CONNS", b"0"),
    ];
    for (name, value) in known {
        if Pairs::new(asked).flatten().any(|(asked, _)| asked == name) {
            pairs::write(&mut out, name, value);
        }
    }
    out
}

#[cfg(test)]
mod tests;
