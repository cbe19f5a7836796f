//! Real clients obtain real certificates: for a host and its wildcard, first and again,
//! through Apache and through nginx.

use std::collections::BTreeSet;
use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::authority::Authority;
use super::place::Place;
use super::site::Site;
use super::support::knot::{ZONE, free_port, wait_until};
use super::support::nginx::Places;
use crate::support::skip::installed;

/// A web server with bowline behind it, a host, and an authority.
struct Front {
    /// Where clients reach bowline.
    url: String,
    token: String,
    authority: Authority,
    /// Of the clients.
    directory: PathBuf,
}

impl Front {
    fn home(&self) -> String {
        format!("home.{ZONE}")
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }

    /// A private file of a client's.
    fn private(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// Runs a client for the host and its wildcard.
    fn run(&self, client: &mut Command) {
        let output = client
            .env("LEGO_CA_CERTIFICATES", self.authority.certificate())
            .env("REQUESTS_CA_BUNDLE", self.authority.certificate())
            .current_dir(&self.directory)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{client:?}: {}{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.authority.log()
        );
    }

    /// certbot, told where everything is.
    fn certbot(&self, name: &str, verb: &str) -> Command {
        let mut certbot = Command::new("certbot");
        certbot
            .args([verb, "--non-interactive", "--server", &self.authority.url()])
            .args(["--config-dir", &self.path(name)])
            .args(["--work-dir", &self.path(&format!("{name}/work"))])
            .args(["--logs-dir", &self.path(&format!("{name}/logs"))]);
        certbot
    }

    /// Checks a certificate, and says its serial number.
    fn serial(&self, file: &str) -> String {
        let output = Command::new("openssl")
            .args([
                "x509",
                "-noout",
                "-serial",
                "-ext",
                "subjectAltName",
                "-in",
                file,
            ])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        for name in [self.home(), format!("*.{}", self.home())] {
            assert!(text.contains(&format!("DNS:{name}")), "{text}");
        }
        text.lines()
            .find_map(|line| line.strip_prefix("serial="))
            .unwrap()
            .to_owned()
    }
}

/// Every client in its turn; `texts` says which challenges the zone has, `upkeep` lets an
/// hour pass.
fn every_client(front: &Front, texts: &dyn Fn() -> Vec<String>, upkeep: &dyn Fn()) {
    lego(front, texts);
    certbot(front, texts);
    refused_hooks(front);
    acme_dns(front, texts, upkeep);
    acme_sh(front, texts);
}

/// lego by httpreq: it sends the value, or in RAW mode what it is made of.
fn lego(front: &Front, texts: &dyn Fn() -> Vec<String>) {
    const RUN: &[&str] = &["run"];
    const RENEW: &[&str] = &["renew", "--days", "9999", "--no-random-sleep"];
    for (mode, verbs) in [("", &[RUN, RENEW][..]), ("RAW", &[RUN])] {
        let name = format!("lego{mode}");
        let file = front.path(&format!("{name}/certificates/{}.crt", front.home()));
        let mut serials = BTreeSet::new();
        for verb in verbs {
            let mut lego = Command::new("lego");
            lego.args(["--server", &front.authority.url(), "--accept-tos"])
                .args(["--email", "me@example.org", "--path", &front.path(&name)])
                .args(["--dns", "httpreq", "--dns.disable-cp"])
                .args(["-d", &front.home(), "-d", &format!("*.{}", front.home())])
                .args(*verb)
                .env("HTTPREQ_ENDPOINT", &front.url)
                .env("HTTPREQ_MODE", mode)
                .env("HTTPREQ_POLLING_INTERVAL", "1")
                .env("HTTPREQ_USERNAME", "home")
                .env("HTTPREQ_PASSWORD", &front.token);
            front.run(&mut lego);
            serials.insert(front.serial(&file));
            assert_eq!(texts(), [""; 0], "{name} {verb:?}");
        }
        assert_eq!(serials.len(), verbs.len(), "{name}: it was renewed");
    }
}

/// Has certbot obtain a certificate by hooks; where it is.
fn obtain(front: &Front, name: &str, hooks: &[String], conf: &str) -> String {
    let mut certbot = front.certbot(name, "certonly");
    certbot
        .args(["--manual", "--preferred-challenges=dns", "--agree-tos"])
        .arg("--register-unsafely-without-email")
        .args(["-d", &front.home(), "-d", &format!("*.{}", front.home())])
        .args(hooks)
        .env("BOWLINE_CERTBOT_CONF", conf);
    front.run(&mut certbot);
    front.path(&format!("{name}/live/{}/cert.pem", front.home()))
}

/// certbot, with the hook that is shipped.
fn certbot(front: &Front, texts: &dyn Fn() -> Vec<String>) {
    // As an editor leaves it that ends no last line.
    let line = format!("# mine\n{} {} {}", front.home(), front.url, front.token);
    let conf = front.private("certbot.conf", &line);
    let hooks = [
        format!("--manual-auth-hook={} present", hook()),
        format!("--manual-cleanup-hook={} cleanup", hook()),
    ];
    let file = obtain(front, "certbot", &hooks, &conf);
    let first = front.serial(&file);
    assert_eq!(texts(), [""; 0]);
    let mut renew = front.certbot("certbot", "renew");
    renew.args(["--force-renewal", "--no-random-sleep-on-renew"]);
    front.run(renew.env("BOWLINE_CERTBOT_CONF", &conf));
    assert_ne!(front.serial(&file), first, "it was renewed");
    assert_eq!(texts(), [""; 0]);
}

/// The hook that is shipped.
fn hook() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let hook = root.join("scripts/bowline-certbot-hook");
    hook.display().to_string()
}

