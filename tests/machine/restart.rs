//! The responder restarted under load: its socket stays, and no request fails.

use std::thread;

use crate::{add, address, certify, set_up, visit};

#[test]
fn no_request_fails_while_it_is_restarted_behind_apache() {
    restarted_under_load("apache", "apache2", false);
}

#[test]
fn no_request_fails_while_it_is_restarted_behind_nginx() {
    restarted_under_load("nginx", "nginx", false);
}

/// GET only: nginx asks again when a kept connection turns out to be closed, but not for a
/// POST. So the shipped files keep none.
#[test]
fn nor_over_connections_that_nginx_keeps() {
    restarted_under_load("nginx", "nginx", true);
}

fn restarted_under_load(web: &str, service: &str, kept: bool) {
    let Some(machine) = set_up(&format!("--web {web}")) else {
        return;
    };
    let token = add(&machine, "home");
    certify(&machine, service);
    if kept {
        // Connections that stay open, too.
        machine.run(
            "cd /etc/nginx/sites-available && sed -i \
             's,fastcgi_pass unix:/run/bowline/bowline.sock;,fastcgi_pass bowline; fastcgi_keep_conn on;,' bowline-tls && \
             echo 'upstream bowline { server unix:/run/bowline/bowline.sock; keepalive 4; }' >>bowline-tls && \
             systemctl reload nginx",
        );
    }
    let get = if kept { "--get" } else { "" };
    let home = format!("https://update.example.org/{token}/home");
    assert_eq!(
        visit(&machine, &home, "-d myip=203.0.113.7"),
        "good 203.0.113.7\n200"
    );
    let answers: Vec<String> = thread::scope(|scope| {
        // Every answer of each client on a line of its own; a failure is a line too.
        let clients: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    machine.run(&format!(
                        "for i in $(seq 60); do curl -sS --insecure --max-time 20 \
                         --resolve update.example.org:443:127.0.0.1 {get} -d myip=203.0.113.7 '{home}' 2>&1; done"
                    ))
                })
            })
            .collect();
        for _ in 0..6 {
            machine.run("systemctl restart bowline.service; sleep 0.2");
            machine.run("systemctl kill -s TERM bowline.service; sleep 0.2");
        }
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let lines: Vec<&str> = answers.iter().flat_map(|said| said.lines()).collect();
    let failed: Vec<&&str> = lines
        .iter()
        .filter(|line| **line != "nochg 203.0.113.7")
        .collect();
    assert!(
        failed.is_empty() && lines.len() == 240,
        "{} of {}: {failed:?}",
        failed.len(),
        lines.len()
    );
    assert_eq!(address(&machine, "home"), "203.0.113.7");
}
