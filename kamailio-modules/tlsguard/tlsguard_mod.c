// tlsguard: keeps Kamailio's processes from sharing what OpenSSL meant for one thread. README.md says why.
#include <openssl/rand.h>
#include <pthread.h>

#include "core/dprint.h"
#include "core/mem/shm.h"
#include "core/sr_module.h"

#include "tlsguard.h"

MODULE_VERSION

static bool is_shared(const void *address)
{
    return shm_address_in((void *)address);
}

static void after_fork(void)
{
    tlsguard_forget(is_shared);
}

// tls.so puts Kamailio's own generator in the place of OpenSSL's. Its state is copied by fork, and what a
// child adds to it takes effect a quarter of an hour later: all processes say the same numbers, one after the
// other.
static bool random_of_openssl(void)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" // there is no other way to undo it
    return RAND_set_rand_method(NULL) == 1;
#pragma GCC diagnostic pop
}

static int mod_init(void)
{
    if (!tlsguard_needed(BF_STR(VERSION))) {
        LM_NOTICE("Kamailio " VERSION " needs no guard: nothing is done; do not load tlsguard.so\n");
        return 0;
    }
    if (!random_of_openssl() || pthread_atfork(NULL, NULL, after_fork) != 0) {
        LM_ERR("OpenSSL's random generator or the fork handler cannot be set\n");
        return -1;
    }
    LM_INFO("every process has OpenSSL's thread objects and random generator to itself\n");
    return 0;
}

int mod_register(char *path, int *dlflags, void *p1, void *p2); // found by Kamailio's loader by its name

int mod_register(char *path, int *dlflags, void *p1, void *p2)
{
    if (module_loaded("tls"))
        return 0;
    LM_ERR("load tls.so before it\n");
    return -1;
}

struct module_exports exports = {
    .name = "tlsguard",
    .dlflags = DEFAULT_DLFLAGS,
    .init_mod_f = mod_init,
};
