//! Everything is killed at random moments under load, and nothing accepted is lost.
//!
//! Visits over CGI and FastCGI, rounds of upkeep and the name server itself are killed
//! with SIGKILL. `BOWLINE_KILLS` asks for more kills than the usual ones, and
//! `BOWLINE_SEED` for other moments (0: the clock's choice).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod support;

#[path = "fastcgi/peer.rs"]
#[allow(dead_code)]
mod peer;

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, sleep};

use crate::peer::Peer;
use crate::support::chance::{self, Chance};
use crate::support::knot::{ZONE, wait_until};
use crate::support::site::{Home, Site};

/// So many kills, without `BOWLINE_KILLS`.
const KILLS: usize = 120;
/// Clients, each with hosts of its own; every second one speaks FastCGI.
const CLIENTS: usize = 6;
/// Hosts of each.
const HOSTS: usize = 5;

/// What is known of a host: its addresses may be any of these, and no other.
struct Known {
    home: Home,
    /// The one accepted last, then those of visits since that had no answer.
    possible: Vec<String>,
}

struct Run {
    site: Site,
    kills: AtomicUsize,
    wanted: usize,
    over: AtomicBool,
}

impl Run {
    fn killed(&self) {
        if self.kills.fetch_add(1, Ordering::Relaxed) + 1 >= self.wanted {
            self.over.store(true, Ordering::Relaxed);
        }
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    /// One client: visit after visit, each with an address that was never used before.
    fn client(&self, number: usize, known: &mut [Known], mut chance: Chance) {
        for visit in 0_u32.. {
            if self.is_over() {
                return;
            }
            let known = &mut known[usize::try_from(chance.below(HOSTS as u64)).unwrap()];
            // One family at a time, so that the whole state is what was asked last.
            let (address, query) = match chance.below(2) {
                0 => {
                    let address = format!("2001:db8:{:x}::{:x}", number + 1, visit + 1);
                    (address.clone(), format!("?ipv4=-&ipv6={address}"))
                }
                _ => {
                    let address = format!("203.0.{}.{}", number + 1, visit % 250 + 1);
                    (address.clone(), format!("?ipv4={address}&ipv6=-"))
                }
            };
            let path = known.home.at(&query);
            let said = match number % 2 {
                0 => self.by_cgi(&path, &mut chance),
                _ => Peer::connect(&self.site.path("socket"))
                    .ask(&path, false)
                    .map(|answered| answered.body().to_owned()),
            };
            match said.as_deref() {
                // Accepted; whether published or not.
                Some(said) if said == format!("good {address}\n") || said == "dnserr\n" => {
                    known.possible = vec![address];
                }
                // Another process was in the way for too long, or nobody said anything.
                Some("911\n") | None => known.possible.push(address),
                Some(other) => panic!("{path}: {other}"),
            }
        }
    }

    /// A visit that may be killed in the midst of it.
    fn by_cgi(&self, path: &str, chance: &mut Chance) -> Option<String> {
        let visit = self.site.get(path).spawn();
        if chance.below(3) > 0 {
            sleep(chance.moment(25));
            if !visit.has_ended() {
                visit.kill();
                self.killed();
            }
        }
        visit.end().ok().map(|response| response.body)
    }

    /// Kills the others, one after the other; the last responder is left alive.
    fn kill_others(&self, socket: &UnixListener, mut chance: Chance) -> Child {
        let mut responder = self.responder(socket);
        while !self.is_over() {
            match chance.below(10) {
                0 => {
                    self.site.knot.bounce();
                    self.killed();
                    sleep(chance.moment(400));
                }
                1..=4 => {
                    let mut upkeep = self.quiet(&["upkeep"]).spawn().unwrap();
                    sleep(chance.moment(60));
                    if upkeep.try_wait().unwrap().is_none() {
                        upkeep.kill().unwrap();
                        self.killed();
                    }
                    upkeep.wait().unwrap();
                }
                _ => {
                    sleep(chance.moment(120));
                    responder.kill().unwrap();
                    responder.wait().unwrap();
                    self.killed();
                    responder = self.responder(socket);
                }
            }
        }
        responder
    }

    /// The responder, on a socket that outlives it.
    fn responder(&self, socket: &UnixListener) -> Child {
        let socket: OwnedFd = socket.try_clone().unwrap().into();
        self.quiet(&[]).stdin(socket).spawn().unwrap()
    }

    /// The executable, whose words nobody needs.
    fn quiet(&self, arguments: &[&str]) -> Command {
        let mut command = self.site.verb(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

#[test]
fn nothing_accepted_is_lost() {
    let (seed, wanted) = chance::run("BOWLINE_KILLS", KILLS);
    let site = Site::new();
    let mut known: Vec<Known> = (0..CLIENTS * HOSTS)
        .map(|n| Known {
            home: site.add(&format!("h{n}")),
            possible: vec![String::new()],
        })
        .collect();
    let run = Run {
        site,
        kills: AtomicUsize::new(0),
        wanted,
        over: AtomicBool::new(false),
    };
    let socket = UnixListener::bind(run.site.path("socket")).unwrap();
    thread::scope(|scope| {
        let clients: Vec<_> = (known.chunks_mut(HOSTS).enumerate())
            .map(|(number, known)| {
                let (run, chance) = (&run, Chance::of(seed, number + 1));
                scope.spawn(move || run.client(number, known, chance))
            })
            .collect();
        let mut responder = run.kill_others(&socket, Chance::of(seed, 0));
        for client in clients {
            client.join().unwrap();
        }
        // Before it answers it may not be up, and would end by the signal itself.
        let answered = Peer::connect(&run.site.path("socket")).ask("/d/ip", false);
        assert!(answered.is_some());
        let pid = responder.id().to_string();
        Command::new("kill").arg(pid).status().unwrap();
        assert!(responder.wait().unwrap().success());
    });
    check(&run.site, &known, &run);
}

/// Whether everything is as it must be after one round of upkeep.
fn check(site: &Site, known: &[Known], run: &Run) {
    wait_until("the name server", || {
        !site.knot.kdig(ZONE, "SOA").is_empty()
    });
    let upkeep = run.quiet(&["upkeep"]).status().unwrap();
    assert!(upkeep.success());

    let mut published = 0;
    for Known { home, possible } in known {
        let host = site.host(home);
        let found = site.dns(&home.name);
        assert!(!host.is_pending(), "{}: {}", home.name, site.log());
        assert_eq!(
            found,
            host.wish.records.addresses.to_string(),
            "{}",
            home.name
        );
        assert!(
            possible.contains(&found),
            "{}: {found} is none of {possible:?}",
            home.name
        );
        published += usize::from(!found.is_empty());
    }
    // SOA and NS, and one record for each host that has any: nothing else is in the zone.
    let zone = site.knot.knotc(&["zone-read", ZONE]);
    let records = zone.lines().filter(|line| !line.trim().is_empty()).count();
    assert_eq!(records, published + 2, "{zone}");

    let db = rusqlite::Connection::open(site.registry_file()).unwrap();
    let whole: String = db
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(whole, "ok");
    for entry in fs::read_dir(site.path("state/locks")).unwrap() {
        let path = entry.unwrap().path();
        let file = fs::File::open(&path).unwrap();
        assert!(file.try_lock().is_ok(), "{} is locked", path.display());
    }
    check_only_known_files(&site.path("state"));
    let status = run.quiet(&["status"]).status().unwrap();
    assert!(status.success());
}

/// No process has left a temporary file behind.
fn check_only_known_files(state: &Path) {
    for entry in fs::read_dir(state).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let known = ["bowline.db", "bowline.db-wal", "bowline.db-shm", "locks"];
        let known = known.contains(&name.as_str()) || name.ends_with(".counters");
        assert!(known, "{name}");
    }
}
