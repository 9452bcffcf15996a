"""The style sheet. Colours come as variables from the palette and glide when a theme changes."""

from __future__ import annotations

from empathic_sdk.demo.palette import START, colours, sheet

_GLIDING = [name for name in colours(START) if not name.startswith("e-")]
_REGISTERED = "".join(
    f"@property --es-{name}{{syntax:'<color>';inherits:true;initial-value:{value}}}"
    for name, value in colours(START).items()
    if name in _GLIDING
)
_GLIDE = ",".join(f"--es-{name} 1.1s ease" for name in _GLIDING)

_GRADIO = """
.gradio-container.gradio-container, .dark .gradio-container.gradio-container {
  --body-background-fill: var(--es-bg); --background-fill-primary: var(--es-panel);
  --background-fill-secondary: var(--es-panel); --block-background-fill: transparent;
  --body-text-color: var(--es-text); --body-text-color-subdued: var(--es-muted);
  --block-border-width: 0px; --block-shadow: none;
  --block-padding: 0; --block-label-border-width: 0;
  --border-color-primary: var(--es-line); --border-color-accent: var(--es-accent);
  --input-background-fill: var(--es-panel); --input-background-fill-focus: var(--es-panel);
  --input-border-color: var(--es-edge); --input-border-color-focus: var(--es-accent);
  --input-placeholder-color: var(--es-muted); --input-shadow: none; --input-shadow-focus: none;
  --button-primary-background-fill: var(--es-accent);
  --button-primary-background-fill-hover: var(--es-accent);
  --button-primary-text-color: var(--es-on-accent);
  --button-primary-text-color-hover: var(--es-on-accent);
  --button-secondary-background-fill: transparent;
  --button-secondary-background-fill-hover: var(--es-bubble);
  --button-secondary-text-color: var(--es-text);
  --button-secondary-text-color-hover: var(--es-text);
  --button-secondary-border-color: var(--es-edge);
  --button-secondary-border-color-hover: var(--es-accent);
  --layout-gap: 12px;
  color: var(--es-text); background: var(--es-bg); max-width: none; min-height: 100dvh;
}
.gradio-container .html-container, .gradio-container .block.html-container { padding: 0; }
.gradio-container .main, .gradio-container main.app, .gradio-container .app {
  max-width: 1180px; margin: 0 auto; padding: 20px 24px 32px; }
.gradio-container footer { display: none; }
.gradio-container button { border-width: 1px; box-shadow: none; font-weight: 550; }
.gradio-container :is(button, textarea, a, summary, [tabindex]):focus-visible {
  outline: 3px solid var(--es-accent); outline-offset: 2px; }
.gradio-container .block:not(:has(*)) { display: none; }
.es-out { display: none; }
"""

