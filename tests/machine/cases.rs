//! Ways to break a machine, each named by one check of `bowline doctor`; `change` and
//! `restore` are the test's own commands.

/// A way to break a machine, how it is mended, and the only check with a problem.
pub(crate) type Case = (&'static str, &'static str, &'static str);

/// Files, owners and modes.
pub(crate) const FILES: [Case; 15] = [
    (
        "chmod 644 /etc/bowline/tsig.key",
        "chmod 640 /etc/bowline/tsig.key",
        "secrets",
    ),
    (
        "chmod 755 /var/lib/bowline",
        "chmod 750 /var/lib/bowline",
        "state-directory",
    ),
    (
        "mv /var/lib/bowline /var/lib/b && ln -s b /var/lib/bowline",
        "rm /var/lib/bowline && mv /var/lib/b /var/lib/bowline",
        "state-directory",
    ),
    (
        "cd /var/lib/bowline && chown root bowline.db",
        "chown bowline /var/lib/bowline/bowline.db",
        "registry-owner",
    ),
    (
        "cd /var/lib/bowline && touch bowline.db-wal && chown root bowline.db-wal",
        "chown bowline /var/lib/bowline/bowline.db-wal",
        "registry-owner",
    ),
    (
        "cd /var/lib/bowline/locks && touch 007 && chown root 007",
        "chown bowline /var/lib/bowline/locks/007",
        "locks",
    ),
    (
        "mv /var/lib/bowline/bowline.db /root/",
        "mv /root/bowline.db /var/lib/bowline/",
        "registry-owner",
    ),
    (
        "chgrp root /etc/bowline/lookup.key",
        "chgrp bowline /etc/bowline/lookup.key",
        "keys-readable",
    ),
    (
        "chgrp root /etc/knot/bowline.d",
        "bowline doctor --fix >/dev/null; test \"$(stat -c %G%a /etc/knot/bowline.d)\" = knot750",
        "key-copy",
    ),
    (
        "chgrp root /etc/knot/bowline.d/00-key.conf",
        "bowline doctor --fix >/dev/null; test \"$(stat -c %G%a /etc/knot/bowline.d/00-key.conf)\" = knot640",
        "key-copy",
    ),
    (
        "mv /etc/bowline/tsig.key /root/",
        "mv /root/tsig.key /etc/bowline/",
        "key-file",
    ),
    (
        "systemctl stop bowline-upkeep.timer bowline-upkeep.service; touch -d '-1 hour' /var/lib/bowline/locks/upkeep",
        "systemctl start bowline-upkeep.timer",
        "upkeep",
    ),
    // They run, until the next restart of the machine.
    (
        "systemctl disable -q bowline-upkeep.timer",
        "systemctl enable -q bowline-upkeep.timer",
        "upkeep",
    ),
    (
        "systemctl disable -q bowline.socket",
        "systemctl enable -q bowline.socket",
        "url",
    ),
    (
        "systemctl start bowline.service; cd /usr/bin && cp -p bowline bowline.new && mv bowline.new bowline",
        "systemctl restart bowline.service",
        "responder",
    ),
];

/// Knot, and what the world sees.
pub(crate) const KNOT: [Case; 14] = [
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/address: 127.0.0.1/address: [ 127.0.0.1, 192.0.2.53 ]/' knotc reload",
        "restore /etc/knot/bowline.d/10-bowline.conf knotc reload",
        "update-source",
    ),
    (
        "sed -i 's/127.0.0.1@5353/0.0.0.0@5353/' /etc/knot/bowline.d/*.conf /etc/knot/knot.conf; \
         change /etc/knot/bowline.d/10-bowline.conf '/ address: 127.0.0.1/d' systemctl restart knot",
        "sed -i 's/0.0.0.0@5353/127.0.0.1@5353/' /etc/knot/bowline.d/*.conf /etc/knot/knot.conf; \
         restore /etc/knot/bowline.d/10-bowline.conf systemctl restart knot",
        "update-source",
    ),
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/address: 127.0.0.1/address: 192.0.2.99/' knotc reload",
        "restore /etc/knot/bowline.d/10-bowline.conf knotc reload",
        "acl",
    ),
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/update-type: .*/update-type: [ A, AAAA, MX ]/' knotc reload",
        "restore /etc/knot/bowline.d/10-bowline.conf knotc reload",
        "key-reach",
    ),
    (
        "change /etc/knot/bowline.d/00-key.conf 's/secret: ..../secret: AAAA/' knotc reload",
        "restore /etc/knot/bowline.d/00-key.conf knotc reload",
        "key-copy",
    ),
    (
        "mv /etc/knot/bowline.d/10-bowline.conf /root/",
        "mv /root/10-bowline.conf /etc/knot/bowline.d/",
        "files",
    ),
    (
        "knotc zone-freeze dyn.example.org; sleep 1",
        "knotc zone-thaw dyn.example.org; sleep 1",
        "zone-frozen",
    ),
    (
        "knotc zone-begin dyn.example.org",
        "knotc zone-abort dyn.example.org",
        "zone-transaction",
    ),
    (
        "systemctl stop knot",
        "systemctl start knot; sleep 1",
        "server-udp",
    ),
    // Nothing is missing until it is started anew.
    (
        "systemctl disable -q knot",
        "systemctl enable -q knot",
        "boot",
    ),
    // What IPv6 reaches still, half of the world does not.
    (
        "change /etc/knot/bowline.d/10-bowline.conf 's/192.0.2.53@53, //' systemctl restart knot",
        "restore /etc/knot/bowline.d/10-bowline.conf systemctl restart knot",
        "secondaries",
    ),
    (
        "change /etc/knot/knot.conf '/bowline.d/d' true",
        "restore /etc/knot/knot.conf true",
        "include",
    ),
    (
        "change /srv/resolver/org '/^dyn NS/d' kill -HUP $(cat /srv/resolver/pid)",
        "restore /srv/resolver/org kill -HUP $(cat /srv/resolver/pid)",
        "delegation",
    ),
    (
        "change /srv/resolver/org \"\\$a dyn DS 1 13 2 $(printf %064d 7)\" kill -HUP $(cat /srv/resolver/pid)",
        "restore /srv/resolver/org kill -HUP $(cat /srv/resolver/pid)",
        "ds",
    ),
];

