#!/usr/bin/env bash
# Compares the results of this working tree with those of another commit. Where the results folder has no runs of
# that commit, it is built and run in a worktree of its own, which stays for the next time.
#   scripts/compare_commits.sh BASE WORLD RESULTS DATA
set -euo pipefail

if [ $# -ne 4 ] || [ -z "$1" ]; then
  echo "usage: make compare BASE=COMMIT" >&2
  exit 64
fi
world=$2 results=$3
data=$(realpath -m "$4")
if ! base=$(git rev-parse --verify --quiet "$1^{commit}"); then
  echo "error: $1: there is no such commit" >&2
  echo "fix:   name one that 'git log' shows" >&2
  exit 66
fi
runner=.build/release/runner
# What is kept is not computed again.
"$runner" --spec "experiments/$world" --results "$results" --data "$data" > /dev/null

kept=0
"$runner" compare "$base" "$results" --results "$results" --format csv > /dev/null 2>&1 || kept=$?
if [ $kept -le 2 ]; then exec "$runner" compare "$base" "$results" --results "$results"; fi

tree=.build/compare/$base
if [ ! -e "$tree/.git" ]; then
  git worktree prune
  git worktree add --quiet --detach "$tree" "$base"
fi
(
  cd "$tree"
  echo "building and running $base in $tree" >&2
  swift build -c release -Xswiftc -enable-testing --product runner >&2
  .build/release/runner --spec "experiments/$world" --results results --data "$data" > /dev/null
)
exec "$runner" compare "$tree/results" "$results"
