#!/usr/bin/env bash
# Fetches idiomorph at the version named below, with its licence, from the npm registry.
set -euo pipefail
cd "$(dirname "$0")"
version=0.8.0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
npm pack --silent --pack-destination "$work" "idiomorph@$version"
tar -xzf "$work/idiomorph-$version.tgz" -C "$work"
cp "$work/package/dist/idiomorph.min.js" idiomorph.min.js
cp "$work/package/LICENSE" LICENSE
