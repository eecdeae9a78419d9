#!/usr/bin/env bash
# Plots figures from the CSV files of a results folder: of the second-order paper, with 95 % intervals, Figure 3
# (mean-ablation.csv), Figure 4 (sparse-text.csv), Figures 11 and 12 (first-order.csv); of the evaluation of CLIP
# Surgery the grid search for the threshold (explainability-thresholds.csv).
#   scripts/plot_figures.sh results
set -euo pipefail

if [ $# -ne 1 ]; then
  echo "usage: $0 RESULTS" >&2
  exit 64
fi
results=$1
shopt -s nullglob
thresholds=("$results"/explainability*-thresholds.csv)
found=("${thresholds[@]}")
for experiment in mean-ablation sparse-text first-order; do
  if [ -r "$results/$experiment.csv" ]; then found+=("$experiment"); fi
done
if [ ${#found[@]} -eq 0 ]; then
  echo "error: $results: no rows that there is a figure of" >&2
  echo "fix:   make reproduce-table" >&2
  exit 66
fi
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT

# accuracies EXPERIMENT X GROUP... writes, for every combination of the groups' columns, a file of x, accuracy and
# interval in per cent; the baseline goes into a file of that name. Columns are found by name, so that a new
# one does not move a plot; no field before the last ones holds a comma.
accuracies() {
  local experiment=$1 x=$2
  shift 2
  mkdir -p "$data/$experiment"
  awk -F, -v folder="$data/$experiment" -v x="$x" -v groups="$*" '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; n = split(groups, group, " "); next }
    $column["metric"] != "accuracy" || $column["status"] != "ok" { next }
    {
      line = 100 * $column["value"] "\t" 100 * $column["ci_lower"] "\t" 100 * $column["ci_upper"]
      if ($column["condition"] == "baseline") { print line > (folder "/baseline"); next }
      name = ""
      for (i = 1; i <= n; i++) { if ($column[group[i]] == "") next; name = name (i > 1 ? "-" : "") $column[group[i]] }
      # gnuplot would run what stands between backquotes, and a slash leads elsewhere.
      gsub(/[^A-Za-z0-9._-]/, "_", name)
      if ($column[x] != "") print $column[x] "\t" line > (folder "/" name)
    }' "$results/$experiment.csv"
}

# plot EXPERIMENT PICTURE XLABEL SETTINGS CURVES
plot() {
  gnuplot <<PLOT
set terminal pngcairo size 960,600 font "DejaVu Sans,12" linewidth 1.5
set output "$results/$2"
set xlabel "$3"
set ylabel "zero-shot accuracy (%)"
set key below maxrows 3 height 1
set bmargin 9
set grid ytics linecolor rgb "#dddddd"
$4
plot $(cut -f1 "$data/$1/baseline") with lines dashtype 2 linecolor rgb "#444444" title "baseline", $5
PLOT
  echo "$results/$2"
}

# curve FILE TITLE SHIFT POINT
curve() { printf ', "%s" using ($1+%s):2:3:4 with yerrorlines pointtype %s title "%s"' "$1" "$3" "$4" "$2"; }

if [ -r "$results/mean-ablation.csv" ]; then
  accuracies mean-ablation layer condition
  folder=$data/mean-ablation
  curves=$(curve "$folder/without-all-neurons" "without all neurons" -0.10 7
    curve "$folder/without-small-norms" "without small norms" -0.05 5
    curve "$folder/without-large-norms" "without large norms" 0 9
    curve "$folder/reconstruction-from-pc1" "reconstruction from PC #1" 0.05 13
    curve "$folder/indirect" "indirect" 0.10 11)
  plot mean-ablation accuracy-by-layer.png "layer whose neurons are ablated" \
    "set xtics 0, 1; set autoscale xfix; set offsets 0.3, 0.3, 0, 0; set yrange [0:*]" "${curves#, }"
fi

if [ -r "$results/sparse-text.csv" ]; then
  accuracies sparse-text m layer pool
  curves=""
  point=4
  for file in "$data"/sparse-text/[0-9]*-words "$data"/sparse-text/0-captions "$data"/sparse-text/0-words-random; do
    [ -e "$file" ] || continue
    name=$(basename "$file")
    curves+=$(curve "$file" "layer ${name%%-*}, ${name#*-}" 0 $((point += 1)))
  done
  plot sparse-text accuracy-by-phrases.png "phrases a neuron" "set logscale x 2; set xrange [3.5:150]; set offsets 0, 0, 0.3, 0.3" "${curves#, }"
fi

if [ -r "$results/first-order.csv" ]; then
  accuracies first-order layers-ablated condition
  folder=$data/first-order
  curves=$(curve "$folder/attention-from-first" "attention, from the first layer up" -0.06 7
    curve "$folder/attention-from-last" "attention, from the last layer down" -0.02 5
    curve "$folder/mlps-from-first" "MLPs, from the first layer up" 0.02 9
    curve "$folder/mlps-from-last" "MLPs, from the last layer down" 0.06 13)
  plot first-order accuracy-by-direct-effects.png "layers whose direct effects are ablated" \
    "set xtics 0, 1; set autoscale xfix; set offsets 0.3, 0.3, 0, 0; set yrange [0:*]" "${curves#, }"
fi

# threshold COLUMN TITLE: a curve of one kind of map, by the name of its column, where there is one.
threshold() {
  local column
  column=$(head -1 "$file" | tr -d '\r' | tr , '\n' | grep -nx "$1" | cut -d: -f1) || return 0
  printf ', "%s" using (100*$1):(100*$%s) with lines linewidth 2 title "%s"' "$file" "$column" "$2"
}
for thresholds in "${thresholds[@]}"; do
  picture=${thresholds%-thresholds.csv}-iou-by-threshold.png
  # Named after a spec, of which gnuplot would run what stands between backquotes.
  file=$data/thresholds.csv
  cp "$thresholds" "$file"
  curves=$(threshold clip "CLIP, as it is"
    threshold feature-surgery "feature surgery only"
    threshold architecture-surgery "architecture surgery only"
    threshold clip-surgery "CLIP Surgery"
    threshold clip-surgery-single-text "CLIP Surgery, single text"
    threshold textspan "TextSpan"
    threshold second-order "second order"
    threshold chefer-2021 "Chefer et al. 2021")
  gnuplot <<PLOT
set terminal pngcairo size 960,600 font "DejaVu Sans,12" linewidth 1.5
set output "$data/picture.png"
set datafile separator ","
set xlabel "threshold (% of the map's range)"
set ylabel "mIoU with the label's pixels (%)"
set xrange [0:100]
set yrange [0:*]
set key below maxrows 3 height 1
set grid ytics linecolor rgb "#dddddd"
plot ${curves#, }
PLOT
  mv "$data/picture.png" "$picture"
  echo "$picture"
done
