// Crop a picture and black out parts of it before it leaves this device. Without this file the field is a
// plain one. What is sent is the canvas (picture/editor.js). A form with data-documents takes other files as
// they are.

import { Editor, imageIn } from "./picture/editor.js";

const form = document.querySelector("form[data-picture]");

function start() {
  const field = form.querySelector('input[type="file"]');
  const place = form.querySelector("[data-editor]");
  const editor = new Editor(place);
  let changed = false;
  let name = "";

  async function take(file) {
    if (!file) return;
    if ("documents" in form.dataset && !file.type.startsWith("image/")) {
      place.hidden = true;
      changed = false;
      return;
    }
    name = file.name;
    changed = await editor.take(file);
  }

  form.querySelector("[data-paste]").hidden = false;
  field.addEventListener("change", () => take(field.files[0]));
  take(field.files[0]); // chosen before this script had run
  document.addEventListener("paste", (event) => {
    const file = imageIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    take(file);
  });
  form.addEventListener("submit", async (event) => {
    if (!changed) return;
    event.preventDefault();
    const held = new DataTransfer();
    held.items.add(await editor.file(name));
    field.files = held.files;
    changed = false;
    form.requestSubmit();
  });
}

if (form) start();