/// What the hook says when it cannot be right.
fn refused_hooks(front: &Front) {
    let line = format!("{} {} {}\n", front.home(), front.url, front.token);
    let wrong = format!("wrong.example.org {} {}\n", front.url, front.token);
    let conf = front.private("certbot.conf", &(line + &wrong));
    let value = "a".repeat(43);
    for (what, mode, domain, value, told) in [
        (
            "present",
            0o644,
            "home.dyn.example.org",
            &*value,
            "others can read",
        ),
        (
            "present",
            0o600,
            "other.example.org",
            &value,
            "has no line for",
        ),
        (
            "present",
            0o600,
            "wrong.example.org",
            &value,
            "present failed",
        ),
        ("present", 0o600, "a b", &value, "is no name"),
        (
            "present",
            0o600,
            "home.dyn.example.org",
            "a\"",
            "is no challenge",
        ),
        (
            "",
            0o600,
            "home.dyn.example.org",
            &value,
            "say present or cleanup",
        ),
    ] {
        fs::set_permissions(&conf, fs::Permissions::from_mode(mode)).unwrap();
        let output = Command::new(hook())
            .arg(what)
            .env("BOWLINE_CERTBOT_CONF", &conf)
            .env("CERTBOT_DOMAIN", domain)
            .env("CERTBOT_VALIDATION", value)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(told), "{said}");
        assert!(!said.contains(&front.token));
    }
}

/// By the protocol of acme-dns, with an account as `--for` prints it. Nothing in that protocol
/// removes a challenge, so upkeep does.
fn acme_dns(front: &Front, texts: &dyn Fn() -> Vec<String>, upkeep: &dyn Fn()) {
    let host = front.home();
    let script = format!(
        "#!/bin/sh\nexec curl -fsS -H 'X-Api-User: {host}' -H 'X-Api-Key: {}' \
         -d \"{{\\\"subdomain\\\":\\\"{host}\\\",\\\"txt\\\":\\\"$CERTBOT_VALIDATION\\\"}}\" {}/update\n",
        front.token, front.url
    );
    let client = front.private("acme-dns", &script);
    let hook = format!("--manual-auth-hook=sh {client}");
    front.serial(&obtain(front, "by-acme-dns", &[hook], ""));
    assert_eq!(texts().len(), 2, "{:?}", texts());
    upkeep();
    assert_eq!(texts(), [""; 0]);
}

