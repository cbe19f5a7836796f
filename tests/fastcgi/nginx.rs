//! nginx with the shipped configuration, before a real Knot.

use std::process::Command;
use std::thread;

use crate::site::{Process, Site, wait_for_socket};
use crate::support::certificate::self_signed;
use crate::support::nginx::Places;
use crate::web::{Web, errors_keep_tokens_out, everything_arrives, no_token_anywhere, places};

const TLS: &str = include_str!("../../nginx/bowline.tls.conf");

/// A site whose client speaks plain HTTP, and its places.
fn site() -> (Site, Places) {
    let site = Site::new();
    site.configure("http://update.example.org");
    let places = places(&site);
    (site, places)
}

fn start(places: &Places) -> Web {
    Web::start(&mut places.stay(), places.port)
}

/// With an upstream that keeps so many connections.
const KEEPALIVE: [(&str, &str); 2] = [
    (
        "server {\n",
        "upstream bowline {\n    server unix:/run/bowline/bowline.sock;\n    keepalive 4;\n}\nserver {\n",
    ),
    (
        "fastcgi_pass unix:/run/bowline/bowline.sock;",
        "fastcgi_pass bowline;\n        fastcgi_keep_conn on;",
    ),
];

/// What an operator may have set for all hosts.
const FOR_ALL: (&str, &str) = (
    "log_format",
    "fastcgi_intercept_errors on;\nerror_page 401 404 =200 /;\nexpires 1h;\nlog_format",
);

#[test]
fn it_passes_everything_on_and_no_token_to_a_log() {
    let (site, places) = site();
    for (keepalive, further) in [(false, &[FOR_ALL][..]), (true, &KEEPALIVE[..])] {
        places.write_nginx(further);
        let tested = places.nginx().arg("-t").output().unwrap();
        assert!(
            tested.status.success(),
            "{}",
            String::from_utf8_lossy(&tested.stderr)
        );
        let bowline = site.listen();
        let web = start(&places);
        everything_arrives(&site, &web);
        if keepalive {
            load(&site, &web, &bowline);
        }
        no_token_anywhere(&site);
        drop(bowline);
        errors_keep_tokens_out(&site, &web, &places.socket);
        web.process.signal("QUIT");
    }
}

/// Parallel clients over kept connections, more than there are workers.
fn load(site: &Site, web: &Web, bowline: &crate::site::Process) {
    let before = bowline.resident();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..25 {
                    let answer = web.curl(&site.update("203.0.113.22"), &[]);
                    assert!(answer.ends_with("nochg 203.0.113.22\n"), "{answer}");
                }
            });
        }
    });
    eprintln!(
        "resident: {before} KiB, after 400 requests {} KiB",
        bowline.resident()
    );
}

#[test]
fn the_tls_host_loads_with_its_certificate() {
    let (site, places) = site();
    places.write_nginx(&[]);
    let tls = format!(
        "listen 127.0.0.1:{} ssl;",
        crate::support::knot::free_port()
    );
    let listen = [
        ("listen 443 ssl;", tls.as_str()),
        ("    listen [::]:443 ssl;\n", ""),
    ];
    places.write(TLS, "nginx/bowline.tls.conf", &listen);
    // Included as soon as its certificate is there; here that is not in /etc/letsencrypt.
    let main = site.path("nginx/nginx.conf");
    let text = std::fs::read_to_string(&main).unwrap();
    std::fs::write(&main, text.replace("/bowline.conf;", "/bowline*.conf;")).unwrap();
    self_signed(
        "update.example.org",
        &site.path("privkey.pem"),
        &site.path("fullchain.pem"),
    );
    let _bowline = site.listen();
    let _web = start(&places);
    let port = tls.split([':', ' ']).nth(2).unwrap();
    let out = Command::new("curl")
        .args(["-sS", "--insecure", "--resolve"])
        .arg(format!("update.example.org:{port}:127.0.0.1"))
        .arg(format!(
            "https://update.example.org:{port}{}",
            site.update("203.0.113.40")
        ))
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&out.stdout), "good 203.0.113.40\n");
    assert_eq!(site.address(), ["203.0.113.40"]);
    no_token_anywhere(&site);
}

#[test]
fn fcgiwrap_runs_it_as_a_cgi_program() {
    let (site, places) = site();
    let program = format!(
        "{};\n        fastcgi_param BOWLINE_CONFIG {};",
        env!("CARGO_BIN_EXE_bowline"),
        site.config().display()
    );
    places.write_nginx(&[("/usr/bin/bowline;", &program)]);
    let wrapper = format!("unix:{}", places.socket.display());
    let _wrapper = Process::start(Command::new("fcgiwrap").args(["-s", &wrapper]));
    wait_for_socket(&places.socket);
    let web = start(&places);
    everything_arrives(&site, &web);
    no_token_anywhere(&site);
}
