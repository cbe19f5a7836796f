//! Every text, filled.

use super::*;

const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAA";

fn text(device: Device, base: &str, name: &str, only: Option<Family>) -> String {
    let base: BaseUrl = base.parse().unwrap();
    let name = HostName::new(name, &"dyn.example.com".parse().unwrap()).unwrap();
    let url = format!("{base}/{TOKEN}/{}", name.relative());
    let paste = Paste {
        base: &base,
        url: &url,
        token: TOKEN,
        name: &name,
        more: &[],
        only,
        lan: false,
    };
    device.text(&paste).unwrap()
}

#[test]
fn a_fritzbox_with_others_behind_it_tells_their_prefix_too() {
    let base: BaseUrl = "https://u.example.net".parse().unwrap();
    let name = HostName::new("home", &"dyn.example.com".parse().unwrap()).unwrap();
    let paste = |lan| Paste {
        base: &base,
        url: "https://u.example.net/TOKEN/home",
        token: "TOKEN",
        name: &name,
        more: &[],
        only: None,
        lan,
    };
    const ALONE: &str = "/TOKEN/home?myip=<ipaddr>&myipv6=<ip6addr>";
    for (lan, expected) in [
        (false, ALONE.to_owned()),
        (true, format!("{ALONE}{PREFIX}")),
    ] {
        let text = Device::Fritzbox.text(&paste(lan)).unwrap();
        assert!(text.contains(&format!("{expected}\n")), "{text}");
    }
    for device in Device::value_variants() {
        let text = device.text(&paste(true)).unwrap();
        assert_eq!(
            text.contains("prefix"),
            *device == Device::Fritzbox,
            "{text}"
        );
    }
}

#[test]
fn nothing_of_the_example_is_left() {
    for device in Device::value_variants() {
        let text = text(*device, "https://u.example.net:8443/dyn", "a-b.nas", None);
        for example in [
            "example.org",
            "home",
            "/TOKEN",
            "# begin",
            "# end",
            " /nic/",
            "17",
        ] {
            let found = text.lines().find(|line| line.contains(example));
            assert_eq!(found, None, "{device:?}");
        }
        assert!(
            text.contains(TOKEN) && text.contains("u.example.net:8443"),
            "{device:?}: {text}"
        );
        let longest = text.lines().map(str::len).max().unwrap();
        assert!(longest < 240 && text.ends_with('\n'), "{device:?}");
    }
}

#[test]
fn what_stands_in_it() {
    const URL: &str = "https://u.example.net/dyn/AAAAAAAAAAAAAAAAAAAAAAAA/a-b.nas";
    const NIC: &str = "u.example.net/dyn/nic/update?hostname=";
    for (device, lines) in [
        (
            Device::Fritzbox,
            &[
                "https://u.example.net/dyn/AAAAAAAAAAAAAAAAAAAAAAAA/a-b.nas?myip=<ipaddr>&myipv6=<ip6addr>",
            ][..],
        ),
        (
            Device::Openwrt,
            &[
                "config service 'update_a_b_nas_ipv6'",
                "option update_url 'https://u.example.net/dyn/[PASSWORD]/a-b.nas?myip=[IP]'",
                "option password 'AAAAAAAAAAAAAAAAAAAAAAAA'",
                "option use_https '1'",
            ],
        ),
        (Device::Opnsense, &[&format!("{URL}?myip=__MYIP__")]),
        (Device::Pfsense, &[&format!("{URL}?myip=%IP%")]),
        (
            Device::Unifi,
            &[
                &format!("Server     {NIC}%h&myip=%i"),
                "Password   AAAAAAAAAAAAAAAAAAAAAAAA",
            ],
        ),
        (
            Device::Mikrotik,
            &[&format!("url=\"{URL}\""), "[find name=\"update-a-b-nas\"]"],
        ),
        (
            Device::Synology,
            &[&format!(
                "https://{NIC}__HOSTNAME__&myip=__MYIP__&username="
            )],
        ),
        (
            Device::Ddclient,
            &[
                "server=u.example.net\n",
                "script=/dyn/nic/update\n",
                "web=https://u.example.net/dyn/ip\n",
                "ssl=yes",
            ],
        ),
        (
            Device::Inadyn,
            &[
                "ddns-path      = \"/dyn/nic/update?",
                "checkip-path   = \"/dyn/ip\"",
                "a-b.nas.dyn.example.com",
            ],
        ),
        (
            Device::Cron,
            &[
                &format!("url = \"{URL}\""),
                " > /etc/cron.d/update-a-b-nas <<",
                "\n14 * * * * nobody curl -4",
                "\n15 * * * * nobody curl -6",
            ],
        ),
        (
            Device::Systemd,
            &[
                "OnCalendar=*:14\n",
                "/etc/systemd/system/update-a-b-nas.timer",
            ],
        ),
        (
            Device::Windows,
            &[&format!("'url = \"{URL}\"'"), "-TaskName 'update-a-b-nas'"],
        ),
    ] {
        let text = text(device, "https://u.example.net/dyn", "a-b.nas", None);
        for line in lines {
            assert!(text.contains(line), "{device:?}, {line}: {text}");
        }
    }
}

#[test]
fn plain_http_and_one_family() {
    for (device, line) in [
        (Device::Ddclient, "ssl=no\n"),
        (Device::Inadyn, "ssl            = false\n"),
        (Device::Inadyn, "checkip-ssl    = false\n"),
        (Device::Openwrt, "option use_https '0'\n"),
    ] {
        let text = text(device, "http://127.0.0.1:8080", "home", None);
        assert!(text.contains(line), "{device:?}: {text}");
    }
    for (device, ipv4, ipv6) in [
        (Device::Cron, "curl -4", "curl -6"),
        (Device::Systemd, "curl -4", "curl -6"),
        (Device::Windows, "\"-4 ", "\"-6 "),
        (Device::Openwrt, "use_ipv6 '0'", "use_ipv6 '1'"),
    ] {
        for (only, has_ipv4, has_ipv6) in [
            (None, true, true),
            (Some(Family::Ipv4), true, false),
            (Some(Family::Ipv6), false, true),
        ] {
            let text = text(device, "https://u.example.net", "home", only);
            let has = (text.contains(ipv4), text.contains(ipv6));
            assert_eq!(has, (has_ipv4, has_ipv6), "{device:?} {only:?}");
        }
    }
}

#[test]
fn not_all_in_the_same_minute() {
    let minutes: std::collections::BTreeSet<u32> = (0..200)
        .map(|n| {
            minute(&HostName::new(&format!("h{n}"), &"dyn.example.com".parse().unwrap()).unwrap())
        })
        .collect();
    assert!(
        minutes.len() > 50 && minutes.iter().all(|minute| *minute < 60),
        "{minutes:?}"
    );
}
