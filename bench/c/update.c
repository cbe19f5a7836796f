/*
 * A CGI program that sends one unsigned UPDATE (RFC 2136) and waits for the answer.
 *
 * QUERY_STRING is HOST&ADDRESS: the A records of HOST in the zone that UPDATE_ZONE names
 * are replaced by ADDRESS, at the server on port UPDATE_PORT of loopback. It proves
 * nobody's identity, verifies nothing and keeps nothing: the floor under a changed visit.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TYPE_A = 1, TYPE_SOA = 6, CLASS_IN = 1, CLASS_ANY = 255, ROOM = 512 };

static unsigned char *put16(unsigned char *at, unsigned value)
{
    *at++ = (unsigned char)(value >> 8);
    *at++ = (unsigned char)value;
    return at;
}

/* The labels of a name, without the root. */
static unsigned char *put_labels(unsigned char *at, const char *name)
{
    while (*name != '\0') {
        size_t length = strcspn(name, ".");

        *at++ = (unsigned char)length;
        memcpy(at, name, length);
        at += length;
        name += length;
        if (*name == '.')
            name++;
    }
    return at;
}

/* A record of HOST in the zone, whose name stands right behind the header. */
static unsigned char *put_record(unsigned char *at, const char *host, unsigned class,
                                 unsigned ttl, const void *data, unsigned length)
{
    at = put_labels(at, host);
    at = put16(at, 0xc000 | 12);
    at = put16(at, TYPE_A);
    at = put16(at, class);
    at = put16(at, 0);
    at = put16(at, ttl);
    at = put16(at, length);
    if (length > 0)
        memcpy(at, data, length);
    return at + length;
}

static int update(const char *zone, unsigned short port, const char *host, struct in_addr address)
{
    struct sockaddr_in server = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
    };
    unsigned char message[ROOM], answer[ROOM], *at = message;
    unsigned id = (unsigned)getpid() & 0xffff;
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (s < 0 || strlen(zone) + 2 * strlen(host) > ROOM / 2)
        return -1;
    at = put16(at, id);
    at = put16(at, 5 << 11);
    at = put16(at, 1);
    at = put16(at, 0);
    at = put16(at, 2);
    at = put16(at, 0);
    at = put_labels(at, zone);
    *at++ = 0;
    at = put16(at, TYPE_SOA);
    at = put16(at, CLASS_IN);
    at = put_record(at, host, CLASS_ANY, 0, NULL, 0);
    at = put_record(at, host, CLASS_IN, 60, &address, sizeof address);
    if (connect(s, (struct sockaddr *)&server, sizeof server) != 0
        || send(s, message, (size_t)(at - message), 0) < 0
        || recv(s, answer, sizeof answer, 0) < 12)
        return -1;
    /* The same identifier, a response, NOERROR. */
    return answer[0] == message[0] && answer[1] == message[1] && (answer[2] & 0x80) != 0
               && (answer[3] & 0x0f) == 0
               ? 0
               : -1;
}

int main(void)
{
    const char *zone = getenv("UPDATE_ZONE"), *port = getenv("UPDATE_PORT");
    const char *query = getenv("QUERY_STRING"), *word = "dnserr";
    char host[64], text[16];
    struct in_addr address;

    if (zone != NULL && port != NULL && query != NULL
        && sscanf(query, "%63[a-z0-9-]&%15[0-9.]", host, text) == 2
        && inet_aton(text, &address) != 0
        && update(zone, (unsigned short)atoi(port), host, address) == 0)
        word = "good";
    printf("Content-Type: text/plain; charset=utf-8\r\n"
           "Content-Length: %zu\r\n"
           "\r\n"
           "%s\n",
           strlen(word) + 1, word);
    return 0;
}
