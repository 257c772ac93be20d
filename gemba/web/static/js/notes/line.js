// The way to the server: one note at a time until it has heard an answer, with a token that outlives sign-ins.

const PATIENCE = 15000;
const UPLOAD_PATIENCE = 120000;
const REFUSED = [404, 409, 413, 422];

export class Line {
  constructor({ person, draftUrl, pulseUrl }) {
    this.person = person;
    this.draftUrl = draftUrl;
    this.pulseUrl = pulseUrl;
    this.token = document.querySelector('meta[name="csrf-token"]').content;
  }

  #post(url, body, patience) {
    return fetch(url, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": this.token, "X-Fragment": "note" },
      redirect: "manual",
      signal: AbortSignal.timeout(patience),
    });
  }

  // Sends once more with a new token where the one of this page was of an earlier sign-in.
  async #answer(url, body, patience) {
    const answer = await this.#post(url, body, patience);
    return answer.status === 400 && (await this.pulse()) ? this.#post(url, body, patience) : answer;
  }

  // Asks whose sign-in this is now; a new one in another tab has another token.
  async pulse() {
    const answer = await fetch(this.pulseUrl, { redirect: "manual", signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) return null;
    const told = await answer.json();
    this.token = told.token;
    for (const input of document.querySelectorAll('input[name="csrf_token"]')) input.value = told.token;
    return told;
  }

  post(url, values) {
    return this.#answer(url, new URLSearchParams(values), PATIENCE);
  }

  // What became of a note: saved (its HTML), refused or private (the reason), person, signin or later.
  async send(note) {
    const values = { ...fields(note), person: this.person, edited: note.edited ? "1" : "", removed: note.removed ? "1" : "" };
    if (note.asIs) values.private = "as-is";
    const answer = await this.post(location.pathname, values);
    if (answer.ok) return { is: "saved", html: await answer.text() };
    const why = answer.headers.get("X-Refusal");
    if (why === "person") return { is: "person" };
    if (answer.type === "opaqueredirect" || [400, 401, 403].includes(answer.status)) return { is: "signin" };
    if (!REFUSED.includes(answer.status)) return { is: "later" };
    return { is: why === "private" ? "private" : "refused", reason: why ? await answer.text() : "" };
  }

  // A picture of a note that is there: saved (the note's HTML), refused (the reason) or later.
  async sendPicture(url, file) {
    const body = new FormData();
    body.set("picture", file);
    const answer = await this.#answer(url, body, UPLOAD_PATIENCE);
    if (answer.ok) return { is: "saved", html: await answer.text() };
    if (!REFUSED.includes(answer.status)) return { is: "later" };
    return { is: "refused", reason: answer.headers.has("X-Refusal") ? await answer.text() : "" };
  }

  async keepDraft(draft) {
    const answer = await this.post(this.draftUrl, { ...fields({ ...draft, client_id: draft.id }), person: this.person });
    return answer.status === 204;
  }
}

function fields({ client_id, line, kind, severity, ask, at, draft }) {
  const values = { client_id, line, kind, severity, at, draft: draft ?? "" };
  if (ask) values.is_ask = "1";
  return values;
}
