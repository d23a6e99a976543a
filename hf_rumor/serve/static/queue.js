// The review queue: stories, verdicts by button or key, undo, export. The server has the truth: a verdict is shown
// when it is recorded, and each request names the last verdict that this tab has seen.

import { makeUpload } from "./columns.js";
import { $, currentLanguage, make, onAction, onLanguage, reasonOf, Refused, save, send, t } from "./shared.js";
import { KEYS, makeStory, verdictName } from "./story.js";

const MINE = "hf_rumor_mine";
let state = { upload: null, uploads: [], stories: [], is_temporary: true };
let current = 0; // number of the current story
let waiting = Promise.resolve(); // requests are sent one after another
// What this tab has decided: stories in order, and the state of each after its last verdict.
let mine = JSON.parse(sessionStorage.getItem(MINE) ?? '{"order": [], "last": {}}');

export function startQueue() {
  const form = $("queue_form");
  const upload = makeUpload(form, $("day_file"));
  onAction(form, "submit", $("ask_queue"), form.querySelector(".message"), async () => {
    const response = await upload("api/queue", { top: $("top").value });
    if (!response) return;
    const made = await response.json();
    await later(() => {
      state = made;
      current = 0;
      $("upload").open = false;
      render();
      announce("queue_made", { count: state.stories.length });
      if (state.stories.length) moveTo(state.stories[0].number);
    });
  });
  $("which").addEventListener("change", () => {
    const chosen = Number($("which").value); // now, since the list may be rendered before its turn
    later(() => load(chosen));
  });
  $("undo").addEventListener("click", undo);
  onAction($("export"), "click", $("export"), $("queue_message"), async () => {
    await waiting;
    await save(await send("api/queue/export"), "desk.jsonl");
    announce("exported");
  });
  $("author").value = localStorage.getItem("hf_rumor_author") ?? "";
  $("author").addEventListener("change", () => localStorage.setItem("hf_rumor_author", $("author").value));
  $("keys").checked = localStorage.getItem("hf_rumor_keys") !== "off";
  $("keys").addEventListener("change", () => localStorage.setItem("hf_rumor_keys", $("keys").checked ? "on" : "off"));
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && !$("queue").hidden) refreshQueue();
  });
  onLanguage(render);
}

/** Load the queue again, such as verdicts of other tabs. */
export function refreshQueue() {
  later(() => load(state.upload));
}

async function load(upload) {
  const wasEmpty = !state.stories.length;
  state = await (await send(upload === null ? "api/queue" : `api/queue?upload=${upload}`)).json();
  if (upload !== null && !state.uploads.some((one) => one.number === upload)) return load(null); // a new database
  if (wasEmpty && state.stories.length) $("upload").open = false; // later, a file may be being chosen
  return render();
}

/** Run an action after those that wait; show why it failed. */
function later(action) {
  waiting = waiting.then(action).catch((error) => {
    $("queue_message").textContent = reasonOf(error);
  });
  return waiting;
}

function find(number) {
  return state.stories.find((story) => story.number === number);
}

function decide(number, verdict) {
  $("queue_message").textContent = "";
  setCurrent(number);
  const { last: seen } = find(number);
  const author = $("author").value.trim();
  later(async () => {
    const story = find(number);
    if (!story) return; // another upload is shown since
    // A verdict of somebody else that was loaded since was not seen.
    const last = isMine(story) ? story.last : seen;
    await change(number, `api/queue/${number}/verdict`, { verdict, last, author });
  });
}

function undo() {
  $("queue_message").textContent = "";
  later(async () => {
    const place = mine.order.map((number) => isMine(find(number))).lastIndexOf(true); // false: of another upload
    if (place < 0) return announce("nothing_to_undo");
    const number = mine.order[place];
    await change(number, "api/queue/undo", { story: number, last: find(number).last });
    mine.order.splice(place, 1); // now that it is recorded
    return remember();
  });
}

