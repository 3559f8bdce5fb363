// Streams a WAV file, or raw PCM16 from stdin, to the server, and prints what it hears.
//
//   Bun:                       bun client.mts recording.wav
//   Node 22.18, 24 and newer:  node client.mts recording.wav
//   Node 20:                   npm install ws tsx && npx tsx client.mts recording.wav
//
//   node client.mts --real-time recording.wav
//   arecord -q -t raw -f S16_LE -r 16000 -c 1 | node client.mts --rate 16000 -
//
// Options: --url ws://127.0.0.1:9876/v1/ws, --rate 16000 (of raw PCM16), --real-time, --tries 5.
// Finals go to stdout, a line each. Partials go to stderr, on one line that is written anew. Ctrl-C ends the audio,
// not the program: what was said so far still becomes a final. Where a proxy asks for a password, the variable
// STT_AUTHORIZATION holds the Authorization header: "Bearer ...", "Basic ...". Exit codes: 0 all was heard, 1 it was
// not, 2 usage.

import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";

const FRAME_S = 0.1; // of audio in one message
const READY_TIMEOUT_MS = 120_000; // a full server answers after its own, shorter timeout; this is for one that hangs
const LONGEST_WAIT_MS = 60_000; // between two tries, whatever the server asks for
const MAX_BUFFERED = 1 << 20; // bytes that may wait in this process for the network

type Message = {
  type: "ready" | "partial" | "final" | "error";
  text?: string;
  supported_rates?: number[];
  code?: string;
  message?: string;
  retry_after_ms?: number;
};

/** Why there is no text, or not all of it. */
class Failed extends Error {}

/** The server is full, or asked too often; it said when to come again. */
class Busy extends Error {
  waitMs: number;
  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.waitMs = Math.min(retryAfterMs, LONGEST_WAIT_MS);
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

// Node has a WebSocket of its own from version 22 on; Bun has one, too. The name is a variable so that type checkers
// do not ask for the types of a package that may not be needed.
const packageName = "ws";
const Socket: typeof WebSocket = globalThis.WebSocket ?? (await import(packageName)).WebSocket;

// Outside of browsers, a WebSocket takes headers. The types of the DOM do not know that.
const secret = process.env.STT_AUTHORIZATION;
const headers: Record<string, string> = secret ? { Authorization: secret } : {};

/** A WebSocket whose messages are asked for, one after the other. */
class Connection {
  socket: WebSocket;
  close = { code: 0, reason: "" };
  private messages: Message[] = [];
  private isClosed = false;
  private wake: () => void = () => {};

  constructor(url: string) {
    this.socket = new Socket(url, { headers } as unknown as string[]);
    this.socket.addEventListener("message", (event) => {
      this.messages.push(JSON.parse(String(event.data)));
      this.wake();
    });
    this.socket.addEventListener("close", (event) => {
      this.close = { code: event.code, reason: event.reason };
      this.isClosed = true;
      this.wake();
    });
    this.socket.addEventListener("error", () => {}); // "close" follows, and says more
  }

  /** The next message; null at the end of the connection. */
  async next(): Promise<Message | null> {
    while (this.messages.length === 0) {
      if (this.isClosed) return null;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
    return this.messages.shift()!;
  }

  /** Send, unless the connection has ended: then `next` says so. Waits while the network is slower than we are. */
  async send(data: string | Uint8Array): Promise<void> {
    while (this.socket.readyState === Socket.OPEN && this.socket.bufferedAmount > MAX_BUFFERED) await sleep(20);
    if (this.socket.readyState === Socket.OPEN) this.socket.send(data as string);
  }
}

/** The rate and the samples of a WAV file. */
function readWav(name: string): { rate: number; pcm: Buffer } {
  let file: Buffer;
  try {
    file = readFileSync(name);
  } catch (error) {
    throw new Failed(`${name} cannot be read: ${(error as Error).message}`);
  }
  if (file.toString("latin1", 0, 4) !== "RIFF" || file.toString("latin1", 8, 12) !== "WAVE") {
    throw new Failed(`${name} is no WAV file`);
  }
  let format: { coding: number; channels: number; rate: number; bits: number } | undefined;
  for (let at = 12; at + 8 <= file.length; ) {
    const name_ = file.toString("latin1", at, at + 4);
    const size = file.readUInt32LE(at + 4);
    const body = file.subarray(at + 8, at + 8 + size);
    if (name_ === "fmt " && body.length >= 16) {
      const coding = body.readUInt16LE(0);
      format = {
        coding: coding === 0xfffe && body.length >= 26 ? body.readUInt16LE(24) : coding, // WAVE_FORMAT_EXTENSIBLE
        channels: body.readUInt16LE(2),
        rate: body.readUInt32LE(4),
        bits: body.readUInt16LE(14),
      };
    } else if (name_ === "data") {
      if (!format || format.coding !== 1 || format.channels !== 1 || format.bits !== 16) {
        throw new Failed(
          `${name} is not mono PCM of 16 bit; convert it: ffmpeg -i ${name} -ar 16000 -ac 1 -c:a pcm_s16le mono.wav`,
        );
      }
      return { rate: format.rate, pcm: body };
    }
    at += 8 + size + (size % 2); // chunks are padded to even sizes
  }
  throw new Failed(`${name} has no samples`);
}

/** Audio in pieces of a tenth of a second; of a pipe, also in smaller ones. */
async function* frames(audio: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, rate: number) {
  const size = 2 * Math.round(rate * FRAME_S);
  for await (const block of audio) {
    for (let at = 0; at < block.length; at += size) yield block.subarray(at, at + size);
  }
}

/** What a refusal says: its JSON has `code`, `message` and perhaps `retry_after_ms`. */
function refusal(told: Message): Error {
  const message = `${told.code}: ${told.message}`;
  return told.retry_after_ms === undefined ? new Failed(message) : new Busy(message, told.retry_after_ms);
}

/** Why a handshake failed. A browser's WebSocket does not tell, so the same address is asked again by plain HTTP. */
async function reason(url: string): Promise<Error> {
  let answer: Response;
  try {
    answer = await fetch(url.replace(/^ws/, "http"), { headers });
  } catch (error) {
    const { message, cause } = error as Error;
    return new Failed(`cannot connect to ${url}: ${(cause as Error | undefined)?.message ?? message}`);
  }
  try {
    const told = JSON.parse(await answer.text()) as Message;
    if (told.code === "upgrade_required") return new Failed(`${url} does not take the WebSocket handshake`);
    if (told.code) return refusal(told);
  } catch {
    // No JSON: it is not the server's own answer.
  }
  return new Failed(`${url} is no WebSocket: it answers with HTTP ${answer.status}`);
}

/** A connection that is ready for audio of this rate. */
async function open(url: string, rate: number): Promise<Connection> {
  let connection: Connection;
  try {
    connection = new Connection(url);
  } catch (error) {
    throw new Failed(`cannot connect to ${url}: ${(error as Error).message}`);
  }
  const timer = setTimeout(() => connection.socket.close(), READY_TIMEOUT_MS);
  const ready = await connection.next(); // comes when there is a place for us
  clearTimeout(timer);
  if (ready === null) throw await reason(url);
  if (ready.type === "error") {
    connection.socket.close();
    throw refusal(ready);
  }
  if (!ready.supported_rates!.includes(rate)) {
    connection.socket.close();
    throw new Failed(`the server takes ${ready.supported_rates!.join(", ")} Hz, and this audio has ${rate} Hz`);
  }
  await connection.send(JSON.stringify({ type: "configure", sample_rate: rate }));
  return connection;
}

/** The same; where the server is busy, after some waiting. */
async function openSession(url: string, rate: number, tries: number): Promise<Connection> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await open(url, rate);
    } catch (error) {
      if (!(error instanceof Busy)) throw error;
      if (attempt >= tries) throw new Failed(`${error.message} (${tries} tries)`);
      console.error(`${error.message} (try ${attempt + 1} of ${tries} in ${error.waitMs / 1000} s)`);
      await sleep(error.waitMs);
    }
  }
}

