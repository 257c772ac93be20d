// The board: cards are dragged to another column, or moved by keyboard and finger through one dialog. Without
// this file the cards are links, and the status is set on the insight's page.

const board = document.querySelector("[data-board]");
const dialog = document.getElementById("move");
let opener = null;
let dragged = null;

// A programme's own status takes the cards of that programme only.
function takes(place, card) {
  return !place.dataset.programme || place.dataset.programme === card.dataset.programme;
}

function categoryOf(status) {
  return dialog.querySelector(`option[value="${status}"]`).dataset.category;
}

function ask(card, status, sends) {
  const form = dialog.querySelector("form");
  for (const option of form.elements.status.options) {
    option.hidden = option.disabled = !takes(option, card);
  }
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
  form.elements[categoryOf(status) === "declined" ? "reason" : "status"].focus();
}

function columnOf(card) {
  return card.closest(".board-column");
}

function statusOf(card) {
  return card.closest("[data-status]").dataset.status;
}

function drop(card, place) {
  const status = place.dataset.status;
  if (status === statusOf(card) || !takes(place, card)) return;
  const moves = categoryOf(status) !== columnOf(card).dataset.status;
  ask(card, status, !(moves && categoryOf(status) === "declined"));
}

function step(card, key) {
  const columns = [...board.querySelectorAll(".board-column")];
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
  else if (event.key.toLowerCase() === "m") ask(card, statusOf(card), false);
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
  button.addEventListener("click", () => ask(card, statusOf(card), false));
  card.append(button);
  card.draggable = true;
  card.querySelector("a").draggable = false;
  card.addEventListener("dragstart", (event) => {
    event.dataTransfer.setData("text/plain", card.id);
    event.dataTransfer.effectAllowed = "move";
    card.classList.add("is-dragged");
    dragged = card;
  });
  card.addEventListener("dragend", () => {
    card.classList.remove("is-dragged");
    dragged = null;
  });
}

// A group lies in its column: what it takes does not reach the column, what it refuses is nobody's.
function receive(place) {
  place.addEventListener("dragover", (event) => {
    event.stopPropagation();
    if (!dragged || !takes(place, dragged)) return;
    event.preventDefault();
    place.classList.add("is-target");
  });
  place.addEventListener("dragleave", () => place.classList.remove("is-target"));
  place.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    place.classList.remove("is-target");
    if (dragged) drop(dragged, place);
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
