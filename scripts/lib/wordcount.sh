# shellcheck shell=sh
# What the demonstration and the test of the word count share. To be sourced.

# yaml_list FILE...: the files as a list of YAML, for --set. The program takes globs, so characters that
# mean something in a glob are quoted; then those that mean something in a string of YAML.
yaml_list() {
    wc_list=
    for wc_file; do
        wc_name=$(printf '%s' "$wc_file" | sed -e 's/[][*?\\]/\\&/g' -e 's/["\\]/\\&/g')
        wc_list="$wc_list${wc_list:+, }\"$wc_name\""
    done
    printf '[%s]\n' "$wc_list"
}

# all_words FILE...: how often each word occurs, by standard tools alone: "COUNT WORD", most first.
all_words() {
    for wc_file; do
        LC_ALL=C tr -cs 'A-Za-z' '\n' <"$wc_file"
        echo
    done | LC_ALL=C tr '[:upper:]' '[:lower:]' | LC_ALL=C sed '/^$/d' | LC_ALL=C sort | uniq -c |
        LC_ALL=C sort -k1,1nr -k2,2
}

# top_words PASSES: the first 20 of all_words (standard input), as the example prints them.
top_words() { awk -v passes="$1" 'NR <= 20 { printf "%7d %s\n", $1 * passes, $2 }'; }

# totals PASSES: "WORDS DISTINCT" of all_words (standard input).
totals() { awk -v passes="$1" '{ n += $1 } END { printf "%d %d\n", n * passes, NR }'; }

# value KEY FILE: of the line "# key=value ..." that the example prints last.
value() { sed -n "s/^# .*\b$1=\([^ ]*\).*/\1/p; s/^# $1=\([^ ]*\).*/\1/p" "$2" | sed -n 1p; }
