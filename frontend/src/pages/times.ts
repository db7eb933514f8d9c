/** Shows each exact time in the reader's own time zone and language; the server knows only its own. */
export function tellLocalTimes(): void {
  const format = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
  for (const element of document.querySelectorAll<HTMLTimeElement>("time[datetime][title]")) {
    const moment = new Date(element.dateTime);
    if (!Number.isNaN(moment.getTime())) element.title = format.format(moment);
  }
}
