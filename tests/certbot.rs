//! certbot with a certificate authority of our own (pebble) on a machine of its own: the
//! shipped hosts before there is a certificate, with it, and after certbot rewrote them.
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

use machine::Machine;

/// pebble, and a resolver for which every name is this machine.
const PEBBLE: &str = r#"
mkdir -p /opt/pebble && cd /opt/pebble
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem 2>/dev/null
cat >pebble.json <<END
{"pebble": {"listenAddress": "127.0.0.1:14000", "managementListenAddress": "127.0.0.1:15000",
  "certificate": "cert.pem", "privateKey": "key.pem", "httpPort": 80, "tlsPort": 443}}
END
systemd-run -q --unit resolver pebble-challtestsrv -defaultIPv4 127.0.0.1 -defaultIPv6 "" \
    -dns01 127.0.0.1:8053 -http01 "" -https01 "" -tlsalpn01 "" -management 127.0.0.1:8055
systemd-run -q --unit pebble --working-directory /opt/pebble -E PEBBLE_VA_NOSLEEP=1 \
    -E PEBBLE_WFE_NONCEREJECT=0 pebble -config pebble.json -dnsserver 127.0.0.1:8053
"#;

/// A site behind a web server, and a certificate authority.
struct Site {
    machine: Machine,
    token: String,
    /// The address that was set last.
    last: u8,
}

impl Site {
    fn start(options: &str) -> Option<Self> {
        let machine = Machine::start()?;
        machine.run(PEBBLE);
        machine.run(&format!(
            "bowline init dyn.example.org --nameserver ns1.example.org --url https://update.example.org \
             --dns-listen 127.0.0.1@53 --public 192.0.2.53 {options} --apply"
        ));
        let host = machine.run("bowline --json host add home");
        let host: serde_json::Value = serde_json::from_str(&host).unwrap();
        let token = host["token"].as_str().unwrap().to_owned();
        machine.wait("curl -sS --cacert /opt/pebble/cert.pem https://127.0.0.1:14000/dir");
        let site = Site {
            machine,
            token,
            last: 0,
        };
        // It is loaded without a certificate, and refuses what has to be secret.
        assert_eq!(site.plain(), "badauth 403");
        Some(site)
    }

    /// Runs certbot, as its documentation has it.
    fn certbot(&self, arguments: &str) {
        self.machine.run(&format!(
            "REQUESTS_CA_BUNDLE=/opt/pebble/cert.pem certbot --server https://127.0.0.1:14000/dir -n \
             --agree-tos --register-unsafely-without-email {arguments} 2>&1"
        ));
    }

    /// A visit with the token over plain HTTP, redirects not followed: body and status.
    fn plain(&self) -> String {
        let body = self.machine.run(&format!(
            "curl -sS -w '%{{http_code}}' --resolve update.example.org:80:127.0.0.1 \
             'http://update.example.org/{}/home?myip=203.0.113.99'",
            self.token
        ));
        body.replace('\n', " ")
    }

    /// Visits over TLS, with the certificate that the authority issued, move the name.
    fn works(&mut self) {
        self.machine.wait(
            "curl -fsS --cacert /opt/pebble/cert.pem https://127.0.0.1:15000/roots/0 >/opt/pebble/root.pem && \
             for i in 1 2 3; do curl -fsS --cacert /opt/pebble/root.pem --resolve update.example.org:443:127.0.0.1 \
             https://update.example.org/healthz || exit 1; done",
        );
        for method in ["GET", "POST"] {
            self.last += 1;
            let address = format!("203.0.113.{}", self.last);
            let said = self.machine.run(&format!(
                "curl -sS -X {method} --cacert /opt/pebble/root.pem --resolve update.example.org:443:127.0.0.1 \
                 'https://update.example.org/nic/update?hostname=home.dyn.example.org&myip={address}' \
                 --user 'me:{}'",
                self.token
            ));
            assert_eq!(said, format!("good {address}\n"));
            let shown = self
                .machine
                .run("kdig +short @127.0.0.1 home.dyn.example.org A");
            assert_eq!(shown.trim(), address);
        }
        let (found, files) = self.machine.try_run(&format!(
            "grep -rl --binary-files=text {} /var /run /etc",
            self.token
        ));
        assert!(!found, "{files}");
    }