/** Send a verdict or an undo, and show what is recorded. */
async function change(number, path, body) {
  const isUndo = body.verdict === undefined;
  try {
    const story = await (await send(path, "POST", body)).json();
    // Verdicts before one of somebody else cannot be undone.
    if (!isMine(find(number))) mine.order = mine.order.filter((one) => one !== number);
    replace(story);
    mine.last[number] = stateOf(story);
    if (!isUndo) mine.order.push(number);
    remember();
    announce(isUndo ? "undone" : "decided", { rank: story.own.rank, verdict: verdictName(story) });
    if (isUndo) moveTo(number);
    else if (state.stories.every((one) => one.verdict)) $("announcement").append(` ${t("all_done")}`);
  } catch (error) {
    const story = error instanceof Refused ? error.answer.story : undefined;
    if (story) {
      replace(story);
      Object.assign(error.answer, { rank: story.own.rank, verdict: verdictName(story) });
    }
    if (find(number)) moveTo(number);
    throw error;
  }
}

/** Return what identifies the last verdict of a story, also after a restart with another database. */
function stateOf(story) {
  return `${story.last} ${state.uploads.find((one) => one.number === state.upload)?.at}`;
}

/** Return whether this tab has changed a story, and nobody else since. */
function isMine(story) {
  return story !== undefined && stateOf(story) === mine.last[story.number];
}

function remember() {
  sessionStorage.setItem(MINE, JSON.stringify(mine));
}

function replace(story) {
  state.stories = state.stories.map((one) => (one.number === story.number ? story : one));
  const old = $(`story_${story.number}`);
  if (!old) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  const isOpen = old.querySelector("details")?.open;
  const item = makeStory(story, story.number === current, decide);
  old.replaceWith(item);
  if (isOpen) item.querySelector("details").open = true;
  if (focused) (item.querySelector(`[data-verdict="${focused.dataset.verdict}"]`) ?? item).focus({ preventScroll: true });
  renderProgress();
}

function announce(name, values) {
  $("announcement").textContent = t(name, values);
}

function onKey(event) {
  if ($("queue").hidden || !$("keys").checked || !state.stories.length) return;
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (event.target.closest("textarea, select, input:not([type=checkbox])")) return;
  // With an input method, `key` may be "Process".
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.code.replace("Key", "").toLowerCase();
  const place = state.stories.findIndex((story) => story.number === current);
  if (key === "j") moveTo(state.stories[Math.min(place + 1, state.stories.length - 1)].number);
  else if (key === "k") moveTo(state.stories[Math.max(place - 1, 0)].number);
  else if (key === "z") undo();
  else if (key in KEYS && place >= 0) {
    decide(current, KEYS[key]);
    if (place + 1 < state.stories.length) moveTo(state.stories[place + 1].number);
  } else return;
  event.preventDefault();
}

function setCurrent(number) {
  $(`story_${current}`)?.removeAttribute("aria-current");
  current = number;
  $(`story_${current}`)?.setAttribute("aria-current", "true");
}

function moveTo(number) {
  setCurrent(number);
  const item = $(`story_${number}`);
  item?.focus({ preventScroll: true });
  item?.scrollIntoView({ block: "nearest" });
}

function render() {
  const { stories, uploads } = state;
  const upload = uploads.find((one) => one.number === state.upload);
  $("kept").textContent = t(state.is_temporary ? "temporary" : "is_saved");
  $("empty_queue").hidden = stories.length > 0;
  $("review").hidden = !stories.length;
  if (!find(current)) current = (stories.find((story) => !story.verdict) ?? stories[0])?.number ?? 0;
  const options = uploads.map((one) => {
    const name = t("upload_name", { name: one.name, at: new Date(one.at).toLocaleString(currentLanguage()) });
    return make("option", { value: one.number, selected: one.number === state.upload ? "" : null }, name);
  });
  $("which").replaceChildren(...options);
  $("facts_of_queue").textContent = upload ? factsOf(upload) : "";
  const number = document.activeElement?.closest("#stories > li")?.id;
  $("stories").replaceChildren(...stories.map((story) => makeStory(story, story.number === current, decide)));
  if (number) $(number)?.focus({ preventScroll: true });
  $("announcement").textContent = "";
  renderProgress();
}

function factsOf(upload) {
  const omitted = upload.num_stories - state.stories.length;
  return [
    t("facts_of_queue", { posts: upload.num_posts, stories: upload.num_stories }),
    omitted ? t("omitted", { count: omitted, rumors: upload.omitted.toFixed(1) }) : "",
    upload.num_errors ? t("skipped", { count: upload.num_errors }) : "",
  ].join(currentLanguage() === "zh" ? "" : " ");
}

function renderProgress() {
  const done = state.stories.filter((story) => story.verdict).length;
  $("progress").textContent = t("progress", { done, all: state.stories.length });
}
