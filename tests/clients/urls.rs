//! What `--for DEVICE` prints for a device that has a URL of its own, sent as the device sends it.

use crate::pasted::{on_both, with_ca, word};
use crate::secure::CLIENTS;
use crate::site::search;

#[test]
fn what_devices_make_of_their_url() {
    on_both(|secure| {
        let https = format!("https://{}", secure.authority);
        // What the device puts into its URL, how it asks, and what is there then. (With HTTP/1.0
        // curl offers no protocol by ALPN that Apache has.)
        for (device, values, more, a, aaaa) in [
            (
                "fritzbox",
                &[("<ipaddr>", "203.0.113.1"), ("<ip6addr>", "2001:db8::1")][..],
                &[
                    "--no-alpn",
                    "--http1.0",
                    "-u",
                    "fritzbox.dyn.example.org:unused",
                ][..],
                "203.0.113.1",
                "2001:db8::1",
            ),
            (
                "fritzbox",
                &[("<ipaddr>", "203.0.113.2")],
                &["--no-alpn", "--http1.0", "-u", "x:unused"],
                "203.0.113.2",
                "2001:db8::1",
            ),
            (
                "openwrt",
                &[("[PASSWORD]", "TOKEN"), ("[IP]", "203.0.113.3")],
                &[],
                "203.0.113.3",
                "",
            ),
            (
                "openwrt",
                &[("[PASSWORD]", "TOKEN"), ("[IP]", "2001:db8::3")],
                &[],
                "203.0.113.3",
                "2001:db8::3",
            ),
            (
                "opnsense",
                &[("__MYIP__", "2001%3Adb8%3A%3A4")],
                &["-u", "x:unused"],
                "",
                "2001:db8::4",
            ),
            (
                "pfsense",
                &[("%IP%", "203.0.113.5")],
                &[],
                "203.0.113.5",
                "",
            ),
            (
                "synology",
                &[
                    ("__HOSTNAME__", "synology.dyn.example.org"),
                    ("__MYIP__", "203.0.113.6"),
                    ("__USERNAME__", "x"),
                    ("__PASSWORD__", "TOKEN"),
                ],
                &[],
                "203.0.113.6",
                "",
            ),
            ("mikrotik", &[], &["-4"], CLIENTS[0], ""),
            ("mikrotik", &[], &["-6"], CLIENTS[0], CLIENTS[1]),
        ] {
            let shown = secure.site.bowline(&["host", "list"]);
            let is_there = shown.to_string().contains(&format!("\"{device}.dyn"));
            let (paste, token) = match is_there {
                false => secure.paste(device, device),
                true => {
                    let rotated = secure
                        .site
                        .bowline(&["host", "rotate", device, "--for", device]);
                    let text = |key: &str| rotated[key].as_str().unwrap().to_owned();
                    (text("paste"), text("token"))
                }
            };
            let template = word(&paste, &https);
            let put = |text: &str, (place, value): &(&str, &str)| {
                assert!(text.contains(place), "{device}: {text}");
                text.replace(place, &value.replace("TOKEN", &token))
            };
            let url = values
                .iter()
                .fold(template.to_owned(), |text, value| put(&text, value));
            let (output, said) = with_ca(secure, "curl", &[&["-sSfg", &url], more].concat());
            assert!(output.status.success(), "{device} {url}: {said}");
            assert!(said.starts_with("good "), "{device}: {said}");
            if device == "pfsense" {
                let pattern = paste
                    .lines()
                    .find_map(|line| line.strip_prefix("Result Match"));
                let pattern = pattern.unwrap().trim().replace("%IP%", values[0].1);
                assert!(
                    pattern.split('|').any(|answer| answer == said.trim_end()),
                    "{pattern}"
                );
            }
            assert_eq!(secure.dns(device), [a, aaaa], "{device}");
            if device == "openwrt" {
                openwrt(&paste);
                let ca = format!("--ca-certificate={}", secure.ca);
                let (output, said) = with_ca(secure, "wget", &["-q", "-O", "-", &ca, &url]);
                assert!(
                    output.status.success() && said.starts_with("nochg "),
                    "{said}"
                );
            }
            search(secure.site.trial.dir.path(), &token, &mut 0);
        }
    });
}

/// The syntax of OpenWrt's configuration: sections with names of their own, and options.
fn openwrt(text: &str) {
    let mut sections = Vec::new();
    for line in text
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [kind, key, value] = words[..] else {
            panic!("{line}");
        };
        let value = value
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''))
            .unwrap();
        assert!(!value.contains('\''), "{line}");
        let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        match kind {
            "config" => {
                assert!(
                    key == "service" && plain(value) && !sections.contains(&value),
                    "{line}"
                );
                sections.push(value);
            }
            "option" => assert!(
                line.starts_with('\t') && plain(key) && !sections.is_empty(),
                "{line}"
            ),
            _ => panic!("{line}"),
        }
    }
    let name = "update_openwrt_dyn_example_org";
    assert_eq!(
        sections,
        ["ipv4", "ipv6"].map(|family| format!("{name}_{family}"))
    );
}
