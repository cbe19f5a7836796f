//! Sockets of both families, none of which ever blocks.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use ipnetwork::IpNetwork;
use rustix::net::{SocketFlags, accept_with, acceptfrom_with};

/// Where web servers connect.
#[derive(Debug)]
pub struct Listener {
    accepts: Accepts,
    /// Whether we have made it, and nobody else can take over what waits here.
    is_own: bool,
    /// The socket file that is ours to remove, with its inode number.
    file: Option<(PathBuf, u64)>,
}

#[derive(Debug)]
enum Accepts {
    Unix(UnixListener),
    /// Only peers in these networks are heard; from anywhere when there are none.
    Tcp(TcpListener, Vec<IpNetwork>),
}

impl Listener {
    /// On a UNIX socket.
    ///
    /// # Errors
    /// When the socket cannot be made non-blocking.
    pub fn unix(listener: UnixListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Listener::passed_on(Accepts::Unix(listener)))
    }

    /// On a TCP socket, for peers in `allowed` only, unless that is empty.
    ///
    /// # Errors
    /// When the socket cannot be made non-blocking.
    pub fn tcp(listener: TcpListener, allowed: Vec<IpNetwork>) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Ok(Listener::passed_on(Accepts::Tcp(listener, allowed)))
    }

    fn passed_on(accepts: Accepts) -> Self {
        Listener {
            accepts,
            is_own: false,
            file: None,
        }
    }

    /// The same, made by us.
    #[must_use]
    pub fn own(self) -> Self {
        Listener {
            is_own: true,
            ..self
        }
    }

    /// The same; its socket file is removed at the end if it still has that inode number.
    #[must_use]
    pub fn with_file(self, path: PathBuf, inode: u64) -> Self {
        Listener {
            file: Some((path, inode)),
            ..self
        }
    }

    /// The next connection that waits; `None` for a peer that is not allowed.
    ///
    /// # Errors
    /// `WouldBlock` when none does, or what the system says.
    pub fn accept(&self) -> io::Result<Option<Socket>> {
        // Not by the standard library, whose connections block until they are told otherwise.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        match &self.accepts {
            Accepts::Unix(listener) => {
                let stream = UnixStream::from(accept_with(listener, flags)?);
                Ok(Some(Socket::Unix(stream)))
            }
            Accepts::Tcp(listener, allowed) => {
                let (socket, peer) = acceptfrom_with(listener, flags)?;
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                if !peer.is_some_and(|peer| is_allowed(peer.ip(), allowed)) {
                    return Ok(None);
                }
                let stream = TcpStream::from(socket);
                stream.set_nodelay(true)?;
                Ok(Some(Socket::Tcp(stream)))
            }
        }
    }

    /// Whether nobody else can take over what waits here.
    pub fn is_own(&self) -> bool {
        self.is_own
    }

    /// Removes the socket file, if it is ours and still the same.
    pub fn remove_file(&self) {
        use std::os::unix::fs::MetadataExt;
        if let Some((path, inode)) = &self.file
            && std::fs::symlink_metadata(path).is_ok_and(|found| found.ino() == *inode)
        {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Whether a peer is in one of the networks.
fn is_allowed(peer: IpAddr, allowed: &[IpNetwork]) -> bool {
    let peer = peer.to_canonical();
    allowed.is_empty() || allowed.iter().any(|network| network.contains(peer))
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.accepts {
            Accepts::Unix(listener) => listener.as_fd(),
            Accepts::Tcp(listener, _) => listener.as_fd(),
        }
    }
}

/// A connection to a web server.
#[derive(Debug)]
pub enum Socket {
    /// By a path.
    Unix(UnixStream),
    /// By an address.
    Tcp(TcpStream),
}

/// What came of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrived {
    /// So many octets.
    Octets(usize),
    /// None yet.
    Later,
    /// There will be no more.
    Ended,
}

impl Socket {
    /// Reads what is there.
    pub fn read(&mut self, buffer: &mut [u8]) -> Arrived {
        loop {
            let read = match self {
                Socket::Unix(stream) => stream.read(buffer),
                Socket::Tcp(stream) => stream.read(buffer),
            };
            return match read {
                Ok(0) => Arrived::Ended,
                Ok(octets) => Arrived::Octets(octets),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => Arrived::Later,
                Err(_) => Arrived::Ended,
            };
        }
    }

    /// Writes as much as the peer takes now, and takes it off `octets`.
    ///
    /// # Errors
    /// When the peer is gone.
    pub fn write(&mut self, octets: &mut Vec<u8>) -> io::Result<()> {
        let mut done = 0;
        let mut result = Ok(());
        while let Some(rest @ [_, ..]) = octets.get(done..) {
            let written = match self {
                Socket::Unix(stream) => stream.write(rest),
                Socket::Tcp(stream) => stream.write(rest),
            };
            match written {
                Ok(0) => {
                    result = Err(ErrorKind::WriteZero.into());
                    break;
                }
                Ok(written) => done += written,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        octets.drain(..done.min(octets.len()));
        result
    }

    /// Says that nothing more will be written.
    pub fn end(&self) {
        // A peer that is gone need not be told.
        let _ = match self {
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Unix(stream) => stream.as_fd(),
            Socket::Tcp(stream) => stream.as_fd(),
        }
    }
}
