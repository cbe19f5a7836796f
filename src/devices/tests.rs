//! Every text, filled.

use std::collections::BTreeSet;

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
    // Without its IPv6 address the box would not fill in the prefix.
    for (lan, only, expected) in [
        (false, None, ADDRESSES.to_owned()),
        (true, None, format!("{ADDRESSES}{PREFIX}")),
        (false, Some(Family::Ipv4), "?myip=<ipaddr>".to_owned()),
        (true, Some(Family::Ipv4), format!("{ADDRESSES}{PREFIX}")),
        (
            true,
            Some(Family::Ipv6),
            format!("?myipv6=<ip6addr>{PREFIX}"),
        ),
    ] {
        let paste = Paste { only, ..paste(lan) };
        let text = Device::Fritzbox.text(&paste).unwrap();
        let expected = format!("/TOKEN/home{expected}");
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
                "config service 'update_a__b_nas_dyn_example_com_ipv6'",
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
            &[
                &format!("url=\"{URL}\""),
                "[find name=\"update-a-b_nas_dyn_example_com\"]",
            ],
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
                " https://u.example.net/dyn/ip', login=ipv4 ",
                "ssl=yes",
            ],
        ),
        (
            Device::Inadyn,
            &[
                "ddns-path       = \"/dyn/nic/update?",
                "checkip-path    = \"/dyn/ip\"",
                " https://u.example.net/dyn/ip\"",
                "a-b.nas.dyn.example.com",
            ],
        ),
        (
            Device::Cron,
            &[
                &format!("url = \"{URL}\""),
                " > /etc/cron.d/update-a-b_nas_dyn_example_com <<",
                "\n14 * * * * nobody curl -4",
                "\n15 * * * * nobody curl -6",
            ],
        ),
        (
            Device::Systemd,
            &[
                "OnCalendar=*:14\n",
                "\nExecStart=-/usr/bin/curl -6 ",
                "/etc/systemd/system/update-a-b.nas.dyn.example.com.timer",
            ],
        ),
        (
            Device::Windows,
            &[
                &format!("'url = \"{URL}\"'"),
                "-TaskName 'update-a-b.nas.dyn.example.com'",
                "-AllowStartIfOnBatteries -DontStopIfGoingOnBatteries\n",
                " -Settings $settings\n",
            ],
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
        (Device::Inadyn, "ssl             = false\n"),
        (Device::Inadyn, "checkip-ssl     = false\n"),
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
        (Device::Fritzbox, "myip=<ipaddr>", "myipv6=<ip6addr>"),
        (Device::Opnsense, "Interface [IPv4]", "Interface [IPv6]"),
        (Device::Pfsense, " Custom\n", " Custom (v6)\n"),
        (Device::Synology, "Customize Provider", "curl -6 "),
        (Device::Ddclient, "curl -4 ", "curl -6 "),
        (Device::Inadyn, "curl -4 ", "curl -6 "),
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

/// Whether the only visit there is has failed is what the unit says.
#[test]
fn systemd_hears_of_the_failure_of_the_only_family() {
    for only in [Family::Ipv4, Family::Ipv6] {
        let text = text(Device::Systemd, "https://u.example.net", "home", Some(only));
        assert!(text.contains("\nExecStart=/usr/bin/curl "), "{text}");
        assert!(!text.contains("ExecStart=-"), "{text}");
    }
}

/// A device of which one family only is known says where the other has to come from.
#[test]
fn what_cannot_choose_its_family_says_so() {
    for (device, only, says) in [
        (Device::Unifi, None, true),
        (Device::Unifi, Some(Family::Ipv4), false),
        (Device::Unifi, Some(Family::Ipv6), true),
        (Device::Mikrotik, None, true),
        (Device::Mikrotik, Some(Family::Ipv4), true),
        (Device::Mikrotik, Some(Family::Ipv6), true),
    ] {
        let text = text(device, "https://u.example.net", "home", only);
        assert_eq!(text.contains("bowline-client"), says, "{device:?} {only:?}");
    }
}

#[test]
fn hosts_with_one_family_stand_there_for_that_one_only() {
    let base: BaseUrl = "https://u.example.net".parse().unwrap();
    let [home, nas, cam] = ["home", "nas", "cam"]
        .map(|name| HostName::new(name, &"dyn.example.com".parse().unwrap()).unwrap());
    let paste = Paste {
        base: &base,
        url: "https://u.example.net/TOKEN/home",
        token: "TOKEN",
        name: &home,
        only: Some(Family::Ipv6),
        more: &[(&nas, None), (&cam, Some(Family::Ipv4))],
        lan: false,
    };
    for (device, ipv4, ipv6) in [
        (
            Device::Ddclient,
            "\nnas.dyn.example.com,cam.dyn.example.com\n",
            "\nhome.dyn.example.com.,nas.dyn.example.com.\n",
        ),
        (
            Device::Inadyn,
            "= { \"nas.dyn.example.com\", \"cam.dyn.example.com\" }\n",
            "= { \"home.dyn.example.com.\", \"nas.dyn.example.com.\" }\n",
        ),
    ] {
        let text = device.text(&paste).unwrap();
        assert!(text.contains(ipv4) && text.contains(ipv6), "{text}");
    }
}

/// What a text calls its files, jobs and sections.
fn called(device: Device, name: &HostName) -> BTreeSet<String> {
    let base: BaseUrl = "https://u.example.net".parse().unwrap();
    let paste = Paste {
        base: &base,
        url: "https://u.example.net/TOKEN",
        token: "TOKEN",
        name,
        more: &[],
        only: None,
        lan: false,
    };
    let text = device.text(&paste).unwrap();
    let rest = text.match_indices("update").map(|(at, _)| &text[at..]);
    let words = rest.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
        &rest[..end.unwrap_or(rest.len())]
    });
    let names = words.filter(|word| word.starts_with("update-") || word.starts_with("update_"));
    let names = names.filter(|word| *word != "update_url");
    names.map(str::to_owned).collect()
}

