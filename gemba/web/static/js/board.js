// The board: cards are dragged to another column, or moved by keyboard and finger through one dialog. Without
// this file the cards are links, and the status is set on the insight's page.

const board = document.querySelector("[data-board]");
const dialog = document.getElementById("move");
let opener = null;

function ask(card, status, sends) {
  const form = dialog.querySelector("form");
  const id = card.id.replace("insight-", "");
  form.action = form.dataset.path.replace("/0/", `/${id}/`);
  form.elements.version.value = card.dataset.version;
  form.elements.status.value = status;
  dialog.querySelector("[data-move-what]").textContent = card.querySelector("a").textContent;
  if (sends) {
    form.submit();
    return;
  }
  opener = card.querySelector("button");
  dialog.showModal();
  form.elements[status === "declined" ? "reason" : "status"].focus();
}

function columnOf(card) {
  return card.closest("[data-status]");
}

function drop(card, column) {
  const status = column.dataset.status;
  if (status !== columnOf(card).dataset.status) ask(card, status, status !== "declined");
}

function step(card, key) {
  const columns = [...board.querySelectorAll("[data-status]")];
  const cards = [...columnOf(card).querySelectorAll(".board-card")];
  const row = cards.indexOf(card);
  if (key === "ArrowUp" || key === "ArrowDown") return cards[row + (key === "ArrowDown" ? 1 : -1)];
  const way = key === "ArrowRight" ? 1 : -1;
  for (let at = columns.indexOf(columnOf(card)) + way; columns[at]; at += way) {
    const there = columns[at].querySelectorAll(".board-card");
    if (there.length) return there[Math.min(row, there.length - 1)];
  }
  return null;
}

function onKey(event) {
  const card = event.target.closest(".board-card");
  if (!card || event.altKey || event.ctrlKey || event.metaKey) return;
  if (event.key.startsWith("Arrow")) step(card, event.key)?.querySelector("a").focus();
  else if (event.key.toLowerCase() === "m") ask(card, columnOf(card).dataset.status, false);
  else return;
  event.preventDefault();
}

function dress(card) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button is-quiet is-small";
  button.textContent = board.dataset.wordMove;
  button.setAttribute("aria-haspopup", "dialog");
  button.setAttribute("aria-describedby", card.id);
  button.addEventListener("click", () => ask(card, columnOf(card).dataset.status, false));
  card.append(button);
  card.draggable = true;
  card.querySelector("a").draggable = false;
  card.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", card.id);
    event.dataTransfer.effectAllowed = "move";
    card.classList.add("is-dragged");
  });
  card.addEventListener("dragend", () => card.classList.remove("is-dragged"));
}

function receive(column) {
  column.addEventListener("dragover", (event) => {
    event.preventDefault();
    column.classList.add("is-target");
  });
  column.addEventListener("dragleave", () => column.classList.remove("is-target"));
  column.addEventListener("drop", (event) => {
    event.preventDefault();
    column.classList.remove("is-target");
    const card = document.getElementById(event.dataTransfer.getData("text/plain"));
    if (card?.classList.contains("board-card")) drop(card, column);
  });
}

if (board) {
  board.querySelectorAll(".board-card").forEach(dress);
  board.querySelectorAll("[data-status]").forEach(receive);
  board.addEventListener("keydown", onKey);
  document.querySelector("[data-board-hint]").hidden = false;
  dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => opener?.focus());
  // The browser goes to the address's fragment when the page is there, and takes the focus away.
  addEventListener("load", () => {
    document.querySelector(".board-card:target a")?.focus({ preventScroll: true });
  });
}