/** Write the line of partials anew; where stderr is no terminal, write a line for each. */
function showPartial(text: string): void {
  if (!process.stderr.isTTY) {
    if (text) process.stderr.write(`... ${text}\n`);
    return;
  }
  const shown = text.slice(1 - (process.stderr.columns || 80)); // a line that wraps could not be taken back
  process.stderr.write(`\r\x1b[K${shown}`);
}

/** Send audio until it ends, or `isOver` says so; then `stop`. */
async function sendAll(
  connection: Connection,
  audio: AsyncIterable<Uint8Array>,
  paced: boolean,
  isOver: () => boolean,
): Promise<void> {
  const started = performance.now();
  let sentS = 0;
  for await (const frame of audio) {
    if (paced) await sleep(Math.max(0, started + 1000 * sentS - performance.now()));
    if (isOver()) break;
    await connection.send(frame);
    sentS += FRAME_S;
  }
  await connection.send(JSON.stringify({ type: "stop" }));
}

/** Print what comes until the server closes. */
async function printAll(connection: Connection, onError: () => void): Promise<void> {
  let failure: Failed | undefined;
  for (let message; (message = await connection.next()) !== null; ) {
    if (message.type === "partial") {
      showPartial(message.text!);
    } else if (message.type === "final") {
      showPartial("");
      if (message.text) console.log(message.text); // the last one may be empty: nothing was left to say
    } else if (message.type === "error") {
      failure ??= new Failed(`${message.code}: ${message.message}`);
      onError();
      // After some errors the server closes by itself, after others it would go on. We do not; what was heard
      // before still comes as a final.
      await connection.send(JSON.stringify({ type: "stop" }));
    }
  }
  const { code, reason } = connection.close;
  if (failure) throw failure;
  if (code === 1001) throw new Failed("the server shut down; the text ends where it did");
  if (code !== 1000) throw new Failed(`the connection broke off (${code} ${reason})`);
}

function parseOptions() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        url: { type: "string", default: "ws://127.0.0.1:9876/v1/ws" },
        rate: { type: "string", default: "16000" },
        "real-time": { type: "boolean", default: false },
        tries: { type: "string", default: "5" },
      },
    });
    if (positionals.length !== 1) throw new Error("give one WAV file, or - for raw PCM16 from stdin");
    return { ...values, audio: positionals[0] };
  } catch (error) {
    console.error(`usage: ${(error as Error).message}`);
    process.exit(2);
  }
}

async function main(): Promise<void> {
  const options = parseOptions();
  const isRaw = options.audio === "-";
  const { rate, pcm } = isRaw ? { rate: Number(options.rate), pcm: Buffer.alloc(0) } : readWav(options.audio);
  const connection = await openSession(options.url!, rate, Number(options.tries));

  let isOver = false;
  process.once("SIGINT", () => {
    isOver = true;
    void connection.send(JSON.stringify({ type: "stop" })); // a pipe may give no more audio that would wake the sender
  });
  const audio = frames(isRaw ? process.stdin : [pcm], rate);
  void sendAll(connection, audio, options["real-time"]!, () => isOver);
  await printAll(connection, () => (isOver = true));
}

try {
  await main();
  process.exit(0); // stdin may still be open
} catch (error) {
  if (!(error instanceof Failed)) throw error;
  console.error(`failed: ${error.message}`);
  process.exit(1);
}
