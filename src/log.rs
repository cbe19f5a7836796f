//! The log: one line per request, `key=value` pairs that a person and a filter can read.
//!
//! Lines go to syslog (RFC 3164 over `/dev/log`), to standard error or to a file. No
//! line can hold a secret: fields are made of value types that do not show theirs.

mod target;

pub use target::{obstacle, wrong_kind};

use std::fmt::{Display, Write as _};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;

use crate::config::{Log, LogClient, LogLevel, LogTarget};
use crate::one_line::OneLine;

/// Where the system's log listens.
pub const SYSLOG: &str = "/dev/log";
/// The time zone of this machine, in TZif (RFC 9636).
const LOCALTIME: &str = "/etc/localtime";
/// Syslog's facility "daemon", in its place in a priority (RFC 3164 4.1.1).
const DAEMON: u8 = 3 << 3;

/// So long a line waits for standard error: who reads that may have much to do.
const MOMENT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 250_000_000,
};

/// So many octets are enough for most lines.
const USUAL: usize = 160;

/// One line, before it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    level: LogLevel,
    text: String,
}

impl Line {
    /// A line about `event`, e.g. `update`.
    pub fn new(level: LogLevel, event: &str) -> Self {
        let mut text = String::with_capacity(USUAL);
        text.push_str(event);
        Line { level, text }
    }

    /// Adds `key=value` for a value that has no space in it.
    pub fn field(mut self, key: &str, value: impl Display) -> Self {
        let _ = write!(self.text, " {key}={value}");
        self
    }

    /// Adds `key="value"` for words, on one line whatever they hold.
    pub fn words(mut self, key: &str, value: impl Display) -> Self {
        let value = OneLine(value).to_string().replace('"', "'");
        let _ = write!(self.text, " {key}=\"{value}\"");
        self
    }

