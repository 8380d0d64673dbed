// The operator's key.
#include "operator_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "key_store.h"

static enum bf_err file_read(const char *path, char key[KEY_TEXT_BYTES + 1], char wrong[256])
{
    char text[KEY_TEXT_BYTES + 2];
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        enum bf_err err = errno == ENOENT ? BF_NOT_FOUND : BF_INTERNAL;
        snprintf(wrong, 256, "cannot read the file: %s", strerror(errno));
        return err;
    }
    ssize_t len = read(fd, text, sizeof(text));
    close(fd);
    if (len == KEY_TEXT_BYTES + 1 && text[KEY_TEXT_BYTES] == '\n')
        len--;
    if (len < 0 || !key_well_formed((struct bf_str){text, (size_t)len})) {
        snprintf(wrong, 256, "the file holds no key of ours; delete it and a new key is made");
        return BF_INVALID;
    }
    memcpy(key, text, KEY_TEXT_BYTES);
    key[KEY_TEXT_BYTES] = '\0';
    return BF_OK;
}

static bool write_all(const char *path, const char *key)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd < 0)
        return false;
    bool good = write(fd, key, KEY_TEXT_BYTES) == KEY_TEXT_BYTES && write(fd, "\n", 1) == 1 && fsync(fd) == 0;
    return close(fd) == 0 && good;
}

// link() makes the whole file appear at once and fails when another replica was first.
static enum bf_err file_make(const char *path, char wrong[256])
{
    char key[KEY_TEXT_BYTES + 1];
    char id[BF_ID_TEXT_SIZE];
    bf_autofree char *beside = bf_xasprintf("%s.%s", path, bf_id_text(bf_id_new(), id));

    key_make(key);
    bool good = write_all(beside, key) && (link(beside, path) == 0 || errno == EEXIST);
    if (!good)
        snprintf(wrong, 256, "cannot write the file: %s; let this user write to its folder", strerror(errno));
    unlink(beside);
    return good ? BF_OK : BF_INTERNAL;
}

enum bf_err operator_key_file(const char *path, char key[KEY_TEXT_BYTES + 1], bool *ret_made, char wrong[256])
{
    enum bf_err err = file_read(path, key, wrong);

    *ret_made = err == BF_NOT_FOUND;
    if (err != BF_NOT_FOUND)
        return err;
    err = file_make(path, wrong);
    return err ? err : file_read(path, key, wrong);
}

static enum bf_err row_ensure(struct registry *registry, const char *key, bool *ret_added)
{
    bf_cleanup(bf_tx_release_at) struct bf_tx *tx = NULL;
    uint8_t hash[BF_SHA256_BYTES];
    enum bf_err err = bf_tx_begin(registry->db, BF_SCOPE_SYSTEM, (struct bf_id){{0}}, &tx);

    key_hash(bf_str(key), hash);
    if (!err)
        err = key_store_ensure_operator(tx, hash, bf_id_new(), ret_added);
    return err ? err : bf_tx_commit(tx);
}

enum bf_err operator_key_ensure(struct registry *registry)
{
    const char *path = registry->settings.operator_key_file;
    char key[KEY_TEXT_BYTES + 1];
    char wrong[256];
    bool made, added;
    enum bf_err err = operator_key_file(path, key, &made, wrong);

    if (err) {
        bf_error("operator_key.file", BF_S("file", path), BF_S("wrong", wrong));
        return err;
    }
    err = row_ensure(registry, key, &added);
    if (!err && (made || added))
        bf_info("operator_key.ready", BF_S("file", path), BF_S("file_is", made ? "new" : "old"),
                BF_S("row_is", added ? "new" : "old"));
    explicit_bzero(key, sizeof(key));
    return err;
}
