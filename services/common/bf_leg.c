// What a media relay knows of a call's legs.
#include "bf_leg.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define LOSS_MAX 0x7fffffu // of a signed number of 24 bits; above: more came than was sent (RFC 3550, 6.4.1)

static void json_release_at(json_t **json)
{
    json_decref(*json);
}

static uint64_t number_of(const json_t *object, const char *name)
{
    double number = json_number_value(json_object_get(object, name));

    return number > 0 && number < 9e15 ? (uint64_t)number : 0;
}

static bool is_rtp(const json_t *stream)
{
    const json_t *flags = json_object_get(stream, "flags");

    for (size_t i = 0; i < json_array_size(flags); i++) {
        const char *flag = json_string_value(json_array_get(flags, i));
        if (flag && strcmp(flag, "RTP") == 0)
            return true;
    }
    return false;
}

// The relay says MOS x 10, jitter in ms, round trip in us; loss as the other phone counted it. Of several
// media (sound, picture) the first that is reported on speaks for the leg.
static void quality_add(const json_t *ssrcs, uint64_t ssrc, struct bf_leg *leg)
{
    char name[24];

    snprintf(name, sizeof(name), "%llu", (unsigned long long)ssrc);
    const json_t *record = json_object_get(ssrcs, name), *average = json_object_get(record, "average MOS");
    uint64_t mos_x10 = number_of(average, "MOS"), lost = number_of(record, "cumulative loss");
    if (mos_x10 == 0)
        return;
    leg->lost += lost <= LOSS_MAX ? lost : 0;
    if (bf_leg_reported(leg))
        return;
    leg->mos_x10 = (uint32_t)mos_x10;
    leg->jitter_us = (uint32_t)number_of(average, "jitter") * 1000u;
    leg->round_trip_us = (uint32_t)number_of(average, "round-trip time");
}

// False: none of its streams is RTP.
static bool media_add(const json_t *media, const json_t *ssrcs, struct bf_leg *leg)
{
    const json_t *streams = json_object_get(media, "streams");
    bool rtp = false;

    if (!*leg->codec)
        bf_text_clean(json_string_value(json_object_get(media, "codec")), leg->codec, sizeof(leg->codec));
    for (size_t i = 0; i < json_array_size(streams); i++) {
        const json_t *stream = json_array_get(streams, i);
        const json_t *stats = json_object_get(stream, "stats");
        if (!is_rtp(stream))
            continue;
        rtp = true;
        leg->packets += number_of(stats, "packets");
        leg->octets += number_of(stats, "bytes");
        if (number_of(stats, "packets") > 0)
            quality_add(ssrcs, number_of(stream, "SSRC"), leg);
    }
    return rtp;
}

enum bf_err bf_leg_read(struct bf_str text, struct bf_leg legs[BF_LEGS_MAX], size_t *ret_count)
{
    bf_cleanup(json_release_at) json_t *json = json_loadb(text.at ? text.at : "", text.len, 0, NULL);
    const char *result = json_string_value(json_object_get(json, "result")), *name;
    json_t *tag, *tags = json_object_get(json, "tags");
    size_t count = 0;

    if (!result && !json_is_object(tags))
        return BF_PROTOCOL;
    if (result && strcmp(result, "ok") != 0)
        return BF_NOT_FOUND;
    json_object_foreach(tags, name, tag)
    {
        const json_t *medias = json_object_get(tag, "medias");
        struct bf_leg leg = {.packets = 0};
        bool rtp = false;
        bf_text_clean(name, leg.tag, sizeof(leg.tag));
        for (size_t i = 0; i < json_array_size(medias); i++)
            rtp = media_add(json_array_get(medias, i), json_object_get(json, "SSRC"), &leg) || rtp;
        if (rtp && count < BF_LEGS_MAX)
            legs[count++] = leg;
    }
    *ret_count = count;
    return BF_OK;
}
