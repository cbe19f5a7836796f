//! Set-up on a whole machine with systemd: units, users, real ports, Debian's own files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr
)]

mod support;

#[path = "support/machine.rs"]
mod machine;

#[path = "machine/cases.rs"]
mod cases;
#[path = "machine/doctor.rs"]
mod doctor;
#[path = "machine/gateway.rs"]
mod gateway;
#[path = "machine/hints.rs"]
mod hints;
#[path = "machine/restart.rs"]
mod restart;
#[path = "machine/sandbox.rs"]
mod sandbox;
#[path = "machine/unread.rs"]
mod unread;
#[path = "machine/upkeep.rs"]
mod upkeep;

use machine::Machine;

/// What is typed on a machine with one address.
const INIT: &str = "bowline init dyn.example.org --nameserver ns1.example.org \
    --url https://update.example.org --dns-listen 127.0.0.1@53 --public 192.0.2.53";

/// A machine that was set up with these options.
fn set_up(options: &str) -> Option<Machine> {
    let machine = Machine::start()?;
    machine.run(&format!("{INIT} --apply {options}"));
    Some(machine)
}

/// A certificate where certbot puts it.
fn certify(machine: &Machine, web: &str) {
    machine.run(&format!("{CERTIFICATE} && systemctl reload {web}"));
    answers(machine);
}

/// Makes it.
const CERTIFICATE: &str = "d=/etc/letsencrypt/live/update.example.org; mkdir -p $d && chmod 700 /etc/letsencrypt/live && \
     openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 90 \
     -subj /CN=update.example.org -addext subjectAltName=DNS:update.example.org \
     -keyout $d/privkey.pem -out $d/fullchain.pem 2>/dev/null";

/// A reload is done when the last of the old workers has gone.
fn answers(machine: &Machine) {
    machine.wait(
        "for i in 1 2 3; do curl --fail-with-body -sS --insecure --max-time 20 --resolve update.example.org:443:127.0.0.1 \
         https://update.example.org/healthz || { ls -ln /var/lib/bowline; tail -n 5 /var/log/apache2/error.log; exit 1; }; done",
    );
}

/// A new host: its token.
fn add(machine: &Machine, name: &str) -> String {
    let report = machine.run(&format!("bowline --json host add {name}"));
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    report["token"].as_str().unwrap().to_owned()
}

/// What a visit hears: body and status.
fn visit(machine: &Machine, url: &str, more: &str) -> String {
    machine.run(&format!(
        "curl -sS --insecure --max-time 20 -w '%{{http_code}}' --resolve update.example.org:443:127.0.0.1 \
         --resolve update.example.org:80:127.0.0.1 {more} '{url}'"
    ))
}

/// The address that the name server shows.
fn address(machine: &Machine, name: &str) -> String {
    let name = format!("{name}.dyn.example.org");
    let said = machine.run(&format!("kdig +short @127.0.0.1 {name} A"));
    said.trim().to_owned()
}
