//! An update URL at which somebody else answers.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::parent::{DELEGATION, Parent};
use crate::patient::{doctor, healthy, options};
use crate::support::knot::{free_port, wait_until};
use crate::support::skip::installed;

/// An nginx with one site; ended when dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let pid = self.0.id().to_string();
        let _ = Command::new("kill").arg(pid).status();
        let _ = self.0.wait();
    }
}

#[test]
fn the_page_of_another_site() {
    if !installed("nginx") || !installed("curl") {
        return;
    }
    let site = healthy(options());
    let port = free_port();
    // Its log is where the one of our site would be.
    let dir = site.path("nginx");
    fs::create_dir_all(dir.join("run")).unwrap();
    let at = dir.join("run").display().to_string();
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("{kind}_temp_path {at}/{kind};\n"))
        .collect();
    let conf = format!(
        "daemon off; pid {at}/pid; error_log {at}/error.log; events {{ }}\n\
         http {{ access_log {at}/access.log combined;\n{temporary}\
         server {{ listen 127.0.0.1:{port}; location / {{ return 200 'Welcome!'; }} }} }}\n"
    );
    fs::write(dir.join("other.conf"), conf).unwrap();
    let nginx = Command::new("nginx")
        .arg("-c")
        .arg(dir.join("other.conf"))
        .stderr(Stdio::null())
        .spawn();
    let _nginx = Nginx(nginx.unwrap());
    wait_until("nginx", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    site.configure(&format!("http://127.0.0.1:{port}"), "");
    let said = doctor(&site, &Parent::with(DELEGATION), &[]);
    // That its log has the path follows.
    assert_eq!(said.problems(), ["url"], "{:#}", said.document);
    let url = said.about("url");
    assert!(
        url.contains("/healthz answers 200, and not as bowline does"),
        "{url}"
    );
    let paths = said.about("log-paths");
    assert!(paths.contains("access.log"), "{paths}");
}
