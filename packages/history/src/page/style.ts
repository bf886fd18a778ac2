/** Both schemes from one set of names, so that the page follows the reader's system. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --line: #dfe3e8; --text: #1b2330; --dim: #5c6675; --accent: #2f6fde;
  --good: #1a7f4b; --bad: #c23434; --goodBack: #e6f4ec; --badBack: #fbe9e9; --quiet: #2b9c75;
  --t0: #2f6fde; --t1: #e08a1e; --t2: #2b9c75; --t3: #b4519f; --t4: #6a5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --line: #303946; --text: #e6eaf0; --dim: #9aa5b4; --accent: #6ea2ff;
    --good: #5ccb93; --bad: #ff8a80; --goodBack: #17322a; --badBack: #3a2023; --quiet: #58c79f;
    --t0: #6ea2ff; --t1: #f0ac56; --t2: #58c79f; --t3: #d98bc8; --t4: #a49af2;
  }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 24px 16px 48px; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 0 0 12px; }
h3 { font-size: 15px; margin: 16px 0 6px; overflow-wrap: anywhere; }
a { color: var(--accent); }
header p, .note { color: var(--dim); margin: 0; }
.note { font-size: 13px; margin-top: 8px; }
.verdict { display: inline-block; margin: 10px 0 0; padding: 4px 14px; border-radius: 999px; font-weight: 600; }
.good { color: var(--good); background: var(--goodBack); }
.bad { color: var(--bad); background: var(--badBack); }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px;
  margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(112px, 1fr)); gap: 12px; margin-top: 16px; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tiles b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--dim); font-size: 13px; }
.scroll { overflow-x: auto; }
svg { display: block; width: 100%; min-width: 620px; }
svg text { font-size: 12px; fill: var(--dim); }
.grid { stroke: var(--line); stroke-width: 1; }
.bar { fill: var(--accent); }
.fault { fill: var(--bad); fill-opacity: .5; }
.healed { stroke: var(--quiet); stroke-width: 2; stroke-dasharray: 5 3; }
.broken { fill: var(--bad); }
.gap { fill: none; stroke: var(--bad); stroke-width: 1.5; }
${Array.from({ length: 5 }, (_, index) => `.t${index} { fill: var(--t${index}); }`).join(' ')}
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--dim); font-weight: 500; white-space: nowrap; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
td { white-space: nowrap; font-variant-numeric: tabular-nums; }
tr:last-child td { border-bottom: 0; }
.figure { text-align: right; }
td.prose { white-space: normal; min-width: 240px; overflow-wrap: anywhere; }
.mark { display: inline-block; padding: 0 8px; border-radius: 999px; font-size: 13px; font-weight: 600; }
@media (max-width: 560px) { body { padding: 16px 10px 32px; } }
`
