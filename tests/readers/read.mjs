// Reads calendars (a JSON array of iCalendar texts on stdin) with ical.js and node-ical;
// prints for each what both understood, as JSON: uid, sequence, method, start and end in epoch seconds, or error.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";
import ICAL from "./vendor/ical.mjs";

const nodeIcal = createRequire(import.meta.url)("./vendor/node-ical.cjs");

const seconds = (date) => date.getTime() / 1000;

function withIcalJs(ics) {
  const calendar = new ICAL.Component(ICAL.parse(ics));
  for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
  const event = new ICAL.Event(calendar.getFirstSubcomponent("vevent"));
  return {
    uid: event.uid,
    sequence: event.sequence ?? 0,
    method: calendar.getFirstPropertyValue("method"),
    start: seconds(event.startDate.toJSDate()),
    end: seconds(event.endDate.toJSDate()),
  };
}

function withNodeIcal(ics) {
  const calendar = nodeIcal.sync.parseICS(ics);
  const event = Object.values(calendar).find((item) => item.type === "VEVENT");
  return {
    uid: event.uid,
    sequence: Number(event.sequence ?? 0),
    method: calendar.vcalendar?.method ?? event.method ?? null,
    start: seconds(event.start),
    end: seconds(event.end),
  };
}

function attempt(read, ics) {
  try {
    return read(ics);
  } catch (error) {
    return { error: String(error) };
  }
}

const calendars = JSON.parse(await text(process.stdin));
const readings = calendars.map((ics) => ({ ical_js: attempt(withIcalJs, ics), node_ical: attempt(withNodeIcal, ics) }));
process.stdout.write(JSON.stringify(readings));
