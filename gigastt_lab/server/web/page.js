// What the microphone and the file share: one transcript, one of them at a time, status, errors, the recording.
const Page = (() => {
  "use strict";

  const MODEL_POLL_MS = 2000;
  const DOWNLOAD_MS = 60_000;  // some browsers read what is downloaded only after a while

  const byId = (id) => document.getElementById(id);
  const player = byId("player");
  const view = new Transcript.View({
    text: byId("text"), rows: byId("rows"), tip: byId("tip"), spoken: byId("spoken"), onPick: playFrom,
  });
  let busy = null;  // "file" or "microphone" while it is under way
  let title = "";  // of the recording: the name of what is downloaded
  let durationS = 0;
  let afterKey = null;  // what is tried again once a key was typed
  let warnings = [];  // what the server says of the file

  // Makes the page ready for something new. False: something is under way, and stays so.
  function begin(kind, name) {
    if (busy) {
      say("Сначала остановите то, что уже идёт.");
      return false;
    }
    busy = kind;
    title = name;
    durationS = 0;
    warn(null);
    view.clear();
    byId("tracks").hidden = true;
    record(null);
    hideProblem();
    update();
    return true;
  }

  // What was under way has ended: after so many seconds of audio, in an error or not (then it is null).
  function end(seconds, error, again) {
    const isFile = busy === "file";
    busy = null;
    durationS = Losses.endS(warnings) ?? Math.max(durationS, seconds);
    view.finish();
    if (isFile) view.rewind();
    update();
    if (error?.name === "AbortError") say("Отменено.");
    else if (error) complain(error, again);
    else if (view.isEmpty) say((isFile || seconds ? "Речи не слышно." : "") + lost());
    else say(`Готово. Слов: ${view.words.length}.${lost()}`);
  }

  const lost = () => (Losses.isAny(warnings) ? " В записи есть потери, они названы под текстом." : "");

  // Adds to what is said of the file; null: nothing is.
  function warn(more) {
    warnings = more ? [...warnings, ...more] : [];
    Losses.show(byId("losses"), warnings);
  }

  function show(result) {
    durationS = Math.max(durationS, result.end || 0, result.heard || 0);
    view.show(result);
    if (result.warnings) warn(result.warnings);
    update();
  }

  function say(status) {
    byId("status").textContent = status;
  }

  // Shows an error; again() is offered where another try may help.
  function complain(error, again) {
    const {text, detail, canRetry} = Messages.of(error);
    byId("problem-text").textContent = text;
    byId("problem-detail").textContent = detail;
    byId("problem").hidden = false;
    byId("problem").scrollIntoView({block: "nearest"});
    byId("again").hidden = !canRetry;
    byId("again").onclick = () => {
      hideProblem();
      again();
    };
    say("");
    if (error.code !== "unauthorized") return;
    askForKey(again);
    byId("key-text").focus();  // it may be out of sight
  }

  function hideProblem() {
    byId("problem").hidden = true;
  }

  // What there is to listen to: a Blob, or null.
  function record(blob) {
    const before = player.src;
    document.body.classList.remove("playable");
    if (blob) player.src = URL.createObjectURL(blob);
    else player.removeAttribute("src");
    player.load();
    URL.revokeObjectURL(before);
  }

  // Seconds of the recording, as far as the browser can tell; else null.
  function recordedS() {
    return Number.isFinite(player.duration) ? player.duration : null;
  }

  function playFrom({start}) {
    if (!document.body.classList.contains("playable")) return;
    player.currentTime = start;
    player.play().catch(() => {});  // a second click interrupts the first one's start
  }

  function update() {
    document.body.dataset.busy = busy ?? "";
    byId("empty").hidden = busy !== null || !view.isEmpty;
    byId("talk").disabled = busy === "file";
    for (const button of document.querySelectorAll("#tools button")) button.disabled = view.isEmpty;
    for (const input of document.querySelectorAll("#device, #file, #tracks *")) input.disabled = busy !== null;
  }

  function content(format, notes) {
    return Formats.render[format]({utterances: view.utterances, duration: durationS, warnings, notes});
  }

  function download(format) {
    const link = document.createElement("a");
    const text = content(format, Losses.lines(warnings));
    link.href = URL.createObjectURL(new Blob([text], {type: Formats.TYPES[format]}));
    link.download = `${title}.${format}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), DOWNLOAD_MS);
    if (format === "srt" && warnings.length) say("В SRT нет места для замечаний к файлу: они есть в TXT, VTT и JSON.");
  }

  async function copy() {
    try {
      await navigator.clipboard.writeText(content("txt"));
      say("Скопировано.");
    } catch {  // plain HTTP from another machine, or forbidden
      getSelection().selectAllChildren(byId("text"));
      say("Браузер не даёт копировать: текст выделен, нажмите Ctrl+C.");
    }
  }

  function toggleTable() {
    const isTable = byId("table").hidden;
    byId("table").hidden = !isTable;
    byId("text").hidden = isTable;
    byId("toggle").setAttribute("aria-pressed", isTable);
  }

  async function introduce() {
    const shown = byId("model");
    try {
      const {id, name, encoder, provider} = await Server.model();
      const isLoading = encoder === "loading";
      const told = isLoading ? [name, "загружается…"] : [name, encoder.toUpperCase(), provider.toUpperCase()];
      shown.textContent = told.join(" · ");
      byId("demo").hidden = id !== "gigaam-demo";
      if (isLoading) setTimeout(introduce, MODEL_POLL_MS);
    } catch (error) {
      shown.textContent = Messages.of(error).text;
      if (error.code === "unauthorized") askForKey();
    }
  }

  function askForKey(again = afterKey) {
    afterKey = again;
    byId("key-wrong").textContent = Server.hasKey() ? "Сервер не знает этого ключа." : "";
    byId("key").hidden = false;
    showExample('-H "Authorization: Bearer КЛЮЧ" ');
  }

  function takeKey(event) {
    event.preventDefault();
    Server.useKey(byId("key-text").value);
    byId("key").hidden = true;
    byId("key-text").value = "";
    introduce();
    if (!afterKey) return;
    const again = afterKey;
    afterKey = null;
    hideProblem();
    again();
  }

  function showExample(key) {
    byId("example").textContent = `curl ${key}-F file=@запись.ogg ${new URL("v1/transcribe", location.href)}`;
  }

  function listen() {
    byId("key").addEventListener("submit", takeKey);
    byId("copy").addEventListener("click", copy);
    byId("toggle").addEventListener("click", toggleTable);
    for (const button of document.querySelectorAll("[data-format]")) {
      button.addEventListener("click", () => download(button.dataset.format));
    }
    player.addEventListener("loadedmetadata", () => document.body.classList.add("playable"));
    player.addEventListener("timeupdate", () => view.markAt(player.currentTime));
    showExample("");
  }

  listen();
  update();
  introduce();
  return {begin, end, show, say, record, recordedS, byId, clock: Transcript.clock};
})();
