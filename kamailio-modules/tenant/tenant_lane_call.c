// A message's way through the lane of its call: in when it was read, out when everybody is through with it.
#include "tenant_mod.h"

#include <errno.h>
#include <stdatomic.h>

#include "core/cfg/cfg_struct.h"
#include "core/config.h"
#include "core/dprint.h"
#include "core/events.h"
#include "core/receive.h"
#include "core/script_cb.h"
#include "core/socket_info.h"

#include "tenant_door.h"
#include "tenant_lane.h"

#define DOOR_WAIT_US 1000 // a hundred times what anybody takes behind it
#define BATCH        4 // datagrams read at once: a message may wait for that many that its process read before it

static struct tenant_lane *lanes; // NULL: messages keep no order
static struct tenant_door *doors; // one for each UDP socket, in Kamailio's order

struct place {
    struct tenant_lane *lane; // NULL: in none
    uint32_t number;
};

static struct {
    struct place place; // of the message that this process works on
    bool datagram;      // it came by UDP
} own;

// ---- lanes ------------------------------------------------------------------------------------------------

static struct place enter(struct bf_str message)
{
    struct bf_str call_id = tenant_lane_call_id(message);
    struct place place = {0};

    if (call_id.len == 0)
        return place;
    place.lane = &lanes[tenant_hash(&tenant_key, call_id.at, call_id.len) % TENANT_LANES];
    place.number = tenant_lane_enter(place.lane);
    return place;
}

static void take(struct place place)
{
    own.place = place;
    if (!place.lane)
        return;
    switch (tenant_lane_wait(place.lane, place.number, (uint32_t)tenant_settings.lane_wait_ms)) {
    case TENANT_LANE_FREE:
        break;
    case TENANT_LANE_WAITED:
        tenant_count(TENANT_LANE_WAITS, 1);
        break;
    case TENANT_LANE_PASSED:
        tenant_count(TENANT_LANE_PASSES, 1);
    }
}

static void leave(void)
{
    if (own.place.lane)
        tenant_lane_leave(own.place.lane, own.place.number);
    own.place.lane = NULL;
}

// ---- UDP --------------------------------------------------------------------------------------------------

static size_t sockets_before(const struct socket_info *end)
{
    size_t count = 0;

    for (const struct socket_info *at = udp_listen; at && at != end; at = at->next)
        count++;
    return count;
}

struct datagram {
    char text[BUF_SIZE + 1];
    unsigned int len;
    union sockaddr_union from;
    struct place place;
};

static struct batch {
    struct datagram datagrams[BATCH];
    struct iovec texts[BATCH];
    struct mmsghdr headers[BATCH];
    struct receive_info info; // of the one that is worked on; what is true of all of them is set once
    struct tenant_door *door;
} batch;

static bool is_message(const struct datagram *datagram)
{
    return datagram->len >= MIN_UDP_PACKET; // shorter ones keep an address translation open
}

static struct place place_of(const struct datagram *datagram)
{
    return is_message(datagram) ? enter((struct bf_str){datagram->text, datagram->len}) : (struct place){0};
}

static void batch_init(const struct receive_info *info)
{
    batch.info = *info;
    batch.door = &doors[sockets_before(bind_address)];
    for (size_t i = 0; i < BATCH; i++) {
        struct datagram *datagram = &batch.datagrams[i];

        batch.texts[i] = (struct iovec){datagram->text, BUF_SIZE};
        batch.headers[i].msg_hdr = (struct msghdr){.msg_name = &datagram->from,
                                                   .msg_namelen = sizeof datagram->from,
                                                   .msg_iov = &batch.texts[i],
                                                   .msg_iovlen = 1};
    }
}

// Reads what is there, and gives each message its place in its lane before anybody can read what came behind
// it. Returns how many, or -errno.
static int batch_read(void)
{
    bool alone = tenant_door_shut(batch.door, DOOR_WAIT_US);
    unsigned int most =
        batch.door->idle ? 1 : BATCH; // of several the others might have to wait for a slow one
    int count = recvmmsg(bind_address->socket, batch.headers, most, MSG_DONTWAIT, NULL);

    if (count < 0)
        count = -errno;
    for (int i = 0; i < count; i++) {
        struct datagram *datagram = &batch.datagrams[i];

        datagram->len = batch.headers[i].msg_len;
        batch.headers[i].msg_hdr.msg_namelen = sizeof datagram->from;
        datagram->place = place_of(datagram);
    }
    if (alone)
        tenant_door_open(batch.door);
    else
        tenant_count(TENANT_DOOR_PASSES, 1);
    return count;
}

