// What the server can be asked for: its model, the text of a file as it comes, a live stream.
const Server = (() => {
  "use strict";

  // An error in the server's shape. Three codes are added here: "unreachable", where nobody answered, "lost",
  // where the connection broke off, and "refused", where a WebSocket did not open.
  class ServerError extends Error {
    constructor({code, message = "", retry_after_ms: retryAfterMs = null}) {
      super(message);
      this.name = "ServerError";
      this.code = code;
      this.retryAfterMs = retryAfterMs;
    }
  }

  const KEY = "gigastt-key";
  let key = "";  // asked for by some servers; kept while the tab is open, where the browser allows that
  try {
    key = sessionStorage.getItem(KEY) || "";
  } catch {}

  function useKey(given) {
    key = given;
    try {
      sessionStorage.setItem(KEY, key);
    } catch {}
  }

  const hasKey = () => key !== "";

  const unreachable = () => new ServerError({code: "unreachable"});
  const lost = () => new ServerError({code: "lost"});

  async function model() {
    return (await answered("v1/models")).json();
  }

  // Results of a file, as they come: objects with type "partial" or "final".
  // Of its tracks the one with that number; null: the one that it marks as its default.
  async function* transcribe(file, track, signal) {
    const response = await answered(`v1/transcribe/stream${track ? `?track=${track}` : ""}`, {
      method: "POST",
      headers: {"Content-Type": "application/octet-stream"},
      body: file,
      signal,
    });
    for await (const message of events(response.body)) {
      if (message.type === "error") throw new ServerError(message);
      yield message;
    }
  }

  async function answered(path, options = {}) {
    const headers = {...options.headers, ...(key && {Authorization: `Bearer ${key}`})};
    const response = await translated(fetch(path, {...options, headers}), unreachable);
    if (response.ok) return response;
    const content = await response.json().catch(() => ({}));
    throw new ServerError({code: `http_${response.status}`, message: response.statusText, ...content});
  }

  // Browsers say "TypeError" to every failure of a connection.
  async function translated(promise, meaning) {
    try {
      return await promise;
    } catch (error) {
      throw error instanceof TypeError ? meaning() : error;
    }
  }

  // The objects of server-sent events; each of the server's has one line of data. Other lines are comments.
  async function* events(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const {done, value} = await translated(reader.read(), lost);
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("data:")) yield JSON.parse(line.slice(5));
    }
  }

  // Browsers do not tell why a WebSocket did not open; another request may.
  async function refusal() {
    try {
      await model();
    } catch (error) {
      return error;
    }
    return new ServerError({code: "refused"});
  }

  // One live stream. Audio may be sent at once: it waits here until the server has a place for it.
  class Live {
    // onReady() when the server listens, onResult(result) for each partial and final, and once, when nothing
    // more will come, onEnd(error), with null after an orderly end.
    constructor({sampleRate, onReady, onResult, onEnd}) {
      this.sampleRate = sampleRate;
      this.waiting = [JSON.stringify({type: "configure", sample_rate: sampleRate})];
      this.waitingBytes = 0;
      this.isReady = false;
      this.isStopped = false;
      this.isAborted = false;
      this.failure = null;
      this.handlers = {onReady, onResult, onEnd};
      const url = new URL("v1/ws", location.href);
      url.protocol = url.protocol.replace("http", "ws");
      // A page cannot set the headers of a handshake, but what it offers to speak.
      this.socket = new WebSocket(url, key ? ["bearer", encodeURIComponent(key)] : []);
      this.socket.onmessage = ({data}) => this.hear(JSON.parse(data));
      this.socket.onclose = ({code}) => this.end(code);
    }

    // Seconds of audio that the server has not taken yet.
    get backlogS() {
      return (this.waitingBytes + this.socket.bufferedAmount) / (2 * this.sampleRate);
    }

    // PCM16 samples: an Int16Array, little-endian as on every machine that runs a browser.
    send(frame) {
      if (!this.isStopped) this.say(frame);
    }

    // No more audio comes; the last results do.
    stop() {
      if (this.isStopped) return;
      this.isStopped = true;
      this.say(JSON.stringify({type: "stop"}));
    }

    // Nothing more is wanted: neither results nor onEnd.
    abort() {
      this.isStopped = this.isAborted = true;
      this.socket.onmessage = this.socket.onclose = null;
      this.socket.close();
    }

    say(message) {
      if (this.isReady) {
        if (this.socket.readyState === WebSocket.OPEN) this.socket.send(message);
        return;
      }
      this.waiting.push(message);
      this.waitingBytes += message.byteLength || 0;
    }

    hear(message) {
      if (message.type === "ready") {
        this.isReady = true;
        this.waiting.splice(0).forEach((each) => this.socket.send(each));
        this.waitingBytes = 0;
        this.handlers.onReady(message);
      } else if (message.type === "error") {
        this.failure = new ServerError(message);
        this.stop();  // the server may still have finals to send; after most errors it then closes by itself
      } else {
        this.handlers.onResult(message);
      }
    }

    async end(code) {
      this.isStopped = true;
      const error = this.failure || (await this.meaning(code));
      if (!this.isAborted) this.handlers.onEnd(error);
    }

    // Of a closing code that no error came before.
    async meaning(code) {
      if (code === 1000) return null;
      if (code === 1001) return new ServerError({code: "pool_closed"});
      if (code !== 1006) return new ServerError({code: `closed_${code}`});
      return this.isReady ? lost() : refusal();
    }
  }

  return {model, transcribe, useKey, hasKey, Live, Error: ServerError};
})();
