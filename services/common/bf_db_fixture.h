// A PostgreSQL of a test's own (tests/lib/pg-scratch): on a unix socket in a folder
// of its own. It ends with the test, also when that dies. Paths are from the project's folder, where make
// runs.
#ifndef BF_DB_FIXTURE_H
#define BF_DB_FIXTURE_H

#include <errno.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bf_clock.h"
#include "bf_db.h"

#define BF_DB_FIXTURE_START_MS 60000

struct bf_db_fixture {
    char dir[40];
    char host[64];
    pid_t pid;
};

static inline struct bf_db_options bf_db_fixture_options(const struct bf_db_fixture *server,
                                                         const char *dbname, const char *user)
{
    return (struct bf_db_options){.host = server->host,
                                  .port = 5432,
                                  .dbname = dbname,
                                  .user = user,
                                  .application = "test",
                                  .connections_max = 8,
                                  .connect_timeout_ms = 2000,
                                  .borrow_timeout_ms = 5000,
                                  .statement_timeout_ms = 20000};
}

static inline void bf_db_fixture_spawn(struct bf_db_fixture *server)
{
    server->pid = fork();
    if (server->pid == 0) {
        execl("tests/lib/pg-scratch", "pg-scratch", server->dir, (char *)NULL);
        _exit(127);
    }
}

// False: it ended, or does not serve in time.
static inline bool bf_db_fixture_serves(struct bf_db_fixture *server)
{
    struct bf_db_options superuser = bf_db_fixture_options(server, "postgres", "belfry");
    uint64_t until = bf_mono_ms() + BF_DB_FIXTURE_START_MS;
    bool serves = false;
    struct bf_db *probe;

    if (bf_db_open(&superuser, &probe))
        return false;
    while (!serves && bf_mono_ms() < until && waitpid(server->pid, NULL, WNOHANG) == 0) {
        serves = bf_db_ping(probe) == BF_OK;
        if (!serves)
            usleep(20000);
    }
    bf_db_close(probe);
    return serves;
}

// Runs a program as the given role.
static inline bool bf_db_fixture_run(const struct bf_db_fixture *server, const char *user, const char *dbname,
                                     char *const argv[])
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setenv("PGHOST", server->host, 1);
        setenv("PGPORT", "5432", 1);
        setenv("PGUSER", user, 1);
        setenv("PGDATABASE", dbname, 1);
        dup2(STDERR_FILENO, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    return waitpid(pid, &status, 0) == pid && status == 0;
}

// With the database "postgres", empty, of the superuser "belfry".
static inline bool bf_db_fixture_open(struct bf_db_fixture *server)
{
    snprintf(server->dir, sizeof(server->dir), "/tmp/bf_db.XXXXXX");
    if (!mkdtemp(server->dir))
        return false;
    snprintf(server->host, sizeof(server->host), "%s/sock", server->dir);
    bf_db_fixture_spawn(server);
    return bf_db_fixture_serves(server);
}

// And with the database "belfry", migrated.
static inline bool bf_db_fixture_start(struct bf_db_fixture *server)
{
    return bf_db_fixture_open(server) &&
           bf_db_fixture_run(server, "belfry", "postgres",
                             (char *[]){"psql", "-Xqv", "ON_ERROR_STOP=1", "-c",
                                        "CREATE ROLE belfry_owner LOGIN CREATEROLE", "-c",
                                        "CREATE DATABASE belfry OWNER belfry_owner", NULL}) &&
           bf_db_fixture_run(server, "belfry_owner", "belfry", (char *[]){"sql/migrate", NULL});
}

// By `sig`: SIGINT is an orderly end, SIGQUIT a crash. bf_db_fixture_spawn starts it again.
static inline void bf_db_fixture_end(struct bf_db_fixture *server, int sig)
{
    if (server->pid <= 0)
        return;
    kill(server->pid, sig);
    while (waitpid(server->pid, NULL, 0) < 0 && errno == EINTR)
        ;
    server->pid = 0;
}

static inline int bf_db_fixture_remove(const char *path, const struct stat *stat, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline bool bf_db_fixture_stop(struct bf_db_fixture *server)
{
    bf_db_fixture_end(server, SIGINT);
    return nftw(server->dir, bf_db_fixture_remove, 8, FTW_DEPTH | FTW_PHYS) == 0;
}

#endif
