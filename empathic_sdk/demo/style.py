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
#es-live { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  min-width: 0; border: 0; }
.es-head { display: flex; align-items: baseline; gap: 14px; flex-wrap: wrap; padding: 2px 4px; }
.es-head h1 { font-size: 1.28rem; font-weight: 680; letter-spacing: -.015em; margin: 0;
  color: var(--es-text); }
.es-head p { margin: 0; color: var(--es-muted); font-size: .93rem; }
#es-main { display: grid; grid-template-columns: minmax(0, 1.42fr) minmax(0, 1fr); gap: 20px;
  align-items: start; }
#es-main > * { min-width: 0 !important; width: auto; }
#es-talk { position: sticky; top: 16px; height: calc(100dvh - 90px); min-height: 480px;
  background: var(--es-panel); border: 1px solid var(--es-line); border-radius: 20px;
  padding: 0 0 14px; gap: 10px; flex-wrap: nowrap; overflow: hidden;
  box-shadow: 0 1px 2px rgb(0 0 0 / .03), 0 12px 32px -18px rgb(0 0 0 / .14); }
#es-chat { flex: 1 1 0; min-height: 0; overflow-y: auto; display: flex;
  flex-direction: column-reverse; overscroll-behavior: contain; }
#es-chat > * { margin-bottom: auto; }
.es-log { padding: 22px 24px 8px; display: flex; flex-direction: column; gap: 12px; }
.es-note { border: 1px solid var(--es-line); border-radius: 16px; padding: 14px 18px;
  font-size: .9rem; line-height: 1.55; color: var(--es-muted); margin-bottom: 6px; }
.es-note summary { font-size: .9rem; color: var(--es-text); font-weight: 650; cursor: pointer; }
.es-note p { margin: 6px 0 0; }
.es-bubble { max-width: min(82%, 34rem); padding: 10px 16px; border-radius: 18px;
  line-height: 1.52; font-size: 1rem; overflow-wrap: anywhere; white-space: pre-wrap; }
.es-you { align-self: flex-end; background: var(--es-accent); color: var(--es-on-accent);
  border-bottom-right-radius: 6px; }
.es-agent { align-self: flex-start; background: var(--es-bubble); color: var(--es-text);
  border-bottom-left-radius: 6px; }
.es-cut { display: block; margin-top: 6px; font-size: .85rem; }
.es-new { animation: es-in .5s ease both; }
@keyframes es-in { from { opacity: 0; } to { opacity: 1; } }
.es-dots { display: inline-flex; gap: 5px; padding: 6px 2px; vertical-align: middle; }
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
#es-write { margin: 0 16px; gap: 10px; align-items: flex-end; flex-wrap: nowrap; width: auto; }
#es-box { min-width: 0 !important; overflow: visible; }
#es-box textarea { border: 1px solid var(--es-edge); border-radius: 16px;
  padding: 12px 16px; font-size: 1rem; line-height: 1.45;
  color: var(--es-text); background: var(--es-bg); min-height: 48px; }
#es-send { flex: 0 0 auto; min-width: 84px; height: 48px; border-radius: 16px; }
#es-side { gap: 16px; }
.es-card { background: var(--es-panel); border: 1px solid var(--es-line); border-radius: 20px;
  padding: 18px 20px; gap: 12px; }
.es-card .es-card { border: 0; padding: 0; }
.es-side h2 { font-size: .82rem; font-weight: 650; color: var(--es-muted); margin: 0 0 8px; }
.es-side p { margin: 0 0 6px; font-size: .92rem; line-height: 1.5; color: var(--es-text); }
.es-side .es-soft { color: var(--es-muted); font-size: .87rem; }
.es-side p:last-child { margin-bottom: 0; }
.es-side .es-big { margin: 0 0 4px; font-size: 1.5rem; font-weight: 680; letter-spacing: -.02em;
  line-height: 1.25; }
.es-side .es-big small { font-size: .93rem; font-weight: 500; color: var(--es-muted);
  letter-spacing: 0; }
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
@media (max-width: 860px) {
  .gradio-container .main, .gradio-container main.app, .gradio-container .app {
    padding: 12px 12px 24px; }
  #es-main { grid-template-columns: minmax(0, 1fr); gap: 14px; }
  #es-talk { position: static; height: calc(100dvh - 84px); min-height: 420px; }
  .es-log { padding: 16px 16px 6px; }
  .es-bubble { max-width: 90%; }
  #es-write { margin: 0 12px; } .es-help, .es-problem { margin: 0 12px; }
  .es-head h1 { font-size: 1.1rem; } .es-head p { display: none; }
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
