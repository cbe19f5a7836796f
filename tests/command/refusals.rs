//! What is refused, with which code and in which words.

use bowline::config::Config;

use std::fs;

use crate::place::{Place, Ran};
use crate::published::served;
use crate::support::disk::Disk;

#[test]
fn wrong_usage_is_2() {
    let it = Place::new();
    for (arguments, expected) in [
        ("", "Usage: bowline"),
        ("hosts", "unrecognized subcommand 'hosts'"),
        ("host", "Usage: bowline host"),
        ("host add", "required arguments were not provided"),
        ("host add home --random", "cannot be used with"),
        ("host add home --tll 5", "unexpected argument '--tll'"),
        (
            "host add home --ttl 0",
            "a TTL is 1 to 604800 seconds, not 0",
        ),
        ("host add home --ttl 8d", "a TTL is 1 to 604800 seconds"),
        ("host add home --ttl soon", "\"soon\" is no duration"),
        (
            "host add home --expire 9m",
            "9m is under ten minutes; 0 is never",
        ),
        (
            "zone set dyn.example.org --ttl 0",
            "a TTL is 1 to 604800 seconds, not 0",
        ),
        (
            "zone add dyn2.example.org --ttl 8d",
            "a TTL is 1 to 604800 seconds",
        ),
        (
            "zone set dyn.example.org --expire 9m",
            "9m is under ten minutes; 0 is never",
        ),
        (
            "init dyn.example.org --nameserver ns1.example.org --url https://u.example.org --ttl 0",
            "a TTL is 1 to 604800 seconds, not 0",
        ),
        (
            "host set home --json",
            "nothing to set: give one of its options\n\nUsage: bowline host set ",
        ),
        (
            "zone set dyn.example.org",
            "Usage: bowline zone set [OPTIONS] <ZONE>",
        ),
        ("owner set anna", "nothing to set"),
        ("host add home --only ipv5", "write ipv4 or ipv6"),
        ("host add home --ipv4 2001:db8::1", "it is no IPv4 address"),
        ("host add home --ipv4 -", "it is no IPv4 address"),
        ("host add home --ipv6 203.0.113.7", "it is no IPv6 address"),
        (
            "host add home --ipv6 ::ffff:203.0.113.7",
            "it is the IPv4 address 203.0.113.7",
        ),
        (
            "host add home --mail nobody",
            "write it like anna@example.org",
        ),
        (
            "host add home --mail anna@example.org,bob@example.org",
            "write it like anna@example.org",
        ),
        (
            "host add home --mail anna@home@example.org",
            "write it like anna@example.org",
        ),
        (
            "host add home --mail <anna@example.org>",
            "write it like anna@example.org",
        ),
        (
            "host add home --token 0123456789abcdef",
            "--token reads a token from standard input (-) or a file (@FILE), never",
        ),
        ("host add home --token @", "--token reads a token from"),
        ("host add home --static --token -", "cannot be used with"),
        ("host add home --static --expire 1d", "cannot be used with"),
        ("host add home --zone org", "a zone is like dyn.example.org"),
        (
            "host set home --wildcard --no-wildcard",
            "cannot be used with",
        ),
        (
            "host rotate home --keep-old soon",
            "\"soon\" is no duration",
        ),
        ("host list --silent 0", "0 is no length of time here"),
        ("history --since 0", "0 is no length of time here"),
        ("completions tcsh", "invalid value 'tcsh'"),
        ("completions bash --json", "no JSON"),
        (
            "backup - --json",
            "standard output cannot hold a backup and JSON: name a file, or",
        ),
        (
            "host import nowhere --json --out -",
            "standard output cannot hold the tokens and JSON: name a file with --out, or",
        ),
    ] {
        let ran = it.run(arguments);
        assert_eq!(ran.code, 2, "{arguments}: {ran:?}");
        assert!(ran.err.contains(expected), "{arguments}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments}");
    }
}

