#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts the WebAssembly module of iced-x86 into the folder given as first argument. The package is taken from npm once
# and kept in the user's cache; its sha512 is checked each time, so that neither a registry nor the cache is trusted.
set -eu

name=iced-x86
version=1.21.0
here=$(cd "$(dirname "$0")" && pwd)
target=$1
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ptarmigan
tarball=$name-$version.tgz

genuine() { (cd "$cache" && sha512sum --check --status "$here/$tarball.sha512"); }

if [ -f "$target/iced_x86_bg.wasm" ] && [ "$target/iced_x86_bg.wasm" -nt "$here/$tarball.sha512" ]; then
  exit 0
fi
mkdir -p "$cache" "$target"
if ! genuine 2>/dev/null; then
  # Packed elsewhere and moved, so that two builds at once see a whole file or none.
  scratch=$(mktemp -d "$cache/pack.XXXXXX")
  trap 'rm -rf "$scratch"' EXIT
  npm pack --silent --pack-destination "$scratch" "$name@$version" >/dev/null
  mv "$scratch/$tarball" "$cache/$tarball"
  genuine || {
    echo "$cache/$tarball does not have the expected sha512" >&2
    exit 1
  }
fi
tar -xzf "$cache/$tarball" -C "$target" --strip-components=1 package/iced_x86_bg.wasm package/LICENSE.txt
touch "$target/iced_x86_bg.wasm"
