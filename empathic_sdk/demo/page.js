// What only a browser can do: record, look, notice typing. All of it waits for a consent, which the
// server writes into #es-may; nothing leaves the page but inside a message.
window.empathic = (() => {
  const LONGEST_S = 60, MOST_SOUND = 8e6;
  const at = (name) => document.querySelector(`[data-es="${name}"]`);
  const may = (name) => !!document.querySelector(`#es-may [data-may~="${name}"]`);
  const say = (text) => { const hint = at('hint'); if (hint) hint.textContent = text; };
  const box = () => document.querySelector('#es-box textarea');
  let recorder = null, ticking = 0, started = 0, sound = null, camera = null, began = 0;
  let events = [], stretch = null, answered = 0, away = 0;

  function reason(error, what) {
    if (error && (error.name === 'NotAllowedError' || error.name === 'SecurityError'))
      return `Your browser did not allow the ${what}. You can go on typing; nothing else changes.`;
    if (error && (error.name === 'NotFoundError' || error.name === 'OverconstrainedError'))
      return `No ${what} was found on this device. You can go on typing; nothing else changes.`;
    return `The ${what} could not be opened. You can go on typing; nothing else changes.`;
  }

  async function open(wants, what) {
    if (!navigator.mediaDevices) {
      say(`Browsers open a ${what} only on https or on this machine itself. You can go on typing.`);
      return null;
    }
    try { return await navigator.mediaDevices.getUserMedia(wants); }
    catch (error) { say(reason(error, what)); return null; }
  }

  function light() {
    const lamp = at('light');
    if (!lamp) return;
    const on = [];
    if (recorder) on.push(`Recording, ${Math.round((Date.now() - started) / 1000)} s`);
    if (camera) on.push('Camera on');
    const words = on.join(' · ');
    if (lamp.textContent !== words) lamp.textContent = words;
    lamp.classList.toggle('es-on', on.length > 0);
    at('mic')?.setAttribute('aria-pressed', String(!!recorder));
    at('camera')?.setAttribute('aria-pressed', String(!!camera));
    if (at('mic-word')) at('mic-word').textContent = recorder ? 'Stop' : 'Record';
    if (at('camera-word')) at('camera-word').textContent = camera ? 'Camera off' : 'Camera on';
  }

  // What was recorded or chosen waits here until its owner sends a message, or discards it.
  function waiting() {
    const note = at('pending'), words = at('pending-word');
    if (!note || !words) return;
    const what = sound && sound.seconds
      ? `A recording of ${Math.max(1, Math.round(sound.seconds))} s` : 'A sound file';
    words.textContent = sound ? `${what} goes with your next message. ` : '';
    note.hidden = !sound;
  }

  function discard() {
    sound = null;
    waiting();
  }

  async function record() {
    if (recorder) { recorder.stop(); return; }
    say('');
    discard();
    const stream = await open({audio: true}, 'microphone');
    if (!stream) return;
    if (!may('speech') || !shown()) { stream.getTracks().forEach((t) => t.stop()); return; }
    const pieces = [];
    const mine = new MediaRecorder(stream);
    mine.discarded = false;
    mine.ondataavailable = (e) => pieces.push(e.data);
    mine.onstop = async () => {
      stream.getTracks().forEach((t) => t.stop());
      clearInterval(ticking);
      const seconds = (Date.now() - started) / 1000;
      recorder = null;
      light();
      if (mine.discarded) return;
      const data = await coded(new Blob(pieces, {type: mine.mimeType}));
      if (mine.discarded || !may('speech')) return;
      sound = {data, seconds};
      waiting();
    };
    recorder = mine;
    started = Date.now();
    mine.start();
    ticking = setInterval(() => {
      light();
      if ((Date.now() - started) / 1000 >= LONGEST_S && recorder === mine) mine.stop();
    }, 500);
    light();
  }

  function coded(blob) {
    return new Promise((done, failed) => {
      const reader = new FileReader();
      reader.onload = () => done(String(reader.result).split(',')[1] || '');
      reader.onerror = failed;
      reader.readAsDataURL(blob);
    });
  }

  async function file(input) {
    const chosen = input.files && input.files[0];
    input.value = '';
    if (!chosen) return;
    say('');
    if (chosen.size > MOST_SOUND) {
      say(`That file has ${Math.round(chosen.size / 1e6)} MB; I can listen to at most 8 MB.`);
    } else if (!/^audio\//.test(chosen.type)) {
      say('That is not a sound file. I can listen to sound only: WAV, MP3, M4A, Ogg, FLAC.');
    } else {
      sound = {data: await coded(chosen), seconds: 0};
      waiting();
    }
  }

  async function look() {
    if (camera) { dark(); return; }
    say('');
    const stream = await open({video: {width: 640, height: 480, facingMode: 'user'}}, 'camera');
    if (!stream) return;
    if (!may('face') || !shown()) { stream.getTracks().forEach((t) => t.stop()); return; }
    camera = stream;
    const view = at('view');
    view.srcObject = stream;
    view.hidden = false;
    view.play().catch(() => {});
    light();
  }

  function dark() {
    camera?.getTracks().forEach((t) => t.stop());
    camera = null;
    const view = at('view');
    if (view) { view.srcObject = null; view.hidden = true; }
    light();
  }

  function still() {
    const view = at('view');
    if (!camera || !view || !view.videoWidth) return null;
    const canvas = document.createElement('canvas');
    canvas.width = view.videoWidth;
    canvas.height = view.videoHeight;
    canvas.getContext('2d').drawImage(view, 0, 0);
    return canvas.toDataURL('image/jpeg', 0.85).split(',')[1];
  }

  // -- how somebody types, only while they agreed to it ----------------------------------------

  const now = () => (performance.now() - began) / 1000;
  const note = (kind, value) => { if (events.length < 400) events.push({kind, at: now(), value}); };

  function stroke(e) {
    if (!may('behaviour') || e.isComposing || e.key.length > 1 && e.key !== 'Backspace') return;
    const t = now();
    if (!stretch) {
      if (answered) note('delay', Math.max(0, t - answered));
      stretch = {from: t, last: t, typed: 0, deleted: 0};
    } else if (t - stretch.last > 2) {
      close();
      note('pause', t - stretch.last);
      stretch = {from: t, last: t, typed: 0, deleted: 0};
    }
    stretch.last = t;
    if (e.key === 'Backspace') stretch.deleted += 1; else stretch.typed += 1;
  }

  function close() {
    if (!stretch || !stretch.typed) return;
    note('typing', stretch.typed / Math.max(0.2, stretch.last - stretch.from));
    if (stretch.deleted) note('correction', 100 * stretch.deleted / stretch.typed);
  }

  // -- for the page ------------------------------------------------------------------------------

  // What goes with the message that is being sent; called once a message.
  function take() {
    const picture = may('face') ? still() : null;
    const heard = may('speech') ? sound : null;
    discard();
    close();
    stretch = null;
    const typed = may('behaviour') ? events : [];
    events = [];
    answered = now();
    say('');
    if (!heard && !picture && !typed.length) return '';
    return JSON.stringify({
      sound: heard && heard.data, seconds: heard && heard.seconds, picture, events: typed,
    });
  }

  function stop() {
    if (recorder) { recorder.discarded = true; recorder.stop(); }
    discard();
    events = [];
    stretch = null;
    dark();
    say('');
  }

  // A picked beginning stands in the input, to be changed or sent.
  function start(text) {
    const area = box();
    if (!area) return;
    area.value = text;
    area.dispatchEvent(new Event('input', {bubbles: true}));
    area.focus();
  }

  // A consent that was withdrawn takes effect at once.
  function obey() {
    if (!may('speech')) discard();
    if (recorder && !may('speech')) { recorder.discarded = true; recorder.stop(); }
    if (camera && !may('face')) dark();
    if (!may('behaviour')) { events = []; stretch = null; }
  }

  // Whether the recorder and its light are on the screen; in another tab they are not.
  const shown = () => !!at('mic')?.closest('.es-inputs')?.getClientRects().length;

  // Who leaves the tab for counselling leaves microphone and camera too. Nothing is sent: what was
  // recorded until then waits for its owner.
  function left() {
    if (shown()) return;
    if (recorder && recorder.state === 'recording') recorder.stop();
    if (camera) dark();
  }

  function begin() {
    began = performance.now();
    document.documentElement.lang = 'en';
    for (const id of ['es-live', 'el-live', 'es-told', 'es-erased'])
      document.getElementById(id)?.setAttribute('aria-live', 'polite');
    const granted = document.getElementById('es-may');
    if (granted) new MutationObserver(obey).observe(granted, {childList: true, subtree: true});
    const tools = at('mic')?.closest('.es-inputs');
    if (tools) new ResizeObserver(left).observe(tools);
    box()?.focus({preventScroll: true});
  }

  document.addEventListener('click', (e) => {
    const pressed = e.target.closest?.('[data-press]')?.dataset.press;
    if (pressed === 'mic') record();
    if (pressed === 'camera') look();
    if (pressed === 'discard') discard();
    if (pressed === 'start') start(e.target.closest('[data-press]').textContent);
    if (e.target.closest?.('#es-send')) setTimeout(() => box()?.focus(), 0);
    if (e.target.closest?.('#el-send'))
      setTimeout(() => document.querySelector('#el-box textarea')?.focus(), 0);
  });
  document.addEventListener('change', (e) => {
    if (e.target.dataset?.es === 'file') file(e.target);
  });
  // Tabs as people who use keyboards know them.
  function tabs(e) {
    const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
    const list = e.target.closest?.('[role=tablist]');
    if (!step || !list) return;
    const all = [...list.querySelectorAll('[role=tab]')];
    const next = all[(all.indexOf(e.target.closest('[role=tab]')) + step + all.length) % all.length];
    next?.focus();
    next?.click();
    e.preventDefault();
  }

  document.addEventListener('keydown', (e) => {
    if (e.target === box()) stroke(e);
    tabs(e);
  });
  document.addEventListener('visibilitychange', () => {
    if (!may('behaviour')) { away = 0; return; }
    if (document.hidden) away = now();
    else if (away) { note('switch', now() - away); away = 0; }
  });
  window.addEventListener('pagehide', stop);
  return {take, stop, begin};
})();
