# shellcheck shell=bash
# Debian packages: which are missing, and having them installed (by lib/apt-install, which says how it keeps quiet).

# packages_missing GROUP...: the packages of these groups that are not installed, one a line.
packages_missing() {
    local groups=" $* " group package have
    have=" $(dpkg-query -W -f='${db:Status-Abbrev}${Package} ' 2>/dev/null) "
    while read -r group package _; do
        case $groups in *" $group "*) ;; *) continue ;; esac
        case $have in *" ii $package "*) continue ;; esac
        if [ "$package" = nodejs ] && node_is_enough; then continue; fi
        if [ "$package" = npm ] && command -v npm >/dev/null; then continue; fi
        printf '%s\n' "$package"
    done < <(grep -v '^#' "$HERE/packages.txt")
}

node_is_enough() {
    local version
    version=$(node --version 2>/dev/null) || return 1
    version=${version#v}
    [ "${version%%.*}" -ge 18 ]
}

# packages_install GROUP...: a step.
packages_install() {
    local missing=() sudo=()
    command -v dpkg-query >/dev/null ||
        die "this is not Debian: dpkg-query is missing" "use Debian 12 (bookworm), or a container or virtual machine of it"
    mapfile -t missing < <(packages_missing "$@")
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null ||
            die "these packages are missing and only root may install them: ${missing[*]}" \
                "install sudo, or run as root: apt-get install --no-install-recommends ${missing[*]}"
        sudo=(sudo)
    fi
    tell "installing ${#missing[@]} Debian packages (a minute or two the first time):"
    tell "${missing[*]}"
    "${sudo[@]}" "$HERE/lib/apt-install" "${missing[@]}" ||
        die "apt could not install: ${missing[*]}" "see what it says above; is the machine's package mirror reachable?"
    note "${#missing[@]} installed; none of their services started or enabled"
}