    /// Adds a hint, where there is one.
    pub fn hint(self, hint: Option<impl Display>) -> Self {
        match hint {
            Some(hint) => self.words("hint", hint),
            None => self,
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Writes lines where the configuration says.
#[derive(Debug, Clone, Default)]
pub struct Logger {
    config: Log,
}

impl Logger {
    /// A logger as `[log]` has it.
    pub fn new(config: &Log) -> Self {
        Logger {
            config: config.clone(),
        }
    }

    /// Whether lines of that level are important enough: what nobody wants need not be made.
    pub fn wants(&self, level: LogLevel) -> bool {
        level >= self.config.level
    }

    /// Writes a line, if it is important enough. A log that cannot be written stops nothing.
    pub fn write(&self, line: &Line) {
        if !self.wants(line.level) {
            return;
        }
        let written = match &self.config.target {
            LogTarget::Auto => to_syslog(line).or_else(|_| to_stderr(line)),
            LogTarget::Syslog => to_syslog(line),
            LogTarget::Stderr => to_stderr(line),
            LogTarget::File(file) => to_file(line, file),
        };
        if written.is_err() {
            let _ = to_stderr(line);
        }
    }

    /// A client's address as far as it is to be logged.
    pub fn client(&self, address: IpAddr) -> Option<String> {
        match self.config.client {
            LogClient::Full => Some(address.to_string()),
            LogClient::None => None,
            LogClient::Prefix => Some(match address {
                IpAddr::V4(ipv4) => {
                    let network = ipv4.to_bits() & (u32::MAX << 8);
                    format!("{}/24", Ipv4Addr::from_bits(network))
                }
                IpAddr::V6(ipv6) => {
                    let network = ipv6.to_bits() & (u128::MAX << 80);
                    format!("{}/48", Ipv6Addr::from_bits(network))
                }
            }),
        }
    }
}

/// Whether this machine has a log of its own that takes lines.
pub fn has_syslog() -> bool {
    Path::new(SYSLOG).exists()
}

fn to_syslog(line: &Line) -> std::io::Result<()> {
    let severity = match line.level {
        LogLevel::Debug => 7,
        LogLevel::Info => 6,
        LogLevel::Notice => 5,
        LogLevel::Warning => 4,
    };
    let time = local_time().strftime("%b %e %H:%M:%S").to_string();
    let message = format!(
        "<{}>{time} bowline[{}]: {}",
        DAEMON | severity,
        std::process::id(),
        line.text
    );
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.send_to(message.as_bytes(), Path::new(SYSLOG))?;
    Ok(())
}

/// Who reads it may be slow, or stand still, as systemd's journal may: then one line waits for a
/// moment, and those after it are dropped until one is taken at once.
fn to_stderr(line: &Line) -> std::io::Result<()> {
    static STANDS_STILL: AtomicBool = AtomicBool::new(false);
    // One thread at a time: what is free for one line need not be for two.
    let mut stderr = std::io::stderr().lock();
    let wait = match STANDS_STILL.load(Ordering::Relaxed) {
        true => Timespec::default(),
        false => MOMENT,
    };
    let mut polled = [PollFd::new(&stderr, PollFlags::OUT)];
    let takes = poll(&mut polled, Some(&wait))? > 0;
    STANDS_STILL.store(!takes, Ordering::Relaxed);
    match takes {
        true => stderr.write_all(timed(line).as_bytes()),
        false => Err(ErrorKind::WouldBlock.into()),
    }
}

/// Never waits: where the file is a pipe, its reader may be gone or slow.
fn to_file(line: &Line, file: &Path) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o640)
        .custom_flags((OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed())
        .open(file)?;
    file.write_all(timed(line).as_bytes())
}

/// One write of a whole line, so that lines of several processes do not mix.
fn timed(line: &Line) -> String {
    format!(
        "{} bowline: {}\n",
        local_time().strftime("%Y-%m-%dT%H:%M:%S%:z"),
        line.text
    )
}

/// Now, in the time zone of this machine.
///
/// The zone's one file is read, not looked for by its name among all there are, which
/// would cost a one-shot process more than everything else it does.
fn local_time() -> Zoned {
    static ZONE: OnceLock<TimeZone> = OnceLock::new();
    let zone = ZONE.get_or_init(|| {
        let file = std::fs::read(LOCALTIME).unwrap_or_default();
        TimeZone::tzif("local", &file).unwrap_or(TimeZone::UTC)
    });
    Timestamp::now().to_zoned(zone.clone())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let line = Line::new(LogLevel::Info, "update")
            .field("host", "home.dyn.example.org")
            .words("reason", "it said \"no\"\nand more\0");
        assert_eq!(
            line.as_str(),
            "update host=home.dyn.example.org reason=\"it said 'no' and more \""
        );
    }

    #[test]
    fn clients_are_logged_as_far_as_wanted() {
        let logger = |client| Logger {
            config: Log {
                client,
                ..Log::default()
            },
        };
        for (client, ipv4, ipv6) in [
            (
                LogClient::Full,
                Some("203.0.113.7"),
                Some("2001:db8:1:2::3"),
            ),
            (
                LogClient::Prefix,
                Some("203.0.113.0/24"),
                Some("2001:db8:1::/48"),
            ),
            (LogClient::None, None, None),
        ] {
            let shown = |text: &str| logger(client).client(text.parse().unwrap());
            assert_eq!(shown("203.0.113.7").as_deref(), ipv4);
            assert_eq!(shown("2001:db8:1:2::3").as_deref(), ipv6);
        }
    }

    #[test]
    fn a_file_gets_what_is_important_enough() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("log");
        let logger = Logger {
            config: Log {
                target: LogTarget::File(file.clone()),
                level: LogLevel::Notice,
                ..Log::default()
            },
        };
        logger.write(&Line::new(LogLevel::Info, "small"));
        logger.write(&Line::new(LogLevel::Notice, "enough"));
        logger.write(&Line::new(LogLevel::Warning, "large"));
        let text = std::fs::read_to_string(&file).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].ends_with(" bowline: enough"), "{text}");
        assert!(lines[1].ends_with(" bowline: large"), "{text}");
        // Strangers do not read whose address is where.
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o007, 0, "{mode:o}");
    }
}