/// So that they can be pasted into one machine.
#[test]
fn no_two_hosts_are_called_the_same() {
    let hosts = [
        ("home", "dyn.example.com"),
        ("home", "dyn.example.net"),
        ("home", "dyn-example.com"),
        ("cam.home", "dyn.example.com"),
        ("cam-home", "dyn.example.com"),
        ("cam--home", "dyn.example.com"),
        ("cam-dyn", "example.com"),
        ("cam.home-dyn", "example.com"),
    ]
    .map(|(name, zone)| HostName::new(name, &zone.parse().unwrap()).unwrap());
    let letters = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for (device, extra, count) in [
        (Device::Cron, "-.", 2),
        (Device::Systemd, "-.", 3),
        (Device::Windows, "-.", 1),
        (Device::Openwrt, "", 2),
        (Device::Mikrotik, "-", 1),
        (Device::Lego, "-.", 1),
        (Device::CertManager, "-.", 2),
    ] {
        let mut all = BTreeSet::new();
        for host in &hosts {
            let mut names = called(device, host);
            assert_eq!(names.len(), count, "{device:?} {names:?}");
            let fits = |name: &String| name.chars().all(|c| letters(c) || extra.contains(c));
            assert!(names.iter().all(fits), "{device:?} {names:?}");
            all.append(&mut names);
        }
        assert_eq!(all.len(), count * hosts.len(), "{device:?} {all:?}");
        // A Kubernetes name has no underscore; cron reads no file with a dot in its name.
        match device {
            Device::CertManager => assert!(all.iter().all(|name| !name.contains('_'))),
            Device::Cron => assert_eq!(all.iter().filter(|name| !name.contains('.')).count(), 8),
            _ => {}
        }
    }
}

#[test]
fn not_all_in_the_same_minute() {
    let minutes: BTreeSet<u32> = (0..200)
        .map(|n| {
            minute(&HostName::new(&format!("h{n}"), &"dyn.example.com".parse().unwrap()).unwrap())
        })
        .collect();
    assert!(
        minutes.len() > 50 && minutes.iter().all(|minute| *minute < 60),
        "{minutes:?}"
    );
}
