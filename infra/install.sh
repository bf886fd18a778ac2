#!/bin/sh
# What the cluster on one machine and its tests need from Debian: a Java to run Kafka, Maven to fetch it, and Redis.
# Installs what is missing, and does nothing when all is there.
set -eu

missing=''
need() { command -v "$1" >/dev/null 2>&1 || missing="$missing $2"; }
need java openjdk-17-jre-headless
need mvn maven
need redis-server redis-server
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
  echo "Missing:$missing. This script knows Debian's apt-get only; install Java 17, Maven and redis-server." >&2
  exit 1
fi
as_root=''
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "Missing:$missing. As root: apt-get install -y$missing" >&2
    exit 1
  fi
  as_root=sudo
fi

# Debian starts a Redis of its own at port 6379 when the package comes in; nobody here asks for it.
policy=/usr/sbin/policy-rc.d
blocked=''
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
  $as_root chmod +x "$policy"
  blocked=yes
fi
trap '[ -z "$blocked" ] || $as_root rm -f "$policy"' EXIT

export DEBIAN_FRONTEND=noninteractive
$as_root apt-get update -q
# shellcheck disable=SC2086
$as_root apt-get install -q -y --no-install-recommends $missing
