//! A web server's side of FastCGI, for saying right and wrong things.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use bowline::gateway::fastcgi::pairs;
use bowline::gateway::fastcgi::record::{self, HEADER, Header, Kind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// A connection to a responder.
pub(crate) struct Peer(pub(crate) UnixStream);

/// What came for one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    /// STDOUT, joined.
    pub(crate) text: String,
    /// The protocol status of its end.
    pub(crate) ended: u8,
}

impl Answered {
    /// The status line of the CGI response.
    pub(crate) fn status(&self) -> &str {
        let line = self.text.lines().next().unwrap_or_default();
        line.strip_prefix("Status: ").unwrap_or(line)
    }

    /// What stands behind the head.
    pub(crate) fn body(&self) -> &str {
        self.text
            .split_once("\r\n\r\n")
            .map_or("", |(_, body)| body)
    }
}

impl Peer {
    pub(crate) fn connect(path: &Path) -> Self {
        let stream = UnixStream::connect(path).unwrap();
        let time = Some(Duration::from_secs(60));
        stream.set_read_timeout(time).unwrap();
        stream.set_write_timeout(time).unwrap();
        Peer(stream)
    }

    /// Sends octets; a peer that has closed need not take them.
    pub(crate) fn say(&mut self, octets: &[u8]) -> &mut Self {
        let _ = self.0.write_all(octets);
        self
    }

    /// The next record; `None` at the end of the connection.
    pub(crate) fn record(&mut self) -> Option<(Header, Vec<u8>)> {
        let mut head = [0; HEADER];
        self.0.read_exact(&mut head).ok()?;
        let header = Header::read(head).expect("version 1");
        let mut content = vec![0; header.content.into()];
        self.0.read_exact(&mut content).ok()?;
        let mut padding = vec![0; header.padding.into()];
        self.0.read_exact(&mut padding).ok()?;
        Some((header, content))
    }

    /// What comes for a request until its end; `None` when the connection ends first.
    pub(crate) fn answered(&mut self, request: u16) -> Option<Answered> {
        let mut text = Vec::new();
        loop {
            let (header, content) = self.record()?;
            if header.request != request {
                continue;
            }
            match header.kind {
                Kind::Stdout => text.extend(content),
                Kind::End => {
                    let text = String::from_utf8(text).unwrap();
                    let ended = content[4];
                    return Some(Answered { text, ended });
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// Whether the responder closes the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.0.read(&mut [0]) {
            Ok(read) => read == 0,
            // Not in our time.
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Whether it has closed it, however much of what it said is still to be read.
    pub(crate) fn has_hung_up(&self) -> bool {
        let mut polled = [PollFd::new(&self.0, PollFlags::empty())];
        poll(&mut polled, Some(&Timespec::default())).unwrap();
        polled[0].revents().contains(PollFlags::HUP)
    }

    /// Whether it is closed already.
    pub(crate) fn is_closed_now(&mut self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let read = self.0.read(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        match read {
            Ok(read) => read == 0,
            Err(error) => error.kind() != ErrorKind::WouldBlock,
        }
    }

    /// Asks for a path and takes the answer.
    pub(crate) fn ask(&mut self, path: &str, keep: bool) -> Option<Answered> {
        self.say(&get(1, path, keep)).answered(1)
    }
}

/// Appends one record.
pub(crate) fn push(out: &mut Vec<u8>, kind: Kind, request: u16, content: &[u8]) {
    match content {
        [] => record::write_empty(out, kind, request),
        content => record::write(out, kind, request, content),
    }
}

/// One record.
pub(crate) fn one(kind: Kind, request: u16, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    push(&mut out, kind, request, content);
    out
}

/// The beginning of a request for a role.
pub(crate) fn begin(request: u16, role: u8, keep: bool) -> Vec<u8> {
    one(Kind::Begin, request, &[0, role, keep.into(), 0, 0, 0, 0, 0])
}

/// Pairs as a stream has them.
pub(crate) fn stream(pairs: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in pairs {
        pairs::write(&mut out, name.as_bytes(), value);
    }
    out
}

/// A whole request without a body.
pub(crate) fn get(request: u16, path: &str, keep: bool) -> Vec<u8> {
    with(request, path, keep, &[], b"")
}

/// A whole request with further variables and a body.
pub(crate) fn with(
    request: u16,
    path: &str,
    keep: bool,
    further: &[(&str, &[u8])],
    body: &[u8],
) -> Vec<u8> {
    let mut all: Vec<(&str, &[u8])> = vec![
        ("REQUEST_METHOD", b"GET"),
        ("REQUEST_URI", path.as_bytes()),
        ("REMOTE_ADDR", b"198.51.100.4"),
        ("HTTPS", b"on"),
    ];
    all.extend(further);
    let mut out = begin(request, 1, keep);
    push(&mut out, Kind::Params, request, &stream(&all));
    push(&mut out, Kind::Params, request, b"");
    if !body.is_empty() {
        push(&mut out, Kind::Stdin, request, body);
    }
    push(&mut out, Kind::Stdin, request, b"");
    out
}
