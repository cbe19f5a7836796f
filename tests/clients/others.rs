//! The clients of other systems, called word by word as those systems' own documents say; only
//! the server's name and the secrets are others.

use std::fs;
use std::process::{Command, Stdio};

use crate::secure::{CLIENTS, Secure, Web};
use crate::site::search;

/// A secret as one of those documents has it.
const THEIRS: &str = "qBrdpeQi8W2Vi4shaJLwqdpO";

/// One call: what is run, what it prints, and what the name server has for the host then.
struct Call {
    host: &'static str,
    command: &'static str,
    said: &'static str,
    dns: [&'static str; 2],
}

/// `SERVER` is the server's name, `TOKEN` the host's token.
const CALLS: [Call; 13] = [
    // A script of one's own, with secret paths.
    call(
        "loc1",
        "curl --fail -s -o /dev/null \"https://SERVER/qBrdpeQi8W2Vi4shaJLwqdpO/loc1\" || ( echo \"CURL FAILED\" && exit 1 )",
        "",
        [CLIENTS[0], ""],
    ),
    // KarlDNS, as a FRITZ!Box sends it, and before it knows its addresses.
    call(
        "karl",
        "curl -g 'https://SERVER/api/v1/router/update/TOKEN?myip=203.0.113.10&myipv6=2001:db8::10'",
        "good 203.0.113.10,2001:db8::10\n",
        ["203.0.113.10", "2001:db8::10"],
    ),
    call(
        "karl",
        "curl -g 'https://SERVER/api/v1/router/update/TOKEN?myip=<ipaddr>&myipv6=<ip6addr>'",
        "good 198.51.100.4\n",
        [CLIENTS[0], "2001:db8::10"],
    ),
    // ddns-service.
    call(
        "mypc",
        "curl -u \"username:TOKEN\" \"https://SERVER/update?hostname=mypc.dyn.example.org\"",
        "good 198.51.100.4\n",
        [CLIENTS[0], ""],
    ),
    call(
        "mypc",
        "curl -u \"username:TOKEN\" \"https://SERVER/update?hostname=mypc.dyn.example.org&myip=1.2.3.4\"",
        "good 1.2.3.4\n",
        ["1.2.3.4", ""],
    ),
    call(
        "mypc",
        "curl -u \"username:TOKEN\" \"https://SERVER/update?hostname=mypc.dyn.example.org&notify_change=1\"",
        "good 198.51.100.4\n",
        [CLIENTS[0], ""],
    ),
    call(
        "mypc",
        "wget -qO- --user=username --password=TOKEN \\\n\"https://SERVER/update?hostname=mypc.dyn.example.org\"",
        "nochg 198.51.100.4\n",
        [CLIENTS[0], ""],
    ),
    call(
        "mypc",
        "curl 'https://SERVER/update?hostname=mypc.dyn.example.org&myip=1.2.3.4&myip6=2001:db8::1&username=myuser&password=TOKEN'",
        "good 1.2.3.4,2001:db8::1\n",
        ["1.2.3.4", "2001:db8::1"],
    ),
    // DevOps Monk.
    call(
        "homelab",
        "curl -s -X PUT \\\n  -H \"Authorization: Bearer TOKEN\" \\\n  https://SERVER/api/domains/homelab/update",
        "{\"status\":\"good\",\"host\":\"homelab.dyn.example.org\",\"ipv4\":\"198.51.100.4\"}\n",
        [CLIENTS[0], ""],
    ),
    // nanodnsd: what is not given goes.
    call(
        "nano",
        "curl 'https://SERVER/api/update?hostname=nano&ipv4=1.2.3.4&ipv6=1:2::7:8&token=TOKEN'",
        "good 1.2.3.4,1:2::7:8\n",
        ["1.2.3.4", "1:2::7:8"],
    ),
    call(
        "nano",
        "curl -d 'hostname=nano&ipv4=1.2.3.4&token=TOKEN' https://SERVER/api/update",
        "good 1.2.3.4\n",
        ["1.2.3.4", ""],
    ),
    call(
        "nano",
        "curl -u '-:TOKEN' 'https://SERVER/dns/api/update?hostname=nano.dyn.example.org&ipv4=203.0.113.11&ipv6=2001:db8::11&token=TOKEN'",
        "good 203.0.113.11,2001:db8::11\n",
        ["203.0.113.11", "2001:db8::11"],
    ),
    call(
        "nano",
        "curl -g 'https://SERVER/dns/api/update?hostname=<domain>&ipv4=203.0.113.12&ipv6=<ip6addr>&token=TOKEN'",
        "good 203.0.113.12\n",
        ["203.0.113.12", ""],
    ),
];

const fn call(
    host: &'static str,
    command: &'static str,
    said: &'static str,
    dns: [&'static str; 2],
) -> Call {
    Call {
        host,
        command,
        said,
        dns,
    }
}

#[test]
fn as_their_own_documents_say() {
    for web in [Web::Apache, Web::Nginx] {
        let Some(secure) = Secure::start(web) else {
            return;
        };
        let own = tempfile::tempdir().unwrap();
        // Trust in the CA, and a client of one family.
        let rc = own.path().join("wgetrc");
        fs::write(&rc, format!("ca_certificate = {}\n", secure.ca)).unwrap();
        fs::write(own.path().join(".curlrc"), "ipv4\nno-progress-meter\n").unwrap();
        let secret = own.path().join("secret");
        fs::write(&secret, THEIRS).unwrap();
        let taken = format!("@{}", secret.display());
        let mut tokens = vec![("loc1", secure.site.add("loc1", &["--token", &taken]))];
        for call in &CALLS {
            if !tokens.iter().any(|(host, _)| *host == call.host) {
                tokens.push((call.host, secure.site.add(call.host, &[])));
            }
            let (_, token) = tokens.iter().find(|(host, _)| *host == call.host).unwrap();
            let command = call.command.replace("SERVER", &secure.authority);
            let output = Command::new("sh")
                .args(["-c", &command.replace("TOKEN", token)])
                .env("CURL_HOME", own.path())
                .env("CURL_CA_BUNDLE", &secure.ca)
                .env("WGETRC", &rc)
                .stdin(Stdio::null())
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            let why = String::from_utf8_lossy(&output.stderr);
            assert!(
                output.status.success(),
                "{web:?}, {}: {said}{why}",
                call.command
            );
            assert_eq!(said, call.said, "{web:?}, {}", call.command);
            assert_eq!(secure.dns(call.host), call.dns, "{web:?}, {}", call.command);
        }
        for (_, token) in tokens {
            search(secure.site.trial.dir.path(), &token, &mut 0);
        }
    }
}
