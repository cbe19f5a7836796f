//! What logs show: tokens in force, told by their digests and never repeated.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{MemfdFlags, memfd_create};

use super::mode::open;
use super::report::Report;
use crate::config::{Config, LogTarget};
use crate::log::{obstacle, wrong_kind};
use crate::setup::Place;
use crate::setup::users::user_name;
use crate::token::{Digest, LookupKey, Token};

/// So much of the end of a log is read.
const TAIL: u64 = 1 << 20;
/// So many logs are looked at, the newest first.
const LOGS_MAX: usize = 64;
/// Where web servers and syslog write on Debian, Fedora and Alpine.
const DIRECTORIES: [&str; 4] = [
    "/var/log/apache2",
    "/var/log/httpd",
    "/var/log/nginx",
    "/var/log/lighttpd",
];
const FILES: [&str; 3] = [
    "/var/log/syslog",
    "/var/log/messages",
    "/var/log/daemon.log",
];

/// What stands in the logs and may be a token.
#[derive(Debug, Default)]
pub struct Suspects {
    /// The digests, each with the first log it is in.
    found: Vec<(Digest, PathBuf)>,
    /// How many logs were read.
    read: usize,
    /// Logs that may not be read.
    closed: Vec<PathBuf>,
    /// Whether there was a key to make digests with.
    keyed: bool,
}

impl Suspects {
    /// Reads the ends of all logs there are.
    pub fn collect(config: &Config, place: &Place) -> Self {
        let mut suspects = Suspects::default();
        let Ok(key) = LookupKey::load(&config.state.lookup_key) else {
            return suspects;
        };
        suspects.keyed = true;
        let mut words: BTreeMap<String, PathBuf> = BTreeMap::new();
        for log in logs(config, place) {
            match tail(&log) {
                Ok(text) => {
                    suspects.read += 1;
                    for word in text.split(|octet| !Token::is_shaped(&[*octet; 16])) {
                        if let (true, Ok(word)) = (Token::is_shaped(word), str::from_utf8(word)) {
                            words.entry(word.to_owned()).or_insert_with(|| log.clone());
                        }
                    }
                }
                Err(_) => suspects.closed.push(log),
            }
        }
        suspects.found = words
            .into_iter()
            .filter_map(|(word, log)| Some((key.digest(&word.parse().ok()?), log)))
            .collect();
        suspects
    }

    /// The digests.
    pub fn digests(&self) -> Vec<Digest> {
        self.found.iter().map(|(digest, _)| *digest).collect()
    }

    /// A file in memory with a digest on each line, for somebody who may open the registry.
    ///
    /// # Errors
    /// When the system has no memory to give.
    pub fn file(&self) -> io::Result<File> {
        let mut memory = File::from(memfd_create("suspects", MemfdFlags::CLOEXEC)?);
        let lines = self.found.iter().map(|(digest, _)| digest.to_hex() + "\n");
        memory.write_all(lines.collect::<String>().as_bytes())?;
        memory.rewind()?;
        Ok(memory)
    }

    /// Tells which logs have a token; `in_force` says of each suspect whether it is one.
    pub fn judge(&self, in_force: &[bool], report: &mut Report) {
        let mut bad: Vec<&Path> = self
            .found
            .iter()
            .zip(in_force)
            .filter(|(_, in_force)| **in_force)
            .map(|((_, log), _)| log.as_path())
            .collect();
        bad.sort_unstable();
        bad.dedup();
        for log in &bad {
            report.problem(
                "log-tokens",
                format_args!("{} has a token in force", log.display()),
                "let the web server's site log no path, query or referer, as the shipped files do; \
                 then `bowline host rotate` the hosts that visited",
            );
        }
        if !self.keyed || in_force.len() != self.found.len() {
            report.unknown(
                "log-tokens",
                "whether a token is in a log: the registry could not be asked",
                "mend the registry first, and run this as root",
            );
        } else if let Some(closed) = self.closed.first() {
            report.unknown(
                "log-tokens",
                format_args!("whether a token is in {}", closed.display()),
                "run this as root, with sudo",
            );
        } else if self.read == 0 {
            report.unknown(
                "log-tokens",
                "no log of a web server was found",
                "look at its log yourself",
            );
        } else if bad.is_empty() {
            report.ok(
                "log-tokens",
                format_args!("no token at the end of {} logs", self.read),
            );
        }
    }
}

