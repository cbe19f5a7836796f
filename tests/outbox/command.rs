//! A command of the operator's.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::site::{later, site, trouble, upkeep};
use crate::support::site::Site;

/// A site that runs this script.
fn running(script: &str, more: &str) -> Site {
    let site = site("");
    let file = site.path("tell");
    fs::write(
        &file,
        format!("#!/bin/sh\ncd {}\n{script}", site.path("").display()),
    )
    .unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let table = format!(
        "[notify.command]\ncommand = [\"{}\", \"a $(touch pwned) b\"]\n{more}\n",
        file.display()
    );
    crate::site::configure(&site, &table);
    site
}

#[test]
fn it_gets_arguments_environment_and_json_and_no_shell() {
    let site = running(
        "printf '%s\\n' \"$1\" >>args; env >>env; cat >>json; echo >>json",
        "",
    );
    let (home, nas) = (site.add("home"), site.add("nas"));
    for (home, address) in [
        (&home, "203.0.113.1"),
        (&nas, "203.0.113.2"),
        (&home, "203.0.113.3"),
    ] {
        assert_eq!(site.visit(&home.with(address)).status, 200);
    }
    assert_eq!(upkeep(&site), [2, 0, 0]);
    let read = |name| fs::read_to_string(site.path(name)).unwrap();
    assert_eq!(read("args"), "a $(touch pwned) b\na $(touch pwned) b\n");
    assert!(!site.path("pwned").exists());
    let env = read("env");
    for line in [
        "BOWLINE_EVENT=changed",
        "BOWLINE_HOST=home.dyn.example.org",
        "BOWLINE_IPV4=203.0.113.3",
        "BOWLINE_LAST_IPV4=203.0.113.1",
        "BOWLINE_HOST=nas.dyn.example.org",
    ] {
        assert!(env.lines().any(|there| there == line), "{line} in {env}");
    }
    assert!(!env.contains("BOWLINE_CONFIG"), "{env}");
    let events: Vec<usize> = read("json")
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|json| json["events"].as_array().unwrap().len())
        .collect();
    assert_eq!(events, [2, 1]);
}

#[test]
fn one_that_fails_is_run_again() {
    let site = running("[ -e ok ] || { echo 'no luck' >&2; exit 3; }", "");
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    assert_eq!(upkeep(&site), [0, 0, 0], "not before a minute");
    let said = trouble(&site);
    assert!(said.contains("no luck") && said.contains('3'), "{said}");
    fs::write(site.path("ok"), "").unwrap();
    later(&site, 60);
    assert_eq!(upkeep(&site), [1, 0, 0]);
}

#[test]
fn one_that_fails_for_a_host_is_run_for_the_others() {
    let site = running(
        "[ $BOWLINE_HOST != home.dyn.example.org ] || exit 1; echo $BOWLINE_IPV4 >>told",
        "",
    );
    for name in ["home", "nas", "cam"] {
        let home = site.add(name);
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
        assert_eq!(site.dns(name), "203.0.113.1");
    }
    assert_eq!(upkeep(&site), [2, 1, 0]);
    assert_eq!(
        fs::read_to_string(site.path("told")).unwrap(),
        "203.0.113.1\n203.0.113.1\n"
    );
    later(&site, 60);
    assert_eq!(upkeep(&site), [0, 1, 0], "what was told is not told again");
}

#[test]
fn one_that_hangs_is_killed_with_what_it_started() {
    let site = running("sleep 600 & echo $! >child; wait", "timeout = \"1s\"");
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    assert!(!trouble(&site).is_empty());
    let child = fs::read_to_string(site.path("child")).unwrap();
    let began = Instant::now();
    let stat = format!("/proc/{}/stat", child.trim());
    // Its new parent may not have noticed yet.
    while fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(began.elapsed() < Duration::from_secs(30), "the child lives");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_newer_of_a_host_does_not_overtake_what_is_told_again() {
    let site = running(
        "[ -e quick ] || sleep 600; [ ! -e not-$BOWLINE_IPV4 ] || exit 1; echo $BOWLINE_IPV4 >>told",
        "timeout = \"1s\"",
    );
    let (home, nas) = (site.add("home"), site.add("nas"));
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(upkeep(&site), [0, 1, 0], "it hangs");
    assert_eq!(site.visit(&home.with("203.0.113.2")).status, 200);
    assert_eq!(site.dns("home"), "203.0.113.2");
    assert_eq!(site.visit(&nas.with("203.0.113.3")).status, 200);
    for name in ["quick", "not-203.0.113.1"] {
        fs::write(site.path(name), "").unwrap();
    }
    assert_eq!(upkeep(&site), [1, 0, 0], "the other host's");
    later(&site, 60);
    assert_eq!(upkeep(&site), [0, 1, 0]);
    fs::remove_file(site.path("not-203.0.113.1")).unwrap();
    later(&site, 120);
    assert_eq!(upkeep(&site), [2, 0, 0]);
    let told = fs::read_to_string(site.path("told")).unwrap();
    assert_eq!(told, "203.0.113.3\n203.0.113.1\n203.0.113.2\n");
}

/// Nobody is told late by it: the next round begins where this one ended.
#[test]
fn a_round_begins_nothing_that_may_take_longer_than_it() {
    let site = running(
        "[ -e slow ] || { touch slow; sleep 5; }; echo >>ran",
        "timeout = \"25s\"",
    );
    let homes = ["home", "nas"].map(|name| site.add(name));
    for home in &homes {
        assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
        assert_eq!(site.dns(&home.name), "203.0.113.1");
    }
    // After five of its thirty seconds 25 are left, and none to end what is killed then.
    for _ in 0..2 {
        assert_eq!(upkeep(&site), [1, 0, 0]);
    }
    assert_eq!(upkeep(&site), [0, 0, 0]);
    assert_eq!(fs::read(site.path("ran")).unwrap(), b"\n\n");
}

#[test]
fn a_text_too_long_for_an_environment_is_cut_there_and_whole_in_the_document() {
    let site = site_with_long_templates();
    let home = site.add("home");
    assert_eq!(site.visit(&home.with("203.0.113.1")).status, 200);
    assert_eq!(upkeep(&site), [1, 0, 0], "{}", trouble(&site));
    let read = |name| fs::read_to_string(site.path(name)).unwrap();
    assert_eq!(read("text").trim_end_matches('\u{e4}'), "");
    assert_eq!(read("text").len(), 64 * 1024);
    let json: serde_json::Value = serde_json::from_str(&read("json")).unwrap();
    assert_eq!(json["text"].as_str().map(str::len), Some(200_000));
}

/// A site with a command, and a template that makes a text of 200,000 octets.
fn site_with_long_templates() -> Site {
    let site = running(
        "printf %s \"$BOWLINE_TEXT\" >text; cat >json",
        "[notify.mail]\nsmtp = \"sendmail:/bin/true\"\nfrom = \"dns@example.org\"\n\
         templates = \"templates\"",
    );
    fs::create_dir(site.path("templates")).unwrap();
    let long = "{% for n in range(10000) %}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}\u{e4}{% endfor %}";
    fs::write(site.path("templates/change_notification.j2"), long).unwrap();
    site
}
