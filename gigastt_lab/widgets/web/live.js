// The recordings of one widget: from the microphone to the kernel, and the text that comes back. It knows no page: views
// listen to its events, as many of them as show the widget.
//   change   the phase, a number, an error: read them again
//   level    detail {peak, rms} of the newest frame
//   result   detail {kind, words, stable}
//   reset    everything is new: read `utterances` and `partial`
const Live = (() => {
  "use strict";

  const TICK_MS = 500;
  const BUSY_S = 2;  // so much may wait before it is worth a word
  const MUTED_S = 3;  // so long digital silence from the start is no pause
  const IN_VS_CODE = location.protocol === "vscode-webview:" || location.hostname.endsWith(".vscode-cdn.net");

  const seconds = (s) => `${Math.round(s)} с`;

  // One recording. Positions are samples.
  class Recording {
    constructor() {
      this.id = `${Date.now()}-${Math.random()}`;  // one that no other front end of this kernel has
      this.microphone = null;
      this.frames = [];  // heard before it was known how many a second they are
      this.nSent = this.nReceived = this.nRecognised = 0;
      this.workS = 0;
      this.peak = 0;
    }

    toS(nSamples) {
      return this.microphone ? nSamples / this.microphone.sampleRate : 0;
    }

    get durationS() {
      return this.toS(this.nSent);
    }

    // Seconds that the kernel has not taken yet, and seconds that it has and has not recognised.
    get unheardS() {
      return this.toS(this.nSent - this.nReceived);
    }

    get unrecognisedS() {
      return this.toS(this.nReceived - this.nRecognised);
    }

    get waitS() {
      return this.unheardS + this.unrecognisedS;
    }
  }

  class Live extends EventTarget {
    constructor(model) {
      super();
      this.model = model;
      this.phase = "idle";  // opening, recording, finishing
      this.recording = null;
      this.problem = null;  // {text, detail, link}
      this.forgotten = new Set();  // ids of recordings that were cleared
      this.reset({utterances: [], partial: null, seconds: 0});
      this.onMessage = (message) => this.hear(message);
      model.on("msg:custom", this.onMessage);
      this.send({type: "hello"});
    }

    // The widget is gone.
    close() {
      this.model.off("msg:custom", this.onMessage);
      this.recording?.microphone?.stop();
      this.recording = null;
      this.enter("idle");
    }

    get elapsedS() {
      return this.beforeS + (this.recording?.durationS ?? 0);
    }

    // A word on what the user may wonder about.
    get notice() {
      const {recording} = this;
      if (!recording || this.phase === "opening") return "";
      if (recording.unheardS > BUSY_S) {
        return `Ядро занято, ждёт ${seconds(recording.unheardS)} звука; ничего не теряется.`;
      }
      if (recording.unrecognisedS > BUSY_S) {
        return `Распознавание отстаёт на ${seconds(recording.unrecognisedS)}.`;
      }
      if (!recording.peak && recording.durationS > MUTED_S) return "Сигнала нет: возможно, микрофон выключен.";
      return "";
    }

    async start(deviceId) {
      if (this.phase !== "idle") return;
      const recording = (this.recording = new Recording());
      this.problem = this.rtf = null;
      this.enter("opening");
      let microphone;
      try {
        microphone = await Capture.start({
          deviceId,
          onFrame: (frame) => this.take(recording, frame),
          onLevel: (level) => this.measure(recording, level),
          onLost: (error) => this.stop(this.problemOf(error)),
        });
      } catch (error) {
        if (this.recording === recording) this.end(this.problemOf(error));
        return;
      }
      if (this.recording !== recording) {  // called off while the browser asked
        microphone.stop();
        return;
      }
      recording.microphone = microphone;
      this.enter("recording");
      recording.frames.splice(0).forEach((frame) => this.sendFrame(recording, frame));
    }

    // No more is recorded; what was is still recognised. The problem is why.
    async stop(problem = null) {
      if (this.phase !== "recording") return;
      const {recording} = this, {microphone} = recording;
      this.problem = problem;
      this.enter("finishing");
      await microphone.stop();
      const {id, nSent} = recording;
      if (nSent) this.send({type: "stop", recording: id, n_samples: nSent, sample_rate: microphone.sampleRate});
      else if (this.recording === recording) this.end(problem);
    }

    // What the button does in each phase.
    press(deviceId) {
      if (this.phase === "idle") this.start(deviceId);
      else if (this.phase === "recording") this.stop();
      else this.abandon();
    }

    abandon() {
      const {recording} = this;
      if (this.phase === "finishing") this.send({type: "abandon", recording: recording.id});
      recording?.microphone?.stop();
      this.beforeS += recording.durationS;
      this.dispatch("unfinished");
      this.end(null);
    }

    clear() {
      this.send({type: "clear", recording: this.recording?.id ?? null});
      this.forget();
    }

    forget() {
      if (this.recording) this.forgotten.add(this.recording.id);
      this.recording?.microphone?.stop();
      this.reset({utterances: [], partial: null, seconds: 0});
      this.end(null);
    }

    end(problem) {
      this.recording = null;
      this.problem = problem;
      this.enter("idle");
      this.dispatch("level", {peak: 0, rms: 0});
    }

    enter(phase) {
      this.phase = phase;
      clearInterval(this.timer);
      // What waits is worth a look when nothing comes, too.
      if (phase === "finishing") this.timer = setInterval(() => this.dispatch("change"), TICK_MS);
      this.dispatch("change");
    }

    // -- audio --------------------------------------------------------------------------------------------

    take(recording, frame) {
      if (recording !== this.recording) return;
      if (!recording.microphone) recording.frames.push(frame);
      else this.sendFrame(recording, frame);
    }

    // The buffer is handed on: nothing of the audio is kept here.
    sendFrame(recording, frame) {
      const {id, nSent: at, microphone} = recording;
      recording.nSent += frame.length;
      const {sampleRate} = microphone;
      this.send({type: "frame", recording: id, at, sample_rate: sampleRate}, [frame.buffer]);
      if (this.phase === "recording") this.keepLimits(recording);
      this.dispatch("change");
    }

    keepLimits(recording) {
      if (recording.waitS > this.model.get("_max_backlog_s")) {
        const isBusy = recording.unheardS > recording.unrecognisedS;
        this.stop({
          text: isBusy
            ? `Запись остановлена: ядро занято, и уже ${seconds(recording.waitS)} звука ждёт его.`
            : `Запись остановлена: распознавание отстало на ${seconds(recording.waitS)}.`,
          detail: isBusy
            ? "Записанное дойдёт, когда ячейка закончится. Если ядро перезапущено, выполните ячейку ещё раз."
            : "Записанное сохранено. Для этой машины лучше options=\"low-latency\" или модель поменьше.",
        });
      } else if (recording.durationS >= this.model.get("_max_duration_s")) {
        this.stop({text: `Запись остановлена: ${seconds(recording.durationS)}, больше нельзя (max_duration_s).`});
      }
    }

    measure(recording, level) {
      if (recording !== this.recording) return;
      recording.peak = Math.max(recording.peak, level.peak);
      this.dispatch("level", level);
    }

    // -- the kernel ---------------------------------------------------------------------------------------

    send(content, buffers) {
      try {
        this.model.send(content, undefined, buffers);
      } catch {  // the kernel is gone, and this widget with it
        this.recording?.microphone?.stop();
        this.beforeS = this.elapsedS;
        this.end({
          text: "Ядро больше не отвечает этому виджету.",
          detail: "Если оно перезапущено, выполните ячейку ещё раз.",
        });
      }
    }

    hear(message) {
      if (this.forgotten.has(message.recording)) return;
      if (message.type === "state") this.reset(message);
      else if (message.type === "progress") this.advance(message);
      else if (message.type === "result") this.show(message.result);
      else if (message.type === "ended") this.finish(message);
      else if (message.type === "cleared") this.forget();
      else if (message.type === "stop") this.obey(message);
    }

    reset({utterances, partial, seconds: beforeS}) {
      this.utterances = utterances;
      this.partial = partial;
      this.beforeS = beforeS;
      this.rtf = null;  // seconds of work for a second of audio, of the newest recording
      this.dispatch("reset");
      this.dispatch("change");
    }

    advance({recording: id, n_received: nReceived, n_recognised: nRecognised, work_s: workS}) {
      const {recording} = this;
      if (recording?.id !== id) return;
      // They come from two threads, not always in order.
      recording.nReceived = Math.max(recording.nReceived, nReceived);
      recording.nRecognised = Math.max(recording.nRecognised, nRecognised);
      recording.workS = Math.max(recording.workS, workS);
      if (recording.nRecognised) this.rtf = recording.workS / recording.toS(recording.nRecognised);
      this.dispatch("change");
    }

    show(result) {
      if (result.kind === "final") {
        this.partial = null;
        if (result.words.length) this.utterances.push(result.words);
      } else {
        this.partial = result;
      }
      this.dispatch("result", result);
    }

    finish({recording: id, error, seconds: beforeS}) {
      const {recording} = this;
      if (recording && recording.id !== id) return;
      const problem = error ? {text: "Распознавание прервалось; запись сохранена.", detail: error} : this.problem;
      if (this.phase === "recording") {
        this.stop(problem);  // the kernel says once more that it has ended, when it has all of the audio
      } else if (recording) {
        this.partial = null;
        this.dispatch("unfinished");
        this.beforeS = beforeS;
        this.end(problem);
      }
    }

    // Python asks to stop.
    obey({recording: id}) {
      if (this.recording?.id === id || id === null) {
        if (this.phase === "opening") this.abandon();
        else this.stop();
      } else {  // begun by a page that is gone: no more of it comes
        this.send({type: "stop", recording: id, n_samples: null});
      }
    }

    problemOf(error) {
      if (!(error instanceof Capture.Error)) return {text: "Ошибка виджета.", detail: String(error)};
      const told = CaptureMessages.of(error);
      if (error.kind !== "policy" && !(error.kind === "denied" && IN_VS_CODE)) return told;
      return {
        text: "Эта среда не даёт блокнотам микрофон: так поступает VS Code.",
        link: {
          before: "Говорить можно на странице сервера: ",
          url: this.model.get("_server_url"),
          command: "python -m gigastt_lab.serve",
          after: "Или откройте блокнот в JupyterLab.",
        },
      };
    }

    dispatch(name, detail) {
      this.dispatchEvent(new CustomEvent(name, {detail}));
    }
  }

  return {Live};
})();