    /// The certificate is renewed by the way it came.
    fn renews(&mut self) {
        let serial =
            "openssl x509 -noout -serial -in /etc/letsencrypt/live/update.example.org/cert.pem";
        let before = self.machine.run(serial);
        self.certbot("renew --force-renewal --no-random-sleep-on-renew");
        assert_ne!(self.machine.run(serial), before);
        self.works();
    }

    /// `init` leaves alone what certbot has rewritten, and asks for no certificate.
    fn init_again(&mut self, options: &str) {
        let said = self.machine.run(&format!(
            "bowline init dyn.example.org --nameserver ns1.example.org --url https://update.example.org \
             --dns-listen 127.0.0.1@53 --public 192.0.2.53 {options} --apply"
        ));
        assert!(
            !said.contains("certonly") && !said.contains("updated"),
            "{said}"
        );
        self.works();
    }
}

/// As it is documented: nothing of the web server's is touched.
fn certonly(options: &str, service: &str) {
    let Some(mut site) = Site::start(options) else {
        return;
    };
    site.certbot(&format!(
        "certonly --webroot -w /var/www/html -d update.example.org --deploy-hook 'systemctl reload {service}'"
    ));
    site.works();
    assert_eq!(site.plain(), "badauth 403");
    site.renews();
    site.init_again(options);
}

/// certbot rewrites the host; `plain` is what is heard without TLS from then on.
fn rewritten(options: &str, certbot: &str, plain: &str) {
    let Some(mut site) = Site::start(options) else {
        return;
    };
    site.certbot(&format!("run -d update.example.org {certbot}"));
    site.works();
    assert!(site.plain().ends_with(plain), "{}", site.plain());
    site.renews();
    assert!(site.plain().ends_with(plain), "{}", site.plain());
    site.init_again(options);
    assert!(site.plain().ends_with(plain), "{}", site.plain());
    let (redirects, lines) = site.machine.try_run(
        "grep -RhE 'R=permanent|return 301' /etc/apache2/sites-enabled /etc/nginx/sites-enabled",
    );
    assert_eq!(redirects, certbot.contains(" --redirect"), "{lines}");
}

#[test]
fn certonly_with_apache() {
    certonly("--web apache", "apache2");
}

#[test]
fn certonly_with_apache_and_cgi() {
    certonly("--web apache --gateway cgi", "apache2");
}

#[test]
fn certonly_with_nginx() {
    certonly("--web nginx", "nginx");
}

#[test]
fn apache_rewritten() {
    rewritten("--web apache", "--apache --no-redirect", "badauth 403");
}

/// certbot's redirect stands in the host, and stays without effect.
#[test]
fn apache_rewritten_with_redirect() {
    rewritten("--web apache", "--apache --redirect", "badauth 403");
}

#[test]
fn apache_with_cgi_rewritten() {
    rewritten(
        "--web apache --gateway cgi",
        "--apache --no-redirect",
        "badauth 403",
    );
}

#[test]
fn apache_with_cgi_rewritten_with_redirect() {
    rewritten(
        "--web apache --gateway cgi",
        "--apache --redirect",
        "badauth 403",
    );
}

#[test]
fn nginx_rewritten() {
    rewritten("--web nginx", "--nginx --no-redirect", "badauth 403");
}

/// certbot makes port 80 a host of its own, which only redirects: nothing of ours is left
/// there. What comes by https works.
#[test]
fn nginx_rewritten_with_redirect() {
    rewritten("--web nginx", "--nginx --redirect", " 301");
}

#[test]
fn nginx_with_cgi_rewritten() {
    rewritten(
        "--web nginx --gateway cgi",
        "--nginx --no-redirect",
        "badauth 403",
    );
}
