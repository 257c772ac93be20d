// Counts what ical.js reads in one calendar (stdin): events, different UIDs, and those with a start before their end.
import { text } from "node:stream/consumers";
import ICAL from "./vendor/ical.mjs";

const calendar = new ICAL.Component(ICAL.parse(await text(process.stdin)));
const events = calendar.getAllSubcomponents("vevent");
const instant = (event, name) => event.getFirstPropertyValue(name).toUnixTime();
process.stdout.write(
  JSON.stringify({
    events: events.length,
    uids: new Set(events.map((event) => event.getFirstPropertyValue("uid"))).size,
    ordered: events.filter((event) => instant(event, "dtstart") < instant(event, "dtend")).length,
  }),
);
