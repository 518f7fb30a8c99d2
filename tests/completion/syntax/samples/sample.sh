#!/usr/bin/env bash
# Makes a backup; it isn't "complete".
set -euo pipefail

readonly ROOT="${1:-$HOME/books}" # where they are
NAME='single "quoted" \'
TAB=$'a\tb\'c'
COUNT=$#
declare -A seen=([one]=1 ["two words"]="2")
files=(a.txt "b c.txt" 'd'"e".txt)

log() {
  local level=$1; shift
  printf '%s [%s] %s\n' "$(date +"%H:%M")" "${level^^}" "$*" >&2
}

usage() {
  cat <<EOF
Usage: $0 [-n] ROOT
It's "free" text with $(basename "$0") and ${ROOT#/} # no comment
EOF
  cat <<-'TEXT'
	raw $text with `ticks` and "quotes
	TEXT
}

function archive {
  local file
  for file in "$ROOT"/*.txt; do
    if [[ ! -e $file || ${file##*/} == _* ]]; then
      continue
    elif [ "${#file}" -gt 100 ]; then
      log warn "too long: '$file'"
    else
      tar -czf "${file%.txt}.tgz" -C "$ROOT" "${file##*/}" || return 1
    fi
    seen["$file"]=$((${seen["$file"]:-0} + 1))
  done
}

choose() {
  case "$1" in
    -h|--help)
      usage
      exit 0
      ;;
    -n) DRY=1 ;;
    *.tgz | "x y")
      echo "archive # not a comment"
      ;;
    *)
      log error "don't know $1"
      ;;
  esac
}

while getopts ":n:h" option; do
  choose "-$option"
done

i=0
until (( i >= 3 )); do
  i=$((i + 1))
  echo "${files[$i]}" | sed -e 's/"/\\"/g' -e "s#a/b#c#" | tr -d '\n'
done

while read -r line; do
  [ -z "$line" ] && continue
  echo "$line" # echo "commented"
done < <(grep -v '^#' "$ROOT/list" 2>/dev/null || true)

result=$(
  if test -d "$ROOT"; then
    ls "$ROOT" | wc -l
  else
    echo 0
  fi
)
old=`echo "ticks $HOME"`
echo "a $(echo "nested $(echo 'deep "quotes"')" ) b" "$result" "$old"
echo a#b ${#files[@]} $# "$COUNT" '#' \# \" done
select answer in yes no; do
  break
done
trap 'rm -f "$TMP"; echo "it'"'"'s over"' EXIT
if ! archive; then
  log error "failed: $?"
  exit 1
fi
[[ $NAME =~ ^[a-z]+$ ]] && echo match
echo "multi
line # no comment
string"
cat <<< "here string: $TAB"
let "i = i + 1"
export PATH="$PATH:/opt/bin"
for ((j = 0; j < 3; j++)); do
  echo $j
done
{ echo one; echo two; } > /dev/null
log info "done in ${SECONDS}s"
