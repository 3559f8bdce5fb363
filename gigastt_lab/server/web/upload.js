// Files: chosen or dropped, sent, and shown as they are recognised.
(() => {
  "use strict";

  const {byId} = Page;
  let sending = null;  // the AbortController of what is under way

  async function send(file, nFiles = 1) {
    if (!Page.begin("file", file.name.replace(/\.[^.]*$/, ""))) return;
    sending = new AbortController();
    begin(file, nFiles);
    let error = null;
    try {
      await file.slice(0, 1).arrayBuffer();  // a folder, or a file that is gone, fails here
      await recognise(file, sending.signal);
    } catch (caught) {
      error = caught;
    }
    sending = null;
    byId("work").hidden = true;
    Page.end(Page.recordedS() || 0, error, () => send(file, nFiles));
  }

  function begin(file, nFiles) {
    const others = nFiles > 1 ? ` (первый из ${nFiles})` : "";
    byId("name").textContent = `${file.name}, ${sizeOf(file)}${others}`;
    byId("progress").removeAttribute("value");  // until something is known
    byId("reached").textContent = "";
    byId("work").hidden = false;
    Page.record(file);
    Page.say("Отправляю файл…");
  }

  function sizeOf({size}) {
    if (size < 1e6) return `${Math.ceil(size / 1e3)} КБ`;
    return `${(size / 1e6).toLocaleString("ru", {maximumFractionDigits: 1})} МБ`;
  }

  async function recognise(file, signal) {
    for await (const result of Server.transcribe(file, signal)) {
      if (!byId("reached").textContent) Page.say("Распознаю…");
      Page.show(result);
      showProgress(result.end);
    }
  }

  function showProgress(endS) {
    const ofS = Page.recordedS();
    if (ofS) byId("progress").value = Math.min(1, endS / ofS);
    byId("reached").textContent = `${Page.clock(endS)}${ofS ? ` / ${Page.clock(ofS)}` : ""}`;
  }

  byId("file").addEventListener("change", ({target}) => {
    const [file] = target.files;
    if (file) send(file);
    target.value = "";  // so that the same file can be chosen again
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
    if (files.length) send(files[0], files.length);
  });
})();
