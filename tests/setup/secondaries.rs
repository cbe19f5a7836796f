//! What is to do on a second machine.

use std::fs;

use serde_json::Value;

use crate::trial::{Trial, succeed};

/// The commands for other machines that `init` prints with those secondaries.
fn elsewhere(trial: &Trial, secondaries: &[&str]) -> Vec<String> {
    let options = secondaries.iter().map(|it| format!("--secondary={it}@53"));
    let options: Vec<String> = options.collect();
    let mut all = vec!["--dns=knot", "--web=none"];
    all.extend(options.iter().map(String::as_str));
    let report: Value = serde_json::from_str(&trial.init(&all).unwrap()).unwrap();
    let next = report["next"].as_array().unwrap();
    let next = next.iter().map(|step| step.as_str().unwrap().to_owned());
    next.filter(|step| step.contains(" root@")).collect()
}

#[test]
fn each_is_told_once_and_one_that_comes_later_too() {
    let trial = Trial::new();
    let first = elsewhere(&trial, &["198.51.100.53"]);
    assert_eq!(first.len(), 2, "{first:#?}");
    assert_eq!(elsewhere(&trial, &["198.51.100.53"]), Vec::<String>::new());
    let two = ["198.51.100.53", "2001:db8::53", "2001:db8:0::53"];
    // Named twice it is one.
    let options = two.map(|it| match it.contains(':') {
        true => format!("[{it}]"),
        false => it.to_owned(),
    });
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let later = elsewhere(&trial, &options);
    assert_eq!(later.len(), 2, "{later:#?}");
    assert!(later[0].contains(" root@[2001:db8::53]:"), "{later:#?}");
}

#[test]
fn what_is_typed_there_may_be_typed_twice() {
    let trial = Trial::new();
    let there = trial.dir.path().display();
    let typed = elsewhere(&trial, &["198.51.100.53"])[1]
        .replacen("ssh root@198.51.100.53", "sh -c", 1)
        .replace("/etc/knot/", &format!("{there}/"))
        .replace("chgrp knot", "ls")
        .replace("knotc conf-check && systemctl restart knot", "true");
    fs::write(trial.dir.path().join("bowline-secondary.conf"), "").unwrap();
    let conf = trial.dir.path().join("knot.conf");
    fs::write(&conf, "server:\n").unwrap();
    for _ in 0..2 {
        succeed("sh", &["-c", &typed]);
        let text = fs::read_to_string(&conf).unwrap();
        let include = format!("include: \"{there}/bowline-secondary.conf\"");
        assert_eq!(text, format!("server:\n{include}\n"), "{typed}");
    }
}
