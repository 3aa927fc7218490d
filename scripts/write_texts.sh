#!/usr/bin/env bash
# Writes the texts that ship beside a model, in its own words: samples of its distribution at
# temperature 1, so that its perplexity on them means something and nothing comes from outside.
#
#   scripts/write_texts.sh [MODEL]      MODEL/evaluation.txt: seeds 1 to 24; calibration.txt: 101 to 124
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

nibble=build/nibble
model=${1:-models/classics-6m}

write() {  # FILE FIRST_SEED: 24 samples of 510 tokens, a blank line between two
  local seed
  for ((seed = $2; seed < $2 + 24; seed++)); do
    "$nibble" run "$model" -p "" -n 510 --context 512 --temperature 1 --top-k 0 --top-p 1 --min-p 0 \
      --seed "$seed" --ignore-end --quiet
    printf '\n\n'
  done > "$1.new"
  mv "$1.new" "$1"
}

write "$model/evaluation.txt" 1
write "$model/calibration.txt" 101