/// Apache and the responder.
pub(crate) const APACHE: [Case; 7] = [
    (
        "a2dissite -q bowline && systemctl reload apache2 && sleep 1",
        "a2ensite -q bowline && systemctl reload apache2 && sleep 1",
        "url",
    ),
    (
        "systemctl stop apache2",
        "systemctl start apache2; sleep 1",
        "url",
    ),
    (
        "systemctl stop bowline.socket bowline.service",
        "systemctl start bowline.socket",
        "url",
    ),
    // A user that may read neither keys nor registry.
    (
        "d=/run/systemd/system/bowline.service.d; mkdir -p $d; \
         printf '[Service]\nUser=nobody\nGroup=nogroup\nStateDirectory=\n' >$d/other.conf; \
         systemctl daemon-reload; systemctl restart bowline.service; sleep 6",
        "rm -r /run/systemd/system/bowline.service.d; systemctl daemon-reload; \
         systemctl restart bowline.service; sleep 1",
        "url",
    ),
    (
        "change /etc/apache2/sites-available/bowline.conf 's/%m %>s/%U %>s/' systemctl reload apache2",
        "restore /etc/apache2/sites-available/bowline.conf systemctl reload apache2",
        "log-format",
    ),
    (
        "curl -s http://192.0.2.53/$(cat /root/token)/home -o /dev/null; sleep 1",
        "rm /var/log/apache2/*.log; systemctl restart apache2; sleep 1",
        "log-tokens",
    ),
    (
        "echo ExtendedStatus On >/etc/apache2/sites-enabled/zz.conf; systemctl reload apache2; sleep 1",
        "rm /etc/apache2/sites-enabled/zz.conf; systemctl reload apache2; sleep 1",
        "server-status",
    ),
];

