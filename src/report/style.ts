/**
 * The style sheet of the page. Colours are variables that the charts use too; text has a contrast of at least 4.5:1 and
 * chart marks of at least 3:1 against their ground in both schemes (WCAG 2.2, 1.4.3 and 1.4.11), but for light areas that a
 * dark line bounds.
 */
const LIGHT = `
--bg:#fff;--card:#f6f8fa;--text:#1b2530;--muted:#4f5b69;--border:#d5dce4;--link:#0a58a8;
--axis:#8793a0;--grid:#dde3e9;
--ok-area:#b5d4f1;--ok-line:#2368a8;--shed:#8b95a1;--f1:#c0331a;--f2:#b77700;--f3:#7a48b5;--f4:#a8246b;--f5:#6a5a3c;
--ports-area:#cfe6e2;--ports-line:#1d7a6e;--limit:#c0331a;--slow:#a06a00;
--h1:#d6ebe7;--h2:#a3d3cb;--h3:#f0c75a;--h4:#e08a2e;--h5:#b3261e;
--v1:#0067a8;--v2:#c24d00;--v3:#00795a;--v4:#9c3f92;--v5:#d1256f;--v6:#977100;--v7:#7a4b2a;
--good:#0b6238;--good-bg:#e0f3e8;--bad:#a11818;--bad-bg:#fde6e3;--same:#46515e;--same-bg:#e9edf1;--unsure:#774f00;--unsure-bg:#fdf0d3;`;

const DARK = `
--bg:#10151b;--card:#181f27;--text:#e6ebf0;--muted:#a7b3c0;--border:#323d49;--link:#7bb8f0;
--axis:#6d7a88;--grid:#2a343f;
--ok-area:#1c456c;--ok-line:#7db6ea;--shed:#7d8792;--f1:#e2614a;--f2:#e0a83a;--f3:#b690ea;--f4:#e972ab;--f5:#bfae88;
--ports-area:#1c4a45;--ports-line:#52c3b3;--limit:#f07a62;--slow:#e8c64d;
--h1:#173a38;--h2:#1f5f59;--h3:#8a6d1a;--h4:#c9812f;--h5:#f4705e;
--v1:#5aaeea;--v2:#ff9250;--v3:#38cf9f;--v4:#e39ad8;--v5:#ff8fb8;--v6:#e8c64d;--v7:#cfa482;
--good:#7edba9;--good-bg:#12371f;--bad:#ff9d92;--bad-bg:#481917;--same:#bcc6d1;--same-bg:#2a333d;--unsure:#f0c673;--unsure-bg:#40300a;`;

