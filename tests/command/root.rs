//! Run as root, verbs go on as the owner of the state directory.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::place::{Place, Ran};
use crate::support::skip::{Privilege, may};

/// A user without any rights here: `nobody` on Debian.
const USER: u32 = 65534;

/// A place whose state is that user's, or nothing where we are not root.
pub(crate) fn foreign() -> Option<Place> {
    if !may(Privilege::Root) {
        return None;
    }
    let it = Place::new();
    use std::os::unix::fs::PermissionsExt as _;
    let open = fs::Permissions::from_mode(0o755);
    fs::set_permissions(it.directory.path(), open).unwrap();
    for file in ["etc/bowline.toml", "etc/lookup.key", "etc/tsig.key"] {
        chown(it.file(file), Some(0), Some(USER)).unwrap();
    }
    for file in ["state", "state/locks", "state/bowline.db"] {
        chown(it.file(file), Some(USER), Some(USER)).unwrap();
    }
    Some(it)
}

/// Everything in the state directory is its owner's.
fn check_owners(it: &Place, after: &str) {
    let mut left = vec![it.file("state")];
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path).unwrap();
        assert_eq!(found.uid(), USER, "{after}: {}", path.display());
        if found.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .unwrap()
                    .map(|entry| entry.unwrap().path()),
            );
        }
    }
}

#[test]
fn every_verb_leaves_the_state_to_its_owner() {
    let Some(it) = foreign() else { return };
    for verb in [
        "host add home --ipv4 203.0.113.7",
        "host list",
        "host show home",
        "host set home --ipv4 203.0.113.8",
        "host rotate home",
        "host rename home flat",
        "host disable flat",
        "host enable flat",
        "host export",
        "history",
        "status",
        "config check",
        "host remove flat",
    ] {
        it.done(verb);
        check_owners(&it, verb);
    }
}

#[test]
fn files_of_root_are_opened_before() {
    let Some(it) = foreign() else { return };
    let private = |name: &str, text: &str| {
        fs::create_dir_all(it.file("private")).unwrap();
        use std::os::unix::fs::PermissionsExt as _;
        let closed = fs::Permissions::from_mode(0o700);
        fs::set_permissions(it.file("private"), closed).unwrap();
        it.write(name, text);
    };
    private("private/token", "0123456789abcdef\n");
    private("private/list", "name\nnas\n");
    let out = it.done("host add home --token @private/token");
    assert!(out.contains("/0123456789abcdef/home"), "{out}");
    let ran: Ran = it.run_with("host add tv --token -", "abcdef0123456789");
    assert!(ran.out.contains("/abcdef0123456789/tv"), "{ran:?}");
    it.done("host import private/list --out private/tokens");
    assert!(
        it.read("private/tokens")
            .contains("nas.dyn.example.org,https://")
    );
    assert_eq!(fs::metadata(it.file("private/tokens")).unwrap().uid(), 0);
    let config = it.read("etc/bowline.toml")
        + "[acme]\nregister = \"file:invite.secret\"\n\
           [notify.mail]\nsmtp = \"localhost\"\nfrom = \"b@example.org\"\ntemplates = \"tmpl\"\n";
    it.write("etc/bowline.toml", &config);
    it.write("etc/invite.secret", "0123456789abcdefghijklmn\n");
    fs::create_dir(it.file("etc/tmpl")).unwrap();
    it.write("etc/tmpl/change_notification.j2", "mine");
    for file in ["etc/invite.secret", "etc/tmpl/change_notification.j2"] {
        chown(it.file(file), Some(0), Some(USER)).unwrap();
    }
    it.done("backup private/saved.tar");
    assert_eq!(fs::metadata(it.file("private/saved.tar")).unwrap().uid(), 0);
    let before = it.done("host export");

    fs::remove_dir_all(it.file("etc")).unwrap();
    fs::remove_dir_all(it.file("state")).unwrap();
    it.done("restore --elsewhere private/saved.tar");
    assert_eq!(it.done("host export"), before);
    check_owners(&it, "restore");
    for (file, mode) in [
        ("state", 0o750),
        ("state/locks", 0o750),
        ("state/bowline.db", 0o640),
        ("etc/lookup.key", 0o640),
    ] {
        let is = fs::metadata(it.file(file)).unwrap().mode() & 0o7777;
        assert_eq!(is, mode, "{file}: {is:04o}");
    }
    for file in [
        "etc/lookup.key",
        "etc/invite.secret",
        "etc/tmpl/change_notification.j2",
    ] {
        let found = fs::metadata(it.file(file)).unwrap();
        assert_eq!((found.uid(), found.gid()), (0, USER), "{file}");
    }
    assert_eq!(it.done("config check"), "ok\n");
}

