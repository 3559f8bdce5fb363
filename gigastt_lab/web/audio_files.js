// Audio files on the server's page and in widgets: which a dialogue offers, and how they are told.
const AudioFiles = (() => {
  "use strict";

  // Systems know few of them as audio or video, so each is named. What is read is told by the bytes in the end: a
  // file that is dropped may have any name.
  const EXTENSIONS = [
    "wav", "wave", "rf64", "bwf", "w64", "aif", "aiff", "aifc", "au", "snd", "caf",
    "flac", "wv", "tta", "mp3", "mp2", "mpga", "aac", "ac3", "eac3", "ec3", "amr", "awb",
    "ogg", "oga", "opus", "spx", "ogv", "m4a", "m4b", "mp4", "m4v", "mov", "qt", "3gp", "3g2",
    "webm", "weba", "mkv", "mka", "wma", "wmv", "asf", "avi", "ts", "m2ts", "mts",
  ];

  const accept = ["audio/*", "video/*", ...EXTENSIONS.map((name) => `.${name}`)].join(",");
  const told = "WAV, MP3, M4A, Ogg, FLAC, AMR, WMA и другие; звук из MP4, MOV, WebM, MKV, AVI";

  function sizeOf({size}) {
    if (size < 1e6) return `${Math.ceil(size / 1e3)} КБ`;
    return `${(size / 1e6).toLocaleString("ru", {maximumFractionDigits: 1})} МБ`;
  }

  return {accept, told, sizeOf};
})();