_PAGE = """
body { background: var(--es-bg); transition: GLIDE; margin: 0; }
.es-sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.es-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  min-width: 0; border: 0; }
.es-head { display: flex; align-items: baseline; gap: 14px; flex-wrap: wrap; padding: 2px 4px; }
.es-head h1 { font-size: 1.28rem; font-weight: 680; letter-spacing: -.015em; margin: 0;
  color: var(--es-text); }
.es-head p { margin: 0; color: var(--es-muted); font-size: .93rem; }
.es-main { display: grid; grid-template-columns: minmax(0, 1.42fr) minmax(0, 1fr); gap: 20px;
  align-items: start; }
.es-main > * { min-width: 0 !important; width: auto; }
.es-talk { position: sticky; top: 16px; height: calc(100dvh - 132px); min-height: 500px;
  background: var(--es-panel); border: 1px solid var(--es-line); border-radius: 20px;
  padding: 0 0 14px; gap: 10px; flex-wrap: nowrap; overflow: hidden;
  box-shadow: 0 1px 2px rgb(0 0 0 / .03), 0 12px 32px -18px rgb(0 0 0 / .14); }
.es-chat { flex: 1 1 0; min-height: 0; overflow-y: auto; display: flex;
  flex-direction: column-reverse; overscroll-behavior: contain; }
.es-chat > * { margin-bottom: auto; }
.es-log { padding: 22px 24px 8px; display: flex; flex-direction: column; gap: 12px; }
.es-note { border: 1px solid var(--es-line); border-radius: 16px; padding: 14px 18px;
  font-size: .9rem; line-height: 1.55; color: var(--es-muted); margin-bottom: 6px; }
.es-note summary { font-size: .9rem; color: var(--es-text); font-weight: 650; cursor: pointer; }
.es-note p { margin: 6px 0 0; }
.es-first { color: var(--es-muted); font-size: .95rem; line-height: 1.55; margin: 4px 2px; }
.es-bubble { max-width: min(82%, 34rem); padding: 10px 16px; border-radius: 18px;
  line-height: 1.52; font-size: 1rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.es-you { align-self: flex-end; background: var(--es-accent); color: var(--es-on-accent);
  border-bottom-right-radius: 6px; }
.es-agent { align-self: flex-start; background: var(--es-bubble); color: var(--es-text);
  border-bottom-left-radius: 6px; }
.es-cut, .es-with { display: block; margin-top: 6px; font-size: .85rem; }
.es-with:first-child, .es-sr + .es-with { margin-top: 0; font-size: .95rem; }
.es-w { animation: es-in .45s ease both; }
@keyframes es-in { from { opacity: 0; } to { opacity: 1; } }
.es-dots { display: flex; width: fit-content; gap: 5px; padding: 8px 2px 4px; }
.es-dots i { width: 7px; height: 7px; border-radius: 50%; background: var(--es-muted);
  animation: es-dot 1.5s ease-in-out infinite; }
.es-dots i:nth-child(2) { animation-delay: .2s; } .es-dots i:nth-child(3) { animation-delay: .4s; }
@keyframes es-dot { 0%, 60%, 100% { opacity: .3; } 30% { opacity: 1; } }
.es-help, .es-problem { margin: 0 18px; border-radius: 14px; padding: 12px 16px;
  font-size: .92rem; line-height: 1.5; color: var(--es-text); background: var(--es-bg);
  border: 1px solid var(--es-line); border-left: 4px solid var(--es-accent); }
.es-help h2 { font-size: .95rem; margin: 0 0 4px; font-weight: 650; color: var(--es-text); }
.es-help ul { list-style: none; margin: 0; padding: 0; display: grid; gap: 2px; }
.es-help li { margin: 0; padding: 0; }
.es-help a { color: var(--es-text); text-decoration: underline; font-weight: 600; }
.es-help span { color: var(--es-muted); }
.es-write { margin: 0 16px; gap: 10px; align-items: flex-end; flex-wrap: nowrap; width: auto; }
.es-box { min-width: 0 !important; overflow: visible; }
.es-box textarea { border: 1px solid var(--es-edge); border-radius: 16px;
  padding: 12px 16px; font-size: 1rem; line-height: 1.45;
  color: var(--es-text); background: var(--es-bg); min-height: 48px; }
.es-send { flex: 0 0 auto; min-width: 84px; height: 48px; border-radius: 16px; }
.es-senses { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin: 0 18px; }
.es-senses:not(:has(.es-tool:not([hidden]))) { display: none; }
.es-tool { display: none; align-items: center; gap: 6px; border: 1px solid var(--es-edge);
  border-radius: 999px; padding: 5px 13px; font-size: .87rem; font-weight: 550; cursor: pointer;
  color: var(--es-text); background: transparent; min-height: 34px; }
.es-tool:hover { border-color: var(--es-accent); }
.es-tool:focus-within { outline: 3px solid var(--es-accent); outline-offset: 2px; }
.es-tool[aria-pressed=true] { background: var(--es-bubble); border-width: 2px; }
body:has(#es-may [data-may~=speech]) .es-tool[data-for=speech],
body:has(#es-may [data-may~=face]) .es-tool[data-for=face] { display: inline-flex; }
body:not(:has(#es-may [data-may])) #es-senses { display: none; }
.es-view { width: 84px; height: 63px; object-fit: cover; border-radius: 10px;
  border: 2px solid var(--es-accent); transform: scaleX(-1); }
.es-view[hidden] { display: none; }
.es-light { display: none; margin: 0; font-size: .87rem; font-weight: 650; color: var(--es-text); }
.es-light.es-on { display: inline-flex; align-items: center; gap: 8px; }
.es-light.es-on::before { content: ""; width: 11px; height: 11px; border-radius: 50%;
  background: var(--es-e-anger); animation: es-dot 1.6s ease-in-out infinite; }
.es-hint { margin: 0; font-size: .9rem; color: var(--es-text); flex-basis: 100%; }
.es-hint:empty { display: none; }
.es-switches { margin: 0 18px; gap: 4px 18px; flex-wrap: wrap; width: auto; }
.es-switches > * { flex: 0 0 auto; width: auto !important; min-width: 0 !important; }
.es-switches label { display: inline-flex; align-items: center; gap: 8px; cursor: pointer;
  min-height: 28px; }
.es-switches label span { font-size: .87rem; color: var(--es-text); margin: 0; }
.es-switches input[type=checkbox] { appearance: none; -webkit-appearance: none; width: 34px;
  height: 20px; border-radius: 999px; border: 2px solid var(--es-edge); background: var(--es-bg);
  background-image: none !important; position: relative; margin: 0; cursor: pointer;
  flex: 0 0 auto; box-shadow: none; }
.es-switches input[type=checkbox]::after { content: ""; position: absolute; left: 2px; top: 2px;
  width: 12px; height: 12px; border-radius: 50%; background: var(--es-edge);
  transition: left .2s ease; }
.es-switches input[type=checkbox]:checked { background: var(--es-accent) !important;
  border-color: var(--es-accent); }
.es-switches input[type=checkbox]:checked::after { left: 16px; background: var(--es-on-accent); }
.es-switches input:focus-visible { outline: 3px solid var(--es-accent); outline-offset: 2px; }
.es-terms { margin: -4px 18px 0; font-size: .8rem; line-height: 1.4; color: var(--es-muted); }
.es-beside { gap: 16px; }
.es-card { background: var(--es-panel); border: 1px solid var(--es-line); border-radius: 20px;
  padding: 18px 20px; gap: 12px; }
.es-card .es-card { border: 0; padding: 0; }
.es-side h2, .es-side h3 { font-size: .82rem; font-weight: 650; color: var(--es-muted);
  margin: 0 0 8px; }
.es-side h3 { margin: 12px 0 4px; }
.es-side p { margin: 0 0 6px; font-size: .92rem; line-height: 1.5; color: var(--es-text); }
.es-side .es-soft { color: var(--es-muted); font-size: .87rem; }
.es-side p:last-child { margin-bottom: 0; }
.es-side .es-big { margin: 0 0 4px; font-size: 1.5rem; font-weight: 680; letter-spacing: -.02em;
  line-height: 1.25; }
.es-side .es-big small { font-size: .93rem; font-weight: 500; color: var(--es-muted);
  letter-spacing: 0; }
.es-side .es-task { font-size: 1.12rem; line-height: 1.5; font-weight: 600; margin: 2px 0 8px; }
.es-side .es-outcome { display: inline-block; border: 1px solid var(--es-edge);
  border-radius: 999px;
  padding: 3px 12px; font-weight: 650; margin-bottom: 10px; }
.es-side .es-outcome small { font-weight: 500; color: var(--es-muted); }
.es-side .es-rows { display: grid; grid-template-columns: auto minmax(40px, 1fr) auto;
  gap: 5px 12px; align-items: center; margin: 10px 0 14px; font-size: .87rem;
  color: var(--es-text); padding: 0;
  list-style: none; }
.es-rows li { display: contents; }
.es-rows .es-now { font-weight: 680; }
.es-rows b { font-weight: inherit; font-variant-numeric: tabular-nums; text-align: right; }
.es-bar { height: 8px; border-radius: 5px; background: var(--es-line); position: relative;
  overflow: hidden; }
.es-bar i { position: absolute; inset: 0 auto 0 0; border-radius: 5px; }
.es-pole { overflow: visible; } .es-pole i { inset: -3px auto auto auto; width: 14px; height: 14px;
  border-radius: 50%; background: var(--es-accent); margin-left: -7px;
  border: 2px solid var(--es-panel); }
.es-pole::after { content: ""; position: absolute; left: 50%; top: -2px; bottom: -2px; width: 1px;
  background: var(--es-edge); }
.es-facts { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: 6px 14px; margin: 0;
  font-size: .9rem; line-height: 1.45; }
.es-facts dt { color: var(--es-muted); } .es-facts dd { margin: 0; color: var(--es-text); }
.es-swatches { display: inline-flex; gap: 5px; vertical-align: -4px; margin-left: 6px; }
.es-swatches i { width: 20px; height: 20px; border-radius: 50%; border: 1px solid var(--es-edge); }
.es-chart { width: 100%; height: auto; display: block; }
.es-chart text { font-size: 11px; fill: var(--es-muted); font-family: inherit; }
.es-chart .es-word { fill: var(--es-text); font-weight: 600; }
.es-chart .es-zero { stroke: var(--es-edge); stroke-dasharray: 2 4; }
.es-chart .es-mark { stroke: var(--es-text); stroke-width: 1.5; stroke-dasharray: 1.5 4;
  stroke-linecap: round; }
.es-chart .es-valence { fill: none; stroke: var(--es-accent); stroke-width: 2; }
.es-chart .es-arousal { fill: none; stroke: var(--es-edge); stroke-width: 1.6;
  stroke-dasharray: 5 4; }
.es-chart .es-diamond { fill: var(--es-panel); stroke: var(--es-edge); stroke-width: 1.6; }
.es-more summary { cursor: pointer; font-size: .85rem; color: var(--es-muted); margin-top: 6px; }
.es-table { border-collapse: collapse; font-size: .85rem; margin-top: 8px; color: var(--es-text);
  font-variant-numeric: tabular-nums; }
.es-table :is(th, td) { padding: 4px 9px; text-align: right; border: 1px solid var(--es-line);
  font-weight: 400; color: var(--es-text); background: transparent; }
.es-table th { color: var(--es-muted); }
.es-matrix td:empty { border: 0; }
.es-scroll { overflow-x: auto; }
.es-lead { margin: 2px 4px 0; color: var(--es-muted); font-size: .93rem; }
.es-inside { display: grid; grid-template-columns: minmax(0, 1.3fr) minmax(0, 1fr); gap: 20px;
  align-items: start; }
.es-inside > * { min-width: 0 !important; gap: 16px; }
.es-code { max-height: 460px; overflow: auto; font-size: .8rem; line-height: 1.5; margin: 0;
  background: var(--es-bg); color: var(--es-text); border: 1px solid var(--es-line);
  border-radius: 12px; padding: 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
#es-you { margin-top: 4px; }
.es-card .es-chips { gap: 6px; flex-wrap: wrap; }
.es-card .es-chips > button { flex: 0 0 auto; width: auto; min-width: 0 !important;
  border: 1px solid var(--es-edge); border-radius: 999px; padding: 4px 11px; font-size: .85rem;
  min-height: 32px; }
.es-card .es-chips > button:hover { border-color: var(--es-accent); }
.es-told { color: var(--es-text); font-size: .9rem; line-height: 1.45; }
.es-told::before { content: "✓  "; color: var(--es-accent); font-weight: 700; }
.es-told.es-not::before { content: ""; }
:is(#es-told, #es-erased):not(:has(.es-told)), #es-about:not(:has(.es-about)) {
  margin-top: -12px; height: 0; min-height: 0; }
.es-about pre { max-height: 260px; overflow: auto; font-size: .76rem; line-height: 1.45;
  background: var(--es-bg); color: var(--es-text); border: 1px solid var(--es-line);
  border-radius: 10px; padding: 10px; white-space: pre-wrap; overflow-wrap: anywhere; }
.es-about summary { cursor: pointer; font-size: .9rem; color: var(--es-text); margin: 8px 0; }
.es-about a { color: var(--es-accent); font-weight: 600; text-decoration: underline;
  font-size: .92rem; }
#es-tabs { gap: 12px; border: 0; }
#es-tabs .tab-container { height: auto; padding: 0; gap: 4px; }
#es-tabs .tab-container::after { display: none; }
#es-tabs [role=tab] { color: var(--es-muted); border-radius: 999px; padding: 7px 15px;
  font-size: .95rem; font-weight: 600; border: 1px solid transparent; height: auto;
  background: transparent; }
#es-tabs [role=tab]::after { display: none; }
#es-tabs [role=tab][aria-selected=true] { color: var(--es-text); background: var(--es-panel);
  border-color: var(--es-edge); }
#es-tabs [role=tabpanel] { padding: 0; border: 0; }
@media (max-width: 860px) {
  .gradio-container .main, .gradio-container main.app, .gradio-container .app {
    padding: 12px 12px 24px; }
  .es-main, .es-inside { grid-template-columns: minmax(0, 1fr); gap: 14px; }
  .es-talk { position: static; height: calc(100dvh - 116px); min-height: 460px; }
  .es-log { padding: 16px 16px 6px; }
  .es-bubble { max-width: 90%; }
  .es-write { margin: 0 12px; } .es-help, .es-problem { margin: 0 12px; }
  .es-senses, .es-switches { margin: 0 14px; } .es-terms { margin: -4px 14px 0; }
  .es-head h1 { font-size: 1.1rem; } .es-head p { display: none; }
  #es-tabs [role=tab] { padding: 6px 11px; font-size: .9rem; }
}
@media (prefers-reduced-motion: reduce) {
  body { transition: none; }
  .gradio-container *, .gradio-container *::before { animation: none !important;
    transition: none !important; scroll-behavior: auto !important; }
}
@media (forced-colors: active) {
  .es-bar i, .es-pole i, .es-swatches i { forced-color-adjust: none; }
}
"""

CSS = _REGISTERED + sheet(START) + _GRADIO + _PAGE.replace("GLIDE", _GLIDE)
"""Everything but the colours of the moment, which come as a block of their own."""
