# Source packages from the machine's own package mirrors, with lists and caches of their own: needs no root and leaves the
# system's apt state alone. Sourced; needs fail() of its user.

# debian_source_of <package>: the source package and version it was built from, name=version.
debian_source_of() {
    # shellcheck disable=SC2016 # dpkg-query's own ${}
    dpkg-query -W -f '${source:Package}=${source:Version}' "$1" 2>/dev/null ||
        fail "the package $1 is not installed; 'deploy/local/with-deps build,run true' installs what Belfry needs"
}

# debian_source_fetch <name=version> <work>: its files into <work>/source. <work> is made anew, and is the caller's to remove.
debian_source_fetch() {
    local source=$1 work=$2
    command -v apt-get >/dev/null || fail "apt-get is not here; this needs Debian"
    rm -rf "$work"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/source"
    work=$(cd "$work" && pwd)
    debian_source_lists >"$work/sources.list"
    [ -s "$work/sources.list" ] || fail "apt knows no package repositories; 'apt-get update' as root once, then try again"
    printf '%s: fetching the source of %s\n' "${0##*/}" "$source" >&2
    debian_source_apt "$work" update >"$work/log" 2>&1 || true # one repository without sources must not stop the others
    (cd "$work/source" && debian_source_apt "$work" source --download-only "$source") >>"$work/log" 2>&1 || {
        tail -n 5 "$work/log" >&2
        fail "the source of $source cannot be fetched: is the network up, and do the repositories still have this version?"
    }
}

# One deb-src line for each binary repository that the machine is set up with.
debian_source_lists() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg kind origin uri release component options
    # shellcheck disable=SC2016 # apt's own $()
    apt-get indextargets --format '$(CREATED_BY)|$(ORIGIN)|$(REPO_URI)|$(RELEASE)|$(COMPONENT)' |
        sort -u | while IFS='|' read -r kind origin uri release component; do
        [ "$kind" = Packages ] || continue
        options=
        if [ "$origin" = Debian ] && [ -r "$keyring" ]; then options="[signed-by=$keyring] "; fi
        printf 'deb-src %s%s %s %s\n' "$options" "$uri" "$release" "$component"
    done
}

debian_source_apt() {
    local work=$1
    shift
    apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State::lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User="$(id -un)" \
        -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}
