//! A browser that has a token as password, and what the pages of others can do with that.

use std::sync::{Arc, Mutex};

use crate::support::chromium::Chromium;
use crate::support::knot::{ZONE, wait_until};
use crate::support::site::{CLIENT, Home, Site};
use crate::support::skip::installed;
use crate::support::web::{Heard, page, serve};

/// A site with a web server in front, a page elsewhere, and a browser.
struct Scene {
    site: Arc<Site>,
    home: Home,
    /// What came to the site, newest last.
    heard: Arc<Mutex<Vec<Heard>>>,
    /// What the page elsewhere has in it.
    elsewhere: Arc<Mutex<String>>,
    port: u16,
    evil: u16,
    browser: Chromium,
}

impl Scene {
    /// `old`: the browser says nothing of where a request is from, except in Origin.
    fn new(old: bool) -> Self {
        let site = Arc::new(Site::new());
        site.configure("http://update.example.org", "acme = true\n");
        let home = site.add("home");
        let (heard, elsewhere) = (Arc::default(), Arc::default());
        let port = serve({
            // What listens outlives the test, and its name server must not.
            let (site, heard) = (Arc::downgrade(&site), Arc::clone(&heard));
            move |request| match site.upgrade() {
                Some(site) => answer(&site, &heard, request, old),
                None => page(""),
            }
        });
        let evil = serve({
            let elsewhere = Arc::<Mutex<String>>::clone(&elsewhere);
            move |_| page(&elsewhere.lock().unwrap())
        });
        Scene {
            site,
            home,
            heard,
            elsewhere,
            port,
            evil,
            browser: Chromium::start(),
        }
    }

    /// Types the URL of a router with the password in it: the browser keeps that.
    fn type_password(&mut self, address: &str) {
        let (token, port) = (self.home.token.secret(), self.port);
        let query = format!("hostname=home&myip={address}");
        let url = format!("http://x:{token}@127.0.0.1:{port}/nic/update?{query}");
        self.browser.open(&url);
        wait_until("the update", || self.site.dns("home") == address);
    }

    /// Opens a page elsewhere, which has the site asked for something; the request.
    fn visit_elsewhere(&mut self, host: &str, html: &str) -> Heard {
        self.heard.lock().unwrap().clear();
        let port = self.port;
        let html = html.replace("SITE", &format!("http://127.0.0.1:{port}"));
        *self.elsewhere.lock().unwrap() = format!("<!DOCTYPE html><body>{html}");
        let url = format!("http://{host}:{}/", self.evil);
        self.browser.open(&url);
        self.last_heard()
    }

    /// The request that came to the site, once the browser shows the password.
    fn last_heard(&self) -> Heard {
        let mut last = None;
        wait_until("a request", || {
            last = self.heard.lock().unwrap().last().cloned();
            let headers = last.iter().map(|heard: &Heard| &heard.headers);
            headers
                .into_iter()
                .any(|headers| headers.contains_key("authorization"))
        });
        last.unwrap()
    }

    fn has_challenges(&self) -> bool {
        let texts = self
            .site
            .knot
            .kdig(&format!("_acme-challenge.home.{ZONE}"), "TXT");
        !texts.concat().is_empty()
    }
}

/// What bowline answers; heard once it is answered.
fn answer(site: &Site, heard: &Mutex<Vec<Heard>>, request: Heard, old: bool) -> String {
    if request.target == "/favicon.ico" {
        return page("");
    }
    let headers = request.headers.iter();
    let headers = headers.filter(|(name, _)| !(old && name.starts_with("sec-")));
    let mut visit = site.get(&request.target).method(&request.method);
    for (name, value) in headers {
        let name = name.to_ascii_uppercase().replace('-', "_");
        visit = match name.as_str() {
            "CONTENT_TYPE" | "CONTENT_LENGTH" => visit.set(&name, value),
            _ => visit.set(&format!("HTTP_{name}"), value),
        };
    }
    let raw = visit.body(&request.body).run().raw;
    heard.lock().unwrap().push(request);
    raw.replacen("Status:", "HTTP/1.1", 1)
        .replacen("\r\n", "\r\nConnection: close\r\n", 1)
}

