//! The pages that need a whole machine are followed on one: with systemd, Debian's own files, a
//! parent zone, a resolver, a certificate authority (pebble), and a network at home.

use std::collections::BTreeMap;

use crate::machine::Machine;
use crate::page::{Page, root, steps};

/// What is followed with Apache, in this order: a page, and the heading above the commands.
const APACHE: [(&str, &str); 16] = [
    ("docs/src/install.md", "The program"),
    ("docs/src/install.md", "The zone"),
    ("docs/src/delegation.md", "The delegation"),
    ("docs/src/delegation.md", "Is it right?"),
    ("docs/src/nameservers.md", "Knot"),
    ("docs/src/apache.md", "Apache"),
    ("README.md", "Install it"),
    ("README.md", "bowline"),
    ("docs/src/troubleshooting.md", "From outside"),
    ("docs/src/daily.md", "The log"),
    ("docs/src/security.md", "What is in no log"),
    ("docs/src/security.md", "What each secret is worth"),
    ("README.md", "Point a router at it"),
    ("docs/src/routers/machines.md", "Machines of your own"),
    ("docs/src/routers/machines.md", "Without a script"),
    ("docs/src/install.md", "A newer one"),
];
/// The same with nginx.
const NGINX: [(&str, &str); 2] = [
    ("docs/src/install.md", "The zone"),
    ("docs/src/nginx.md", "nginx"),
];

/// The same with BIND.
const BIND: [(&str, &str); 2] = [
    ("docs/src/install.md", "The zone"),
    ("docs/src/nameservers.md", "BIND"),
];

/// The same with PowerDNS.
const POWERDNS: [(&str, &str); 2] = [
    ("docs/src/install.md", "The zone"),
    ("docs/src/nameservers.md", "PowerDNS"),
];

/// The world around the machine: its public address, the parent zone with a resolver for
/// everybody, who issues certificates, and a home with an address of its own.
const WORLD: &str = r#"
set -e
ip link add outside type veth peer name router
ip addr add 203.0.113.53/24 dev outside
ip addr add 10.0.0.1/24 dev outside
ip link set outside up
unshare --net sleep infinity >/dev/null 2>&1 &
echo $! >/run/home
until [ "$(readlink /proc/$!/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.1; done
ip link set router netns $!
home() { nsenter --net=/proc/$(cat /run/home)/ns/net "$@"; }
home ip link set lo up
home ip addr add 203.0.113.7/24 dev router
home ip addr add 10.0.0.7/24 dev router
home ip link set router up

mkdir -p /opt/world && cd /opt/world
rm -f /etc/resolv.conf && echo nameserver 10.0.0.1 >/etc/resolv.conf
cat >named.conf <<END
options { directory "/opt/world"; listen-on { 10.0.0.1; }; listen-on-v6 { none; }; recursion yes;
  allow-recursion { any; }; dnssec-validation no; pid-file none; };
controls { };
zone "example.org" { type primary; file "example.org"; };
END
cat >example.org <<END
\$TTL 60
@      SOA ns hostmaster 1 3600 600 86400 60
@      NS  ns
ns     A   10.0.0.1
END
systemd-run -q --unit resolver named -g -c /opt/world/named.conf

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
cat >pebble.json <<END
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
  "certificate": "cert.pem", "privateKey": "key.pem", "httpPort": 80, "tlsPort": 443}}
END
systemd-run -q --unit pebble --working-directory /opt/world -E PEBBLE_VA_NOSLEEP=1 \
    -E PEBBLE_WFE_NONCEREJECT=0 pebble -config pebble.json -dnsserver 10.0.0.1:53
# What a person answers to certbot's questions.
mkdir -p /etc/letsencrypt
cat >/etc/letsencrypt/cli.ini <<END
server = https://127.0.0.1:14000/dir
agree-tos = true
register-unsafely-without-email = true
non-interactive = true
END
# Of images for containers: packages start nothing there.
rm -f /usr/sbin/policy-rc.d
# We are root already.
printf '#!/bin/sh\nexec "$@"\n' >/usr/local/bin/sudo
chmod 755 /usr/local/bin/sudo
"#;

/// The records that `bowline init` asks for, at the parent, and the authority trusted.
const PARENT: &str = r#"
cd /opt/world
grep -q ^ns1 example.org || cat >>example.org <<END
ns1     A     203.0.113.53
dyn     NS    ns1.example.org.
update  A     203.0.113.53
END
sed -i 's/hostmaster 1 /hostmaster 2 /' example.org
systemctl restart resolver
"#;

/// A host that moves on, to this address, and hears this word.
fn laptop(address: &str, word: &str) -> String {
    format!(
        r#"
[ -e /root/laptop ] || bowline host add laptop >/root/laptop
url=$(grep -o 'https://update[^ ]*' /root/laptop)
said=$(curl -fsS "$url?myip={address}")
[ "$said" = "{word} {address}" ] || {{ echo "$said" >&2; exit 1; }}
"#
    )
}

