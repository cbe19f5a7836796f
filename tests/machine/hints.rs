//! What a newcomer is told on a machine that was set up just now.

use crate::INIT;
use crate::machine::Machine;

#[test]
fn right_after_the_first_set_up() {
    let Some(machine) = Machine::start() else {
        return;
    };
    // Both are installed, and one of them runs.
    machine.try_run("systemctl stop apache2");
    machine.run("systemctl start nginx");
    machine.run(&format!("{INIT} --apply"));
    machine.run("test -e /etc/nginx/sites-enabled/bowline && ! test -e /etc/apache2/sites-available/bowline.conf");
    machine.run("echo 127.0.0.1 update.example.org >>/etc/hosts");
    // The first round is still to come: none is under way, nor begins while doctor looks.
    let (_, said) = machine.try_run(
        "until s=$(date +%S); [ $s -ge 12 ] && [ $s -lt 40 ]; do sleep 1; done; systemctl restart bowline-upkeep.timer; \
         systemctl stop bowline-upkeep.service; rm -f /var/lib/bowline/locks/upkeep; \
         bowline doctor --via 127.0.0.1:9",
    );
    for told in [
        "cannot tell  upkeep ",
        "`certbot certonly --webroot -w /var/www/html -d update.example.org --deploy-hook 'systemctl reload nginx'`",
    ] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(!said.contains("problem      upkeep "), "{said}");
    // A responder has to be told of a change.
    let reload = "systemctl try-reload-or-restart bowline.service";
    let check = || machine.run("bowline config check 2>&1");
    machine.run("systemctl stop bowline.service");
    assert!(!check().contains(reload), "{}", check());
    machine.run("curl -sS http://update.example.org/healthz; systemctl is-active bowline.service");
    assert!(check().contains(reload), "{}", check());
}