// Before the door, like everybody who has nothing to do: of those the kernel wakes one for each datagram.
static void wait_for_datagram(void)
{
    char byte;

    atomic_fetch_add(&batch.door->idle, 1);
    recv(bind_address->socket, &byte, sizeof byte, MSG_PEEK);
    atomic_fetch_sub(&batch.door->idle, 1);
}

// As the core does it. What was read may be no SIP at all: whatever becomes of it, here it is over.
static void work_on(struct datagram *datagram)
{
    take(datagram->place);
    batch.info.src_su = datagram->from;
    su2ip_addr(&batch.info.src_ip, &batch.info.src_su);
    batch.info.src_port = su_getport(&batch.info.src_su);
    if (is_message(datagram) && batch.info.src_port != 0) {
        datagram->text[datagram->len] = '\0';
        cfg_update();
        own.datagram = true;
        tenant_outbox_hold();
        receive_msg(datagram->text, datagram->len, &batch.info);
        own.datagram = false;
    }
    leave();
    tenant_outbox_let_go();
}

static bool may_be_read_again(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == EINTR || error == ECONNREFUSED;
}

static void batch_take(const char *text, unsigned int len, const struct receive_info *info)
{
    struct datagram *datagram = &batch.datagrams[0];

    batch_init(info);
    memcpy(datagram->text, text, len);
    datagram->len = len;
    datagram->from = info->src_su;
    datagram->place = place_of(datagram);
    work_on(datagram);
}

// The first datagram that the core's loop reads in this process. From then on this is the loop. It ends when
// the socket cannot be read, which the core then finds out and says.
static int datagram_read(sr_event_param_t *event)
{
    void **first = event->data;
    int count = 0;

    batch_take(first[0], *(unsigned int *)first[1], first[2]);
    do {
        if (count < 0)
            wait_for_datagram();
        count = batch_read();
        for (int i = 0; i < count; i++)
            work_on(&batch.datagrams[i]);
    } while (count >= 0 || may_be_read_again(-count));
    return -1;
}

// ---- connections ------------------------------------------------------------------------------------------

// sl takes the ACK of its own replies out before any script, and nobody is told when that is done.
static bool is_ack(struct bf_str message)
{
    struct bf_str ack = BF_STR("ACK ");

    return message.len >= ack.len && memcmp(message.at, ack.at, ack.len) == 0;
}

// Any message, before it is parsed. One that ended without its script (it was no SIP) leaves only now, and no
// ACK is waited for: at worst a BYE overtakes it, which harms no call.
static int message_read(sr_event_param_t *event)
{
    const str *text = event->data;
    struct bf_str message = {text->s, (size_t)text->len};

    if (own.datagram)
        return 0;
    leave();
    take(enter(message));
    if (is_ack(message))
        leave();
    return 0;
}

// After everybody else's callback: tm's sends the last replies and lets go of the transaction.
static int message_done(sip_msg_t *msg, unsigned int flags, void *param)
{
    leave();
    return 1;
}

// ---- start ------------------------------------------------------------------------------------------------

// The first to register is the last to be called.
int tenant_lane_register(void)
{
    return register_script_cb(message_done, POST_SCRIPT_CB | REQUEST_CB | ONREPLY_CB, NULL);
}

int tenant_lane_init(void)
{
    size_t lanes_bytes = TENANT_LANES * sizeof(*lanes), doors_bytes = sockets_before(NULL) * sizeof(*doors);

    if (tenant_settings.lane_wait_ms == 0)
        return 0;
    lanes = tenant_shm_aligned(lanes_bytes);
    doors = tenant_shm_aligned(doors_bytes);
    if (!lanes || !doors) {
        LM_ERR("no shared memory for the lanes: start kamailio with a larger -m\n");
        return -1;
    }
    memset(lanes, 0, lanes_bytes);
    memset(doors, 0, doors_bytes);
    if (sr_event_register_cb(SREV_NET_DGRAM_IN, datagram_read) < 0 ||
        sr_event_register_cb(SREV_NET_DATA_IN, message_read) < 0) {
        LM_ERR("cannot register for messages that were read\n");
        return -1;
    }
    return 0;
}
