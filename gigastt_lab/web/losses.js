// What of a file was cut, damaged, missing or otherwise than it should be: warnings of the recogniser in words.
const Losses = (() => {
  "use strict";

  // Kinds for which there is sound that was not heard.
  const LOST = new Set(["cut", "damaged", "hole"]);

  // Each kind as a sentence: what it is, its places (seconds; `end` may be null), and what was made of it.
  const KINDS = {
    cut: ["Файл обрезан", ({start, end}) => `звук есть до ${clock(start)}${end === null ? "" : ` из ${clock(end)}`}`],
    damaged: ["Файл повреждён, не читается", span],
    hole: ["В записи пропуски", span],
    length: ["В файле указана неверная длина", ({start, end}) => end === null
      ? `то, что после ${clock(start)}, не звук`
      : `${clock(start)} вместо ${clock(end)}, прочитано всё`],
    clock: ["Часы файла сбиваются", ({start}) => clock(start), "дальше время идёт без скачка"],
    phase: ["Каналы в противофазе", span, "один перевёрнут"],
    track: ["В файле несколько звуковых дорожек", ({tracks: [, all, number]}) =>
      `${all.replaceAll(", default)", ", основная)")}; прочитана ${number}`],
  };
  const TRACKS = /^there are \d+ audio tracks: (.+); track (\d+) was read/;
  const BREAKS_OFF = /^nothing behind/;  // damage up to the end, for which no silence stands
  const MORE = /^so are (\d+) further places/;  // of a kind of which only the first places are told

  // 65.037 -> "1:05,04"
  function clock(s) {
    const hundredths = Math.round(100 * s);
    return `${Transcript.clock(hundredths / 100)},${String(hundredths % 100).padStart(2, "0")}`;
  }

  function span({start, end}) {
    return end === null ? `с ${clock(start)} до конца` : `с ${clock(start)} по ${clock(end)}`;
  }

  // Warnings as [{text, detail}], kind by kind; `detail` is the recogniser's own sentence where there is no better one.
  function sentences(warnings) {
    const kinds = [...new Set(warnings.map(({kind}) => kind))].sort((a, b) => LOST.has(b) - LOST.has(a));
    return kinds.flatMap((kind) => ofKind(kind, warnings.filter((each) => each.kind === kind)));
  }

  function ofKind(kind, found) {
    const [name, told, after] = KINDS[kind] ?? ["Замечание к файлу"];
    const placed = found.map(parsed);
    if (!told || !placed.every(({start, more, tracks}) => start !== null || more || tracks)) {
      return found.map(({message}) => ({text: `${name}.`, detail: message}));
    }
    const places = placed.map(({more, ...each}) => (more ? `ещё мест: ${more[1]}` : told(each))).join("; ");
    return [{text: `${name}: ${places}${after ? ` (${after})` : ""}.`, detail: ""}];
  }

  // What only the recogniser's sentence tells.
  function parsed(warning) {
    const {kind, start, message} = warning;
    return {...warning, more: start === null && MORE.exec(message), tracks: kind === "track" && TRACKS.exec(message)};
  }

  // The same as lines of text, each on one line.
  function lines(warnings) {
    return sentences(warnings).map(({text, detail}) => `${text} ${detail}`.replace(/\s+/g, " ").trim());
  }

  // True if sound of the recording was not heard.
  const isAny = (warnings) => warnings.some(({kind}) => LOST.has(kind));

  // Seconds of the recording that there are, where a warning says that the file ends early; else null.
  function endS(warnings) {
    const ends = warnings.filter(({kind, start, message}) =>
      start !== null && (kind === "cut" || (kind === "damaged" && BREAKS_OFF.test(message))));
    return ends.length ? Math.min(...ends.map(({start}) => start)) : null;
  }

  // Fills `root`, or hides it where there is nothing to tell.
  function show(root, warnings) {
    const {element} = Transcript;
    root.hidden = !warnings.length;
    const title = isAny(warnings) ? "В записи есть потери" : "О файле";
    const items = sentences(warnings).map(({text, detail}) => {
      const item = element("li", "", text);
      if (detail) {
        const own = element("span", "detail", detail);
        own.lang = "en";
        item.append(" ", own);
      }
      return item;
    });
    root.replaceChildren(element("strong", "", title), element("ul", "", ...items));
  }

  return {sentences, lines, isAny, endS, show};
})();
