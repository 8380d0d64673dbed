// A message's way through the lane of its call: in when it was read, out when the script is through with it.
#include "tenant_mod.h"

#include "core/dprint.h"
#include "core/events.h"
#include "core/script_cb.h"
#include "core/socket_info.h"

#include "tenant_door.h"
#include "tenant_lane.h"

static struct tenant_lane *lanes; // NULL: messages keep no order
static struct tenant_door *doors; // one for each UDP socket, in Kamailio's order

static struct {
    struct tenant_lane *lane; // the one this process is in; NULL: none
    uint32_t number;
    struct tenant_door *door; // the one this process is behind; NULL: none
} own;

// ---- before reading ---------------------------------------------------------------------------------------

static size_t sockets_before(const struct socket_info *end)
{
    size_t count = 0;

    for (const struct socket_info *at = udp_listen; at && at != end; at = at->next)
        count++;
    return count;
}

// Next this process reads from its socket, and nothing else: it may well wait long for its turn here.
static void shut_door(const sip_msg_t *msg)
{
    if (own.door || !bind_address || bind_address != msg->rcv.bind_address ||
        bind_address->proto != PROTO_UDP)
        return;
    own.door = &doors[sockets_before(bind_address)];
    tenant_door_shut(own.door);
}

static void open_door(void)
{
    if (own.door)
        tenant_door_open(own.door);
    own.door = NULL;
}

// ---- messages ---------------------------------------------------------------------------------------------

static void leave(void)
{
    if (own.lane)
        tenant_lane_leave(own.lane, own.number);
    own.lane = NULL;
}

static void wait_for_turn(void)
{
    switch (tenant_lane_wait(own.lane, own.number, (uint32_t)tenant_settings.lane_wait_ms)) {
    case TENANT_LANE_FREE:
        break;
    case TENANT_LANE_WAITED:
        tenant_count(TENANT_LANE_WAITS, 1);
        break;
    case TENANT_LANE_PASSED:
        tenant_count(TENANT_LANE_PASSES, 1);
    }
}

// sl takes the ACK of its own replies out before any script, and nobody is told when that is done. So no ACK
// is waited for: at worst a BYE overtakes it, which harms no call. And the door stays shut meanwhile.
static bool is_ack(struct bf_str message)
{
    struct bf_str ack = BF_STR("ACK ");

    return message.len >= ack.len && memcmp(message.at, ack.at, ack.len) == 0;
}

// Any message, before it is parsed. One that ended without its script (it was no SIP) leaves only now.
static int message_read(sr_event_param_t *event)
{
    const str *text = event->data;
    struct bf_str message = {text->s, (size_t)text->len}, call_id = tenant_lane_call_id(message);

    leave();
    if (!lanes || call_id.len == 0)
        return 0;
    own.lane = &lanes[tenant_hash(&tenant_key, call_id.at, call_id.len) % TENANT_LANES];
    own.number = tenant_lane_enter(own.lane);
    if (is_ack(message)) {
        wait_for_turn();
        leave();
    } else {
        open_door();
        wait_for_turn();
    }
    return 0;
}

// After everybody else's callback: tm's sends the last replies and lets go of the transaction.
static int message_done(sip_msg_t *msg, unsigned int flags, void *param)
{
    leave();
    if (doors)
        shut_door(msg);
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
    if (sr_event_register_cb(SREV_NET_DATA_IN, message_read) < 0) {
        LM_ERR("cannot register for messages that were read\n");
        return -1;
    }
    return 0;
}
