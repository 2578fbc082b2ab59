#include "sweep/page_parts.h"

namespace ptq::sweep {

const char* const kPageStyle = R"css(
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5c6878; --line: #dde2e9;
  --accent: #2457c5; --good: #14804a; --bad: #b42318; --bar: #cfdcf7; --stripe: #fafbfc;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12161d; --card: #1a202a; --ink: #e6eaf0; --soft: #98a4b5; --line: #2c3542;
    --accent: #7ea6ff; --good: #4cc38a; --bad: #ff8f85; --bar: #2a3f6b; --stripe: #1d2430;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif;
}
main { max-width: 1320px; margin: 0 auto; padding: 28px 24px 60px; }
h1 { font-size: 24px; margin: 0 0 2px; letter-spacing: -0.01em; }
h2 { font-size: 16px; margin: 0 0 12px; }
p.lead { margin: 0 0 20px; color: var(--soft); }
section {
  background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 18px 20px; margin: 0 0 18px;
}
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(190px, 1fr)); gap: 14px;
  margin: 0 0 18px; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 12px 16px; }
.cards b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; }
.cards span { color: var(--soft); font-size: 12.5px; }
.controls { display: flex; flex-wrap: wrap; gap: 10px 18px; align-items: center; margin: 0 0 12px; }
.controls label { color: var(--soft); }
select, input[type="search"] {
  font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line);
  border-radius: 6px; padding: 4px 8px; margin-left: 6px;
}
input[type="search"] { width: 260px; }
#plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(560px, 1fr)); gap: 18px; }
#plots figure { margin: 0; }
#plots figcaption { font-weight: 600; margin: 0 0 4px; }
#plots svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font-size: 11.5px; }
svg .axis { stroke: var(--line); }
svg .float { stroke: var(--ink); stroke-dasharray: 5 4; opacity: 0.65; }
svg .dot { stroke: var(--card); stroke-width: 1; cursor: pointer; }
svg .dot:hover, svg .dot.chosen { stroke: var(--ink); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 8px 0 0; color: var(--soft); }
.legend i { display: inline-block; width: 10px; height: 10px; border-radius: 50%;
  margin-right: 6px; }
.scroll { overflow: auto; max-height: 75vh; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: separate; border-spacing: 0; width: 100%; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
th, td { padding: 5px 10px; border-bottom: 1px solid var(--line); text-align: left; }
th { position: sticky; top: 0; background: var(--card); cursor: pointer; user-select: none;
  font-weight: 600; font-size: 12.5px; z-index: 1; white-space: normal; vertical-align: bottom; }
th:hover { color: var(--accent); }
th[aria-sort="ascending"]::after { content: " \25B2"; font-size: 9px; color: var(--accent); }
th[aria-sort="descending"]::after { content: " \25BC"; font-size: 9px; color: var(--accent); }
tbody tr:nth-child(even) td { background: var(--stripe); }
tbody tr.chosen td { background: var(--bar); }
td.number, th.number { text-align: right; }
td.bar { background-repeat: no-repeat; }
td .best { color: var(--good); font-weight: 600; }
td.bad, .bad { color: var(--bad); }
td.message { white-space: normal; min-width: 260px; }
#hint {
  position: fixed; pointer-events: none; background: var(--ink); color: var(--card);
  padding: 7px 10px; border-radius: 6px; font-size: 12.5px; max-width: 420px; display: none;
  z-index: 5; white-space: pre-line;
}
details summary { cursor: pointer; font-weight: 600; }
details table { margin-top: 10px; white-space: normal; }
footer { color: var(--soft); font-size: 12.5px; }
)css";

const char* const kPageBody = R"html(<body>
<main>
<h1>Quantization benchmark</h1>
<p class="lead" id="lead"></p>
<div class="cards" id="cards"></div>
<section>
<h2>Accuracy</h2>
<div class="controls">
<label>across<select id="across"></select></label>
<label>colour<select id="colour"></select></label>
<label><input type="checkbox" id="best"> only the best by hardware features</label>
</div>
<div id="plots"></div>
<div class="legend" id="legend"></div>
</section>
<section>
<h2>Configurations</h2>
<div class="controls">
<label>filter<input type="search" id="filter" placeholder="fx po2 weight_bit_width=4"></label>
<label><input type="checkbox" id="all"> all columns</label>
<span id="shown"></span>
</div>
<div class="scroll"><table id="table"><thead></thead><tbody></tbody></table></div>
</section>
<section id="skipped-section"><details><summary></summary><table id="skipped"></table></details></section>
<footer id="footer"></footer>
</main>
<div id="hint"></div>
)html";

}  // namespace ptq::sweep
