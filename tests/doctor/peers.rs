//! BIND and PowerDNS: the probes are the same, and what they find is told alike.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use bowline::registry::Registry;
use bowline::token::LookupKey;

use crate::parent::{DELEGATION, Parent};
use crate::patient::{Said, bowline, examine};
use crate::support::knot::{free_port, wait_until};
use crate::support::skip::installed;

const SECRET: &str = "c2VjcmV0IG9mIGEgdGVzdCwga25vd24gdG8gYWxsISE=";
const ZONE_FILE: &str = "$ORIGIN dyn.example.org.\n\
    @ 60 IN SOA ns1.example.net. hostmaster.example.net. 1 3600 600 1209600 60\n\
    @ 60 IN NS ns1.example.net.\n";
/// Everything that the shipped rules for PowerDNS allow; an error refuses all of a message.
const POLICY: &str = r#"function updatepolicy(input)
  local ok, key = pcall(function() return input:getTsigName():toString() end)
  local name, zone = input:getQName():toString(), input:getZoneName():toString()
  local known = { [pdns.A] = true, [pdns.AAAA] = true }
  if not ok or key ~= "bowline." or name == zone or not known[input:getQType()]
     or input:getRemote():toString() ~= "127.0.0.1" then error("no") end
  return true
end
"#;

/// A name server and a configuration for it; killed when dropped.
struct Peer {
    dir: tempfile::TempDir,
    process: Child,
}

