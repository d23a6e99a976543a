// Words, elements, requests to the API and its errors. Data enters the page as text only, never as HTML.

const WORDS = JSON.parse(document.getElementById("words").textContent);
const TOKEN = "hf_rumor_token";
let language = localStorage.getItem("hf_rumor_language") === "en" ? "en" : "zh";
const translated = []; // functions that render again what they have shown, in the other language

/** Return a text in the current language, with its values; a number gets separators. */
export function t(name, values = {}) {
  return WORDS[language][name].replace(/\{(\w+)\}/g, (_, key) => {
    const value = values[key];
    return typeof value === "number" ? value.toLocaleString(language) : String(value ?? "");
  });
}

export function currentLanguage() {
  return language;
}

/** Call a function now and after each change of the language. */
export function onLanguage(render) {
  translated.push(render);
  render();
}

export function setLanguage(chosen) {
  language = chosen;
  localStorage.setItem("hf_rumor_language", chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = t(node.dataset.word);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  for (const node of document.querySelectorAll(".message")) node.textContent = "";
  for (const render of translated) render();
}

export function $(id) {
  return document.getElementById(id);
}

/** Return an element: its name with classes, such as "p.small", its attributes, and texts or elements inside. */
export function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag);
  if (classes.length) node.className = classes.join(" ");
  return fill(node, attributes, children);
}

export function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** A request that was refused; `answer` is the body. */
export class Refused extends Error {
  constructor(status, answer) {
    super(answer.error);
    this.status = status;
    this.answer = answer;
  }

  /** Return the reason in the current language. */
  reason() {
    const name = `error_${this.answer.code}`;
    return t(name in WORDS[language] ? name : "error_request", this.answer);
  }
}

export function refuse(code) {
  return new Refused(0, { code, error: code });
}

/** Send a request; return the response. `body` is JSON, or a file with its name in the path. */
export async function send(path, method = "GET", body = undefined) {
  const headers = {};
  const token = sessionStorage.getItem(TOKEN);
  if (token) headers.Authorization = `Bearer ${token}`;
  const isFile = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = isFile ? "application/octet-stream" : "application/json";
  let response;
  try {
    const content = body === undefined || isFile ? body : JSON.stringify(body);
    response = await fetch(path, { method, headers, body: content });
  } catch {
    throw refuse("network");
  }
  if (response.status === 401) {
    await askForToken(Boolean(token));
    return send(path, method, body);
  }
  if (response.ok) return response;
  let answer;
  try {
    answer = await response.json();
  } catch {
    answer = { code: "failure", error: String(response.status) };
  }
  throw new Refused(response.status, answer);
}

let asking = null; // all requests that wait for the token share one question

function askForToken(wasWrong) {
  const form = $("token_form");
  asking ??= new Promise((resolve) => {
    form.hidden = false;
    form.querySelector(".message").textContent = wasWrong ? t("error_token") : "";
    $("token").focus();
    form.onsubmit = (event) => {
      event.preventDefault();
      sessionStorage.setItem(TOKEN, $("token").value.trim());
      $("token").value = "";
      form.hidden = true;
      asking = null;
      resolve();
    };
  });
  return asking;
}

/** Return the reason of an error for the user; those that are no refusals, such as an answer cut off, are logged. */
export function reasonOf(error) {
  if (error instanceof Refused) return error.reason();
  console.error(error);
  return t("error_failure");
}

/** Run an action of a form or button, once at a time; show why it failed. */
export function onAction(node, event, button, message, action) {
  node.addEventListener(event, async (happened) => {
    happened.preventDefault();
    if (button.getAttribute("aria-busy") === "true") return;
    const status = button.nextElementSibling?.matches(".working") ? button.nextElementSibling : make("span");
    button.setAttribute("aria-busy", "true");
    message.textContent = "";
    status.textContent = t("working");
    try {
      await action();
    } catch (error) {
      message.textContent = reasonOf(error);
    } finally {
      button.removeAttribute("aria-busy");
      status.textContent = "";
    }
  });
}

/** Save a response of the server as a file. */
export async function save(response, name) {
  const link = make("a", { href: URL.createObjectURL(await response.blob()), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

export function number(value, digits = 3) {
  return value === null ? "–" : value.toFixed(digits);
}

export function signed(value) {
  return (value < 0 ? "−" : "+") + Math.abs(value).toFixed(2);
}
