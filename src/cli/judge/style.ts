const light = `
  --paper: #ffffff; --card: #f6f7f9; --ink: #1c2128; --muted: #5f6975; --rule: #e3e6ea; --axis: #aab2bc;
  --rollback: #c2321f; --promote: #14774a; --wait: #6b5a12; --origin: #3f6fb5; --destination: #b4570a;
  --rollback-tint: #fbeae7; --promote-tint: #e5f4ec; --wait-tint: #f7f1dc;
`;

/** The page in one style sheet: no font, picture or colour comes from elsewhere. */
export const style = `
:root {${light}}
@media (prefers-color-scheme: dark) { :root {
  --paper: #12161c; --card: #1a2028; --ink: #e4e8ed; --muted: #97a2af; --rule: #2a323c; --axis: #56616e;
  --rollback: #ff8674; --promote: #54c98e; --wait: #dcc368; --origin: #86b2f0; --destination: #f2a45c;
  --rollback-tint: #3a1f1c; --promote-tint: #15301f; --wait-tint: #322c14;
} }
@media print { :root {${light}} }
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); -webkit-text-size-adjust: 100%; }
body { margin: 0; font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 984px; margin: 0 auto; padding: 40px 32px 48px; }
h1 { margin: 6px 0 12px; font-size: 34px; line-height: 1.2; letter-spacing: -0.015em; font-weight: 650; }
h2 { margin: 0 0 8px; font-size: 15px; font-weight: 650; }
p { margin: 0 0 12px; }
.kicker { margin: 0; color: var(--muted); font-size: 14px; overflow-wrap: anywhere; }
.lead { max-width: 74ch; font-size: 17px; }
.rollback { --hue: var(--rollback); --tint: var(--rollback-tint); }
.promote { --hue: var(--promote); --tint: var(--promote-tint); }
.wait { --hue: var(--wait); --tint: var(--wait-tint); }
h1 .word { color: var(--hue); }
dl.tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin: 22px 0 30px; }
.tiles div { padding: 12px 14px 13px; border-radius: 10px; background: var(--card); border-top: 3px solid var(--mark, var(--rule)); }
.tiles dt { color: var(--muted); font-size: 13px; }
.tiles dd { margin: 0; font-size: 21px; line-height: 1.35; font-weight: 600; white-space: nowrap; font-variant-numeric: tabular-nums; }
.tiles small { display: block; color: var(--muted); font-size: 13px; font-weight: 400; }
figure { margin: 0 0 30px; }
svg { display: block; width: 100%; height: auto; overflow: visible; }
svg svg { overflow: hidden; }
svg.narrow { display: none; }
text { font-size: 12px; fill: var(--muted); }
text.title { font-size: 14px; font-weight: 650; fill: var(--ink); }
tspan.muted { font-size: 12px; font-weight: 400; fill: var(--muted); }
text.right { text-anchor: end; }
text.middle { text-anchor: middle; }
text.note, text.end { fill: var(--hue, var(--muted)); paint-order: stroke; stroke: var(--paper); stroke-width: 3px; stroke-linejoin: round; }
text.note.rollback, text.note.promote { stroke: var(--tint); }
text.note.muted { fill: var(--muted); }
text.end { font-weight: 650; font-variant-numeric: tabular-nums; }
text.end.absolute { font-weight: 400; }
.grid { stroke: var(--rule); stroke-width: 1; fill: none; }
.zero { stroke: var(--axis); stroke-width: 1; }
.zone { fill: var(--tint); }
.threshold { stroke: var(--hue); stroke-width: 1.25; stroke-dasharray: 2 3; }
.line { fill: none; stroke: var(--hue, var(--ink)); stroke-width: 1.75; stroke-linejoin: round; stroke-linecap: round; }
.line.absolute { stroke-width: 1.5; stroke-dasharray: 6 4; stroke-linecap: butt; }
.line.origin { stroke: var(--origin); }
.line.destination { stroke: var(--destination); }
.line.objective { stroke: var(--muted); stroke-width: 1.25; stroke-dasharray: 2 3; }
.dot { fill: var(--hue); stroke: var(--paper); stroke-width: 1.5; }
.below { display: grid; grid-template-columns: 3fr 2fr; gap: 40px; }
.below p { max-width: 62ch; font-size: 15px; }
table { border-collapse: collapse; width: 100%; font-size: 14px; }
th, td { padding: 5px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; font-weight: 400; }
td { padding-left: 16px; text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: 13px ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
th small { display: block; color: var(--muted); font-size: 13px; }
.empty { margin: 22px 0 30px; padding: 40px 24px; border: 1px dashed var(--axis); border-radius: 10px; color: var(--muted); text-align: center; }
footer { margin-top: 32px; padding-top: 12px; border-top: 1px solid var(--rule); color: var(--muted); font-size: 13px; }
@media (max-width: 860px) { dl.tiles { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 640px) {
  main { padding: 24px 18px 32px; }
  h1 { font-size: 27px; }
  .lead { font-size: 16px; }
  dl.tiles { grid-template-columns: 1fr 1fr; gap: 10px; margin: 18px 0 24px; }
  .tiles div { padding: 10px 12px; }
  .tiles dd { font-size: 21px; }
  svg.wide { display: none; }
  svg.narrow { display: block; }
  .below { display: block; }
  .below section + section { margin-top: 24px; }
}
@media print {
  @page { margin: 14mm; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  body { font-size: 12px; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 24px; }
  .lead, .below p { font-size: 12px; }
  dl.tiles { grid-template-columns: repeat(6, 1fr); gap: 8px; margin: 12px 0 16px; }
  .tiles div { padding: 6px 10px; }
  .tiles dd { font-size: 17px; }
  .tiles dt, .tiles small { font-size: 10px; }
  svg.wide { display: block; }
  svg.narrow { display: none; }
  .below { display: grid; }
  figure, section, .tiles { break-inside: avoid; }
}
`;
