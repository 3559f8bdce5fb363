// What errors of `Capture` are called towards the user.
const CaptureMessages = (() => {
  "use strict";

  const TEXTS = {
    insecure: "Браузер даёт микрофон только страницам по HTTPS или с localhost.",
    unsupported: "Этот браузер не умеет записывать звук.",
    policy: "Программа, в которой открыта эта страница, не даёт ей микрофон.",
    denied: "Доступ к микрофону запрещён. Разрешите его в настройках сайта: значок слева от адреса.",
    missing: "Микрофон не найден. Подключите его или выберите другой.",
    busy: "Микрофон не отвечает: возможно, его занимает другая программа.",
    failed: "Не удалось включить микрофон.",
    lost: "Микрофон отключился.",
  };
  const FOR_GOOD = new Set(["insecure", "unsupported", "policy"]);

  // An error as {text, detail, canRetry}.
  function of({kind, message}) {
    return {text: TEXTS[kind], detail: kind === "failed" ? message : "", canRetry: !FOR_GOOD.has(kind)};
  }

  return {of};
})();