#[test]
fn a_configuration_is_found_from_a_directory_that_is_closed_to_the_owner() {
    let Some(it) = foreign() else { return };
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir(it.file("private")).unwrap();
    fs::set_permissions(it.file("private"), fs::Permissions::from_mode(0o700)).unwrap();
    let link = it.file("private/link");
    std::os::unix::fs::symlink(it.file("etc"), link).unwrap();
    let run = |arguments: &str, variable: &str| {
        let mut command = it.command(arguments);
        let command = command.current_dir(it.file("private"));
        Ran::from(command.env("BOWLINE_CONFIG", variable).output().unwrap())
    };
    for file in ["../etc/bowline.toml", "link/bowline.toml"] {
        for ran in [
            run(&format!("--config {file} host list"), ""),
            run("host list", file),
        ] {
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{file}");
        }
    }
    for (file, shown) in [("../etc/none", "etc/none"), ("../none/b", "none/b")] {
        let ran = run("host list", file);
        let expected = format!("{shown}: there is no such file\nhint: run `bowline init`, or");
        assert!(ran.code == 1 && ran.err.contains(&expected), "{ran:?}");
    }
}

#[test]
fn a_verb_that_fails_leaves_no_new_file() {
    let Some(it) = foreign() else { return };
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir(it.file("private")).unwrap();
    fs::set_permissions(it.file("private"), fs::Permissions::from_mode(0o700)).unwrap();
    it.write("private/list", "name\nnas\na_b\n");
    let import = "host import private/list --out private/tokens";
    let ran = it.run(import);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.err.matches("bowline: ").count(), 1, "{ran:?}");
    assert!(!it.file("private/tokens").exists());
    it.write("private/list", "name\nnas\n");
    it.done(import);
    let tokens = it.read("private/tokens");
    assert_eq!(it.run(import).code, 1);
    assert_eq!(it.read("private/tokens"), tokens);
    // No new token, no file.
    it.done("host import private/list --out private/more");
    assert!(!it.file("private/more").exists());

    let registry = it.read("etc/lookup.key");
    it.write("etc/lookup.key", "no key");
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(it.file("etc/lookup.key"), open).unwrap();
    assert_eq!(it.run("backup private/saved.tar").code, 1);
    assert!(!it.file("private/saved.tar").exists());
    it.write("etc/lookup.key", &registry);
    chown(it.file("etc/lookup.key"), Some(0), Some(USER)).unwrap();
    it.done("backup private/saved.tar");
}

#[test]
fn a_warning_is_said_once() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(it) = foreign() else { return };
    let open = fs::Permissions::from_mode(0o644);
    fs::set_permissions(it.file("etc/lookup.key"), open).unwrap();
    for verb in ["host list", "backup saved.tar"] {
        assert_eq!(it.run(verb).err.matches("warning: ").count(), 1, "{verb}");
    }
}

#[test]
fn a_missing_argument_file_is_said_as_ever() {
    let Some(it) = foreign() else { return };
    let ran = it.run("host add home --token @nowhere");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (1, "bowline: there is no file \"nowhere\"\n")
    );
}