/// Everything that a page can have a browser do, without a script or by one.
const BY_GET: [&str; 2] = [
    "<script>location = 'SITE/nic/update?hostname=home&myip=203.0.113.66'</script>",
    "<meta http-equiv=refresh content='0;url=SITE/v2/update?myip=203.0.113.66'>",
];
/// Chromium shows no password for what stands in a page of another site, but of the same one.
const IMAGE: &str = "<img src='SITE/nic/dyndns?host_id=home&myip=203.0.113.66'>";
const BY_FORM: [&str; 3] = [
    "<form method=post action='SITE/nic/update?hostname=home&myip=203.0.113.66'></form>",
    "<form method=post action='SITE/update?hostname=home'><input name=myip value=203.0.113.66>\
     </form>",
    "<form method=post enctype=text/plain action='SITE/present'>\
     <input name='{\"fqdn\":\"_acme-challenge.home.dyn.example.org.\",\"x\":\"' \
     value='\",\"value\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}'></form>",
];
const SEND: &str = "<script>document.forms[0].submit()</script>";

#[test]
fn the_pages_of_others_move_no_name_with_the_password_of_a_browser() {
    if !installed("chromium") {
        return;
    }
    let mut scene = Scene::new(false);
    scene.type_password("203.0.113.7");
    let forms = BY_FORM.map(|form| format!("{form}{SEND}"));
    for html in BY_GET.into_iter().chain(forms.iter().map(String::as_str)) {
        for (host, site) in [("localhost", "cross-site"), ("127.0.0.1", "same-site")] {
            let heard = scene.visit_elsewhere(host, html);
            assert_eq!(heard.headers["sec-fetch-site"], site, "{html}");
            assert_eq!(scene.site.dns("home"), "203.0.113.7", "{html}");
            assert!(!scene.has_challenges(), "{html}");
        }
    }
    let heard = scene.visit_elsewhere("127.0.0.1", IMAGE);
    assert_eq!(heard.headers["sec-fetch-site"], "same-site");
    assert_eq!(scene.site.dns("home"), "203.0.113.7");
    // The button is for this connection, whatever that page asked for.
    scene.visit_elsewhere("localhost", BY_GET[0]);
    wait_until("the page", || {
        scene.browser.shown().contains("This name has")
    });
    press(&mut scene);
    // Who types it means it.
    scene.type_password("203.0.113.8");
}

#[test]
fn a_browser_that_says_little_is_known_by_its_origin() {
    if !installed("chromium") {
        return;
    }
    let mut scene = Scene::new(true);
    scene.type_password("203.0.113.7");
    for form in BY_FORM {
        for policy in ["", "<meta name=referrer content=no-referrer>"] {
            let html = format!("{policy}{form}{SEND}");
            let heard = scene.visit_elsewhere("localhost", &html);
            let hidden = heard.headers["origin"] == "null";
            assert_eq!(hidden, !policy.is_empty(), "{heard:?}");
            assert_eq!(scene.site.dns("home"), "203.0.113.7", "{html}");
            assert!(!scene.has_challenges(), "{html}");
        }
    }
    scene.visit_elsewhere("localhost", &format!("{}{SEND}", BY_FORM[0]));
    wait_until("the page", || {
        scene.browser.shown().contains("This name has")
    });
    press(&mut scene);
}

/// Presses the button of the page that the browser shows.
fn press(scene: &mut Scene) {
    scene.heard.lock().unwrap().clear();
    scene.browser.click("button");
    let heard = scene.last_heard();
    let ours = format!("http://127.0.0.1:{}", scene.port);
    assert_eq!(heard.target, "/nic/update?hostname=home.dyn.example.org");
    assert_eq!(heard.headers["origin"], ours);
    // The site alone, and nothing of the path.
    assert_eq!(heard.headers["referer"], format!("{ours}/"));
    assert_eq!(scene.site.dns("home"), CLIENT);
}
