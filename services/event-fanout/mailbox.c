// The hall's mail.
#include "mailbox.h"

#include <pthread.h>

struct mailbox {
    pthread_mutex_t lock;
    struct mail *first, **end;
    size_t count;
    bool lost;
};

struct mailbox *mailbox_new(void)
{
    struct mailbox *mailbox = bf_xcalloc(1, sizeof(*mailbox));

    mailbox->end = &mailbox->first;
    pthread_mutex_init(&mailbox->lock, NULL);
    return mailbox;
}

void mail_free(struct mail *mail)
{
    if (mail->kind == MAIL_EVENT)
        live_unref(mail->live);
    if (mail->kind == MAIL_MISSED) {
        for (size_t i = 0; i < mail->missed.count; i++)
            live_unref(mail->missed.lives[i]);
        free(mail->missed.lives);
    }
    free(mail);
}

void mailbox_free(struct mailbox *mailbox)
{
    if (!mailbox)
        return;
    for (struct mail *mail = mailbox->first, *next; mail; mail = next) {
        next = mail->next;
        mail_free(mail);
    }
    pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

bool mailbox_put(struct mailbox *mailbox, const struct mail *mail)
{
    struct mail *own = bf_xcalloc(1, sizeof(*own));

    *own = *mail;
    own->next = NULL;
    pthread_mutex_lock(&mailbox->lock);
    bool empty = !mailbox->first;
    bool fits = mailbox->count < MAILBOX_MAX || mail->kind != MAIL_EVENT;
    if (fits) {
        *mailbox->end = own;
        mailbox->end = &own->next;
        mailbox->count++;
    } else {
        mailbox->lost = true;
    }
    pthread_mutex_unlock(&mailbox->lock);
    if (!fits)
        mail_free(own);
    return empty && fits;
}

struct mail *mailbox_collect(struct mailbox *mailbox, bool *ret_lost)
{
    pthread_mutex_lock(&mailbox->lock);
    struct mail *first = mailbox->first;
    *ret_lost = mailbox->lost;
    mailbox->first = NULL;
    mailbox->end = &mailbox->first;
    mailbox->count = 0;
    mailbox->lost = false;
    pthread_mutex_unlock(&mailbox->lock);
    return first;
}
