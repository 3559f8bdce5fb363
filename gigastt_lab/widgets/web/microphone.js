// The view of a live microphone: a button, a meter, a list of devices, numbers, text.
const MicrophoneView = (() => {
  "use strict";

  const {element, clock} = Transcript;
  const PHASES = {
    idle: {label: "Говорить", status: ""},
    opening: {label: "Отменить", status: "Открываю микрофон: браузер может спросить разрешения."},
    recording: {label: "Остановить", status: "Слушаю."},
    finishing: {label: "Не ждать", status: "Дослушиваю…"},
  };
  const METER_DB = 60;  // from silence to full scale
  const DEFAULT_DEVICE = "Микрофон по умолчанию";
  const ratio = new Intl.NumberFormat("ru", {minimumFractionDigits: 2, maximumFractionDigits: 2});

  // Shows the recordings in `el` until the signal says that it is gone.
  function show(live, el, signal) {
    const root = Panel.frame(el, "microphone");
    root.setAttribute("aria-label", "Микрофон с распознаванием речи");
    const parts = build(root, live);
    const problem = Panel.problem(root);
    const view = Panel.text(root, {empty: "Нажмите «Говорить» и скажите что-нибудь по-русски."});

    function update() {
      const {phase, notice} = live;
      root.dataset.phase = phase;
      parts.talk.textContent = PHASES[phase].label;
      parts.devices.disabled = phase !== "idle";
      parts.elapsed.textContent = clock(live.elapsedS);
      parts.rtf.textContent = live.rtf === null ? "" : `RTF ${ratio.format(live.rtf)}`;
      parts.clear.disabled = view.isEmpty && !live.elapsedS;
      say(parts.status, notice || PHASES[phase].status);
      parts.status.classList.toggle("notice", Boolean(notice));
      problem(live.problem);
    }

    function reset() {
      view.clear();
      for (const words of live.utterances) view.show({type: "final", words});
      if (live.partial) view.show({type: "partial", ...live.partial});
    }

    const on = (name, handle) => live.addEventListener(name, handle, {signal});
    on("change", update);
    on("reset", reset);
    on("result", ({detail}) => view.show({type: detail.kind, ...detail}));
    on("unfinished", () => view.finish());
    on("level", ({detail}) => showLevel(parts, detail));
    on("change", () => live.phase === "recording" && !parts.areListed && listDevices());

    async function listDevices() {
      parts.areListed = live.phase === "recording";  // before, the browser may not have told them
      const chosen = parts.devices.value, listed = await Capture.devices();
      const options = listed.map(({id, label}) => new Option(label, id));
      parts.devices.replaceChildren(new Option(DEFAULT_DEVICE, ""), ...options);
      if (listed.some(({id}) => id === chosen)) parts.devices.value = chosen;
    }

    navigator.mediaDevices?.addEventListener?.("devicechange", listDevices, {signal});
    reset();
    update();
    listDevices();
  }

  function build(root, live) {
    const devices = element("select", "devices", new Option(DEFAULT_DEVICE, ""));
    devices.setAttribute("aria-label", "Устройство");
    const talk = Panel.button("", "talk", () => live.press(devices.value));
    const elapsed = element("output", "elapsed");
    elapsed.setAttribute("aria-label", "Длительность записи");
    elapsed.setAttribute("aria-live", "off");
    const rtf = element("span", "rtf");
    rtf.title = "Секунд работы на секунду звука: меньше 1 — быстрее речи";
    const level = element("i", "level"), peak = element("b", "peak");
    const meter = element("div", "meter", level, peak);
    meter.setAttribute("aria-hidden", "true");
    const clear = Panel.button("Очистить", "clear", () => live.clear());
    const status = element("p", "status");
    status.setAttribute("role", "status");
    root.append(
      element("div", "line", talk, elapsed, meter, rtf),
      element("div", "line", devices, status, clear));
    return {talk, devices, elapsed, rtf, meter, level, peak, clear, status};
  }

  // A screen reader says it again whenever it is written.
  function say(shown, text) {
    if (shown.textContent !== text) shown.textContent = text;
  }

  function showLevel({meter, level, peak}, measured) {
    level.style.transform = `scaleX(${onMeter(measured.rms)})`;
    peak.style.left = `${100 * onMeter(measured.peak)}%`;
    peak.hidden = !measured.peak;
    meter.classList.toggle("clipped", measured.peak >= 0.99);
  }

  function onMeter(amplitude) {
    return Math.max(0, 1 + (20 * Math.log10(amplitude || 1e-9)) / METER_DB);
  }

  return {show};
})();

// One of these for each widget: its views, as many as show it, share what is recorded.
export default () => {
  let live;
  return {
    initialize({model}) {
      live = new Live.Live(model);
      return () => live.close();
    },
    render({el}) {
      const gone = new AbortController();
      MicrophoneView.show(live, el, gone.signal);
      return () => gone.abort();
    },
  };
};
