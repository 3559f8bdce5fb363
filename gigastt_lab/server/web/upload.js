// Files: chosen or dropped, sent, and shown as they are recognised.
(() => {
  "use strict";

  const {byId} = Page;
  let sending = null;  // the AbortController of what is under way
  let newest = null;  // the file that was sent last

  async function send(file, {nFiles = 1, track = null} = {}) {
    if (!Page.begin("file", file.name.replace(/\.[^.]*$/, ""))) return;
    sending = new AbortController();
    newest = file;
    begin(file, nFiles, track);
    let error = null;
    try {
      await file.slice(0, 1).arrayBuffer();  // a folder, or a file that is gone, fails here
      await recognise(file, track, sending.signal);
    } catch (caught) {
      error = caught;
    }
    sending = null;
    byId("work").hidden = true;
    Page.end(Page.recordedS() || 0, error, () => send(file, {nFiles, track}));
  }

  function begin(file, nFiles, track) {
    const others = nFiles > 1 ? ` (первый из ${nFiles})` : "";
    byId("name").textContent = `${file.name}, ${AudioFiles.sizeOf(file)}${others}${track ? `, дорожка ${track}` : ""}`;
    byId("progress").removeAttribute("value");  // until something is known
    byId("reached").textContent = "";
    byId("work").hidden = false;
    byId("tracks").hidden = !track;
    byId("track").value = track ?? "";
    Page.record(file);
    Page.say("Отправляю файл…");
  }

  async function recognise(file, track, signal) {
    for await (const result of Server.transcribe(file, track, signal)) {
      if (!byId("reached").textContent) Page.say("Распознаю…");
      Page.show(result);
      if (result.end) showProgress(result.end);
      if (result.warnings?.some(({kind}) => kind === "track")) byId("tracks").hidden = false;
    }
  }

  function showProgress(endS) {
    const ofS = Page.recordedS();
    if (ofS) byId("progress").value = Math.min(1, endS / ofS);
    byId("reached").textContent = `${Page.clock(endS)}${ofS ? ` / ${Page.clock(ofS)}` : ""}`;
  }

  byId("file").accept = AudioFiles.accept;
  byId("accepted").textContent = AudioFiles.told;
  byId("file").addEventListener("change", ({target}) => {
    const [file] = target.files;
    if (file) send(file);
    target.value = "";  // so that the same file can be chosen again
  });
  byId("tracks").addEventListener("submit", (event) => {
    event.preventDefault();
    send(newest, {track: Number(byId("track").value)});
  });
  byId("cancel").addEventListener("click", () => sending?.abort());

  // The whole page takes files, so that a near miss does not make the browser leave it.
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    const {files} = event.dataTransfer;
    if (files.length) send(files[0], {nFiles: files.length});
  });
})();
