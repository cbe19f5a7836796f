//! nginx with the shipped configuration, before a real Knot.

use std::process::Command;
use std::thread;

use crate::site::{Process, Site, wait_for_socket};
use crate::web::{
    Places, Web, errors_keep_tokens_out, everything_arrives, no_token_anywhere, port_and_socket,
};

const SITE: &str = include_str!("../../nginx/bowline.conf");
const TLS: &str = include_str!("../../nginx/bowline.tls.conf");
const MAIN: &str = include_str!("../../nginx/nginx.conf");

/// Writes the shipped files for a site, changed only where it lives.
fn configure(places: &Places<'_>, further: &[(&str, &str)]) {
    // The client speaks plain HTTP.
    places.site.configure("http://update.example.org");
    std::fs::create_dir_all(places.site.path("nginx/run")).unwrap();
    let port = format!("listen 127.0.0.1:{};", places.port);
    let listen = [("listen 80;", port.as_str()), ("    listen [::]:80;\n", "")];
    let further: Vec<_> = further.iter().copied().chain(listen).collect();
    places.write(SITE, "nginx/bowline.conf", &further);
    // As root it would give up its rights, and the directory is root's alone.
    let main = [("user www-data;", "user root;")];
    places.write(MAIN, "nginx/nginx.conf", &main);
}

fn nginx(site: &Site) -> Command {
    let mut command = Command::new("nginx");
    command.arg("-c").arg(site.path("nginx/nginx.conf"));
    command
}

fn start(site: &Site, port: u16) -> Web {
    let mut command = nginx(site);
    command.args(["-g", "daemon off;"]);
    Web::start(&mut command, port)
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

#[test]
fn it_passes_everything_on_and_no_token_to_a_log() {
    let site = Site::new();
    let (port, socket) = port_and_socket(&site);
    let places = Places {
        site: &site,
        port,
        socket: &socket,
    };
    for (keepalive, further) in [(false, &[][..]), (true, &KEEPALIVE[..])] {
        configure(&places, further);
        let tested = nginx(&site).arg("-t").output().unwrap();
        assert!(
            tested.status.success(),
            "{}",
            String::from_utf8_lossy(&tested.stderr)
        );
        let bowline = site.listen();
        let web = start(&site, port);
        everything_arrives(&site, &web);
        if keepalive {
            load(&site, &web, &bowline);
        }
        no_token_anywhere(&site);
        drop(bowline);
        errors_keep_tokens_out(&site, &web, &socket);
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
    let site = Site::new();
    let (port, socket) = port_and_socket(&site);
    let places = Places {
        site: &site,
        port,
        socket: &socket,
    };
    configure(&places, &[]);
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
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=update.example.org"])
        .args(["-addext", "subjectAltName=DNS:update.example.org"])
        .arg("-keyout")
        .arg(site.path("privkey.pem"))
        .arg("-out")
        .arg(site.path("fullchain.pem"))
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let _bowline = site.listen();
    let _web = start(&site, port);
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
    let site = Site::new();
    let (port, socket) = port_and_socket(&site);
    let places = Places {
        site: &site,
        port,
        socket: &socket,
    };
    let program = format!(
        "{};\n        fastcgi_param BOWLINE_CONFIG {};",
        env!("CARGO_BIN_EXE_bowline"),
        site.config().display()
    );
    configure(&places, &[("/usr/bin/bowline;", &program)]);
    let wrapper = format!("unix:{}", socket.display());
    let _wrapper = Process::start(Command::new("fcgiwrap").args(["-s", &wrapper]));
    wait_for_socket(&socket);
    let web = start(&site, port);
    everything_arrives(&site, &web);
    no_token_anywhere(&site);
}