/// Whether who runs bowline can append to its log; else lines go to standard error, where no
/// filter reads them.
pub(super) fn own(config: &Config, report: &mut Report) {
    let user = user_name(rustix::process::geteuid().as_raw());
    let (file, error) = match (&config.log.target, obstacle(&config.log.target)) {
        (LogTarget::File(file), Some(error)) => (file, error),
        (LogTarget::File(file), None) => {
            let says = format_args!("{user} can append to {}", file.display());
            return report.ok("log-file", says);
        }
        (_, Some(error)) => {
            let hint = "install a syslog, or name a file in [log] target";
            return report.problem("log-file", error, hint);
        }
        (_, None) => return,
    };
    let directory = file.parent().unwrap_or(file);
    let hint = match () {
        () if wrong_kind(file).is_some() => {
            "name a plain file, or syslog, in [log] target".to_owned()
        }
        () if !directory.exists() => {
            format!("`install -d -o {user} -m 0750 {}`", directory.display())
        }
        () if error.kind() == ErrorKind::StorageFull => "make room".to_owned(),
        () => format!(
            "`touch {0} && chown {user} {0} && chmod u+rw {0}`; what rotates it has to make it so too",
            file.display()
        ),
    };
    let says = format_args!("{user} cannot append to {}: {error}", file.display());
    report.problem("log-file", says, hint);
}

/// The logs of web servers, of the system, and our own.
pub(super) fn logs(config: &Config, place: &Place) -> Vec<PathBuf> {
    let mut directories = vec![place.apache_dir.join("run"), place.nginx_dir.join("run")];
    let mut files = Vec::new();
    if !place.private {
        directories.extend(DIRECTORIES.map(PathBuf::from));
        files.extend(FILES.map(PathBuf::from));
    }
    if let LogTarget::File(file) = &config.log.target {
        files.push(file.clone());
    }
    for site in sites(place) {
        files.extend(named(&fs::read_to_string(site).unwrap_or_default()));
    }
    for directory in directories {
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        files.extend(entries.map(|entry| entry.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(".log") || name.ends_with(".log.1")
        }));
    }
    let age = |path: &PathBuf| {
        let is = fs::symlink_metadata(path).ok()?;
        is.is_file().then(|| is.modified().ok())?
    };
    files.sort();
    files.dedup();
    files.retain(|file| age(file).is_some());
    files.sort_by_key(|file| std::cmp::Reverse(age(file)));
    files.truncate(LOGS_MAX);
    files
}

/// The end of a file that is no link.
pub(super) fn tail(file: &Path) -> io::Result<Vec<u8>> {
    let mut file = open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut text = Vec::new();
    file.take(TAIL).read_to_end(&mut text)?;
    Ok(text)
}

/// The files of sites that a web server reads.
pub(super) fn sites(place: &Place) -> Vec<PathBuf> {
    let directories = match place.private {
        true => vec![place.apache_dir.clone(), place.nginx_dir.clone()],
        false => [
            "/etc/apache2/sites-enabled",
            "/etc/httpd/conf.d",
            "/etc/nginx/sites-enabled",
            "/etc/nginx/conf.d",
        ]
        .map(PathBuf::from)
        .to_vec(),
    };
    let files = directories
        .into_iter()
        .filter_map(|directory| fs::read_dir(directory).ok());
    let mut files: Vec<PathBuf> = files
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    let included: Vec<PathBuf> = files.iter().flat_map(|site| included(site)).collect();
    files.extend(included);
    files.sort();
    files.dedup();
    files
}

/// The files that one includes by their whole path, without patterns.
fn included(site: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(site).unwrap_or_default();
    let paths = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let is_include = ["include", "includeoptional"];
        let directive = words.next()?.to_ascii_lowercase();
        let path = Path::new(words.next()?.trim_matches(['"', '\'', ';']));
        (is_include.contains(&directive.as_str()) && path.is_absolute()).then(|| plain(path))
    });
    paths.filter(|path| path.is_file()).collect()
}

/// A path without `..`: the shipped site for nginx goes through a pattern and back, so as
/// to include nothing before there is a certificate.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// The logs that a site names by their whole path.
fn named(text: &str) -> impl Iterator<Item = PathBuf> + '_ {
    text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let directive = words.next()?.to_ascii_lowercase();
        let is_log = [
            "customlog",
            "errorlog",
            "transferlog",
            "access_log",
            "error_log",
        ];
        let path = words.next()?.trim_matches(['"', '\'', ';']);
        let path = PathBuf::from(path);
        (is_log.contains(&directive.as_str()) && path.is_absolute()).then_some(path)
    })
}
