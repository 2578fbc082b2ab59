#!/usr/bin/env bash
# page_check.sh results.html: opens the page in headless Chromium, sorts its table by clicks, and
# fails unless it is sorted and nothing was asked of any server.
set -euo pipefail

page=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The page with a visitor: clicks on a header twice and writes down what it sees.
python3 - "$page" "$work/visited.html" <<'END'
import sys
text = open(sys.argv[1]).read()
visit = """<script>
const column = () => [...document.querySelectorAll('#table tbody tr')].map(tr =>
  Number(tr.children[[...document.querySelectorAll('#table th')].findIndex(th =>
    th.dataset.column === 'quant_top1')].textContent.replace('\\u2605', '')));
const click = () => document.querySelector('th[data-column="quant_top1"]').click();
click(); const up = column(); click(); const down = column();
const rising = up.every((v, i) => i === 0 || up[i - 1] <= v);
const falling = down.every((v, i) => i === 0 || down[i - 1] >= v);
document.title = `rows=${up.length} rising=${rising} falling=${falling} `
  + `dots=${document.querySelectorAll('svg .dot').length} `
  + `requests=${performance.getEntriesByType('resource').length}`;
</script>"""
open(sys.argv[2], "w").write(text.replace("</body>", visit + "</body>"))
END
chromium --headless=new --no-sandbox --disable-gpu --virtual-time-budget=3000 \
  --dump-dom "file://$work/visited.html" 2>/dev/null >"$work/dom.html"
found=$(grep -o '<title>[^<]*' "$work/dom.html" | sed 's/<title>//')
echo "$found"
[[ $found == *"rising=true falling=true"* && $found == *"requests=0"* ]]
