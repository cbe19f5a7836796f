//! A client that keeps its connection, as far as the servers measured here need one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use crate::Trouble;

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of one server on loopback.
pub(crate) struct Client {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

impl Client {
    /// One that has not connected yet.
    pub(crate) fn new(port: u16) -> Self {
        Client { port, stream: None }
    }

    /// Gets a path: the body.
    pub(crate) fn get(&mut self, path: &str) -> Result<String, Trouble> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                BufReader::new(stream)
            }
        };
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes())?;
        let head = Head::read(&mut stream)?;
        let body = match head.length {
            Some(length) => octets(&mut stream, length)?,
            None if head.chunked => chunks(&mut stream)?,
            None => return Err("an answer of unknown length".into()),
        };
        if !head.close {
            self.stream = Some(stream);
        }
        Ok(String::from_utf8(body)?)
    }
}

/// What the fields before a body say about it.
#[derive(Default)]
struct Head {
    length: Option<usize>,
    chunked: bool,
    close: bool,
}

impl Head {
    fn read(stream: &mut impl BufRead) -> Result<Self, Trouble> {
        let mut head = Head::default();
        loop {
            let line = line(stream)?.to_ascii_lowercase();
            match line
                .split_once(':')
                .map(|(name, value)| (name, value.trim()))
            {
                Some(("content-length", value)) => head.length = Some(value.parse()?),
                Some(("transfer-encoding", value)) => head.chunked = value == "chunked",
                Some(("connection", value)) => head.close = value == "close",
                None if line.is_empty() => return Ok(head),
                _ => {}
            }
        }
    }
}

fn line(stream: &mut impl BufRead) -> Result<String, Trouble> {
    let mut line = String::new();
    match stream.read_line(&mut line)? {
        0 => Err("the web server closed the connection".into()),
        _ => Ok(line.trim_end().to_owned()),
    }
}

fn octets(stream: &mut impl Read, length: usize) -> Result<Vec<u8>, Trouble> {
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets)?;
    Ok(octets)
}

fn chunks(stream: &mut impl BufRead) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    loop {
        let length = usize::from_str_radix(&line(stream)?, 16)?;
        body.extend(octets(stream, length)?);
        line(stream)?;
        if length == 0 {
            return Ok(body);
        }
    }
}
