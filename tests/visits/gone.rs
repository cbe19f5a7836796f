//! A host is removed, disabled or given another token in the middle of a visit.

use std::thread::{self, sleep};
use std::time::Duration;

use bowline::owner_name::OwnerName;
use bowline::publish::Published;
use bowline::registry::{Host, RegistryError, Settings};
use bowline::span::Span;
use bowline::time::Timestamp;
use bowline::token::Token;

use crate::strace;
use crate::support::at_once;
use crate::support::site::{Home, Site};

/// Knot holds an UPDATE back for a second at most.
const QUIET: Duration = Duration::from_millis(1500);

/// What the operator does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verb {
    Remove,
    Disable,
    DisableOwner,
    Rotate,
}

impl Verb {
    /// A host that it can be done to, with an owner of its own where that is what it is about.
    fn host(self, site: &Site, name: &str) -> Home {
        let owner: OwnerName = name.replace(' ', "").parse().unwrap();
        let owned = self == Verb::DisableOwner;
        if owned {
            let (digest, now) = (site.digest(&site.token()), Timestamp::now());
            site.registry()
                .add_owner(&owner, None, &digest, now)
                .unwrap();
        }
        let settings = Settings {
            owner: owned.then_some(owner),
            ..Settings::default()
        };
        site.add_with(name, settings)
    }

    /// What a visit may hear that it comes in the middle of: the truth before it, or after.
    fn may_say(self, said: &str) -> bool {
        let after = match self {
            Verb::Remove | Verb::Rotate => "404 badauth",
            Verb::Disable | Verb::DisableOwner => "403 abuse",
        };
        said == after || said == "200 good 203.0.113.2"
    }

    fn run(self, site: &Site, home: &Home, token: &Token) -> Result<(), RegistryError> {
        let (mut registry, now) = (site.registry(), Timestamp::now());
        match self {
            Verb::Remove => registry.remove(home.id, now),
            Verb::Disable => registry.disable(home.id, now),
            Verb::DisableOwner => {
                let owner = site.host(home).settings.owner.expect("an owner");
                let owner = registry.owner(&owner)?;
                registry.disable_owner(owner.id, now).map(drop)
            }
            Verb::Rotate => registry.rotate(home.id, &site.digest(token), Span::ZERO, now),
        }
    }

    /// Whether all is as it must be, once the verb and the visit are through.
    fn check(self, site: &Site, home: Home, token: Token, what: &str) {
        let again = site.visit(&home.with("203.0.113.9")).said();
        match self {
            Verb::Remove => {
                assert_eq!(again, "404 badauth", "{what}");
                // Kept for a while when an UPDATE of it was never answered.
                let kept = site.registry().host_by_id(home.id).unwrap();
                let is_over = |host: Host| host.unconfirmed.is_some() && !host.is_pending();
                assert!(kept.is_none_or(is_over), "{what}");
                assert_eq!(site.dns(&home.name), "", "{what}");
            }
            Verb::Disable | Verb::DisableOwner => {
                assert_eq!(again, "403 abuse", "{what}");
                assert_eq!(site.dns(&home.name), "", "{what}");
            }
            Verb::Rotate => {
                assert_eq!(again, "404 badauth", "{what}");
                assert_eq!(site.dns(&home.name), site.wish(&home), "{what}");
                let renewed = Home { token, ..home };
                let said = site.visit(&renewed.with("203.0.113.10")).said();
                assert_eq!(said, "200 good 203.0.113.10", "{what}");
                assert_eq!(site.dns(&renewed.name), "203.0.113.10", "{what}");
            }
        }
    }
}

/// Whether the name server shows what the registry has.
fn through(published: &Published) -> bool {
    matches!(
        published,
        Published::Confirmed | Published::Off | Published::Gone
    )
}

#[test]
fn while_a_visit_waits_for_a_silent_server() {
    at_once([
        ("remove/new", || waiting(Verb::Remove, "")),
        ("remove/old", || waiting(Verb::Remove, "203.0.113.1")),
        ("disable/new", || waiting(Verb::Disable, "")),
        ("disable/old", || waiting(Verb::Disable, "203.0.113.1")),
        ("disable-owner/new", || waiting(Verb::DisableOwner, "")),
        ("rotate/new", || waiting(Verb::Rotate, "")),
        ("remove/given-up", || given_up(Verb::Remove)),
        ("disable/given-up", || given_up(Verb::Disable)),
    ]);
}

