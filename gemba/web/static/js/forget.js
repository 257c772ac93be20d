// On pages for nobody in particular (the door, the sign-in): no page of somebody's notes stays on the device.
// Notes that were not sent yet stay: they are kept apart, for the person who wrote them alone.

if ("caches" in window) caches.delete("gemba-pages").catch(() => {});
