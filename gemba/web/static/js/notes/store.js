// What a device keeps of one person's notes in one visit: notes that the server does not have yet, drafts,
// and a few facts. Every note and draft has a key of its own, so that two tabs never overwrite each other.
// Where the device keeps nothing (storage off or full), the words live as long as the page.

const PROBE = "gemba:probe";

function deviceStorage() {
  try {
    localStorage.setItem(PROBE, "1");
    localStorage.removeItem(PROBE);
    return localStorage;
  } catch {
    return null;
  }
}

export class Store {
  constructor(prefix) {
    this.prefix = prefix;
    this.device = deviceStorage();
    this.memory = new Map();
  }

  // Whether everything is on the device.
  get isSafe() {
    return this.device !== null && this.memory.size === 0;
  }

  set(key, value) {
    const text = JSON.stringify(value);
    try {
      this.device.setItem(this.prefix + key, text);
      this.memory.delete(key);
    } catch {
      this.memory.set(key, text);
    }
  }

  get(key) {
    try {
      return JSON.parse(this.memory.get(key) ?? this.device?.getItem(this.prefix + key) ?? "null");
    } catch {
      return null;
    }
  }

  drop(key) {
    this.memory.delete(key);
    this.device?.removeItem(this.prefix + key);
  }

  // All values whose key begins so.
  all(beginning) {
    const keys = new Set([...this.memory.keys()].filter((key) => key.startsWith(beginning)));
    for (let index = 0; index < (this.device?.length ?? 0); index++) {
      const key = this.device.key(index);
      if (key.startsWith(this.prefix + beginning)) keys.add(key.slice(this.prefix.length));
    }
    return [...keys].map((key) => this.get(key)).filter(Boolean);
  }

  // ---- notes on their way, in the order in which they were written

  notes() {
    return this.all("note:").sort((one, other) => one.queued - other.queued || one.at.localeCompare(other.at));
  }

  note(clientId) {
    return this.get(`note:${clientId}`);
  }

  keepNote(note) {
    this.set(`note:${note.client_id}`, note);
  }

  dropNote(clientId) {
    this.drop(`note:${clientId}`);
  }

  // ---- drafts, the newest first

  drafts() {
    return this.all("draft:").sort((one, other) => other.touched - one.touched);
  }

  keepDraft(draft) {
    this.set(`draft:${draft.id}`, draft);
  }

  dropDraft(id) {
    this.drop(`draft:${id}`);
  }
}

export function uuid() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // randomUUID exists on https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// A draft belongs to the tab that holds its lock; a closed tab holds none. Without locks (plain http) every
// draft may be taken over: it gets a new id then, so that nothing is ever written over.
export function hold(id) {
  navigator.locks?.request(`gemba:${id}`, { ifAvailable: true }, () => new Promise(() => {}));
}

export async function heldElsewhere() {
  const { held = [] } = (await navigator.locks?.query()) ?? {};
  return new Set(held.map((lock) => lock.name.replace("gemba:", "")));
}
