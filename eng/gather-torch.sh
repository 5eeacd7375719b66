#!/usr/bin/env bash
# TorchSharp ships libtorch for CUDA in parts, because a package must not be larger than NuGet takes, and files larger than that
# in pieces. This gathers them in one folder, as libtorch's libraries look for each other beside themselves.
#   gather-torch.sh PACKAGES NAME VERSION FOLDER
#     PACKAGES/NAME-part1/VERSION/runtimes/linux-x64/native/FILE                          a whole file: linked
#     PACKAGES/NAME-part2-primary/VERSION/runtimes/linux-x64/native/FILE and FILE.sha     a file's beginning; sha256 of the whole
#     PACKAGES/NAME-part2-fragment1/VERSION/fragments/linux-x64/native/FILE.fragment1     what follows, then fragment2 and so on
# A primary without fragments is whole: the packages' own build step, run by some other project, has put it together there.
# Does nothing when FOLDER was gathered from the same files before. Builds that run at once wait for each other.
set -euo pipefail
shopt -s nullglob
packages=${1%/} name=$2 version=$3 folder=$4
native=runtimes/linux-x64/native
mkdir -p "$folder"
exec 9> "$folder.lock"
flock 9

# In the form in which MSBuild recognises an error.
fail() { echo "gather-torch.sh : error : $*" >&2; exit 1; }

fragments_of() {
  local primary=$1 i fragment
  for ((i = 1; ; i++)); do
    fragment=${primary/-primary\//-fragment$i/}
    fragment=${fragment/\/runtimes\//\/fragments\/}.fragment$i
    [ -f "$fragment" ] || return 0
    echo "$fragment"
  done
}

inputs=("$packages/$name"-part*/"$version/$native"/*.so* "$packages/$name"-part*-fragment*/"$version"/fragments/linux-x64/native/*)
[ "${#inputs[@]}" -gt 0 ] || fail "no package $name-part* of version $version in $packages; restore with -p:TorchBackend=cuda," \
  "or build without it and name a folder that holds a libtorch for CUDA with GRAFT_LIBTORCH when the program runs"
state=$(stat -c '%n %s %Y' "${inputs[@]}")
[ "$state" != "$(cat "$folder/.gathered" 2>/dev/null)" ] || exit 0

find "$folder" -mindepth 1 -delete
for file in "$packages/$name"-part*/"$version/$native"/*.so*; do
  [[ $file != *.sha ]] || continue
  target=$folder/${file##*/}
  mapfile -t fragments < <(fragments_of "$file")
  if [ "${#fragments[@]}" = 0 ]; then ln -s "$file" "$target"; else cat "$file" "${fragments[@]}" > "$target"; fi
  [ -f "$file.sha" ] || continue
  read -r expected < "$file.sha" || [ -n "$expected" ]
  read -r actual _ < <(sha256sum "$target")
  [ "${expected,,}" = "$actual" ] || fail "${file##*/} from $file and ${#fragments[@]} fragments has sha256 $actual, not $expected;" \
    "remove $packages/$name-part* and restore again"
done
for file in libc10.so libtorch_cpu.so libtorch.so libc10_cuda.so libtorch_cuda.so; do
  [ -e "$folder/$file" ] || fail "$file is in none of the packages $packages/$name-part* of version $version; restore them again"
done
echo "$state" > "$folder/.gathered"
