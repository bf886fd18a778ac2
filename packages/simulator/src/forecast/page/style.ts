/** Both schemes from one set of names, so that the page follows the reader's system. */
export const style = `
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --line: #dfe3e8; --text: #1b2330; --dim: #5c6675;
  --accent: #2f6fde;
  --good: #1a7f4b; --bad: #c23434; --goodBack: #e6f4ec; --badBack: #fbe9e9;
  --s0: #2f6fde; --s1: #e08a1e; --s2: #2b9c75; --s3: #b4519f; --s4: #6a5fd0;
  --s5: #c8523f; --s6: #3aa6c4; --s7: #8a8f98;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #12161c; --card: #1a2029; --line: #303946; --text: #e6eaf0; --dim: #9aa5b4;
    --accent: #6ea2ff;
    --good: #5ccb93; --bad: #ff8a80; --goodBack: #17322a; --badBack: #3a2023;
    --s0: #6ea2ff; --s1: #f0ac56; --s2: #58c79f; --s3: #d98bc8; --s4: #a49af2;
    --s5: #ef8b78; --s6: #6fcbe4; --s7: #a3a9b3;
  }
}
* { box-sizing: border-box; }
body { margin: 0; padding: 24px 16px 48px; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 1080px; margin: 0 auto; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 0 0 12px; }
header p, .note { color: var(--dim); margin: 0; }
.note { font-size: 13px; margin-top: 8px; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 16px 18px;
  margin-top: 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin-top: 16px; }
.tiles div { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.tiles b { display: block; font-size: 22px; line-height: 1.3; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--dim); font-size: 13px; }
.scroll { overflow-x: auto; }
svg.load { width: 100%; min-width: 620px; display: block; }
svg.hours { width: 100%; min-width: 560px; max-width: 820px; display: block; }
svg text { font-size: 12px; fill: var(--dim); }
.grid { stroke: var(--line); stroke-width: 1; }
.tick { stroke: var(--dim); }
.heat { fill: var(--accent); }
.none { fill: var(--line); fill-opacity: .45; }
.outage { fill: var(--bad); fill-opacity: .3; }
.blackout { fill: var(--bad); fill-opacity: .55; }
${Array.from({ length: 8 }, (_, index) => `.s${index} { fill: var(--s${index}); }`).join(' ')}
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 0 0 8px; padding: 0;
  font-size: 13px; }
.legend svg { width: 10px; height: 10px; margin-right: 6px; }
.legend small { color: var(--dim); }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th { text-align: left; color: var(--dim); font-weight: 500; white-space: nowrap; }
th, td { padding: 5px 14px 5px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th:last-child, td:last-child { padding-right: 0; }
td { white-space: nowrap; font-variant-numeric: tabular-nums; }
tr:last-child td { border-bottom: 0; }
.figure { text-align: right; }
td.prose { white-space: normal; min-width: 220px; overflow-wrap: anywhere; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); gap: 0 32px; }
.checks { list-style: none; margin: 0; padding: 0; }
.checks > li { padding: 8px 0; border-bottom: 1px solid var(--line); }
.checks > li:last-child { border-bottom: 0; }
.checks code { font-size: 14px; overflow-wrap: anywhere; }
.checks ul { color: var(--dim); font-size: 14px; margin: 4px 0 0; padding-left: 76px; }
.mark { display: inline-block; min-width: 68px; margin-right: 10px; padding: 0 8px; border-radius: 999px;
  text-align: center; font-size: 13px; font-weight: 600; }
.mark.good { color: var(--good); background: var(--goodBack); }
.mark.bad { color: var(--bad); background: var(--badBack); }
@media (max-width: 560px) { .checks ul { padding-left: 18px; } body { padding: 16px 10px 32px; } }
`
