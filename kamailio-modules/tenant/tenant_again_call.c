// tenant_branch_again(): a device that has refused is asked once more, with something else.
#include "tenant_mod.h"

#include <stdio.h>
#include "core/dprint.h"
#include "core/dset.h"
#include "core/ip_addr.h"
#include "core/route.h"
#include "core/socket_info.h"

#define NEXT_HOP_SIZE 96

// tm's request in this route has of the branch nothing but the flags.
int tenant_branch_again(sip_msg_t *msg)
{
    tm_cell_t *t = tenant_tm()->t_gett();
    int branch = tenant_tm()->t_gett_branch();
    char text[NEXT_HOP_SIZE];
    str next_hop = {text, 0};

    if (get_route_type() != BRANCH_FAILURE_ROUTE || !t || t == T_UNDEFINED || branch < 0 ||
        branch >= t->nr_of_outgoings || !t->uac[branch].request.buffer)
        return -1;
    tm_ua_client_t *uac = &t->uac[branch];
    struct dest_info *to = &uac->request.dst;
    next_hop.len = snprintf(text, sizeof(text), "sip:%s;transport=%s", su2a(&to->to, sizeof(to->to)),
                            get_valid_proto_name((unsigned short)to->proto));
    if (next_hop.len >= (int)sizeof(text))
        return -1;
    reset_path_vector(msg);
    if (rewrite_uri(msg, &uac->uri) < 0 || set_dst_uri(msg, &next_hop) < 0 ||
        (uac->path.len > 0 && set_path_vector(msg, &uac->path) < 0) || set_ruid(msg, &uac->ruid) < 0)
        return -1;
    set_force_socket(msg, to->send_sock);
    return 1;
}
