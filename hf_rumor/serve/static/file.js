// A file of posts: upload it, and save the table of predictions.

import { makeUpload } from "./columns.js";
import { $, make, onAction, onLanguage, save, t } from "./shared.js";

let done = null; // counts, and the table

export function startFile() {
  const form = $("file_form");
  const upload = makeUpload(form, $("file_input"));
  onAction(form, "submit", $("ask_file"), form.querySelector(".message"), async () => {
    done = null;
    render();
    const output = $("output").value;
    const response = await upload("api/files", { output });
    if (!response) return;
    const count = (name) => Number(response.headers.get(`X-Num-${name}`));
    const table = new Response(await response.blob());
    done = { posts: count("Posts"), rumors: count("Rumors"), errors: count("Errors"), table, output };
    render();
  });
  onLanguage(render);
}

function render() {
  if (!done) {
    $("file_result").replaceChildren();
    return;
  }
  const button = make("button", { type: "button", id: "download" }, t("download"));
  button.addEventListener("click", () => save(done.table.clone(), `predictions.${done.output}`));
  $("file_result").replaceChildren(make("p", {}, t("file_done", done)), button);
}
