#!/usr/bin/env bash
# Plots zero-shot accuracy by ablated layer, with 95 % intervals, from the CSV of the mean-ablation experiment.
#   scripts/plot_accuracy_by_layer.sh results/mean-ablation.csv results/accuracy-by-layer.png
set -euo pipefail

if [ $# -ne 2 ]; then
  echo "usage: $0 METRICS.csv PICTURE.png" >&2
  exit 64
fi
csv=$1
picture=$2
if [ ! -r "$csv" ]; then
  echo "error: $csv: cannot be read" >&2
  echo "fix:   make reproduce-table" >&2
  exit 66
fi
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

# Columns by name, so that a new column does not move the plot. No field before the last ones holds a comma.
awk -F, -v folder="$data" '
  NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
  $column["metric"] == "accuracy" && $column["status"] == "ok" {
    line = 100 * $column["value"] "\t" 100 * $column["ci_lower"] "\t" 100 * $column["ci_upper"]
    condition = $column["condition"]
    if (condition == "baseline") print line > (folder "/baseline")
    else if ($column["layer"] != "") print $column["layer"] "\t" line > (folder "/" condition)
  }' "$csv"
baseline=$(cut -f1 "$data/baseline")

gnuplot <<PLOT
set terminal pngcairo size 960,600 font "DejaVu Sans,12" linewidth 1.5
set output "$picture"
set xlabel "layer whose neurons are ablated"
set ylabel "zero-shot accuracy (%)"
set key below maxrows 2 height 1
set bmargin 8
set xtics 0, 1
set autoscale xfix
set offsets 0.3, 0.3, 0, 0
set yrange [0:*]
set grid ytics linecolor rgb "#dddddd"
plot $baseline with lines dashtype 2 linecolor rgb "#444444" title "baseline", \
  "$data/without-all-neurons" using (\$1-0.10):2:3:4 with yerrorlines pointtype 7 title "without all neurons", \
  "$data/without-small-norms" using (\$1-0.05):2:3:4 with yerrorlines pointtype 5 title "without small norms", \
  "$data/without-large-norms" using (\$1):2:3:4 with yerrorlines pointtype 9 title "without large norms", \
  "$data/reconstruction-from-pc1" using (\$1+0.05):2:3:4 with yerrorlines pointtype 13 title "reconstruction from PC #1", \
  "$data/indirect" using (\$1+0.10):2:3:4 with yerrorlines pointtype 11 title "indirect"
PLOT
