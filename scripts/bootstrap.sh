#!/usr/bin/env bash
# Installs the Debian packages that clip-lens needs and checks the Swift toolchain.
# Says nothing and changes nothing where all is there.
#
#     scripts/bootstrap.sh [--all-tests]
#
# --all-tests: also what some tests need and nothing else does; without it they are skipped and say why.
set -euo pipefail

readonly base_packages=(
    pkg-config libopenblas-dev libpng-dev libjpeg62-turbo-dev libfreetype-dev libarchive-dev zlib1g-dev # to build
    libcurl4-openssl-dev libsqlite3-dev libdnnl-dev
    libxml2 libcurl4                                                     # Swift's FoundationXML and FoundationNetworking load them
    fonts-noto-color-emoji unicode-cldr-core unicode-data                # the emoji world
    fonts-dejavu-core gnuplot-nox                                        # contact sheets and plots
)
readonly test_packages=(
    chromium                                                             # the report in a browser
    slurmctld slurmd slurm-client                                        # the cluster
    strace                                                               # faults in system calls
)
readonly swift_needed=6.0
readonly swift_source=https://www.swift.org/install
readonly unavailable=69 # EX_UNAVAILABLE of sysexits.h

fail() {
    printf 'error: %s\nfix:   %s\n' "$1" "$2" >&2
    exit "$unavailable"
}

is_installed() {
    [[ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# The line to run for somebody who may become root where this script may not.
install_line() {
    local install="apt-get install --yes --no-install-recommends $*"
    if command -v sudo >/dev/null; then
        printf 'sudo apt-get update && sudo %s' "$install"
    else
        printf "su -c 'apt-get update && %s'" "$install"
    fi
}

# Runs a command as root: asks for a password only where somebody is there to type it.
as_root() {
    if [[ "$(id -u)" -eq 0 ]]; then
        "$@"
    elif [[ -t 0 && -t 2 ]]; then
        sudo "$@"
    else
        sudo --non-interactive "$@"
    fi
}

may_become_root() {
    [[ "$(id -u)" -eq 0 ]] && return
    command -v sudo >/dev/null || return
    [[ -t 0 && -t 2 ]] || sudo --non-interactive true 2>/dev/null
}

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get --quiet --quiet "$@" >&2
}

# True if apt knows a version of each package; fresh images come without package lists.
lists_know() {
    local package
    for package in "$@"; do
        apt-cache show --no-all-versions "$package" >/dev/null 2>&1 || return 1
    done
}

install_packages() {
    may_become_root || fail "Debian packages are missing: $*" "$(install_line "$@")"
    printf 'Installing %s\n' "$*" >&2
    local -a install=(apt_get install --yes --no-install-recommends "$@")
    # Lists that are old may name versions that the mirror no longer has: they are renewed once.
    if ! lists_know "$@" || ! "${install[@]}"; then
        { apt_get update && "${install[@]}"; } ||
            fail "Debian packages could not be installed: $*" "$(install_line "$@")"
    fi
}

check_swift() {
    command -v swift >/dev/null ||
        fail "there is no swift command" "install Swift $swift_needed or later from $swift_source and put it on the PATH"
    local version
    version="$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9][0-9.]*\).*/\1/p')"
    if [[ "$(printf '%s\n' "$swift_needed" "$version" | sort --version-sort | head -n 1)" != "$swift_needed" ]]; then
        fail "Swift ${version:-of an unknown version} is too old" "install Swift $swift_needed or later from $swift_source"
    fi
}

main() {
    local -a packages=("${base_packages[@]}")
    case "${1:-}" in
    '') ;;
    --all-tests) packages+=("${test_packages[@]}") ;;
    *) fail "there is no option $1" "scripts/bootstrap.sh [--all-tests]" ;;
    esac
    command -v dpkg-query >/dev/null ||
        fail "this is no Debian" "install what these Debian packages hold, then run make again: ${packages[*]}"
    local package
    local -a missing=()
    for package in "${packages[@]}"; do
        is_installed "$package" || missing+=("$package")
    done
    if ((${#missing[@]})); then install_packages "${missing[@]}"; fi
    check_swift
}

main "$@"
