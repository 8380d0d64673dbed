// SIP as far as a load generator needs it: OPTIONS and REGISTER out; status, our Via branch and the challenge
// in. Calls are in sipload_dialog.h. What comes in is from outside: every text is bounded by its packet and
// by the sizes below. Not thread-safe.
#ifndef SIPLOAD_MESSAGE_H
#define SIPLOAD_MESSAGE_H

#include <openssl/evp.h>
#include "bf_base.h"

#define SIP_BYTES_MAX 1400 // one datagram on any network
#define SIP_TEXT_MAX  128

// Says which request of ours an answer belongs to; travels as 24 hex digits in the Via branch.
struct sip_tag {
    uint32_t run;
    uint32_t slot;
    uint32_t generation;
};

struct sip_user {
    char number[16];
    char domain[SIP_TEXT_MAX];
};

struct sip_challenge {
    char realm[SIP_TEXT_MAX];
    char nonce[SIP_TEXT_MAX];
    char opaque[SIP_TEXT_MAX];
    bool qop; // qop="auth" is offered
    bool stale;
};

struct sip_request {
    const struct sip_user *user;
    struct sip_tag tag;
    uint32_t cseq;
    uint16_t local_port;
    int expires_s;
    const char *authorization; // a whole header line with CRLF, or ""
};

struct sip_answer {
    int status;
    struct sip_tag tag;
    bool challenged;
    struct sip_challenge challenge; // when challenged
};

struct sip_protected {  // what a digest answers for
    const char *header; // Authorization, Proxy-Authorization
    const char *method;
    const char *uri;
    const struct sip_user *user;
    const char *password;
};

struct sip_digest { // MD5, looked up once: OpenSSL 3 searches its providers at every EVP_md5()
    EVP_MD *md5;
    EVP_MD_CTX *context;
};

bf_must_check bool sip_digest_init(struct sip_digest *digest);
void sip_digest_release(struct sip_digest *digest);

// Both return the message's bytes, 0 when it would not fit into SIP_BYTES_MAX.
bf_must_check size_t sip_options(const struct sip_request *request, char text[SIP_BYTES_MAX]);
bf_must_check size_t sip_register(const struct sip_request *request, char text[SIP_BYTES_MAX]);

// The line that answers the challenge (RFC 7616, MD5). False when it does not fit into `size`.
bf_must_check bool sip_authorize(struct sip_digest *digest, const struct sip_challenge *challenge,
                                 const struct sip_protected *what, uint32_t nonce_count, char *ret_line,
                                 size_t size);

// False: not an answer to a request of ours.
bf_must_check bool sip_parse(struct bf_str packet, struct sip_answer *ret_answer);

// Parts of the above, for other messages. Of a packet: cuts its first line off; false at the empty line, or
// when there is no whole line.
bf_must_check bool sip_next_line(struct bf_str *rest, struct bf_str *ret_line);
bf_must_check bool sip_starts(struct bf_str text, struct bf_str with); // whatever the case
bf_must_check bool sip_parse_status(struct bf_str line, int *ret_status);
bf_must_check bool sip_parse_tag(struct bf_str hex,
                                 struct sip_tag *ret_tag); // its 24 hex digits, and what follows
bf_must_check bool sip_parse_challenge(struct bf_str line, struct sip_challenge *ret_challenge);

#endif
