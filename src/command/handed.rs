//! Files that the process opened as root and handed to itself.
//!
//! A verb that runs as the state directory's owner may not open what the operator
//! named on the command line. So root opens those files first, and passes them over
//! a socket in the place of standard input (`SCM_RIGHTS`, unix(7)), where they wait
//! while the process executes itself again.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::Failure;

/// Set while standard input is a socket with files.
pub(super) const MARK: &str = "BOWLINE_HANDED_FILES";
/// What stands for standard input or output in the place of a file.
const STANDARD: &str = "-";
/// No role's name is longer.
const ROLE_MAX: usize = 32;

/// A file named on the command line, and what it is for.
#[derive(Debug, Clone)]
pub(super) struct Argument {
    /// What it is for, e.g. `token`.
    pub(super) role: &'static str,
    /// Where it is; `-` for standard input or output.
    pub(super) path: PathBuf,
    /// Whether it is written: then it must not exist yet.
    pub(super) new: bool,
}

/// The files that were handed over, each with its role.
#[derive(Debug, Default)]
pub struct Handed(Vec<(String, File)>);

impl Handed {
    /// Whether this process was executed by itself.
    pub(super) fn is_awaited() -> bool {
        std::env::var_os(MARK).is_some()
    }

    /// Takes what was handed over before this process was executed; mostly nothing.
    ///
    /// # Errors
    /// When standard input is not the socket it is said to be.
    pub(super) fn receive() -> Result<Self, Failure> {
        let mut files = Vec::new();
        if !Handed::is_awaited() {
            return Ok(Handed(files));
        }
        let stdin = io::stdin();
        while let Some((role, Some(fd))) = receive_one(stdin.as_fd())? {
            files.push((role, File::from(fd)));
        }
        Ok(Handed(files))
    }

    /// The file handed over in that role.
    pub(super) fn take(&mut self, role: &str) -> Option<File> {
        let at = self.0.iter().position(|(known, _)| known == role)?;
        Some(self.0.swap_remove(at).1)
    }

    /// Adds one.
    pub(super) fn put(&mut self, role: &'static str, file: File) {
        self.0.push((role.to_owned(), file));
    }

    /// The file of an argument: handed over, or opened now.
    ///
    /// # Errors
    /// When it cannot be opened or, for a new one, exists.
    pub(super) fn open(&mut self, argument: &Argument) -> Result<File, Failure> {
        match self.take(argument.role) {
            Some(file) => Ok(file),
            None => argument.open(),
        }
    }

    /// The whole text of an argument, which has so many octets at most.
    ///
    /// # Errors
    /// When it cannot be read, is longer, or is no UTF-8.
    pub(super) fn read(&mut self, argument: &Argument, most: u64) -> Result<String, Failure> {
        let about =
            |why: &dyn fmt::Display| Failure::new(format!("{}: {why}", argument.path.display()));
        let mut octets = Vec::new();
        // One more than may be there: a device like /dev/zero has no end.
        let mut text = self.open(argument)?.take(most.saturating_add(1));
        let length = text.read_to_end(&mut octets);
        let length = length.map_err(|error| about(&error))?;
        if u64::try_from(length).is_ok_and(|length| length > most) {
            return Err(about(&format!("it is longer than {most} octets")));
        }
        String::from_utf8(octets).map_err(|error| {
            let sound = error
                .as_bytes()
                .iter()
                .take(error.utf8_error().valid_up_to());
            let line = sound.filter(|octet| **octet == b'\n').count() + 1;
            about(&format!("line {line} is no UTF-8")).hint("save it as UTF-8")
        })
    }

    /// A socket that holds these files, to be somebody's standard input.
    pub(super) fn send(self) -> Result<OwnedFd, Failure> {
        let (ours, theirs) = socketpair(
            AddressFamily::UNIX,
            SocketType::SEQPACKET,
            SocketFlags::CLOEXEC,
            None,
        )?;
        for (role, file) in &self.0 {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut control = SendAncillaryBuffer::new(&mut space);
            let fds = [file.as_fd()];
            control.push(SendAncillaryMessage::ScmRights(&fds));
            sendmsg(
                &ours,
                &[IoSlice::new(role.as_bytes())],
                &mut control,
                SendFlags::empty(),
            )?;
        }
        Ok(theirs)
    }
}

impl Argument {
    /// A file that is read, `-` for standard input.
    pub(super) fn read(role: &'static str, path: &Path) -> Self {
        Argument {
            role,
            path: path.to_owned(),
            new: false,
        }
    }

    /// A file that is made, mode 0600, `-` for standard output.
    pub(super) fn new(role: &'static str, path: &Path) -> Self {
        Argument {
            new: true,
            ..Argument::read(role, path)
        }
    }

    /// Whether it is standard input or output.
    pub(super) fn is_standard(&self) -> bool {
        self.path == Path::new(STANDARD)
    }

    /// Opens it with the rights of this process.
    pub(super) fn open(&self) -> Result<File, Failure> {
        let opened = match (self.is_standard(), self.new) {
            (true, true) => io::stdout().as_fd().try_clone_to_owned().map(File::from),
            (true, false) => io::stdin().as_fd().try_clone_to_owned().map(File::from),
            (false, true) => new_secret_file(&self.path),
            (false, false) => File::open(&self.path),
        };
        opened.map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => there_already(&self.path),
            io::ErrorKind::NotFound if !self.new => {
                Failure::new(format!("there is no file {:?}", self.path))
            }
            _ => Failure::new(format!("{}: {error}", self.path.display())),
        })
    }
}

/// Makes a file that only we may read; an existing one, or a link, is an error.
pub(super) fn new_secret_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
        .open(path)
}

/// What is there is never overwritten.
pub(super) fn there_already(path: &Path) -> Failure {
    Failure::new(format!("there is a file {} already", path.display()))
        .hint("name another one, or move it away")
}

/// One file and its role; nothing when there is none left.
fn receive_one(socket: impl AsFd) -> Result<Option<(String, Option<OwnedFd>)>, Failure> {
    let mut role = [0; ROLE_MAX];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(
        socket,
        &mut [IoSliceMut::new(&mut role)],
        &mut control,
        RecvFlags::CMSG_CLOEXEC,
    )?;
    if received.bytes == 0 {
        return Ok(None);
    }
    let fd = control.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
        _ => None,
    });
    let role = role.get(..received.bytes).unwrap_or_default();
    Ok(Some((String::from_utf8_lossy(role).into_owned(), fd)))
}
