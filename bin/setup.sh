# SPDX-License-Identifier: Apache-2.0
# Sourced by the other scripts: says what it does, installs what is missing, builds what is out of date.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
state="$root/target"

say() { printf '== %s\n' "$*" >&2; }
die() { printf 'ptarmigan: %s\n' "$*" >&2; exit 1; }

# limited SECONDS COMMAND...: a step never runs for ever.
limited() {
  local seconds=$1 status=0
  shift
  timeout --kill-after=10 "$seconds" "$@" || status=$?
  if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then
    printf 'ptarmigan: gave up after %s s: %s\n' "$seconds" "$*" >&2
  fi
  return "$status"
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

installed() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

# install PACKAGE...: by apt, only those that are missing.
install_packages() {
  local missing=() package
  for package in "$@"; do installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -eq 0 ] && return 0
  command -v apt-get >/dev/null || die "needs these Debian packages: ${missing[*]}"
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive timeout 300 apt-get update -qq
  as_root env DEBIAN_FRONTEND=noninteractive timeout 900 apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >/dev/null
}

build_packages() {
  local packages=(cmake make gcc g++ libc6-dev libxen-dev libcmocka-dev libzydis-dev libseccomp-dev clang-format procps strace)
  command -v mvn >/dev/null || packages+=(maven)
  command -v npm >/dev/null || packages+=(npm)
  java_17 >/dev/null || packages+=(openjdk-17-jdk-headless)
  install_packages "${packages[@]}"
}

# jdk VERSION: the home of an installed JDK of that major version.
jdk() {
  local home
  for home in "${JAVA_HOME:-/nowhere}" /usr/lib/jvm/*; do
    [ -x "$home/bin/javac" ] || continue
    "$home/bin/java" -version 2>&1 | grep -q "version \"$1[.\"]" || continue
    printf '%s\n' "$home"
    return 0
  done
  return 1
}

java_17() { jdk 17; }

# Changes when a source file, a build file or a resource does.
sources_hash() {
  (cd "$root" && find CMakeLists.txt pom.xml include native java -type f -not -path '*/target/*' -print0 |
    sort -z | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
}

# maven ARGUMENT...: without the network where everything was fetched before.
maven() {
  local offline=()
  [ -f "$state/fetched" ] && [ "$(cat "$state/fetched")" = "$(poms_hash)" ] && offline=(-o)
  JAVA_HOME=$(java_17) mvn -B -q --no-transfer-progress "${offline[@]}" -f "$root/pom.xml" "$@"
}

poms_hash() {
  (cd "$root" && find . -name pom.xml -not -path '*/target/*' -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

note_fetched() {
  mkdir -p "$state"
  poms_hash >"$state/fetched"
}

# Builds everything, without tests, if a source changed since the last build.
build() {
  local hash
  hash=$(sources_hash)
  if [ -f "$state/built" ] && [ "$(cat "$state/built")" = "$hash" ]; then
    return 0
  fi
  say "building (the first time fetches from Maven Central and npm: some minutes)"
  limited 1200 bash -c "$(declare -f maven java_17 jdk poms_hash); root='$root' state='$state'; maven -DskipTests package" ||
    die "the build failed"
  mkdir -p "$state"
  printf '%s\n' "$hash" >"$state/built"
}
