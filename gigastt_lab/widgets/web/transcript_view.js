// The view of a transcript: words by confidence; with audio, a player that they lead into.
const TranscriptView = (() => {
  "use strict";

  // Shows the transcript in `el` until the signal says that it is gone.
  function show(model, el, signal) {
    const root = Panel.frame(el, "transcript");
    root.setAttribute("aria-label", "Расшифровка");
    const player = new Panel.Player(root);
    const view = Panel.text(root, {empty: "Речи не слышно.", onPick: ({start}) => player.playFrom(start)});
    Losses.show(Panel.losses(root), model.get("_warnings") ?? []);
    root.append(Transcript.element("div", "line below", player.audio, Panel.legend()));
    player.lead(view);
    fill(view, model.get("_utterances"));
    const audio = model.get("_audio");
    if (audio?.byteLength) player.load(new Blob([audio], {type: "audio/flac"}));
    const hear = (message) => obey(player, message);
    model.on("msg:custom", hear);
    signal.addEventListener("abort", () => {
      model.off("msg:custom", hear);
      player.load(null);
    });
  }

  function fill(view, utterances) {
    for (const words of utterances) view.show({type: "final", words});
    view.text.scrollTop = 0;
    view.spoken.textContent = "";  // it is there to be read, and need not be read out
  }

  function obey(player, {type, at}) {
    if (type === "seek") player.playFrom(at);
    else if (type === "pause") player.audio.pause();
  }

  return {show};
})();

export default {
  render({model, el}) {
    const gone = new AbortController();
    TranscriptView.show(model, el, gone.signal);
    return () => gone.abort();
  },
};
