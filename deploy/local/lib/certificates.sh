# shellcheck shell=bash
# TLS of the edges, the gateway and coturn: RUN/tls/certificates/<domain>/{fullchain,privkey}.pem, one folder for each name that phones ask for
# (SNI), and `default` for all others; RUN/tls/tls.cfg is Kamailio's list of them,
# RUN/etc/nginx/certificates.map the gateway's; coturn knows `default` alone. What is missing is made by a private
# authority: RUN/tls/ca.pem, its key in RUN/secrets.

CERTIFICATES_MAX=128 # each takes 1.2 MB of an edge's shared memory: one OpenSSL context a process, of this list and the one before
CERTIFICATE_DAYS=397
CERTIFICATE_RENEW_S=$((30 * 24 * 3600))

# certificates_prepare: a step: the authority, the default certificate, tls.cfg.
certificates_prepare() {
    umask 077
    mkdir -p "$TLS/certificates"
    authority_make
    certificate_make default
    certificates_configure
}

authority_make() {
    if [ -s "$TLS/ca.pem" ] && [ -s "$RUN/secrets/ca.key" ]; then return 0; fi
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj "/CN=Belfry private authority" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" \
        -keyout "$RUN/secrets/ca.key.new" -out "$TLS/ca.pem.new"
    mv "$RUN/secrets/ca.key.new" "$RUN/secrets/ca.key"
    mv "$TLS/ca.pem.new" "$TLS/ca.pem"
}

# certificate_make NAME: by the private authority, where there is none; one of its own that is about to expire, or of an
# address that is not this instance's any more, is made anew.
certificate_make() {
    local folder=$TLS/certificates/$1 names=DNS:$1 new
    if [ "$1" = default ]; then names=$(default_names); fi
    if [ -e "$folder/fullchain.pem" ] && ! certificate_is_stale "$1"; then return 0; fi
    new=$TLS/$1.new
    rm -rf "$new"
    mkdir -p "$new"
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /O=Belfry -keyout "$new/privkey.pem" -out "$new/request"
    openssl x509 -req -in "$new/request" -CA "$TLS/ca.pem" -CAkey "$RUN/secrets/ca.key" -days "$CERTIFICATE_DAYS" -out "$new/fullchain.pem" \
        -extfile <(printf '%s\n' "subjectAltName=$names" basicConstraints=CA:FALSE extendedKeyUsage=serverAuth)
    rm "$new/request"
    rm -rf "$folder"
    mv "$new" "$folder"
}

# The edges' addresses, for phones that are given these and no name; the name of TURN.
default_names() {
    local n names
    names=DNS:localhost,DNS:$(turn_name)
    for ((n = 1; n <= COPIES_MAX; n++)); do names+=,IP:$(copy_address "$n"); done
    echo "$names"
}

certificate_is_stale() {
    local file=$TLS/certificates/$1/fullchain.pem
    openssl verify -no_check_time -CAfile "$TLS/ca.pem" "$file" || return 1 # somebody else's: to be renewed by who made it
    openssl x509 -in "$file" -noout -checkend "$CERTIFICATE_RENEW_S" || return 0
    [ "$1" = default ] && openssl x509 -in "$file" -noout -checkip "$(copy_address 1)" -checkhost "$(turn_name)" | grep -q "NOT match"
}

# certificate_serves FOLDER: the key is the certificate's. One file that is wrong would keep an edge from starting.
certificate_serves() {
    local key
    key=$(openssl pkey -in "$1/privkey.pem" -pubout) && [ "$key" = "$(openssl x509 -in "$1/fullchain.pem" -noout -pubkey)" ]
}

# certificates_configure: tls.cfg from the folder. What cannot serve is left out, and said so.
certificates_configure() {
    local folder name count=0 sections names="default $TLS/certificates/default;"
    sections=$(fill "$ROOT/deploy/config/kamailio/tls.conf" FOLDER="$TLS/certificates/default")
    for folder in "$TLS"/certificates/*/; do
        name=$(basename "$folder")
        if [ "$name" = default ]; then continue; fi
        if ! [[ $name =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$ ]]; then
            left_out "$name" "is no domain in lower case"
        elif ! certificate_serves "$folder"; then
            left_out "$name" "fullchain.pem and privkey.pem are no pair"
        elif ((++count > CERTIFICATES_MAX)); then
            left_out "$name" "is one more than $CERTIFICATES_MAX"
        else
            sections+=$'\n\n'$(fill "$ROOT/deploy/config/kamailio/tls_name.conf" NAME="$name" FOLDER="$TLS/certificates/$name")
            names+=$'\n'"$name $TLS/certificates/$name;"
        fi
    done
    certificate_serves "$TLS/certificates/default" ||
        die "$TLS/certificates/default: fullchain.pem and privkey.pem are no pair" "put right ones there, or remove the folder: up makes another"
    write "$TLS/tls.cfg" <<<"$sections"
    write "$RUN/etc/nginx/certificates.map" <<<"$names"
}

left_out() { printf '  certificate left out: %s %s\n' "$1" "$2" >&3; }

# certificates_reload: a step: edges that were started with other certificates take those of now. Nothing changed: nothing is
# done, since a reload costs memory until the connections of before have ended.
certificates_reload() {
    local now n
    now=$(cat "$TLS/tls.cfg" "$TLS"/certificates/*/fullchain.pem | sha256sum)
    if [ "$now" = "$(cat "$RUN/stamp/certificates" 2>/dev/null)" ]; then return 0; fi
    for ((n = 1; n <= EDGES; n++)); do
        kamcmd -s "$(edge_ctl "$n")" tls.reload | grep reloaded ||
            die "edge $n does not take the certificates" "its reason is in $RUN/log/$(program_name kamailio "$n").log"
    done
    # the gateway reads which names there are; it and coturn go on with the connections they have
    program_reload nginx
    ask signalProcess coturn USR2 >/dev/null
    printf '%s\n' "$now" >"$RUN/stamp/certificates"
    note "loaded"
}

# certificates [DOMAIN...]: has one made for each domain that has none, and the edges load what is in the folder.
certificates() {
    local name
    locked
    supervisor_runs || die "the instance in $RUN is not running" "make up"
    for name; do
        [[ $name =~ ^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$ ]] || die "$name is no domain in lower case" "for example: belfry certificates acme.example"
    done
    step certificates certificates_make "$@"
    step edges certificates_reload
}

certificates_make() {
    local name
    umask 077
    for name; do certificate_make "$name"; done
    certificates_configure
}
