//! A web server in front of a site, and what a client of it sees.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Output};

use crate::site::{Process, Site};
use crate::support::knot::{free_port, wait_until};
use crate::support::nginx::Places;

/// A web server on ports of its own; its logs are in the site's directory.
pub(crate) struct Web {
    pub(crate) port: u16,
    pub(crate) process: Process,
}

impl Web {
    /// Starts it and waits until it answers.
    pub(crate) fn start(command: &mut Command, port: u16) -> Self {
        let process = Process::start(command);
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        wait_until("the web server", || TcpStream::connect(address).is_ok());
        Web { port, process }
    }

    /// What came of a visit with curl.
    pub(crate) fn ask(&self, path: &str, arguments: &[&str]) -> Output {
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let mut curl = Command::new("curl");
        curl.args(["-sS", "-i", "--max-time", "20", "--path-as-is"]);
        curl.args(arguments).arg(url).output().unwrap()
    }

    /// What curl gets: everything from the status line on.
    pub(crate) fn curl(&self, path: &str, arguments: &[&str]) -> String {
        let out = self.ask(path, arguments);
        let text = String::from_utf8(out.stdout).unwrap();
        assert!(
            out.status.success(),
            "{text}{}",
            String::from_utf8_lossy(&out.stderr)
        );
        text
    }
}

/// What every web server must pass on: method, path, query, body, address and secrets,
/// each answer with its length.
pub(crate) fn everything_arrives(site: &Site, web: &Web) {
    let update = |address: &str| {
        let answer = web.curl(&site.update(address), &[]);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        assert!(is_whole(&answer), "{answer}");
        assert!(
            answer.contains("\r\nCache-Control: no-store\r\n"),
            "{answer}"
        );
        answer
    };
    let before = site.address();
    assert!(update("203.0.113.20").ends_with("\r\n\r\ngood 203.0.113.20\n"));
    assert_eq!(site.address(), ["203.0.113.20"], "before: {before:?}");
    for _ in 0..20 {
        assert!(update("203.0.113.20").ends_with("\r\n\r\nnochg 203.0.113.20\n"));
    }
    // A form.
    let path = format!("/{}", site.token.secret());
    let answer = web.curl(&path, &["--data", "myip=203.0.113.21"]);
    assert!(answer.ends_with("\r\n\r\ngood 203.0.113.21\n"), "{answer}");
    assert_eq!(site.address(), ["203.0.113.21"]);
    // In chunks, whose length nobody says.
    let chunked = [
        "-H",
        "Transfer-Encoding: chunked",
        "--data",
        "myip=203.0.113.24",
    ];
    let answer = web.curl(&path, &chunked);
    assert!(answer.ends_with("\r\n\r\ngood 203.0.113.24\n"), "{answer}");
    assert_eq!(site.address(), ["203.0.113.24"]);
    // A password, as routers send it.
    let user = format!("me:{}", site.token.secret());
    let path = "/nic/update?hostname=home.dyn.example.org&myip=203.0.113.23";
    let answer = web.curl(path, &["--user", &user]);
    assert!(answer.ends_with("\r\n\r\ngood 203.0.113.23\n"), "{answer}");
    assert_eq!(site.address(), ["203.0.113.23"]);
    let answer = web.curl(path, &[]);
    assert!(answer.starts_with("HTTP/1.1 401 ") && answer.ends_with("\r\n\r\nbadauth\n"));
    // Slashes and escapes.
    let path = format!("//{}/%68ome?myip=203.0.113.22&", site.token.secret());
    let answer = web.curl(&path, &["--http1.0"]);
    assert!(answer.ends_with("good 203.0.113.22\n"), "{answer}");
    // The address of the client, and only the head.
    assert!(web.curl("/ip", &[]).ends_with("\r\n\r\n127.0.0.1\n"));
    let head = web.curl("/ip", &["--head"]);
    assert!(
        head.contains("Content-Length: 10\r\n") && head.ends_with("\r\n\r\n"),
        "{head}"
    );
    // What is wrong.
    let unknown = web.curl("/0123456789abcdefghijABCD/home?myip=203.0.113.9", &[]);
    assert!(
        unknown.starts_with("HTTP/1.1 404 Not Found\r\n"),
        "{unknown}"
    );
    assert!(unknown.ends_with("\r\n\r\nbadauth\n") && is_whole(&unknown));
    let body = site.path("body");
    fs::write(&body, vec![b'x'; 100_000]).unwrap();
    let data = format!("@{}", body.display());
    let path = format!("/{}", site.token.secret());
    let large = web.curl(&path, &["--data-binary", &data, "-H", "Expect:"]);
    assert!(large.starts_with("HTTP/1.1 413 "), "{large}");
    assert_eq!(site.address(), ["203.0.113.22"]);
}

/// Whether the length is given, and no chunks are.
fn is_whole(answer: &str) -> bool {
    let head = answer.to_ascii_lowercase();
    head.contains("\r\ncontent-length: ") && !head.contains("\r\ntransfer-encoding:")
}

/// No file but the registry has the token.
pub(crate) fn no_token_anywhere(site: &Site) {
    let out = Command::new("grep")
        .args(["-rl", "--binary-files=text", site.token.secret()])
        .arg(site.path(""))
        .output()
        .unwrap();
    let found = String::from_utf8(out.stdout).unwrap();
    assert_eq!(found, "");
}

/// What goes wrong while the responder is away leaves no token in a log either.
pub(crate) fn errors_keep_tokens_out(site: &Site, web: &Web, socket: &Path) {
    let path = site.update("203.0.113.30");
    let referer = format!("http://127.0.0.1{path}");
    let ask = |arguments: &[&str]| web.curl(&path, arguments);
    // Nobody listens, and then there is not even a file.
    for _ in 0..2 {
        let answer = ask(&["--referer", &referer]);
        assert!(answer.starts_with("HTTP/1.1 50"), "{answer}");
        let _ = fs::remove_file(socket);
    }
    for strange in [
        format!("/.well-known/acme-challenge/..{path}"),
        format!("/.well-known/acme-challenge/{}", site.token.secret()),
        format!("{path}%zz%00"),
        format!("/%2e%2e{path}"),
    ] {
        let answer = web.curl(&strange, &["--referer", &referer]);
        assert!(
            answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 50"),
            "{answer}"
        );
    }
    let _ = ask(&["-X", "PROPFIND"]);
    let _ = ask(&["-H", "Transfer-Encoding: nonsense"]);
    no_token_anywhere(site);
}

/// Below the site, on a port of its own.
pub(crate) fn places(site: &Site) -> Places {
    Places {
        directory: site.path(""),
        port: free_port(),
        socket: site.path("bowline.sock"),
    }
}