/// What is run before each command: where one stands, and what was typed earlier.
const BEFORE: &str = r#"
export REQUESTS_CA_BUNDLE=/opt/world/cert.pem HOME=/root
mkdir -p /root/here && cd /root/here
"#;

#[test]
fn pages_are_followed_with_apache() {
    let Some(mut world) = World::start() else {
        return;
    };
    world.follow(&APACHE, " --dns knot --web apache");
}

#[test]
fn pages_are_followed_with_nginx() {
    let Some(mut world) = World::start() else {
        return;
    };
    world.follow(&NGINX, " --dns knot --web nginx");
}

#[test]
fn pages_are_followed_with_bind() {
    let Some(mut world) = World::start() else {
        return;
    };
    world.follow(&BIND, " --dns bind --web nginx");
}

#[test]
fn pages_are_followed_with_powerdns() {
    let Some(mut world) = World::start() else {
        return;
    };
    world.follow(&POWERDNS, " --dns powerdns --web apache");
}

struct World {
    machine: Machine,
    /// What stands for `TOKEN` in the pages.
    token: String,
    /// How often each command was run.
    ran: BTreeMap<String, usize>,
}

impl World {
    fn start() -> Option<Self> {
        let machine = Machine::start()?;
        machine.run(WORLD);
        // Without what is for debuggers it is packed in a tenth of the time.
        machine.run("strip -o /root/bowline /usr/bin/bowline");
        Some(World {
            machine,
            token: String::new(),
            ran: BTreeMap::new(),
        })
    }

    /// Follows a story; `servers` are the options that say which of the machine's are meant.
    fn follow(&mut self, story: &[(&str, &str)], servers: &str) {
        for (name, heading) in story {
            let page = Page::read(&root().join(name));
            let mut blocks = page.blocks("console");
            blocks.retain(|(above, _)| above == heading);
            assert!(!blocks.is_empty(), "{name}: {heading}");
            for (command, output) in blocks.iter().flat_map(|(_, text)| marked(text)) {
                let said = self.step(&command, servers);
                self.check(&command, &output, &said);
            }
        }
        let ran: usize = self.ran.values().sum();
        assert!(ran > story.len(), "{ran}");
    }

    /// Types a command, with its prompt in front, where the page means it; what it printed.
    fn step(&mut self, command: &str, servers: &str) -> String {
        let typed = command[2..].split("    #").next().unwrap().trim();
        *self.ran.entry(typed.to_owned()).or_default() += 1;
        let mut line = typed.to_owned();
        self.prepare(typed);
        if typed.starts_with("bowline init") {
            // All of them are installed here.
            line += servers;
        }
        if let Some(place) = typed.find("zwmv0R4VB1gnCSzwlITgQDLg") {
            line.replace_range(place..place + 24, &self.token);
        }
        line = line.replace("TOKEN", &self.token);
        if typed.starts_with("grep -r") {
            line = format!("! {line}");
        }
        if typed.starts_with("scripts/") {
            line = format!(
                "cd {} && EXECUTABLE={} {line}",
                root().display(),
                "/root/bowline"
            );
        }
        let asked = typed.contains("bowline-client install");
        if asked {
            let url = format!("https://update.example.org/{}/home", self.token);
            line = match typed.contains("\"$url\"") {
                true => format!("url={url}\n{line}"),
                false => format!("printf '%s\\n' {url} >url; {{ {line}\n}} <url"),
            };
        }
        let script = format!("{BEFORE}\n{line}");
        // The router, from home.
        let at_home = command.starts_with("$ ") && !asked && !typed.starts_with("sudo");
        self.machine
            .run(&match at_home && !typed.starts_with("bowline") {
                true => format!(
                    "nsenter --net=/proc/$(cat /run/home)/ns/net sh -c '{}'",
                    script.replace('\'', "'\\''")
                ),
                false => script,
            })
    }

