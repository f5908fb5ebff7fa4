import { style } from '../../judge/style.ts';

/** The judge's page with tables: no font, picture or colour comes from elsewhere. */
export const pageStyle = `${style}
section { margin: 0 0 30px; }
.wide { overflow-x: auto; }
.wide table { font-size: 13px; }
.wide th, .wide td { padding: 5px 14px 5px 0; text-align: left; white-space: nowrap; font-variant-numeric: tabular-nums; }
.wide td.number, .wide th.number { text-align: right; }
.wide td.text { white-space: normal; min-width: 22ch; }
.wide thead th { color: var(--muted); font-size: 12px; vertical-align: bottom; }
.wide th:last-child, .wide td:last-child { padding-right: 0; }
.mark { font-weight: 650; color: var(--hue); }
.hash { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; white-space: normal; }
.facts td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
.facts th { width: 14em; color: var(--muted); }
ul { margin: 8px 0 12px; padding-left: 20px; font-size: 15px; }
li { margin: 0 0 4px; }
h3 { margin: 18px 0 6px; font-size: 14px; font-weight: 650; overflow-wrap: anywhere; }
@media (max-width: 640px) { .facts th { width: 8em; padding-right: 10px; } .tiles dd { white-space: normal; } }
@media print {
  .wide { overflow-x: visible; }
  .wide table { font-size: 9px; }
  .wide th, .wide td { padding: 3px 8px 3px 0; }
  .hash { font-size: 8px; }
  ul, p { font-size: 11px; }
  section { break-inside: auto; }
  tr, h2, h3 { break-inside: avoid; break-after: auto; }
}
`;