/** The colours of the light scheme by the names of their variables. */
export const LIGHT_COLOURS: ReadonlyMap<string, string> = new Map(
  [...LIGHT.matchAll(/--([\w-]+):(#[0-9a-f]{3,6});/g)].map(([, name, value]) => [name!, value!]),
);

export const STYLE = `
:root{${LIGHT}
--sans:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;color-scheme:light dark}
@media screen and (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0 auto;max-width:82rem;padding:2rem clamp(1rem,3vw,2.5rem) 4rem;background:var(--bg);color:var(--text);
font:1rem/1.5 var(--sans);overflow-wrap:break-word}
h1{font-size:2rem;line-height:1.2;margin:0}
h2{font-size:1.35rem;line-height:1.25;margin:3rem 0 .5rem;padding-top:1rem;border-top:1px solid var(--border)}
h3{font-size:1.05rem;margin:0 0 .4rem}
section>section>h3{margin-top:1.75rem}
p,ul,dl{margin:.5rem 0;max-width:48rem}
ul{padding-left:1.25rem}
li{margin:.2rem 0}
a{color:var(--link)}
code,pre{font-family:var(--mono);font-size:.875em}
code{overflow-wrap:break-word}
pre{margin:.5rem 0;padding:.75rem 1rem;background:var(--card);border:1px solid var(--border);border-radius:6px;overflow-x:auto;line-height:1.45}
small,.note{color:var(--muted);font-size:.875rem}
small{display:block;line-height:1.35}
.kicker{margin:0;color:var(--muted);font-size:.8125rem;font-weight:600;letter-spacing:.06em;text-transform:uppercase}
.lead,.summary{text-wrap:pretty}
.lead{max-width:60rem;margin:.5rem 0;font-size:1.0625rem;color:var(--muted)}
.summary{margin:1.25rem 0;max-width:60rem;padding:1rem 1.25rem;border-left:4px solid var(--link);background:var(--card);
border-radius:0 6px 6px 0;font-size:1.1875rem;line-height:1.45}
.banner{margin:1.25rem 0;padding:.5rem 1.25rem;background:var(--unsure-bg);border:1px solid var(--unsure);border-radius:6px;max-width:60rem}
.banner>*{max-width:none}
nav{display:flex;flex-wrap:wrap;gap:.25rem 1rem;margin:1.25rem 0 0;font-size:.9375rem}
.nowrap{white-space:nowrap}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.badge{display:inline-block;padding:.05em .55em;border-radius:999px;font-size:.8125rem;font-weight:600;line-height:1.5;white-space:nowrap;
color:var(--same);background:var(--same-bg)}
.badge.mark{padding:0;width:1.5em;text-align:center}
.badge.better{color:var(--good);background:var(--good-bg)}
.badge.worse{color:var(--bad);background:var(--bad-bg)}
.badge.not-enough-evidence{color:var(--unsure);background:var(--unsure-bg)}
table{border-collapse:collapse;font-size:.9375rem;font-variant-numeric:tabular-nums}
th,td{padding:.5rem .75rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--border)}
thead th{font-size:.8125rem;color:var(--muted);vertical-align:bottom;border-bottom:2px solid var(--border)}
th.number,td.number{text-align:right}
td.number,.scroll tbody th,.scroll td{white-space:nowrap}
.scroll td.prose{white-space:normal;min-width:16rem}
.scroll td small{white-space:normal;min-width:11rem}
tbody th{font-weight:600}
caption{text-align:left;color:var(--muted);font-size:.875rem;padding:.25rem 0}
th small{font-weight:400}
.absent{color:var(--muted)}
.scroll td.absent{white-space:normal;min-width:9rem}
.kernel{margin-top:3.5rem;border-top:4px solid var(--border)}
.kernel>h2{border-top:0;margin-top:0}
.kernel>section>h3{font-size:1.2rem;line-height:1.25;margin:2rem 0 .5rem}
.kernel h4{font-size:1.05rem;margin:0 0 .4rem}
.cards{width:100%;margin-top:.75rem}
.cards code{font-size:.8125rem}
.cards tbody th,.cards td{overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.75rem 0}
.scroll:focus-visible,summary:focus-visible,a:focus-visible{outline:2px solid var(--link);outline-offset:2px}
.columns{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));gap:1rem;margin-top:1rem}
.card{padding:1rem 1.25rem;border:1px solid var(--border);border-radius:8px;min-width:0}
.card pre{font-size:.8125rem;white-space:pre-wrap}
.why{margin:1.25rem 0}
.why h3 .badge,.why h4 .badge{margin-left:.4rem}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:.75rem 0;padding:0;font-size:.875rem;max-width:none}
.legend li{display:flex;align-items:center;gap:.4rem;margin:0}
.legend svg{width:28px;height:12px;flex:none}
.numbers{margin:.25rem 0 0;font-size:.8125rem}
.numbers table{font-size:.8125rem}
.numbers th,.numbers td{padding:.2rem .6rem .2rem 0}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:1.25rem 1.5rem;margin:1rem 0}
.wide.panels{grid-template-columns:repeat(auto-fill,minmax(min(100%,28rem),1fr))}
.wide figure{max-width:38rem}
figure{margin:0;min-width:0;break-inside:avoid}
figcaption{font-size:.875rem;line-height:1.4;color:var(--muted);padding-left:.25rem}
figcaption strong{color:var(--text)}
.chart svg{display:block;width:100%;height:auto}
.chart text{font:12px var(--sans);dominant-baseline:central;font-variant-numeric:tabular-nums}
.chart.empty{display:grid;place-items:center;aspect-ratio:360/220;border:1px dashed var(--border);border-radius:6px;color:var(--muted)}
dt{font-weight:600;margin-top:.5rem}
dd{margin:0}
cite{font-style:normal;color:var(--muted);font-size:.875rem}
.hash{font-size:.75rem}
details{margin:.75rem 0}
summary{cursor:pointer;color:var(--link)}
body.wide{max-width:122rem}
.dense{width:100%}
.dense th,.dense td{padding:.3rem}
.dense td{text-align:center;font-size:.8125rem}
.dense td a{color:inherit;text-decoration:none;display:block;position:relative}
.dense .first{border-left:2px solid var(--border)}
.dense thead th{text-align:center}
.dense thead th:first-child{text-align:left}
.works{background:var(--good-bg);color:var(--good);font-weight:600}
.harms{background:var(--bad-bg);color:var(--bad);font-weight:600}
.nothing{color:var(--muted)}
.gone{color:var(--muted);font-style:italic}
@media (min-width:42rem){dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.25rem 1.5rem}dt{margin:0}}
@media (min-width:68.01rem){.cards th:first-child{min-width:9rem}.cards td[data-label="What changed"]{min-width:8rem}.cards td[data-label=Guardrails]{min-width:11rem}}
@media screen and (max-width:68rem){
.cards,.cards tbody,.cards tr,.cards th,.cards td{display:block}
.cards thead{display:none}
.cards tr{margin:.75rem 0;padding:.75rem 1rem;border:1px solid var(--border);border-radius:8px}
.cards th,.cards td{border:0;padding:.2rem 0}
.cards tbody th{font-size:1.0625rem}
.cards td{display:grid;grid-template-columns:7.5rem 1fr;gap:.5rem}
.cards td::before{content:attr(data-label);color:var(--muted);font-size:.875rem}
.cards td>*{grid-column:2;justify-self:start}
}
@page{margin:14mm 12mm}
@media print{
body{max-width:none;padding:0;font-size:10pt}
h2{break-after:avoid}
nav{display:none}
tr,.card,.why{break-inside:avoid}
.cards{font-size:8pt}.cards small{font-size:7pt}.cards .badge{font-size:7.5pt}.cards code{font-size:7pt}.cards th,.cards td{padding:.3rem .4rem}.cards th:first-child{min-width:6.5rem}
.cards td[data-label=Guardrails]{min-width:11rem}
.badge,.summary,.banner,.chart svg{-webkit-print-color-adjust:exact;print-color-adjust:exact}
.scroll{overflow:visible}
.panels{grid-template-columns:repeat(3,1fr);gap:.75rem}
.wide.panels{grid-template-columns:repeat(2,1fr)}
.numbers{display:none}
h2+p,.legend{break-after:avoid}
details:not([open])>summary::after{content:" (closed in this print)"}
}
`;
