// The text on the server's page and in widgets: a paragraph for each utterance, words with times and confidence, the
// same as a table.
const Transcript = (() => {
  "use strict";

  // Confidence is shown by the kind of underline, which needs no colour to be told apart.
  const LEVELS = [[0.9, "sure"], [0.7, "fair"], [-Infinity, "doubtful"]];
  const NEAR_END_PX = 40;

  const seconds = new Intl.NumberFormat("ru", {minimumFractionDigits: 2, maximumFractionDigits: 2});
  const percent = new Intl.NumberFormat("ru", {style: "percent"});

  function element(name, className, ...content) {
    const made = document.createElement(name);
    made.className = className;
    made.append(...content);  // strings become text, never markup
    return made;
  }

  // 75.3 -> "1:15"
  function clock(s) {
    const minutes = Math.floor(s / 60) % 60, hours = Math.floor(s / 3600);
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    return hours ? `${hours}:${two(minutes)}:${two(s % 60)}` : `${minutes}:${two(s % 60)}`;
  }

  const levelOf = ({confidence}) => LEVELS.find(([least]) => confidence >= least)[1];

  class View {
    // text, rows, tip, spoken: elements for paragraphs, the table's rows (null: no table), a word's details, and what a
    // screen reader says. onPick(word) is called when a word is clicked.
    constructor({text, rows = null, tip, spoken, onPick}) {
      Object.assign(this, {text, rows, tip, spoken, onPick});
      this.clear();
      this.listen();
    }

    clear() {
      this.utterances = [];  // lists of words
      this.words = [];  // all of them
      this.marks = [];  // their elements
      this.stop = 0;  // which of them Tab leads to; arrows lead on from there
      this.partial = null;
      this.paragraph = null;  // the element that shows it
      this.marked = null;
      this.text.replaceChildren();
      this.rows?.replaceChildren();
      this.spoken.textContent = "";
      this.hideTip();
    }

    get isEmpty() {
      return !this.words.length;
    }

    // Shows a partial or a final.
    show(result) {
      const follows = this.isAtEnd();
      if (result.type === "final") this.settle(result.words);
      else this.showPartial(result);
      if (follows) this.text.scrollTop = this.text.scrollHeight;
    }

    // No more results come: a partial without its final stays as it is, as better than nothing.
    finish() {
      if (this.partial) this.settle(this.partial.words);
    }

    // Who followed a file to its end now wants to read it.
    rewind() {
      if (this.isAtEnd()) this.text.scrollTop = 0;
    }

    showPartial({words, stable}) {
      let end = -1;  // of the word in the text, which joins words by single spaces
      const spans = words.map(({word}) => {
        end += 1 + word.length;
        return element("span", end <= stable ? "stable" : "", word);
      });
      this.partial = {words};
      this.paragraphOf("partial", words, spans);
    }

    settle(words) {
      this.partial = null;
      if (!words.length) {  // what a partial showed turned out to be nothing
        this.paragraph?.remove();
        this.paragraph = null;
        return;
      }
      this.paragraphOf("", words, words.map((word) => this.mark(word)));
      this.paragraph = null;
      this.rows?.append(...words.map((word, i) => this.row(word, this.words.length + i)));
      this.utterances.push(words);
      this.words.push(...words);
      this.spoken.textContent = Formats.textOf(words);
    }

    // Fills the newest paragraph, or begins one.
    paragraphOf(className, words, spans) {
      const made = element("p", `utterance ${className}`);
      if (words.length) made.append(element("time", "", clock(words[0].start)));
      const line = element("span", "line");
      spans.forEach((span, i) => line.append(...(i ? [" ", span] : [span])));
      made.append(line);
      if (this.paragraph) this.paragraph.replaceWith(made);
      else this.text.append(made);
      this.paragraph = made;
    }

    mark(word) {
      const span = element("span", `word ${levelOf(word)}`, word.word);
      span.setAttribute("role", "button");
      span.tabIndex = this.marks.length === this.stop ? 0 : -1;
      span.dataset.index = this.marks.push(span) - 1;
      return span;
    }

    row(word, index) {
      const button = element("button", `word ${levelOf(word)}`, word.word);
      button.type = "button";
      button.dataset.index = index;
      return element("tr", "",
        element("td", "", button),
        element("td", "number", seconds.format(word.start)),
        element("td", "number", seconds.format(word.end)),
        element("td", "number", percent.format(word.confidence)));
    }

    // Marks the word that is heard at a time of the recording; none where nobody speaks.
    markAt(s) {
      const index = this.words.findIndex(({start, end}) => start <= s && s < end);
      if (this.marks[index] === this.marked) return;
      this.marked?.classList.remove("playing");
      this.marked = this.marks[index];
      this.marked?.classList.add("playing");
    }

    isAtEnd() {
      const {scrollTop, scrollHeight, clientHeight} = this.text;
      return scrollTop + clientHeight >= scrollHeight - NEAR_END_PX;
    }

    listen() {
      const indexOf = ({target}) => Number(target.closest?.(".word")?.dataset.index ?? NaN);
      const pick = (event) => {
        if (this.words[indexOf(event)]) this.onPick(this.words[indexOf(event)]);
      };
      this.text.addEventListener("click", pick);
      this.rows?.addEventListener("click", pick);
      this.text.addEventListener("focusin", (event) => this.moveStop(indexOf(event)));
      for (const kind of ["mouseover", "focusin"]) {
        this.text.addEventListener(kind, (event) => this.showTip(indexOf(event)));
      }
      for (const kind of ["mouseout", "focusout", "scroll"]) {
        this.text.addEventListener(kind, () => this.hideTip());
      }
      this.text.addEventListener("keydown", (event) => this.onKey(event, indexOf(event)));
    }

    onKey(event, index) {
      if (Number.isNaN(index)) return;
      const last = this.marks.length - 1;
      const to = {ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: last}[event.key];
      if (to !== undefined) this.marks[Math.max(0, Math.min(last, to))].focus();
      else if (event.key === "Enter" || event.key === " ") this.onPick(this.words[index]);
      else if (event.key === "Escape") this.hideTip();
      else return;
      event.preventDefault();
    }

    moveStop(index) {
      if (Number.isNaN(index)) return;
      this.marks[this.stop].tabIndex = -1;
      this.marks[index].tabIndex = 0;
      this.stop = index;
    }

    showTip(index) {
      if (Number.isNaN(index)) return;
      const {start, end, confidence} = this.words[index], mark = this.marks[index];
      const times = `${seconds.format(start)}–${seconds.format(end)} с`;
      this.tip.textContent = `${times}, уверенность ${percent.format(confidence)}`;
      this.tip.hidden = false;
      this.described?.removeAttribute("aria-describedby");
      this.described = mark;
      mark.setAttribute("aria-describedby", this.tip.id);
      this.placeTip(mark);
      this.follow(mark);
    }

    // What the word is in may be scrolled: the text, or the page.
    follow(mark) {
      this.following?.abort();
      this.following = new AbortController();
      const {signal} = this.following;
      addEventListener("scroll", () => (mark.isConnected ? this.placeTip(mark) : this.hideTip()), {capture: true, signal});
    }

    // Above a word. What the tip is placed against, the window or an ancestor that is transformed, as notebooks do to
    // theirs, shows where its own corner falls.
    placeTip(mark) {
      const [word] = mark.getClientRects();
      this.tip.style.left = this.tip.style.top = "0";
      const tip = this.tip.getBoundingClientRect();
      const left = Math.min(word.left, document.documentElement.clientWidth - tip.width - 8);
      const above = word.top - tip.height - 6;
      this.tip.style.left = `${Math.max(8, left) - tip.left}px`;
      this.tip.style.top = `${(above > 0 ? above : word.bottom + 6) - tip.top}px`;
    }

    hideTip() {
      this.following?.abort();
      this.described?.removeAttribute("aria-describedby");
      this.tip.hidden = true;
    }
  }

  return {View, clock, element};
})();
