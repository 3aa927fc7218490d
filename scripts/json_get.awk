# Prints one value of a JSON document by its path, for scripts that must run without Python:
#
#   awk -v path=perplexity.value -f scripts/json_get.awk report.json
#
# Elements of arrays count from 0 ("runs.0.name"). Strings come without quotes and escapes as they
# are; objects and arrays cannot be asked for. Exits with 1 when the path is not there.

{ text = text $0 "\n" }

END {
  at = 1
  value("")
  if (!found) exit 1
}

function blanks() {
  while (substr(text, at, 1) ~ /[ \t\r\n]/) at++
}

# Past the string that begins at `at`; returns it without its quotes.
function string(  begin) {
  begin = ++at
  while (at <= length(text) && substr(text, at, 1) != "\"") at += substr(text, at, 1) == "\\" ? 2 : 1
  return substr(text, begin, at++ - begin)
}

function value(here,  c, begin, key, count) {
  blanks()
  c = substr(text, at, 1)
  if (c == "{" || c == "[") {
    at++
    for (blanks(); at <= length(text) && substr(text, at, 1) !~ /[}\]]/; blanks()) {
      if (c == "{") {
        key = string()
        blanks()
        at++  # the colon
      } else {
        key = count++ + 0
      }
      value(here == "" ? key : here "." key)
      blanks()
      if (substr(text, at, 1) == ",") at++
    }
    at++
    return
  }
  if (c == "\"") {
    key = string()
  } else {
    begin = at
    while (at <= length(text) && substr(text, at, 1) !~ /[ \t\r\n,}\]]/) at++
    key = substr(text, begin, at - begin)
  }
  if (here == path) {
    print key
    found = 1
  }
}
