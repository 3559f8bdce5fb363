// OpenAI's JavaScript client against a server: what it hears and what it raises, as one line of JSON.
// Usage: node openai_client.cjs FOLDER_OF_NODE_MODULES URL AUDIO
const fs = require("node:fs");
const path = require("node:path");

const [modules, url, audio] = process.argv.slice(2);
const OpenAI = require(path.join(modules, "openai"));
const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });

const create = (wanted) =>
  client.audio.transcriptions.create({ model: "whisper-1", file: fs.createReadStream(audio), ...wanted });

async function failure(call) {
  try {
    await call();
  } catch (error) {
    const { name, message, status, code, type, param } = error;
    return { class: error.constructor.name, name, message, status, code, type, param };
  }
  return null;
}

async function main() {
  const events = [];
  for await (const event of await create({ stream: true, language: "" })) events.push(event);
  const listed = [];
  for await (const model of client.models.list()) listed.push(model.id);
  return {
    json: (await create({ response_format: "" })).text,
    srt: await create({ response_format: "srt" }),
    words: (await create({ response_format: "verbose_json", timestamp_granularities: ["word"] })).words,
    events,
    listed,
    model: await client.models.retrieve(listed[0]),
    format: await failure(() => create({ response_format: "pdf" })),
    streamed: await failure(() => create({ response_format: "vtt", stream: true })),
    route: await failure(() => client.chat.completions.create({ model: "x", messages: [] })),
    no_audio: await failure(() => create({ file: fs.createReadStream(__filename), stream: true })),
  };
}

main().then((found) => console.log(JSON.stringify(found)));
