"""A mail server for tests: python3 smtp.py PORT DIRECTORY [starttls|tls] [auth] [utf8]

Each mail goes into a file of DIRECTORY, with its envelope in front. What stands in
DIRECTORY/mode makes it fail: rcpt-550, rcpt-451, data-554, data-451, drop, silent, trickle;
with an address behind it, for that recipient alone.
"""

import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

port, directory, kinds = int(sys.argv[1]), sys.argv[2], sys.argv[3:]


def mode(recipients):
    try:
        with open(os.path.join(directory, "mode"), encoding="ascii") as file:
            how, _, whose = file.read().strip().partition(" ")
            return how if not whose or whose in recipients else ""
    except FileNotFoundError:
        return ""


class Handler:
    count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        match mode([address]):
            case "rcpt-550":
                return "550 5.1.1 no such user"
            case "rcpt-451":
                return "451 4.7.1 greylisted"
            case "trickle":
                for _ in range(600):
                    server.transport.write(b"250-\r\n")
                    await asyncio.sleep(0.1)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        match mode(envelope.rcpt_tos):
            case "data-554":
                return "554 5.7.1 spam"
            case "data-451":
                return "451 4.3.0 later"
            case "drop":
                server.transport.abort()
                return "421 gone"
            case "silent":
                await asyncio.sleep(60)
        Handler.count += 1
        name = os.path.join(directory, f"{Handler.count:04}.eml")
        with open(name + ".part", "wb") as file:
            user = (session.auth_data or b"-").decode()
            tls = "tls" if session.ssl or "tls" in kinds else "plain"
            line = f"{envelope.mail_from} {','.join(envelope.rcpt_tos)} {tls} {user}\n"
            file.write(line.encode() + envelope.content)
        os.rename(name + ".part", name)
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    good = (data.login, data.password) == (b"bowline", b"s3cret word")
    return AuthResult(success=good, handled=False, auth_data=data.login)


async def main():
    context = None
    if "starttls" in kinds or "tls" in kinds:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(
            os.path.join(directory, "cert.pem"), os.path.join(directory, "key.pem")
        )
    options = {}
    if "starttls" in kinds:
        options = {"tls_context": context, "require_starttls": True}
    if "auth" in kinds:
        options |= {
            "authenticator": authenticate,
            "auth_required": True,
            "auth_require_tls": "starttls" in kinds,
        }
    options["enable_SMTPUTF8"] = "utf8" in kinds
    make = lambda: SMTP(Handler(), hostname="localhost", **options)
    wrap = context if "tls" in kinds else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(make, "127.0.0.1", port, ssl=wrap)
    await server.serve_forever()


asyncio.run(main())
