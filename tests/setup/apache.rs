//! What is written for Apache, read by Apache.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use bowline::setup::users::Owners;
use bowline::setup::{Gateway, Place, Site, apache};

use crate::support::certificate::self_signed;
use crate::support::skip::{installed, skip};
use crate::trial::{Trial, run, succeed, wait_until};

fn test(conf: &Path) -> String {
    succeed("apache2", &["-t", "-f", conf.to_str().unwrap()])
}

#[test]
fn shipped_files_are_valid_as_they_stand() {
    if !installed("apache2") {
        return;
    }
    // Only the directories of its logs must be there.
    let trial = Trial::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("apache");
    let here = trial.dir.path().to_str().unwrap();
    fs::create_dir(trial.dir.path().join("run")).unwrap();
    for name in ["apache2.conf", "bowline.conf", "bowline-fastcgi.conf"] {
        let text = fs::read_to_string(shipped.join(name)).unwrap();
        let text = text
            .replace("/etc/bowline/apache", here)
            .replace("/var/log/apache2", here);
        fs::write(trial.dir.path().join(name), text).unwrap();
    }
    let said = test(&trial.dir.path().join("apache2.conf"));
    assert_eq!(said.trim(), "Syntax OK");
}

#[test]
fn every_variant_is_valid() {
    if !installed("apache2") {
        return;
    }
    for (url, http) in [
        ("https://update.example.org", Some("127.0.0.1:8080")),
        ("https://update.example.org/dyn", Some("[::1]:8080")),
        ("http://127.0.0.1:8080", Some("127.0.0.1:8080")),
        ("https://update.example.org", None),
        ("http://update.example.org", None),
        ("https://update.example.org:8443", None),
        ("http://[2001:db8::1]:8080", None),
    ] {
        let trial = Trial::new();
        let mut arguments = trial.arguments();
        arguments.retain(|argument| !argument.starts_with("--http="));
        arguments
            .iter_mut()
            .filter(|argument| argument.starts_with("--url="))
            .for_each(|argument| *argument = format!("--url={url}"));
        arguments.extend(http.map(|address| format!("--http={address}")));
        let report = trial.verb(&arguments).unwrap();
        let own_https = http.is_none() && url.starts_with("https:");
        assert_eq!(report.contains("certbot"), own_https, "{url}");
        if own_https {
            // Not the system's own Apache.
            let hook = format!(
                "--deploy-hook 'apache2 -f {}",
                trial.path("apache").display()
            );
            assert!(report.contains(&hook), "{report}");
        }
        let said = test(&trial.path("apache/apache2.conf"));
        assert_eq!(said.trim(), "Syntax OK", "{url} {http:?}");
    }
}

/// As the file stands in `/etc/apache2/sites-available`, without and with a certificate.
#[test]
fn the_site_is_valid_among_debians_files() {
    if !installed("apache2") {
        return;
    }
    if !Path::new("/etc/apache2/apache2.conf").exists() {
        return skip("there are no files of Debian's for Apache");
    }
    let trial = Trial::new();
    let root = trial.dir.path().join("apache2");
    succeed("cp", &["-a", "/etc/apache2", root.to_str().unwrap()]);
    let mut place = Place::new(Path::new("/etc/bowline/bowline.toml"), None).unwrap();
    place.apache_dir = root.clone();
    let url = "https://update.example.org".parse().unwrap();
    let owners = Owners::new("www-data").unwrap();
    let site = Site {
        place: &place,
        owners: &owners,
        url: &url,
        http: None,
        gateway: Gateway::Cgi,
        executable: &trial.echo(),
    };
    let files = apache::files(&site).unwrap();
    let [file] = files.as_slice() else {
        panic!("one site: {files:?}")
    };
    let bowline::setup::files::Content::Text(text) = &file.content else {
        panic!("text")
    };
    let here = trial.dir.path().display().to_string();
    for module in ["cgid.load", "cgid.conf", "ssl.load", "socache_shmcb.load"] {
        let link = root.join("mods-enabled").join(module);
        let _ = std::os::unix::fs::symlink(root.join("mods-available").join(module), link);
    }
    let conf = root.join("apache2.conf");
    let text_of_conf = fs::read_to_string(&conf).unwrap();
    let plain = text_of_conf
        .lines()
        .filter(|line| !line.starts_with("DefaultRuntimeDir") && !line.starts_with("Mutex"))
        .map(|line| {
            line.replace("${APACHE_LOG_DIR}", &here)
                .replace("${APACHE_PID_FILE}", &format!("{here}/pid"))
        })
        .map(|line| {
            line.replace("${APACHE_RUN_USER}", "www-data")
                .replace("${APACHE_RUN_GROUP}", "www-data")
                + "\n"
        });
    fs::write(
        &conf,
        format!("ServerRoot \"{}\"\n", root.display()) + &plain.collect::<String>(),
    )
    .unwrap();
    let certificate = trial.dir.path().join("live/update.example.org");
    let site = text
        .replace("/etc/letsencrypt", &here)
        .replace("/var/log/apache2", &here);
    fs::write(root.join("sites-enabled/bowline.conf"), site).unwrap();
    let check = || {
        let output = std::process::Command::new("/usr/sbin/apache2")
            .args(["-t", "-D", "DUMP_VHOSTS", "-f", conf.to_str().unwrap()])
            .envs([
                ("APACHE_LOG_DIR", here.as_str()),
                ("APACHE_RUN_DIR", here.as_str()),
            ])
            .output()
            .unwrap();
        let text =
            String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        text.into_owned()
    };
    let before = check();
    assert!(
        before.contains("port 80 namevhost update.example.org"),
        "{before}"
    );
    assert!(!before.contains("*:443"), "{before}");
    fs::create_dir_all(&certificate).unwrap();
    let (chain, key) = (
        certificate.join("fullchain.pem"),
        certificate.join("privkey.pem"),
    );
    self_signed("update.example.org", &key, &chain);
    let after = check();
    assert!(after.contains("*:443"), "{after}");
}

