//! What stands between the client and Apache: a proxy that bowline believes, on loopback in both
//! families, where the test says which address a client has and what goes wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone)]
pub(crate) enum Mode {
    /// It is passed on.
    Pass,
    /// It is passed on after a while.
    Slow(Duration),
    /// It is answered with this.
    Answer(String),
    /// The answer never ends.
    Endless,
}

/// What the test sets and what it sees.
struct Shared {
    mode: Mode,
    ipv4: String,
    ipv6: String,
    requests: Vec<String>,
}

/// A relay in front of an Apache.
pub(crate) struct Relay {
    pub(crate) port: u16,
    shared: Arc<Mutex<Shared>>,
}

impl Relay {
    /// Listens on 127.0.0.1 and ::1, on the same port.
    pub(crate) fn start(apache: u16) -> Self {
        let (ipv4, ipv6, port) = (0..100)
            .find_map(|_| {
                let ipv4 = TcpListener::bind("127.0.0.1:0").ok()?;
                let port = ipv4.local_addr().ok()?.port();
                Some((ipv4, TcpListener::bind(("::1", port)).ok()?, port))
            })
            .unwrap();
        let shared = Arc::new(Mutex::new(Shared {
            mode: Mode::Pass,
            ipv4: "203.0.113.7".to_owned(),
            ipv6: "2001:db8::7".to_owned(),
            requests: Vec::new(),
        }));
        for listener in [ipv4, ipv6] {
            let shared = Arc::clone(&shared);
            // It ends with the test's process.
            std::thread::spawn(move || {
                for stream in listener.incoming().flatten() {
                    let shared = Arc::clone(&shared);
                    std::thread::spawn(move || serve(stream, apache, &shared));
                }
            });
        }
        Relay { port, shared }
    }

    /// What becomes of requests from now on.
    pub(crate) fn set(&self, mode: Mode) {
        self.shared.lock().unwrap().mode = mode;
    }

    /// Which address the client has from now on.
    pub(crate) fn move_client(&self, ipv4: &str, ipv6: &str) {
        let mut shared = self.shared.lock().unwrap();
        (shared.ipv4, shared.ipv6) = (ipv4.to_owned(), ipv6.to_owned());
    }

    /// How many requests came since it was asked last: for the address, and for anything else.
    pub(crate) fn counted(&self) -> (usize, usize) {
        let requests = std::mem::take(&mut self.shared.lock().unwrap().requests);
        let asked = requests.iter().filter(|line| line.starts_with("GET /ip "));
        (asked.clone().count(), requests.len() - asked.count())
    }

    /// Waits until a request is there.
    pub(crate) fn wait_for_request(&self) {
        crate::site::trial::wait_until(|| !self.shared.lock().unwrap().requests.is_empty());
    }
}

/// One connection with one request; a client that goes away early ends it.
fn serve(client: TcpStream, apache: u16, shared: &Mutex<Shared>) -> Option<()> {
    let is_ipv4 = client.local_addr().ok()?.is_ipv4();
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut head = Vec::new();
    let (mut length, mut chunked) = (0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        chunked |= lower.starts_with("transfer-encoding: chunked");
        if line.trim_end().is_empty() {
            break;
        }
        if !lower.starts_with("connection:") {
            head.push(line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    // As it is: the server behind takes it apart.
    while chunked && !body.ends_with(b"\r\n0\r\n\r\n") {
        if reader.read_until(b'\n', &mut body).ok()? == 0 {
            return None;
        }
    }
    let (mode, address) = {
        let mut shared = shared.lock().unwrap();
        shared.requests.push(head.first()?.trim_end().to_owned());
        let address = if is_ipv4 { &shared.ipv4 } else { &shared.ipv6 };
        (shared.mode.clone(), address.clone())
    };
    let mut client = client;
    match mode {
        Mode::Pass => {}
        Mode::Slow(time) => std::thread::sleep(time),
        Mode::Answer(answer) => {
            client.write_all(answer.as_bytes()).ok()?;
            return client.shutdown(Shutdown::Write).ok();
        }
        Mode::Endless => {
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
            loop {
                client.write_all(&[b'x'; 4096]).ok()?;
            }
        }
    }
    let mut server = TcpStream::connect(("127.0.0.1", apache)).ok()?;
    let rest = format!("X-Forwarded-For: {address}\r\nConnection: close\r\n\r\n");
    server.write_all(head.concat().as_bytes()).ok()?;
    server.write_all(rest.as_bytes()).ok()?;
    server.write_all(&body).ok()?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).ok()?;
    client.write_all(&answer).ok()
}
