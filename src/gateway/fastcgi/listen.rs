//! Where the sockets come from: standard input, systemd, or an address of one's own.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use ipnetwork::IpNetwork;
use listenfd::ListenFd;
use rustix::fs::Mode;
use rustix::net::AddressFamily;

use super::Listener;
use crate::hint::Hint;
use crate::port::AddressPort;

/// Connections that may wait; the system cuts it to its own limit.
const BACKLOG: i32 = 4096;
/// The peers that FastCGI's own variable names (section 3.2), with commas between.
const WEB_SERVERS: &str = "FCGI_WEB_SERVER_ADDRS";

/// Where to listen: `unix:PATH` or an address with its port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListenAddress {
    /// A UNIX socket.
    Unix(PathBuf),
    /// A TCP socket.
    Tcp(SocketAddr),
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("unix: needs a path behind it".to_owned()),
            Some(path) => Ok(ListenAddress::Unix(path.into())),
            None => match text.parse() {
                Ok(AddressPort(address)) => Ok(ListenAddress::Tcp(address)),
                Err(_) => Err(format!(
                    "{text:?} is no place to listen; write unix:PATH or 127.0.0.1:9000"
                )),
            },
        }
    }
}

/// What was standard input, when it is a socket that listens (spawn-fcgi, mod_fcgid);
/// `None` when it is anything else.
///
/// # Errors
/// When it is one that must not be served.
pub fn from_input(input: impl AsFd, allow: &[IpNetwork]) -> Result<Option<Listener>, ListenError> {
    if !matches!(rustix::net::sockopt::socket_acceptconn(&input), Ok(true)) {
        return Ok(None);
    }
    let socket = input.as_fd().try_clone_to_owned()?;
    let listener = match rustix::net::sockopt::socket_domain(&socket) {
        Ok(AddressFamily::UNIX) => Listener::unix(UnixListener::from(socket))?,
        Ok(AddressFamily::INET | AddressFamily::INET6) => tcp(TcpListener::from(socket), allow)?,
        _ => return Err(ListenError::Family),
    };
    Ok(Some(listener))
}

/// The sockets that systemd passes on (`LISTEN_FDS`); none when it passes none.
///
/// # Errors
/// When one of them must not be served.
pub fn from_systemd(allow: &[IpNetwork]) -> Result<Vec<Listener>, ListenError> {
    let mut passed = ListenFd::from_env();
    let mut listeners = Vec::new();
    for at in 0..passed.len() {
        if let Ok(Some(socket)) = passed.take_unix_listener(at) {
            listeners.push(Listener::unix(socket)?);
        } else if let Ok(Some(socket)) = passed.take_tcp_listener(at) {
            listeners.push(tcp(socket, allow)?);
        } else {
            return Err(ListenError::Family);
        }
    }
    Ok(listeners)
}

/// A socket of one's own.
///
/// # Errors
/// When it cannot be had.
pub fn listen(address: &ListenAddress, allow: &[IpNetwork]) -> Result<Listener, ListenError> {
    match address {
        ListenAddress::Unix(path) => unix(path),
        ListenAddress::Tcp(address) => {
            let socket = TcpListener::bind(address)
                .map_err(|error| ListenError::Bind(address.to_string(), error))?;
            rustix::net::listen(&socket, BACKLOG).map_err(io::Error::from)?;
            Ok(tcp(socket, allow)?.own())
        }
    }
}

/// A TCP socket: beyond loopback only for peers that are named.
fn tcp(socket: TcpListener, allow: &[IpNetwork]) -> Result<Listener, ListenError> {
    let address = socket.local_addr()?;
    let mut allowed = allow.to_vec();
    if let Some(named) = std::env::var_os(WEB_SERVERS) {
        let named = named.to_string_lossy().into_owned();
        for one in named
            .split(',')
            .map(str::trim)
            .filter(|one| !one.is_empty())
        {
            let peer: IpAddr = one
                .parse()
                .map_err(|_| ListenError::WebServers(named.clone()))?;
            allowed.push(peer.to_canonical().into());
        }
    }
    if allowed.is_empty() && !address.ip().to_canonical().is_loopback() {
        return Err(ListenError::NotLoopback(address));
    }
    Ok(Listener::tcp(socket, allowed)?)
}

/// A UNIX socket for owner and group; a file that nobody answers at is replaced.
fn unix(path: &Path) -> Result<Listener, ListenError> {
    let failed = |error| ListenError::Bind(path.display().to_string(), error);
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(ListenError::NoSocket(path.to_owned()));
        }
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).map_err(failed)?;
            }
            Ok(_) => return Err(ListenError::Taken(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(ListenError::Taken(path.to_owned()));
            }
            Err(error) => return Err(failed(error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(failed(error)),
    }
    // Made with its mode, so that there is no moment at which everybody may connect.
    let before = rustix::process::umask(Mode::from_bits_truncate(0o117));
    let bound = UnixListener::bind(path);
    rustix::process::umask(before);
    let socket = bound.map_err(failed)?;
    rustix::net::listen(&socket, BACKLOG).map_err(io::Error::from)?;
    let inode = std::fs::symlink_metadata(path).map_err(failed)?.ino();
    Ok(Listener::unix(socket)?
        .own()
        .with_file(path.to_owned(), inode))
}

/// Why there is no socket to listen on.
#[derive(Debug)]
pub enum ListenError {
    /// The address or path cannot be had.
    Bind(String, io::Error),
    /// Something that is no socket is at the path.
    NoSocket(PathBuf),
    /// Somebody answers there already.
    Taken(PathBuf),
    /// Everybody who reaches the address could say anything.
    NotLoopback(SocketAddr),
    /// The variable that names web servers names something else.
    WebServers(String),
    /// A socket that was passed on is neither UNIX nor TCP.
    Family,
    /// The system says no.
    Io(io::Error),
}

impl Hint for ListenError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            ListenError::NotLoopback(_) => {
                "name the web server's network with --allow: whoever connects can claim any client address"
            }
            ListenError::Taken(_) => "stop the other one first, or choose another path",
            ListenError::NoSocket(_) => "choose another path, or remove the file",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ListenError::Bind(place, error) => write!(f, "listen on {place}: {error}"),
            ListenError::NoSocket(path) => write!(f, "{} is no socket", path.display()),
            ListenError::Taken(path) => {
                write!(f, "somebody answers on {} already", path.display())
            }
            ListenError::NotLoopback(address) => {
                write!(f, "{address} can be reached from other machines")
            }
            ListenError::WebServers(text) => {
                write!(f, "{WEB_SERVERS}={text:?} is no list of addresses")
            }
            ListenError::Family => f.write_str("a socket passed on is neither UNIX nor TCP"),
            ListenError::Io(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ListenError {}

impl From<io::Error> for ListenError {
    fn from(error: io::Error) -> Self {
        ListenError::Io(error)
    }
}
