// The messages of a call, both sides of it, without a body. Packets of a call are told apart by its Call-ID,
// which begins with the tag, and by CSeq. What comes in is from outside: every text is bounded. Not
// thread-safe.
#ifndef SIPLOAD_DIALOG_H
#define SIPLOAD_DIALOG_H

#include "sipload_message.h"

#define SIP_ROUTES_MAX 4

enum sip_method { SIP_OTHER, SIP_INVITE, SIP_ACK, SIP_BYE };

// A request, or an answer to one. Texts point into the packet.
struct sip_packet {
    int status; // 0: a request
    enum sip_method method;
    uint32_t cseq;
    struct sip_tag tag;
    struct bf_str to;      // the value, with its tag
    struct bf_str contact; // the URI
    struct bf_str routes[SIP_ROUTES_MAX];
    size_t route_count;
    bool challenged;
    struct sip_challenge challenge; // when challenged
};

// The caller's side.
struct sip_dialog {
    struct sip_user caller, callee;
    struct sip_tag tag;
    uint16_t port;
    char to[2 * SIP_TEXT_MAX];     // To; with the callee's tag as soon as there is one
    char target[2 * SIP_TEXT_MAX]; // Request-URI: the callee's address, then its Contact
    char routes[4 * SIP_TEXT_MAX]; // Route lines
};

void sip_dialog_begin(struct sip_dialog *dialog);
// Takes tag, Contact and Record-Route of a 200 to INVITE. False when one does not fit or is not there.
bf_must_check bool sip_dialog_answered(struct sip_dialog *dialog, const struct sip_packet *answer);

// The bytes of the request; 0 when it does not fit. `authorization`: a whole line, or "".
bf_must_check size_t sip_dialog_request(const struct sip_dialog *dialog, enum sip_method method,
                                        uint32_t cseq, const char *authorization, char text[SIP_BYTES_MAX]);
// The ACK of a refusal belongs to the INVITE's transaction: its branch, its URI, the refusal's To.
bf_must_check size_t sip_dialog_ack_refusal(const struct sip_dialog *dialog, const struct sip_packet *refusal,
                                            char text[SIP_BYTES_MAX]);

// The callee's side: an answer to the request in `packet`. The bytes; 0 when it does not fit.
bf_must_check size_t sip_dialog_answer(struct bf_str packet, int status, uint16_t port,
                                       char text[SIP_BYTES_MAX]);

// False: no message of a call of ours.
bf_must_check bool sip_dialog_parse(struct bf_str packet, struct sip_packet *ret_packet);

#endif
