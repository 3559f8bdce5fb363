// What errors are called towards the user.
const Messages = (() => {
  "use strict";

  // Of the server, by code.
  const SERVER = {
    bad_request: "Сервер не принял аудио.",
    closed_1009: "Сервер не принял звук: слишком большое сообщение.",
    connections_saturated: "Сервер занят: больше соединений он не принимает.",
    host_denied: "Сервер не принимает запросы под этим именем узла.",
    idle_timeout: "Сервер слишком долго не получал звука и закрыл сеанс.",
    inference_error: "Сбой распознавания: причина записана в журнале сервера.",
    inference_timeout: "Распознавание заняло больше времени, чем разрешено.",
    internal_error: "Сбой сервера: причина записана в его журнале.",
    lost: "Соединение с сервером прервалось.",
    max_session_duration_exceeded: "Сеанс достиг предельной длительности.",
    origin_denied: "Сервер не принимает запросы с этого адреса страницы.",
    payload_too_large: "Файл больше, чем принимает сервер.",
    pool_closed: "Сервер завершает работу.",
    pool_saturated: "Сервер занят: все места распознавания заняты.",
    rate_limit_exceeded: "Слишком много запросов.",
    refused: "Сервер не открыл поток: возможно, прокси между ним и браузером не пропускает WebSocket.",
    request_timeout: "Файл не дошёл до сервера целиком.",
    unauthorized: "Серверу нужен ключ доступа.",
    unreachable: "Сервер не отвечает.",
    uploads_saturated: "Сервер занят: больше файлов сразу он не принимает.",
  };

  // Where another try may help; of the rest, the next try would end as this one.
  const PASSING = new Set([
    "closed_1013", "connections_saturated", "idle_timeout", "lost", "max_session_duration_exceeded", "pool_closed",
    "pool_saturated", "rate_limit_exceeded", "refused", "request_timeout", "unauthorized", "unreachable",
    "uploads_saturated",
  ]);

  // Whose own sentence says more than the code.
  const DETAILED = new Set(["bad_request", "origin_denied", "host_denied", "payload_too_large"]);

  // How browsers call a file that is none, is gone or is kept from them.
  const UNREADABLE = new Set(["NotFoundError", "NotReadableError"]);

  // An error as {text, detail, canRetry}.
  function of(error) {
    if (error instanceof Capture.Error) return CaptureMessages.of(error);
    if (error instanceof Server.Error) return ofServer(error);
    if (UNREADABLE.has(error.name)) {
      return {text: "Файл не читается: возможно, это папка или он удалён.", detail: "", canRetry: true};
    }
    return {text: "Ошибка страницы.", detail: String(error), canRetry: false};
  }

  function ofServer({code, message, retryAfterMs}) {
    const wait = retryAfterMs ? ` Повторить можно через ${Math.ceil(retryAfterMs / 1000)} с.` : "";
    const known = SERVER[code];
    return {
      text: (known || `Ошибка сервера: ${code}.`) + wait,
      detail: !known || DETAILED.has(code) ? message : "",
      canRetry: PASSING.has(code),
    };
  }

  return {of};
})();
