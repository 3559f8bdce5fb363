// Microphone capture: PCM16 frames of 100 ms, mono, with their level. It knows neither a page nor a server: the
// server's page and the notebook's widget share it.
//
//   const microphone = await Capture.start({onFrame: (frame) => socket.send(frame.buffer)});
//   ... microphone.sampleRate, microphone.label ...
//   await microphone.stop();  // the last, shorter frame comes before this returns
const Capture = (() => {
  "use strict";

  const FRAME_S = 0.1;
  const RATES = [8000, 16000, 24000, 44100, 48000];
  const FALLBACK_RATE = 48000;
  const DEFAULTS = ["", "default", "communications"];  // Chromium lists the default device twice more, as these
  const LAST_FRAME_MS = 500;  // longest wait for it; a context that the browser suspended never sends it

  // What the audio thread runs. It is given as text, so that it needs no file of its own.
  const WORKLET = `
    registerProcessor("frames", class extends AudioWorkletProcessor {
      constructor({processorOptions}) {
        super();
        this.size = processorOptions.size;
        this.begin();
        this.isOpen = true;
        this.port.onmessage = () => {
          this.isOpen = false;
          if (this.filled) this.send();
          this.port.postMessage(null);
        };
      }
      begin() {
        this.frame = new Int16Array(this.size);
        this.filled = this.peak = this.power = 0;
      }
      send() {
        const frame = this.frame.slice(0, this.filled), rms = Math.sqrt(this.power / this.filled);
        this.port.postMessage({frame, peak: this.peak, rms}, [frame.buffer]);
        this.begin();
      }
      process([[samples = []]]) {
        for (const sample of this.isOpen ? samples : []) {
          this.frame[this.filled++] = Math.max(-32768, Math.min(32767, Math.round(32768 * sample)));
          this.peak = Math.max(this.peak, Math.abs(sample));
          this.power += sample * sample;
          if (this.filled === this.size) this.send();
        }
        return this.isOpen;
      }
    });`;

  // "kind" says what went wrong: one of
  //   insecure     the page came over plain HTTP from another machine: browsers then hide the microphone
  //   unsupported  the browser cannot do it
  //   policy       what the page is shown in forbids it, whatever the user may want: VS Code does so to notebooks
  //   denied       the user forbids it
  //   missing      there is no microphone, or the chosen one is gone
  //   busy         another program holds it, or it fails
  //   lost         it went away while it was used
  //   failed       anything else; "cause" has it
  class CaptureError extends Error {
    constructor(kind, cause) {
      super(`microphone: ${kind}${cause ? ` (${cause.message || cause.name})` : ""}`, {cause});
      this.name = "CaptureError";
      this.kind = kind;
    }
  }

  const KINDS = {
    NotAllowedError: "denied",
    SecurityError: "denied",
    NotFoundError: "missing",
    OverconstrainedError: "missing",
    NotReadableError: "busy",
    AbortError: "busy",
  };

  function check() {
    if (!window.isSecureContext) throw new CaptureError("insecure");
    const canCapture = navigator.mediaDevices?.getUserMedia && window.AudioWorkletNode;
    if (!canCapture) throw new CaptureError("unsupported");
    // Only Chromium, which VS Code is made of, tells this; elsewhere it comes as "denied".
    if (document.featurePolicy?.allowsFeature("microphone") === false) throw new CaptureError("policy");
  }

  // Microphones as [{id, label}], without the default one, which needs no id. Before the user has allowed one,
  // browsers tell neither ids nor labels: then the list is empty.
  async function devices() {
    if (!navigator.mediaDevices?.enumerateDevices) return [];
    const all = await navigator.mediaDevices.enumerateDevices();
    return all
      .filter(({kind, deviceId, label}) => kind === "audioinput" && label && !DEFAULTS.includes(deviceId))
      .map(({deviceId, label}) => ({id: deviceId, label}));
  }

  // Opens a microphone. Browsers want this to follow from something that the user did, as a click.
  //   deviceId  of devices(); else the browser's default
  //   onFrame   called with an Int16Array, whose buffer is the caller's to keep or hand on
  //   onLevel   called with {peak, rms}, both 0 to 1, of each frame
  //   onLost    called with an error when the device goes away, or the user takes the permission back
  async function start({deviceId = "", onFrame, onLevel = () => {}, onLost = () => {}}) {
    check();
    let stream, context;
    try {
      stream = await navigator.mediaDevices.getUserMedia({audio: constraints(deviceId)});
      context = await contextOf();
      return await run(stream, context, {onFrame, onLevel, onLost});
    } catch (error) {
      release(stream, context);
      throw error instanceof CaptureError ? error : new CaptureError(KINDS[error.name] || "failed", error);
    }
  }

  // Browsers clean audio up for calls. That costs soft beginnings of words, so the recogniser gets it as it is.
  function constraints(deviceId) {
    return {
      ...(deviceId && {deviceId: {exact: deviceId}}),
      channelCount: 1,
      echoCancellation: false,
      noiseSuppression: false,
      autoGainControl: false,
    };
  }

  // At the hardware's own rate, as nothing is then resampled here; at another one where nobody knows that rate.
  async function contextOf() {
    const own = new AudioContext({latencyHint: "balanced"});
    if (RATES.includes(own.sampleRate)) return own;
    await own.close();
    return new AudioContext({latencyHint: "balanced", sampleRate: FALLBACK_RATE});
  }

  async function run(stream, context, {onFrame, onLevel, onLost}) {
    const url = URL.createObjectURL(new Blob([WORKLET], {type: "text/javascript"}));
    try {
      await context.audioWorklet.addModule(url);
    } finally {
      URL.revokeObjectURL(url);
    }
    const node = new AudioWorkletNode(context, "frames", {
      channelCount: 1,
      channelCountMode: "explicit",  // the browser mixes whatever the device has to mono
      processorOptions: {size: Math.round(FRAME_S * context.sampleRate)},
    });
    const flushed = new Promise((resolve) => {
      node.port.onmessage = ({data}) => {
        if (!data) return resolve();
        onFrame(data.frame);
        onLevel({peak: data.peak, rms: data.rms});
      };
    });
    const [track] = stream.getAudioTracks();
    // Not fired by our own track.stop().
    track.addEventListener("ended", () => onLost(new CaptureError("lost")));
    const source = context.createMediaStreamSource(stream);
    source.connect(node);
    node.connect(context.destination);  // it puts out silence; but some browsers run only what leads there
    await context.resume();

    let stopped = null;
    return {
      sampleRate: context.sampleRate,
      deviceId: track.getSettings().deviceId || "",
      label: track.label,
      stop: () => (stopped ??= stop()),
    };

    async function stop() {
      node.port.postMessage("stop");
      await Promise.race([flushed, new Promise((resolve) => setTimeout(resolve, LAST_FRAME_MS))]);
      source.disconnect();  // named up to here: a source that nothing refers to may be collected while it runs
      release(stream, context);
    }
  }

  function release(stream, context) {
    stream?.getTracks().forEach((track) => track.stop());
    if (context && context.state !== "closed") context.close();
  }

  return {start, devices, Error: CaptureError};
})();
