// What the widgets share: the frame around them, the text with its legend, and a player that follows it.
const Panel = (() => {
  "use strict";

  const {element} = Transcript;
  const percent = new Intl.NumberFormat("ru", {style: "percent"});
  let nMade = 0;

  // The text, with the mean confidence beside each paragraph that is settled.
  class View extends Transcript.View {
    paragraphOf(className, words, spans) {
      super.paragraphOf(className, words, spans);
      if (className === "partial" || !words.length) return;
      const mean = words.reduce((sum, {confidence}) => sum + confidence, 0) / words.length;
      const shown = element("span", "sureness", percent.format(mean));
      shown.title = "Средняя уверенность";
      this.paragraph.append(shown);
    }
  }

  // The widget's own element in `el`. Notebooks listen to keys: not to those that are meant for the widget.
  function frame(el, name) {
    const root = element("div", `gigastt ${name}`);
    root.lang = "ru";
    root.setAttribute("role", "group");
    root.dataset.lmSuppressShortcuts = "true";
    el.append(root);
    return root;
  }

  function button(text, className, onClick) {
    const made = element("button", className, text);
    made.type = "button";
    made.addEventListener("click", onClick);
    return made;
  }

  // A text at the end of `root`; onPick(word) is called when a word is clicked.
  function text(root, {empty, onPick = () => {}}) {
    const shown = element("div", "text"), tip = element("div", "tip"), spoken = element("div", "spoken");
    shown.setAttribute("role", "group");
    shown.setAttribute("aria-label", "Распознанный текст; стрелки ведут от слова к слову");
    shown.dataset.empty = empty;
    tip.setAttribute("role", "tooltip");
    tip.id = `gigastt-tip-${++nMade}`;
    tip.hidden = true;
    spoken.setAttribute("aria-live", "polite");
    root.append(shown, tip, spoken);
    return new View({text: shown, tip, spoken, onPick});
  }

  function legend() {
    return element("p", "legend", "Уверенность: ",
      element("span", "word sure", "от\u00a090\u00a0%"), ", ",
      element("span", "word fair", "от\u00a070\u00a0%"), ", ",
      element("span", "word doubtful", "меньше\u00a070\u00a0%"));
  }

  // Plays what is said. Words can be clicked once the browser knows that it can play it.
  class Player {
    constructor(root) {
      this.root = root;
      this.audio = element("audio", "");
      this.audio.controls = true;
      this.audio.preload = "metadata";
      this.audio.setAttribute("aria-label", "Запись");
      this.audio.addEventListener("loadedmetadata", () => root.classList.add("playable"));
    }

    // The view marks the word that is heard.
    lead(view) {
      this.audio.addEventListener("timeupdate", () => view.markAt(this.audio.currentTime));
    }

    // What there is to play: a Blob, or null.
    load(blob) {
      this.root.classList.remove("playable");
      URL.revokeObjectURL(this.audio.src);
      if (blob) this.audio.src = URL.createObjectURL(blob);
      else this.audio.removeAttribute("src");
      this.audio.load();
    }

    playFrom(seconds) {
      if (!this.root.classList.contains("playable")) return;
      this.audio.currentTime = seconds;
      this.audio.play().catch(() => {});  // forbidden before the user's first click, or interrupted by the next
    }

    // Seconds, as far as the browser can tell; else null.
    get duration() {
      return Number.isFinite(this.audio.duration) ? this.audio.duration : null;
    }
  }

  // A place for what is said of the file; `Losses.show` fills it.
  function losses(root) {
    const shown = element("div", "losses");
    shown.setAttribute("role", "group");
    shown.setAttribute("aria-label", "Замечания к файлу");
    shown.hidden = true;
    root.append(shown);
    return shown;
  }

  // Says what went wrong; null: nothing.
  function problem(root) {
    const shown = element("div", "problem");
    shown.setAttribute("role", "alert");
    shown.hidden = true;
    root.append(shown);
    return (told) => {
      shown.hidden = !told;
      if (!told) return shown.replaceChildren();
      shown.replaceChildren(element("strong", "", told.text));
      if (told.detail) shown.append(element("span", "detail", told.detail));
      if (told.link) shown.append(linkTo(told.link));
    };
  }

  function linkTo({before, url, command, after}) {
    const link = element("a", "", url);
    link.href = url;
    link.target = "_blank";
    link.rel = "noreferrer";
    return element("span", "detail", before, link, " (", element("code", "", command), "). ", after);
  }

  return {frame, button, text, legend, losses, problem, Player};
})();