/// BIND.
pub(crate) const BIND: [Case; 7] = [
    (
        "change /etc/bind/bowline/update.d/50-dyn.example.org.conf 's/ A AAAA;/ ANY;/' systemctl reload named",
        "restore /etc/bind/bowline/update.d/50-dyn.example.org.conf systemctl reload named",
        "key-reach",
    ),
    (
        "change /etc/bind/bowline/update.d/50-dyn.example.org.conf '/deny/d' systemctl reload named",
        "restore /etc/bind/bowline/update.d/50-dyn.example.org.conf systemctl reload named",
        "key-reach",
    ),
    (
        "change /etc/bind/bowline/update.d/50-dyn.example.org.conf 's/ A AAAA;/ A;/' systemctl reload named",
        "restore /etc/bind/bowline/update.d/50-dyn.example.org.conf systemctl reload named",
        "key-rights",
    ),
    (
        "change /etc/bind/bowline/update.d/00-key.conf 's/secret \"..../secret \"AAAA/' systemctl reload named",
        "restore /etc/bind/bowline/update.d/00-key.conf systemctl reload named",
        "key-copy",
    ),
    (
        "change /etc/bind/named.conf 's/.*bowline.*/options { };/' true",
        "restore /etc/bind/named.conf true",
        "include",
    ),
    (
        "rndc freeze dyn.example.org IN bowline; sleep 1",
        "rndc thaw dyn.example.org IN bowline; sleep 1",
        "update-accepted",
    ),
    (
        "systemctl stop named",
        "systemctl start named; sleep 1",
        "server-udp",
    ),
];

/// nginx and the responder.
pub(crate) const NGINX: [Case; 4] = [
    (
        "change /etc/nginx/sites-available/bowline-tls 's/access.log bowline/access.log combined/' systemctl reload nginx",
        "restore /etc/nginx/sites-available/bowline-tls systemctl reload nginx",
        "log-format",
    ),
    (
        "systemctl disable -q nginx",
        "systemctl enable -q nginx",
        "boot",
    ),
    (
        "rm /etc/nginx/sites-enabled/bowline; systemctl reload nginx; sleep 1",
        "ln -s ../sites-available/bowline /etc/nginx/sites-enabled/; systemctl reload nginx; sleep 1",
        "url",
    ),
    (
        "systemctl stop bowline.socket bowline.service",
        "systemctl start bowline.socket",
        "url",
    ),
];

/// PowerDNS.
pub(crate) const POWERDNS: [Case; 9] = [
    // systemd would not start it, so it is kept from looking.
    (
        "d=/etc/systemd/system/pdns.service.d; change $d/bowline.conf /Exec/d systemctl daemon-reload; \
         mv /etc/powerdns/bowline/update-policy.lua /root/; systemctl restart pdns; sleep 1",
        "mv /root/update-policy.lua /etc/powerdns/bowline/; systemctl restart pdns; sleep 1",
        "policy-script",
    ),
    (
        "chgrp root /etc/powerdns/bowline/update-policy.lua; systemctl restart pdns; sleep 1",
        "chgrp pdns /etc/powerdns/bowline/update-policy.lua; systemctl restart pdns; sleep 1",
        "policy-script",
    ),
    (
        "change /etc/powerdns/bowline/update-policy.lua '1i (' systemctl restart pdns",
        "restore /etc/powerdns/bowline/update-policy.lua systemctl restart pdns",
        "update-accepted",
    ),
    (
        "change /etc/powerdns/bowline/update-policy.lua \"s/from ~= .127.0.0.1./false/\" systemctl restart pdns",
        "restore /etc/powerdns/bowline/update-policy.lua systemctl restart pdns",
        "update-source",
    ),
    (
        "change /etc/powerdns/bowline/rights/dyn.example.org 's/ AAAA//' true",
        "restore /etc/powerdns/bowline/rights/dyn.example.org true",
        "key-rights",
    ),
    (
        "change /etc/powerdns/pdns.d/bowline.conf s/synchronous=2/synchronous=1/ true",
        "restore /etc/powerdns/pdns.d/bowline.conf true",
        "durability",
    ),
    (
        "change /etc/powerdns/pdns.conf 's/^include-dir/# &/' true",
        "next=$(bowline init dyn.example.org --nameserver ns1.example.org --url https://update.example.org \
         | grep include-dir=) && sh -c \"$next\"",
        "include",
    ),
    (
        "chmod 644 /etc/powerdns/bowline/key.sql",
        "chmod 640 /etc/powerdns/bowline/key.sql",
        "secrets",
    ),
    (
        "systemctl stop pdns",
        "systemctl start pdns; sleep 1",
        "server-udp",
    ),
];