    /// What has come about by the time that a reader types this.
    fn prepare(&self, typed: &str) {
        let machine = &self.machine;
        match typed {
            "dpkg -i bowline_0.1.0_amd64.deb" => self.download("0.1.0"),
            "dpkg -i bowline_0.2.0_amd64.deb" => self.download("0.2.0"),
            "bowline backup /root/bowline-before.tar" => {
                machine.run(&laptop("203.0.113.70", "good"));
            }
            "systemctl stop bowline.socket bowline.service bowline-upkeep.timer" => {
                machine.run(&laptop("203.0.113.71", "good"));
            }
            // Entered in the registrar's form.
            "bowline zone show dyn.example.org" => self.delegate(),
            _ if typed.starts_with("certbot") => {
                self.delegate();
                machine.wait("curl -sS --cacert /opt/world/cert.pem https://127.0.0.1:14000/dir");
                machine.run(
                    "curl -fsS --cacert /opt/world/cert.pem https://127.0.0.1:15000/roots/0 \
                     >/usr/local/share/ca-certificates/world.crt && update-ca-certificates",
                );
            }
            _ if typed.starts_with("curl -fsS https://update.example.org/client.sh") => {
                machine.run(
                    "grep -q '^script' /etc/bowline/bowline.toml || \
                     sed -i 's/^\\[client\\]$/&\\nscript = true/' /etc/bowline/bowline.toml; \
                     grep -q '^script' /etc/bowline/bowline.toml || \
                     printf '\\n[client]\\nscript = true\\n' >>/etc/bowline/bowline.toml; \
                     systemctl reload-or-restart bowline.service",
                );
            }
            _ => {}
        }
    }

    /// The package of a version is here.
    fn download(&self, version: &str) {
        self.machine.run(&format!(
            "cd {} && [ -e /root/here/bowline_{version}_amd64.deb ] || {{
                 VERSION={version} EXECUTABLE=/root/bowline scripts/package /root/here && cd /root/here &&
                     sha256sum --check SHA256SUMS && grep '^== rusqlite ' THIRD-PARTY || exit 1
                 [ -e bowline_{version}_amd64.deb ] || mv bowline_{version}_*.deb bowline_{version}_amd64.deb
             }}",
            root().display(),
        ));
    }

    /// What answers visits is the program that is installed.
    fn check_runs(&self) {
        let runs = "readlink /proc/$(systemctl show -P MainPID bowline.service)/exe";
        assert_eq!(self.machine.run(runs).trim(), "/usr/bin/bowline");
    }

    fn delegate(&self) {
        self.machine.run(PARENT);
        self.machine
            .wait("kdig +short @10.0.0.1 update.example.org | grep 203.0.113.53");
    }

    /// It did what the page says.
    fn check(&mut self, command: &str, output: &str, said: &str) {
        let typed = command[2..].split("    #").next().unwrap().trim();
        let printed = said.trim();
        if typed == "bowline host add home" || typed == "bowline host rotate home" {
            let after = said.split("https://update.example.org/").nth(1).unwrap();
            self.token = after.split('/').next().unwrap().to_owned();
        }
        if !output.trim().is_empty() {
            let wanted = output
                .trim()
                .replace("zwmv0R4VB1gnCSzwlITgQDLg", &self.token);
            assert_eq!(printed, wanted, "{command}");
        }
        let right = match typed {
            "kdig +short NS dyn.example.org" => printed == "ns1.example.org.",
            "kdig +short SOA dyn.example.org" => printed.starts_with("ns1.example.org. "),
            "kdig @203.0.113.53 +short home.dyn.example.org A" => printed == "203.0.113.7",
            "curl https://update.example.org/ip" => printed == "203.0.113.7",
            "curl https://update.example.org/healthz" => printed == "ok",
            "journalctl -t bowline --since today" => {
                printed.contains("update host=home.dyn.example.org ipv4=203.0.113.7 result=good")
            }
            "bowline zone show dyn.example.org" => printed.contains("203.0.113.53"),
            "dpkg -i bowline_0.2.0_amd64.deb" => {
                self.check_runs();
                true
            }
            "systemctl start bowline.socket bowline-upkeep.timer" => {
                // It was told the newer one, and is back with what the older knows.
                self.machine.run(&laptop("203.0.113.71", "nochg"));
                self.check_runs();
                true
            }
            "sudo bowline-client status" => printed.contains("203.0.113.53, confirmed"),
            "sudo bowline-client run --now --verbose" => !said.contains("refused"),
            _ => true,
        };
        assert!(right, "{command}: {said}");
        if typed.starts_with("knotc zone-commit") || typed.starts_with("pdnsutil") {
            self.machine
                .wait("kdig +short @203.0.113.53 printer.dyn.example.org A | grep -x 192.0.2.9");
        }
        if typed.starts_with("certbot") {
            self.machine
                .wait("curl -fsS https://update.example.org/healthz");
        }
    }
}

/// Whether the commands under a heading are run here.
pub(crate) fn follows(here: (&str, &str)) -> bool {
    let all = APACHE.iter().chain(&NGINX).chain(&BIND).chain(&POWERDNS);
    all.into_iter().any(|section| *section == here)
}

/// The commands of a block with their prompts, each with what it is said to print.
fn marked(block: &str) -> Vec<(String, String)> {
    let prompts = block.lines().filter_map(|line| line.get(..2));
    let prompts = prompts.filter(|prompt| ["# ", "$ "].contains(prompt));
    let steps = steps(block).into_iter();
    prompts
        .zip(steps)
        .map(|(prompt, (command, output))| (format!("{prompt}{command}"), output))
        .collect()
}
