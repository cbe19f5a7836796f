//! What PowerDNS's own files tell: the script that decides about updates, and settings
//! that lose them.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::report::Report;
use crate::setup::Place;

/// The script that decides about updates.
const SCRIPT: &str = "lua-dnsupdate-policy-script";
/// When SQLite writes to the disk; 2 and more: before it answers.
const SYNCHRONOUS: &str = "gsqlite3-pragma-synchronous";
/// Where the zones are: the owner is whom PowerDNS runs as.
const DATABASE: &str = "gsqlite3-database";

/// Looks at the settings of PowerDNS.
pub(super) fn examine(place: &Place, report: &mut Report) {
    let settings = Settings::read(place);
    script(&settings, report);
    for follows in [
        "key-reach",
        "update-unsigned",
        "update-source",
        "update-neighbours",
    ] {
        report.explained(follows, "policy-script");
    }
    durability(&settings, report);
}

/// Without its script PowerDNS takes every update from everybody.
fn script(settings: &Settings, report: &mut Report) {
    let hint = "stop PowerDNS, run `bowline init` again with the same options, then start it";
    let Some(path) = settings.last(SCRIPT) else {
        return report.unknown(
            "policy-script",
            "which script decides about updates: the settings of PowerDNS name none, or cannot be read",
            "see pdns.conf and what it includes; run this as root",
        );
    };
    let database = settings.last(DATABASE);
    let server = database.and_then(|database| fs::metadata(database).ok());
    let danger = "then PowerDNS lets everybody change everything";
    match fs::metadata(&path) {
        Err(error) => report.problem(
            "policy-script",
            format_args!("{path}: {error}; {danger}"),
            hint,
        ),
        Ok(_) if server.is_some_and(|server| !may_read(&server, Path::new(&path))) => report
            .problem(
                "policy-script",
                format_args!("PowerDNS may not read {path}; {danger}"),
                "give it back the group of PowerDNS and mode 0640, then restart PowerDNS",
            ),
        Ok(_) => report.ok("policy-script", format_args!("{path} is there")),
    }
}

/// Whether the owner of a file may read the one at `path`, and search what is above it.
fn may_read(owns: &Metadata, path: &Path) -> bool {
    const READ: u32 = 0o444;
    const SEARCH: u32 = 0o111;
    let may = |path: &Path, what: u32| {
        let class =
            fs::metadata(path).map(
                |is| match (is.uid() == owns.uid(), is.gid() == owns.gid()) {
                    (true, _) => is.mode() & 0o700,
                    (false, true) => is.mode() & 0o070,
                    (false, false) => is.mode() & 0o007,
                },
            );
        class.is_ok_and(|mode| mode & what != 0)
    };
    let mut above = path.ancestors().skip(1).filter(|above| above.is_absolute());
    owns.uid() == 0 || may(path, READ) && above.all(|above| may(above, SEARCH))
}

/// PowerDNS keeps zones in SQLite, which may answer before the disk does.
fn durability(settings: &Settings, report: &mut Report) {
    match settings.last(SYNCHRONOUS).as_deref() {
        Some("2" | "3") => report.ok(
            "durability",
            "every update is on the disk before it is answered",
        ),
        Some(value) => report.problem(
            "durability",
            format_args!("{SYNCHRONOUS}={value}: a power cut loses accepted updates"),
            "gsqlite3-pragma-synchronous=2 in the settings of PowerDNS, then restart it",
        ),
        None => report.unknown(
            "durability",
            "whether PowerDNS has updates on the disk before it answers",
            "gsqlite3-pragma-synchronous=2 in its settings; with another database see there",
        ),
    }
}

/// Its settings: `pdns.conf`, then what stands beside it in the order of names.
struct Settings {
    texts: Vec<String>,
}

impl Settings {
    fn read(place: &Place) -> Self {
        let mut files = vec![place.pdns_conf()];
        files.extend(files_of(&place.pdns_include()));
        Settings {
            texts: files
                .into_iter()
                .filter_map(|file| fs::read_to_string(file).ok())
                .collect(),
        }
    }

    /// The value that counts: the last one.
    fn last(&self, name: &str) -> Option<String> {
        let lines = self.texts.iter().flat_map(|text| text.lines());
        let mut values = lines.filter_map(|line| {
            let (key, value) = line.split_once('=')?;
            (key.trim() == name).then(|| value.trim().to_owned())
        });
        values.next_back().filter(|value| !value.is_empty())
    }
}

/// The files of a directory with settings.
fn files_of(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|end| end == "conf"));
    files.sort();
    files
}
