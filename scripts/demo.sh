#!/usr/bin/env bash
# Quantizes the model that ships, measures what that cost, lets the small one speak.
#
#   scripts/demo.sh [MODEL [TEXT]]      a folder or .gguf file, and the text to measure on
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

export LC_ALL=C  # numbers with points, widths in bytes
nibble=build/nibble
model=${1:-models/classics-6m}
text=${2:-$model/evaluation.txt}
prompt="The old house stood at the end of the lane, and"
out=build/demo
rm -rf "$out"
mkdir -p "$out"

say() { printf '\n%s\n' "$*"; }
shown() {  # prints a command as a person would type it, then runs it
  printf '$ %s\n' "${*@Q}" | sed "s/'\([A-Za-z0-9_.,:=\/-]*\)'/\1/g"
  "$@"
}
get() { awk -v path="$2" -f scripts/json_get.awk "$1"; }

# measure ROW MODEL_PATH [--dynamic TYPE]: leaves eval and bench reports in build/demo.
measure() {
  local row=$1 path=$2
  shift 2
  local compare=()
  [[ $row == BF16 ]] || compare=(--base "$model")
  "$nibble" eval "$path" "$@" --text "$text" "${compare[@]}" --json --quiet > "$out/$row.eval.json"
  "$nibble" bench "$path" "$@" --prompt 128 --generate 64 --json --quiet > "$out/$row.bench.json"
}

print_row() {  # ROW NAME [FILE]: file size and bits per weight are those of FILE
  local row=$1 name=$2 size=- bits=- kl=- kl_error=- same=-
  if [[ $# -gt 2 ]]; then
    "$nibble" inspect "$3" --json --quiet > "$out/$row.inspect.json"
    size=$(get "$out/$row.inspect.json" file_bytes)
    bits=$(get "$out/$row.inspect.json" bits_per_weight)
  fi
  local eval=$out/$row.eval.json bench=$out/$row.bench.json
  if [[ $row != BF16 ]]; then
    kl=$(get "$eval" kl_divergence.mean)
    kl_error=$(get "$eval" kl_divergence.stderr)
    same=$(get "$eval" same_top.value)
  fi
  awk -v name="$name" -v size="$size" -v bits="$bits" -v kl="$kl" -v kl_error="$kl_error" \
    -v same="$same" -v memory="$(get "$bench" peak_memory_bytes)" \
    -v prefill="$(get "$bench" prefill_tokens_per_s)" \
    -v decode="$(get "$bench" decode_tokens_per_s)" \
    -v perplexity="$(get "$eval" perplexity.value)" -v error="$(get "$eval" perplexity.stderr)" '
    function or_dash(value, format, factor) {
      return value == "-" ? "-" : sprintf(format, value * factor)
    }
    BEGIN {
      divergence = kl == "-" ? "-" : sprintf("%.4f ± %.4f", kl, kl_error)
      # printf counts bytes, and ± has two.
      width = kl == "-" ? 15 : 16
      printf "%-13s %9s %7s %9s %8.0f %8.0f  %8.3f ± %.3f  %" width "s  %6s\n", name,
        or_dash(size, "%.2f MiB", 1 / 1048576), or_dash(bits, "%.2f", 1),
        sprintf("%.1f MiB", memory / 1048576), prefill, decode, perplexity, error, divergence,
        or_dash(same, "%.1f %%", 100)
    }'
}

say "1. Quantize $model: a model folder in, one file out."
shown "$nibble" quantize "$model" -o "$out/int8.gguf" --type int8
shown "$nibble" quantize "$model" -o "$out/int4.gguf" --type int4

say "2. Measure them against the original, on $text."
measure BF16 "$model"
measure INT8 "$out/int8.gguf"
measure INT4 "$out/int4.gguf"
measure DYNAMIC "$model" --dynamic int4
cat << END

                                       peak   tokens/s                         KL divergence      same
type               file bits/w       memory  prefill   decode       perplexity    from BF16        top
END
print_row BF16 BF16 "$model"
print_row INT8 INT8 "$out/int8.gguf"
print_row INT4 INT4 "$out/int4.gguf"
print_row DYNAMIC "INT4 dynamic"
cat << END

All measured here, now. ± is one standard error. Dynamic: quantized while loading, no file written.
Same top: how often the most likely next token is the one the original finds most likely.
END

say "3. Let the INT4 model speak."
shown "$nibble" run "$out/int4.gguf" -p "$prompt" -n 60 --temperature 0.9 --seed 1 --quiet
cat << END


4. The same with a model of yours, a Hugging Face folder or a GGUF file:

   build/nibble inspect  MODEL
   build/nibble quantize MODEL -o small.gguf --type int4
   build/nibble eval     small.gguf --base MODEL --text BOOK.txt
   build/nibble run      small.gguf -p "Once upon a time"
END
