#!/usr/bin/env bash
# Reads test results (.trx files, or all below a folder).
#   summarize.sh FILE|FOLDER            skipped tests with their reasons, the ten slowest tests, one closing line with the sums;
#                                       fails when a test failed, a run ended early, or no test ran
#   summarize.sh --skipped FILE|FOLDER  only the skipped tests with their reasons
set -euo pipefail
only_skipped=false
[ "${1:-}" != --skipped ] || { only_skipped=true; shift; }
mapfile -t files < <(find "${1:?usage: summarize.sh [--skipped] FILE|FOLDER}" -name '*.trx' 2>/dev/null | sort)

# One row a test: outcome, seconds, name, reason. A run that was cut short has no test that failed but says so itself.
rows() {
  [ "${#files[@]}" -gt 0 ] || return 0
  awk '
    function attribute(name,   at, rest) {
      at = index($0, " " name "=\""); if (!at) return ""
      rest = substr($0, at + length(name) + 3)
      return substr(rest, 1, index(rest, "\"") - 1)
    }
    function plain(text) {
      gsub(/&quot;/, "\"", text); gsub(/&lt;/, "<", text); gsub(/&gt;/, ">", text); gsub(/&amp;/, "\\&", text)
      return text
    }
    function flush() { if (test != "") print outcome "\t" seconds "\t" plain(test) "\t" plain(reason); test = ""; reason = "" }
    FNR == 1 { flush() }
    /<UnitTestResult / {
      flush(); test = attribute("testName"); outcome = attribute("outcome")
      split(attribute("duration"), t, ":"); seconds = t[1] * 3600 + t[2] * 60 + t[3]
    }
    /<Message>/ && outcome == "NotExecuted" { reason = $0; sub(/.*<Message>/, "", reason); sub(/<\/Message>.*/, "", reason) }
    /<\/Results>/ { flush() }
    /<ResultSummary / { if (attribute("outcome") ~ /Aborted|Error|Timeout/) print "Early\t0\t" FILENAME "\t" }
    END { flush() }
  ' "${files[@]}"
}

results=$(rows)
# Tests of one class that were skipped for one reason are one line.
awk -F'\t' '
  $1 == "NotExecuted" {
    class = $3; sub(/\(.*/, "", class); sub(/\.[^.]*$/, "", class)
    key = class "\t" $4; count[key]++; name[key] = $3
  }
  END {
    for (key in count) {
      split(key, part, "\t")
      print "skipped: " (count[key] > 1 ? count[key] " tests of " part[1] : name[key]) (part[2] == "" ? "" : ": " part[2])
    }
  }
' <<< "$results" | sort
! $only_skipped || exit 0
awk -F'\t' '$1 == "Early" { print "ended early: " $3 } $1 == "Failed" { print "failed: " $3 }' <<< "$results"
echo "the ten slowest tests:"
sort -t$'\t' -k2,2gr <<< "$results" | awk -F'\t' 'NR <= 10 && $3 != "" { printf "  %8.2f s  %s\n", $2, $3 }'
awk -F'\t' '
  $1 == "Passed" { passed++ } $1 == "NotExecuted" { skipped++ } $1 != "" && $1 != "Passed" && $1 != "NotExecuted" { failed++ }
  END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped; exit failed > 0 || passed == 0 }
' <<< "$results"
