//! `--for DEVICE`: what is to be pasted there.

use crate::place::Place;

const DEVICES: [&str; 12] = [
    "fritzbox", "openwrt", "opnsense", "pfsense", "unifi", "mikrotik", "synology", "ddclient",
    "inadyn", "cron", "systemd", "windows",
];

#[test]
fn add_and_rotate_print_the_token_in_it() {
    let it = Place::new();
    for (number, device) in DEVICES.iter().enumerate() {
        let added = it.json(&format!("host add h{number} --for {device}"));
        let (token, paste) = (
            added["token"].as_str().unwrap(),
            added["paste"].as_str().unwrap(),
        );
        assert!(paste.contains(token), "{device}");
        assert!(
            !it.json(&format!("host show h{number}"))
                .as_object()
                .unwrap()
                .contains_key("paste")
        );

        let ran = it.run(&format!("host rotate h{number} --for {device}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{device}");
        assert!(
            !ran.out.contains(token) && !ran.out.contains("TOKEN"),
            "{device}"
        );
        let shape = |text: &str, token: &str| text.replace(token, "TOKEN");
        let show = it.run(&format!("host show h{number} --for {device}"));
        assert_eq!(show.code, 0);
        assert_eq!(show.out, shape(paste, token), "{device}");
        assert_eq!(
            show.err,
            format!(
                "hint: `bowline host rotate h{number} --keep-old 7d --for {device}` prints it with a new token\n"
            )
        );
        let shown = it.json(&format!("host show h{number} --for {device}"));
        assert_eq!(shown["paste"].as_str(), Some(show.out.as_str()));
    }
    assert!(
        !it.json("host add other")
            .as_object()
            .unwrap()
            .contains_key("paste")
    );
}

#[test]
fn what_cannot_be() {
    let it = Place::new();
    let ran = it.run("host add home --for toaster");
    assert_eq!(ran.code, 2);
    for device in DEVICES {
        assert!(ran.err.contains(device), "{}", ran.err);
    }
    assert_eq!(
        it.run("host add home --static --ipv4 203.0.113.7 --for cron")
            .code,
        2
    );
    it.done("host add home --static --ipv4 203.0.113.7");
    let ran = it.run("host show home --for cron");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (
            1,
            "bowline: a static host has no token, and no client\nhint: run `bowline host set home --no-static` first\n"
        )
    );
}

#[test]
fn a_name_that_is_too_long_stays_out_of_the_url() {
    let it = Place::new();
    let label = "a".repeat(60);
    let name = [label.as_str(); 3].join(".");
    let paste = it.done(&format!("host add {name} --for pfsense"));
    let line = paste
        .lines()
        .find(|line| line.starts_with("Update URL"))
        .unwrap();
    let url = line.split_whitespace().last().unwrap();
    assert!(
        url.ends_with("?myip=%IP%") && !url.contains("aaaa"),
        "{url}"
    );
}
