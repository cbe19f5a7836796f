//! The certificate of the update URL: valid, about to end, and one that nobody vouches for.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::parent::{DELEGATION, Parent};
use crate::patient::{bowline, examine, healthy, options};
use crate::site::trial::succeed;
use crate::support::knot::{free_port, wait_until};
use crate::support::skip::installed;

/// A TLS server that answers with files; killed when dropped.
struct Tls(Child);

impl Drop for Tls {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn how_long_it_is_good() {
    if !installed("openssl") || !installed("curl") {
        return;
    }
    let parent = Parent::with(DELEGATION);
    for (days, vouched, expected, says) in [
        ("60", true, &[][..], "it is valid for"),
        ("5", true, &["url-certificate"][..], "days only"),
        ("60", false, &["url-certificate"][..], "certificate"),
    ] {
        let site = healthy(options());
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name).display().to_string();
        fs::write(at("healthz"), "ok\n").unwrap();
        fs::write(at("ip"), "127.0.0.1\n").unwrap();
        let (key, certificate) = (at("key.pem"), at("certificate.pem"));
        let made = [
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            days,
            "-subj",
            "/CN=doctor",
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            &key,
            "-out",
            &certificate,
        ];
        succeed("openssl", &made);
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let server = Command::new("openssl")
            .args([
                "s_server",
                "-accept",
                &address,
                "-key",
                &key,
                "-cert",
                &certificate,
                "-WWW",
            ])
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let _server = Tls(server);
        wait_until("openssl", || std::net::TcpStream::connect(&address).is_ok());
        site.configure(&format!("https://{address}"), "");
        let mut command = bowline(&site.path("bowline.toml"));
        command.args(["doctor", "--json", "--via", &parent.address.to_string()]);
        if vouched {
            command.env("CURL_CA_BUNDLE", &certificate);
        }
        let said = examine(&mut command);
        assert_eq!(said.problems(), expected, "{days}: {:#}", said.document);
        assert!(
            said.about("url-certificate").contains(says),
            "{:#}",
            said.document
        );
    }
}
