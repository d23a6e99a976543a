// One post: decision, probability against the threshold, words, probability over time.

import { $, make, makeSvg, number, onAction, onLanguage, send, signed, t } from "./shared.js";

let shown = null; // the last answer

export function startPost() {
  const form = $("post_form");
  onAction(form, "submit", $("ask"), form.querySelector(".message"), async () => {
    const body = { text: $("text").value, time: $("time")?.value ?? "", reposts: $("reposts")?.value ?? "" };
    shown = null;
    render();
    shown = await (await send("api/explain", "POST", body)).json();
    render();
  });
  onLanguage(render);
}

function render() {
  $("result").replaceChildren(...(shown ? [...decision(), ...explanation(), ...overTime()] : []));
}

function decision() {
  const values = { probability: number(shown.rumor_probability), threshold: String(shown.threshold) };
  const text = t("probability_of", values);
  const left = 640 * shown.threshold;
  return [
    make("p.decision", { "data-predicted": shown.predicted }, t(`predicted_${shown.predicted}`)),
    make("p", {}, text, shown.curve ? ` · ${t("text_alone", { probability: number(shown.text_probability) })}` : ""),
    makeSvg(
      "svg",
      { class: "bar_of_probability", viewBox: "0 0 640 26", preserveAspectRatio: "none", role: "img", "aria-label": text },
      makeSvg("rect", { width: 640, height: 18, y: 4, fill: "#e1e6eb" }),
      makeSvg("rect", { width: 640 * shown.rumor_probability, height: 18, y: 4, fill: "#b5452f" }),
      makeSvg("line", { x1: left, x2: left, y1: 0, y2: 26, stroke: "#1b1f24", "stroke-width": 3 }),
    ),
  ];
}

function explanation() {
  const title = make("h3", {}, t("why"));
  if (shown.has_failed) return [title, make("p.words", { lang: "zh" }, shown.text), make("p", {}, t("failed"))];
  const words = shown.words.map((word) => {
    const node = make("span", { title: signed(word.weight) }, word.text);
    const strength = (0.55 * Math.abs(word.weight)) / shown.full_color;
    node.style.backgroundColor = `rgba(${word.weight > 0 ? "224, 85, 60" : "60, 130, 220"}, ${strength})`;
    return node;
  });
  const list = (name, sign) => {
    const strongest = strongestWords(sign).map(([word, weight]) =>
      make("li", {}, make("span", { lang: "zh" }, word), ` ${signed(weight)}`),
    );
    const words = strongest.length ? make("ul", {}, ...strongest) : make("p", {}, t("nothing"));
    return make("div", {}, make("strong", {}, t(name)), words);
  };
  return [
    title,
    make("p.words", { lang: "zh" }, ...words),
    shown.is_faint ? make("p", {}, t("faint")) : "",
    make("div.lists", {}, list("for", 1), list("against", -1)),
    make("p.small", {}, t("weights")),
  ];
}

/** Return the words, without punctuation, with the largest weights for rumor (`sign` 1) or against it (-1). */
function strongestWords(sign) {
  const weights = new Map();
  for (const { text, weight } of shown.words) {
    if (/[\p{L}\p{N}]/u.test(text)) weights.set(text, (weights.get(text) ?? 0) + weight);
  }
  const strongest = [...weights].filter(([, weight]) => sign * weight >= 0.005);
  return strongest.sort((one, other) => sign * (other[1] - one[1])).slice(0, 5);
}

function overTime() {
  if (!shown.curve) return [];
  const name = (seconds) =>
    seconds < 3600 ? t("minutes", { count: seconds / 60 })
    : seconds < 604_800 ? t("hours", { count: seconds / 3600 })
    : t("days", { count: seconds / 86_400 });
  const small = { "font-size": 15, fill: "currentColor" };
  const line = (height, more) => makeSvg("line", { x1: 0, x2: 640, y1: height, y2: height, stroke: "#8c959f", ...more });
  const svg = makeSvg(
    "svg",
    { viewBox: "-44 -12 720 244", role: "img", "aria-label": t("over_time") },
    ...[0, 0.5, 1].flatMap((share) => [
      line(200 * (1 - share), { "stroke-opacity": 0.4 }),
      makeSvg("text", { x: -8, y: 205 - 200 * share, "text-anchor": "end", ...small }, String(share)),
    ]),
    line(200 * (1 - shown.threshold), { stroke: "#1b1f24", "stroke-dasharray": "6 5" }),
    ...shown.curve.ticks.map(([x, seconds]) => makeSvg("text", { x, y: 224, "text-anchor": "middle", ...small }, name(seconds))),
    makeSvg("polyline", { id: "curve", points: shown.curve.points, fill: "none", stroke: "#b5452f", "stroke-width": 3 }),
  );
  const items = shown.moments.map((moment) => {
    const parts = [moment.delay / 3600, (moment.delay / 60) % 60, moment.delay % 60].map(Math.floor);
    const delay = parts.map((part, place) => (place ? String(part).padStart(2, "0") : part)).join(":");
    const facts = t("moment", { delay, change: signed(moment.change) });
    return make("li", {}, make("span", { lang: "zh" }, moment.words), " ", make("span.small", {}, facts));
  });
  return [make("h3", {}, t("over_time")), svg, make("h3", {}, t("important")), make("ol", { id: "important" }, ...items)];
}
