/*
 * Runs programs in turn and says what each run took.
 *
 *     spawn ROUNDS FIRST -- [NAME=VALUE]... PROGRAM [ARGUMENT]... -- ...
 *
 * A program gets the variables before it and no others, and nowhere to write. In a
 * value, {host} becomes the number of the round with nine digits and {ip} an address
 * made of it; rounds count from FIRST. A line for each run: position of the program,
 * nanoseconds from before vfork to after wait, peak memory in KiB, wait status.
 *
 * Linked static and small: until it runs another program, a child counts our memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROGRAMS = 16, VARIABLES = 32, ROOM = 512 };

struct program {
    const char *given[VARIABLES];
    int count;
    /* The path first. */
    char **arguments;
};

static struct program programs[PROGRAMS];
static char filled[VARIABLES][ROOM];
static char *environment[VARIABLES + 1];

static void give_up(const char *why)
{
    fprintf(stderr, "spawn: %s\n", why);
    exit(2);
}

/* Replaces `what` in the text, once. */
static void replace(char *text, const char *what, const char *by)
{
    char rest[ROOM];
    char *at = strstr(text, what);

    if (at == NULL)
        return;
    snprintf(rest, sizeof rest, "%s", at + strlen(what));
    snprintf(at, ROOM - (size_t)(at - text), "%s%s", by, rest);
}

static void fill_environment(const struct program *program, unsigned round)
{
    char host[16], ip[24];

    snprintf(host, sizeof host, "%09u", round);
    snprintf(ip, sizeof ip, "20.%u.%u.%u", round >> 16 & 255, round >> 8 & 255, round & 255);
    for (int i = 0; i < program->count; i++) {
        snprintf(filled[i], ROOM, "%s", program->given[i]);
        replace(filled[i], "{host}", host);
        replace(filled[i], "{ip}", ip);
        environment[i] = filled[i];
    }
    environment[program->count] = NULL;
}

static long long now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void run(int position, unsigned round, int nowhere)
{
    const struct program *program = &programs[position];
    struct rusage used;
    long long began, ended;
    int status;
    pid_t child;

    fill_environment(program, round);
    began = now();
    child = vfork();
    if (child == 0) {
        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDOUT_FILENO);
        execve(program->arguments[0], program->arguments, environment);
        _exit(127);
    }
    if (child < 0)
        give_up("cannot start a process");
    while (wait4(child, &status, 0, &used) < 0)
        if (errno != EINTR)
            give_up("the process is gone");
    ended = now();
    printf("%d %lld %ld %d\n", position, ended - began, used.ru_maxrss, status);
}

int main(int argc, char **argv)
{
    int count = 0, nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct program *program = NULL;

    if (argc < 5 || nowhere < 0 || strcmp(argv[3], "--") != 0)
        give_up("spawn ROUNDS FIRST -- [NAME=VALUE]... PROGRAM [ARGUMENT]...");
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            if (count == PROGRAMS)
                give_up("too many programs");
            program = &programs[count++];
            /* Ends the arguments of the one before. */
            argv[i] = NULL;
        } else if (program->arguments == NULL && strchr(argv[i], '=') == NULL) {
            program->arguments = &argv[i];
        } else if (program->arguments == NULL) {
            if (program->count == VARIABLES)
                give_up("too many variables");
            program->given[program->count++] = argv[i];
        }
    }
    for (int position = 0; position < count; position++)
        if (programs[position].arguments == NULL)
            give_up("no program");
    for (unsigned round = 0; round < (unsigned)atoi(argv[1]); round++)
        for (int position = 0; position < count; position++)
            run(position, (unsigned)atoi(argv[2]) + round, nowhere);
    return 0;
}