#[test]
fn no_process_shows_a_token() {
    let it = foreign().unwrap_or_else(Place::new);
    // A name server that takes what is sent and never answers: the process stays to be seen.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let config = it.read("etc/bowline.toml").replace("127.0.0.1:9", &server);
    fs::write(it.file("etc/bowline.toml"), config).unwrap();
    let token = "0123456789abcdef";
    it.write("token", token);
    let mut command = it.command("host add home --ipv4 203.0.113.7 --token @token");
    let mut child = command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    // The question has come: arguments are read, and the host is committed.
    silent.recv(&mut [0; 4096]).unwrap();
    for file in ["cmdline", "environ"] {
        let shown = fs::read(format!("/proc/{}/{file}", child.id())).unwrap();
        let shown = String::from_utf8_lossy(&shown);
        assert!(shown.contains("host") || file == "environ", "{shown}");
        assert!(!shown.contains(token), "{file}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(it.json("host show home")["pending"], true);
}

#[test]
fn tokens_of_hosts_that_are_there_stay_whatever_fails_afterwards() {
    let Some(it) = foreign() else { return };
    it.write("list", "name\nnas\n");
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut import = it.command("host import list --out tokens");
    let ran = Ran::from(import.stdout(full).output().unwrap());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(it.json("host list")[0]["name"], "nas.dyn.example.org");
    assert!(it.read("tokens").contains("nas.dyn.example.org,https://"));
}

/// Begins an import that waits for its list.
fn waiting_import(it: &Place, before: &str) -> Child {
    let import = it.command("host import - --out tokens");
    // Whoever runs the tests in the background has SIGINT ignored.
    // Root with groups, as from a login.
    let mut shell = Command::new("setpriv");
    shell.args(["--groups", "4,27", "env", "--default-signal", "sh", "-c"]);
    shell.args([&format!("{before}exec \"$@\""), "sh"]);
    shell.arg(import.get_program()).args(import.get_args());
    shell.env("BOWLINE_CONFIG", it.file("etc/bowline.toml"));
    shell.current_dir(it.directory.path()).stdin(Stdio::piped());
    let running = shell.stderr(Stdio::null()).spawn().unwrap();
    // Until its list is all that it waits for.
    std::thread::sleep(Duration::from_millis(700));
    running
}

/// The process that root's has started, and a file of it in /proc.
fn below(root: &Child) -> (u32, impl Fn(&str) -> String + use<>) {
    let of = |pid: u32, file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let children = of(root.id(), &format!("task/{}/children", root.id()));
    let pid: u32 = children.trim().parse().unwrap();
    (pid, move |file: &str| of(pid, file))
}

#[test]
fn its_owner_cannot_look_into_what_root_runs() {
    let Some(it) = foreign() else { return };
    let mut running = waiting_import(&it, "export SECRET_OF_ROOT=hunter2; ");
    let (pid, shown) = below(&running);
    let status = shown("status");
    let user = format!("Uid:\t{USER}\t{USER}\t{USER}\t{USER}\n");
    assert!(status.contains(&user), "{status}");
    let group = format!("Gid:\t{USER}\t{USER}\t{USER}\t{USER}\n");
    assert!(status.contains(&group), "{status}");
    assert!(status.contains("Groups:\t \n"), "{status}");
    assert!(status.contains("CapEff:\t0000000000000000\n"), "{status}");
    // Root may, and sees that there is something to be seen.
    assert!(shown("environ").contains("hunter2"));
    for look in [
        format!("cat /proc/{pid}/environ"),
        format!("ls /proc/{pid}/fd/"),
        format!("cat /proc/{pid}/mem"),
    ] {
        let mut other = Command::new("setpriv");
        other.args(["--reuid", &USER.to_string(), "--regid", &USER.to_string()]);
        other.args(["--clear-groups", "sh", "-c", &look]);
        let seen = other.output().unwrap();
        let said = String::from_utf8_lossy(&seen.stderr);
        assert!(seen.stdout.is_empty(), "{look}");
        assert!(said.contains("Permission denied"), "{look}: {said}");
    }
    // A session of its own has not root's terminal (proc_pid_stat(5): behind the name are state,
    // parent, group, session and terminal).
    let stat = shown("stat");
    let words: Vec<&str> = stat.rsplit(')').next().unwrap().split(' ').collect();
    assert_eq!((words[4], words[5]), (pid.to_string().as_str(), "0"));
    drop(running.stdin.take());
    running.wait().unwrap();
}

#[test]
fn what_is_stopped_waits() {
    let Some(it) = foreign() else { return };
    let mut running = waiting_import(&it, "");
    let (_, shown) = below(&running);
    let is_stopped = || shown("status").contains("State:\tT");
    send("TSTP", &running);
    std::thread::sleep(Duration::from_millis(300));
    assert!(is_stopped());
    send("CONT", &running);
    std::thread::sleep(Duration::from_millis(300));
    assert!(!is_stopped());
    let mut list = running.stdin.take().unwrap();
    list.write_all(b"name\nnas\n").unwrap();
    drop(list);
    assert!(running.wait().unwrap().success());
    assert_eq!(it.json("host list").as_array().unwrap().len(), 1);
}

fn send(signal: &str, process: &Child) {
    let mut kill = Command::new("kill");
    kill.args(["-s", signal]).arg(process.id().to_string());
    assert!(kill.status().unwrap().success());
}

#[test]
fn what_is_ended_does_not_go_on() {
    let Some(it) = foreign() else { return };
    for (signal, number) in [("TERM", 15), ("INT", 2), ("HUP", 1), ("KILL", 9)] {
        let mut running = waiting_import(&it, "");
        let mut list = running.stdin.take().unwrap();
        send(signal, &running);
        let ended = running.wait().unwrap();
        assert_eq!(ended.signal(), Some(number), "{signal}");
        // Nobody is there any more to read it.
        std::thread::sleep(Duration::from_millis(100));
        let _ = list.write_all(b"name\nnas\n");
        drop(list);
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(
            it.json("host list").as_array().unwrap().len(),
            0,
            "{signal}"
        );
        if number != 9 {
            assert!(!it.file("tokens").exists(), "{signal}");
        }
        let _ = fs::remove_file(it.file("tokens"));
    }
    // As nohup has it.
    let mut running = waiting_import(&it, "trap '' HUP; ");
    send("HUP", &running);
    let mut list = running.stdin.take().unwrap();
    list.write_all(b"name\nnas\n").unwrap();
    drop(list);
    assert!(running.wait().unwrap().success());
    assert_eq!(it.json("host list").as_array().unwrap().len(), 1);
}

#[test]
fn the_hosts_that_a_new_zone_would_hide_are_listed_by_the_states_owner() {
    let Some(it) = foreign() else { return };
    it.done("host add a.inner");
    let ran = it.run("zone add inner.dyn.example.org --nameserver ns1.example.org");
    assert_eq!(ran.code, 1);
    let said =
        "zone inner.dyn.example.org would hide 1 host of a zone above it: a.inner.dyn.example.org";
    assert!(ran.err.contains(said), "{ran:?}");
    check_owners(&it, "zone add");
}
