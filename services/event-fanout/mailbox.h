// What other threads have to say to the hall's: a queue with a limit. Any thread puts, one collects.
//
// Events beyond MAILBOX_MAX are dropped, and that is told: the sockets are then closed and come back with
// after=. What else there is (answers to questions about sockets, what ends) is always taken: there is not
// more of it than sockets.
#ifndef MAILBOX_H
#define MAILBOX_H

#include "seats.h"

#define MAILBOX_MAX 100000

enum mail_kind {
    MAIL_EVENT,
    MAIL_VERDICT, // whether a socket may stay
    MAIL_MISSED,  // what a socket missed
    MAIL_ENDS,    // a tenant, or one of its extensions changed
    MAIL_UNSURE,  // something may have ended unheard
};

struct mail_verdict {
    struct seat_ref ref;
    struct socket_who who;
    enum socket_close close; // SOCKET_STAYS: it may
    const char *reason;      // static text
};

struct mail_missed {
    struct seat_ref ref;
    enum bf_err err; // not BF_OK: there is a gap
    struct live **lives;
    size_t count;
};

struct mail {
    enum mail_kind kind;
    struct mail *next;
    union {
        struct live *live;
        struct mail_verdict verdict;
        struct mail_missed missed;
        struct {
            struct bf_id tenant;
            char number[BF_APP_NUMBER_SIZE]; // "": all of the tenant
            struct bf_id extension;          // which one the number is now; nil: none
        } ends;
    };
};

struct mailbox;

struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *mailbox); // NULL is fine

// Takes what the mail holds. True: it was empty, so whoever collects has to be woken.
bool mailbox_put(struct mailbox *mailbox, const struct mail *mail);
// Everything in order, by `next`; free each. *ret_lost: events were dropped.
struct mail *mailbox_collect(struct mailbox *mailbox, bool *ret_lost);
void mail_free(struct mail *mail);

#endif