#[test]
fn failures_are_1_and_say_what_to_do() {
    let (it, knot) = served();
    it.done("host add taken");
    it.done("host add gone");
    it.done("host remove gone");
    drop(knot);
    it.done("host add fixed --static --ipv4 192.0.2.1");
    it.done("host add wild --wildcard --ipv4 203.0.113.7");
    it.write("short", "0123456789abcde");
    it.write("hosts", "name\nnew\n");
    for (arguments, expected) in [
        (
            "host add taken",
            "there is a host taken.dyn.example.org already",
        ),
        (
            "host add gone",
            "gone.dyn.example.org was removed; its name is free again at ",
        ),
        (
            "host add gone",
            "\nhint: --again gives it out all the same\n",
        ),
        (
            "host rename taken gone",
            "\nhint: --again gives it out all the same\n",
        ),
        (
            "host add dyn.example.org",
            "is the zone itself; a host is strictly below it",
        ),
        (
            "host add a_b",
            "\"a_b\" has '_'; letters, digits and hyphens",
        ),
        ("host add *.home", "has '*'"),
        (
            "host add all --static --ipv4 255.255.255.255",
            "255.255.255.255 is no unicast address",
        ),
        ("host add -- -home", "begins or ends with a hyphen"),
        ("host add a..b", "has an empty label"),
        (
            "host add home.example.com.",
            "\"home.example.com.\" is in no configured zone",
        ),
        (
            "host add home --zone dyn.example.com",
            "\"dyn.example.com\" is in no configured zone",
        ),
        (
            "host add home --ipv4 10.0.0.1",
            "cannot be published\nhint: --allow-private lets the host have it\n",
        ),
        (
            "host add home --allow-private --ipv4 127.0.0.1",
            "127.0.0.1 is a loopback address",
        ),
        (
            "host add home --only ipv4 --ipv6 2001:db8::1",
            "of the family that the host does not have",
        ),
        (
            "host add home --static",
            "a static host without an address has no records",
        ),
        (
            "host add home --static --ipv4 224.0.0.1",
            "224.0.0.1 is no unicast address",
        ),
        (
            "host add home --token @short",
            "a token is 16 to 64 of A-Z a-z 0-9 - . _ ~",
        ),
        (
            "host add home --token @nowhere",
            "there is no file \"nowhere\"",
        ),
        ("host show nobody", "there is no host \"nobody\""),
        (
            "host set fixed --expire 1d",
            "fixed.dyn.example.org is static",
        ),
        (
            "host set fixed --plain-http",
            "fixed.dyn.example.org is static, and has neither",
        ),
        (
            "host set fixed --ipv4 -",
            "a static host without an address has no records",
        ),
        (
            "host set taken --ipv4 10.0.0.1",
            "10.0.0.1 is a private address",
        ),
        (
            "host rename taken taken",
            "there is a host taken.dyn.example.org already",
        ),
        (
            "host rename taken fixed",
            "there is a host fixed.dyn.example.org already",
        ),
        (
            "host rename taken wild",
            "there is a host wild.dyn.example.org already\n",
        ),
        ("host import nowhere", "there is no file \"nowhere\""),
        (
            "host list --zone dyn.example.com",
            "zone dyn.example.com is not configured",
        ),
        ("restore short", "it is no backup, or damaged"),
        (
            "status --config nowhere.toml",
            "hint: run `bowline --config nowhere.toml init`, or name another file",
        ),
        (
            "host list --zone dyn.example.com --config etc/bowline.toml",
            "hint: `bowline --config etc/bowline.toml zone list` shows",
        ),
        (
            "host rename taken nosuch.other.",
            "\"nosuch.other.\" is in no configured zone\nhint: `bowline zone list`",
        ),
        (
            "host add x.other. --zone dyn.example.org",
            "\"x.other.\" is in no configured zone\nhint: `bowline zone list`",
        ),
        (
            "host add dyn.example.org. --zone dyn.example.org",
            "is the zone itself",
        ),
        ("backup short", "there is a file short already"),
    ] {
        let before = it.done("host export");
        let ran = it.run(arguments);
        assert_eq!(ran.code, 1, "{arguments}: {ran:?}");
        assert!(ran.err.starts_with("bowline: "), "{arguments}: {}", ran.err);
        assert!(ran.err.contains(expected), "{arguments}: {}", ran.err);
        assert_eq!(ran.out, "", "{arguments}");
        assert_eq!(it.done("host export"), before, "{arguments}");
    }
}

#[test]
fn a_former_name_removes_no_host() {
    let it = Place::new();
    it.done("host add one");
    it.done("host rename one two --keep-old 7d");
    let shown = it.json("host show two");
    let until = shown["former_names"][0]["until"].as_str().unwrap();
    for name in ["one", "one.dyn.example.org", "ONE.dyn.example.org."] {
        let ran = it.run(&format!("host remove {name}"));
        let expected = format!(
            "bowline: one.dyn.example.org is a former name of two.dyn.example.org until {until}\n\
             hint: it ends by itself then; `bowline host remove two.dyn.example.org` removes the \
             host, with all its names, now\n"
        );
        assert_eq!((ran.code, ran.err, ran.out.as_str()), (1, expected, ""));
    }
    assert_eq!(it.json("host show one"), shown);
    it.done("host remove two");
}