impl Peer {
    /// Starts `program`, whose files `prepare` writes for a directory and a port.
    fn start(program: &str, arguments: &[&str], prepare: impl FnOnce(&Path, u16)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let port = free_port();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("zone"), ZONE_FILE).unwrap();
        let clause =
            format!("key \"bowline\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n");
        let key = LookupKey::random().unwrap();
        let toml = format!(
            "url = \"http://127.0.0.1:1\"\n[state]\nregistry = \"state/bowline.db\"\n[[zone]]\n\
             name = \"dyn.example.org\"\nserver = \"127.0.0.1:{port}\"\nkey_file = \"tsig.key\"\n"
        );
        for name in ["state", "state/locks"] {
            fs::create_dir(at(name)).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o750)).unwrap();
        }
        for (name, text) in [
            ("tsig.key", clause),
            ("lookup.key", key.to_hex()),
            ("bowline.toml", toml),
        ] {
            fs::write(at(name), text).unwrap();
            fs::set_permissions(at(name), fs::Permissions::from_mode(0o640)).unwrap();
        }
        Registry::create(&at("state/bowline.db"), key).unwrap();
        prepare(dir.path(), port);
        let log = fs::File::create(at("out")).unwrap();
        let process = Command::new(program)
            .args(
                arguments
                    .iter()
                    .map(|argument| argument.replace("DIR", &dir.path().display().to_string())),
            )
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let peer = Peer { dir, process };
        wait_until(program, || {
            let port = port.to_string();
            let args = [
                "@127.0.0.1",
                "-p",
                &port,
                "+short",
                "+norec",
                "+retry=0",
                "+time=1",
                "dyn.example.org",
                "SOA",
            ];
            Command::new("kdig")
                .args(args)
                .output()
                .unwrap()
                .stdout
                .starts_with(b"ns1")
        });
        assert!(
            bowline(&peer.config())
                .arg("upkeep")
                .status()
                .unwrap()
                .success()
        );
        peer
    }

    /// A BIND with this policy for updates.
    fn bind(policy: &str) -> Self {
        Peer::start("named", &["-g", "-c", "DIR/named.conf"], |dir, port| {
            let path = dir.display();
            let conf = format!(
                "include \"{path}/tsig.key\";\n\
                 options {{ directory \"{path}\"; pid-file none; session-keyfile none; \
                 listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; recursion no; notify no; \
                 allow-transfer {{ none; }}; }};\n\
                 controls {{ }};\n\
                 zone \"dyn.example.org\" {{ type primary; file \"zone\"; {policy} }};\n"
            );
            fs::write(dir.join("named.conf"), conf).unwrap();
        })
    }

    /// A PowerDNS with a further zone, and a policy script or none.
    fn powerdns(policy: Option<&str>) -> Self {
        let arguments = ["--config-dir=DIR", "--daemon=no", "--guardian=no"];
        Peer::start("pdns_server", &arguments, |dir, port| {
            let path = dir.display();
            let mut conf = format!(
                "launch=gsqlite3\ngsqlite3-database={path}/pdns.db\nlocal-address=127.0.0.1:{port}\n\
                 socket-dir={path}\nsecurity-poll-suffix=\ndnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\n\
                 cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"
            );
            if let Some(policy) = policy {
                fs::write(dir.join("policy.lua"), policy).unwrap();
                conf += &format!("lua-dnsupdate-policy-script={path}/policy.lua\n");
            }
            fs::write(dir.join("pdns.conf"), conf).unwrap();
            let schema =
                fs::read_to_string("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
                    .unwrap();
            let db = rusqlite::Connection::open(dir.join("pdns.db")).unwrap();
            db.execute_batch(&schema).unwrap();
            drop(db);
            let zone = dir.join("zone");
            let zone = zone.to_str().unwrap();
            let util = |arguments: &[&str]| {
                let output = Command::new("pdnsutil")
                    .arg(format!("--config-dir={path}"))
                    .args(arguments)
                    .output()
                    .unwrap();
                assert!(output.status.success(), "{arguments:?}: {output:?}");
            };
            util(&["load-zone", "dyn.example.org", zone]);
            util(&["create-zone", "example.org", "ns1.example.net"]);
            util(&["import-tsig-key", "bowline", "hmac-sha256", SECRET]);
            util(&[
                "set-meta",
                "dyn.example.org",
                "TSIG-ALLOW-DNSUPDATE",
                "bowline",
            ]);
        })
    }

    fn config(&self) -> std::path::PathBuf {
        self.dir.path().join("bowline.toml")
    }

    /// What doctor says of it.
    fn said(&self) -> Said {
        let via = Parent::with(DELEGATION);
        let via_address = via.address.to_string();
        examine(bowline(&self.config()).args(["doctor", "--json", "--via", &via_address]))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn bind() {
    if !installed("named") {
        return;
    }
    let good = "update-policy { deny bowline name dyn.example.org. ANY; \
                grant bowline subdomain dyn.example.org. A AAAA; };";
    for (policy, expected, says) in [
        (good, &["url"][..], ""),
        (
            "update-policy { grant bowline zonesub ANY; };",
            &["key-reach", "url"],
            "A at the apex",
        ),
        (
            "update-policy { grant bowline subdomain dyn.example.org. A AAAA; };",
            &["key-reach", "url"],
            "A at the apex",
        ),
        (
            "allow-update { 127.0.0.1; };",
            &["key-reach", "update-unsigned", "url"],
            "every type",
        ),
        ("allow-update { none; };", &["update-accepted", "url"], ""),
    ] {
        let peer = Peer::bind(policy);
        let said = peer.said();
        assert_eq!(said.problems(), expected, "{policy}: {:#}", said.document);
        assert!(
            said.about("key-reach").contains(says),
            "{policy}: {:#}",
            said.document
        );
    }
}

#[test]
fn powerdns() {
    if !installed("pdns_server") {
        return;
    }
    for (policy, expected) in [
        (Some(POLICY), &["url"][..]),
        (None, &["key-reach", "update-neighbours", "url"]),
    ] {
        let peer = Peer::powerdns(policy);
        let said = peer.said();
        assert_eq!(said.problems(), expected, "{:#}", said.document);
        assert!(
            said.about("zone-untouched").starts_with("ok"),
            "{:#}",
            said.document
        );
    }
    // Which of name, secret and algorithm it is, PowerDNS does not say.
    let peer = Peer::powerdns(Some(POLICY));
    let file = peer.dir.path().join("tsig.key");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("c2Vj", "c2Vk")).unwrap();
    let said = peer.said();
    assert_eq!(said.problems(), ["key", "url"], "{:#}", said.document);
}

#[test]
fn through_a_resolver_outside() {
    if !installed("named") {
        return;
    }
    // A resolver that asks the name server of the zone, as the world would.
    let site = crate::patient::healthy(crate::patient::options());
    let dir = tempfile::tempdir().unwrap();
    let (port, path) = (free_port(), dir.path().display());
    let conf = format!(
        "options {{ directory \"{path}\"; pid-file none; session-keyfile none; listen-on port {port} {{ 127.0.0.1; }}; \
         listen-on-v6 {{ none; }}; recursion yes; dnssec-validation no; empty-zones-enable no; }};\n\
         controls {{ }};\n\
         zone \"dyn.example.org\" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {}; }}; }};\n\
         zone \"example.net\" {{ type primary; file \"net\"; }};\n\
         zone \"example.org\" {{ type primary; file \"org\"; }};\n",
        site.knot.addr().port()
    );
    let apex = "@ 60 IN SOA ns1.example.net. h.example.net. 1 3600 600 1209600 60\n@ 60 IN NS ns1.example.net.\n";
    fs::write(
        dir.path().join("net"),
        format!("$ORIGIN example.net.\n{apex}ns1 60 IN A 127.0.0.1\n"),
    )
    .unwrap();
    fs::write(
        dir.path().join("org"),
        format!("$ORIGIN example.org.\n{apex}dyn 60 IN NS ns1.example.net.\n"),
    )
    .unwrap();
    fs::write(dir.path().join("named.conf"), conf).unwrap();
    let process = Command::new("named")
        .args(["-g", "-c"])
        .arg(dir.path().join("named.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let peer = Peer { dir, process };
    let via = format!("127.0.0.1:{port}");
    wait_until("named", || {
        let port = port.to_string();
        let args = [
            "@127.0.0.1",
            "-p",
            &port,
            "+short",
            "+retry=0",
            "+time=1",
            "dyn.example.org",
            "SOA",
        ];
        Command::new("kdig")
            .args(args)
            .output()
            .unwrap()
            .stdout
            .starts_with(b"ns1")
    });
    let config = site.path("bowline.toml");
    let said = examine(bowline(&config).args(["doctor", "--json", "--via", &via]));
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    assert!(
        said.about("reach-ipv4").contains("reaches it"),
        "{:#}",
        said.document
    );
    // Without it nobody is asked from outside, and nothing is claimed.
    let said = examine(bowline(&config).args(["doctor", "--json"]));
    assert!(
        !said.about("reach-ipv4").contains("ok"),
        "{:#}",
        said.document
    );
    drop(peer);
}
