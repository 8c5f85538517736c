#!/bin/bash
# Installs what is missing on a Debian 12 machine: `setup.sh run` for building and running,
# `setup.sh test` for the tests as well, `setup.sh bench` for what make bench-terminal compares
# with, `setup.sh wlcs` for what make wlcs builds and `setup.sh peers` for what make bench-peers compares
# with. Uses Debian's packages only, and for the last one Python's registry; needs root or sudo, and only
# when something is missing.
set -euo pipefail

BUILD=(
    ca-certificates gcc libc6-dev make pkg-config
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstreamer-plugins-bad1.0-dev
    libpixman-1-dev libwayland-dev libxkbcommon-dev
)
RUN=(
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-ugly gstreamer1.0-nice
    pipewire wireplumber
    foot fonts-dejavu-core adwaita-icon-theme xkb-data dbus xdg-utils xwayland
)
TEST=(
    chromium iproute2 nftables util-linux weston gtk-3-examples gtk-4-examples wl-clipboard ncurses-bin procps psmisc
    bash vim htop tmux less mc mandoc openssh-client pipewire-bin pulseaudio-utils
    asciinema grim kitty swaybg swaylock waybar wlr-randr wtype xterm x11-apps xclip
    python3-gi gir1.2-gtk-4.0 libnotify-bin libglib2.0-bin
    firefox-esr python3-pyqt5 qtwayland5 sway wlcs
)
BENCH=(
    iproute2 util-linux openssh-server openssh-client mosh python3 g++
)
PEERS=(
    iproute2 util-linux sway wayvnc novnc websockify python3-venv x11vnc xvfb
)
WLCS=(
    cmake g++ git libboost-dev libgmock-dev libgtest-dev
)
# The oldest versions that build this tree.
RUST_MIN=1.92
NODE_MIN=18

what=${1:-run}
wanted=("${BUILD[@]}" "${RUN[@]}")
[ "$what" = test ] && wanted+=("${TEST[@]}")
[ "$what" = bench ] && wanted+=("${BENCH[@]}")
[ "$what" = peers ] && wanted+=("${TEST[@]}" "${PEERS[@]}")
[ "$what" = wlcs ] && wanted+=("${WLCS[@]}")

# Whether version $1 is at least $2.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

rust=$(cargo --version 2>/dev/null | awk '{print $2}' || true)
if [ -z "$rust" ] || ! at_least "$rust" "$RUST_MIN"; then
    # Debian keeps a new compiler beside the old one, for its browsers.
    wanted+=(rustc-web cargo-web)
fi
node=$(node --version 2>/dev/null | tr -d v || true)
if [ -z "$node" ] || ! at_least "$node" "$NODE_MIN"; then
    wanted+=(nodejs npm)
elif ! command -v npm >/dev/null; then
    wanted+=(npm)
fi

missing=()
for package in "${wanted[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "these packages are missing, and there is no sudo to install them with; as root run:" >&2
        echo "  apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
if [ "$what" = bench ] && [ ! -e /usr/sbin/policy-rc.d ]; then
    # A measurement is no reason to start an sshd for the whole machine.
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee /usr/sbin/policy-rc.d >/dev/null
    "${as_root[@]}" chmod +x /usr/sbin/policy-rc.d
    trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

rust=$(cargo --version 2>/dev/null | awk '{print $2}' || true)
if [ -z "$rust" ] || ! at_least "$rust" "$RUST_MIN"; then
    echo "cargo ${rust:-none} is too old: $RUST_MIN or newer is needed and Debian's rustc-web did not bring it" >&2
    echo "install Rust another way (https://rustup.rs) and run make again" >&2
    exit 1
fi
