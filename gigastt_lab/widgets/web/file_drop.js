// The view of a place to drop files: each is sent to the kernel in pieces, and its text shown as it comes.
const FileDropView = (() => {
  "use strict";

  const {element, clock} = Transcript;
  const PIECE_BYTES = 1_000_000;  // servers in between refuse messages of some ten megabytes
  const AHEAD_BYTES = 4 * PIECE_BYTES;  // so much may be under way: a busy kernel shall not make it pile up

  // One file on its way to the kernel.
  class Sending {
    constructor(file, model) {
      this.id = `${Date.now()}-${Math.random()}`;
      this.file = file;
      this.model = model;
      this.nSent = this.nReceived = 0;
      this.isOver = this.isReading = false;
    }

    begin() {
      this.tell({type: "file", name: this.file.name, n_bytes: this.file.size});
    }

    // Goes on as far as the kernel follows; throws where the file cannot be read.
    async feed(nReceived) {
      this.nReceived = Math.max(this.nReceived, nReceived);
      if (this.isReading) return;
      this.isReading = true;
      try {
        while (!this.isOver && this.nSent < this.file.size && this.nSent - this.nReceived < AHEAD_BYTES) {
          const at = this.nSent;
          const piece = await this.file.slice(at, at + PIECE_BYTES).arrayBuffer();
          if (this.isOver) return;
          this.nSent += piece.byteLength;
          this.tell({type: "piece", at}, [piece]);
        }
      } finally {
        this.isReading = false;
      }
    }

    cancel() {
      this.isOver = true;
      this.tell({type: "cancel"});
    }

    tell(content, buffers) {
      this.model.send({...content, file: this.id}, undefined, buffers);
    }
  }

  class View {
    constructor(model, el) {
      this.model = model;
      this.sending = null;
      this.root = Panel.frame(el, "drop");
      this.root.setAttribute("aria-label", "Распознавание файла");
      this.player = new Panel.Player(this.root);
      this.build();
      this.listen();
      this.update();
    }

    build() {
      const {root, player} = this;
      this.input = element("input", "file");
      this.input.type = "file";
      this.input.accept = AudioFiles.accept;
      this.zone = element("label", "zone", this.input,
        element("span", "button", "Выбрать файл"), element("span", "", "или перетащите его сюда"),
        element("small", "", AudioFiles.told));
      this.status = element("p", "status");
      this.status.setAttribute("role", "status");
      this.progress = element("progress", "");
      this.progress.setAttribute("aria-label", "Распознано");
      this.cancelling = Panel.button("Отменить", "", () => this.cancel("Отменено."));
      root.append(this.zone, element("div", "line", this.status, this.progress, this.cancelling));
      this.problem = Panel.problem(root);
      this.text = Panel.text(root, {empty: "", onPick: ({start}) => player.playFrom(start)});
      this.losses = Panel.losses(root);
      root.append(element("div", "line below", player.audio, Panel.legend()));
      player.lead(this.text);
    }

    listen() {
      this.input.addEventListener("change", () => {
        this.take(this.input.files);
        this.input.value = "";  // so that the same file can be chosen again
      });
      for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
        // Kept from the notebook, which would open the file, or take it for one of its own cells.
        this.root.addEventListener(kind, (event) => {
          event.preventDefault();
          event.stopPropagation();
          this.root.classList.toggle("dragging", kind === "dragenter" || kind === "dragover");
          if (kind === "drop") this.take(event.dataTransfer.files);
        });
      }
      this.hear = (message) => this.obey(message);
      this.model.on("msg:custom", this.hear);
    }

    close() {
      this.model.off("msg:custom", this.hear);
      if (this.sending) this.sending.cancel();
      this.player.load(null);
    }

    take([file]) {
      if (!file || this.sending) return;
      this.problem(null);
      this.text.clear();
      this.warn(null);
      this.player.load(file);
      const most = this.model.get("_max_bytes");
      if (file.size > most) {
        this.end("", {text: `Файл больше ${AudioFiles.sizeOf({size: most})}.`, detail: "Предел: max_bytes."});
        return;
      }
      this.sending = new Sending(file, this.model);
      this.sending.begin();
      this.say(`${file.name}, ${AudioFiles.sizeOf(file)}: жду ядро…`);
      this.update();
    }

    async obey({type, file, ...told}) {
      const {sending} = this;
      if (!sending || sending.id !== file) return;
      if (type === "part") this.show(told);
      else if (type === "ended") this.end(told.error ? "" : this.summary(), told.error && failure(told.error));
      else if (type === "received") {
        this.say(`${sending.file.name}, ${AudioFiles.sizeOf(sending.file)}: ${this.stage(told.n_bytes)}`);
        await sending.feed(told.n_bytes).catch(() => {
          this.cancel("", {text: "Файл не читается: возможно, это папка или он удалён."});
        });
      }
    }

    stage(nBytes) {
      const {size} = this.sending.file;
      return nBytes < size ? `отправляю, ${Math.floor((100 * nBytes) / size)} %` : "распознаю…";
    }

    show({utterances, warnings = [], done_s: doneS, duration_s: durationS}) {
      const ofS = durationS ?? this.player.duration;
      for (const words of utterances) this.text.show({type: "final", words});
      if (warnings.length) this.warn(warnings);
      this.say(`${this.sending.file.name}: ${clock(doneS)}${ofS ? ` из ${clock(ofS)}` : ""}`);
      if (ofS) this.progress.value = Math.min(1, doneS / ofS);
    }

    summary() {
      const {name} = this.sending.file;
      const lost = Losses.isAny(this.warnings) ? " В записи есть потери, они названы под текстом." : "";
      const heard = this.text.isEmpty ? "речи не слышно" : `готово, слов: ${this.text.words.length}`;
      return `${name}: ${heard}.${lost}`;
    }

    // Adds to what is said of the file; null: nothing is.
    warn(more) {
      this.warnings = more ? [...this.warnings, ...more] : [];
      Losses.show(this.losses, this.warnings);
    }

    cancel(status, problem) {
      this.sending?.cancel();
      this.end(status, problem);
    }

    end(status, problem = null) {
      this.sending = null;
      this.text.rewind();
      this.say(status);
      this.problem(problem);
      this.progress.removeAttribute("value");  // until something is known of the next one
      this.update();
    }

    say(status) {
      if (this.status.textContent !== status) this.status.textContent = status;
    }

    update() {
      const isBusy = this.sending !== null;
      this.input.disabled = isBusy;
      this.progress.hidden = this.cancelling.hidden = !isBusy;
      this.root.classList.toggle("busy", isBusy);
      this.root.classList.toggle("blank", !isBusy && this.text.isEmpty);
    }
  }

  const failure = (detail) => ({text: "Файл не распознан.", detail});

  return {View};
})();

export default {
  render({model, el}) {
    const view = new FileDropView.View(model, el);
    return () => view.close();
  },
};
