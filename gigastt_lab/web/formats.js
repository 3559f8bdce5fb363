// A transcript as a file. Subtitles are divided by the rules of `gigastt_lab/formats.py`, which says why.
const Formats = (() => {
  "use strict";

  const LINE_CHARS = 42, MAX_LINES = 2, MAX_MS = 7000, MIN_MS = 1000, PAUSE_MS = 500;
  const SENTENCE_END = /[.!?…][»”"')\]]*$/;
  const CLAUSE_END = /[,;:—–][»”"')\]]*$/;

  const TYPES = {
    txt: "text/plain;charset=utf-8",
    srt: "application/x-subrip;charset=utf-8",
    vtt: "text/vtt;charset=utf-8",
    json: "application/json",
  };

  const ms = (seconds) => Math.round(1000 * seconds);
  const textOf = (words) => words.map(({word}) => word).join(" ");

  // Each takes {utterances, duration, warnings, notes}: lists of words, seconds of audio, what the recogniser says of the
  // file, and the same in words, a line each. SubRip has no place for these.
  const render = {
    txt: ({utterances, notes = []}) =>
      utterances.map((words) => `${textOf(words)}\n`).join("")
      + (notes.length ? `\n${notes.map((note) => `[${note}]\n`).join("")}` : ""),
    json: ({utterances, duration, warnings = []}) => {
      const words = utterances.flat();
      const told = warnings.length ? {warnings} : {};
      return `${JSON.stringify({text: textOf(words), words, duration, ...told})}\n`;
    },
    srt: ({utterances}) =>
      cues(utterances.flat())
        .map(({start, end, text}, i) => `${i + 1}\n${clock(start, ",")} --> ${clock(end, ",")}\n${text}\n`)
        .join("\n"),
    vtt: ({utterances, notes = []}) =>
      ["WEBVTT\n", ...notes.map(comment), ...cues(utterances.flat()).map(
        ({start, end, text}) => `${clock(start, ".")} --> ${clock(end, ".")}\n${escaped(text)}\n`)].join("\n"),
  };

  // Subtitles that never overlap; times in milliseconds.
  function cues(words) {
    const segments = divided(words);
    const starts = [];
    for (const [first] of segments) starts.push(Math.max(ms(first.start), (starts.at(-1) ?? -1) + 1));
    return segments.map((segment, i) => {
      const end = Math.max(ms(segment.at(-1).end), starts[i] + MIN_MS);
      return {
        start: starts[i],
        end: Math.min(end, starts[i] + MAX_MS, starts[i + 1] ?? Infinity),
        text: lines(segment).join("\n"),
      };
    });
  }

  function divided(words) {
    const segments = [];
    for (let start = 0, stop; start < words.length; start = stop) {
      stop = stopAfter(words, start);
      segments.push(words.slice(start, stop));
    }
    return segments;
  }

  // The index after the last word of the segment that begins with words[start].
  function stopAfter(words, start) {
    const mayStopBefore = (i, mark) =>
      mark.test(words[i - 1].word) && ms(words[i].start) - ms(words[start].start) >= MIN_MS;
    for (let i = start + 1; i < words.length; i++) {
      if (ms(words[i].start) - ms(words[i - 1].end) >= PAUSE_MS || mayStopBefore(i, SENTENCE_END)) return i;
      if (!fits(words.slice(start, i + 1))) {
        for (let j = i; j > start; j--) if (mayStopBefore(j, CLAUSE_END)) return j;
        return i;
      }
    }
    return words.length;
  }

  function fits(words) {
    const made = lines(words);
    return ms(words.at(-1).end) - ms(words[0].start) <= MAX_MS
      && made.length <= MAX_LINES && made.every((line) => line.length <= LINE_CHARS);
  }

  function lines(words) {
    const made = [words[0].word];
    for (const {word} of words.slice(1)) {
      const longer = `${made.at(-1)} ${word}`;
      if (longer.length <= LINE_CHARS) made[made.length - 1] = longer;
      else made.push(word);
    }
    return made;
  }

  function clock(milliseconds, mark) {
    const two = (number) => String(Math.floor(number)).padStart(2, "0");
    const s = milliseconds / 1000;
    const fraction = String(milliseconds % 1000).padStart(3, "0");
    return `${two(s / 3600)}:${two((s / 60) % 60)}:${two(s % 60)}${mark}${fraction}`;
  }

  // A comment ends at an empty line, and may not hold the arrow of a cue.
  const comment = (note) => `NOTE ${escaped(note.replace(/\s+/g, " "))}\n`;

  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

  return {TYPES, render, textOf};
})();