/// What the hooks dns_acmeproxy and dns_acmedns of acme.sh ask by curl, and look for.
fn acme_sh(front: &Front, texts: &dyn Fn() -> Vec<String>) {
    let value = "a".repeat(43);
    let fqdn = format!("_acme-challenge.{}", front.home());
    let curl = |arguments: &[&str]| {
        let output = Command::new("curl")
            .arg("-sS")
            .args(arguments)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let user = format!("home:{}", front.token);
    let body = format!("{{\"fqdn\": \"{fqdn}.\", \"value\": \"{value}\"}}");
    let json = "Content-Type: application/json";
    for path in ["present", "cleanup"] {
        let url = format!("{}/{path}", front.url);
        let said = curl(&["-u", &user, "-H", json, "--data", &body, &url]);
        assert!(said.contains(&format!("\"{value}\"")), "{said}");
        assert_eq!(texts().len(), usize::from(path == "present"));
    }
    let update = format!("{}/update", front.url);
    let name = format!("X-Api-User: {}", front.home());
    let key = format!("X-Api-Key: {}", front.token);
    let body = format!(
        "{{\"subdomain\":\"{}\", \"txt\": \"{value}\"}}",
        front.home()
    );
    // It says that this is a form.
    let said = curl(&["-H", &name, "-H", &key, "--data", &body, &update]);
    assert_eq!(said, format!("{{\"txt\":\"{value}\"}}\n"));
    assert_eq!(texts().len(), 1);
    let cleanup = format!("{}/cleanup", front.url);
    let body = format!("{{\"fqdn\": \"{fqdn}\", \"value\": \"{value}\"}}");
    curl(&["-u", &user, "-H", json, "--data", &body, &cleanup]);
    assert_eq!(texts(), [""; 0]);
}

/// Whether every client is here.
fn clients_are_here() -> bool {
    ["pebble", "lego", "certbot", "curl", "openssl"]
        .into_iter()
        .all(installed)
}

/// Makes every challenge so old that it counts as forgotten.
fn an_hour_passes(registry: &Path) {
    let db = rusqlite::Connection::open(registry).unwrap();
    let aged = "UPDATE challenge SET at = at - 3601";
    assert_ne!(db.execute(aged, []).unwrap(), 0);
}

#[test]
fn through_apache() {
    if !clients_are_here() {
        return;
    }
    let Some(site) = Site::start(&["--acme"]) else {
        return;
    };
    let directory = tempfile::tempdir().unwrap();
    let resolver = SocketAddr::from(([127, 0, 0, 1], site.trial.dns));
    site.bowline(&["host", "set", "home", "--plain-http"]);
    let front = Front {
        url: format!("http://127.0.0.1:{}", site.trial.http),
        token: site.token.clone(),
        authority: Authority::start(&directory.path().join("pebble"), resolver),
        directory: directory.path().to_owned(),
    };
    let texts = || {
        let name = format!("_acme-challenge.home.{ZONE}");
        let found = site.trial.dig(&[&name, "TXT"]);
        found.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    every_client(&front, &texts, &|| {
        an_hour_passes(&site.trial.path("state/bowline.db"));
        site.bowline(&["upkeep"]);
    });
}

#[test]
fn through_nginx() {
    if !clients_are_here() || !installed("nginx") {
        return;
    }
    let place = Place::new();
    let open = "acme = true\n\n[acme]\nregister = \"open\"\n";
    place.configure("http://update.example.org", open);
    let home = place.add("home");
    let (port, _servers) = nginx(&place);
    let directory = tempfile::tempdir().unwrap();
    let front = Front {
        url: format!("http://127.0.0.1:{port}"),
        token: home.token.secret().to_owned(),
        authority: Authority::start(&directory.path().join("pebble"), place.knot.addr()),
        directory: directory.path().to_owned(),
    };
    super::register::as_clients_ask(&front.url);
    super::between::orders_through(&front.url, &front.token, &|| place.shown("home"));
    every_client(&front, &|| place.shown("home"), &|| {
        an_hour_passes(&place.registry_file());
        place.upkeep();
    });
}

/// nginx as it is shipped, and the responder behind it; the port.
fn nginx(place: &Place) -> (u16, [Process; 2]) {
    let places = Places {
        directory: place.path(""),
        port: free_port(),
        socket: place.path("bowline.sock"),
    };
    places.write_nginx(&[]);
    let mut responder = Command::new(env!("CARGO_BIN_EXE_bowline"));
    let listen = format!("unix:{}", places.socket.display());
    responder
        .args(["fastcgi", "--listen", &listen])
        .env("BOWLINE_CONFIG", place.path("bowline.toml"));
    let responder = Process(responder.spawn().unwrap());
    wait_until("the responder", || places.socket.exists());
    let nginx = Process(places.stay().spawn().unwrap());
    let address = ("127.0.0.1", places.port);
    wait_until("nginx", || TcpStream::connect(address).is_ok());
    (places.port, [responder, nginx])
}

/// A program that ends with the test.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").arg(&pid).status();
        let _ = self.0.wait();
    }
}