#[test]
fn a_wrong_secret_is_never_repeated() {
    let it = Place::new();
    let ran = it.run("host add home --token hunter2hunter2hunter2");
    assert!(!ran.err.contains("hunter2") && ran.code == 2, "{ran:?}");
    let ran = it.run_with("host add home --token -", "hunter2");
    assert!(!ran.err.contains("hunter2") && ran.code == 1);
    let list =
        "{\"name\":\"home\",\"token\":\"hunter2\"}\n{\"name\":\"b\",\"tokens\":[\"hunter2\"]}";
    let ran = it.run_with("host import -", list);
    assert!(!ran.err.contains("hunter2") && ran.code == 1);
}

#[test]
fn an_open_secret_is_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let it = Place::new();
    let config = it.read("etc/bowline.toml");
    let more = "[acme]\nregister = \"file:invitation\"\n\
                [notify.webhook]\nurl = \"https://hooks.example.org\"\nsecret = \"hunter2\"\n";
    it.write("etc/bowline.toml", &format!("{config}{more}"));
    it.write("etc/invitation", "come-in-come-in-come-in\n");
    assert_eq!(it.run("host list").err, "");
    let config = Config::load(&it.file("etc/bowline.toml")).unwrap();
    let secrets = config.secrets();
    // bowline.toml, the key for updates, the lookup key, the invitation.
    assert_eq!(secrets.len(), 4, "{secrets:?}");
    for secret in secrets {
        std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o644)).unwrap();
        for verb in ["host list", "status", "config check", "history"] {
            let ran = it.run(verb);
            let expected = format!(
                "warning: everybody on this machine may read {0}; run `chmod o-rwx {0}`\n",
                secret.display()
            );
            assert_eq!((ran.code, ran.err), (0, expected), "{verb}");
        }
        std::fs::set_permissions(secret, std::fs::Permissions::from_mode(0o640)).unwrap();
    }
}

#[test]
fn links_in_place_of_state_are_refused() {
    let it = Place::new();
    std::fs::rename(it.file("state"), it.file("elsewhere")).unwrap();
    std::os::unix::fs::symlink(it.file("elsewhere"), it.file("state")).unwrap();
    let ran = it.run("host list");
    assert_eq!(ran.code, 1, "{ran:?}");
    std::fs::remove_file(it.file("state")).unwrap();
    std::fs::rename(it.file("elsewhere"), it.file("state")).unwrap();
    std::fs::rename(it.file("state/bowline.db"), it.file("other.db")).unwrap();
    std::os::unix::fs::symlink(it.file("other.db"), it.file("state/bowline.db")).unwrap();
    let ran = it.run("host list");
    assert!(ran.err.contains("bowline.db is a link"), "{ran:?}");
    std::fs::rename(it.file("other.db"), it.file("state/bowline.db")).unwrap();
    // What it points to is not made either.
    let lock = it.file("state/locks/upkeep");
    let _ = std::fs::remove_file(&lock);
    std::os::unix::fs::symlink(it.file("elsewhere"), lock).unwrap();
    let ran = it.run("upkeep");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(!it.file("elsewhere").exists(), "{ran:?}");
}

#[test]
fn a_path_that_no_server_takes_says_what_to_do() {
    let it = Place::new();
    std::fs::rename(it.file("etc"), it.file("my etc")).unwrap();
    let config = it.file("my etc/bowline.toml");
    for (verb, code, before) in [
        ("doctor", 1, "bowline: "),
        ("zone show", 1, "bowline: "),
        // All else is in it.
        ("backup it", 0, "note: the backup has no DNSSEC keys: "),
    ] {
        let mut command = it.command(verb);
        let ran = command.env("BOWLINE_CONFIG", &config).output().unwrap();
        let ran = Ran::from(ran);
        let expected = format!(
            "{before}{config:?} has ' ', which not every server takes as it is\n\
             hint: choose a path of letters, digits and / . _ - + @ , = ~ :\n"
        );
        assert_eq!((ran.code, ran.err), (code, expected), "{verb}");
    }
}

#[test]
fn help_that_does_not_arrive_is_a_failure() {
    let it = Place::new();
    for verb in [
        "--help",
        "--version",
        "host add --help",
        "host list --json",
        "backup -",
    ] {
        let mut command = it.command(verb);
        command.stdout(std::fs::File::create("/dev/full").unwrap());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{verb}");
        let said = String::from_utf8(output.stderr).unwrap();
        let full = "bowline: standard output: No space left on device (os error 28)\n";
        assert!(said.ends_with(full), "{said}");
    }
}

#[test]
fn a_disk_that_is_full_is_named() {
    let it = Place::new();
    fs::create_dir(it.file("small")).unwrap();
    let Some(disk) = Disk::over(&it.file("small")) else {
        return;
    };
    disk.fill(8192);
    let ran = it.run("backup small/saved.tar");
    let full = "small/saved.tar: No space left on device (os error 28)\n";
    assert!(ran.code == 1 && ran.err.contains(full), "{ran:?}");
    assert!(!it.file("small/saved.tar").exists());
}
