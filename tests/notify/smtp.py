"""A mail server that keeps what it takes, and fails where the recipient's name says so.

    smtp.py DIRECTORY plain|starttls|tls [CERTIFICATE KEY]

Says its port. Mail to full@ is refused for now, to nobody@ for ever, to spam@ after its
contents; to slow@ it does not answer, and to liar@ it takes the contents and hangs up.
"""

import asyncio
import os
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Keeper:
    """Writes each message to a file of its own."""

    def __init__(self, directory):
        self.directory = directory

    async def handle_RCPT(self, server, session, envelope, address, options):
        match address.split("@")[0]:
            case "full":
                return "452 the mailbox is full"
            case "nobody":
                return "550 no such user\r\n250 but go on"
            case "slow":
                await asyncio.sleep(60)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = os.path.join(self.directory, f"{len(os.listdir(self.directory)):04}")
        lines = [f"Envelope: {envelope.mail_from} {' '.join(envelope.rcpt_tos)}\n".encode()]
        with open(name, "xb") as file:
            file.write(b"".join(lines) + envelope.content)
        match envelope.rcpt_tos[0].split("@")[0]:
            case "spam":
                return "554 this is spam"
            case "liar":
                session_transport = server.transport
                session_transport.abort()
        return "250 taken"


def authenticate(server, session, envelope, mechanism, data):
    right = data.login == b"anna" and data.password == b"correct horse"
    return AuthResult(success=right, handled=False)


async def main(directory, mode, *files):
    context = None
    if files:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*files)

    def protocol():
        more = {}
        if mode != "plain":
            more = {"authenticator": authenticate, "auth_required": True}
        if mode == "starttls":
            more |= {"tls_context": context, "require_starttls": True}
        if mode == "tls":
            more |= {"auth_require_tls": False}
        return SMTP(Keeper(directory), hostname="localhost", **more)

    loop = asyncio.get_running_loop()
    outer = context if mode == "tls" else None
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=outer)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