/// One request, written as it is; everything that comes back.
fn send(trial: &Trial, request: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", trial.http)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Apache with the echo program, ended with the test.
struct Running(PathBuf);

impl Running {
    fn start(trial: &Trial) -> Self {
        // Apache's children are another user.
        fs::set_permissions(trial.dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        trial.use_echo();
        let conf = trial.path("apache/apache2.conf");
        succeed("apache2", &["-f", conf.to_str().unwrap(), "-k", "start"]);
        wait_until(|| TcpStream::connect(("127.0.0.1", trial.http)).is_ok());
        Running(conf)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        run("apache2", &["-f", self.0.to_str().unwrap(), "-k", "stop"]);
    }
}

#[test]
fn every_path_reaches_the_executable_and_no_log_has_it() {
    if !installed("apache2") {
        return;
    }
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let running = Running::start(&trial);
    let long = "SECRET".repeat(100);
    let config = format!("BOWLINE_CONFIG={}", trial.config().display());
    let authorized = "Authorization: Basic U0VDUkVUOlNFQ1JFVA==\r\nReferer: http://x/SECRET\r\n";
    for path in [
        "/SECRET/home",
        "//nic/update?hostname=SECRET",
        "/SECRET%2Fhome",
        "/server-status",
        &format!("/{long}"),
        "/SECRET?a=%zz",
        "/",
    ] {
        let answer = send(
            &trial,
            &format!(
                "GET {path} HTTP/1.1\r\nHost: update.example.org\r\n{authorized}Connection: close\r\n\r\n"
            ),
        );
        assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
        for line in [
            format!("REQUEST_URI={path}"),
            "HTTP_AUTHORIZATION=Basic U0VDUkVUOlNFQ1JFVA==".to_owned(),
            "HTTPS=on".to_owned(),
            config.clone(),
        ] {
            assert!(
                answer.contains(&format!("{line}\n")),
                "{path}: {line} in {answer}"
            );
        }
    }
    for request in [
        "GET /SECRET HTTP/1.0\r\n\r\n",
        "GET http://update.example.org/SECRET HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ] {
        assert!(send(&trial, request).contains("REQUEST_URI="), "{request}");
    }
    for request in [
        "GET /SECRET%zz HTTP/1.0\r\n\r\n",
        "GET /SECRET/../../x HTTP/1.0\r\nReferer: SECRET\r\n\r\n",
        "GET SECRET HTTP/1.0\r\n\r\n",
        "GET /SECRET%00 HTTP/1.0\r\n\r\n",
        "TRACE /SECRET HTTP/1.0\r\n\r\n",
        "POST /SECRET HTTP/1.1\r\nHost: x\r\nExpect: SECRET\r\nConnection: close\r\n\r\n",
    ] {
        let answer = send(&trial, request);
        assert!(answer.starts_with("HTTP/1.1 4"), "{request}: {answer}");
    }
    drop(running);
    let mut logged = 0;
    for name in ["error.log", "bowline-error.log", "bowline-access.log"] {
        let text = trial.read(&format!("apache/run/{name}"));
        logged += text.lines().count();
        assert!(
            !text.contains("SECRET") && !text.contains("update"),
            "{name}: {text}"
        );
    }
    assert!(logged >= 15);
}

/// Another host of the same Apache that shows the status of all of it, as Debian's does.
#[test]
fn no_status_page_shows_a_path() {
    if !installed("apache2") {
        return;
    }
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let conf = trial.path("apache/apache2.conf");
    let text = fs::read_to_string(&conf).unwrap();
    let status = format!(
        "LoadModule status_module /usr/lib/apache2/modules/mod_status.so\nExtendedStatus On\n\
         Listen 127.0.0.1:{0}\n<VirtualHost 127.0.0.1:{0}>\n<Location /server-status>\n\
         SetHandler server-status\nRequire all granted\n</Location>\n</VirtualHost>\n\nIncludeOptional",
        trial.dns
    );
    fs::write(&conf, text.replace("IncludeOptional", &status)).unwrap();
    let running = Running::start(&trial);
    for _ in 0..5 {
        send(&trial, "GET /SECRET HTTP/1.0\r\n\r\n");
    }
    let mut stream = TcpStream::connect(("127.0.0.1", trial.dns)).unwrap();
    stream
        .write_all(b"GET /server-status HTTP/1.0\r\n\r\n")
        .unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    assert!(page.contains("Server Status"), "{page}");
    assert!(!page.contains("SECRET"), "{page}");
    drop(running);
}

#[test]
fn without_cgi_nobody_gets_the_executable() {
    if !installed("apache2") {
        return;
    }
    let trial = Trial::new();
    trial.init(&[]).unwrap();
    let conf = trial.path("apache/apache2.conf");
    let text = fs::read_to_string(&conf).unwrap();
    let without = |line: &&str| !line.contains("cgid");
    let text: Vec<&str> = text.lines().filter(without).collect();
    fs::write(&conf, text.join("\n")).unwrap();
    let running = Running::start(&trial);
    let answer = send(&trial, "GET /SECRET HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    drop(running);
}