/// The verb comes while the visit waits, and then the server goes on.
fn waiting(verb: Verb, before: &str) {
    let site = Site::new();
    let (home, token) = (verb.host(&site, "home"), site.token());
    if !before.is_empty() {
        assert_eq!(site.visit(&home.with(before)).status, 200);
    }
    let wish = || site.host(&home).wish.number;
    let number = wish();
    site.knot.pause();
    let visit = site.get(&home.with("203.0.113.2")).spawn();
    while wish() == number {
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(300));
    verb.run(&site, &home, &token).unwrap();
    site.knot.resume();
    // Its wish was accepted before the verb came.
    let said = visit.wait().said();
    assert!(verb.may_say(&said), "{said}");
    let published = site.publish(&home);
    assert!(through(&published), "{published:?}");
    sleep(QUIET);
    verb.check(&site, home, token, "waiting");
}

/// The visit has given up, its UPDATE waits in the socket, and then the verb comes.
fn given_up(verb: Verb) {
    let site = Site::new();
    let (home, token) = (site.add("home"), site.token());
    // An UPDATE right before makes Knot hold the next one back.
    let other = site.add("other");
    assert_eq!(site.visit(&other.with("203.0.113.1")).status, 200);
    site.knot.pause();
    assert!(site.visit(&home.with("203.0.113.2")).is_pending());
    verb.run(&site, &home, &token).unwrap();
    site.knot.resume();
    let published = site.publish(&home);
    assert!(through(&published), "{published:?}");
    sleep(QUIET);
    verb.check(&site, home, token, "given up");
}

#[test]
fn between_any_two_steps() {
    if !strace::works() {
        return;
    }
    at_once([
        ("remove", || at_every_step(Verb::Remove)),
        ("disable", || at_every_step(Verb::Disable)),
        ("disable-owner", || at_every_step(Verb::DisableOwner)),
        ("rotate", || at_every_step(Verb::Rotate)),
    ]);
}

/// The visit stands still at a step, the verb comes, the visit goes on.
fn at_every_step(verb: Verb) {
    let site = Site::new();
    let first = [
        ("fsync", 1),
        ("flock", 1),
        ("sendto", 1),
        ("sendto", 2),
        ("recvfrom", 1),
        ("recvfrom", 4),
    ];
    let (mut stops, mut refused) = (0, 0);
    let locks = (20..48).step_by(3).map(|n| ("fcntl", n));
    for (call, n) in first.into_iter().chain(locks) {
        let what = format!("{call} {n}");
        let home = verb.host(&site, &format!("{call}{n}"));
        let token = site.token();
        let request = site.get(&home.with("203.0.113.2"));
        let trace = site.path(&format!("{call}{n}.trace"));
        let under = strace::signal_at(call, n, "STOP", &trace);
        let visit = request.under(&under).spawn();
        let pid = strace::stopped(&visit, &trace);
        stops += u32::from(pid.is_some());
        let number = thread::scope(|scope| {
            // A visit that stands still inside a transaction makes the verb wait for it.
            let done = scope.spawn(|| verb.run(&site, &home, &token));
            sleep(Duration::from_millis(100));
            // A removed host may be gone already.
            let asked = verb == Verb::Rotate && done.is_finished();
            let numbers = asked.then(|| site.host(&home).wish.number);
            if let Some(pid) = pid {
                strace::go_on(pid);
            }
            done.join().unwrap().unwrap();
            numbers
        });
        let said = visit.wait().said();
        assert!(verb.may_say(&said), "{what}: {said}");
        refused += u32::from(!said.starts_with("200 "));
        if let Some(number) = number {
            assert_eq!(site.host(&home).wish.number, number, "{what}: {said}");
        }
        let published = site.publish(&home);
        assert!(through(&published), "{what}: {published:?}");
        verb.check(&site, home, token, &what);
    }
    assert!(stops > 12, "it stood still {stops} times only");
    assert!(refused > 0, "it never came before the wish");
}
