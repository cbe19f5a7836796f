//! The page for whoever only looks: whom it is shown to, how it looks, and what its button does.

use std::process::{Command, Stdio};

use bowline::registry::Settings;
use bowline::time::Timestamp;

use crate::support::site::{Home, Site};
use crate::support::skip::installed;
use crate::support::visit::Response;

/// What browsers ask for when they open a page.
const PAGES: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 15_8 like Mac OS X) AppleWebKit/605.1.15 \
                      (KHTML, like Gecko) Version/15.6.6 Mobile/15E148 Safari/604.1";

fn settled() -> (Site, Home) {
    let site = Site::new();
    let home = site.add("home");
    let visit = site.visit(&home.with("203.0.113.7"));
    assert_eq!(visit.said(), "200 good 203.0.113.7");
    (site, home)
}

/// Opens a path in a browser.
fn opened(site: &Site, path: &str) -> Response {
    let page = site.get(path).set("HTTP_SEC_FETCH_MODE", "navigate").run();
    assert_eq!(page.headers["content-type"], "text/html; charset=utf-8");
    page
}

/// Presses the button of a page, as a browser does.
fn pressed(site: &Site, path: &str, page: &Response) -> Response {
    let (_, action) = page.body.split_once("action=\"").unwrap();
    let (query, _) = action.split_once('"').unwrap();
    let path = path.split('?').next().unwrap();
    site.get(&format!("{path}{query}"))
        .method("POST")
        .set("HTTP_SEC_FETCH_MODE", "navigate")
        .set("HTTP_SEC_FETCH_SITE", "same-origin")
        .set("HTTP_UPGRADE_INSECURE_REQUESTS", "1")
        .set("HTTP_ACCEPT", PAGES)
        .set("HTTP_USER_AGENT", SAFARI)
        .set("CONTENT_TYPE", "application/x-www-form-urlencoded")
        .set("CONTENT_LENGTH", "0")
        .run()
}

#[test]
fn a_browser_that_says_little_and_a_preview_of_a_chat_change_nothing() {
    let (site, home) = settled();
    for headers in [
        // Over plain HTTP browsers send no Sec-Fetch-Mode.
        &[("HTTP_UPGRADE_INSECURE_REQUESTS", "1")][..],
        &[("HTTP_USER_AGENT", SAFARI), ("HTTP_ACCEPT", PAGES)],
        &[("HTTP_USER_AGENT", "Mattermost-Bot/1.1")],
        &[(
            "HTTP_USER_AGENT",
            "Mozilla/5.0 (compatible; ZulipURLPreview/7.0)",
        )],
        &[(
            "HTTP_USER_AGENT",
            "Mozilla/5.0 (compatible; vkShare; +http://vk.com/dev/Share)",
        )],
        &[(
            "HTTP_USER_AGENT",
            "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
        )],
        &[("HTTP_USER_AGENT", "Rocket.Chat/6.4")],
        &[("HTTP_USER_AGENT", "Viber/13.3.0.4")],
        &[("HTTP_USER_AGENT", "kakaotalk-scrap/1.0")],
    ] {
        let request = site.get(&home.with("203.0.113.8"));
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| request.set(name, *value));
        let page = request.run();
        assert_eq!(
            (page.status, site.dns("home")),
            (200, "203.0.113.7".to_owned()),
            "{headers:?}"
        );
        assert!(page.body.contains("<form"), "{headers:?}");
        assert_eq!(site.host(&home).wish.number, 1, "{headers:?}");
    }
    let path = home.with("203.0.113.8");
    let said = pressed(&site, &path, &opened(&site, &path)).said();
    assert_eq!(
        (said, site.dns("home")),
        ("200 good 198.51.100.4".into(), "198.51.100.4".into())
    );
}

#[test]
fn the_button_means_the_host_on_the_page() {
    let site = Site::new();
    let owner = site.token();
    let anna = "anna".parse().unwrap();
    let added = site
        .registry()
        .add_owner(&anna, None, &site.digest(&owner), Timestamp::now());
    added.unwrap();
    let owned = Settings {
        owner: Some(anna),
        ..Settings::default()
    };
    site.add_with("home", owned.clone());
    site.add_with("nas", owned);
    let path = format!("/{}?hostname=nas.dyn.example.org", owner.secret());
    let page = opened(&site, &path);
    assert!(page.body.contains("nas.dyn.example.org"), "{}", page.body);
    assert!(!page.body.contains(owner.secret()));
    let said = pressed(&site, &path, &page).said();
    assert_eq!(said, "200 good 198.51.100.4");
    assert_eq!(
        [site.dns("home"), site.dns("nas")],
        ["", "198.51.100.4"].map(String::from)
    );
}

#[test]
fn names_are_shown_as_both_and_fit_a_telephone() {
    if !installed("chromium") {
        return;
    }
    let site = Site::new();
    let label = "x".repeat(63);
    for (name, shown) in [
        (
            "küche",
            "xn--kche-0ra.dyn.example.org (küche.dyn.example.org)",
        ),
        (
            "the-weather-station-on-the-roof-of-the-old-barn.orchard",
            "the-weather-station-on-the-roof-of-the-old-barn.orchard.dyn.example.org",
        ),
        (
            "wärmepumpensteuerungsanlagendatenbank",
            "(wärmepumpensteuerungsanlagendatenbank.dyn.example.org)",
        ),
        (&label, &label),
    ] {
        let home = site.add(name);
        let given = "?myip=203.0.113.7&myipv6=2001:db8:1111:2222:3333:4444:5555:6666";
        site.visit(&home.at(given));
        let page = opened(&site, &home.at("")).body;
        assert!(page.contains(shown), "{page}");
        // Breakable, and in one piece for programs.
        let value = "<data value=\"2001:db8:1111:2222:3333:4444:5555:6666\">";
        assert!(page.contains(value), "{page}");
        assert_eq!(width(&page), 360, "{page}");
        let said = pressed(&site, &home.at(""), &opened(&site, &home.at(""))).said();
        assert_eq!(said, "200 good 198.51.100.4", "{name}");
        assert!(site.dns(&home.name).starts_with("198.51.100.4"), "{name}");
    }
}

/// How wide a page becomes in a window of 360 pixels. (Chromium has none that is so small, but
/// a frame in one can be.)
fn width(page: &str) -> u32 {
    let directory = tempfile::tempdir().unwrap();
    let source = page.replace('&', "&amp;").replace('"', "&quot;");
    let outer = format!(
        "<!DOCTYPE html><meta charset=utf-8><iframe width=360 height=600 srcdoc=\"{source}\" \
         onload=\"document.title = this.contentDocument.documentElement.scrollWidth\"></iframe>"
    );
    let file = directory.path().join("page.html");
    std::fs::write(&file, outer).unwrap();
    let output = Command::new("timeout")
        .args(["60", "chromium", "--headless", "--no-sandbox"])
        .args(["--disable-gpu", "--disable-dev-shm-usage", "--dump-dom"])
        .arg(format!("--user-data-dir={}", directory.path().display()))
        .arg(format!("file://{}", file.display()))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let title = shown.split_once("<title>").and_then(|(_, rest)| {
        let (title, _) = rest.split_once("</title>")?;
        title.parse().ok()
    });
    title.unwrap_or_else(|| panic!("{shown}{}", String::from_utf8_lossy(&output.stderr)))
}
