// Speaking: from the microphone through a live stream to text.
(() => {
  "use strict";

  const PHASES = {
    idle: {label: "Говорить"},
    opening: {label: "Отменить", status: "Открываю микрофон: браузер может спросить разрешения."},
    waiting: {label: "Отменить", status: "Жду сервер. Запись уже идёт."},
    listening: {label: "Остановить", status: "Слушаю."},
    finishing: {label: "Не ждать", status: "Дослушиваю…"},
  };
  const METER_DB = 60;  // from silence to full scale
  const BACKLOG_S = 2;  // so much may wait before it is worth a word
  const MUTED_S = 3;  // so long digital silence from the start is no pause

  const {byId} = Page;
  let talk = null;  // what is under way

  class Talk {
    constructor() {
      this.frames = [];
      this.nSamples = 0;
      this.peak = 0;
      this.microphone = null;
      this.live = null;
      this.failure = null;  // of the microphone
      this.isOver = false;
      this.enter("opening");
    }

    get seconds() {
      return this.microphone ? this.nSamples / this.microphone.sampleRate : 0;
    }

    async run() {
      try {
        const microphone = await Capture.start({
          deviceId: byId("device").value,
          onFrame: (frame) => this.take(frame),
          onLevel: (level) => this.hear(level),
          onLost: (error) => this.lose(error),
        });
        if (this.isOver) {  // called off while the browser asked
          microphone.stop();
          return;
        }
        this.microphone = microphone;
      } catch (error) {
        this.end(error);
        return;
      }
      listDevices();
      this.connect();
    }

    connect() {
      this.enter("waiting");
      this.live = new Server.Live({
        sampleRate: this.microphone.sampleRate,
        onReady: () => this.phase === "waiting" && this.enter("listening"),
        onResult: Page.show,
        onEnd: (error) => this.end(error),
      });
      this.frames.forEach((frame) => this.live.send(frame));
    }

    take(frame) {
      if (this.isOver) return;
      this.frames.push(frame);
      this.nSamples += frame.length;
      this.live?.send(frame);
      byId("elapsed").textContent = Page.clock(this.seconds);
      this.note();
    }

    async stop() {
      this.enter("finishing");
      await this.microphone.stop();
      this.live.stop();
    }

    // The microphone is gone; what it heard is still worth its finals.
    lose(error) {
      this.failure = error;
      if (this.phase === "listening") this.stop();
      else if (this.phase !== "finishing") this.end(error);
    }

    // What the button does now.
    press() {
      if (this.phase === "listening") this.stop();
      else this.end(null);
    }

    end(error) {
      if (this.isOver) return;
      this.isOver = true;
      this.live?.abort();
      this.microphone?.stop();
      if (this.nSamples && this.microphone) Page.record(wav(this.frames, this.microphone.sampleRate));
      talk = null;
      this.enter("idle");
      showLevel({peak: 0, rms: 0});
      byId("note").textContent = "";
      Page.end(this.seconds, error ?? this.failure, begin);
    }

    enter(phase) {
      this.phase = phase;
      byId("talk").textContent = PHASES[phase].label;
      if (PHASES[phase].status) Page.say(PHASES[phase].status);
    }

    // A word on what the user can do something about.
    note() {
      const backlogS = this.phase === "waiting" ? 0 : this.live?.backlogS ?? 0;
      let text = "";
      if (backlogS > BACKLOG_S) text = `Сервер не успевает: ждёт ${Math.round(backlogS)} с звука.`;
      else if (!this.peak && this.seconds > MUTED_S) text = "Сигнала нет: возможно, микрофон выключен.";
      if (byId("note").textContent !== text) byId("note").textContent = text;
    }

    hear(level) {
      if (this.isOver) return;
      this.peak = Math.max(this.peak, level.peak);
      showLevel(level);
    }
  }

  function showLevel({peak, rms}) {
    byId("level").style.transform = `scaleX(${onMeter(rms)})`;
    byId("peak").style.left = `${100 * onMeter(peak)}%`;
    byId("peak").hidden = !peak;
    byId("meter").classList.toggle("clipped", peak >= 0.99);
  }

  function onMeter(amplitude) {
    return Math.max(0, 1 + (20 * Math.log10(amplitude || 1e-9)) / METER_DB);
  }

  function begin() {
    const now = new Date();
    const name = new Date(now - 60_000 * now.getTimezoneOffset()).toISOString().slice(0, 19);
    if (!Page.begin("microphone", `запись-${name.replaceAll(":", "-")}`)) return;
    talk = new Talk();
    talk.run();
  }

  // What was said as a WAV file, to listen to.
  function wav(frames, sampleRate) {
    const nBytes = frames.reduce((sum, frame) => sum + frame.byteLength, 0);
    const header = new DataView(new ArrayBuffer(44));
    const tag = (at, text) => [...text].forEach((letter, i) => header.setUint8(at + i, letter.charCodeAt(0)));
    tag(0, "RIFF");
    header.setUint32(4, 36 + nBytes, true);
    tag(8, "WAVEfmt ");
    header.setUint32(16, 16, true);  // bytes of this chunk
    header.setUint16(20, 1, true);  // PCM
    header.setUint16(22, 1, true);  // mono
    header.setUint32(24, sampleRate, true);
    header.setUint32(28, 2 * sampleRate, true);
    header.setUint16(32, 2, true);  // bytes a frame
    header.setUint16(34, 16, true);  // bits a sample
    tag(36, "data");
    header.setUint32(40, nBytes, true);
    return new Blob([header, ...frames], {type: "audio/wav"});
  }

  async function listDevices() {
    const select = byId("device"), chosen = select.value;
    const listed = await Capture.devices();
    const options = listed.map(({id, label}) => new Option(label, id));
    select.replaceChildren(new Option("По умолчанию", ""), ...options);
    if (listed.some(({id}) => id === chosen)) select.value = chosen;
  }

  byId("talk").addEventListener("click", () => (talk ? talk.press() : begin()));
  navigator.mediaDevices?.addEventListener?.("devicechange", listDevices);
  addEventListener("beforeunload", (event) => talk && event.preventDefault());
  listDevices();
})();
